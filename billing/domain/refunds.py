"""Which payments a refund comes from. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.money import ZERO


@dataclass(frozen=True, slots=True)
class Refundable:
    """A succeeded payment for the session: its id and what is still left on it, in dollars."""

    payment: int
    left: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """So much to be given back from one payment, in dollars, above zero."""

    payment: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """The parts of a refund, and what could not be placed on any payment (a person has to look at it)."""

    parts: tuple[Part, ...]
    unplaced: Decimal


def allocate(amount: Decimal, newest_first: Sequence[Refundable]) -> Allocation:
    """Spread ``amount`` dollars over payments, newest first, never above what is left on each.

    The newest first because its card is the likeliest to be still alive. Raises ``ValueError`` for a negative amount.
    """
    if amount < ZERO:
        raise ValueError(f"cannot refund {amount}")
    rest = amount
    parts = []
    for payment in newest_first:
        take = min(rest, payment.left)
        if take > ZERO:
            parts.append(Part(payment.payment, take))
            rest -= take
    return Allocation(tuple(parts), rest)
