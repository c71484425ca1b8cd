"""What clients owe: sums of the ledger, less what is already on its way."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from billing.ledger.posting import Book, balance, balances_by_session
from billing.models import Payment, PaymentPart, Refund
from care.models import Session
from common.money import ZERO
from people.models import Client


@dataclass(frozen=True, slots=True)
class Balance:
    """One session's money, in dollars. ``booked`` is the ledger's word: positive is owed by the client.

    ``paying`` is being paid right now, ``refunding`` promised but not processed yet; ``due`` and ``to_refund`` are what
    remains to be done. At most one of the two is above zero.
    """

    booked: Decimal
    paying: Decimal = ZERO
    refunding: Decimal = ZERO

    @property
    def due(self) -> Decimal:
        return max(ZERO, self.booked - self.paying + self.refunding)

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


def session_balance(session: Session) -> Balance:
    """One session's balance."""
    paying, refunding = _pending([session.pk])
    return Balance(
        booked=balance(Book.CLIENT_RECEIVABLE, session=session),
        paying=paying.get(session.pk, ZERO),
        refunding=refunding.get(session.pk, ZERO),
    )


def booked_cost(session: Session) -> Decimal:
    """The client's cost as the books have it so far, in dollars: every cost entry of the session added up."""
    return balance(Book.CLIENT_RECEIVABLE, session=session, entry__key__startswith="cost:")


def client_balances(client: Client) -> dict[int, Balance]:
    """Balances per session id of one client, those that are settled and quiet left out. Three queries."""
    open_parts = Session.objects.filter(client=client).values_list("pk", flat=True)
    paying, refunding = _pending(open_parts)
    # Read last: a payment that succeeds in between is then counted twice for a moment, and never asked for again.
    booked = balances_by_session(Book.CLIENT_RECEIVABLE, client=client)
    return {
        session: Balance(booked.get(session, ZERO), paying.get(session, ZERO), refunding.get(session, ZERO))
        for session in sorted({*booked, *paying, *refunding})
    }


def total_due(balances: dict[int, Balance]) -> Decimal:
    """What the client can pay now, in dollars."""
    return sum((each.due for each in balances.values()), ZERO)
