"""What a second plan pays: each method of docs/coordination.md, and what is not known when figures are missing."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insurance.domain.coordination import NOT_BOUND, Method, Primary, Secondary, coordinate
from tests.domain.asking import ask

ALL_FREE = {"deductible_remaining": "0.00", "coinsurance": "0.00"}
FIFTH = {"deductible_remaining": "0.00", "coinsurance": "0.20"}
UNKNOWN = {"deductible_remaining": "0.00"}

# rule, charge, primary, secondary, what each pays: primary, secondary, client
CASES: list[tuple[str, str | None, dict[str, Any], dict[str, Any], list[str | None]]] = [
    ("standard: what the first leaves open", "200.00", {"allowed": "130.00", "paid": "104.00"},
     {"allowed": "130.00", "pays_alone": "104.00", "method": "standard", "in_network": True},
     ["104.00", "26.00", "0.00"]),
    ("standard: no more than alone", "200.00", {"allowed": "150.00", "paid": "50.00"},
     {"allowed": "150.00", "pays_alone": "60.00", "method": "standard", "in_network": True},
     ["50.00", "60.00", "40.00"]),
    ("standard: the lower contract bounds the client", "200.00", {"allowed": "150.00", "paid": "50.00"},
     {"allowed": "120.00", "pays_alone": "30.00", "method": "standard", "in_network": True},
     ["50.00", "30.00", "40.00"]),
    ("standard: out of the second network the first contract bounds", "200.00", {"allowed": "150.00", "paid": "50.00"},
     {"allowed": "120.00", "pays_alone": "30.00", "method": "standard", "in_network": False},
     ["50.00", "30.00", "70.00"]),
    ("network not known: the bounds differ", "200.00", {"allowed": "150.00", "paid": "50.00"},
     {"allowed": "120.00", "pays_alone": "30.00", "method": "standard"}, ["50.00", "30.00", None]),
    ("network not known: the bounds are the same", "200.00", {"allowed": "120.00", "paid": "50.00"},
     {"allowed": "150.00", "pays_alone": "30.00", "method": "standard", "in_network": None},
     ["50.00", "30.00", "40.00"]),
    ("network not known: paid in full either way", "200.00", {"allowed": "150.00", "paid": "150.00"},
     {"allowed": "120.00", "pays_alone": "30.00", "method": "standard"}, ["150.00", "0.00", "0.00"]),
    ("lower allowed: up to the second plan's amount", "200.00", {"allowed": "100.00", "paid": "50.00"},
     {"allowed": "90.00", "pays_alone": "45.00", "method": "lower_allowed", "in_network": True},
     ["50.00", "40.00", "0.00"]),
    ("lower allowed: no more than alone", "200.00", {"allowed": "100.00", "paid": "50.00"},
     {"allowed": "90.00", "pays_alone": "25.00", "method": "lower_allowed", "in_network": True},
     ["50.00", "25.00", "15.00"]),
    ("lower allowed: never below zero", "200.00", {"allowed": "150.00", "paid": "120.00"},
     {"allowed": "100.00", "pays_alone": "80.00", "method": "lower_allowed", "in_network": False},
     ["120.00", "0.00", "30.00"]),
    ("non-duplication: the difference of the two plans", "200.00", {"allowed": "150.00", "paid": "75.00"},
     {"allowed": "150.00", "pays_alone": "120.00", "method": "non_duplication", "in_network": True},
     ["75.00", "45.00", "30.00"]),
    ("non-duplication: nothing when the first is as good", "200.00", {"allowed": "150.00", "paid": "120.00"},
     {"allowed": "150.00", "pays_alone": "120.00", "method": "non_duplication", "in_network": True},
     ["120.00", "0.00", "30.00"]),
    ("maintenance of benefits: its plan on what is left", "200.00", {"allowed": "150.00", "paid": "75.00"},
     {"allowed": "150.00", "plan": FIFTH, "method": "maintenance_of_benefits", "in_network": True},
     ["75.00", "60.00", "15.00"]),
    ("maintenance of benefits: its deductible comes off what is left", "200.00", {"allowed": "150.00", "paid": "75.00"},
     {"allowed": "150.00", "plan": {"deductible_remaining": "30.00", "coinsurance": "0.20"},
      "method": "maintenance_of_benefits", "in_network": True}, ["75.00", "36.00", "39.00"]),
    ("maintenance of benefits: nothing is left of the second plan's amount", "200.00",
     {"allowed": "150.00", "paid": "120.00"},
     {"allowed": "100.00", "plan": FIFTH, "method": "maintenance_of_benefits", "in_network": False},
     ["120.00", "0.00", "30.00"]),
    ("maintenance of benefits: not known from what it pays alone", "200.00", {"allowed": "150.00", "paid": "75.00"},
     {"allowed": "150.00", "pays_alone": "120.00", "method": "maintenance_of_benefits", "in_network": True},
     ["75.00", None, None]),
    ("maintenance of benefits: not known, but nothing is open", "200.00", {"allowed": "150.00", "paid": "150.00"},
     {"allowed": "150.00", "pays_alone": "120.00", "method": "maintenance_of_benefits", "in_network": True},
     ["150.00", None, "0.00"]),
    ("medicare: what the provider must accept", "300.00", {"allowed": "200.00", "paid": "160.00",
     "charge_limit": "200.00"}, {"allowed": "250.00", "pays_alone": "200.00", "method": "medicare", "in_network": True},
     ["160.00", "40.00", "0.00"]),
    ("medicare: what it pays alone", "300.00", {"allowed": "200.00", "paid": "100.00", "charge_limit": "300.00"},
     {"allowed": "150.00", "pays_alone": "60.00", "method": "medicare", "in_network": True},
     ["100.00", "60.00", "0.00"]),
    ("medicare: the higher allowed amount", "300.00", {"allowed": "200.00", "paid": "160.00", "charge_limit": "300.00"},
     {"allowed": "250.00", "pays_alone": "200.00", "method": "medicare", "fee_schedule": "220.00", "in_network": True},
     ["160.00", "60.00", "0.00"]),
    ("medicare: the charge when it is less than the limit", "180.00", {"allowed": "200.00", "paid": "160.00",
     "charge_limit": "300.00"}, {"allowed": "250.00", "pays_alone": "200.00", "method": "medicare", "in_network": True},
     ["160.00", "20.00", "20.00"]),
    ("medicare: the provider accepts the first payment in full", "300.00", {"allowed": "200.00", "paid": "160.00",
     "charge_limit": "160.00"}, {"allowed": "250.00", "pays_alone": "200.00", "method": "medicare", "in_network": True},
     ["160.00", "0.00", "40.00"]),
    ("medicare: the limit is not known", "300.00", {"allowed": "200.00", "paid": "160.00", "charge_limit": None},
     {"allowed": "250.00", "pays_alone": "200.00", "method": "medicare", "in_network": True}, ["160.00", None, None]),
    ("medicare: no limit agreed", "300.00", {"allowed": "200.00", "paid": "160.00"},
     {"allowed": "250.00", "pays_alone": "200.00", "method": "medicare", "in_network": True},
     ["160.00", "90.00", "0.00"]),
    ("medicare: the charge is not known", None, {"allowed": "200.00", "paid": "160.00", "charge_limit": "300.00"},
     {"allowed": "250.00", "pays_alone": "200.00", "method": "medicare", "in_network": True}, ["160.00", None, None]),
    ("tricare: what is open of the bill", "700.00", {"allowed": "1000.00", "paid": "600.00"},
     {"allowed": "800.00", "pays_alone": "600.00", "method": "tricare", "in_network": False},
     ["600.00", "100.00", "300.00"]),
    ("tricare: what it pays alone", "1000.00", {"allowed": "1000.00", "paid": "600.00"},
     {"allowed": "800.00", "pays_alone": "150.00", "method": "tricare", "in_network": False},
     ["600.00", "150.00", "250.00"]),
    ("tricare: what the client would still owe", "1000.00", {"allowed": "700.00", "paid": "600.00"},
     {"allowed": "800.00", "pays_alone": "600.00", "method": "tricare", "in_network": False},
     ["600.00", "100.00", "0.00"]),
    ("tricare: the charge is not known", None, {"allowed": "700.00", "paid": "600.00"},
     {"allowed": "800.00", "pays_alone": "600.00", "method": "tricare", "in_network": False}, ["600.00", None, None]),
    ("medicaid, lesser of: its rate less the first payment", "200.00", {"allowed": "150.00", "paid": "60.00"},
     {"allowed": "80.00", "method": "medicaid_lesser_of", "in_network": True}, ["60.00", "20.00", "0.00"]),
    ("medicaid, lesser of: the fee schedule counts, not the allowed amount", "200.00",
     {"allowed": "150.00", "paid": "60.00"},
     {"allowed": "80.00", "method": "medicaid_lesser_of", "fee_schedule": "95.00"}, ["60.00", "35.00", "0.00"]),
    ("medicaid, lesser of: what the first leaves open", "200.00", {"allowed": "70.00", "paid": "60.00"},
     {"allowed": "80.00", "method": "medicaid_lesser_of"}, ["60.00", "10.00", "0.00"]),
    ("medicaid in full", "200.00", {"allowed": "150.00", "paid": "60.00"},
     {"allowed": "80.00", "method": "medicaid_full"}, ["60.00", "90.00", "0.00"]),
    ("medicaid: the client owes nothing, whatever is not known", "200.00", {"allowed": "150.00", "plan": UNKNOWN},
     {"allowed": "80.00", "method": "medicaid_full"}, [None, None, "0.00"]),
    ("both payments priced from plans", "185.00",
     {"allowed": "185.00", "plan": {"deductible_remaining": "25.00", "coinsurance": "0.20"}},
     {"allowed": "185.00", "plan": {"deductible_remaining": "100.00", "coinsurance": "0.00"}, "method": "standard"},
     ["128.00", "57.00", "0.00"]),
    ("a given payment counts before a plan", "185.00", {"allowed": "185.00", "paid": "100.00", "plan": FIFTH},
     {"allowed": "185.00", "pays_alone": "10.00", "plan": ALL_FREE, "method": "standard", "in_network": True},
     ["100.00", "10.00", "75.00"]),
    ("the first price is not known", "200.00", {"allowed": "150.00", "plan": UNKNOWN},
     {"allowed": "150.00", "pays_alone": "120.00", "method": "standard", "in_network": True}, [None, None, None]),
    ("the first price is not known, the second pays nothing anyway", "200.00", {"allowed": "150.00", "plan": UNKNOWN},
     {"allowed": "150.00", "pays_alone": "0.00", "method": "standard", "in_network": True}, [None, "0.00", None]),
    ("the first price is not known, the second pays all that it leaves", "200.00",
     {"allowed": "150.00", "plan": UNKNOWN},
     {"allowed": "150.00", "plan": ALL_FREE, "method": "standard", "in_network": True}, [None, None, "0.00"]),
    ("the second price is not known", "200.00", {"allowed": "150.00", "paid": "100.00"},
     {"allowed": "150.00", "plan": UNKNOWN, "method": "standard", "in_network": True}, ["100.00", None, None]),
    ("the second price is not known, nothing is open", "200.00", {"allowed": "150.00", "paid": "150.00"},
     {"allowed": "150.00", "plan": UNKNOWN, "method": "standard", "in_network": True}, ["150.00", "0.00", "0.00"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "charge", "primary", "secondary", "expected"), CASES, ids=[case[0] for case in CASES])
def test_coordination(
    rule: str, charge: str | None, primary: dict[str, Any], secondary: dict[str, Any], expected: list[str | None]
) -> None:
    answer = ask({"kind": "coordinate", "charge": charge, "primary": primary, "secondary": secondary})

    assert [answer["primary_pays"], answer["secondary_pays"], answer["client"]] == expected
    assert all(answer["why"])


def test_reasons_are_plain_sentences() -> None:
    answer = ask(
        {
            "kind": "coordinate",
            "charge": "200.00",
            "primary": {"allowed": "130.00", "paid": "104.00"},
            "secondary": {"allowed": "120.00", "pays_alone": "10.00", "method": "standard", "in_network": True},
        }
    )

    assert answer["why"] == [
        "Your first plan pays $104.00 of the $130.00 it allows",
        "Your second plan pays $10.00: what it would pay alone, but no more than what the first plan leaves open of "
        "$130.00",
        "The provider may collect at most $120.00 in all; less both payments, you pay $6.00",
    ]


cents = st.integers(0, 30_000).map(lambda count: Decimal(count) / 100)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Primary, Secondary, Decimal | None]:
    allowed, second_allowed = draw(cents), draw(cents)
    paid = draw(st.none() | cents.map(lambda amount: min(amount, allowed)))
    alone = draw(st.none() | cents.map(lambda amount: min(amount, second_allowed)))
    methods = [method for method in Method if method != Method.MAINTENANCE_OF_BENEFITS]
    return (
        Primary(allowed, paid, draw(st.none() | cents | st.just(NOT_BOUND))),
        Secondary(
            second_allowed,
            draw(st.sampled_from(methods)),
            pays_alone=alone,
            fee_schedule=draw(st.none() | cents),
            in_network=draw(st.none() | st.booleans()),
        ),
        draw(st.none() | cents),
    )


@given(questions(), cents, cents, cents, cents, st.booleans())
def test_what_is_known_stays_when_a_missing_figure_is_learned(
    question: tuple[Primary, Secondary, Decimal | None],
    paid: Decimal,
    alone: Decimal,
    charge: Decimal,
    limit: Decimal,
    in_network: bool,
) -> None:
    primary, secondary, known_charge = question
    before = coordinate(primary, secondary, charge=known_charge)
    after = coordinate(
        Primary(
            primary.allowed,
            min(paid, primary.allowed) if primary.paid is None else primary.paid,
            limit if primary.charge_limit is None else primary.charge_limit,
        ),
        Secondary(
            secondary.allowed,
            secondary.method,
            pays_alone=min(alone, secondary.allowed) if secondary.pays_alone is None else secondary.pays_alone,
            fee_schedule=secondary.fee_schedule,
            in_network=in_network if secondary.in_network is None else secondary.in_network,
        ),
        charge=charge if known_charge is None else known_charge,
    )

    for name in ("primary_pays", "secondary_pays", "client"):
        known, now = getattr(before, name), getattr(after, name)
        assert known is None or known == now, name
        assert now is not None, name
        assert now >= 0, name


@given(questions())
def test_with_an_in_network_provider_the_client_never_owes_more_than_the_first_plan_left(
    question: tuple[Primary, Secondary, Decimal | None],
) -> None:
    primary, secondary, charge = question
    result = coordinate(primary, secondary, charge=charge)

    if primary.paid is not None and result.client is not None:
        assert result.client <= primary.allowed - primary.paid


@given(questions())
def test_no_plan_pays_more_than_alone_and_both_no_more_than_the_most_that_is_allowed(
    question: tuple[Primary, Secondary, Decimal | None],
) -> None:
    primary, secondary, charge = question
    paid = coordinate(primary, secondary, charge=charge).secondary_pays
    if paid is None or primary.paid is None:
        return
    fee = secondary.allowed if secondary.fee_schedule is None else secondary.fee_schedule
    assert primary.paid + paid <= max(primary.allowed, secondary.allowed, fee)
    if secondary.pays_alone is not None and not secondary.method.is_medicaid:
        assert paid <= secondary.pays_alone


@given(cents, cents, cents, st.booleans())
def test_plans_that_count_more_of_the_first_payment_leave_the_client_more(
    allowed: Decimal, paid: Decimal, alone: Decimal, in_network: bool
) -> None:
    primary = Primary(allowed, min(paid, allowed))

    def client(method: Method) -> Decimal:
        second = Secondary(allowed, method, pays_alone=min(alone, allowed), in_network=in_network)
        share = coordinate(primary, second, charge=allowed).client
        assert share is not None
        return share

    left = allowed - min(paid, allowed)
    assert (
        client(Method.MEDICAID_FULL)
        <= client(Method.STANDARD)
        == client(Method.LOWER_ALLOWED)
        <= client(Method.NON_DUPLICATION)
        <= left
    )
