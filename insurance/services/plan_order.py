"""Deciding and telling which of a client's plans pays first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from common import clock
from insurance.domain import plan_order as rules
from insurance.domain.benefits import Benefits, CobSignal
from insurance.models import Coverage, PlanOrder, PlanRank
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
        ranks = next((ranks for effective_from, ranks in self.decisions if effective_from <= day), {})
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


def current_decision(client: Client) -> PlanOrder | None:
    """The newest decision, with its reasons."""
    return client.plan_orders.order_by("-pk").first()


@transaction.atomic
def decide(client: Client) -> PlanOrder | None:
    """Work out the order of the plans in force today and keep it if it says anything new.

    Three answers are kept apart: what the client stated, what the rules compute, what an insurer said. The insurer's
    word is in force; else a certain computation; else the client's statement. Returns the decision in force, ``None``
    without a plan.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    today = clock.today()
    plans = sorted(
        Coverage.objects.on(today).filter(client=client).select_related("payer", "client"),
        key=lambda plan: (plan.stated_rank, plan.pk),
    )
    if not plans:
        return None
    stated = [plan.pk for plan in plans]
    named = _named_plans(plans)
    computed = rules.order_plans(
        rules.ClientFacts(born=client.birth_date),
        rules.FamilyFacts(),
        [_facts(name, plan) for name, plan in named.items()],
        on=today,
    )
    by_rules = [named[name].pk for name in computed.order]
    confirmed, confirmed_by = _confirmed(plans, by_rules)
    if confirmed is not None:
        source, order = PlanOrder.Source.CONFIRMED, confirmed
    elif computed.certain:
        source, order = PlanOrder.Source.COMPUTED, by_rules
    else:
        source, order = PlanOrder.Source.STATED, stated
    before = current_decision(client)
    why = [*([confirmed_by] if confirmed_by else []), *computed.why]
    if before is not None and _says_the_same(before, stated, by_rules, confirmed, order, why):
        return before
    decision = PlanOrder.objects.create(
        client=client,
        effective_from=_effective_from(plans, before, today),
        stated=stated,
        computed=by_rules,
        confirmed=confirmed,
        confirmed_by=confirmed_by[:200],
        rule=computed.rule,
        certain=computed.certain,
        why=why,
        source=source,
        changed=order != stated,
    )
    PlanRank.objects.bulk_create(
        PlanRank(plan_order=decision, coverage_id=coverage, rank=rank) for rank, coverage in enumerate(order, start=1)
    )
    return decision


def _named_plans(plans: Sequence[Coverage]) -> dict[str, Coverage]:
    """The plans by the name a person knows them by, which the rules' sentences use."""
    names = Counter(plan.payer.name for plan in plans)
    return {
        plan.payer.name
        if names[plan.payer.name] == 1
        else f"{plan.payer.name} (member ···{plan.member_id_last4})": plan
        for plan in plans
    }


def _facts(name: str, plan: Coverage) -> rules.PlanFacts:
    return rules.PlanFacts(
        id=name,
        type=rules.PlanType(plan.plan_type),
        holder=rules.Holder(plan.holder),
        holder_born=plan.client.birth_date if plan.client_is_subscriber else plan.holder_born,
        holder_status=rules.HolderStatus(plan.holder_status) if plan.holder_status else None,
        employer_size=plan.employer_size,
        multi_employer=plan.multi_employer,
        since=plan.since,
        coordinates=plan.coordinates,
    )


def _confirmed(plans: Sequence[Coverage], by_rules: list[int]) -> tuple[list[int] | None, str]:
    """What the insurers' newest answers say about the first place; ``None`` when they are silent or disagree."""
    said: dict[int, str] = {}
    for plan in plans:
        snapshot = plan.snapshots.order_by("-observed_at", "-pk").first()
        if snapshot is None:
            continue
        benefits = snapshot.read()
        if benefits.cob_signal is CobSignal.THIS_IS_PRIMARY:
            said.setdefault(plan.pk, _("%(payer)s says that it pays first.") % {"payer": plan.payer})
        elif benefits.cob_signal is CobSignal.ANOTHER_IS_PRIMARY and (other := _named(benefits, plans, plan)):
            said.setdefault(
                other.pk,
                _("%(payer)s says that %(other)s pays first.") % {"payer": plan.payer, "other": other.payer},
            )
    if len(plans) < 2 or len(said) != 1:
        return None, ""
    ((first, words),) = said.items()
    return [first, *(each for each in by_rules if each != first)], words


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


def _says_the_same(
    before: PlanOrder,
    stated: list[int],
    computed: list[int],
    confirmed: list[int] | None,
    order: list[int],
    why: list[str],
) -> bool:
    in_force = list(before.ranks.order_by("rank").values_list("coverage_id", flat=True))
    return (before.stated, before.computed, before.confirmed, in_force, before.why) == (
        stated,
        computed,
        confirmed,
        order,
        why,
    )


def _effective_from(plans: Sequence[Coverage], before: PlanOrder | None, today: date) -> date:
    """The first order holds for as long as the plans do; one for the same plans, as far back as the one it corrects.

    Other plans begin a new order today.
    """
    if before is None:
        return min(plan.begins_on or ALWAYS for plan in plans)
    if sorted(before.stated) == sorted(plan.pk for plan in plans):
        return before.effective_from
    return today
