"""``manage.py read_edi``: what it prints, on which stream, with which exit code; and never a traceback."""

import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from insurance.x12.in_words import render
from insurance.x12.kinds import KINDS, describe, kind_of
from insurance.x12.segments import X12Error
from tests.x12.text import interchange

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "x12" / "fixtures" / "271"
SAMPLES = ROOT.parent / "shared" / "x12"

ANSWER = FIXTURES / "copay_waives_deductible.x12"
REMITTANCE = interchange("HP", "005010X221A1", "835", "BPR*I*0*C*NON************20260310\nTRN*1*T1*1999999999")


def read(*arguments: str) -> str:
    out = io.StringIO()
    call_command("read_edi", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> tuple[str, str]:
    """What a refusal prints: standard output, and the message (which Django sends to standard error, exit 1)."""
    out = io.StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("read_edi", *arguments, stdout=out)
    assert refusal.value.returncode == 1
    return out.getvalue(), str(refusal.value)


def test_json_has_the_shape_of_the_contract() -> None:
    told = json.loads(read(str(ANSWER), "--json"))
    assert (told["type"], told["errors"]) == ("271", [])
    assert told["responses"][0]["behavioral_health"]["in_network"]["copay"] == "25.00"


def test_text_is_for_a_person() -> None:
    assert read(str(ANSWER)).splitlines()[:16] == [
        "271: 1 answer of an insurer about coverage",
        "",
        "ANA M LOPEZ (trace TRACE-ANA-1)",
        "  Insurer             ALPHA HEALTH PLAN",
        "  Member              ANA001",
        "  Coverage            active, ALPHA PPO 1500",
        "  Plan dates          2026-01-01 to 2026-12-31",
        "  In network",
        "    Therapy                 covered",
        "    Copay                   $25.00 (waives deductible)",
        "    Deductible              individual $900.00 left of $1,500.00, family $2,100.00 left of $3,000.00",
        "    Out-of-pocket maximum   individual $4,200.50 left of $5,000.00, family $8,800.00 left of $10,000.00",
        "    Authorization           not required",
        "  Out of network",
        "    Therapy                 covered",
        "    Coinsurance             40%",
    ]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ANSWER.read_bytes())))
    assert json.loads(read("-", "--json"))["type"] == "271"


def test_tolerated_faults_are_told_and_are_no_refusal(tmp_path: Path) -> None:
    file = tmp_path / "wrong-count.x12"
    file.write_bytes(ANSWER.read_bytes().replace(b"SE*29*0001", b"SE*99*0001"))
    told = json.loads(read(str(file), "--json"))
    assert told["errors"] == [{"where": "segment 31 (SE)", "message": "SE01 says '99' segments, there are 29"}]
    assert "1 fault in the file, read all the same:\n  segment 31 (SE): SE01 says '99'" in read(str(file))


def test_several_interchanges_in_one_file(tmp_path: Path) -> None:
    file = tmp_path / "two.x12"
    file.write_bytes(ANSWER.read_bytes() + (FIXTURES / "rejected.x12").read_bytes())
    assert len(json.loads(read(str(file), "--json"))["responses"]) == 5


@pytest.mark.parametrize(
    ("content", "where", "message"),
    [
        (b"", "start of file", "the file is empty"),
        (b" \r\n", "start of file", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "start of file", "an X12 file begins with ISA"),
        (b"ISA*00", "segment 1 (ISA)", "the ISA is cut short"),
        (b"{}", "start of file", "an X12 file begins with ISA"),
        (ANSWER.read_bytes()[:150], "end of file", "there is no transaction (ST) in the file"),
        (ANSWER.read_bytes() + REMITTANCE, "segment 36 (ST)", "the file holds both 271 and 835"),
        (
            interchange("HI", "005010X217", "278", "BHT*0007*13*1"),
            "segment 3 (ST)",
            "an authorization request or answer",
        ),
        (interchange("HC", "005010X223A2", "837", "BHT*0019*00*1"), "segment 3 (ST)", "an institutional claim"),
        (interchange("HN", "005010X212", "277", "BHT*0010*08*1"), "segment 3 (ST)", "a claim status response"),
        (interchange("XX", "1", "ABC", "BHT*1"), "segment 3 (ST)", "'ABC' is not a kind of transaction read here"),
        (interchange("TA", "1", "TA1")[:106] + b"TA1*1*260310*0930*A*000~IEA*0*000000005~", "end of file", "(TA1)"),
    ],
    ids=["empty", "blank", "binary", "cut", "json", "no ST", "two kinds", "278", "837I", "277", "unknown", "TA1"],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, content: bytes, where: str, message: str
) -> None:
    file = tmp_path / "file.x12"
    file.write_bytes(content)
    out, error = refused(str(file), "--json")
    (told,) = json.loads(out)["errors"]
    assert told["where"] == where
    assert message in told["message"]
    assert error == f"{file}: {where}: {told['message']}"
    assert refused(str(file))[0] == ""


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.x12")
    out, error = refused(missing, "--json")
    assert json.loads(out)["errors"][0]["where"] == missing
    assert error == f"{missing}: the file cannot be opened: No such file or directory"
    assert "Is a directory" in refused(str(tmp_path))[1]
    assert "cannot be opened" in refused("a\0b")[1]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (interchange("HS", "005010X279A1", "270", "BHT*0022*13*1"), "270"),
        (interchange("HC", "005010X222A1", "837", "BHT*0019*00*1"), "837P"),
        (interchange("HC", "005010", "837", "BHT*0019*00*1\nSV1*HC:90837*150*UN*1"), "837P"),
        (interchange("HN", "005010X214", "277", "BHT*0085*08*1"), "277CA"),
        (interchange("HN", "005010", "277", "BHT*0085*08*1"), "277CA"),
        (interchange("FA", "005010X231A1", "999", "AK1*HC*5"), "999"),
        (REMITTANCE, "835"),
    ],
)
def test_the_kind_is_told_by_the_transaction_and_its_guide(raw: bytes, kind: str) -> None:
    assert kind_of(raw) == kind


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "escape.x12"
    file.write_bytes(ANSWER.read_bytes().replace(b"*LOPEZ*", b"*LO\x1b[31mPEZ*"))
    assert "\x1b" not in read(str(file))
    assert "LO?[31mPEZ" in read(str(file))


def test_a_fault_of_the_program_is_told_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(raw: bytes) -> dict[str, object]:
        raise ZeroDivisionError

    monkeypatch.setattr("insurance.management.commands.read_edi.describe", broken)
    out, error = refused(str(ANSWER), "--json")
    assert "the reader failed (ZeroDivisionError)" in error
    assert json.loads(out)["errors"][0]["where"] == str(ANSWER)
    with pytest.raises(ZeroDivisionError):
        call_command("read_edi", str(ANSWER), traceback=True)


def test_the_real_command_needs_no_database_and_exits_0_or_1(tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", "read_edi", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    good = run(str(ANSWER), "--json")
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["type"] == "271"
    bad = run(str(tmp_path / "none.x12"), "--json")
    assert bad.returncode == 1
    assert "Traceback" not in bad.stderr
    assert "No such file" in bad.stderr
    assert json.loads(bad.stdout)["errors"]


def mutated(raw: bytes, dice: random.Random) -> bytes:
    """The file with one to three accidents: a byte, a missing, doubled, moved or damaged segment, a cut."""
    junk = [b"", b"-1", b"1e9", b"1E-99999", b"NaN", b"99999999", b"20261340", b"\x00", b"\xff", b"EB", b"ST", b"29"]
    for _ in range(dice.randint(1, 3)):
        segments = raw.split(b"~")
        at = dice.randrange(len(segments))
        match dice.randrange(6):
            case 0:
                byte = dice.randrange(len(raw) or 1)
                raw = raw[:byte] + bytes([dice.randrange(256)]) + raw[byte + 1 :]
                continue
            case 1:
                raw = raw[: dice.randrange(len(raw) + 1)]
                continue
            case 2:
                del segments[at]
            case 3:
                segments.insert(dice.randrange(len(segments)), segments[at])
            case 4:
                other = dice.randrange(len(segments))
                segments[at], segments[other] = segments[other], segments[at]
            case _:
                elements = segments[at].split(b"*")
                elements[dice.randrange(len(elements))] = dice.choice(junk)
                segments[at] = b"*".join(elements)
        raw = b"~".join(segments)
    return raw


def survives(raw: bytes) -> bool:
    """Read (then it is JSON and text) or refused with a place; anything else fails the test."""
    try:
        told: dict[str, Any] = describe(raw)
    except X12Error as refusal:
        assert str(refusal)
        assert refusal.where
        return False
    assert told["type"] in KINDS
    assert json.dumps(told)
    assert render(told)
    return True


def test_damaged_answers_are_read_or_refused_never_a_crash() -> None:
    dice = random.Random(271)
    files = [path.read_bytes() for path in sorted(FIXTURES.glob("*.x12"))]
    read_all = [survives(mutated(dice.choice(files), dice)) for _ in range(1500)]
    assert read_all.count(True) > 300
    assert read_all.count(False) > 300


@pytest.mark.skipif(not SAMPLES.exists(), reason="the shared samples are not on this machine")
def test_every_public_sample_and_its_damaged_copies() -> None:
    dice = random.Random(12)
    for sample in sorted(SAMPLES.glob("*/*.x12")):
        raw = sample.read_bytes()
        assert kind_of(raw) == sample.parent.name
        assert survives(raw), sample.name
        if len(raw) < 20_000:
            for _ in range(6):
                survives(mutated(raw, dice))


def test_the_year_of_the_deductible_is_told_where_it_is_not_the_plans(tmp_path: Path) -> None:
    text = (
        ANSWER.read_text().replace("DTP*346*D8*20260101", "DTP*346*D8*20190701").replace("DTP*347*D8*20261231~\n", "")
    )
    file = tmp_path / "answer.x12"
    file.write_text(text.replace("SE*29*", "SE*28*"))
    assert "  Deductible's year   2026-01-01 to 2026-12-31" in read(str(file)).splitlines()
