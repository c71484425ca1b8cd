"""Deciding and telling which of a client's plans pays first, on every day of service."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from common import clock
from insurance.domain import plan_order as rules
from insurance.domain.benefits import Benefits, CobSignal
from insurance.domain.plan_missing import missing
from insurance.domain.plan_questions import Question
from insurance.models import CobFacts, Coverage, PlanOrder, PlanRank
from insurance.services import cob_facts
from people.models import Client

ALWAYS = date(1900, 1, 1)
"""Since when a plan holds whose beginning nobody told us."""


@dataclass(frozen=True, slots=True)
class PlanHistory:
    """One client's plans and the decisions about their order, to be asked for any day without another query."""

    plans: tuple[Coverage, ...]
    decisions: tuple[tuple[date, dict[int, int]], ...]
    """From which day, and coverage id → rank; the newest decision first."""

    def on(self, day: date) -> list[Coverage]:
        """The plans in force on a day, the one that pays first in front."""
        return self._ordered(day, decided_by=day)

    def as_known_on(self, today: date, *, session: date) -> list[Coverage]:
        """The plans in force on a session's day in the order decided since, as far as it knows them.

        For a claim that an insurer refused because another plan pays first: a plan we hear of later was there already.
        """
        return self._ordered(session, decided_by=max(today, session))

    def _ordered(self, day: date, *, decided_by: date) -> list[Coverage]:
        ranks = next((ranks for effective_from, ranks in self.decisions if effective_from <= decided_by), {})
        in_force = [
            plan
            for plan in self.plans
            if (plan.begins_on is None or plan.begins_on <= day) and (plan.ends_on is None or plan.ends_on >= day)
        ]
        # A plan that no decision knows yet comes last, in the place the client gave it.
        return sorted(in_force, key=lambda plan: (ranks.get(plan.pk, len(ranks) + 1), plan.stated_rank, plan.pk))


def plan_histories(clients: Sequence[Client]) -> dict[int, PlanHistory]:
    """The histories of many clients in three queries: client id → history."""
    plans: dict[int, list[Coverage]] = {client.pk: [] for client in clients}
    for coverage in Coverage.objects.filter(client__in=clients, removed_at=None).select_related("payer", "client"):
        plans[coverage.client_id].append(coverage)
    decisions: dict[int, list[tuple[date, dict[int, int]]]] = {client.pk: [] for client in clients}
    for decision in PlanOrder.objects.filter(client__in=clients).order_by("-pk").prefetch_related("ranks"):
        ranks = {each.coverage_id: each.rank for each in decision.ranks.all()}
        decisions[decision.client_id].append((decision.effective_from, ranks))
    return {pk: PlanHistory(tuple(plans[pk]), tuple(decisions[pk])) for pk in plans}


def plans_in_order(client: Client, *, on: date) -> list[Coverage]:
    """The client's plans in force on a day, the one that pays first in front."""
    return plan_histories([client])[client.pk].on(on)


def plans_after_refusal(client: Client, *, on: date) -> list[Coverage]:
    """The plans for a session whose claim an insurer refused because of the order: as decided by today."""
    return plan_histories([client])[client.pk].as_known_on(clock.today(), session=on)


def current_decision(client: Client) -> PlanOrder | None:
    """The decision in force today, with its reasons."""
    return client.plan_orders.filter(effective_from__lte=clock.today()).order_by("-pk").first()


def questions(client: Client) -> list[Question]:
    """The fewest questions that would settle the order in force today; none when it is settled, or an insurer said."""
    decision = current_decision(client)
    if decision is None or decision.certain or decision.source == PlanOrder.Source.CONFIRMED:
        return []
    today = clock.today()
    plans = _stated(Coverage.objects.on(today).filter(client=client).select_related("payer", "client"))
    if len(plans) < 2:
        return []
    facts = cob_facts.known(client)
    return missing(
        cob_facts.client_facts(client, facts, today),
        cob_facts.family_facts(facts),
        cob_facts.plan_facts(plans),
        on=today,
    )


# --- Deciding ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The order from one day until the facts change."""

    day: date
    stated: list[int]
    computed: list[int]
    rule: str
    certain: bool
    why: list[str]
    confirmed: list[int] | None = None
    confirmed_by: str = ""

    @property
    def source(self) -> str:
        if self.confirmed is not None:
            return PlanOrder.Source.CONFIRMED
        return PlanOrder.Source.COMPUTED if self.certain else PlanOrder.Source.STATED

    @property
    def order(self) -> list[int]:
        if self.confirmed is not None:
            return self.confirmed
        return self.computed if self.certain else self.stated

    def says_what(self, decision: PlanOrder) -> bool:
        """Whether a decision says all this already."""
        in_force = [each.coverage_id for each in sorted(decision.ranks.all(), key=lambda each: each.rank)]
        return (decision.stated, decision.computed, decision.confirmed, in_force, decision.why) == (
            self.stated,
            self.computed,
            self.confirmed,
            self.order,
            self.why,
        )


@transaction.atomic
def decide(client: Client) -> PlanOrder | None:
    """Work out the order of the plans for every day of service, and keep what it says that is new.

    Three answers are kept apart: what the client stated, what the rules compute, what an insurer said. The insurer's
    word is in force; else a certain computation; else the client's statement. The order is another one from the day on
    which a plan begins or has ended, or the 30 months of kidney failure are over: each such stretch of days is a
    decision. Returns the one in force today, ``None`` without a plan.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    today = clock.today()
    plans = _stated(Coverage.objects.filter(client=client, removed_at=None).select_related("payer", "client"))
    if not any(_holds(plan, today) for plan in plans) and not any(_begins(plan) > today for plan in plans):
        return None
    facts = cob_facts.known(client)
    kept = list(PlanOrder.objects.filter(client=client).order_by("-pk").prefetch_related("ranks"))
    start = _from_when(plans, kept, today)
    turns = _turns(plans, facts, start)
    verdicts = [_verdict(client, facts, plans, day) for day in turns if any(_holds(plan, day) for plan in plans)]
    verdicts = _with_word(verdicts, [plan for plan in plans if _holds(plan, today)], today)
    for verdict in _news(verdicts, kept, start):
        _keep(client, verdict)
    return current_decision(client)


def _stated(plans: Iterable[Coverage]) -> list[Coverage]:
    return sorted(plans, key=lambda plan: (plan.stated_rank, plan.pk))


def _begins(plan: Coverage) -> date:
    return plan.begins_on or ALWAYS


def _holds(plan: Coverage, day: date) -> bool:
    return _begins(plan) <= day and (plan.ends_on is None or day <= plan.ends_on)


def _turns(plans: Sequence[Coverage], facts: CobFacts, start: date) -> list[date]:
    """``start``, and the later days on which the facts change."""
    days = {_begins(plan) for plan in plans}
    days |= {plan.ends_on + timedelta(days=1) for plan in plans if plan.ends_on is not None}
    if facts.esrd_since is not None:
        days.add(cob_facts.esrd_over_on(facts.esrd_since))
    return [start, *sorted(day for day in days if day > start)]


def _from_when(plans: Sequence[Coverage], kept: Sequence[PlanOrder], today: date) -> date:
    """The first order holds for as long as the plans do; one for the same plans, as far back as those it corrects.

    Other plans begin a new order today.
    """
    if not kept:
        return min(_begins(plan) for plan in plans)
    days = {each.effective_from for each in kept} | {_begins(plan) for plan in plans}
    days |= {plan.ends_on + timedelta(days=1) for plan in plans if plan.ends_on is not None}
    start = today
    for day in sorted((day for day in days if day <= today), reverse=True):
        decision = _in_force(kept, day)
        if decision is None or set(decision.stated) != {plan.pk for plan in plans if _holds(plan, day)}:
            break
        start = day
    return start


def _in_force(kept: Sequence[PlanOrder], day: date) -> PlanOrder | None:
    """Of decisions, newest first, the one that holds on a day."""
    return next((each for each in kept if each.effective_from <= day), None)


def _verdict(client: Client, facts: CobFacts, plans: Sequence[Coverage], day: date) -> _Verdict:
    named = cob_facts.plan_facts(plans)
    in_force = [name for name, plan in zip(named, plans, strict=True) if _holds(plan, day)]
    computed = rules.order_plans(
        cob_facts.client_facts(client, facts, day), cob_facts.family_facts(facts), in_force, on=day
    )
    return _Verdict(
        day=day,
        stated=[int(plan.id) for plan in in_force],
        computed=[int(plan_id) for plan_id in computed.order],
        rule=computed.rule,
        certain=computed.certain,
        why=list(computed.why),
    )


def _with_word(verdicts: Sequence[_Verdict], plans: Sequence[Coverage], today: date) -> list[_Verdict]:
    """The verdicts with what insurers said. A word is about today: it holds on other days as long as the rules see no
    other order of the same plans there."""
    now = next((each for each in reversed(verdicts) if each.day <= today), None)
    said = _said(plans)
    if now is None or said is None:
        return list(verdicts)
    first, words = said

    def heard(verdict: _Verdict) -> _Verdict:
        here = [pk for pk in verdict.computed if pk in now.computed]
        there = [pk for pk in now.computed if pk in verdict.computed]
        if first.pk not in verdict.computed or len(verdict.computed) < 2 or here != there:
            return verdict
        confirmed = [first.pk, *(pk for pk in verdict.computed if pk != first.pk)]
        return replace(verdict, confirmed=confirmed, confirmed_by=words, why=[words, *verdict.why])

    return [heard(each) for each in verdicts]


def _said(plans: Sequence[Coverage]) -> tuple[Coverage, str] | None:
    """Which plan the insurers' newest answers put first, and in whose words; ``None``: silent, or they disagree."""
    said: dict[int, tuple[Coverage, str]] = {}
    for plan in plans:
        snapshot = plan.snapshots.order_by("-observed_at", "-pk").first()
        if snapshot is None:
            continue
        benefits = snapshot.read()
        if benefits.cob_signal is CobSignal.THIS_IS_PRIMARY:
            said.setdefault(plan.pk, (plan, _("%(payer)s says that it pays first.") % {"payer": plan.payer}))
        elif benefits.cob_signal is CobSignal.ANOTHER_IS_PRIMARY and (other := _named(benefits, plans, plan)):
            words = _("%(payer)s says that %(other)s pays first.") % {"payer": plan.payer, "other": other.payer}
            said.setdefault(other.pk, (other, words))
    if len(plans) < 2 or len(said) != 1:
        return None
    (only,) = said.values()
    return only


def _named(benefits: Benefits, plans: Sequence[Coverage], asked: Coverage) -> Coverage | None:
    """The client's plan that an answer names as primary; ``None`` when it names none of them."""
    for payer in benefits.other_payers:
        if payer.rank not in ("primary", None) or not payer.overlaps:
            continue
        for plan in plans:
            same_id = payer.payer_id is not None and payer.payer_id == plan.payer.payer_id
            same_name = payer.name is not None and payer.name.casefold() == plan.payer.name.casefold()
            if plan.pk != asked.pk and (same_id or same_name):
                return plan
    return None


def _news(verdicts: Sequence[_Verdict], kept: Sequence[PlanOrder], start: date) -> list[_Verdict]:
    """The verdicts from the first day on which they say something new.

    The newest decision that holds on a day is in force, so all stretches after that day are written anew.
    """
    if not verdicts:
        return []
    days = sorted(
        {each.day for each in verdicts} | {each.effective_from for each in kept if each.effective_from > start}
    )
    for day in days:
        verdict = next((each for each in reversed(verdicts) if each.day <= day), None)
        decision = _in_force(kept, day)
        if verdict is not None and (decision is None or not verdict.says_what(decision)):
            return [replace(verdict, day=day), *(each for each in verdicts if each.day > day)]
    return []


def _keep(client: Client, verdict: _Verdict) -> None:
    decision = PlanOrder.objects.create(
        client=client,
        effective_from=verdict.day,
        stated=verdict.stated,
        computed=verdict.computed,
        confirmed=verdict.confirmed,
        confirmed_by=verdict.confirmed_by[:200],
        rule=verdict.rule,
        certain=verdict.certain,
        why=verdict.why,
        source=verdict.source,
        changed=verdict.order != verdict.stated,
    )
    PlanRank.objects.bulk_create(
        PlanRank(plan_order=decision, coverage_id=coverage, rank=rank)
        for rank, coverage in enumerate(verdict.order, start=1)
    )
