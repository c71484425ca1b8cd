"""The desk's pages about money in a real browser: nothing for axe to find, and no page wider than a phone."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client as Visitor
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from billing.flows import confirm_session
from billing.services import write_offs
from common import clock
from insurance.models import Adjudication, Claim
from people.models import User
from tests.billing.answers import claim, confirmed, evergreen, told
from tests.billing.test_insurer_money import plb
from tests.cast import assemble, card, money

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def addresses(live_server: LiveServer) -> dict[str, str]:
    """Claims of every age, money astray, an amount kept back, a write-off: where each is looked at."""
    cast = assemble()
    open_one = cast.book(days=-35)
    confirm_session.confirm(open_one)
    first = write_offs.write_off(open_one, money("20.00"), reason="goodwill", note="She called.", by=cast.fay)
    card(cast.ana)
    sessions = [confirmed(cast, days=-day) for day in (0, 7, 14, 21, 28)]
    for session, days in zip(sessions, (2, 40, 70, 100, 130), strict=True):
        Claim.objects.filter(pk=claim(session, 1).pk).update(submitted_at=clock.now() - timedelta(days=days))
    cut_off = claim(sessions[0], 1).control_number[:-1]
    told(claim(sessions[0], 1), replace(evergreen(sessions[0]), control_number=cut_off))
    told(claim(sessions[2], 1), evergreen(sessions[2]))
    kept = plb(sessions[2], "WO", claim(sessions[2], 1).payer_control_number, "88.00")
    lost = Adjudication.objects.get(claim=None)
    return {
        "suspense": "/admin/insurance/provideradjustment/tool/suspense/",
        "match": f"/admin/insurance/adjudication/{lost.pk}/page/match/",
        "place": f"/admin/insurance/provideradjustment/{kept.pk}/page/place/",
        "insurers": "/admin/insurance/claim/tool/aging/",
        "insurers-detail": f"/admin/insurance/claim/tool/aging/?who={cast.evergreen.pk}",
        "clients": "/admin/people/client/tool/aging/",
        "clients-detail": f"/admin/people/client/tool/aging/?who={cast.ana.pk}",
        "nothing": "/admin/insurance/claim/tool/aging/?bucket=61-90&who=1234567",
        "write-off": f"/admin/care/session/{open_one.pk}/page/write_off/",
        "take-back": f"/admin/billing/writeoff/{first.pk}/repair/take_back/",
    }


@pytest.fixture(params=[360, 1440])
def page(
    request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer, addresses: dict[str, str]
) -> Iterator[Page]:
    """Fay's screen."""
    session = Visitor()
    session.force_login(User.objects.get(email="fay@example.com"))
    size = {"width": request.param, "height": 900}
    context = browser.new_context(viewport=size, base_url=live_server.url, reduced_motion="reduce")  # type: ignore[arg-type]  # TypedDict
    context.add_cookies([{"name": "sessionid", "value": session.cookies["sessionid"].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def ours(page: Page) -> list[str]:
    """What axe finds in our part of the page; the theme's own frame is not ours."""
    found = Axe().run(page, context="#content", options={"resultTypes": ["violations"]})
    return [f"{each['id']}: {node['html']}" for each in found.response["violations"] for node in each["nodes"]]


def test_axe_finds_nothing_and_nothing_is_too_wide(page: Page, addresses: dict[str, str]) -> None:
    width = page.viewport_size["width"]  # type: ignore[index]  # a context with a viewport has one
    folder = os.environ.get("PICTURES")
    for name, address in addresses.items():
        answer = page.goto(address)
        assert answer is not None and answer.ok, name
        if folder:
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
        assert ours(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
