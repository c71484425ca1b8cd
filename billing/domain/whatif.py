"""What-if scenarios answered: prices, two plans on one session, and which plan pays first. Pure."""

from decimal import Decimal
from typing import Any

from billing.domain.pricing import PlannedSession, PlanTerms, price_sessions
from billing.domain.scenarios import CoordinateScenario, OrderScenario, PlanShare, PriceScenario, Scenario
from common.clock import BUSINESS_ZONE as _  # noqa: F401
