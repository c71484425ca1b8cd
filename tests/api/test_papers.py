"""Receipts, statements, superbills and a refund's way through the API: the client's own, and nobody else's."""

from datetime import date, timedelta

import pytest

from billing.models import Payment, Refund
from billing.services import statements
from common import clock
from tests.api.conftest import Browser
from tests.billing.test_receipts_and_superbills import not_billed
from tests.billing.test_statements import at, moves
from tests.cast import Cast
from tests.portal import client_world

HERE = "/api/v1/client"


@pytest.fixture
def past(cast: Cast) -> client_world.Past:
    return client_world.live(cast)


def test_a_receipt_as_data_and_as_a_file(ana: Browser, eve: Browser, past: client_world.Past) -> None:
    paid = Payment.objects.get(parts__session=past.refunded)
    told = ana.get(f"{HERE}/payments/{paid.pk}/receipt/").json()
    assert (told["number"], told["amount"], told["net"]) == (f"R-{paid.pk:06d}", "72.00", "32.00")
    assert told["items"][0] | {"date": ""} == {
        "date": "",
        "service": ["Therapy session, 60 minutes"],
        "codes": ["90837"],
        "place": "Office",
        "provider": {"name": "Maya Cole", "licence": "Psychologist", "state": "NY", "npi": "1234567893"},
        "charge": "220.00",
        "insurance_paid": "128.00",
        "share": "32.00",
        "final": True,
        "paid": "72.00",
    }
    file = ana.get(f"{HERE}/payments/{paid.pk}/receipt/pdf/")
    assert (file["Content-Type"], file.content[:4]) == ("application/pdf", b"%PDF")
    assert "no-store" in file["Cache-Control"]
    assert eve.get(f"{HERE}/payments/{paid.pk}/receipt/").status_code == 404
    Payment.objects.filter(pk=paid.pk).update(state="failed")
    assert ana.get(f"{HERE}/payments/{paid.pk}/receipt/").status_code == 404


def test_statements(ana: Browser, eve: Browser, cast: Cast) -> None:
    with clock.as_of(at(9, 2)):
        session = cast.book()
        moves("cost:90001", "18.00", session)
    with clock.as_of(at(10, 2)):
        moves("payment:90001", "-20.00", session)
    with clock.as_of(at(11, 2)):
        first, second = (statements.issue(cast.ana.pk, date(2026, month, 1)) for month in (9, 10))
    listed = ana.get(f"{HERE}/statements/").json()["results"]
    assert [(each["month"], each["opening"], each["closing"]) for each in listed] == [
        ("2026-10-01", "18.00", "-2.00"),
        ("2026-09-01", "0.00", "18.00"),
    ]
    one = ana.get(f"{HERE}/statements/{second.pk}/").json()
    assert (one["paid"], one["rows"][0]["kind"], one["rows"][0]["amount"]) == ("20.00", "paid", "-20.00")
    assert one["rows"][0]["sessions"][0]["id"] == session.pk
    assert ana.get(f"{HERE}/statements/{first.pk}/pdf/").content.startswith(b"%PDF")
    assert eve.get(f"{HERE}/statements/").json()["results"] == []
    for address in ("", "pdf/"):
        assert eve.get(f"{HERE}/statements/{first.pk}/{address}").status_code == 404


def test_a_superbill_and_why_not(ana: Browser, cast: Cast, past: client_world.Past) -> None:
    mine = not_billed(cast, days=-20)
    days = {"begin": (clock.today() - timedelta(days=90)).isoformat(), "end": clock.today().isoformat()}
    told = {each["session"]: each for each in ana.get(f"{HERE}/superbill/", days).json()["sessions"]}
    assert told[mine.pk]["possible"] is True
    assert told[mine.pk]["why_not"] is None
    assert told[past.sent.pk]["why_not"] == "billed"
    assert "An insurer must not be asked twice" in told[past.sent.pk]["sentence"]
    assert ana.get(f"{HERE}/superbill/pdf/", days).content.startswith(b"%PDF")
    refused = ana.get(f"{HERE}/superbill/pdf/", days | {"session": past.sent.pk})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:headway:problem:no-superbill")
    assert ana.get(f"{HERE}/superbill/", {"begin": "2026-02-01", "end": "2026-01-01"}).status_code == 422
    assert ana.get(f"{HERE}/superbill/", {"begin": "soon"}).status_code == 422


def test_a_refund_tells_its_steps(ana: Browser, cast: Cast, past: client_world.Past) -> None:
    (told,) = ana.get(f"{HERE}/refunds/").json()["results"]
    assert [(step["kind"], step["done"]) for step in told["steps"]] == [
        ("promised", True), ("sent", True), ("processed", True), ("on_statement", False),
    ]  # fmt: skip
    assert told["steps"][-1]["at"] == told["statement_by"]
    assert told["ask_support"] is False
    Refund.objects.update(processed_at=clock.now() - timedelta(days=12), bank_reference="7400")
    (told,) = ana.get(f"{HERE}/refunds/").json()["results"]
    assert (told["ask_support"], told["bank_reference"]) == (True, "7400")
    Refund.objects.update(state="external", external_reference="Check 1")
    (told,) = ana.get(f"{HERE}/refunds/").json()["results"]
    assert [step["kind"] for step in told["steps"]] == ["promised", "returned", "another_way"]
    assert (told["reference"], told["statement_by"]) == ("Check 1", None)
