"""Which figures count for a therapy session, and what is said when they cannot be known."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from insurance.domain.benefit_choice import choose
from insurance.domain.benefit_lines import BenefitLine, Level, LineKind, LineParty, Network, Role, Span
from insurance.domain.benefits import Accumulator, Benefits, CobSignal, CopayRule, Visits, share_text
from insurance.domain.copay_rules import read_sentences

ON = date(2026, 3, 10)
ACTIVE = BenefitLine(LineKind.ACTIVE, "line 1", ("30",))


def copay(amount: str, *services: str, where: str = "line 2", network: Network = Network.IN) -> BenefitLine:
    return BenefitLine(
        LineKind.COPAY, where, services or ("MH",), network=network, span=Span.VISIT, amount=Decimal(amount)
    )


def coinsurance(share: str, *services: str, where: str = "line 3") -> BenefitLine:
    return BenefitLine(LineKind.COINSURANCE, where, services or ("MH",), network=Network.IN, share=Decimal(share))


def deductible(amount: str, *services: str, span: Span = Span.YEAR, where: str = "line 4") -> BenefitLine:
    return BenefitLine(
        LineKind.DEDUCTIBLE,
        where,
        services or ("30",),
        Level.INDIVIDUAL,
        Network.IN,
        span,
        Decimal(amount),
    )


def chosen(*lines: BenefitLine) -> Benefits:
    return choose((ACTIVE, *lines), payer_name="ALPHA HEALTH", payer_id="ALPH1", on=ON)


# Which service type


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        (("30", "98", "A4", "MH", "A8", "A6", "CF"), "7.00"),
        (("30", "98", "A4", "MH", "A8", "A6"), "6.00"),
        (("30", "98", "A4", "MH"), "4.00"),
        (("30", "98", "A4"), "3.00"),
        (("30", "98"), "2.00"),
        (("30",), "1.00"),
    ],
)
def test_the_most_specific_service_type_gives_the_copay(services: tuple[str, ...], expected: str) -> None:
    lines = [copay(str(n), service, where=f"line {n}") for n, service in enumerate(services, 1)]
    network = chosen(*lines).in_network
    assert network.copay == Decimal(expected)
    assert network.source["copay"] == f"line {len(services)}"


@pytest.mark.parametrize("service", ["A7", "BB", "AI", "CE", "CG", "33", "UC"])
def test_other_care_than_outpatient_therapy_gives_no_copay(service: str) -> None:
    assert chosen(copay("100", service)).in_network.copay is None


def test_a_therapy_copay_does_not_bring_the_plans_general_coinsurance_with_it() -> None:
    network = chosen(copay("25"), coinsurance("0.2", "30")).in_network
    assert (network.copay, network.coinsurance) == (Decimal("25.00"), None)


def test_what_is_taken_from_office_visits_is_told() -> None:
    assert any("the one for office visits is taken (line 2)" in note for note in chosen(copay("35", "98")).notes)


# Networks


def test_a_figure_without_a_network_is_kept_apart() -> None:
    benefits = chosen(copay("25", network=Network.NOT_STATED))
    assert benefits.in_network.copay is None
    assert benefits.out_of_network.copay is None
    assert benefits.network_not_stated.copay == Decimal("25.00")
    assert any("not taken as in network" in note for note in benefits.notes)


def test_a_figure_for_both_networks_counts_for_each() -> None:
    benefits = chosen(copay("25", network=Network.BOTH))
    assert benefits.in_network.copay == benefits.out_of_network.copay == Decimal("25.00")
    assert not benefits.network_not_stated.says_anything


# Deductible and maximum


def test_limit_and_what_is_left_are_two_lines() -> None:
    network = chosen(deductible("500"), deductible("0", span=Span.REMAINING, where="line 5")).in_network
    assert network.deductible.individual == Accumulator(Decimal("500.00"), Decimal("0.00"))
    assert network.source["deductible.individual.remaining"] == "line 5"


def test_what_is_left_is_not_made_up_from_a_limit_alone() -> None:
    assert chosen(deductible("500")).in_network.deductible.individual == Accumulator(Decimal("500.00"), None)


def test_what_is_left_alone_does_not_make_up_a_limit() -> None:
    network = chosen(deductible("120.5", span=Span.REMAINING)).in_network
    assert network.deductible.individual == Accumulator(None, Decimal("120.50"))


def test_limit_less_what_was_used_is_left() -> None:
    benefits = chosen(deductible("500"), deductible("180", span=Span.TO_DATE, where="line 5"))
    assert benefits.in_network.deductible.individual == Accumulator(Decimal("500.00"), Decimal("320.00"))
    assert benefits.in_network.source["deductible.individual.remaining"] == "line 5, line 4"
    assert (
        "What is left of the individual deductible (in network) is $500.00 less $180.00 used so far." in benefits.notes
    )


def test_no_deductible_for_therapy_leaves_the_plans_general_one_aside() -> None:
    network = chosen(deductible("0", "MH"), deductible("1500"), deductible("900", span=Span.REMAINING)).in_network
    assert network.deductible.individual == Accumulator(Decimal("0.00"), Decimal("0.00"))


def test_the_general_line_completes_the_therapy_one_only_where_it_is_the_same_accumulator() -> None:
    left = deductible("900", span=Span.REMAINING, where="line 6")
    same = chosen(deductible("1500", "MH"), deductible("1500", where="line 5"), left).in_network
    assert same.deductible.individual == Accumulator(Decimal("1500.00"), Decimal("900.00"))
    other = chosen(deductible("1000", "MH"), deductible("1500", where="line 5"), left).in_network
    assert other.deductible.individual == Accumulator(Decimal("1000.00"), None)


def test_an_office_visit_deductible_counts_only_for_an_office_visit_copay() -> None:
    lines = (deductible("0", "98"), deductible("800"))
    assert chosen(copay("20", "98"), *lines).in_network.deductible.individual.limit == Decimal("0.00")
    assert chosen(copay("20", "MH"), *lines).in_network.deductible.individual.limit == Decimal("800.00")


def test_a_family_figure_is_not_the_members_own() -> None:
    network = chosen(replace(deductible("3000"), level=Level.FAMILY)).in_network
    assert network.deductible.family == Accumulator(Decimal("3000.00"), None)
    assert network.deductible.individual == Accumulator()


def test_amounts_of_nines_are_no_figure() -> None:
    benefits = chosen(deductible("999999.99"))
    assert benefits.in_network.deductible.individual == Accumulator()
    assert "A line is not used: $999,999.99 stands for “no figure” (line 4)." in benefits.notes


# Copay and deductible


def test_the_insurers_own_sentence_gives_the_rule() -> None:
    line = replace(copay("25"), messages=("DEDUCTIBLE WAIVED FOR OFFICE VISITS",))
    network = chosen(line, deductible("1500", "MH")).in_network
    assert (network.copay_rule, network.copay_rule_inferred) == (CopayRule.WAIVES_DEDUCTIBLE, False)
    assert network.deductible_applies is False


@pytest.mark.parametrize(
    ("sentence", "rule"),
    [
        ("Deductible waived", CopayRule.WAIVES_DEDUCTIBLE),
        ("DEDUCTIBLE DOES NOT APPLY, COPAY ONLY", CopayRule.WAIVES_DEDUCTIBLE),
        ("NOT SUBJECT TO DEDUCTIBLE", CopayRule.WAIVES_DEDUCTIBLE),
        ("NO DEDUCTIBLE", CopayRule.WAIVES_DEDUCTIBLE),
        ("COPAY APPLIES AFTER DEDUCTIBLE", CopayRule.AFTER_DEDUCTIBLE),
        ("$20 copay after the calendar year deductible", CopayRule.AFTER_DEDUCTIBLE),
        ("DEDUCTIBLE, THEN COPAY", CopayRule.AFTER_DEDUCTIBLE),
        ("COPAY THEN DEDUCTIBLE, COINSURANCE ON THE REST", CopayRule.BEFORE_DEDUCTIBLE),
    ],
)
def test_sentences_that_tell_the_rule(sentence: str, rule: CopayRule) -> None:
    verdict = read_sentences([(sentence, "line 2")])
    assert verdict is not None
    assert verdict.rule is rule
    assert verdict.applies is (rule is not CopayRule.WAIVES_DEDUCTIBLE)
    assert verdict.why == f"The insurer writes “{sentence}” (line 2)."


def test_a_sentence_that_only_says_the_deductible_applies_gives_no_rule() -> None:
    network = chosen(replace(copay("25"), messages=("SUBJECT TO DEDUCTIBLE",))).in_network
    assert (network.copay_rule, network.deductible_applies) == (None, True)


def test_sentences_that_contradict_each_other_give_no_rule_and_a_conflict() -> None:
    benefits = chosen(replace(copay("25"), messages=("DEDUCTIBLE WAIVED", "AFTER DEDUCTIBLE")))
    assert benefits.in_network.copay_rule is None
    assert "do not go together: “DEDUCTIBLE WAIVED” (line 2); “AFTER DEDUCTIBLE” (line 2)" in benefits.conflicts[0]


@pytest.mark.parametrize("sentence", ["OFFICE VISIT", "DEDUCTIBLE INFORMATION FOLLOWS", "COPAY BEFORE DEDUCTIBLE"])
def test_sentences_that_say_nothing_clear_of_the_deductible(sentence: str) -> None:
    assert read_sentences([(sentence, "line 2")]) is None


def test_no_deductible_for_the_same_service_waives_it() -> None:
    network = chosen(copay("25"), deductible("0", "MH"), deductible("1500")).in_network
    assert (network.copay_rule, network.copay_rule_inferred) == (CopayRule.WAIVES_DEDUCTIBLE, False)
    assert network.copay_rule_why == "The deductible for mental health is $0.00 (line 4)."


def test_a_copay_with_nothing_else_for_therapy_is_concluded_to_waive_and_says_so() -> None:
    benefits = chosen(copay("25"), deductible("1500"))
    assert benefits.in_network.copay_rule is CopayRule.WAIVES_DEDUCTIBLE
    assert benefits.in_network.copay_rule_inferred is True
    assert any("Concluded: there is a copay for mental health (line 2)" in note for note in benefits.notes)


@pytest.mark.parametrize(
    "beside", [deductible("500", "MH"), coinsurance("0.2"), deductible("100", "MH", span=Span.REMAINING)]
)
def test_a_copay_beside_a_deductible_or_coinsurance_for_therapy_has_no_known_rule(beside: BenefitLine) -> None:
    network = chosen(copay("25"), beside).in_network
    assert (network.copay, network.copay_rule) == (Decimal("25.00"), None)
    assert network.copay_rule_why.startswith("The insurer does not say whether the copay is due")


def test_the_whole_plans_copay_has_no_known_rule() -> None:
    assert chosen(copay("25", "30"), deductible("0", "30")).in_network.copay_rule is None


# Conflicts


def test_two_copays_are_a_conflict_and_none_is_taken() -> None:
    benefits = chosen(copay("20"), copay("40", where="line 3"))
    assert benefits.in_network.copay is None
    assert benefits.conflicts == (
        "The insurer gives more than one copay (in network): $20.00 (line 2); $40.00 (line 3). None is taken.",
    )


def test_the_same_copay_twice_is_none() -> None:
    benefits = chosen(copay("20"), copay("20", where="line 3"))
    assert (benefits.in_network.copay, benefits.conflicts) == (Decimal("20.00"), ())
    assert benefits.in_network.source["copay"] == "line 2, line 3"


@pytest.mark.parametrize(
    "other",
    [
        replace(copay("250"), messages=("INPATIENT FACILITY",)),
        replace(copay("250"), level=Level.FAMILY),
        replace(copay("250"), span=Span.YEAR),
        replace(copay("250"), span=Span.OTHER),
        replace(copay("250"), procedure="HC 90853"),
        replace(copay("250"), places=("21",)),
        replace(copay("250"), visits=((Span.NOT_STATED, Decimal(3)),)),
    ],
    ids=["written for something else", "family", "a year's", "an admission's", "procedure", "place", "first visits"],
)
def test_a_copay_for_something_else_does_not_disturb(other: BenefitLine) -> None:
    benefits = chosen(other, copay("20", where="line 9"))
    assert (benefits.in_network.copay, benefits.conflicts) == (Decimal("20.00"), ())


def test_more_left_than_the_limit_is_a_conflict() -> None:
    benefits = chosen(deductible("500"), deductible("600", span=Span.REMAINING, where="line 5"))
    assert benefits.in_network.deductible.individual == Accumulator(Decimal("500.00"), None)
    assert "has $600.00 left of $500.00" in benefits.conflicts[0]


def test_a_share_above_one_is_not_taken_for_percent() -> None:
    benefits = chosen(coinsurance("20"))
    assert benefits.in_network.coinsurance is None
    assert "A line is not used: a share of 20 is not between 0 and 1 (line 3)." in benefits.notes


def test_authorization_is_required_not_required_or_not_known() -> None:
    needed = replace(copay("20"), authorization=True)
    assert chosen(needed).in_network.authorization_required is True
    assert chosen(replace(needed, authorization=False)).in_network.authorization_required is False
    assert chosen(copay("20")).in_network.authorization_required is None
    both = chosen(needed, replace(copay("20", where="line 3"), authorization=False))
    assert both.in_network.authorization_required is None
    assert "called both required and not required (line 2, line 3)" in both.conflicts[0]


# Places


def telehealth(line: BenefitLine) -> BenefitLine:
    return replace(line, places=("10", "02"), where="line 8")


def test_telehealth_figures_never_mix_with_the_general_ones() -> None:
    network = chosen(copay("40"), telehealth(copay("0")), deductible("700", span=Span.REMAINING)).in_network
    assert network.copay == Decimal("40.00")
    assert network.telehealth is not None
    assert network.telehealth.copay == Decimal("0.00")
    assert network.telehealth.deductible.individual == Accumulator()
    whole = network.for_telehealth()
    assert (whole.copay, whole.deductible.individual.remaining) == (Decimal("0.00"), Decimal("700.00"))
    assert whole.source["copay"] == "line 8"


def test_nothing_said_of_telehealth_is_null_and_the_general_figures_hold() -> None:
    network = chosen(copay("40")).in_network
    assert network.telehealth is None
    assert network.for_telehealth() == network


def test_a_sentence_alone_can_make_a_line_telehealth() -> None:
    line = replace(copay("5", where="line 8"), messages=("TELEMEDICINE VISIT",))
    network = chosen(line, copay("40")).in_network
    assert network.telehealth is not None
    assert (network.copay, network.telehealth.copay) == (Decimal("40.00"), Decimal("5.00"))
    both = replace(line, messages=("OFFICE AND TELEHEALTH",))
    assert chosen(both).in_network.copay == Decimal("5.00")
    assert chosen(both).in_network.telehealth is None


def test_a_general_telehealth_copay_does_not_replace_the_therapy_one() -> None:
    network = chosen(copay("40", "MH"), telehealth(copay("0", "98"))).in_network
    assert network.for_telehealth().copay == Decimal("40.00")


def test_a_telehealth_copay_looks_at_the_general_therapy_deductible() -> None:
    network = chosen(copay("40"), telehealth(copay("10")), deductible("500", "MH")).in_network
    assert network.telehealth is not None
    assert network.telehealth.copay_rule is None


def test_an_office_figure_is_used_where_there_is_no_general_one() -> None:
    office = replace(copay("30", where="line 7"), places=("11",))
    assert chosen(office, telehealth(copay("0"))).in_network.copay == Decimal("30.00")
    benefits = chosen(office, copay("40"))
    assert benefits.in_network.copay == Decimal("40.00")
    assert "There are other figures for an office alone, not used (line 7)." in benefits.notes


# Visits


def limit(count: str, span: Span, *services: str) -> BenefitLine:
    return BenefitLine(
        LineKind.LIMIT, f"line {count}", services or ("MH",), network=Network.IN, visits=((span, Decimal(count)),)
    )


def test_visits_and_what_is_left_of_them() -> None:
    benefits = chosen(limit("30", Span.YEAR), limit("12", Span.REMAINING))
    assert benefits.in_network.visits == Visits(30, 12)
    assert "A limit of therapy visits is unusual and should be reviewed (line 30, line 12)." in benefits.notes
    assert chosen(limit("30", Span.YEAR)).in_network.visits == Visits(30, None)
    assert chosen(limit("30", Span.YEAR), limit("8", Span.TO_DATE)).in_network.visits == Visits(30, 22)


def test_a_visit_limit_that_does_not_name_therapy_is_told_and_not_used() -> None:
    benefits = chosen(limit("60", Span.YEAR, "30"))
    assert benefits.in_network.visits == Visits()
    assert "A visit limit that does not name mental health is not used (line 60)." in benefits.notes


# Active


def status(kind: LineKind, *services: str, **changes: object) -> BenefitLine:
    return replace(BenefitLine(kind, "line 1", services), **changes)  # type: ignore[arg-type]


def test_active_is_the_insurers_word_on_the_whole_plan() -> None:
    assert choose([status(LineKind.ACTIVE, "30")]).active is True
    assert choose([status(LineKind.INACTIVE, "30")]).active is False
    assert choose([status(LineKind.ACTIVE)]).active is True
    assert choose([]).active is None
    assert choose([copay("20")]).active is None


def test_an_inactive_dental_cover_does_not_make_the_plan_inactive() -> None:
    assert choose([status(LineKind.ACTIVE, "30"), status(LineKind.INACTIVE, "35")]).active is True


def test_cover_for_something_else_says_nothing_about_therapy() -> None:
    benefits = choose([status(LineKind.ACTIVE, "35")])
    assert benefits.active is True
    assert benefits.in_network.covered is None
    assert "Coverage is only told for dental care (35) (line 1): nothing is said about therapy." in benefits.notes


def test_both_active_and_not_is_not_known() -> None:
    benefits = choose([status(LineKind.ACTIVE, "30"), status(LineKind.INACTIVE, "30", where="line 2")])
    assert benefits.active is None
    assert benefits.conflicts == ("The coverage is called both active (line 1) and not active (line 2): not known.",)


def test_last_years_line_does_not_count_today() -> None:
    old = status(LineKind.INACTIVE, "30", begins=date(2025, 1, 1), ends=date(2025, 12, 31))
    assert choose([status(LineKind.ACTIVE, "30"), old], on=ON).active is True
    assert choose([replace(old, kind=LineKind.ACTIVE)], on=ON).active is None


def test_not_active_since_a_day_in_the_past_is_not_active() -> None:
    benefits = choose([status(LineKind.INACTIVE, "30", ends=date(2025, 12, 31))], on=ON)
    assert (benefits.active, benefits.plan_end) == (False, date(2025, 12, 31))


def test_active_with_an_end_before_the_session_is_not_known() -> None:
    benefits = choose([ACTIVE], on=ON, plan_begin=date(2025, 1, 1), plan_end=date(2026, 1, 31))
    assert benefits.active is None
    assert "2025-01-01 to 2026-01-31) leave out 2026-03-10" in benefits.conflicts[0]


def test_not_covered_out_of_network_is_said_of_that_network_alone() -> None:
    benefits = chosen(status(LineKind.ACTIVE, "MH"), status(LineKind.NOT_COVERED, "MH", network=Network.OUT))
    assert benefits.out_of_network.covered is False
    assert benefits.in_network.covered is None


# Other insurance


def other(role: Role, name: str = "BETA MUTUAL", **changes: object) -> BenefitLine:
    line = BenefitLine(LineKind.OTHER_PAYER, "line 6", ("30",), parties=(LineParty(role, name),))
    return replace(line, **changes)  # type: ignore[arg-type]


US_SECOND = LineParty(Role.SECONDARY, "ALPHA HEALTH", "ALPH1")


@pytest.mark.parametrize(
    ("lines", "signal"),
    [
        ([], CobSignal.NONE),
        ([other(Role.PRIMARY)], CobSignal.ANOTHER_IS_PRIMARY),
        ([other(Role.SECONDARY)], CobSignal.THIS_IS_PRIMARY),
        ([other(Role.TERTIARY)], CobSignal.UNDETERMINED),
        ([other(Role.PAYER)], CobSignal.UNDETERMINED),
        ([other(Role.PRIMARY), other(Role.PAYER, "GAMMA")], CobSignal.ANOTHER_IS_PRIMARY),
        ([other(Role.PRIMARY, "Alpha Health")], CobSignal.THIS_IS_PRIMARY),
        ([other(Role.PAYER, parties=(US_SECOND,))], CobSignal.ANOTHER_IS_PRIMARY),
        ([other(Role.PRIMARY), other(Role.PRIMARY, "ALPHA HEALTH")], CobSignal.UNDETERMINED),
        ([other(Role.PRIMARY, ends=date(2026, 3, 9))], CobSignal.NONE),
        ([other(Role.PRIMARY, ends=ON)], CobSignal.ANOTHER_IS_PRIMARY),
        ([other(Role.PRIMARY, services=("35", "88", "AL"))], CobSignal.NO_OVERLAP),
        ([other(Role.PRIMARY, services=("35", "MH"))], CobSignal.ANOTHER_IS_PRIMARY),
        ([other(Role.PAYER, "MEDICARE", medicare_secondary=True)], CobSignal.THIS_IS_PRIMARY),
        ([status(LineKind.ACTIVE, "30", medicare_secondary=True)], CobSignal.UNDETERMINED),
        ([status(LineKind.ACTIVE, "30", pending=True)], CobSignal.UNDETERMINED),
        ([status(LineKind.UNAVAILABLE, "30")], CobSignal.UNDETERMINED),
        ([status(LineKind.CONTACT, "30")], CobSignal.UNDETERMINED),
        ([status(LineKind.OTHER, messages=("PLEASE UPDATE COB",))], CobSignal.UNDETERMINED),
        ([status(LineKind.OTHER, messages=("NO OTHER INSURANCE ON FILE",))], CobSignal.NONE),
        ([status(LineKind.OTHER, messages=("COB IS UP TO DATE",))], CobSignal.NONE),
    ],
)
def test_signs_of_other_insurance(lines: list[BenefitLine], signal: CobSignal) -> None:
    benefits = chosen(*lines)
    assert benefits.cob_signal is signal
    assert bool(benefits.cob_reasons) is (signal not in (CobSignal.NONE, CobSignal.NO_OVERLAP))


def test_medicare_with_a_reason_to_pay_second_puts_the_other_first() -> None:
    benefits = choose([other(Role.PAYER, medicare_secondary=True)], payer_name="MEDICARE PART B", on=ON)
    assert benefits.cob_signal is CobSignal.ANOTHER_IS_PRIMARY


def test_the_other_insurer_is_told_with_rank_member_and_end() -> None:
    insured = LineParty(Role.MEMBER, "LOPEZ BEN", member_id="BEN777")
    named = LineParty(Role.PRIMARY, "BETA MUTUAL", "BETA9")
    line = other(Role.PRIMARY, parties=(named, insured), ends=date(2025, 12, 31))
    (payer,) = chosen(line, line).other_payers
    assert (payer.name, payer.rank, payer.member_id, payer.payer_id, payer.ended) == (
        "BETA MUTUAL", "primary", "BEN777", "BETA9", date(2025, 12, 31),
    )  # fmt: skip


def carved(kind: LineKind = LineKind.CONTACT) -> BenefitLine:
    vendor = LineParty(Role.ORGANIZATION, "MINDWELL", "MINDW", telephone="8005550199")
    return BenefitLine(kind, "line 5", ("MH", "AI"), parties=(vendor,))


@pytest.mark.parametrize("kind", [LineKind.CONTACT, LineKind.MANAGED_BY])
def test_a_company_that_handles_therapy_is_a_carve_out_not_other_insurance(kind: LineKind) -> None:
    benefits = chosen(carved(kind))
    assert benefits.carve_out is not None
    assert (benefits.carve_out.name, benefits.carve_out.telephone) == ("MINDWELL", "8005550199")
    assert benefits.cob_signal is CobSignal.NONE


def test_with_a_carve_out_a_general_copay_is_not_a_therapy_copay() -> None:
    assert chosen(carved(), copay("20", "98"), coinsurance("0.2", "30")).in_network.copay is None
    assert chosen(carved(), copay("15", "MH")).in_network.copay == Decimal("15.00")


# The snapshot


def test_a_snapshot_is_read_back_as_it_was_written() -> None:
    benefits = chosen(
        replace(copay("25"), messages=("DEDUCTIBLE WAIVED",), authorization=True),
        telehealth(coinsurance("0.125")),
        deductible("500"),
        limit("30", Span.YEAR),
        other(Role.PRIMARY, ends=date(2026, 12, 31), begins=date(2026, 1, 1)),
        carved(),
        copay("60", network=Network.NOT_STATED, where="line 11"),
    )
    benefits = replace(benefits, plan_begin=date(2026, 1, 1), plan_end=None)
    told = benefits.to_json()
    assert Benefits.from_json(told) == benefits
    assert told["in_network"]["copay"] == "25.00"
    assert told["in_network"]["telehealth"]["coinsurance"] == "0.125"
    assert told["in_network"]["deductible"]["individual"] == {"limit": "500.00", "remaining": None}


def test_a_snapshot_of_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="schema 2 is not known"):
        Benefits.from_json({**Benefits().to_json(), "schema": 2})


@pytest.mark.parametrize(
    ("share", "text"), [("0.2", "0.20"), ("0", "0.00"), ("1", "1.00"), ("0.125", "0.125"), ("0.200", "0.20")]
)
def test_shares_are_written_with_two_places_or_more(share: str, text: str) -> None:
    assert share_text(Decimal(share)) == text
    assert share_text(None) is None


@pytest.mark.parametrize("make", [copay, coinsurance, deductible])
def test_nothing_is_ever_zero_because_it_is_missing(make: Callable[[str], BenefitLine]) -> None:
    empty = replace(make("0"), amount=None, share=None)
    assert choose([empty]).in_network == Benefits().in_network
