"""The client's papers and the way of a refund on the pages: what is said, what is linked, what strangers find."""

from datetime import date, timedelta

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from billing.gateways.results import RefundState
from billing.models import Payment, Refund
from billing.services import refunds, statements
from common import clock
from people.models import Client
from tests import cast as people
from tests.billing.test_receipts_and_superbills import not_billed
from tests.billing.test_refund_ways import owes, paid, says
from tests.billing.test_statements import at, moves
from tests.cast import Cast, assemble


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def signed_in(client: Client) -> Browser:
    browser = Browser()
    assert client.user is not None
    browser.force_login(client.user)
    return browser


@pytest.fixture
def ana(cast: Cast) -> Browser:
    return signed_in(cast.ana)


@pytest.fixture
def eve(cast: Cast) -> Browser:
    return signed_in(cast.eve)


@pytest.fixture
def refund(cast: Cast) -> Refund:
    session = cast.book()
    owes(session, "32.00", why="final")
    paid(people.card(cast.ana), a=(session, "72.00"))
    (promised,) = refunds.promise(session)
    return promised


def words(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


# --- Refunds ----------------------------------------------------------------------------------------------------------


def test_a_refund_step_by_step(ana: Browser, refund: Refund) -> None:
    assert "Next: sent to your bank" in words(ana, "/payments/")
    says(refund, RefundState.IN_TRANSIT)
    page = words(ana, "/payments/")
    assert "Sent to your bank" in page
    assert "Then: processed" in page
    with clock.as_of(at(11, 17)):
        says(refund, RefundState.SUCCEEDED)
        assert "On your statement by Tue 24 Nov 2026" in words(ana, "/payments/")
    with clock.as_of(at(11, 24, 23)):
        assert "My refund did not arrive" not in words(ana, "/payments/")
    Refund.objects.update(bank_reference="74000000000000001234567")
    with clock.as_of(at(11, 25)):
        page = words(ana, "/payments/")
    assert "It should be on your statement by now" in page
    assert f"category=refund&amp;reference=refund+{refund.pk}+74000000000000001234567#ask" in page
    asked = words(ana, f"/messages/?category=refund&reference=refund+{refund.pk}+74000000000000001234567")
    assert f'value="refund {refund.pk} 74000000000000001234567"' in asked


def test_thanksgiving_is_no_business_day(ana: Browser, refund: Refund) -> None:
    with clock.as_of(at(11, 20)):
        says(refund, RefundState.SUCCEEDED)
        assert "On your statement by Mon 30 Nov 2026" in words(ana, "/payments/")


def test_a_card_that_does_not_take_it(ana: Browser, refund: Refund) -> None:
    says(refund, RefundState.FAILED)
    page = words(ana, "/payments/")
    assert "Your card did not take it" in page
    assert "We will send it another way" in page
    refunds.give_another_way(refund, reference="Check 10482")
    page = words(ana, "/payments/")
    assert "Sent another way: Check 10482" in page
    assert "We will send it another way" not in page


def test_a_failed_refund_that_is_owed_no_more_promises_nothing(ana: Browser, refund: Refund) -> None:
    says(refund, RefundState.FAILED)
    owes(refund.session, "40.00", why="dearer")
    page = words(ana, "/payments/")
    assert "We will send it another way" not in page
    assert "or the session now costs more" in page


def test_many_refunds_take_few_queries(
    ana: Browser, cast: Cast, refund: Refund, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    session = refund.session
    for _ in range(4):
        owes(session, "-2.00", why=f"less {_}")
        Refund.objects.create(payment=refund.payment, session=session, amount="2.00", state="failed")
    with django_assert_max_num_queries(22):
        ana.get("/payments/")


# --- Papers -----------------------------------------------------------------------------------------------------------


def test_a_payment_leads_to_its_receipt(ana: Browser, eve: Browser, refund: Refund) -> None:
    there = f"/payments/{refund.payment_id}/receipt/"
    page = words(ana, f"/payments/{refund.payment_id}/")
    assert f'href="{there}"' in page
    assert f"R-{refund.payment_id:06d}" in page
    file = ana.get(there)
    assert file.content.startswith(b"%PDF")
    assert file["Content-Disposition"] == f'attachment; filename="receipt-R-{refund.payment_id:06d}.pdf"'
    assert "no-store" in file["Cache-Control"]
    assert eve.get(there).status_code == 404
    Payment.objects.update(state="failed")
    assert ana.get(there).status_code == 404


def test_statements(ana: Browser, eve: Browser, cast: Cast) -> None:
    assert "No statements yet" in words(ana, "/payments/statements/")
    with clock.as_of(at(10, 2)):
        moves("cost:90001", "18.00", cast.book())
    with clock.as_of(at(11, 2)):
        found = statements.issue(cast.ana.pk, date(2026, 10, 1))
    there = f"/payments/statements/{found.pk}/"
    assert f'href="{there}"' in words(ana, "/payments/statements/")
    assert "The newest is for October 2026." in words(ana, "/payments/")
    page = words(ana, there)
    assert "Statement for October 2026" in page
    assert "+$18.00" in page
    assert "To pay: $18.00." in page
    assert ana.get(f"{there}pdf/").content.startswith(b"%PDF")
    for address in (there, f"{there}pdf/"):
        assert eve.get(address).status_code == 404


def test_a_superbill(ana: Browser, eve: Browser, cast: Cast) -> None:
    people.card(cast.ana)
    mine = not_billed(cast)
    days = f"begin={clock.today() - timedelta(days=30)}&end={clock.today()}"
    page = words(ana, f"/payments/superbill/?{days}")
    assert f'name="session" value="{mine.pk}"' in page
    file = ana.get(f"/payments/superbill/pdf/?{days}&choose=1&session={mine.pk}")
    assert file.content.startswith(b"%PDF")
    nothing = ana.get(f"/payments/superbill/pdf/?{days}&choose=1", follow=True)
    assert nothing.redirect_chain[-1][0].startswith("/payments/superbill/?begin=")
    assert "There is nothing to put on a superbill" in nothing.content.decode()
    strange = eve.get(f"/payments/superbill/pdf/?{days}&session={mine.pk}", follow=True)
    assert "There is nothing to put on a superbill" in strange.content.decode()
    assert strange["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ("begin=2026-02-01&end=2026-01-01", "The last day is before the first one."),
        ("begin=2024-02-01&end=2026-01-01", "Please choose a year at most."),
        ("begin=&end=2026-01-01", "Please choose the first day."),
        ("begin=soon&end=2026-01-01", "Enter a valid date."),
    ],
)
def test_days_that_are_none_are_told_beside_the_field_and_kept(ana: Browser, days: str, told: str) -> None:
    answer = ana.get(f"/payments/superbill/?{days}")
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert 'value="2026-01-01"' in answer.content.decode()
    assert ana.get(f"/payments/superbill/pdf/?{days}").status_code == 302
