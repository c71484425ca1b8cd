"""Which payments a refund comes from: the newest first, never above what is left on each."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.refunds import Allocation, Part, Refundable, allocate, another_way, left_for

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


def test_a_dead_card_and_a_disputed_payment_are_passed_over() -> None:
    payments = [
        Refundable(3, D("30.00"), card_gone=True),
        Refundable(2, D("30.00"), disputed=True),
        Refundable(1, D("25.00")),
    ]
    assert allocate(D("40.00"), payments) == Allocation((Part(1, D("25.00")),), D("15.00"))


def test_what_is_sent_another_way_is_what_is_still_owed() -> None:
    assert another_way(D("40.00"), D("40.00")) == D("40.00")
    assert another_way(D("40.00"), D("15.00")) == D("15.00"), "the session became dearer meanwhile"
    assert another_way(D("40.00"), D("90.00")) == D("40.00"), "the rest is another refund's"
    assert another_way(D("40.00"), D("-3.00")) == D("0.00")


def test_what_is_left_is_never_below_zero() -> None:
    assert left_for(D("50.00"), [D("20.00"), D("5.00")]) == D("25.00")
    assert left_for(D("50.00"), [D("60.00")]) == D("0.00")


cents = st.integers(0, 100_000).map(lambda value: D(value) / 100)


flags = st.tuples(cents, st.booleans(), st.booleans())


@given(cents, st.lists(flags, max_size=6))
def test_nothing_is_lost_and_nothing_is_overdrawn(amount: Decimal, left: list[tuple[Decimal, bool, bool]]) -> None:
    payments = [Refundable(number, each, gone, disputed) for number, (each, gone, disputed) in enumerate(left)]
    found = allocate(amount, payments)
    assert sum((part.amount for part in found.parts), found.unplaced) == amount
    for part in found.parts:
        assert D("0.00") < part.amount <= payments[part.payment].left
        assert payments[part.payment].usable
    usable = [each for each in payments if each.usable]
    if found.unplaced:
        assert sum((part.amount for part in found.parts), D("0.00")) == sum((each.left for each in usable), D("0.00"))
    # Newest first: all before the last one that gives have given all they had.
    given = {part.payment: part.amount for part in found.parts}
    for each in [each for each in usable if each.left and each.payment < max(given, default=0)]:
        assert given[each.payment] == each.left
