"""The one door into the books.

Every business event is posted once, by its natural key: the same key with the same content gives back the entry that
is there; with other content it is an error. Nothing is edited; a mistake is reversed once and posted anew.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import CharField, Exists, Model, OuterRef, QuerySet, Sum, Value
from django.db.models.functions import Cast, Concat

from billing.ledger.models import Account, Entry, Line
from common.errors import DomainError
from common.money import ZERO, plain

M = TypeVar("M", bound=Model)


class Book(StrEnum):
    """The chart of accounts (``docs/ledger.md`` has a worked example of every event)."""

    STRIPE = "stripe"
    BANK = "bank"
    CLIENT_RECEIVABLE = "client_receivable"
    INSURER_RECEIVABLE = "insurer_receivable"
    PROVIDER_PAYABLE = "provider_payable"
    INSURER_SUSPENSE = "insurer_suspense"
    SESSION_REVENUE = "session_revenue"
    PROVIDER_COST = "provider_cost"
    INSURER_VARIANCE = "insurer_variance"
    INSURER_INTEREST = "insurer_interest"
    STRIPE_FEES = "stripe_fees"
    STRIPE_IN_TRANSIT = "stripe_in_transit"
    DISPUTED = "disputed"
    CLIENT_WRITE_OFF = "client_write_off"


_CHART = {
    Book.STRIPE: ("Money at Stripe", Account.Kind.ASSET),
    Book.BANK: ("Money at the bank", Account.Kind.ASSET),
    Book.CLIENT_RECEIVABLE: ("Owed by clients", Account.Kind.ASSET),
    Book.INSURER_RECEIVABLE: ("Expected from insurers", Account.Kind.ASSET),
    Book.PROVIDER_PAYABLE: ("Owed to providers", Account.Kind.LIABILITY),
    Book.INSURER_SUSPENSE: ("Insurer money not matched yet", Account.Kind.LIABILITY),
    Book.SESSION_REVENUE: ("Sessions at contracted rates", Account.Kind.INCOME),
    Book.PROVIDER_COST: ("Provider earnings", Account.Kind.EXPENSE),
    Book.INSURER_VARIANCE: ("Insurers paid more or less than expected", Account.Kind.EXPENSE),
    Book.INSURER_INTEREST: ("Interest from insurers that paid late", Account.Kind.INCOME),
    Book.STRIPE_FEES: ("Stripe's fees", Account.Kind.EXPENSE),
    Book.STRIPE_IN_TRANSIT: ("On its way from Stripe to the bank", Account.Kind.ASSET),
    Book.DISPUTED: ("Held back in disputes", Account.Kind.ASSET),
    Book.CLIENT_WRITE_OFF: ("Balances not asked of clients", Account.Kind.EXPENSE),
}


def open_accounts() -> None:
    """Bring the accounts table in line with the chart."""
    for book, (name, kind) in _CHART.items():
        Account.objects.update_or_create(code=book.value, defaults={"name": name, "kind": kind})


class EntryConflict(DomainError):
    """The event was posted before with other content."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One line to be: ``amount`` in signed dollars (positive debit, negative credit) and whom it concerns, by id."""

    book: Book
    amount: Decimal
    client: int | None = None
    session: int | None = None
    provider: int | None = None
    payer: int | None = None


def _fingerprint(memo: str, occurred_on: date, lines: Sequence[Posting]) -> str:
    content = [memo, occurred_on.isoformat()] + [
        [line.book, plain(line.amount), line.client, line.session, line.provider, line.payer] for line in lines
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def post(*, key: str, memo: str, occurred_on: date, lines: Sequence[Posting], reverses: Entry | None = None) -> Entry:
    """Post one event. Lines of zero are left out; the rest must add up to zero and be at least two.

    Raises :class:`EntryConflict` when ``key`` was posted with other content, ``ValueError`` for an unbalanced event
    (a bug of the caller; the database would refuse it too).
    """
    kept = [line for line in lines if line.amount != ZERO]
    if len(kept) < 2 or sum((line.amount for line in kept), ZERO) != ZERO:
        raise ValueError(f"{key}: an entry needs at least two lines that add up to zero")
    fingerprint = _fingerprint(memo, occurred_on, kept)
    with transaction.atomic():
        entry, created = Entry.objects.get_or_create(
            key=key,
            defaults={"memo": memo, "occurred_on": occurred_on, "fingerprint": fingerprint, "reverses": reverses},
        )
        if not created:
            if entry.fingerprint != fingerprint:
                raise EntryConflict(f"{key} is in the books already, with other content")
            return entry
        Line.objects.bulk_create(
            Line(
                entry=entry,
                account_id=line.book.value,
                amount=line.amount,
                client_id=line.client,
                session_id=line.session,
                provider_id=line.provider,
                payer_id=line.payer,
            )
            for line in kept
        )
    return entry


def reverse(entry: Entry, *, memo: str, occurred_on: date) -> Entry:
    """Post the opposite of ``entry``, once."""
    lines = [
        Posting(Book(line.account_id), -line.amount, line.client_id, line.session_id, line.provider_id, line.payer_id)
        for line in entry.lines.order_by("id")
    ]
    return post(key=f"reversal:{entry.key}", memo=memo, occurred_on=occurred_on, lines=lines, reverses=entry)


def unposted(rows: QuerySet[M], event: str) -> QuerySet[M]:
    """Those of ``rows`` whose event ``event:<pk>`` is not in the books, oldest first."""
    in_books = Entry.objects.filter(key=Concat(Value(f"{event}:"), Cast(OuterRef("pk"), CharField())))
    return rows.filter(~Exists(in_books)).order_by("pk")


def find(key: str) -> Entry:
    """The entry of an event that is in the books. Raises ``Entry.DoesNotExist``."""
    return Entry.objects.get(key=key)


def lines_of(**concerning: Any) -> QuerySet[Line]:
    """Lines narrowed by ``client=``, ``session=``, ``provider=``, ``payer=``, as they were posted."""
    return Line.objects.filter(**concerning).select_related("entry", "account").order_by("id")


def balance(book: Book, **concerning: Any) -> Decimal:
    """The signed balance of an account in dollars, narrowed by ``client=``, ``session=``, ``provider=``, ``payer=``."""
    total = Line.objects.filter(account=book.value, **concerning).aggregate(total=Sum("amount"))["total"]
    return total if total is not None else ZERO


def balances_by_session(book: Book, **concerning: Any) -> dict[int, Decimal]:
    """Signed balances in dollars per session id, zero ones left out."""
    rows = (
        Line.objects.filter(account=book.value, session__isnull=False, **concerning)
        .order_by()
        .values_list("session")
        .annotate(total=Sum("amount"))
    )
    return {session: total for session, total in rows if total != ZERO}


def balances_by_payer(book: Book, **concerning: Any) -> dict[int | None, Decimal]:
    """Signed balances in dollars per insurer's id (``None``: of no insurer's), zero ones left out."""
    rows = (
        Line.objects.filter(account=book.value, **concerning)
        .order_by()
        .values_list("payer")
        .annotate(total=Sum("amount"))
    )
    return {payer: total for payer, total in rows if total != ZERO}
