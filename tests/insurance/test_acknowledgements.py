"""999 and 277CA: what became of claims before anyone decides on them."""

from datetime import UTC, datetime

import pytest
from pytest_django.fixtures import Settings

from billing.flows import confirm_session
from insurance.models import Claim, EdiFile
from insurance.services import acknowledgements, exchange, files
from insurance.x12 import x277ca, x999
from insurance.x12.names import Name
from insurance.x12.segments import Party
from tests.cast import Cast

AT = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)
US, THEM = Party("HEADWAY"), Party("HARBORSIDE")


@pytest.fixture
def sent(cast: Cast) -> EdiFile:
    for days in (0, -7):
        confirm_session.confirm(cast.book(days=days))
    (file,) = exchange.build_batches()
    return file


def claims() -> list[Claim]:
    return list(Claim.objects.filter(rank=1).order_by("pk"))


def take_999(sent: EdiFile, verdict: str, *transactions: x999.AcknowledgedTransaction) -> EdiFile:
    group = x999.AcknowledgedGroup("HC", str(sent.control_number), verdict, transactions)
    raw = x999.build([group], sender=THEM, receiver=US, control_number=5, at=AT)
    file, _new = files.store_incoming(kind=EdiFile.Kind.ACKNOWLEDGEMENT, raw=raw)
    acknowledgements.record_999(file)
    file.refresh_from_db()
    return file


def take_277ca(claim: Claim, category: str, *, kind: str = "PR", number: int = 7, code: str = "") -> EdiFile:
    said = x277ca.AcknowledgedClaim(
        control_number=claim.control_number,
        statuses=(x277ca.Status(category, code or ("20" if category.startswith("A2") else "562")),),
        payer_control_number="ICN77",
    )
    answer = x277ca.Acknowledgement(
        source=Name("EVERGREEN HEALTH", qualifier="PI", identifier="EVGR1"),
        source_kind=kind,
        receiver=Name("HEADWAY", qualifier="46", identifier="HEADWAY"),
        batch_reference="B1",
        claims=(said,),
    )
    raw = x277ca.build([answer], sender=THEM, receiver=US, control_number=number, at=AT)
    file, _new = files.store_incoming(kind=EdiFile.Kind.CLAIM_ACKNOWLEDGEMENT, raw=raw)
    acknowledgements.record_277ca(file)
    return file


def test_an_accepted_file_means_received_not_accepted(sent: EdiFile) -> None:
    assert take_999(sent, "A").state == "processed"
    assert [claim.submission for claim in claims()] == ["received", "received"]


def test_a_partly_accepted_file_rejects_only_the_faulty_claim(sent: EdiFile) -> None:
    fault = x999.SyntaxFault("element", "7", "HI", 20, element=1)
    take_999(
        sent, "P",
        x999.AcknowledgedTransaction("837", "0001", "A"),
        x999.AcknowledgedTransaction("837", "0002", "R", (fault,)),
    )  # fmt: skip
    first, second = claims()
    assert (first.submission, second.submission) == ("received", "rejected")
    assert "HI01" in second.reason


def test_a_refused_file_rejects_all_its_claims(sent: EdiFile) -> None:
    take_999(sent, "R")
    assert [claim.submission for claim in claims()] == ["rejected", "rejected"]
    assert claims()[0].reason == "the whole file was refused"


def test_a_999_for_a_file_that_is_not_ours_is_a_finding(sent: EdiFile) -> None:
    sent.control_number = 999_999
    file = take_999(sent, "R")
    assert file.findings == [{"where": file.findings[0]["where"], "message": "group 999999 is no file of ours"}]
    assert [claim.submission for claim in claims()] == ["submitted", "submitted"]


def test_the_payer_s_277ca_accepts_and_brings_its_number(sent: EdiFile) -> None:
    first = claims()[0]
    take_277ca(first, "A2")
    first.refresh_from_db()
    assert (first.submission, first.payer_control_number) == ("accepted", "ICN77")


def test_the_clearinghouse_s_word_is_no_acceptance(sent: EdiFile) -> None:
    first = claims()[0]
    take_277ca(first, "A2", kind="AY")
    first.refresh_from_db()
    assert first.submission == "submitted"


def test_a_rejected_claim_says_why(sent: EdiFile) -> None:
    first = claims()[0]
    take_277ca(first, "A7")
    first.refresh_from_db()
    assert first.submission == "rejected"
    assert first.reason
    assert first.events.filter(kind="rejected").exists()


def test_the_same_news_twice_is_noted_once(sent: EdiFile) -> None:
    first = claims()[0]
    file = take_277ca(first, "A2")
    acknowledgements.record_277ca(file)
    assert take_277ca(first, "A2") == file
    assert first.events.filter(kind="accepted").count() == 1


@pytest.mark.django_db
def test_a_file_that_is_no_x12_is_quarantined() -> None:
    file, _new = files.store_incoming(kind=EdiFile.Kind.ACKNOWLEDGEMENT, raw=b"hello")
    acknowledgements.record_999(file)
    file.refresh_from_db()
    assert file.state == "quarantined"
    assert file.findings[0]["where"] == "start of file"


@pytest.mark.parametrize(("demo", "usage"), [(True, b"T"), (False, b"P")])
def test_a_file_says_whether_it_is_meant(cast: Cast, settings: Settings, demo: bool, usage: bytes) -> None:
    settings.DEMO = demo
    confirm_session.confirm(cast.book())
    (file,) = exchange.build_batches()
    assert bytes(file.raw).split(b"*")[15] == usage
