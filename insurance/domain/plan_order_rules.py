"""The rules that rank a client's plans, each in the place the law gives it (``docs/plan-order.md``).

Every rule sorts a group of plans into smaller groups, and hands each to the next rule. Sorting, unlike comparing two
plans at a time, cannot go round in circles when there are three or more.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from insurance.domain.plan_facts import (
    ESRD_MONTHS,
    LARGE_FOR_AGE,
    LARGE_FOR_DISABILITY,
    Custody,
    Decree,
    Facts,
    Holder,
    HolderStatus,
    MedicareReason,
    Parents,
    PlanFacts,
    PlanType,
)


@dataclass(frozen=True, slots=True)
class Link:
    """Why one plan comes right before the next."""

    rule: str
    before: PlanFacts
    after: PlanFacts


@dataclass(frozen=True, slots=True)
class Ranking:
    """Plans in order, with a link between each two neighbours, and what the sources do not agree on."""

    plans: tuple[PlanFacts, ...]
    links: tuple[Link, ...] = ()
    doubts: tuple[str, ...] = ()


Plans = Sequence[PlanFacts]
Rule = Callable[[PlanFacts, PlanFacts], str]
Next = Callable[[Plans], Ranking]

LIABILITY = (PlanType.WORKERS_COMPENSATION, PlanType.AUTO)
PARENT_SIDE = {
    Holder.MOTHER: Custody.MOTHER,
    Holder.STEPFATHER: Custody.MOTHER,
    Holder.FATHER: Custody.FATHER,
    Holder.STEPMOTHER: Custody.FATHER,
}
STEP_PARENTS = (Holder.STEPMOTHER, Holder.STEPFATHER)


def rank(facts: Facts) -> Ranking:
    """Rank all plans of a question. Raises ``Missing`` when a rule needs a fact that is not known."""
    return _Rules(facts).all(facts.plans)


def _join(rankings: Iterable[Ranking], rule: Rule) -> Ranking:
    """Rankings one after the other; ``rule`` names what put the last of one before the first of the next."""
    joined = Ranking(())
    for ranking in rankings:
        if not ranking.plans:
            continue
        if joined.plans:
            before, after = joined.plans[-1], ranking.plans[0]
            between: tuple[Link, ...] = (Link(rule(before, after), before, after),)
        else:
            between = ()
        joined = Ranking(
            joined.plans + ranking.plans, joined.links + between + ranking.links, joined.doubts + ranking.doubts
        )
    return joined


def _sort(plans: Plans, key: Callable[[PlanFacts], Any], rule: str | Rule, then: Next) -> Ranking:
    """Plans by ``key``; those with the same key are ranked by ``then``. A plan alone is asked nothing."""
    if len(plans) < 2:
        return Ranking(tuple(plans))
    groups: dict[Any, list[PlanFacts]] = {}
    for plan in plans:
        groups.setdefault(key(plan), []).append(plan)
    name = rule if callable(rule) else lambda _before, _after: rule
    return _join([then(groups[value]) for value in sorted(groups)], name)


def _undecided(plans: Plans) -> Ranking:
    """No rule is left: the plans stay as stated."""
    return _join([Ranking((plan,)) for plan in plans], lambda _before, _after: "undecided")


@dataclass(frozen=True)
class _Rules:
    facts: Facts

    # A. Government programmes

    def all(self, plans: Plans) -> Ranking:
        """Liability insurers, an active-duty member's TRICARE, all ordinary plans and Medicare, TRICARE, Medicaid."""
        return _sort(plans, self._programme, self._programme_rule, self._within_programme)

    def _programme(self, plan: PlanFacts) -> int:
        kind = self.facts.type(plan)
        if kind in LIABILITY:
            return 0
        if kind == PlanType.MEDICAID:
            return 4
        if kind == PlanType.TRICARE:
            return 1 if self._active_duty(plan) else 3
        return 2

    def _active_duty(self, plan: PlanFacts) -> bool:
        return self.facts.holder(plan) == Holder.SELF and self.facts.status(plan) == HolderStatus.ACTIVE

    def _programme_rule(self, before: PlanFacts, after: PlanFacts) -> str:
        if self.facts.type(before) in LIABILITY:
            return "workers_compensation"
        if self.facts.type(after) == PlanType.MEDICAID:
            return "medicaid_last"
        if self.facts.type(before) == PlanType.TRICARE:
            return "active_duty"
        childs = self.facts.holder(after) not in (Holder.SELF, Holder.SPOUSE)
        if childs and before.holder in STEP_PARENTS:
            return "step_parent_before_tricare"
        return "tricare_after"

    def _within_programme(self, plans: Plans) -> Ranking:
        kind = self.facts.type(plans[0])
        if kind in LIABILITY or kind == PlanType.MEDICAID:
            return _undecided(plans)
        if kind == PlanType.TRICARE:
            return self.coordinating(plans)
        return self.around_medicare(plans)

    def around_medicare(self, plans: Plans) -> Ranking:
        """Plans that pay before Medicare, Medicare, plans that pay after it: its rank overrides all other rules."""
        medicare = [plan for plan in plans if self.facts.type(plan) == PlanType.MEDICARE]
        others = [plan for plan in plans if plan not in medicare]
        if not medicare:
            return self.coordinating(others)
        ranks = {plan.id: self.against_medicare(plan) for plan in others}
        earlier = self.coordinating([plan for plan in others if ranks[plan.id][0]])
        later = self.coordinating([plan for plan in others if not ranks[plan.id][0]])

        def rule(before: PlanFacts, after: PlanFacts) -> str:
            if after not in medicare:
                return ranks[after.id][1]
            dependent_first = before == earlier.plans[0] and before.holder not in (None, Holder.SELF)
            if dependent_first and any(plan.holder == Holder.SELF for plan in later.plans):
                return "medicare_reversal"
            return ranks[before.id][1]

        ranking = _join([earlier, _undecided(medicare), later], rule)
        doubts = [doubt for plan in others for doubt in self._esrd_doubts(plan)]
        return Ranking(ranking.plans, ranking.links, (*ranking.doubts, *doubts))

    def against_medicare(self, plan: PlanFacts) -> tuple[bool, str]:
        """Whether a plan pays before Medicare, and the rule that says so."""
        facts = self.facts
        if facts.type(plan) != PlanType.GROUP:
            return False, "medicare_first"
        because = facts.medicare_because()
        if because == MedicareReason.ESRD:
            return facts.esrd_months() <= ESRD_MONTHS, "medicare_esrd"
        status = facts.status(plan)
        if status in (HolderStatus.RETIRED, HolderStatus.COBRA):
            return False, "medicare_first"
        working = status == HolderStatus.ACTIVE
        if because == MedicareReason.DISABILITY:
            return working and facts.is_large(plan, LARGE_FOR_DISABILITY), "medicare_disability"
        own_work = working and facts.holder(plan) in (Holder.SELF, Holder.SPOUSE)
        return own_work and facts.is_large(plan, LARGE_FOR_AGE), "medicare_age"

    def _esrd_doubts(self, plan: PlanFacts) -> list[str]:
        """A retiree plan: Medicare that was already first by age, before the kidney disease, stays first."""
        facts = self.facts
        if (
            plan.type != PlanType.GROUP
            or plan.holder_status != HolderStatus.RETIRED
            or facts.medicare_because() != MedicareReason.ESRD
            or facts.esrd_months() > ESRD_MONTHS
            or facts.on is None
        ):
            return []
        months = facts.on.year * 12 + facts.on.month - 1 - (facts.esrd_months() - 1)
        began = date(max(1, months // 12), months % 12 + 1, 1)
        return ["esrd_after_age"] if facts.is_65(began) else []

    # B. NAIC model order

    def coordinating(self, plans: Plans) -> Ranking:
        """A plan that does not coordinate pays first."""
        ranking = _sort(plans, lambda plan: plan.coordinates is not False, "does_not_coordinate", self.own_before_other)
        individual = len(plans) > 1 and any(self.facts.type(plan) == PlanType.INDIVIDUAL for plan in plans)
        return Ranking(ranking.plans, ranking.links, ranking.doubts + (("individual_plan",) if individual else ()))

    def own_before_other(self, plans: Plans) -> Ranking:
        """The client's own plans before those through somebody else."""

        def then(group: Plans) -> Ranking:
            if self.facts.holder(group[0]) == Holder.SELF:
                return self.by_status(group)
            return self.dependents(group)

        return _sort(plans, lambda plan: self.facts.holder(plan) != Holder.SELF, "non_dependent", then)

    def dependents(self, plans: Plans) -> Ranking:
        """Plans through a spouse, through parents, or (then the longest first) through both."""
        if len(plans) < 2:
            return Ranking(tuple(plans))
        through_spouse = [self.facts.holder(plan) == Holder.SPOUSE for plan in plans]
        if all(through_spouse):
            return self.by_status(plans)
        if any(through_spouse):
            return _sort(
                plans,
                self.facts.since,
                "longer_coverage",
                lambda group: _sort(group, self._birthday, "birthday", self.by_status),
            )
        return self.of_parents(plans)

    def of_parents(self, plans: Plans) -> Ranking:
        """A child's plans through parents, or through people who stand in for them."""
        if self._one_person(plans):
            return self.by_status(plans)
        if self.facts.parents() == Parents.TOGETHER:
            return self.by_birthday(plans)
        decree = self.facts.decree()
        if decree == Decree.BOTH:
            return self.by_birthday(plans)
        if decree == Decree.NONE:
            return self.by_custody(plans)
        side = Custody(decree)
        parent_has_plan = any(self.facts.holder(plan) == Holder(decree) for plan in plans)

        def not_responsible(plan: PlanFacts) -> bool:
            holder = self.facts.holder(plan)
            return holder != Holder(decree) if parent_has_plan else PARENT_SIDE.get(holder) != side

        def then(group: Plans) -> Ranking:
            return self.by_custody(group) if not_responsible(group[0]) else self.by_status(group)

        return _sort(plans, not_responsible, "decree", then)

    def by_custody(self, plans: Plans) -> Ranking:
        """Custodial parent, that parent's spouse, the other parent, that one's spouse; joint custody: birthdays."""
        if self._one_person(plans):
            return self.by_status(plans)
        custody = self.facts.custodial_parent()
        if custody == Custody.JOINT:
            return self.by_birthday(plans)

        def place(plan: PlanFacts) -> int:
            holder = self.facts.holder(plan)
            if holder == Holder.OTHER:
                return 4
            return 2 * (PARENT_SIDE[holder] != custody) + (holder in STEP_PARENTS)

        ranking = _sort(plans, place, "custody", self.by_birthday)
        others = any(self.facts.holder(plan) == Holder.OTHER for plan in plans)
        return Ranking(ranking.plans, ranking.links, ranking.doubts + (("other_holder",) if others else ()))

    def by_birthday(self, plans: Plans) -> Ranking:
        """The holder whose birthday, month and day, falls earlier in the year; a tie: the longer coverage."""
        if self._one_person(plans):
            return self.by_status(plans)

        def same_day(group: Plans) -> Ranking:
            if self._one_person(group):
                return self.by_status(group)
            return _sort(group, self.facts.since, "longer_coverage", self.by_status)

        return _sort(plans, self._birthday, "birthday", same_day)

    def by_status(self, plans: Plans) -> Ranking:
        """Through present work, then through work that ended, then continued after it (COBRA); then the longer."""

        def rule(_before: PlanFacts, after: PlanFacts) -> str:
            return "ordinary_before_continuation" if self._status(after) == 2 else "active_before_inactive"

        def longer(group: Plans) -> Ranking:
            return _sort(group, self.facts.since, "longer_coverage", _undecided)

        return _sort(plans, self._status, rule, longer)

    def _status(self, plan: PlanFacts) -> int:
        if self.facts.type(plan) in (PlanType.INDIVIDUAL, PlanType.STUDENT):
            return 0
        status = self.facts.status(plan)
        if status == HolderStatus.COBRA:
            return 2
        return 0 if status == HolderStatus.ACTIVE else 1

    def _birthday(self, plan: PlanFacts) -> tuple[int, int]:
        born = self.facts.born(plan)
        return born.month, born.day

    def _one_person(self, plans: Plans) -> bool:
        """All plans are through the same person; two "other" holders may be two people."""
        holders = {self.facts.holder(plan) for plan in plans}
        return len(plans) < 2 or (len(holders) == 1 and Holder.OTHER not in holders)
