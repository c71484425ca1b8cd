"""Reporting a mistake in a real browser, on phone and wide screen: nothing for axe to find, what was typed stays."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client as Visitor
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from people.models import SupportRequest, User
from tests.cast import Cast, assemble

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cast(live_server: LiveServer) -> Cast:
    cast = assemble()
    cast.book(days=1)
    return cast


@pytest.fixture(params=[360, 1440])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def opened(browser: Browser, live_server: LiveServer, width: int) -> Iterator["Opened"]:
    opened = Opened(browser, live_server.url, width)
    yield opened
    opened.close()


class Opened:
    """A browser of a width, for one person after the other."""

    def __init__(self, browser: Browser, base: str, width: int) -> None:
        self._browser, self._base, self._width = browser, base, width
        self.faults: list[str] = []

    def by(self, user: User | None) -> Page:
        assert user is not None
        session = Visitor()
        session.force_login(user)
        self.context = self._browser.new_context(viewport={"width": self._width, "height": 800}, base_url=self._base)
        cookie = session.cookies["sessionid"].value
        self.context.add_cookies([{"name": "sessionid", "value": cookie, "url": self._base}])
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if "Security Policy" in said.text else None)
        return page

    def close(self) -> None:
        self.context.close()
        assert self.faults == []

    def look(self, page: Page, name: str) -> None:
        """Nothing for axe to find, nothing wider than the screen."""
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= self._width, name
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=Path(folder) / f"{name}-{self._width}.png", full_page=True)


def report(opened: Opened, page: Page, address: str, name: str) -> None:
    """Forget to choose, see what was typed stay, choose, send, and find the case on the form."""
    page.goto(address)
    opened.look(page, f"{name}-empty")
    page.get_by_label("What should it be").fill("The card says $20.00.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Please choose what looks wrong.").first).to_be_visible()
    expect(page.get_by_label("What should it be")).to_have_value("The card says $20.00.")
    opened.look(page, f"{name}-refused")
    page.get_by_label("The copay or share for a session").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Thank you. We are asking Evergreen Health again")).to_be_visible()
    page.goto(address)
    expect(page.get_by_text("You told us about this plan on")).to_be_visible()
    opened.look(page, f"{name}-open")


def test_a_client_reports(opened: Opened, cast: Cast) -> None:
    page = opened.by(cast.ana.user)
    page.goto("/benefits/")
    page.locator(f"a[href='/benefits/{cast.own_plan.pk}/report/']").first.click()
    report(opened, page, f"/benefits/{cast.own_plan.pk}/report/", "client")
    assert SupportRequest.objects.get().author == cast.ana.user


def test_a_provider_reports(opened: Opened, cast: Cast) -> None:
    page = opened.by(cast.cole.user)
    page.goto(f"/provider/clients/{cast.ana.pk}/")
    opened.look(page, "provider-client")
    page.locator(f"a[href='/provider/plans/{cast.own_plan.pk}/report/']").first.click()
    report(opened, page, f"/provider/plans/{cast.own_plan.pk}/report/", "provider")
    assert SupportRequest.objects.get().author == cast.cole.user
