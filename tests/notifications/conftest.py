"""Ana's account, and the worker's messages caught before they reach a broker."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from unittest import mock

import pytest

from notifications.messages import RefundProcessed
from people.models import User


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana@example.com")


@pytest.fixture
def refund_news() -> RefundProcessed:
    return RefundProcessed(
        client_name="Ana",
        session_date=date(2026, 11, 3),
        amount=Decimal("1018.50"),
        card="Visa ending in 4242",
        statement_by=date(2026, 11, 24),
        url="https://portal.example/payments/7/",
    )


@pytest.fixture(autouse=True)
def hurried(request: pytest.FixtureRequest) -> Iterator[mock.Mock | None]:
    """What was sent to the worker; with the real servers it reaches the worker."""
    if request.node.get_closest_marker("stack"):
        yield None
        return
    with mock.patch("notifications.outbox.current_app.send_task") as send_task:
        yield send_task
