"""Paying, saving and removing cards from the pages, against Stripe's stand-in."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from billing.flows import confirm_session, void_session
from billing.gateways.stripe_gateway import gateway
from billing.ledger.posting import Book, Posting, post
from billing.models import CardConsent, Payment, PaymentCard
from billing.services import payments
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from headway.demo.cast import save_card
from tests.cast import Cast, assemble
from tests.stand_ins import STRIPE_SECRET, WEBHOOK_SECRET, StripeStandIn, stripe_stand_in

D = Decimal


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeStandIn]:
    with stripe_stand_in(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def stripe(_server: StripeStandIn, settings: Settings) -> Iterator[StripeStandIn]:
    settings.STRIPE_API_BASE = _server.base
    settings.STRIPE_SECRET_KEY = STRIPE_SECRET
    settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
    gateway.cache_clear()
    yield _server
    _server.no_faults()
    gateway.cache_clear()


@pytest.fixture
def cast(db: None, stripe: StripeStandIn) -> Cast:
    return assemble()


@pytest.fixture
def ana(cast: Cast) -> Browser:
    browser = Browser()
    assert cast.ana.user is not None
    browser.force_login(cast.ana.user)
    return browser


def owed(cast: Cast, amount: str, days: int = 0) -> Session:
    """A held session with a final cost of ``amount`` and nothing paid."""
    session = cast.book(days=days)
    post(
        key=f"cost:test:{session.pk}",
        memo="test",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, D(amount), client=session.client_id, session=session.pk),
            Posting(Book.SESSION_REVENUE, -D(amount)),
        ],
    )
    return session


def card(cast: Cast, token: str = "pm_card_visa") -> PaymentCard:
    save_card(cast.ana, token)
    return cast.ana.cards.latest("pk")


def form(session: Session | None, shown: str, saved: PaymentCard | None) -> dict[str, str]:
    sent = {"shown": shown, "payment_method": saved.payment_method_id if saved else ""}
    return sent | ({"session": str(session.pk)} if session else {})


# --- Without script: a saved card ------------------------------------------------------------------------------------


def test_the_page_shows_the_amount_that_will_be_agreed_to(cast: Cast, ana: Browser) -> None:
    saved = card(cast)
    one, _other = owed(cast, "58.00"), owed(cast, "20.00", days=-7)
    page = ana.get(f"/appointments/pay/?session={one.pk}").content.decode()
    assert '<input type="hidden" name="shown" value="58.00">' in page
    assert f'value="{saved.payment_method_id}" checked' in page
    assert "Pay $58.00" in page
    assert "Pay everything that is due at once" in page
    assert '<input type="hidden" name="shown" value="78.00">' in ana.get("/appointments/pay/").content.decode()


def test_a_saved_card_pays_and_the_receipt_follows(cast: Cast, ana: Browser) -> None:
    saved, session = card(cast), owed(cast, "58.00")
    answer = ana.post("/appointments/pay/", form(session, "58.00", saved), follow=True)
    payment = Payment.objects.get()
    assert answer.redirect_chain == [(f"/payments/{payment.pk}/", 302)]
    assert "You paid $58.00" in answer.content.decode()
    assert "Visa ending in 4242" in answer.content.decode()
    assert session_balance(session).due == D("0.00")


def test_a_double_click_and_a_second_tab_pay_once(cast: Cast, ana: Browser) -> None:
    saved, session = card(cast), owed(cast, "58.00")
    ana.post("/appointments/pay/", form(session, "58.00", saved))
    again = ana.post("/appointments/pay/", form(session, "58.00", saved))
    assert again.status_code == 409
    assert "There is nothing to pay here" in again.content.decode()
    assert Payment.objects.count() == 1


def test_several_sessions_are_paid_at_once_and_none_ticked_is_none(cast: Cast, ana: Browser) -> None:
    saved = card(cast)
    first, second, third = owed(cast, "58.00"), owed(cast, "20.00", -7), owed(cast, "5.00", -14)
    nothing = ana.get("/appointments/pay/?choose=1", follow=True)
    assert nothing.redirect_chain == [("/appointments/past/", 302)]
    assert "Please choose at least one session to pay." in nothing.content.decode()
    ana.post(
        "/appointments/pay/",
        {"session": [first.pk, second.pk], "shown": "78.00", "payment_method": saved.payment_method_id},
    )
    assert Payment.objects.get().amount == D("78.00")
    assert session_balance(third).due == D("5.00")


def test_an_amount_that_has_changed_is_shown_again_before_anything_is_taken(cast: Cast, ana: Browser) -> None:
    saved, session = card(cast), owed(cast, "58.00")
    answer = ana.post("/appointments/pay/", form(session, "50.00", saved))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "has changed since this page was shown" in page
    assert '<input type="hidden" name="shown" value="58.00">' in page
    assert not Payment.objects.exists()


@pytest.mark.parametrize("shown", ["", "abc", "-5.00", "1e3"])
def test_an_amount_that_is_none_takes_nothing(cast: Cast, ana: Browser, shown: str) -> None:
    saved, session = card(cast), owed(cast, "58.00")
    assert ana.post("/appointments/pay/", form(session, shown, saved)).status_code == 422
    assert not Payment.objects.exists()


def test_a_declined_card_is_said_and_another_can_be_chosen(cast: Cast, ana: Browser) -> None:
    bad, session = card(cast, "pm_card_chargeCustomerFail"), owed(cast, "58.00")
    answer = ana.post("/appointments/pay/", form(session, "58.00", bad))
    assert answer.status_code == 402
    assert "Nothing was taken." in answer.content.decode()
    assert session_balance(session).due == D("58.00")
    assert "Try again" in ana.get(f"/payments/{Payment.objects.get().pk}/").content.decode()
    good = card(cast)
    ana.post("/appointments/pay/", form(session, "58.00", good))
    assert session_balance(session).due == D("0.00")


def test_a_charge_for_a_session_that_was_taken_back_asks_for_nothing(cast: Cast, ana: Browser) -> None:
    card(cast)
    session = cast.book(days=-1)
    confirm_session.confirm(session)
    void_session.void(session, reason="It did not take place.", by=cast.fay)
    page = ana.get(f"/payments/{Payment.objects.get().pk}/").content.decode()
    assert "The session was voided." in page
    assert "There is nothing to pay any more" in page
    assert "declined" not in page
    assert "Try again" not in page


def test_an_expired_card_is_not_offered(cast: Cast, ana: Browser) -> None:
    saved, session = card(cast), owed(cast, "58.00")
    PaymentCard.objects.update(exp_year=2020)
    assert saved.payment_method_id not in ana.get("/appointments/pay/").content.decode()
    assert ana.post("/appointments/pay/", form(session, "58.00", saved)).status_code == 422


def test_no_answer_is_no_failure_and_is_never_charged_twice(cast: Cast, ana: Browser, stripe: StripeStandIn) -> None:
    saved, session = card(cast), owed(cast, "58.00")
    stripe.fault("POST /v1/payment_intents", "timeout_after", count=10)
    answer = ana.post("/appointments/pay/", form(session, "58.00", saved), follow=True)
    payment = Payment.objects.get()
    assert payment.state == "unknown"
    assert "We are checking your payment" in answer.content.decode()
    assert "You will not be charged twice." in answer.content.decode()
    assert "Your payment is on its way" in ana.get("/appointments/pay/").content.decode()
    stripe.no_faults()
    ana.post(f"/payments/{payment.pk}/refresh/")
    payment.refresh_from_db()
    assert payment.state == "succeeded"
    assert len(stripe.call("GET", "payment_intents", customer=cast.ana.stripe_customer.customer_id).json()["data"]) == 1


def test_stripe_out_of_reach_is_said(cast: Cast, ana: Browser, settings: Settings) -> None:
    saved, session = card(cast), owed(cast, "58.00")
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    gateway.cache_clear()
    answer = ana.post("/appointments/pay/", form(session, "58.00", saved), follow=True)
    assert answer.status_code in (200, 503)
    assert "You will not be charged twice" in answer.content.decode()


# --- With script -----------------------------------------------------------------------------------------------------


def test_a_new_card_gets_a_secret_and_two_tabs_the_same_one(cast: Cast, ana: Browser) -> None:
    session = owed(cast, "58.00")
    first = ana.post("/appointments/pay/intent/", form(session, "58.00", None)).json()
    second = ana.post("/appointments/pay/intent/", form(session, "58.00", None)).json()
    assert set(first) == {"client_secret"}
    assert first == second
    assert Payment.objects.get().state == "requires_action"
    assert "This payment is not finished" in ana.get(f"/payments/{Payment.objects.get().pk}/").content.decode()


def test_a_saved_card_needs_no_secret(cast: Cast, ana: Browser) -> None:
    saved, session = card(cast), owed(cast, "58.00")
    answer = ana.post("/appointments/pay/intent/", form(session, "58.00", saved))
    assert answer.json() == {"redirect": f"/payments/{Payment.objects.get().pk}/"}


def test_a_refused_card_is_an_error_beside_the_form(cast: Cast, ana: Browser) -> None:
    bad, session = card(cast, "pm_card_chargeCustomerFail"), owed(cast, "58.00")
    answer = ana.post("/appointments/pay/intent/", form(session, "58.00", bad))
    assert answer.status_code == 402
    assert "Nothing was taken." in answer.json()["error"]


@pytest.mark.parametrize("way", ["form", "return"])
def test_the_browser_s_word_is_checked_at_stripe(cast: Cast, ana: Browser, stripe: StripeStandIn, way: str) -> None:
    session = owed(cast, "58.00")
    ana.post("/appointments/pay/intent/", form(session, "58.00", None))
    payment = Payment.objects.get()

    def come_back() -> str:
        if way == "form":
            sent = form(session, "58.00", None) | {"intent": str(payment.payment_intent_id)}
            return ana.post("/appointments/pay/", sent, follow=True).content.decode()
        return ana.get(f"/payments/return/?payment_intent={payment.payment_intent_id}", follow=True).content.decode()

    assert "This payment is not finished" in come_back()
    assert session_balance(session).due == D("58.00")
    stripe.call("POST", f"payment_intents/{payment.payment_intent_id}/confirm", payment_method="pm_card_visa")
    assert "You paid $58.00" in come_back()
    assert session_balance(session).due == D("0.00")


def test_without_script_a_new_card_is_explained(cast: Cast, ana: Browser) -> None:
    session = owed(cast, "58.00")
    answer = ana.post("/appointments/pay/", form(session, "58.00", None))
    assert answer.status_code == 422
    assert "your browser has to run JavaScript" in answer.content.decode()
    assert not Payment.objects.exists()


# --- Cards -----------------------------------------------------------------------------------------------------------


def test_a_card_is_saved_only_with_consent(cast: Cast, ana: Browser, stripe: StripeStandIn) -> None:
    refused = ana.post("/payments/cards/intent/", {})
    assert refused.status_code == 422
    assert "tick the box" in refused.json()["error"]

    secret = ana.post("/payments/cards/intent/", {"agree": "on"}).json()["client_secret"]
    setup = secret.split("_secret")[0]
    early = ana.post("/payments/cards/add/", {"agree": "on", "intent": setup})
    assert "The card was not saved." in early.content.decode()
    stripe.call("POST", f"setup_intents/{setup}/confirm", payment_method="pm_card_mastercard")
    saved = ana.post("/payments/cards/add/", {"agree": "on", "intent": setup}, follow=True)
    assert "Mastercard ending in 4444 is saved." in saved.content.decode()
    assert CardConsent.objects.get().card == cast.ana.cards.get()


def test_somebody_else_s_saved_card_is_refused(cast: Cast, ana: Browser, stripe: StripeStandIn) -> None:
    eve = Browser()
    assert cast.eve.user is not None
    eve.force_login(cast.eve.user)
    secret = eve.post("/payments/cards/intent/", {"agree": "on"}).json()["client_secret"]
    setup = secret.split("_secret")[0]
    stripe.call("POST", f"setup_intents/{setup}/confirm", payment_method="pm_card_visa")
    assert ana.post("/payments/cards/add/", {"agree": "on", "intent": setup}).status_code == 409
    assert not PaymentCard.objects.exists()


def test_a_setup_that_stripe_does_not_know_saves_nothing(cast: Cast, ana: Browser) -> None:
    assert ana.post("/payments/cards/add/", {"agree": "on", "intent": "seti_made_up"}).status_code == 503
    assert not PaymentCard.objects.exists()


def test_one_card_is_charged_and_a_removed_one_keeps_its_history(cast: Cast, ana: Browser) -> None:
    first, session = card(cast), owed(cast, "58.00")
    ana.post("/appointments/pay/", form(session, "58.00", first))
    second = card(cast, "pm_card_mastercard")
    assert [each.is_default for each in (PaymentCard.objects.get(pk=first.pk), second)] == [False, True]
    ana.post(f"/payments/cards/{first.pk}/default/")
    assert PaymentCard.objects.get(is_default=True) == first

    page = ana.get(f"/payments/cards/{first.pk}/remove/").content.decode()
    assert "From then on we charge Mastercard ending in 4444." in page
    assert PaymentCard.objects.get(pk=first.pk).removed_at is None
    said = ana.post(f"/payments/cards/{first.pk}/remove/", follow=True).content.decode()
    assert "Visa ending in 4242 is removed. We charge Mastercard ending in 4444 from now on." in said
    assert PaymentCard.objects.get(is_default=True) == second
    assert Payment.objects.get().card == first
    assert [each.last4 for each in gateway().list_payment_methods(cast.ana.stripe_customer.customer_id)] == ["4444"]


def test_removing_the_last_card_before_a_session_warns(cast: Cast, ana: Browser) -> None:
    saved = card(cast)
    cast.book(days=3)
    page = ana.get(f"/payments/cards/{saved.pk}/remove/").content.decode()
    assert "You have a session coming up" in page
    ana.post(f"/payments/cards/{saved.pk}/remove/")
    assert not cast.ana.cards.filter(removed_at=None).exists()


def test_a_card_with_a_payment_under_way_stays(cast: Cast, ana: Browser) -> None:
    saved, session = card(cast), owed(cast, "58.00")
    payments.begin_pay_now(client=cast.ana, session_ids=[session.pk], card=saved)
    said = ana.post(f"/payments/cards/{saved.pk}/remove/", follow=True).content.decode()
    assert "A payment with this card is under way." in said
    assert PaymentCard.objects.get(pk=saved.pk).removed_at is None
