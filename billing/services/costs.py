"""What sessions cost: the walk over a client's sessions, and the facts it writes.

Sessions are priced in date order from the primary plan's newest benefits. A snapshot already holds what the insurer had
processed when it was taken; what came after it, decided or still under way, is counted on top, once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Prefetch, Q
from django.utils.translation import gettext as _

from billing.domain import cost_change
from billing.domain.pricing import PlanState, PlanTerms, PricedSession, price_session
from billing.models import SessionCost
from care.models import Session
from common import clock
from common.errors import DomainError
from common.money import ZERO, dollars, plain
from insurance.domain.benefits import Accumulator, Benefits
from insurance.models import Adjudication, BenefitSnapshot, Claim, Coverage
from insurance.services.network import rates, standing
from insurance.services.plan_order import plan_histories, plans_in_order
from people.models import Client


class NoPrice(DomainError):
    """The session cannot be priced: no plan, no contract or no rate. The sentence says which."""


@dataclass(frozen=True, slots=True)
class Priced:
    """One session's price with what it was computed from."""

    session: Session
    coverage: Coverage
    snapshot: BenefitSnapshot | None
    allowed: Decimal
    amount: Decimal
    breakdown: dict[str, Any]


def _left(accumulator: Accumulator) -> Decimal | None:
    """What is left; a plan whose limit is zero has no such hurdle, so nothing is left of it."""
    if accumulator.remaining is None and accumulator.limit == ZERO:
        return ZERO
    return accumulator.remaining


def terms_of(benefits: Benefits, *, telehealth: bool, network: Literal["in", "out"] = "in") -> PlanTerms:
    """A snapshot's behavioural-health figures as the pricing rules take them."""
    figures = benefits.in_network if network == "in" else benefits.out_of_network
    if telehealth:
        figures = figures.for_telehealth()
    return PlanTerms(
        network=network,
        deductible_remaining=_left(figures.deductible.individual),
        family_deductible_remaining=_left(figures.deductible.family),
        out_of_pocket_remaining=figures.out_of_pocket.individual.remaining,
        family_out_of_pocket_remaining=figures.out_of_pocket.family.remaining,
        copay=figures.copay,
        copay_rule=figures.copay_rule,
        coinsurance=figures.coinsurance,
        visits_remaining=0 if figures.covered is False else figures.visits.remaining,
    )


def current_cost(session: Session) -> SessionCost | None:
    """The cost in force, or ``None`` when the session was never priced."""
    return session.costs.order_by("-pk").first()


def current_costs(sessions: list[Session]) -> dict[int, SessionCost]:
    """The costs in force of many sessions, in one query: session id → cost."""
    rows = (
        SessionCost.objects.filter(session__in=sessions)
        .select_related("snapshot")
        .order_by("session_id", "-pk")
        .distinct("session_id")
    )
    return {row.session_id: row for row in rows}


def newest_snapshot(coverage: Coverage, on: date) -> BenefitSnapshot | None:
    """The newest snapshot whose plan year holds ``on``; one without plan dates holds any day."""
    return _covering(coverage.snapshots.order_by("-observed_at", "-pk"), on)


def _covering(newest_first: Iterable[BenefitSnapshot], on: date) -> BenefitSnapshot | None:
    for snapshot in newest_first:
        if snapshot.plan_begin is not None and on < snapshot.plan_begin:
            continue
        if snapshot.plan_end is not None and on > snapshot.plan_end:
            continue
        return snapshot
    return None


def _walk_sessions(client: Client, snapshot: BenefitSnapshot, coverage: Coverage, scheduled: set[int]) -> list[Session]:
    """The sessions of the snapshot's plan year that draw on its figures as on a first plan's, in date order.

    A confirmed one is where its primary claim went; ``scheduled`` are the ids of those to come that this plan is
    primary for.
    """
    confirmed = Claim.objects.filter(coverage=coverage, rank=1, session__client=client).values("session")
    sessions = Session.objects.filter(
        Q(status=Session.Status.CONFIRMED, pk__in=confirmed) | Q(status=Session.Status.SCHEDULED, pk__in=scheduled)
    )
    if snapshot.plan_begin is not None:
        sessions = sessions.filter(date__gte=snapshot.plan_begin)
    if snapshot.plan_end is not None:
        sessions = sessions.filter(date__lte=snapshot.plan_end)
    primary = Prefetch(
        "claims",
        queryset=Claim.objects.filter(rank=1)
        .exclude(submission=Claim.Submission.REPLACED)
        .prefetch_related("adjudications__adjustments", "adjudications__remittance"),
        to_attr="primary_claims",
    )
    return list(
        sessions.select_related("provider").prefetch_related("lines", primary).order_by("date", "starts_at", "pk")
    )


def _advance(state: PlanState, session: Session, snapshot: BenefitSnapshot, allowed: Decimal) -> PlanState:
    """What a confirmed session has used of the plan beyond what the snapshot knows."""
    claims: list[Claim] = session.primary_claims  # type: ignore[attr-defined]  # set by the walk's prefetch
    decided = [
        each
        for claim in claims
        if claim.decision in (Claim.Decision.PAID, Claim.Decision.DENIED)
        for each in claim.adjudications.all()
        if each.posted_at is not None
    ]
    if not decided:
        return price_session(state, allowed)[1]
    if all(_known_to(snapshot, each) for each in decided):
        return state
    adjustments = [a for each in decided for a in each.adjustments.all() if a.group == "PR"]
    return state.after_adjudicated(
        client=sum((a.amount for a in adjustments if a.code in ("1", "2", "3")), ZERO),
        deductible=sum((a.amount for a in adjustments if a.code == "1"), ZERO),
        covered=any(each.allowed > ZERO for each in decided),
    )


def _known_to(snapshot: BenefitSnapshot, decided: Adjudication) -> bool:
    """Whether the insurer had processed this result when it gave the snapshot's figures.

    Its own payment date says so, whenever the remittance reached us. On the same day, which of the two came first is
    taken from when we learnt of them.
    """
    observed_on = snapshot.observed_at.astimezone(clock.BUSINESS_ZONE).date()
    paid_on = decided.remittance.paid_on
    if paid_on is not None and paid_on != observed_on:
        return paid_on < observed_on
    return decided.posted_at is not None and decided.posted_at <= snapshot.observed_at


def _breakdown(price: PricedSession, allowed: Decimal, coverage: Coverage, *, verified: bool) -> dict[str, Any]:
    return {
        "allowed": plain(allowed),
        "plan": plain(price.plan),
        "deductible": plain(price.deductible),
        "copay": plain(price.copay),
        "coinsurance": plain(price.coinsurance),
        "not_covered": plain(price.not_covered),
        "why": list(price.why),
        "verified": verified,
        "payer": coverage.payer.name,
    }


def _unverified(allowed: Decimal, coverage: Coverage, why: list[str]) -> dict[str, Any]:
    """Benefits that do not decide the price: the full contracted rate, and said so."""
    return {
        "allowed": plain(allowed),
        "plan": None,
        "deductible": None,
        "copay": None,
        "coinsurance": None,
        "not_covered": None,
        "why": [
            _("%(payer)s has not told us enough to work out your share, so this is the full price of %(allowed)s. It "
              "goes down when we know more.") % {"payer": coverage.payer, "allowed": dollars(allowed)},
            *why,
        ],
        "verified": False,
        "payer": coverage.payer.name,
    }  # fmt: skip


def price_upcoming(client: Client) -> list[Priced]:
    """Price every session that is scheduled and not yet confirmed, each in its own plan year. Writes nothing.

    Sessions that cannot be priced (no plan, no contract, no rate) are left out; :func:`price` says why for one.
    """
    scheduled = list(
        Session.objects.filter(client=client, status=Session.Status.SCHEDULED)
        .select_related("provider")
        .prefetch_related("lines")
        .order_by("date", "starts_at", "pk")
    )
    history = plan_histories([client])[client.pk]
    years: dict[tuple[Coverage, BenefitSnapshot | None], list[Session]] = {}
    newest: dict[Coverage, list[BenefitSnapshot]] = {}
    for session in scheduled:
        plans = history.on(session.date)
        if not plans:
            continue
        coverage = plans[0]
        if coverage not in newest:
            newest[coverage] = list(coverage.snapshots.order_by("-observed_at", "-pk"))
        years.setdefault((coverage, _covering(newest[coverage], session.date)), []).append(session)
    priced: dict[int, Priced] = {}
    for (coverage, snapshot), sessions in years.items():
        found = _walk(client, coverage, snapshot, sessions) if snapshot else _without_benefits(coverage, sessions)
        priced.update({each.session.pk: each for each in found})
    return [priced[session.pk] for session in scheduled if session.pk in priced]


def _without_benefits(coverage: Coverage, sessions: list[Session]) -> list[Priced]:
    """The insurer has told nothing yet: the full contracted rate."""
    allowed_by_session = rates(payer=coverage.payer, sessions=sessions)
    return [
        Priced(session, coverage, None, allowed, allowed, _unverified(allowed, coverage, []))
        for session in sessions
        if (allowed := allowed_by_session[session.pk]) is not None
    ]


def _walk(client: Client, coverage: Coverage, snapshot: BenefitSnapshot, scheduled: list[Session]) -> list[Priced]:
    """Walk one plan year in date order from the snapshot's remaining figures; the prices of scheduled sessions."""
    benefits = snapshot.read()
    sessions = _walk_sessions(client, snapshot, coverage, {session.pk for session in scheduled})
    allowed_by_session = rates(payer=coverage.payer, sessions=sessions)
    office = terms_of(benefits, telehealth=False)
    telehealth = terms_of(benefits, telehealth=True)
    state = PlanState.start(office)
    found = []
    for session in sessions:
        allowed = allowed_by_session[session.pk]
        if allowed is None:
            continue
        # What has been used so far holds for both places; only what the plan asks for a visit differs.
        state = replace(state, terms=telehealth if session.is_telehealth else office)
        if session.status == Session.Status.CONFIRMED:
            state = _advance(state, session, snapshot, allowed)
            continue
        price, state = price_session(state, allowed)
        if price.client is None or benefits.active is False:
            why = [_("%(payer)s says that this plan is not active.") % {"payer": coverage.payer}]
            breakdown = _unverified(allowed, coverage, why if benefits.active is False else list(price.why))
            amount = allowed
        else:
            breakdown = _breakdown(price, allowed, coverage, verified=True)
            amount = price.client
        found.append(Priced(session, coverage, snapshot, allowed, amount, breakdown))
    return found


def price(session: Session) -> Priced:
    """One scheduled session's price now. Raises :class:`NoPrice` with the reason in words."""
    found = next((each for each in price_upcoming(session.client) if each.session.pk == session.pk), None)
    if found is None:
        plans = plans_in_order(session.client, on=session.date)
        if not plans:
            raise NoPrice(_("There is no insurance plan on the account for the day of this session."))
        raise NoPrice(_("We have no contracted rate with %(payer)s for this session.") % {"payer": plans[0].payer})
    billable = standing(provider=session.provider, payer=found.coverage.payer, on=session.date)
    if not billable.can_bill:
        raise NoPrice(billable.why_not)
    return found


def reprice(client: Client) -> list[SessionCost]:
    """Price all upcoming sessions and write what changed, with its reason. Repeating it writes nothing."""
    priced = price_upcoming(client)
    known = current_costs([each.session for each in priced])
    written = []
    for each in priced:
        before = known.get(each.session.pk)
        if before is not None and (before.amount, before.allowed, before.coverage_id) == (
            each.amount,
            each.allowed,
            each.coverage.pk,
        ):
            continue
        written.append(_write(each, before))
    return written


def _write(priced: Priced, before: SessionCost | None) -> SessionCost:
    """Keep an estimate as a fact, with why it differs from the one before."""
    now = _estimate_of(priced)
    change = cost_change.reason(_estimate_kept(before) if before else None, now)
    return SessionCost.objects.create(
        session=priced.session,
        coverage=priced.coverage,
        amount=priced.amount,
        allowed=priced.allowed,
        basis=SessionCost.Basis.ESTIMATE,
        reason=change.value,
        breakdown={**priced.breakdown, "sentence": cost_change.sentence(change, now, on=clock.today())},
        snapshot=priced.snapshot,
    )


def _estimate_of(priced: Priced) -> cost_change.Estimate:
    snapshot = priced.snapshot
    return cost_change.Estimate(
        amount=priced.amount,
        allowed=priced.allowed,
        payer=priced.coverage.payer.name,
        plan=priced.coverage.pk,
        snapshot=snapshot.pk if snapshot else None,
        plan_begin=snapshot.plan_begin if snapshot else None,
        deductible=_known(priced.breakdown["deductible"]),
        verified=priced.breakdown["verified"],
        maximum_reached=_maximum_reached(priced),
    )


def _estimate_kept(cost: SessionCost) -> cost_change.Estimate:
    return cost_change.Estimate(
        amount=cost.amount,
        allowed=cost.allowed,
        payer=cost.breakdown["payer"],
        plan=cost.coverage_id,
        snapshot=cost.snapshot_id,
        plan_begin=cost.snapshot.plan_begin if cost.snapshot else None,
        deductible=_known(cost.breakdown["deductible"]),
        verified=cost.breakdown["verified"],
    )


def _known(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _maximum_reached(priced: Priced) -> bool:
    if priced.snapshot is None:
        return False
    terms = terms_of(priced.snapshot.read(), telehealth=priced.session.is_telehealth)
    return ZERO in (terms.out_of_pocket_remaining, terms.family_out_of_pocket_remaining)
