"""Our account at Stripe in our books: fees and payouts are posted from its movements, all others find their entry.

Each movement (balance transaction) belongs to exactly one entry whose ``stripe`` lines add up to it; its fee is an
entry of its own. ``docs/stripe.md`` has the table.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from billing.gateways.results import Movement, PayoutResult, PayoutState
from billing.ledger import reading
from billing.ledger.posting import Book, Posting, post, reverse
from billing.models import BalanceTransaction, Payment, Refund, StripePayout
from common import clock
from common.money import ZERO

_PAYMENTS = ("charge", "payment")
_REFUNDS = ("refund", "payment_refund")
_REFUND_FAILURES = ("refund_failure", "payment_refund_failure")
_PAYOUT_FAILURES = ("payout_failure", "payout_cancel")
_FEES = ("stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost")
KNOWN = (*_PAYMENTS, *_REFUNDS, *_REFUND_FAILURES, "adjustment", "payout", *_PAYOUT_FAILURES, *_FEES)
"""The kinds of movements that we know how to book. Others are for a person."""

_GONE = (StripePayout.State.FAILED, StripePayout.State.CANCELED)


@transaction.atomic
def take_in(movement: Movement) -> BalanceTransaction:
    """Keep one movement, once; post its fee; link it to the entry that says the same, when there is one.

    ``source_id`` is the object by which our own rows know it: of a charge its payment intent.
    """
    row, _is_new = BalanceTransaction.objects.get_or_create(
        transaction_id=movement.id,
        defaults={
            "kind": movement.kind,
            "source_id": movement.payment_intent or movement.source or "",
            "amount": movement.amount,
            "fee": movement.fee,
            "net": movement.net,
            "happened_at": movement.created,
            "available_on": movement.available_on,
        },
    )
    row = BalanceTransaction.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if row.fee != ZERO and row.fee_entry_id is None:
        row.fee_entry = _post_fee(row, row.fee)
        row.save(update_fields=["fee_entry"])
    match(row)
    return row


def _post_fee(row: BalanceTransaction, fee: Decimal) -> reading.Entry:
    return post(
        key=f"stripe_fee:{row.transaction_id}",
        memo=f"Stripe's fee on {row.kind} {row.source_id}".strip(),
        occurred_on=clock.business_date(row.happened_at),
        lines=[Posting(Book.STRIPE_FEES, fee), Posting(Book.STRIPE, -fee)],
    )


def match(row: BalanceTransaction) -> bool:
    """Link a movement to its entry, if that has the same amount and no movement yet; whether it has one now."""
    if row.entry_id is not None:
        return True
    entry = entry_of(row)
    if entry is None or at_stripe(entry) != row.amount:
        return False
    if BalanceTransaction.objects.filter(entry=entry).exists():
        return False
    row.entry = entry
    row.save(update_fields=["entry"])
    return True


def entry_of(row: BalanceTransaction) -> reading.Entry | None:
    """The entry of a movement, whatever its amount; posted now where it is posted from here."""
    if row.kind in _FEES:
        return _post_fee(row, -row.amount) if row.amount != ZERO else None
    if row.kind in _REFUNDS + _REFUND_FAILURES:
        refund = Refund.objects.filter(refund_id=row.source_id).first()
        if refund is not None:
            _post_bounced(refund)
    return existing_entry(row)


def existing_entry(row: BalanceTransaction) -> reading.Entry | None:
    """The entry a movement is linked to, or would be but for its amount; posts nothing."""
    if row.entry_id is not None:
        return row.entry
    key = _key(row)
    return None if key is None else reading.entry(key)


def _key(row: BalanceTransaction) -> str | None:
    if row.kind in _PAYMENTS:
        payment = Payment.objects.filter(payment_intent_id=row.source_id).first()
        return None if payment is None else f"payment:{payment.pk}"
    if row.kind in _REFUNDS + _REFUND_FAILURES:
        refund = Refund.objects.filter(refund_id=row.source_id).first()
        if refund is None:
            return None
        return f"refund:{refund.pk}" if row.kind in _REFUNDS else f"reversal:refund:{refund.pk}"
    if row.kind == "adjustment":
        return f"dispute:{row.transaction_id}"
    if row.kind == "payout" or row.kind in _PAYOUT_FAILURES:
        payout = StripePayout.objects.filter(payout_id=row.source_id).first()
        if payout is None:
            return None
        return f"stripe_payout:{payout.pk}" if row.kind == "payout" else f"reversal:stripe_payout:{payout.pk}"
    return None


def _post_bounced(refund: Refund) -> None:
    """A refund that failed before it was processed left Stripe and came back: both are booked."""
    gone = refund.state in (Refund.State.FAILED, Refund.State.EXTERNAL)
    if not gone or reading.entry(f"refund:{refund.pk}") is not None:
        return
    day = clock.business_date(refund.created_at)
    client = refund.payment.client_id
    entry = post(
        key=f"refund:{refund.pk}",
        memo=f"Refund {refund.pk} of payment {refund.payment_id}, which did not arrive",
        occurred_on=day,
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, refund.amount, client=client, session=refund.session_id),
            Posting(Book.STRIPE, -refund.amount, client=client),
        ],
    )
    reverse(entry, memo=f"Refund {refund.pk} came back", occurred_on=day)


def at_stripe(entry: reading.Entry) -> Decimal:
    """What an entry moves at Stripe, in signed dollars."""
    return reading.moved(entry, Book.STRIPE)


def waits_for_its_refund(row: BalanceTransaction) -> bool:
    """A refund that has left Stripe and is not processed: it is booked when it is, and nobody needs to look."""
    return row.kind in _REFUNDS and Refund.objects.filter(refund_id=row.source_id, state__in=Refund.UNBOOKED).exists()


def unmatched() -> QuerySet[BalanceTransaction]:
    """Movements without an entry, the oldest first."""
    return BalanceTransaction.objects.filter(entry=None).exclude(amount=ZERO).order_by("happened_at", "pk")


def entries_without_movement(before: datetime | None = None) -> list[tuple[reading.Entry, Decimal]]:
    """Entries that move money at Stripe and that no movement of Stripe's says the same as, the oldest first, with what
    they move in signed dollars; written ``before`` a moment."""
    return reading.without(("balance_transaction", "fee_of"), Book.STRIPE, before=before)


# --- Payouts ----------------------------------------------------------------------------------------------------------

_STATES = {
    PayoutState.PENDING: StripePayout.State.PENDING,
    PayoutState.IN_TRANSIT: StripePayout.State.IN_TRANSIT,
    PayoutState.PAID: StripePayout.State.PAID,
    PayoutState.FAILED: StripePayout.State.FAILED,
    PayoutState.CANCELED: StripePayout.State.CANCELED,
}


@transaction.atomic
def record_payout(result: PayoutResult) -> StripePayout:
    """Take in how a payout stands, however often: on its way, at the bank, or come back. A negative one comes from the
    bank. Late news of an earlier state changes nothing."""
    row, _is_new = StripePayout.objects.get_or_create(
        payout_id=result.payout,
        defaults={
            "amount": result.amount,
            "state": StripePayout.State.PENDING,
            "arrives_on": result.arrives_on,
            "created_at": result.created,
        },
    )
    row = StripePayout.objects.select_for_update().get(pk=row.pk)
    if result.amount != row.amount:
        raise ValueError(f"payout {row.payout_id} is {row.amount}, Stripe says {result.amount}")
    sent = post(
        key=f"stripe_payout:{row.pk}",
        memo=f"Payout {row.payout_id} from Stripe",
        occurred_on=clock.business_date(row.created_at),
        lines=[Posting(Book.STRIPE_IN_TRANSIT, row.amount), Posting(Book.STRIPE, -row.amount)],
    )
    target = _STATES[result.state]
    if row.state in _GONE or (row.state == StripePayout.State.PAID and target not in _GONE):
        return row
    row.state, row.arrives_on = target, result.arrives_on
    row.save(update_fields=["state", "arrives_on"])
    arrived = f"stripe_payout_paid:{row.pk}"
    if target == StripePayout.State.PAID:
        post(
            key=arrived,
            memo=f"Payout {row.payout_id} is at the bank",
            occurred_on=row.arrives_on,
            lines=[Posting(Book.BANK, row.amount), Posting(Book.STRIPE_IN_TRANSIT, -row.amount)],
        )
    elif target in _GONE:
        today = clock.today()
        paid = reading.entry(arrived)
        if paid is not None:
            reverse(paid, memo=f"The bank sent payout {row.payout_id} back", occurred_on=today)
        reverse(sent, memo=f"Payout {row.payout_id} came back", occurred_on=today)
    return row


def without_parts() -> QuerySet[StripePayout]:
    """Payouts of which we do not know yet what they are made of."""
    return StripePayout.objects.filter(transactions=None).exclude(state=StripePayout.State.PENDING).order_by("pk")


def note_parts(payout: StripePayout, transaction_ids: Collection[str]) -> int:
    """Note which movements a payout brought to the bank; returns how many of them we have."""
    return BalanceTransaction.objects.filter(transaction_id__in=transaction_ids).update(payout=payout)
