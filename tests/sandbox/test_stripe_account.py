"""The stand-in's account: every movement of the balance, payouts, disputes, early fraud warnings, and their events."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stand_ins import StripeStandIn, stripe_stand_in


@pytest.fixture
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeStandIn]:
    """One of its own for each test: the balance is everybody's."""
    with stripe_stand_in(tmp_path_factory.mktemp("stripe")) as running:
        yield running


def pay(stripe: StripeStandIn, cents: int = 10000, card: str = "pm_card_visa") -> dict[str, Any]:
    customer = stripe.call("POST", "customers", email="ana@example.org").json()["id"]
    method = stripe.call("POST", f"payment_methods/{card}/attach", customer=customer).json()["id"]
    found: dict[str, Any] = stripe.call(
        "POST", "payment_intents", amount=str(cents), currency="usd", customer=customer, payment_method=method,
        confirm="true", off_session="true",
    ).json()  # fmt: skip
    assert found["status"] == "succeeded"
    return found


def movements(stripe: StripeStandIn, **asked: Any) -> list[tuple[str, int, int, int]]:
    """Type, amount, fee and net of every movement, the oldest first."""
    listed = stripe.call("GET", "balance_transactions", limit="100", **asked).json()["data"]
    return [(one["type"], one["amount"], one["fee"], one["net"]) for one in reversed(listed)]


def held(stripe: StripeStandIn) -> tuple[int, int]:
    found = stripe.call("GET", "balance").json()
    return found["available"][0]["amount"], found["pending"][0]["amount"]


def test_every_movement_is_in_the_list_and_the_list_is_the_balance(stripe: StripeStandIn) -> None:
    paid = pay(stripe, 7200)
    stripe.call("POST", "refunds", payment_intent=paid["id"], amount="4000").raise_for_status()
    assert movements(stripe) == [("charge", 7200, 239, 6961), ("refund", -4000, 0, -4000)]
    # The refund gives no fee back, and is taken from what is available while the charge is still on its way.
    assert held(stripe) == (-4000, 6961)


def test_a_movement_names_its_source_in_full_when_asked(stripe: StripeStandIn) -> None:
    paid = pay(stripe)
    (bare,) = stripe.call("GET", "balance_transactions").json()["data"]
    assert bare["source"] == paid["latest_charge"]
    (full,) = stripe.call("GET", "balance_transactions", **{"expand[0]": "data.source"}).json()["data"]
    assert (full["source"]["object"], full["source"]["payment_intent"]) == ("charge", paid["id"])
    assert stripe.call("GET", f"balance_transactions/{bare['id']}").json() == bare


def test_movements_come_in_pages_and_from_a_time_on(stripe: StripeStandIn) -> None:
    for cents in (1000, 2000, 3000):
        pay(stripe, cents)
    first = stripe.call("GET", "balance_transactions", limit="2").json()
    rest = stripe.call("GET", "balance_transactions", limit="2", starting_after=first["data"][-1]["id"]).json()
    assert [one["amount"] for one in first["data"] + rest["data"]] == [3000, 2000, 1000]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    later = first["data"][0]["created"] + 10
    assert stripe.call("GET", "balance_transactions", **{"created[gte]": str(later)}).json()["data"] == []


def test_a_payout_takes_what_is_available_and_says_what_it_is_made_of(stripe: StripeStandIn) -> None:
    pay(stripe)
    assert stripe.order("POST", "payouts", {}).status_code == 400, "the charge is pending for two days"
    payout = stripe.order("POST", "payouts", {"everything": True}).json()
    assert (payout["amount"], payout["status"]) == (9680, "in_transit")
    assert movements(stripe, payout=payout["id"]) == [("charge", 10000, 320, 9680), ("payout", -9680, 0, -9680)]
    assert held(stripe) == (0, 0)
    stripe.hooks.wait_for("payout.paid", payout["id"])
    assert stripe.call("GET", f"payouts/{payout['id']}").json()["status"] == "paid"
    assert [one["id"] for one in stripe.call("GET", "payouts").json()["data"]] == [payout["id"]]


def test_a_payout_that_fails_comes_back(stripe: StripeStandIn) -> None:
    pay(stripe)
    payout = stripe.order("POST", "payouts", {"everything": True, "fails": True}).json()
    failed = stripe.hooks.wait_for("payout.failed", payout["id"])["data"]["object"]
    assert (failed["status"], failed["failure_code"]) == ("failed", "account_closed")
    assert movements(stripe)[-1] == ("payout_failure", 9680, 0, 9680)
    assert held(stripe) == (9680, 0)


def test_more_refunds_than_charges_take_money_from_the_bank(stripe: StripeStandIn) -> None:
    paid = pay(stripe)
    stripe.order("POST", "payouts", {"everything": True}).raise_for_status()
    stripe.call("POST", "refunds", payment_intent=paid["id"]).raise_for_status()
    assert stripe.order("POST", "payouts", {}).json()["amount"] == -10000
    assert held(stripe) == (0, 0)


def test_a_test_card_is_disputed_and_the_money_leaves_with_a_fee(stripe: StripeStandIn) -> None:
    paid = pay(stripe, 7200, "pm_card_createDispute")
    dispute = stripe.hooks.wait_for("charge.dispute.created")["data"]["object"]
    assert (dispute["payment_intent"], dispute["status"], dispute["reason"]) == (
        paid["id"],
        "needs_response",
        "fraudulent",
    )
    stripe.hooks.wait_for("charge.dispute.funds_withdrawn", dispute["id"])
    assert movements(stripe)[-1] == ("adjustment", -7200, 1500, -8700)
    refused = stripe.call("POST", "refunds", payment_intent=paid["id"]).json()["error"]
    assert refused["code"] == "charge_disputed"
    assert [one["id"] for one in stripe.call("GET", "disputes", payment_intent=paid["id"]).json()["data"]] == [
        dispute["id"]
    ]


@pytest.mark.parametrize(("text", "ending"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_the_bank_decides_by_the_evidence(stripe: StripeStandIn, text: str, ending: str) -> None:
    paid = pay(stripe, 7200)
    dispute = stripe.order("POST", "disputes", {"payment_intent": paid["id"]}).json()["id"]
    kept = stripe.call("POST", f"disputes/{dispute}", submit="false", **{"evidence[product_description]": "A visit"})
    assert (kept.json()["status"], kept.json()["evidence_details"]["submission_count"]) == ("needs_response", 0)
    sent = stripe.call("POST", f"disputes/{dispute}", **{"evidence[uncategorized_text]": text}).json()
    assert (sent["status"], sent["evidence"]["product_description"]) == ("under_review", "A visit")
    assert stripe.call("POST", f"disputes/{dispute}", submit="true").status_code == 400, "an answer is given once"
    closed = stripe.hooks.wait_for("charge.dispute.closed", dispute)["data"]["object"]
    assert closed["status"] == ending
    assert [amount for _kind, amount, _fee, _net in movements(stripe)] == [7200, -7200, *([7200] * (ending == "won"))]


def test_a_bank_may_decide_anew_and_an_inquiry_moves_nothing(stripe: StripeStandIn) -> None:
    paid = pay(stripe, 7200)
    dispute = stripe.order("POST", "disputes", {"payment_intent": paid["id"]}).json()["id"]
    for outcome in ("won", "lost", "lost", "won"):
        assert stripe.order("PUT", "disputes", {"dispute": dispute, "outcome": outcome}).json()["status"] == outcome
    assert [fee for _kind, _amount, fee, _net in movements(stripe)[1:]] == [1500, 0, 0, 0]
    assert sum(amount for _kind, amount, _fee, _net in movements(stripe)) == 7200

    asked = stripe.order("POST", "disputes", {"payment_intent": pay(stripe)["id"], "inquiry": True}).json()
    assert (asked["status"], asked["balance_transactions"]) == ("warning_needs_response", [])
    ended = {"dispute": asked["id"], "outcome": "warning_closed"}
    assert stripe.order("PUT", "disputes", ended).json()["status"] == "warning_closed"


def test_an_evidence_file_must_be_there(stripe: StripeStandIn) -> None:
    dispute = stripe.order("POST", "disputes", {"payment_intent": pay(stripe)["id"]}).json()["id"]
    missing = stripe.call("POST", f"disputes/{dispute}", **{"evidence[uncategorized_file]": "file_none"})
    assert missing.json()["error"]["code"] == "resource_missing"
    unknown = stripe.call("POST", f"disputes/{dispute}", **{"evidence[diary]": "none"})
    assert unknown.json()["error"]["code"] == "parameter_unknown"


def test_a_fraud_warning_is_over_when_the_payment_is_given_back(stripe: StripeStandIn) -> None:
    paid = pay(stripe, 7200, "pm_card_createIssuerFraudRecord")
    warning = stripe.hooks.wait_for("radar.early_fraud_warning.created")["data"]["object"]
    assert (warning["payment_intent"], warning["actionable"]) == (paid["id"], True)
    stripe.call("POST", "refunds", payment_intent=paid["id"]).raise_for_status()
    found = stripe.call("GET", f"radar/early_fraud_warnings/{warning['id']}").json()
    assert found["actionable"] is False


def test_a_refund_that_fails_brings_its_money_back(stripe: StripeStandIn) -> None:
    paid = pay(stripe, 7200, "pm_card_refundFail")
    refund = stripe.call("POST", "refunds", payment_intent=paid["id"]).json()["id"]
    stripe.hooks.wait_for("charge.refund.updated", refund)
    assert movements(stripe)[1:] == [("refund", -7200, 0, -7200), ("refund_failure", 7200, 0, 7200)]
