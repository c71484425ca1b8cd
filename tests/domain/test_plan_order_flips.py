"""The order turns round when the fact that decides it does, and questions lead to an answer."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from insurance.domain.plan_facts import CLIENT, FAMILY, Facts, Key
from insurance.domain.plan_missing import missing
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
    order_in,
    order_plans,
    possibilities_of,
    situation_of,
)
from insurance.domain.plan_order_rules import rank
from insurance.domain.plan_questions import Learned, Question
from tests.domain.test_plan_order_properties import ON, any_day, questions

EXAMPLES = 400
days = st.dates(date(1930, 1, 1), date(2026, 1, 1))
ordinary = st.builds(
    PlanFacts,
    id=st.just(""),
    type=st.just(PlanType.GROUP),
    holder=st.just(Holder.SELF),
    holder_born=days,
    holder_status=st.sampled_from(HolderStatus),
    employer_size=st.integers(1, 5000),
    multi_employer=st.booleans(),
    since=days,
    coordinates=st.just(True),
)
MEDICARE = PlanFacts("medicare", type=PlanType.MEDICARE, holder=Holder.SELF)


def two(first: PlanFacts, second: PlanFacts, **both: Any) -> tuple[PlanFacts, PlanFacts]:
    return replace(first, id="a", **both), replace(second, id="b", **both)


def order(
    *plans: PlanFacts, client: ClientFacts | None = None, family: FamilyFacts | None = None
) -> tuple[tuple[str, ...], str]:
    found = order_plans(client or ClientFacts(), family or FamilyFacts(), plans, on=ON)
    return found.order, found.rule


def flipped(ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(reversed(ids))


@given(ordinary, ordinary)
@settings(max_examples=EXAMPLES, deadline=None)
def test_birthdays_exchanged_turn_a_child_s_plans_round(one: PlanFacts, other: PlanFacts) -> None:
    assert one.holder_born is not None and other.holder_born is not None
    assume((one.holder_born.month, one.holder_born.day) != (other.holder_born.month, other.holder_born.day))
    together = FamilyFacts(parents=Parents.TOGETHER)
    a, b = two(one, other)
    a, b = replace(a, holder=Holder.MOTHER), replace(b, holder=Holder.FATHER)
    before, rule = order(a, b, family=together)
    assert rule == "birthday"
    after, _rule = order(replace(a, holder_born=b.holder_born), replace(b, holder_born=a.holder_born), family=together)
    assert after == flipped(before)


@given(ordinary, ordinary)
@settings(max_examples=EXAMPLES, deadline=None)
def test_years_of_coverage_exchanged_turn_the_longer_round(one: PlanFacts, other: PlanFacts) -> None:
    assume(one.since != other.since)
    a, b = two(one, other, holder_status=HolderStatus.ACTIVE)
    before, rule = order(a, b)
    assert rule == "longer_coverage"
    assert order(replace(a, since=b.since), replace(b, since=a.since))[0] == flipped(before)


@given(ordinary, ordinary, st.sampled_from([Holder.SELF, Holder.SPOUSE]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_jobs_exchanged_turn_present_and_past_work_round(one: PlanFacts, other: PlanFacts, holder: Holder) -> None:
    rank = {HolderStatus.ACTIVE: 0, HolderStatus.LAID_OFF: 1, HolderStatus.RETIRED: 1, HolderStatus.COBRA: 2}
    assert one.holder_status is not None and other.holder_status is not None
    assume(rank[one.holder_status] != rank[other.holder_status])
    a, b = two(one, other, holder=holder)
    before, rule = order(a, b)
    assert rule in ("active_before_inactive", "ordinary_before_continuation")
    after, _rule = order(replace(a, holder_status=b.holder_status), replace(b, holder_status=a.holder_status))
    assert after == flipped(before)


@given(ordinary, ordinary)
@settings(max_examples=EXAMPLES, deadline=None)
def test_holders_exchanged_turn_own_and_spouse_s_round(one: PlanFacts, other: PlanFacts) -> None:
    a, b = two(one, other)
    spouses = replace(b, holder=Holder.SPOUSE)
    assert order(a, spouses) == (("a", "b"), "non_dependent")
    assert order(replace(a, holder=Holder.SPOUSE), b) == (("b", "a"), "non_dependent")


@given(ordinary, ordinary, st.sampled_from([Decree.MOTHER, Decree.FATHER]), st.sampled_from(Custody))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_decree_for_the_other_parent_turns_the_order_round(
    one: PlanFacts, other: PlanFacts, named: Decree, custody: Custody
) -> None:
    a, b = two(one, other)
    a, b = replace(a, holder=Holder.MOTHER), replace(b, holder=Holder.FATHER)
    other_one = Decree.FATHER if named == Decree.MOTHER else Decree.MOTHER
    family = FamilyFacts(parents=Parents.APART, decree=named, custodial_parent=custody)
    before, rule = order(a, b, family=family)
    assert rule == "decree"
    assert order(a, b, family=replace(family, decree=other_one))[0] == flipped(before)


@given(ordinary, st.integers(0, 120), st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
def test_medicare_by_kidney_failure_turns_once_after_month_thirty(
    plan: PlanFacts, month: int, medicare_first: bool
) -> None:
    client = ClientFacts(born=date(1990, 1, 1), medicare_because=MedicareReason.ESRD, esrd_months=month)
    plans = [MEDICARE, replace(plan, id="group")] if medicare_first else [replace(plan, id="group"), MEDICARE]
    first = order(*plans, client=client)[0][0]
    assert first == ("group" if month <= 30 else "medicare")


@given(
    ordinary,
    st.sampled_from([(MedicareReason.AGE, 20), (MedicareReason.DISABILITY, 100)]),
    st.integers(1, 300),
    st.booleans(),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_medicare_turns_at_the_employer_s_size(
    plan: PlanFacts, reason: tuple[MedicareReason, int], size: int, working: bool
) -> None:
    because, least = reason
    status = HolderStatus.ACTIVE if working else HolderStatus.RETIRED
    group = replace(plan, id="group", holder_status=status, employer_size=size, multi_employer=False)
    client = ClientFacts(born=date(1950, 1, 1), medicare_because=because)
    first = order(MEDICARE, group, client=client)[0][0]
    assert first == ("group" if working and size >= least else "medicare")


@given(questions(0.0), st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES, deadline=None)
def test_medicaid_added_anywhere_comes_last_and_moves_nobody(
    question: tuple[ClientFacts, FamilyFacts, tuple[PlanFacts, ...]], random: Any
) -> None:
    client, family, plans = question
    assume(all(plan.type != PlanType.MEDICAID for plan in plans))
    more = [*plans]
    more.insert(random.randrange(len(more) + 1), PlanFacts("caid", type=PlanType.MEDICAID, holder=Holder.SELF))
    before = order_plans(client, family, plans, on=ON)
    after = order_plans(client, family, more, on=ON)
    assert after.order == (*before.order, "caid")


@given(ordinary, ordinary)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_plan_that_does_not_coordinate_goes_first_and_the_order_turns_with_it(
    one: PlanFacts, other: PlanFacts
) -> None:
    a, b = two(one, other)
    b = replace(b, holder=Holder.SPOUSE)
    assert order(replace(a, coordinates=False), b) == (("a", "b"), "does_not_coordinate")
    assert order(a, replace(b, coordinates=False)) == (("b", "a"), "does_not_coordinate")


@given(ordinary, ordinary)
@settings(max_examples=EXAMPLES, deadline=None)
def test_custody_of_the_other_parent_turns_the_order_round(one: PlanFacts, other: PlanFacts) -> None:
    a, b = two(one, other)
    a, b = replace(a, holder=Holder.MOTHER), replace(b, holder=Holder.FATHER)
    family = FamilyFacts(parents=Parents.APART, decree=Decree.NONE, custodial_parent=Custody.MOTHER)
    assert order(a, b, family=family) == (("a", "b"), "custody")
    assert order(a, b, family=replace(family, custodial_parent=Custody.FATHER)) == (("b", "a"), "custody")


@given(ordinary, ordinary)
@settings(max_examples=EXAMPLES, deadline=None)
def test_years_of_coverage_exchanged_turn_an_own_spouse_s_and_a_parent_s_plan_round(
    one: PlanFacts, other: PlanFacts
) -> None:
    assume(one.since != other.since)
    a, b = two(one, other)
    a, b = replace(a, holder=Holder.SPOUSE), replace(b, holder=Holder.MOTHER)
    before, rule = order(a, b)
    assert rule == "longer_coverage"
    assert order(replace(a, since=b.since), replace(b, since=a.since))[0] == flipped(before)


@given(ordinary, ordinary)
@settings(max_examples=EXAMPLES, deadline=None)
def test_tricare_turns_when_the_client_leaves_active_duty(one: PlanFacts, other: PlanFacts) -> None:
    group = replace(one, id="group")
    service = replace(other, id="tricare", type=PlanType.TRICARE, holder_status=HolderStatus.ACTIVE)
    assert order(group, service) == (("tricare", "group"), "active_duty")
    assert order(group, replace(service, holder_status=HolderStatus.RETIRED)) == (("group", "tricare"), "tricare_after")


@given(ordinary, ordinary, st.sampled_from([Holder.STEPFATHER, Holder.STEPMOTHER, Holder.MOTHER, Holder.FATHER]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_child_s_tricare_comes_after_any_parent_s_plan_and_the_rule_names_step_parents(
    one: PlanFacts, other: PlanFacts, holder: Holder
) -> None:
    parents = replace(one, id="parents", holder=holder)
    service = replace(other, id="tricare", type=PlanType.TRICARE, holder=Holder.FATHER)
    step = holder in (Holder.STEPFATHER, Holder.STEPMOTHER)
    rule = "step_parent_before_tricare" if step else "tricare_after"
    assert order(service, parents) == (("parents", "tricare"), rule)


@given(ordinary, ordinary, st.integers(1, 60))
@settings(max_examples=EXAMPLES, deadline=None)
def test_own_retiree_plan_and_spouse_s_turn_round_medicare_at_the_employer_s_size(
    one: PlanFacts, other: PlanFacts, size: int
) -> None:
    own = replace(one, id="own", holder_status=HolderStatus.RETIRED)
    spouses = replace(
        other,
        id="spouses",
        holder=Holder.SPOUSE,
        holder_status=HolderStatus.ACTIVE,
        employer_size=size,
        multi_employer=False,
    )
    client = ClientFacts(born=date(1950, 1, 1), medicare_because=MedicareReason.AGE)
    reversed_ = (("spouses", "medicare", "own"), "medicare_reversal")
    usual = (("medicare", "own", "spouses"), "medicare_first")
    assert order(own, spouses, MEDICARE, client=client) == (reversed_ if size >= 20 else usual)


@given(
    questions(0.0), st.sampled_from([PlanType.WORKERS_COMPENSATION, PlanType.AUTO]), st.randoms(use_true_random=False)
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_liability_insurer_added_anywhere_comes_first_and_moves_nobody(
    question: tuple[ClientFacts, FamilyFacts, tuple[PlanFacts, ...]], kind: PlanType, random: Any
) -> None:
    client, family, plans = question
    assume(all(plan.type not in (PlanType.WORKERS_COMPENSATION, PlanType.AUTO) for plan in plans))
    more = [*plans]
    more.insert(random.randrange(len(more) + 1), PlanFacts("injury", type=kind))
    before = order_plans(client, family, plans, on=ON)
    after = order_plans(client, family, more, on=ON)
    assert after.order == ("injury", *before.order)
    assert after.rule == "workers_compensation"


# --- Questions --------------------------------------------------------------------------------------------------------


def learn(
    client: ClientFacts, family: FamilyFacts, plans: Sequence[PlanFacts], learned: Learned
) -> tuple[ClientFacts, FamilyFacts, tuple[PlanFacts, ...]]:
    for (subject, fact), value in learned.items():
        change: dict[str, Any] = {fact: value}
        if (subject, fact) == (CLIENT, "esrd_since"):
            assert isinstance(value, date)
            months = (ON.year - value.year) * 12 + ON.month - value.month + 1
            client = replace(client, esrd_months=months)
        elif subject == CLIENT:
            client = replace(client, **change)
        elif subject == FAMILY:
            family = replace(family, **change)
        else:
            kind, _space, which = subject.partition(" ")
            plans = [
                replace(plan, **change) if (plan.id if kind == "plan" else str(plan.holder)) == which else plan
                for plan in plans
            ]
    return client, family, tuple(plans)


def known(client: ClientFacts, family: FamilyFacts, plans: Sequence[PlanFacts], key: Key) -> bool:
    subject, fact = key
    if subject == CLIENT:
        return getattr(client, "esrd_months" if fact == "esrd_since" else fact) is not None
    if subject == FAMILY:
        return getattr(family, fact) is not None
    kind, _space, which = subject.partition(" ")
    mine = [plan for plan in plans if (plan.id if kind == "plan" else str(plan.holder)) == which]
    if fact == "employer_size":
        return all(plan.employer_size is not None and plan.multi_employer is not None for plan in mine)
    return all(getattr(plan, fact) is not None for plan in mine)


def said(draw: Any, question: Question) -> Learned:
    if question.asks_for_a_day:
        return question.learned(draw(any_day))
    return question.learned(draw(st.sampled_from([answer.value for answer in question.answers])))


@given(st.data(), st.sampled_from([0.1, 0.2, 0.4]).flatmap(questions))
@settings(max_examples=250, deadline=None)
def test_only_what_is_missing_is_asked_and_answers_come_to_an_end(
    data: st.DataObject, question: tuple[ClientFacts, FamilyFacts, tuple[PlanFacts, ...]]
) -> None:
    client, family, plans = question
    plans = tuple(replace(plan, type=plan.type or PlanType.GROUP, holder=plan.holder or Holder.SELF) for plan in plans)
    for _round in range(40):
        asked = missing(client, family, plans, on=ON)
        if not asked:
            break
        for each in asked:
            assert not known(client, family, plans, each.key), each.name
        learned: Learned = {}
        for each in asked:
            learned |= said(data.draw, each)
        client, family, plans = learn(client, family, plans, learned)
    assert not missing(client, family, plans, on=ON)
    assert not order_plans(client, family, plans, on=ON).missing


@given(st.sampled_from([0.1, 0.3]).flatmap(questions))
@settings(max_examples=250, deadline=None)
def test_a_question_is_asked_exactly_when_something_missing_would_settle_the_order(
    question: tuple[ClientFacts, FamilyFacts, tuple[PlanFacts, ...]],
) -> None:
    client, family, plans = question
    plans = tuple(replace(plan, type=plan.type or PlanType.GROUP, holder=plan.holder or Holder.SELF) for plan in plans)
    found = order_plans(client, family, plans, on=ON)
    assert bool(missing(client, family, plans, on=ON)) == bool(found.missing)


# --- Work -------------------------------------------------------------------------------------------------------------


@given(st.sampled_from([0.2, 0.5, 1.0]).flatmap(questions))
@settings(max_examples=60, deadline=None)
def test_what_was_worked_out_once_holds_for_all_that_agree_on_what_was_read(
    question: tuple[ClientFacts, FamilyFacts, tuple[PlanFacts, ...]],
) -> None:
    situation = situation_of(*question, on=ON)
    order_in(situation)
    for one in islice(possibilities_of(situation, {}), 50):
        anew = Facts(*question, on=ON, assumed=one.assumed)
        assert rank(anew) == one.ranking
        assert anew.relied_on == set(one.assumed)


def test_with_nothing_known_of_five_plans_the_rules_are_gone_through_once_for_each_way_it_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ways: list[tuple[Any, ...]] = []

    def counted(facts: Facts) -> Any:
        ways.append(tuple(facts.assumed.items()))
        return rank(facts)

    monkeypatch.setattr("insurance.domain.plan_order.rank", counted)
    plans = [PlanFacts(f"p{place}") for place in range(5)]
    asked = missing(ClientFacts(), FamilyFacts(), plans, on=ON)
    assert len(asked) == 20
    assert len(ways) == len(set(ways)) < 1000
