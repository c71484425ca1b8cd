"""Refunds that wait for a person on the desk: the queue, the check that support writes, statements of a client."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from billing.gateways.results import RefundState
from billing.ledger.posting import Book, balance
from billing.models import Refund
from billing.services import refunds, statements
from common import clock
from notifications.models import Email
from tests import cast as people
from tests.billing.test_refund_ways import owes, paid, says
from tests.billing.test_statements import at, moves
from tests.cast import Cast, assemble

D = Decimal
LIST = "/admin/billing/refund/"


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def fay(cast: Cast) -> Browser:
    browser = Browser()
    browser.force_login(cast.fay)
    return browser


@pytest.fixture
def failed(cast: Cast) -> Refund:
    session = cast.book()
    owes(session, "32.00", why="final")
    paid(people.card(cast.ana), a=(session, "72.00"))
    (refund,) = refunds.promise(session)
    says(refund, RefundState.FAILED)
    return refund


def listed(fay: Browser, queue: str) -> list[Refund]:
    return list(fay.get(f"{LIST}?queue={queue}").context["cl"].result_list)


def counted(fay: Browser) -> dict[str, int]:
    tiles = fay.get(reverse("admin:index")).context["tiles"]
    return {tile["label"]: tile["count"] for tile in tiles if "efunds" in str(tile["label"]) and tile["count"]}


def test_a_dead_cards_refund_waits_for_a_check_and_the_first_page_counts_it(fay: Browser, failed: Refund) -> None:
    assert listed(fay, "another_way") == [failed]
    assert listed(fay, "late") == []
    assert counted(fay) == {"Refunds to send another way": 1}
    Refund.objects.update(created_at=clock.now() - timedelta(days=20))
    assert listed(fay, "late") == [failed]
    assert counted(fay) == {"Refunds to send another way": 1, "Refunds not delivered for 20 days": 1}


def test_support_writes_the_number_of_the_check(fay: Browser, failed: Refund) -> None:
    address = f"{LIST}{failed.pk}/repair/another_way/"
    assert "Number of the check or transfer" in fay.get(address).content.decode()
    assert fay.post(address, {"text": " "}).status_code == 422
    assert fay.post(address, {"text": "Check 10482"}).status_code == 302
    failed.refresh_from_db()
    assert (failed.state, failed.external_reference) == ("external", "Check 10482")
    assert balance(Book.BANK) == D("-40.00")
    assert Email.objects.filter(kind="refund_external").count() == 1
    assert listed(fay, "another_way") == []
    assert counted(fay) == {}
    again = fay.post(address, {"text": "Check 10483"})
    assert again.status_code == 422, "a second check is refused"
    assert balance(Book.BANK) == D("-40.00")


def test_what_is_refused_keeps_what_was_typed(fay: Browser, failed: Refund) -> None:
    owes(failed.session, "40.00", why="dearer")
    page = fay.post(f"{LIST}{failed.pk}/repair/another_way/", {"text": "Check 7"})
    assert page.status_code == 422
    assert "Nothing is owed back" in page.content.decode()
    assert "Check 7" in page.content.decode()


def test_statements_of_a_client_are_on_the_desk_and_in_the_story(
    fay: Browser, cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with clock.as_of(at(10, 2)):
        moves("cost:90001", "18.00", cast.book())
    with clock.as_of(at(11, 2)):
        found = statements.issue(cast.ana.pk, date(2026, 10, 1))
    there = "/admin/billing/clientstatement/"
    with django_assert_max_num_queries(20):
        assert list(fay.get(there).context["cl"].result_list) == [found]
    assert fay.get(f"{there}{found.pk}/change/").status_code == 200
    assert fay.get(f"{there}{found.pk}/page/file/").content.startswith(b"%PDF")
    story = fay.get(f"/admin/people/client/{cast.ana.pk}/page/story/?only=money").content.decode()
    assert "Statement of October 2026: $18.00" in story
    assert f"{there}?client__pk__exact={cast.ana.pk}" in fay.get(
        f"/admin/people/client/{cast.ana.pk}/change/"
    ).content.decode().replace("&amp;", "&")
