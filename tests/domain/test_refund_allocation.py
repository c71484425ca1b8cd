"""Which payments a refund comes from: the newest first, never above what is left on each."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.refunds import Allocation, Part, Refundable, allocate

D = Decimal


def test_the_newest_payment_gives_first() -> None:
    found = allocate(D("40.00"), [Refundable(2, D("30.00")), Refundable(1, D("72.00"))])
    assert found == Allocation((Part(2, D("30.00")), Part(1, D("10.00"))), D("0.00"))


def test_what_no_payment_holds_is_told_and_never_invented() -> None:
    assert allocate(D("40.00"), [Refundable(1, D("25.00"))]) == Allocation((Part(1, D("25.00")),), D("15.00"))


def test_a_payment_given_back_already_gives_nothing() -> None:
    assert allocate(D("5.00"), [Refundable(2, D("0.00")), Refundable(1, D("9.00"))]).parts == (Part(1, D("5.00")),)


def test_a_negative_refund_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="cannot refund"):
        allocate(D("-1.00"), [])


cents = st.integers(0, 100_000).map(lambda value: D(value) / 100)


@given(cents, st.lists(cents, max_size=6))
def test_nothing_is_lost_and_nothing_is_overdrawn(amount: Decimal, left: list[Decimal]) -> None:
    payments = [Refundable(number, each) for number, each in enumerate(left)]
    found = allocate(amount, payments)
    assert sum((part.amount for part in found.parts), found.unplaced) == amount
    for part in found.parts:
        assert D("0.00") < part.amount <= left[part.payment]
    if found.unplaced:
        assert sum((part.amount for part in found.parts), D("0.00")) == sum(left, D("0.00"))
