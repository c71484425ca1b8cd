"""Which of a client's plans pays first. Pure; the rules and their sources are in ``docs/plan-order.md``.

:func:`order_plans` answers with the order, the rule that decided the first place, whether that is certain, and why.
A missing fact that could change the order makes the answer uncertain. It then says what is missing, and keeps, of all
orders that are possible, the one nearest to the order stated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

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

_MOST_POSSIBILITIES = 1000
"""With more than this many ways the missing facts may be, nothing is certain anyway."""


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
class _Question:
    client: ClientFacts
    family: FamilyFacts
    plans: tuple[PlanFacts, ...]
    on: date | None

    def facts(self, assumed: dict[Key, object]) -> Facts:
        return Facts(self.client, self.family, self.plans, on=self.on, assumed=assumed)


@dataclass(frozen=True, slots=True)
class _Possibility:
    """The order under one set of assumptions about what is missing."""

    ranking: Ranking
    facts: Facts
    assumed: dict[Key, object]
    others: dict[Key, tuple[object, ...]]
    """For each fact assumed, all that it may be."""
    unusual: int
    """How many assumptions are not what usually holds."""

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(plan.id for plan in self.ranking.plans)


def order_plans(
    client: ClientFacts, family: FamilyFacts, plans: Sequence[PlanFacts], *, on: date | None = None
) -> PlanOrder:
    """Order plans by who pays first for a session on a day.

    ``plans`` are in the order stated, with ids of their own. The order stated matters only where no rule decides or a
    deciding fact is missing; both make the answer uncertain. Raises ``ValueError`` for no plan or a repeated id.
    """
    ids = [plan.id for plan in plans]
    if not ids or len(set(ids)) != len(ids):
        raise ValueError("give at least one plan, and each an id of its own")
    question = _Question(client, family, tuple(plans), on)
    if len(ids) == 1:
        return PlanOrder(tuple(ids), "undecided", True, (only_plan(plans[0]),))

    possibilities: list[_Possibility] = []
    exhausted = True
    for possibility in _possibilities(question, {}):
        possibilities.append(possibility)
        if len(possibilities) == _MOST_POSSIBILITIES or _nothing_more_to_learn(possibilities, ids):
            exhausted = False
            break
    best = min(possibilities, key=lambda one: _distance(one, ids))
    settled = exhausted and len({one.order for one in possibilities}) == 1
    doubts = tuple(dict.fromkeys(doubt for one in possibilities for doubt in one.ranking.doubts))
    certain = settled and not doubts and all(link.rule != "undecided" for link in best.ranking.links)
    missing = () if settled else _deciding_facts(question, best)
    return PlanOrder(
        order=best.order,
        rule=best.ranking.links[0].rule,
        certain=certain,
        why=(
            *(link_in_words(link, best.facts, settled=settled) for link in best.ranking.links),
            *(doubt_in_words(doubt) for doubt in best.ranking.doubts),
            *(missing_in_words(key, plans) for key in missing),
        ),
        missing=missing,
    )


def _possibilities(question: _Question, assumed: dict[Key, object]) -> Iterator[_Possibility]:
    """The order under every way in which the facts that the rules ask for may be; the usual way first."""
    waiting: list[tuple[dict[Key, object], dict[Key, tuple[object, ...]], int]] = [(assumed, {}, 0)]
    while waiting:
        assumed, others, unusual = waiting.pop()
        facts = question.facts(assumed)
        try:
            ranking = rank(facts)
        except Missing as missing:
            for place, value in reversed(list(enumerate(missing.possible))):
                waiting.append(
                    (
                        {**assumed, missing.key: value},
                        {**others, missing.key: missing.possible},
                        unusual + (missing.usual and place > 0),
                    )
                )
        else:
            yield _Possibility(ranking, facts, assumed, others, unusual)


def _distance(possibility: _Possibility, stated: list[str]) -> tuple[int, int, bool]:
    """How far a possible answer is from the usual case and from the order stated."""
    places = [stated.index(plan_id) for plan_id in possibility.order]
    swaps = sum(places[first] > places[second] for second in range(len(places)) for first in range(second))
    return possibility.unusual, swaps, possibility.ranking.links[0].rule == "undecided"


def _nothing_more_to_learn(possibilities: list[_Possibility], stated: list[str]) -> bool:
    """Two orders are possible, and the usual case allows the order stated: no further case changes the answer."""
    if len({one.order for one in possibilities}) == 1:
        return False
    return any(_distance(one, stated) == (0, 0, False) for one in possibilities)


def _deciding_facts(question: _Question, best: _Possibility) -> tuple[Key, ...]:
    """The assumed facts of which one alone, were it otherwise, would change the order; all when none does alone."""

    def changes(key: Key) -> bool:
        for value in best.others[key]:
            other = next(_possibilities(question, {**best.assumed, key: value}))
            if other.order != best.order:
                return True
        return False

    return tuple(key for key in best.assumed if changes(key)) or tuple(best.assumed)
