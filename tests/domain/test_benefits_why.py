"""Each figure says in one sentence where it comes from, or why it is not known."""

from dataclasses import replace
from decimal import Decimal

import pytest

from insurance.domain.benefit_choice import choose
from insurance.domain.benefit_lines import BenefitLine, Level, LineKind, Network, Span
from insurance.domain.benefit_why import FIGURES, why
from insurance.domain.benefits import Benefits, NetworkBenefits

ACTIVE = BenefitLine(LineKind.ACTIVE, "line 1", ("30",))


def line(kind: LineKind, amount: str | None, *services: str, where: str, span: Span = Span.YEAR) -> BenefitLine:
    individual = Level.INDIVIDUAL if kind in (LineKind.DEDUCTIBLE, LineKind.OUT_OF_POCKET) else Level.NOT_STATED
    value = None if amount is None else Decimal(amount)
    if kind is LineKind.COINSURANCE:
        return BenefitLine(kind, where, services, network=Network.IN, span=span, share=value)
    return BenefitLine(kind, where, services, individual, Network.IN, span, value)


def copay(amount: str, *services: str, where: str = "line 2") -> BenefitLine:
    return line(LineKind.COPAY, amount, *services, where=where, span=Span.VISIT)


def network(*lines: BenefitLine) -> NetworkBenefits:
    return choose((ACTIVE, *lines)).in_network


@pytest.mark.parametrize(
    ("service", "sentence"),
    [
        ("A6", "From what the insurer says about psychotherapy (A6)."),
        ("MH", "From what the insurer says about mental health (MH)."),
        ("98", "From office visits (98), because the insurer does not say this of therapy."),
        ("30", "From the plan in general (30), because the insurer does not say this of therapy."),
    ],
)
def test_a_copay_names_the_service_type_it_was_read_from(service: str, sentence: str) -> None:
    assert why("copay", network(copay("25", service))) == sentence


def test_a_deductible_of_the_plan_is_the_usual_case() -> None:
    told = network(line(LineKind.DEDUCTIBLE, "500", "30", where="line 4"))
    assert why("deductible.individual.limit", told) == (
        "From the plan in general (30): the insurer gives none for therapy alone."
    )
    assert why("deductible.individual.remaining", told) == (
        "The insurer gives the limit and does not say what is left of it."
    )


def test_what_was_worked_out_says_so() -> None:
    limit = line(LineKind.DEDUCTIBLE, "500", "30", where="line 4")
    used = line(LineKind.DEDUCTIBLE, "180", "30", where="line 5", span=Span.TO_DATE)
    left = "deductible.individual.remaining"
    assert why(left, network(limit, used)) == "The limit less what the insurer says is used."
    assert why(left, network(replace(limit, amount=Decimal(0)))) == (
        "Nothing is left to pay, because the limit is zero."
    )
    said = line(LineKind.DEDUCTIBLE, "320", "30", where="line 5", span=Span.REMAINING)
    assert why(left, network(limit, said)) == (
        "From the plan in general (30): the insurer gives none for therapy alone."
    )


def test_of_copay_and_coinsurance_the_other_one_is_none_not_unknown() -> None:
    told = network(copay("25", "MH"), line(LineKind.COINSURANCE, "0.2", "30", where="line 3"))
    assert (told.copay, told.coinsurance) == (Decimal("25.00"), None)
    assert why("coinsurance", told) == "For mental health the insurer gives a copay and no coinsurance."
    share = network(line(LineKind.COINSURANCE, "0.2", "98", where="line 3"))
    assert why("copay", share) == "For office visits the insurer gives a coinsurance and no copay."


def test_a_contradiction_is_told_in_place_of_the_figure() -> None:
    told = network(copay("20", "MH"), copay("40", "MH", where="line 3"))
    assert told.copay is None
    assert why("copay", told) == (
        "The insurer gives more than one copay (in network): $20.00 (line 2); $40.00 (line 3). None is taken."
    )


def test_telehealth_and_office_are_named() -> None:
    office = replace(copay("30", "MH"), places=("11",))
    remote = replace(copay("0", "MH", where="line 3"), places=("10",))
    told = network(office, remote)
    assert why("copay", told) == "From what the insurer says about mental health (MH) in an office."
    assert why("copay", told.for_telehealth()) == ("From what the insurer says about mental health (MH) by telehealth.")


def test_a_telehealth_share_leaves_no_trace_of_the_general_one() -> None:
    remote = replace(line(LineKind.COINSURANCE, "0.1", "MH", where="line 3"), places=("10",))
    told = network(copay("30", "MH"), remote).for_telehealth()
    assert (told.copay, told.coinsurance) == (None, Decimal("0.1"))
    assert "copay" not in {*told.source, *told.basis}
    assert why("copay", told) == "For mental health the insurer gives a coinsurance and no copay."


def test_a_telehealth_copay_that_contradicts_itself_is_not_the_general_one() -> None:
    twice = [replace(copay(amount, "MH", where=f"line {amount}"), places=("10",)) for amount in ("0", "15")]
    told = network(copay("30", "MH"), *twice)
    assert told.copay == Decimal("30.00")
    assert told.for_telehealth().copay is None
    assert "$0.00 (line 0); $15.00 (line 15). None is taken." in why("copay", told.for_telehealth())


def test_a_telehealth_share_counts_wherever_it_came_from() -> None:
    told = replace(network(copay("30", "MH")), telehealth=NetworkBenefits(copay=Decimal("5.00")))
    assert told.for_telehealth().copay == Decimal("5.00")
    assert why("copay", told.for_telehealth()) == "It was not read from the insurer's answer."


def test_the_rule_between_copay_and_deductible_explains_itself() -> None:
    told = network(replace(copay("25", "MH"), messages=("DEDUCTIBLE WAIVED",)))
    assert why("copay_rule", told) == "The insurer writes “DEDUCTIBLE WAIVED” (line 2)."
    assert why("copay_rule", network()) == "There is no copay, so there is no rule for it."


def test_what_is_not_said_is_told_so_and_a_correction_too() -> None:
    empty = NetworkBenefits()
    assert {why(figure, empty) for figure in FIGURES if figure != "copay_rule"} == {"The insurer does not say."}
    told = network(copay("25", "MH"))
    assert why("copay", told, corrected=["copay"]) == "Put right: the insurer's own answer says something else."


def test_a_snapshot_from_before_service_types_were_kept_names_its_segment() -> None:
    kept = choose([ACTIVE, copay("25", "MH")]).to_json()
    for name in ("basis", "disputed"):
        del kept["in_network"][name]
    del kept["year_begin"], kept["year_end"]
    told = Benefits.from_json(kept)
    assert (told.in_network.basis, told.year_begin) == ({}, None)
    assert why("copay", told.in_network) == "From the insurer's answer (line 2)."


def test_a_figure_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        why("premium", NetworkBenefits())
