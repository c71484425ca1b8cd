"""What a second plan pays, as data: each case was worked out by hand and names its rule.

The cases of two plans lie in ``coordination_cases/``, one file for each method, in the shape that ``manage.py whatif``
takes. ``three_plans.json`` has its own: what the first plan pays, and the later plans as
``billing.domain.expected.after_all`` takes them.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing.domain.expected import First, Later, after_all
from billing.domain.pricing import CopayRule, PlanState, PlanTerms
from insurance.domain.coordination import Method
from tests.domain.asking import ask, differences

HERE = Path(__file__).parent / "coordination_cases"
ROWS = HERE / "three_plans.json"
CASES: list[dict[str, Any]] = [
    case for table in sorted(HERE.glob("*.json")) if table != ROWS for case in json.loads(table.read_bytes())
]
IDS = [case["scenario"]["id"] for case in CASES]
IN_A_ROW: list[dict[str, Any]] = json.loads(ROWS.read_bytes())


def amount(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def test_every_method_and_every_rule_of_coordination_has_cases() -> None:
    assert len(set(IDS)) == len(CASES) >= 80
    assert len({case["id"] for case in IN_A_ROW}) == len(IN_A_ROW) >= 10
    assert all(case["rule"] and case["derivation"] for case in [*CASES, *IN_A_ROW])
    for method in Method:
        of_method = [case for case in CASES if case["scenario"]["secondary"]["method"] == method]
        assert len(of_method) >= 4, method
        assert any("denied by the primary" in case["rule"] for case in of_method) or method is Method.MEDICAID_FULL
    for rule in ("denied by the primary", "the least a contract lets collect", "tried at both ends"):
        assert sum(rule in case["rule"] for case in CASES) >= 8, rule


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_case(case: dict[str, Any]) -> None:
    answer = ask(case["scenario"])

    assert differences(case["expected"], answer) == [], case["derivation"]
    assert all(answer["why"])


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_nobody_is_paid_more_than_was_allowed_and_nobody_owes_more_than_was_left(case: dict[str, Any]) -> None:
    first, second, client = (amount(case["expected"][name]) for name in ("primary_pays", "secondary_pays", "client"))
    scenario = case["scenario"]
    allowed = Decimal(scenario["primary"]["allowed"])
    most = max(allowed, Decimal(scenario["secondary"].get("fee_schedule") or scenario["secondary"]["allowed"]))
    if first is not None and second is not None:
        assert first + second <= most
    if first is not None and client is not None:
        assert client <= allowed - first


def terms(plan: dict[str, Any]) -> PlanTerms:
    return PlanTerms(
        network="in",
        deductible_remaining=amount(plan.get("deductible_remaining")),
        copay=amount(plan.get("copay")),
        copay_rule=CopayRule(plan["copay_rule"]) if "copay_rule" in plan else None,
        coinsurance=amount(plan.get("coinsurance")),
    )


@pytest.mark.parametrize("case", IN_A_ROW, ids=[case["id"] for case in IN_A_ROW])
def test_plans_in_a_row(case: dict[str, Any]) -> None:
    first = First("Evergreen Health", **{name: Decimal(value) for name, value in case["first"].items()})
    later = [
        Later(
            payer=plan["payer"],
            method=Method(plan["method"]),
            allowed=amount(plan.get("allowed")),
            state=PlanState.start(terms(plan["plan"])) if "plan" in plan else None,
            why_not=plan.get("why_not", ""),
            paid=amount(plan.get("paid")),
            left=amount(plan.get("left")),
        )
        for plan in case["later"]
    ]

    found = after_all(first, later, charge=Decimal(case["charge"]))

    assert found.client == amount(case["expected"]["client"]), case["derivation"]
    assert all(found.why)
