"""The fewest questions whose answers would settle an uncertain order of plans. Pure; see ``docs/plan-order.md``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations, islice, product

from insurance.domain.plan_facts import (
    LARGE_FOR_AGE,
    LARGE_FOR_DISABILITY,
    ClientFacts,
    Custody,
    FamilyFacts,
    Key,
    PlanFacts,
)
from insurance.domain.plan_order import (
    MOST_POSSIBILITIES,
    Possibility,
    Situation,
    is_settled,
    order_in,
    possibilities_of,
    situation_of,
)
from insurance.domain.plan_questions import Learned, Question, question, topic

_GENTLEST_FIRST = (
    "holder_status",
    "parents",
    "employer_size",
    "holder_born",
    "since",
    "custodial_parent",
    "decree",
    "medicare_because",
    "esrd_months",
    "holder",
    "type",
)
"""What is easily known, and no burden to say, is asked rather than what has to be looked up."""
_FEW = 6
"""Among so many missing facts the smallest set is searched for; of more, one is dropped at a time."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A question, and what its likely answers tell."""

    key: Key
    likely: tuple[Learned, ...]
    possible: tuple[object, ...]

    @property
    def burden(self) -> int:
        return _GENTLEST_FIRST.index(self.key[1])


def missing(
    client: ClientFacts, family: FamilyFacts, plans: Sequence[PlanFacts], *, on: date | None = None
) -> list[Question]:
    """The fewest questions that settle an uncertain order, the gentlest first; none when nothing that is missing would.

    Likely answers are looked at: a fact that is nearly always one way is asked about only where that settles it. An
    answer that is not likely may leave another question. Raises ``ValueError`` as ``order_plans`` does.
    """
    situation = situation_of(client, family, plans, on=on)
    if not order_in(situation).missing:
        return []
    candidates = sorted(_candidates(situation), key=lambda each: (each.burden, each.key))
    chosen = next((some for some in _sets(candidates, situation) if _suffices(situation, some)), candidates)
    return [question(each.key, client, plans, each.possible) for each in chosen]


def _candidates(situation: Situation) -> list[_Candidate]:
    """Every fact that may be asked for while those with a usual value have it."""
    seen: dict[Key, Possibility] = {}
    for one in islice(possibilities_of(situation, {}, usual_only=True), MOST_POSSIBILITIES):
        for key in one.others:
            seen.setdefault(key, one)
    found: dict[Key, _Candidate] = {}
    for key, one in seen.items():
        about = topic(key)
        if about not in found:
            found[about] = _Candidate(about, _likely(situation, key, one, len(found)), one.others[key])
    return list(found.values())


def _likely(situation: Situation, key: Key, one: Possibility, place: int) -> tuple[Learned, ...]:
    subject, fact = key
    possible = one.others[key]
    if fact == "employer_size":
        other = (subject, "multi_employer")
        return tuple({key: size, other: False} for size in (1, LARGE_FOR_AGE, LARGE_FOR_DISABILITY))
    if key in one.usual:
        return ({key: possible[0]},)
    if fact in ("holder_born", "since"):
        return tuple({key: day} for day in _early_and_late(situation, fact, place))
    if fact == "custodial_parent":
        # Shared custody asks for birthdays next: that is seen when it is the answer.
        return ({key: Custody.MOTHER}, {key: Custody.FATHER})
    return tuple({key: value} for value in possible)


def _early_and_late(situation: Situation, fact: str, place: int) -> tuple[date, date]:
    """A day before and one after all others: two people's birthdays, or two plans' first days, are seldom the same."""

    def compared(day: date) -> object:
        return (day.month, day.day) if fact == "holder_born" else day

    known = {compared(day) for plan in situation.plans if (day := getattr(plan, fact)) is not None}

    def free(first: date, step: int) -> date:
        days = (first + timedelta(days=step * away) for away in range(len(known) + 1))
        return next(day for day in days if compared(day) not in known)

    apart = place * (len(known) + 1)
    return (
        free(date(1900, 1, 1) + timedelta(days=apart), 1),
        free(date(2999, 12, 31) - timedelta(days=apart), -1),
    )


def _sets(candidates: Sequence[_Candidate], situation: Situation) -> Iterator[Sequence[_Candidate]]:
    if len(candidates) > _FEW:
        yield _thinned(candidates, situation)
        return
    for size in range(1, len(candidates)):
        yield from sorted(combinations(candidates, size), key=lambda some: sum(each.burden for each in some))


def _thinned(candidates: Sequence[_Candidate], situation: Situation) -> Sequence[_Candidate]:
    """Without each question that the others make needless, the hardest dropped first."""
    kept = list(candidates)
    for candidate in reversed(candidates):
        fewer = [each for each in kept if each is not candidate]
        if fewer and _suffices(situation, fewer):
            kept = fewer
    return kept


def _suffices(situation: Situation, chosen: Sequence[_Candidate]) -> bool:
    """Whether every likely way of answering these settles the order."""
    ways = product(*(each.likely for each in chosen))
    seen = 0
    for way in islice(ways, MOST_POSSIBILITIES):
        seen += 1
        assumed = {key: value for facts in way for key, value in facts.items()}
        if not is_settled(situation, assumed):
            return False
    return seen > 0
