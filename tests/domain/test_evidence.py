"""What decisions say of the benefits told: exact readings, by hand. Allowed is 150.00 unless said."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from billing.domain import corrections
from billing.domain.candidate_shares import Candidate, candidates
from billing.domain.evidence import Fit, Left, Other, Reading, Seen, Share, Told, as_told, price_of, read
from billing.domain.plan_year import Decided
from common.clock import BUSINESS_ZONE
from insurance.domain.benefits import Accumulator, Accumulators, Benefits, CopayRule, NetworkBenefits

START = datetime(2026, 1, 2, 9, tzinfo=BUSINESS_ZONE)
WAIVES, BEFORE, AFTER = CopayRule.WAIVES_DEDUCTIBLE, CopayRule.BEFORE_DEDUCTIBLE, CopayRule.AFTER_DEDUCTIBLE


def money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def share(copay: str | None = None, coinsurance: str | None = None, rule: CopayRule | None = None) -> Share:
    return Share(money(copay), rule, money(coinsurance))


def told(
    office: Share,
    *,
    day: int = 0,
    deductible: str | None = "0.00",
    maximum: str | None = "3000.00",
    limit: str | None = "1000.00",
    video: Share | None = None,
    visits: int | None = None,
    active: bool = True,
) -> Told:
    return Told(
        at=START + timedelta(days=day),
        office=office,
        telehealth=video or office,
        left=Left(money(deductible), money(maximum), visits),
        limit=Left(money(limit), Decimal("3000.00")),
        active=active,
    )


def seen(
    day: int,
    *,
    deductible: str = "0.00",
    copay: str = "0.00",
    coinsurance: str = "0.00",
    not_covered: str = "0.00",
    allowed: str = "150.00",
    telehealth: bool = False,
    trusted: bool = True,
) -> Seen:
    return Seen(
        id=day,
        at=START + timedelta(days=day),
        telehealth=telehealth,
        decided=Decided(
            Decimal(allowed), Decimal(deductible), Decimal(copay), Decimal(coinsurance), Decimal(not_covered)
        ),
        trusted=trusted,
    )


COPAY = share("25.00", rule=WAIVES)
TWENTY = share(coinsurance="0.20")


def test_what_was_decided_as_told_changes_nothing() -> None:
    reading = read([told(COPAY)], [seen(7, copay="25.00"), seen(14, copay="25.00")])

    assert reading.office.share == COPAY
    assert reading.left == Left(Decimal("0.00"), Decimal("3000.00"))
    assert reading.fits == {7: Fit.AS_TOLD, 14: Fit.AS_TOLD}
    assert reading.sure and not reading.share_changed


def test_another_copay() -> None:
    reading = read([told(COPAY)], [seen(7, copay="40.00")])

    assert reading.office.share == share("40.00", rule=WAIVES)
    assert reading.fits == {7: Fit.SHARE}
    assert reading.sure


def test_another_coinsurance_is_the_roundest_that_fits() -> None:
    """45.00 of 150.00 is 30%."""
    assert read([told(TWENTY)], [seen(7, coinsurance="45.00")]).office.share == share(coinsurance="0.30")


def test_a_smaller_coinsurance_is_likelier_than_a_maximum_that_ends_within_the_session() -> None:
    assert read([told(TWENTY)], [seen(7, coinsurance="15.00")]).office.share == share(coinsurance="0.10")


def test_one_free_visit_is_a_maximum_reached_rather_than_no_copay() -> None:
    reading = read([told(COPAY)], [seen(7)])

    assert reading.office.share == COPAY
    assert reading.left.maximum == Decimal("0.00")
    assert reading.fits == {7: Fit.DRIFT}


def test_a_deductible_said_to_be_untouched_was_met() -> None:
    reading = read([told(TWENTY, deductible="1000.00")], [seen(7, coinsurance="30.00")])

    assert reading.office.share == TWENTY
    assert reading.left.deductible == Decimal("0.00")


def test_a_deductible_said_to_be_met_is_open_as_far_as_its_limit() -> None:
    """1,000.00 in all, 150.00 of it seen: what came off after the answer is added, so that it comes off as always."""
    reading = read([told(TWENTY, deductible="0.00")], [seen(7, deductible="150.00")])

    assert reading.left.deductible == Decimal("1000.00")
    assert reading.fits == {7: Fit.DRIFT}


def test_a_deductible_that_ends_within_a_session_tells_exactly_where_it_stood() -> None:
    """60.00 were left; 20% of the other 90.00 is 18.00."""
    reading = read([told(TWENTY, deductible="500.00")], [seen(7, deductible="60.00", coinsurance="18.00")])

    assert reading.left.deductible == Decimal("60.00")


def test_a_deductible_beyond_its_limit_has_no_known_end() -> None:
    reading = read([told(TWENTY, deductible="100.00", limit="100.00")], [seen(7, deductible="150.00")])

    assert reading.left.deductible is None


def test_an_unknown_deductible_that_goes_on_explains_itself() -> None:
    reading = read([told(TWENTY, deductible=None, limit=None)], [seen(7, deductible="150.00")])

    assert reading.fits == {7: Fit.AS_TOLD}


def test_the_rule_between_copay_and_deductible() -> None:
    """Told to waive the deductible, yet 150.00 of it taken: the copay begins after it."""
    reading = read([told(COPAY, deductible="600.00")], [seen(7, deductible="150.00"), seen(14, deductible="150.00")])

    assert reading.office.share.rule is AFTER
    assert reading.office.share.copay == Decimal("25.00")


def test_copay_and_deductible_together_show_that_the_copay_comes_first() -> None:
    reading = read([told(COPAY, deductible="600.00")], [seen(7, copay="25.00", deductible="125.00")])

    assert reading.office.share.rule is BEFORE


def test_a_price_named_for_other_visits_is_likelier_than_an_unheard_of_one() -> None:
    other = Other(share("40.00", rule=WAIVES))
    reading = read([told(COPAY)], [seen(7, copay="40.00")], [other])

    assert reading.office.other == other


def test_out_of_network_is_recognised() -> None:
    other = Other(share(coinsurance="0.40"), out_of_network=True)
    reading = read([told(COPAY)], [seen(7, coinsurance="60.00")], [other])

    assert reading.office.other == other


def test_only_the_place_that_was_seen_otherwise_changes() -> None:
    """An office visit as told, a video visit without a copay twice: video visits cost nothing."""
    decisions = [seen(7, copay="25.00"), seen(14, telehealth=True, copay="10.00"), seen(21, copay="25.00")]
    reading = read([told(COPAY)], decisions)

    assert reading.office.share == COPAY
    assert reading.telehealth.share == share("10.00", rule=WAIVES)
    assert reading.sure


def test_one_odd_decision_among_many_is_not_believed() -> None:
    odd = [seen(7, copay="25.00"), seen(14, copay="25.00"), seen(21, copay="61.37")]
    reading = read([told(COPAY)], odd)

    assert reading.office.share == COPAY
    assert reading.fits[21] is Fit.NOT_EXPLAINED
    assert not reading.sure


def test_two_wrong_figures_are_proposed_and_not_taken_for_sure() -> None:
    reading = read([told(COPAY, deductible="600.00")], [seen(7, copay="40.00", deductible="110.00")])

    assert reading.office.share == share("40.00", rule=BEFORE)
    assert not reading.sure


def test_an_insurer_that_says_something_new_is_believed_over_old_decisions() -> None:
    """40.00 was paid while 25.00 was told; since then 60.00 is told."""
    reading = read([told(COPAY), told(share("60.00", rule=WAIVES), day=10)], [seen(7, copay="40.00")])

    assert reading.office.share == share("60.00", rule=WAIVES)
    assert reading.fits == {}


def test_an_insurer_that_repeats_what_was_proved_wrong_is_not() -> None:
    reading = read([told(COPAY), told(COPAY, day=10)], [seen(7, copay="40.00")])

    assert reading.office.share == share("40.00", rule=WAIVES)


def test_a_figure_repeated_although_it_moved_is_no_news() -> None:
    """Still 1,000.00 left after 300.00 went to it: old. After the second answer, 700.00 is what counts."""
    answers = [told(TWENTY, deductible="1000.00"), told(TWENTY, day=20, deductible="1000.00")]
    reading = read(answers, [seen(7, deductible="150.00"), seen(14, deductible="150.00")])

    assert reading.left.deductible == Decimal("700.00")


def test_a_new_figure_is_news() -> None:
    answers = [told(TWENTY, deductible="1000.00"), told(TWENTY, day=20, deductible="200.00")]
    reading = read(answers, [seen(7, deductible="150.00"), seen(14, deductible="150.00")])

    assert reading.left.deductible == Decimal("200.00")


def test_a_plan_said_to_be_inactive_that_pays() -> None:
    reading = read([told(share(), deductible=None, maximum=None, active=False)], [seen(7, copay="30.00")])

    assert reading.active is True
    assert reading.office.share == share("30.00", rule=WAIVES)


def test_no_visits_left() -> None:
    reading = read([told(COPAY, visits=3)], [seen(7, not_covered="150.00")])

    assert reading.left.visits == 0


def test_a_decision_that_support_dismissed_counts_and_proves_nothing() -> None:
    reading = read([told(TWENTY, deductible="400.00")], [seen(7, deductible="50.00", copay="61.37", trusted=False)])

    assert reading.office.share == TWENTY
    assert reading.fits == {}
    assert reading.left.deductible == Decimal("400.00")


def test_keeping_to_what_was_told_still_follows_what_is_left() -> None:
    reading = as_told([told(COPAY, deductible="600.00")], [seen(7, copay="40.00", deductible="110.00")])

    assert reading.office.share == COPAY


def _plain(reading: Reading) -> tuple[object, ...]:
    return reading.office.share, reading.telehealth.share, reading.left, reading.active, dict(reading.fits)


@pytest.mark.parametrize("first", [seen(7, copay="45.00"), seen(7, coinsurance="45.00"), seen(7, deductible="45.00")])
def test_the_order_in_which_facts_are_learnt_does_not_matter(first: Seen) -> None:
    answers = [told(TWENTY, deductible="500.00"), told(TWENTY, day=10, deductible="350.00")]
    decisions = [
        first,
        seen(14, deductible="150.00"),
        seen(21, coinsurance="30.00"),
        seen(28, coinsurance="30.00", telehealth=True),
    ]
    found = {
        str(_plain(read(some_answers, some_decisions)))
        for some_answers in permutations(answers)
        for some_decisions in permutations(decisions)
    }

    assert len(found) == 1


def test_what_was_decided_before_other_words_has_used_the_deductible_too() -> None:
    """Limit 1,000.00: 300.00 taken while 20% was told, so of what was told as met since 700.00 may be open."""
    answers = [told(TWENTY, deductible="1000.00"), told(share(coinsurance="0.30"), day=10)]
    reading = read(answers, [seen(5, deductible="300.00", allowed="300.00"), seen(17, deductible="150.00")])

    assert reading.left.deductible == Decimal("700.00")


def test_a_plan_that_ended_still_pays_for_what_was_before() -> None:
    ended = replace(told(COPAY, day=10, active=False), on=(START + timedelta(days=10)).date())
    before = replace(seen(12, copay="25.00"), day=(START + timedelta(days=3)).date())
    after = replace(before, day=(START + timedelta(days=11)).date())

    assert read([told(COPAY), ended], [before]).active is False
    assert read([told(COPAY), ended], [after]).active is True


def test_an_insurer_that_says_inactive_week_after_week_and_pays_is_not_believed() -> None:
    """Each question is about the next session, so no answer is older than the session it was paid for."""
    weekly = [replace(told(COPAY, day=day, active=False), on=(START + timedelta(days=day)).date()) for day in (0, 7)]
    paid = replace(seen(6, copay="25.00"), day=(START + timedelta(days=2)).date())

    assert read(weekly, [paid]).active is True
    assert read([told(COPAY), weekly[1]], [paid]).active is False


def test_amounts_below_zero_fit_nothing() -> None:
    reading = read([told(COPAY)], [seen(7, copay="-25.00"), seen(14, deductible="-5.00"), seen(21, copay="25.00")])

    assert reading.office.share == COPAY
    assert reading.fits == {7: Fit.NOT_EXPLAINED, 14: Fit.NOT_EXPLAINED, 21: Fit.AS_TOLD}


def test_a_hundred_different_decisions_suggest_no_more_shares_than_a_few() -> None:
    odd = [seen(day, copay=f"{day}.37", coinsurance=f"{day}.11") for day in range(1, 101)]

    assert len(candidates(COPAY, [each.decided for each in odd], [])) <= 25


def test_what_no_visit_can_reach_changes_no_price() -> None:
    """A year is followed with as few different prices as its visits have: what is left above a visit counts as one."""
    odd = [seen(day, copay=f"{day}.37", coinsurance=f"{day}.11") for day in range(1, 101)]
    price_of.cache_clear()
    read([told(TWENTY, deductible="900.00", maximum="2900.00")], odd)
    assert price_of.cache_info().misses < 2_200


@pytest.mark.parametrize("left", ["150.00", "150.01", "900.00", None])
def test_a_deductible_beyond_the_visit_s_price_is_as_good_as_its_price(left: str | None) -> None:
    decided = seen(7, deductible="150.00")
    if left is None:
        assert read([told(TWENTY, deductible=None)], [decided]).fits == {7: Fit.AS_TOLD}
    else:
        assert read([told(TWENTY, deductible=left)], [decided]).fits == {7: Fit.AS_TOLD}
        assert read([told(TWENTY, deductible="149.99")], [decided]).fits == {7: Fit.DRIFT}


# --- Which of the member's own and the family's figure was wrong ----------------------------------------------------


def family(own: str, whole: str) -> Benefits:
    both = Accumulators(
        individual=Accumulator(Decimal("1000.00"), Decimal(own)), family=Accumulator(Decimal("2000.00"), Decimal(whole))
    )
    return Benefits(active=True, in_network=NetworkBenefits(coinsurance=Decimal("0.20"), deductible=both))


@pytest.mark.parametrize(
    ("own", "whole", "raised"),
    [
        # 160.00 were taken of 100.00: both must have been open.
        ("500.00", "100.00", {"family": "160.00"}),
        ("100.00", "500.00", {"individual": "160.00"}),
        ("0.00", "0.00", {"individual": "160.00", "family": "160.00"}),
        # Less was left than told: the member's own is lowered, whichever it was.
        ("500.00", "300.00", {"individual": "160.00"}),
    ],
)
def test_the_figures_that_must_have_been_otherwise_are_corrected(own: str, whole: str, raised: dict[str, str]) -> None:
    benefits = family(own, whole)
    answer = corrections.told_of(benefits, START)
    reading = Reading(answer, Candidate(TWENTY), Candidate(TWENTY), Left(Decimal("160.00"), None), True)

    found = corrections.corrections(benefits, reading)

    assert {figure: change["is"] for figure, change in found.items()} == {
        f"in_network.deductible.{level}.remaining": amount for level, amount in raised.items()
    }
