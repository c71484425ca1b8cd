"""What clients owe: sums of the ledger, less what is already on its way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db.models import Sum

from billing.domain import instalments
from billing.gateways.results import SMALLEST_CHARGE
from billing.ledger.posting import Book, balance, balances_by_session
from billing.models import Instalment, Payment, PaymentPart, PaymentPlan, PaymentPlanPart, Refund
from care.models import Session
from common.money import ZERO
from people.models import Client


@dataclass(frozen=True, slots=True)
class Balance:
    """One session's money, in dollars. ``booked`` is the ledger's word: positive is owed by the client.

    ``paying`` is being paid right now, ``refunding`` promised but not processed yet, ``planned`` what a payment plan
    takes later, ``carried`` too little for a card payment: it waits until the client owes more. ``due`` and
    ``to_refund`` are what remains to be done. At most one of the two is above zero.
    """

    booked: Decimal
    paying: Decimal = ZERO
    refunding: Decimal = ZERO
    planned: Decimal = ZERO
    carried: Decimal = ZERO

    @property
    def owed(self) -> Decimal:
        """What is still to be paid, now or by a plan's parts to come."""
        return max(ZERO, self.booked - self.paying + self.refunding)

    @property
    def due(self) -> Decimal:
        """What is to be paid now."""
        return self.owed - self.planned - self.carried

    @property
    def to_refund(self) -> Decimal:
        """What was taken too much and is not promised back yet; money still on its way cannot be given back."""
        return max(ZERO, -(self.booked + self.refunding))


def _pending(sessions: Iterable[int]) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
    ids = list(sessions)
    paying = dict(
        PaymentPart.objects.filter(session__in=ids, payment__state__in=Payment.IN_MOTION)
        .order_by()
        .values_list("session")
        .annotate(total=Sum("amount"))
    )
    refunding = dict(
        Refund.objects.filter(session__in=ids, state__in=Refund.UNBOOKED)
        .order_by()
        .values_list("session")
        .annotate(total=Sum("amount"))
    )
    return paying, refunding


def left_of_plan(plan: PaymentPlan) -> dict[int, Decimal]:
    """What the plan may still take by its agreement, session → dollars, the oldest session first."""
    taken = dict(
        PaymentPart.objects.filter(
            payment__instalments__plan=plan, payment__state__in=[Payment.State.SUCCEEDED, *Payment.IN_MOTION]
        )
        .order_by()
        .values_list("session")
        .annotate(total=Sum("amount"))
    )
    parts = (
        PaymentPlanPart.objects.filter(plan=plan)
        .order_by("session__starts_at", "session")
        .values_list("session", "amount")
    )
    return {session: amount - taken.get(session, ZERO) for session, amount in parts}


def _with_plan(client: Client, balances: Mapping[int, Balance]) -> dict[int, Balance]:
    """The balances, told apart by what an active payment plan covers: one query, four with a plan."""
    plan = PaymentPlan.objects.filter(client=client, state=PaymentPlan.State.ACTIVE).first()
    if plan is None:
        return dict(balances)
    coming = Instalment.objects.filter(plan=plan, payment=None).aggregate(total=Sum("amount"))["total"] or ZERO
    owed = {session: each.owed for session, each in balances.items()}
    planned = instalments.covered(left_of_plan(plan), owed, coming)
    if sum(planned.values(), ZERO) < SMALLEST_CHARGE:
        return dict(balances)
    return {session: replace(each, planned=planned.get(session, ZERO)) for session, each in balances.items()}


def _carry(balances: Mapping[int, Balance]) -> dict[int, Balance]:
    """No card takes less than half a dollar: when that is all that is due, nobody is asked for it."""
    if total_due(balances) >= SMALLEST_CHARGE:
        return dict(balances)
    return {session: replace(each, carried=each.due) for session, each in balances.items()}


def session_balance(session: Session) -> Balance:
    """One session's balance."""
    if PaymentPlanPart.objects.filter(session=session, plan__state=PaymentPlan.State.ACTIVE).exists():
        # What of it is planned depends on the plan's other sessions.
        return client_balances(session.client).get(session.pk, Balance(ZERO))
    paying, refunding = _pending([session.pk])
    found = Balance(
        booked=balance(Book.CLIENT_RECEIVABLE, session=session),
        paying=paying.get(session.pk, ZERO),
        refunding=refunding.get(session.pk, ZERO),
    )
    if ZERO < found.due < SMALLEST_CHARGE:
        # Whether it can be asked for depends on the other sessions.
        return client_balances(session.client).get(session.pk, found)
    return found


def booked_cost(session: Session) -> Decimal:
    """The client's cost as the books have it so far, in dollars: every cost entry of the session added up."""
    return balance(Book.CLIENT_RECEIVABLE, session=session, entry__key__startswith="cost:")


def client_balances(client: Client) -> dict[int, Balance]:
    """Balances per session id of one client, those that are settled and quiet left out. Four queries."""
    open_parts = Session.objects.filter(client=client).values_list("pk", flat=True)
    paying, refunding = _pending(open_parts)
    # Read last: a payment that succeeds in between is then counted twice for a moment, and never asked for again.
    booked = balances_by_session(Book.CLIENT_RECEIVABLE, client=client)
    found = {
        session: Balance(booked.get(session, ZERO), paying.get(session, ZERO), refunding.get(session, ZERO))
        for session in sorted({*booked, *paying, *refunding})
    }
    return _carry(_with_plan(client, found))


def total_due(balances: Mapping[int, Balance]) -> Decimal:
    """What the client is to pay now, in dollars: without what a payment plan takes later, and what is too little."""
    return sum((each.due for each in balances.values()), ZERO)


def total_planned(balances: dict[int, Balance]) -> Decimal:
    """What a payment plan takes later, in dollars."""
    return sum((each.planned for each in balances.values()), ZERO)
