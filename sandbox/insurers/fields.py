"""Strict reading of control documents: every key known, every value of its kind, errors that name the place."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from common.errors import BadInput
from common.money import parse_money

Json = Mapping[str, Any]


class Fields:
    """One JSON object being read; :meth:`done` refuses keys that nobody asked for."""

    def __init__(self, source: object, where: str) -> None:
        if not isinstance(source, Mapping):
            raise BadInput("an object is needed here", where)
        self._source = source
        self._asked: set[str] = set()
        self.where = where

    def at(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def raw(self, key: str, default: object = None) -> Any:
        self._asked.add(key)
        value = self._source.get(key, default)
        return default if value is None else value

    def text(self, key: str, default: str | None = None) -> str:
        value = self.raw(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise BadInput("text is needed here", self.at(key))
        return value.strip()

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(key, default)
        if value not in allowed:
            raise BadInput(f"{value!r} is none of {', '.join(allowed)}", self.at(key))
        return value

    def money(self, key: str) -> Decimal | None:
        value = self.raw(key)
        return None if value is None else parse_money(value, self.at(key))

    def amount(self, key: str) -> Decimal:
        """Money that counts as zero when absent: what was used, never what a plan says."""
        return self.money(key) or Decimal("0.00")

    def rate(self, key: str) -> Decimal | None:
        value = self.raw(key)
        if value is None:
            return None
        try:
            rate = Decimal(value) if isinstance(value, str) else Decimal("NaN")
        except ArithmeticError:
            rate = Decimal("NaN")
        if not rate.is_finite() or not 0 <= rate <= 1:
            raise BadInput('a rate is written as a string from "0" to "1"', self.at(key))
        return rate

    def day(self, key: str) -> date | None:
        value = self.raw(key)
        if value is None:
            return None
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            raise BadInput("a date is written as 2026-01-05", self.at(key)) from None

    def required_day(self, key: str) -> date:
        value = self.day(key)
        if value is None:
            raise BadInput("a date is needed here", self.at(key))
        return value

    def whole(self, key: str) -> int | None:
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise BadInput("a whole number is needed here", self.at(key))
        return value

    def seconds(self, key: str, default: float) -> float:
        value = self.raw(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 86_400:
            raise BadInput("a number of seconds is needed here", self.at(key))
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.raw(key, default)
        if not isinstance(value, bool):
            raise BadInput("true or false is needed here", self.at(key))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.raw(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadInput("a list of texts is needed here", self.at(key))
        return tuple(value)

    def objects(self, key: str) -> list["Fields"]:
        value = self.raw(key, [])
        if not isinstance(value, list):
            raise BadInput("a list is needed here", self.at(key))
        return [Fields(item, f"{self.at(key)}[{index}]") for index, item in enumerate(value)]

    def object(self, key: str) -> "Fields | None":
        value = self.raw(key)
        return None if value is None else Fields(value, self.at(key))

    def done(self) -> None:
        unknown = sorted(set(self._source) - self._asked)
        if unknown:
            raise BadInput(f"unknown key {unknown[0]!r}", self.at(unknown[0]))
