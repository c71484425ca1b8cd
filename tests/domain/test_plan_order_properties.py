"""What holds for every order: a certain one stands, whatever is learned and however the plans are stated."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from insurance.domain.plan_order import (
    ClientFacts,
    Custody,
    Decree,
    FamilyFacts,
    Holder,
    HolderStatus,
    MedicareReason,
    Parents,
    PlanFacts,
    PlanType,
    order_plans,
)

ON = date(2026, 5, 1)

few_days = st.sampled_from([date(1970, 1, 1), date(1975, 6, 15), date(1980, 6, 15), date(1984, 2, 29)])
any_day = few_days | st.dates(date(1930, 1, 1), date(2026, 1, 1))
births = dict.fromkeys(Holder, any_day)

FACTS: dict[type[Any], dict[str, st.SearchStrategy[Any]]] = {
    PlanFacts: {
        "type": st.sampled_from([PlanType.GROUP] * 6 + list(PlanType)),
        "holder": st.sampled_from(Holder),
        "holder_born": any_day,
        "holder_status": st.sampled_from(HolderStatus),
        "employer_size": st.sampled_from([0, 1, 19, 20, 99, 100, 5000]),
        "multi_employer": st.booleans(),
        "since": any_day,
        "coordinates": st.sampled_from([True, True, True, False]),
    },
    ClientFacts: {
        "born": any_day,
        "medicare_because": st.sampled_from(MedicareReason),
        "esrd_months": st.sampled_from([1, 29, 30, 31, 40]),
    },
    FamilyFacts: {
        "parents": st.sampled_from(Parents),
        "decree": st.sampled_from(Decree),
        "custodial_parent": st.sampled_from(Custody),
    },
}


@st.composite
def facts(draw: st.DrawFn, /, kind: type[Any], missing: float, **given_facts: Any) -> Any:
    """Facts of which some are missing; ``missing`` from 0 (none) to 1 (all)."""
    values = {
        name: None if draw(st.floats(0, 1)) < missing else draw(strategy) for name, strategy in FACTS[kind].items()
    }
    return kind(**{**values, **given_facts})


@st.composite
def questions(draw: st.DrawFn, /, missing: float) -> tuple[ClientFacts, FamilyFacts, tuple[PlanFacts, ...]]:
    count = draw(st.integers(2, 4))
    return (
        draw(facts(ClientFacts, missing)),
        draw(facts(FamilyFacts, missing)),
        tuple(draw(facts(PlanFacts, missing, id=f"p{place}")) for place in range(count)),
    )


def completed(draw: Callable[[st.SearchStrategy[Any]], Any], kind: type[Any], known: Any) -> Any:
    values = {}
    for name, strategy in FACTS[kind].items():
        value = getattr(known, name)
        if value is None and name != "coordinates":  # a plan coordinates unless it says otherwise
            value = draw(strategy)
        values[name] = value
    return kind(**values, id=known.id) if kind is PlanFacts else kind(**values)


def one_birthday_each(plans: tuple[PlanFacts, ...], known: tuple[PlanFacts, ...]) -> tuple[PlanFacts, ...]:
    """Plans in which a mother, a father or a spouse has the same birthday everywhere, as in life."""
    born: dict[Holder | None, date | None] = {}
    for before, plan in zip(known, plans, strict=True):
        if before.holder_born is not None:
            born.setdefault(plan.holder, before.holder_born)
    for plan in plans:
        born.setdefault(plan.holder, plan.holder_born)
    return tuple(
        plan if plan.holder == Holder.OTHER else replace(plan, holder_born=born[plan.holder]) for plan in plans
    )


@given(st.data(), st.sampled_from([0.05, 0.15, 0.3]).flatmap(questions))
@settings(max_examples=150, deadline=None)
def test_a_certain_order_stands_when_missing_facts_are_learned(
    data: st.DataObject, question: tuple[ClientFacts, FamilyFacts, tuple[PlanFacts, ...]]
) -> None:
    client, family, plans = question
    plans = one_birthday_each(plans, plans)
    before = order_plans(client, family, plans, on=ON)
    if not before.certain:
        return
    for _ in range(5):
        learned = one_birthday_each(tuple(completed(data.draw, PlanFacts, plan) for plan in plans), plans)
        after = order_plans(
            completed(data.draw, ClientFacts, client), completed(data.draw, FamilyFacts, family), learned, on=ON
        )
        assert after.order == before.order


@given(st.sampled_from([0.0, 0.1, 0.3]).flatmap(questions), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_a_certain_order_does_not_depend_on_the_order_stated(
    question: tuple[ClientFacts, FamilyFacts, tuple[PlanFacts, ...]], random: Random
) -> None:
    client, family, plans = question
    shuffled = list(plans)
    random.shuffle(shuffled)

    first, second = order_plans(client, family, plans, on=ON), order_plans(client, family, shuffled, on=ON)

    assert first.certain == second.certain
    if first.certain:
        assert (first.order, first.rule) == (second.order, second.rule)


@given(questions(0.0), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_with_all_facts_only_a_full_tie_keeps_the_order_stated(
    question: tuple[ClientFacts, FamilyFacts, tuple[PlanFacts, ...]], random: Random
) -> None:
    client, family, plans = question
    shuffled = list(plans)
    random.shuffle(shuffled)

    first, second = order_plans(client, family, plans, on=ON), order_plans(client, family, shuffled, on=ON)

    assert not first.missing
    tied = any("apart" in sentence for sentence in first.why)
    assert tied or first.order == second.order


@given(st.sampled_from([0.0, 0.1, 0.5, 1.0]).flatmap(questions))
@settings(max_examples=100, deadline=None)
def test_every_plan_has_one_place_and_every_neighbour_a_reason(
    question: tuple[ClientFacts, FamilyFacts, tuple[PlanFacts, ...]],
) -> None:
    client, family, plans = question

    result = order_plans(client, family, plans, on=ON)

    assert sorted(result.order) == sorted(plan.id for plan in plans)
    assert len(result.why) >= len(plans) - 1
    assert result.certain or result.missing or any("apart" in why or "ask" in why for why in result.why)
    medicaid = [plan.id for plan in plans if plan.type == PlanType.MEDICAID]
    if all(plan.type is not None for plan in plans):
        assert set(result.order[len(plans) - len(medicaid) :]) == set(medicaid)
