"""Why an estimate changed: every reason with its sentence, and which one wins when several things changed at once."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from billing.domain.cost_change import Change, Estimate, cause, is_correction, reason, sentence
from billing.domain.estimates import cut_by_maximum
from billing.domain.pricing import PlanTerms
from insurance.domain.benefits import CopayRule
from tests.domain.estimating import ROOMY, D, estimate

TODAY = date(2026, 6, 1)
NEXT_YEAR: dict[str, Any] = {"plan_begin": date(2027, 1, 1), "plan_end": date(2027, 12, 31), "snapshot": 2}
FULL = replace(ROOMY, coinsurance=D("0.20"), out_of_pocket_remaining=D("0.00"))
"""The maximum is reached."""
COPAY_25 = replace(ROOMY, copay=D("25.00"), copay_rule=CopayRule.WAIVES_DEDUCTIBLE)
COPAY_40 = replace(COPAY_25, copay=D("40.00"))
SHARE_20 = replace(ROOMY, coinsurance=D("0.20"))
SHARE_30 = replace(ROOMY, coinsurance=D("0.30"))
NEW: dict[str, Any] = {"snapshot": 2}


def left(deductible: str, maximum: str = "5000.00", **others: Any) -> PlanTerms:
    """20% past a deductible."""
    return PlanTerms(
        network="in",
        deductible_remaining=D(deductible),
        out_of_pocket_remaining=D(maximum),
        coinsurance=D("0.20"),
        **others,
    )


def told(before: Estimate | None, now: Estimate, *, on: date = TODAY, name: str | None = None) -> tuple[Change, str]:
    change = reason(before, now)
    return change, sentence(change, before, now, on=on, client_name=name)


# what happened: before, now, the reason, what the client reads
TELLING = [
    ("the first price", None, estimate(SHARE_20), Change.FIRST,
     "We worked out this price from your benefits with Evergreen Health: $30.00."),
    ("the first price, benefits not known", None, estimate(None), Change.FIRST,
     "Evergreen Health has not told us enough about your benefits yet, so this session costs its full price of $150.00 "
     "for now."),
    ("another insurer pays first", estimate(COPAY_40), estimate(SHARE_20, plan=2, payer="Harbor Mutual", **NEW),
     Change.NEW_PLAN, "Harbor Mutual now pays first, not Evergreen Health, so this session costs $30.00 instead of "
     "$40.00."),
    ("another plan of the same insurer", estimate(COPAY_40), estimate(SHARE_20, plan=2, **NEW), Change.NEW_PLAN,
     "Another of your plans with Evergreen Health now pays first, so this session costs $30.00 instead of $40.00."),
    ("another insurer, not known yet", estimate(COPAY_40), estimate(None, plan=2, payer="Harbor Mutual"),
     Change.NEW_PLAN, "Harbor Mutual now pays first, not Evergreen Health, so this session costs its full price of "
     "$150.00 for now."),
    ("a new plan year", estimate(SHARE_20), estimate(left("1000.00"), **NEXT_YEAR), Change.PLAN_YEAR_RESET,
     "Your plan year started again on 1 January; $1,000.00 of deductible is left, so this session costs $150.00."),
    ("a new plan year without a deductible, and another copay", estimate(COPAY_25), estimate(COPAY_40, **NEXT_YEAR),
     Change.PLAN_YEAR_RESET, "Your plan year started again on 1 January: from then on you pay your copay of $40.00, so "
     "this session costs $40.00."),
    ("the deductible is met", estimate(left("400.00")), estimate(left("0.00"), **NEW), Change.DEDUCTIBLE_MET,
     "You have met your deductible: from now on you pay your 20%, so this session costs $30.00 instead of $150.00."),
    ("met by the family", estimate(left("400.00", family_deductible_remaining=D("300.00"))),
     estimate(left("400.00", family_deductible_remaining=D("0.00")), **NEW), Change.DEDUCTIBLE_MET,
     "Your family has met its deductible: from now on you pay your 20%, so this session costs $30.00 instead of "
     "$150.00."),
    ("met by the sessions before it", estimate(left("300.00"), used=("0.00", "0.00", 0)),
     estimate(left("300.00"), used=("300.00", "300.00", 2)), Change.DEDUCTIBLE_MET,
     "You will have met your deductible by then: from then on you pay your 20%, so this session costs $30.00 instead "
     "of $150.00."),
    ("nearly met", estimate(left("400.00")), estimate(left("40.00"), **NEW), Change.DEDUCTIBLE_MET,
     "Only $40.00 of your deductible is left before this session, so this session costs $62.00 instead of $150.00."),
    ("the maximum is reached", estimate(SHARE_20), estimate(FULL, **NEW),
     Change.OUT_OF_POCKET_MET, "You have reached your out-of-pocket maximum: your plan pays all of a session, so this "
     "session costs $0.00 instead of $30.00."),
    ("the family reached it", estimate(replace(SHARE_20, family_out_of_pocket_remaining=D("80.00"))),
     estimate(replace(SHARE_20, family_out_of_pocket_remaining=D("0.00")), **NEW), Change.OUT_OF_POCKET_MET,
     "Your family has reached its out-of-pocket maximum: your plan pays all of a session, so this session costs $0.00 "
     "instead of $30.00."),
    ("this session reaches it", estimate(SHARE_20), estimate(left("0.00", "4.00"), **NEW),
     Change.OUT_OF_POCKET_MET, "Only $4.00 is left until you reach your out-of-pocket maximum, so this session costs "
     "$4.00 instead of $30.00."),
    ("the sessions before it reach it", estimate(left("0.00", "60.00")),
     estimate(left("0.00", "60.00"), used=("0.00", "60.00", 2)), Change.OUT_OF_POCKET_MET,
     "You will have reached your out-of-pocket maximum by then: your plan pays all of a session, so this session costs "
     "$0.00 instead of $30.00."),
    ("another rate", estimate(SHARE_20), estimate(SHARE_20, allowed="160.00"), Change.RATE_CHANGED,
     "The full price agreed with Evergreen Health is now $160.00, not $150.00, so this session costs $32.00 instead of "
     "$30.00."),
    ("another rate that the copay hides", estimate(COPAY_25), estimate(COPAY_25, allowed="160.00"), Change.RATE_CHANGED,
     "The full price agreed with Evergreen Health is now $160.00, not $150.00; this session still costs $25.00."),
    ("another day", estimate(left("100.00")),
     estimate(left("0.00"), visit=(date(2026, 7, 1), False, ("90837",)), **NEW), Change.SESSION_CHANGED,
     "This session moved to 1 July, so it costs $30.00 instead of $110.00."),
    ("a day in the next plan year", estimate(SHARE_20),
     estimate(left("1000.00"), visit=(date(2027, 1, 8), False, ("90837",)), **NEXT_YEAR), Change.SESSION_CHANGED,
     "This session moved to 8 January 2027, in a new plan year, so it costs $150.00 instead of $30.00."),
    ("by video, and longer", estimate(COPAY_25), estimate(COPAY_40, visit=(date(2026, 6, 10), True, ("90834",))),
     Change.SESSION_CHANGED,
     "This session is now by video and is now of another kind, so it costs $40.00 instead of $25.00."),
    ("an earlier session was cancelled", estimate(left("50.00"), used=("50.00", "72.00", 1)), estimate(left("50.00")),
     Change.SESSION_CHANGED, "Other sessions changed: $50.00 of your deductible is left before this session, not "
     "$0.00, so this session costs $70.00 instead of $30.00."),
    ("the insurer counted less than we had thought", estimate(left("300.00"), used=("300.00", "300.00", 2)),
     estimate(left("100.00"), **NEW), Change.SESSION_CHANGED, "$100.00 of your deductible is left before this session, "
     "not $0.00, so this session costs $110.00 instead of $30.00."),
    ("further from the maximum", estimate(left("0.00", "60.00"), used=("0.00", "50.00", 1)),
     estimate(left("0.00", "60.00")), Change.SESSION_CHANGED, "Other sessions changed: $60.00 is left to your "
     "out-of-pocket maximum before this session, not $10.00, so this session costs $30.00 instead of $10.00."),
    ("other sessions took the last covered visit", estimate(replace(COPAY_25, visits_remaining=1)),
     estimate(replace(COPAY_25, visits_remaining=1), used=("0.00", "25.00", 1)), Change.SESSION_CHANGED,
     "No covered visits are left by then, so this session costs $150.00 instead of $25.00."),
    ("a covered visit came free", estimate(replace(COPAY_25, visits_remaining=1), used=("0.00", "25.00", 1)),
     estimate(replace(COPAY_25, visits_remaining=1)), Change.SESSION_CHANGED,
     "A covered visit is left for this session again, so this session costs $25.00 instead of $150.00."),
    ("another copay", estimate(COPAY_25), estimate(COPAY_40, **NEW), Change.BENEFITS_CORRECTED,
     "Evergreen Health now tells us that your copay is $40.00, not $25.00, so this session costs $40.00 instead of "
     "$25.00."),
    ("another copay, seen in a remittance", estimate(COPAY_25), estimate(COPAY_40, from_evidence=True, **NEW),
     Change.BENEFITS_CORRECTED, "Evergreen Health processed a session with a copay of $40.00, not the $25.00 it had "
     "told us, so this session costs $40.00 instead of $25.00."),
    ("another share, seen in a remittance", estimate(SHARE_20),
     estimate(replace(SHARE_20, coinsurance=D("0.10")), from_evidence=True, **NEW), Change.BENEFITS_CORRECTED,
     "A session that Evergreen Health processed shows that your share is 10%, not 20%, so this session costs $15.00 "
     "instead of $30.00."),
    ("another copay, found by support", estimate(COPAY_25),
     estimate(COPAY_40, from_evidence=True, by_support=True, **NEW), Change.BENEFITS_CORRECTED,
     "Our team checked your benefits with Evergreen Health and found that your copay is $40.00, not $25.00, so this "
     "session costs $40.00 instead of $25.00."),
    ("a copay and no share", estimate(SHARE_20), estimate(COPAY_40, **NEW), Change.BENEFITS_CORRECTED,
     "Evergreen Health now tells us that you pay a copay of $40.00, not 20% of the price, and that your deductible "
     "does not count for these sessions, so this session costs $40.00 instead of $30.00."),
    ("the deductible is not met after all", estimate(left("0.00")), estimate(left("400.00"), **NEW),
     Change.BENEFITS_CORRECTED, "Evergreen Health now tells us that $400.00 of your deductible is left, not $0.00, "
     "so this session costs $150.00 instead of $30.00."),
    ("a greater deductible", estimate(left("0.00"), limits=(D("500.00"), None, D("5000.00"), None)),
     estimate(left("400.00"), limits=(D("900.00"), None, D("5000.00"), None), **NEW), Change.BENEFITS_CORRECTED,
     "Evergreen Health now tells us that $400.00 of your deductible is left, not $0.00, and that your deductible is "
     "$900.00, not $500.00, so this session costs $150.00 instead of $30.00."),
    ("a smaller deductible", estimate(left("600.00"), limits=(D("1000.00"), None, None, None)),
     estimate(left("100.00"), limits=(D("500.00"), None, None, None), **NEW), Change.BENEFITS_CORRECTED,
     "Evergreen Health now tells us that your deductible is $500.00, not $1,000.00, so this session costs $110.00 "
     "instead of $150.00."),
    ("another share, and the deductible is met", estimate(left("50.00")), estimate(replace(left("0.00"),
     coinsurance=D("0.10")), **NEW), Change.BENEFITS_CORRECTED, "Evergreen Health now tells us that your share is 10%, "
     "not 20%, and less of your deductible is left, so this session costs $15.00 instead of $70.00."),
    ("another share, and another rate", estimate(SHARE_20), estimate(SHARE_30, allowed="160.00", **NEW),
     Change.BENEFITS_CORRECTED, "Evergreen Health now tells us that your share is 30%, not 20%, and the full price "
     "agreed with it is now $160.00, so this session costs $48.00 instead of $30.00."),
    ("many figures", estimate(COPAY_25, limits=(None, None, D("5000.00"), None)),
     estimate(replace(SHARE_20, network="out"), limits=(None, None, D("9000.00"), None), **NEW),
     Change.BENEFITS_CORRECTED, "Evergreen Health now tells us that these sessions count as out of network, not as in "
     "network, that you pay 20% of the price, not a copay of $25.00, and that other details changed, so this session "
     "costs $30.00 instead of $25.00."),
    ("sessions are covered after all", estimate(replace(COPAY_25, covered=False)), estimate(COPAY_25, **NEW),
     Change.BENEFITS_CORRECTED, "Evergreen Health now tells us that it covers these sessions, so this session costs "
     "$25.00 instead of $150.00."),
    ("visits are limited", estimate(COPAY_25),
     estimate(replace(COPAY_25, visits_remaining=3), used=("0.00", "75.00", 3), **NEW), Change.BENEFITS_CORRECTED,
     "Evergreen Health now tells us that it limits how many sessions it covers, to 3 more sessions, so this session "
     "costs $150.00 instead of $25.00."),
    ("more visits", estimate(replace(COPAY_25, visits_remaining=0)),
     estimate(replace(COPAY_25, visits_remaining=1), **NEW), Change.BENEFITS_CORRECTED,
     "Evergreen Health now tells us that it covers 1 more session, not none, so this session costs $25.00 instead of "
     "$150.00."),
    ("benefits become known", estimate(None), estimate(SHARE_20, **NEW), Change.BENEFITS_CORRECTED,
     "We now know your benefits with Evergreen Health, so this session costs $30.00 instead of $150.00."),
    ("benefits are known no more", estimate(SHARE_20), estimate(replace(SHARE_20, coinsurance=None), **NEW),
     Change.BENEFITS_CORRECTED, "What Evergreen Health tells us is not enough to work out your share, so this session "
     "costs its full price of $150.00 for now."),
    ("still not known, at the last known price", estimate(None), replace(estimate(None), amount=D("30.00")),
     Change.BENEFITS_CORRECTED, "What Evergreen Health tells us is not enough to work out your share, so this session "
     "costs $30.00 for now."),
    ("still not known, at another rate", estimate(None), estimate(None, allowed="160.00"), Change.RATE_CHANGED,
     "The full price agreed with Evergreen Health is now $160.00, not $150.00, so this session costs its full price of "
     "$160.00 for now."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "now", "change", "words"), [row[1:] for row in TELLING], ids=[r[0] for r in TELLING]
)
def test_every_change_has_its_reason_and_sentence(
    before: Estimate | None, now: Estimate, change: Change, words: str
) -> None:
    on = now.plan_begin if change is Change.PLAN_YEAR_RESET and now.plan_begin else TODAY
    assert told(before, now, on=on) == (change, words)


def test_the_page_about_it_quotes_what_is_said() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cost-changes.md").read_text()
    quoted = set(re.findall("“([^”]+)”", " ".join(page.split())))
    assert len(quoted) >= 10
    assert quoted <= {row[4] for row in TELLING}


def test_the_table_holds_every_reason() -> None:
    assert {row[3] for row in TELLING} == set(Change)


# what happened: before, now, the reason
SEVERAL = [
    ("another plan, in whose year the session moved", estimate(SHARE_20),
     estimate(COPAY_40, plan=2, visit=(date(2027, 1, 8), False, ("90837",)), **NEXT_YEAR), Change.NEW_PLAN),
    ("a new year in which the copay is another", estimate(COPAY_25), estimate(COPAY_40, **NEXT_YEAR),
     Change.PLAN_YEAR_RESET),
    ("a new year that is cheaper", estimate(COPAY_40), estimate(COPAY_25, **NEXT_YEAR), Change.PLAN_YEAR_RESET),
    ("an early renewal: the old year was to last longer", estimate(left("0.00")),
     estimate(left("1000.00"), plan_begin=date(2026, 4, 1), plan_end=date(2027, 3, 31), **NEW), Change.PLAN_YEAR_RESET),
    ("another date for the same year", estimate(left("400.00"), plan_end=None),
     estimate(left("0.00"), plan_begin=date(2026, 2, 1), **NEW), Change.DEDUCTIBLE_MET),
    ("an earlier date for the same year", estimate(left("400.00")),
     estimate(left("0.00"), plan_begin=date(2025, 7, 1), **NEW), Change.DEDUCTIBLE_MET),
    ("the end of the year becomes known", estimate(left("400.00"), plan_end=None), estimate(left("0.00"), **NEW),
     Change.DEDUCTIBLE_MET),
    ("the limit becomes known", estimate(left("400.00")),
     estimate(left("0.00"), limits=(D("1000.00"), None, None, None), **NEW), Change.DEDUCTIBLE_MET),
    ("the copay becomes known, as the deductible ends", estimate(PlanTerms("in", D("400.00"))),
     estimate(PlanTerms("in", D("0.00"), copay=D("25.00")), **NEW), Change.DEDUCTIBLE_MET),
    ("the copay was corrected, but this price was all deductible", estimate(left("400.00", copay=D("25.00"),
     copay_rule=CopayRule.AFTER_DEDUCTIBLE)), estimate(left("0.00", copay=D("40.00"),
     copay_rule=CopayRule.AFTER_DEDUCTIBLE), **NEW), Change.DEDUCTIBLE_MET),
    ("the share rose, yet the maximum is reached", estimate(SHARE_20),
     estimate(left("0.00", "0.00"), **NEW), Change.OUT_OF_POCKET_MET),
    ("the maximum was corrected, but this price is far from it", estimate(left("400.00"),
     limits=(None, None, D("5000.00"), None)),
     estimate(left("0.00", "5500.00"), limits=(None, None, D("6000.00"), None), **NEW), Change.DEDUCTIBLE_MET),
    ("the maximum was corrected, and this price was cut by it", estimate(left("0.00", "10.00")),
     estimate(left("0.00", "500.00"), **NEW), Change.BENEFITS_CORRECTED),
    ("a lower maximum cuts this price", estimate(left("0.00", "2000.00"), limits=(None, None, D("3000.00"), None)),
     estimate(left("0.00", "12.00"), limits=(None, None, D("1000.00"), None), **NEW), Change.BENEFITS_CORRECTED),
    ("both cut by the maximum, of which more is left", estimate(left("0.00", "10.00")),
     estimate(left("0.00", "20.00"), **NEW), Change.BENEFITS_CORRECTED),
    ("the copay fell and the deductible rose, which is more", estimate(left("0.00", copay=D("25.00"))),
     estimate(left("400.00", copay=D("20.00")), **NEW), Change.BENEFITS_CORRECTED),
    ("a little more by rate, much less by deductible", estimate(left("400.00")),
     estimate(left("0.00"), allowed="160.00", **NEW), Change.DEDUCTIBLE_MET),
    ("less by rate, and a little less by deductible", estimate(left("400.00")),
     estimate(left("99.00"), allowed="100.00", **NEW), Change.RATE_CHANGED),
    ("a little more by rate, much more by deductible", estimate(left("300.00"), used=("300.00", "300.00", 2)),
     estimate(left("300.00"), allowed="160.00"), Change.SESSION_CHANGED),
    ("a greater deductible, of which more is used up", estimate(left("400.00"), limits=(D("500.00"), None, None, None)),
     estimate(left("0.00"), limits=(D("900.00"), None, None, None), **NEW), Change.DEDUCTIBLE_MET),
    ("the deductible is met, and the maximum reached without cutting the price", estimate(left("400.00")),
     estimate(left("0.00", "30.00"), **NEW), Change.DEDUCTIBLE_MET),
    ("other terms of one answer: the place was not kept with the old price", replace(estimate(COPAY_25), visit=()),
     estimate(COPAY_40), Change.SESSION_CHANGED),
    ("another rate and another copay", estimate(COPAY_25), estimate(COPAY_40, allowed="160.00", **NEW),
     Change.BENEFITS_CORRECTED),
    ("another rate, and benefits become known", estimate(None), estimate(SHARE_20, allowed="160.00", **NEW),
     Change.BENEFITS_CORRECTED),
    ("the family's figure is told no more, and it was the lesser", estimate(
     left("400.00", family_deductible_remaining=D("0.00"))), estimate(left("400.00"), **NEW),
     Change.BENEFITS_CORRECTED),
    ("the family's figure rose, but the own one binds", estimate(left("50.00", family_deductible_remaining=D("100.00")),
     used=("50.00", "50.00", 1)), estimate(left("50.00", family_deductible_remaining=D("900.00")), **NEW),
     Change.SESSION_CHANGED),
    ("no copay is the same as a copay of zero", estimate(left("400.00")), estimate(left("0.00", copay=D("0.00"),
     copay_rule=CopayRule.AFTER_DEDUCTIBLE), **NEW), Change.DEDUCTIBLE_MET),
    ("a percentage beside a copay that stands alone says nothing", estimate(replace(COPAY_25, visits_remaining=1)),
     estimate(replace(COPAY_25, coinsurance=D("0.20"), visits_remaining=1), used=("0.00", "25.00", 1), **NEW),
     Change.SESSION_CHANGED),
    ("the deductible now counts", estimate(replace(COPAY_25, deductible_remaining=D("400.00"))),
     estimate(replace(COPAY_25, deductible_remaining=D("400.00"), copay_rule=CopayRule.AFTER_DEDUCTIBLE), **NEW),
     Change.BENEFITS_CORRECTED),
    ("evidence that the deductible was met elsewhere", estimate(left("400.00")),
     estimate(left("0.00"), from_evidence=True, **NEW), Change.DEDUCTIBLE_MET),
    ("a visit that was not kept with the old price is no other visit", replace(estimate(COPAY_25), visit=()),
     estimate(COPAY_40, **NEW), Change.BENEFITS_CORRECTED),
]  # fmt: skip


@pytest.mark.parametrize(("before", "now", "change"), [row[1:] for row in SEVERAL], ids=[row[0] for row in SEVERAL])
def test_of_several_changes_the_most_telling_is_told(before: Estimate, now: Estimate, change: Change) -> None:
    assert reason(before, now) is change
    assert is_correction(before, now) is (change is Change.BENEFITS_CORRECTED and before.verified and now.verified)


def test_only_what_was_told_wrong_is_a_correction_that_is_written_about() -> None:
    assert is_correction(estimate(COPAY_25), estimate(COPAY_40, **NEW))
    assert not is_correction(None, estimate(COPAY_40))
    assert not is_correction(estimate(None), estimate(COPAY_40, **NEW))
    assert not is_correction(estimate(COPAY_25), estimate(None))
    assert not is_correction(estimate(SHARE_20), estimate(left("1000.00"), **NEXT_YEAR))
    assert not is_correction(estimate(left("400.00")), estimate(left("0.00"), **NEW))


def test_a_year_to_come_is_told_as_one_to_come() -> None:
    now = estimate(left("1000.00"), **NEXT_YEAR)
    assert told(estimate(SHARE_20), now, on=date(2026, 12, 20))[1] == (
        "Your plan year starts again on 1 January 2027; $1,000.00 of deductible is left, so this session costs $150.00."
    )


def test_sessions_of_one_new_year_share_one_sentence_where_the_price_is_the_same() -> None:
    on = date(2027, 1, 1)
    year = left("1000.00")
    third = told(estimate(SHARE_20), estimate(year, used=("300.00", "300.00", 2), **NEXT_YEAR), on=on)
    last = told(estimate(SHARE_20), estimate(year, used=("900.00", "900.00", 6), **NEXT_YEAR), on=on)
    assert third == told(estimate(SHARE_20), estimate(year, **NEXT_YEAR), on=on)
    assert last[1] == (
        "Your plan year started again on 1 January; $100.00 of deductible is left before this session, so this session "
        "costs $110.00."
    )


def test_a_new_year_of_which_nothing_is_known() -> None:
    now = replace(estimate(None), plan_begin=date(2027, 1, 1))
    assert told(estimate(SHARE_20), now, on=date(2027, 1, 2)) == (
        Change.PLAN_YEAR_RESET,
        "Your plan year started again on 1 January, and Evergreen Health has not told us enough about it yet, so this "
        "session costs its full price of $150.00 for now.",
    )


# what the provider reads, where it is another sentence
FOR_THE_PROVIDER = [
    (None, estimate(SHARE_20), "We worked out this price from Ana's benefits with Evergreen Health: $30.00."),
    (estimate(SHARE_20), estimate(left("1000.00"), **NEXT_YEAR),
     "Ana's plan year starts again on 1 January 2027; $1,000.00 of deductible is left, so this session costs $150.00."),
    (estimate(left("400.00")), estimate(left("0.00"), **NEW),
     "Ana has met the deductible: from now on the client pays 20%, so this session costs $30.00 instead of $150.00."),
    (estimate(SHARE_20), estimate(left("0.00", "0.00"), **NEW),
     "Ana has reached the out-of-pocket maximum: the plan pays all of a session, so this session costs $0.00 instead "
     "of $30.00."),
    (estimate(COPAY_25), estimate(COPAY_40, **NEW),
     "Evergreen Health now tells us that Ana's copay is $40.00, not $25.00, so this session costs $40.00 instead of "
     "$25.00."),
    (estimate(SHARE_20), estimate(SHARE_30, by_support=True, from_evidence=True, **NEW),
     "Our team checked Ana's benefits with Evergreen Health and found that Ana's share is 30%, not 20%, so this "
     "session costs $45.00 instead of $30.00."),
    (estimate(None), estimate(SHARE_20, **NEW),
     "We now know Ana's benefits with Evergreen Health, so this session costs $30.00 instead of $150.00."),
]  # fmt: skip


@pytest.mark.parametrize(("before", "now", "words"), FOR_THE_PROVIDER)
def test_the_provider_reads_about_the_client(before: Estimate | None, now: Estimate, words: str) -> None:
    assert told(before, now, name="Ana")[1] == words


def test_a_letter_takes_the_cause_alone() -> None:
    before, now = estimate(COPAY_25), estimate(COPAY_40, **NEW)
    change = reason(before, now)
    assert cause(change, before, now, on=TODAY) == (
        "Evergreen Health now tells us that your copay is $40.00, not $25.00."
    )
    assert cause(change, before, now, on=TODAY, client_name="A. R.") == (
        "Evergreen Health now tells us that A. R.'s copay is $40.00, not $25.00."
    )


def test_a_letter_to_the_provider_names_nobody() -> None:
    words: dict[str, Any] = {"on": TODAY, "client_name": "your client"}
    assert cause(Change.BENEFITS_CORRECTED, estimate(COPAY_25), estimate(COPAY_40, **NEW), **words) == (
        "Evergreen Health now tells us that your client's copay is $40.00, not $25.00."
    )
    assert cause(Change.DEDUCTIBLE_MET, estimate(left("400.00")), estimate(left("0.00"), **NEW), **words) == (
        "Your client has met the deductible: from now on the client pays 20%."
    )


def test_figures_that_bear_on_the_price_are_named_first() -> None:
    """The family's maximum is wrong too, but it is the share that makes this price."""
    before_terms = replace(SHARE_20, family_out_of_pocket_remaining=D("8000.00"))
    before = estimate(before_terms)
    now = estimate(
        replace(SHARE_20, coinsurance=D("0.50"), family_out_of_pocket_remaining=D("9000.00"), visits_remaining=30),
        **NEW,
    )
    assert told(before, now)[1].startswith(
        "Evergreen Health now tells us that your share is 50%, not 20%, that it limits how many sessions it covers, "
        "to 30 more sessions, and that other details changed, so"
    )


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (replace(COPAY_25, deductible_remaining=D("300.00"), visits_remaining=9),
         replace(COPAY_40, deductible_remaining=D("200.00"), visits_remaining=7), "your copay is $40.00, not $25.00"),
        (COPAY_25, replace(COPAY_40, coinsurance=D("0.20")), "your copay is $40.00, not $25.00"),
        (SHARE_20, replace(SHARE_30, copay=D("0.00"), copay_rule=CopayRule.BEFORE_DEDUCTIBLE),
         "your share is 30%, not 20%"),
        (replace(COPAY_25, copay_rule=None), COPAY_40, "your copay is $40.00, not $25.00"),
    ],
    ids=["used up", "a percentage that says nothing", "a rule that says nothing", "a rule that becomes known"],
)  # fmt: skip
def test_what_was_not_put_right_is_not_named(before: PlanTerms, now: PlanTerms, words: str) -> None:
    was, is_now = estimate(before), estimate(now, **NEW)
    assert cause(reason(was, is_now), was, is_now, on=TODAY) == f"Evergreen Health now tells us that {words}."


def test_a_maximum_cuts_nothing_that_the_plan_does_not_cover() -> None:
    assert cut_by_maximum(estimate(left("0.00", "10.00")))
    assert not cut_by_maximum(estimate(left("0.00", "30.00")))
    assert not cut_by_maximum(estimate(left("0.00", "10.00", covered=False)))


def test_days_kept_as_text_are_days() -> None:
    before = replace(estimate(SHARE_20), visit=("2026-06-10", False, ("90837",)))
    now = replace(estimate(left("400.00")), visit=("2026-06-17", False, ("90837",)))
    assert told(before, now)[1] == "This session moved to 17 June, so it costs $150.00 instead of $30.00."
