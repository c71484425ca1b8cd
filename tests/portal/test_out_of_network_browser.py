"""The pages of a session out of network in a real browser: nothing for axe to find, no page wider than a phone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client as Visitor
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from common import clock
from insurance.domain.benefits import Accumulator, Accumulators, NetworkBenefits
from insurance.models import FeeSchedule, NetworkContract
from people.models import User
from tests.cast import LONG_AGO, Cast, assemble, benefits, observe

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
D = Decimal


@pytest.fixture
def cast(live_server: LiveServer) -> Cast:
    """Ana's first plan has no contract with us and is known to allow $130.00."""
    found = assemble()
    NetworkContract.objects.filter(payer=found.evergreen).update(ends_on=clock.today() - timedelta(days=1))
    FeeSchedule.objects.create(
        payer=found.evergreen, licence=found.cole.licence, cpt="90837", rate=D("130.00"), network="out",
        begins_on=LONG_AGO,
    )  # fmt: skip
    outside = NetworkBenefits(
        coinsurance=D("0.40"),
        deductible=Accumulators(individual=Accumulator(D("1000.00"), D("30.00"))),
    )
    observe(found.own_plan, benefits(out_of_network=outside))
    return found


def open_page(browser: Browser, server: LiveServer, user: User | None, width: int) -> Page:
    visitor = Visitor()
    assert user is not None
    visitor.force_login(user)
    context = browser.new_context(viewport={"width": width, "height": 900}, base_url=server.url)
    context.add_cookies([{"name": "sessionid", "value": visitor.cookies["sessionid"].value, "url": server.url}])
    return context.new_page()


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("known", [True, False])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    browser: Browser, live_server: LiveServer, cast: Cast, width: int, known: bool
) -> None:
    if not known:
        FeeSchedule.objects.filter(network="out").delete()
    session = cast.book()
    for user, address in (
        (cast.ana.user, f"/appointments/{session.pk}/"),
        (cast.cole.user, f"/provider/sessions/{session.pk}/"),
    ):
        page = open_page(browser, live_server, user, width)
        page.goto(address)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        page.context.close()
