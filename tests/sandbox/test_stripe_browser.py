"""A card typed in a real browser, on a page with a strict content security policy and the product's own script."""

import html
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, expect

from billing.gateways.results import ChargeResult, ChargeState, SetupState
from billing.gateways.stripe_gateway import Gateway
from tests.stand_ins import ROOT, STRIPE_SECRET, StripeStandIn, serving, stripe_stand_in, type_card

pytestmark = pytest.mark.browser

Show = Callable[..., Page]


@pytest.fixture(scope="module")
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeStandIn]:
    with stripe_stand_in(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def gate(stripe: StripeStandIn) -> Gateway:
    return Gateway(STRIPE_SECRET, api_base=stripe.base)


@pytest.fixture
def ana(gate: Gateway, request: pytest.FixtureRequest) -> str:
    return gate.create_customer(reference="client-ana", key=f"customer-{request.node.name}")


@pytest.fixture
def to_pay(gate: Gateway, ana: str, request: pytest.FixtureRequest) -> ChargeResult:
    name = request.node.name
    return gate.create_payment_intent(customer=ana, amount=Decimal("42.10"), reference=name, key=f"pay-{name}")


@pytest.fixture
def show(stripe: StripeStandIn, browser: Browser) -> Iterator[Show]:
    """Open a page with a card form that has these attributes; its problems fail the test."""
    forms: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, body: str, content_type: str = "text/html") -> None:
            data = body.encode()
            self.send_response(200)
            self.send_header("Content-Type", f"{content_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.send_header(
                "Content-Security-Policy",
                f"default-src 'none'; script-src 'self' {stripe.base}; connect-src 'self' {stripe.base};"
                f" frame-src {stripe.base}; form-action 'self'; base-uri 'none'",
            )
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            if self.path == "/payments.js":
                self._answer((ROOT / "static/js/payments.js").read_text(), "text/javascript")
            else:
                self._answer(forms.get(self.path, "") if self.path != "/favicon.ico" else "")

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/intent/":
                self._answer(forms["answer"], "application/json")
            else:
                sent = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
                self._answer(f"<title>Done</title><p id=sent>{html.escape(json.dumps(sent))}</p>")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    problems: list[str] = []
    with serving(Handler) as base:
        context = browser.new_context()

        def open_page(inside: str = "", answer: str = "", **data: str) -> Page:
            given = {
                "publishable-key": "pk_test_x",
                "say-busy": "One moment.",
                "say-failed": "That did not work.",
                "say-unavailable": "Cards cannot be taken now.",
                **{name.replace("_", "-"): value for name, value in data.items()},
            }
            attributes = " ".join(f'data-{name}="{html.escape(value)}"' for name, value in given.items())
            forms["answer"] = answer
            forms["/"] = (
                f"<!doctype html><html lang=en><title>Pay</title><script src='{stripe.base}/js.stripe.com/v3/' defer>"
                "</script><script src='/payments.js' defer></script>"
                f"<form method=post action='/done/' data-card-form {attributes}>{inside}"
                "<div><div data-card-element></div></div><p role=alert data-card-message></p>"
                "<button type=submit data-busy-text='Paying…'>Pay $42.10</button></form>"
            )
            page = context.new_page()
            page.set_default_timeout(5000)
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on(
                "console",
                lambda said: problems.append(said.text) if "Security Policy" in said.text else None,
            )
            page.goto(f"{base}/")
            return page

        yield open_page
        context.close()
    assert problems == []


def sent(page: Page) -> dict[str, str]:
    page.wait_for_url("**/done/")
    found: dict[str, str] = json.loads(page.locator("#sent").inner_text())
    return found


def test_a_typed_card_pays(show: Show, gate: Gateway, to_pay: ChargeResult) -> None:
    page = show(kind="payment", client_secret=to_pay.client_secret)
    frame = type_card(page, "4242424242424242")
    assert frame.locator("[name=cardnumber]").input_value() == "4242 4242 4242 4242"
    assert frame.locator("[name=exp-date]").input_value() == "12 / 40"
    page.get_by_role("button").click()

    assert sent(page) == {"intent": to_pay.payment_intent}  # the number was never in the page
    paid = gate.retrieve_payment_intent(to_pay.payment_intent)
    assert (paid.state, paid.amount) == (ChargeState.SUCCEEDED, Decimal("42.10"))


def test_a_decline_is_said_and_another_card_pays_the_same_payment(
    show: Show, gate: Gateway, to_pay: ChargeResult
) -> None:
    page = show(kind="payment", client_secret=to_pay.client_secret)
    frame = type_card(page, "4000000000009995")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("Your card has insufficient funds.")
    expect(page.get_by_role("button")).to_be_enabled()
    expect(page.get_by_role("button")).to_have_text("Pay $42.10")
    declined = gate.retrieve_payment_intent(to_pay.payment_intent)
    assert (declined.state, declined.decline_code) == (ChargeState.DECLINED, "insufficient_funds")

    frame.locator("[name=cardnumber]").fill("")
    frame.locator("[name=cardnumber]").press_sequentially("4242424242424242")
    page.get_by_role("button").click()
    sent(page)
    assert gate.retrieve_payment_intent(to_pay.payment_intent).state is ChargeState.SUCCEEDED


def test_an_unfinished_card_is_pointed_out(show: Show, gate: Gateway, to_pay: ChargeResult) -> None:
    page = show(kind="payment", client_secret=to_pay.client_secret)
    frame = page.frame_locator("iframe[name^='__privateStripeFrame']").first
    frame.locator("[name=cardnumber]").press_sequentially("4242")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("Your card number is incomplete.")
    assert gate.retrieve_payment_intent(to_pay.payment_intent).state is ChargeState.OPEN


@pytest.mark.parametrize(
    ("answer", "state"),
    [("#test-source-authorize-3ds", ChargeState.SUCCEEDED), ("#test-source-fail-3ds", ChargeState.DECLINED)],
)
def test_the_bank_may_ask_its_cardholder(
    show: Show, gate: Gateway, to_pay: ChargeResult, answer: str, state: ChargeState
) -> None:
    page = show(kind="payment", client_secret=to_pay.client_secret)
    type_card(page, "4000000000003220")
    page.get_by_role("button").click()
    page.frame_locator("iframe[title^='Your bank']").locator(answer).click()
    if state is ChargeState.SUCCEEDED:
        sent(page)
    else:
        expect(page.get_by_role("alert")).to_contain_text("unable to authenticate")
    assert gate.retrieve_payment_intent(to_pay.payment_intent).state is state


def test_a_card_is_saved_for_later_charges(show: Show, gate: Gateway, ana: str) -> None:
    setup = gate.create_setup_intent(ana, key="setup-browser")
    page = show(kind="setup", client_secret=setup.client_secret)
    type_card(page, "5555555555554444")
    page.get_by_role("button").click()

    assert sent(page) == {"intent": setup.setup_intent}
    saved = gate.retrieve_setup_intent(setup.setup_intent)
    assert saved.state is SetupState.SUCCEEDED
    assert saved.payment_method is not None
    assert [(card.brand, card.last4) for card in gate.list_payment_methods(ana)] == [("mastercard", "4444")]
    charged = gate.charge_off_session(
        customer=ana, payment_method=saved.payment_method, amount=Decimal("20.00"), reference="later", key="later"
    )
    assert charged.state is ChargeState.SUCCEEDED


def test_a_saved_card_pays_with_an_intent_asked_for_at_the_click(
    show: Show, gate: Gateway, ana: str, to_pay: ChargeResult
) -> None:
    card = gate.attach_payment_method("pm_card_visa", ana, key="attach-browser")
    choice = (
        f"<label><input type=radio name=payment_method value={card.payment_method} checked>Visa 4242</label>"
        "<label><input type=radio name=payment_method value=''>Another card</label>"
    )
    answer = json.dumps({"client_secret": to_pay.client_secret})
    page = show(kind="payment", intent_url="/intent/", inside=choice, answer=answer)
    page.get_by_role("button").dblclick()

    assert sent(page) == {"payment_method": card.payment_method, "intent": to_pay.payment_intent}
    assert gate.retrieve_payment_intent(to_pay.payment_intent).payment_method == card.payment_method


def test_a_payment_finished_in_another_tab_is_no_failure(
    show: Show, gate: Gateway, ana: str, to_pay: ChargeResult
) -> None:
    card = gate.attach_payment_method("pm_card_visa", ana, key="attach-tabs")
    attributes = {"client_secret": to_pay.client_secret, "payment_method": card.payment_method}
    first = show(kind="payment", **attributes)
    second = show(kind="payment", **attributes)
    for page in (first, second):
        page.get_by_role("button").click()
        assert sent(page)["intent"] == to_pay.payment_intent


def test_what_the_server_refuses_is_said(show: Show) -> None:
    answer = json.dumps({"error": "Nothing is due for this session."})
    page = show(kind="payment", intent_url="/intent/", payment_method="pm_any", answer=answer)
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("Nothing is due for this session.")
    expect(page.get_by_role("button")).to_be_enabled()
