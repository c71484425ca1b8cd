from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from billing.gateways.stripe_gateway import gateway
from tests.cast import Cast, assemble
from tests.stand_ins import STRIPE_SECRET, WEBHOOK_SECRET, StripeStandIn, stripe_stand_in


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture(scope="session")
def _stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeStandIn]:
    with stripe_stand_in(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def stripe_server(_stripe: StripeStandIn, settings: Settings) -> Iterator[StripeStandIn]:
    """Stripe's stand-in as its own process, and our gateway pointed at it."""
    settings.STRIPE_API_BASE = _stripe.base
    settings.STRIPE_SECRET_KEY = STRIPE_SECRET
    settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
    gateway.cache_clear()
    yield _stripe
    _stripe.no_faults()
    gateway.cache_clear()
