"""Stripe's account held against our books: a case for each difference, nothing put right by itself.

``docs/stripe.md``.
"""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils.translation import gettext as _

from billing.gateways.results import AccountBalance
from billing.ledger.posting import Book, balance
from billing.models import BalanceTransaction, Reconciliation, ReconciliationCase
from billing.services import stripe_account
from common import clock
from common.errors import DomainError
from common.money import ZERO, dollars
from common.states import move
from people.models import User

SETTLING = timedelta(hours=1)
"""A movement at Stripe this young may be booked yet: the answer, the webhook or the sweep is on its way."""

NOT_AT_STRIPE_AFTER = timedelta(days=3)
"""An entry this old has its movement at Stripe, or never will."""

NIGHT = time(3)
"""When the night's comparison is due, in New York."""

REFUND_WAITS = timedelta(days=10)
"""How long a refund may be on its way before it is a difference."""

_THE_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class AlreadyClosed(DomainError):
    """Somebody has closed the case."""


def is_due() -> bool:
    """Whether this night's comparison has not been made."""
    last = Reconciliation.objects.order_by("-pk").values_list("until", flat=True).first()
    now = clock.now()
    night = datetime.combine(clock.today(), NIGHT, tzinfo=clock.BUSINESS_ZONE)
    if now < night:
        night -= timedelta(days=1)
    return last is None or last < night


def compared_until() -> datetime:
    """The moment up to which movements were taken in last; long ago when never."""
    last = Reconciliation.objects.order_by("-pk").values_list("until", flat=True).first()
    return last or _THE_BEGINNING


@transaction.atomic
def compare(*, since: datetime, until: datetime, held: AccountBalance, steady: bool = True) -> Reconciliation:
    """Match what was taken in, open a case for each new difference, and keep the comparison.

    ``held`` is Stripe's balance when the movements were listed; not ``steady`` when it went on changing meanwhile, and
    so says nothing.
    """
    for row in stripe_account.unmatched():
        if not stripe_account.match(row):
            _look_at(row, until)
    for entry, moved in stripe_account.entries_without_movement(before=until - NOT_AT_STRIPE_AFTER):
        _open(
            f"not_at_stripe:{entry.key}",
            ReconciliationCase.Kind.NOT_AT_STRIPE,
            entry=entry,
            ours=moved,
            explanation=_("The books say %(amount)s (%(memo)s); Stripe has no such movement.")
            % {"amount": dollars(moved), "memo": entry.memo},
        )
    books = balance(Book.STRIPE)
    if steady:
        _compare_balances(held.total, books, until)
    window = BalanceTransaction.objects.filter(happened_at__gte=since)
    return Reconciliation.objects.create(
        since=since,
        until=until,
        transactions=window.count(),
        matched=window.exclude(entry=None).count(),
        stripe_balance=held.total,
        books_balance=books,
    )


def _look_at(row: BalanceTransaction, until: datetime) -> None:
    entry = stripe_account.entry_of(row)
    if entry is not None:
        ours = stripe_account.at_stripe(entry)
        words = _("Stripe moved %(theirs)s, the books say %(ours)s (%(memo)s).")
        if ours == row.amount:
            words = _("Stripe moved %(theirs)s again: %(memo)s has its movement already.")
        _open(
            f"amount:{row.transaction_id}",
            ReconciliationCase.Kind.AMOUNT,
            transaction=row,
            entry=entry,
            ours=ours,
            theirs=row.amount,
            explanation=words % {"theirs": dollars(row.amount), "ours": dollars(ours), "memo": entry.memo},
        )
    elif row.kind not in stripe_account.KNOWN:
        _open(
            f"unknown_kind:{row.transaction_id}",
            ReconciliationCase.Kind.UNKNOWN_KIND,
            transaction=row,
            theirs=row.amount,
            explanation=_("Stripe moved %(amount)s and calls it “%(kind)s”. We do not know how to book that.")
            % {"amount": dollars(row.amount), "kind": row.kind},
        )
    elif row.happened_at < until - (REFUND_WAITS if stripe_account.waits_for_its_refund(row) else SETTLING):
        _open(
            f"not_in_books:{row.transaction_id}",
            ReconciliationCase.Kind.NOT_IN_BOOKS,
            transaction=row,
            theirs=row.amount,
            explanation=_("Stripe moved %(amount)s (%(kind)s %(source)s); the books do not have it.")
            % {"amount": dollars(row.amount), "kind": row.kind, "source": row.source_id},
        )


def _compare_balances(theirs: Decimal, books: Decimal, until: datetime) -> None:
    """A difference that the movements and entries without each other do not explain is a case of its own."""
    unbooked = stripe_account.unmatched().aggregate(total=Sum("amount"))["total"] or ZERO
    not_there = sum((moved for _entry, moved in stripe_account.entries_without_movement()), ZERO)
    explained = books + unbooked - not_there
    if theirs == explained:
        return
    same = open_cases().filter(kind=ReconciliationCase.Kind.BALANCE, theirs=F("ours") + (theirs - explained))
    if not same.exists():  # one case for a difference, however many nights it stays
        _open(
            f"balance:{until:%Y-%m-%dT%H:%M:%S}",
            ReconciliationCase.Kind.BALANCE,
            ours=explained,
            theirs=theirs,
            explanation=_(
                "Stripe holds %(theirs)s. By the books, and counting every movement without an entry and every entry "
                "without a movement, it should hold %(ours)s."
            )
            % {"theirs": dollars(theirs), "ours": dollars(explained)},
        )


def _open(key: str, kind: str, **found: Any) -> None:
    ReconciliationCase.objects.get_or_create(key=key, defaults={"kind": kind, **found})


def open_cases() -> QuerySet[ReconciliationCase]:
    """Differences that nobody has closed, the newest first."""
    return ReconciliationCase.objects.filter(state=ReconciliationCase.State.OPEN).order_by("-pk")


def close_case(case: ReconciliationCase, *, note: str, by: User) -> ReconciliationCase:
    """Close a difference with what was found out. Raises :class:`AlreadyClosed`."""
    now = clock.now()
    closed = ReconciliationCase.State.CLOSED
    if not move(case, ReconciliationCase.STATES, closed, closed_at=now, closed_by=by, note=note[:300]):
        raise AlreadyClosed(_("Somebody has closed this case already."))
    return case
