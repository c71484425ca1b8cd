"""Which payments a refund comes from, and what is left to give back when one did not arrive. Pure.

A refund goes back to the cards that paid, newest first, never above what is left on each for the session. A payment is
passed over when its card did not take a refund (it would not take the next one either) or while a bank holds the money
in a dispute: what only such payments could give is told as ``unplaced``, and a person looks at it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.money import ZERO


@dataclass(frozen=True, slots=True)
class Refundable:
    """A succeeded payment for the session: its id and what is still left on it, in dollars.

    ``card_gone``: a refund to its card failed. ``disputed``: the client's bank has the money, or took it for good.
    """

    payment: int
    left: Decimal
    card_gone: bool = False
    disputed: bool = False

    @property
    def usable(self) -> bool:
        return not self.card_gone and not self.disputed


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


def left_for(paid: Decimal, given_back: Sequence[Decimal]) -> Decimal:
    """What is left of a payment for one session: never below zero."""
    return max(ZERO, paid - sum(given_back, ZERO))


def allocate(amount: Decimal, newest_first: Sequence[Refundable]) -> Allocation:
    """Spread ``amount`` dollars over payments, newest first, never above what is left on each.

    The newest first because its card is the likeliest to be still alive. Raises ``ValueError`` for a negative amount.
    """
    if amount < ZERO:
        raise ValueError(f"cannot refund {amount}")
    rest = amount
    parts = []
    for payment in newest_first:
        take = min(rest, payment.left) if payment.usable else ZERO
        if take > ZERO:
            parts.append(Part(payment.payment, take))
            rest -= take
    return Allocation(tuple(parts), rest)


def another_way(failed: Decimal, owed_back: Decimal) -> Decimal:
    """How much of a failed refund is given back by check or transfer: what the session's books still owe of it.

    It may be less than the refund was: another card took a part meanwhile, or the session became dearer. Zero when
    nothing is owed back any more.
    """
    return min(failed, max(ZERO, owed_back))
