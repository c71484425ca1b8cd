"""Taking money: a charge at confirmation, or the client paying now.

The attempt is written and committed; Stripe is asked with the attempt's own key and no lock held; the answer is
recorded. When no answer comes the attempt is ``unknown`` and settled by asking, never by trying again.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.gateways.results import ChargeResult, GatewayBusy, GatewayError, GatewayRefused, OutcomeUnknown
from billing.gateways.stripe_gateway import gateway
from billing.models import Payment, PaymentCard
from billing.services import payments
from billing.services.cards import ensure_customer
from common import clock
from common.errors import DomainError
from common.states import move
from people.models import Client


class StripeUnavailable(DomainError):
    """The card processor cannot be reached; nothing was charged, or it will be found out."""

    status = 503


@dataclass(frozen=True, slots=True)
class PayNow:
    """A begun payment. ``client_secret`` is for the browser, ``None`` when nothing is left for it to do."""

    payment: Payment
    client_secret: str | None


def charge(payment_id: int) -> None:
    """Send one waiting attempt with a saved card. Safe to call twice, at once, or after a crash half-way."""
    payment = Payment.objects.select_related("client", "card").get(pk=payment_id)
    if payment.purpose == Payment.Purpose.PAY_NOW:
        _give_up_unsent(payment)
    elif _claim(payment):
        _send(payment)


def _give_up_unsent(payment: Payment) -> None:
    """A pay now that died before Stripe was asked. Its client is gone: no charge behind her back, the balance is hers
    to pay again."""
    if payment.created_at < clock.now() - payments.UNKNOWN_AFTER:
        Payment.objects.filter(pk=payment.pk, state=Payment.State.CREATED).update(
            state=Payment.State.FAILED, settled_at=clock.now()
        )


def _claim(payment: Payment) -> bool:
    """Only one worker sends an attempt: the one whose UPDATE finds it waiting."""
    claimed = Payment.objects.filter(pk=payment.pk, state=Payment.State.CREATED).update(state=Payment.State.SUBMITTED)
    payment.refresh_from_db()
    return bool(claimed)


def _send(payment: Payment) -> ChargeResult | None:
    """Ask Stripe, holding no lock. ``None`` when the outcome is not known, or nothing was taken."""
    try:
        customer = ensure_customer(payment.client).customer_id
    except GatewayError:
        _not_sent(payment)
        return None
    try:
        if payment.card is not None:
            result = gateway().charge_off_session(
                customer=customer,
                payment_method=payment.card.payment_method_id,
                amount=payment.amount,
                reference=str(payment.key),
                key=str(payment.key),
            )
        else:
            result = gateway().create_payment_intent(
                customer=customer, amount=payment.amount, reference=str(payment.key), key=str(payment.key)
            )
    except OutcomeUnknown:
        # Another worker may have learnt the outcome meanwhile.
        Payment.objects.filter(pk=payment.pk, state=Payment.State.SUBMITTED).update(state=Payment.State.UNKNOWN)
        payment.refresh_from_db()
        return None
    except GatewayBusy:
        _not_sent(payment)
        return None
    except GatewayRefused as error:
        payments.record_refusal(payment=payment, message=str(error))
        payment.refresh_from_db()
        return None
    payments.record_outcome(payment=payment, result=result)
    payment.refresh_from_db()
    return result


def _not_sent(payment: Payment) -> None:
    """Stripe took nothing: a charge waits again, under the same key; a pay now is over, as its client is told."""
    over = payment.purpose == Payment.Purpose.PAY_NOW
    Payment.objects.filter(pk=payment.pk, state=Payment.State.SUBMITTED).update(
        state=Payment.State.FAILED if over else Payment.State.CREATED, settled_at=clock.now() if over else None
    )
    payment.refresh_from_db()


def start_pay_now(
    *,
    client: Client,
    session_ids: Collection[int] | None = None,
    card: PaymentCard | None = None,
    shown: Decimal | None = None,
    early: bool = False,
) -> PayNow:
    """Begin to pay what is due, or take up the attempt that is under way.

    ``early``: what a payment plan would take later is paid too. Raises ``NothingToPay``, ``AmountChanged`` and
    :class:`StripeUnavailable`.
    """
    try:
        for stale in payments.superseded_attempts(client=client, session_ids=session_ids, card=card, early=early):
            cancel(stale)
        payment = payments.begin_pay_now(client=client, session_ids=session_ids, card=card, shown=shown, early=early)
        if _claim(payment):
            result = _send(payment)
        elif payment.payment_intent_id:
            result = gateway().retrieve_payment_intent(payment.payment_intent_id)
            payments.record_outcome(payment=payment, result=result)
            payment.refresh_from_db()
        else:
            return PayNow(payment, None)
    except GatewayError as error:
        # Only what is asked about attempts that are there already ends so; the new one's own end is in its row.
        raise StripeUnavailable(
            _("The payment could not be started. Nothing was charged. Please try again.")
        ) from error
    if result is None and payment.state != Payment.State.UNKNOWN:
        raise StripeUnavailable(_("The payment could not be started. Nothing was charged. Please try again."))
    # A failed attempt is over for us: nobody gets the means to finish it beside the next one.
    unfinished = result is not None and payment.state == Payment.State.REQUIRES_ACTION
    return PayNow(payment, result.client_secret if result is not None and unfinished else None)


def _unavailable() -> StripeUnavailable:
    return StripeUnavailable(_("The payment could not be started. Nothing was charged. Please try again."))


def cancel(payment: Payment) -> None:
    """Close an attempt that waits for the client; one that was paid meanwhile is recorded as paid."""
    if payment.payment_intent_id is None:
        return
    result = gateway().cancel_payment_intent(payment.payment_intent_id, key=f"cancel:{payment.key}")
    payments.record_outcome(payment=payment, result=result)


def refresh(payment: Payment) -> None:
    """Ask Stripe how an attempt stands and record it: after a webhook, the browser's return, or a lost answer."""
    if payment.payment_intent_id is not None:
        result: ChargeResult | None = gateway().retrieve_payment_intent(payment.payment_intent_id)
    else:
        result = gateway().find_payment(
            customer=ensure_customer(payment.client).customer_id, reference=str(payment.key)
        )
    if result is not None:
        payments.record_outcome(payment=payment, result=result)
    elif payment.created_at < clock.now() - payments.UNKNOWN_AFTER:
        # Stripe never heard of it and no request can still be on its way: sending it under the same key is safe.
        _resend(payment)


def _resend(payment: Payment) -> None:
    if payment.state == Payment.State.SUBMITTED:
        # The worker died between claiming and sending.
        move(payment, Payment.STATES, Payment.State.UNKNOWN)
    if payment.purpose != Payment.Purpose.PAY_NOW:
        _send(payment)
    else:
        move(payment, Payment.STATES, Payment.State.FAILED, settled_at=clock.now())
