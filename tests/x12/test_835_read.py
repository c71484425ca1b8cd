"""What an insurer's payment says: every amount where it belongs, and what hides money refused."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from insurance.x12 import x835
from insurance.x12.segments import Finding, X12Error
from tests.x12 import cast
from tests.x12.cast import money
from tests.x12.text import interchange

FIXTURES = Path(__file__).parent / "fixtures"

HEAD = """
BPR*I*{paid}*C*ACH************20260324
TRN*1*EFT1*1512345678
DTM*405*20260323
N1*PR*ALPHA HEALTH
N1*PE*PRACTICE*XX*1234567893
LX*1
"""


def payment(paid: str, body: str) -> bytes:
    return interchange("HP", "005010X221A1", "835", HEAD.format(paid=paid) + body)


def read(raw: bytes) -> tuple[x835.Remittance, list[Finding]]:
    findings: list[Finding] = []
    (found,) = x835.read(raw, findings)
    return found, findings


def test_a_payment_with_a_reversal_its_correction_and_a_recovery() -> None:
    found, findings = read((FIXTURES / "paid_reversed_recovered.x12").read_bytes())
    assert findings == []
    assert found.balanced
    assert (found.amount, found.method, found.trace, found.paid_on, found.produced_on) == (
        money("61.50"), "ACH", "EFT778899", date(2026, 3, 24), date(2026, 3, 23),
    )  # fmt: skip
    assert (found.payer.name, found.payer.reference("2U"), found.payer.phone) == ("ALPHA HEALTH", "ALPH1", "8005550101")
    assert (found.payee.npi, found.payee.reference("TJ")) == ("1234567893", "131234567")

    reversal, corrected, other = found.claims
    assert (reversal.reversal, reversal.charge, reversal.paid, reversal.client_responsibility) == (
        True, money("-200"), money("-104"), money("-26"),
    )  # fmt: skip
    assert (corrected.client_responsibility, corrected.reference("F8")) == (money("47.00"), "ICN100")
    assert corrected.date_of("050") == date(2026, 3, 11)
    assert [(each.group, each.code, each.amount) for each in corrected.lines[0].adjustments] == [
        ("CO", "45", money("70")), ("PR", "1", money("20")), ("PR", "2", money("22")), ("PR", "3", money("5")),
    ]  # fmt: skip
    # Facts are summed: the first decision, its reversal and the correction leave the corrected amounts.
    assert money("104") + reversal.paid + corrected.paid == money("83")

    assert other.adjustments == cast.adjustments(("CO", "253", "2.5"))
    assert other.remarks == ("MA18", "N23")
    assert other.client_responsibility == money("0.00")
    assert (other.lines[0].control_number, other.lines[0].allowed) == ("S2L1", money("95"))

    assert [(each.code, each.amount, each.reference) for each in found.provider_adjustments] == [
        ("WO", money("10"), "ICN099"), ("L6", money("-0.5"), "ICN098"), ("FB", money("0.5"), ""),
    ]  # fmt: skip


def test_names_that_change_who_pays() -> None:
    found, findings = read(
        payment("0", """
CLP*S1P*1*200*0**12*ICN1
CAS*CO*22*200
NM1*QC*1*LOPEZ*ANA****MI*ANA001
NM1*IL*1*LOPEZ*BEN****MI*BEN777
NM1*74*1**ANNA****C*ANA009
NM1*PR*2*BETA MUTUAL*****PI*BETA1
NM1*GB*1*LOPEZ*BEN****MI*BEN777
MOA***N197
CLP*S2P*19*200*0*200*12*ICN2
CAS*PR*1*200
NM1*QC*1*LOPEZ*ANA****MI*ANA001
NM1*TT*2*GAMMA STATE PLAN*****PI*GAMM1
""")
    )  # fmt: skip
    assert findings == []
    first, second = found.claims
    assert first.corrected_payer is not None
    assert (first.corrected_payer.full, first.corrected_payer.identifier) == ("BETA MUTUAL", "BETA1")
    assert first.corrected is not None
    assert (first.corrected.first, first.corrected.identifier) == ("ANNA", "ANA009")
    assert first.other_subscriber is not None
    assert not first.forwarded
    assert second.forwarded
    assert second.crossover is not None
    assert second.crossover.full == "GAMMA STATE PLAN"


def test_inpatient_remarks_line_remarks_and_two_dates() -> None:
    found, _ = read(
        payment("10", """
CLP*S1P*1*50*10**12*ICN1
MIA*0****MA92***************N4*N8
NM1*QC*1*LOPEZ*ANA
SVC*HC:90834:95:HO*50*10*0900*1*HC:90837:95*2
DTM*150*20260303
DTM*151*20260304
CAS*CO*97*40
REF*6R*S1L1
LQ*HE*N179
LQ*HE*N4
""")
    )  # fmt: skip
    (claim,) = found.claims
    assert claim.remarks == ("MA92", "N4", "N8", "N179")
    (line,) = claim.lines
    assert (line.procedure, line.modifiers, line.revenue_code) == ("90834", ("95", "HO"), "0900")
    assert (line.original_procedure, line.original_modifiers, line.original_units) == ("90837", ("95",), Decimal(2))
    assert (line.service_date, line.through) == (date(2026, 3, 3), date(2026, 3, 4))


@pytest.mark.parametrize(
    ("clp", "adjustments", "owed"),
    [
        ("CLP*S1P*1*200*104*26*12*ICN1", "CAS*CO*45*70\nCAS*PR*2*26", "26.00"),
        ("CLP*S1P*1*200*104**12*ICN1", "CAS*CO*45*70\nCAS*PR*2*26", "26.00"),
        ("CLP*S1P*1*200*130**12*ICN1", "CAS*CO*45*70", "0.00"),
        ("CLP*S1P*1*200*104*0*12*ICN1", "CAS*CO*45*70\nCAS*PR*2*26", "0.00"),
        ("CLP*S1P*1*200*104**12*ICN1", "CAS*CO*45*70", None),
    ],
    ids=["stated", "from the adjustments", "nothing left", "stated wins", "unexplained money is not zero"],
)
def test_what_the_patient_owes(clp: str, adjustments: str, owed: str | None) -> None:
    found, _ = read(payment("104", f"{clp}\n{adjustments}"))
    assert found.claims[0].client_responsibility == (None if owed is None else money(owed))


@pytest.mark.parametrize(
    ("body", "where", "message"),
    [
        ("CLP*S1P*1**104", "segment 10 (CLP)", "CLP03 is missing"),
        ("CLP*S1P*1*200*", "segment 10 (CLP)", "CLP04 is missing"),
        ("CLP*S1P*1*200*1O4", "segment 10 (CLP)", "CLP04 '1O4' is not a number"),
        ("CLP*S1P*1*200*104\nCAS*CO*45", "segment 11 (CAS)", "CAS03 is missing"),
        ("CLP*S1P*1*200*104\nCAS*CO**70", "segment 11 (CAS)", "CAS02 is missing"),
        ("CLP*S1P*1*200*104\nCAS**45*70", "segment 11 (CAS)", "CAS01 is missing"),
        ("CLP*S1P*1*200*104\nSVC*HC:90837**104", "segment 11 (SVC)", "SVC02 is missing"),
        ("SVC*HC:90837*200*104", "segment 10 (SVC)", "before any claim"),
        ("CAS*CO*45*70", "segment 10 (CAS)", "before any claim"),
        ("PLB*1234567893*20261231**10", "segment 10 (PLB)", "PLB03 is missing"),
        ("BPR*I*9*C*ACH", "segment 10 (BPR)", "second BPR"),
    ],
)
def test_what_hides_money_is_refused_naming_the_segment(body: str, where: str, message: str) -> None:
    with pytest.raises(X12Error, match=message) as refusal:
        read(payment("104", body))
    assert refusal.value.where == where


def test_a_remittance_without_its_payment_is_refused() -> None:
    raw = interchange("HP", "005010X221A1", "835", "TRN*1*EFT1\nN1*PR*ALPHA")
    with pytest.raises(X12Error, match="no BPR"):
        read(raw)


def test_faults_that_hide_nothing_are_findings() -> None:
    raw = payment("104", "CLP*S1P*5*200*104*25*12*ICN1\nSVC*90837*200*104\nDTM*472*20261301\nCAS*CO*45*70\nCAS*PR*2*26")
    raw = raw.replace(b"SE*13*0001", b"SE*99*0009").replace(b"IEA*1*000000005", b"IEA*2*000000006")
    found, findings = read(raw)
    assert found.balanced
    assert [each.message for each in findings] == [
        "SE01 says '99' segments, there are 13",
        "SE02 '0009' is not ST02 '0001'",
        "CLP02 '5' is no claim status of this guide",
        "SVC01 '90837' does not name a procedure",
        "DTM02 '20261301' is no date",
        "CLP05 says the patient owes 25.00, the PR adjustments 26.00",
        "IEA02 '000000006' is not ISA13 '000000005'",
        "IEA01 says '2' groups, there are 1",
    ]
    assert [each.where for each in findings[2:6]] == [
        "segment 10 (CLP)", "segment 11 (SVC)", "segment 12 (DTM)", "segment 10 (CLP)",
    ]  # fmt: skip
    assert len(found.findings) == 6


def test_a_line_takes_its_date_from_a_claim_of_one_day_only() -> None:
    body = "CLP*S1P*1*10*0\nDTM*232*20260303\n{}SVC*HC:90837*10*0\nCAS*CO*45*10"
    dates = []
    for through in ("", "DTM*233*20260303\n", "DTM*233*20260305\n"):
        told: dict[str, Any] = x835.describe(payment("0", body.format(through)))
        dates.append(told["payments"][0]["claims"][0]["lines"][0]["date"])
    assert dates == ["2026-03-03", "2026-03-03", None]


@pytest.mark.parametrize("terminator", ["\n", "'", "~\r\n", "\x1c"])
def test_any_terminator_the_isa_declares(terminator: str) -> None:
    raw = (FIXTURES / "paid_reversed_recovered.x12").read_text().replace("\n", "").replace("~", terminator)
    found, findings = read(raw.encode())
    assert findings == []
    assert (found.balanced, len(found.claims)) == (True, 3)


def test_a_blank_adjustment_is_passed_over_but_not_one_with_money() -> None:
    found, _ = read(payment("0", "CLP*S1P*1*10*0\nCAS*CO*45*10****0*"))
    assert found.claims[0].adjustments == cast.adjustments(("CO", "45", "10"))


def test_two_payments_in_one_file_are_read_one_at_a_time() -> None:
    body = HEAD.format(paid="0") + "CLP*{}*1*10*0\nCAS*CO*45*10\n"
    raw = interchange("HP", "005010X221A1", "835", body.format("A"), body.format("B"))
    reader = x835.read(raw)
    assert next(reader).claims[0].control_number == "A"
    assert next(reader).claims[0].control_number == "B"
    assert next(reader, None) is None


def test_a_remittance_we_write_reads_back_as_it_was() -> None:
    found, _ = read((FIXTURES / "paid_reversed_recovered.x12").read_bytes())
    raw = cast.pay(found)
    again, findings = read(raw)
    assert findings == []
    assert cast.pay(again) == raw
    assert [claim.lines[0].adjustments for claim in again.claims] == [
        claim.lines[0].adjustments for claim in found.claims
    ]
    assert again.provider_adjustments == found.provider_adjustments


def test_the_command_shape() -> None:
    raw = payment(
        "104",
        "CLP*S1P*1*200*104*26*12*ICN1\nCAS*CO*253*0\nNM1*QC*1*LOPEZ*ANA*M\nSVC*HC:90837*200*104\nDTM*472*20260303\n"
        "CAS*CO*45*70\nCAS*PR*2*26\nPLB*1234567893*20261231*CS:X*0",
    )
    assert x835.describe(raw) == {
        "type": "835",
        "errors": [],
        "payments": [
            {
                "payer": "ALPHA HEALTH", "payee_npi": "1234567893", "method": "ACH", "date": "2026-03-24",
                "amount": "104.00", "trace": "EFT1", "balanced": True,
                "claims": [
                    {
                        "control_number": "S1P", "status": "1", "status_text": "Processed as primary",
                        "charge": "200.00", "paid": "104.00", "client_responsibility": "26.00",
                        "payer_control_number": "ICN1", "patient": "ANA M LOPEZ",
                        "adjustments": [{"group": "CO", "code": "253", "amount": "0.00"}],
                        "lines": [
                            {
                                "procedure": "90837", "date": "2026-03-03", "charge": "200.00", "paid": "104.00",
                                "adjustments": [
                                    {"group": "CO", "code": "45", "amount": "70.00"},
                                    {"group": "PR", "code": "2", "amount": "26.00"},
                                ],
                            }
                        ],
                        "remarks": [],
                        "explanation": "The insurer allowed $130.00, paid $104.00 and leaves $26.00 to the patient"
                        " (coinsurance).",
                    }
                ],
                "provider_adjustments": [{"code": "CS", "amount": "0.00", "reference": "X"}],
            }
        ],
    }  # fmt: skip
