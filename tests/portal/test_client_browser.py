"""Paying and saving cards as a person does, in a real browser on the real pages, against Stripe's stand-in."""

from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as project
from django.test import Client as Visitor
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from billing.gateways.stripe_gateway import gateway
from billing.ledger.posting import Book, Posting, open_accounts, post
from billing.models import Payment
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from headway.demo.cast import save_card
from tests.cast import Cast, assemble
from tests.stand_ins import STRIPE_SECRET, StripeStandIn, stripe_stand_in

pytestmark = pytest.mark.browser
D = Decimal


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeStandIn]:
    with stripe_stand_in(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def cast(browser: Browser, transactional_db: None, _server: StripeStandIn, settings: Settings) -> Iterator[Cast]:
    settings.STRIPE_API_BASE = _server.base
    settings.STRIPE_SECRET_KEY = STRIPE_SECRET
    settings.STRIPE_JS_URL = f"{_server.base}/js.stripe.com/v3/"
    policy: dict[str, Any] = deepcopy(project.CONTENT_SECURITY_POLICY)
    for name in ("script-src", "connect-src", "frame-src"):
        policy["DIRECTIVES"][name].append(_server.base)
    settings.CONTENT_SECURITY_POLICY = policy
    gateway.cache_clear()
    open_accounts()
    yield assemble()
    gateway.cache_clear()


@pytest.fixture
def context(cast: Cast, browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    """Ana's browser; anything that its console calls an error fails the test."""
    visitor = Visitor()
    assert cast.ana.user is not None
    visitor.force_login(cast.ana.user)
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(10_000)
    context.add_cookies([{"name": "sessionid", "value": visitor.cookies["sessionid"].value, "url": live_server.url}])
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("console", lambda said: problems.append(said.text) if "Security Policy" in said.text else None)
    yield context
    context.close()
    assert problems == []


@pytest.fixture
def owed(cast: Cast) -> Session:
    session = cast.book()
    post(
        key=f"cost:test:{session.pk}",
        memo="test",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, D("58.00"), client=session.client_id, session=session.pk),
            Posting(Book.SESSION_REVENUE, -D("58.00")),
        ],
    )
    return session


def type_card(page: Page, number: str) -> FrameLocator:
    frame = page.frame_locator("iframe[name^='__privateStripeFrame']").first
    frame.locator("[name=cardnumber]").press_sequentially(number)
    frame.locator("[name=exp-date]").press_sequentially("1240")
    frame.locator("[name=cvc]").press_sequentially("123")
    frame.locator("[name=postal]").press_sequentially("12207")
    return frame


def test_from_the_past_appointments_to_the_receipt_with_a_new_card(context: BrowserContext, owed: Session) -> None:
    page = context.new_page()
    page.goto("/appointments/past/")
    page.get_by_role("link", name="Pay now").click()
    type_card(page, "4000000000009995")
    page.get_by_role("button", name="Pay $58.00").click()
    expect(page.get_by_role("alert")).to_contain_text("insufficient funds")

    page.reload()
    type_card(page, "4242424242424242")
    page.get_by_role("button", name="Pay $58.00").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("You paid $58.00")
    assert Payment.objects.get().state == "succeeded"
    assert session_balance(owed).due == D("0.00")


def test_the_bank_asks_who_pays_with_a_saved_card(cast: Cast, context: BrowserContext, owed: Session) -> None:
    save_card(cast.ana, "pm_card_authenticationRequired")
    page = context.new_page()
    page.goto("/appointments/pay/")
    page.get_by_role("button", name="Pay $58.00").click()
    page.frame_locator("iframe[title^='Your bank']").locator("#test-source-authorize-3ds").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You paid $58.00")
    assert session_balance(owed).due == D("0.00")


def test_a_card_is_saved_with_consent(cast: Cast, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/payments/cards/add/")
    type_card(page, "5555555555554444")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Save this card").click()
    expect(page.get_by_text("Mastercard ending in 4444 is saved.")).to_be_visible()
    assert cast.ana.cards.get().is_default


def test_without_script_a_saved_card_pays(
    cast: Cast, browser: Browser, context: BrowserContext, live_server: LiveServer, owed: Session
) -> None:
    save_card(cast.ana)
    plain = browser.new_context(
        base_url=live_server.url, java_script_enabled=False, storage_state=context.storage_state()
    )
    page = plain.new_page()
    page.goto("/appointments/past/")
    page.get_by_role("link", name="Pay now").click()
    expect(page.get_by_text("Another card")).to_be_hidden()
    page.get_by_role("button", name="Pay $58.00").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You paid $58.00")
    plain.close()


def test_the_other_person_s_fields_show_only_when_needed(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/plans/add/")
    expect(page.get_by_label("Their first name")).to_be_hidden()
    page.get_by_label("My spouse or partner").check()
    expect(page.get_by_label("Their first name")).to_be_visible()
