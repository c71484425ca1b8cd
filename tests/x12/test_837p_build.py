"""What we send: every claim we build keeps the form of its guide, and reads back as it was built."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from insurance.x12 import validate, x837p
from insurance.x12.segments import Finding
from tests.x12 import cast


def texts(raw: bytes) -> list[str]:
    return raw.decode().split("~")


def claims_of(raw: bytes) -> list[x837p.Claim]:
    findings: list[Finding] = []
    read = [claim for submission in x837p.read(raw, findings) for claim in submission.claims]
    assert findings == []
    return read


def as_sent(claim: x837p.Claim) -> x837p.Claim:
    """A holder of another plan is named without birth date and sex (2330A has no place for them)."""
    others = tuple(
        replace(other, subscriber=replace(other.subscriber, born=None, sex="")) for other in claim.other_payers
    )
    return replace(claim, other_payers=others)


SHAPES = {
    "primary alone": cast.claim(others=()),
    "primary naming a later payer": cast.claim(),
    "the patient is the subscriber's spouse": replace(
        cast.claim(others=()), subscriber=cast.BEN, member_id="BEN777", patient=cast.ANA, relationship="01"
    ),
    "replacement": replace(cast.claim(), frequency="7", payer_control_number="ICN1"),
    "void": replace(cast.claim(), frequency="8", payer_control_number="ICN1"),
    "authorised, two lines, elsewhere": replace(
        cast.claim(cast.line("150.00", "S2L1", "90834"), cast.line("40.00", "S2L2", "90785")),
        prior_authorization="AUTH9",
        location=x837p.ServiceLocation("NORTH OFFICE", "1234567893", cast.HOME),
    ),
    "a person bills under their own name": replace(
        cast.claim(),
        rendering=None,
        billing=replace(cast.PRACTICE, name="COLE", first="DANA", person=True, tax_qualifier="SY", tax_id="123456789"),
    ),
    "two days on one line": cast.claim(replace(cast.line(), through=date(2026, 3, 4), units=Decimal(2))),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_claim_is_valid_and_reads_back_byte_for_byte(shape: str) -> None:
    raw = cast.send(SHAPES[shape])
    assert validate.findings(raw) == []
    again = claims_of(raw)
    assert again == [as_sent(SHAPES[shape])]
    assert cast.send(*again) == raw


def test_each_claim_travels_in_its_own_transaction_and_names_its_batch() -> None:
    raw = cast.send(cast.claim(), replace(cast.claim(), control_number="S2P"))
    assert [text for text in texts(raw) if text.startswith(("ST*", "BHT*", "GE*"))] == [
        "ST*837*0001*005010X222A1",
        "BHT*0019*00*000000017-0001*20260310*0930*CH",
        "ST*837*0002*005010X222A1",
        "BHT*0019*00*000000017-0002*20260310*0930*CH",
        "GE*2*17",
    ]
    assert [submission.reference for submission in x837p.read(raw)] == ["000000017-0001", "000000017-0002"]


def test_a_primary_claim_names_the_later_payer_without_any_amount() -> None:
    segments = texts(cast.send(cast.claim()))
    start = segments.index("SBR*S*01*B-200******CI")
    assert segments[start : start + 6] == [
        "SBR*S*01*B-200******CI",
        "OI***Y*P**Y",
        "NM1*IL*1*LOPEZ*BEN****MI*BEN777",
        "N3*12 LARK LANE",
        "N4*ALBANY*NY*122031234",
        "NM1*PR*2*BETA MUTUAL*****PI*BETA1",
    ]
    assert not [text for text in segments if text.startswith(("SVD*", "CAS*", "AMT*"))]


def test_the_claim_itself_says_place_frequency_and_whose_number_it_replaces() -> None:
    segments = texts(cast.send(SHAPES["replacement"]))
    assert "CLM*S1P*200***10:B:7*Y*A*Y*Y" in segments
    assert "REF*F8*ICN1" in segments
    assert "HI*ABK:F411*ABF:F329" in segments
    assert "SV1*HC:90837:95*200*UN*1***1" in segments
    assert "REF*6R*S1L1" in segments


def test_text_with_a_separator_is_refused_not_mangled() -> None:
    with pytest.raises(ValueError, match="contains a separator"):
        cast.send(replace(cast.claim(), member_id="ANA*001"))


def test_the_validator_says_where_a_claim_breaks_its_guide() -> None:
    raw = cast.send(replace(cast.claim(), place_of_service="", diagnoses=()))
    found = validate.findings(raw)
    assert [each.where for each in found if "CLM05" in each.message or "Facility" in each.message] == [
        next(f"segment {place} (CLM)" for place, text in enumerate(texts(raw), 1) if text.startswith("CLM"))
    ]


def test_the_validator_refuses_another_guide() -> None:
    raw = cast.send(cast.claim()).replace(b"005010X222A1", b"005010X222A2")
    assert [each.where for each in validate.findings(raw)] == ["file"]
