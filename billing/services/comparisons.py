"""Every answer of a first plan is held against our estimate, and the difference explained."""

from decimal import Decimal

from django.utils.translation import gettext as _

from billing.domain.evidence import Candidate, Fit
from billing.domain.plan_year import Decided
from billing.models import Comparison, SessionCost
from billing.services import plan_years
from billing.services.plan_years import Truth
from common import clock
from common.money import ZERO, dollars, plain
from common.states import move
from insurance.domain.decisions import Meaning
from insurance.models import Adjudication, BenefitSnapshot, Claim
from insurance.services.claim_content import answer_in_force
from people.models import User

Kind, State = Comparison.Kind, Comparison.State

FOR_PEOPLE = (Kind.UNKNOWN, Kind.NETWORK_DIFFERS, Kind.RATE_DIFFERS, Kind.NOT_COVERED)
"""Nothing in a plan's benefits explains these: a contract, a network or a claim has to be looked at."""


def compare(adjudication: Adjudication, truth: Truth | None) -> Comparison | None:
    """Hold a posted answer of a first plan against the estimate in force; once, however often it is asked for.

    ``truth`` is the plan year as read with this answer in it. ``None`` for answers that say nothing about benefits
    (reversals, denials, another plan's answers), and where we had estimated by another plan: it was asked first only
    since the order of plans was put right. The caller holds the client's lock.
    """
    claim = adjudication.claim
    if claim is None or claim.rank != 1 or claim.decision not in (Claim.Decision.PAID, Claim.Decision.DENIED):
        return None
    if adjudication.decision.meaning not in (Meaning.PROCESSED, Meaning.DENIED):
        return None
    known = Comparison.objects.filter(adjudication=adjudication).first()
    if known is not None:
        return known
    estimate, first = _estimates(claim)
    if estimate is None or first is None:
        return None
    seen = truth.seen.get(claim.session_id) if truth else None
    decided = seen.decided if seen else plan_years.decided([adjudication])
    if decided.allowed <= ZERO and decided.client == ZERO:
        return None
    kind, explanation = _kind(claim, decided, estimate, truth)
    figures = truth.proposed if truth and kind not in (Kind.MATCH, *FOR_PEOPLE) else {}
    return Comparison.objects.create(
        adjudication=adjudication,
        session=claim.session,
        coverage=claim.coverage,
        estimate=estimate,
        first_estimate=first,
        predicted={"client": plain(estimate.amount), **{name: estimate.breakdown[name] for name in PARTS}},
        decided={
            "client": plain(decided.client),
            **{name: plain(getattr(decided, name)) for name in PARTS},
        },
        difference=decided.client - estimate.amount,
        first_difference=decided.client - first.amount,
        kind=kind,
        explanation=explanation[:500],
        figures=figures,
        state=State.WAITING if _waits(claim, kind, truth) else State.CLOSED,
    )


def close_overtaken(claim: Claim) -> None:
    """Close the session's case when its answer was taken back, or another one took its place.

    As there is one case for one plan and kind at a time, the newest other answer that only a person can explain is the
    case then. The caller holds the client's lock; repeating it adds nothing.
    """
    in_force = answer_in_force(claim)
    waiting = Comparison.objects.filter(session=claim.session_id, coverage=claim.coverage_id, state=State.WAITING)
    if in_force is not None:
        waiting = waiting.exclude(adjudication=in_force)
    for case in waiting:
        note = _("The insurer took this answer back, or gave another one.")
        move(case, Comparison.STATES, State.CLOSED, note=note, decided_at=clock.now())
        others = Comparison.objects.filter(coverage=case.coverage_id, kind=case.kind, state=State.CLOSED, note="")
        for other in others.exclude(session=case.session_id).order_by("-pk") if case.kind in FOR_PEOPLE else ():
            its_claim = other.adjudication.claim
            if its_claim is not None and answer_in_force(its_claim) == other.adjudication:
                move(other, Comparison.STATES, State.WAITING)
                break


PARTS = ("allowed", "deductible", "copay", "coinsurance", "not_covered")


def _estimates(claim: Claim) -> tuple[SessionCost | None, SessionCost | None]:
    """By the claim's own plan: the estimate in force when the answer came, and the one charged at confirmation."""
    session = claim.session
    estimates = list(session.costs.filter(basis=SessionCost.Basis.ESTIMATE, coverage=claim.coverage_id).order_by("pk"))
    charged = [each for each in estimates if session.confirmed_at and each.created_at <= session.confirmed_at]
    return (estimates[-1], (charged or estimates[:1])[-1]) if estimates else (None, None)


def _waits(claim: Claim, kind: Comparison.Kind, truth: Truth | None) -> bool:
    """Whether a person has to look: one case for one plan and kind at a time."""
    unsure = truth is not None and truth.figures != truth.proposed
    if kind is Kind.MATCH or not (kind in FOR_PEOPLE or unsure):
        return False
    return not Comparison.objects.filter(coverage=claim.coverage_id, kind=kind, state=State.WAITING).exists()


def _kind(claim: Claim, decided: Decided, estimate: SessionCost, truth: Truth | None) -> tuple[Comparison.Kind, str]:
    payer, amounts = claim.coverage.payer, {"was": dollars(estimate.amount), "is": dollars(decided.client)}
    words = {"payer": payer, **amounts}
    parts = {name: estimate.breakdown[name] for name in PARTS}
    if parts == {name: plain(getattr(decided, name)) for name in PARTS}:
        return Kind.MATCH, _("As estimated: %(is)s.") % words
    fit = truth.reading.fits.get(claim.session_id) if truth else None
    if decided.not_covered and fit in (None, Fit.NOT_EXPLAINED):
        return Kind.NOT_COVERED, _("%(payer)s does not cover all of it: it leaves %(is)s, not %(was)s.") % words
    if truth is None or fit is Fit.NOT_EXPLAINED:
        return Kind.UNKNOWN, _("%(payer)s leaves %(is)s, not %(was)s; no reading of the plan explains it.") % words
    if truth.reading.told.active is False and truth.reading.active:
        return Kind.WRONG_STATUS, _("%(payer)s pays, though it says that the plan is not active.") % words
    candidate = truth.reading.telehealth if claim.session.is_telehealth else truth.reading.office
    told = truth.reading.told.telehealth if claim.session.is_telehealth else truth.reading.told.office
    if fit is not None and candidate.costs:
        return _other_share(candidate, told.copay, told.coinsurance, words)
    if decided.allowed != estimate.allowed:
        return Kind.RATE_DIFFERS, _("%(payer)s allows %(theirs)s, our contract says %(ours)s.") % {
            "payer": payer,
            "theirs": dollars(decided.allowed),
            "ours": dollars(estimate.allowed),
        }
    if decided.client == estimate.amount and fit is not Fit.DRIFT:
        return Kind.MATCH, _("As estimated: %(is)s.") % words
    return Kind.ACCUMULATOR_DRIFT, _(
        "The deductible or the maximum stood elsewhere than we knew: %(payer)s leaves %(is)s, not %(was)s."
    ) % words


def _other_share(
    candidate: Candidate, copay: Decimal | None, coinsurance: Decimal | None, words: dict[str, object]
) -> tuple[Comparison.Kind, str]:
    share = candidate.share
    if candidate.other is not None and candidate.other.out_of_network:
        return Kind.NETWORK_DIFFERS, _("%(payer)s paid as for a provider out of network: %(is)s, not %(was)s.") % words
    if candidate.other is not None:
        kind, text = Kind.OTHER_CATEGORY, _("%(payer)s paid as for another kind of visit: %(is)s, not %(was)s.")
    elif share.copay != copay:
        kind, text = Kind.WRONG_COPAY, _("%(payer)s takes another copay than it told: it leaves %(is)s, not %(was)s.")
    elif share.coinsurance != coinsurance:
        kind, text = (
            Kind.WRONG_COINSURANCE,
            _("%(payer)s takes another coinsurance than it told: it leaves %(is)s, not %(was)s."),
        )
    else:
        kind, text = (
            Kind.WRONG_RULE,
            _("%(payer)s applies copay and deductible otherwise than it told: it leaves %(is)s, not %(was)s."),
        )
    return kind, text % words


def mark_applied(comparison: Comparison, snapshot: BenefitSnapshot, *, by: User | None, note: str) -> None:
    """The benefits were corrected because of it. An automatic correction closes what it explains."""
    if by is None:
        Comparison.objects.filter(pk=comparison.pk, state=State.CLOSED).update(
            state=State.APPLIED, snapshot=snapshot, decided_at=snapshot.created_at, note=note[:300]
        )
    else:
        move(
            comparison,
            Comparison.STATES,
            State.APPLIED,
            snapshot=snapshot,
            owner=by,
            decided_at=snapshot.created_at,
            note=note[:300],
        )
    comparison.refresh_from_db()
