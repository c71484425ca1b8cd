"""Small state machines: the transitions are data, one guarded function moves a row.

A row may carry several small status axes (a claim: submission and adjudication), each its own ``Axis``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from common.errors import DomainError


class IllegalTransition(DomainError):
    """The row cannot go from the state it is in to the one asked for."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One status column and the moves it may make: ``{"from": {"to", ...}}``."""

    field: str
    moves: Mapping[str, frozenset[str]]

    def allows(self, source: str, target: str) -> bool:
        return target in self.moves.get(source, frozenset())


def axis(field: str, moves: Mapping[str, set[str]]) -> Axis:
    """Build an :class:`Axis`, checking that every target is itself a known state."""
    known = set(moves)
    for source, targets in moves.items():
        unknown = targets - known
        if unknown:
            raise ValueError(f"{field}: {source} leads to unknown {sorted(unknown)}")
    return Axis(field, {source: frozenset(targets) for source, targets in moves.items()})


def move(row: models.Model, on: Axis, target: str, **also: Any) -> bool:
    """Move ``row`` along ``on`` to ``target`` and set ``also`` in the same UPDATE.

    Locks the row first. Returns ``True`` when this call moved it and ``False`` when it was in ``target`` already
    (late or repeated news is no error). Raises :class:`IllegalTransition` otherwise. ``row`` is refreshed either way.
    """
    model = type(row)
    with transaction.atomic():
        current = model._default_manager.select_for_update(no_key=True).get(pk=row.pk)
        source = getattr(current, on.field)
        moved = source != target
        if moved:
            if not on.allows(source, target):
                raise IllegalTransition(f"{model._meta.verbose_name} {row.pk} cannot go from {source} to {target}")
            model._default_manager.filter(pk=row.pk).update(**{on.field: target, **also})
    row.refresh_from_db()
    return bool(moved)
