"""Whatever a plan year looks like: facts count once, their order of arrival does not matter, nothing drifts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from billing.domain.evidence import Left, Seen, Share, Told, as_told, price_of, read
from billing.domain.plan_year import Decided, Visit, Year, walk
from billing.domain.pricing import PlanTerms, Remaining
from insurance.domain.benefits import CopayRule

EXAMPLES = 2500
"""Of each property: together more than ten thousand."""

FIRST_DAY = date(2026, 1, 5)
cents = st.integers(0, 40_000).map(lambda amount: Decimal(amount) / 100)
maybe = st.none() | cents
shares = st.sampled_from([None, Decimal("0.1"), Decimal("0.2"), Decimal("0.35"), Decimal(1)])


@st.composite
def terms(draw: st.DrawFn, *, decided: bool = True) -> PlanTerms:
    """A plan; ``decided``: one whose price its terms always tell."""
    copay = draw(maybe)
    coinsurance = draw(shares)
    if decided and copay is None and coinsurance is None:
        coinsurance = Decimal("0.2")
    return PlanTerms(
        network="in",
        deductible_remaining=draw(cents if decided else maybe),
        family_deductible_remaining=draw(maybe),
        out_of_pocket_remaining=draw(maybe),
        family_out_of_pocket_remaining=draw(maybe),
        copay=copay,
        copay_rule=draw(st.sampled_from(CopayRule)) if decided or draw(st.booleans()) else None,
        coinsurance=coinsurance,
        visits_remaining=draw(st.none() | st.integers(0, 6)),
    )


def video_of(office: PlanTerms, draw: st.DrawFn) -> PlanTerms:
    """The same plan's terms of a video visit: one copay or none for both, the same figures left."""
    if not draw(st.booleans()):
        return office
    return replace(office, copay=draw(cents), copay_rule=CopayRule.WAIVES_DEDUCTIBLE, coinsurance=None)


@st.composite
def years(draw: st.DrawFn, *, decided: bool = True) -> tuple[PlanTerms, PlanTerms, list[Visit]]:
    office = draw(terms(decided=decided))
    video = video_of(office, draw)
    visits = [
        Visit(
            id=number,
            day=FIRST_DAY + timedelta(days=7 * number),
            allowed=draw(cents) + Decimal("0.01"),
            telehealth=draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 6)))
    ]
    return office, video, visits


def as_decided(visit: Visit, year: Year) -> Visit:
    """The insurer decides exactly as we priced."""
    price = year.prices[visit.id].price
    assert price.deductible is not None and price.copay is not None
    assert price.coinsurance is not None and price.not_covered is not None
    return replace(
        visit,
        decided=Decided(visit.allowed, price.deductible, price.copay, price.coinsurance, price.not_covered),
    )


def clients(year: Year) -> dict[int, Decimal | None]:
    return {number: placed.price.client for number, placed in year.prices.items()}


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_order_in_which_visits_are_learnt_does_not_matter(data: st.DataObject) -> None:
    office, video, visits = data.draw(years(decided=False))
    some = [
        replace(visit, decided=Decided(visit.allowed, coinsurance=visit.allowed)) if data.draw(st.booleans()) else visit
        for visit in visits
    ]

    assert walk(office, video, some) == walk(office, video, data.draw(st.permutations(some)))


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_decision_as_predicted_changes_no_other_price_and_is_counted_once(data: st.DataObject) -> None:
    """Whether the figures have it already or it comes off on top: the sessions after it cost the same."""
    office, video, visits = data.draw(years())
    before = walk(office, video, visits)
    count = data.draw(st.integers(0, len(visits)))
    decided = [as_decided(visit, before) for visit in visits[:count]]

    on_top = walk(office, video, [*decided, *visits[count:]])
    rest = {number: price for number, price in clients(before).items() if number >= count}
    assert clients(on_top) == rest

    known = [replace(visit, known=True) for visit in decided]
    left = on_top_of(office, decided)
    told_again = walk(with_left(office, left), with_left(video, left), [*known, *visits[count:]])
    assert clients(told_again) == rest


def on_top_of(office: PlanTerms, decided: list[Visit]) -> Remaining:
    return walk(office, office, decided).after.remaining()


def with_left(terms: PlanTerms, left: Remaining) -> PlanTerms:
    return replace(
        terms,
        deductible_remaining=left.deductible,
        family_deductible_remaining=left.family_deductible,
        out_of_pocket_remaining=left.out_of_pocket,
        family_out_of_pocket_remaining=left.family_out_of_pocket,
        visits_remaining=left.visits,
    )


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_a_reversal_gives_back_is_as_if_it_had_never_been(data: st.DataObject) -> None:
    office, video, visits = data.draw(years())
    year = walk(office, video, visits)
    first = as_decided(visits[0], year)
    decided = first.decided
    assert decided is not None
    back = Decided(-decided.allowed, -decided.deductible, -decided.copay, -decided.coinsurance, -decided.not_covered)
    gone = replace(office, visits_remaining=None)
    gone_video = replace(video, visits_remaining=None)

    assert clients(walk(gone, gone_video, [first, replace(first, decided=back), *visits[1:]])) == clients(
        walk(gone, gone_video, visits[1:])
    )


# --- Evidence ---------------------------------------------------------------------------------------------------------

START = datetime(2026, 1, 2, 14, tzinfo=UTC)
copays = st.integers(1, 60).map(lambda amount: Decimal(amount * 5).quantize(Decimal("0.01")))
coinsurances = st.sampled_from([Decimal(n) / 100 for n in (5, 10, 15, 20, 25, 30, 35, 40, 50)])
plans = st.builds(Share, copays, st.sampled_from(CopayRule), st.none()) | st.builds(
    Share, st.none(), st.none(), coinsurances
)


@st.composite
def stories(draw: st.DrawFn, *, wrong: bool) -> tuple[list[Told], list[Seen], Share, Left]:
    """An insurer that tells one thing and does, perhaps, another; decided week by week by its own books."""
    truth = draw(plans)
    told = draw(plans) if wrong else truth
    deductible = draw(st.sampled_from([Decimal("0.00"), Decimal("220.00"), Decimal("700.00")]))
    left = Left(deductible, draw(st.sampled_from([None, Decimal("5000.00")])))
    answers = [Told(START, told, told, left, Left(deductible, left.maximum))]
    seen = []
    for week in range(draw(st.integers(1, 6))):
        decided = decided_by(truth, left, Decimal("150.00"))
        at = START + timedelta(days=7 * week + 5)
        seen.append(Seen(week, at, draw(st.booleans()), decided))
        left = Left(
            (left.deductible or Decimal(0)) - decided.deductible,
            None if left.maximum is None else left.maximum - decided.counted,
        )
    return answers, seen, truth, left


def decided_by(truth: Share, left: Left, allowed: Decimal) -> Decided:
    price = price_of(truth, left, allowed)
    assert price.deductible is not None and price.copay is not None and price.coinsurance is not None
    return Decided(allowed, price.deductible, price.copay, price.coinsurance)


def plainly(reading: Any) -> tuple[Any, ...]:
    return reading.office.share, reading.telehealth.share, reading.left, reading.active, dict(reading.fits)


@given(data=st.data())
@settings(max_examples=1000, deadline=None)
def test_evidence_reads_the_same_in_any_order(data: st.DataObject) -> None:
    answers, seen, _truth, _left = data.draw(stories(wrong=True))
    again = replace(answers[0], at=START + timedelta(days=data.draw(st.integers(1, 30))))
    facts = [answers[0], again]

    assert plainly(read(facts, seen)) == plainly(
        read(data.draw(st.permutations(facts)), data.draw(st.permutations(seen)))
    )


@given(data=st.data())
@settings(max_examples=1500, deadline=None)
def test_an_insurer_that_keeps_its_word_is_never_corrected(data: st.DataObject) -> None:
    answers, seen, truth, left = data.draw(stories(wrong=False))
    reading = read(answers, seen)

    assert (reading.office.share, reading.telehealth.share, reading.costs) == (truth, truth, 0)
    assert reading.left == answers[0].left
    assert plainly(as_told(answers, seen)) == plainly(reading)
    assert left.deductible is not None and left.deductible >= 0


@given(data=st.data())
@settings(max_examples=1500, deadline=None)
def test_what_a_reading_explains_it_would_have_priced_so(data: st.DataObject) -> None:
    """When it is sure, and the insurer has decided alike past the deductible, the next is priced as it will."""
    answers, seen, truth, left = data.draw(stories(wrong=True))
    reading = read(answers, seen)
    if not reading.sure or len(seen) < 3 or reading.office.share != reading.telehealth.share:
        return
    if seen[-2].decided != seen[-1].decided or left.deductible or seen[-1].decided.deductible:
        return
    used = sum((each.decided.deductible for each in seen), Decimal(0))
    counted = sum((each.decided.counted for each in seen), Decimal(0))
    now = Left(
        None if reading.left.deductible is None else max(Decimal(0), reading.left.deductible - used),
        None if reading.left.maximum is None else max(Decimal(0), reading.left.maximum - counted),
    )
    expected = decided_by(truth, left, Decimal("150.00"))

    assert price_of(reading.office.share, now, Decimal("150.00")).client == expected.client
