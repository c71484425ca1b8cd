"""What comes after what is booked, and where the price turns: figures worked out by hand (docs/forecast.md)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.forecast import (
    Ahead,
    Design,
    Forecast,
    OtherCare,
    PlanYear,
    Turn,
    forecast,
    fresh,
    next_year,
    year_on,
)
from billing.domain.pricing import PlannedSession, PlanTerms, price_sessions
from insurance.domain.benefits import Accumulator, Accumulators, CopayRule, NetworkBenefits, Visits

D = Decimal
NEW_YEARS_EVE = date(2026, 12, 31)
START = date(2026, 11, 2)


def terms(**figures: Any) -> PlanTerms:
    values: dict[str, Any] = {name: D(value) if type(value) is str else value for name, value in figures.items()}
    return PlanTerms(**values)


def year(*possible: PlanTerms, first: date = date(2026, 11, 1), last: date = NEW_YEARS_EVE) -> PlanYear:
    return PlanYear(first, last, tuple(Design.start(each, each) for each in possible))


def weekly(count: int, *, allowed: str = "160.00", start: date = START, **more: Any) -> list[Ahead]:
    return [Ahead(start + timedelta(days=7 * week), D(allowed), **more) for week in range(count)]


def costs(found: Forecast) -> list[str | None]:
    return [None if point.client is None else str(point.client) for point in found.points]


def turns(found: Forecast) -> list[tuple[str, int, str, str | None, str | None]]:
    def text(amount: Decimal | None) -> str | None:
        return None if amount is None else str(amount)

    return [
        (each.turn.value, each.after, each.day.isoformat(), text(each.before), text(each.then)) for each in found.turns
    ]


TO_THE_DEDUCTIBLE = terms(deductible_remaining="250.00", coinsurance="0.20", out_of_pocket_remaining="300.00")


def test_the_deductible_is_met_within_a_session_and_the_price_turns_after_it() -> None:
    found = forecast([year(TO_THE_DEDUCTIBLE)], weekly(5))
    # 160; 90 + 20% of 70 = 104; 20% of 160 = 32; then 300 - 296 = 4 to the maximum; nothing.
    assert costs(found) == ["160.00", "104.00", "32.00", "4.00", "0.00"]
    assert turns(found) == [
        ("deductible_met", 2, "2026-11-09", "160.00", "32.00"),
        ("maximum_reached", 4, "2026-11-23", "32.00", "0.00"),
    ]
    assert [(run.first.day, run.last.day, len(run.points)) for run in found.runs] == [
        (2, 2, 1), (9, 9, 1), (16, 16, 1), (23, 23, 1), (30, 30, 1),
    ]  # fmt: skip
    (total,) = found.totals
    assert (total.sessions, total.client) == (5, D("300.00"))


def test_the_figures_of_the_page_that_explains_it() -> None:
    again = terms(deductible_remaining="500.00", coinsurance="0.20", out_of_pocket_remaining="3000.00")
    this = year(TO_THE_DEDUCTIBLE)
    years = [this, next_year(this, (Design.start(again, again),))]
    ahead = weekly(10, start=date(2026, 11, 30))
    found = forecast(years, ahead)
    assert costs(found)[:5] == ["160.00", "104.00", "32.00", "4.00", "0.00"]
    assert costs(found)[5:] == ["160.00", "160.00", "160.00", "48.00", "32.00"]
    assert turns(found) == [
        ("deductible_met", 2, "2026-12-07", "160.00", "32.00"),
        ("maximum_reached", 4, "2026-12-21", "32.00", "0.00"),
        ("new_year", 5, "2027-01-01", "0.00", "160.00"),
        ("deductible_met", 9, "2027-01-25", "160.00", "32.00"),
    ]
    found = forecast(years, ahead, OtherCare(date(2026, 12, 1), D("1000.00")))
    assert costs(found)[:6] == ["160.00", "0.00", "0.00", "0.00", "0.00", "160.00"]


def test_met_with_the_very_next_session() -> None:
    found = forecast([year(terms(deductible_remaining="50.00", coinsurance="0.20"))], weekly(3))
    assert costs(found) == ["72.00", "32.00", "32.00"]
    assert turns(found) == [("deductible_met", 1, "2026-11-02", "72.00", "32.00")]


def test_a_copay_from_the_first_visit_never_turns() -> None:
    plan = terms(deductible_remaining="500.00", copay="25.00", copay_rule=CopayRule.WAIVES_DEDUCTIBLE)
    found = forecast([year(plan)], weekly(8))
    assert set(costs(found)) == {"25.00"}
    assert found.turns == ()
    assert len(found.runs) == 1


def test_visits_run_out() -> None:
    plan = terms(deductible_remaining="0.00", copay="20.00", visits_remaining=3)
    found = forecast([year(plan)], weekly(5))
    assert costs(found) == ["20.00", "20.00", "20.00", "160.00", "160.00"]
    assert turns(found) == [("visits_used", 3, "2026-11-16", "20.00", "160.00")]


def test_what_ends_with_the_last_session_of_the_year_turns_nothing() -> None:
    plan = terms(deductible_remaining="320.00", coinsurance="0.20")
    assert turns(forecast([year(plan)], weekly(2))) == []


def test_the_plan_year_starts_again() -> None:
    again = terms(deductible_remaining="400.00", coinsurance="0.20")
    this = year(terms(deductible_remaining="0.00", coinsurance="0.20"))
    following = next_year(this, (Design.start(again, again),))
    assert (following.first, following.last) == (date(2027, 1, 1), date(2027, 12, 31))
    found = forecast([this, following], weekly(5, start=date(2026, 12, 17)))
    # 17, 24 and 31 December are this year's; 7 January takes 160 of 400, 14 January 160 more.
    assert costs(found) == ["32.00", "32.00", "32.00", "160.00", "160.00"]
    assert turns(found) == [("new_year", 3, "2027-01-01", "32.00", "160.00")]
    assert [(total.first.year, total.sessions, str(total.client)) for total in found.totals] == [
        (2026, 3, "96.00"),
        (2027, 2, "320.00"),
    ]


def test_a_new_year_is_told_even_when_nothing_changes() -> None:
    plan = terms(deductible_remaining="0.00", copay="25.00")
    this = year(plan)
    found = forecast([this, next_year(this, this.designs)], weekly(3, start=date(2026, 12, 24)))
    assert turns(found) == [("new_year", 2, "2027-01-01", "25.00", "25.00")]


def test_sessions_after_the_last_year_and_before_the_first_are_left_out() -> None:
    assert costs(forecast([year(TO_THE_DEDUCTIBLE)], weekly(3, start=date(2026, 12, 24)))) == ["160.00", "104.00"]
    assert costs(forecast([year(TO_THE_DEDUCTIBLE)], weekly(2, start=date(2026, 10, 30)))) == ["160.00"]


def test_sessions_that_are_not_told_of_use_up_their_part() -> None:
    plan = terms(deductible_remaining="250.00", coinsurance="0.20")
    under_way = weekly(1, start=date(2026, 11, 1), shown=False)
    found = forecast([year(plan)], [*weekly(3), *under_way])
    assert costs(found) == ["104.00", "32.00", "32.00"]
    assert turns(found) == [("deductible_met", 1, "2026-11-02", "104.00", "32.00")]


def test_a_colleague_s_session_between_two_turns_the_price_without_being_counted() -> None:
    plan = terms(deductible_remaining="320.00", coinsurance="0.20")
    between = Ahead(date(2026, 11, 5), D("160.00"), shown=False)
    found = forecast([year(plan)], [*weekly(3), between])
    assert costs(found) == ["160.00", "32.00", "32.00"]
    assert turns(found) == [("deductible_met", 1, "2026-11-05", "160.00", "32.00")]
    assert found.turns[0].elsewhere


def test_what_was_met_before_the_first_session_is_no_turn_to_come() -> None:
    plan = terms(deductible_remaining="160.00", coinsurance="0.20")
    found = forecast([year(plan)], [Ahead(date(2026, 11, 1), D("160.00"), shown=False), *weekly(2)])
    assert costs(found) == ["32.00", "32.00"]
    assert found.turns == ()


# --- Other care -------------------------------------------------------------------------------------------------------


def test_other_care_meets_the_deductible() -> None:
    plan = terms(deductible_remaining="500.00", coinsurance="0.20")
    found = forecast([year(plan)], weekly(4), OtherCare(date(2026, 11, 10), D("1000.00")))
    # 160 and 160 of the 500; the 1,000 of 10 November takes the other 180 of it.
    assert costs(found) == ["160.00", "160.00", "32.00", "32.00"]
    assert turns(found) == [("deductible_met", 2, "2026-11-10", "160.00", "32.00")]
    assert found.turns[0].elsewhere


def test_other_care_counts_to_the_maximum_and_uses_no_visit() -> None:
    plan = terms(deductible_remaining="0.00", copay="20.00", out_of_pocket_remaining="500.00", visits_remaining=2)
    found = forecast([year(plan)], weekly(2), OtherCare(START, D("490.00")))
    assert costs(found) == ["10.00", "0.00"]
    assert turns(found) == [("maximum_reached", 1, "2026-11-02", "10.00", "0.00")]


def test_other_care_right_after_a_turn_is_told_apart_from_it() -> None:
    plan = terms(deductible_remaining="100.00", coinsurance="0.20", out_of_pocket_remaining="600.00")
    found = forecast([year(plan)], weekly(3), OtherCare(date(2026, 11, 5), D("900.00")))
    assert costs(found) == ["112.00", "0.00", "0.00"]
    assert turns(found) == [
        ("deductible_met", 1, "2026-11-02", "112.00", "32.00"),
        ("maximum_reached", 1, "2026-11-05", "32.00", "0.00"),
    ]


def test_other_care_before_the_first_session_is_measured_against_its_price_without_it() -> None:
    plan = terms(deductible_remaining="500.00", coinsurance="0.20")
    found = forecast([year(plan)], weekly(2), OtherCare(date(2026, 11, 1), D("500.00")))
    assert turns(found) == [("deductible_met", 0, "2026-11-01", "160.00", "32.00")]


def test_other_care_after_the_last_session_and_of_no_weight_for_therapy_is_silent() -> None:
    waives = terms(deductible_remaining="500.00", copay="25.00", copay_rule=CopayRule.WAIVES_DEDUCTIBLE)
    for day in (START, date(2026, 12, 30)):
        found = forecast([year(waives)], weekly(3), OtherCare(day, D("900.00")))
        assert set(costs(found)) == {"25.00"}
        assert found.turns == ()


# --- What is not known ------------------------------------------------------------------------------------------------


def test_what_is_not_known_is_never_zero() -> None:
    found = forecast([year(terms(coinsurance="0.20"))], weekly(3))
    assert costs(found) == [None, None, None]
    assert found.turns == ()
    assert found.totals[0].client is None


def test_a_year_that_may_be_two_ways_is_priced_where_both_agree() -> None:
    low = terms(deductible_remaining="0.00", coinsurance="0.50", out_of_pocket_remaining="160.00")
    high = terms(deductible_remaining="0.00", coinsurance="0.50")
    assert costs(forecast([year(low, high)], weekly(4))) == ["80.00", "80.00", None, None]


# --- A plan year from its start ---------------------------------------------------------------------------------------


def figures(**more: Any) -> NetworkBenefits:
    return NetworkBenefits(coinsurance=D("0.20"), **more)


def both(own: tuple[str | None, str | None], family: tuple[str | None, str | None] = (None, None)) -> Accumulators:
    def one(pair: tuple[str | None, str | None]) -> Accumulator:
        return Accumulator(*(None if text is None else D(text) for text in pair))

    return Accumulators(one(own), one(family))


def test_limits_that_were_told_are_all_there_again() -> None:
    plan = figures(
        deductible=both(("500.00", "0.00"), ("1000.00", "310.00")),
        out_of_pocket=both(("3000.00", "1200.00")),
        visits=Visits(30, 4),
    )
    (again,) = set_of(fresh(plan))
    assert again.deductible == both(("500.00", "500.00"), ("1000.00", "1000.00"))
    assert again.out_of_pocket == both(("3000.00", "3000.00"))
    assert again.visits == Visits(30, 30)


def test_a_deductible_of_which_only_the_rest_was_told_is_not_known() -> None:
    (again,) = set_of(fresh(figures(deductible=both((None, "120.00"), ("1000.00", "310.00")))))
    assert again.deductible == Accumulators()


def test_no_deductible_stays_none() -> None:
    (again,) = set_of(fresh(figures(deductible=both(("0.00", None)))))
    assert again.deductible == both(("0.00", "0.00"))


def test_a_maximum_of_which_only_the_rest_was_told_is_at_least_that() -> None:
    lowest, highest = set_of(fresh(figures(out_of_pocket=both((None, "900.00"), ("6000.00", "100.00")))))
    assert lowest.out_of_pocket == both((None, "900.00"), ("6000.00", "6000.00"))
    assert highest.out_of_pocket == both((None, None), ("6000.00", "6000.00"))


def test_visits_of_which_only_the_rest_was_told_are_at_least_that() -> None:
    fewest, most = set_of(fresh(figures(visits=Visits(None, 6))))
    assert (fewest.visits, most.visits) == (Visits(None, 6), Visits(None, None))


def set_of(found: tuple[NetworkBenefits, ...]) -> list[NetworkBenefits]:
    assert len(found) == 4
    once: list[NetworkBenefits] = []
    for each in found:
        if each not in once:
            once.append(each)
    return once


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2026, 12, 31), date(2027, 12, 31)),
        (date(2028, 2, 29), date(2029, 2, 28)),
        (date(2027, 2, 28), date(2028, 2, 28)),
    ],
)
def test_a_year_on(day: date, later: date) -> None:
    assert year_on(day) == later


# --- The same prices as the walk that charges them --------------------------------------------------------------------

amounts = st.decimals(min_value=0, max_value=400, places=2)
plans = st.builds(
    PlanTerms,
    deductible_remaining=st.none() | amounts,
    family_deductible_remaining=st.none() | amounts,
    out_of_pocket_remaining=st.none() | amounts,
    copay=st.none() | amounts,
    copay_rule=st.none() | st.sampled_from(CopayRule),
    coinsurance=st.none() | st.decimals(min_value=0, max_value=1, places=2),
    visits_remaining=st.none() | st.integers(0, 6),
)


ahead = st.tuples(st.decimals(min_value=0, max_value=200, places=2), st.sampled_from((0, 7, 14)))


@given(plans, st.lists(ahead, min_size=1, max_size=8))
def test_a_forecast_prices_as_the_pricing_rules_do_and_every_turn_is_seen_in_the_prices(
    plan: PlanTerms, asked: list[tuple[Decimal, int]]
) -> None:
    day, planned = START, []
    for allowed, gap in asked:
        day += timedelta(days=gap)
        planned.append(PlannedSession(day, allowed))
    found = forecast([year(plan, last=date(2027, 12, 31))], [Ahead(each.date, each.allowed) for each in planned])
    assert [point.price for point in found.points] == list(price_sessions(plan, planned).sessions)
    for turn in found.turns:
        assert turn.turn is not Turn.NEW_YEAR
        assert 1 <= turn.after < len(found.points)
        assert turn.then == found.points[turn.after].client
        assert turn.before is None or turn.before != turn.then
        assert found.points[turn.after - 1].day == turn.day
