"""What the insurers' own books say of each session, and whether its claims came to them in the right order.

Nothing here asks our rows: a session is a client's day of service, and the plans' true order is the draw's.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from common.money import ZERO
from headway.simulate.draw import Case, Insured, Population

_NO_WORD = frozenset({"22", "18"})
"""CARCs with which an insurer says that it has not decided: another one first, or it has the claim already."""
_OF_CONTRACT = frozenset({"45", "23"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One claim in an insurer's books, with the decision that holds."""

    plan: int
    state: str
    received_at: str
    decided_at: str
    paid: Decimal
    client: Decimal
    codes: frozenset[str]

    @property
    def spoke(self) -> bool:
        """Whether the insurer has decided what it pays, and its decision holds."""
        return bool(self.decided_at) and not _NO_WORD & self.codes

    @property
    def leaves(self) -> Decimal | None:
        """What it leaves to the client; ``None`` for a refusal that leaves nothing to anybody: no share at all."""
        refused = not self.paid and not self.client and bool(self.codes - _OF_CONTRACT)
        return None if refused else self.client


@dataclass
class Told:
    """One session in the books of all insurers."""

    case: Case
    on: date
    entries: list[Entry] = field(default_factory=list)

    def by(self, plan: int) -> list[Entry]:
        return [each for each in self.entries if each.plan == plan]

    def word_of(self, plan: int) -> Entry | None:
        """The decision of a plan that holds."""
        return next((each for each in reversed(self.by(plan)) if each.spoke), None)

    @property
    def first(self) -> Decimal | None:
        """What the plan that truly pays first leaves to the client."""
        word = self.word_of(0)
        return None if word is None else word.leaves

    @property
    def final(self) -> Decimal | None:
        """What is left once every plan has decided: the last one's word, never more than one before it left.

        A contract bounds what its provider may collect, whatever a later plan says. ``None``: nobody has decided.
        """
        words = [self.word_of(plan) for plan in range(len(self.case.plans))]
        left = [each.leaves for each in words if each is not None and each.leaves is not None]
        return min(left, default=None)

    def faults(self) -> list[str]:
        """What is wrong with how its claims came to the insurers."""
        found = []
        for place, plan in enumerate(self.case.plans):
            live = [each for each in self.by(place) if each.state == "decided" and each.spoke]
            if len(live) > 1:
                found.append(f"{plan.payer_id} decided it {len(live)} times")
            ahead = [each for number, each in enumerate(self.case.plans[:place]) if self._was_to_be_asked(number)]
            for entry in live:
                for before in ahead:
                    word = self.word_of(self.case.plans.index(before))
                    if word is None or word.decided_at > entry.received_at:
                        found.append(f"{plan.payer_id} got it before {before.payer_id} had decided")
        return found

    def sent_in_wrong_order(self) -> bool:
        """Whether a later plan had a claim for it before the first one had decided, be it taken back or refused."""
        word = self.word_of(0)
        since = "" if word is None else word.decided_at
        return any(each.plan > 0 and each.received_at < since for each in self.entries)

    def not_asked(self) -> list[Insured]:
        """Plans that can be billed, for which something was left, and that never decided."""
        left: Decimal | None = None
        found = []
        for place, plan in enumerate(self.case.plans):
            if not self._was_to_be_asked(place) or left == ZERO:
                continue
            word = self.word_of(place)
            if word is None:
                found.append(plan)
            elif word.leaves is not None:
                left = word.leaves if left is None else min(left, word.leaves)
        return found

    def _was_to_be_asked(self, place: int) -> bool:
        return self.case.plans[place].billed


def read(people: Population, books: Iterable[dict[str, Any]]) -> dict[tuple[int, date], Told]:
    """The books of all insurers (``GET /control/books``) by client's number and day of service."""
    whose = {(plan.payer_id, plan.key): (case, place) for case in people.cases for place, plan in enumerate(case.plans)}
    entries: defaultdict[tuple[int, date], list[Entry]] = defaultdict(list)
    cases: dict[int, Case] = {}
    for row in books:
        case, place = whose[row["payer_id"], row["member_id"]]
        cases[case.number] = case
        entries[case.number, date.fromisoformat(row["served"])].append(_entry(place, row))
    return {key: Told(cases[key[0]], key[1], found) for key, found in entries.items()}


def _entry(place: int, row: dict[str, Any]) -> Entry:
    current = row["current"] or {}
    return Entry(
        plan=place,
        state=row["state"],
        received_at=row["received_at"],
        decided_at=current.get("decided_at", ""),
        paid=Decimal(current.get("paid", "0.00")),
        client=Decimal(current.get("client", "0.00")),
        codes=frozenset(each["code"] for each in current.get("adjustments", ())),
    )
