"""A month of a client's account: which of the books' events is a charge, a payment or money back. Pure.

Amounts are signed dollars as they stand in the client's receivable: positive makes the client owe more. What a
statement shows follows from it: ``opening + charged - paid + refunded = closing``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from common.money import ZERO


class Kind(StrEnum):
    CHARGED = "charged"
    """Costs of sessions, their corrections, and what is written off: a write-off is a negative charge."""
    PAID = "paid"
    REFUNDED = "refunded"
    """Money that went back to the client: by us, or by the client's bank in a dispute that we lost."""


_PAID = ("payment",)
_REFUNDED = ("refund", "refund_external", "dispute_lost")


def kind_of(key: str) -> Kind:
    """What an entry of the books is on a statement, by its natural key. A reversal is of the kind that it reverses."""
    event = key.removeprefix("reversal:").partition(":")[0]
    if event in _PAID:
        return Kind.PAID
    return Kind.REFUNDED if event in _REFUNDED else Kind.CHARGED


@dataclass(frozen=True, slots=True)
class Totals:
    """A month's figures in dollars; balances and charges may be below zero."""

    opening: Decimal
    charged: Decimal
    paid: Decimal
    refunded: Decimal

    @property
    def closing(self) -> Decimal:
        return self.opening + self.charged - self.paid + self.refunded


def totals(opening: Decimal, moved: Iterable[tuple[Kind, Decimal]]) -> Totals:
    """Add up a month. ``moved``: each event's kind and its amount in the client's receivable."""
    sums = dict.fromkeys(Kind, ZERO)
    for kind, amount in moved:
        sums[kind] += amount
    return Totals(opening, sums[Kind.CHARGED], -sums[Kind.PAID], sums[Kind.REFUNDED])


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def after(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def before(month: date) -> date:
    """The first day of the month before."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
