"""270 and 271 both ways: what is written is read back the same, and read again writes the same bytes."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from insurance.x12 import x270, x271
from insurance.x12.eligibility import (
    Contact,
    Member,
    Name,
    Reference,
    Trace,
    between,
    on_day,
    payer,
    provider,
)
from insurance.x12.rejections import Cause
from insurance.x12.segments import Party, X12Error
from insurance.x12.x271 import Benefit, Delivery, Rejection, Response
from tests.x12.text import interchange

FIXTURES = Path(__file__).parent / "fixtures" / "271"
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "x12"
AT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
US, ALPHA = Party("HEADWAY"), Party("ALPH1")

ANA = Member("LOPEZ", "ANA", "M", member_id="ANA001", born=date(1990, 2, 14), gender="F")
BEN = Member("LOPEZ", "BEN", member_id="BEN777", references=(Reference("6P", "GRP55"),))
MIA = Member("LOPEZ", "MIA", born=date(2015, 5, 5), relationship="19")
ALPHA_HEALTH = payer("ALPHA HEALTH PLAN", "ALPH1", (Contact("MEMBER SERVICES", (("TE", "8005550111"),)),))
DR_COLE = provider("COLE", "1234567893", first="MARA")


def asks(**changes: object) -> x270.Inquiry:
    given: dict[str, object] = {
        "trace": "TRACE-1",
        "payer": payer("ALPHA HEALTH PLAN", "ALPH1"),
        "provider": DR_COLE,
        "subscriber": ANA,
        "service_types": ("MH", "30"),
        "on": date(2026, 3, 12),
        "trace_origin": "9HEADWAY00",
        "reference": "ELG1",
    }
    return x270.Inquiry(**{**given, **changes})  # type: ignore[arg-type]


def sent(*inquiries: x270.Inquiry) -> bytes:
    return x270.build(inquiries, sender=US, receiver=ALPHA, control_number=101, at=AT)


def answered(*responses: Response) -> bytes:
    return x271.build(responses, sender=ALPHA, receiver=US, control_number=102, at=AT)


# 270


def test_an_inquiry_is_written_as_the_guide_has_it() -> None:
    assert sent(asks()).decode().split("~")[2:-1] == [
        "ST*270*0001*005010X279A1",
        "BHT*0022*13*ELG1*20260310*0930",
        "HL*1**20*1",
        "NM1*PR*2*ALPHA HEALTH PLAN*****PI*ALPH1",
        "HL*2*1*21*1",
        "NM1*1P*1*COLE*MARA****XX*1234567893",
        "HL*3*2*22*0",
        "TRN*1*TRACE-1*9HEADWAY00",
        "NM1*IL*1*LOPEZ*ANA*M***MI*ANA001",
        "DMG*D8*19900214*F",
        "DTP*291*D8*20260312",
        "EQ*MH^30",
        "SE*13*0001",
        "GE*1*101",
        "IEA*1*000000101",
    ]


def test_inquiries_are_read_back_as_they_were_written() -> None:
    first = asks()
    child = asks(subscriber=BEN, dependent=MIA, trace="TRACE-2", through=date(2026, 3, 31))
    raw = sent(first, child)
    reading = x270.read(raw)
    assert reading.inquiries == (first, child)
    assert (reading.sender, reading.receiver, reading.findings) == ("HEADWAY", "ALPH1", ())
    assert sent(*reading.inquiries) == raw


def test_names_are_cleaned_of_the_characters_x12_reserves() -> None:
    raw = sent(asks(subscriber=Member("O'Neil* ~Lopez", "Ana:Maria", member_id="ana 1")))
    assert b"NM1*IL*1*O'NEIL LOPEZ*ANA MARIA****MI*ANA 1~" in raw


@pytest.mark.parametrize("gap", [{"trace": ""}, {"service_types": ()}, {"payer": payer("ALPHA", "")}])
def test_an_inquiry_that_no_insurer_could_answer_is_not_written(gap: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="needs a trace, a service type and the payer's id"):
        sent(asks(**gap))


def test_a_subscriber_and_a_dependent_may_both_be_asked_about() -> None:
    body = """
        BHT*0022*13*ELG1*20260310*0930
        HL*1**20*1
        NM1*PR*2*ALPHA*****PI*ALPH1
        HL*2*1*21*1
        NM1*1P*1*COLE*MARA****XX*1234567893
        HL*3*2*22*1
        TRN*1*T1*9HEADWAY00
        NM1*IL*1*LOPEZ*BEN****MI*BEN777
        EQ*30
        HL*4*3*23*0
        NM1*03*1*LOPEZ*MIA
        EQ*MH
        EQ*98
    """
    ben, mia = x270.read(interchange("HS", "005010X279A1", "270", body)).inquiries
    assert (ben.patient.full, ben.service_types, ben.trace) == ("BEN LOPEZ", ("30",), "T1")
    assert (mia.patient.full, mia.service_types, mia.trace) == ("MIA LOPEZ", ("MH", "98"), "T1")


def test_a_270_reader_refuses_another_kind_and_names_the_segment() -> None:
    with pytest.raises(X12Error, match="this transaction is '271', not a 270") as refusal:
        x270.read(answered(Response((), ALPHA_HEALTH, DR_COLE, ANA)))
    assert refusal.value.where == "segment 3 (ST)"


# 271


def full_answer() -> Response:
    this_year = between("291", date(2026, 1, 1), date(2026, 12, 31))
    claims_desk = Contact("CLAIMS", (("TE", "8005550100"),))
    beta = Name("PRP", "BETA MUTUAL", qualifier="PI", id="BETA9", contacts=(claims_desk,))
    ben = Name("IL", "LOPEZ", "BEN", qualifier="MI", id="BEN777", person=True)
    copay = Benefit("B", "IND", ("MH",), period="27", amount=Decimal(25), authorization="N", network="Y")
    twelve_left = Delivery("VS", Decimal(12), "29", Decimal(1))
    other = Benefit("R", "", ("30",), insurance_type="12", references=(Reference("1W", "B-778"),))
    return Response(
        traces=(Trace("2", "TRACE-1", "9HEADWAY00"), Trace("1", "OURS-7", "1ALPHA0000")),
        payer=ALPHA_HEALTH,
        provider=DR_COLE,
        subscriber=ANA,
        dates=(on_day("346", date(2026, 1, 1)), on_day("347", date(2026, 12, 31))),
        reference="ELG1",
        benefits=(
            Benefit("1", "IND", ("30", "MH"), plan="ALPHA PPO", dates=(this_year,)),
            replace(copay, messages=("DEDUCTIBLE WAIVED",), places=("11", "10")),
            Benefit("A", "", ("CF", "MH"), period="27", share=Decimal("0.125"), network="N"),
            Benefit("C", "FAM", ("30",), period="29", amount=Decimal("1200.5"), network="W"),
            Benefit("F", "", ("MH",), unit="VS", quantity=Decimal(30), deliveries=(twelve_left,)),
            Benefit("B", "", ("MH",), amount=Decimal(40), network="Y", procedure=("HC", "90853")),
            replace(other, dates=(between("290", date(2025, 1, 1), date(2026, 12, 31)),), names=(beta, ben)),
            Benefit("1", "", ("98",), rejections=(Rejection("2110C", "98", "N"),)),
        ),
    )


def test_an_answer_is_read_back_as_it_was_written_and_writes_the_same_bytes() -> None:
    answer = full_answer()
    child = Response((Trace("2", "T2", "9HEADWAY00"),), ALPHA_HEALTH, DR_COLE, BEN, MIA, benefits=answer.benefits[:2])
    refused = Response(
        (Trace("2", "T3", "9HEADWAY00"),), ALPHA_HEALTH, DR_COLE, ANA, rejections=(Rejection("2100C", "72", "C"),)
    )
    down = Response((), ALPHA_HEALTH, Name("1P"), rejections=(Rejection("2000A", "42", "R"),), reference="ELG4")
    raw = answered(answer, child, refused, down)
    reading = x271.read(raw)
    assert reading.findings == ()
    assert reading.responses[0] == answer
    assert [response.benefits for response in reading.responses] == [answer.benefits, answer.benefits[:2], (), ()]
    assert reading.responses[1].dependent == MIA
    assert reading.responses[3] == down
    assert answered(*reading.responses) == raw


def test_the_benefit_lines_name_their_own_segments() -> None:
    (response,) = x271.read(answered(full_answer())).responses
    assert response.where == "segment 13 (NM1)"
    assert [benefit.where for benefit in response.benefits][:3] == [
        "segment 17 (EB)", "segment 19 (EB)", "segment 23 (EB)",
    ]  # fmt: skip


@pytest.mark.parametrize("fixture", sorted(FIXTURES.glob("*.x12")), ids=lambda path: path.stem)
def test_reading_what_we_wrote_from_a_file_changes_nothing(fixture: Path) -> None:
    once = x271.read(fixture.read_bytes())
    assert once.findings == ()
    raw = answered(*once.responses)
    again = x271.read(raw).responses
    assert [response.benefits for response in again] == [response.benefits for response in once.responses]
    assert answered(*again) == raw


def test_the_trace_that_comes_back_is_the_one_we_sent() -> None:
    assert full_answer().trace == "TRACE-1"
    kid, _ = x271.read((FIXTURES / "dependent_both_networks.x12").read_bytes()).responses
    assert (kid.trace, kid.member_id) == ("TRACE-KID-1", "BEN777")
    assert kid.patient is not None
    assert (kid.patient.full, kid.patient.relationship) == ("MIA LOPEZ", "19")


def test_rejections_tell_their_loop_and_who_can_help() -> None:
    member, two, down, service = x271.read((FIXTURES / "rejected.x12").read_bytes()).responses
    assert [(r.loop, r.code, r.follow_up, r.cause) for r in member.all_rejections] == [
        ("2100C", "72", "C", Cause.MEMBER)
    ]
    assert [r.text for r in two.all_rejections] == [
        "The insurer did not find this member",
        "The date of birth is not the one the insurer has",
    ]
    assert [(r.loop, r.code, r.cause) for r in down.all_rejections] == [("2000A", "42", Cause.TRY_AGAIN)]
    assert down.subscriber is None
    assert [(r.loop, r.code) for r in service.all_rejections] == [("2110C", "98")]


def test_the_same_code_means_the_provider_or_the_insurer_by_its_loop() -> None:
    assert Rejection("2100B", "79").text == "The insurer does not know this provider as a participant"
    assert Rejection("2100A", "79").text == "This insurer cannot be reached under the id that was used"
    assert Rejection("2100B", "15").cause is Cause.SETUP
    assert Rejection("2100D", "ZZ").text == "The insurer rejected the dependent with code ZZ, which is not in the guide"


def test_a_fault_that_hides_no_meaning_is_told_and_reading_goes_on() -> None:
    body = """
        BHT*0022*11*ELG1*20260310*0930
        HL*1**20*1
        NM1*PR*2*ALPHA*****PI*ALPH1
        HL*1*1*21*1
        NM1*1P*1*COLE*MARA****XX*1234567893
        HL**2*22*0
        NM1*IL*1*LOPEZ*ANA****MI*ANA001
        DMG*D8*19901340
        EB*B**MH***27*TWENTY*****Y
        DTP*348*D8*SOON
    """
    raw = interchange("HB", "005010X279A1", "271", body).replace(b"SE*12*", b"SE*99*")
    reading = x271.read(raw)
    assert [(finding.where, finding.message) for finding in reading.findings] == [
        ("segment 14 (SE)", "SE01 says '99' segments, there are 12"),
        ("segment 7 (HL)", "HL01 '1' is used twice"),
        ("segment 9 (HL)", "the HL has no number (HL01)"),
        ("segment 11 (DMG)", "DMG02 '19901340' is not a date"),
        ("segment 13 (DTP)", "DTP03 'SOON' is not a date or a range of dates"),
        ("segment 12 (EB)", "EB07 'TWENTY' is not a number"),
    ]
    assert reading.responses[0].benefits[0].amount is None


def test_an_answer_without_levels_is_cut_at_its_names() -> None:
    body = """
        BHT*0022*11*ELG1*20260310*0930
        NM1*PR*2*ALPHA*****PI*ALPH1
        NM1*1P*1*COLE*MARA****XX*1234567893
        NM1*IL*1*LOPEZ*ANA****MI*ANA001
        EB*1**30
        LS*2120
        NM1*PR*2*INSIDE THE BENEFIT
        LE*2120
    """
    (response,) = x271.read(interchange("HB", "005010X279A1", "271", body)).responses
    assert (response.payer.full, response.member_id, response.benefits[0].services) == ("ALPHA", "ANA001", ("30",))


def test_service_types_are_cut_even_where_the_isa_does_not_say_how() -> None:
    body = "HL*1**20*1\nNM1*PR*2*ALPHA\nHL*3*1*22*0\nNM1*IL*1*LOPEZ*ANA\nEB*1**30^MH"
    raw = interchange("HB", "004010X092A1", "271", body).replace(b"*^*00501*", b"*U*00401*")
    assert x271.read(raw).responses[0].benefits[0].services == ("30", "MH")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the shared samples are not on this machine")
@pytest.mark.parametrize("kind", ["270", "271"])
def test_every_public_sample_is_read(kind: str) -> None:
    module = {"270": x270, "271": x271}[kind]
    for sample in sorted((SAMPLES / kind).glob("*.x12")):
        told = module.describe(sample.read_bytes())
        assert told["inquiries" if kind == "270" else "responses"], sample.name
