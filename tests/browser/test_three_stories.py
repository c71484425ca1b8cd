"""The three stories as people play them: client on a phone, provider at a desk, support in the admin; real servers."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Page, expect

from billing.models import Refund
from care.models import Session
from common import clock
from headway.demo import PASSWORD, cast
from headway.demo.world import World
from headway.stack import Stack
from insurance.models import Claim, EligibilityCheck
from people.models import Client, Licence, Provider
from tests.browser.conftest import DESKTOP, SignIn
from tests.stand_ins import type_card

RESUME = "Check whether it can resume"

pytestmark = [pytest.mark.browser, pytest.mark.stack]


@dataclass
class Scene:
    """What a story needs besides its people: the insurers' control and the product's own rows."""

    world: World
    ana: Client
    cole: Provider
    own_id: str
    spouses_id: str

    def insured(self, *, own: dict[str, Any], spouses: dict[str, Any]) -> None:
        """What each insurer's own books say of Ana."""
        harbor = [
            {"payer_name": "HARBOR MUTUAL", "payer_id": "HARB1", "member_id": self.spouses_id, "rank": "secondary"}
        ]
        evergreen = [
            {"payer_name": "EVERGREEN HEALTH", "payer_id": "EVGR1", "member_id": self.own_id, "rank": "primary"}
        ]
        year = {"begins": cast.plan_year(clock.today()), "out_of_pocket": "4000.00"}
        who = cast.person(self.ana)
        own, spouses = ({**each, "plan": {**year, **each["plan"]}} for each in (own, spouses))
        self.world.put_member("EVGR1", self.own_id, {**who, "cob": {"rank": "primary", "others": harbor}, **own})
        ben = {"first_name": "Ben", "last_name": "Rivera", "birth_date": "1986-02-01", "gender": "M"}
        dependent = {"relationship": "spouse", "subscriber": ben, "cob": {"rank": "secondary", "others": evergreen}}
        self.world.put_member("HARB1", self.spouses_id, {**who, **dependent, **spouses})

    def newest_mail(self, subject_part: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            arrived = [
                each for each in self.world.mail_to("ana@example.com") if subject_part in each["subject"].lower()
            ]
            return arrived[-1] if arrived else None

        return wait(f"an e-mail about “{subject_part}”", look)


Found = TypeVar("Found")


def wait(what: str, look: Callable[[], Found | None]) -> Found:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}: it did not happen")


@pytest.fixture
def scene(stack: Stack, sign_in: SignIn) -> Scene:
    world = World()
    evergreen, harbor = cast.open_insurer(world, cast.EVERGREEN), cast.open_insurer(world, cast.HARBOR)
    cole = cast.open_provider(
        first="Maya", last="Cole", npi="1234567893", email="cole@example.com", licence=Licence.DOCTORAL,
        payers=[evergreen, harbor], password=PASSWORD,
    )  # fmt: skip
    ana = cast.open_client(
        first="Ana", last="Rivera", born=date(1988, 4, 12), sex="F", email="ana@example.com", password=PASSWORD
    )
    cast.login("fay@example.com", "support", PASSWORD, staff=True)
    cast.save_card(ana)
    tag = secrets.token_hex(3).upper()  # the insurers keep their books from one test to the next
    return Scene(world, ana, cole, f"EV{tag}", f"HB{tag}")


def add_plan(page: Page, stack: Stack, insurer: str, member_id: str, *, bens: bool) -> None:
    page.goto(f"{stack.web_url}/plans/add/")
    page.get_by_label("Insurance company").select_option(label=insurer)
    page.get_by_label("Member ID").fill(member_id)
    page.get_by_label("My spouse or partner" if bens else "Me", exact=True).check()
    if bens:
        page.get_by_label("Their first name").fill("Ben")
        page.get_by_label("Their last name").fill("Rivera")
        page.get_by_label("Their birthday").fill("1986-02-01")
    page.get_by_label("still work for that employer").select_option("active")
    page.get_by_role("button", name="Add this plan").click()
    expect(page).to_have_url(f"{stack.web_url}/plans/")


def ana_enters_her_plans_the_wrong_way_round(page: Page, stack: Stack, scene: Scene) -> Session:
    add_plan(page, stack, "Harbor Mutual", scene.spouses_id, bens=True)
    add_plan(page, stack, "Evergreen Health", scene.own_id, bens=False)
    wait("both insurers answer", lambda: scene.ana.plan_orders.filter(changed=True).exists())
    page.goto(f"{stack.web_url}/plans/")
    plans = page.get_by_role("article").get_by_role("heading", level=3)
    expect(plans).to_have_text(["Evergreen Health", "Harbor Mutual"])
    expect(page.get_by_role("main")).to_contain_text("right order")
    return cast.book(scene.ana, scene.cole, days=0, hour=0)


def cole_confirms(sign_in: SignIn, stack: Stack, session: Session, *, charge: str) -> Page:
    page = sign_in("cole@example.com", size=DESKTOP)
    page.goto(f"{stack.web_url}/provider/sessions/{session.pk}/")
    main = page.get_by_role("main")
    expect(main).to_contain_text(charge)
    expect(main).to_contain_text("$160.00")
    page.get_by_role("button", name="Confirm the session").click()
    expect(page.get_by_role("main")).not_to_contain_text("Confirm that it took place")
    return page


def give_number(page: Page, number: str) -> None:
    page.get_by_label("Reference number").fill(number)
    page.get_by_role("button", name="Check again with this number").click()
    expect(page.get_by_role("main")).to_contain_text(number)


def support_checks_again(sign_in: SignIn, stack: Stack, scene: Scene) -> None:
    """Fay finds the pause in the admin and asks the insurer again, with her reason."""
    page = sign_in("fay@example.com", size=DESKTOP)
    pause = scene.ana.pauses.get()
    page.goto(f"{stack.web_url}/admin/insurance/accountpause/{pause.pk}/change/")
    page.get_by_role("link", name=RESUME).first.click()
    page.get_by_label("Reason").fill("The client's call is confirmed by the insurer.")
    page.get_by_role("button", name=RESUME).click()
    page.wait_for_url("**/change/")


def settled_checks() -> int:
    return EligibilityCheck.objects.filter(settled_at__isnull=False).count()


def cost_becomes_final(session: Session) -> None:
    wait("the final cost is set", lambda: session.costs.filter(basis="final").exists())


def test_ana_gets_a_refund_after_both_plans_answered(stack: Stack, scene: Scene, sign_in: SignIn) -> None:
    scene.insured(
        own={"plan": {"deductible": "500.00", "coinsurance": "0.20"}, "used": {"deductible": "450.00"}},
        spouses={"plan": {"deductible": "600.00", "coinsurance": "0.00"}, "used": {"deductible": "480.00"}},
    )
    page = sign_in("ana@example.com")
    session = ana_enters_her_plans_the_wrong_way_round(page, stack, scene)
    cole_confirms(sign_in, stack, session, charge="$72.00")
    cost_becomes_final(session)
    wait("the refund is processed", lambda: Refund.objects.filter(session=session, state="succeeded").exists())
    page.goto(f"{stack.web_url}/appointments/{session.pk}/")
    expect(page.get_by_role("main")).to_contain_text("$32.00")
    page.goto(f"{stack.web_url}/payments/")
    expect(page.get_by_role("main")).to_contain_text("$40.00")
    mail = scene.newest_mail("refund")
    assert "$40.00" in mail["text"]
    assert str(session.date.year) in mail["text"]


def test_ana_pays_what_is_left_with_a_card_typed_in_the_browser(stack: Stack, scene: Scene, sign_in: SignIn) -> None:
    scene.insured(
        own={
            "plan": {"deductible": "500.00", "coinsurance": "0.20"},
            "used": {"deductible": "400.00"},
            "reported": {"used": {"deductible": "500.00"}},
        },
        spouses={"plan": {"deductible": "2000.00", "coinsurance": "0.20"}},
    )
    page = sign_in("ana@example.com")
    session = ana_enters_her_plans_the_wrong_way_round(page, stack, scene)
    cole_confirms(sign_in, stack, session, charge="$32.00")
    cost_becomes_final(session)
    link = f"{stack.web_url}/appointments/past/"
    assert link in scene.newest_mail("balance")["text"]
    page.goto(link)
    page.get_by_role("link", name="Pay now").first.click()
    page.get_by_label("Another card, for this payment only").check()
    type_card(page, "4242424242424242")
    page.get_by_role("button", name="Pay $70.00").click()
    page.wait_for_url("**/payments/*/")
    expect(page.get_by_role("main")).to_contain_text("$70.00")
    page.goto(link)
    expect(page.get_by_role("main")).to_contain_text("There is nothing to pay.")


def test_ana_s_account_pauses_and_resumes(stack: Stack, scene: Scene, sign_in: SignIn) -> None:
    scene.insured(
        own={"plan": {"deductible": "0.00", "coinsurance": "0.20"}},
        spouses={"plan": {"deductible": "0.00", "copay": "15.00"}},
    )
    page = sign_in("ana@example.com")
    session = ana_enters_her_plans_the_wrong_way_round(page, stack, scene)
    scene.world.patch_member("EVGR1", scene.own_id, {"cob": {"rank": "unresolved", "others": []}})
    cole = cole_confirms(sign_in, stack, session, charge="$32.00")
    wait("the account pauses", scene.ana.pauses.exists)

    assert "800-555-0111" in scene.newest_mail("call")["text"]
    page.goto(f"{stack.web_url}/home/")
    main = page.get_by_role("main")
    expect(main).to_contain_text("800-555-0111")
    expect(main).to_contain_text("which of my plans is primary")
    cole.goto(f"{stack.web_url}/provider/")
    anas_row = cole.get_by_role("row", name="Ana Rivera")
    expect(anas_row).to_contain_text("Paused")
    expect(anas_row).to_contain_text("Nothing")

    page.goto(f"{stack.web_url}/plans/")
    give_number(page, "REF-2001")
    wait("the insurer is asked again", lambda: settled_checks() == 3)
    scene.ana.refresh_from_db()
    assert scene.ana.paused_since is not None, "a reference number alone changes nothing"

    harbor = [{"payer_name": "HARBOR MUTUAL", "payer_id": "HARB1", "member_id": scene.spouses_id, "rank": "secondary"}]
    scene.world.set_cob("EVGR1", scene.own_id, {"rank": "primary", "others": harbor})
    support_checks_again(sign_in, stack, scene)
    wait("the account resumes", lambda: Client.objects.filter(pk=scene.ana.pk, paused_since=None).exists())
    wait("the claim goes out again and is paid", lambda: Claim.objects.filter(rank=1, decision="paid").exists())
    cole.goto(f"{stack.web_url}/provider/")
    expect(anas_row).not_to_contain_text("Paused")
    cost_becomes_final(session)
