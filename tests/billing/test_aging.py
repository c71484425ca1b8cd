"""Who owes us for how long: exact figures for a small practice, and a bounded number of queries for any."""

from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.flows import confirm_session
from billing.services import aging
from billing.services.aging import Cell
from care.models import Session
from common import clock
from insurance.models import Claim
from insurance.services import exchange
from tests.billing.answers import claim, confirmed, evergreen, harbor, told
from tests.cast import Cast, card
from tests.remittance_files import adjustments

D = Decimal


def sent(about: Claim, days: int) -> None:
    """The claim went out at noon so many days ago, whatever the clocks did since."""
    noon = datetime.combine(clock.today() - timedelta(days=days), time(12), tzinfo=clock.BUSINESS_ZONE)
    Claim.objects.filter(pk=about.pk).update(submitted_at=noon)


def cells(whose: str) -> dict[str, dict[str, tuple[int, Decimal]]]:
    return {
        row.name: {bucket: (cell.count, cell.amount) for bucket, cell in row.cells.items() if cell.count}
        for row in aging.report(whose).rows
    }


@pytest.fixture
def sessions(cast: Cast) -> list[Session]:
    card(cast.ana)
    return [confirmed(cast, days=-day) for day in (0, 7, 14, 21)]


def test_insurers_owe_by_the_days_since_their_claims_were_sent(sessions: list[Session], cast: Cast) -> None:
    for session, days in zip(sessions, (30, 31, 90, 91), strict=True):
        sent(claim(session, 1), days)
    expected = [each.claims.get(rank=1).pk for each in reversed(sessions)]
    owed = {each.pk: aging_amount(each) for each in sessions}
    assert cells("insurers") == {
        "Evergreen Health": {
            "0-30": (1, owed[sessions[0].pk]),
            "31-60": (1, owed[sessions[1].pk]),
            "61-90": (1, owed[sessions[2].pk]),
            "90+": (1, owed[sessions[3].pk]),
        }
    }
    assert owed[sessions[0].pk] == D("88.00")
    found = aging.report("insurers")
    assert found.total == Cell(4, sum(owed.values(), D("0.00")))
    assert [item.pk for item in aging.items("insurers")] == expected
    (late,) = aging.items("insurers", who=cast.evergreen.pk, bucket="90+")
    assert (late.days, late.amount, late.name) == (91, owed[sessions[3].pk], "Evergreen Health")


def aging_amount(session: Session) -> Decimal:
    cost = session.costs.latest("pk")
    amount: Decimal = cost.allowed - cost.amount
    return amount


def test_a_claim_that_has_not_left_is_not_sent_yet(cast: Cast) -> None:
    card(cast.ana)
    confirm_session.confirm(cast.book())
    assert cells("insurers") == {"Evergreen Health": {"unsent": (1, D("88.00"))}}


def test_a_later_plan_s_claim_tells_what_earlier_plans_left(cast: Cast) -> None:
    card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    sent(claim(session, 2), 45)
    (row,) = aging.report("insurers").rows
    assert (row.name, row.cells["31-60"]) == ("Harbor Mutual", Cell(1, D("0.00"), D("72.00")))


def test_what_the_first_plan_left_unpaid_ages_with_the_second(cast: Cast) -> None:
    card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session, "48.00", adjustments(("CO", "45", "60.00"), ("PR", "1", "112.00"))))
    assert cells("insurers") == {"Harbor Mutual": {"unsent": (1, D("40.00"))}}
    exchange.build_batches()
    sent(claim(session, 2), 61)
    assert cells("insurers") == {"Harbor Mutual": {"61-90": (1, D("40.00"))}}
    told(claim(session, 2), harbor(session, "0.00", adjustments(("OA", "23", "108.00"), ("PR", "1", "112.00"))))
    assert cells("insurers") == {}
    assert cells("clients") == {"Rivera, Ana": {"0-30": (1, D("40.00"))}}


def test_a_denied_claim_that_waits_for_a_person_is_still_expected(cast: Cast) -> None:
    card(cast.ana)
    session = confirmed(cast)
    sent(claim(session, 1), 70)
    told(claim(session, 1), evergreen(session, "0.00", adjustments(("CO", "197", "220.00")), status="4"))
    assert claim(session, 1).decision == "denied"
    assert cells("insurers") == {"Evergreen Health": {"61-90": (1, D("88.00"))}}


def test_clients_owe_by_the_days_since_they_were_asked_less_what_is_on_its_way(cast: Cast) -> None:
    open_one, paying = cast.book(), cast.book(days=-7)
    confirm_session.confirm(open_one)
    assert cells("clients") == {"Rivera, Ana": {"0-30": (1, D("32.00"))}}
    card(cast.ana)
    confirm_session.confirm(paying)
    assert aging.report("clients").total == Cell(1, D("32.00"))
    (item,) = aging.items("clients", who=cast.ana.pk)
    assert (item.pk, item.days, item.amount) == (open_one.pk, 0, D("32.00"))
    assert list(aging.items("clients", bucket="90+")) == []


def test_nobody_owes_anything_at_first(cast: Cast) -> None:
    for whose in ("insurers", "clients"):
        found = aging.report(whose)
        assert (found.rows, found.total) == ([], Cell())


def test_one_query_for_a_page_whatever_its_size(
    sessions: list[Session], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        aging.report("insurers")
    with django_assert_num_queries(1):
        aging.report("clients")
    with django_assert_num_queries(1):
        assert len(list(aging.items("insurers"))) == 4


def test_a_later_page_keeps_the_totals(sessions: list[Session]) -> None:
    found = aging.report("insurers", offset=1, limit=1)
    assert (found.rows, found.total.count) == ([], 4)
