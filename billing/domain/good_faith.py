"""Good Faith Estimates: which sessions one covers and by when it must be in the client's hands. Pure.

45 CFR 149.610: (b)(1)(vi) how soon, (b)(1)(x) one estimate for recurring services, up to twelve months, (c)(1) content.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from common.money import ZERO

LONGEST_MONTHS = 12
SOON, FAR = 3, 10
"""Business days ahead of the first session: from 3 on within 1 business day, from 10 on within 3."""
ON_REQUEST = 3
"""Business days within which a requested estimate must be given, when nothing is booked."""


class Frequency(StrEnum):
    """How often the client plans to come."""

    WEEKLY = "weekly"
    BIWEEKLY = "biweekly"
    MONTHLY = "monthly"
    ONCE = "once"


_STEP = {Frequency.WEEKLY: 7, Frequency.BIWEEKLY: 14, Frequency.MONTHLY: 28}


def last_day(first: date, months: int) -> date:
    """The last day of ``months`` months that begin on ``first``. Raises ``ValueError`` beyond twelve."""
    if not 1 <= months <= LONGEST_MONTHS:
        raise ValueError(f"an estimate covers 1 to {LONGEST_MONTHS} months, not {months}")
    year, month = first.year + (first.month - 1 + months) // 12, (first.month - 1 + months) % 12 + 1
    day = first.day
    while True:
        try:
            return date(year, month, day) - timedelta(days=1)
        except ValueError:
            day -= 1


def planned_days(first: date, last: date, frequency: Frequency) -> list[date]:
    """The days on which sessions are expected, both ends included; monthly is every four weeks."""
    if frequency is Frequency.ONCE:
        return [first]
    step = _STEP[frequency]
    return [first + timedelta(days=step * number) for number in range((last - first).days // step + 1)]


def business_days_to_issue(ahead: int | None) -> int:
    """Within how many business days the estimate must be given; 0 is today.

    ``ahead`` is how many business days the first booked session is away, ``None`` when none is booked.
    """
    if ahead is None:
        return ON_REQUEST
    return 3 if ahead >= FAR else 1 if ahead >= SOON else 0


@dataclass(frozen=True, slots=True)
class Item:
    """One kind of service on one day: CPT with modifiers, diagnosis codes, dollars."""

    cpt: str
    diagnoses: tuple[str, ...]
    charge: Decimal


@dataclass(frozen=True, slots=True)
class Row:
    """Equal items together."""

    cpt: str
    diagnoses: tuple[str, ...]
    charge: Decimal
    count: int

    @property
    def total(self) -> Decimal:
        return self.charge * self.count


def rows(items: Iterable[Item]) -> list[Row]:
    """Items with the same service, diagnoses and charge in one row, in the order in which they first appear."""
    counts: dict[Item, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    return [Row(item.cpt, item.diagnoses, item.charge, count) for item, count in counts.items()]


def total(of: Iterable[Row]) -> Decimal:
    """Dollars of all rows."""
    return sum((row.total for row in of), ZERO)
