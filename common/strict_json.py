"""JSON read strictly: every key known, no key twice, every value of its kind, and each fault named by its place.

A reader goes on after a fault, so that one run shows them all::

    faults: list[Fault] = []
    plan = Place(parse(data), "plan", faults).object({"copay", "visits"})
    copay = plan.get("copay").money()          # None when missing, null or at fault
    if faults: ...
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from common.errors import BadInput
from common.money import parse_money

Choice = TypeVar("Choice", bound=StrEnum)

_PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]{1,2})?")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LARGEST_WHOLE = 10**9
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: ``[2].plan.copay``; the empty place is the whole input."""

    where: str
    message: str


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys as they stand, repeated ones too."""


@dataclass(frozen=True, slots=True)
class _NotWhole:
    """A number with a point, an exponent or very many digits, or ``NaN``: never taken, only quoted in a fault."""

    text: str


def parse(data: bytes) -> Any:
    """JSON text (UTF-8) as values for :class:`Place`. Raises ``BadInput`` with line and column for what is not JSON."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("the input is not UTF-8 text", f"byte {error.start + 1}") from None
    try:
        return json.loads(
            text, object_pairs_hook=_Pairs, parse_float=_NotWhole, parse_int=_whole, parse_constant=_NotWhole
        )
    except json.JSONDecodeError as error:
        raise BadInput(f"the input is not JSON: {error.msg}", f"line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise BadInput("the input is nested too deeply", "") from None


def _whole(digits: str) -> int | _NotWhole:
    return int(digits) if len(digits) <= len(str(_LARGEST_WHOLE)) else _NotWhole(digits)


def _quoted(value: object) -> str:
    """A value as it stood in the input, shortened."""
    if isinstance(value, _Pairs):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = value.text if isinstance(value, _NotWhole) else json.dumps(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


@dataclass(frozen=True, slots=True)
class Place:
    """A value and where it stands. A method returns what it read, or ``None`` and notes a fault."""

    value: Any
    where: str
    faults: list[Fault]
    missing: bool = False
    broken: bool = False
    """A member of something that is not an object, for which a fault is noted already."""

    def fault(self, message: str, where: str | None = None) -> None:
        """Note that something is wrong here."""
        self.faults.append(Fault(self.where if where is None else where, message))

    @property
    def absent(self) -> bool:
        """Missing or ``null``: not known."""
        return self.value is None

    def required(self) -> "Place":
        """Note a fault when the value is missing or ``null``."""
        if self.broken:
            return self
        if self.missing:
            self.fault("this is required")
        elif self.value is None:
            self.fault("this is required and cannot be null")
        return self

    def object(self, keys: Collection[str]) -> "Object":
        """The object here, with no keys but ``keys`` and none twice; an empty one when it is missing or at fault."""
        if not isinstance(self.value, _Pairs):
            if not self.absent:
                self.fault(f"expected an object, not {_quoted(self.value)}")
            return Object(self, {}, broken=True)
        members: dict[str, Any] = {}
        for key, value in self.value:
            where = self.member(key)
            if key not in keys:
                self.fault(f"unknown key {_quoted(key)}; known keys: {', '.join(sorted(keys))}", where)
            elif key in members:
                self.fault(f"the key {_quoted(key)} is given twice", where)
            else:
                members[key] = value
        return Object(self, members)

    def peek(self, key: str) -> Any:
        """A member's value before the object's keys are checked; ``None`` when there is none."""
        return dict(self.value).get(key) if isinstance(self.value, _Pairs) else None

    def items(self) -> list["Place"]:
        """The places of a list's items; none when it is missing or at fault."""
        if isinstance(self.value, list) and not isinstance(self.value, _Pairs):
            return [Place(item, f"{self.where}[{index}]", self.faults) for index, item in enumerate(self.value)]
        if not self.absent:
            self.fault(f"expected a list, not {_quoted(self.value)}")
        return []

    @property
    def is_list(self) -> bool:
        """A list, as opposed to an object or a plain value."""
        return isinstance(self.value, list) and not isinstance(self.value, _Pairs)

    def text(self) -> str | None:
        """A text that is not empty."""
        if self.absent:
            return None
        if not isinstance(self.value, str):
            self.fault(f"expected a text, not {_quoted(self.value)}")
        elif not self.value.strip():
            self.fault("this text is empty")
        else:
            return self.value
        return None

    def money(self) -> Decimal | None:
        """Dollars: a string such as ``"42.10"``, not negative, with at most two decimals."""
        if self.absent:
            return None
        try:
            if not isinstance(self.value, str):
                self._refuse(f'expected money as a string such as "42.10", not {_quoted(self.value)}')
            amount = parse_money(self.value, self.where)
            if not _PLAIN_NUMBER.fullmatch(self.value):
                self._refuse(f"{_quoted(self.value)} is not an amount of money")
        except BadInput as error:
            self.fault(str(error))
            return None
        return amount

    def share(self) -> Decimal | None:
        """A share from 0 to 1: a string such as ``"0.20"`` with at most two decimals."""
        if self.absent:
            return None
        if not isinstance(self.value, str) or not _PLAIN_NUMBER.fullmatch(self.value):
            self.fault(
                'expected a share from 0 to 1 as a string with at most two decimals such as "0.20", '
                f"not {_quoted(self.value)}"
            )
            return None
        share = Decimal(self.value)
        if share > 1:
            self.fault(f"{_quoted(self.value)} is more than 1; 20 percent is written as 0.20")
            return None
        return share

    def whole(self) -> int | None:
        """A whole number, not negative."""
        if self.absent:
            return None
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self.fault(f"expected a whole number, not {_quoted(self.value)}")
        elif self.value < 0:
            self.fault(f"{self.value} is negative")
        elif self.value > _LARGEST_WHOLE:
            self.fault(f"{self.value} is too large")
        else:
            return self.value
        return None

    def flag(self) -> bool | None:
        """``true`` or ``false``."""
        if self.absent:
            return None
        if isinstance(self.value, bool):
            return self.value
        self.fault(f"expected true or false, not {_quoted(self.value)}")
        return None

    def date(self) -> date | None:
        """A calendar date written as ``2026-01-31``."""
        if self.absent:
            return None
        if isinstance(self.value, str) and _ISO_DATE.fullmatch(self.value):
            try:
                return date.fromisoformat(self.value)
            except ValueError:
                self.fault(f"there is no day {_quoted(self.value)}")
                return None
        self.fault(f"expected a date such as 2026-01-31, not {_quoted(self.value)}")
        return None

    def choice(self, choices: type[Choice]) -> Choice | None:
        """One of the values of an enumeration."""
        if self.absent:
            return None
        if isinstance(self.value, str) and self.value in set(choices):
            return choices(self.value)
        self.fault(f"expected one of {', '.join(choices)}, not {_quoted(self.value)}")
        return None

    def member(self, key: str) -> str:
        """Where a member of this object stands."""
        return f"{self.where}.{key}" if self.where else key

    def _refuse(self, message: str) -> NoReturn:
        raise BadInput(message, self.where)


@dataclass(frozen=True, slots=True)
class Object:
    """The members of a JSON object."""

    place: Place
    members: dict[str, Any]
    broken: bool = False

    def get(self, key: str) -> Place:
        """The place of a member; an absent one when it is missing."""
        return Place(
            self.members.get(key),
            self.place.member(key),
            self.place.faults,
            missing=key not in self.members,
            broken=self.broken,
        )
