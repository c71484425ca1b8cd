"""Payment plans and autopay in a real browser, on phone and wide screen, light and dark, in every state they have.

``SHOTS=folder`` keeps a picture of each page.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from billing.models import Payment, PaymentPlan
from billing.services import autopay, payment_plans
from care.models import CareRelationship
from common import clock
from people.models import Client
from tests.billing.test_pay_now import owes
from tests.billing.test_payment_plans import answer, decline
from tests.billing.test_retries import adjust
from tests.cast import LONG_AGO, Cast, card, client
from tests.portal.test_plans_browser import Looker, Scheme, cast  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
D = Decimal


def owing(cast: Cast, first: str, *amounts: str) -> Client:  # noqa: F811
    """A client of Dr. Cole's with a card, who owes so much for sessions of the last weeks."""
    found = client(first, "Marsh")
    CareRelationship.objects.create(provider=cast.cole, client=found, began_on=LONG_AGO)
    card(found)
    for place, amount in enumerate(amounts):
        owes(cast.book(days=-40 + 7 * place, client=found, hour=found.pk % 20), amount)
    return found


def with_a_plan(cast: Cast) -> tuple[Client, Client]:  # noqa: F811
    """One plan that goes well and is paid a little early; one whose first part the bank refused."""
    well, refused = owing(cast, "Joan", "30.00", "40.00"), owing(cast, "Kit", "90.00")
    for each, total in ((well, "70.00"), (refused, "90.00")):
        payment_plans.agree(each, shown=D(total))
    answer(Payment.objects.get(client=well), "paid")
    owes_less = PaymentPlan.objects.get(client=well).parts.latest("pk").session
    Payment.objects.filter(client=well).update(created_at=clock.now() - timedelta(days=2))
    adjust(owes_less, "-15.00")
    decline(Payment.objects.get(client=refused), "insufficient_funds")
    return well, refused


def with_autopay(cast: Cast) -> Client:  # noqa: F811
    found = owing(cast, "Lou", "22.50", "180.00")
    autopay.start(found, limit=D("50.00"))
    session = found.sessions.earliest("starts_at")
    autopay.ask(session, D("22.50"), cause="1")
    return found


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_charges_by_themselves(
    browser: Browser,
    live_server: LiveServer,
    cast: Cast,  # noqa: F811
    width: int,
    scheme: Scheme,
) -> None:
    looker = Looker(browser, live_server.url, width, scheme)
    offered = owing(cast, "Ines", "30.00", "40.00")
    looker.look(
        offered.user,
        ("plan-offer", "/payments/plan/"),
        ("payments-offer", "/payments/"),
        ("pay-offer", "/appointments/pay/"),
        ("autopay-off", "/payments/autopay/"),
    )
    looker.look(cast.eve.user, ("plan-none", "/payments/plan/"), ("autopay-no-card", "/payments/autopay/"))
    well, refused = with_a_plan(cast)
    looker.look(
        well.user,
        ("plan", "/payments/plan/"),
        ("payments-plan", "/payments/"),
        ("past-plan", "/appointments/past/"),
        ("pay-early", "/appointments/pay/?early=1"),
        ("pay-nothing", "/appointments/pay/"),
    )
    looker.look(refused.user, ("plan-refused", "/payments/plan/"), ("past-refused", "/appointments/past/"))
    saving = with_autopay(cast)
    looker.look(
        saving.user,
        ("autopay", "/payments/autopay/"),
        ("payments-autopay", "/payments/"),
        ("past", "/appointments/past/"),
    )
    looker.look(
        cast.fay,
        ("desk-plan", f"/admin/billing/paymentplan/{well.payment_plans.get().pk}/change/"),
        ("desk-autopay", f"/admin/billing/autopay/{saving.autopays.get().pk}/change/"),
    )
    assert "\n".join(looker.faults) == ""
