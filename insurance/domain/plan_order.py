"""Which of a client's plans pays first. Pure; the rules and their sources are in ``docs/plan-order.md``.

:func:`order_plans` answers with the order, the rule that decided the first place, whether that is certain, and why.
A missing fact that could change the order makes the answer uncertain. It then says what is missing, and keeps, of all
orders that are possible, the one nearest to the order stated.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from insurance.domain.plan_facts import (
    ClientFacts,
    Custody,
    Decree,
    Facts,
    FamilyFacts,
    Holder,
    HolderStatus,
    Key,
    MedicareReason,
    Missing,
    Parents,
    PlanFacts,
    PlanType,
)
from insurance.domain.plan_order_rules import Ranking, rank
from insurance.domain.plan_order_words import doubt_in_words, link_in_words, missing_in_words, only_plan

__all__ = [
    "ClientFacts",
    "Custody",
    "Decree",
    "FamilyFacts",
    "Holder",
    "HolderStatus",
    "MedicareReason",
    "Parents",
    "PlanFacts",
    "PlanOrder",
    "PlanType",
    "order_plans",
]

MOST_POSSIBILITIES = 500
"""With more than this many ways the missing facts may be, an order is not called certain."""
_NEAREST = (0, 0, False)
"""The distance of the order stated, in a usual case, decided by a rule."""


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """The answer. ``order`` holds plan ids, the plan that pays first in front."""

    order: tuple[str, ...]
    rule: str
    """The rule that decided the first place; a name of ``CONTRACTS``' list, such as ``birthday``."""
    certain: bool
    why: tuple[str, ...]
    """Sentences for people."""
    missing: tuple[Key, ...] = ()
    """The facts that would settle an uncertain order: whose (``plan a``, ``client``, ``family``) and which."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that is known of one client's plans on a day; the plans in the order stated."""

    client: ClientFacts
    family: FamilyFacts
    plans: tuple[PlanFacts, ...]
    on: date | None
    _asked: dict["_Read", "Answered | Missing"] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What the rules answered so far, by the assumptions that they read on the way, in the order of reading."""

    def ranked(self, assumed: Mapping[Key, object]) -> "Answered | Missing":
        """What the rules say under these assumptions, or the first fact they ask for that is not among them.

        The rules read one fact after the other, and which one is next depends only on those before it. So an answer
        holds for all assumptions that agree on what was read, and the rules are gone through once for each such way.
        """
        read: _Read = ()
        while True:
            found = self._asked.get(read)
            if found is None:
                facts = Facts(self.client, self.family, self.plans, on=self.on, assumed=dict(read))
                try:
                    found = Answered(rank(facts), facts)
                except Missing as missing:
                    found = missing.with_traceback(None)  # what it was raised through is not kept alive
                self._asked[read] = found
            if isinstance(found, Answered) or found.key not in assumed:
                return found
            read = (*read, (found.key, assumed[found.key]))


_Read = tuple[tuple[Key, object], ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The order of plans by the rules, and the facts they read for it."""

    ranking: Ranking
    facts: Facts


@dataclass(frozen=True, slots=True)
class Possibility:
    """The order under one set of assumptions about what is missing."""

    ranking: Ranking
    facts: Facts
    assumed: dict[Key, object]
    others: dict[Key, tuple[object, ...]]
    """For each fact assumed, all that it may be."""
    usual: frozenset[Key]
    """The facts assumed of which the first possibility is how it nearly always is."""
    unusual: int
    """How many assumptions are not what usually holds."""

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(plan.id for plan in self.ranking.plans)

    @property
    def tied(self) -> bool:
        """Some plans stand as stated because no rule tells them apart."""
        return any(link.rule == "undecided" for link in self.ranking.links)

    def settles_like(self, other: "Possibility") -> bool:
        """The same order, and not by chance: two ties give the order stated, whatever it is."""
        return self.order == other.order and self.tied == other.tied


def order_plans(
    client: ClientFacts, family: FamilyFacts, plans: Sequence[PlanFacts], *, on: date | None = None
) -> PlanOrder:
    """Order plans by who pays first for a session on a day.

    ``plans`` are in the order stated, with ids of their own. The order stated matters only where no rule decides or a
    deciding fact is missing; both make the answer uncertain. Raises ``ValueError`` for no plan or a repeated id.
    """
    return order_in(situation_of(client, family, plans, on=on))


def situation_of(client: ClientFacts, family: FamilyFacts, plans: Sequence[PlanFacts], *, on: date | None) -> Situation:
    """All that is known, as one. Raises ``ValueError`` for no plan or a repeated id."""
    ids = [plan.id for plan in plans]
    if not ids or len(set(ids)) != len(ids):
        raise ValueError("give at least one plan, and each an id of its own")
    return Situation(client, family, tuple(plans), on)


def order_in(situation: Situation) -> PlanOrder:
    """:func:`order_plans` for a situation at hand; what was found out about it is not worked out again."""
    plans = situation.plans
    ids = [plan.id for plan in plans]
    if len(ids) == 1:
        return PlanOrder(tuple(ids), "undecided", True, (only_plan(plans[0]),))

    possibilities, all_seen = _explore(situation, ids)
    best = min(possibilities, key=lambda one: _distance(one, ids))
    settled = all_seen and all(one.settles_like(best) for one in possibilities)
    doubts = tuple(dict.fromkeys(doubt for one in possibilities for doubt in one.ranking.doubts))
    certain = settled and not doubts and not best.tied
    missing = () if settled else _deciding_facts(situation, best)
    return PlanOrder(
        order=best.order,
        rule=best.ranking.links[0].rule,
        certain=certain,
        why=(
            *(link_in_words(link, best.facts, settled=settled) for link in best.ranking.links),
            *(doubt_in_words(doubt) for doubt in doubts),
            *(missing_in_words(key, plans) for key in missing),
        ),
        missing=missing,
    )


def _explore(situation: Situation, stated: list[str]) -> tuple[list[Possibility], bool]:
    """The possible orders, and whether all were seen.

    Once two differ the answer is uncertain. What is left to find is the order to keep: the one nearest to the order
    stated, among the cases in which everything is as it usually is.
    """
    seen: list[Possibility] = []
    for possibility in possibilities_of(situation, {}):
        seen.append(possibility)
        if not possibility.settles_like(seen[0]):
            break
        if len(seen) == MOST_POSSIBILITIES:
            return seen, False
    else:
        return seen, True
    for possibility in islice(possibilities_of(situation, {}, usual_only=True), MOST_POSSIBILITIES):
        seen.append(possibility)
        if _distance(possibility, stated) == _NEAREST:
            break
    return seen, False


def is_settled(situation: Situation, assumed: dict[Key, object]) -> bool:
    """Whether the order is the same by rule, whatever is missing beside ``assumed``."""
    first: Possibility | None = None
    for count, possibility in enumerate(possibilities_of(situation, assumed), start=1):
        first = first or possibility
        if count > MOST_POSSIBILITIES or not possibility.settles_like(first):
            return False
    return True


def possibilities_of(
    situation: Situation, assumed: dict[Key, object], *, usual_only: bool = False
) -> Iterator[Possibility]:
    """The order under every way in which the facts that the rules ask for may be; the usual way first."""
    waiting: list[tuple[dict[Key, object], dict[Key, tuple[object, ...]], frozenset[Key], int]]
    waiting = [(assumed, {}, frozenset(), 0)]
    while waiting:
        assumed, others, usual, unusual = waiting.pop()
        if usual_only and unusual:
            continue
        found = situation.ranked(assumed)
        if isinstance(found, Missing):
            key = found.key
            waiting += [
                (
                    {**assumed, key: value},
                    {**others, key: found.possible},
                    usual | {key} if found.usual else usual,
                    unusual + (found.usual and place > 0),
                )
                for place, value in reversed(list(enumerate(found.possible)))
            ]
        else:
            yield Possibility(found.ranking, found.facts, assumed, others, usual, unusual)


def _distance(possibility: Possibility, stated: list[str]) -> tuple[int, int, bool]:
    """How far a possible answer is from the usual case and from the order stated."""
    places = [stated.index(plan_id) for plan_id in possibility.order]
    swaps = sum(places[first] > places[second] for second in range(len(places)) for first in range(second))
    return possibility.unusual, swaps, possibility.ranking.links[0].rule == "undecided"


def _deciding_facts(situation: Situation, best: Possibility) -> tuple[Key, ...]:
    """The assumed facts of which one alone, were it otherwise, would change the order; all when none does alone."""

    def changes(key: Key) -> bool:
        for value in best.others[key]:
            other = next(possibilities_of(situation, {**best.assumed, key: value}))
            if not other.settles_like(best):
                return True
        return False

    return tuple(key for key in best.assumed if changes(key)) or tuple(best.assumed)
