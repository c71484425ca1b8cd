"""Laying dated statements over what is recorded for the same thing, so that on no day two of them are in force.

One call is about one key: one insurer's contract, one provider's credential with one insurer in one state, one rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from django.utils.translation import gettext as _

ONE_DAY = timedelta(days=1)


class Kind(StrEnum):
    """What happens to a row."""

    ADDED = "added"
    ENDED = "ended"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row as it is: days it is in force (both included, ``None``: until further notice), rate in dollars if any."""

    pk: int
    begins_on: date
    ends_on: date | None
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """What line ``line`` of a file says. No end means: until the next row of the same key begins, or further notice."""

    line: int
    begins_on: date
    ends_on: date | None
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One row to be added, or to be written anew: ``was`` is how it is recorded, ``None`` when it is added."""

    kind: Kind
    line: int
    begins_on: date
    ends_on: date | None
    rate: Decimal | None
    was: Recorded | None = None


@dataclass(frozen=True, slots=True)
class Clash:
    """Line ``line`` cannot stand; ``column`` is what to look at."""

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Laid:
    """What follows. ``unchanged``: how many statements are recorded just so."""

    changes: tuple[Change, ...]
    clashes: tuple[Clash, ...]
    unchanged: int


def lay(recorded: Sequence[Recorded], stated: Sequence[Stated]) -> Laid:
    """Put ``stated`` over ``recorded``.

    A statement with the first day of a recorded row is about that row. A new one ends the row before it on the day
    before. One with an end of its own that reaches into the next row is a clash: somebody must say which is right.
    Laying the same again changes nothing.
    """
    clashes: list[Clash] = []
    rows: dict[date, Recorded | Stated] = {each.begins_on: each for each in recorded}
    known = {each.begins_on: each for each in recorded}
    unchanged = 0
    said: dict[date, Stated] = {}
    for statement in stated:
        before = said.get(statement.begins_on)
        if before is None:
            said[statement.begins_on] = rows[statement.begins_on] = statement
        elif (before.ends_on, before.rate) == (statement.ends_on, statement.rate):
            unchanged += 1  # the same line twice
        else:
            message = _("Line %(line)s says something else for the same first day.") % {"line": before.line}
            clashes.append(Clash(statement.line, "begins_on", message))
    in_order = [rows[day] for day in sorted(rows)]
    changes: list[Change] = []
    for place, each in enumerate(in_order):
        following = in_order[place + 1] if place + 1 < len(in_order) else None
        ends = each.ends_on
        if following is not None and (ends is None or ends >= following.begins_on):
            if isinstance(each, Stated) and ends is not None:
                clashes.append(_overlap(each, following))
                continue
            if isinstance(each, Stated) or isinstance(following, Stated):
                ends = following.begins_on - ONE_DAY
        if isinstance(each, Stated):
            was = known.get(each.begins_on)
            if was is not None and (was.ends_on, was.rate) == (ends, each.rate):
                unchanged += 1
            else:
                changes.append(Change(_kind(was, ends, each.rate), each.line, each.begins_on, ends, each.rate, was))
        elif ends != each.ends_on:
            assert isinstance(following, Stated)
            changes.append(Change(Kind.ENDED, following.line, each.begins_on, ends, each.rate, each))
    return Laid(tuple(changes), tuple(clashes), unchanged)


def _kind(was: Recorded | None, ends: date | None, rate: Decimal | None) -> Kind:
    if was is None:
        return Kind.ADDED
    if was.rate == rate and ends is not None and (was.ends_on is None or ends < was.ends_on):
        return Kind.ENDED
    return Kind.CHANGED


def _overlap(each: Stated, following: Recorded | Stated) -> Clash:
    if isinstance(following, Stated):
        message = _("It ends on %(ends)s, but line %(line)s begins on %(begins)s.")
    else:
        message = _("It ends on %(ends)s, but another one is recorded from %(begins)s on.")
    where = {"ends": each.ends_on, "begins": following.begins_on, "line": getattr(following, "line", "")}
    return Clash(each.line, "ends_on", message % where)
