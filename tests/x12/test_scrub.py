"""What would be turned away does not leave: each rule by its name, on Ana's claim with one thing wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from insurance.x12 import scrub, x837p
from insurance.x12.scrub import Mend
from insurance.x12.segments import clean
from insurance.x12.values import is_npi
from tests.x12 import cast

TODAY = cast.SEEN + timedelta(days=7)

Change = Callable[[x837p.Claim], x837p.Claim]


def line(**change: Any) -> Change:
    """The claim's one line with something else in it."""
    return lambda claim: replace(claim, lines=(replace(claim.lines[0], **change),))


def billing(**change: Any) -> Change:
    return lambda claim: replace(claim, billing=replace(claim.billing, **change))


def ana(**change: Any) -> Change:
    return lambda claim: replace(claim, subscriber=replace(claim.subscriber, **change))


def whole(**change: Any) -> Change:
    return lambda claim: replace(claim, **change)


def also(procedure: str) -> Change:
    """A second procedure beside the session."""
    return lambda claim: replace(
        claim, lines=(*claim.lines, replace(claim.lines[0], procedure=procedure, control_number="S1L2"))
    )


def to_beta(claim: x837p.Claim) -> x837p.Claim:
    """Asked of Beta second, though Alpha, who comes first, has said nothing."""
    alpha = x837p.OtherPayer("P", cast.ALPHA, "ANA001", cast.ANA)
    return replace(claim, rank="S", payer=cast.BETA, other_payers=(alpha,))


WRONG: list[tuple[str, Mend, Change]] = [
    ("npi", Mend.ORGANISATION, billing(npi="1234567890")),
    ("npi", Mend.PROVIDER, whole(rendering=replace(cast.COLE, npi="1999999985"))),
    ("npi", Mend.PROVIDER, whole(supervising=replace(cast.COLE, npi=""))),
    ("npi", Mend.PROVIDER, line(rendering=replace(cast.COLE, npi="3999999984"))),
    ("tax_id", Mend.ORGANISATION, billing(tax_id="13-1234567")),
    ("billing_address", Mend.ORGANISATION, billing(address=replace(cast.PRACTICE.address, line1="PO BOX 12"))),
    ("billing_address", Mend.ORGANISATION, billing(address=replace(cast.PRACTICE.address, zip="10001"))),
    ("billing_address", Mend.ORGANISATION, billing(address=replace(cast.PRACTICE.address, state="NU"))),
    ("patient", Mend.CLIENT, ana(first="")),
    ("patient", Mend.CLIENT, ana(last="L0PEZ")),
    ("patient", Mend.CLIENT, ana(born=None)),
    ("patient", Mend.CLIENT, ana(born=cast.SEEN + timedelta(days=1))),
    ("patient", Mend.CLIENT, ana(sex="")),
    ("patient", Mend.CLIENT, ana(address=None)),
    ("patient", Mend.CLIENT, ana(address=replace(cast.HOME, city=""))),
    ("patient", Mend.CLIENT, ana(address=replace(cast.HOME, zip="1220"))),
    ("plan_holder", Mend.PLAN, whole(relationship="01")),
    ("plan_holder", Mend.PLAN, whole(patient=cast.ANA, subscriber=cast.BEN, relationship="18")),
    ("plan_holder", Mend.PLAN, whole(patient=cast.ANA, subscriber=replace(cast.BEN, first=""), relationship="01")),
    ("member_id", Mend.PLAN, whole(member_id="")),
    ("member_id", Mend.PLAN, whole(member_id="unknown")),
    ("member_id", Mend.PLAN, whole(other_payers=(replace(cast.BETA_LATER, member_id="*"),))),
    ("lines", Mend.SESSION, whole(lines=())),
    ("lines", Mend.CLAIM, lambda claim: replace(claim, lines=claim.lines * 2)),
    ("procedures", Mend.SESSION, line(procedure="9083")),
    ("procedures", Mend.SESSION, line(procedure="90833")),
    ("procedures", Mend.SESSION, also("90840")),
    ("procedures", Mend.SESSION, line(units=Decimal(2))),
    ("procedures", Mend.SESSION, line(units=Decimal("1.5"))),
    ("procedures", Mend.SESSION, line(units=None)),
    ("modifiers", Mend.SESSION, line(modifiers=("95", "95"))),
    ("modifiers", Mend.SESSION, line(modifiers=("9",))),
    ("place_of_service", Mend.SESSION, whole(place_of_service="21")),
    ("place_of_service", Mend.SESSION, line(modifiers=("95", "93"))),
    ("place_of_service", Mend.SESSION, whole(place_of_service="12")),
    ("amounts", Mend.SESSION, line(charge=Decimal("0.00"))),
    ("diagnoses", Mend.SESSION, whole(diagnoses=())),
    ("diagnoses", Mend.SESSION, whole(diagnoses=("F411", "F411"))),
    ("diagnoses", Mend.SESSION, whole(diagnoses=("411",))),
    ("diagnoses", Mend.SESSION, whole(diagnoses=("Y099", "F411"))),
    ("diagnoses", Mend.SESSION, line(pointers=())),
    ("service_dates", Mend.SESSION, line(service_date=None)),
    ("service_dates", Mend.SESSION, line(service_date=TODAY + timedelta(days=1))),
    ("service_dates", Mend.SESSION, line(service_date=TODAY - timedelta(days=732))),
    ("control_number", Mend.CLAIM, whole(control_number="S1P:2")),
    ("control_number", Mend.CLAIM, whole(control_number="X" * 21)),
    ("frequency", Mend.CLAIM, whole(frequency="7")),
    ("frequency", Mend.CLAIM, whole(frequency="6")),
    ("frequency", Mend.CLAIM, whole(payer_control_number="ICN1")),
    ("order_of_payers", Mend.CLAIM, to_beta),
    ("order_of_payers", Mend.CLAIM, whole(other_payers=(replace(cast.BETA_LATER, paid=Decimal("1.00")),))),
    ("order_of_payers", Mend.CLAIM, whole(rank="X")),
    ("sendable_text", Mend.CLIENT, ana(last="ŁOPEZ")),
]


@pytest.mark.parametrize(("rule", "mend", "change"), WRONG, ids=[f"{n}-{w[0]}" for n, w in enumerate(WRONG)])
def test_a_claim_with_one_thing_wrong_meets_its_rule_and_no_other(rule: str, mend: Mend, change: Change) -> None:
    found = scrub.problems(change(cast.claim()), on=TODAY)
    assert {(each.rule, each.mend) for each in found} == {(rule, mend)}
    assert all(each.sentence.endswith(".") or "“" in each.sentence for each in found)


def test_every_rule_has_met_something_wrong() -> None:
    assert {rule for rule, _mend, _change in WRONG} == set(scrub.RULES)


@pytest.mark.parametrize(
    "change",
    [
        whole(),
        line(modifiers=("93",)),
        whole(place_of_service="11", lines=(replace(cast.line(), modifiers=()),)),
        whole(frequency="7", payer_control_number="ICN1"),
        whole(patient=cast.ANA, subscriber=cast.BEN, relationship="01", member_id="BEN777"),
        whole(supervising=replace(cast.COLE, taxonomy="")),
        also("90785"),
    ],
)
def test_a_right_claim_leaves(change: Change) -> None:
    assert scrub.problems(change(cast.claim()), on=TODAY) == []


def test_a_crisis_session_of_two_hours_is_the_first_hour_and_what_is_added() -> None:
    first = replace(cast.line(), procedure="90839")
    more = replace(cast.line(number="S1L2"), procedure="90840", units=Decimal(2))
    assert scrub.problems(cast.claim(first, more), on=TODAY) == []


@pytest.mark.parametrize(("number", "valid"), [("1234567893", True), ("1999999984", True), ("1234567894", False)])
def test_an_npi_has_its_check_digit(number: str, valid: bool) -> None:
    assert is_npi(number) is valid


def test_accents_are_left_out_so_that_insurers_can_read_the_name() -> None:
    assert clean("José Ñuñez-Crète") == "JOSE NUNEZ-CRETE"


def test_the_supervising_provider_comes_back_as_it_was_sent() -> None:
    """A therapist in training renders; the licensed one who supervises them stands in loop 2310D."""
    supervised = replace(cast.claim(), supervising=x837p.RenderingProvider("RUIZ", "MARTA", "1234567893"))
    raw = cast.send(supervised)
    assert b"~NM1*DQ*1*RUIZ*MARTA****XX*1234567893~" in raw
    (read,) = x837p.read(raw)
    assert [claim.supervising for claim in read.claims] == [supervised.supervising]
    assert cast.send(*read.claims) == raw
