"""A balance in monthly parts: dates, cents, and what is left of them when less is owed. Pure; dollars throughout."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from common.money import ZERO, from_cents, to_cents

PARTS = 3
"""Free of interest and in no more than four parts, so that it is no consumer credit (12 CFR 1026.2(a)(17)(i))."""


def split(total: Decimal, parts: int = PARTS) -> tuple[Decimal, ...]:
    """Equal parts that add up to ``total``; cents that cannot be shared go to the first parts.

    ``70.00`` in three → ``23.34, 23.33, 23.33``. Raises ``ValueError`` when a part would be less than a cent.
    """
    cents = to_cents(total)
    if cents < parts:
        raise ValueError(f"{total} is too little for {parts} parts")
    each, over = divmod(cents, parts)
    return tuple(from_cents(each + (number < over)) for number in range(parts))


def monthly(first: date, parts: int = PARTS) -> tuple[date, ...]:
    """The same day of each month from ``first`` on; the last day of a month that is too short."""
    days = []
    for ahead in range(parts):
        months = first.month - 1 + ahead
        year, month = first.year + months // 12, months % 12 + 1
        days.append(date(year, month, min(first.day, monthrange(year, month)[1])))
    return tuple(days)


def to_come(agreed: Sequence[Decimal], left: Decimal) -> tuple[Decimal, ...]:
    """What is taken of each part still to come when ``left`` is owed: what is paid beside the plan, or falls away,
    is saved from the last part on. Never more than was agreed."""
    amounts = []
    for amount in agreed:
        take = max(ZERO, min(amount, left))
        amounts.append(take)
        left -= take
    return tuple(amounts)


def covered(agreed: Mapping[int, Decimal], owed: Mapping[int, Decimal], coming: Decimal) -> dict[int, Decimal]:
    """What each session's balance has in the parts to come; what a plan does not cover is due now.

    ``agreed``: session → what the plan may still take for it, the oldest session first; ``owed``: session → what is
    owed for it; ``coming``: the parts to come as agreed, together. Money pays the oldest session first, so that the
    parts to come belong to the newest ones.
    """
    planned = {}
    for session in reversed(list(agreed)):
        take = max(ZERO, min(agreed[session], owed.get(session, ZERO), coming))
        planned[session] = take
        coming -= take
    return planned


def spread(amount: Decimal, owed: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """``amount`` over sessions in the order given, none above what is owed for it; sessions that get none are left
    out. Raises ``ValueError`` when it is more than all of them owe."""
    parts = {}
    for session, most in owed.items():
        take = min(amount, most)
        if take > ZERO:
            parts[session] = take
            amount -= take
    if amount > ZERO:
        raise ValueError(f"{amount} too much")
    return parts
