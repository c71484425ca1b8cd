"""Broken and hostile bytes: an answer or a refusal with its place, never anything else."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from insurance.x12 import x277ca, x835, x837p, x999
from insurance.x12.names import Name
from insurance.x12.segments import X12Error
from tests.x12 import cast
from tests.x12.test_two_plans import to_beta

READERS: list[Callable[[bytes], dict[str, object]]] = [x835.describe, x837p.describe, x277ca.describe, x999.describe]


def good_files() -> list[bytes]:
    primary = cast.claim()
    line = cast.paid_line(primary.lines[0], "83", ("CO", "45", "70"), ("PR", "1", "47"))
    fixture = Path(__file__).parent / "fixtures" / "paid_reversed_recovered.x12"
    receipt = x277ca.AcknowledgedClaim("S1P", (x277ca.Status("A2", "20", "", "WQ", cast.DECIDED, cast.money("200")),))
    name = Name("ALPHA HEALTH", qualifier="PI", identifier="ALPH1")
    fault = x999.SyntaxFault("element", "7", "CLM", 22, "", 5, 3, "Z")
    return [
        fixture.read_bytes(),
        cast.send(to_beta(primary, cast.answer(primary, (line,)))),
        cast.receipt(x277ca.Acknowledgement(name, "PR", name, "17-1", (receipt,))),
        cast.acknowledge(
            x999.AcknowledgedGroup("HC", "17", "R", (x999.AcknowledgedTransaction("837", "0001", "R", (fault,)),))
        ),
    ]


ODD = ["", "-0", "1e9", "NaN", "-Infinity", "1_0", "\u0661", "9" * 60, "-", "1E-400", "1E+999999999", ":::", "0.005"]


def damage(raw: bytes, dice: random.Random) -> bytes:
    data = bytearray(raw)
    for _ in range(dice.randint(1, 3)):
        rows = bytes(data).split(b"~")
        place = dice.randrange(len(rows))
        match dice.randrange(6):
            case 0 if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
            case 1:
                data = data[: dice.randrange(len(data) + 1)]
            case 2:
                rows.pop(place)
                data = bytearray(b"~".join(rows))
            case 3:
                rows.insert(dice.randrange(len(rows)), rows[place])
                data = bytearray(b"~".join(rows))
            case 4:
                elements = rows[place].split(b"*")
                elements[dice.randrange(len(elements))] = dice.choice(ODD).encode()
                rows[place] = b"*".join(elements)
                data = bytearray(b"~".join(rows))
            case _:
                dice.shuffle(rows)
                data = bytearray(b"~".join([b for b in rows if b.startswith(b"ISA")] + rows))
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_read_or_refused_never_a_crash(seed: int) -> None:
    dice = random.Random(seed)
    files = good_files()
    answers = refusals = 0
    for _ in range(250):
        damaged = damage(dice.choice(files), dice)
        for describe in READERS:
            try:
                json.dumps(describe(damaged))
            except X12Error as refusal:
                assert str(refusal)
                assert refusal.where
                refusals += 1
            else:
                answers += 1
    assert answers > 100
    assert refusals > 100


@pytest.mark.parametrize("raw", [b"", b"   ", b"\x00" * 300, b"ISA", b"ISA*00", b"GS*HP~", b"\xff\xfe" * 50])
def test_what_is_no_x12_is_refused_by_every_reader(raw: bytes) -> None:
    for describe in READERS:
        with pytest.raises(X12Error):
            describe(raw)


def test_a_file_of_another_kind_is_a_finding_not_an_empty_answer() -> None:
    remittance = cast.pay(cast.remittance(cast.ALPHA))
    told = x837p.describe(remittance)
    assert told["claims"] == []
    assert told["errors"] == [{"where": "segment 3 (ST)", "message": "a transaction 835 is not a claim: left out"}]
