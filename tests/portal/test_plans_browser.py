"""Pages around plans in a real browser, on phone and wide screen, light and dark: with accounts that have a past.

Nothing for axe to find, nothing wider than the screen, nothing that the security policy stops. ``SHOTS=folder`` keeps
a picture of each page.
"""

import os
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client as Visitor
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from billing.ledger.posting import open_accounts
from billing.services import costs, good_faith_estimate
from care.models import CareRelationship
from common import clock
from insurance.domain.benefits import Accumulator, Accumulators
from insurance.models import BenefitSnapshot, Claim, Coverage, Recertification, SuggestedCoverage
from insurance.services import pauses, plan_order
from people.models import Client, User
from tests.cast import LONG_AGO, Cast, assemble, benefits, client, observe, payer
from tests.insurance.test_provider_search import newcomer
from tests.portal.client_world import held, live

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
D = Decimal
Scheme = Literal["light", "dark"]


@pytest.fixture
def cast(live_server: LiveServer) -> Cast:
    open_accounts()
    return assemble()


def on_the_caseload(cast: Cast, first: str, last: str) -> Client:
    found = client(first, last)
    CareRelationship.objects.create(provider=cast.cole, client=found, began_on=LONG_AGO)
    return found


def ana_with_a_past(cast: Cast) -> dict[str, int]:
    """Sessions in every state, figures that were put right, a confirmation that is overdue, plans that were named."""
    live(cast)
    told = replace(benefits(deductible="0.00", coinsurance=None, copay="40.00"))
    maximum = Accumulators(Accumulator(D("3000.00"), D("1850.00")), Accumulator(D("6000.00"), D("3900.00")))
    told = replace(told, in_network=replace(told.in_network, out_of_pocket=maximum))
    BenefitSnapshot.objects.create(
        coverage=cast.own_plan, source="835", effective_on=clock.today(), active=True, plan_begin=told.plan_begin,
        plan_end=told.plan_end, benefits=told.to_json(), note="Evergreen Health took $40.00 for a session",
        corrects={
            "in_network.copay": {"said": None, "is": "40.00"},
            "in_network.coinsurance": {"said": "0.20", "is": None},
            "in_network.deductible.individual.remaining": {"said": "50.00", "is": "0.00"},
        },
    )  # fmt: skip
    cast.book(days=12)
    cast.book(days=19)
    costs.reprice(cast.ana)
    today = clock.today()
    due = Recertification.objects.create(coverage=cast.own_plan, due_on=today + timedelta(days=12))
    over = Recertification.objects.create(coverage=cast.bens_plan, due_on=today - timedelta(days=9))
    summit = payer("SMMT1", "Summit Care", "140.00")
    whole = SuggestedCoverage.objects.create(
        client=cast.ana, named_by=cast.own_plan, payer=summit, payer_name=summit.name, member_id="SM44310", source="271"
    )
    vague = SuggestedCoverage.objects.create(
        client=cast.ana, named_by=cast.bens_plan, payer_name="BLUE RIVER HLTH OF NY", source="835"
    )
    late = Claim.objects.filter(session__client=cast.ana, submission="submitted").order_by("pk")[:2]
    for claim, days in zip(late, (-3, 6), strict=False):
        Claim.objects.filter(pk=claim.pk).update(file_by=today + timedelta(days=days), submission="rejected")
    return {"due": due.pk, "over": over.pk, "whole": whole.pk, "vague": vague.pk}


def two_jobs(cast: Cast) -> Client:
    """Her own plans from two jobs, and nobody knows which she has had longer."""
    ivy = on_the_caseload(cast, "Ivy", "Lindqvist")
    for rank, insurer in enumerate((cast.evergreen, cast.harbor), start=1):
        Coverage.objects.create(
            client=ivy, payer=insurer, member_id=f"IV{rank}00", stated_rank=rank, holder_status="active"
        )
    plan_order.decide(ivy)
    return ivy


def a_child(cast: Cast) -> Client:
    """Covered by both parents, of whom nothing is known."""
    leo = on_the_caseload(cast, "Leo", "Marchetti")
    for rank, (insurer, holder, first) in enumerate(
        ((cast.evergreen, "mother", "Carla"), (cast.harbor, "father", "Dario")), start=1
    ):
        Coverage.objects.create(
            client=leo, payer=insurer, member_id=f"LE{rank}00", stated_rank=rank, holder=holder,
            holder_first_name=first, holder_last_name="Marchetti", holder_born=date(1980, rank, 3),
            holder_status="active",
        )  # fmt: skip
    plan_order.decide(leo)
    return leo


def on_hold(cast: Cast) -> tuple[Client, int]:
    """An account that is paused, with sessions behind it and ahead, and an estimate for going on without insurance."""
    gil = on_the_caseload(cast, "Gil", "Abernathy")
    plan = Coverage.objects.create(client=gil, payer=cast.evergreen, member_id="GI100", stated_rank=1)
    plan_order.decide(gil)
    observe(plan, benefits())
    for days in (-8, 6, 13):
        cast.book(days=days, client=gil)
    costs.reprice(gil)
    pauses.open_pause(coverage=plan, evidence="835", codes="CO-22 N197", reason="The insurer waits for its member.")
    gil.refresh_from_db()
    issued = good_faith_estimate.issue(
        client=gil, provider=cast.cole, frequency="weekly", first_on=clock.today(), months=3
    )
    return gil, issued.pk


class Looker:
    """Opens pages as one person after the other, and notes what is wrong with them."""

    def __init__(self, browser: Browser, base: str, width: int, scheme: Scheme) -> None:
        self._browser, self._base, self._width, self._scheme = browser, base, width, scheme
        self.faults: list[str] = []

    def look(self, user: User | None, *pages: tuple[str, str]) -> None:
        """``pages``: a name and an address each; an address that ends in ``!`` has its form sent as it is first."""
        visitor = Visitor()
        assert user is not None
        visitor.force_login(user)
        context = self._browser.new_context(
            viewport={"width": self._width, "height": 900}, base_url=self._base, color_scheme=self._scheme,
            reduced_motion="reduce",
        )  # fmt: skip
        cookie = visitor.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": self._base}])
        page = context.new_page()
        page.on("console", lambda said: self.faults.append(said.text) if "Security Policy" in said.text else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        for name, address in pages:
            page.goto(address.rstrip("!"))
            if address.endswith("!"):
                page.locator("main form .button:not(.button--quiet):not(.button--plain)").first.click()
                page.wait_for_load_state()
            self._check(page, name)
        context.close()

    def _check(self, page: Page, name: str) -> None:
        desk = "/admin/" in page.url
        found = Axe().run(page, context="#content" if desk else None)
        for fault in found.response["violations"]:
            self.faults += [f"{name}: {fault['id']}: {node['html'][:200]}" for node in fault["nodes"]]
        if page.evaluate("document.documentElement.scrollWidth") > self._width:
            self.faults.append(f"{name}: wider than {self._width}")
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=Path(folder) / f"{name}-{self._width}-{self._scheme}.png", full_page=True)


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_around_plans(
    browser: Browser, live_server: LiveServer, cast: Cast, width: int, scheme: Scheme
) -> None:
    rows = ana_with_a_past(cast)
    gil, estimate = on_hold(cast)
    ivy, leo = two_jobs(cast), a_child(cast)
    newcomer("Quintana", 3, cast.evergreen, cast.harbor)
    newcomer("Abel", 4, cast.evergreen)
    session = held(cast, days=-1)
    looker = Looker(browser, live_server.url, width, scheme)
    looker.look(
        cast.ana.user,
        ("home", "/home/"),
        ("benefits", "/benefits/"),
        ("session", f"/appointments/{session.pk}/"),
        ("plans", "/plans/"),
        ("suggested", f"/plans/suggested/{rows['whole']}/"),
        ("suggested-vague", f"/plans/suggested/{rows['vague']}/!"),
        ("confirm-due", f"/plans/confirm/{rows['due']}/"),
        ("confirm-over", f"/plans/confirm/{rows['over']}/!"),
        ("find", "/find/"),
        ("find-first", "/find/?show=first"),
    )
    looker.look(ivy.user, ("order-day", "/plans/order/"), ("order-day-empty", "/plans/order/!"), ("ivy", "/plans/"))
    looker.look(leo.user, ("order-choice", "/plans/order/"))
    looker.look(
        gil.user,
        ("paused-home", "/home/"),
        ("paused-plans", "/plans/"),
        ("paused-appointments", "/appointments/"),
        ("paused-benefits", "/benefits/"),
        ("paused-session", f"/appointments/{gil.sessions.latest('starts_at').pk}/"),
        ("paused-find", "/find/"),
        ("estimates", "/good-faith-estimates/"),
        ("estimate", f"/good-faith-estimates/{estimate}/"),
    )
    looker.look(
        cast.cole.user,
        ("provider-client", f"/provider/clients/{cast.ana.pk}/"),
        ("provider-paused", f"/provider/clients/{gil.pk}/"),
        ("provider-session", f"/provider/sessions/{session.pk}/"),
    )
    looker.look(cast.fay, ("deadlines", "/admin/insurance/claim/tool/deadlines/"))
    assert looker.faults == []
