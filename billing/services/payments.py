"""Attempts to take money: written first, sent under their own key, settled by what Stripe says."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from billing.domain import retries
from billing.gateways.results import SMALLEST_CHARGE, ChargeResult, ChargeState
from billing.ledger.posting import Book, Posting, post
from billing.models import Payment, PaymentCard, PaymentPart
from billing.services import plan_ends
from billing.services.balances import client_balances, session_balance
from care.models import Session
from common import clock
from common.errors import DomainError
from common.money import ZERO, dollars
from notifications import messages, outbox
from people.models import Client

ABANDONED_AFTER = timedelta(days=1)
"""A client who began to pay and has not finished by now does not come back to that attempt."""

UNKNOWN_AFTER = timedelta(minutes=2)
"""No request of ours can still be under way after this long."""

CHARGING_HOURS = range(9, 18)
"""Hours of the business day's clock in which we charge by ourselves: people are awake, and support is there."""

BY_ITSELF = (Payment.Purpose.CONFIRMATION, Payment.Purpose.INSTALMENT, Payment.Purpose.AUTOPAY)
"""Charged while the client is absent."""


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


def is_charging_hour() -> bool:
    """Whether charges that nobody is waiting for may be made at this moment."""
    return clock.now().astimezone(clock.BUSINESS_ZONE).hour in CHARGING_HOURS


def _due(client: Client, session_ids: Collection[int] | None, *, early: bool) -> dict[int, Decimal]:
    """Session → what may be paid now, in dollars; ``early`` with what a payment plan would take later."""
    return {
        session: amount
        for session, each in client_balances(client).items()
        if (amount := each.owed if early else each.due) > ZERO and (session_ids is None or session in session_ids)
    }


def waiting_attempts(client: Client, session_ids: Collection[int] | None) -> list[Payment]:
    """Attempts that wait for the client and touch these sessions (any, when ``None``)."""
    attempts = client.payments.filter(state=Payment.State.REQUIRES_ACTION)
    if session_ids is not None:
        attempts = attempts.filter(parts__session__in=session_ids)
    return list(attempts.distinct().order_by("pk"))


def _same(payment: Payment, due: dict[int, Decimal], card: PaymentCard | None) -> bool:
    parts = dict(payment.parts.values_list("session", "amount"))
    return parts == due and payment.card_id == (card.pk if card else None)


def superseded_attempts(
    *, client: Client, session_ids: Collection[int] | None, card: PaymentCard | None, early: bool = False
) -> list[Payment]:
    """Attempts that wait for the client and must be closed at Stripe before another may begin."""
    due = _due(client, session_ids, early=early)
    return [each for each in waiting_attempts(client, session_ids) if not _same(each, due, card)]


@transaction.atomic
def begin_pay_now(
    *,
    client: Client,
    session_ids: Collection[int] | None = None,
    card: PaymentCard | None = None,
    shown: Decimal | None = None,
    early: bool = False,
) -> Payment:
    """Begin paying what is due for the sessions named (all when ``None``), with a saved card or one yet to be typed.

    ``early``: what a payment plan would take later is paid too. Two tabs, a double click, the back button or a browser
    closed half-way meet the same attempt instead of making a second one. Raises :class:`NothingToPay`, and
    :class:`AmountChanged` when ``shown``, the sum the client agreed to, is not what is due.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    due = _due(client, session_ids, early=early)
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
    if amount < SMALLEST_CHARGE:
        raise NothingToPay(
            _("%(amount)s is too little for a card payment. It waits until there is more to pay.")
            % {"amount": dollars(amount)}
        )
    for waiting in waiting_attempts(client, due):
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
    retry_on = payment.retry_on
    if payment.state != Payment.State.FAILED and result.state is ChargeState.DECLINED and payment.purpose in BY_ITSELF:
        retry_on = _retry_on(payment, result.decline_code or "")
    Payment.objects.filter(pk=payment.pk).update(
        state=target,
        payment_intent_id=result.payment_intent or payment.payment_intent_id,
        decline_code=result.decline_code or "",
        message=result.message[:300],
        settled_at=clock.now() if settled else None,
        retry_on=retry_on if target == Payment.State.FAILED else None,
    )
    payment.refresh_from_db()
    if target == Payment.State.SUCCEEDED:
        _book(payment)
        _send_receipt(payment)
    elif payment.purpose in BY_ITSELF and target in (Payment.State.FAILED, Payment.State.REQUIRES_ACTION):
        ask_client(payment)
    if settled:
        plan_ends.finish_of(payment.client)


@transaction.atomic
def record_refusal(*, payment: Payment, message: str) -> None:
    """Stripe turned the request away: nothing was charged, and the client is asked to pay another way."""
    payment = _locked(payment)
    if payment.state not in (Payment.State.SUBMITTED, Payment.State.UNKNOWN):
        return
    Payment.objects.filter(pk=payment.pk).update(
        state=Payment.State.FAILED, message=message[:300], settled_at=clock.now()
    )
    payment.refresh_from_db()
    if payment.purpose in BY_ITSELF:
        ask_client(payment)
    plan_ends.finish_of(payment.client)


def _retry_on(payment: Payment, decline_code: str) -> date | None:
    tries, earlier = 1, payment.retry_of
    while earlier is not None:
        tries, earlier = tries + 1, earlier.retry_of
    return retries.retry_on(decline_code, tries=tries, declined_on=clock.today(), is_business_day=clock.is_business_day)


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


def ask_client(payment: Payment, *, event: str = "") -> None:
    """A charge made while the client was absent did not go through: what it was for, and where to finish it.

    Once per payment and ``event``. Nothing is asked for what has been paid or fallen away meanwhile.
    """
    client = payment.client
    url = f"{settings.PUBLIC_URL}/appointments/past/"
    key = ":".join(["payment_needs_you", str(payment.pk), *([event] if event else [])])
    message: messages.Message
    if payment.purpose == Payment.Purpose.INSTALMENT:
        message = messages.InstalmentNotPaid(client.called, payment.amount, payment.retry_on, url)
    else:
        part = payment.parts.select_related("session").get()
        # The cost may have changed since the attempt was made, and a plan may take it now.
        due = session_balance(part.session).due
        if due == ZERO:
            return
        message = messages.PaymentNeedsYou(
            client_name=client.called,
            session_date=part.session.date,
            amount=due,
            url=url,
            retry_on=payment.retry_on,
        )
    outbox.enqueue(message, to=client.email, recipient=client.user, key=key)
