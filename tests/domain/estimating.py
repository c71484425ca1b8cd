"""Estimates as the walk over a plan year makes them: priced by the rules, with what was left before the session."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from billing.domain.cost_change import Estimate
from billing.domain.pricing import PlanState, PlanTerms, price_session

D = Decimal

ROOMY = PlanTerms(network="in", deductible_remaining=D("0.00"), out_of_pocket_remaining=D("5000.00"))
"""In network, the deductible met, and far from the maximum."""


def estimate(
    terms: PlanTerms | None,
    *,
    allowed: str = "150.00",
    used: tuple[str, str, int] = ("0.00", "0.00", 0),
    **others: Any,
) -> Estimate:
    """A session priced under what a snapshot says, after others ``used`` of it: deductible, maximum, visits.

    Without ``terms``, or with terms that do not decide the price: the full price, unverified.
    """
    facts: Mapping[str, Any] = {
        "payer": "Evergreen Health",
        "plan": 1,
        "visit": (date(2026, 6, 10), False, ("90837",)),
        "snapshot": 1,
        "plan_begin": date(2026, 1, 1),
        "plan_end": date(2026, 12, 31),
        **others,
    }
    if terms is None:
        return Estimate(D(allowed), D(allowed), verified=False, **{**facts, "snapshot": None, "plan_begin": None})
    state = PlanState.start(terms)
    for number in range(used[2] or (used != ("0.00", "0.00", 0))):
        state = state.after_adjudicated(
            client=D(used[1]) if number == 0 else D(0), deductible=D(used[0]) if number == 0 else D(0)
        )
    before = state.remaining()
    price = price_session(state, D(allowed))[0]
    lefts = {
        "deductible_left": _lesser(before.deductible, before.family_deductible),
        "maximum_left": _lesser(before.out_of_pocket, before.family_out_of_pocket),
        "visits_left": before.visits,
    }
    return Estimate(
        **{
            "amount": D(allowed) if price.client is None else price.client,
            "allowed": D(allowed),
            "verified": price.client is not None,
            "deductible": price.deductible,
            "terms": terms,
            **lefts,
            **facts,
        }
    )


def _lesser(*figures: Decimal | None) -> Decimal | None:
    return min((figure for figure in figures if figure is not None), default=None)
