"""The desk's pages about right prices in a real browser: nothing for axe to find, and no page wider than a phone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client as Visitor
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from billing.models import Comparison, Recalculation
from billing.services import recalculation, repricing
from common import clock
from tests.cast import Cast, assemble
from tests.comparison_rows import compared, told

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PROPOSED = {
    "in_network.copay": {"said": "25.00", "is": "40.00"},
    "in_network.copay_rule": {"said": None, "is": "waives_deductible"},
}


@pytest.fixture
def cast(live_server: LiveServer) -> Cast:
    return assemble()


@pytest.fixture
def row(cast: Cast) -> Comparison:
    """One that waits, after some months of estimates that came nearer and nearer."""
    ppo, other = told(cast.own_plan, plan_name="Choice PPO"), told(cast.bens_plan)
    for month in range(6):
        for number in range(6):
            session = cast.book(days=month * 30 + number)
            off = "15.00" if number < 5 - month else "0.00"
            plan, snapshot = (cast.own_plan, ppo) if number % 2 else (cast.bens_plan, other)
            compared(session, plan, first="15.00" if number % 3 else "-0.50", last=off, snapshot=snapshot)
    return compared(
        cast.book(days=200), cast.own_plan, first="15.00", last="15.00", snapshot=ppo, state="waiting", figures=PROPOSED
    )


@pytest.fixture
def run(cast: Cast) -> Recalculation:
    """Under way, with one client who failed."""
    found = recalculation.start(cast.evergreen, by=cast.fay, reason="Evergreen's new contract from January")
    repricing._keep_failure(cast.ana.pk, ValueError("a snapshot of benefits of schema 2 is not known"))
    Recalculation.objects.filter(pk=found.pk).update(
        state="running", total=12, done=5, changed=3, failed=1, touched_at=clock.now() + timedelta(seconds=40)
    )
    return found


@pytest.fixture(params=[360, 1440])
def page(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer, cast: Cast) -> Iterator[Page]:
    """Fay's screen."""
    session = Visitor()
    session.force_login(cast.fay)
    size = {"width": request.param, "height": 900}
    context = browser.new_context(viewport=size, base_url=live_server.url, reduced_motion="reduce")  # type: ignore[arg-type]  # TypedDict
    context.add_cookies([{"name": "sessionid", "value": session.cookies["sessionid"].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def ours(page: Page) -> list[str]:
    """What axe finds in our part of the page; the theme's own frame is not ours."""
    found = Axe().run(page, context="#content", options={"resultTypes": ["violations"]})
    return [f"{each['id']}: {node['html']}" for each in found.response["violations"] for node in each["nodes"]]


def test_axe_finds_nothing_and_nothing_is_too_wide(page: Page, cast: Cast, row: Comparison, run: Recalculation) -> None:
    width = page.viewport_size["width"]  # type: ignore[index]  # a context with a viewport has one
    for name, address in (
        ("side", f"/admin/billing/comparison/{row.pk}/change/"),
        ("accuracy", "/admin/billing/comparison/tool/accuracy/"),
        ("accuracy-empty", "/admin/billing/comparison/tool/accuracy/?until=2020-01"),
        ("enter", f"/admin/insurance/coverage/{cast.own_plan.pk}/page/enter/"),
        ("whatif", "/admin/billing/sessioncost/tool/whatif/"),
        (
            "whatif-answer",
            "/admin/billing/sessioncost/tool/whatif/?ask=1&deductible_remaining=250&coinsurance=20"
            "&out_of_pocket_remaining=300&first=2026-12-01&times=5&allowed=160",
        ),
        ("whatif-wrong", "/admin/billing/sessioncost/tool/whatif/?ask=1&copay=abc&first=2026-12-01"),
        ("progress", f"/admin/billing/recalculation/{run.pk}/page/progress/"),
    ):
        page.goto(address)
        assert ours(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_the_progress_page_keeps_itself_up_to_date_without_a_script(
    browser: Browser, live_server: LiveServer, cast: Cast, run: Recalculation
) -> None:
    session = Visitor()
    session.force_login(cast.fay)
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": session.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"/admin/billing/recalculation/{run.pk}/page/progress/")
    expect(page.get_by_text("5 of 12 clients")).to_be_visible()
    Recalculation.objects.filter(pk=run.pk).update(done=9)
    expect(page.get_by_text("9 of 12 clients")).to_be_visible(timeout=15_000)
    context.close()
