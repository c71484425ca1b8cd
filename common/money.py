"""Money: ``Decimal`` dollars with two places. Integer cents exist only at Stripe's edge."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models

from common.errors import BadInput

ZERO = Decimal("0.00")
_CENT = Decimal("0.01")


def to_cents(amount: Decimal) -> int:
    """Dollars to integer cents, exactly; raises ``ValueError`` for a fraction of a cent."""
    cents = amount * 100
    if cents != cents.to_integral_value():
        raise ValueError(f"{amount} has a fraction of a cent")
    return int(cents)


def from_cents(cents: int) -> Decimal:
    """Integer cents to dollars with two places."""
    return (Decimal(cents) / 100).quantize(_CENT)


def round_cents(amount: Decimal) -> Decimal:
    """Round half up to the cent, as insurers do."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)


def parse_money(text: object, where: str = "") -> Decimal:
    """Read ``"42.10"`` as dollars.

    Raises ``BadInput`` for anything that is not a non-negative plain decimal string with at most two decimals.
    """
    if not isinstance(text, str):
        raise BadInput(f'money is written as a string such as "42.10", not {text!r}', where)
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise BadInput(f"{text!r} is not an amount of money", where) from None
    if not amount.is_finite() or text.strip() != text or "e" in text.lower() or "_" in text or text.startswith("+"):
        raise BadInput(f"{text!r} is not an amount of money", where)
    if amount < 0 or text.startswith("-"):
        raise BadInput(f"{text!r} is negative", where)
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -2:
        raise BadInput(f"{text!r} has more than two decimals", where)
    if amount >= Decimal("1e12"):
        raise BadInput(f"{text!r} is too large", where)
    return amount.quantize(_CENT)


def plain(amount: Decimal | None) -> str | None:
    """``Decimal("42.1")`` → ``"42.10"`` for JSON; ``None`` (not known) stays ``None``."""
    return None if amount is None else f"{amount:.2f}"


def dollars(amount: Decimal) -> str:
    """``Decimal("1000")`` → ``"$1,000.00"``; a negative amount → ``"-$5.00"``."""
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):,.2f}"


def money_field(*, signed: bool = False, **options: Any) -> "models.DecimalField[Any, Any]":
    """A ``numeric(12,2)`` column of dollars. Not signed (the default) refuses negatives in forms and admin.

    The database's own CHECK belongs to the model's constraints, where it can be named.
    """
    validators = [] if signed else [MinValueValidator(ZERO)]
    return models.DecimalField(max_digits=12, decimal_places=2, validators=validators, **options)
