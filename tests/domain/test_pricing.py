"""What sessions cost under one plan: each rule of docs/pricing.md with figures worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from billing.domain.pricing import PlanState, PlanTerms, price_session
from tests.domain.asking import ask, days

WAIVES, BEFORE, AFTER = "waives_deductible", "before_deductible", "after_deductible"
DED, FAM_DED = "deductible_remaining", "family_deductible_remaining"
OOP, FAM_OOP = "out_of_pocket_remaining", "family_out_of_pocket_remaining"


def price(plan: dict[str, Any], *allowed: str) -> dict[str, Any]:
    return ask({"kind": "price", "plan": plan, "sessions": days(*allowed)})


# rule, plan, sessions, the client's share of each, what is left (only the figures named)
CLIENT = [
    # What null and zero mean
    ("no deductible, no coinsurance said: the copay alone", {DED: "0.00", "copay": "20.00", "copay_rule": AFTER},
     ["100.00"], ["20.00"], {}),
    ("a deductible of zero is known, a missing one is not", {DED: "0.00", "coinsurance": "0.20"}, ["100.00"],
     ["20.00"], {"deductible": "0.00"}),
    ("deductible not known: the price is not", {"coinsurance": "0.20"}, ["100.00"], [None], {"deductible": None}),
    ("a null is the same as leaving it out", {DED: None, FAM_DED: None, "coinsurance": "0.20"}, ["100.00"], [None], {}),
    ("deductible not known, copay waives it", {"copay": "20.00", "copay_rule": WAIVES}, ["100.00"], ["20.00"],
     {"deductible": None}),
    ("deductible not known, but coinsurance is all", {"coinsurance": "1.00"}, ["100.00", "80.00"],
     ["100.00", "80.00"], {}),
    ("deductible not known, copay as large as the session", {"copay": "100.00", "copay_rule": BEFORE}, ["100.00"],
     ["100.00"], {}),
    ("deductible not known, maximum reached", {OOP: "0.00", "coinsurance": "0.20"}, ["100.00"], ["0.00"],
     {"out_of_pocket": "0.00"}),
    ("deductible not known, and the maximum below either price", {OOP: "15.00", "coinsurance": "0.20"},
     ["100.00", "100.00"], ["15.00", "0.00"], {"out_of_pocket": "0.00"}),
    ("deductible not known: known again once every case has reached the maximum", {OOP: "30.00", "coinsurance": "0.20"},
     ["100.00", "100.00", "100.00"], [None, None, "0.00"], {"out_of_pocket": "0.00"}),
    ("deductible not known: a third session may be the one that ends it", {"coinsurance": "0.00", OOP: "250.00"},
     ["100.00", "100.00", "100.00"], [None, None, None], {"out_of_pocket": None}),
    # Neither copay nor coinsurance
    ("within the deductible nothing else is needed", {DED: "100.00"}, ["95.00"], ["95.00"], {"deductible": "5.00"}),
    ("exactly the deductible", {DED: "100.00"}, ["100.00"], ["100.00"], {"deductible": "0.00"}),
    ("past the deductible it is not known", {DED: "100.00"}, ["100.01"], [None], {"deductible": "0.00"}),
    ("past the deductible, and the maximum is not known any more", {DED: "100.00", OOP: "500.00"}, ["150.00", "50.00"],
     [None, None], {"deductible": "0.00", "out_of_pocket": None}),
    ("past the deductible, maximum already reached", {DED: "0.00", OOP: "0.00"}, ["100.00"], ["0.00"], {}),
    ("past the deductible, the deductible itself reaches the maximum", {DED: "100.00", OOP: "100.00"},
     ["150.00", "80.00"], ["100.00", "0.00"], {"deductible": "0.00", "out_of_pocket": "0.00"}),
    ("nothing at all is known", {}, ["100.00"], [None], {}),
    ("nothing is known, but the session costs nothing", {}, ["0.00"], ["0.00"], {}),
    ("a copay of unknown amount stands alone: the deductible is not charged", {DED: "500.00", "copay_rule": WAIVES},
     ["95.00"], [None], {"deductible": "500.00"}),
    ("a copay rule without a copay says nothing", {DED: "0.00", "copay_rule": WAIVES, "coinsurance": "0.20"},
     ["100.00"], ["20.00"], {}),
    # The three copay rules
    ("waives: neither deductible nor coinsurance", {DED: "500.00", "copay": "20.00", "copay_rule": WAIVES,
     "coinsurance": "0.20"}, ["150.00"], ["20.00"], {"deductible": "500.00"}),
    ("before: copay, deductible, coinsurance", {DED: "100.00", "copay": "20.00", "copay_rule": BEFORE,
     "coinsurance": "0.20"}, ["150.00"], ["126.00"], {"deductible": "0.00"}),
    ("after: deductible, copay, coinsurance", {DED: "100.00", "copay": "20.00", "copay_rule": AFTER,
     "coinsurance": "0.20"}, ["150.00"], ["126.00"], {"deductible": "0.00"}),
    ("before: the copay does not use up the deductible", {DED: "100.00", "copay": "20.00", "copay_rule": BEFORE},
     ["90.00"], ["90.00"], {"deductible": "30.00"}),
    ("a copay is never more than the session", {DED: "0.00", "copay": "60.00", "copay_rule": WAIVES}, ["45.00"],
     ["45.00"], {}),
    ("a copay is never more than the deductible leaves", {DED: "90.00", "copay": "60.00", "copay_rule": AFTER},
     ["100.00"], ["100.00"], {}),
    ("a copay of zero is a copay", {DED: "500.00", "copay": "0.00", "copay_rule": WAIVES}, ["100.00"], ["0.00"], {}),
    # A copay without a rule
    ("no rule, deductible open: the rules differ", {DED: "100.00", "copay": "20.00"}, ["150.00"], [None],
     {"deductible": None}),
    ("no rule, no deductible, no coinsurance: all three agree", {DED: "0.00", "copay": "20.00"}, ["150.00"],
     ["20.00"], {"deductible": "0.00"}),
    ("no rule, coinsurance: waiving differs from the other two", {DED: "0.00", "copay": "20.00", "coinsurance": "0.20"},
     ["150.00"], [None], {"deductible": "0.00"}),
    ("no rule, copay as large as the session: all three agree", {DED: "50.00", "copay": "100.00"}, ["100.00"],
     ["100.00"], {"deductible": None}),
    ("no rule, maximum reached", {DED: "50.00", "copay": "20.00", OOP: "0.00"}, ["100.00"], ["0.00"],
     {"deductible": "50.00"}),
    ("no rule, and the maximum below every price", {DED: "50.00", "copay": "20.00", OOP: "10.00"}, ["100.00"],
     ["10.00"], {"out_of_pocket": "0.00", "deductible": None}),
    ("no rule: known again once every rule has the deductible met or does not ask", {DED: "100.00", "copay": "20.00"},
     ["150.00", "150.00"], [None, "20.00"], {"deductible": None}),
    ("no rule: later sessions stay unknown while the deductible may be open", {DED: "200.00", "copay": "20.00"},
     ["150.00", "150.00"], [None, None], {"deductible": None}),
    # Family figures
    ("embedded: the member's own runs out first", {DED: "40.00", FAM_DED: "900.00", "coinsurance": "0.50"},
     ["100.00"], ["70.00"], {"deductible": "0.00", "family_deductible": "860.00"}),
    ("embedded: the family's runs out first", {DED: "500.00", FAM_DED: "40.00", "coinsurance": "0.50"},
     ["100.00"], ["70.00"], {"deductible": "460.00", "family_deductible": "0.00"}),
    ("aggregate: only the family's", {FAM_DED: "40.00", "coinsurance": "0.50"}, ["100.00"], ["70.00"],
     {"deductible": None, "family_deductible": "0.00"}),
    ("the lesser maximum caps, both fall", {DED: "0.00", "coinsurance": "1.00", OOP: "80.00", FAM_OOP: "50.00"},
     ["70.00"], ["50.00"], {"out_of_pocket": "30.00", "family_out_of_pocket": "0.00"}),
    ("only a family maximum", {DED: "0.00", "coinsurance": "1.00", FAM_OOP: "50.00"}, ["70.00"], ["50.00"],
     {"out_of_pocket": None, "family_out_of_pocket": "0.00"}),
    # Visits
    ("no visits: the client pays all, nothing moves", {DED: "500.00", OOP: "10.00", "coinsurance": "0.20",
     "visits_remaining": 0}, ["150.00"], ["150.00"], {"deductible": "500.00", "out_of_pocket": "10.00", "visits": 0}),
    ("no visits: known although nothing else is", {"visits_remaining": 0}, ["150.00"], ["150.00"], {"visits": 0}),
    ("a session that the deductible swallows uses a visit", {DED: "500.00", "coinsurance": "0.20",
     "visits_remaining": 1}, ["100.00", "100.00"], ["100.00", "100.00"], {"deductible": "400.00", "visits": 0}),
    ("a session of unknown price uses a visit", {"coinsurance": "0.20", "visits_remaining": 1}, ["100.00", "90.00"],
     [None, "90.00"], {"visits": 0}),
    ("a free session uses a visit", {DED: "0.00", "coinsurance": "0.20", OOP: "0.00", "visits_remaining": 2},
     ["100.00", "100.00", "100.00"], ["0.00", "0.00", "100.00"], {"visits": 0, "out_of_pocket": "0.00"}),
    # The maximum
    ("caps last", {DED: "50.00", "coinsurance": "0.50", OOP: "80.00"}, ["150.00", "150.00"], ["80.00", "0.00"],
     {"out_of_pocket": "0.00"}),
    ("the deductible falls by what is shown after the cap", {DED: "100.00", "coinsurance": "0.20", OOP: "60.00"},
     ["100.00"], ["60.00"], {"deductible": "40.00", "out_of_pocket": "0.00"}),
    ("exactly the maximum", {DED: "0.00", "copay": "20.00", "copay_rule": AFTER, OOP: "20.00"}, ["100.00"], ["20.00"],
     {"out_of_pocket": "0.00"}),
    # Rounding: half up to the cent, once
    ("half a cent goes up", {DED: "0.00", "coinsurance": "0.25"}, ["99.70"], ["24.93"], {}),
    ("half a cent goes up where half-even would not", {DED: "0.00", "coinsurance": "0.15"}, ["6.70"], ["1.01"], {}),
    ("rounded once, on what the deductible leaves", {DED: "0.33", "coinsurance": "0.50"}, ["1.00"], ["0.67"], {}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "plan", "allowed", "client", "left"), CLIENT, ids=[case[0] for case in CLIENT])
def test_price(
    rule: str, plan: dict[str, Any], allowed: list[str], client: list[str | None], left: dict[str, Any]
) -> None:
    answer = price(plan, *allowed)

    assert [session["client"] for session in answer["sessions"]] == client
    assert {name: answer["remaining"][name] for name in left} == left
    assert all(session["why"] for session in answer["sessions"])


# rule, plan, allowed, parts of the one session (only those named)
PARTS = [
    ("the cap cuts coinsurance before the copay", {DED: "50.00", "copay": "20.00", "copay_rule": AFTER,
     "coinsurance": "0.50", OOP: "75.00"}, "150.00",
     {"deductible": "50.00", "copay": "20.00", "coinsurance": "5.00", "client": "75.00", "plan": "75.00"}),
    ("after: then the copay before the deductible", {DED: "50.00", "copay": "20.00", "copay_rule": AFTER,
     "coinsurance": "0.50", OOP: "60.00"}, "150.00", {"deductible": "50.00", "copay": "10.00", "coinsurance": "0.00"}),
    ("before: the deductible is cut before the copay", {DED: "50.00", "copay": "20.00", "copay_rule": BEFORE,
     "coinsurance": "0.50", OOP: "60.00"}, "150.00", {"deductible": "40.00", "copay": "20.00", "coinsurance": "0.00"}),
    ("parts that differ are not known, though the price is", {"coinsurance": "1.00"}, "100.00",
     {"client": "100.00", "plan": "0.00", "deductible": None, "copay": "0.00", "coinsurance": None,
      "not_covered": "0.00"}),
    ("an unknown price leaves the parts that are known", {DED: "100.00"}, "150.00",
     {"client": None, "plan": None, "deductible": "100.00", "copay": None, "coinsurance": None}),
    ("no visits", {DED: "100.00", "visits_remaining": 0}, "150.00",
     {"client": "150.00", "plan": "0.00", "deductible": "0.00", "copay": "0.00", "coinsurance": "0.00",
      "not_covered": "150.00"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "plan", "allowed", "parts"), PARTS, ids=[case[0] for case in PARTS])
def test_parts(rule: str, plan: dict[str, Any], allowed: str, parts: dict[str, Any]) -> None:
    session = price(plan, allowed)["sessions"][0]

    assert {name: session[name] for name in parts} == parts


def test_sessions_are_priced_by_date_and_answered_as_given() -> None:
    sessions = [
        {"date": "2026-03-02", "allowed": "100.00"},
        {"date": "2026-01-05", "allowed": "70.00"},
        {"date": "2026-03-02", "allowed": "60.00"},
    ]
    answer = ask({"kind": "price", "plan": {DED: "100.00", "coinsurance": "0.00"}, "sessions": sessions})

    assert [session["client"] for session in answer["sessions"]] == ["30.00", "70.00", "0.00"]
    assert [session["date"] for session in answer["sessions"]] == ["2026-03-02", "2026-01-05", "2026-03-02"]


def test_no_sessions_use_nothing() -> None:
    answer = price({DED: "100.00", "visits_remaining": 4})

    assert answer["sessions"] == []
    assert answer["total_client"] == "0.00"
    assert answer["remaining"]["deductible"] == "100.00"
    assert answer["remaining"]["visits"] == 4


def test_one_unknown_price_makes_the_total_unknown() -> None:
    assert price({"coinsurance": "0.20", "visits_remaining": 1}, "100.00", "90.00")["total_client"] is None


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
