"""How a payment plan ends: paid, ended by its client, or with a part that nobody could take."""

from decimal import Decimal

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from billing.gateways.results import SMALLEST_CHARGE
from billing.models import Payment, PaymentPlan
from billing.services.balances import client_balances, left_of_plan
from common import clock
from common.money import ZERO
from common.states import move
from people.models import Client


def active_plan(client: Client) -> PaymentPlan | None:
    """The client's plan that is under way."""
    return (
        PaymentPlan.objects.filter(client=client, state=PaymentPlan.State.ACTIVE)
        .select_related("card", "client")
        .first()
    )


@transaction.atomic
def end(plan: PaymentPlan, *, reason: str) -> PaymentPlan:
    """Stop the parts to come; what is left is due. A payment under way still counts. Again changes nothing."""
    Client.objects.select_for_update(no_key=True).get(pk=plan.client_id)
    plan.refresh_from_db()
    if plan.state == PaymentPlan.State.ACTIVE:
        move(plan, PaymentPlan.STATES, PaymentPlan.State.ENDED, ended_at=clock.now(), end_reason=reason[:200])
    return plan


def finish(plan: PaymentPlan) -> None:
    """Close a plan that has nothing more to take. The caller holds the client's lock.

    Paid, or fallen away: it is done. When a part could not be taken, what is left is due and the plan is over.
    """
    unsettled = Q(payment__state__in=[*Payment.IN_MOTION, Payment.State.REQUIRES_ACTION])
    to_retry = Q(payment__state=Payment.State.FAILED, payment__retry_on__isnull=False)
    if plan.instalments.filter(unsettled | to_retry).exists():
        return
    balances = client_balances(plan.client)
    left: dict[int, Decimal] = {pk: most for pk, most in left_of_plan(plan).items() if pk in balances}
    if any(balances[session].planned for session in left):
        return
    if sum((min(most, balances[session].owed) for session, most in left.items()), ZERO) >= SMALLEST_CHARGE:
        end(plan, reason=_("A part could not be charged. What is left is due."))
    else:
        move(plan, PaymentPlan.STATES, PaymentPlan.State.DONE, ended_at=clock.now())


def finish_of(client: Client) -> None:
    """:func:`finish` the client's active plan, if there is one; the caller holds the client's lock."""
    plan = active_plan(client)
    if plan is not None:
        finish(plan)
