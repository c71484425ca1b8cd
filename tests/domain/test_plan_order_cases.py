"""Cases of our own for the order of plans, as data: each names the row of the law it is drawn from, and why."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from billing.domain.scenarios import OrderScenario, read_scenarios
from insurance.domain.plan_missing import missing
from tests.domain.asking import ask, differences

HERE = Path(__file__).parent / "order_cases"
CASES: list[dict[str, Any]] = [case for file in sorted(HERE.glob("*.json")) for case in json.loads(file.read_bytes())]
IDS = [case["scenario"]["id"] for case in CASES]
RULES = (
    "workers_compensation",
    "medicaid_last",
    "tricare_after",
    "active_duty",
    "step_parent_before_tricare",
    "medicare_esrd",
    "medicare_age",
    "medicare_disability",
    "medicare_first",
    "does_not_coordinate",
    "non_dependent",
    "medicare_reversal",
    "birthday",
    "decree",
    "custody",
    "active_before_inactive",
    "ordinary_before_continuation",
    "longer_coverage",
    "undecided",
)
ROWS = ("A0", "A1", "A2", "A3", "A4", "A5", "A6", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9")


def test_every_row_of_the_tables_has_cases() -> None:
    assert len(set(IDS)) == len(CASES) >= 80
    for row in ROWS:
        assert any(row in case["rule"] for case in CASES), row
    for rule in RULES:
        assert any(rule == case["expected"]["rule"] for case in CASES), rule
    assert all(case["rule"] and case["why"] for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_order(case: dict[str, Any]) -> None:
    assert differences(case["expected"], ask(case["scenario"])) == []


@pytest.mark.parametrize("case", [case for case in CASES if case["expected"]["certain"]])
def test_a_certain_order_does_not_depend_on_the_order_stated(case: dict[str, Any]) -> None:
    for plans in permutations(case["scenario"]["plans"]):
        assert differences(case["expected"], ask({**case["scenario"], "plans": list(plans)})) == []


@pytest.mark.parametrize("case", [case for case in CASES if "asks" in case])
def test_what_is_asked_is_what_decides(case: dict[str, Any]) -> None:
    (scenario,) = read_scenarios(json.dumps(case["scenario"]).encode()).scenarios
    assert isinstance(scenario, OrderScenario)
    asked = missing(scenario.client, scenario.family, scenario.plans, on=scenario.on)
    assert [question.name for question in asked] == case["asks"]
    assert all(question.text.endswith(("?", ")")) for question in asked)


@pytest.mark.parametrize("case", [case for case in CASES if case["expected"]["certain"]])
def test_a_certain_order_asks_nothing(case: dict[str, Any]) -> None:
    (scenario,) = read_scenarios(json.dumps(case["scenario"]).encode()).scenarios
    assert isinstance(scenario, OrderScenario)
    assert missing(scenario.client, scenario.family, scenario.plans, on=scenario.on) == []
