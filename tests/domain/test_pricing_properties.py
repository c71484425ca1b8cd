"""What holds for every price, over thousands of plans: an independent reckoning agrees, and nothing passes a limit."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.pricing import (
    CopayRule,
    PlannedSession,
    PlanState,
    PlanTerms,
    PricedSession,
    Pricing,
    price_session,
    price_sessions,
)
from common.agreement import agreed
from tests.domain.price_oracle import Cost, Plan, readings, year
from tests.domain.price_worlds import START, cents, dollars, plans, sessions, terms_of, weekly

FIGURES = ("client", "plan", "deductible", "copay", "coinsurance", "not_covered")
LEFT = ("out_of_pocket", "family_out_of_pocket", "visits")

many = settings(max_examples=5000, deadline=None)
some = settings(max_examples=700, deadline=None)
known_plans = plans(unknown=False)


def figures(pricing: Pricing) -> list[object]:
    prices = [getattr(session, name) for session in pricing.sessions for name in FIGURES]
    return prices + [getattr(pricing.remaining, name) for name in LEFT]


def price(plan: Plan, planned: list[int]) -> Pricing:
    return price_sessions(terms_of(plan), weekly(planned))


def running(pricing: Pricing) -> list[Decimal]:
    """What the client has paid after each session."""
    return list(accumulate(session.client or Decimal(0) for session in pricing.sessions))


# --- An independent reckoning -----------------------------------------------------------------------------------------


def same(priced: PricedSession, cost: Cost) -> bool:
    return all(getattr(priced, name) == dollars(getattr(cost, name)) for name in FIGURES)


@given(known_plans, sessions())
@many
def test_every_part_of_every_price_is_what_counting_cents_gives(plan: Plan, planned: list[int]) -> None:
    pricing = price(plan, planned)
    costs = year(plan, planned)

    assert all(same(priced, cost) for priced, cost in zip(pricing.sessions, costs, strict=True))
    left = pricing.remaining
    to_deductible = sum(cost.deductible for cost in costs)
    to_maximum = sum(cost.client - cost.not_covered for cost in costs)
    for figure, used, now in (
        (plan.deductible, to_deductible, left.deductible),
        (plan.family_deductible, to_deductible, left.family_deductible),
        (plan.maximum, to_maximum, left.out_of_pocket),
        (plan.family_maximum, to_maximum, left.family_out_of_pocket),
    ):
        assert now == (None if figure is None else dollars(max(0, figure - used)))
    assert left.visits == (None if plan.visits is None else max(0, plan.visits - len(planned)))


tiny = st.integers(0, 9)
tiny_plans = st.builds(
    Plan,
    deductible=st.none() | tiny,
    maximum=st.none() | tiny,
    family_maximum=st.none() | tiny,
    copay=st.none() | tiny,
    rule=st.none() | st.sampled_from([rule.value for rule in CopayRule]),
    percent=st.sampled_from([0, 10, 50, 85, 100]),
    visits=st.none() | st.integers(0, 3),
)


def assert_known_exactly_when_all_readings_agree(plan: Plan, planned: list[int]) -> None:
    possible = list(readings(plan, planned))
    pricing = price(plan, planned)

    for place, priced in enumerate(pricing.sessions):
        for name in FIGURES:
            expected = agreed(dollars(getattr(costs[place], name)) for costs in possible)
            assert getattr(priced, name) == expected, (place, name)
    for name, figure in (("out_of_pocket", plan.maximum), ("family_out_of_pocket", plan.family_maximum)):
        used = (sum(cost.client - cost.not_covered for cost in costs) for costs in possible)
        left = None if figure is None else agreed(dollars(max(0, figure - amount)) for amount in used)
        assert getattr(pricing.remaining, name) == left, name


@given(tiny_plans, st.lists(tiny, max_size=4))
@settings(max_examples=1000, deadline=None)
def test_a_figure_is_known_exactly_when_every_plan_it_may_be_agrees(plan: Plan, planned: list[int]) -> None:
    """The few possibilities that pricing follows give the same answer as trying every deductible and every rule."""
    assert_known_exactly_when_all_readings_agree(plan, planned)


@given(
    st.builds(
        Plan,
        deductible=st.none() | st.integers(0, 4),
        maximum=st.none() | st.integers(0, 6),
        rule=st.none() | st.sampled_from([rule.value for rule in CopayRule]),
        visits=st.none() | st.integers(0, 2),
    ),
    st.lists(st.integers(0, 4), max_size=3),
)
@settings(max_examples=400, deadline=None)
def test_without_copay_and_coinsurance_a_figure_is_known_exactly_when_any_share_gives_it(
    plan: Plan, planned: list[int]
) -> None:
    assert_known_exactly_when_all_readings_agree(plan, planned)


# --- Bounds -----------------------------------------------------------------------------------------------------------


@given(plans(), sessions())
@some
def test_parts_add_up_and_stay_in_their_bounds(plan: Plan, planned: list[int]) -> None:
    for allowed, priced in zip(weekly(planned), price(plan, planned).sessions, strict=True):
        parts = (priced.deductible, priced.copay, priced.coinsurance, priced.not_covered)
        assert all(part is None or 0 <= part <= allowed.allowed for part in parts)
        assert (priced.client is None) == (priced.plan is None)
        if priced.client is None or priced.plan is None:
            continue
        assert 0 <= priced.client <= allowed.allowed
        assert priced.client + priced.plan == allowed.allowed
        known = [part for part in parts if part is not None]
        assert sum(known) == priced.client or (len(known) < len(parts) and sum(known) <= priced.client)
        assert priced.client == priced.client.quantize(Decimal("0.01"))


@given(plans(), sessions())
@some
def test_covered_shares_never_pass_a_maximum_and_the_rest_is_what_remains(plan: Plan, planned: list[int]) -> None:
    pricing = price(plan, planned)

    counted = sum((each.client or Decimal(0)) - (each.not_covered or Decimal(0)) for each in pricing.sessions)
    for maximum, left in (
        (dollars(plan.maximum), pricing.remaining.out_of_pocket),
        (dollars(plan.family_maximum), pricing.remaining.family_out_of_pocket),
    ):
        assert maximum is None or counted <= maximum
        if maximum is not None and left is not None and pricing.total_client is not None:
            assert maximum == left + counted
    paid = [each.deductible for each in pricing.sessions]
    if pricing.remaining.deductible is not None and None not in paid:
        assert dollars(plan.deductible) == pricing.remaining.deductible + sum(part or Decimal(0) for part in paid)


# --- More of one thing, less of another -------------------------------------------------------------------------------


@given(known_plans, cents(20_000), cents(20_000))
@some
def test_a_dearer_session_costs_neither_client_nor_plan_less(plan: Plan, allowed: int, more: int) -> None:
    [one], [dearer] = price(plan, [allowed]).sessions, price(plan, [allowed + more]).sessions

    assert one.client is not None
    assert dearer.client is not None
    assert one.plan is not None
    assert dearer.plan is not None
    assert one.client <= dearer.client
    assert one.plan <= dearer.plan


@given(known_plans, sessions(), cents(20_000))
@some
def test_what_asks_more_of_the_client_never_makes_the_year_cheaper(plan: Plan, planned: list[int], more: int) -> None:
    """At no point of the year: more deductible, a higher maximum, a larger share, fewer visits."""
    harder = [
        replace(
            plan,
            deductible=None if plan.deductible is None else plan.deductible + more,
            family_deductible=None if plan.family_deductible is None else plan.family_deductible + more,
        )
    ]
    if plan.maximum is not None:
        harder += [replace(plan, maximum=plan.maximum + more), replace(plan, maximum=None)]
    if plan.percent is not None:
        harder.append(replace(plan, percent=min(100, plan.percent + more % 100)))
    if plan.visits:
        harder.append(replace(plan, visits=plan.visits - 1))
    paid = running(price(plan, planned))

    for other in harder:
        assert all(now <= then for now, then in zip(paid, running(price(other, planned)), strict=True)), other


@given(known_plans.filter(lambda plan: plan.copay is not None), cents(20_000), cents(5_000))
@some
def test_a_copay_alone_is_the_cheapest_and_a_larger_one_never_cheaper(plan: Plan, allowed: int, more: int) -> None:
    clients = {
        rule: price(replace(plan, rule=rule.value), [allowed]).sessions[0].client or Decimal(0) for rule in CopayRule
    }

    assert clients[CopayRule.WAIVES_DEDUCTIBLE] == min(clients.values())
    larger = replace(plan, copay=(plan.copay or 0) + more)
    assert running(price(plan, [allowed])) <= running(price(larger, [allowed]))


# --- Order, parts of a year, and what is learned ----------------------------------------------------------------------


@given(plans(), sessions(), st.randoms(use_true_random=False))
@some
def test_the_order_in_which_different_days_are_given_changes_nothing(
    plan: Plan, planned: list[int], random: Random
) -> None:
    given_in_order = weekly(planned)
    places = list(range(len(planned)))
    random.shuffle(places)

    in_order = price_sessions(terms_of(plan), given_in_order)
    shuffled = price_sessions(terms_of(plan), [given_in_order[place] for place in places])

    assert shuffled.remaining == in_order.remaining
    assert list(shuffled.sessions) == [in_order.sessions[place] for place in places]


@given(known_plans, sessions(), st.integers(0, 6))
@some
def test_pricing_goes_on_from_what_remains_as_if_it_had_never_stopped(
    plan: Plan, planned: list[int], stop: int
) -> None:
    """An insurer's new figures after some sessions give the later ones the same prices: nothing is counted twice."""
    whole = price(plan, planned)
    left = price(plan, planned[:stop]).remaining
    rest = price_sessions(
        replace(
            terms_of(plan),
            deductible_remaining=left.deductible,
            family_deductible_remaining=left.family_deductible,
            out_of_pocket_remaining=left.out_of_pocket,
            family_out_of_pocket_remaining=left.family_out_of_pocket,
            visits_remaining=left.visits,
        ),
        weekly(planned[stop:]),
    )

    assert [each.client for each in rest.sessions] == [each.client for each in whole.sessions[stop:]]
    assert rest.remaining == whole.remaining


@given(known_plans, sessions())
@some
def test_a_session_the_insurer_decided_as_predicted_leaves_the_plan_where_the_prediction_did(
    plan: Plan, planned: list[int]
) -> None:
    predicted = decided = PlanState.start(terms_of(plan))
    for session in weekly(planned):
        priced, predicted = price_session(predicted, session.allowed)
        assert priced.client is not None
        assert priced.deductible is not None
        assert priced.not_covered is not None
        decided = decided.after_adjudicated(
            client=priced.client - priced.not_covered, deductible=priced.deductible, covered=decided.visits != 0
        )
        assert decided == predicted


@given(plans(), sessions(), cents(40_000), st.none() | cents(40_000), st.sampled_from(CopayRule), st.integers(0, 100))
@some
def test_what_is_known_stays_when_a_missing_fact_is_learned(
    plan: Plan, planned: list[int], deductible: int, family: int | None, rule: CopayRule, percent: int
) -> None:
    learned = plan
    if plan.deductible is None and plan.family_deductible is None:
        learned = replace(learned, deductible=deductible, family_deductible=family)
    if plan.copay is not None and plan.rule is None:
        learned = replace(learned, rule=rule.value)
    if plan.copay is None and plan.percent is None and plan.rule != CopayRule.WAIVES_DEDUCTIBLE:
        learned = replace(learned, percent=percent)

    before, after = figures(price(plan, planned)), figures(price(learned, planned))

    for known, now in zip(before, after, strict=True):
        assert known is None or known == now


@given(known_plans, sessions())
@settings(max_examples=200, deadline=None)
def test_sessions_of_one_day_are_priced_as_they_are_given(plan: Plan, planned: list[int]) -> None:
    one_day = [PlannedSession(START, each.allowed) for each in weekly(planned)]

    assert price_sessions(terms_of(plan), one_day) == price(plan, planned)


@given(sessions())
@settings(max_examples=100, deadline=None)
def test_a_plan_that_covers_nothing_leaves_all_to_the_client_and_uses_nothing(planned: list[int]) -> None:
    terms = PlanTerms(
        deductible_remaining=Decimal("50.00"), out_of_pocket_remaining=Decimal("10.00"), coinsurance=Decimal("0.20"),
        visits_remaining=3, covered=False,
    )  # fmt: skip
    state = PlanState.start(terms)

    for session in weekly(planned):
        priced, after = price_session(state, session.allowed)
        assert (priced.client, priced.not_covered, priced.plan) == (session.allowed, session.allowed, Decimal(0))
        assert after == state


@given(known_plans, st.integers(1, 300))
@settings(max_examples=100, deadline=None)
def test_a_year_ends_with_the_maximum_paid_or_every_session_shared(plan: Plan, allowed: int) -> None:
    """Fifty-two sessions: the shares of covered sessions add up to the maximum at most, and then stop."""
    plan = replace(plan, maximum=5_000, visits=None)
    pricing = price_sessions(
        terms_of(plan), [PlannedSession(START + timedelta(days=7 * week), Decimal(allowed)) for week in range(52)]
    )
    paid = running(pricing)

    assert paid[-1] <= Decimal("50.00")
    stopped = [each.client for each, sum_so_far in zip(pricing.sessions[1:], paid, strict=False) if sum_so_far == 50]
    assert not any(stopped)
