"""What holds for every change of a price: there is one reason, it is the cause, and there are words for it."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from billing.domain.cost_change import Change, Estimate, cause, is_correction, reason, sentence
from billing.domain.pricing import PlanTerms
from insurance.domain.benefits import CopayRule
from tests.domain.estimating import estimate

D = Decimal


def cents(most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most).map(lambda count: (D(count) / 100).quantize(D("0.01")))


money = cents(60_000)
shares = st.integers(0, 100).map(lambda percent: D(percent) / 100)
terms = st.builds(
    PlanTerms,
    network=st.none() | st.sampled_from(["in", "out"]),
    deductible_remaining=st.none() | money,
    family_deductible_remaining=st.none() | money,
    out_of_pocket_remaining=st.none() | money,
    family_out_of_pocket_remaining=st.none() | money,
    copay=st.none() | cents(8_000),
    copay_rule=st.none() | st.sampled_from(CopayRule),
    coinsurance=st.none() | shares,
    visits_remaining=st.none() | st.integers(0, 4),
    covered=st.booleans(),
)
known_terms = st.builds(
    PlanTerms,
    network=st.just("in"),
    deductible_remaining=money,
    family_deductible_remaining=st.none() | money,
    out_of_pocket_remaining=money,
    family_out_of_pocket_remaining=st.none() | money,
    copay=cents(8_000),
    copay_rule=st.sampled_from(CopayRule),
    coinsurance=st.none() | shares,
)
days = st.dates(date(2025, 1, 1), date(2028, 12, 31))
visits = st.just(()) | st.tuples(
    days | days.map(date.isoformat), st.booleans(), st.sampled_from([("90837",), ("90834",)])
)
any_estimate = st.builds(
    Estimate,
    amount=money,
    allowed=money,
    payer=st.sampled_from(["Evergreen Health", "Harbor Mutual Inc."]),
    plan=st.none() | st.integers(1, 2),
    visit=visits,
    snapshot=st.none() | st.integers(1, 2),
    plan_begin=st.none() | days,
    plan_end=st.none() | days,
    verified=st.booleans(),
    deductible=st.none() | money,
    deductible_left=st.none() | money,
    maximum_left=st.none() | money,
    visits_left=st.none() | st.integers(0, 3),
    terms=st.none() | terms,
    limits=st.just(()) | st.tuples(*[st.none() | money] * 4),
    from_evidence=st.booleans(),
    by_support=st.booleans(),
)
FIGURES = re.compile(
    r"\$[\d,]+\.\d\d|\d+(\.\d+)?%|\d{1,2} [A-Z][a-z]+( \d{4})?|\d+ more sessions?(, not \d+)?"
)  # an amount, a share, a day, a count


@given(st.none() | any_estimate, any_estimate)
@settings(max_examples=500, deadline=None)
def test_there_always_is_a_reason_and_it_is_always_the_same(before: Estimate | None, now: Estimate) -> None:
    change = reason(before, now)
    assert change in Change
    assert reason(before, now) is change
    assert (change is Change.FIRST) == (before is None)
    if is_correction(before, now):
        assert change is Change.BENEFITS_CORRECTED
        assert before is not None and before.verified and now.verified and before.amount != now.amount


@given(st.none() | any_estimate, any_estimate, days, st.sampled_from([None, "Ana", "A. R."]))
@settings(max_examples=400, deadline=None)
def test_every_reason_has_a_sentence_whatever_is_not_known(
    before: Estimate | None, now: Estimate, on: date, name: str | None
) -> None:
    for change in Change:
        told = sentence(change, before, now, on=on, client_name=name)
        assert f"${now.amount:,.2f}" in told
        for words in (told, cause(change, before, now, on=on, client_name=name)):
            assert "None" not in words
            assert "  " not in words
            assert "%(" not in words
            assert words[0].isupper() or words[0] == "$"
            assert words.endswith(".") and not words.endswith("..")
            assert not re.search(r"\d", FIGURES.sub("", words)), words
            assert name is None or not re.search(r"\byour?\b", words, re.IGNORECASE), words


used = st.tuples(cents(30_000).map(str), cents(30_000).map(str), st.integers(0, 3))
PRICE_REASONS = {Change.OUT_OF_POCKET_MET, Change.DEDUCTIBLE_MET, Change.SESSION_CHANGED}


@given(known_terms, used, used)
@settings(max_examples=300, deadline=None)
def test_without_news_from_the_insurer_nothing_was_corrected(
    plan: PlanTerms, used_before: tuple[str, str, int], used_now: tuple[str, str, int]
) -> None:
    before, now = estimate(plan, used=used_before), estimate(plan, used=used_now)
    assume(before.amount != now.amount)
    assert reason(before, now) in PRICE_REASONS


@given(known_terms, money, money, used)
@settings(max_examples=300, deadline=None)
def test_what_care_uses_up_is_never_a_correction(
    plan: PlanTerms, less_deductible: Decimal, less_maximum: Decimal, used_before: tuple[str, str, int]
) -> None:
    """A later answer in which less is left: the price falls because deductible or maximum is met, or nearly so."""
    later = replace(
        plan,
        deductible_remaining=max(D("0.00"), (plan.deductible_remaining or D(0)) - less_deductible),
        out_of_pocket_remaining=max(D("0.00"), (plan.out_of_pocket_remaining or D(0)) - less_maximum),
    )
    before, now = estimate(plan), estimate(later, snapshot=2)
    assume(before.amount != now.amount)
    assert now.amount < before.amount
    assert reason(before, now) in {Change.OUT_OF_POCKET_MET, Change.DEDUCTIBLE_MET}
    walked = estimate(plan, used=used_before)
    if walked.amount != now.amount:
        assert reason(walked, now) in PRICE_REASONS


@given(known_terms, known_terms)
@settings(max_examples=300, deadline=None)
def test_another_share_that_moves_the_price_is_a_correction_that_names_it(plan: PlanTerms, other: PlanTerms) -> None:
    corrected = replace(plan, copay=other.copay, copay_rule=other.copay_rule, coinsurance=other.coinsurance)
    before, now = estimate(plan), estimate(corrected, snapshot=2)
    assume(before.amount != now.amount)
    assert is_correction(before, now)
    words = sentence(reason(before, now), before, now, on=date(2026, 6, 1))
    assert words.startswith("Evergreen Health now tells us that you")


@given(known_terms, cents(20_000).map(str), cents(20_000).map(str), used)
@settings(max_examples=300, deadline=None)
def test_another_full_price_alone_is_told_as_such(
    plan: PlanTerms, allowed: str, other: str, used_before: tuple[str, str, int]
) -> None:
    assume(allowed != other)
    before = estimate(plan, allowed=allowed, used=used_before)
    assert reason(before, estimate(plan, allowed=other, used=used_before)) is Change.RATE_CHANGED


@given(known_terms, known_terms, used, used)
@settings(max_examples=300, deadline=None)
def test_a_price_that_rises_is_never_said_to_have_been_met(
    plan: PlanTerms, other: PlanTerms, used_before: tuple[str, str, int], used_now: tuple[str, str, int]
) -> None:
    before, now = estimate(plan, used=used_before), estimate(other, used=used_now, snapshot=2)
    assume(now.amount > before.amount)
    assert reason(before, now) not in {Change.OUT_OF_POCKET_MET, Change.DEDUCTIBLE_MET}


@given(any_estimate, any_estimate)
@settings(max_examples=300, deadline=None)
def test_benefits_that_become_known_are_no_correction(before: Estimate, now: Estimate) -> None:
    assert not is_correction(replace(before, verified=False), now)
    assert not is_correction(before, replace(now, verified=False))
