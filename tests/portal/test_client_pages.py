"""What Ana sees: what she owes, what is next, what is wrong, and why every figure is what it is."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from billing.models import Refund
from billing.services import costs
from common import clock
from insurance.domain.benefits import Accumulator, Accumulators, Benefits, NetworkBenefits, Visits
from insurance.models import AccountPause, Coverage, Credential, EligibilityCheck, PlanOrder
from insurance.services import pauses
from people.models import SupportRequest
from portal.templatetags.headway_ui import longdate
from tests.cast import Cast, assemble, benefits, card, observe
from tests.portal import client_world
from tests.portal.client_world import Past

D = Decimal
PAGES = ("/home/", "/benefits/", "/appointments/", "/appointments/past/", "/payments/", "/plans/", "/messages/")


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def past(cast: Cast) -> Past:
    return client_world.live(cast)


@pytest.fixture
def ana(cast: Cast) -> Browser:
    browser = Browser()
    assert cast.ana.user is not None
    browser.force_login(cast.ana.user)
    return browser


@pytest.fixture
def eve(cast: Cast) -> Browser:
    browser = Browser()
    assert cast.eve.user is not None
    browser.force_login(cast.eve.user)
    return browser


def words(browser: Browser, address: str, status: int = 200) -> str:
    """The page's text as read aloud: no tags, single spaces."""
    answer = browser.get(address)
    assert answer.status_code == status, address
    main = answer.content.decode().split("<main", 1)[1].split("</main>")[0]
    text = re.sub(r"<[^>]+>", " ", main)
    for code, sign in (("&#x27;", "'"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(code, sign)
    return re.sub(r"\s+([.,;:])", r"\1", re.sub(r"\s+", " ", text))


# --- A new client ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", PAGES)
def test_a_client_with_nothing_yet_is_told_what_to_do(eve: Browser, address: str) -> None:
    assert "None" not in words(eve, address)


def test_the_first_step_is_a_plan(eve: Browser) -> None:
    assert "Add your insurance plan" in words(eve, "/home/")
    assert b'href="/plans/add/"' in eve.get("/home/").content


# --- Home -----------------------------------------------------------------------------------------------------------


def test_home_says_what_she_owes_and_what_is_next(ana: Browser, past: Past) -> None:
    home = words(ana, "/home/")
    assert "You have $58.00 to pay" in home
    assert "Pay $58.00 now" in home
    assert "For one past session" in home
    assert f"{longdate(past.upcoming.starts_at)}" in home
    assert "Why: Evergreen Health pays $128.00 of $160.00. Coinsurance $32.00: 20% of $160.00." in home
    assert "We put your plans in the right order" in home


def test_home_names_the_latest_changes(ana: Browser, past: Past) -> None:
    home = words(ana, "/home/")
    assert "Refund to your card $40.00" in home


def test_a_pause_comes_first_with_whom_to_call_and_what_to_say(ana: Browser, cast: Cast) -> None:
    pauses.open_pause(coverage=cast.own_plan, evidence=AccountPause.Evidence.REMITTANCE, codes="CO-22 N197")
    home = words(ana, "/home/")
    assert home.index("Evergreen Health needs a call from you") < home.index("What you owe")
    assert "Could you tell me which of my plans is primary?" in home
    assert "Only you can do this" in home
    assert b'href="tel:+18005550111"' in ana.get("/home/").content
    assert "None can be until your account goes on" in home


@pytest.mark.parametrize(
    "address",
    ["/appointments/", "/appointments/past/", "/appointments/{session}/", "/benefits/", "/payments/", "/find/"],
)
def test_while_paused_every_page_says_first_whom_to_call_what_to_say_and_where_the_number_goes(
    ana: Browser, cast: Cast, address: str
) -> None:
    address = address.format(session=cast.book(days=3).pk)
    assert "needs a call from you" not in words(ana, address)
    pause, _new = pauses.open_pause(coverage=cast.own_plan, evidence="835")
    page = words(ana, address)
    assert (
        "Your account is paused: Evergreen Health needs a call from you Call Evergreen Health at 800-555-0111. It is "
        "the number on the back of your card. Only you can do this. Say: “My provider let me know there is an issue "
        "with my coordination of benefits. Could you tell me which of my plans is primary?”" in page
    )
    assert "I have called: enter the number" in page
    assert page.index("needs a call from you") < page.index("until then.")
    pauses.give_reference(pause=pause, reference_number="REF-12")
    page = words(ana, address)
    assert "You have called: we are checking reference number REF-12 with Evergreen Health." in page
    assert "Say:" not in page


def test_while_paused_the_provider_is_not_told_to_be_late(ana: Browser, cast: Cast) -> None:
    cast.book(days=-2)
    assert "Your provider has not confirmed it yet" in words(ana, "/appointments/past/")
    pauses.open_pause(coverage=cast.own_plan, evidence=AccountPause.Evidence.REMITTANCE, codes="CO-22 N197")
    page = words(ana, "/appointments/past/")
    assert "Waits until your account goes on" in page
    assert "has not confirmed" not in page


# --- Benefits -------------------------------------------------------------------------------------------------------


def test_figures_older_than_the_last_session_say_so(ana: Browser, cast: Cast) -> None:
    card(cast.ana)
    told_on = clock.today()
    assert "Sessions since then are not in them" not in words(ana, "/benefits/")
    with clock.as_of(clock.now() + timedelta(days=5)):
        client_world.held(cast, days=-2)
        page = words(ana, "/benefits/")
    # The first plan's figures count them on top, told apart; the second plan's do not.
    assert page.count("Sessions since then are not in them") == 1
    assert f"$450.00 of $500.00: Evergreen Health told us on {longdate(told_on)}" in page
    assert "$50.00 more: your 1 session since then, by our count" in page
    assert "Yours Met, by our count" in page


def test_benefits_come_in_the_order_that_is_in_force(ana: Browser, cast: Cast) -> None:
    page = words(ana, "/benefits/")
    assert page.index("Evergreen Health Active") < page.index("Harbor Mutual Active")
    assert "Pays first (primary) Evergreen Health" in page
    assert "Pays second (secondary) Harbor Mutual" in page


def test_meters_show_what_is_used(ana: Browser, cast: Cast) -> None:
    both = Accumulators(Accumulator(D("500.00"), D("120.00")), Accumulator(D("1000.00"), D("0.00")))
    rich = NetworkBenefits(
        copay=D("25.00"), deductible=both, out_of_pocket=Accumulators(Accumulator(None, D("900.00"))),
        visits=Visits(30, 12), telehealth=NetworkBenefits(copay=D("0.00")),
    )  # fmt: skip
    observe(cast.own_plan, Benefits(active=True, plan_name="Evergreen Choice", in_network=rich))
    page = words(ana, "/benefits/")
    assert "Yours $120.00 to go" in page
    assert "$380.00 of $500.00 so far" in page
    assert "$1,000.00 of $1,000.00 so far. Your plan pays its share from now on." in page
    assert "Yours $900.00 to go The insurer has not said how much it is in all" in page
    assert "Visits left this year 12 of 30" in page
    assert "By video $0.00 copay" in page
    assert "Copay for a visit $25.00" in page


def test_what_is_not_known_is_never_zero(ana: Browser, cast: Cast) -> None:
    observe(cast.own_plan, Benefits(active=None, in_network=NetworkBenefits(), conflicts=("Two copays are named.",)))
    page = words(ana, "/benefits/").split("Harbor Mutual")[0]
    assert "Copay for a visit not known yet" in page
    assert "We do not guess" in page
    assert "Two copays are named." in page
    assert "$0.00" not in page


def test_every_change_of_cost_has_its_date_and_reason(ana: Browser, cast: Cast) -> None:
    sessions = [cast.book(days=days) for days in (3, 10, 17)]
    costs.reprice(cast.ana)
    observe(cast.own_plan, benefits(deductible="0.00", coinsurance="0.10"))
    costs.reprice(cast.ana)
    page = words(ana, "/benefits/")
    history = page.split("Every change of your session cost")[1]
    assert f"{longdate(clock.today())} Benefit information corrected" in history
    assert (
        "Before: $72.00 → Now: $16.00 Evergreen Health now tells us that your share is 10%, not 20%, and less of your "
        "deductible is left, so this session costs $16.00 instead of $72.00."
    ) in history
    # The two later sessions changed alike, so they are told once.
    now = costs.current_cost(sessions[1])
    assert now is not None
    assert f"Before: $32.00 → Now: $16.00 {now.breakdown['sentence']}" in history
    assert f"2 sessions, {longdate(sessions[1].date)} to {longdate(sessions[2].date)}" in history


def test_a_first_price_is_no_change(ana: Browser, cast: Cast) -> None:
    cast.book(days=3)
    costs.reprice(cast.ana)
    assert "No change so far" in words(ana, "/benefits/")


def test_check_again_asks_the_insurer_once(ana: Browser, cast: Cast) -> None:
    address = f"/benefits/{cast.own_plan.pk}/check/"
    assert "We are asking Evergreen Health." in ana.post(address, follow=True).content.decode()
    assert "already" in ana.post(address, follow=True).content.decode()
    assert cast.own_plan.checks.count() == 1
    EligibilityCheck.objects.update(state="answered")
    assert "a few minutes ago" in ana.post(address, follow=True).content.decode()
    assert cast.own_plan.checks.count() == 1
    EligibilityCheck.objects.update(created_at=clock.now() - timedelta(minutes=16))
    ana.post(address)
    assert cast.own_plan.checks.count() == 2


# --- Appointments ---------------------------------------------------------------------------------------------------


def test_upcoming_sessions_carry_their_estimate_and_why(ana: Browser, past: Past) -> None:
    page = words(ana, "/appointments/")
    assert "Session with Dr. Cole" in page
    assert "Coinsurance $32.00: 20% of $160.00. $32.00 Estimate" in page


def test_past_sessions_say_how_they_stand(ana: Browser, past: Past) -> None:
    page = words(ana, "/appointments/past/")
    final = page.split("All past sessions")[1]
    assert final.count("Final cost") == 2
    assert "Waiting for your second plan" in final
    assert "Estimate charged" in final
    assert "Evergreen Health paid $88.00 Harbor Mutual paid $40.00" in final
    assert "You paid $72.00; $40.00 came back to you." in final
    assert f"This can take up to 90 days, until {longdate(past.waiting.date + timedelta(days=90))}." in final
    assert "Sent to Evergreen Health. We are waiting for its answer." in final


def test_a_balance_has_its_own_pay_now_button(ana: Browser, past: Past) -> None:
    answer = ana.get("/appointments/past/")
    assert f'href="/appointments/pay/?session={past.owing.pk}"' in answer.content.decode()
    assert "It cost you $90.00; you have paid $32.00." in words(ana, "/appointments/past/")


def test_with_nothing_to_pay_the_page_leads_to_support(eve: Browser) -> None:
    page = eve.get("/appointments/past/").content.decode()
    assert "There is nothing to pay." in page
    assert "/messages/?category=balance" in page


def test_an_answer_overdue_is_said(ana: Browser, cast: Cast) -> None:
    card(cast.ana)
    client_world.held(cast, days=-95)
    assert "It is taking longer than it should" in words(ana, "/appointments/past/")


def test_a_session_explains_its_final_cost(ana: Browser, past: Past) -> None:
    page = words(ana, f"/appointments/{past.refunded.pk}/")
    assert "Every plan has answered. This cost is final." in page
    assert "Full price agreed with your plan $160.00" in page
    assert "Evergreen Health paid $88.00 Harbor Mutual paid $40.00" in page
    assert "You pay $32.00" in page
    assert "Before: $72.00 → Now: $32.00" in page
    assert "Estimate charged at the session $72.00" in page


def test_a_denied_claim_is_not_called_answered(ana: Browser, past: Past) -> None:
    client_world.claim(past.sent, 1).adjudications.all()
    past.sent.claims.filter(rank=1).update(decision="denied")
    assert "Evergreen Health has not paid yet" in words(ana, f"/appointments/{past.sent.pk}/")


# --- Payments and refunds -------------------------------------------------------------------------------------------


def test_a_refund_is_followed_to_the_statement(ana: Browser, past: Past) -> None:
    page = words(ana, "/payments/")
    by = clock.add_business_days(clock.today(), 5)
    assert "$40.00 back to you" in page
    assert "Promised" in page
    assert "Processed" in page
    assert f"On your statement by {longdate(by)}" in page
    assert "My refund did not arrive" not in page


def test_after_five_business_days_the_way_to_support_is_open(ana: Browser, past: Past) -> None:
    refund = Refund.objects.get()
    Refund.objects.update(processed_at=clock.now() - timedelta(days=14))
    page = ana.get("/payments/").content.decode()
    assert "My refund did not arrive" in page
    assert f'href="/messages/?category=refund&amp;reference=refund+{refund.pk}#ask"' in page
    asked = ana.get(f"/messages/?category=refund&reference=refund+{refund.pk}").content.decode()
    assert f'value="refund {refund.pk}"' in asked
    assert '<option value="refund" selected>' in asked


def test_payments_and_cards_are_listed(ana: Browser, past: Past) -> None:
    page = words(ana, "/payments/")
    assert page.count("Visa ending in 4242") >= 5
    assert "Charged for sessions" in page


# --- Plans ----------------------------------------------------------------------------------------------------------


def test_the_right_order_is_told_with_its_reason(ana: Browser, cast: Cast) -> None:
    page = words(ana, "/plans/")
    assert "We put your plans in the right order" in page
    assert "is your own plan; it pays before" in page
    assert PlanOrder.objects.get().changed


def test_a_second_plan_that_cannot_be_billed_is_explained(ana: Browser, cast: Cast) -> None:
    Credential.objects.filter(payer=cast.harbor).delete()
    cast.book(days=3)
    page = words(ana, "/plans/")
    assert "Dr. Cole is not credentialed with Harbor Mutual" in page
    assert "Your care goes on with your first plan." in page


def test_a_plan_is_added_and_its_insurer_asked(eve: Browser, cast: Cast) -> None:
    typed = {
        "payer": cast.harbor.pk, "member_id": " hm-7781 ", "plan_type": "group", "holder": "spouse",
        "holder_first_name": "Sam", "holder_last_name": "Stone", "holder_born": "1985-05-01",
        "holder_status": "active", "employer_size": "250",
    }  # fmt: skip
    answer = eve.post("/plans/add/", typed)
    assert answer.status_code == 302
    plan = Coverage.objects.get(client=cast.eve)
    assert (plan.member_id, plan.holder, plan.holder_last_name, plan.employer_size) == (
        "HM-7781",
        "spouse",
        "Stone",
        250,
    )
    assert plan.checks.get().reason == "plan_added"
    assert "We are asking Harbor Mutual now" in words(eve, "/plans/")


def test_what_was_typed_stays_and_the_fault_is_beside_its_field(eve: Browser, cast: Cast) -> None:
    answer = eve.post(
        "/plans/add/", {"payer": cast.harbor.pk, "member_id": "??", "plan_type": "group", "holder": "spouse"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="??"' in page
    assert "A member ID has letters and digits only" in page
    assert "Please enter the birthday of the person whose plan it is." in page
    assert not Coverage.objects.filter(client=cast.eve).exists()


def test_the_same_plan_twice_is_refused_at_its_field(ana: Browser, cast: Cast) -> None:
    answer = ana.post(
        "/plans/add/", {"payer": cast.evergreen.pk, "member_id": "ev100", "plan_type": "group", "holder": "self"}
    )
    assert "This plan is on your account already." in answer.content.decode()
    assert Coverage.objects.filter(client=cast.ana).count() == 2


def test_a_removed_plan_leaves_the_order_and_the_prices(ana: Browser, cast: Cast) -> None:
    session = cast.book(days=3)
    costs.reprice(cast.ana)
    ana.get(f"/plans/{cast.own_plan.pk}/remove/")
    assert Coverage.objects.filter(client=cast.ana, removed_at=None).count() == 2
    ana.post(f"/plans/{cast.own_plan.pk}/remove/")
    cast.own_plan.refresh_from_db()
    assert cast.own_plan.removed_at is not None
    now = costs.current_cost(session)
    assert now is not None
    assert (now.coverage_id, now.reason) == (cast.bens_plan.pk, "new_plan")


def test_a_plan_with_an_open_question_stays(ana: Browser, cast: Cast) -> None:
    pauses.open_pause(coverage=cast.own_plan, evidence="835")
    page = ana.post(f"/plans/{cast.own_plan.pk}/remove/", follow=True).content.decode()
    assert "Evergreen Health still needs a call from you" in page
    cast.own_plan.refresh_from_db()
    assert cast.own_plan.removed_at is None


def test_the_reference_number_starts_a_new_check(ana: Browser, cast: Cast) -> None:
    pause, _new = pauses.open_pause(coverage=cast.own_plan, evidence="835")
    empty = ana.post(f"/plans/pauses/{pause.pk}/reference/", {"reference_number": " "})
    assert empty.status_code == 422
    assert "Please enter the reference number" in empty.content.decode()
    assert not cast.own_plan.checks.exists()

    ana.post(f"/plans/pauses/{pause.pk}/reference/", {"reference_number": "REF-88"})
    pause.refresh_from_db()
    assert pause.reference_number == "REF-88"
    assert cast.own_plan.checks.get().reason == "cob_reference"
    assert "We are checking with Evergreen Health again. Your reference number is REF-88." in words(ana, "/plans/")

    EligibilityCheck.objects.update(state="answered")
    assert "its records are not right yet" in words(ana, "/plans/")


# --- Messages -------------------------------------------------------------------------------------------------------


def test_a_question_is_asked_once_and_its_answer_shown(ana: Browser, cast: Cast) -> None:
    question = {"category": "refund", "reference": "refund 12", "body": "Where is it?"}
    ana.post("/messages/", question)
    ana.post("/messages/", question)
    asked = SupportRequest.objects.get()
    assert (asked.client, asked.author, asked.reference) == (cast.ana, cast.ana.user, "refund 12")
    assert "We are on it" in words(ana, "/messages/")
    SupportRequest.objects.update(state="answered", answer="It arrived today.", answered_at=clock.now())
    page = words(ana, "/messages/")
    assert "Answered" in page
    assert "It arrived today." in page


def test_an_empty_question_is_not_sent(ana: Browser, cast: Cast) -> None:
    answer = ana.post("/messages/", {"category": "other", "body": "  ", "reference": ""})
    assert answer.status_code == 422
    assert not SupportRequest.objects.exists()


# --- Work done per page ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/home/", 32),
        ("/benefits/", 64),
        ("/benefits/what-if/", 34),
        ("/benefits/what-if/?rhythm=two_weeks", 60),
        ("/appointments/", 18),
        ("/appointments/past/", 20),
        ("/payments/", 21),
        ("/plans/", 20),
        ("/messages/", 8),
    ],
)
def test_a_page_asks_a_bounded_number_of_questions(
    ana: Browser, cast: Cast, past: Past, address: str, most: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for days in (12, 19, 26, 33):
        cast.book(days=days)
        client_world.held(cast, days=-50 - days)
    costs.reprice(cast.ana)
    with django_assert_max_num_queries(most):
        assert ana.get(address).status_code == 200


def test_no_cache_keeps_a_page(ana: Browser, cast: Cast, settings: Settings) -> None:
    assert "no-store" in ana.get("/home/")["Cache-Control"]
