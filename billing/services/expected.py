"""What a session with several plans will probably cost in the end: shown as an estimate, never charged by.

The first plan's part is our estimate, or its decision once it is here; each later plan's is worked out from its newest
benefits (:mod:`billing.domain.expected`). Reads only: nothing is written of it, and no cost is made of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from billing.domain import expected as rules
from billing.domain.plan_year import terms_of
from billing.domain.pricing import PlanState, price_session
from billing.models import SessionCost
from billing.services.costs import current_costs, newest_snapshot
from billing.services.plan_years import decided_at
from care.models import Session
from common.money import ZERO
from insurance.domain.coordination import Method
from insurance.models import Adjudication, BenefitSnapshot, Claim, Coverage
from insurance.services import claims as claim_services
from insurance.services import sequence
from insurance.services.claim_content import decision_of
from insurance.services.network import rates, session_standing
from insurance.services.plan_order import PlanHistory, plan_histories


@dataclass(frozen=True, slots=True)
class Expected:
    """Three figures in dollars, and why.

    ``now``: what is or will be charged at the session, by the first plan's estimate. ``likely``: after all plans,
    ``None`` when it cannot be told. ``most``: if no later plan pays anything. ``methods``: how each later plan counts
    what the others paid, as ``(insurer, method)``.
    """

    now: Decimal
    likely: Decimal | None
    most: Decimal
    methods: tuple[tuple[str, Method], ...]
    why: tuple[str, ...]

    @property
    def refund(self) -> Decimal | None:
        """What will probably come back of what is charged now."""
        return None if self.likely is None else max(ZERO, self.now - self.likely)

    @property
    def to_pay(self) -> Decimal:
        """What will probably be asked for on top; the first plan's decision may be dearer than its estimate."""
        return ZERO if self.likely is None else max(ZERO, self.likely - self.now)

    @property
    def payers(self) -> tuple[str, ...]:
        return tuple(payer for payer, _method in self.methods)


def expected(session: Session) -> Expected | None:
    """The expected result of a session; ``None`` when there is nothing to expect or too little to say.

    That is: the cost is final, there is one plan only, its first plan or no later one can be billed, the session has no
    price, or its first plan's answer waits for somebody. A bounded number of queries for each plan.
    """
    if session.status not in (Session.Status.SCHEDULED, Session.Status.CONFIRMED):
        return None
    costs = list(session.costs.order_by("-pk"))
    estimate = next((each for each in costs if each.basis == SessionCost.Basis.ESTIMATE), None)
    if estimate is None or costs[0].basis == SessionCost.Basis.FINAL:
        return None
    planned = claim_services.sequence(session) if session.status == Session.Status.CONFIRMED else []
    history = plan_histories([session.client])[session.client_id]
    plans = [claim.coverage for claim in planned] if planned else history.on(session.date)
    if len(plans) < 2:
        return None
    if not planned and not session_standing(session=session, payer=plans[0].payer).can_bill:
        return None
    first = _first(estimate, planned[0] if planned else None, plans[0])
    if first is None:
        return None
    later = [
        _later(session, coverage, planned[place] if planned else None, history)
        for place, coverage in enumerate(plans[1:], start=1)
    ]
    if all(each.why_not for each in later):
        return None
    outcome = rules.after_all(first, later, charge=session.charge)
    return Expected(
        now=estimate.amount,
        likely=outcome.client,
        most=estimate.amount if first.client is None else first.client,
        methods=tuple((each.payer, each.method) for each in later if not each.why_not),
        why=outcome.why,
    )


def _first(estimate: SessionCost, claim: Claim | None, coverage: Coverage) -> rules.First | None:
    """The first plan's part: decided, else estimated; ``None`` when its answer waits for somebody."""
    payer = coverage.payer.name
    if claim is not None and claim.submission == Claim.Submission.NOT_NEEDED:
        return None
    if claim is None or claim.decision in (Claim.Decision.NONE, Claim.Decision.REVERSED):
        if not estimate.breakdown.get("verified"):
            return rules.First(payer, estimate.allowed, None, None)
        return rules.First(payer, estimate.allowed, estimate.allowed - estimate.amount, estimate.amount)
    answer = decision_of(claim)
    if answer is None:
        return None
    if claim.decision == Claim.Decision.PAID:
        left = min(estimate.allowed, answer.left_to_client)
        return rules.First(payer, answer.allowed, answer.paid, left)
    if not sequence.is_last_word(claim):
        return None
    left = ZERO if sequence.writes_off(claim, answer) else estimate.allowed
    return rules.First(payer, estimate.allowed, ZERO, left)


def _later(session: Session, coverage: Coverage, claim: Claim | None, history: PlanHistory) -> rules.Later:
    payer, method = coverage.payer, Method(coverage.payer.secondary_method)
    if claim is not None and claim.submission == Claim.Submission.NOT_NEEDED:
        return rules.Later(payer.name, method, why_not=claim.reason)
    if claim is not None and claim.decision == Claim.Decision.PAID and (answer := decision_of(claim)) is not None:
        return rules.Later(payer.name, method, paid=answer.paid, left=answer.left_to_client)
    billable = session_standing(session=session, payer=payer)
    if not billable.can_bill:
        return rules.Later(payer.name, method, why_not=billable.why_not)
    return rules.Later(
        payer.name,
        method,
        allowed=rates(payer=payer, sessions=[session])[session.pk],
        state=_state_before(session, coverage, history),
    )


# --- Where a later plan stands ----------------------------------------------------------------------------------------


def _state_before(session: Session, coverage: Coverage, history: PlanHistory) -> PlanState | None:
    """Where the plan stands before a session: its newest figures, less what the sessions before use of them.

    A plan that pays second counts its deductible as if it paid alone. What it had decided when it told its figures is
    in them already.
    """
    snapshot = newest_snapshot(coverage, session.date)
    if snapshot is None:
        return None
    benefits = snapshot.read()
    if benefits.active is False:
        return None
    office, video = (terms_of(benefits, telehealth=each) for each in (False, True))
    state = PlanState.start(office)
    before = _sessions_before(session, coverage, snapshot, history)
    allowed = rates(payer=coverage.payer, sessions=before) if before else {}
    for each in before:
        worth = allowed[each.pk]
        answers = _answers(each, coverage)
        if answers:
            news = [answer for answer in answers if decided_at(answer) > snapshot.observed_at]
            for answer in news:
                deductible = sum(
                    (a.amount for a in answer.adjustments_in_all if (a.group, a.code) == ("PR", "1")), ZERO
                )
                state = state.after_adjudicated(client=answer.total("PR"), deductible=deductible)
        elif worth is not None:
            state = replace(state, terms=video if each.is_telehealth else office)
            state = price_session(state, worth)[1]
    return replace(state, terms=video if session.is_telehealth else office)


def _sessions_before(
    session: Session, coverage: Coverage, snapshot: BenefitSnapshot, history: PlanHistory
) -> Sequence[Session]:
    """The client's earlier sessions of the plan year that this plan is or will be asked to pay second for."""
    rows = Session.objects.filter(
        client=session.client_id,
        status__in=(Session.Status.SCHEDULED, Session.Status.CONFIRMED),
        starts_at__lt=session.starts_at,
    ).exclude(pk=session.pk)
    if snapshot.plan_begin is not None:
        rows = rows.filter(date__gte=snapshot.plan_begin)
    found = list(
        rows.select_related("provider")
        .prefetch_related("lines", "claims__adjudications__adjustments", "claims__adjudications__remittance")
        .order_by("starts_at", "pk")
    )
    costs = current_costs(found)
    return [each for each in found if _draws(each, coverage, costs.get(each.pk), history)]


def _draws(session: Session, coverage: Coverage, cost: SessionCost | None, history: PlanHistory) -> bool:
    if session.status == Session.Status.CONFIRMED:
        return any(
            claim.coverage_id == coverage.pk and claim.rank > 1 and claim.submission not in _NOT_ASKED
            for claim in session.claims.all()
        )
    # A session that the first plan pays in full is not sent on.
    return cost is not None and cost.amount > ZERO and coverage in history.on(session.date)[1:]


_NOT_ASKED = (Claim.Submission.NOT_NEEDED, Claim.Submission.REPLACED)


def _answers(session: Session, coverage: Coverage) -> Iterable[Adjudication]:
    return [
        answer
        for claim in session.claims.all()
        if claim.coverage_id == coverage.pk and claim.decision == Claim.Decision.PAID
        for answer in claim.adjudications.all()
        if answer.posted_at is not None
    ]
