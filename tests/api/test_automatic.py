"""Payment plans and autopay through the API: agreed to in words, done once, and only by their client."""

import pytest

from billing.models import Autopay, AutopayNotice, Payment, PaymentPlan
from billing.services import autopay
from common import clock
from tests.api.conftest import Browser
from tests.api.test_client import owe
from tests.cast import Cast, card, money
from tests.house.test_every_address import state

PLANS = "/api/v1/client/payment-plans/"
AUTOPAY = "/api/v1/client/autopay/"


@pytest.fixture
def owing(cast: Cast) -> Cast:
    """Ana owes $70.00 for two sessions and has a card."""
    card(cast.ana)
    for days, amount in ((-9, "30.00"), (-8, "40.00")):
        owe(cast, cast.book(days=days).pk, amount)
    return cast


def test_a_plan_is_offered_begun_once_and_ended(owing: Cast, ana: Browser, eve: Browser) -> None:
    offer = ana.get(f"{PLANS}offer/").json()["offer"]
    assert [part["amount"] for part in offer["parts"]] == ["23.34", "23.33", "23.33"]
    assert offer["total"] == "70.00" and "without interest or fees" in offer["text"]
    assert eve.get(f"{PLANS}offer/").json() == {"offer": None}
    asked = {"shown": "70.00", "first_on": offer["parts"][0]["due_on"], "agree": True}
    first, again = (ana.post(PLANS, asked, headers={"Idempotency-Key": "plan-1"}) for _ in range(2))
    assert (first.status_code, again.json()) == (201, first.json())
    told = first.json()
    assert (told["state"], told["left"], told["parts"][0]["state"]) == ("active", "46.66", "created")
    assert (PaymentPlan.objects.count(), Payment.objects.count()) == (1, 1)
    balance = ana.get("/api/v1/client/balance/").json()
    assert balance["due"] == "0.00"
    assert [each["balance"]["planned"] for each in balance["sessions"]] == ["6.66", "40.00"]
    path = f"{PLANS}{told['id']}/end/"
    assert eve.post(path).status_code == 404
    assert ana.post(path).json()["state"] == "ended"
    assert ana.get("/api/v1/client/balance/").json()["due"] == "46.66"
    assert [each["id"] for each in ana.get(PLANS).json()["results"]] == [told["id"]]
    assert eve.get(PLANS).json()["results"] == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"shown": "70.00", "agree": False}, 422),
        ({"shown": "70.00"}, 422),
        ({"shown": "69.99", "agree": True}, 409),
        ({"shown": "70.00", "agree": True, "first_on": "2020-01-01"}, 409),
        ({"shown": "70.00", "agree": True, "first_on": None}, 422),
        ({"shown": 70, "agree": True}, 422),
        ({"shown": "70.00", "agree": True, "parts": 12}, 422),
    ],
)
def test_no_plan_begins_without_agreement_to_the_sum(
    owing: Cast, ana: Browser, sent: dict[str, object], status: int
) -> None:
    before = state()
    assert ana.post(PLANS, {"first_on": clock.today().isoformat()} | sent).status_code == status
    assert [each for each in state() if "api" not in each[0]] == [each for each in before if "api" not in each[0]]


def test_autopay_is_turned_on_stopped_for_one_and_off(owing: Cast, ana: Browser, eve: Browser) -> None:
    off = ana.get(AUTOPAY).json()
    assert (off["limit"], off["coming"]) == (None, []) and "at least 3 days before" in off["text"]
    assert ana.post(AUTOPAY, {"limit": "50.00", "agree": False}).status_code == 422
    assert ana.post(AUTOPAY, {"limit": "900.00", "agree": True}).status_code == 422
    for _ in range(2):
        assert ana.post(AUTOPAY, {"limit": "50.00", "agree": True}).json()["limit"] == "50.00"
    assert Autopay.objects.count() == 1
    session = owing.ana.sessions.earliest("starts_at")
    autopay.ask(session, money("30.00"), cause="1")
    (coming,) = ana.get(AUTOPAY).json()["coming"]
    day = autopay.charge_day(clock.today()).isoformat()
    assert (coming["amount"], coming["charge_on"], coming["session"]) == ("30.00", day, session.pk)
    path = f"{AUTOPAY}charges/{coming['id']}/"
    assert eve.delete(path).status_code == 404
    assert ana.delete(path).status_code == ana.delete(path).status_code == 204
    assert AutopayNotice.objects.get().cancelled_at is not None
    assert ana.delete(AUTOPAY).status_code == 204
    assert ana.get(AUTOPAY).json()["limit"] is None
