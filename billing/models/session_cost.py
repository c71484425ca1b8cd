"""What a session costs the client, as we knew it at one moment, and why."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.facts import Fact
from common.money import money_field


class SessionCost(Fact):
    """A cost as known at one moment. The newest row of a session is its current cost; older ones are its history.

    ``breakdown`` holds the parts and sentences shown to people (``billing.services.costs`` writes it):
    ``{"deductible", "copay", "coinsurance", "not_covered", "plan", "why": [...], "verified": bool, "sentence": str}``.
    """

    class Basis(models.TextChoices):
        ESTIMATE = "estimate", _("Estimate")
        AFTER_PRIMARY = "after_primary", _("After your first plan")
        FINAL = "final", _("Final")

    class Reason(models.TextChoices):
        """Why the cost is what it is now; a closed list, each with a sentence in plain words."""

        FIRST = "first", _("First price")
        NEW_PLAN = "new_plan", _("New plan")
        DEDUCTIBLE_MET = "deductible_met", _("Deductible met")
        OUT_OF_POCKET_MET = "out_of_pocket_met", _("Out-of-pocket maximum met")
        PLAN_YEAR_RESET = "plan_year_reset", _("New plan year")
        BENEFITS_CORRECTED = "benefits_corrected", _("Benefit information corrected")
        PRIMARY_PROCESSED = "primary_processed", _("First plan processed")
        SECONDARY_PROCESSED = "secondary_processed", _("Second plan processed")
        RATE_CHANGED = "rate_changed", _("Rate changed")
        SESSION_CHANGED = "session_changed", _("Session changed")

    session = models.ForeignKey("care.Session", on_delete=models.PROTECT, related_name="costs")
    coverage = models.ForeignKey(
        "insurance.Coverage", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    amount = money_field(help_text=_("The client's cost in dollars."))
    allowed = money_field(help_text=_("What the first plan allows in dollars: the session's full price."))
    basis = models.CharField(max_length=13, choices=Basis.choices)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    breakdown = models.JSONField()
    snapshot = models.ForeignKey(
        "insurance.BenefitSnapshot", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    adjudication = models.ForeignKey(
        "insurance.Adjudication", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta(Fact.Meta):
        ordering = ["-id"]
        indexes = [models.Index(fields=["session", "-id"])]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="cost_not_negative"),
            models.CheckConstraint(condition=Q(allowed__gte=0), name="allowed_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} ({self.basis}) for session {self.session_id}"
