"""CAS: why an amount differs from the charge. One shape for the 835 and for the prior payer's word in an 837P."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from insurance.x12.segments import Row, Segment, X12Error
from insurance.x12.values import amount, required_amount, write_amount

ZERO = Decimal("0.00")

GROUPS = ("CO", "PR", "OA", "PI")
"""CO contractual (written off), PR patient responsibility, OA other (neither), PI payer-initiated reduction."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One reason (CARC) and its dollars. Positive reduces the payment; in a reversal the signs turn round."""

    group: str
    code: str
    amount: Decimal
    quantity: Decimal | None = None


def exact(value: Decimal) -> Decimal:
    """The same amount with at least two places and without a negative zero, so that sums and texts look alike."""
    return value + ZERO if value else ZERO


def money(segment: Segment, index: int) -> Decimal:
    """A required monetary element; :class:`X12Error` names the segment when it is missing or no number."""
    return exact(required_amount(segment, index))


def optional_money(segment: Segment, index: int) -> Decimal | None:
    """A monetary element, ``None`` when absent."""
    value = amount(segment, index)
    return None if value is None else exact(value)


def read_adjustments(segment: Segment) -> list[Adjustment]:
    """The up to six adjustments of one CAS.

    Raises :class:`X12Error` for a reason without an amount, an amount without a reason, or no group: each would hide
    where the money went.
    """
    group = segment.get(1)
    if not group:
        raise X12Error("CAS01 is missing: whose share the adjustment is cannot be told", segment.where)
    found = []
    for index in range(2, len(segment.elements), 3):
        code = segment.get(index)
        if not code and not amount(segment, index + 1):
            continue
        if not code:
            raise X12Error(f"CAS{index:02d} is missing: an amount without its reason", segment.where)
        found.append(Adjustment(group, code, money(segment, index + 1), amount(segment, index + 2)))
    if not found:
        raise X12Error("CAS02 is missing: an adjustment without a reason", segment.where)
    return found


def write_adjustments(adjustments: Iterable[Adjustment]) -> list[Row]:
    """CAS rows: one per run of the same group, six adjustments at most in each, in the order given."""
    rows: list[list[str]] = []
    for adjustment in adjustments:
        if not rows or rows[-1][1] != adjustment.group or len(rows[-1]) >= 20:
            rows.append(["CAS", adjustment.group])
        quantity = "" if adjustment.quantity is None else write_amount(adjustment.quantity)
        rows[-1] += [adjustment.code, write_amount(adjustment.amount), quantity]
    return [tuple(row) for row in rows]


def total(adjustments: Iterable[Adjustment], group: str | None = None) -> Decimal:
    """Sum of the amounts, of one group or of all."""
    return sum((each.amount for each in adjustments if group in (None, each.group)), ZERO)


def as_json(adjustments: Iterable[Adjustment]) -> list[dict[str, str]]:
    """``[{"group", "code", "amount"}]`` as the commands print them."""
    return [{"group": each.group, "code": each.code, "amount": f"{each.amount:.2f}"} for each in adjustments]
