"""What sessions cost under one plan: a table of cases, each worked out by hand from its rule, and the reasons in words.

The cases lie in ``price_cases/``, one file for each kind of rule, in the shape that ``manage.py whatif`` takes.
"""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing.domain.pricing import CopayRule, PlanState, PlanTerms, price_session
from tests.domain.asking import ask, days, differences
from tests.domain.price_oracle import Plan, year
from tests.domain.price_worlds import dollars

TABLES = sorted((Path(__file__).parent / "price_cases").glob("*.json"))
CASES = [case for table in TABLES for case in json.loads(table.read_text())]
IDS = [case["scenario"]["id"] for case in CASES]

WAIVES, BEFORE, AFTER = "waives_deductible", "before_deductible", "after_deductible"
DED, OOP = "deductible_remaining", "out_of_pocket_remaining"


def price(plan: dict[str, Any], *allowed: str) -> dict[str, Any]:
    return ask({"kind": "price", "plan": plan, "sessions": days(*allowed)})


# --- The table --------------------------------------------------------------------------------------------------------


def test_every_case_has_its_own_name_a_rule_and_a_derivation() -> None:
    assert len(CASES) >= 60
    assert len(set(IDS)) == len(CASES)
    assert [case["scenario"]["id"] for case in CASES if not (case["rule"] and case["derivation"])] == []


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_case(case: dict[str, Any]) -> None:
    answer = ask(case["scenario"])

    assert differences(case["expected"], answer) == [], case["derivation"]
    assert all(session["why"] for session in answer["sessions"])


def nothing_missing(case: dict[str, Any]) -> bool:
    """Whether the plan tells a deductible, and a share past it with its rule."""
    told = case["scenario"]["plan"]
    deductible = told.get(DED) is not None or told.get(f"family_{DED}") is not None
    past_it = told.get("coinsurance") if told.get("copay") is None else told.get("copay_rule")
    return deductible and past_it is not None


def cents(amount: str | None) -> int | None:
    return None if amount is None else int(Decimal(amount) * 100)


KNOWN = [case for case in CASES if nothing_missing(case)]


@pytest.mark.parametrize("case", KNOWN, ids=[case["scenario"]["id"] for case in KNOWN])
def test_case_counted_cent_by_cent(case: dict[str, Any]) -> None:
    """The table and the independent reckoning agree too, wherever no figure is missing."""
    told, asked = case["scenario"]["plan"], case["scenario"]["sessions"]
    plan = Plan(
        deductible=cents(told.get(DED)),
        family_deductible=cents(told.get(f"family_{DED}")),
        maximum=cents(told.get(OOP)),
        family_maximum=cents(told.get(f"family_{OOP}")),
        copay=cents(told.get("copay")),
        rule=told.get("copay_rule"),
        percent=cents(told.get("coinsurance")),
        visits=told.get("visits_remaining"),
    )
    order = sorted(range(len(asked)), key=lambda place: asked[place]["date"])

    costs = year(plan, [int(Decimal(asked[place]["allowed"]) * 100) for place in order])

    clients = [case["expected"]["sessions"][place]["client"] for place in order]
    assert clients == [str(dollars(cost.client)) for cost in costs]


# --- The reasons, and what the table cannot say -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "allowed", "why"),
    [
        ({DED: "100.00", "copay": "20.00", "copay_rule": WAIVES}, "150.00",
         ["Copay $20.00; the deductible does not apply to this visit"]),
        ({DED: "100.00", "coinsurance": "0.20"}, "150.00",
         ["$100.00 goes to your deductible, which is then met", "Coinsurance $10.00: 20% of the remaining $50.00"]),
        ({DED: "400.00"}, "150.00", ["$150.00 goes to your deductible; $250.00 of it is left to pay"]),
        ({DED: "0.00", "coinsurance": "0.20", OOP: "0.00"}, "150.00",
         ["You have reached your out-of-pocket maximum: your plan pays all of this session"]),
        ({"visits_remaining": 0}, "150.00",
         ["No covered visits are left: your plan pays nothing for this session, and you pay all of $150.00"]),
        ({"coinsurance": "0.20"}, "150.00",
         ["Not known: how much of your deductible is left",
          "Until we know, your share is between $30.00 and $150.00"]),
        ({DED: "0.00"}, "150.00",
         ["Not known: your copay or coinsurance", "Until we know, your share is between $0.00 and $150.00"]),
        ({"network": "out", DED: "0.00", "coinsurance": "0.40"}, "150.00",
         ["Coinsurance $60.00: 40% of $150.00", "Out of network: a charge above $150.00 is not part of this price"]),
        ({"network": "out", DED: "0.00", "coinsurance": "0.40", OOP: "0.00"}, "150.00",
         ["You have reached your out-of-pocket maximum: your plan pays all that it allows",
          "Out of network: a charge above $150.00 is not part of this price"]),
        ({"network": "out", DED: "0.00", "coinsurance": "0.40", OOP: "10.00"}, "150.00",
         ["Coinsurance $10.00",
          "This session brings you to your out-of-pocket maximum: your plan pays the rest of what it allows",
          "Out of network: a charge above $150.00 is not part of this price"]),
        ({DED: "0.00", "coinsurance": "0.40", OOP: "10.00"}, "150.00",
         ["Coinsurance $10.00", "This session brings you to your out-of-pocket maximum: your plan pays the rest"]),
    ],
)  # fmt: skip
def test_reasons_are_plain_sentences(plan: dict[str, Any], allowed: str, why: list[str]) -> None:
    assert price(plan, allowed)["sessions"][0]["why"] == why


def test_a_session_the_insurer_has_priced_is_taken_as_decided() -> None:
    terms = PlanTerms(
        deductible_remaining=Decimal("100.00"), coinsurance=Decimal("0.20"), out_of_pocket_remaining=Decimal("500.00")
    )
    state = PlanState.start(terms).after_adjudicated(client=Decimal("70.00"), deductible=Decimal("60.00"))

    price, after = price_session(state, Decimal("100.00"))

    assert price.deductible == Decimal("40.00")
    assert price.coinsurance == Decimal("12.00")
    assert after.remaining().out_of_pocket == Decimal("378.00")


def test_an_office_visit_and_a_video_visit_each_follow_the_rule_of_their_own_copay() -> None:
    office = PlanTerms(
        deductible_remaining=Decimal("400.00"), copay=Decimal("35.00"), copay_rule=CopayRule.AFTER_DEDUCTIBLE
    )
    video = replace(office, copay=Decimal("10.00"), copay_rule=CopayRule.WAIVES_DEDUCTIBLE)

    first, state = price_session(PlanState.start(office), Decimal("150.00"))
    second, state = price_session(replace(state, terms=video), Decimal("150.00"))
    third, _ = price_session(replace(state, terms=office), Decimal("260.00"))

    assert [each.client for each in (first, second, third)] == [Decimal("150.00"), Decimal("10.00"), Decimal("260.00")]
    assert (third.deductible, third.copay) == (Decimal("250.00"), Decimal("10.00"))


def test_two_copays_without_a_rule_may_follow_two_rules() -> None:
    office = PlanTerms(deductible_remaining=Decimal("100.00"), copay=Decimal("20.00"))
    video = replace(office, copay=Decimal("10.00"))

    _, state = price_session(PlanState.start(office), Decimal("110.00"))
    at_video, state = price_session(replace(state, terms=video), Decimal("100.00"))
    again, _ = price_session(replace(state, terms=office), Decimal("110.00"))

    assert at_video.client is None
    assert "Until we know, your share is between $10.00 and $100.00" in at_video.why
    assert again.client is None, "office waived and video not, or the other way round: both are possible"


def test_a_session_the_insurer_did_not_cover_uses_no_visit() -> None:
    start = PlanState.start(PlanTerms(deductible_remaining=Decimal("100.00"), visits_remaining=3))

    assert start.after_adjudicated(client=Decimal("0.00"), deductible=Decimal("0.00"), covered=False) == start


def test_what_a_reversal_gives_back_is_left_again() -> None:
    start = PlanState.start(PlanTerms(deductible_remaining=Decimal("100.00"), out_of_pocket_remaining=Decimal(500)))
    used = start.after_adjudicated(client=Decimal("60.00"), deductible=Decimal("60.00"))

    back = used.after_adjudicated(client=Decimal("-60.00"), deductible=Decimal("-60.00"), covered=False)

    assert back.remaining() == start.remaining()


@pytest.mark.parametrize("terms", [{"copay": Decimal(-1)}, {"coinsurance": Decimal("1.01")}, {"visits_remaining": -1}])
def test_terms_that_no_plan_has_are_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"negative|between 0 and 1"):
        PlanTerms(**terms)
