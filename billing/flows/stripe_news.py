"""What Stripe tells by webhook: stored once, then the object is asked for again; the message itself is not believed."""

import structlog
from django.db import IntegrityError, transaction

from billing.flows import collect_payment, give_refund, stripe_account
from billing.gateways.results import Event
from billing.models import Payment, Refund, StripeEvent
from common import clock

log = structlog.get_logger(__name__)


def store(event: Event) -> tuple[StripeEvent, bool]:
    """Keep one event, once, whatever the number of deliveries. Returns the row and whether it is new."""
    try:
        with transaction.atomic():
            row = StripeEvent.objects.create(event_id=event.id, kind=event.type, object_id=event.object_id)
            return row, True
    except IntegrityError:
        return StripeEvent.objects.get(event_id=event.id), False


def process(event_id: int) -> None:
    """Fetch again what the event is about and record how it stands; in any order, repeated or late."""
    event = StripeEvent.objects.get(pk=event_id)
    if event.processed_at is not None:
        return
    if stripe_account.follow(event.kind, event.object_id):
        _done(event)
        return
    payment = Payment.objects.filter(payment_intent_id=event.object_id).first()
    if payment is not None:
        collect_payment.refresh(payment)
    refund = Refund.objects.filter(refund_id=event.object_id).first()
    if refund is not None:
        give_refund.refresh(refund)
    # News of an object we have not linked yet (the webhook overtook the answer) is settled by that answer itself.
    _done(event)


def _done(event: StripeEvent) -> None:
    StripeEvent.objects.filter(pk=event.pk).update(processed_at=clock.now())
