"""What we asked an insurer about a client, and what it said."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.facts import Fact
from common.states import axis

if TYPE_CHECKING:
    from insurance.domain.benefits import Benefits


class EligibilityCheck(models.Model):
    """One 270 and its 271. ``waiting`` rows are the queue; the sweep takes what a lost message left."""

    class Reason(models.TextChoices):
        PLAN_ADDED = "plan_added", _("Plan added")
        BEFORE_SESSION = "before_session", _("Before a session")
        REFRESH = "refresh", _("Asked for")
        COB_REFERENCE = "cob_reference", _("Client updated coordination of benefits")
        SCHEDULED = "scheduled", _("Regular check")
        PLAN_YEAR = "plan_year", _("New plan year")
        REPORT = "report", _("Reported as wrong")
        EVIDENCE = "evidence", _("A remittance said otherwise")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting to be asked")
        ASKED = "asked", _("Asked")
        ANSWERED = "answered", _("Answered")
        REJECTED = "rejected", _("The insurer could not answer")
        FAILED = "failed", _("Gave up")

    OPEN = (State.WAITING, State.ASKED)
    """Under way: the insurer has still to be asked, or to answer."""

    STATES = axis(
        "state",
        {
            "waiting": {"asked", "failed"},
            "asked": {"waiting", "answered", "rejected", "failed"},
            "answered": set(),
            "rejected": set(),
            "failed": {"waiting"},
        },
    )

    coverage = models.ForeignKey("insurance.Coverage", on_delete=models.PROTECT, related_name="checks")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    asked_by = models.ForeignKey(
        "people.User",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty: asked by ourselves."),
    )
    service_date = models.DateField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    trace = models.CharField(max_length=30, unique=True, help_text=_("TRN02 of the 270."))
    request = models.ForeignKey("insurance.EdiFile", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    response = models.ForeignKey(
        "insurance.EdiFile", on_delete=models.PROTECT, null=True, blank=True, related_name="answers"
    )
    rejections = models.JSONField(default=list, blank=True, help_text=_("Codes, texts and what to do (AAA)."))
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=clock.now)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    answered_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When order, pauses and prices had followed the answer.")
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(state__in=["waiting", "asked"]), name="check_queue")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["coverage"], condition=Q(state__in=["waiting", "asked"]), name="one_open_check_per_coverage"
            )
        ]

    def __str__(self) -> str:
        return f"Check {self.pk} of {self.coverage}"

    @property
    def asked_at(self) -> datetime:
        """When the insurer was asked last; the answer knows nothing of what came later. Before that: when it was put
        in the queue."""
        return self.request.created_at if self.request is not None else self.created_at


class BenefitSnapshot(Fact):
    """What was known of a plan's benefits at one moment.

    The remaining figures include all that the insurer had processed by then; they count from ``plan_begin`` to
    ``plan_end`` (``Benefits.year``).
    """

    class Source(models.TextChoices):
        RESPONSE = "271", _("The insurer's answer")
        REMITTANCE = "835", _("Evidence in a remittance")
        SUPPORT = "support", _("Entered by support")

    coverage = models.ForeignKey("insurance.Coverage", on_delete=models.PROTECT, related_name="snapshots")
    eligibility_check = models.OneToOneField(
        EligibilityCheck, on_delete=models.PROTECT, null=True, blank=True, related_name="snapshot"
    )
    source = models.CharField(max_length=8, choices=Source.choices)
    observed_at = models.DateTimeField(default=clock.now)
    effective_on = models.DateField()
    active = models.BooleanField(null=True, help_text=_("Null: the insurer did not say."))
    plan_begin = models.DateField(null=True)
    plan_end = models.DateField(null=True)
    benefits = models.JSONField(help_text=_("insurance.domain.benefits.Benefits as JSON."))
    corrects = models.JSONField(
        default=dict,
        blank=True,
        help_text=_(
            "Figures put right against the insurer's own answer, by their place in benefits: "
            '{"in_network.copay": {"said": "25.00", "is": "40.00"}}.'
        ),
    )
    note = models.CharField(max_length=300, blank=True, help_text=_("Why it was put right, in words."))
    entered_by = models.ForeignKey("people.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta(Fact.Meta):
        ordering = ["-observed_at", "-id"]
        indexes = [models.Index(fields=["coverage", "-observed_at"])]

    def __str__(self) -> str:
        return f"Benefits of {self.coverage} as of {self.observed_at:%Y-%m-%d}"

    def read(self) -> "Benefits":
        """The figures as a value."""
        from insurance.domain.benefits import Benefits  # noqa: PLC0415 - read where it is needed, models stay light

        return Benefits.from_json(self.benefits)
