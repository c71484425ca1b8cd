"""From paused to resumed on a phone, as client and as support: real servers, and axe finds nothing on the way."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from billing.flows import refresh_benefits
from billing.models import GoodFaithEstimate
from common import clock
from headway.stack import Stack
from insurance.models import AccountPause, Claim, Coverage, Payer, Recertification
from people.models import Client
from tests.browser.conftest import PHONE, SignIn
from tests.browser.test_three_stories import (
    RESUME,
    Scene,
    ana_enters_her_plans_the_wrong_way_round,
    give_number,
    scene,  # noqa: F401 - a fixture
    settled_checks,
    wait,
)

pytestmark = [pytest.mark.browser, pytest.mark.stack]


def in_order(page: Page, *, part: str = "") -> None:
    """Axe finds nothing on the page, or in our part of it, and it is no wider than a phone."""
    page.wait_for_load_state()
    found = Axe().run(page, **({"context": part} if part else {}), options={"resultTypes": ["violations"]})
    faults = [f"{each['id']}: {node['html']}" for each in found.response["violations"] for node in each["nodes"]]
    assert faults == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url


@pytest.fixture
def insured(scene: Scene) -> Scene:  # noqa: F811 - the fixture
    scene.insured(
        own={"plan": {"deductible": "0.00", "coinsurance": "0.20"}},
        spouses={"plan": {"deductible": "0.00", "copay": "15.00"}},
    )
    return scene


def settle_at_the_insurer(scene: Scene) -> None:  # noqa: F811
    """What Ana's call changes in Evergreen's own records."""
    others = [{"payer_name": "HARBOR MUTUAL", "payer_id": "HARB1", "member_id": scene.spouses_id, "rank": "secondary"}]
    scene.world.set_cob("EVGR1", scene.own_id, {"rank": "primary", "others": others})


def own_plan(scene: Scene) -> Coverage:  # noqa: F811
    return Coverage.objects.get(client=scene.ana, payer__payer_id="EVGR1")


def is_paused(scene: Scene) -> bool:  # noqa: F811
    return Client.objects.filter(pk=scene.ana.pk, paused_since__isnull=False).exists()


def test_paused_by_an_answer_called_checked_by_support_and_resumed(
    stack: Stack, insured: Scene, sign_in: SignIn
) -> None:
    page = sign_in("ana@example.com")
    session = ana_enters_her_plans_the_wrong_way_round(page, stack, insured)
    insured.world.patch_member("EVGR1", insured.own_id, {"cob": {"rank": "unresolved", "others": []}})
    refresh_benefits.ask_again(own_plan(insured))
    wait("the insurer's answer pauses the account", lambda: is_paused(insured))
    pause = AccountPause.objects.get()
    assert (pause.evidence, pause.evidence_codes) == ("271", "MSG")

    # The client: what leads the portal, and what it would cost without insurance
    assert "800-555-0111" in insured.newest_mail("paused")["text"]
    page.goto(f"{stack.web_url}/home/")
    main = page.get_by_role("main")
    expect(main).to_contain_text("800-555-0111")
    expect(main).to_contain_text("which of my plans is primary")
    expect(main).to_contain_text("Only you can do this")
    in_order(page)
    page.get_by_role("link", name="Would you rather go on").click()
    expect(page.get_by_label("Every two weeks")).to_be_visible()
    in_order(page)
    page.get_by_label("Every two weeks").check()
    page.get_by_role("button", name="Make my estimate").click()
    expect(main).to_contain_text("not a contract")
    in_order(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Keep it as a file").click()
    assert download.value.path().read_bytes() == bytes(GoodFaithEstimate.objects.get().pdf)
    assert "$" not in insured.newest_mail("estimate")["text"]

    # The provider is asked nothing, and cannot confirm
    cole = sign_in("cole@example.com")
    cole.goto(f"{stack.web_url}/provider/clients/{insured.ana.pk}/")
    expect(cole.get_by_role("main")).to_contain_text("nothing is asked of you")
    expect(cole.get_by_role("main")).to_contain_text("One booked session is kept")
    in_order(cole)
    cole.goto(f"{stack.web_url}/provider/sessions/{session.pk}/")
    expect(cole.get_by_role("button", name="Confirm the session")).to_have_count(0)

    # The call, the number, and an insurer that is not right yet
    page.goto(f"{stack.web_url}/plans/")
    in_order(page)
    asked = settled_checks()
    give_number(page, "REF-3001")
    wait("the insurer is asked again", lambda: settled_checks() > asked)
    assert is_paused(insured), "a reference number alone changes nothing"
    page.reload()
    expect(main).to_contain_text("its records are not right yet")
    in_order(page)

    # Support, on a phone too: queue, check, resumed
    settle_at_the_insurer(insured)
    fay = sign_in("fay@example.com")
    fay.goto(f"{stack.web_url}/admin/insurance/accountpause/?cleared_at__isempty=1")
    fay.goto(f"{stack.web_url}/admin/insurance/accountpause/{pause.pk}/change/")
    fay.get_by_role("link", name=RESUME).first.click()
    expect(fay.get_by_label("Reason")).to_be_visible()
    in_order(fay, part="#content")
    fay.get_by_label("Reason").fill("Ana has called Evergreen.")
    fay.get_by_role("button", name=RESUME).click()
    fay.wait_for_url("**/change/")
    wait("the account resumes", lambda: not is_paused(insured))
    fay.goto(f"{stack.web_url}/admin/people/client/{insured.ana.pk}/page/story/?only=pauses")
    told = fay.locator("#content")
    for words in ("Paused: Evergreen Health", "REF-3001", "Ana has called Evergreen.", "Resumed: Evergreen Health"):
        expect(told).to_contain_text(words)
    in_order(fay, part="#content")

    # Everything goes on
    page.goto(f"{stack.web_url}/home/")
    expect(main).not_to_contain_text("paused")
    in_order(page)
    assert insured.newest_mail("active again")
    cole.reload()
    cole.get_by_role("button", name="Confirm the session").click()
    wait("the claim goes out", lambda: Claim.objects.filter(rank=1, submission="accepted").exists())


def test_the_yearly_call_from_the_home_page_to_verified(stack: Stack, insured: Scene, sign_in: SignIn) -> None:
    page = sign_in("ana@example.com")
    ana_enters_her_plans_the_wrong_way_round(page, stack, insured)
    plan = own_plan(insured)
    Payer.objects.filter(pk=plan.payer_id).update(recertifies=True, cob_contact="Coordination of benefits desk")
    row = Recertification.objects.create(coverage=plan, due_on=clock.today())
    assert "800-555-0111" in insured.newest_mail("confirm your plans")["text"]
    page.goto(f"{stack.web_url}/home/")
    main = page.get_by_role("main")
    expect(main).to_contain_text("Confirm your plans with Evergreen Health")
    in_order(page)
    page.get_by_role("link", name="What to say, and to whom").click()
    expect(main).to_contain_text("Ask for: Coordination of benefits desk")
    in_order(page)
    page.get_by_role("button", name="Save and check").click()
    expect(main).to_contain_text("Please enter the reference number")
    in_order(page)
    page.get_by_label("Reference number").fill("YEAR-1")
    page.get_by_label("Day of the call").fill(clock.today().isoformat())
    page.get_by_role("button", name="Save and check").click()
    expect(main).to_contain_text("YEAR-1")

    def verified() -> bool:
        row.refresh_from_db()
        return row.state == "verified"

    wait("the insurer's records show it", verified)
    page.reload()
    expect(main).to_contain_text("There is nothing left to do")
    in_order(page)
