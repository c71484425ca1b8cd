"""Dollars and days."""

from datetime import date
from decimal import Decimal

import pytest

from common.clock import add_business_days, is_business_day
from common.errors import BadInput
from common.money import dollars, from_cents, parse_money, plain, round_cents, to_cents

D = Decimal


@pytest.mark.parametrize(
    ("text", "amount"), [("42.10", "42.10"), ("42.1", "42.10"), ("0", "0.00"), ("1000", "1000.00")]
)
def test_money_is_read_exactly(text: str, amount: str) -> None:
    assert plain(parse_money(text)) == amount


@pytest.mark.parametrize(
    "wrong",
    ["", " 1", "1 ", "-1", "-0", "+1", "1.005", "1e3", "1_000", "NaN", "Infinity", "1,000", "$5", 5, 5.0, None, True],
)
def test_what_is_not_money_is_refused_with_its_place(wrong: object) -> None:
    with pytest.raises(BadInput) as refusal:
        parse_money(wrong, "plan.copay")
    assert refusal.value.where == "plan.copay"


def test_dollars_for_people() -> None:
    assert dollars(D("1000")) == "$1,000.00"
    assert dollars(D("-5")) == "-$5.00"


def test_cents_only_at_the_edge_and_never_a_part_of_one() -> None:
    assert to_cents(D("72.00")) == 7200
    assert from_cents(7201) == D("72.01")
    with pytest.raises(ValueError, match="fraction of a cent"):
        to_cents(D("0.005"))


@pytest.mark.parametrize(
    ("exact", "rounded"), [("0.005", "0.01"), ("1.005", "1.01"), ("0.0049", "0.00"), ("2.675", "2.68")]
)
def test_half_a_cent_goes_up(exact: str, rounded: str) -> None:
    assert round_cents(D(exact)) == D(rounded)


def test_five_business_days_pass_over_weekends_and_thanksgiving() -> None:
    assert add_business_days(date(2026, 11, 20), 5) == date(2026, 11, 30)
    assert not is_business_day(date(2026, 11, 26))
    assert not is_business_day(date(2027, 7, 5)), "Independence Day observed"
    assert add_business_days(date(2026, 11, 21), 0) == date(2026, 11, 21)
