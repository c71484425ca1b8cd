"""Whether a claim was taken in: received is not accepted, and a rejection anywhere wins."""

import pytest

from insurance.x12 import x277ca
from insurance.x12.names import Name
from insurance.x12.segments import Finding, X12Error
from insurance.x12.x277ca import Status, accepted
from tests.x12 import cast
from tests.x12.text import interchange

HEAD = """
BHT*0085*08*R1*20260311*1200*TH
HL*1**20*1
NM1*{kind}*2*ALPHA HEALTH*****PI*ALPH1
TRN*1*R1
HL*2*1*21*1
NM1*41*2*HEADWAY*****46*HWY001
TRN*2*000000017-0001
{batch}
"""
CLAIM = """
HL*3*2*19*1
NM1*85*2*PRACTICE*****XX*1234567893
HL*4*3*PT
NM1*QC*1*LOPEZ*ANA****MI*ANA001
TRN*2*S1P
"""


def read(
    body: str, kind: str = "PR", batch: str = "STC*A1:19*20260311*WQ*200"
) -> tuple[x277ca.Acknowledgement, list[Finding]]:
    findings: list[Finding] = []
    raw = interchange("HN", "005010X214", "277", HEAD.format(kind=kind, batch=batch) + body)
    (found,) = x277ca.read(raw, findings)
    return found, findings


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ([Status("A2", "20", action="WQ")], True),
        ([Status("A2", "20")], True),
        ([Status("A0", "16", action="WQ")], True),
        ([Status("A1", "20", action="WQ")], True),
        ([Status("A1", "19")], None),
        ([Status("A3", "21", action="U")], False),
        ([Status("A7", "562")], False),
        ([Status("A2", "20", action="WQ"), Status("A8", "0", action="U")], False),
        ([Status("P1", "0", action="U")], False),
        ([Status("F0", "1")], None),
        ([], None),
    ],
)
def test_accepted(statuses: list[Status], verdict: bool | None) -> None:
    assert accepted(statuses) is verdict


def test_a_payers_receipt_gives_its_own_claim_number() -> None:
    found, findings = read(CLAIM + "STC*A2:20*20260311*WQ*200\nREF*1K*ICN1\nREF*D9*HOUSE7\nDTP*472*D8*20260303")
    assert findings == []
    assert (found.source_kind, found.source.full, found.batch_reference) == ("PR", "ALPHA HEALTH", "000000017-0001")
    (claim,) = found.claims
    assert (claim.control_number, claim.accepted, claim.payer_control_number, claim.clearinghouse_number) == (
        "S1P", True, "ICN1", "HOUSE7",
    )  # fmt: skip
    assert claim.service_from == cast.SEEN


def test_every_reason_of_a_rejection_is_kept_with_its_line() -> None:
    body = "STC*A7:562:82*20260311*U*200******A7:164:IL**CALL US\nSVC*HC:90837*200\nSTC*A7:454**U\nREF*FJ*L1"
    found, _ = read(CLAIM + body, kind="AY")
    (claim,) = found.claims
    assert claim.accepted is False
    assert [(each.category, each.code, each.entity, each.line) for each in claim.statuses] == [
        ("A7", "562", "82", ""), ("A7", "164", "IL", ""), ("A7", "454", "", "90837"),
    ]  # fmt: skip
    assert claim.statuses[0].message == "CALL US"
    assert [each.text for each in claim.statuses] == [
        "Rejected: information is invalid (the provider's NPI)",
        "Rejected: information is invalid (the member id)",
        "Rejected: information is invalid (the procedure)",
    ]


def test_a_batch_refused_whole_is_not_silence() -> None:
    found, findings = read("", batch="STC*A3:24*20260311*U*200")
    assert found.claims == ()
    assert [each.message for each in findings] == [
        "the whole batch is rejected: Returned: it cannot be processed"
        " (the sender is not approved to send claims electronically)"
    ]


def test_a_status_that_contradicts_itself_counts_as_rejected() -> None:
    found, findings = read(CLAIM + "STC*A7:21*20260311*WQ*200")
    assert found.claims[0].accepted is False
    assert [each.message for each in findings] == ["STC03 accepts what STC01 rejects: taken as rejected"]


def test_a_claim_about_which_nothing_is_said_is_a_finding() -> None:
    found, findings = read(CLAIM)
    assert found.claims[0].accepted is None
    assert [each.message for each in findings] == ["nothing is said about claim 'S1P'"]


def test_a_claim_status_response_is_another_transaction() -> None:
    raw = interchange("HN", "005010X212", "277", HEAD.format(kind="PR", batch="") + CLAIM)
    with pytest.raises(X12Error, match="not a claim acknowledgement"):
        list(x277ca.read(raw))


def test_what_a_payer_writes_reads_back_as_it_was() -> None:
    source = Name("ALPHA HEALTH", qualifier="PI", identifier="ALPH1")
    us = Name("HEADWAY", qualifier="46", identifier="HWY001")
    ana = Name("LOPEZ", "ANA", qualifier="MI", identifier="ANA001", person=True)
    practice = Name("PRACTICE", qualifier="XX", identifier="1234567893")
    on = cast.DECIDED
    taken = x277ca.AcknowledgedClaim(
        "S1P", (Status("A2", "20", "", "WQ", on, cast.money("200")),), ana, "ICN1", "", cast.SEEN, cast.SEEN
    )
    refused = x277ca.AcknowledgedClaim(
        "S2P", (Status("A7", "562", "82", "U", on, cast.money("150"), "NPI"),), ana, "", "", cast.SEEN, on
    )
    written = x277ca.Acknowledgement(source, "PR", us, "000000017-0001", (taken, refused), (), "R1", practice)
    raw = cast.receipt(written)
    assert b"QTY*90*1~QTY*AA*1~AMT*YU*200~AMT*YY*150~" in raw
    findings: list[Finding] = []
    (found,) = x277ca.read(raw, findings)
    assert findings == []
    assert [(each.control_number, each.accepted, each.statuses) for each in found.claims] == [
        ("S1P", True, taken.statuses),
        ("S2P", False, refused.statuses),
    ]
    assert (found.claims[1].service_from, found.claims[1].service_through) == (cast.SEEN, on)
    assert found.provider == practice


def test_the_command_shape() -> None:
    raw = interchange(
        "HN", "005010X214", "277", HEAD.format(kind="PR", batch="") + CLAIM + "STC*A2:20*20260311*WQ*200\nREF*1K*ICN1"
    )
    assert x277ca.describe(raw) == {
        "type": "277CA",
        "errors": [],
        "claims": [
            {
                "control_number": "S1P",
                "accepted": True,
                "statuses": [
                    {
                        "category": "A2",
                        "code": "20",
                        "entity": None,
                        "text": "Taken up for a decision (it was accepted for processing)",
                    }
                ],
                "payer_control_number": "ICN1",
            }
        ],
    }
