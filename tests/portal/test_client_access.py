"""A client's pages open to that client alone. Whoever is turned away has changed nothing."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from billing.models import Payment
from insurance.models import AccountPause, Coverage, EligibilityCheck
from insurance.services import pauses
from people.models import Role, User
from tests.cast import Cast, assemble, user
from tests.portal import client_world
from tests.portal.client_world import Past

OPEN = (
    "/home/", "/benefits/", "/appointments/", "/appointments/past/", "/appointments/pay/", "/payments/",
    "/payments/cards/add/", "/plans/", "/plans/add/", "/messages/",
)  # fmt: skip


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def past(cast: Cast) -> Past:
    return client_world.live(cast)


@pytest.fixture
def pause(past: Past, cast: Cast) -> AccountPause:
    return pauses.open_pause(coverage=cast.own_plan, evidence="835")[0]


def signed_in(account: User | None) -> Browser:
    browser = Browser()
    assert account is not None
    browser.force_login(account)
    return browser


WHO: dict[str, Callable[[Cast], User | None]] = {
    "eve": lambda cast: cast.eve.user,
    "diaz": lambda cast: cast.diaz.user,
    "cole": lambda cast: cast.cole.user,
    "fay": lambda cast: cast.fay,
}


@pytest.mark.parametrize("address", OPEN)
def test_a_visitor_signs_in_first(cast: Cast, address: str) -> None:
    answer = Browser().get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("address", OPEN)
@pytest.mark.parametrize("who", ["diaz", "cole", "fay"])
def test_providers_and_support_have_no_such_page(cast: Cast, who: str, address: str) -> None:
    assert signed_in(WHO[who](cast)).get(address).status_code == 404


def test_an_account_without_a_record_is_told_how_to_get_one(db: None) -> None:
    answer = signed_in(user("new@example.com", Role.CLIENT)).get("/home/")
    assert answer.status_code == 404
    assert "not linked to a client" in answer.content.decode()


@pytest.mark.parametrize("who", list(WHO))
def test_ana_s_things_do_not_exist_for_others(cast: Cast, past: Past, pause: AccountPause, who: str) -> None:
    browser = signed_in(WHO[who](cast))
    payment = Payment.objects.filter(client=cast.ana).first()
    assert payment is not None
    for address in (
        f"/appointments/{past.refunded.pk}/",
        f"/payments/{payment.pk}/",
        f"/payments/return/?payment_intent={payment.payment_intent_id}",
        f"/payments/cards/{past.card.pk}/remove/",
        f"/plans/{cast.own_plan.pk}/remove/",
    ):
        assert browser.get(address).status_code == 404, address


@pytest.mark.parametrize("who", list(WHO))
def test_nobody_else_changes_ana_s_things(cast: Cast, past: Past, pause: AccountPause, who: str) -> None:
    browser = signed_in(WHO[who](cast))
    payment = Payment.objects.filter(client=cast.ana).first()
    assert payment is not None
    checks, attempts = EligibilityCheck.objects.count(), Payment.objects.count()
    for address, sent in (
        (f"/payments/cards/{past.card.pk}/remove/", {}),
        (f"/payments/cards/{past.card.pk}/default/", {}),
        (f"/payments/{payment.pk}/refresh/", {}),
        (f"/plans/{cast.own_plan.pk}/remove/", {}),
        (f"/benefits/{cast.own_plan.pk}/check/", {}),
        (f"/plans/pauses/{pause.pk}/reference/", {"reference_number": "MINE"}),
        ("/appointments/pay/", {"intent": str(payment.payment_intent_id)}),
    ):
        assert browser.post(address, sent).status_code == 404, address
    past.card.refresh_from_db()
    pause.refresh_from_db()
    assert past.card.removed_at is None
    assert pause.reference_number == ""
    assert Coverage.objects.get(pk=cast.own_plan.pk).removed_at is None
    assert (EligibilityCheck.objects.count(), Payment.objects.count()) == (checks, attempts)


def test_eve_cannot_pay_for_ana_s_session(cast: Cast, past: Past) -> None:
    browser = signed_in(cast.eve.user)
    assert "There is nothing to pay here" in browser.get(f"/appointments/pay/?session={past.owing.pk}").content.decode()
    attempts = Payment.objects.count()
    answer = browser.post(
        "/appointments/pay/intent/",
        {"session": str(past.owing.pk), "shown": "58.00", "payment_method": past.card.payment_method_id},
    )
    assert answer.status_code == 422
    assert "cannot be used any more" in answer.json()["error"]
    assert Payment.objects.count() == attempts


@pytest.mark.parametrize(
    "address", ["/payments/1/refresh/", "/benefits/1/check/", "/appointments/pay/intent/", "/payments/cards/1/default/"]
)
def test_what_changes_something_is_never_a_link(cast: Cast, address: str) -> None:
    assert signed_in(cast.ana.user).get(address).status_code == 405
