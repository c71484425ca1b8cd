"""The provider's pages in a real browser: nothing for axe to find, search while typing, confirming by a click."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client as Visitor
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.portal import provider_cast as cast
from tests.portal.provider_cast import Practice

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def practice(live_server: LiveServer) -> Practice:
    return cast.open_practice()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, practice: Practice) -> Iterator[Page]:
    """Dr. Cole's phone; a script the security policy refuses, or one that fails, fails the test."""
    session = Visitor()
    assert practice.cole.user is not None
    session.force_login(practice.cole.user)
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 360, "height": 740}, base_url=live_server.url)
    context.add_cookies([{"name": "sessionid", "value": session.cookies["sessionid"].value, "url": live_server.url}])
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    yield opened
    context.close()
    assert faults == []


def test_axe_finds_nothing_and_no_page_is_wider_than_a_phone(page: Page, practice: Practice) -> None:
    for address in (
        "/provider/",
        "/provider/?q=nobody",
        f"/provider/clients/{practice.ana.pk}/",
        f"/provider/clients/{practice.ben.pk}/",
        f"/provider/sessions/{practice.waiting.pk}/",
        f"/provider/sessions/{practice.confirmed.pk}/",
        "/provider/sessions/",
        "/provider/sessions/?show=waiting",
        "/provider/sessions/new/",
        "/provider/claims/",
        "/provider/earnings/",
    ):
        page.goto(address)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_the_list_follows_what_is_typed_and_the_address_keeps_it(page: Page) -> None:
    page.goto("/provider/")
    page.get_by_label("Find a client").press_sequentially("ben")
    expect(page.locator("#clients").get_by_role("link", name="Ana Alvarez")).to_have_count(0)
    expect(page.locator("#clients").get_by_role("link", name="Ben Alvarez")).to_be_visible()
    expect(page).to_have_url("/provider/?q=ben&status=")
    page.reload()
    expect(page.locator("#clients").get_by_role("link", name="Ana Alvarez")).to_have_count(0)


def test_a_session_is_confirmed_from_the_dashboard(page: Page, practice: Practice) -> None:
    page.goto("/provider/")
    page.get_by_role("button", name="Confirm the session with Ana Alvarez").click()
    expect(page.get_by_text("You earn $160.00; we take care of the claims.")).to_be_visible()
    practice.waiting.refresh_from_db()
    assert practice.waiting.status == "confirmed"
