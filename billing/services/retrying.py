"""Declined charges, tried once more on their day: another payment, of what is due then and never more than before.

Which declines are tried again, and when: ``billing/domain/retries.py``.
"""

from django.db import transaction

from billing.gateways.results import SMALLEST_CHARGE
from billing.models import AutopayNotice, Instalment, Payment, PaymentPart, PaymentPlan
from billing.services import autopay, payment_plans, payments, plan_ends
from billing.services.balances import session_balance
from billing.services.cards import default_card
from common import clock
from common.hurry import hurry
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
    again = _instalment(declined) if declined.purpose == Payment.Purpose.INSTALMENT else _session(declined, client)
    if again is None:
        Payment.objects.filter(pk=declined.pk).update(retry_on=None)
        plan_ends.finish_of(client)
    return again


def _instalment(declined: Payment) -> Payment | None:
    part = Instalment.objects.select_related("plan__client", "plan__card").get(payment=declined)
    if part.plan.state != PaymentPlan.State.ACTIVE:
        return None
    again = payment_plans.write(part.plan, declined.amount, retry_of=declined)
    if again is not None:
        Instalment.objects.filter(pk=part.pk).update(payment=again)
    return again


def _session(declined: Payment, client: Client) -> Payment | None:
    part = declined.parts.select_related("session__client").get()
    amount = min(part.amount, session_balance(part.session).due)
    if amount < SMALLEST_CHARGE:
        return None
    notice = AutopayNotice.objects.filter(payment=declined).first()
    if notice is not None and autopay.in_force(client) is None:
        return None
    card = default_card(client)
    if card is None:
        payments.ask_client(declined, event="no_card")
        return None
    again = Payment.objects.create(client=client, card=card, purpose=declined.purpose, amount=amount, retry_of=declined)
    PaymentPart.objects.create(payment=again, session=part.session, amount=amount)
    if notice is not None:
        AutopayNotice.objects.filter(pk=notice.pk).update(payment=again)
    hurry("billing.tasks.charge", again.pk)
    return again
