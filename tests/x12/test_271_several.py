"""Several plans, several people in one answer: which plan is taken and why, and that figures are never mixed."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from insurance.domain.benefits import Accumulator, Benefits
from insurance.x12 import x271
from insurance.x12.x271_benefits import benefits_of
from tests.x12.answers import ACTIVE, HEAD, ON, told
from tests.x12.text import interchange


def figures(benefits: Benefits) -> Mapping[str, object]:
    network = benefits.in_network
    return {
        "active": benefits.active,
        "plan": benefits.plan_name,
        "copay": network.copay,
        "limit": network.deductible.individual.limit,
    }


GOLD = ["EB*1*IND*30*C1*GOLD PPO", "EB*B*IND*MH*C1*GOLD PPO*27*25*****Y", "EB*C*IND*30*C1*GOLD PPO*23*500*****Y"]


def test_the_active_one_of_two_plans_is_taken() -> None:
    benefits = told("EB*6*IND*30*C1*OLD HMO", "EB*C*IND*30*C1*OLD HMO*23*2000*****Y", *GOLD)
    assert figures(benefits) == {"active": True, "plan": "GOLD PPO", "copay": Decimal("25.00"), "limit": Decimal(500)}
    assert (
        "The answer tells of several plans. GOLD PPO (segment 14 (EB)) is taken: it is the only active one. "
        "Not taken: OLD HMO (segment 12 (EB))." in benefits.notes
    )
    assert benefits.conflicts == ()


def test_the_plan_of_the_day_is_taken() -> None:
    next_year = ["EB*1*IND*30*C1*NEW PLAN", "DTP*346*D8*20270101", "EB*B*IND*MH*C1*NEW PLAN*27*60*****Y"]
    benefits = told(*next_year, *GOLD)
    assert figures(benefits)["copay"] == Decimal("25.00")
    assert any("it is the only one for this day" in note for note in benefits.notes)


def test_of_two_active_plans_the_one_that_speaks_of_therapy_is_taken_and_nothing_of_the_other() -> None:
    benefits = told(
        "EB*1*IND*30*HN*HOSPITAL PLAN", "EB*C*IND*30*HN*HOSPITAL PLAN*23*2000*****Y",
        "EB*C*IND*30*HN*HOSPITAL PLAN*29*2000*****Y", *GOLD,
    )  # fmt: skip
    assert figures(benefits) == {"active": True, "plan": "GOLD PPO", "copay": Decimal("25.00"), "limit": Decimal(500)}
    assert benefits.in_network.deductible.individual.remaining is None
    assert any("it is the one that speaks of therapy" in note for note in benefits.notes)


def test_medicares_hospital_part_is_not_for_therapy() -> None:
    benefits = told(
        "EB*1*IND*30*MA", "EB*C*IND*30*MA**23*1676*****W", "EB*1*IND*30*MB", "EB*C*IND*30*MB**23*257*****W",
        "EB*C*IND*30*MB**29*57*****W", "EB*A*IND*30*MB**27**.2****W",
    )  # fmt: skip
    network = benefits.in_network
    assert network.deductible.individual == Accumulator(Decimal("257.00"), Decimal("57.00"))
    assert (benefits.active, network.coinsurance, benefits.conflicts) == (True, Decimal("0.2"), ())
    assert any("the other is for hospital stays" in note for note in benefits.notes)


def test_figures_that_do_not_say_of_which_plan_they_are_stand_aside() -> None:
    benefits = told("EB*1*IND*30*HN*HOSPITAL PLAN", *GOLD, "EB*G*IND*30***23*4000*****Y")
    assert benefits.in_network.out_of_pocket.individual == Accumulator()
    assert "Figures that do not say which of the plans they are of are not used (segment 16 (EB))." in benefits.notes
    over = told("EB*6*IND*30*HN*OLD PLAN", *GOLD, "EB*G*IND*30***23*4000*****Y")
    assert over.in_network.out_of_pocket.individual.limit == Decimal("4000.00"), "the other one is over"


def test_two_plans_without_a_reason_to_choose_give_no_figure() -> None:
    benefits = told(*GOLD, "EB*1*IND*30*C1*SILVER PPO", "EB*B*IND*MH*C1*SILVER PPO*27*40*****Y")
    assert figures(benefits) == {"active": True, "plan": None, "copay": None, "limit": None}
    assert benefits.conflicts == (
        "The answer tells of several plans (GOLD PPO (segment 12 (EB)), SILVER PPO (segment 15 (EB))) and not which of "
        "them pays for therapy: no figure is taken.",
    )


def test_two_plans_with_the_same_figures_need_no_choice() -> None:
    benefits = told("EB*1*IND*30*C1*GOLD PPO", "EB*1*IND*30*C1*SILVER PPO", "EB*B*IND*MH***27*25*****Y")
    assert figures(benefits) == {"active": True, "plan": None, "copay": Decimal("25.00"), "limit": None}
    assert benefits.conflicts == ()
    assert any("several plans with the same figures" in note for note in benefits.notes)


def test_a_plan_with_a_name_for_each_network_is_one_plan() -> None:
    benefits = told(
        "EB*1*IND*30**PPO PREFERRED*******Y", "EB*1*IND*30**PPO OTHER*******N",
        "EB*B*IND*MH**PPO PREFERRED*27*25*****Y", "EB*A*IND*MH**PPO OTHER*27**.4****N",
    )  # fmt: skip
    assert (benefits.in_network.copay, benefits.out_of_network.coinsurance) == (Decimal("25.00"), Decimal("0.4"))
    assert not any("several plans" in note for note in benefits.notes)


def test_a_name_that_is_only_a_description_makes_no_second_plan() -> None:
    benefits = told("EB*1*IND*30**GOLD PPO", "EB*B*IND*MH**OUTPATIENT THERAPY*27*25*****Y", "EB*1*IND*35**DENTAL PLUS")
    assert figures(benefits)["copay"] == Decimal("25.00")
    assert benefits.plan_name == "GOLD PPO"


# Dependents and several subscribers


def test_a_dependent_has_their_own_figures_and_the_plans_dates() -> None:
    body = (
        HEAD.replace("HL*3*2*22*0", "HL*3*2*22*1")
        + """
        DTP*346*D8*20260101
        DTP*347*D8*20261231
        HL*4*3*23*0
        TRN*2*T2*9HEADWAY00
        NM1*03*1*LOPEZ*MIA
        EB*1*IND*30**ALPHA PPO
        EB*B*CHD*MH***27*15*****Y
        EB*C*CHD*30***29*200*****Y
        EB*C*FAM*30***29*700*****Y
    """
    )
    (mia,) = x271.read(interchange("HB", "005010X279A1", "271", body)).responses
    benefits = benefits_of(mia, on=ON)
    assert (mia.trace, mia.member_id) == ("T2", "ANA001")
    assert (benefits.plan_begin, benefits.plan_end) == (date(2026, 1, 1), date(2026, 12, 31))
    assert benefits.in_network.copay == Decimal("15.00")
    assert benefits.in_network.deductible.individual.remaining == Decimal("200.00")
    assert benefits.in_network.deductible.family.remaining == Decimal("700.00")


def test_a_childs_figures_are_not_the_subscribers() -> None:
    assert told(ACTIVE, "EB*C*CHD*30***29*200*****Y").in_network.deductible.individual == Accumulator()


def test_several_subscribers_each_have_their_own_answer() -> None:
    body = (
        HEAD
        + """
        EB*1*IND*30**ALPHA PPO
        EB*B*IND*MH***27*25*****Y
        HL*4*2*22*1
        TRN*2*T2*9HEADWAY00
        NM1*IL*1*LOPEZ*BEN****MI*BEN777
        EB*1*IND*30**BETA HMO
        EB*B*IND*MH***27*40*****Y
        HL*5*4*23*0
        TRN*2*T3*9HEADWAY00
        NM1*03*1*LOPEZ*MIA
        AAA*N**67*C
        HL*6*2*22*0
        TRN*2*T4*9HEADWAY00
        NM1*IL*1*STRANGER*EVE****MI*EVE1
        AAA*N**75*C
    """
    )
    ana, ben, mia, eve = x271.read(interchange("HB", "005010X279A1", "271", body)).responses
    assert [each.trace for each in (ana, ben, mia, eve)] == ["T1", "T2", "T3", "T4"]
    assert [benefits_of(each).in_network.copay for each in (ana, ben, mia, eve)] == [
        Decimal("25.00"), Decimal("40.00"), None, None,
    ]  # fmt: skip
    assert [[rejection.code for rejection in each.all_rejections] for each in (ana, ben, mia, eve)] == [
        [], [], ["67"], ["75"],
    ]  # fmt: skip
    assert [benefits_of(each).active for each in (ana, ben, mia, eve)] == [True, True, None, None]


def test_a_rejection_beside_benefits_takes_nothing_from_them() -> None:
    benefits = told(ACTIVE, "EB*B*IND*MH***27*25*****Y", "EB*1**98", "AAA*N**53*C")
    assert (benefits.active, benefits.in_network.copay) == (True, Decimal("25.00"))
