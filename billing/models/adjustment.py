"""What support decides about money that no rule decides."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.facts import Fact
from common.money import money_field


class WriteOff(Fact):
    """A part of a client's balance that we do not ask for; negative when a write-off is taken back."""

    class Reason(models.TextChoices):
        GOODWILL = "goodwill", _("Goodwill")
        OUR_ERROR = "our_error", _("Our own error")
        UNCOLLECTIBLE = "uncollectible", _("Cannot be collected")
        HARDSHIP = "hardship", _("Financial hardship")
        SMALL = "small", _("Too small to ask for")
        TAKEN_BACK = "taken_back", _("A write-off was taken back")

    session = models.ForeignKey("care.Session", on_delete=models.PROTECT, related_name="write_offs")
    amount = money_field(signed=True)
    takes_back = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="taken_back", help_text=_("Which one.")
    )
    reason = models.CharField(max_length=13, choices=Reason.choices)
    note = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(Fact.Meta):
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="write_off_not_zero"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, takes_back=None) | Q(amount__lt=0, takes_back__isnull=False),
                name="write_off_below_zero_takes_one_back",
            ),
        ]

    def __str__(self) -> str:
        return f"Write-off of {self.amount}"


class SuspenseMove(Fact):
    """Insurer money taken out of suspense by a person: to whose account it went, and why.

    Exactly one of ``adjudication`` (money for a claim we did not know) and ``provider_adjustment`` (a PLB pair) says
    where it came from. ``amount`` in signed dollars as it stood in suspense: positive was paid to us.
    """

    class Kind(models.TextChoices):
        CLAIM = "claim", _("Belongs to a session's claim")
        INTEREST = "interest", _("Interest for late payment")
        RECOUPMENT = "recoupment", _("Taken back for a session's claim")
        RETURNED = "returned", _("Sent back to the insurer")
        OTHER = "other", _("Other gain or loss")

    adjudication = models.ForeignKey(
        "insurance.Adjudication", on_delete=models.PROTECT, null=True, blank=True, related_name="suspense_moves"
    )
    provider_adjustment = models.ForeignKey(
        "insurance.ProviderAdjustment", on_delete=models.PROTECT, null=True, blank=True, related_name="suspense_moves"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    session = models.ForeignKey("care.Session", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    amount = money_field(signed=True)
    note = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(Fact.Meta):
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(adjudication__isnull=False, provider_adjustment=None)
                | Q(adjudication=None, provider_adjustment__isnull=False),
                name="suspense_move_is_from_one_place",
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="suspense_move_not_zero"),
            models.CheckConstraint(
                condition=~Q(kind__in=["claim", "recoupment"]) | Q(session__isnull=False),
                name="suspense_move_names_its_session",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} out of suspense"
