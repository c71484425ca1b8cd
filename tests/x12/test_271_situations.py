"""What an insurer may say, one situation each, from the segments to the benefits: CB, U, V, W, Y, pending, limits,
places, conflicts. Written by hand; no insurer's own text."""

from datetime import date
from decimal import Decimal

import pytest

from insurance.domain.benefits import Accumulator, Benefits, CobSignal, CopayRule, Visits
from tests.x12.answers import ACTIVE, told

# EB01


@pytest.mark.parametrize(
    ("code", "active", "signal"),
    [
        ("1", True, "none"), ("2", True, "none"), ("3", True, "none"), ("4", True, "none"),
        ("5", True, "undetermined"), ("6", False, "none"), ("7", False, "undetermined"), ("8", False, "undetermined"),
    ],
)  # fmt: skip
def test_active_not_active_and_pending(code: str, active: bool, signal: str) -> None:
    benefits = told(f"EB*{code}*IND*30**ALPHA PPO")
    assert (benefits.active, benefits.cob_signal.value) == (active, signal)
    pending = any("still checking this coverage" in reason for reason in benefits.cob_reasons)
    assert pending is (code in "578")


def test_a_contact_for_the_whole_plan_names_whom_to_ask() -> None:
    benefits = told("EB*U*IND*30", "LS*2120", "NM1*VN*2*OMEGA ADMINISTRATORS", "PER*IC**TE*8005550133", "LE*2120")
    assert (benefits.active, benefits.carve_out, benefits.cob_signal) == (None, None, CobSignal.UNDETERMINED)
    assert benefits.cob_reasons == (
        "For this answer the insurer points to OMEGA ADMINISTRATORS 8005550133 (segment 12 (EB)).",
    )


def test_an_insurer_that_cannot_answer_or_has_another_source() -> None:
    assert told("EB*V*IND*30").cob_reasons == ("The insurer cannot answer this question (segment 12 (EB)).",)
    assert told("EB*W*IND*30").cob_reasons == (
        "For this answer the insurer points to another source, without naming it (segment 12 (EB)).",
    )
    assert told("EB*V*IND*30").active is None


@pytest.mark.parametrize("row", ["EB*U**35", "EB*V**88", "EB*W**33", "EB*U**AL", "EB*5**35"])
def test_who_answers_for_other_care_is_no_sign_of_other_insurance(row: str) -> None:
    assert told(ACTIVE, row).cob_signal is CobSignal.NONE


def test_spend_down_is_told_and_makes_no_figure() -> None:
    benefits = told(ACTIVE, "EB*Y*IND*30***34*150")
    assert "Spend-down: the plan pays nothing before the member has spent $150.00 (segment 13 (EB))." in benefits.notes
    assert benefits.in_network == Benefits().in_network
    assert not any("Spend-down" in note for note in told(ACTIVE, "EB*Y*IND*30***34*0").notes)
    assert told(ACTIVE, "EB*Y*IND*30").notes == (
        "Spend-down: the member must spend first, an amount is not told (segment 13 (EB)).",
    )


def test_the_basis_of_coverage_is_a_sentence_not_a_figure() -> None:
    benefits = told(ACTIVE, "EB*CB*IND*30", "MSG*BENEFITS ARE BASED ON THE PLAN YEAR")
    assert benefits.messages == ("BENEFITS ARE BASED ON THE PLAN YEAR",)
    assert (benefits.in_network, benefits.conflicts, benefits.active) == (Benefits().in_network, (), True)


def test_a_lost_card_a_restriction_and_a_manager_of_care_are_told() -> None:
    benefits = told(
        ACTIVE, "EB*T*IND*30", "EB*N*IND*30", "LS*2120", "NM1*1P*2*LARK CLINIC", "LE*2120", "EB*MC*IND*30",
        "LS*2120", "NM1*Y2*2*OMEGA CARE", "PER*IC**TE*8005550144", "LE*2120",
    )  # fmt: skip
    assert benefits.notes == (
        "The insurer has this card as lost or stolen (segment 13 (EB)).",
        "The member may go to LARK CLINIC only (segment 14 (EB)).",
        "Care under this plan is managed by OMEGA CARE 8005550144 (segment 18 (EB)): ask whether claims go there.",
    )


# Carve-outs


def test_a_carve_out_says_whom_to_ask_and_takes_no_general_copay() -> None:
    benefits = told(
        ACTIVE, "EB*B*IND*98***27*20*****Y", "EB*A*IND*30***27**.2****Y", "EB*U**MH", "LS*2120",
        "NM1*VN*2*MINDWELL*****PI*MINDW", "PER*IC**TE*8005550199", "LE*2120",
    )  # fmt: skip
    carve_out = benefits.carve_out
    assert carve_out is not None
    assert (carve_out.name, carve_out.telephone, carve_out.payer_id) == ("MINDWELL", "8005550199", "MINDW")
    assert (benefits.in_network.copay, benefits.in_network.coinsurance) == (None, None)
    assert (
        "Behavioral health is handled by MINDWELL (segment 15 (EB)): its benefits must be asked there."
        in benefits.notes
    )


def test_a_carve_out_that_names_nobody_is_one_all_the_same() -> None:
    benefits = told(ACTIVE, "EB*B*IND*98***27*20*****Y", "EB*U**MH")
    assert benefits.carve_out is not None
    assert (benefits.carve_out.name, benefits.in_network.copay) == ("", None)
    assert any("another company, not named here" in note for note in benefits.notes)


@pytest.mark.parametrize(
    ("sentence", "name", "telephone"),
    [
        ("MENTAL HEALTH BENEFITS ARE ADMINISTERED BY MINDWELL BEHAVIORAL, CALL 800-555-0199",
         "MINDWELL BEHAVIORAL", "800-555-0199"),
        ("MH/SA CARVED OUT TO OMEGA CARE (800) 555-0144", "OMEGA CARE", "(800) 555-0144"),
        ("BEHAVIORAL HEALTH IS MANAGED BY LARK & SONS", "LARK & SONS", None),
    ],
)  # fmt: skip
def test_a_sentence_alone_can_name_the_company(sentence: str, name: str, telephone: str | None) -> None:
    benefits = told(ACTIVE, f"MSG*{sentence}", "EB*B*IND*98***27*20*****Y")
    assert benefits.carve_out is not None
    assert (benefits.carve_out.name, benefits.carve_out.telephone) == (name, telephone)
    assert benefits.in_network.copay is None


@pytest.mark.parametrize(
    "sentence",
    [
        "VISION IS ADMINISTERED BY CLEAR SIGHT",
        "MENTAL HEALTH BENEFITS ARE ADMINISTERED BY ALPHA HEALTH",
        "MENTAL HEALTH IS MANAGED BY THE PLAN",
        "CALL MEMBER SERVICES FOR MENTAL HEALTH AUTHORIZATION",
    ],
)
def test_a_sentence_about_something_else_is_no_carve_out(sentence: str) -> None:
    benefits = told(ACTIVE, f"MSG*{sentence}", "EB*B*IND*98***27*20*****Y")
    assert benefits.carve_out is None
    assert benefits.in_network.copay == Decimal("20.00")


# Deductible and maximum


def test_individual_and_family_limit_and_what_is_left() -> None:
    network = told(
        ACTIVE, "EB*C*IND*30***23*1500*****Y", "EB*C*IND*30***29*900*****Y", "EB*C*FAM*30***23*3000*****Y",
        "EB*C*FAM*30***29*2100*****Y", "EB*G*IND*30***23*5000*****Y", "EB*G*FAM*30***29*8000*****Y",
    ).in_network  # fmt: skip
    assert network.deductible.individual == Accumulator(Decimal("1500.00"), Decimal("900.00"))
    assert network.deductible.family == Accumulator(Decimal("3000.00"), Decimal("2100.00"))
    assert network.out_of_pocket.individual == Accumulator(Decimal("5000.00"), None)
    assert network.out_of_pocket.family == Accumulator(None, Decimal("8000.00"))


def test_a_deductible_is_met_when_zero_is_left_and_never_because_nothing_is_said() -> None:
    met = told(ACTIVE, "EB*C*IND*30***23*500*****Y", "EB*C*IND*30***29*0*****Y").in_network
    assert met.deductible.individual == Accumulator(Decimal("500.00"), Decimal("0.00"))
    silent = told(ACTIVE, "EB*C*IND*30***23*500*****Y").in_network
    assert silent.deductible.individual == Accumulator(Decimal("500.00"), None)
    empty = told(ACTIVE, "EB*C*IND*30***23******Y").in_network
    assert empty.deductible.individual == Accumulator()


def test_of_two_amounts_left_the_one_that_agrees_with_what_was_used_is_taken() -> None:
    limit, stale, fresh = "EB*C*IND*30***23*500*****Y", "EB*C*IND*30***29*500*****Y", "EB*C*IND*30***29*320*****Y"
    unclear = told(ACTIVE, limit, stale, fresh)
    assert unclear.in_network.deductible.individual == Accumulator(Decimal("500.00"), None)
    assert list(unclear.in_network.disputed) == ["deductible.individual.remaining"]
    clear = told(ACTIVE, limit, stale, fresh, "EB*C*IND*30***24*180*****Y")
    assert clear.in_network.deductible.individual == Accumulator(Decimal("500.00"), Decimal("320.00"))
    assert (clear.conflicts, clear.in_network.disputed) == ((), {})
    assert clear.in_network.source["deductible.individual.remaining"] == "segment 15 (EB)"
    assert any("$320.00 is taken: $180.00 of $500.00 is used" in note for note in clear.notes)


def test_more_used_than_the_limit_is_a_conflict() -> None:
    benefits = told(ACTIVE, "EB*C*IND*30***23*500*****Y", "EB*C*IND*30***24*650*****Y")
    assert benefits.in_network.deductible.individual == Accumulator(Decimal("500.00"), None)
    assert benefits.conflicts == (
        "The individual deductible (in network) has $650.00 used of $500.00: what is left is not known.",
    )


@pytest.mark.parametrize("amount", ["999999.99", "999999", "9999999", "99999.99", "99999"])
def test_nines_are_no_amount(amount: str) -> None:
    benefits = told(ACTIVE, f"EB*G*IND*30***23*{amount}*****Y")
    assert benefits.in_network.out_of_pocket.individual == Accumulator()
    assert any("stands for “no figure”" in note for note in benefits.notes)


def test_a_networks_own_deductible_goes_before_one_for_both() -> None:
    benefits = told(ACTIVE, "EB*C*IND*30***23*500*****Y", "EB*C*IND*30***23*1000*****W")
    assert benefits.in_network.deductible.individual.limit == Decimal("500.00")
    assert benefits.out_of_network.deductible.individual.limit == Decimal("1000.00")
    assert benefits.conflicts == ()


@pytest.mark.parametrize("period", ["26", "27", "32", "36"])
def test_a_deductible_of_a_stay_or_a_life_is_told_and_not_used(period: str) -> None:
    benefits = told(ACTIVE, f"EB*C*IND*30***{period}*750*****Y")
    assert benefits.in_network.deductible.individual == Accumulator()
    assert "The individual deductible (in network) is not for a year: not used (segment 13 (EB))." in benefits.notes


# The year


@pytest.mark.parametrize(
    ("dates", "rows", "year"),
    [
        ("", ["EB*C*IND*30***23*500*****Y"], ("2026-01-01", "2026-12-31")),
        ("", ["EB*C*IND*30***22*500*****Y"], None),
        ("DTP*346*D8*20200701", ["EB*C*IND*30***22*500*****Y"], ("2025-07-01", "2026-06-30")),
        ("DTP*346*D8*20200229", ["EB*C*IND*30***25*500*****Y"], ("2026-03-01", "2027-02-28")),
        ("DTP*346*D8*20200701", ["EB*C*IND*30***23*500*****Y"], ("2026-01-01", "2026-12-31")),
        ("DTP*291*RD8*20251001-20260930", ["EB*C*IND*30***23*500*****Y"], ("2025-10-01", "2026-09-30")),
        ("DTP*291*RD8*20200101-20991231", ["EB*C*IND*30***22*500*****Y"], ("2026-01-01", "2026-12-31")),
        ("", ["EB*C*IND*30***23*500*****Y", "DTP*292*RD8*20250901-20260831"], ("2025-09-01", "2026-08-31")),
        ("", ["EB*C*IND*30***22*500*****Y", "EB*G*IND*30***23*900*****Y"], None),
        ("DTP*346*D8*20060101", [], None),
    ],
)  # fmt: skip
def test_the_year_of_the_deductible(dates: str, rows: list[str], year: tuple[str, str] | None) -> None:
    benefits = told(ACTIVE, *rows, dates=dates)
    found = (benefits.year_begin, benefits.year_end)
    assert found == ((None, None) if year is None else tuple(date.fromisoformat(day) for day in year))


# Visits


@pytest.mark.parametrize(
    ("rows", "visits"),
    [
        (["EB*F*IND*MH***23***VS*30**Y"], Visits(30, None)),
        (["EB*F*IND*MH***23***VS*30**Y", "EB*F*IND*MH***29***VS*12**Y"], Visits(30, 12)),
        (["EB*F*IND*MH***29***VS*0**Y"], Visits(None, 0)),
        (["EB*F*IND*MH*********Y", "HSD*VS*30***23*1"], Visits(30, None)),
        (["EB*F*IND*MH*********Y", "HSD*VS*30***23*1", "HSD*VS*12***29"], Visits(30, 12)),
        (["EB*F*IND*MH*********Y", "HSD*VS*30***23*1", "HSD*VS*11***24"], Visits(30, 19)),
        (["EB*F*IND*MH***23***VS*999**Y"], Visits()),
        (["EB*F*IND*MH***35***VS*1**Y"], Visits()),
        (["EB*F*IND*30***23***VS*60**Y"], Visits()),
        (["EB*F*IND*MH***23***VS*30**Y", "EB*F*IND*MH***29***VS*31**Y"], Visits(30, None)),
        (["EB*F*IND*MH***23***VS*30**Y", "EB*F*IND*MH***24***VS*31**Y"], Visits(30, None)),
        (["EB*F*IND*MH***23***VS*30**Y", "EB*F*IND*MH***23***VS*20**Y"], Visits()),
    ],
    ids=["limit", "limit and left", "none left", "HSD", "HSD left", "HSD used", "nines", "a week", "whole plan",
         "more left than limit", "more used than limit", "two limits"],
)  # fmt: skip
def test_visit_limits_and_what_is_left(rows: list[str], visits: Visits) -> None:
    benefits = told(ACTIVE, *rows)
    assert benefits.in_network.visits == visits
    assert benefits.notes or benefits.conflicts


def test_a_limit_in_a_sentence_is_told_and_not_counted() -> None:
    benefits = told(ACTIVE, "EB*B*IND*MH***27*25*****Y", "MSG*LIMITED TO 20 OUTPATIENT VISITS PER CALENDAR YEAR")
    assert benefits.in_network.visits == Visits()
    assert any("A sentence speaks of a number of visits; it is not counted" in note for note in benefits.notes)


# Networks, places, service types, authorization


def test_four_words_on_the_network() -> None:
    benefits = told(
        ACTIVE, "EB*B**MH***27*10*****Y", "EB*B**MH***27*20*****N", "EB*B**MH***27*30*****U",
        "EB*C*IND*30***23*100*****W",
    )  # fmt: skip
    copays = [one.copay for one in (benefits.in_network, benefits.out_of_network, benefits.network_not_stated)]
    assert copays == [Decimal("10.00"), Decimal("20.00"), Decimal("30.00")]
    assert [one.deductible.individual.limit for one in (benefits.in_network, benefits.out_of_network)] == [
        Decimal("100.00"),
        Decimal("100.00"),
    ]
    assert told(ACTIVE, "EB*B**MH***27*30").network_not_stated.copay == Decimal("30.00")


def test_a_place_of_service_keeps_its_figures_to_itself() -> None:
    network = told(
        ACTIVE, "EB*B**MH***27*40*****Y", "EB*B**MH***27*0*****Y", "III*ZZ*10", "EB*B**MH***27*15*****Y", "III*ZZ*53",
        "EB*B**MH***27*5*****Y", "III*BK*F411",
    ).in_network  # fmt: skip
    assert network.telehealth is not None
    assert (network.copay, network.telehealth.copay) == (Decimal("40.00"), Decimal("0.00"))


def test_what_is_for_one_diagnosis_is_told_and_not_used() -> None:
    benefits = told(ACTIVE, "EB*B**MH***27*5*****Y", "III*BK*F411")
    assert benefits.in_network.copay is None
    assert "A line is not used: it is for diagnosis F411 alone (segment 13 (EB))." in benefits.notes


def test_authorization_from_the_most_specific_word_and_none_for_a_carve_out() -> None:
    assert told(ACTIVE, "EB*B**MH***27*25****Y*Y").in_network.authorization_required is True
    both = told(ACTIVE, "EB*1**98********Y*Y", "EB*B**MH***27*25****N*Y").in_network
    assert both.authorization_required is False
    assert told(ACTIVE, "EB*B**MH***27*25****U*Y").in_network.authorization_required is None
    carved = told(ACTIVE, "EB*1**98********Y*Y", "EB*U**MH", "LS*2120", "NM1*VN*2*MINDWELL", "LE*2120")
    assert carved.in_network.authorization_required is None


def test_a_copay_for_therapy_in_a_network_promises_cover_there() -> None:
    benefits = told(ACTIVE, "EB*1**MH^98", "EB*B**MH^98***27*10*****Y")
    assert (benefits.in_network.covered, benefits.out_of_network.covered) == (True, None)
    denied = told(ACTIVE, "EB*I**MH*********N", "EB*B**MH***27*10*****Y")
    assert (denied.in_network.covered, denied.out_of_network.covered) == (True, False)
    carved = told("EB*6**30**ALPHA PPO", "EB*6**MH*********Y")
    assert (carved.active, carved.in_network.covered) == (False, False)


def test_a_copay_written_for_a_year_is_taken_for_a_visit_and_told() -> None:
    benefits = told(ACTIVE, "EB*B**MH***23*25*****Y")
    assert benefits.in_network.copay == Decimal("25.00")
    assert "The copay (in network) is written as for a year: it is taken as for each visit (segment 13 (EB))." in (
        benefits.notes
    )


# Copay and deductible


@pytest.mark.parametrize(
    ("rows", "rule", "concluded"),
    [
        (["EB*B**MH***27*25*****Y", "MSG*DEDUCTIBLE WAIVED"], CopayRule.WAIVES_DEDUCTIBLE, False),
        (["EB*B**MH***27*25*****Y", "MSG*COPAY AFTER DEDUCTIBLE"], CopayRule.AFTER_DEDUCTIBLE, False),
        (["EB*B**MH***27*25*****Y", "MSG*COPAY THEN DEDUCTIBLE"], CopayRule.BEFORE_DEDUCTIBLE, False),
        (["EB*B**MH***27*25*****Y"], CopayRule.WAIVES_DEDUCTIBLE, True),
        (["EB*B**MH***27*25*****Y", "EB*C*IND*MH***23*500*****Y"], None, False),
        (["EB*B**MH***27*25*****Y", "EB*C*IND*MH***22*0*****Y"], CopayRule.WAIVES_DEDUCTIBLE, False),
        (["EB*B**MH***27*25*****Y", "MSG*DEDUCTIBLE WAIVED", "MSG*AFTER DEDUCTIBLE"], None, False),
    ],
)
def test_the_rule_between_copay_and_deductible(rows: list[str], rule: CopayRule | None, concluded: bool) -> None:
    network = told(ACTIVE, *rows).in_network
    assert (network.copay_rule, network.copay_rule_inferred) == (rule, concluded)
