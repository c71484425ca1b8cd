"""A client's bank takes a payment back, or warns that it may."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.money import money_field
from common.states import axis


class Dispute(models.Model):
    """A disputed payment. The money leaves our balance when it opens and comes back when we win."""

    class State(models.TextChoices):
        NEEDS_RESPONSE = "needs_response", _("Needs our answer")
        UNDER_REVIEW = "under_review", _("The bank decides")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")
        WARNING = "warning", _("Inquiry only, no money has moved")
        WARNING_CLOSED = "warning_closed", _("Inquiry closed")

    STATES = axis(
        "state",
        {
            "warning": {"needs_response", "under_review", "won", "lost", "warning_closed"},
            "needs_response": {"under_review", "won", "lost"},
            "under_review": {"needs_response", "won", "lost"},
            # A bank may still reverse its decision.
            "won": {"lost"},
            "lost": {"won"},
            "warning_closed": {"needs_response"},
        },
    )

    payment = models.ForeignKey("billing.Payment", on_delete=models.PROTECT, related_name="disputes")
    dispute_id = models.CharField(max_length=60, unique=True)
    amount = money_field()
    reason = models.CharField(max_length=40)
    state = models.CharField(max_length=14, choices=State.choices)
    evidence_due = models.DateTimeField(null=True, blank=True)
    evidence = models.JSONField(default=dict, blank=True, help_text=_("What was handed in, by Stripe's field names."))
    evidence_sent_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(default=clock.now, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="dispute_positive")]

    def __str__(self) -> str:
        return f"Dispute of {self.amount}"


class FraudWarning(models.Model):
    """An early fraud warning: the bank was told that the cardholder does not know a payment. A refund in time avoids a
    dispute; a person decides."""

    payment = models.ForeignKey("billing.Payment", on_delete=models.PROTECT, related_name="fraud_warnings")
    warning_id = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=60)
    actionable = models.BooleanField()
    seen_at = models.DateTimeField(default=clock.now, editable=False)
    handled_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Fraud warning for payment {self.payment_id}"
