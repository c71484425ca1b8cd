"""What holds for every price: parts add up, nothing passes a limit, and what is said to be known does not change."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.pricing import CopayRule, PlannedSession, PlanTerms, PricedSession, Pricing, price_sessions
from common.agreement import agreed

FIGURES = ("client", "plan", "deductible", "copay", "coinsurance", "not_covered")
LEFT = ("out_of_pocket", "family_out_of_pocket", "visits")


def cents(most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most).map(lambda count: (Decimal(count) / 100).quantize(Decimal("0.01")))


money = cents(40_000)
shares = st.integers(0, 100).map(lambda percent: Decimal(percent) / 100)
terms = st.builds(
    PlanTerms,
    deductible_remaining=st.none() | money,
    family_deductible_remaining=st.none() | money,
    out_of_pocket_remaining=st.none() | money,
    family_out_of_pocket_remaining=st.none() | money,
    copay=st.none() | cents(10_000),
    copay_rule=st.none() | st.sampled_from(CopayRule),
    coinsurance=st.none() | shares,
    visits_remaining=st.none() | st.integers(0, 6),
)
sessions = st.lists(
    st.builds(PlannedSession, date=st.dates(date(2026, 1, 1), date(2026, 1, 9)), allowed=cents(20_000)), max_size=6
)


def figures(pricing: Pricing) -> list[object]:
    prices = [getattr(session, name) for session in pricing.sessions for name in FIGURES]
    return prices + [getattr(pricing.remaining, name) for name in LEFT]


@given(terms, sessions)
def test_parts_add_up_and_stay_in_their_bounds(plan: PlanTerms, planned: list[PlannedSession]) -> None:
    pricing = price_sessions(plan, planned)

    for session, price in zip(planned, pricing.sessions, strict=True):
        parts = (price.deductible, price.copay, price.coinsurance, price.not_covered)
        assert all(part is None or 0 <= part <= session.allowed for part in parts)
        if price.client is None:
            assert price.plan is None
            continue
        assert 0 <= price.client <= session.allowed
        assert price.plan is not None
        assert price.client + price.plan == session.allowed
        known = [part for part in parts if part is not None]
        assert sum(known) == price.client or (len(known) < len(parts) and sum(known) <= price.client)
        assert price.client == price.client.quantize(Decimal("0.01"))


@given(terms, sessions)
def test_covered_shares_never_pass_the_maximum(plan: PlanTerms, planned: list[PlannedSession]) -> None:
    pricing = price_sessions(plan, planned)

    counted = sum(price.client or Decimal(0) for price in pricing.sessions if not price.not_covered)
    for maximum in (plan.out_of_pocket_remaining, plan.family_out_of_pocket_remaining):
        assert maximum is None or counted <= maximum


@given(terms, sessions)
def test_remaining_figures_fall_by_what_was_paid(plan: PlanTerms, planned: list[PlannedSession]) -> None:
    pricing = price_sessions(plan, planned)

    if pricing.total_client is not None and pricing.remaining.out_of_pocket is not None:
        counted = sum(price.client or Decimal(0) for price in pricing.sessions if not price.not_covered)
        assert plan.out_of_pocket_remaining == pricing.remaining.out_of_pocket + counted
    if pricing.remaining.deductible is not None and all(price.deductible is not None for price in pricing.sessions):
        paid = sum(price.deductible or Decimal(0) for price in pricing.sessions)
        assert plan.deductible_remaining == pricing.remaining.deductible + paid


@given(terms, sessions, st.randoms(use_true_random=False))
def test_the_order_in_which_different_days_are_given_changes_nothing(
    plan: PlanTerms, planned: list[PlannedSession], random: Random
) -> None:
    one_a_day = [
        PlannedSession(date(2026, 1, 1) + timedelta(days=place), session.allowed)
        for place, session in enumerate(planned)
    ]
    places = list(range(len(one_a_day)))
    random.shuffle(places)

    in_order = price_sessions(plan, one_a_day)
    shuffled = price_sessions(plan, [one_a_day[place] for place in places])

    assert shuffled.remaining == in_order.remaining
    assert list(shuffled.sessions) == [in_order.sessions[place] for place in places]


@given(terms, sessions, money, st.none() | money, st.sampled_from(CopayRule), shares)
@settings(max_examples=300)
def test_what_is_known_stays_when_a_missing_fact_is_learned(
    plan: PlanTerms,
    planned: list[PlannedSession],
    deductible: Decimal,
    family: Decimal | None,
    rule: CopayRule,
    coinsurance: Decimal,
) -> None:
    learned = plan
    if not plan.deductible_known:
        learned = replace(learned, deductible_remaining=deductible, family_deductible_remaining=family)
    if plan.copay is not None and plan.copay_rule is None:
        learned = replace(learned, copay_rule=rule)
    if not plan.share_known and plan.copay_rule != CopayRule.WAIVES_DEDUCTIBLE:
        learned = replace(learned, coinsurance=coinsurance)

    before, after = figures(price_sessions(plan, planned)), figures(price_sessions(learned, planned))

    for known, now in zip(before, after, strict=True):
        assert known is None or known == now


def every_reading(plan: PlanTerms, planned: list[PlannedSession]) -> list[Pricing]:
    """The sessions priced under every deductible, to the cent, and every copay rule that may hold."""
    most = int(sum(session.allowed for session in planned) * 100) + 1
    deductibles = [plan.deductible_remaining]
    if not plan.deductible_known:
        deductibles = [Decimal(count) / 100 for count in range(most + 1)]
    unknown_rule = plan.copay is not None and plan.copay_rule is None
    rules = list(CopayRule) if unknown_rule else [plan.copay_rule]
    return [
        price_sessions(replace(plan, deductible_remaining=deductible, copay_rule=rule), planned)
        for deductible, rule in product(deductibles, rules)
    ]


few_cents = cents(9)
tiny_plans = st.builds(
    PlanTerms,
    deductible_remaining=st.none() | few_cents,
    out_of_pocket_remaining=st.none() | few_cents,
    copay=st.none() | few_cents,
    copay_rule=st.none() | st.sampled_from(CopayRule),
    coinsurance=st.sampled_from([Decimal(0), Decimal("0.1"), Decimal("0.5"), Decimal("0.85"), Decimal(1)]),
    visits_remaining=st.none() | st.integers(0, 3),
)
tiny_sessions = st.lists(st.builds(PlannedSession, date=st.just(date(2026, 1, 1)), allowed=few_cents), max_size=4)


@given(tiny_plans, tiny_sessions)
@settings(max_examples=250, deadline=None)
def test_a_figure_is_known_exactly_when_all_readings_agree(plan: PlanTerms, planned: list[PlannedSession]) -> None:
    """The few possibilities that pricing follows give the same answer as trying every single one."""
    readings = every_reading(plan, planned)
    pricing = price_sessions(plan, planned)

    for place, price in enumerate(pricing.sessions):
        for name in FIGURES:
            expected = agreed(getattr(reading.sessions[place], name) for reading in readings)
            assert getattr(price, name) == expected, (place, name)
    for name in LEFT:
        assert getattr(pricing.remaining, name) == agreed(getattr(one.remaining, name) for one in readings), name


class Freehand:
    """Neither copay nor coinsurance known: any share of what the deductible leaves, another one each session."""

    @staticmethod
    def price(plan: PlanTerms, planned: list[PlannedSession], choices: tuple[int, ...]) -> list[Decimal]:
        room, deductible, clients = plan.out_of_pocket_remaining, plan.deductible_remaining or Decimal(0), []
        for session, choice in zip(planned, choices, strict=True):
            part = min(deductible, session.allowed)
            rest = min(Decimal(choice) / 100, session.allowed - part)
            client = part + rest if room is None else min(part + rest, room)
            deductible -= min(part, client)
            room = None if room is None else room - client
            clients.append(client)
        return clients


@given(
    st.builds(PlanTerms, deductible_remaining=cents(4), out_of_pocket_remaining=st.none() | cents(6)),
    st.lists(st.builds(PlannedSession, date=st.just(date(2026, 1, 1)), allowed=cents(4)), max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_without_copay_and_coinsurance_a_price_is_known_exactly_when_any_share_gives_it(
    plan: PlanTerms, planned: list[PlannedSession]
) -> None:
    possible = [Freehand.price(plan, planned, choices) for choices in product(range(5), repeat=len(planned))]

    prices: tuple[PricedSession, ...] = price_sessions(plan, planned).sessions

    for place, price in enumerate(prices):
        assert price.client == agreed(clients[place] for clients in possible)
