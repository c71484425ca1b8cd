"""Plans and sessions for property tests of prices, in cents, and how they read as the product's own values."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from billing.domain.pricing import CopayRule, PlannedSession, PlanTerms
from tests.domain.price_oracle import RULES, Plan

START = date(2026, 1, 1)


def dollars(cents: int | None) -> Decimal | None:
    return None if cents is None else Decimal(cents).scaleb(-2)


def terms_of(plan: Plan) -> PlanTerms:
    """The plan as the product takes it."""
    return PlanTerms(
        deductible_remaining=dollars(plan.deductible),
        family_deductible_remaining=dollars(plan.family_deductible),
        out_of_pocket_remaining=dollars(plan.maximum),
        family_out_of_pocket_remaining=dollars(plan.family_maximum),
        copay=dollars(plan.copay),
        copay_rule=None if plan.rule is None else CopayRule(plan.rule),
        coinsurance=dollars(plan.percent),
        visits_remaining=plan.visits,
    )


def weekly(sessions: list[int]) -> list[PlannedSession]:
    """Sessions a week apart."""
    return [
        PlannedSession(START + timedelta(days=7 * place), Decimal(cents).scaleb(-2))
        for place, cents in enumerate(sessions)
    ]


def cents(most: int) -> st.SearchStrategy[int]:
    """Amounts up to ``most``; round ones and small ones often, so that limits are met to the cent."""
    return st.integers(0, most) | st.integers(0, most // 1000).map(lambda tens: tens * 1000)


def plans(*, most: int = 40_000, unknown: bool = True) -> st.SearchStrategy[Plan]:
    """Every plan design. ``unknown=False``: nothing is missing that a price needs."""
    none = st.none()
    copay, percent = cents(most // 4), st.integers(0, 100)
    rule = st.sampled_from(RULES)
    if unknown:
        return st.builds(
            Plan, none | cents(most), none | cents(most), none | cents(most), none | cents(most), none | copay,
            none | rule, none | percent, none | st.integers(0, 6),
        )  # fmt: skip
    deductibles = st.tuples(cents(most), none | cents(most)) | st.tuples(none, cents(most))
    shares = st.tuples(copay, none | percent) | st.tuples(none, percent)
    rest = st.tuples(none | cents(most), none | cents(most), none | st.integers(0, 6))
    return st.builds(_plan, deductibles, shares, rule, rest)


def _plan(
    deductibles: tuple[int | None, int | None],
    shares: tuple[int | None, int | None],
    rule: str,
    rest: tuple[int | None, int | None, int | None],
) -> Plan:
    maximum, family_maximum, visits = rest
    copay, percent = shares
    return Plan(*deductibles, maximum, family_maximum, copay, rule, percent, visits)


def sessions(*, most: int = 20_000, size: int = 6) -> st.SearchStrategy[list[int]]:
    """Allowed amounts in cents, in date order."""
    return st.lists(cents(most), max_size=size)
