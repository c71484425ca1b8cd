"""What providers see of their pay, how they enter a bank account, and how support reviews and sends a run."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries

from billing.flows import confirm_session
from billing.ledger.posting import Book, balance
from billing.models import EarningAdjustment, PayoutRun, ProviderBankAccount, ProviderPayout
from billing.services import earnings, payouts
from care.models import Session
from notifications.models import Email
from people.models import AccessEvent, Role, User
from tests.billing.paying import ROUTING, account, broken, earn, on, paid, run_on
from tests.cast import Cast, assemble, user

pytestmark = pytest.mark.django_db
D = Decimal
PASSWORD = "a long pass phrase"
ACCOUNT = {
    "holder": "Maya Cole",
    "kind": "checking",
    "routing_number": "1234-5678 0",
    "account_number": "0001 2345 6789",
    "again": "000123456789",
}


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def run(cast: Cast) -> PayoutRun:
    """Dr. Cole is paid 128.00: two sessions, and 60.00 taken back of one; sealed on the 16th."""
    with on(date(2026, 9, 1)):
        account(cast.cole)
    with on(date(2026, 11, 10)):
        first, _second = earn(cast, "60.00"), earn(cast, "128.00")
        earnings.adjust(first.session, D("-60.00"), reason="voided", note="=Entered twice", by=cast.fay)
    found = run_on(date(2026, 11, 16))
    assert found is not None
    return found


def browser(account: User | None, *, fresh: bool = False) -> Browser:
    """Signed in; ``fresh``: the password was given once more just now."""
    found = Browser()
    assert account is not None
    found.force_login(account)
    if fresh:
        answer = found.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/provider/"})
        assert answer.status_code == 302
    return found


def text(found: Browser, address: str, status: int = 200) -> str:
    answer = found.get(address)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


# --- The provider -----------------------------------------------------------------------------------------------------


def test_earnings_show_what_is_owed_the_next_payout_and_changes(cast: Cast, run: PayoutRun) -> None:
    cole = browser(cast.cole.user)
    page = text(cole, "/provider/earnings/")
    assert "$128.00" in page and "$128.00, being prepared." in page
    payout = run.payouts.get()
    assert f"/provider/earnings/payouts/{payout.pk}/" in page
    with on(date(2026, 11, 17)):
        payouts.send(run, trace="1", by=cast.fay)
        session = cast.cole.earnings.order_by("-amount")[0].session
        earnings.adjust(session, D("-8.00"), reason="rate", note="Contract amended")
        page = text(cole, "/provider/earnings/")
    assert "Changes in your next payout" in page and "Contract amended" in page and "-$8.00" in page
    assert "More was taken back than earned. The difference is carried over." in page


def test_a_provider_without_an_account_is_asked_for_it(cast: Cast) -> None:
    earn(cast, "160.00")
    page = text(browser(cast.cole.user), "/provider/earnings/")
    assert "We owe you $160.00 and do not know where to send it." in page
    assert "No account yet" in text(browser(cast.cole.user), "/provider/earnings/bank-account/")


def test_a_statement_as_page_pdf_and_csv(cast: Cast, run: PayoutRun) -> None:
    payout = run.payouts.get()
    cole = browser(cast.cole.user)
    page = text(cole, f"/provider/earnings/payouts/{payout.pk}/")
    assert page.count("-$60.00") == 1 and "The session was voided" in page and "=Entered twice" in page
    assert "Ana Rivera" in page and "000123456789" not in page
    assert AccessEvent.objects.get(purpose="payout statement").client == cast.ana

    answer = cole.get(f"/provider/earnings/payouts/{payout.pk}/pdf/")
    assert answer["Content-Disposition"] == 'attachment; filename="payout-2026-11-15.pdf"'
    written = " ".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages).split())
    assert f"P20261115-{payout.pk}" in written and "$128.00" in written and "A. R." in written
    assert "Rivera" not in written and "000123456789" not in written

    rows = list(csv.DictReader(io.StringIO(cole.get(f"/provider/earnings/payouts/{payout.pk}/csv/").content.decode())))
    assert sorted(row["amount"] for row in rows) == ["-60.00", "128.00", "128.00", "60.00"]
    assert rows[-1]["what"] == "total" and rows[-1]["amount"] == "128.00"
    assert {row["client"] for row in rows[:-1]} == {"A. R."}
    assert "'=Entered twice" in {row["note"] for row in rows}


def test_a_statement_that_came_back_says_what_to_do(cast: Cast, run: PayoutRun) -> None:
    payout = run.payouts.get()
    with on(date(2026, 11, 17)):
        payouts.send(run, trace="1", by=cast.fay)
    with on(date(2026, 11, 23)):
        payouts.mark_returned(payout, reason="R03 no account", by=cast.fay)
    cole = browser(cast.cole.user)
    assert "Your bank sent this payout back" in text(cole, f"/provider/earnings/payouts/{payout.pk}/")
    assert "Enter it again" in text(cole, "/provider/earnings/bank-account/")
    assert "The bank sent it back: R03 no account" in text(cole, "/provider/earnings/")


def test_nobody_else_sees_a_statement(cast: Cast, run: PayoutRun) -> None:
    payout = run.payouts.get()
    for who in (cast.diaz.user, cast.ana.user, cast.fay):
        for end in ("", "pdf/", "csv/"):
            assert browser(who).get(f"/provider/earnings/payouts/{payout.pk}/{end}").status_code == 404
        assert browser(who).get(f"/api/v1/provider/payouts/{payout.pk}/").status_code == 404
    assert not AccessEvent.objects.filter(purpose__contains="payout").exists()


def test_payouts_by_api(cast: Cast, run: PayoutRun) -> None:
    payout = run.payouts.get()
    cole = browser(cast.cole.user)
    (listed,) = cole.get("/api/v1/provider/payouts/").json()["results"]
    assert listed == {
        "id": payout.pk, "through": "2026-11-15", "pay_on": "2026-11-20", "state": "created", "held_back": False,
        "amount": "128.00", "account_last4": "6789",
    }  # fmt: skip
    told = cole.get(f"/api/v1/provider/payouts/{payout.pk}/").json()
    assert sorted(line["amount"] for line in told["lines"]) == ["-60.00", "128.00", "60.00"]
    assert told["lines"][0]["client"]["first_name"] == "Ana"
    assert browser(cast.diaz.user).get("/api/v1/provider/payouts/").json()["results"] == []


def test_pages_ask_as_often_for_many_lines_as_for_few(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with on(date(2026, 9, 1)):
        account(cast.cole)
    with on(date(2026, 11, 10)):
        for _ in range(25):
            row = earn(cast, "160.00")
            earnings.adjust(row.session, D("-1.00"), reason="rate", note="Contract amended")
    run = run_on(date(2026, 11, 16))
    assert run is not None
    cole = browser(cast.cole.user)
    with django_assert_max_num_queries(12):
        text(cole, f"/provider/earnings/payouts/{run.payouts.get().pk}/")
    with on(date(2026, 11, 17)):
        for _ in range(25):
            earnings.adjust(earn(cast, "160.00").session, D("-1.00"), reason="rate", note="Contract amended")
    with django_assert_max_num_queries(20):
        text(cole, "/provider/earnings/")
    with django_assert_max_num_queries(12):
        cole.get("/api/v1/provider/payouts/")


# --- The bank account -------------------------------------------------------------------------------------------------

CHANGE = "/provider/earnings/bank-account/change/"


def test_an_account_is_entered_after_the_password_once_more(cast: Cast) -> None:
    stale = browser(cast.cole.user)
    for answer in (stale.get(CHANGE), stale.post(CHANGE, ACCOUNT)):
        assert (answer.status_code, answer["Location"]) == (
            302, f"{reverse('account_reauthenticate')}?next=%2Fprovider%2Fearnings%2Fbank-account%2Fchange%2F",
        )  # fmt: skip
    assert not ProviderBankAccount.objects.exists()
    assert "000123456789" not in str(dict(stale.session)) and "0001 2345" not in str(dict(stale.session))

    fresh = browser(cast.cole.user, fresh=True)
    assert fresh.get(CHANGE).status_code == 200
    answer = fresh.post(CHANGE, ACCOUNT)
    assert (answer.status_code, answer["Location"]) == (302, "/provider/earnings/bank-account/")
    kept = ProviderBankAccount.objects.get()
    assert (kept.provider, kept.routing_number, kept.account_number, kept.last4) == (
        cast.cole, ROUTING, "000123456789", "6789",
    )  # fmt: skip
    page = text(fresh, "/provider/earnings/bank-account/")
    assert "Checking account ending in 6789" in page and "Used from" in page and "000123456789" not in page
    mail = Email.objects.get()
    assert (mail.kind, mail.to) == ("bank_account_changed", "cole@example.com")
    assert "6789" in mail.text and "000123456789" not in mail.text + mail.html and ROUTING not in mail.text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"again": "000123456780"}, "The two account numbers differ."),
        ({"routing_number": "123456789"}, "No bank has this routing number"),
        ({"routing_number": "12345"}, "A routing number has nine digits."),
        ({"account_number": "12"}, "An account number has 4 to 17 digits."),
        ({"holder": "Zoë"}, "without accents"),
        ({"kind": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_right_is_said_and_the_rest_is_kept(cast: Cast, typed: dict[str, str], says: str) -> None:
    answer = browser(cast.cole.user, fresh=True).post(CHANGE, ACCOUNT | typed)
    page = answer.content.decode()
    assert answer.status_code == 422 and says in page
    assert f'value="{(ACCOUNT | typed)["holder"]}"' in page
    assert not ProviderBankAccount.objects.exists() and not Email.objects.exists()


# --- Support ----------------------------------------------------------------------------------------------------------


def test_support_reviews_downloads_and_sends_a_run(cast: Cast, run: PayoutRun) -> None:
    earn(cast, "99.00", provider=cast.diaz)
    fay = browser(cast.fay)
    base = f"/admin/billing/payoutrun/{run.pk}"
    page = text(fay, f"{base}/page/overview/")
    assert "1 credit, $128.00" in page and "Maya Cole" in page and "000123456789" not in page
    answer = fay.get(f"{base}/page/nacha/")
    assert answer.content == payouts.file_of(run)
    assert "000123456789" not in text(fay, f"{base}/page/csv/")
    assert "000123456789" not in text(fay, f"{base}/change/")

    refused = fay.post(f"{base}/repair/send/", {"text": ""})
    assert refused.status_code == 422 and paid(cast.cole) == [("created", D("128.00"))]
    with on(date(2026, 11, 17)):
        assert fay.post(f"{base}/repair/send/", {"text": "HVB 4711"}).status_code == 302
    run.refresh_from_db()
    assert (run.state, run.trace, run.sent_by) == ("sent", "HVB 4711", cast.fay)
    payout = ProviderPayout.objects.get()
    returned = f"/admin/billing/providerpayout/{payout.pk}/repair/returned/"
    assert fay.post(returned, {"text": "R03 no account"}).status_code == 302
    assert paid(cast.cole) == [("returned", D("128.00"))]
    assert broken() == []


def test_an_auditor_looks_and_never_gets_the_bank_file(cast: Cast, run: PayoutRun) -> None:
    gus = browser(user("gus@example.com", Role.AUDITOR, staff=True))
    base = f"/admin/billing/payoutrun/{run.pk}"
    assert gus.get(f"{base}/page/overview/").status_code == 200
    assert gus.get(f"{base}/page/nacha/").status_code == 404
    assert gus.post(f"{base}/repair/send/", {"text": "x"}).status_code == 404
    assert paid(cast.cole) == [("created", D("128.00"))]


def test_support_holds_back_removes_an_account_and_writes_the_file_anew(cast: Cast, run: PayoutRun) -> None:
    fay = browser(cast.fay)
    payout = run.payouts.get()
    kept = ProviderBankAccount.objects.get()
    remove = f"/admin/billing/providerbankaccount/{kept.pk}/repair/remove/"
    assert fay.post(remove, {"text": "Not hers"}).status_code == 302
    assert fay.post(f"/admin/billing/payoutrun/{run.pk}/repair/anew/", {"text": "Account removed"}).status_code == 302
    payout.refresh_from_db()
    assert payout.status == "Held back"
    assert fay.get(f"/admin/billing/payoutrun/{run.pk}/page/nacha/").status_code == 404
    account_page = text(fay, f"/admin/billing/providerbankaccount/{kept.pk}/change/")
    assert "6789" in account_page and "000123456789" not in account_page


def test_support_voids_a_session_and_follows_a_rate(cast: Cast) -> None:
    session = confirm_session.confirm(cast.book(days=-1))
    fay = browser(cast.fay)
    rate = f"/admin/billing/providerearning/{cast.cole.earnings.get().pk}/repair/rate/"
    refused = fay.post(rate, {"text": "Contract amended"})
    assert refused.status_code == 422 and "as the contract says" in refused.content.decode()
    void = f"/admin/care/session/{session.pk}/repair/void/"
    assert "no health information" in text(fay, void)
    assert fay.post(void, {"text": "Entered twice"}).status_code == 302
    session.refresh_from_db()
    assert session.status == Session.Status.CANCELLED
    assert EarningAdjustment.objects.get().note == "Entered twice"
    assert balance(Book.PROVIDER_PAYABLE, provider=cast.cole) == D("0.00")
    assert fay.post(void, {"text": "Again"}).status_code == 422
