"""What-if scenarios answered: prices, two plans on one session, and which plan pays first. Pure.

Answers are plain values ready for JSON, in the shapes that ``CONTRACTS`` fixes for ``manage.py whatif``.
"""

from decimal import Decimal
from typing import Any

from billing.domain.pricing import PlanState, PlanTerms, price_session, price_sessions
from billing.domain.scenarios import CoordinateScenario, OrderScenario, PlanShare, PriceScenario, Scenario
from common.money import ZERO, plain
from insurance.domain.coordination import Primary, Secondary, coordinate
from insurance.domain.plan_order import order_plans

Answer = dict[str, Any]


def answer(scenario: Scenario) -> Answer:
    """The answer to one scenario, with its id."""
    if isinstance(scenario, PriceScenario):
        return _prices(scenario)
    if isinstance(scenario, CoordinateScenario):
        return _coordination(scenario)
    return _order(scenario)


def plan_pays(terms: PlanTerms, allowed: Decimal) -> Decimal | None:
    """What a plan pays, as the only one, of one session; ``None`` when its terms do not tell."""
    price, _after = price_session(PlanState.start(terms), allowed)
    return price.plan


def _prices(scenario: PriceScenario) -> Answer:
    pricing = price_sessions(scenario.terms, scenario.sessions)
    left = pricing.remaining
    return {
        "id": scenario.id,
        "sessions": [
            {
                "date": session.date.isoformat(),
                "client": plain(price.client),
                "plan": plain(price.plan),
                "deductible": plain(price.deductible),
                "copay": plain(price.copay),
                "coinsurance": plain(price.coinsurance),
                "not_covered": plain(price.not_covered),
                "why": list(price.why),
            }
            for session, price in zip(scenario.sessions, pricing.sessions, strict=True)
        ],
        "total_client": plain(pricing.total_client),
        "remaining": {
            "deductible": plain(left.deductible),
            "family_deductible": plain(left.family_deductible),
            "out_of_pocket": plain(left.out_of_pocket),
            "family_out_of_pocket": plain(left.family_out_of_pocket),
            "visits": left.visits,
        },
    }


def _coordination(scenario: CoordinateScenario) -> Answer:
    primary, secondary = scenario.primary, scenario.secondary
    paid = _payment(primary)
    result = coordinate(
        Primary(primary.allowed, paid, scenario.charge_limit),
        Secondary(
            allowed=secondary.allowed,
            method=scenario.method,
            pays_alone=_payment(secondary),
            pays_on_rest=_pays_on_rest(secondary, paid),
            fee_schedule=scenario.fee_schedule,
            in_network=scenario.in_network,
        ),
        charge=scenario.charge,
    )
    return {
        "id": scenario.id,
        "primary_pays": plain(result.primary_pays),
        "secondary_pays": plain(result.secondary_pays),
        "client": plain(result.client),
        "why": list(result.why),
    }


def _payment(share: PlanShare) -> Decimal | None:
    """A plan's payment: as given, else priced from its terms."""
    if share.payment is not None or share.terms is None:
        return share.payment
    return plan_pays(share.terms, share.allowed)


def _pays_on_rest(secondary: PlanShare, paid: Decimal | None) -> Decimal | None:
    if secondary.terms is None or paid is None:
        return None
    return plan_pays(secondary.terms, max(ZERO, secondary.allowed - paid))


def _order(scenario: OrderScenario) -> Answer:
    result = order_plans(scenario.client, scenario.family, scenario.plans, on=scenario.on)
    return {
        "id": scenario.id,
        "order": list(result.order),
        "rule": result.rule,
        "certain": result.certain,
        "why": list(result.why),
    }
