"""What others send: claims are found under their own provider, subscriber and payer; what hides meaning is refused."""

import pytest

from insurance.x12 import x837p
from insurance.x12.segments import Finding, X12Error
from tests.x12 import cast
from tests.x12.text import interchange

HEADER = """
BHT*0019*00*B1*20260310*0930*CH
NM1*41*2*SENDER*****46*S1
PER*IC*DESK*TE*2125550100*EM*DESK@EXAMPLE.ORG
NM1*40*2*HOUSE*****46*H1
HL*1**20*1
NM1*85*2*PRACTICE*****XX*1234567893
N3*400 MAIN ST
N4*NEW YORK*NY*10001
REF*EI*131234567
"""
ANA = """
HL*2*1*22*0
SBR*P*18*******CI
NM1*IL*1*LOPEZ*ANA****MI*ANA001
NM1*PR*2*ALPHA*****PI*ALPH1
"""
BEN = """
HL*3*1*22*1
SBR*P********CI
NM1*IL*1*LOPEZ*BEN****MI*BEN777
NM1*PR*2*BETA*****PI*BETA1
HL*4*3*23*0
PAT*19
NM1*QC*1*LOPEZ*CAM
DMG*D8*20120501*U
"""
CLAIM = """
CLM*{number}*150***11:B:1*Y*A*Y*Y
HI*ABK:F411
LX*1
SV1*HC:90834*150*UN*1***1
DTP*472*D8*20260303
"""


def read(text: str) -> tuple[list[x837p.Claim], list[Finding]]:
    findings: list[Finding] = []
    raw = interchange("HC", "005010X222A1", "837", text)
    return [claim for submission in x837p.read(raw, findings) for claim in submission.claims], findings


def test_two_claims_in_one_transaction_keep_their_own_people() -> None:
    claims, findings = read(HEADER + ANA + CLAIM.format(number="C1") + BEN + CLAIM.format(number="C2"))
    assert findings == []
    assert [(each.control_number, each.treated.name.full, each.member_id, each.payer.name) for each in claims] == [
        ("C1", "ANA LOPEZ", "ANA001", "ALPHA"),
        ("C2", "CAM LOPEZ", "BEN777", "BETA"),
    ]
    assert [each.relationship for each in claims] == ["18", "19"]
    assert {each.billing.npi for each in claims} == {"1234567893"}


def test_a_prior_payers_claim_and_line_adjustments_are_kept_apart() -> None:
    prior = """
CLM*C1*150***11:B:1*Y*A*Y*Y
HI*ABK:F411
SBR*P*18*******CI
CAS*PR*1*20
AMT*D*50
OI***Y***Y
NM1*IL*1*LOPEZ*ANA****MI*ANA001
NM1*PR*2*ALPHA*****PI*ALPH1
REF*F8*ICN77
LX*1
SV1*HC:90834*150*UN*1***1
DTP*472*D8*20260303
SVD*ALPH1*70*HC:90834**1
CAS*CO*45*60**253*20
DTP*573*D8*20260324
"""
    (claim,), findings = read(HEADER + ANA.replace("SBR*P", "SBR*S") + prior)
    assert findings == []
    (other,) = claim.other_payers
    assert (other.paid, other.payer_control_number) == (cast.money("50"), "ICN77")
    assert other.adjustments == cast.adjustments(("PR", "1", "20"))
    assert claim.lines[0].prior[0].adjustments == cast.adjustments(("CO", "45", "60"), ("CO", "253", "20"))
    assert x837p.client_responsibility(claim, other) == cast.money("20")


@pytest.mark.parametrize(
    ("broken", "where", "message"),
    [
        (CLAIM.replace("*150***11", "****11"), "(CLM)", "CLM02 is missing"),
        (CLAIM.replace("90834*150*", "90834*ONE*"), "(SV1)", "SV102 'ONE' is not a number"),
        (CLAIM.replace("LX*1\n", "CAS*PR*1*5\nLX*1\n"), "(CAS)", "outside another payer"),
        (CLAIM + "CAS*PR*1*5\n", "(CAS)", "before the SVD"),
        (CLAIM + "SVD*ALPH1**HC:90834**1\n", "(SVD)", "SVD02 is missing"),
    ],
)
def test_what_hides_money_is_refused_naming_the_segment(broken: str, where: str, message: str) -> None:
    with pytest.raises(X12Error, match=message) as refusal:
        read(HEADER + ANA + broken.format(number="C1"))
    assert where in refusal.value.where


def test_an_institutional_claim_is_refused_by_name() -> None:
    raw = interchange("HC", "005010X223A2", "837", HEADER + ANA)
    with pytest.raises(X12Error, match="institutional"):
        list(x837p.read(raw))


def test_the_command_shape() -> None:
    raw = interchange("HC", "005010X222A1", "837", HEADER + ANA + CLAIM.format(number="C1"))
    assert x837p.describe(raw) == {
        "type": "837P",
        "errors": [],
        "claims": [
            {
                "control_number": "C1", "charge": "150.00", "payer": "ALPHA", "rank": "primary", "frequency": "1",
                "patient": "ANA LOPEZ", "member_id": "ANA001", "diagnoses": ["F411"], "other_payers": [],
                "lines": [
                    {"procedure": "90834", "modifiers": [], "charge": "150.00", "date": "2026-03-03", "prior": []}
                ],
            }
        ],
    }  # fmt: skip
