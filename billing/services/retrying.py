"""Declined charges, tried once more on their day: another payment, of what is due then and never more than before.

Which declines are tried again, and when: ``billing/domain/retries.py``.
"""

from decimal import Decimal

from django.db import transaction

from billing.gateways.results import SMALLEST_CHARGE
from billing.models import AutopayNotice, Instalment, Payment, PaymentPart, PaymentPlan
from billing.services import autopay, payments, plan_ends
from billing.services.balances import session_balance
from billing.services.cards import default_card
from common import clock
from common.hurry import hurry
from common.money import ZERO
from people.models import Client


def due() -> list[int]:
    """Declined charges whose next try is due; none outside of charging hours."""
    if not payments.is_charging_hour():
        return []
    declined = Payment.objects.filter(state=Payment.State.FAILED, retry_on__lte=clock.today(), retried_by=None)
    return list(declined.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def retry(payment_id: int) -> Payment | None:
    """Write the next try; it is sent after the commit. Two workers write one.

    ``None``, and no further try, when nothing is due any more or the client has taken the consent back. While the
    client is in the middle of paying for the same session, it waits.
    """
    client = Client.objects.get(payments=payment_id)
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    declined = Payment.objects.filter(
        pk=payment_id, state=Payment.State.FAILED, retry_on__isnull=False, retried_by=None
    ).first()
    if declined is None or payments.waiting_attempts(client, declined.parts.values_list("session", flat=True)):
        return None
    again = _again(declined, client)
    if again is None:
        Payment.objects.filter(pk=declined.pk).update(retry_on=None)
        plan_ends.finish_of(client)
    return again


def _again(declined: Payment, client: Client) -> Payment | None:
    parts = {}
    for part in declined.parts.select_related("session__client").order_by("pk"):
        if amount := min(part.amount, session_balance(part.session).due):
            parts[part.session_id] = amount
    total = sum(parts.values(), ZERO)
    if total < SMALLEST_CHARGE or not _is_agreed(declined, client, total):
        return None
    card = default_card(client)
    if card is None:
        payments.ask_client(declined, event="no_card")
        return None
    again = Payment.objects.create(client=client, card=card, purpose=declined.purpose, amount=total, retry_of=declined)
    PaymentPart.objects.bulk_create(
        PaymentPart(payment=again, session_id=session, amount=amount) for session, amount in parts.items()
    )
    Instalment.objects.filter(payment=declined).update(payment=again)
    AutopayNotice.objects.filter(payment=declined).update(payment=again)
    hurry("billing.tasks.charge", again.pk)
    return again


def _is_agreed(declined: Payment, client: Client, amount: Decimal) -> bool:
    """Whether the client still lets us charge so many dollars of this by ourselves."""
    match declined.purpose:
        case Payment.Purpose.INSTALMENT:
            return Instalment.objects.filter(payment=declined, plan__state=PaymentPlan.State.ACTIVE).exists()
        case Payment.Purpose.AUTOPAY:
            consent = autopay.in_force(client)
            return consent is not None and amount <= consent.limit
        case _:
            return True
