"""``manage.py whatif``: the published cases, its answers' shapes, and what it says about bad input."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.domain.asking import differences

CASES = Path(__file__).parents[3] / "shared" / "cases" / "worked_examples.json"

PRICE = {
    "id": "x1",
    "kind": "price",
    "plan": {
        "network": "in",
        "deductible_remaining": "100.00",
        "family_deductible_remaining": None,
        "out_of_pocket_remaining": "500.00",
        "family_out_of_pocket_remaining": None,
        "copay": "20.00",
        "copay_rule": "waives_deductible",
        "coinsurance": "0.20",
        "visits_remaining": None,
    },
    "sessions": [{"date": "2026-01-05", "allowed": "150.00"}],
}
COORDINATE = {
    "id": "c1",
    "kind": "coordinate",
    "charge": "200.00",
    "primary": {"allowed": "130.00", "paid": "104.00"},
    "secondary": {"allowed": "130.00", "pays_alone": "104.00", "method": "standard", "in_network": True},
}
ORDER = {
    "id": "o1",
    "kind": "order",
    "on": "2026-05-01",
    "client": {"born": "2010-02-03", "medicare_because": None, "esrd_months": None},
    "family": {"parents": "together", "decree": None, "custodial_parent": None},
    "plans": [
        {"id": "a", "type": "group", "holder": "mother", "holder_born": "1980-03-01", "holder_status": "active",
         "employer_size": 200, "multi_employer": False, "since": "2020-01-01", "coordinates": True},
        {"id": "b", "type": "group", "holder": "father", "holder_born": "1979-11-30"},
    ],
}  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], file: Path | str, *options: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    code = 0
    try:
        call_command("whatif", str(file), *options)
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def whatif(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Runs the command over a value or over raw text, with ``--json``."""

    def whatif(asked: Any) -> tuple[int, Any, str]:
        file = tmp_path / "scenario.json"
        file.write_bytes(asked if isinstance(asked, bytes) else json.dumps(asked).encode())
        code, out, err = run(capsys, file, "--json")
        return code, json.loads(out), err

    return whatif


def changed(scenario: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one value put at ``a.b.0.c``; ``DROP`` takes it away."""
    copy = json.loads(json.dumps(scenario))
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place = copy
    for step in way:
        place = place[step]
    if value is DROP:
        del place[last]
    else:
        place[last] = value
    return copy  # type: ignore[no-any-return]


DROP = object()


@pytest.mark.skipif(not CASES.exists(), reason=f"the published cases are not here: {CASES}")
def test_every_published_case_is_answered_as_expected(whatif: Any) -> None:
    cases = json.loads(CASES.read_text())
    code, answers, _ = whatif([case["scenario"] for case in cases])

    assert code == 0
    assert len(answers) == len(cases) >= 64
    assert [
        line
        for case, one in zip(cases, answers, strict=True)
        for line in differences(case["expected"], one, case["scenario"]["id"])
    ] == []


def test_price_answers_in_the_shape_of_the_contract(whatif: Any) -> None:
    assert whatif(PRICE) == (
        0,
        {
            "id": "x1",
            "sessions": [
                {
                    "date": "2026-01-05",
                    "client": "20.00",
                    "plan": "130.00",
                    "deductible": "0.00",
                    "copay": "20.00",
                    "coinsurance": "0.00",
                    "not_covered": "0.00",
                    "why": ["Copay $20.00; the deductible does not apply to this visit"],
                }
            ],
            "total_client": "20.00",
            "remaining": {
                "deductible": "100.00",
                "family_deductible": None,
                "out_of_pocket": "480.00",
                "family_out_of_pocket": None,
                "visits": None,
            },
        },
        "",
    )


def test_coordinate_answers_in_the_shape_of_the_contract(whatif: Any) -> None:
    code, answer, _ = whatif(COORDINATE)

    assert code == 0
    assert {**answer, "why": len(answer["why"])} == {
        "id": "c1",
        "primary_pays": "104.00",
        "secondary_pays": "26.00",
        "client": "0.00",
        "why": 3,
    }


def test_order_answers_in_the_shape_of_the_contract(whatif: Any) -> None:
    code, answer, _ = whatif(ORDER)

    assert code == 0
    assert {**answer, "why": len(answer["why"])} == {
        "id": "o1",
        "order": ["a", "b"],
        "rule": "birthday",
        "certain": True,
        "why": 1,
    }


def test_a_list_is_answered_by_a_list_in_the_same_order(whatif: Any) -> None:
    code, answers, _ = whatif([ORDER, PRICE, COORDINATE])

    assert code == 0
    assert [one["id"] for one in answers] == ["o1", "x1", "c1"]
    assert whatif([PRICE])[1][0]["id"] == "x1"
    assert whatif([]) == (0, [], "")


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(PRICE).encode())))

    code, out, _ = run(capsys, "-", "--json")

    assert code == 0
    assert json.loads(out)["id"] == "x1"


# what is wrong, scenario, where
BAD: list[tuple[str, Any, str]] = [
    ("unknown key at the top", changed(PRICE, "pln", {}), "pln"),
    ("key of another kind", changed(PRICE, "charge", "1.00"), "charge"),
    ("unknown key in a plan", changed(PRICE, "plan.copay_amount", "20.00"), "plan.copay_amount"),
    ("unknown key in a session", changed(PRICE, "sessions.0.billed", "20.00"), "sessions[0].billed"),
    ("unknown key in the primary", changed(COORDINATE, "primary.in_network", True), "primary.in_network"),
    ("unknown key in a plan to price", changed(COORDINATE, "primary.plan", {"copey": "1.00"}), "primary.plan.copey"),
    ("unknown key in the secondary", changed(COORDINATE, "secondary.paid", "1.00"), "secondary.paid"),
    ("unknown key in the client", changed(ORDER, "client.age", 70), "client.age"),
    ("unknown key in the family", changed(ORDER, "family.custody", "joint"), "family.custody"),
    ("unknown key in a plan of an order", changed(ORDER, "plans.1.rank", 1), "plans[1].rank"),
    ("kind missing", changed(PRICE, "kind", DROP), "kind"),
    ("kind null", changed(PRICE, "kind", None), "kind"),
    ("kind unknown", changed(PRICE, "kind", "pricing"), "kind"),
    ("kind not a text", changed(PRICE, "kind", ["price"]), "kind"),
    ("id missing", changed(PRICE, "id", DROP), "id"),
    ("id a number", changed(PRICE, "id", 7), "id"),
    ("id empty", changed(PRICE, "id", " "), "id"),
    ("plan missing", changed(PRICE, "plan", DROP), "plan"),
    ("plan null", changed(PRICE, "plan", None), "plan"),
    ("plan a list", changed(PRICE, "plan", []), "plan"),
    ("sessions missing", changed(PRICE, "sessions", DROP), "sessions"),
    ("sessions an object", changed(PRICE, "sessions", {}), "sessions"),
    ("a session null", changed(PRICE, "sessions.0", None), "sessions[0]"),
    ("a session a text", changed(PRICE, "sessions.0", "150.00"), "sessions[0]"),
    ("session without date", changed(PRICE, "sessions.0.date", DROP), "sessions[0].date"),
    ("session without allowed", changed(PRICE, "sessions.0.allowed", DROP), "sessions[0].allowed"),
    ("allowed null", changed(PRICE, "sessions.0.allowed", None), "sessions[0].allowed"),
    ("no such day", changed(PRICE, "sessions.0.date", "2026-02-30"), "sessions[0].date"),
    ("date in another form", changed(PRICE, "sessions.0.date", "01/05/2026"), "sessions[0].date"),
    ("date with time", changed(PRICE, "sessions.0.date", "2026-01-05T10:00:00"), "sessions[0].date"),
    ("date a number", changed(PRICE, "sessions.0.date", 20260105), "sessions[0].date"),
    ("money a float", changed(PRICE, "plan.copay", 20.0), "plan.copay"),
    ("money a whole number", changed(PRICE, "plan.copay", 20), "plan.copay"),
    ("money a flag", changed(PRICE, "plan.copay", True), "plan.copay"),
    ("money negative", changed(PRICE, "plan.copay", "-20.00"), "plan.copay"),
    ("money minus zero", changed(PRICE, "plan.copay", "-0.00"), "plan.copay"),
    ("money with three decimals", changed(PRICE, "plan.copay", "20.001"), "plan.copay"),
    ("money with a comma", changed(PRICE, "plan.copay", "1,000.00"), "plan.copay"),
    ("money with a sign of dollars", changed(PRICE, "plan.copay", "$20.00"), "plan.copay"),
    ("money with an exponent", changed(PRICE, "plan.copay", "2e1"), "plan.copay"),
    ("money without end", changed(PRICE, "plan.copay", "Infinity"), "plan.copay"),
    ("money that is no number", changed(PRICE, "plan.copay", "NaN"), "plan.copay"),
    ("money in other digits", changed(PRICE, "plan.copay", "２０.00"), "plan.copay"),
    ("money empty", changed(PRICE, "plan.copay", ""), "plan.copay"),
    ("money with a space", changed(PRICE, "plan.copay", "20.00 "), "plan.copay"),
    ("money beyond all money", changed(PRICE, "plan.copay", "9" * 400), "plan.copay"),
    ("coinsurance above 1", changed(PRICE, "plan.coinsurance", "20.00"), "plan.coinsurance"),
    ("coinsurance just above 1", changed(PRICE, "plan.coinsurance", "1.01"), "plan.coinsurance"),
    ("coinsurance negative", changed(PRICE, "plan.coinsurance", "-0.20"), "plan.coinsurance"),
    ("coinsurance a number", changed(PRICE, "plan.coinsurance", 0.2), "plan.coinsurance"),
    ("coinsurance in percent", changed(PRICE, "plan.coinsurance", "20%"), "plan.coinsurance"),
    ("coinsurance with three decimals", changed(PRICE, "plan.coinsurance", "0.125"), "plan.coinsurance"),
    ("visits with a half", changed(PRICE, "plan.visits_remaining", 1.5), "plan.visits_remaining"),
    ("visits with a point", changed(PRICE, "plan.visits_remaining", 3.0), "plan.visits_remaining"),
    ("visits a text", changed(PRICE, "plan.visits_remaining", "3"), "plan.visits_remaining"),
    ("visits negative", changed(PRICE, "plan.visits_remaining", -1), "plan.visits_remaining"),
    ("visits a flag", changed(PRICE, "plan.visits_remaining", True), "plan.visits_remaining"),
    ("network unknown", changed(PRICE, "plan.network", "tier 1"), "plan.network"),
    ("copay rule unknown", changed(PRICE, "plan.copay_rule", "none"), "plan.copay_rule"),
    ("allowed of the primary missing", changed(COORDINATE, "primary.allowed", DROP), "primary.allowed"),
    ("allowed of the secondary null", changed(COORDINATE, "secondary.allowed", None), "secondary.allowed"),
    ("primary missing", changed(COORDINATE, "primary", DROP), "primary"),
    ("no way to know the primary's payment", changed(COORDINATE, "primary.paid", DROP), "primary.paid"),
    ("payment null and no plan", changed(COORDINATE, "primary.paid", None), "primary.paid"),
    ("no way to know the secondary's", changed(COORDINATE, "secondary.pays_alone", DROP), "secondary.pays_alone"),
    ("method missing", changed(COORDINATE, "secondary.method", DROP), "secondary.method"),
    ("method unknown", changed(COORDINATE, "secondary.method", "medicaid"), "secondary.method"),
    ("in network not a flag", changed(COORDINATE, "secondary.in_network", "yes"), "secondary.in_network"),
    ("charge a number", changed(COORDINATE, "charge", 200), "charge"),
    ("plans missing", changed(ORDER, "plans", DROP), "plans"),
    ("no plans", changed(ORDER, "plans", []), "plans"),
    ("plan without id", changed(ORDER, "plans.1.id", DROP), "plans[1].id"),
    ("two plans of one id", changed(ORDER, "plans.1.id", "a"), "plans[1].id"),
    ("plan type unknown", changed(ORDER, "plans.0.type", "hmo"), "plans[0].type"),
    ("holder unknown", changed(ORDER, "plans.0.holder", "aunt"), "plans[0].holder"),
    ("holder status unknown", changed(ORDER, "plans.0.holder_status", "part_time"), "plans[0].holder_status"),
    ("employer size a text", changed(ORDER, "plans.0.employer_size", "200"), "plans[0].employer_size"),
    ("several employers a number", changed(ORDER, "plans.0.multi_employer", 1), "plans[0].multi_employer"),
    ("reason for Medicare unknown", changed(ORDER, "client.medicare_because", "als"), "client.medicare_because"),
    ("month negative", changed(ORDER, "client.esrd_months", -1), "client.esrd_months"),
    ("decree unknown", changed(ORDER, "family.decree", "joint"), "family.decree"),
    ("custody unknown", changed(ORDER, "family.custodial_parent", "both"), "family.custodial_parent"),
    ("parents unknown", changed(ORDER, "family.parents", "divorced"), "family.parents"),
    ("a scenario in a list", [PRICE, ORDER, changed(PRICE, "plan.copay", 20.5)], "[2].plan.copay"),
    ("a scenario in a list is null", [PRICE, None], "[1]"),
    ("a list in a list", [[PRICE]], "[0]"),
    ("a key twice", b'{"id": "a", "kind": "price", "plan": {"copay": "1.00", "copay": "2.00"}, "sessions": []}',
     "plan.copay"),
    ("not a number", b'{"id": "a", "kind": "price", "plan": {"copay": NaN}, "sessions": []}', "plan.copay"),
    ("a number of very many digits",
     b'{"id": "a", "kind": "price", "plan": {"visits_remaining": ' + b"9" * 5000 + b'}, "sessions": []}',
     "plan.visits_remaining"),
    ("nothing", b"", "line 1, column 1"),
    ("cut off", b'{"id": "a"', "line 1, column 11"),
    ("not UTF-8", b'{"id": "\xff"}', "byte 9"),
    ("nested without end", b"[" * 100_000, ""),
    ("a text", b'"price"', ""),
    ("null", b"null", ""),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "scenario", "where"), BAD, ids=[case[0] for case in BAD])
def test_bad_input_is_named_by_its_place(whatif: Any, wrong: str, scenario: Any, where: str) -> None:
    code, answer, err = whatif(scenario)

    assert code == 1
    assert list(answer) == ["errors"], "nothing is half answered"
    assert [error["where"] for error in answer["errors"]] == [where]
    assert answer["errors"][0]["message"]
    assert answer["errors"][0]["message"] in err
    assert (where or "input") in err


def test_every_fault_is_told_at_once(whatif: Any) -> None:
    bad = changed(changed(PRICE, "plan.copay", 20), "sessions.0.date", "soon")

    code, answer, _ = whatif([bad, changed(ORDER, "on", "")])

    assert code == 1
    assert [error["where"] for error in answer["errors"]] == ["[0].plan.copay", "[0].sessions[0].date", "[1].on"]


def test_a_terminal_is_not_flooded_with_faults(whatif: Any) -> None:
    code, answer, err = whatif([{}] * 15)

    assert (code, len(answer["errors"])) == (1, 15)
    assert len(err.splitlines()) == 15
    code, answer, err = whatif([{}] * 30)
    assert (code, len(answer["errors"])) == (1, 30)
    assert err.splitlines()[20:] == ["and 10 more; --json lists all"]


def test_an_id_in_any_characters_comes_back(whatif: Any) -> None:
    assert whatif(changed(PRICE, "id", "é ✓ \ud800"))[1]["id"] == "é ✓ \ud800"


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path, options: tuple[str, ...]) -> None:
    code, out, err = run(capsys, tmp_path / "none.json", *options)

    assert code == 1
    assert "none.json: the file cannot be read: No such file or directory" in err
    assert bool(options) == ("errors" in out)


def test_text_for_people(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "scenarios.json"
    file.write_text(json.dumps([PRICE, COORDINATE, ORDER, changed(PRICE, "plan", {})]))

    code, out, err = run(capsys, file)

    assert (code, err) == (0, "")
    assert out.splitlines()[:6] == [
        "x1",
        "  Date        Client pays  Plan pays  Deductible   Copay  Coinsurance  Not covered",
        "  2026-01-05       $20.00    $130.00       $0.00  $20.00        $0.00        $0.00",
        "      Copay $20.00; the deductible does not apply to this visit",
        "  Total            $20.00",
        "  Left afterwards: deductible $100.00, out-of-pocket maximum $480.00",
    ]
    assert "  Secondary pays   $26.00" in out.splitlines()
    assert "  Rule: birthday (certain)" in out.splitlines()
    assert "2026-01-05    not known  not known" in out


def test_bad_input_without_json_is_told_on_standard_error_only(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps(changed(PRICE, "plan.copay", "free")))

    assert run(capsys, file) == (1, "", "plan.copay: 'free' is not an amount of money\n")
