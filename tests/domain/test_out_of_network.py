"""Out of network: what the plan pays back, what the charge has above what it allows, and what nobody knows yet."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.out_of_network import OutOfNetworkPrice, Visit, price_out_of_network
from billing.domain.pricing import CopayRule, PlanTerms, price_sessions
from tests.domain.price_oracle import Plan
from tests.domain.price_worlds import cents, dollars, plans, terms_of, weekly

D = Decimal
DAY = date(2026, 3, 2)


def visit(charge: str, allowed: str | None, day: date = DAY) -> Visit:
    return Visit(day, D(charge), None if allowed is None else D(allowed))


def price(terms: PlanTerms, charge: str, allowed: str | None) -> OutOfNetworkPrice:
    [found] = price_out_of_network(terms, [visit(charge, allowed)])
    return found


def plan(deductible: str | None = "0.00", coinsurance: str | None = "0.30", **more: object) -> PlanTerms:
    terms = PlanTerms(
        deductible_remaining=None if deductible is None else D(deductible),
        coinsurance=None if coinsurance is None else D(coinsurance),
    )
    return replace(terms, **more)  # type: ignore[arg-type]  # any of its figures


# what, plan, charge, allowed, paid back, left to the client, derivation
CASES = [
    ("published: deductible met", plan("0.00", "0.20"), "180.00", "160.00", "128.00", "52.00",
     "80% of 160 = 128; 180 - 128 = 52 (calcsimpler.com, out-of-network therapy reimbursement, second example)"),
    ("published: deductible open", plan("800.00", "0.30"), "220.00", "150.00", "0.00", "220.00",
     "All 150 go to the deductible, nothing comes back (the same page, first example)"),
    ("crossing the deductible", plan("100.00", "0.30"), "220.00", "150.00", "35.00", "185.00",
     "70% of the 50 past the deductible = 35; 220 - 35"),
    ("charge as allowed", plan("0.00", "0.40"), "150.00", "150.00", "90.00", "60.00", "60% of 150; nothing above it"),
    ("maximum reached", plan("0.00", "0.40", out_of_pocket_remaining=D("0.00")), "220.00", "150.00", "150.00", "70.00",
     "The plan pays all 150; no maximum caps the 70 above"),
    ("crossing the maximum", plan("0.00", "0.40", out_of_pocket_remaining=D("10.00")), "220.00", "150.00", "140.00",
     "80.00", "Share 60 capped at 10, and 70 above"),
    ("copay", plan("500.00", None, copay=D("40.00"), copay_rule=CopayRule.WAIVES_DEDUCTIBLE), "200.00", "120.00",
     "80.00", "120.00", "120 - 40 = 80; 200 - 80"),
    ("not covered out of network", plan(covered=False), "220.00", "150.00", "0.00", "220.00", "Nothing is paid"),
    ("not covered, allowed unknown", plan(covered=False), "220.00", None, "0.00", "220.00",
     "What would be allowed plays no part"),
    ("no visits left", plan(visits_remaining=0), "220.00", None, "0.00", "220.00", "Nothing is paid"),
    ("allowed unknown, deductible above the charge", plan("500.00"), "220.00", None, "0.00", "220.00",
     "Whatever is allowed, up to 220, goes to the deductible"),
    ("allowed unknown", plan("0.00"), "220.00", None, None, None, "Between 0 and 70% of 220"),
    ("benefits unknown", plan(None, None), "220.00", "150.00", None, None, "Between 0 and 150"),
    ("nothing known", plan(None, None), "220.00", None, None, None, "Between 0 and 220"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "terms", "charge", "allowed", "back", "client", "derivation"), CASES)
def test_case(
    what: str, terms: PlanTerms, charge: str, allowed: str | None, back: str | None, client: str | None, derivation: str
) -> None:
    found = price(terms, charge, allowed)

    assert found.plan == (None if back is None else D(back)), derivation
    assert found.client == (None if client is None else D(client)), derivation
    assert found.above == (None if allowed is None else D(charge) - D(allowed))
    assert found.why


def test_what_can_come_back_at_most_is_told_while_the_allowed_amount_is_not_known() -> None:
    found = price(plan("20.00", "0.30"), "220.00", None)

    assert found.at_most == D("140.00"), "70% of 200, if the plan allows all of the charge"
    assert found.why == (
        "The charge is $220.00. How much of it your plan allows is not known",
        "It pays back $140.00 at most, so at least $80.00 is left to you",
    )


@pytest.mark.parametrize(
    ("terms", "allowed", "why"),
    [
        (plan("100.00"), "150.00",
         ("$100.00 goes to your deductible, which is then met", "Coinsurance $15.00: 30% of the remaining $50.00",
          "The charge is $220.00, and your plan allows $150.00 of it: the $70.00 above that is yours to pay, and "
          "counts towards no limit of your plan")),
        (plan(out_of_pocket_remaining=D("0.00")), "220.00",
         ("You have reached your out-of-pocket maximum: your plan pays all that it allows",)),
        (plan(covered=False), None,
         ("Your plan does not cover this session: it pays nothing, and you pay all of $220.00",)),
        (plan("500.00"), None,
         ("The charge is $220.00. How much of it your plan allows is not known",
          "All that it allows goes to your own share, so it pays nothing back")),
        (plan(None, None), None,
         ("The charge is $220.00. How much of it your plan allows is not known",
          "Not known: what your plan pays out of network")),
    ],
)  # fmt: skip
def test_reasons_are_plain_sentences(terms: PlanTerms, allowed: str | None, why: tuple[str, ...]) -> None:
    assert price(terms, "220.00", allowed).why == why


def test_sessions_use_up_the_plan_in_date_order() -> None:
    later, sooner = visit("220.00", "150.00", date(2026, 4, 6)), visit("220.00", "150.00")

    found = price_out_of_network(plan("200.00", "0.50"), [later, sooner])

    assert [each.plan for each in found] == [D("50.00"), D("0.00")], "150, then the last 50 and half of 100"


def test_after_a_session_of_unknown_worth_only_the_most_is_known() -> None:
    first, second = visit("220.00", None), visit("220.00", "150.00", date(2026, 3, 9))

    [_, found] = price_out_of_network(plan("200.00", "0.50"), [first, second])

    assert found.plan is None
    assert found.at_most == D("75.00"), "half of 150, if the first session met the deductible"
    assert found.why == (
        "The charge is $220.00, and your plan allows $150.00 of it",
        "It pays back $75.00 at most, so at least $145.00 is left to you",
    )


def test_only_the_allowed_amount_counts_to_the_plans_limits() -> None:
    [first, second] = price_out_of_network(
        plan("0.00", "0.50", out_of_pocket_remaining=D("100.00")),
        [visit("500.00", "150.00"), visit("500.00", "150.00", date(2026, 3, 9))],
    )

    assert first.client == D("425.00"), "75 and 350 above"
    assert second.plan == D("125.00"), "25 were left of the maximum"


def test_a_video_visit_is_priced_by_its_own_terms_from_what_both_have_used() -> None:
    office = plan("200.00", "0.50")
    video = plan("200.00", None, copay=D("15.00"), copay_rule=CopayRule.WAIVES_DEDUCTIBLE)
    days = [date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16)]

    found = price_out_of_network(
        office,
        [
            visit("220.00", "150.00", days[0]),
            replace(visit("220.00", "150.00", days[1]), terms=video),
            visit("220.00", "150.00", days[2]),
        ],
    )

    assert [each.plan for each in found] == [D("0.00"), D("135.00"), D("50.00")]


@pytest.mark.parametrize(("charge", "allowed"), [("100.00", "100.01"), ("100.00", "-1.00"), ("-1.00", None)])
def test_no_plan_allows_more_than_was_charged(charge: str, allowed: str | None) -> None:
    with pytest.raises(ValueError, match="between nothing and the charge"):
        visit(charge, allowed)


amounts = st.lists(st.tuples(cents(20_000), cents(5_000)), max_size=5)


def visits(drawn: list[tuple[int, int]]) -> list[Visit]:
    """``drawn``: what is allowed, and what the charge has above it, in cents."""
    planned = weekly([allowed for allowed, _above in drawn])
    return [
        Visit(each.date, each.allowed + (dollars(above) or D(0)), each.allowed)
        for each, (_allowed, above) in zip(planned, drawn, strict=True)
    ]


@given(plans(unknown=False), amounts)
@settings(max_examples=500, deadline=None)
def test_with_all_known_the_client_pays_the_plans_share_and_what_is_above(
    plan: Plan, drawn: list[tuple[int, int]]
) -> None:
    planned = visits(drawn)
    inside = price_sessions(terms_of(plan), weekly([allowed for allowed, _above in drawn])).sessions

    for one, share, outside in zip(planned, inside, price_out_of_network(terms_of(plan), planned), strict=True):
        assert outside.plan is not None
        assert share.plan == outside.plan
        assert outside.client == one.charge - outside.plan
        assert outside.client - (outside.above or D(0)) == share.client


@given(plans(), amounts, st.lists(st.booleans(), min_size=5, max_size=5))
@settings(max_examples=500, deadline=None)
def test_whatever_is_not_told_stays_within_what_was_said(
    plan: Plan, drawn: list[tuple[int, int]], told: list[bool]
) -> None:
    """With some allowed amounts hidden, a payment that is known is the true one, and none is above the most."""
    planned = visits(drawn)
    hidden = [one if tell else replace(one, allowed=None) for one, tell in zip(planned, told, strict=False)]

    truth = price_out_of_network(terms_of(plan), planned)
    guessed = price_out_of_network(terms_of(plan), hidden)

    for true, guess in zip(truth, guessed, strict=True):
        if guess.plan is not None and true.plan is not None:
            assert guess.plan == true.plan
        if guess.at_most is not None and true.plan is not None:
            assert true.plan <= guess.at_most
