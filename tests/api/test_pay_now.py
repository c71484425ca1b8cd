"""Ana pays through the API, at Stripe's stand-in over the wire."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from billing.gateways.stripe_gateway import gateway
from billing.models import Payment, PaymentCard
from billing.services import cards
from billing.services.balances import session_balance
from care.models import Session
from tests.api.conftest import Browser
from tests.api.test_client import owe
from tests.cast import Cast, money
from tests.stand_ins import STRIPE_SECRET, WEBHOOK_SECRET, StripeStandIn, stripe_stand_in

PATH = "/api/v1/client/payments/"


@pytest.fixture(scope="module")
def _stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeStandIn]:
    with stripe_stand_in(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def stripe(_stripe: StripeStandIn, settings: Settings) -> Iterator[StripeStandIn]:
    settings.STRIPE_API_BASE = _stripe.base
    settings.STRIPE_SECRET_KEY = STRIPE_SECRET
    settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
    gateway.cache_clear()
    yield _stripe
    _stripe.no_faults()
    gateway.cache_clear()


@pytest.fixture
def held(cast: Cast, stripe: StripeStandIn) -> Session:
    """A session for which Ana owes 18.00."""
    session = cast.book(days=-3)
    owe(cast, session.pk, "18.00")
    return session


def on_file(cast: Cast, token: str) -> PaymentCard:
    customer = cards.ensure_customer(cast.ana)
    found = gateway().attach_payment_method(token, customer.customer_id, key=f"card:{cast.ana.pk}:{token}")
    return cards.keep(cast.ana, found.payment_method)


def test_a_card_on_file_is_charged_once_however_often_the_request_comes(
    cast: Cast, ana: Browser, held: Session
) -> None:
    card = on_file(cast, "pm_card_visa")
    asked = {"shown": "18.00", "card": card.pk}
    first, again = (ana.post(PATH, asked, headers={"Idempotency-Key": "pay-1"}) for _ in range(2))
    assert first.status_code == 201, first.json()
    assert again.json() == first.json()
    told = first.json()
    assert (told["payment"]["amount"], told["payment"]["state"], told["client_secret"]) == ("18.00", "succeeded", None)
    assert told["payment"]["parts"] == [{"session": held.pk, "date": held.date.isoformat(), "amount": "18.00"}]
    assert Payment.objects.count() == 1
    assert session_balance(held).due == 0
    nothing = ana.post(PATH, asked)
    assert (nothing.status_code, nothing.json()["type"]) == (409, "urn:headway:problem:nothing-to-pay")


def test_without_a_card_the_browser_finishes_it(cast: Cast, ana: Browser, eve: Browser, held: Session) -> None:
    told = ana.post(PATH, {"shown": "18.00", "sessions": [held.pk]}).json()
    assert told["payment"]["state"] == "requires_action"
    assert told["client_secret"].startswith("pi_")
    # Another tab meets the same attempt.
    assert ana.post(PATH, {"shown": "18.00"}).json()["payment"]["id"] == told["payment"]["id"]
    assert Payment.objects.count() == 1
    path = f"{PATH}{told['payment']['id']}/refresh/"
    assert ana.post(path).json()["state"] == "requires_action"
    assert eve.post(path).status_code == 404


def test_a_sum_that_is_not_what_is_due_takes_nothing(cast: Cast, ana: Browser, held: Session) -> None:
    answer = ana.post(PATH, {"shown": "17.99"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:headway:problem:amount-changed")
    assert not Payment.objects.exists()


@pytest.mark.parametrize("shown", [18, 18.0, "18", "-18.00", "18.001", "1e1", None])
def test_money_is_a_plain_string(cast: Cast, ana: Browser, held: Session, shown: object) -> None:
    answer = ana.post(PATH, {"shown": shown})
    if shown == "18":  # whole dollars need no decimals
        assert answer.status_code == 201
        return
    assert answer.status_code == 422
    assert [error["where"] for error in answer.json()["errors"]] == ["shown"]
    assert not Payment.objects.exists()


def test_a_declined_card_is_told_and_not_charged_again_by_repeating(cast: Cast, ana: Browser, held: Session) -> None:
    card = on_file(cast, "pm_card_chargeCustomerFail")
    for _ in range(2):
        answer = ana.post(PATH, {"shown": "18.00", "card": card.pk}, headers={"Idempotency-Key": "pay-1"})
        assert answer.status_code == 402
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "Nothing was taken." in answer.json()["detail"]
    assert [payment.state for payment in Payment.objects.all()] == ["failed"]
    assert session_balance(held).due == money("18.00")


def test_another_persons_card_cannot_be_named(cast: Cast, ana: Browser, eve: Browser, held: Session) -> None:
    card = on_file(cast, "pm_card_visa")
    answer = eve.post(PATH, {"shown": "18.00", "card": card.pk})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "card"
    assert not Payment.objects.exists()


def test_another_persons_session_cannot_be_paid(cast: Cast, eve: Browser, held: Session) -> None:
    assert eve.post(PATH, {"shown": "18.00", "sessions": [held.pk]}).status_code == 409
    assert not Payment.objects.exists()


def test_when_stripe_does_not_answer_the_outcome_is_unknown_and_paid_once(
    cast: Cast, ana: Browser, held: Session, settings: Settings
) -> None:
    cards.ensure_customer(cast.ana)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    gateway.cache_clear()
    answer = ana.post(PATH, {"shown": "18.00"})
    # No answer came: the attempt is kept, to be settled by asking, and a second request does not begin another.
    assert (answer.status_code, answer.json()["payment"]["state"], answer.json()["client_secret"]) == (
        201,
        "unknown",
        None,
    )
    assert ana.post(PATH, {"shown": "18.00"}).json()["payment"]["id"] == answer.json()["payment"]["id"]
    assert Payment.objects.count() == 1
    assert session_balance(held).booked == money("18.00")
