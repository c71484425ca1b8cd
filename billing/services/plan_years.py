"""One client's plan year as rows: the sessions in it, what the insurer decided of them, and what it told when."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, Q

from billing.domain import corrections
from billing.domain.corrections import Figures
from billing.domain.evidence import Other, Reading, Seen, Share, Told, as_told, read
from billing.domain.forecast import fresh, year_on
from billing.domain.plan_year import Decided, Visit, Year, less_family, terms_of, walk
from billing.models import Comparison
from care.models import Session
from common import clock
from common.money import ZERO
from insurance.domain.benefit_lines import LineKind, Network
from insurance.domain.benefits import Benefits, CopayRule
from insurance.domain.decisions import REVERSAL, Meaning, Result, in_force, standing
from insurance.models import Adjudication, BenefitSnapshot, Claim, Coverage
from insurance.services.coverages import of_the_family
from insurance.services.network import rates
from insurance.x12 import x271
from insurance.x12.segments import X12Error
from insurance.x12.x271_benefits import lines_of
from people.models import Client

_PARTS = {"1": "deductible", "2": "coinsurance", "3": "copay"}
"""CARCs of group PR that count to a maximum (X12: claim adjustment reason codes)."""


@dataclass(frozen=True, slots=True)
class PlanYear:
    """The sessions that draw on one snapshot as on a first plan's, in order of date, time and id.

    ``allowed``: the contract's rate of each in dollars, ``None`` where there is none.
    """

    coverage: Coverage
    snapshot: BenefitSnapshot
    benefits: Benefits
    sessions: Sequence[Session]
    allowed: dict[int, Decimal | None]

    def confirmed_in(self, coverage: Coverage, snapshot: BenefitSnapshot) -> list[Session] | None:
        """The confirmed sessions, if this is the plan year that a snapshot of ``coverage`` speaks of."""
        ours = (self.coverage.pk, self.snapshot.plan_begin, self.snapshot.plan_end)
        if ours != (coverage.pk, snapshot.plan_begin, snapshot.plan_end):
            return None
        return [each for each in self.sessions if each.status == Session.Status.CONFIRMED]

    def walk(self) -> Year:
        """Price what is not decided."""
        relatives = _decided_of_relatives(self.coverage, self.snapshot, self.benefits)
        office, video = (
            less_family(terms_of(self.benefits, telehealth=telehealth), relatives) for telehealth in (False, True)
        )
        return walk(office, video, list(self._visits()))

    def _visits(self) -> Iterable[Visit]:
        for session in self.sessions:
            allowed = self.allowed[session.pk]
            answers = answers_of(session)
            news = [each for each in answers if decided_at(each) > self.snapshot.observed_at]
            if allowed is None and not answers:
                continue
            yield Visit(
                id=session.pk,
                day=session.date,
                allowed=allowed or ZERO,
                telehealth=session.is_telehealth,
                decided=decided(_of_one_mind(news or answers)) if answers else None,
                known=not news,
            )

    def seen(self) -> list[Seen]:
        """The year's decided sessions as evidence; what was taken back altogether is none."""
        dismissed = set(
            Comparison.objects.filter(session__in=self.sessions, state=Comparison.State.DISMISSED).values_list(
                "adjudication", flat=True
            )
        )
        found = []
        for session in self.sessions:
            answers = _of_one_mind(answers_of(session))
            sum_of = decided(answers)
            if not answers or sum_of.allowed <= ZERO:
                continue
            newest = max(answers, key=lambda each: each.pk)
            found.append(
                Seen(
                    id=session.pk,
                    at=max(decided_at(each) for each in answers),
                    telehealth=session.is_telehealth,
                    decided=sum_of,
                    trusted=newest.pk not in dismissed,
                    day=session.date,
                )
            )
        return found


def load(
    client: Client,
    coverage: Coverage,
    snapshot: BenefitSnapshot,
    scheduled: Iterable[int],
    *,
    benefits: Benefits,
    known: PlanYear | None = None,
) -> PlanYear:
    """The snapshot's plan year; ``scheduled``: ids of the sessions to come that this plan is primary for.

    A confirmed one is where its primary claim went, whichever plan would be primary for it today. ``known``: what was
    loaded before in this transaction; what of it belongs to this plan year is not read again.
    """
    wanted = Q(status=Session.Status.SCHEDULED, pk__in=list(scheduled))
    confirmed = known.confirmed_in(coverage, snapshot) if known is not None else None
    if confirmed is None:
        claimed = Claim.objects.filter(coverage=coverage, rank=1, session__client=client).exclude(Claim.OUTSIDE)
        wanted |= Q(status=Session.Status.CONFIRMED, pk__in=claimed.values("session"))
    sessions = Session.objects.filter(wanted)
    if snapshot.plan_begin is not None:
        sessions = sessions.filter(date__gte=snapshot.plan_begin)
    if snapshot.plan_end is not None:
        sessions = sessions.filter(date__lte=snapshot.plan_end)
    first_plans = Prefetch(
        "claims",
        queryset=Claim.objects.filter(coverage=coverage).prefetch_related(
            "adjudications__adjustments", "adjudications__remittance"
        ),
        to_attr="first_plan_claims",
    )
    found = list(sessions.select_related("provider").prefetch_related("lines", first_plans))
    allowed = rates(payer=coverage.payer, sessions=found)
    if known is not None and confirmed:
        allowed |= {each.pk: known.allowed[each.pk] for each in confirmed}
    together = sorted([*(confirmed or ()), *found], key=lambda each: (each.date, each.starts_at, each.pk))
    return PlanYear(coverage, snapshot, benefits, together, allowed)


def next_year(client: Client, coverage: Coverage, last: BenefitSnapshot, scheduled: Iterable[int]) -> list[PlanYear]:
    """The plan year after ``last``'s, before the insurer has said anything about it: the same plan with nothing used.

    One for each way in which it may be, where the insurer has not told all limits; none when the year's end is unknown.
    """
    if last.plan_end is None:
        return []
    begins = last.plan_end + timedelta(days=1)
    snapshot = copy(last)
    snapshot.plan_begin, snapshot.plan_end = begins, year_on(begins) - timedelta(days=1)
    benefits = last.read()
    figures = benefits.in_network
    loaded = load(client, coverage, snapshot, scheduled, benefits=benefits)
    return [
        replace(loaded, benefits=replace(benefits, in_network=replace(office, telehealth=video)))
        for office, video in zip(fresh(figures), fresh(figures.for_telehealth()), strict=True)
    ]


def answers_of(session: Session) -> list[Adjudication]:
    """What the first plan has decided of a session loaded here; empty while it is under way or waits for the member.

    Answers to claims that were replaced or voided count with those to the claim in their place: a reversal may come
    under the number of either.
    """
    claims: list[Claim] = session.first_plan_claims  # type: ignore[attr-defined]  # set by the prefetch of `load`
    in_sequence = [each for each in claims if each.submission != "replaced" and each.frequency != Claim.VOID]
    if not any(each.decision in (Claim.Decision.PAID, Claim.Decision.DENIED) for each in in_sequence if each.rank == 1):
        return []
    answers = [each for claim in claims for each in claim.adjudications.all() if each.posted_at is not None]
    return sorted(answers, key=lambda each: each.pk)


def _of_one_mind(answers: Sequence[Adjudication]) -> Sequence[Adjudication]:
    """The answers that add up to what a plan decided, in the order they came: without those that a newer one took the
    place of though no reversal took them back, such as a question to the member."""
    ordered = sorted(answers, key=lambda each: each.pk)
    results = [
        Result(
            charge=each.charge,
            paid=each.paid,
            reversal=each.status_code == REVERSAL,
            duplicate=each.decision.meaning is Meaning.DUPLICATE,
        )
        for each in ordered
    ]
    overtaken = set(standing(results)) - {in_force(results)}
    return [each for place, each in enumerate(ordered) if place not in overtaken]


def decided(answers: Iterable[Adjudication]) -> Decided:
    """All answers to one session added up; reversals take back."""
    answers = list(answers)
    sums = dict.fromkeys((*_PARTS.values(), "not_covered"), ZERO)
    for each in answers:
        for adjustment in each.adjustments.all():
            if adjustment.group == "PR":
                sums[_PARTS.get(adjustment.code, "not_covered")] += adjustment.amount
    return Decided(allowed=sum((each.allowed for each in answers), ZERO), **sums)


def decided_at(answer: Adjudication) -> datetime:
    """When the insurer had decided: by the end of the day it paid, and not after we had its word."""
    received, paid_on = answer.remittance.created_at, answer.remittance.paid_on
    if paid_on is None:
        return received
    return min(received, datetime.combine(paid_on, time.max, tzinfo=clock.BUSINESS_ZONE))


def _decided_of_relatives(coverage: Coverage, snapshot: BenefitSnapshot, benefits: Benefits) -> list[Decided]:
    """What was decided after the snapshot of other clients under the same plan, as their first plan, in its year; none
    where the family has no figures."""
    figures = benefits.in_network
    if figures.deductible.family.remaining is None and figures.out_of_pocket.family.remaining is None:
        return []
    answers = Adjudication.objects.filter(
        claim__coverage__in=of_the_family(coverage), claim__rank=1, posted_at__isnull=False
    )
    if snapshot.plan_begin is not None:
        answers = answers.filter(claim__session__date__gte=snapshot.plan_begin)
    if snapshot.plan_end is not None:
        answers = answers.filter(claim__session__date__lte=snapshot.plan_end)
    by_session: dict[int, list[Adjudication]] = {}
    for each in answers.select_related("claim", "remittance").prefetch_related("adjustments").order_by("pk"):
        if each.claim is not None and decided_at(each) > snapshot.observed_at:
            by_session.setdefault(each.claim.session_id, []).append(each)
    return [decided(_of_one_mind(each)) for each in by_session.values()]


# --- What the insurer told, and whether it was true -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Truth:
    """A plan year's newest answer, and what of it we take for wrong: by support's word, and by evidence.

    ``answer`` is the newest one of the insurer or of support; ``in_force`` what prices come from at the moment.
    ``figures`` are put right by themselves; ``proposed`` are those that would explain everything. ``year``: the
    sessions that this was read from.
    """

    answer: BenefitSnapshot
    in_force: BenefitSnapshot
    seen: dict[int, Seen]
    reading: Reading
    figures: Figures
    proposed: Figures
    year: PlanYear

    @property
    def document(self) -> dict[str, Any]:
        """The benefits as we take them for true, as a snapshot keeps them."""
        return corrections.lay_over(self.answer.benefits, self.figures)


def truth_of(client: Client, coverage: Coverage, on: date) -> Truth | None:
    """Read the plan year that holds ``on``; ``None`` while nothing is known of it.

    A reading that is not sure waits for a person: until then we keep to what we were told a visit costs. So we do with
    what support entered of it, until the insurer says something else.
    """
    snapshots = [each for each in coverage.snapshots.order_by("observed_at", "pk") if holds(each, on)]
    told = [each for each in snapshots if each.source != BenefitSnapshot.Source.REMITTANCE]
    if not told:
        return None
    newest = told[-1]
    year = [each for each in told if (each.plan_begin, each.plan_end) == (newest.plan_begin, newest.plan_end)]
    standing: Figures = {}
    answers: list[Told] = []
    for each in year:
        benefits = each.read()
        if each.source == BenefitSnapshot.Source.SUPPORT:
            standing = each.corrects
        else:
            standing = corrections.still_said(benefits, standing)
            benefits = Benefits.from_json(corrections.lay_over(each.benefits, standing))
        answers.append(corrections.told_of(benefits, each.observed_at, each.effective_on))
    loaded = load(client, coverage, newest, [], benefits=benefits)
    seen = loaded.seen()
    reading = read(answers, seen)
    if reading.costs:
        reading = read(answers, seen, _named_elsewhere(newest, benefits))
    by_support = any(figure.endswith(corrections.SHARE) for figure in standing)
    automatic = reading.sure and newest.source != BenefitSnapshot.Source.SUPPORT and not by_support
    kept = reading if automatic or not reading.share_changed else as_told(answers, seen)
    return Truth(
        answer=newest,
        in_force=max(snapshots, key=lambda each: (each.observed_at, each.pk)),
        seen={each.id: each for each in seen},
        reading=reading,
        figures=on_top(standing, corrections.corrections(benefits, kept)),
        proposed=on_top(standing, corrections.corrections(benefits, reading)),
        year=loaded,
    )


def on_top(first: Figures, then: Figures) -> Figures:
    """Corrections of corrected figures, against what was said at first."""
    merged = {figure: dict(change) for figure, change in first.items()}
    for figure, change in then.items():
        merged[figure] = {"said": merged.get(figure, change)["said"], "is": change["is"]}
    return {figure: change for figure, change in merged.items() if change["said"] != change["is"]}


def holds(snapshot: BenefitSnapshot, on: date) -> bool:
    """Whether the snapshot's plan year holds a day; one without plan dates holds any."""
    begun = snapshot.plan_begin is None or snapshot.plan_begin <= on
    return begun and (snapshot.plan_end is None or on <= snapshot.plan_end)


def _named_elsewhere(snapshot: BenefitSnapshot, benefits: Benefits) -> list[Other]:
    """Prices the insurer has named for other visits in the same answer: an insurer's claim system may have taken one
    of them."""
    office = corrections.share_of(benefits.in_network)
    video = corrections.share_of(benefits.in_network.for_telehealth())
    found: list[Other] = [Other(each) for each in (office, video)]
    check = snapshot.eligibility_check
    if check is not None and check.response is not None:
        found += _in_the_file(bytes(check.response.raw), check.trace, office)
    found.append(Other(corrections.share_of(benefits.out_of_network), out_of_network=True))
    unlike = [each for each in found if each.share not in (office, video) or office != video]
    return [each for each in unlike if each.share.copay is not None or each.share.coinsurance is not None]


def _in_the_file(raw: bytes, trace: str, office: Share) -> list[Other]:
    try:
        response = next((each for each in x271.read(raw).responses if each.trace == trace), None)
    except X12Error:
        return []
    found = []
    for line in lines_of(response) if response else ():
        if line.network not in (Network.IN, Network.BOTH):
            continue
        if line.kind is LineKind.COPAY and line.amount is not None:
            found.append(Other(Share(line.amount, office.rule or CopayRule.WAIVES_DEDUCTIBLE, None)))
        elif line.kind is LineKind.COINSURANCE and line.share is not None:
            found.append(Other(Share(None, None, line.share)))
    return found
