"""The questions we send: written, read and written again byte for byte, and right by our own rules."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insurance.x12 import x270
from insurance.x12.eligibility import Member, payer, provider
from insurance.x12.segments import Party, X12Error
from insurance.x12.values import is_npi
from insurance.x12.x270 import Inquiry
from insurance.x12.x270_check import faults
from tests.x12.text import interchange

AT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
TODAY = AT.date()
ANA = Member("LOPEZ", "ANA", "M", member_id="ANA001", born=date(1990, 2, 14), gender="F")
BEN = Member("LOPEZ", "BEN", member_id="BEN777", born=date(1988, 1, 2))
MIA = Member("LOPEZ", "MIA", born=date(2015, 5, 5), relationship="19")
ABOUT_ANA = Inquiry(
    "TRACE-1", payer("ALPHA HEALTH", "ALPH1"), provider("HEADWAY PRACTICE", "1234567893"), ANA, ("MH",),
    on=date(2026, 3, 12), trace_origin="9HEADWAY00", reference="ELG1",
)  # fmt: skip
ABOUT_MIA = replace(ABOUT_ANA, trace="TRACE-2", subscriber=BEN, dependent=MIA)


def sent(*inquiries: Inquiry) -> bytes:
    return x270.build(inquiries, sender=Party("HEADWAY"), receiver=Party("ALPH1"), control_number=11, at=AT)


def said(raw: bytes) -> list[str]:
    return [f"{fault.where}: {fault.message}" for fault in faults(raw)]


def test_a_question_about_a_subscriber_and_one_about_a_dependent_are_right() -> None:
    assert faults(sent(ABOUT_ANA)) == ()
    assert faults(sent(ABOUT_MIA)) == ()
    assert faults(sent(ABOUT_ANA, ABOUT_MIA)) == ()


def test_a_dependents_question_has_its_trace_and_service_type_below_the_dependent() -> None:
    rows = sent(ABOUT_MIA).decode().split("~")
    assert rows[8:19] == [
        "HL*3*2*22*1",
        "NM1*IL*1*LOPEZ*BEN****MI*BEN777",
        "DMG*D8*19880102",
        "HL*4*3*23*0",
        "TRN*1*TRACE-2*9HEADWAY00",
        "NM1*03*1*LOPEZ*MIA",
        "DMG*D8*20150505",
        "INS*N*19",
        "DTP*291*D8*20260312",
        "EQ*MH",
        "SE*17*0001",
    ]


def test_a_relationship_that_a_question_has_no_code_for_is_left_out() -> None:
    raw = sent(replace(ABOUT_MIA, dependent=replace(MIA, relationship="G8")))
    assert b"INS" not in raw
    assert faults(raw) == ()


@pytest.mark.parametrize(
    ("inquiry", "fault"),
    [
        (replace(ABOUT_ANA, service_types=("MH", "30")),
         "segment 9 (HL): EQ01: one service type in each question, unless the insurer answers several"),
        (replace(ABOUT_ANA, service_types=("MENTAL",)),
         "segment 9 (HL): EQ01 'MENTAL' has not the form of a service type"),
        (replace(ABOUT_ANA, subscriber=replace(ANA, member_id="")),
         "segment 11 (NM1): NM108 and NM109: the subscriber has no member id (MI)"),
        (replace(ABOUT_ANA, subscriber=replace(ANA, born=None, gender="")),
         "segment 11 (NM1): the first name and the date of birth are needed to find the member"),
        (replace(ABOUT_ANA, subscriber=replace(ANA, gender="U")),
         "segment 12 (DMG): DMG03 'U': a question knows F and M only"),
        (replace(ABOUT_ANA, provider=provider("HEADWAY PRACTICE", "1234567890")),
         "segment 8 (NM1): NM109 '1234567890' is no NPI: its check digit is wrong"),
        (replace(ABOUT_ANA, payer=payer("", "ALPH1")), "segment 6 (NM1): NM103: the payer has no name"),
        (replace(ABOUT_ANA, trace_origin="HEADWAY"),
         "segment 10 (TRN): TRN: kind 1, a number, and ten characters that begin with 1, 3 or 9 are needed"),
        (replace(ABOUT_ANA, trace="T" * 51), "segment 10 (TRN): TRN02 is longer than 50 characters"),
        (replace(ABOUT_ANA, subscriber=replace(ANA, last="ŁOPEZ")),
         "segment 11 (NM1): NM103 holds a character that X12 does not have"),
        (replace(ABOUT_ANA, on=TODAY - timedelta(days=400)),
         "segment 13 (DTP): DTP03: no insurer must answer for a day more than a year ago"),
        (replace(ABOUT_ANA, on=date(1989, 1, 1)),
         "segment 13 (DTP): DTP03: the day asked about is before the date of birth"),
        (replace(ABOUT_ANA, through=date(2026, 3, 1)),
         "segment 13 (DTP): DTP: the day asked about is not a date, or a range, of kind 291"),
        (replace(ABOUT_MIA, dependent=replace(MIA, member_id="MIA1")),
         "segment 14 (NM1): NM109: a dependent has no id; who has one is asked about as a subscriber"),
    ],
)  # fmt: skip
def test_each_rule_names_its_element(inquiry: Inquiry, fault: str) -> None:
    assert fault in said(sent(inquiry))


def test_one_trace_for_two_questions_is_a_fault() -> None:
    assert said(sent(ABOUT_ANA, replace(ABOUT_MIA, trace="TRACE-1"))) == [
        "segment 26 (TRN): TRN02 'TRACE-1' is used by segment 10 (TRN) too"
    ]


def test_levels_must_count_and_name_the_one_above() -> None:
    body = """
        BHT*0022*13*E1*20260310*0930
        HL*1**20*1
        NM1*PR*2*ALPHA*****PI*ALPH1
        HL*3*1*21*1
        NM1*1P*2*HEADWAY*****XX*1234567893
        HL*3*1*22*1
        TRN*1*T1*9HEADWAY00
        NM1*IL*1*LOPEZ*ANA****MI*ANA001
        DMG*D8*19900214*F
        EQ*MH
    """
    assert said(interchange("HS", "005010X279A1", "270", body)) == [
        "segment 3 (ST): GS08 and ST03 must both be 005010X279A1",
        "segment 9 (HL): HL01 '3' is used twice",
        "segment 7 (HL): HL01 is '3', this is level number 2",
        "segment 7 (HL): HL04 is '1', which is not whether a level follows below",
        "segment 9 (HL): HL02 is '1', the level above is '3'",
        "segment 9 (HL): HL04 is '1', which is not whether a level follows below",
    ]


def test_another_kind_of_file_is_a_fault_and_no_file_is_refused() -> None:
    raw = interchange("HB", "005010X279A1", "271", "BHT*0022*11*E1*20260310*0930")
    assert "segment 3 (ST): ST01 is '271', not 270" in said(raw)
    with pytest.raises(X12Error):
        faults(b"no X12")


@pytest.mark.parametrize(
    ("number", "right"),
    [("1234567893", True), ("1234567890", False), ("1999999984", True), ("123456789", False), ("12345678931", False),
     ("1234567٨93", False), ("", False)],
)  # fmt: skip
def test_an_npi_ends_in_its_check_digit(number: str, right: bool) -> None:
    assert is_npi(number) is right


NAMES = st.text(st.characters(codec="ascii", categories=("Lu", "Nd", "Zs", "Po")), min_size=1, max_size=30)
DAYS = st.dates(date(1930, 1, 1), date(2025, 12, 31))


@st.composite
def inquiries(draw: st.DrawFn) -> Inquiry:
    """A question as our own records make it: names typed by people, a plan of one's own or of the family."""
    own = Member(draw(NAMES), draw(NAMES), member_id=draw(NAMES), born=draw(DAYS), gender=draw(st.sampled_from("FM")))
    dependent = None
    if draw(st.booleans()):
        dependent = Member(
            draw(NAMES), draw(NAMES), born=draw(DAYS), relationship=draw(st.sampled_from(["", "01", "19"]))
        )
    on = draw(st.dates(date(2026, 1, 1), date(2026, 12, 31)))
    return replace(
        ABOUT_ANA,
        subscriber=own,
        dependent=dependent,
        service_types=(draw(st.sampled_from(["MH", "30", "98", "A6"])),),
        on=on,
        through=draw(st.sampled_from([None, on + timedelta(days=30)])),
    )


@settings(max_examples=150, deadline=None)
@given(inquiries())
def test_any_question_is_right_and_reads_back_to_the_same_bytes(inquiry: Inquiry) -> None:
    raw = sent(inquiry)
    reading = x270.read(raw)
    assert reading.findings == ()
    assert sent(*reading.inquiries) == raw
    # What people type may be nothing but signs that X12 reserves: then the name or the id is missing, and it is told.
    assert [fault for fault in faults(raw) if "NM1" not in fault.where] == []
    (read,) = reading.inquiries
    assert (read.on, read.through, read.service_types) == (inquiry.on, inquiry.through, inquiry.service_types)
    assert (read.dependent is None) == (inquiry.dependent is None)


SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "x12" / "270"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not beside the project")
def test_the_rules_hold_public_questions_to_the_guide() -> None:
    found = {path.name[:3]: len(faults(path.read_bytes(), several_services=True)) for path in SAMPLES.glob("*.x12")}
    assert found["001"] == 0
    assert found["002"] == 1, "one person is called neither a person nor an organization"
    assert all(found[name] > 0 for name in ("003", "004", "005", "007"))
