"""The books: balanced, sealed, posted once, reversed once; the database refuses what the code should never try."""

from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from billing.ledger.models import Entry, Line
from billing.ledger.posting import (
    Book,
    EntryConflict,
    Posting,
    balance,
    balances_by_payer,
    balances_by_session,
    post,
    reverse,
)
from care.models import Session
from tests.cast import Cast

DAY = date(2026, 3, 2)
D = Decimal


def two_lines(amount: str = "72.00") -> list[Posting]:
    return [Posting(Book.STRIPE, D(amount)), Posting(Book.BANK, -D(amount))]


@pytest.mark.django_db
def test_an_event_is_posted_once_by_its_key() -> None:
    first = post(key="payment:1", memo="paid", occurred_on=DAY, lines=two_lines())
    again = post(key="payment:1", memo="paid", occurred_on=DAY, lines=two_lines())
    assert again == first
    assert balance(Book.STRIPE) == D("72.00")


@pytest.mark.django_db
def test_the_same_key_with_other_content_is_an_error() -> None:
    post(key="payment:1", memo="paid", occurred_on=DAY, lines=two_lines())
    with pytest.raises(EntryConflict):
        post(key="payment:1", memo="paid", occurred_on=DAY, lines=two_lines("72.01"))
    assert balance(Book.STRIPE) == D("72.00")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        {"memo": "paid twice"},
        {"occurred_on": date(2026, 3, 3)},
        {"lines": [Posting(Book.STRIPE, D("72.00")), Posting(Book.INSURER_SUSPENSE, D("-72.00"))]},
        {"lines": list(reversed(two_lines()))},
    ],
    ids=["memo", "day", "account", "order of lines"],
)
def test_whatever_differs_the_same_key_is_refused(other: dict[str, Any]) -> None:
    event: dict[str, Any] = {"key": "payment:1", "memo": "paid", "occurred_on": DAY, "lines": two_lines()}
    post(**event)
    with pytest.raises(EntryConflict):
        post(**{**event, **other})
    assert Entry.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "lines",
    [
        [],
        [Posting(Book.STRIPE, D("1.00"))],
        [Posting(Book.STRIPE, D("1.00")), Posting(Book.BANK, D("-0.99"))],
        [Posting(Book.STRIPE, D("0.00")), Posting(Book.BANK, D("0.00"))],
    ],
    ids=["empty", "one-sided", "off by a cent", "nothing"],
)
def test_an_unbalanced_event_is_refused_before_it_is_written(lines: list[Posting]) -> None:
    with pytest.raises(ValueError, match="add up to zero"):
        post(key="bad", memo="bad", occurred_on=DAY, lines=lines)
    assert not Entry.objects.exists()


def entry_row(key: str) -> Entry:
    return Entry.objects.create(key=key, memo="by hand", occurred_on=DAY, fingerprint="")


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_an_empty_entry_at_commit() -> None:
    with pytest.raises(DatabaseError, match="0 lines"), transaction.atomic():
        entry_row("empty")
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_one_sided_entry_at_commit() -> None:
    with pytest.raises(DatabaseError, match="1 lines"), transaction.atomic():
        Line.objects.create(entry=entry_row("one-sided"), account_id=Book.STRIPE, amount=D("1.00"))
    assert not Line.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_an_unbalanced_entry_at_commit() -> None:
    with pytest.raises(DatabaseError, match=r"off by 0\.01"), transaction.atomic():
        entry = entry_row("off")
        Line.objects.create(entry=entry, account_id=Book.STRIPE, amount=D("1.00"))
        Line.objects.create(entry=entry, account_id=Book.BANK, amount=D("-0.99"))
    assert not Line.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_joins_an_old_entry() -> None:
    entry = post(key="payment:1", memo="paid", occurred_on=DAY, lines=two_lines())
    with pytest.raises(DatabaseError, match="sealed"), transaction.atomic():
        Line.objects.create(entry=entry, account_id=Book.STRIPE, amount=D("5.00"))
    assert balance(Book.STRIPE) == D("72.00")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_line SET amount = amount * 2",
        "DELETE FROM ledger_line",
        "UPDATE ledger_entry SET memo = 'other'",
        "DELETE FROM ledger_entry",
    ],
)
def test_posted_rows_never_change(statement: str) -> None:
    post(key="payment:1", memo="paid", occurred_on=DAY, lines=two_lines())
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(statement)
    assert balance(Book.STRIPE) == D("72.00")


@pytest.mark.django_db
def test_a_reversal_undoes_an_entry_once() -> None:
    entry = post(key="refund:1", memo="refund", occurred_on=DAY, lines=two_lines())
    first = reverse(entry, memo="sent back", occurred_on=DAY)
    assert reverse(entry, memo="sent back", occurred_on=DAY) == first
    assert balance(Book.STRIPE) == D("0.00")


@pytest.mark.django_db
def test_a_reversal_in_other_words_or_by_hand_is_refused() -> None:
    entry = post(key="refund:1", memo="refund", occurred_on=DAY, lines=two_lines())
    first = reverse(entry, memo="sent back", occurred_on=DAY)
    with pytest.raises(EntryConflict):
        reverse(entry, memo="sent back again", occurred_on=DAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.create(key="by hand", memo="by hand", occurred_on=DAY, fingerprint="", reverses=entry)
    assert Entry.objects.get(reverses=entry) == first
    assert balance(Book.STRIPE) == D("0.00")


def test_balances_take_one_query_for_ten_sessions_as_for_one(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        session = cast.book(days=number)
        lines = [
            Posting(Book.CLIENT_RECEIVABLE, D("20.00"), client=cast.ana.pk, session=session.pk),
            Posting(Book.INSURER_RECEIVABLE, D("88.00"), session=session.pk, payer=cast.evergreen.pk),
            Posting(Book.SESSION_REVENUE, D("-108.00")),
        ]
        post(key=f"test:{number}", memo="test", occurred_on=DAY, lines=lines)
    with django_assert_num_queries(1):
        assert len(balances_by_session(Book.CLIENT_RECEIVABLE, client=cast.ana)) == 10
    with django_assert_num_queries(1):
        assert balances_by_payer(Book.INSURER_RECEIVABLE) == {cast.evergreen.pk: D("880.00")}
    with django_assert_num_queries(1):
        assert balance(Book.CLIENT_RECEIVABLE, client=cast.ana) == D("200.00")


def test_what_a_client_owes_is_a_sum_per_session(cast: Cast) -> None:
    one, other = cast.book(), cast.book(days=7)
    for number, (session, amount) in enumerate([(one, "72.00"), (one, "-40.00"), (other, "32.00"), (other, "-32.00")]):
        post(
            key=f"test:{number}",
            memo="test",
            occurred_on=DAY,
            lines=[
                Posting(Book.CLIENT_RECEIVABLE, D(amount), client=cast.ana.pk, session=session.pk),
                Posting(Book.SESSION_REVENUE, -D(amount)),
            ],
        )
    assert balances_by_session(Book.CLIENT_RECEIVABLE, client=cast.ana) == {one.pk: D("32.00")}
    assert balance(Book.CLIENT_RECEIVABLE, client=cast.ana) == D("32.00")


def test_what_earlier_versions_left_open_between_insurers_is_closed(cast: Cast) -> None:
    """Expected of Evergreen and paid by Harbor, with a variance of nobody's; another session still waits."""
    done, waiting = cast.book(), cast.book(days=7)

    def line(session: Session, amount: str, payer: int | None) -> Posting:
        return Posting(Book.INSURER_RECEIVABLE, D(amount), client=cast.ana.pk, session=session.pk, payer=payer)

    rest = Posting(Book.INSURER_VARIANCE, D("10.00"))
    bank = Posting(Book.BANK, D("30.00"))
    evergreen = cast.evergreen.pk
    post(key="a", memo="x", occurred_on=DAY, lines=[line(done, "40.00", evergreen), Posting(Book.BANK, D("-40"))])
    post(key="b", memo="x", occurred_on=DAY, lines=[bank, line(done, "-30.00", cast.harbor.pk)])
    post(key="c", memo="x", occurred_on=DAY, lines=[rest, line(done, "-10.00", None)])
    post(key="d", memo="x", occurred_on=DAY, lines=[line(waiting, "88.00", evergreen), Posting(Book.BANK, D("-88"))])
    migration = import_module("billing.ledger.migrations.0003_expected_by_insurer")
    with connection.schema_editor(atomic=False) as editor:
        migration.close(None, editor)
        migration.close(None, editor)  # nothing is left to close
    assert balances_by_payer(Book.INSURER_RECEIVABLE, session=done) == {}
    assert balances_by_payer(Book.INSURER_RECEIVABLE, session=waiting) == {cast.evergreen.pk: D("88.00")}
    (entry,) = Entry.objects.filter(key__startswith="expected:")
    assert entry.occurred_on == DAY
    assert sum((each.amount for each in entry.lines.all()), D(0)) == D("0.00")


@pytest.mark.django_db(transaction=True)
def test_a_receivable_names_whose_it_is() -> None:
    with pytest.raises(DatabaseError, match="receivable_names_client_and_session"):
        post(
            key="anonymous",
            memo="nobody's",
            occurred_on=DAY,
            lines=[Posting(Book.CLIENT_RECEIVABLE, D("1.00")), Posting(Book.BANK, D("-1.00"))],
        )
