"""Money asked of a client's card: one row per attempt."""

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.facts import Fact
from common.money import money_field
from common.states import axis


class Payment(models.Model):
    """One attempt to take money, written before Stripe is asked and settled by what Stripe then says.

    ``key`` is the idempotency key: a repeated request is the same attempt. ``unknown`` (no answer came) is settled by
    asking Stripe, never by trying again.
    """

    class Purpose(models.TextChoices):
        CONFIRMATION = "confirmation", _("Charge at confirmation")
        PAY_NOW = "pay_now", _("Pay now")
        INSTALMENT = "instalment", _("Part of a payment plan")
        AUTOPAY = "autopay", _("Autopay")

    class State(models.TextChoices):
        CREATED = "created", _("Waiting to be sent")
        SUBMITTED = "submitted", _("Sent")
        REQUIRES_ACTION = "requires_action", _("Waiting for the client")
        PROCESSING = "processing", _("Processing")
        UNKNOWN = "unknown", _("Outcome not known")
        SUCCEEDED = "succeeded", _("Paid")
        FAILED = "failed", _("Failed")

    STATES = axis(
        "state",
        {
            "created": {"submitted", "failed"},
            "submitted": {"requires_action", "processing", "unknown", "succeeded", "failed"},
            "requires_action": {"processing", "succeeded", "failed"},
            "processing": {"requires_action", "succeeded", "failed"},
            "unknown": {"requires_action", "processing", "succeeded", "failed"},
            # Stripe may still confirm an intent that was declined once and then paid with another card.
            "failed": {"succeeded"},
            "succeeded": set(),
        },
    )
    IN_MOTION = ("created", "submitted", "processing", "unknown")
    """Money may be moving: what these cover is not due. An attempt that waits for the client covers nothing."""

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="payments")
    card = models.ForeignKey("billing.PaymentCard", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    amount = money_field()
    state = models.CharField(max_length=15, choices=State.choices, default=State.CREATED, db_index=True)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payment_intent_id = models.CharField(max_length=60, unique=True, null=True, blank=True)
    decline_code = models.CharField(max_length=60, blank=True)
    message = models.CharField(max_length=300, blank=True)
    retry_on = models.DateField(null=True, blank=True, help_text=_("When a declined charge is tried once more."))
    retry_of = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="retried_by", editable=False
    )
    created_at = models.DateTimeField(default=clock.now, editable=False, db_index=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_positive"),
            models.CheckConstraint(
                condition=Q(state__in=["created", "submitted", "unknown", "failed"])
                | Q(payment_intent_id__isnull=False),
                name="payment_has_its_intent",
            ),
        ]

    def __str__(self) -> str:
        return f"Payment {self.pk} of {self.amount}"


class PaymentPart(Fact):
    """How much of a payment is for which session. The parts of a payment add up to it."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="parts")
    session = models.ForeignKey("care.Session", on_delete=models.PROTECT, related_name="payment_parts")
    amount = money_field()

    class Meta(Fact.Meta):
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "session"], name="one_part_per_session"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_part_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of payment {self.payment_id}"
