"""Receipts, statements, superbills, refunds in a real browser: nothing for axe to find, no page wider than a phone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client as Visitor
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from billing.domain.statements import after
from billing.ledger.posting import open_accounts
from billing.models import Payment, Refund
from billing.services import refunds, statements
from common import clock
from tests.billing.test_receipts_and_superbills import not_billed
from tests.billing.test_statements import moves
from tests.cast import Cast, assemble
from tests.portal import client_world

pytestmark = pytest.mark.browser
LOOK: Path | None = None
"""Where pictures are kept for whoever wants to look."""


@pytest.fixture
def cast(browser: Browser, transactional_db: None) -> Cast:
    open_accounts()
    return assemble()


def paths(cast: Cast) -> list[str]:
    """Ana's past with a statement, a refund in each way that it can stand, and a session to claim by herself."""
    past = client_world.live(cast)
    mine = not_billed(cast, days=-20)
    month = statements.last_month()
    begin = datetime.combine(month, datetime.min.time(), tzinfo=clock.BUSINESS_ZONE)
    with clock.as_of(begin + timedelta(days=3)):
        moves("cost:77001", "72.00", past.refunded)
        moves("payment:77001", "-72.00", past.refunded)
        moves("cost:77002", "-40.00", past.refunded)
        moves("write_off:77003", "-12.50", past.owing)
        moves("refund:77004", "40.00", past.refunded)
    issued = statements.issue(cast.ana.pk, month)
    assert after(issued.month) <= clock.today()
    paid = Payment.objects.filter(parts__session=past.refunded).get()
    several = Payment.objects.create(
        client=cast.ana, card=past.card, purpose="pay_now", amount="45.00", state="succeeded",
        payment_intent_id="pi_several", settled_at=clock.now(),
    )  # fmt: skip
    for session, amount in ((past.owing, "30.00"), (mine, "15.00")):
        several.parts.create(session=session, amount=amount)
    old = Refund.objects.get(session=past.refunded)
    Refund.objects.filter(pk=old.pk).update(
        processed_at=clock.now() - timedelta(days=12), bank_reference="74000000000000001234567"
    )
    Refund.objects.create(payment=several, session=past.owing, amount="5.00", state="in_transit")
    Refund.objects.create(payment=several, session=mine, amount="3.00", state="failed", message="closed")
    Refund.objects.create(
        payment=several, session=mine, amount="2.00", state="external", external_reference="Check 10482",
        processed_at=clock.now(),
    )  # fmt: skip
    assert refunds.to_send_another_way().count() <= 1
    return [
        "/payments/",
        f"/payments/{paid.pk}/",
        f"/payments/{several.pk}/",
        "/payments/statements/",
        f"/payments/statements/{issued.pk}/",
        f"/payments/superbill/?begin={clock.today() - timedelta(days=90)}&end={clock.today() + timedelta(days=20)}",
        "/payments/superbill/?begin=2026-02-01&end=2026-01-01",
        f"/appointments/{past.refunded.pk}/",
    ]


@pytest.fixture
def page(cast: Cast, browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    visitor = Visitor()
    assert cast.ana.user is not None
    visitor.force_login(cast.ana.user)
    context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    context.add_cookies([{"name": "sessionid", "value": visitor.cookies["sessionid"].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def test_axe_finds_nothing_and_nothing_is_too_wide(cast: Cast, page: Page) -> None:
    found: dict[str, object] = {}
    for number, path in enumerate(paths(cast)):
        for width in (360, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(path)
            result = Axe().run(page)
            if result.violations_count:
                found[f"{path} {width}"] = result.generate_report()
            room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            if room[0] > room[1]:
                found[f"{path} {width} is too wide"] = room
            if LOOK is not None:
                page.screenshot(path=LOOK / f"{number}-{width}.png", full_page=True)
    assert found == {}


def test_a_superbill_is_made_by_ticking_sessions(cast: Cast, page: Page) -> None:
    client_world.live(cast)
    not_billed(cast, days=-20)
    page.goto(f"/payments/superbill/?begin={clock.today() - timedelta(days=90)}&end={clock.today()}")
    with page.expect_download() as begun:
        page.get_by_role("button", name="Make my superbill").click()
    assert begun.value.suggested_filename.startswith("superbill-B-")
    page.get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="Make my superbill").click()
    assert "There is nothing to put on a superbill" in page.locator("main, .messages").all_inner_texts().__str__()
