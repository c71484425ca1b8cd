"""Ana's sessions ahead: what is booked as it is charged, the rest in her rhythm, into the next plan year."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain.forecast import OtherCare
from billing.models import SessionCost
from billing.services import costs
from billing.services.forecast import Asked, Obstacle, Outlook, Rhythm, go_on, outlook, rhythm_of
from care.models import Session
from common import clock
from insurance.domain.benefits import Accumulator, Accumulators, Benefits, NetworkBenefits
from insurance.models import Coverage, Credential, FeeSchedule
from insurance.services import pauses
from tests.cast import Cast, assemble, benefits, card, observe
from tests.portal.client_world import first_plan_answers, held

D = Decimal
TODAY = datetime(2026, 10, 1, 12, tzinfo=clock.BUSINESS_ZONE)
"""A Thursday."""


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    with clock.as_of(TODAY):
        yield assemble()


def ahead(found: Outlook) -> list[tuple[str, str | None, bool]]:
    assert found.forecast is not None
    return [
        (point.day.isoformat(), None if point.client is None else str(point.client), point.booked)
        for point in found.forecast.points
    ]


def known(
    left: str, *, limit: str | None = "500.00", maximum: tuple[str | None, str | None] = ("3000.00", "2500.00")
) -> Benefits:
    """This year's plan with 20%, ``left`` of a deductible of ``limit``, and a maximum as limit and rest."""
    told = benefits(deductible=left)
    figures = replace(
        told.in_network,
        deductible=Accumulators(Accumulator(None if limit is None else D(limit), D(left))),
        out_of_pocket=Accumulators(Accumulator(*(None if each is None else D(each) for each in maximum))),
    )
    return replace(told, in_network=figures)


# --- What is booked ---------------------------------------------------------------------------------------------------


def test_booked_sessions_are_priced_as_they_are_charged(cast: Cast) -> None:
    card(cast.ana)
    observe(cast.own_plan, known("400.00"))
    first = held(cast, days=-14)
    held(cast, days=-7)
    first_plan_answers(first, deductible="160.00", coinsurance="0.00", paid="0.00")
    cast.book(days=-1)  # it took place and is not confirmed yet
    booked = [cast.book(days=days) for days in (3, 10, 17)]
    costs.reprice(cast.ana)
    charged = {cost.session_id: cost.amount for cost in costs.current_costs(booked).values()}
    found = outlook(cast.ana)
    assert [point.client for point in found.forecast.points[:3]] == [charged[each.pk] for each in booked]  # type: ignore[union-attr]
    # 400 - 160 decided - 160 under way - 80 of the one to be confirmed leaves nothing: 20% from here on.
    assert ahead(found)[:4] == [
        ("2026-10-04", "32.00", True),
        ("2026-10-11", "32.00", True),
        ("2026-10-18", "32.00", True),
        ("2026-10-25", "32.00", False),
    ]


def test_sessions_since_the_insurer_s_figures_are_counted_apart(cast: Cast) -> None:
    card(cast.ana)
    observe(cast.own_plan, known("400.00"))
    decided = held(cast, days=-7)
    held(cast, days=-3)
    cast.book(days=-1)
    first_plan_answers(decided, deductible="160.00", coinsurance="0.00", paid="0.00")
    counted = outlook(cast.ana).counted
    assert counted is not None
    assert (counted.sessions, counted.left.deductible) == (2, D("80.00"))
    assert counted.left.out_of_pocket == D("2500.00") - D("160.00") - D("160.00")
    with clock.as_of(clock.now() + timedelta(minutes=5)):
        observe(cast.own_plan, known("240.00", maximum=("3000.00", "2340.00")))
        counted = outlook(cast.ana).counted
    # The newer answer holds the decided one; the other is still under way.
    assert counted is not None
    assert (counted.sessions, counted.left.deductible) == (1, D("80.00"))


# --- What is to be expected -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gaps", "rhythm"),
    [
        ((7, 7, 7), Rhythm.WEEKLY),
        ((7, 14, 7), Rhythm.WEEKLY),
        ((14, 14, 7), Rhythm.TWO_WEEKS),
        ((14, 21), Rhythm.TWO_WEEKS),
        ((28, 35), Rhythm.FOUR_WEEKS),
        ((3, 4), Rhythm.WEEKLY),
        ((), None),
    ],
)
def test_the_rhythm_is_read_from_the_sessions(gaps: tuple[int, ...], rhythm: Rhythm | None) -> None:
    days = [date(2026, 1, 1)]
    for gap in gaps:
        days.append(days[-1] + timedelta(days=gap))
    assert rhythm_of(days) == rhythm


def test_it_goes_on_from_the_last_session_held_when_none_is_booked(cast: Cast) -> None:
    card(cast.ana)
    held(cast, days=-30)
    held(cast, days=-16)
    found = outlook(cast.ana)
    assert found.rhythm_now is Rhythm.TWO_WEEKS
    assert [day for day, _cost, _booked in ahead(found)[:2]] == ["2026-10-13", "2026-10-27"]


def test_another_rhythm_fills_in_around_what_is_booked(cast: Cast) -> None:
    for days in (4, 18):
        cast.book(days=days)
    weekly = outlook(cast.ana, Asked(rhythm=Rhythm.WEEKLY))
    assert [(day[5:], booked) for day, _cost, booked in ahead(weekly)[:4]] == [
        ("10-05", True),
        ("10-12", False),
        ("10-19", True),
        ("10-26", False),
    ]
    rarer = outlook(cast.ana, Asked(rhythm=Rhythm.FOUR_WEEKS))
    assert [(day[5:], booked) for day, _cost, booked in ahead(rarer)[:3]] == [
        ("10-05", True),
        ("10-19", True),
        ("11-16", False),
    ]


@pytest.mark.parametrize(
    ("booked", "step", "days"),
    [
        ((), 7, (8, 15, 22)),
        ((9, 14), 7, (21, 28)),  # a day later and a day earlier than usual: each stands for its week
        ((1, 29), 7, (8, 15, 22)),
        ((4,), 7, (11, 18, 25)),  # an extra session in between moves the rhythm
        ((1, 8, 15), 14, (29,)),
    ],
)
def test_a_booked_day_stands_for_the_one_it_is_near(booked: tuple[int, ...], step: int, days: tuple[int, ...]) -> None:
    def october(day: int) -> date:
        return date(2026, 10, day)

    found = go_on([october(day) for day in booked], from_day=october(1), step=step, after=october(7), until=october(29))
    assert tuple(day.day for day in found) == days + ((29,) if booked == () else ())


def test_more_sessions_before_it_change_what_a_booked_one_would_cost(cast: Cast) -> None:
    observe(cast.own_plan, known("300.00"))
    for days in (4, 18):
        cast.book(days=days)
    assert [cost for _day, cost, _booked in ahead(outlook(cast.ana))[:2]] == ["160.00", "144.00"]  # 140 + 20% of 20
    often = ahead(outlook(cast.ana, Asked(rhythm=Rhythm.WEEKLY)))
    assert [cost for _day, cost, _booked in often[:3]] == ["160.00", "144.00", "32.00"]
    assert not SessionCost.objects.exists()


def test_by_video_it_costs_what_the_plan_asks_for_video(cast: Cast) -> None:
    video = NetworkBenefits(copay=D("10.00"), source={"copay": "EB"})
    told = known("0.00")
    observe(cast.own_plan, replace(told, in_network=replace(told.in_network, telehealth=video)))
    cast.book(days=4)
    found = ahead(outlook(cast.ana, Asked(rhythm=Rhythm.WEEKLY, telehealth=True)))
    assert [cost for _day, cost, _booked in found[:2]] == ["32.00", "10.00"]


def test_a_rate_that_changes_on_a_day_changes_the_price_from_that_day(cast: Cast) -> None:
    observe(cast.own_plan, known("0.00"))
    rate = FeeSchedule.objects.filter(payer=cast.evergreen, licence=cast.cole.licence)
    rate.update(ends_on=date(2026, 10, 14))
    FeeSchedule.objects.create(
        payer=cast.evergreen, licence=cast.cole.licence, cpt="90837", rate=D("200.00"), begins_on=date(2026, 10, 15)
    )
    cast.book(days=4)
    assert ahead(outlook(cast.ana))[:3] == [
        ("2026-10-05", "32.00", True),
        ("2026-10-12", "32.00", False),
        ("2026-10-19", "40.00", False),
    ]


def test_other_care_is_counted(cast: Cast) -> None:
    observe(cast.own_plan, known("500.00"))
    cast.book(days=4)
    found = outlook(cast.ana, Asked(other=OtherCare(date(2026, 10, 8), D("800.00"))))
    assert [cost for _day, cost, _booked in ahead(found)[:2]] == ["160.00", "32.00"]
    assert found.forecast is not None
    assert found.forecast.turns[0].elsewhere


# --- The next plan year -----------------------------------------------------------------------------------------------


def test_the_next_year_starts_with_full_limits(cast: Cast) -> None:
    observe(cast.own_plan, known("0.00"))
    cast.book(days=4)
    found = outlook(cast.ana)
    assert found.assumed
    days = ahead(found)
    assert days[-1][0] <= "2027-02-25"  # eight weeks into it
    assert [cost for day, cost, _booked in days if day >= "2027"][:5] == [
        "160.00", "160.00", "160.00", "48.00", "32.00",  # 500 = 160 x 3 + 20; 20 + 20% of 140 = 48
    ]  # fmt: skip
    assert ahead(outlook(cast.ana, two_years=True))[-1][0] == "2027-12-27"


def test_of_a_limit_that_is_not_known_the_next_year_s_price_is_not(cast: Cast) -> None:
    observe(cast.own_plan, known("100.00", limit=None))
    cast.book(days=4)
    found = outlook(cast.ana)
    assert [cost for day, cost, _booked in ahead(found) if day < "2027"][:2] == ["112.00", "32.00"]
    assert {cost for day, cost, _booked in ahead(found) if day >= "2027"} == {None}
    assert not found.known


def test_of_a_maximum_only_what_is_certain_is_told(cast: Cast) -> None:
    # What is left, 64.00, is the least the maximum can be: two sessions of 32.00, then nobody knows.
    observe(cast.own_plan, known("0.00", limit="0.00", maximum=(None, "64.00")))
    cast.book(days=88)
    found = ahead(outlook(cast.ana))
    assert [cost for _day, cost, _booked in found][:5] == ["32.00", "32.00", "32.00", None, None]


def test_what_the_insurer_told_of_the_next_year_is_used(cast: Cast) -> None:
    observe(cast.own_plan, known("0.00"))
    told = known("500.00")
    observe(
        cast.own_plan,
        replace(
            told,
            plan_begin=date(2027, 1, 1),
            plan_end=date(2027, 12, 31),
            in_network=replace(
                told.in_network,
                coinsurance=None,
                copay=D("30.00"),
                deductible=Accumulators(Accumulator(D("0.00"), D("0.00"))),
            ),
        ),
    )
    cast.book(days=4)
    found = outlook(cast.ana)
    assert not found.assumed
    assert {cost for day, cost, _booked in ahead(found) if day >= "2027"} == {"30.00"}


def test_without_a_known_end_of_the_year_it_ends_where_a_year_would(cast: Cast) -> None:
    observe(cast.own_plan, replace(known("0.00"), plan_begin=date(2025, 11, 1), plan_end=None))
    cast.book(days=4)
    found = outlook(cast.ana, two_years=True)
    assert not found.year_end_known
    assert ahead(found)[-1][0] == "2026-10-26"
    observe(cast.own_plan, replace(known("0.00"), plan_begin=None, plan_end=None))
    assert ahead(outlook(cast.ana, two_years=True))[-1][0] == "2026-12-28"


def test_it_ends_where_another_plan_pays_first(cast: Cast) -> None:
    Coverage.objects.filter(pk=cast.own_plan.pk).update(ends_on=date(2026, 10, 31))
    cast.book(days=4)
    found = outlook(cast.ana)
    assert ahead(found)[-1][0] == "2026-10-26"
    assert found.ends_before == date(2026, 11, 2)


# --- Who is told what -------------------------------------------------------------------------------------------------


def test_a_provider_is_told_of_their_own_sessions_only(cast: Cast) -> None:
    observe(cast.own_plan, known("320.00"))
    cast.book(days=4)
    colleague = cast.book(days=6)
    Session.objects.filter(pk=colleague.pk).update(provider=cast.diaz)
    told = ahead(outlook(cast.ana, told_to=cast.cole))
    assert told[:2] == [("2026-10-05", "160.00", True), ("2026-10-12", "32.00", False)]
    assert "2026-10-07" not in {day for day, _cost, _booked in told}
    assert ahead(outlook(cast.ana))[1] == ("2026-10-07", "160.00", True)


# --- When nothing can be said -----------------------------------------------------------------------------------------


def obstacle(cast: Cast) -> Obstacle | None:
    found = outlook(cast.ana)
    assert (found.forecast is None) == (found.obstacle is not None)
    return found.obstacle


def test_no_session_yet(cast: Cast) -> None:
    assert obstacle(cast) is Obstacle.NO_SESSION


def test_a_cancelled_session_is_none(cast: Cast) -> None:
    session = cast.book(days=4)
    Session.objects.filter(pk=session.pk).update(status="cancelled")
    assert obstacle(cast) is Obstacle.NO_SESSION


def test_paused(cast: Cast) -> None:
    cast.book(days=4)
    pauses.open_pause(coverage=cast.own_plan, evidence="835")
    cast.ana.refresh_from_db()
    assert obstacle(cast) is Obstacle.PAUSED
    assert outlook(cast.ana).counted is not None


def test_not_active(cast: Cast) -> None:
    cast.book(days=4)
    observe(cast.own_plan, Benefits(active=False))
    assert obstacle(cast) is Obstacle.NOT_ACTIVE


def test_no_plan_and_a_plan_of_which_nothing_is_known(cast: Cast) -> None:
    assert outlook(cast.eve).obstacle is Obstacle.NO_PLAN
    Coverage.objects.create(client=cast.eve, payer=cast.evergreen, member_id="EV7", stated_rank=1)
    assert outlook(cast.eve).obstacle is Obstacle.NO_BENEFITS


def test_a_provider_who_cannot_bill_the_plan(cast: Cast) -> None:
    cast.book(days=4)
    Credential.objects.filter(provider=cast.cole, payer=cast.evergreen).delete()
    found = outlook(cast.ana)
    assert found.obstacle is Obstacle.NO_RATE
    assert "Dr. Cole is not credentialed with Evergreen Health" in found.why_not


def test_no_rate_for_the_procedure(cast: Cast) -> None:
    cast.book(days=4)
    FeeSchedule.objects.all().delete()
    found = outlook(cast.ana)
    assert found.obstacle is Obstacle.NO_RATE
    assert "90837" in found.why_not


def test_benefits_that_decide_no_price(cast: Cast) -> None:
    cast.book(days=4)
    observe(cast.own_plan, replace(known("0.00"), in_network=NetworkBenefits()))
    found = outlook(cast.ana)
    assert {cost for _day, cost, _booked in ahead(found)} == {None}


# --- Work done --------------------------------------------------------------------------------------------------------


def queries(cast: Cast, **options: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        outlook(cast.ana, **options)
    written = [each["sql"] for each in asked if not each["sql"].startswith("SELECT")]
    assert written == []
    return len(asked)


def test_the_number_of_sessions_changes_no_number_of_questions(cast: Cast) -> None:
    card(cast.ana)
    held(cast, days=-7)
    cast.book(days=4)
    few = queries(cast, two_years=True)
    for week in range(2, 12):
        held(cast, days=-7 * week)
        cast.book(days=7 * week)
    assert queries(cast, two_years=True) == few
    assert few <= 24
