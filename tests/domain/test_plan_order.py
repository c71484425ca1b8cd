"""Which plan pays first: every rule of docs/plan-order.md, with the facts that decide it."""

from itertools import permutations
from typing import Any

import pytest

from insurance.domain.plan_order import ClientFacts, FamilyFacts, PlanFacts, order_plans
from tests.domain.asking import ask

ON = "2026-05-01"


def group(plan_id: str, holder: str = "self", **facts: Any) -> dict[str, Any]:
    """A plan through a large employer where the holder works, everything known."""
    return {
        "id": plan_id,
        "type": "group",
        "holder": holder,
        "holder_born": "1980-06-15",
        "holder_status": "active",
        "employer_size": 500,
        "multi_employer": False,
        "since": "2020-01-01",
        "coordinates": True,
        **facts,
    }


def without(plan: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in plan.items() if name not in names}


MEDICARE = {"id": "medicare", "type": "medicare", "holder": "self", "since": "2023-01-01"}
MEDICAID = {"id": "medicaid", "type": "medicaid", "holder": "self"}
TRICARE = {"id": "tricare", "type": "tricare", "holder": "spouse", "holder_status": "active"}
OLD = {"born": "1955-03-03", "medicare_because": "age"}
DISABLED = {"born": "1986-03-03", "medicare_because": "disability"}
TOGETHER = {"parents": "together"}
APART = {"parents": "apart", "decree": "none"}


def esrd(months: int | None, born: str = "1986-03-03") -> dict[str, Any]:
    return {"born": born, "medicare_because": "esrd", "esrd_months": months}


# rule of the law, client, family, plans, order, rule answered, certain
CASES: list[tuple[str, dict[str, Any], dict[str, Any], list[dict[str, Any]], list[str], str, bool]] = [
    # A0
    ("work injury first", {}, {}, [group("a"), {"id": "wc", "type": "workers_compensation"}], ["wc", "a"],
     "workers_compensation", True),
    ("auto first, even before Medicare", OLD, {}, [MEDICARE, {"id": "car", "type": "auto"}], ["car", "medicare"],
     "workers_compensation", True),
    ("work injury before Medicaid", {}, {}, [MEDICAID, {"id": "wc", "type": "workers_compensation"}],
     ["wc", "medicaid"], "workers_compensation", True),
    ("two liability insurers: for support", {}, {}, [{"id": "wc", "type": "workers_compensation"},
     {"id": "car", "type": "auto"}], ["wc", "car"], "undecided", False),
    # A1
    ("Medicaid last", {}, {}, [MEDICAID, group("a")], ["a", "medicaid"], "medicaid_last", True),
    ("Medicaid after an individual plan", {}, {}, [MEDICAID, group("a", type="individual")], ["a", "medicaid"],
     "medicaid_last", True),
    ("Medicaid after Medicare", OLD, {}, [MEDICAID, MEDICARE], ["medicare", "medicaid"], "medicaid_last", True),
    ("Medicaid after TRICARE", {}, {}, [MEDICAID, TRICARE], ["tricare", "medicaid"], "medicaid_last", True),
    ("Medicaid even after a plan that does not coordinate", {}, {}, [MEDICAID, group("a", coordinates=False)],
     ["a", "medicaid"], "medicaid_last", True),
    # A2
    ("TRICARE after a group plan", {}, {}, [TRICARE, group("a")], ["a", "tricare"], "tricare_after", True),
    ("TRICARE after Medicare (TRICARE for Life)", OLD, {}, [{**TRICARE, "holder": "self", "holder_status": "retired"},
     MEDICARE], ["medicare", "tricare"], "tricare_after", True),
    ("TRICARE after, before Medicaid", {}, {}, [MEDICAID, TRICARE, group("a")], ["a", "tricare", "medicaid"],
     "tricare_after", True),
    ("active duty: TRICARE is primary", {}, {}, [group("a", "spouse"), {**TRICARE, "holder": "self"}],
     ["tricare", "a"], "active_duty", True),
    ("retired from service: TRICARE after", {}, {}, [{**TRICARE, "holder": "self", "holder_status": "retired"},
     group("a", "spouse")], ["a", "tricare"], "tricare_after", True),
    ("whose TRICARE it is is not known", {}, {}, [without(TRICARE, "holder"), group("a")], ["a", "tricare"],
     "tricare_after", False),
    ("step-parent's plan before a child's TRICARE", {}, APART, [{**TRICARE, "holder": "father"},
     group("step", "stepfather")], ["step", "tricare"], "step_parent_before_tricare", True),
    # A3
    ("kidney failure, first month: group plan first", esrd(1), {}, [MEDICARE, group("a")], ["a", "medicare"],
     "medicare_esrd", True),
    ("kidney failure: month 30 is inside", esrd(30), {}, [MEDICARE, group("a")], ["a", "medicare"], "medicare_esrd",
     True),
    ("kidney failure: month 31 is not", esrd(31), {}, [group("a"), MEDICARE], ["medicare", "a"], "medicare_esrd", True),
    ("kidney failure: any employer size", esrd(5), {}, [MEDICARE, group("a", employer_size=3)], ["a", "medicare"],
     "medicare_esrd", True),
    ("kidney failure: retiree plan too", esrd(5), {"parents": None}, [MEDICARE, group("a", holder_status="retired")],
     ["a", "medicare"], "medicare_esrd", True),
    ("kidney failure: COBRA too", esrd(5), {}, [MEDICARE, group("a", holder_status="cobra")], ["a", "medicare"],
     "medicare_esrd", True),
    ("kidney failure runs its full period though age follows", {**esrd(20, born="1961-01-10"), }, {},
     [MEDICARE, group("a", holder_status="retired")], ["a", "medicare"], "medicare_esrd", True),
    ("kidney failure after 65 with a retiree plan: Medicare may have been first already", esrd(5, born="1950-01-10"),
     {}, [MEDICARE, group("a", holder_status="retired")], ["a", "medicare"], "medicare_esrd", False),
    ("kidney failure: an individual plan is no group plan", esrd(5), {}, [group("a", type="individual"), MEDICARE],
     ["medicare", "a"], "medicare_first", True),
    ("kidney failure: month not known", esrd(None), {}, [MEDICARE, group("a")], ["medicare", "a"], "medicare_esrd",
     False),
    # A4
    ("65, working, employer of 20", OLD, {}, [MEDICARE, group("a", employer_size=20)], ["a", "medicare"],
     "medicare_age", True),
    ("65, working, employer of 19", OLD, {}, [group("a", employer_size=19), MEDICARE], ["medicare", "a"],
     "medicare_age", True),
    ("65, employer of 8 in a plan of several employers", OLD, {}, [MEDICARE, group("a", employer_size=8,
     multi_employer=True)], ["a", "medicare"], "medicare_age", True),
    ("65, spouse works", OLD, {}, [MEDICARE, group("a", "spouse")], ["a", "medicare"], "medicare_age", True),
    ("65, through somebody who is neither", OLD, {}, [group("a", "other"), MEDICARE], ["medicare", "a"],
     "medicare_age", True),
    ("65, laid off", OLD, {}, [group("a", holder_status="laid_off"), MEDICARE], ["medicare", "a"], "medicare_age",
     True),
    ("65, employer's size not known", OLD, {}, [MEDICARE, without(group("a"), "employer_size")], ["medicare", "a"],
     "medicare_age", False),
    ("65, size not known but of several employers", OLD, {}, [MEDICARE, group("a", employer_size=None,
     multi_employer=True)], ["a", "medicare"], "medicare_age", True),
    ("65, small, other employers not known", OLD, {}, [MEDICARE, group("a", employer_size=8, multi_employer=None)],
     ["medicare", "a"], "medicare_age", False),
    ("65, whether the holder works is not known", OLD, {}, [MEDICARE, without(group("a"), "holder_status")],
     ["a", "medicare"], "medicare_age", False),
    # A5
    ("disabled, employer of 100", DISABLED, {}, [MEDICARE, group("a", employer_size=100)], ["a", "medicare"],
     "medicare_disability", True),
    ("disabled, employer of 99", DISABLED, {}, [group("a", employer_size=99), MEDICARE], ["medicare", "a"],
     "medicare_disability", True),
    ("disabled, a parent works", DISABLED, {}, [MEDICARE, group("a", "mother")], ["a", "medicare"],
     "medicare_disability", True),
    ("disabled, small but of several employers", DISABLED, {}, [MEDICARE, group("a", employer_size=30,
     multi_employer=True)], ["a", "medicare"], "medicare_disability", True),
    ("why Medicare is not known, and it matters", {}, {}, [MEDICARE, group("a", employer_size=50)], ["a", "medicare"],
     "medicare_age", False),
    ("why Medicare is not known, and it does not matter", {"esrd_months": 40}, {}, [MEDICARE,
     group("a", type="student")], ["medicare", "a"], "medicare_first", True),
    # A6
    ("65, retiree plan", OLD, {}, [group("a", holder_status="retired"), MEDICARE], ["medicare", "a"],
     "medicare_first", True),
    ("65, COBRA", OLD, {}, [group("a", holder_status="cobra"), MEDICARE], ["medicare", "a"], "medicare_first", True),
    ("disabled, spouse's retiree plan", DISABLED, {}, [group("a", "spouse", holder_status="retired"), MEDICARE],
     ["medicare", "a"], "medicare_first", True),
    ("65, individual plan", OLD, {}, [group("a", type="individual"), MEDICARE], ["medicare", "a"], "medicare_first",
     True),
    ("Medicare's rank overrides a plan's wording", OLD, {}, [group("a", holder_status="retired", coordinates=False),
     MEDICARE], ["medicare", "a"], "medicare_first", True),
    # B1
    ("a plan that does not coordinate", {}, {}, [group("a"), group("b", "spouse", coordinates=False)], ["b", "a"],
     "does_not_coordinate", True),
    ("a plan coordinates unless it says otherwise", {}, {}, [without(group("b", "spouse"), "coordinates"),
     without(group("a"), "coordinates")], ["a", "b"], "non_dependent", True),
    # B2
    ("own plan before the spouse's", {}, {}, [group("s", "spouse"), group("own")], ["own", "s"], "non_dependent", True),
    ("own COBRA before the spouse's active plan", {}, {}, [group("s", "spouse"), group("own", holder_status="cobra")],
     ["own", "s"], "non_dependent", True),
    ("own retiree plan before the spouse's active plan", {}, {}, [group("s", "spouse"),
     group("own", holder_status="retired")], ["own", "s"], "non_dependent", True),
    ("a student's own school plan before a parent's", {}, TOGETHER, [group("m", "mother"),
     {"id": "school", "type": "student", "holder": "self"}], ["school", "m"], "non_dependent", True),
    ("a school plan, most likely the student's own", {}, TOGETHER, [group("m", "mother"),
     {"id": "school", "type": "student"}], ["school", "m"], "non_dependent", False),
    ("reversed around Medicare", OLD, {}, [MEDICARE, group("own", holder_status="retired"), group("s", "spouse")],
     ["s", "medicare", "own"], "medicare_reversal", True),
    ("not reversed when Medicare comes after both", OLD, {}, [MEDICARE, group("s", "spouse"), group("own")],
     ["own", "s", "medicare"], "non_dependent", True),
    ("not reversed when Medicare comes before both", OLD, {}, [group("s", "spouse", holder_status="retired"),
     group("own", holder_status="retired"), MEDICARE], ["medicare", "own", "s"], "medicare_first", True),
    # B3
    ("earlier birthday in the year", {}, TOGETHER, [group("f", "father", holder_born="1979-10-03"),
     group("m", "mother", holder_born="1985-05-15")], ["m", "f"], "birthday", True),
    ("the year of birth does not count", {}, TOGETHER, [group("f", "father", holder_born="1960-10-03"),
     group("m", "mother", holder_born="1985-10-02")], ["m", "f"], "birthday", True),
    ("29 February is a birthday", {}, TOGETHER, [group("f", "father", holder_born="1980-03-01"),
     group("m", "mother", holder_born="1984-02-29")], ["m", "f"], "birthday", True),
    ("28 February comes before 29", {}, TOGETHER, [group("m", "mother", holder_born="1984-02-29"),
     group("f", "father", holder_born="1981-02-28")], ["f", "m"], "birthday", True),
    ("same birthday: longer coverage of the parent", {}, TOGETHER, [group("f", "father", since="2019-01-01"),
     group("m", "mother", since="2018-01-01")], ["m", "f"], "longer_coverage", True),
    ("birthday before the holder's work", {}, TOGETHER, [group("f", "father", holder_born="1980-10-03"),
     group("m", "mother", holder_born="1980-05-15", holder_status="cobra")], ["m", "f"], "birthday", True),
    ("a birthday is missing: as stated", {}, TOGETHER, [without(group("f", "father"), "holder_born"),
     group("m", "mother")], ["f", "m"], "birthday", False),
    ("one mother has one birthday", {}, TOGETHER, [group("f", "father", holder_born="1980-10-03"),
     group("m1", "mother", holder_born="1980-05-15", holder_status="retired"),
     without(group("m2", "mother"), "holder_born")], ["m2", "m1", "f"], "active_before_inactive", True),
    ("together or apart is not known", {}, {}, [group("f", "father", holder_born="1980-10-03"),
     group("m", "mother", holder_born="1980-05-15")], ["m", "f"], "birthday", False),
    ("guardians count as parents", {}, TOGETHER, [group("g1", "other", holder_born="1955-10-03"),
     group("g2", "other", holder_born="1958-05-15")], ["g2", "g1"], "birthday", True),
    # B4
    ("decree names the father", {}, {"parents": "apart", "decree": "father", "custodial_parent": "mother"},
     [group("m", "mother"), group("f", "father")], ["f", "m"], "decree", True),
    ("decree names a parent: custody need not be known", {}, {"parents": "apart", "decree": "mother"},
     [group("f", "father"), group("m", "mother")], ["m", "f"], "decree", True),
    ("the named parent has no plan, the spouse has", {}, {"parents": "apart", "decree": "mother",
     "custodial_parent": "father"}, [group("f", "father"), group("sf", "stepfather")], ["sf", "f"], "decree", True),
    ("after the named parent comes custody", {}, {"parents": "apart", "decree": "father",
     "custodial_parent": "mother"}, [group("sf", "stepfather"), group("m", "mother"), group("f", "father")],
     ["f", "m", "sf"], "decree", True),
    ("decree names both: birthday", {}, {"parents": "apart", "decree": "both", "custodial_parent": "mother"},
     [group("m", "mother", holder_born="1980-10-03"), group("f", "father", holder_born="1980-05-15")], ["f", "m"],
     "birthday", True),
    ("joint custody, no decree: birthday", {}, {**APART, "custodial_parent": "joint"},
     [group("m", "mother", holder_born="1980-10-03"), group("f", "father", holder_born="1980-05-15")], ["f", "m"],
     "birthday", True),
    ("custody: the custodial parent", {}, {**APART, "custodial_parent": "mother"},
     [group("f", "father", holder_born="1980-01-01"), group("m", "mother")], ["m", "f"], "custody", True),
    ("custody: then that parent's spouse", {}, {**APART, "custodial_parent": "mother"},
     [group("f", "father"), group("sf", "stepfather")], ["sf", "f"], "custody", True),
    ("custody: all four in their places", {}, {**APART, "custodial_parent": "mother"},
     [group("sm", "stepmother"), group("f", "father"), group("sf", "stepfather"), group("m", "mother")],
     ["m", "sf", "f", "sm"], "custody", True),
    ("custody: the father's side", {}, {**APART, "custodial_parent": "father"},
     [group("sm", "stepmother"), group("m", "mother"), group("sf", "stepfather"), group("f", "father")],
     ["f", "sm", "m", "sf"], "custody", True),
    ("no decree is known: custody, but ask", {}, {"parents": "apart", "decree": None, "custodial_parent": "mother"},
     [group("f", "father"), group("m", "mother")], ["m", "f"], "custody", False),
    ("custody is not known: as stated", {}, APART, [group("f", "father"), group("m", "mother")], ["f", "m"],
     "custody", False),
    # B5
    ("a child's spouse's plan: longer coverage", {}, TOGETHER, [group("m", "mother", since="2019-01-01"),
     group("s", "spouse", since="2018-01-01")], ["s", "m"], "longer_coverage", True),
    ("a child's spouse's plan, same day: birthday", {}, TOGETHER, [group("m", "mother", holder_born="1970-10-03"),
     group("s", "spouse", holder_born="2001-05-15")], ["s", "m"], "birthday", True),
    ("a child's spouse's plan and both parents': longest first, whoever's birthday it is", {}, TOGETHER,
     [group("m", "mother", holder_born="1970-01-01", since="2020-01-01"), group("f", "father", since="2015-01-01"),
      group("s", "spouse", since="2018-01-01")], ["f", "s", "m"], "longer_coverage", True),
    # B6, B7, B8, B9
    ("active before retired", {}, {}, [group("a", holder_status="retired"), group("b")], ["b", "a"],
     "active_before_inactive", True),
    ("active before laid off", {}, {}, [group("a", holder_status="laid_off"), group("b")], ["b", "a"],
     "active_before_inactive", True),
    ("dependent of active before dependent of retired", {}, {}, [group("a", "spouse", holder_status="retired"),
     group("b", "spouse")], ["b", "a"], "active_before_inactive", True),
    ("active before COBRA", {}, {}, [group("a", holder_status="cobra"), group("b")], ["b", "a"],
     "ordinary_before_continuation", True),
    ("retired before COBRA", {}, {}, [group("a", holder_status="cobra"), group("b", holder_status="retired")],
     ["b", "a"], "ordinary_before_continuation", True),
    ("longer coverage", {}, {}, [group("a", since="2021-01-01"), group("b", since="2020-12-31")], ["b", "a"],
     "longer_coverage", True),
    ("since when is not known: as stated", {}, {}, [without(group("a"), "since"), group("b")], ["a", "b"],
     "longer_coverage", False),
    ("a full tie: as stated", {}, {}, [group("b"), group("a")], ["b", "a"], "undecided", False),
    ("a tie in the last places", {}, {}, [group("s1", "spouse"), group("s2", "spouse"), group("own")],
     ["own", "s1", "s2"], "non_dependent", False),
    # Individual plans, one plan, nothing known
    ("individual plans: sources disagree", {}, {}, [group("i", type="individual", since="2018-01-01"), group("a")],
     ["i", "a"], "longer_coverage", False),
    ("individual plan of one's own before the spouse's, but sources disagree", {}, {}, [group("s", "spouse"),
     group("i", type="individual")], ["i", "s"], "non_dependent", False),
    ("one plan", {}, {}, [group("a")], ["a"], "undecided", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("law", "client", "family", "plans", "order", "rule", "certain"), CASES, ids=[case[0] for case in CASES]
)
def test_order(
    law: str,
    client: dict[str, Any],
    family: dict[str, Any],
    plans: list[dict[str, Any]],
    order: list[str],
    rule: str,
    certain: bool,
) -> None:
    answer = ask({"kind": "order", "on": ON, "client": client, "family": family, "plans": plans})

    assert answer["order"] == order
    assert answer["rule"] == rule
    assert answer["certain"] is certain
    assert all(answer["why"])


CERTAIN = [case for case in CASES if case[6]]


@pytest.mark.parametrize(("client", "family", "plans"), [case[1:4] for case in CERTAIN], ids=[c[0] for c in CERTAIN])
def test_a_certain_order_does_not_depend_on_the_order_stated(
    client: dict[str, Any], family: dict[str, Any], plans: list[dict[str, Any]]
) -> None:
    question = {"kind": "order", "on": ON, "client": client, "family": family}
    answers = [ask({**question, "plans": list(shuffled)}) for shuffled in permutations(plans)]

    assert all(answer["order"] == answers[0]["order"] for answer in answers)
    assert all(answer["rule"] == answers[0]["rule"] and answer["certain"] for answer in answers)


def test_reasons_name_the_facts_that_decided() -> None:
    plans = [group("f", "father", holder_born="1979-10-03"), group("m", "mother", holder_born="1985-05-15")]

    answer = ask({"kind": "order", "on": ON, "family": TOGETHER, "plans": plans})

    assert answer["why"] == [
        "“m” pays before “f”: its holder's birthday, May 15, comes earlier in the year than October 3"
    ]


def test_a_missing_fact_is_asked_for_and_never_made_up() -> None:
    plans = [group("f", "father"), without(group("m", "mother"), "holder_born")]

    answer = ask({"kind": "order", "on": ON, "family": TOGETHER, "plans": plans})

    assert answer["why"] == [
        "“f” stays before “m” for now: a fact that decides this is missing",
        "Not known: the birthday of the holder (mother)",
    ]


def test_what_is_missing_is_named_for_programs_too() -> None:
    result = order_plans(ClientFacts(), FamilyFacts(), (PlanFacts("a"), PlanFacts("b", name="Acme Health")))

    assert not result.certain
    assert ("plan b", "type") in result.missing
    assert "Not known: what kind of plan “Acme Health” is" in result.why


def test_many_plans_of_which_nothing_is_known_are_answered_quickly() -> None:
    plans = tuple(PlanFacts(f"p{place}") for place in range(8))

    result = order_plans(ClientFacts(), FamilyFacts(), plans)

    assert result.order == tuple(plan.id for plan in plans)
    assert not result.certain


@pytest.mark.parametrize("plans", [(), (PlanFacts("a"), PlanFacts("a"))])
def test_no_plan_or_two_of_one_id_are_refused(plans: tuple[PlanFacts, ...]) -> None:
    with pytest.raises(ValueError, match="at least one plan"):
        order_plans(ClientFacts(), FamilyFacts(), plans)
