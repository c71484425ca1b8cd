"""The gateway, spoken through the real Stripe library to the stand-in."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing.gateways.results import (
    BadSignature,
    CardRefused,
    ChargeResult,
    ChargeState,
    GatewayBusy,
    GatewayRefused,
    OutcomeUnknown,
    RefundState,
    SetupState,
)
from billing.gateways.stripe_gateway import Gateway
from sandbox.stripe.events import signature
from tests.stand_ins import STRIPE_SECRET, WEBHOOK_SECRET, StripeStandIn, stripe_stand_in

COPAY = Decimal("42.10")


@pytest.fixture(scope="module")
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeStandIn]:
    with stripe_stand_in(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def gate(stripe: StripeStandIn) -> Iterator[Gateway]:
    yield Gateway(STRIPE_SECRET, api_base=stripe.base, webhook_secret=WEBHOOK_SECRET, timeout=(2, 5))
    stripe.no_faults()


@pytest.fixture
def ana(gate: Gateway, request: pytest.FixtureRequest) -> str:
    return gate.create_customer(reference="client-ana", email="ana@example.org", key=f"customer-{request.node.name}")


def pay(gate: Gateway, ana: str, token: str, name: str, amount: Decimal = COPAY) -> ChargeResult:
    """Save the test card ``token`` for Ana and charge it."""
    card = gate.attach_payment_method(token, ana, key=f"attach-{name}")
    return gate.charge_off_session(
        customer=ana, payment_method=card.payment_method, amount=amount, reference=name, key=f"charge-{name}"
    )


def test_a_saved_card_shows_brand_and_last_four(gate: Gateway, ana: str) -> None:
    visa = gate.attach_payment_method("pm_card_visa", ana, key="a-visa")
    master = gate.attach_payment_method("pm_card_mastercard", ana, key="a-master")

    assert (visa.brand, visa.last4, visa.exp_month, visa.customer) == ("visa", "4242", 12, ana)
    assert (master.brand, master.last4) == ("mastercard", "4444")
    assert gate.list_payment_methods(ana) == [master, visa]

    gate.detach_payment_method(visa.payment_method, key="d-visa")
    assert gate.list_payment_methods(ana) == [master]
    assert gate.retrieve_payment_method(visa.payment_method).customer is None


def test_a_bank_may_refuse_to_have_its_card_saved(gate: Gateway, ana: str) -> None:
    with pytest.raises(CardRefused, match="insufficient funds") as refused:
        gate.attach_payment_method("pm_card_chargeDeclinedInsufficientFunds", ana, key="a-poor")
    assert refused.value.decline_code == "insufficient_funds"
    assert gate.list_payment_methods(ana) == []


def test_a_charge_is_made_in_exact_dollars(gate: Gateway, ana: str) -> None:
    paid = pay(gate, ana, "pm_card_visa", "exact")

    assert paid.state is ChargeState.SUCCEEDED
    assert paid.amount == Decimal("42.10")
    assert (paid.customer, paid.reference, paid.decline_code) == (ana, "exact", None)
    assert paid.charge is not None
    assert gate.retrieve_payment_intent(paid.payment_intent) == paid


def test_the_processor_is_told_nothing_about_health(gate: Gateway, stripe: StripeStandIn, ana: str) -> None:
    paid = pay(gate, ana, "pm_card_visa", "private")
    seen = stripe.call("GET", f"payment_intents/{paid.payment_intent}").json()
    assert seen["description"] == "Headway"
    assert seen["metadata"] == {"reference": "private"}


def test_the_same_key_never_charges_twice(gate: Gateway, ana: str) -> None:
    first = pay(gate, ana, "pm_card_visa", "twice")
    assert first.payment_method is not None
    again = gate.charge_off_session(
        customer=ana, payment_method=first.payment_method, amount=COPAY, reference="twice", key="charge-twice"
    )
    assert again == first
    with pytest.raises(GatewayRefused, match="same parameters"):
        gate.charge_off_session(
            customer=ana,
            payment_method=first.payment_method,
            amount=Decimal("42.11"),
            reference="twice",
            key="charge-twice",
        )


@pytest.mark.parametrize(
    ("token", "state", "code"),
    [
        ("pm_card_chargeCustomerFail", ChargeState.DECLINED, "generic_decline"),
        ("pm_card_authenticationRequired", ChargeState.REQUIRES_ACTION, "authentication_required"),
        ("pm_card_authenticationRequiredOnSetup", ChargeState.REQUIRES_ACTION, "authentication_required"),
    ],
)
def test_a_refusal_is_a_result(gate: Gateway, ana: str, token: str, state: ChargeState, code: str) -> None:
    refused = pay(gate, ana, token, token)

    assert (refused.state, refused.decline_code, refused.charge) == (state, code, None)
    assert refused.message.startswith("Your card was declined.")
    assert refused.client_secret and refused.payment_method  # enough to finish it in the browser
    assert gate.find_payment(customer=ana, reference=token) == refused


def test_zero_is_never_charged(gate: Gateway, ana: str) -> None:
    with pytest.raises(ValueError, match="cannot move"):
        gate.charge_off_session(customer=ana, payment_method="pm_x", amount=Decimal("0.00"), reference="0", key="0")


def test_a_wrong_request_is_refused_not_unknown(gate: Gateway, ana: str) -> None:
    with pytest.raises(GatewayRefused, match="No such payment_method") as refused:
        gate.charge_off_session(customer=ana, payment_method="pm_none", amount=COPAY, reference="none", key="none")
    assert refused.value.code == "resource_missing"
    assert gate.find_payment(customer=ana, reference="none") is None


@pytest.mark.parametrize(
    ("fault", "happened"), [("timeout_before", False), ("timeout_after", True), ("500", False), ("500_after", True)]
)
def test_without_an_answer_the_outcome_is_unknown_until_asked(
    gate: Gateway, stripe: StripeStandIn, ana: str, fault: str, happened: bool
) -> None:
    stripe.fault("POST /v1/payment_intents", fault)
    with pytest.raises(OutcomeUnknown):
        pay(gate, ana, "pm_card_visa", fault)

    found = gate.find_payment(customer=ana, reference=fault)
    assert (found is not None) is happened
    # The same key afterwards leads to one charge either way.
    settled = pay(gate, ana, "pm_card_visa", fault)
    assert settled.state is ChargeState.SUCCEEDED
    assert found in (None, settled)
    assert len(stripe.call("GET", "payment_intents", customer=ana).json()["data"]) == 1


def test_a_busy_processor_has_done_nothing(gate: Gateway, stripe: StripeStandIn, ana: str) -> None:
    stripe.fault("POST /v1/payment_intents", "429")
    with pytest.raises(GatewayBusy):
        pay(gate, ana, "pm_card_visa", "busy")
    assert gate.find_payment(customer=ana, reference="busy") is None


def test_no_server_at_all_is_unknown(ana: str) -> None:
    with pytest.raises(OutcomeUnknown):
        Gateway(STRIPE_SECRET, api_base="http://127.0.0.1:9", timeout=(1, 1)).list_payment_methods(ana)


def test_an_attempt_is_found_among_many_and_only_after_its_time(gate: Gateway, ana: str) -> None:
    for number in range(12):
        pay(gate, ana, "pm_card_visa", f"many-{number}", Decimal(number + 1))
    found = gate.find_payment(customer=ana, reference="many-0", created_after=datetime.now(UTC) - timedelta(hours=1))
    assert found is not None
    assert found.amount == Decimal("1.00")
    later = datetime.now(UTC) + timedelta(hours=1)
    assert gate.find_payment(customer=ana, reference="many-0", created_after=later) is None


def test_an_abandoned_payment_is_closed_and_a_paid_one_is_not(gate: Gateway, ana: str) -> None:
    waiting = gate.create_payment_intent(customer=ana, amount=COPAY, reference="left", key="left", save_card=True)
    assert (waiting.state, waiting.payment_method) == (ChargeState.OPEN, None)
    assert waiting.client_secret is not None

    assert gate.cancel_payment_intent(waiting.payment_intent, key="close").state is ChargeState.CANCELED
    paid = pay(gate, ana, "pm_card_visa", "kept")
    assert gate.cancel_payment_intent(paid.payment_intent, key="close-2") == paid


def test_refunds_never_exceed_their_payment(gate: Gateway, ana: str) -> None:
    paid = pay(gate, ana, "pm_card_visa", "refunds")
    part = gate.refund(
        payment_intent=paid.payment_intent, amount=Decimal("12.05"), reference="refund-1", key="refund-1"
    )

    assert (part.state, part.amount, part.payment_intent) == (
        RefundState.SUCCEEDED,
        Decimal("12.05"),
        paid.payment_intent,
    )
    assert part.bank_reference is not None, "by which the cardholder's bank finds it"
    assert len(part.bank_reference) == 23
    assert gate.retrieve_refund(part.refund) == part
    assert gate.find_refund(payment_intent=paid.payment_intent, reference="refund-1") == part
    assert gate.find_refund(payment_intent=paid.payment_intent, reference="refund-2") is None

    with pytest.raises(GatewayRefused, match=r"\$30.06.*\$30.05"):
        gate.refund(payment_intent=paid.payment_intent, amount=Decimal("30.06"), reference="r", key="refund-too-much")
    gate.refund(payment_intent=paid.payment_intent, amount=Decimal("30.05"), reference="r", key="refund-rest")
    with pytest.raises(GatewayRefused) as nothing_left:
        gate.refund(payment_intent=paid.payment_intent, amount=Decimal("0.01"), reference="r", key="refund-nothing")
    assert nothing_left.value.code == "charge_already_refunded"


@pytest.mark.parametrize(
    ("token", "first", "last", "event"),
    [
        ("pm_card_pendingRefund", RefundState.IN_TRANSIT, RefundState.SUCCEEDED, "refund.updated"),
        ("pm_card_refundFail", RefundState.SUCCEEDED, RefundState.FAILED, "refund.failed"),
    ],
)
def test_a_refund_may_end_later_than_it_was_made(
    gate: Gateway, stripe: StripeStandIn, ana: str, token: str, first: RefundState, last: RefundState, event: str
) -> None:
    paid = pay(gate, ana, token, token)
    made = gate.refund(payment_intent=paid.payment_intent, amount=COPAY, reference=token, key=f"refund-{token}")
    assert made.state is first
    assert (made.bank_reference is None) == (first is RefundState.IN_TRANSIT)

    stripe.hooks.wait_for(event, made.refund)
    ended = gate.retrieve_refund(made.refund)
    assert ended.state is last
    assert ended.bank_reference is not None
    if last is RefundState.FAILED:
        assert ended.failure_reason == "expired_or_canceled_card"
        # The money is back with us: it can be refunded another way.
        gate.refund(payment_intent=paid.payment_intent, amount=COPAY, reference="again", key=f"again-{token}")


def test_a_setup_intent_waits_for_the_browser(gate: Gateway, ana: str) -> None:
    setup = gate.create_setup_intent(ana, key="setup")
    assert (setup.state, setup.customer, setup.payment_method) == (SetupState.OPEN, ana, None)
    assert setup.client_secret.startswith(f"{setup.setup_intent}_secret_")
    assert gate.retrieve_setup_intent(setup.setup_intent) == setup


def test_a_webhook_is_read_only_with_its_signature(gate: Gateway, stripe: StripeStandIn, ana: str) -> None:
    paid = pay(gate, ana, "pm_card_visa", "hook")
    stripe.hooks.wait_for("payment_intent.succeeded", paid.payment_intent)
    payload, header = next(
        (body, header)
        for body, header in stripe.hooks.got
        if b'"payment_intent.succeeded"' in body and paid.payment_intent.encode() in body
    )

    event = gate.parse_webhook(payload, header)
    assert (event.type, event.object_type, event.object_id) == (
        "payment_intent.succeeded",
        "payment_intent",
        paid.payment_intent,
    )
    assert gate.retrieve_event(event.id) == event

    with pytest.raises(BadSignature):
        gate.parse_webhook(payload.replace(b"4210", b"4211"), header)
    with pytest.raises(BadSignature):
        gate.parse_webhook(payload, "")
    with pytest.raises(BadSignature):
        gate.parse_webhook(payload, signature(payload, "whsec_other", int(time.time())))
    with pytest.raises(BadSignature):
        gate.parse_webhook(payload, signature(payload, WEBHOOK_SECRET, int(time.time()) - 301))
    with pytest.raises(BadSignature, match="cannot be read"):
        gate.parse_webhook(b"{}", signature(b"{}", WEBHOOK_SECRET, int(time.time())))
