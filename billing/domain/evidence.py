"""What an insurer's decisions say about the benefits it had told us. Pure; with figures in ``docs/corrections.md``.

An answer (271) says what visits cost and what is left; decided claims show whether that was true. We look for the
reading of the plan that explains all decisions with the fewest and smallest departures from what we were told. A
reading is one share for visits at an office and one for video visits, constant while the insurer's word is, and figures
left that may jump when other care is processed. The result depends on the facts alone, not on the order we learnt them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from billing.domain.candidate_shares import Candidate, Costs, Other, Share, candidates, is_odd
from billing.domain.plan_year import Decided
from billing.domain.pricing import PlanState, PlanTerms, PricedSession, price_session
from common.money import ZERO
from insurance.domain.benefits import CopayRule

__all__ = ["Candidate", "Fit", "Left", "Other", "Reading", "Seen", "Share", "Told", "as_told", "price_of", "read"]


class Left(NamedTuple):
    """What is left in dollars, of the member's own or the family's limit, whichever is less; ``None``: not known, or
    no such limit."""

    deductible: Decimal | None
    maximum: Decimal | None
    visits: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One answer about a plan year, given at ``at`` about the day ``on``."""

    at: datetime
    office: Share
    telehealth: Share
    left: Left
    limit: Left = field(default_factory=lambda: Left(None, None))
    active: bool | None = True
    on: date | None = None

    @property
    def shares(self) -> tuple[Share, Share]:
        return self.office, self.telehealth


@dataclass(frozen=True, slots=True)
class Seen:
    """One decided session; ``at``: when the insurer had decided it, ``day``: when it took place.

    ``trusted`` is ``False`` for a decision that support took for the insurer's mistake: what it used counts, what it
    says about the plan does not.
    """

    id: int
    at: datetime
    telehealth: bool
    decided: Decided
    trusted: bool = True
    day: date | None = None


class Fit(StrEnum):
    """How a decision agrees with the reading that was chosen."""

    AS_TOLD = "as_told"
    """With the share we were told, and what was left of it then."""
    DRIFT = "drift"
    """What was left stood elsewhere: other care, or an answer that was old."""
    SHARE = "share"
    """With another share than we were told."""
    NOT_EXPLAINED = "not_explained"


@dataclass(frozen=True, slots=True)
class Reading:
    """What we take for true of the plan year.

    ``left`` is what the newest answer should have said, so that what was decided after it comes off as always.
    ``sure``: every decision is explained, and by one changed figure at most or by what the insurer itself had named
    for visits in network: what it pays out of network is no benefit of these visits.
    """

    told: Told
    office: Candidate
    telehealth: Candidate
    left: Left
    active: bool | None
    fits: Mapping[int, Fit] = field(default_factory=dict)
    costs: int = 0

    @property
    def sure(self) -> bool:
        return (
            Fit.NOT_EXPLAINED not in self.fits.values()
            and max(self.office.costs, self.telehealth.costs) <= Costs.ONE_FIGURE
            and not any(each.other and each.other.out_of_network for each in (self.office, self.telehealth))
        )

    @property
    def share_changed(self) -> bool:
        return (self.office.share, self.telehealth.share) != self.told.shares


def read(answers: Sequence[Told], seen: Iterable[Seen], others: Sequence[Other] = ()) -> Reading:
    """The reading that explains a plan year best. ``answers`` are the insurer's, at least one; any order.

    Decisions speak about the words that were in force when they were made: when an insurer changes what it says of a
    visit, what was decided before says nothing about the new words.
    """
    run, visits, sums = _in_force(answers, seen)
    office, telehealth = run[-1].shares
    at_office = [each for each in visits if not each.telehealth]
    by_video = [each for each in visits if each.telehealth]
    told_office, told_video = Candidate(office), Candidate(telehealth)
    options: list[tuple[Candidate, Candidate]]
    together: Reading | None = None
    if office == telehealth:
        options = [(each, each) for each in candidates(office, _proving(visits), others)]
        together = _best(run, visits, options, sums)
        if not (together.costs and at_office and by_video):
            return together
    # One place after the other: what one of them costs says nothing about the other.
    options = [(each, told_video) for each in candidates(office, _proving(at_office), others)]
    chosen = _best(run, visits, options, sums).office
    options = [(chosen, each) for each in candidates(telehealth, _proving(by_video), others)]
    if not by_video:
        options = [(chosen, told_video)]
    elif not at_office:
        options = [(told_office, each) for _chosen, each in options]
    apart = _best(run, visits, options, sums)
    return together if together is not None and together.costs <= apart.costs else apart


def _proving(visits: Iterable[Seen]) -> Iterator[Decided]:
    return (each.decided for each in visits if each.trusted)


def as_told(answers: Sequence[Told], seen: Iterable[Seen]) -> Reading:
    """The reading that keeps to what we were told a visit costs, whatever was decided; only what is left moves."""
    run, visits, sums = _in_force(answers, seen)
    return _best(run, visits, [(Candidate(run[-1].office), Candidate(run[-1].telehealth))], sums)


def _in_force(answers: Sequence[Told], seen: Iterable[Seen]) -> tuple[list[Told], list[Seen], "_Sums"]:
    """The newest answers that say the same of a visit, what was decided since the first of them, and the sums of what
    was decided before."""
    run = _same_words(sorted(answers, key=lambda each: each.at))
    visits, before = [], _Sums()
    for each in seen:
        if each.at > run[0].at:
            visits.append(each)
        else:
            before.add(each.decided)
    return run, visits, before


def _same_words(answers: Sequence[Told]) -> list[Told]:
    """The newest answers that say the same of a visit."""
    run = [answers[-1]]
    for each in reversed(answers[:-1]):
        if each.shares != run[0].shares or (each.active is False) != (run[0].active is False):
            break
        run.insert(0, each)
    return run


def _best(
    run: Sequence[Told], visits: Sequence[Seen], options: Iterable[tuple[Candidate, Candidate]], before: "_Sums"
) -> Reading:
    """The cheapest reading; of equals the first."""
    best: Reading | None = None
    events: list[Told | Seen] = sorted([*run[1:], *visits], key=_in_time)
    for office, telehealth in options:
        if best is not None and best.costs == Costs.AS_TOLD:
            break
        limit = best.costs if best else None
        best = _follow(run, events, office, telehealth, before=before, cheaper_than=limit) or best
    assert best is not None, "what we were told is always an option"
    return best


def _follow(
    run: Sequence[Told],
    events: Sequence[Told | Seen],
    office: Candidate,
    telehealth: Candidate,
    *,
    before: "_Sums",
    cheaper_than: int | None,
) -> Reading | None:
    """Go through answers and decisions in the order of time with one pair of shares; ``None`` when it costs more."""
    left, told = run[0].left, run[0]
    used = Left(ZERO, ZERO, 0)
    """By decisions since the newest answer."""
    costs = office.costs if office == telehealth else office.costs + telehealth.costs
    fits: dict[int, Fit] = {}
    active = run[-1].active
    in_year = _Sums(before.deductible, before.counted)
    for event in events:
        if cheaper_than is not None and costs >= cheaper_than:
            return None
        if isinstance(event, Told):
            left, told, used = _news(told, event, left), event, Left(ZERO, ZERO, 0)
            continue
        decided = event.decided
        candidate = telehealth if event.telehealth else office
        if event.trusted:
            if decided.covered and active is False and _in_time_of(run[0], event):
                active = True
            fit, left, weight = _step(candidate.share, left, event, limit=told.limit, in_year=in_year)
            fits[event.id] = Fit.SHARE if fit is Fit.AS_TOLD and candidate.costs else fit
            costs += weight
        left = _minus(left, decided)
        in_year.add(decided)
        used = Left(
            (used.deductible or ZERO) + decided.deductible,
            (used.maximum or ZERO) + decided.counted,
            (used.visits or 0) + int(decided.covered),
        )
    if cheaper_than is not None and costs >= cheaper_than:
        return None
    anchor = Left(
        None if left.deductible is None else left.deductible + (used.deductible or ZERO),
        None if left.maximum is None else left.maximum + (used.maximum or ZERO),
        None if left.visits is None else left.visits + (used.visits or 0),
    )
    return Reading(run[-1], office, telehealth, anchor, active, fits, costs)


def _in_time_of(answer: Told, seen: Seen) -> bool:
    """Whether a session took place on the day an answer is about, or later: a plan that has ended still pays for what
    was before. ``answer`` is the first one that said so: saying it again after it was proved wrong is no news."""
    return answer.on is None or seen.day is None or seen.day >= answer.on


def _in_time(event: Told | Seen) -> tuple[datetime, int]:
    """By time; of one moment, the answer before the decisions."""
    return event.at, event.id if isinstance(event, Seen) else -1


def _news(before: Told, now: Told, left: Left) -> Left:
    """What is left after a new answer. A figure that an insurer repeats although we know that it moved is no news."""
    return Left(
        left.deductible if now.left.deductible == before.left.deductible else now.left.deductible,
        left.maximum if now.left.maximum == before.left.maximum else now.left.maximum,
        left.visits if now.left.visits == before.left.visits else now.left.visits,
    )


def _minus(left: Left, decided: Decided) -> Left:
    return Left(
        None if left.deductible is None else max(ZERO, left.deductible - decided.deductible),
        None if left.maximum is None else max(ZERO, left.maximum - decided.counted),
        None if left.visits is None else max(0, left.visits - int(decided.covered)),
    )


class _Sums:
    """What the decisions seen so far have used of the year."""

    def __init__(self, deductible: Decimal = ZERO, counted: Decimal = ZERO) -> None:
        self.deductible, self.counted = deductible, counted

    def add(self, decided: Decided) -> None:
        self.deductible += decided.deductible
        self.counted += decided.counted


def _step(share: Share, left: Left, seen: Seen, *, limit: Left, in_year: _Sums) -> tuple[Fit, Left, int]:
    """Whether a decision fits a share with what was left before it, or else with what may have been left instead.

    Gives how it fits, what was left before it in that case, and how unlikely that is.
    """
    decided = seen.decided
    if is_odd(decided):
        return Fit.NOT_EXPLAINED, left, Costs.NOT_EXPLAINED
    if decided.not_covered:
        if decided.counted == ZERO and left.visits is not None:
            # No visit was left: beyond the limit the client pays all.
            return (Fit.AS_TOLD, left, 0) if left.visits == 0 else (Fit.DRIFT, left._replace(visits=0), Costs.DRIFT)
        return Fit.NOT_EXPLAINED, left, Costs.NOT_EXPLAINED
    if _fits(share, left, decided):
        return Fit.AS_TOLD, left, 0
    for costs, moved in _moved(share, left, decided, limit=limit, in_year=in_year):
        if _fits(share, moved, decided):
            return Fit.DRIFT, moved, costs
    return Fit.NOT_EXPLAINED, left, Costs.NOT_EXPLAINED


def _moved(share: Share, left: Left, decided: Decided, *, limit: Left, in_year: _Sums) -> Iterator[tuple[int, Left]]:
    """What may have been left before a decision instead, each with how unlikely it is; the likeliest first."""
    taken, counted = decided.deductible, decided.counted
    deductibles: list[tuple[int, Decimal | None]] = [(0, left.deductible)]
    if share.rule is not CopayRule.WAIVES_DEDUCTIBLE or share.copay is None:
        if _all_to_deductible(share, decided):
            deductibles.append((Costs.DRIFT, _at_least(taken, limit.deductible, in_year.deductible)))
        deductibles.append((Costs.DRIFT, taken))
    maximums: list[tuple[int, Decimal | None]] = [(0, left.maximum)]
    maximums.append((Costs.CUT if counted else Costs.DRIFT, counted))
    if left.maximum is not None and left.maximum <= counted:
        maximums.append((Costs.DRIFT, _at_least(counted, limit.maximum, in_year.counted)))
    visits = [left.visits] if left.visits != 0 else [None]
    # What is less than was taken cannot have been left.
    deductibles = [each for each in deductibles if each[1] is None or each[1] >= taken]
    maximums = [each for each in maximums if each[1] is None or each[1] >= counted]
    found = [
        (first + second + (Costs.DRIFT if count != left.visits else 0), Left(deductible, maximum, count))
        for (first, deductible), (second, maximum), count in product(deductibles, maximums, visits)
    ]
    found.sort(key=lambda each: each[0])
    return (each for each in found if 0 < each[0] < Costs.NOT_EXPLAINED)


def _at_least(taken: Decimal, limit: Decimal | None, in_year: Decimal) -> Decimal | None:
    """What may have been left of a limit of which this much was still taken: all that no decision of the year has used;
    not known where the limit itself does not reach that far."""
    if limit is None or limit - in_year < taken:
        return None
    return limit - in_year


def _fits(share: Share, left: Left, decided: Decided) -> bool:
    if not _may_fit(left, decided):
        return False
    price = price_of(share, _within(left, decided.allowed), decided.allowed)
    if price.deductible == decided.deductible and price.client == decided.client:
        return True
    # All of it to a deductible whose end is not known: that it goes on is all there is to explain.
    return left.deductible is None and _all_to_deductible(share, decided)


def _may_fit(left: Left, decided: Decided) -> bool:
    """Whether so much may have been taken at all, without pricing it: no more than was left of either."""
    enough = left.maximum is None or left.maximum >= decided.client
    return enough and (left.deductible is None or left.deductible >= decided.deductible)


def _within(left: Left, allowed: Decimal) -> Left:
    """What is left as far as it changes one visit's price: what a visit cannot reach is as good as endless."""
    return Left(
        None if left.deductible is None else min(left.deductible, allowed),
        None if left.maximum is None or left.maximum >= allowed else left.maximum,
        0 if left.visits == 0 else None,
    )


def _all_to_deductible(share: Share, decided: Decided) -> bool:
    before = share.copay if share.rule is CopayRule.BEFORE_DEDUCTIBLE and share.copay else ZERO
    waived = share.copay is not None and share.rule is CopayRule.WAIVES_DEDUCTIBLE
    return (
        not waived
        and decided.deductible > ZERO
        and decided.deductible == decided.allowed - min(before, decided.allowed)
    )


@lru_cache(maxsize=16384)
def price_of(share: Share, left: Left, allowed: Decimal) -> PricedSession:
    """One visit's price under a share with this much left."""
    terms = PlanTerms(
        network="in",
        deductible_remaining=left.deductible,
        family_deductible_remaining=None,
        out_of_pocket_remaining=left.maximum,
        family_out_of_pocket_remaining=None,
        copay=share.copay,
        copay_rule=share.rule,
        coinsurance=share.coinsurance,
        visits_remaining=left.visits,
    )
    return price_session(PlanState.start(terms), allowed, in_words=False)[0]
