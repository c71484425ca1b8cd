"""What we know about a client that decides the order of plans: as the rules take it, and as answers add to it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from common import clock
from insurance.domain import plan_order as rules
from insurance.domain.plan_facts import CLIENT, ESRD_MONTHS, FAMILY, Key
from insurance.models import CobFacts, Coverage
from people.models import Client, User


def known(client: Client) -> CobFacts:
    """What is kept of a client besides the plans; an unsaved row that knows nothing when nothing is kept."""
    return CobFacts.objects.filter(client=client).first() or CobFacts(client=client)


def client_facts(client: Client, facts: CobFacts, on: date) -> rules.ClientFacts:
    """The client on a day of service."""
    return rules.ClientFacts(
        born=client.birth_date,
        medicare_because=rules.MedicareReason(facts.medicare_because) if facts.medicare_because else None,
        esrd_months=esrd_months(facts.esrd_since, on),
    )


def family_facts(facts: CobFacts) -> rules.FamilyFacts:
    """The client's parents."""
    return rules.FamilyFacts(
        parents=rules.Parents(facts.parents) if facts.parents else None,
        decree=rules.Decree(facts.decree) if facts.decree else None,
        custodial_parent=rules.Custody(facts.custodial_parent) if facts.custodial_parent else None,
    )


def esrd_months(since: date | None, on: date) -> int | None:
    """The month of Medicare by kidney failure that ``on`` lies in; the month of ``since`` is the first."""
    return None if since is None else (on.year - since.year) * 12 + on.month - since.month + 1


def esrd_over_on(since: date) -> date:
    """The first day after the 30 months in which a group plan pays first."""
    months = since.year * 12 + since.month - 1 + ESRD_MONTHS
    return date(months // 12, months % 12 + 1, 1)


def plan_facts(plans: Sequence[Coverage]) -> list[rules.PlanFacts]:
    """Plans as the rules take them, by the id of their row, named as a person knows them."""
    names = Counter(plan.payer.name for plan in plans)
    return [
        _plan_facts(
            plan,
            plan.payer.name if names[plan.payer.name] == 1 else f"{plan.payer.name} (member ···{plan.member_id_last4})",
        )
        for plan in plans
    ]


def _plan_facts(plan: Coverage, name: str) -> rules.PlanFacts:
    return rules.PlanFacts(
        id=str(plan.pk),
        name=name,
        type=rules.PlanType(plan.plan_type),
        holder=rules.Holder(plan.holder),
        holder_born=plan.client.birth_date if plan.client_is_subscriber else plan.holder_born,
        holder_status=rules.HolderStatus(plan.holder_status) if plan.holder_status else None,
        employer_size=plan.employer_size,
        multi_employer=plan.multi_employer,
        since=plan.since,
        coordinates=plan.coordinates,
    )


def learn(client: Client, learned: Mapping[Key, object], *, by: User | None) -> None:
    """Keep what answers told; earlier versions of the rows are kept by their history. Repeating it changes nothing.

    A birthday is the same in every plan of that person. The caller holds the client's lock and has checked the values.
    """
    of_client = {fact: value for (subject, fact), value in learned.items() if subject in (CLIENT, FAMILY)}
    if of_client:
        state(client, of_client, by=by)
    for (subject, fact), value in learned.items():
        kind, _space, which = subject.partition(" ")
        plans = Coverage.objects.filter(client=client, removed_at=None)
        if kind == "plan":
            plans = plans.filter(pk=int(which))
        elif kind == "holder":
            plans = plans.filter(holder=which)
        else:
            continue
        for plan in plans.exclude(**{fact: value}):
            setattr(plan, fact, value)
            plan.save(update_fields=[fact])


def state(client: Client, facts: Mapping[str, Any], *, by: User | None) -> CobFacts:
    """Set facts of a client's row (columns of ``CobFacts``; empty: not known). The caller holds the client's lock."""
    row = known(client)
    if row._state.adding or any(getattr(row, fact) != value for fact, value in facts.items()):
        for fact, value in facts.items():
            setattr(row, fact, value)
        row.updated_at, row.updated_by = clock.now(), by
        row.save()
    return row
