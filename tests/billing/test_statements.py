"""Monthly statements: they follow the books, one month begins where the last one ended, and nothing is issued twice."""

import random
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.domain import statements as rules
from billing.ledger.posting import Book, Posting, balance, lines_of, post, reverse
from billing.models import ClientStatement
from billing.services import statement_pdf, statements
from care.models import Session
from common import clock
from notifications.models import Email
from people.models import Client
from tests.cast import Cast

D = Decimal


def at(month: int, day: int, hour: int = 12, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=clock.BUSINESS_ZONE)


def moves(key: str, amount: str, *sessions: Session) -> None:
    """An event that changes what the client owes for each of these sessions by ``amount``."""
    lines = [
        Posting(Book.CLIENT_RECEIVABLE, D(amount), client=session.client_id, session=session.pk) for session in sessions
    ]
    total = sum((line.amount for line in lines), D(0))
    post(key=key, memo=key, occurred_on=clock.today(), lines=[*lines, Posting(Book.STRIPE, -total)])


@pytest.fixture
def october(cast: Cast) -> Session:
    """72.00 charged and paid in October; 40.00 corrected on the 30th, given back in November."""
    with clock.as_of(at(9, 20)):
        session = cast.book()
    with clock.as_of(at(9, 29)):
        moves("cost:90001", "18.00", session)
    with clock.as_of(at(10, 3)):
        moves("cost:90002", "72.00", session)
    with clock.as_of(at(10, 4)):
        moves("payment:90001", "-90.00", session)
    with clock.as_of(at(10, 30)):
        moves("cost:90003", "-40.00", session)
    with clock.as_of(at(11, 5)):
        moves("refund:90001", "40.00", session)
    return session


# --- What is what -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("cost:1", "charged"),
        ("write_off:1", "charged"),
        ("anything_new:1", "charged"),
        ("payment:1", "paid"),
        ("reversal:payment:1", "paid"),
        ("refund:1", "refunded"),
        ("reversal:refund:1", "refunded"),
        ("refund_external:1", "refunded"),
        ("dispute_lost:1:1", "refunded"),
        ("reversal:dispute_lost:1:1", "refunded"),
    ],
)
def test_each_event_is_of_one_kind(key: str, kind: str) -> None:
    assert rules.kind_of(key) == kind


def test_months() -> None:
    assert rules.after(date(2026, 12, 1)) == date(2027, 1, 1)
    assert rules.before(date(2026, 1, 1)) == date(2025, 12, 1)
    months = [date(2024 + n // 12, n % 12 + 1, 1) for n in range(40)]
    assert all(rules.before(rules.after(each)) == each for each in months)
    assert rules.month_of(date(2026, 10, 31)) == date(2026, 10, 1)


# --- One month --------------------------------------------------------------------------------------------------------


def test_october(cast: Cast, october: Session) -> None:
    with clock.as_of(at(11, 1, 1)):
        found = statements.issue(cast.ana.pk, date(2026, 10, 1))
    assert (found.opening, found.charged, found.paid, found.refunded, found.closing) == (
        D("18.00"), D("32.00"), D("90.00"), D("0.00"), D("-40.00"),
    )  # fmt: skip
    assert [(row["on"], row["kind"], row["amount"]) for row in found.content["rows"]] == [
        ("2026-10-03", "charged", "72.00"),
        ("2026-10-04", "paid", "-90.00"),
        ("2026-10-30", "charged", "-40.00"),
    ]
    assert found.content["rows"][0]["sessions"] == [
        {"id": october.pk, "date": october.date.isoformat(), "provider": "Maya Cole"}
    ]
    with clock.as_of(at(12, 1, 2)):
        november = statements.issue(cast.ana.pk, date(2026, 11, 1))
    assert (november.opening, november.refunded, november.closing) == (D("-40.00"), D("40.00"), D("0.00"))


def test_a_second_time_gives_the_first_one_and_one_e_mail(cast: Cast, october: Session) -> None:
    with clock.as_of(at(11, 2)):
        first = statements.issue(cast.ana.pk, date(2026, 10, 1))
        assert statements.issue(cast.ana.pk, date(2026, 10, 1)) == first
        assert statements.to_issue(date(2026, 10, 1)) == []
    mail = Email.objects.get(kind="statement_ready")
    assert (mail.to, mail.key) == (cast.ana.email, f"statement:{first.pk}")
    assert f"/payments/statements/{first.pk}/" in mail.text
    assert "October 2026" in mail.text
    assert "$" not in mail.text, "the e-mail holds no figure"


def test_it_is_issued_only_when_the_month_is_over_by_an_hour(cast: Cast, october: Session) -> None:
    month = date(2026, 10, 1)
    with clock.as_of(datetime(2026, 11, 1, 4, 30, tzinfo=UTC)):  # half past midnight in New York
        assert statements.last_month() == date(2026, 9, 1)
        with pytest.raises(statements.NoStatement, match="not over"):
            statements.issue(cast.ana.pk, month)
    with clock.as_of(datetime(2026, 11, 1, 5, 30, tzinfo=UTC)):
        assert statements.last_month() == month
        assert statements.to_issue(month) == [cast.ana.pk]


def test_a_month_ends_at_midnight_in_new_york(cast: Cast) -> None:
    with clock.as_of(at(10, 1)):
        session = cast.book()
    with clock.as_of(datetime(2026, 11, 1, 3, 59, tzinfo=UTC)):
        moves("cost:1", "5.00", session)
    with clock.as_of(datetime(2026, 11, 1, 4, 1, tzinfo=UTC)):
        moves("cost:2", "7.00", session)
    with clock.as_of(at(11, 1, 9)):
        assert statements.issue(cast.ana.pk, date(2026, 10, 1)).closing == D("5.00")


def test_nobody_gets_a_statement_of_a_quiet_month(cast: Cast, october: Session) -> None:
    with clock.as_of(at(1, 5, year=2027)):
        assert statements.to_issue(date(2026, 12, 1)) == []
        with pytest.raises(statements.NoStatement, match="Nothing happened"):
            statements.issue(cast.ana.pk, date(2026, 12, 1))
    assert ClientStatement.objects.count() == 0


def test_what_is_posted_late_about_an_earlier_day_is_in_the_month_of_its_posting(cast: Cast) -> None:
    with clock.as_of(at(10, 31)):
        session = cast.book()
    with clock.as_of(at(11, 2)):
        post(
            key="cost:1", memo="confirmed late", occurred_on=date(2026, 10, 31),
            lines=[
                Posting(Book.CLIENT_RECEIVABLE, D("20.00"), client=cast.ana.pk, session=session.pk),
                Posting(Book.SESSION_REVENUE, D("-20.00")),
            ],
        )  # fmt: skip
        assert statements.to_issue(date(2026, 10, 1)) == []
    with clock.as_of(at(12, 2)):
        assert statements.issue(cast.ana.pk, date(2026, 11, 1)).charged == D("20.00")


def test_the_sweep_issues_what_is_due_and_one_failure_stops_nothing(
    cast: Cast, october: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.as_of(at(10, 2)):
        other = cast.book(client=cast.eve, hour=3)
        moves("cost:90010", "10.00", other)
    real = statements.issue

    def issue(client: int, month: date) -> ClientStatement:
        if client == cast.ana.pk:
            raise RuntimeError("something of Ana's")
        return real(client, month)

    monkeypatch.setattr(statements, "issue", issue)
    with clock.as_of(at(11, 1, 2)):
        assert statements.issue_due() == 1
    monkeypatch.undo()
    with clock.as_of(at(11, 1, 2)):
        assert statements.issue_due() == 1
        assert statements.issue_due() == 0
    assert set(ClientStatement.objects.values_list("client__first_name", flat=True)) == {"Ana", "Eve"}


# --- Any history ------------------------------------------------------------------------------------------------------


def booked_at(client: Client, moment: datetime) -> Decimal:
    """The client's receivable in the books before a moment, added up line by line."""
    lines = lines_of(account="client_receivable", client=client)
    return sum((line.amount for line in lines if line.entry.created_at < moment), D(0))


@pytest.mark.parametrize("seed", range(6))
def test_each_month_begins_where_the_last_one_ended_and_ends_as_the_books_do(cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    with clock.as_of(at(1, 1, year=2025)):
        sessions = [cast.book(days=each) for each in range(4)]
    moment = at(1, 1, 8, year=2025)
    for number in range(60):
        moment += timedelta(hours=chance.randrange(1, 300))
        with clock.as_of(moment):
            event = chance.choice(["cost", "payment", "refund", "write_off", "dispute_lost", "refund_external"])
            amount = f"{chance.randrange(-9000, 9000) or 1:d}"
            some = chance.sample(sessions, chance.randint(1, 3))
            moves(f"{event}:{number + 50_000}", str(D(amount) / 100), *some)
            if number % 9 == 0:
                entry = lines_of(client=cast.ana).last()
                assert entry is not None
                reverse(entry.entry, memo="back", occurred_on=clock.today())
    month = date(2025, 1, 1)
    with clock.as_of(moment + timedelta(days=40)):
        last = statements.last_month()
        while month <= last:
            if statements.to_issue(month):
                statements.issue(cast.ana.pk, month)
            month = rules.after(month)
    issued = list(ClientStatement.objects.order_by("month"))
    assert len(issued) > 6
    assert issued[0].opening == D(0)
    for earlier, later in pairwise(issued):
        assert later.opening == earlier.closing
    for each in issued:
        end = datetime.combine(rules.after(each.month), datetime.min.time(), tzinfo=clock.BUSINESS_ZONE)
        assert each.closing == booked_at(cast.ana, end)
        assert sum((D(row["amount"]) for row in each.content["rows"]), D(0)) == each.closing - each.opening
    assert issued[-1].closing == balance(Book.CLIENT_RECEIVABLE, client=cast.ana)


def test_ten_years_are_stated_as_fast_as_one(cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    session = cast.book()
    for number in range(120):
        with clock.as_of(datetime(2016 + number // 12, number % 12 + 1, 9, tzinfo=clock.BUSINESS_ZONE)):
            moves(f"cost:{70_000 + number}", "30.00", *[session] * 9)
            moves(f"payment:{70_000 + number}", "-30.00", *[session] * 9)
    assert lines_of(client=cast.ana).count() == 2160
    with clock.as_of(at(1, 5, year=2026)):
        began = time.perf_counter()
        with django_assert_max_num_queries(16):  # savepoints and the e-mail among them
            found = statements.issue(cast.ana.pk, date(2025, 11, 1))
        took = time.perf_counter() - began
    assert (found.opening, found.charged, found.closing) == (D("0.00"), D("270.00"), D("0.00"))
    assert len(found.content["rows"]) == 2
    assert took < 1, f"{took:.3f} s"


def test_the_file_is_the_same_each_time_it_is_drawn(cast: Cast, october: Session) -> None:
    with clock.as_of(at(11, 2)):
        found = statements.issue(cast.ana.pk, date(2026, 10, 1))
    first = statement_pdf.write(found)
    assert first == statement_pdf.write(ClientStatement.objects.get(pk=found.pk))
    assert first.startswith(b"%PDF")
