"""What we predicted of a session against what its insurer decided."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.money import money_field
from common.states import axis


class Comparison(models.Model):
    """One answer of a first plan beside our estimate, part by part. ``docs/corrections.md`` tells how it is read.

    ``predicted`` and ``decided`` are dollars by part:
    ``{"client", "allowed", "deductible", "copay", "coinsurance", "not_covered"}``, ``null`` where not known.
    ``figures`` are the figures of the plan that would explain the answer, against those the estimate came from:
    ``{"in_network.copay": {"said": "25.00", "is": "40.00"}}``.
    """

    class Kind(models.TextChoices):
        MATCH = "match", _("As predicted")
        ACCUMULATOR_DRIFT = "accumulator_drift", _("Deductible or maximum stood elsewhere")
        WRONG_COPAY = "wrong_copay", _("Another copay")
        WRONG_COINSURANCE = "wrong_coinsurance", _("Another coinsurance")
        WRONG_RULE = "wrong_rule", _("Copay and deductible go together otherwise")
        OTHER_CATEGORY = "other_category", _("Paid as another kind of visit")
        RATE_DIFFERS = "rate_differs", _("Another rate than our contract's")
        NETWORK_DIFFERS = "network_differs", _("Paid as out of network")
        NOT_COVERED = "not_covered", _("Not covered")
        WRONG_STATUS = "wrong_status", _("Said not to be active")
        UNKNOWN = "unknown", _("Not explained")

    class State(models.TextChoices):
        CLOSED = "closed", _("Nothing to do")
        WAITING = "waiting", _("Waits for support")
        APPLIED = "applied", _("Benefits corrected")
        DISMISSED = "dismissed", _("Left as it is")

    STATES = axis(
        "state",
        {
            # The insurer may take the answer back; the next one that nothing explains is then a case of its own.
            "waiting": {"applied", "dismissed", "closed"},
            "closed": {"waiting"},
            "applied": set(),
            "dismissed": {"applied"},
        },
    )

    adjudication = models.OneToOneField("insurance.Adjudication", on_delete=models.PROTECT, related_name="comparison")
    session = models.ForeignKey("care.Session", on_delete=models.PROTECT, related_name="comparisons")
    coverage = models.ForeignKey("insurance.Coverage", on_delete=models.PROTECT, related_name="comparisons")
    estimate = models.ForeignKey(
        "billing.SessionCost", on_delete=models.PROTECT, related_name="+", help_text=_("The estimate in force.")
    )
    first_estimate = models.ForeignKey(
        "billing.SessionCost", on_delete=models.PROTECT, related_name="+", help_text=_("The estimate charged first.")
    )
    predicted = models.JSONField()
    decided = models.JSONField()
    difference = money_field(signed=True, help_text=_("What the insurer left to the client above our estimate."))
    first_difference = money_field(signed=True, help_text=_("The same against the estimate that was charged first."))
    kind = models.CharField(max_length=20, choices=Kind.choices)
    explanation = models.CharField(max_length=500)
    figures = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.CLOSED, db_index=True)
    snapshot = models.ForeignKey(
        "insurance.BenefitSnapshot",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="comparisons",
        help_text=_("The corrected benefits that came of it."),
    )
    owner = models.ForeignKey("people.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False, db_index=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["coverage", "-id"])]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="applied") | Q(snapshot__isnull=False), name="applied_names_its_snapshot"
            )
        ]

    def __str__(self) -> str:
        return f"Comparison {self.pk}: {self.kind} ({self.difference:+})"
