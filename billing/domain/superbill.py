"""Which sessions a superbill may hold. Pure.

A superbill is what a client hands to an insurer that we do not bill: an itemised statement of services that took place.
A session that we bill ourselves is never on one: the insurer would be asked for the same money twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class WhyNot(StrEnum):
    """Why a session is on no superbill."""

    TO_COME = "to_come"
    NOT_CONFIRMED = "not_confirmed"
    """Nobody has said yet that it took place."""
    DID_NOT_TAKE_PLACE = "did_not_take_place"
    BILLED = "billed"
    """A claim of ours was decided, is with an insurer, or still goes there."""


@dataclass(frozen=True, slots=True)
class Billed:
    """A claim of the session. ``open``: it is with an insurer or still goes there; ``decided``: an insurer answered."""

    open: bool
    decided: bool


def why_not(*, status: str, past: bool, claims: Sequence[Billed]) -> WhyNot | None:
    """Why a session cannot be on a superbill, or ``None`` when it can. ``status`` as in ``care.models.Session``."""
    if status not in ("scheduled", "confirmed"):
        return WhyNot.DID_NOT_TAKE_PLACE
    if not past:
        return WhyNot.TO_COME
    if status != "confirmed":
        return WhyNot.NOT_CONFIRMED
    if any(claim.open or claim.decided for claim in claims):
        return WhyNot.BILLED
    return None
