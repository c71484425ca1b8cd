"""What can be said when a fact is not known: only what would be the same whatever the fact is."""

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def agreed(answers: Iterable[T | None]) -> T | None:
    """The one answer that every possibility gives; ``None`` (not known) when two of them differ or there is none."""
    rest = iter(answers)
    first = next(rest, None)
    return first if all(answer == first for answer in rest) else None
