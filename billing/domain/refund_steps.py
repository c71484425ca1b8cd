"""A refund as steps on a line of time: what is done, what comes next and by when. Pure.

Promised → sent → processed → on the statement. A card that does not take it turns the line: the money comes another
way, until a check or transfer has gone out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Kind(StrEnum):
    PROMISED = "promised"
    SENT = "sent"
    PROCESSED = "processed"
    ON_STATEMENT = "on_statement"
    RETURNED = "returned"
    """The card did not take it, or its bank sent it back."""
    ANOTHER_WAY = "another_way"
    """Given by check or transfer, or about to be."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``at``: a moment, or a day; ``None`` where only the order is known. ``done`` or still to come."""

    kind: Kind
    at: "datetime | date | None"
    done: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A refund as it stands. ``state`` as in ``billing.models.Refund``; ``statement_by`` once it was processed."""

    state: str
    promised: datetime
    processed: datetime | None
    statement_by: date | None
    seen_on: date


def steps(refund: Standing) -> Sequence[Step]:
    """The steps in order of time; the one under way is the first that is not done."""
    found = [Step(Kind.PROMISED, refund.promised, True)]
    if refund.state in ("failed", "external"):
        # When a processed refund comes back, the day of processing was the card's; of an external one it is its own.
        if refund.state == "failed" and refund.processed is not None:
            found.append(Step(Kind.PROCESSED, refund.processed, True))
        found.append(Step(Kind.RETURNED, None, True))
        given = refund.state == "external"
        found.append(Step(Kind.ANOTHER_WAY, refund.processed if given else None, given))
        return found
    found.append(Step(Kind.SENT, None, refund.state != "created"))
    found.append(Step(Kind.PROCESSED, refund.processed, refund.state == "succeeded"))
    arrived = refund.state == "succeeded" and refund.statement_by is not None and refund.seen_on > refund.statement_by
    found.append(Step(Kind.ON_STATEMENT, refund.statement_by, arrived))
    return found


def ask_support(refund: Standing) -> bool:
    """Whether the client should have seen the money by now: more than the promised business days have passed."""
    return refund.state == "succeeded" and refund.statement_by is not None and refund.seen_on > refund.statement_by
