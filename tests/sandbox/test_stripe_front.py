"""The Stripe stand-in itself: what localstripe lacks, and what makes it fit to be failed on purpose."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.stripe import wire
from tests.stand_ins import StripeStandIn, stripe_stand_in


@pytest.fixture(scope="module")
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeStandIn]:
    with stripe_stand_in(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def ana(stripe: StripeStandIn) -> Iterator[dict[str, str]]:
    """Ana at the processor: the parameters of a charge to her saved card."""
    customer = stripe.call("POST", "customers", email="ana@example.org").json()["id"]
    card = stripe.call("POST", "payment_methods/pm_card_visa/attach", customer=customer).json()["id"]
    yield {
        "amount": "4210",
        "currency": "usd",
        "customer": customer,
        "payment_method": card,
        "confirm": "true",
        "off_session": "true",
    }
    stripe.no_faults()


def charges_of(stripe: StripeStandIn, ana: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stripe.call("GET", "payment_intents", customer=ana["customer"]).json()["data"]
    return found


def test_form_names_nest() -> None:
    assert wire.nested([("metadata[reference]", "p1"), ("expand[0]", "a"), ("expand[1]", "b"), ("amount", "5")]) == {
        "metadata": {"reference": "p1"},
        "expand": ["a", "b"],
        "amount": "5",
    }
    with pytest.raises(ValueError, match="bad"):
        wire.nested([("bad[", "x")])


def test_the_same_key_gives_the_stored_answer(stripe: StripeStandIn, ana: dict[str, str]) -> None:
    first = stripe.call("POST", "payment_intents", key="once", **ana)
    again = stripe.call("POST", "payment_intents", key="once", **ana)

    assert again.text == first.text
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    other = stripe.call("POST", "payment_intents", key="once", **{**ana, "amount": "4211"})
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    assert len(charges_of(stripe, ana)) == 1


def test_a_decline_is_stored_under_its_key_and_a_malformed_request_is_not(
    stripe: StripeStandIn, ana: dict[str, str]
) -> None:
    ana["payment_method"] = "pm_card_chargeCustomerFail"
    first = stripe.call("POST", "payment_intents", key="no", **ana)
    assert first.status_code == 402
    assert stripe.call("POST", "payment_intents", key="no", **ana).headers["Idempotent-Replayed"] == "true"

    malformed = stripe.call("POST", "payment_intents", key="slip", **{**ana, "amount": "4.2"})
    assert malformed.json()["error"]["code"] == "parameter_invalid_integer"
    corrected = stripe.call("POST", "payment_intents", key="slip", **{**ana, "payment_method": "pm_card_visa"})
    assert corrected.json()["status"] == "succeeded"


def test_fifty_clicks_with_one_key_make_one_charge(stripe: StripeStandIn, ana: dict[str, str]) -> None:
    with ThreadPoolExecutor(12) as clicks:
        answers = list(clicks.map(lambda _: stripe.call("POST", "payment_intents", key="clicks", **ana), range(50)))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {200, 409}
    assert len({answer.json()["id"] for answer in answers if answer.ok}) == 1
    assert len(charges_of(stripe, ana)) == 1
    if 409 in statuses:
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert refused.json()["error"]["code"] == "idempotency_key_in_use"


def test_parameters_that_stripe_lacks_are_refused(stripe: StripeStandIn, ana: dict[str, str]) -> None:
    error = stripe.call("POST", "payment_intents", **ana, payment_method_types="card").json()["error"]
    assert (error["code"], error["param"]) == ("parameter_unknown", "payment_method_types")


def test_a_publishable_key_cannot_charge_nor_read_without_the_secret(
    stripe: StripeStandIn, ana: dict[str, str]
) -> None:
    charged = requests.post(f"{stripe.base}/v1/payment_intents", data={**ana, "key": "pk_test_x"}, timeout=5)
    assert charged.status_code == 401
    assert charges_of(stripe, ana) == []
    paid = stripe.call("POST", "payment_intents", **ana).json()
    where = f"{stripe.base}/v1/payment_intents/{paid['id']}"
    assert requests.get(where, params={"key": "pk_test_x"}, timeout=5).status_code == 401
    wrong = {"key": "pk_test_x", "client_secret": paid["id"] + "_secret_guess"}
    assert requests.get(where, params=wrong, timeout=5).status_code == 400
    right = {"key": "pk_test_x", "client_secret": paid["client_secret"]}
    assert requests.get(where, params=right, timeout=5).json()["status"] == "succeeded"
    assert requests.get(where, timeout=5).status_code == 401


def test_lists_are_by_customer_newest_first_in_pages(stripe: StripeStandIn, ana: dict[str, str]) -> None:
    made = [stripe.call("POST", "payment_intents", **{**ana, "amount": str(100 + n)}).json()["id"] for n in range(5)]
    stripe.call("POST", "payment_intents", amount="999", currency="usd")  # a stranger's

    first = stripe.call("GET", "payment_intents", customer=ana["customer"], limit="3").json()
    rest = stripe.call(
        "GET", "payment_intents", customer=ana["customer"], limit="3", starting_after=first["data"][-1]["id"]
    ).json()
    assert [one["id"] for one in first["data"] + rest["data"]] == made[::-1]
    assert (first["has_more"], rest["has_more"]) == (True, False)


def test_search_by_customer_and_metadata(stripe: StripeStandIn, ana: dict[str, str]) -> None:
    ana["metadata[reference]"] = "p-77"
    paid = stripe.call("POST", "payment_intents", **ana).json()["id"]
    query = f"customer:'{ana['customer']}' AND metadata['reference']:'p-77'"
    assert [one["id"] for one in stripe.call("GET", "payment_intents/search", query=query).json()["data"]] == [paid]
    other = stripe.call("GET", "payment_intents/search", query="metadata['reference']:'p-78'").json()
    assert other["data"] == []


def test_a_charge_is_in_the_balance_less_stripes_fee(stripe: StripeStandIn, ana: dict[str, str]) -> None:
    ana["amount"] = "10000"
    paid = stripe.call("POST", "payment_intents", **ana).json()
    charge = stripe.call("GET", f"charges/{paid['latest_charge']}").json()
    line = stripe.call("GET", f"balance_transactions/{charge['balance_transaction']}").json()
    assert (line["amount"], line["fee"], line["net"], line["source"]) == (10000, 320, 9680, charge["id"])
    assert line in stripe.call("GET", "balance_transactions", limit="100").json()["data"]


def test_a_card_that_asks_once_is_charged_later_when_it_was_set_up(stripe: StripeStandIn, ana: dict[str, str]) -> None:
    setup = stripe.call("POST", "setup_intents", customer=ana["customer"], usage="off_session").json()
    where = f"setup_intents/{setup['id']}"
    asked = stripe.call("POST", f"{where}/confirm", payment_method="pm_card_authenticationRequiredOnSetup").json()
    assert asked["status"] == "requires_action"
    done = stripe.call("POST", f"{where}/_authenticate", client_secret=setup["client_secret"], success="true").json()
    assert done["status"] == "succeeded"

    ana["payment_method"] = done["payment_method"]
    assert stripe.call("POST", "payment_intents", **ana).json()["status"] == "succeeded"


def test_a_refused_payment_is_finished_by_its_holder_with_the_same_intent(
    stripe: StripeStandIn, ana: dict[str, str]
) -> None:
    card = stripe.call(
        "POST", "payment_methods/pm_card_authenticationRequired/attach", customer=ana["customer"]
    ).json()["id"]
    refused = stripe.call("POST", "payment_intents", **{**ana, "payment_method": card}).json()["error"]
    intent = refused["payment_intent"]
    assert (refused["code"], intent["status"]) == ("authentication_required", "requires_payment_method")

    where = f"payment_intents/{intent['id']}"
    asked = stripe.call("POST", f"{where}/confirm", payment_method=card).json()
    assert asked["status"] == "requires_action"
    paid = stripe.call("POST", f"{where}/_authenticate", client_secret=intent["client_secret"], success="true").json()
    assert (paid["status"], paid["amount_received"], paid["last_payment_error"]) == ("succeeded", 4210, None)
    again = stripe.call("POST", f"{where}/confirm", payment_method=card).json()["error"]
    assert (again["code"], again["payment_intent"]["status"]) == ("payment_intent_unexpected_state", "succeeded")


def test_events_come_signed_and_can_be_fetched_again(stripe: StripeStandIn, ana: dict[str, str]) -> None:
    paid = stripe.call("POST", "payment_intents", key="told", **ana).json()
    event = stripe.hooks.wait_for("payment_intent.succeeded", paid["id"])

    assert event["data"]["object"]["status"] == "succeeded"
    assert event["request"]["idempotency_key"] == "told"
    fetched = stripe.call("GET", f"events/{event['id']}").json()
    assert {**fetched, "pending_webhooks": 1} == event
    listed = stripe.call("GET", "events", type="payment_intent.succeeded", limit="1").json()["data"]
    assert [one["id"] for one in listed] == [event["id"]]


def test_an_event_is_sent_again_until_it_is_taken(stripe: StripeStandIn, ana: dict[str, str]) -> None:
    stripe.hooks.refusals["payment_intent.succeeded", ana["customer"]] = 1
    paid = stripe.call("POST", "payment_intents", **ana).json()
    first = stripe.hooks.wait_for("payment_intent.succeeded", paid["id"])
    second = stripe.hooks.wait_for("payment_intent.succeeded", paid["id"], count=2)
    assert first["id"] == second["id"]


def test_webhooks_are_dropped_tripled_or_early_on_request(stripe: StripeStandIn, ana: dict[str, str]) -> None:
    hers = f"payment_intent.succeeded {ana['customer']}"
    stripe.fault(hers, "drop_webhook")
    dropped = stripe.call("POST", "payment_intents", **ana).json()["id"]
    stripe.hooks.wait_for("payment_intent.created", dropped)
    stripe.hooks.wait_for_quiet()

    stripe.fault(hers, "triple_webhook")
    tripled = stripe.call("POST", "payment_intents", **ana).json()["id"]
    stripe.hooks.wait_for("payment_intent.succeeded", tripled, count=3)
    assert "payment_intent.succeeded" not in stripe.hooks.types(dropped)

    stripe.fault("POST /v1/payment_intents", "webhook_first")
    early = stripe.call("POST", "payment_intents", **ana).json()["id"]
    assert "payment_intent.succeeded" in stripe.hooks.types(early)


def test_an_order_for_an_unknown_fault_is_refused(stripe: StripeStandIn) -> None:
    answer = requests.post(f"{stripe.base}/_sandbox/faults", json={"kind": "earthquake"}, timeout=5)
    assert answer.status_code == 400
    assert "timeout_before" in answer.json()["error"]["message"]


def test_a_card_number_is_checked(stripe: StripeStandIn) -> None:
    def typed(**card: str) -> dict[str, Any]:
        fields = {"number": "4242424242424242", "exp_month": "12", "exp_year": "40", "cvc": "123", **card}
        answer = stripe.call("POST", "payment_methods", type="card", **{f"card[{k}]": v for k, v in fields.items()})
        body: dict[str, Any] = answer.json()
        return body

    assert typed()["card"]["last4"] == "4242"
    assert typed(number="378282246310005", cvc="1234")["card"]["brand"] == "amex"
    assert typed(number="4242424242424241")["error"]["code"] == "incorrect_number"
    assert typed(exp_year="20")["error"]["code"] == "invalid_expiry_year"
    assert typed(exp_month="13")["error"]["code"] == "invalid_expiry_month"
    assert typed(cvc="1")["error"]["code"] == "invalid_cvc"


def test_everything_is_kept_between_runs(tmp_path: Path) -> None:
    with stripe_stand_in(tmp_path) as stripe:
        customer = stripe.call("POST", "customers", email="ana@example.org").json()["id"]
        card = stripe.call("POST", "payment_methods/pm_card_visa/attach", customer=customer).json()["id"]
        charge = {"amount": "4210", "currency": "usd", "customer": customer, "payment_method": card, "confirm": "true"}
        paid = stripe.call("POST", "payment_intents", key="kept", **charge)
        stripe.fault("*", "drop_webhook", 1)
        refund = stripe.call("POST", "refunds", payment_intent=paid.json()["id"], amount="1000").json()

    with stripe_stand_in(tmp_path) as stripe:
        again = stripe.call("POST", "payment_intents", key="kept", **charge)
        assert again.text == paid.text
        assert again.headers["Idempotent-Replayed"] == "true"
        assert stripe.call("GET", f"refunds/{refund['id']}").json() == refund
        assert [one["id"] for one in stripe.call("GET", "payment_methods", customer=customer).json()["data"]] == [card]
        # What had not been delivered when it stopped is delivered now.
        stripe.hooks.wait_for("charge.refunded")
