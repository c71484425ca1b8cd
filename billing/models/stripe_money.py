"""Stripe's own account of the money, held against our books."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.facts import Fact
from common.money import money_field
from common.states import axis


class BalanceTransaction(models.Model):
    """One movement of our balance at Stripe, as Stripe tells it. Amounts are signed: positive is to our good.

    ``entry`` is the one ledger entry that says the same; ``fee_entry`` books Stripe's fee on it.
    """

    transaction_id = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=40, help_text=_("Stripe's type: charge, refund, adjustment, payout…"))
    source_id = models.CharField(max_length=60, blank=True, db_index=True)
    amount = money_field(signed=True)
    fee = money_field(signed=True)
    net = money_field(signed=True)
    happened_at = models.DateTimeField(db_index=True)
    available_on = models.DateField()
    payout = models.ForeignKey(
        "billing.StripePayout", on_delete=models.PROTECT, null=True, blank=True, related_name="transactions"
    )
    entry = models.OneToOneField(
        "ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="balance_transaction"
    )
    fee_entry = models.OneToOneField(
        "ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="fee_of"
    )
    seen_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-happened_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(net=models.F("amount") - models.F("fee")), name="net_is_amount_less_fee")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} ({self.transaction_id})"


class StripePayout(models.Model):
    """Money on its way from Stripe to our bank."""

    class State(models.TextChoices):
        PENDING = "pending", _("Being prepared")
        IN_TRANSIT = "in_transit", _("On its way")
        PAID = "paid", _("At the bank")
        FAILED = "failed", _("Failed")
        CANCELED = "canceled", _("Cancelled")

    payout_id = models.CharField(max_length=60, unique=True)
    amount = money_field(signed=True)
    state = models.CharField(max_length=10, choices=State.choices)
    arrives_on = models.DateField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-arrives_on", "-id"]

    def __str__(self) -> str:
        return f"Stripe payout of {self.amount}"


class Reconciliation(Fact):
    """One comparison of Stripe's account with our books."""

    since = models.DateTimeField()
    until = models.DateTimeField()
    transactions = models.PositiveIntegerField()
    matched = models.PositiveIntegerField()
    stripe_balance = money_field(signed=True, help_text=_("Stripe's balance, available and pending."))
    books_balance = money_field(signed=True, help_text=_("The account “Money at Stripe” at the same time."))

    class Meta(Fact.Meta):
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Reconciliation until {self.until:%Y-%m-%d}"


class ReconciliationCase(models.Model):
    """One difference between Stripe and our books, for a person. Nothing is put right by itself."""

    class Kind(models.TextChoices):
        NOT_IN_BOOKS = "not_in_books", _("Stripe has it, our books do not")
        NOT_AT_STRIPE = "not_at_stripe", _("Our books have it, Stripe does not")
        AMOUNT = "amount", _("The amounts differ")
        BALANCE = "balance", _("The balances differ")
        UNKNOWN_KIND = "unknown_kind", _("A kind of movement we do not know")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    STATES = axis("state", {"open": {"closed"}, "closed": set()})

    key = models.CharField(max_length=100, unique=True, help_text=_("Names the difference: one case for each."))
    kind = models.CharField(max_length=14, choices=Kind.choices)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    transaction = models.ForeignKey(
        BalanceTransaction, on_delete=models.PROTECT, null=True, blank=True, related_name="cases"
    )
    entry = models.ForeignKey("ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ours = money_field(signed=True, null=True, blank=True)
    theirs = money_field(signed=True, null=True, blank=True)
    explanation = models.TextField()
    opened_at = models.DateTimeField(default=clock.now, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["state", "-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.key})"
