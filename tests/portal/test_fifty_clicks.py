"""Fifty clicks on "pay now" at the same moment, sent to the real web server: one payment."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import requests
from django.conf import settings
from django.test import Client as Browser

from billing.gateways.stripe_gateway import gateway
from billing.ledger.posting import Book, balance
from billing.models import Payment
from billing.services.balances import session_balance
from headway.demo.cast import save_card
from headway.stack import Stack
from tests.billing.stripe_drive import costs
from tests.cast import assemble

D = Decimal
CLICKS = 50


@pytest.mark.stack
@pytest.mark.django_db(transaction=True)
def test_fifty_clicks_at_once_on_one_balance_end_in_one_payment(stack: Stack) -> None:
    gateway.cache_clear()  # it knows another stand-in's address
    cast = assemble()
    save_card(cast.ana)
    card = cast.ana.cards.get()
    session = cast.book()
    costs(session, "68.00")
    ana = Browser()
    assert cast.ana.user is not None
    ana.force_login(cast.ana.user)
    token = "f" * 32
    cookies = {
        settings.SESSION_COOKIE_NAME: ana.cookies[settings.SESSION_COOKIE_NAME].value,
        settings.CSRF_COOKIE_NAME: token,
    }
    form = {
        "csrfmiddlewaretoken": token,
        "payment_method": card.payment_method_id,
        "session": str(session.pk),
        "shown": "68.00",
    }

    def click(_: int) -> requests.Response:
        return requests.post(
            f"{stack.web_url}/appointments/pay/", data=form, cookies=cookies, timeout=60, allow_redirects=False
        )

    with ThreadPoolExecutor(CLICKS) as pool:
        answers = list(pool.map(click, range(CLICKS)))
    payment = Payment.objects.get()
    assert (payment.state, payment.amount, balance(Book.STRIPE)) == ("succeeded", D("68.00"), D("68.00"))
    assert session_balance(session).due == D("0.00")
    listed = requests.get(
        f"http://127.0.0.1:{stack.ports.stripe}/v1/payment_intents",
        params={"customer": cast.ana.stripe_customer.customer_id},
        headers={"Authorization": f"Bearer {settings.STRIPE_SECRET_KEY}"},
        timeout=10,
    ).json()["data"]
    assert [(one["amount"], one["status"]) for one in listed] == [(6800, "succeeded")]
    # Every click is led to the payment, or told that nothing is left to pay; none fails.
    came_to = Counter((answer.status_code, answer.headers.get("Location")) for answer in answers)
    assert set(came_to) <= {(302, f"/payments/{payment.pk}/"), (409, None), (422, None)}, came_to
    assert came_to[302, f"/payments/{payment.pk}/"] >= 1
    gateway.cache_clear()
