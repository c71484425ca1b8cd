"""Money given back to a client."""

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.money import money_field
from common.states import axis


class Refund(models.Model):
    """One refund of one payment, for one session, written before Stripe is asked."""

    class State(models.TextChoices):
        CREATED = "created", _("Promised")
        SUBMITTED = "submitted", _("Sent to your bank")
        UNKNOWN = "unknown", _("Outcome not known")
        IN_TRANSIT = "in_transit", _("On its way")
        SUCCEEDED = "succeeded", _("Processed")
        FAILED = "failed", _("Failed")
        EXTERNAL = "external", _("Given back another way")

    STATES = axis(
        "state",
        {
            "created": {"submitted", "failed"},
            "submitted": {"unknown", "in_transit", "succeeded", "failed"},
            "unknown": {"in_transit", "succeeded", "failed"},
            "in_transit": {"succeeded", "failed"},
            # A bank may send a processed refund back weeks later.
            "succeeded": {"failed"},
            # The card is gone: a person sends a check or a transfer.
            "failed": {"external"},
            "external": set(),
        },
    )
    LIVE = ("created", "submitted", "unknown", "in_transit", "succeeded", "external")
    """Counts against what is left on the payment."""
    UNBOOKED = ("created", "submitted", "unknown", "in_transit")
    """Promised, but not in the ledger yet: a refund is booked when Stripe has processed it."""

    payment = models.ForeignKey("billing.Payment", on_delete=models.PROTECT, related_name="refunds")
    session = models.ForeignKey("care.Session", on_delete=models.PROTECT, related_name="refunds")
    amount = money_field()
    state = models.CharField(max_length=10, choices=State.choices, default=State.CREATED, db_index=True)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    refund_id = models.CharField(max_length=60, unique=True, null=True, blank=True)
    message = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False, db_index=True)
    processed_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When Stripe had given it to the bank, or a person had sent it another way.")
    )
    bank_reference = models.CharField(
        max_length=60, blank=True, help_text=_("Acquirer's number (ARN), by which the client's bank finds a refund.")
    )
    external_reference = models.CharField(
        max_length=100, blank=True, help_text=_("Number of the check or transfer, when given back another way.")
    )

    class Meta:
        ordering = ["-id"]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="refund_positive")]

    def __str__(self) -> str:
        return f"Refund {self.pk} of {self.amount}"
