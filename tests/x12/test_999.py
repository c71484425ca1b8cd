"""Whether a file's form was right, and if not, which element of which segment."""

import pytest

from insurance.x12 import x837p, x999
from insurance.x12.segments import Finding, X12Error
from insurance.x12.x999 import AcknowledgedGroup, AcknowledgedTransaction, SyntaxFault
from tests.x12 import cast
from tests.x12.text import interchange


def read(*bodies: str) -> tuple[list[AcknowledgedGroup], list[Finding]]:
    findings: list[Finding] = []
    return list(x999.read(interchange("FA", "005010X231A1", "999", *bodies), findings)), findings


def test_an_accepted_group() -> None:
    (group,), findings = read("AK1*HC*17*005010X222A1\nAK2*837*0001*005010X222A1\nIK5*A\nAK9*A*1*1*1")
    assert findings == []
    assert group.accepted
    assert (group.functional_id, group.control_number, group.included, group.received, group.taken) == (
        "HC", "17", 1, 1, 1,
    )  # fmt: skip
    assert group.all_faults == ()


@pytest.mark.parametrize(
    ("verdict", "accepted"), [("A", True), ("E", True), ("P", False), ("R", False), ("M", False), ("X", False)]
)
def test_only_a_group_taken_whole_is_accepted(verdict: str, accepted: bool) -> None:
    (group,), _ = read(f"AK1*HC*17\nAK9*{verdict}*1*1*0")
    assert group.accepted is accepted


def test_a_rejection_names_the_element() -> None:
    (group,), findings = read("""
AK1*HC*17*005010X222A1
AK2*837*0001
IK5*A
AK2*837*0002
IK3*CLM*22**8
CTX*CLM01:S2P
IK4*5:3*1325*7*Z
IK3*REF*30*2300*I6
IK5*R*5
AK9*P*2*2*1
""")
    assert findings == []
    first, second = group.transactions
    assert (first.accepted, second.accepted) == (True, False)
    assert [(each.segment, each.position, each.code, each.text) for each in second.faults] == [
        ("CLM", 22, "8", "elements of the segment have errors"),
        ("CLM", 22, "7", "CLM05-3: the code is not valid"),
        ("REF", 30, "I6", "a segment that this claim needs is missing"),
    ]
    assert second.faults[1].bad_value == "Z"


def test_a_rejection_without_segments_gives_the_codes_of_the_transaction_and_group() -> None:
    (group,), _ = read("AK1*HC*17\nAK2*837*0001\nIK5*R*3*4\nAK9*R*1*1*0*5")
    assert [(each.level, each.code, each.text) for each in group.all_faults] == [
        ("transaction", "3", "the control numbers of the transaction differ"),
        ("transaction", "4", "the number of segments is wrong"),
        ("group", "5", "the number of transactions is wrong"),
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("AK2*837*0001\nIK5*A\nAK9*A*1*1*1", "no AK1"),
        ("AK1*HC*17\nAK2*837*0001\nIK5*A", "no AK9"),
        ("AK1*HC*17\nAK9**1*1*1", "AK901 is missing"),
        ("AK1*HC*17\nIK5*A\nAK9*A*1*1*1", "before the transaction"),
        ("AK1*HC*17\nAK2*837*0001\nIK4*1**1\nAK9*A*1*1*1", "before the segment"),
    ],
)
def test_a_999_that_does_not_say_what_or_how_is_refused(body: str, message: str) -> None:
    with pytest.raises(X12Error, match=message):
        read(body)


def test_a_transaction_without_a_verdict_is_a_finding_and_not_accepted() -> None:
    (group,), findings = read("AK1*HC*17\nAK2*837*0001\nAK9*A*1*1*1")
    assert not group.transactions[0].accepted
    assert [each.message for each in findings] == ["transaction '0001' has no verdict (IK5)"]


def test_what_a_payer_writes_reads_back_as_it_was() -> None:
    faults = (
        SyntaxFault("segment", "8", "CLM", 22),
        SyntaxFault("element", "7", "CLM", 22, "", 5, 3, "Z"),
        SyntaxFault("segment", "I6", "REF", 30, "2300"),
    )
    written = AcknowledgedGroup(
        "HC", "17", "P",
        (AcknowledgedTransaction("837", "0001", "A"), AcknowledgedTransaction("837", "0002", "R", faults)),
        x837p.VERSION,
    )  # fmt: skip
    raw = cast.acknowledge(written)
    assert b"AK9*P*2*2*1~" in raw
    (found,) = x999.read(raw)
    assert found.transactions == written.transactions


def test_the_command_shape() -> None:
    raw = interchange("FA", "005010X231A1", "999", "AK1*HC*17\nAK2*837*0001\nIK3*NM1*8**3\nIK5*R*5\nAK9*R*1*1*0")
    assert x999.describe(raw) == {
        "type": "999",
        "errors": [],
        "groups": [
            {
                "control_number": "17",
                "accepted": False,
                "errors": [{"segment": "NM1", "position": 8, "code": "3", "text": "a required segment is missing"}],
            }
        ],
    }
