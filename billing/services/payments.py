"""Attempts to take money: written first, sent under their own key, settled by what Stripe says."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from billing.gateways.results import ChargeResult, ChargeState
from billing.ledger.posting import Book, Posting, post
from billing.models import Payment, PaymentCard, PaymentPart
from billing.services.balances import client_balances, session_balance
from care.models import Session
from common import clock
from common.errors import DomainError
from common.money import ZERO
from notifications import messages, outbox
from people.models import Client

ABANDONED_AFTER = timedelta(days=1)
"""A client who began to pay and has not finished by now does not come back to that attempt."""

UNKNOWN_AFTER = timedelta(minutes=2)
"""No request of ours can still be under way after this long."""


class NothingToPay(DomainError):
    """There is no balance to pay."""


class AmountChanged(DomainError):
    """What is due differs from what the client was shown."""


def create_confirmation_charge(*, session: Session, amount: Decimal, card: PaymentCard) -> Payment:
    """The charge of the estimate at confirmation; the caller holds the client's lock."""
    payment = Payment.objects.create(
        client=session.client, card=card, purpose=Payment.Purpose.CONFIRMATION, amount=amount
    )
    PaymentPart.objects.create(payment=payment, session=session, amount=amount)
    return payment


def _due(client: Client, session_ids: Collection[int] | None) -> dict[int, Decimal]:
    return {
        session: each.due
        for session, each in client_balances(client).items()
        if each.due > ZERO and (session_ids is None or session in session_ids)
    }


def _waiting_attempts(client: Client, session_ids: Collection[int] | None) -> list[Payment]:
    """Attempts that wait for the client and touch these sessions."""
    attempts = client.payments.filter(state=Payment.State.REQUIRES_ACTION)
    if session_ids is not None:
        attempts = attempts.filter(parts__session__in=session_ids)
    return list(attempts.distinct().order_by("pk"))


def _same(payment: Payment, due: dict[int, Decimal], card: PaymentCard | None) -> bool:
    parts = dict(payment.parts.values_list("session", "amount"))
    return parts == due and payment.card_id == (card.pk if card else None)


def superseded_attempts(
    *, client: Client, session_ids: Collection[int] | None, card: PaymentCard | None
) -> list[Payment]:
    """Attempts that wait for the client and must be closed at Stripe before another may begin."""
    due = _due(client, session_ids)
    return [each for each in _waiting_attempts(client, session_ids) if not _same(each, due, card)]


@transaction.atomic
def begin_pay_now(
    *,
    client: Client,
    session_ids: Collection[int] | None = None,
    card: PaymentCard | None = None,
    shown: Decimal | None = None,
) -> Payment:
    """Begin paying what is due for the sessions named (all when ``None``), with a saved card or one yet to be typed.

    Two tabs, a double click, the back button or a browser closed half-way meet the same attempt instead of making a
    second one. Raises :class:`NothingToPay`, and :class:`AmountChanged` when ``shown``, the sum the client agreed to,
    is not what is due.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    due = _due(client, session_ids)
    if not due:
        moving = client.payments.filter(purpose=Payment.Purpose.PAY_NOW, state__in=Payment.IN_MOTION)
        if session_ids is not None:
            moving = moving.filter(parts__session__in=session_ids)
        under_way = moving.order_by("-pk").first()
        if under_way is not None:
            return under_way
        raise NothingToPay(_("There is nothing to pay here. If you expected a balance, please contact support."))
    amount = sum(due.values(), ZERO)
    if shown is not None and shown != amount:
        raise AmountChanged(_("What you owe has changed since this page was shown. Please look at it again."))
    for waiting in _waiting_attempts(client, due):
        if _same(waiting, due, card):
            return waiting
        raise AmountChanged(_("Another payment for the same session has just begun. Please look at it again."))
    payment = Payment.objects.create(client=client, card=card, purpose=Payment.Purpose.PAY_NOW, amount=amount)
    PaymentPart.objects.bulk_create(
        PaymentPart(payment=payment, session_id=session, amount=part) for session, part in due.items()
    )
    return payment


_STATES: Mapping[ChargeState, str] = {
    ChargeState.SUCCEEDED: Payment.State.SUCCEEDED,
    ChargeState.PROCESSING: Payment.State.PROCESSING,
    ChargeState.REQUIRES_ACTION: Payment.State.REQUIRES_ACTION,
    ChargeState.OPEN: Payment.State.REQUIRES_ACTION,
    ChargeState.DECLINED: Payment.State.FAILED,
    ChargeState.CANCELED: Payment.State.FAILED,
}


@transaction.atomic
def record_outcome(*, payment: Payment, result: ChargeResult) -> None:
    """Take in what Stripe says of a payment, from whatever source and however often; success is booked once.

    A success is never taken back by late news. Raises ``ValueError`` when Stripe speaks of another amount: money is
    never guessed, a person has to look.
    """
    payment = _locked(payment)
    if payment.state == Payment.State.SUCCEEDED:
        return
    if result.amount != payment.amount:
        raise ValueError(f"payment {payment.pk} is {payment.amount}, Stripe says {result.amount}")
    target = _STATES[result.state]
    if payment.card_id is None and result.state is ChargeState.DECLINED:
        # The card was typed in the browser: the client may try another one on the same attempt.
        target = Payment.State.REQUIRES_ACTION
    if not Payment.STATES.allows(payment.state, target) and payment.state != target:
        return
    settled = target in (Payment.State.SUCCEEDED, Payment.State.FAILED)
    Payment.objects.filter(pk=payment.pk).update(
        state=target,
        payment_intent_id=result.payment_intent or payment.payment_intent_id,
        decline_code=result.decline_code or "",
        message=result.message[:300],
        settled_at=clock.now() if settled else None,
    )
    payment.refresh_from_db()
    if target == Payment.State.SUCCEEDED:
        _book(payment)
        _send_receipt(payment)
    elif payment.purpose == Payment.Purpose.CONFIRMATION and target in (
        Payment.State.FAILED,
        Payment.State.REQUIRES_ACTION,
    ):
        _ask_client(payment)


@transaction.atomic
def record_refusal(*, payment: Payment, message: str) -> None:
    """Stripe turned the request away: nothing was charged, and the client is asked to pay another way."""
    payment = _locked(payment)
    if payment.state not in (Payment.State.SUBMITTED, Payment.State.UNKNOWN):
        return
    Payment.objects.filter(pk=payment.pk).update(
        state=Payment.State.FAILED, message=message[:300], settled_at=clock.now()
    )
    if payment.purpose == Payment.Purpose.CONFIRMATION:
        _ask_client(payment)


def _locked(payment: Payment) -> Payment:
    """The row as it is now, the client locked first: what is due cannot be worked out while this moves money."""
    Client.objects.select_for_update(no_key=True).get(pk=payment.client_id)
    return Payment.objects.select_for_update().get(pk=payment.pk)


def abandoned() -> list[Payment]:
    """Attempts that have waited for the client too long. Closing them at Stripe also tells of one paid unnoticed."""
    long_ago = clock.now() - ABANDONED_AFTER
    return list(Payment.objects.filter(state=Payment.State.REQUIRES_ACTION, created_at__lt=long_ago).order_by("pk"))


def _book(payment: Payment) -> None:
    parts = list(payment.parts.all())
    post(
        key=f"payment:{payment.pk}",
        memo=f"Card payment {payment.pk}",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.STRIPE, payment.amount, client=payment.client_id),
            *(
                Posting(Book.CLIENT_RECEIVABLE, -part.amount, client=payment.client_id, session=part.session_id)
                for part in parts
            ),
        ],
    )


def receipt_number(payment: Payment) -> str:
    """What a payment's receipt is called, on paper and in its e-mail."""
    return f"R-{payment.pk:06d}"


def _send_receipt(payment: Payment) -> None:
    """One e-mail for one payment, however many sessions it pays."""
    client = payment.client
    parts = payment.parts.select_related("session").order_by("session__date", "pk")
    outbox.enqueue(
        messages.PaymentReceipt(
            client_name=client.called,
            sessions=tuple(messages.PaidSession(part.session.date, part.amount) for part in parts),
            amount=payment.amount,
            card=str(payment.card) if payment.card else _("your card"),
            number=receipt_number(payment),
            url=f"{settings.PUBLIC_URL}/payments/{payment.pk}/",
        ),
        to=client.email,
        recipient=client.user,
        key=f"receipt:{payment.pk}",
    )


def _ask_client(payment: Payment) -> None:
    client = payment.client
    for part in payment.parts.select_related("session"):
        # The cost may have changed since the attempt was made.
        due = session_balance(part.session).due
        if due == ZERO:
            continue
        outbox.enqueue(
            messages.PaymentNeedsYou(
                client_name=client.called,
                session_date=part.session.date,
                amount=due,
                url=f"{settings.PUBLIC_URL}/appointments/past/",
            ),
            to=client.email,
            recipient=client.user,
            key=f"payment_needs_you:{payment.pk}",
        )
