"""A small simulated year: every final cost is the insurer's, every plan told wrongly is found, and it is repeatable."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from headway.simulate import house, plans, report, several
from headway.simulate.coordination import Coordination
from headway.simulate.draw import FIRST_DAY, Case, population
from headway.simulate.figure import draw as draw_figure
from headway.simulate.findings import BEFORE_AN_ERROR, Findings, Held, WrongPlan
from headway.simulate.findings import detected as detected_in
from headway.simulate.run import live
from headway.simulate.several import Kind
from headway.simulate.their_books import Entry, Told
from insurance.domain import plan_order as rules


@pytest.fixture(scope="module")
def world() -> Iterator[None]:
    """The stand-ins alone; the year does the worker's work itself."""
    with house.own_world():
        yield


def lived(processes: int = 1, **options: int) -> dict[str, Any]:
    """The report of a year played in this test's database."""
    told: list[str] = []
    found = live(population(**options), tell=told.append, processes=processes)
    assert told[-1].split(":")[1].strip().startswith(f"{len(found.held)} sessions held")
    return report.as_data(found, **options)


@pytest.mark.django_db(transaction=True)
def test_a_small_year_ends_as_the_insurers_books_say(world: None) -> None:
    """Six clients for eight weeks, half of their plans told wrongly, each in another way."""
    data = lived(seed=7, clients=6, weeks=8, wrong=50, several=0)
    assert [each for each in data["expectations"] if not each["met"]] == []
    assert data["differences"] == []
    assert len(data["wrong_plans"]) == len({each["way"] for each in data["wrong_plans"]}) == 3
    assert all(each["detected_after"] <= each["answered"] for each in data["wrong_plans"])
    before = data["accuracy"]["told wrongly, before the first correction"]["charged"]
    after = data["accuracy"]["told wrongly, after it"]["charged"]
    assert before["within_a_dollar"] < after["within_a_dollar"]


@pytest.mark.django_db(transaction=True)
def test_clients_with_several_plans_end_as_the_insurers_books_say(world: None) -> None:
    """Six clients of two and three plans for five weeks: orders stated wrongly are found in every way, and
    claims under way are taken back."""
    people = population(6, clients=6, weeks=5, wrong=0, several=100)
    found = {case.found for case in people.cases if case.found}
    assert found == set(several.FOUND)
    assert {len(case.plans) for case in people.cases} == {2, 3}
    data = lived(seed=6, clients=6, weeks=5, wrong=0, several=100)
    assert [each for each in data["expectations"] if not each["met"]] == []
    assert set(data["orders"]) - {"stated rightly"} == found
    assert data["counts"]["claims taken back"] > 0
    assert data["counts"]["claims"] > 2 * data["counts"]["sessions held"]


@pytest.mark.django_db(transaction=True)
def test_the_same_numbers_give_the_same_report_however_many_processes_play(world: None) -> None:
    once = json.dumps(lived(seed=11, clients=3, weeks=3, wrong=34, several=34))
    call_command("flush", interactive=False, verbosity=0)
    assert json.dumps(lived(processes=2, seed=11, clients=3, weeks=3, wrong=34, several=34)) == once


@dataclass
class Compared:
    """As much of a comparison as detection looks at."""

    kind: str
    state: str
    created_at: datetime


@dataclass
class Corrected:
    created_at: datetime


def after(*days: int) -> list[datetime]:
    return [datetime.combine(FIRST_DAY + timedelta(days=day), time(22), tzinfo=UTC) for day in days]


@pytest.mark.parametrize(("kinds", "corrected_on", "detected", "by", "applied"), [
    ("match match", None, None, "", None),
    ("match wrong_copay match", None, 2, "wrong_copay", None),
    ("match wrong_copay match", 14, 2, "wrong_copay", 2),
    ("wrong_copay match match", 21, 1, "wrong_copay", 3),
    ("match match match", 14, 2, BEFORE_AN_ERROR, 2),
    ("match match accumulator_drift", 7, 1, BEFORE_AN_ERROR, 1),
    ("match match", 1, 0, BEFORE_AN_ERROR, 0),
])  # fmt: skip
def test_detection_is_counted_in_answered_sessions(
    kinds: str, corrected_on: int | None, detected: int | None, by: str, applied: int | None
) -> None:
    """Answers come on days 7, 14 and 21."""
    case = population(1, clients=1, weeks=4, wrong=100).cases[0]
    compared: Any = [
        Compared(kind, "closed", moment) for kind, moment in zip(kinds.split(), after(7, 14, 21), strict=False)
    ]
    corrected: Any = [] if corrected_on is None else [Corrected(*after(corrected_on))]
    found = detected_in(case, case.plans[0], compared, corrected)
    assert (found.detected_after, found.detected_by, found.applied_after) == (detected, by, applied)


# What is drawn


def test_a_tenth_of_the_plans_is_told_wrongly_in_every_known_way() -> None:
    cases = population(2026, clients=200, weeks=52).cases
    wrong = [case.plans[0].wrong for case in cases if case.plans[0].wrong]
    assert (len(cases), len(wrong), set(wrong)) == (200, 20, set(plans.WRONG))
    assert all(case.plans[0].record.get("reported") for case in cases if case.plans[0].wrong)
    silent = [case.plans[0].record.get("reported") for case in cases if not case.plans[0].wrong]
    assert all(each in (None, {"cob": several.SILENT}) for each in silent), "of the order at most they say nothing"
    assert {len(case.visits) for case in cases} == {52}


def test_the_draw_holds_every_design_and_years_that_are_not_the_calendars() -> None:
    cases = population(2026, clients=200, weeks=52).cases
    drawn = [case.plans[0] for case in cases if not case.plans[0].wrong]
    assert {plan.design for plan in drawn} >= {
        "copay, no deductible", "copay before deductible", "copay after deductible", "coinsurance", "low maximum",
        "family, embedded", "family, aggregate", "telehealth apart", "visit limit", "nominal copay",
    }  # fmt: skip
    begins = [date.fromisoformat(plan.record["plan"]["begins"]) for plan in drawn]
    assert 0.2 < sum((day.month, day.day) != (1, 1) for day in begins) / len(begins) < 0.5
    assert any(plan.elsewhere for plan in drawn)
    assert any(case.household != case.number for case in cases)


def test_a_quarter_has_several_plans_of_every_kind_found_in_every_way() -> None:
    cases = population(2026, clients=200, weeks=52).cases
    more = [case for case in cases if len(case.plans) > 1]
    assert len(more) == 50
    assert {case.rule for case in more} == {kind.rule for kind in several.KINDS}
    assert {case.found for case in more} == {"", *several.FOUND}
    assert not any(case.plans[0].wrong for case in more)
    assert {len({plan.payer_id for plan in case.plans}) for case in more} == {2, 3}, "each of another insurer"
    assert all((case.stated == sorted(case.stated)) is (not case.found) for case in more)
    assert any(not plan.billed for case in more for plan in case.plans)
    assert all(case.plans[0].billed for case in more)


def test_some_insurers_stop_until_they_are_called() -> None:
    cases = population(2026, clients=200, weeks=52).cases
    lapses = [(case, case.lapse) for case in cases if case.lapse is not None]
    assert 15 <= len(lapses) <= 40
    assert {lapse.told for _case, lapse in lapses} == {True, False}
    assert all(case.plans[lapse.plan].billed and not case.plans[0].wrong for case, lapse in lapses)
    assert any(lapse.plan > 0 for _case, lapse in lapses)


@pytest.mark.parametrize("kind", several.KINDS, ids=lambda kind: kind.rule)
def test_the_true_order_is_the_one_that_the_rules_find_when_all_is_told(kind: Kind) -> None:
    """What the insurers' books are drawn with and what the product works out are two things: here they must agree."""
    case = next(
        case
        for seed in range(200)
        for case in population(seed, clients=3, weeks=4, wrong=0, several=100).cases
        if case.rule == kind.rule
    )
    plans_told = [
        rules.PlanFacts(
            id=plan.key, type=rules.PlanType(plan.facts.get("plan_type", "group")), holder=rules.Holder(plan.holder),
            holder_born=plan.holder_born or case.person.born, employer_size=120, coordinates=True,
            holder_status=rules.HolderStatus(plan.truth["holder_status"]) if plan.truth["holder_status"] else None,
            since=plan.truth["since"],
        )
        for plan in reversed(case.plans)
    ]  # fmt: skip
    client = rules.ClientFacts(
        born=case.person.born, medicare_because=rules.MedicareReason.AGE if "medicare_because" in case.facts else None
    )
    family = rules.FamilyFacts(parents=rules.Parents.TOGETHER if "parents" in case.facts else None)
    computed = rules.order_plans(client, family, plans_told, on=FIRST_DAY)
    assert computed.certain
    assert list(computed.order) == [plan.key for plan in case.plans]


def test_the_same_numbers_draw_the_same_people() -> None:
    assert population(5, clients=30, weeks=8) == population(5, clients=30, weeks=8)
    assert population(5, clients=30, weeks=8) != population(6, clients=30, weeks=8)


@pytest.mark.parametrize("way", plans.WRONG)
def test_every_way_of_being_wrong_says_something_else_than_the_record(way: str) -> None:
    """Or is stale: then care that the answer does not know of comes in the year."""
    (case,) = [
        case
        for seed in range(40)
        for case in population(seed, clients=1, weeks=12, wrong=100).cases
        if case.plans[0].wrong == way
    ][:1]
    plan = case.plans[0]
    reported = plan.record["reported"]
    said = reported.get("plan", {})
    told_otherwise = any(plan.record["plan"].get(key) != value for key, value in said.items() if key != "active")
    used = reported.get("used")
    other_used = used is not None and used["deductible"] != plan.used.get("deductible", "0.00")
    assert told_otherwise or other_used or said.get("active") is False or "stale" in reported


# What the insurers' books say of one session, without a look at our rows


@pytest.fixture(scope="module")
def three_plans() -> Case:
    people = population(2026, clients=200, weeks=4, wrong=0)
    return next(case for case in people.cases if len(case.plans) == 3 and all(plan.billed for plan in case.plans))


def told(case: Case, *entries: Entry) -> Told:
    return Told(case, FIRST_DAY, list(entries))


def entry(plan: int, *, received: int, decided: int | None, client: str, paid: str = "50.00", **more: Any) -> Entry:
    """Received and decided on days of the year's first month."""
    known = {
        "plan": plan, "state": "waiting" if decided is None else "decided", "received_at": f"2030-03-{received:02}",
        "decided_at": "" if decided is None else f"2030-03-{decided:02}", "paid": Decimal(paid),
        "client": Decimal(client), "codes": frozenset({"45", "2"}),
    }  # fmt: skip
    return Entry(**{**known, **more})


FIRST = entry(0, received=1, decided=6, client="40.00")
REFUSED = entry(1, received=1, decided=6, client="0.00", paid="0.00", codes=frozenset({"22"}))
WITHDRAWN = entry(1, received=1, decided=None, client="0.00", paid="0.00", state="withdrawn")


def test_the_last_plan_to_decide_leaves_the_final_cost(three_plans: Case) -> None:
    second, third = entry(1, received=7, decided=12, client="25.00"), entry(2, received=13, decided=20, client="3.00")
    assert told(three_plans).final is None
    assert told(three_plans, FIRST).final == Decimal("40.00")
    assert told(three_plans, FIRST, second).final == Decimal("25.00")
    whole = told(three_plans, REFUSED, WITHDRAWN, FIRST, second, third)
    assert (whole.first, whole.final) == (Decimal("40.00"), Decimal("3.00"))
    assert (whole.faults(), whole.not_asked()) == ([], [])
    assert whole.sent_in_wrong_order()


def test_a_plan_that_does_not_pay_leaves_what_was_left(three_plans: Case) -> None:
    """PR 27 on the whole charge, or CO B7: the contracts before bound what the client owes."""
    ended = entry(1, received=7, decided=12, client="220.00", paid="0.00", codes=frozenset({"27"}))
    refused = entry(1, received=7, decided=12, client="0.00", paid="0.00", codes=frozenset({"B7"}))
    assert told(three_plans, FIRST, ended).final == told(three_plans, FIRST, refused).final == Decimal("40.00")
    not_covered = entry(0, received=1, decided=6, client="220.00", paid="0.00", codes=frozenset({"204"}))
    assert told(three_plans, not_covered, entry(1, received=7, decided=9, client="30.00")).final == Decimal("30.00")


def test_a_later_plan_asked_too_early_twice_or_not_at_all_is_a_fault(three_plans: Case) -> None:
    payers = [plan.payer_id for plan in three_plans.plans]
    early, late = entry(1, received=5, decided=12, client="25.00"), entry(1, received=7, decided=13, client="25.00")
    assert told(three_plans, FIRST, early).faults() == [f"{payers[1]} got it before {payers[0]} had decided"]
    assert told(three_plans, early).faults() == [f"{payers[1]} got it before {payers[0]} had decided"]
    assert told(three_plans, FIRST, late, late).faults() == [f"{payers[1]} decided it 2 times"]
    assert [plan.payer_id for plan in told(three_plans, FIRST).not_asked()] == payers[1:]
    assert [plan.payer_id for plan in told(three_plans, FIRST, late).not_asked()] == payers[2:]
    nothing_left = entry(0, received=1, decided=6, client="0.00")
    assert told(three_plans, nothing_left).not_asked() == []


# What is expected of a year


def held(**changes: Any) -> Held:
    known: dict[str, Any] = {
        "case": 1, "on": FIRST_DAY, "charged": Decimal("40.00"), "held": Decimal("25.00"), "final": Decimal("25.00"),
        "theirs": Decimal("25.00"), "first": Decimal("25.00"), "told_wrong": True, "corrected": False,
    }  # fmt: skip
    return Held(**{**known, **changes})


def unmet(found: Findings) -> list[str]:
    return [each.name for each in report.expectations(found) if not each.met]


@pytest.mark.parametrize(("found", "name"), [
    (Findings(), "every final cost is what the insurer's books say"),
    (Findings(held=[held(theirs=Decimal("25.01"))]), "every final cost is what the insurer's books say"),
    (Findings(held=[held(final=None)]), "every final cost is what the insurer's books say"),
    (Findings(held=[held()], wrong=[WrongPlan(1, "way", answered=9)]), "every wrong plan is detected"),
    (Findings(held=[held()], wrong=[WrongPlan(1, "way", answered=9, detected_after=2)]),
     "every detected plan is corrected"),
    (Findings(held=[held()], unexplained=["client 2"]), "no plan told rightly is corrected without cause"),
    (Findings(held=[held()], coordination=Coordination(not_asked=["client 3"])),
     "every plan that can be billed was asked while something was left"),
    (Findings(held=[held()], coordination=Coordination(out_of_sequence=["client 3"])),
     "no claim came to an insurer out of sequence"),
    (Findings(held=[held()], coordination=Coordination(orders_wrong=["client 3"])),
     "every order of plans is the true one in the end"),
    (Findings(held=[held()], coordination=Coordination(confirmed_in_a_pause=["client 3"])),
     "no session was confirmed in a pause"),
    (Findings(held=[held()], coordination=Coordination(pauses_without_cause=["client 3"])), "every pause had a cause"),
    (Findings(held=[held()], coordination=Coordination(unnoticed=["client 3"])),
     "every insurer that stopped paying was noticed"),
    (Findings(held=[held()], coordination=Coordination(still_paused=["client 3"])), "every pause has ended"),
    (Findings(held=[held()], coordination=Coordination(unfinished=["client 3"])),
     "no session or claim is left unfinished"),
    (Findings(held=[held()], books_broken=["entries_balance: 1"]), "the books balance"),
    (Findings(held=[held()], troubles=["sweep_step_failed"]), "nothing failed on the way"),
])  # fmt: skip
def test_what_is_not_as_it_must_be_is_told(found: Findings, name: str) -> None:
    assert unmet(found) == [name]
    assert unmet(Findings(held=[held()])) == []


def test_accuracy_is_counted_within_a_dollar_and_money_after_the_charge() -> None:
    sessions = [held(), held(charged=Decimal("26.00")), held(charged=Decimal("10.00")), held(charged=Decimal("26.01"))]
    data = report.as_data(Findings(held=sessions), seed=1, clients=1, weeks=4, wrong=10, several=0)
    assert data["accuracy"]["all"]["charged"] == {
        "sessions": 4, "within_a_dollar": 0.25, "mean_error": "8.00", "median_error": "8.01",
    }  # fmt: skip
    assert data["accuracy"]["all"]["held"]["within_a_dollar"] == 1.0
    assert data["money"] == {"given_back": "17.01", "asked_for": "15.00"}
    assert "Given back after the charge $17.01, asked for $15.00." in list(report.as_text(data))


def test_the_figure_can_be_read_without_seeing_it() -> None:
    sessions = [held(), held(on=date(2030, 4, 2), told_wrong=False), held(on=date(2031, 1, 6), charged=Decimal(25))]
    data = report.as_data(Findings(held=sessions), seed=1, clients=1, weeks=4, wrong=10, several=0)
    root = ET.fromstring(draw_figure(data))
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert "by month" in (root.findtext(f"{space}title") or "")
    described = root.findtext(f"{space}desc") or ""
    assert "Plans told wrongly, price charged: 2030-03 0%, 2030-04 none, 2031-01 100%" in described
    assert [each.text for each in root.iter(f"{space}text")][-6:-3] == ["Mar 2030", "Apr", "Jan 2031"]


# The command


@pytest.mark.parametrize(("options", "message"), [
    ({"clients": 0}, "--clients is from 1 to 600"),
    ({"weeks": 105}, "--weeks from 1 to 104"),
    ({"processes": 0}, "--processes from 1 to 16"),
    ({"wrong": 101}, "--wrong is from 0 to 100"),
    ({"several": -1}, "--several is from 0 to 100"),
    ({"figure": Path("/nowhere/figure.svg")}, "there is no folder /nowhere"),
])  # fmt: skip
def test_options_that_cannot_be_are_refused_in_one_sentence(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("simulate_year", stdout=StringIO(), **options)


def test_it_is_never_played_where_health_data_is_real(settings: Settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="for one's own machine with stand-ins only"):
        call_command("simulate_year", stdout=StringIO())


def databases() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{house.PREFIX}%"])
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def no_tables(
    monkeypatch: pytest.MonkeyPatch, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Making the tables takes its time, and is not what these tests are about."""
    monkeypatch.setattr(house, "call_command", lambda *_, **__: None)
    with django_db_blocker.unblock():
        yield


def test_the_year_has_a_database_of_its_own_and_leaves_none_behind(no_tables: None) -> None:
    mine, shared = house.database_name(kept=False, seed=1), connection.settings_dict["NAME"]
    with suppress(KeyboardInterrupt), house.own_database(mine):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            assert cursor.fetchone() == (mine,)
        raise KeyboardInterrupt
    assert connection.settings_dict["NAME"] == shared
    assert mine not in databases()


def test_what_a_killed_run_left_is_dropped_by_the_next(no_tables: None) -> None:
    left, mine = f"{house.PREFIX}_run_999999999", house.database_name(kept=False, seed=1)
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{left}"')
    with house.own_database(mine):
        assert left not in databases()


def test_a_kept_database_stays(no_tables: None) -> None:
    kept = house.database_name(kept=True, seed=3)
    try:
        with house.own_database(kept, keep=True):
            pass
        with house.own_database(house.database_name(kept=False, seed=3)):
            assert kept in databases()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{kept}"')
