"""Giving money back, payment by payment."""

from billing.gateways.results import GatewayBusy, GatewayRefused, OutcomeUnknown, RefundResult
from billing.gateways.stripe_gateway import gateway
from billing.models import Refund
from billing.services import payments, refunds
from common import clock

_MAY_BE_SENT = (Refund.State.SUBMITTED, Refund.State.UNKNOWN)
"""One that was refused is not sent again by asking how it stands."""


def give(refund_id: int) -> None:
    """Send one promised refund. Safe to call twice, at once, or after a crash half-way."""
    waiting = Refund.objects.filter(pk=refund_id, state=Refund.State.CREATED)
    # A bank that holds the payment gives nothing back of it: the refund waits for its decision.
    claimed = waiting.exclude(payment__disputes__state__in=refunds.HOLDS).update(state=Refund.State.SUBMITTED)
    if claimed:
        _send(Refund.objects.select_related("payment").get(pk=refund_id))


def _send(refund: Refund) -> None:
    intent = refund.payment.payment_intent_id
    assert intent is not None, "only a succeeded payment, which has its intent, is refunded"
    try:
        result = gateway().refund(
            payment_intent=intent, amount=refund.amount, reference=str(refund.key), key=str(refund.key)
        )
    except OutcomeUnknown:
        Refund.objects.filter(pk=refund.pk, state=Refund.State.SUBMITTED).update(state=Refund.State.UNKNOWN)
        return
    except GatewayBusy:
        Refund.objects.filter(pk=refund.pk, state=Refund.State.SUBMITTED).update(state=Refund.State.CREATED)
        return
    except GatewayRefused as error:
        refunds.record_refusal(refund=refund, message=str(error))
        return
    refunds.record_outcome(refund=refund, result=result)


def refresh(refund: Refund) -> None:
    """Ask Stripe how a refund stands and record it: after a webhook or a lost answer."""
    result: RefundResult | None
    if refund.refund_id is not None:
        result = gateway().retrieve_refund(refund.refund_id)
    else:
        intent = refund.payment.payment_intent_id
        result = gateway().find_refund(payment_intent=intent or "", reference=str(refund.key))
    if result is not None:
        refunds.record_outcome(refund=refund, result=result)
    elif refund.state in _MAY_BE_SENT and refund.created_at < clock.now() - payments.UNKNOWN_AFTER:
        # Stripe never heard of it and no request can still be on its way: the same key makes a second one harmless.
        _send(refund)
