"""From the bytes of a 271 to the benefits of a therapy session: one written answer for each situation."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from insurance.domain.benefits import Benefits, CobSignal, CopayRule
from insurance.x12 import x271
from insurance.x12.x271_benefits import benefits_of

FIXTURES = Path(__file__).parent / "fixtures" / "271"


def raw(name: str) -> bytes:
    return (FIXTURES / f"{name}.x12").read_bytes()


def benefits(name: str) -> list[Benefits]:
    return [benefits_of(response) for response in x271.read(raw(name)).responses]


def described(name: str) -> list[dict[str, Any]]:
    told: Any = x271.describe(raw(name))
    assert told["errors"] == []
    return list(told["responses"])


def test_a_copay_that_waives_the_deductible_in_the_shape_of_the_contract() -> None:
    (response,) = described("copay_waives_deductible")
    network = response["behavioral_health"]["in_network"]
    assert {key: response[key] for key in ("trace", "payer", "member_id", "patient", "active")} == {
        "trace": "TRACE-ANA-1",
        "payer": "ALPHA HEALTH PLAN",
        "member_id": "ANA001",
        "patient": "ANA M LOPEZ",
        "active": True,
    }
    assert (response["plan_begin"], response["plan_end"]) == ("2026-01-01", "2026-12-31")
    assert (response["rejections"], response["other_payers"], response["cob_signal"]) == ([], [], "none")
    assert network == {
        "covered": True,
        "copay": "25.00",
        "copay_rule": "waives_deductible",
        "copay_rule_inferred": False,
        "copay_rule_why": "The insurer writes “DEDUCTIBLE WAIVED FOR OUTPATIENT VISITS” (segment 18 (EB)).",
        "coinsurance": None,
        "deductible": {
            "individual": {"limit": "1500.00", "remaining": "900.00"},
            "family": {"limit": "3000.00", "remaining": "2100.00"},
        },
        "deductible_applies": False,
        "out_of_pocket": {
            "individual": {"limit": "5000.00", "remaining": "4200.50"},
            "family": {"limit": "10000.00", "remaining": "8800.00"},
        },
        "visits": {"limit": None, "remaining": None},
        "authorization_required": False,
        "telehealth": None,
        "source": {
            "covered": "segment 17 (EB)",
            "copay": "segment 18 (EB)",
            "deductible.individual.limit": "segment 20 (EB)",
            "deductible.individual.remaining": "segment 21 (EB)",
            "deductible.family.limit": "segment 22 (EB)",
            "deductible.family.remaining": "segment 23 (EB)",
            "out_of_pocket.individual.limit": "segment 24 (EB)",
            "out_of_pocket.individual.remaining": "segment 25 (EB)",
            "out_of_pocket.family.limit": "segment 26 (EB)",
            "out_of_pocket.family.remaining": "segment 27 (EB)",
            "authorization_required": "segment 18 (EB)",
        },
        "basis": {
            "covered": "MH",
            "copay": "MH",
            "deductible.individual.limit": "30",
            "deductible.individual.remaining": "30",
            "deductible.family.limit": "30",
            "deductible.family.remaining": "30",
            "out_of_pocket.individual.limit": "30",
            "out_of_pocket.individual.remaining": "30",
            "out_of_pocket.family.limit": "30",
            "out_of_pocket.family.remaining": "30",
            "authorization_required": "MH",
        },
        "disputed": {},
    }
    outside = response["behavioral_health"]["out_of_network"]
    assert (outside["copay"], outside["coinsurance"], outside["authorization_required"]) == (None, "0.40", True)
    assert outside["deductible"]["individual"] == {"limit": "3000.00", "remaining": "3000.00"}


def test_coinsurance_after_the_deductible_and_an_open_ended_plan() -> None:
    (told,) = benefits("coinsurance_after_deductible")
    network = told.in_network
    assert (network.copay, network.coinsurance, network.deductible_applies) == (None, Decimal("0.2"), True)
    assert (network.deductible.individual.limit, network.deductible.individual.remaining) == (
        Decimal(2000),
        Decimal(350),
    )
    assert (told.plan_begin, told.plan_end) == (date(2026, 1, 1), None)


def test_an_aggregate_family_deductible_has_no_members_own() -> None:
    (told,) = benefits("family_aggregate")
    network = told.in_network
    assert (network.deductible.individual.limit, network.deductible.family.remaining) == (None, Decimal("2750.00"))
    assert (network.out_of_pocket.individual.limit, network.out_of_pocket.family.remaining) == (None, Decimal(6000))


def test_telehealth_by_place_of_service_and_by_sentence() -> None:
    (response,) = described("telehealth_places")
    inside, outside = (response["behavioral_health"][name] for name in ("in_network", "out_of_network"))
    assert (inside["copay"], inside["telehealth"]["copay"]) == ("40.00", "0.00")
    assert inside["telehealth"]["source"]["copay"] == "segment 16 (EB)"
    assert inside["telehealth"]["authorization_required"] is False
    assert (outside["coinsurance"], outside["telehealth"]["coinsurance"]) == ("0.45", "0.50")


def test_a_carve_out_names_whom_to_ask() -> None:
    (told,) = benefits("carve_out")
    assert told.carve_out is not None
    assert (told.carve_out.name, told.carve_out.telephone) == ("MINDWELL BEHAVIORAL", "8005550199")
    assert (told.active, told.in_network.copay, told.cob_signal) == (True, None, CobSignal.NONE)


def test_another_insurer_is_primary_and_one_whose_coverage_ended_is_none() -> None:
    (response,) = described("another_is_primary")
    assert response["cob_signal"] == "another_is_primary"
    assert response["other_payers"] == [
        {"name": "BETA MUTUAL", "rank": "primary", "member_id": "BEN777"},
        {"name": "TOOTH DENTAL", "rank": None, "member_id": None},
    ]
    assert "Other insurance with OLD COVER (segment 22 (EB)) ended on 2025-12-31." in response["notes"]


def test_the_day_asked_about_decides_whose_coverage_has_ended() -> None:
    (response,) = x271.read(raw("another_is_primary")).responses
    assert [payer.name for payer in benefits_of(response, on=date(2025, 3, 1)).other_payers] == [
        "BETA MUTUAL",
        "OLD COVER",
        "TOOTH DENTAL",
    ]
    assert len(benefits_of(response, on=date(2025, 3, 1)).cob_reasons) == 2


@pytest.mark.parametrize(
    ("fixture", "signals"),
    [
        ("this_is_primary", ["this_is_primary", "undetermined", "undetermined", "no_overlap"]),
        ("medicare_secondary", ["another_is_primary", "this_is_primary", "undetermined"]),
    ],
)
def test_who_pays_first(fixture: str, signals: list[str]) -> None:
    assert [told.cob_signal.value for told in benefits(fixture)] == signals


def test_an_other_insurer_with_a_member_id_where_its_own_id_belongs() -> None:
    assert described("this_is_primary")[1]["other_payers"] == [
        {"name": "BETA MUTUAL", "rank": None, "member_id": "B-778"}
    ]


def test_without_a_word_on_mental_health_the_general_figures_are_taken_and_told() -> None:
    office, plan = benefits("general_only")
    assert (office.in_network.copay, office.in_network.copay_rule) == (Decimal(35), CopayRule.WAIVES_DEDUCTIBLE)
    assert (plan.in_network.coinsurance, plan.in_network.deductible.individual.limit) == (Decimal("0.25"), Decimal(800))
    assert any("the one for the whole plan is taken" in note for note in plan.notes)


def test_visits_in_both_spellings_and_authorization() -> None:
    (told,) = benefits("visits_and_authorization")
    assert (told.in_network.visits.limit, told.in_network.visits.remaining) == (30, 12)
    assert (told.out_of_network.visits.limit, told.out_of_network.visits.remaining) == (20, 4)
    assert told.in_network.authorization_required is True
    assert told.in_network.copay == Decimal(15)


def test_a_rejection_never_means_inactive() -> None:
    responses = described("rejected")
    assert [response["active"] for response in responses] == [None, None, None, True]
    assert [[each["code"] for each in response["rejections"]] for response in responses] == [
        ["72"], ["75", "71"], ["42"], ["98"],
    ]  # fmt: skip
    assert responses[0]["rejections"] == [
        {
            "code": "72",
            "text": "The member id is missing or not valid",
            "follow_up": "C",
            "loop": "2100C",
            "helper": "client",
            "next": "Compare the member id with the card, sign by sign, and enter it again. "
            "The insurer says: Correct it and ask again.",
        }
    ]
    assert (responses[2]["patient"], responses[2]["payer"]) == (None, "ALPHA HEALTH PLAN")


def test_a_dependents_answer_with_figures_for_both_networks() -> None:
    kid, unknown_kid = described("dependent_both_networks")
    assert (kid["patient"], kid["member_id"], kid["plan_begin"]) == ("MIA LOPEZ", "BEN777", "2025-01-01")
    for name in ("in_network", "out_of_network"):
        network = kid["behavioral_health"][name]
        assert (network["copay"], network["copay_rule"]) == ("10.00", "after_deductible")
        assert network["deductible"]["individual"] == {"limit": "600.00", "remaining": "0.00"}
        assert network["deductible"]["family"] == {"limit": None, "remaining": "1200.00"}
    assert [each["code"] for each in unknown_kid["rejections"]] == ["67"]


def test_contradictions_leave_the_figures_unknown() -> None:
    (told,) = benefits("conflicts")
    assert (told.active, told.plan_name) == (True, "NEW PLAN"), "that the old plan has ended is no contradiction"
    assert (told.in_network.copay, told.in_network.authorization_required) == (None, None)
    assert sorted(told.in_network.disputed) == ["authorization_required", "copay", "deductible.individual.remaining"]
    assert told.in_network.deductible.individual.limit == Decimal(500)
    assert told.in_network.deductible.individual.remaining is None
    assert (told.out_of_network.covered, told.out_of_network.coinsurance) == (False, None)
    assert len(told.conflicts) == 3


def test_a_network_that_is_not_stated_is_not_in_network() -> None:
    (response,) = described("network_not_stated")
    health = response["behavioral_health"]
    assert (health["in_network"]["copay"], health["network_not_stated"]["copay"]) == (None, "25.00")
    assert (response["plan_begin"], response["plan_end"]) == ("2026-01-01", None)


def test_lines_for_other_dates_are_passed_over() -> None:
    now, ended, last_year, stopped = benefits("other_dates")
    assert (now.active, now.plan_name, now.in_network.copay) == (True, "THIS YEAR", Decimal(25))
    assert (ended.active, last_year.active, stopped.active) == (None, None, False)


@pytest.mark.parametrize("fixture", sorted(FIXTURES.glob("*.x12")), ids=lambda path: path.stem)
def test_every_snapshot_survives_its_json(fixture: Path) -> None:
    for told in benefits(fixture.stem):
        assert Benefits.from_json(told.to_json()) == told
