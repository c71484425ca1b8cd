"""Element values to Python and back: amounts (X12 type R), dates (D8, RD8), numbers. Errors name the element."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from insurance.x12.segments import Segment, X12Error

_AMOUNT = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{0,9})?")
"""Nearly every amount; what does not look like this is judged with more care."""


def amount(segment: Segment, index: int) -> Decimal | None:
    """A monetary or decimal element as written; ``None`` when empty. Raises :class:`X12Error` when it is no number."""
    text = segment.get(index)
    if not text:
        return None
    if _AMOUNT.fullmatch(text):
        return Decimal(text)
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    exponent = value.as_tuple().exponent
    # Digits of other scripts, underscores and exponents beyond any amount are numbers to Python, not to X12.
    plain = text.isascii() and "_" not in text and isinstance(exponent, int) and exponent >= -9
    if not plain or value.adjusted() >= 12:
        raise X12Error(f"{segment.id}{index:02d} {text!r} is not a number", segment.where)
    return value


def required_amount(segment: Segment, index: int) -> Decimal:
    """Like :func:`amount`, but an empty element is an error."""
    value = amount(segment, index)
    if value is None:
        raise X12Error(f"{segment.id}{index:02d} is missing", segment.where)
    return value


def day(text: str) -> date | None:
    """``20260105`` (or ``260105``) as a date; ``None`` when it is not one."""
    if len(text) not in (6, 8) or not (text.isascii() and text.isdigit()):
        return None
    if len(text) == 6:
        text = ("20" if text < "69" else "19") + text
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def period(qualifier: str, text: str) -> tuple[date | None, date | None]:
    """A DTP's format qualifier and value as (first day, last day); one day for D8, a range for RD8."""
    if qualifier == "RD8":
        first, _, last = text.partition("-")
        return day(first), day(last)
    single = day(text)
    return single, single


def write_day(value: date) -> str:
    """A date as CCYYMMDD."""
    return value.strftime("%Y%m%d")


def write_amount(value: Decimal) -> str:
    """A decimal as X12 type R: plain notation, no trailing zeros (``130.00`` → ``130``)."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_npi(text: str) -> bool:
    """Whether ``text`` is an NPI: ten digits, the first 1 or 2, the last Luhn's over 80840 and the other nine (CMS)."""
    if not re.fullmatch(r"[12][0-9]{9}", text):
        return False
    total = 24
    for place, digit in enumerate(reversed(text)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
