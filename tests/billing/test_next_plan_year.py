"""Sessions booked into a plan year that the insurer has not spoken of: the plan as it is, with nothing used."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.flows import refresh_benefits
from billing.services import costs
from common import clock
from insurance.domain.benefits import Benefits
from tests import cast as people
from tests.cast import Cast, benefits, observe

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def cast() -> Cast:
    with clock.as_of(datetime(2026, 12, 1, 15, tzinfo=UTC)):
        cast = people.assemble()
        refresh_benefits.remove_plan(cast.bens_plan)
        observe(cast.own_plan, benefits(deductible="0.00"))
        return cast


def test_the_deductible_starts_again_and_the_price_says_that_it_is_expected(cast: Cast) -> None:
    """Evergreen: 500.00 of deductible, all met; then 20% of 160.00."""
    with clock.as_of(datetime(2026, 12, 1, 15, tzinfo=UTC)):
        this_year, next_year = cast.book(days=7), cast.book(days=42)
        costs.reprice(cast.ana)

    now, then = costs.current_cost(this_year), costs.current_cost(next_year)
    assert now is not None and then is not None
    assert (now.amount, now.breakdown["verified"]) == (D("32.00"), True)
    assert (then.amount, then.breakdown["verified"]) == (D("160.00"), False)
    assert "starts again on 1 January 2027" in then.breakdown["why"][0]


def test_when_the_insurer_speaks_of_the_new_year_it_is_the_year_that_began(cast: Cast) -> None:
    with clock.as_of(datetime(2026, 12, 1, 15, tzinfo=UTC)):
        session = cast.book(days=42)
        costs.reprice(cast.ana)
    with clock.as_of(datetime(2027, 1, 2, 15, tzinfo=UTC)):
        told = benefits(deductible="100.00")
        assert told.plan_begin == date(2027, 1, 1)
        refresh_benefits.settle(observe(cast.own_plan, told))

    cost = costs.current_cost(session)
    assert cost is not None
    assert (cost.amount, cost.reason) == (D("112.00"), "plan_year_reset")


def test_a_plan_that_is_not_active_is_not_carried_on(cast: Cast) -> None:
    with clock.as_of(datetime(2026, 12, 2, 15, tzinfo=UTC)):
        told = benefits(deductible="0.00")
        ended = Benefits(active=False, plan_begin=told.plan_begin, plan_end=told.plan_end)
        observe(cast.own_plan, ended)
        session = cast.book(days=42)
        costs.reprice(cast.ana)

    cost = costs.current_cost(session)
    assert cost is not None
    assert (cost.amount, cost.breakdown["verified"]) == (D("160.00"), False)
    assert "not told us enough" in cost.breakdown["why"][0]
