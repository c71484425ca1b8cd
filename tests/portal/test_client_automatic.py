"""Payment plans and autopay on the client's pages: agreed to in words, told truthfully, stopped with one click."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from billing.models import Autopay, AutopayNotice, Payment, PaymentPlan
from billing.services import autopay, payment_plans
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from notifications.models import Email
from tests.cast import Cast
from tests.portal.test_client_pay import _server, ana, card, cast, owed, stripe  # noqa: F401

D = Decimal


@pytest.fixture(autouse=True)
def _the_day() -> Iterator[None]:
    """Sunday 22 November 2026, in the evening."""
    with clock.as_of(datetime.combine(date(2026, 11, 22), time(20), tzinfo=clock.BUSINESS_ZONE)):
        yield


def words(browser: Browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def begin(browser: Browser, shown: str = "70.00", **more: str) -> int:
    return browser.post("/payments/plan/", {"shown": shown, "first_on": "2026-11-22", "agree": "on"} | more).status_code


# --- Payment plans ----------------------------------------------------------------------------------------------------


def test_a_plan_is_offered_agreed_to_and_told_everywhere(cast: Cast, ana: Browser) -> None:  # noqa: F811
    card(cast)
    session = owed(cast, "70.00", days=-20)
    assert "share the $70.00 out over two months" in words(ana, "/payments/")
    assert "Or pay in three monthly parts" in words(ana, "/appointments/pay/")
    offer = words(ana, "/payments/plan/")
    for told in ("Sun 22 Nov 2026", "Tue 22 Dec 2026", "Fri 22 Jan 2027", "$23.34", "without interest or fees"):
        assert told in offer, told
    assert begin(ana) == 302
    plan = PaymentPlan.objects.get()
    assert Payment.objects.get().state == "succeeded", "the client is here: the first part is taken at once"
    short = "$46.66 in a plan: next $23.33 on Tue 22 Dec 2026."
    for address in ("/payments/", "/payments/plan/", "/appointments/past/"):
        assert short in words(ana, address), address
    assert "Nothing to pay now." in words(ana, "/payments/")
    assert "See your payment plan" in words(ana, "/appointments/past/")
    assert "$46.66 is in your payment plan" in words(ana, f"/appointments/pay/?session={session.pk}")
    quoted = "\n".join(f"> {line}" for line in plan.text.splitlines())
    assert quoted in Email.objects.get(kind="payment_plan_agreed").text


def test_a_plan_needs_the_tick_the_sum_that_was_shown_and_a_card(cast: Cast, ana: Browser) -> None:  # noqa: F811
    owed(cast, "70.00", days=-20)
    assert "Add a card first" in words(ana, "/payments/plan/")
    card(cast)
    assert ana.post("/payments/plan/", {"shown": "70.00"}).status_code == 422
    assert begin(ana, "69.00") == 409
    assert begin(ana, "much") == 422
    assert begin(ana, first_on="2026-11-21") == begin(ana, first_on="soon") == 409, "another day than was agreed to"
    assert not PaymentPlan.objects.exists()
    assert begin(ana) == begin(ana) == 302
    assert (PaymentPlan.objects.count(), Payment.objects.count()) == (1, 1), "a double click begins one plan"


def test_a_first_part_that_the_bank_refuses_leads_to_paying_it(cast: Cast, ana: Browser) -> None:  # noqa: F811
    card(cast, "pm_card_chargeCustomerFail")
    owed(cast, "70.00", days=-20)
    answer = ana.post("/payments/plan/", {"shown": "70.00", "first_on": "2026-11-22", "agree": "on"})
    assert answer["Location"] == f"/payments/{Payment.objects.get().pk}/"
    assert "You have $23.34 to pay." in words(ana, "/payments/")
    assert "Not paid" in words(ana, "/payments/plan/")


def test_paying_the_rest_early_closes_the_plan(cast: Cast, ana: Browser) -> None:  # noqa: F811
    saved = card(cast)
    session = owed(cast, "70.00", days=-20)
    begin(ana)
    page = ana.get("/appointments/pay/?early=1").content.decode()
    assert '<input type="hidden" name="early" value="1">' in page
    assert '<input type="hidden" name="shown" value="46.66">' in page
    sent = {"shown": "46.66", "early": "1", "session": str(session.pk), "payment_method": saved.payment_method_id}
    assert ana.post("/appointments/pay/", sent).status_code == 302
    assert PaymentPlan.objects.get().state == "done"
    assert session_balance(session).booked == 0


def test_a_plan_is_ended_by_its_client_only(cast: Cast, ana: Browser) -> None:  # noqa: F811
    card(cast)
    owed(cast, "70.00", days=-20)
    begin(ana)
    plan = PaymentPlan.objects.get()
    stranger = Browser()
    assert cast.eve.user is not None
    stranger.force_login(cast.eve.user)
    assert stranger.post(f"/payments/plan/{plan.pk}/end/").status_code == 404
    ana.post(f"/payments/plan/{plan.pk}/end/")
    plan.refresh_from_db()
    assert plan.state == "ended"
    assert "You have $46.66 to pay." in words(ana, "/payments/")


def test_the_last_card_of_a_plan_says_why_it_stays(cast: Cast, ana: Browser) -> None:  # noqa: F811
    saved = card(cast)
    owed(cast, "70.00", days=-20)
    begin(ana)
    page = words(ana, f"/payments/cards/{saved.pk}/remove/")
    assert "Your payment plan is charged to this card. Please add another card first, or end the plan." in page
    assert "Remove this card" not in page
    answer = ana.post(f"/payments/cards/{saved.pk}/remove/", follow=True)
    assert "Your payment plan is charged to this card" in answer.content.decode()
    saved.refresh_from_db()
    assert saved.removed_at is None


def test_too_little_is_not_shared_out(cast: Cast, ana: Browser) -> None:  # noqa: F811
    card(cast)
    owed(cast, "59.99", days=-20)
    assert "There is nothing to share out" in words(ana, "/payments/plan/")
    assert "three monthly parts" not in words(ana, "/appointments/pay/")


# --- Autopay ----------------------------------------------------------------------------------------------------------


def announced(cast: Cast, amount: str = "22.50") -> Session:  # noqa: F811
    session = owed(cast, amount, days=-20)
    autopay.ask(session, D(amount), cause=str(session.pk))
    return session


def test_autopay_is_turned_on_with_consent_and_off_again(cast: Cast, ana: Browser) -> None:  # noqa: F811
    assert "Add a card first" in words(ana, "/payments/autopay/")
    card(cast)
    assert ana.post("/payments/autopay/", {"limit": "50"}).status_code == 422
    for limit in ("", "4", "501", "fifty", "-5", "1e2"):
        answer = ana.post("/payments/autopay/", {"limit": limit, "agree": "on"})
        assert answer.status_code == 422, limit
    assert 'value="1e2"' in answer.content.decode(), "what was typed stays"
    assert ana.post("/payments/autopay/", {"limit": " $50.00 ", "agree": "on"}).status_code == 302
    assert Autopay.objects.get().limit == D("50.00")
    assert "On, up to $50.00 at once." in words(ana, "/payments/autopay/")
    assert "On, up to $50.00 at once." in words(ana, "/payments/")
    session = announced(cast)
    page = words(ana, "/payments/autopay/")
    assert "$22.50 on Fri 27 Nov 2026" in page
    assert f"reference=session+{session.pk}#ask" in ana.get("/payments/autopay/").content.decode()
    ana.post("/payments/autopay/stop/")
    assert AutopayNotice.objects.get().cancelled_at is not None
    assert "Autopay is off." in words(ana, "/payments/autopay/")


def test_one_announced_charge_is_stopped(cast: Cast, ana: Browser) -> None:  # noqa: F811
    card(cast)
    autopay.start(cast.ana, limit=D("50.00"))
    session = announced(cast)
    notice = AutopayNotice.objects.get()
    ana.post(f"/payments/autopay/charges/{notice.pk}/stop/")
    assert "Nothing is coming" in words(ana, "/payments/autopay/")
    assert session_balance(session).due == D("22.50")
    assert autopay.in_force(cast.ana) is not None


# --- Nothing to pay ---------------------------------------------------------------------------------------------------


def test_a_letter_about_a_session_with_nothing_to_pay_leads_to_support(
    cast: Cast,  # noqa: F811
    ana: Browser,  # noqa: F811
) -> None:
    session = cast.book(days=-20)
    page = ana.get(f"/appointments/past/?session={session.pk}").content.decode()
    assert "There is nothing to pay for your session of Mon 2 Nov 2026." in page
    asked = f"/messages/?category=balance&amp;reference=session+{session.pk}#ask"
    assert asked in page
    assert asked in ana.get(f"/appointments/pay/?session={session.pk}").content.decode()
    assert f'value="session {session.pk}"' in ana.get(asked.replace("&amp;", "&")).content.decode()
    theirs = cast.book(days=-21, client=cast.eve)
    for strange in (str(theirs.pk), "x", "9" * 30, "²"):
        assert "There is nothing to pay." in words(ana, f"/appointments/past/?session={strange}")


# --- Work done per page -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "most"),
    [("/payments/", 40), ("/payments/plan/", 24), ("/payments/autopay/", 12), ("/appointments/past/", 34)],
)
def test_pages_ask_the_database_a_bounded_number_of_times(
    cast: Cast,  # noqa: F811
    ana: Browser,  # noqa: F811
    django_assert_max_num_queries: DjangoAssertNumQueries,
    address: str,
    most: int,
) -> None:
    card(cast)
    autopay.start(cast.ana, limit=D("50.00"))
    for days in range(-28, -14):
        owed(cast, "20.00", days=days)
    payment_plans.agree(cast.ana, shown=D("280.00"))
    for days in range(-10, -2):
        autopay.ask(owed(cast, "20.00", days=days), D("20.00"), cause=str(days))
    ana.get(address)
    with django_assert_max_num_queries(most):
        ana.get(address)
