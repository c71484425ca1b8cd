"""What the year came to: final costs against the insurers' books, wrong plans against the corrections made."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from statistics import mean, median

from billing.models import Comparison, Payment, Refund, SessionCost
from billing.services import books
from care.models import Session
from common.money import ZERO, round_cents
from headway.demo.world import World
from headway.simulate import coordination, their_books
from headway.simulate.coordination import Coordination
from headway.simulate.draw import Case, Insured, Population
from headway.simulate.their_books import Told
from insurance.models import BenefitSnapshot, Claim, ClaimEvent, Coverage, EligibilityCheck
from people.models import Client

CLOSE = Decimal("1.00")
"""A price within a dollar of the insurer's decision is called accurate."""

BEFORE_AN_ERROR = "before an estimate failed"


@dataclass(frozen=True, slots=True)
class Held:
    """A session that took place: what was charged at its confirmation, what we held for its cost just before the
    insurer's answer, and the cost in the end; of the insurers' own books, what the first plan (``first``) and what the
    last one to decide (``theirs``) leave to the client."""

    case: int
    on: date
    charged: Decimal
    held: Decimal
    final: Decimal | None
    theirs: Decimal | None
    told_wrong: bool
    corrected: bool
    """Whether the benefits it was charged by had been put right by evidence before."""
    first: Decimal | None = None
    plans: int = 1
    in_order: bool = True
    """Whether its claims went to the insurers in the right order from the start."""


@dataclass
class WrongPlan:
    """A plan about which its insurer says what is not so, and what became of it. Counts are of answered sessions."""

    case: int
    way: str
    answered: int = 0
    detected_after: int | None = None
    detected_by: str = ""
    applied_after: int | None = None
    corrections: dict[str, int] = field(default_factory=dict)
    mended_on: str = ""


@dataclass
class Findings:
    held: list[Held] = field(default_factory=list)
    wrong: list[WrongPlan] = field(default_factory=list)
    right: dict[str, int] = field(default_factory=dict)
    """Corrections of plans that were told rightly, by kind."""
    unexplained: list[str] = field(default_factory=list)
    """Corrections of plans told rightly that nothing in the draw explains."""
    comparisons: dict[str, int] = field(default_factory=dict)
    books_broken: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    coordination: Coordination = field(default_factory=Coordination)

    @property
    def differing(self) -> list[Held]:
        return [each for each in self.held if each.final is None or each.final != each.theirs]


def look(people: Population, world: World, troubles: Iterable[str] = ()) -> Findings:
    """Read what the year left behind, on our side and on the insurers'."""
    found = Findings(troubles=list(troubles))
    theirs = their_books.read(people, world.books())
    cases = {case.person.email: case for case in people.cases}
    clients = {client.pk: cases[client.email] for client in Client.objects.all()}
    corrections = _corrections()
    costs = _costs()
    confirmed = Session.objects.filter(status=Session.Status.CONFIRMED).order_by("date", "starts_at", "client__email")
    for session in confirmed:
        case = clients[session.client_id]
        rows = costs[session.pk]
        assert session.confirmed_at is not None
        before = [row for row in rows if row.created_at <= session.confirmed_at]
        estimates = [row for row in rows if row.basis == SessionCost.Basis.ESTIMATE]
        since = next((each.created_at for each in corrections.get(rows[0].coverage_id or 0, [])), None)
        told = theirs.get((case.number, session.date), Told(case, session.date))
        found.held.append(
            Held(
                case=case.number,
                on=session.date,
                charged=before[-1].amount,
                held=estimates[-1].amount,
                final=rows[-1].amount if rows[-1].basis == SessionCost.Basis.FINAL else None,
                theirs=told.final,
                told_wrong=bool(case.plans[0].wrong),
                corrected=since is not None and since < session.confirmed_at,
                first=told.first,
                plans=len(case.plans),
                in_order=not told.sent_in_wrong_order(),
            )
        )
    found.held.sort(key=lambda each: (each.on, each.case))
    _detections(found, clients, corrections)
    wrongly = {(each.case, each.on) for each in found.held if not each.in_order}
    found.coordination = coordination.look(people, clients, theirs.values(), wrongly)
    found.books_broken = [f"{each.check.name}: {each.violations}" for each in books.run() if each.violations]
    found.counts = _counts()
    planned = sum(len(case.visits) for case in people.cases)
    found.counts["visits that a pause kept from being booked"] = planned - Session.objects.count()
    return found


def _costs() -> dict[int, list[SessionCost]]:
    rows: defaultdict[int, list[SessionCost]] = defaultdict(list)
    for row in SessionCost.objects.order_by("pk").defer("breakdown"):
        rows[row.session_id].append(row)
    return rows


def _corrections() -> dict[int, list[BenefitSnapshot]]:
    """The corrected benefits of each plan, oldest first, by coverage."""
    found: defaultdict[int, list[BenefitSnapshot]] = defaultdict(list)
    for snapshot in BenefitSnapshot.objects.exclude(corrects={}).order_by("pk"):
        found[snapshot.coverage_id].append(snapshot)
    return found


def _detections(found: Findings, clients: dict[int, Case], corrections: dict[int, list[BenefitSnapshot]]) -> None:
    by_coverage: defaultdict[int, list[Comparison]] = defaultdict(list)
    for each in Comparison.objects.order_by("pk"):
        by_coverage[each.coverage_id].append(each)
        found.comparisons[each.kind] = found.comparisons.get(each.kind, 0) + 1
    for coverage in Coverage.objects.select_related("payer").order_by("client__email"):
        case = clients[coverage.client_id]
        plan = next(each for each in case.plans if each.payer_id == coverage.payer.payer_id)
        comparisons, corrected = by_coverage[coverage.pk], corrections.get(coverage.pk, [])
        if plan.wrong:
            found.wrong.append(detected(case, plan, comparisons, corrected))
        else:
            _right(found, case, plan, comparisons, corrected)
    found.wrong.sort(key=lambda each: each.case)
    found.right = dict(sorted(found.right.items()))
    found.comparisons = dict(sorted(found.comparisons.items()))


def detected(case: Case, plan: Insured, comparisons: list[Comparison], corrected: list[BenefitSnapshot]) -> WrongPlan:
    """A plan is detected by the first answer that is not as estimated, or by an earlier correction: decisions may
    contradict what is said before any estimate has failed."""
    wrong = WrongPlan(case.number, plan.wrong, answered=len(comparisons))
    wrong.mended_on = plan.mended_on.isoformat() if plan.mended_on else ""
    failed = next((each for each in comparisons if each.kind != Comparison.Kind.MATCH), None)
    if corrected:
        wrong.applied_after = _answers_until(corrected[0].created_at, comparisons)
    if failed is not None:
        wrong.detected_after, wrong.detected_by = comparisons.index(failed) + 1, failed.kind
    if wrong.applied_after is not None and (failed is None or wrong.applied_after < (wrong.detected_after or 0)):
        wrong.detected_after, wrong.detected_by = wrong.applied_after, BEFORE_AN_ERROR
    for each in comparisons:
        if each.state == Comparison.State.APPLIED:
            wrong.corrections[each.kind] = wrong.corrections.get(each.kind, 0) + 1
    return wrong


def _answers_until(moment: datetime, comparisons: list[Comparison]) -> int:
    return sum(each.created_at <= moment for each in comparisons)


def _right(
    found: Findings, case: Case, plan: Insured, comparisons: list[Comparison], corrected: list[BenefitSnapshot]
) -> None:
    who = f"client {case.number} ({plan.design})"
    for each in comparisons:
        if each.state == Comparison.State.APPLIED:
            found.right[each.kind] = found.right.get(each.kind, 0) + 1
            if each.kind != Comparison.Kind.ACCUMULATOR_DRIFT or not _may_drift(case, plan):
                found.unexplained.append(f"{who}: {each.kind}, {each.explanation}")
    for snapshot in corrected:
        moved = all(figure.endswith(".remaining") for figure in snapshot.corrects)
        if not moved or not _may_drift(case, plan):
            found.unexplained.append(f"{who}: {', '.join(sorted(snapshot.corrects))} corrected")


def _may_drift(case: Case, plan: Insured) -> bool:
    """Care elsewhere, or a spouse's, moves what is left of a plan between two answers: that is nobody's error."""
    return bool(plan.elsewhere) or plan.design.startswith("family") or case.number != case.household


def _counts() -> dict[str, int]:
    return {
        "clients": Client.objects.count(),
        "sessions held": Session.objects.filter(status=Session.Status.CONFIRMED).count(),
        "inquiries": EligibilityCheck.objects.count(),
        "inquiries unanswered": EligibilityCheck.objects.exclude(state=EligibilityCheck.State.ANSWERED).count(),
        "claims": Claim.objects.count(),
        "claims taken back": Claim.objects.filter(frequency=Claim.VOID).count(),
        "claims sent on by insurers": ClaimEvent.objects.filter(kind="crossover").values("claim").distinct().count(),
        "charges": Payment.objects.filter(state=Payment.State.SUCCEEDED).count(),
        "refunds": Refund.objects.filter(state=Refund.State.SUCCEEDED).count(),
    }


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How near prices were to the insurer's decision: sessions, share within a dollar, mean and median error."""

    sessions: int
    close: float | None
    mean_error: Decimal | None
    median_error: Decimal | None


def accuracy(pairs: Iterable[tuple[Decimal, Decimal | None]]) -> Accuracy:
    """Of (our price, the insurer's decision); undecided sessions are left out."""
    errors = [abs(ours - theirs) for ours, theirs in pairs if theirs is not None]
    if not errors:
        return Accuracy(0, None, None, None)
    close = sum(error <= CLOSE for error in errors) / len(errors)
    return Accuracy(len(errors), round(close, 4), round_cents(mean(errors)), round_cents(median(errors)))


def by_month(held: Iterable[Held]) -> dict[str, list[Held]]:
    """Sessions by month of service, ``2025-03`` first."""
    months: defaultdict[str, list[Held]] = defaultdict(list)
    for each in held:
        months[f"{each.on:%Y-%m}"].append(each)
    return dict(sorted(months.items()))


def money(held: Iterable[Held]) -> tuple[Decimal, Decimal]:
    """Given back and asked for after the charge, in dollars."""
    back = asked = ZERO
    for each in held:
        if each.final is not None:
            back += max(ZERO, each.charged - each.final)
            asked += max(ZERO, each.final - each.charged)
    return back, asked
