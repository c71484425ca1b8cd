"""The facts of what sessions cost, each with the reason why it is not what it was.

What they cost as of now comes from ``billing.services.prices``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing.domain import cost_change
from billing.domain.plan_year import terms_of
from billing.models import SessionCost
from billing.services.plan_years import PlanYear
from billing.services.prices import Priced, covering, price_all
from care.models import Session
from common import clock
from insurance.domain.benefits import Benefits
from insurance.models import BenefitSnapshot, Coverage
from people.models import Client


def current_cost(session: Session) -> SessionCost | None:
    """The cost in force, or ``None`` when the session was never priced."""
    return session.costs.order_by("-pk").first()


def current_costs(sessions: Iterable[Session]) -> dict[int, SessionCost]:
    """The costs in force of many sessions, in one query: session id → cost."""
    rows = (
        SessionCost.objects.filter(session__in=list(sessions))
        .select_related("snapshot")
        .order_by("session_id", "-pk")
        .distinct("session_id")
    )
    return {row.session_id: row for row in rows}


def newest_snapshot(coverage: Coverage, on: date) -> BenefitSnapshot | None:
    """The newest snapshot whose plan year holds ``on``; one without plan dates holds any day."""
    return covering(coverage.snapshots.order_by("-observed_at", "-pk"), on)


@dataclass(frozen=True, slots=True)
class Written:
    """One cost that was written, and the one it takes the place of.

    ``correction``: what we had told was wrong, and not only overtaken by what happened since.
    """

    cost: SessionCost
    before: SessionCost | None
    correction: bool


def reprice(client: Client) -> list[SessionCost]:
    """Write what changed of the scheduled sessions' estimates, each with its reason. Repeating it writes nothing.

    The caller holds the client's lock.
    """
    return [each.cost for each in reprice_all(client, charged=False)]


def reprice_all(client: Client, *, charged: bool = True, known: PlanYear | None = None) -> list[Written]:
    """:func:`reprice`, and with it the confirmed sessions that no plan has decided.

    Those have been ``charged``: their estimates change only where what we had told was wrong. Then their money has to
    follow, so only ``billing.flows.correct_benefits`` asks for them.
    """
    return keep(price_all(client, charged=charged, known=known))


def keep(priced: Sequence[Priced]) -> list[Written]:
    """Write the prices that are not those in force, each with its reason. Repeating it writes nothing.

    The caller holds the client's lock.
    """
    known = current_costs(each.session for each in priced)
    written = []
    for each in priced:
        before = known.get(each.session.pk)
        if before is not None and (before.amount, before.allowed, before.coverage_id, before.breakdown["verified"]) == (
            each.amount,
            each.allowed,
            each.coverage.pk,
            each.verified,
        ):
            continue
        held = each.session.status == Session.Status.CONFIRMED
        if held and (before is None or before.basis != SessionCost.Basis.ESTIMATE):
            continue
        now, kept = _estimate(each), _kept(before) if before else None
        correction = kept is not None and cost_change.is_correction(kept, now)
        if held and not (correction or _became_known(before, each)):
            continue
        written.append(Written(_write(each, kept, now), before, correction))
    return written


def _became_known(before: SessionCost | None, now: Priced) -> bool:
    """A session charged at a price nobody had verified can be priced now."""
    return before is not None and not before.breakdown["verified"] and now.verified


def _write(priced: Priced, before: cost_change.Estimate | None, now: cost_change.Estimate) -> SessionCost:
    """Keep an estimate as a fact, with why it differs from the one before."""
    change, on = cost_change.reason(before, now), clock.today()
    words = {
        "sentence": cost_change.sentence(change, before, now, on=on),
        "for_provider": cost_change.sentence(change, before, now, on=on, client_name=priced.session.client.first_name),
        # For letters: without this session's amounts, and without a name.
        "cause": cost_change.cause(change, before, now, on=on),
        "cause_for_provider": cost_change.cause(change, before, now, on=on, client_name=_("your client")),
    }
    return SessionCost.objects.create(
        session=priced.session,
        coverage=priced.coverage,
        amount=priced.amount,
        allowed=priced.allowed,
        basis=SessionCost.Basis.ESTIMATE,
        reason=change.value,
        breakdown=priced.breakdown | words,
        snapshot=priced.snapshot,
    )


def _estimate(priced: Priced) -> cost_change.Estimate:
    return _as_estimate(
        priced.breakdown, priced.snapshot, amount=priced.amount, allowed=priced.allowed, plan=priced.coverage.pk
    )


def _kept(cost: SessionCost) -> cost_change.Estimate:
    return _as_estimate(cost.breakdown, cost.snapshot, amount=cost.amount, allowed=cost.allowed, plan=cost.coverage_id)


def _as_estimate(
    breakdown: Mapping[str, Any],
    snapshot: BenefitSnapshot | None,
    *,
    amount: Decimal,
    allowed: Decimal,
    plan: int | None,
) -> cost_change.Estimate:
    """An estimate as the rules of change take it; rows written before a detail was kept do without it."""
    benefits = snapshot.read() if snapshot else None
    visit = breakdown.get("visit")
    return cost_change.Estimate(
        amount=amount,
        allowed=allowed,
        payer=breakdown["payer"],
        plan=plan,
        visit=(visit[0], visit[1], tuple(visit[2])) if visit else (),
        snapshot=snapshot.pk if snapshot else None,
        plan_begin=snapshot.plan_begin if snapshot else None,
        plan_end=snapshot.plan_end if snapshot else None,
        verified=breakdown["verified"],
        deductible=_amount(breakdown["deductible"]),
        deductible_left=_amount(breakdown.get("deductible_left")),
        maximum_left=_amount(breakdown.get("maximum_left")),
        visits_left=breakdown.get("visits_left"),
        terms=terms_of(benefits, telehealth=bool(visit and visit[1])) if benefits else None,
        limits=_limits(benefits) if benefits else (),
        from_evidence=snapshot is not None and snapshot.source != BenefitSnapshot.Source.RESPONSE,
        by_support=snapshot is not None and snapshot.source == BenefitSnapshot.Source.SUPPORT,
    )


def _limits(benefits: Benefits) -> tuple[Decimal | None, ...]:
    figures = benefits.in_network
    return (
        figures.deductible.individual.limit,
        figures.deductible.family.limit,
        figures.out_of_pocket.individual.limit,
        figures.out_of_pocket.family.limit,
    )


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
