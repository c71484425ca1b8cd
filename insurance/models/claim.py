"""A claim for one session to one plan."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.facts import Fact
from common.money import money_field
from common.states import axis


class Claim(models.Model):
    """What we ask of one plan for one session. Two axes: how the claim travels, and what the insurer decided."""

    class Submission(models.TextChoices):
        WAITING = "waiting", _("Waiting for the plan before it")
        HELD = "held", _("Held: account paused")
        READY = "ready", _("Ready to send")
        SUBMITTED = "submitted", _("Sent")
        RECEIVED = "received", _("Received by the insurer")
        ACCEPTED = "accepted", _("Accepted for processing")
        REJECTED = "rejected", _("Rejected before processing")
        NOT_NEEDED = "not_needed", _("Not needed")
        REPLACED = "replaced", _("Replaced by a corrected claim")

    class Decision(models.TextChoices):
        NONE = "none", _("Not decided yet")
        PAID = "paid", _("Processed")
        DENIED = "denied", _("Denied")
        COB = "cob", _("Coordination of benefits unresolved")
        ROUTED = "routed", _("Belongs to another insurer")
        REVERSED = "reversed", _("Reversed")

    SUBMISSIONS = axis(
        "submission",
        {
            # An insurer that sends the claim on itself (crossover), or answers what it got from another insurer, takes
            # it straight from any unsent state to accepted.
            "waiting": {"ready", "held", "accepted", "not_needed"},
            "held": {"ready", "waiting", "accepted", "not_needed"},
            # Back to waiting when the plan before it takes its answer back.
            "ready": {"submitted", "waiting", "held", "accepted", "rejected", "not_needed"},
            # A remittance may come before any acknowledgement, so every later state can follow "submitted".
            "submitted": {"received", "accepted", "rejected", "replaced"},
            "received": {"accepted", "rejected", "replaced"},
            # A claim that was refused on its merits may be closed by a person.
            "accepted": {"rejected", "replaced", "not_needed"},
            "rejected": {"replaced", "accepted", "not_needed"},
            "not_needed": {"waiting", "held", "ready", "accepted"},
            "replaced": set(),
        },
    )
    UNSENT = ("waiting", "held", "ready")
    REFUSED = ("denied", "cob", "routed")
    """Decisions by which a plan does not pay: the claim may be sent again, or closed by a person."""
    VOID = "8"
    OUTSIDE = Q(submission="replaced") | Q(frequency=VOID)
    """Not in a session's sequence: what another claim took the place of, and what only takes such a claim back."""
    DECISIONS = axis(
        "decision",
        {
            # A reversal may come before the answer it takes back.
            "none": {"paid", "denied", "cob", "routed", "reversed"},
            "paid": {"reversed", "denied", "cob", "routed"},
            "denied": {"paid", "reversed", "cob", "routed"},
            "cob": {"paid", "denied", "reversed", "routed"},
            "routed": {"paid", "denied", "cob", "reversed"},
            "reversed": {"paid", "denied", "cob", "routed"},
        },
    )

    session = models.ForeignKey("care.Session", on_delete=models.PROTECT, related_name="claims")
    coverage = models.ForeignKey("insurance.Coverage", on_delete=models.PROTECT, related_name="claims")
    rank = models.PositiveSmallIntegerField(help_text=_("1 primary, 2 secondary …"))
    control_number = models.CharField(max_length=20, unique=True, help_text=_("CLM01: ours, never used again."))
    payer_control_number = models.CharField(max_length=50, blank=True)
    frequency = models.CharField(max_length=1, default="1", help_text=_("1 original, 7 replacement, 8 void."))
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    charge = money_field()
    submission = models.CharField(max_length=10, choices=Submission.choices, db_index=True)
    decision = models.CharField(max_length=8, choices=Decision.choices, default=Decision.NONE, db_index=True)
    reason = models.CharField(max_length=300, blank=True, help_text=_("Why it is not sent, or was refused."))
    file = models.ForeignKey(
        "insurance.EdiFile", on_delete=models.PROTECT, null=True, blank=True, related_name="claims"
    )
    file_by = models.DateField(null=True, blank=True, help_text=_("Timely filing ends on this day."))
    created_at = models.DateTimeField(default=clock.now, editable=False)
    submitted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["session", "rank", "id"]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]
        indexes = [models.Index(fields=["submission", "id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "coverage"],
                condition=~Q(submission="replaced") & ~Q(frequency="8"),
                name="one_open_claim_per_session_and_coverage",
            ),
            models.UniqueConstraint(
                fields=["session", "rank"],
                condition=~Q(submission__in=["replaced", "not_needed"]) & ~Q(frequency="8"),
                name="one_open_claim_per_session_and_rank",
            ),
            models.CheckConstraint(condition=Q(charge__gt=0), name="claim_charge_positive"),
            models.CheckConstraint(condition=Q(rank__gte=1), name="claim_rank_from_one"),
            models.CheckConstraint(condition=Q(frequency__in=["1", "7", "8"]), name="claim_frequency_known"),
        ]

    def __str__(self) -> str:
        return f"Claim {self.control_number}"


class ClaimEvent(Fact):
    """One thing that happened to a claim, in words, with the file that says so."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20)
    text = models.CharField(max_length=500)
    file = models.ForeignKey("insurance.EdiFile", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta(Fact.Meta):
        ordering = ["claim", "id"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"
