"""Monthly parts: cents, dates, and the promise that a plan takes what is owed and never more."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.instalments import covered, monthly, split, spread, to_come
from common.money import ZERO, from_cents

D = Decimal

sums = st.integers(3, 500_000).map(from_cents)
amounts = st.integers(0, 100_000).map(from_cents)


def test_cents_that_cannot_be_shared_come_first() -> None:
    assert split(D("70.00")) == (D("23.34"), D("23.33"), D("23.33"))
    assert split(D("100.01")) == (D("33.34"), D("33.34"), D("33.33"))
    assert split(D("90.00")) == (D("30.00"),) * 3
    with pytest.raises(ValueError, match="too little"):
        split(D("0.02"))


@given(sums)
def test_parts_add_up_and_differ_by_a_cent_at_most(total: Decimal) -> None:
    parts = split(total)
    assert sum(parts) == total
    assert max(parts) - min(parts) <= D("0.01")
    assert list(parts) == sorted(parts, reverse=True)


def test_months_that_are_too_short_give_their_last_day() -> None:
    assert monthly(date(2026, 11, 22)) == (date(2026, 11, 22), date(2026, 12, 22), date(2027, 1, 22))
    assert monthly(date(2026, 12, 31)) == (date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28))
    assert monthly(date(2027, 12, 30))[2] == date(2028, 2, 29)


def test_what_is_paid_beside_the_plan_is_saved_from_the_last_part() -> None:
    agreed = [D("23.34"), D("23.33"), D("23.33")]
    assert to_come(agreed, D("70.00")) == tuple(agreed)
    assert to_come(agreed, D("50.00")) == (D("23.34"), D("23.33"), D("3.33"))
    assert to_come(agreed, D("20.00")) == (D("20.00"), ZERO, ZERO)
    assert to_come(agreed, D("90.00")) == tuple(agreed), "what the sessions cost more is no part of the plan"


@given(st.lists(amounts, max_size=6), amounts)
def test_parts_to_come_never_take_more_than_agreed_or_left(agreed: list[Decimal], left: Decimal) -> None:
    taken = to_come(agreed, left)
    assert all(ZERO <= take <= most for take, most in zip(taken, agreed, strict=True))
    assert sum(taken, ZERO) == min(left, sum(agreed, ZERO))


def test_a_part_that_was_missed_is_due_for_the_oldest_session() -> None:
    """$70.00 for two sessions; the first part of $23.34 was declined for good, $46.66 are to come."""
    agreed = {1: D("30.00"), 2: D("40.00")}
    assert covered(agreed, agreed, D("46.66")) == {2: D("40.00"), 1: D("6.66")}


@given(st.dictionaries(st.integers(1, 9), st.tuples(amounts, amounts), max_size=5), amounts)
def test_no_session_has_more_in_the_plan_than_is_owed_agreed_or_coming(
    sessions: dict[int, tuple[Decimal, Decimal]], coming: Decimal
) -> None:
    agreed = {session: each[0] for session, each in sessions.items()}
    owed = {session: each[1] for session, each in sessions.items()}
    planned = covered(agreed, owed, coming)
    assert all(ZERO <= planned[session] <= min(agreed[session], owed[session]) for session in planned)
    possible = sum((min(agreed[session], owed[session]) for session in agreed), ZERO)
    assert sum(planned.values(), ZERO) == min(possible, coming)


@given(st.dictionaries(st.integers(1, 9), amounts, max_size=5), amounts)
def test_money_is_spread_whole_or_not_at_all(owed: dict[int, Decimal], amount: Decimal) -> None:
    if amount > sum(owed.values(), ZERO):
        with pytest.raises(ValueError, match="too much"):
            spread(amount, owed)
        return
    parts = spread(amount, owed)
    assert sum(parts.values(), ZERO) == amount
    assert all(ZERO < part <= owed[session] for session, part in parts.items())
