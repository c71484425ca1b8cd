"""What holds for any answer: the order of its lines says nothing, no figure is made up, bad bytes are refused."""

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from insurance.domain.benefit_why import FIGURES, why
from insurance.domain.benefits import Accumulator, Accumulators, Benefits, NetworkBenefits
from insurance.x12 import x270, x271
from insurance.x12.eligibility import Contact, Member, Name, Trace, between, payer, provider
from insurance.x12.segments import Party, X12Error
from insurance.x12.x271 import Benefit, Delivery, Response
from insurance.x12.x271_benefits import benefits_of
from tests.x12.test_hostile import damage

FIXTURES = Path(__file__).parent / "fixtures"
AT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
ON = date(2026, 3, 12)

SERVICES = st.sampled_from([(), ("30",), ("MH",), ("98",), ("A6",), ("CF", "A8"), ("30", "MH"), ("35",), ("A7",)])
DATES = st.sampled_from(
    [(), (), (), (between("292", date(2025, 1, 1), date(2025, 12, 31)),),
     (between("292", date(2026, 1, 1), date(2026, 12, 31)),)]
)  # fmt: skip
NAMES = st.sampled_from(
    [(), (), (Name("PRP", "BETA MUTUAL", qualifier="PI", id="BETA9"),), (Name("SEP", "BETA MUTUAL"),),
     (Name("PR", "GAMMA"),), (Name("VN", "MINDWELL", contacts=(Contact("", (("TE", "8005550199"),)),)),)]
)  # fmt: skip
MESSAGES = st.sampled_from(
    [(), (), (), ("DEDUCTIBLE WAIVED",), ("AFTER DEDUCTIBLE",), ("TELEHEALTH ONLY",), ("PHARMACY",), ("UPDATE COB",),
     ("MENTAL HEALTH IS MANAGED BY MINDWELL",), ("20 VISITS PER YEAR",)]
)  # fmt: skip
COUNTS = st.sampled_from([(), (), (), (Delivery("VS", Decimal(30), "23"),), (Delivery("VS", Decimal(9), "29"),)])


@st.composite
def benefit(draw: st.DrawFn) -> Benefit:
    """An EB such as an insurer could write, sense or nonsense."""
    return Benefit(
        code=draw(st.sampled_from([*"16ABBCCGGFIRUVWY", "MC", "CB"])),
        level=draw(st.sampled_from(["", "IND", "IND", "FAM", "CHD"])),
        services=draw(SERVICES),
        insurance_type=draw(st.sampled_from(["", "", "MA", "MB", "12"])),
        plan=draw(st.sampled_from(["", "", "GOLD", "SILVER"])),
        period=draw(st.sampled_from(["", "22", "23", "24", "27", "29", "36"])),
        amount=draw(st.sampled_from([None, Decimal(0), Decimal(20), Decimal(500), Decimal("999999.99")])),
        share=draw(st.sampled_from([None, Decimal("0.2"), Decimal(20)])),
        deliveries=draw(COUNTS),
        authorization=draw(st.sampled_from(["", "Y", "N", "U"])),
        network=draw(st.sampled_from(["", "Y", "Y", "N", "W", "U"])),
        messages=draw(MESSAGES),
        places=draw(st.sampled_from([(), (), ("10",), ("11",), ("11", "02")])),
        names=draw(NAMES),
        dates=draw(DATES),
    )


BENEFITS = st.lists(benefit(), max_size=12).map(
    lambda rows: [replace(row, where=f"line {number}") for number, row in enumerate(rows, 1)]
)


def told(benefits: list[Benefit]) -> Benefits:
    response = Response(
        (Trace("2", "T1", "9HEADWAY00"),),
        payer("ALPHA HEALTH", "ALPH1"),
        provider("COLE", "1234567893", first="MARA"),
        Member("LOPEZ", "ANA", member_id="ANA001"),
        benefits=tuple(benefits),
    )
    return benefits_of(response, on=ON)


def places(text: str) -> list[str]:
    return sorted(text.split(", "))


def bare(network: NetworkBenefits) -> NetworkBenefits:
    """The figures, and the lines they came from in no order."""
    return replace(
        network,
        copay_rule_why="",
        source={key: str(places(where)) for key, where in sorted(network.source.items())},
        disputed=dict.fromkeys(sorted(network.disputed), ""),
        telehealth=bare(network.telehealth) if network.telehealth else None,
    )


def substance(benefits: Benefits) -> dict[str, Any]:
    return {
        "active": benefits.active,
        "plan": (benefits.plan_name, benefits.plan_begin, benefits.plan_end, benefits.year_begin, benefits.year_end),
        "in": bare(benefits.in_network),
        "out": bare(benefits.out_of_network),
        "not stated": bare(benefits.network_not_stated),
        "other": {(each.name, each.rank, each.member_id, each.ended, each.overlaps) for each in benefits.other_payers},
        "signal": benefits.cob_signal,
        "carve out": benefits.carve_out and (benefits.carve_out.name, benefits.carve_out.telephone),
        "reasons": len(benefits.cob_reasons),
        "conflicts": len(benefits.conflicts),
        "messages": set(benefits.messages),
    }


@settings(max_examples=200, deadline=None)
@given(BENEFITS, st.randoms(use_true_random=False))
def test_any_order_of_the_lines_gives_the_same_benefits(rows: list[Benefit], dice: random.Random) -> None:
    mixed = list(rows)
    dice.shuffle(mixed)
    assert substance(told(mixed)) == substance(told(rows))


@settings(max_examples=100, deadline=None)
@given(BENEFITS)
def test_saying_everything_twice_changes_nothing(rows: list[Benefit]) -> None:
    once, twice = told(rows), told([*rows, *rows])
    assert substance(twice) == substance(once)


@settings(max_examples=150, deadline=None)
@given(BENEFITS)
def test_no_figure_is_made_up(rows: list[Benefit]) -> None:
    benefits = told(rows)
    said = {row.amount for row in rows}
    for network in (benefits.in_network, benefits.out_of_network, benefits.network_not_stated):
        for one in (network, network.for_telehealth()):
            assert one.copay is None or (one.copay in said and one.copay < 999999)
            assert one.coinsurance is None or one.coinsurance in {row.share for row in rows}
            for pair in accumulators(one):
                assert pair.limit is None or pair.limit in said
                assert pair.remaining is None or pair.remaining in {*said, *differences(said)}
                assert pair.limit is None or pair.remaining is None or 0 <= pair.remaining <= pair.limit
            for figure in FIGURES:
                assert why(figure, one).endswith(".")
    assert Benefits.from_json(json.loads(json.dumps(benefits.to_json()))) == benefits


def accumulators(network: NetworkBenefits) -> list[Accumulator]:
    both: list[Accumulators] = [network.deductible, network.out_of_pocket]
    return [each for one in both for each in (one.individual, one.family)]


def differences(amounts: set[Decimal | None]) -> set[Decimal]:
    known = [amount for amount in amounts if amount is not None]
    return {one - other for one in known for other in known}


@settings(max_examples=80, deadline=None)
@given(BENEFITS)
def test_what_is_written_is_read_again(rows: list[Benefit]) -> None:
    response = Response(
        (Trace("2", "T1", "9HEADWAY00"),),
        payer("ALPHA HEALTH", "ALPH1"),
        provider("COLE", "1234567893", first="MARA"),
        Member("LOPEZ", "ANA", member_id="ANA001"),
        reference="ELG1",
        benefits=tuple(rows),
    )
    raw = x271.build([response], sender=Party("ALPH1"), receiver=Party("HEADWAY"), control_number=7, at=AT)
    reading = x271.read(raw)
    assert (reading.responses, reading.findings) == ((response,), ())
    again = x271.build(reading.responses, sender=Party("ALPH1"), receiver=Party("HEADWAY"), control_number=7, at=AT)
    assert again == raw


GOOD_FILES = [path.read_bytes() for path in sorted((FIXTURES / "271").glob("*.x12"))]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(GOOD_FILES), st.integers(0, 10**9))
def test_damaged_answers_are_read_or_refused_never_a_crash(raw: bytes, seed: int) -> None:
    damaged = damage(raw, random.Random(seed))
    for describe in (x271.describe, x270.describe):
        try:
            json.dumps(describe(damaged))
        except X12Error as refusal:
            assert str(refusal)
            assert refusal.where


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for describe in (x271.describe, x270.describe):
        try:
            json.dumps(describe(raw))
        except X12Error as refusal:
            assert refusal.where
