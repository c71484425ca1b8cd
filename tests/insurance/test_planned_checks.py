"""Which plans we ask about by ourselves: before sessions, every month, with a plan year; and whom we leave alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from care.models import Session
from common import clock
from insurance.models import AccountPause, BenefitSnapshot, Coverage, EligibilityCheck
from insurance.services import coverages, planned_checks
from people.models import Client
from tests.cast import Cast, assemble, benefits, client

TODAY = date(2026, 5, 12)
"""A Tuesday."""


@contextmanager
def on(day: date, hour: int = 9) -> Iterator[None]:
    with clock.as_of(datetime(day.year, day.month, day.day, hour, tzinfo=clock.BUSINESS_ZONE)):
        yield


@pytest.fixture(autouse=True)
def _as_deployed(settings: Settings) -> None:
    settings.CHECK_EVERY_DAYS, settings.CHECK_DAYS_BEFORE_SESSION = 30, [3]


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast as of TODAY; both of Ana's plans were asked about 20 days ago, Ana came a week ago."""
    with on(TODAY):
        cast = assemble()
        cast.book(days=-7)
    with on(TODAY - timedelta(days=20)):
        for plan in (cast.own_plan, cast.bens_plan):
            asked(plan)
    return cast


def asked(plan: Coverage, *, state: str = "answered", **more: Any) -> EligibilityCheck:
    """A question about a plan that is settled, asked at this moment."""
    return EligibilityCheck.objects.create(
        coverage=plan, reason="refresh", service_date=clock.today(), state=state, created_at=clock.now(),
        trace=f"X{EligibilityCheck.objects.count()}", answered_at=clock.now() if state == "answered" else None, **more,
    )  # fmt: skip


def told(plan: Coverage, begin: date | None, end: date | None, *, active: bool = True) -> None:
    """A snapshot with these plan dates, taken at this moment."""
    BenefitSnapshot.objects.create(
        coverage=plan, source="271", effective_on=clock.today(), active=active, plan_begin=begin, plan_end=end,
        benefits=benefits().to_json(), observed_at=clock.now(),
    )  # fmt: skip


def due(day: date = TODAY, hour: int = 9) -> dict[int, tuple[str, date]]:
    with on(day, hour):
        return {each.coverage_id: (each.reason, each.service_date) for each in planned_checks.due()}


def book(cast: Cast, day: date) -> Session:
    with on(TODAY):
        return cast.book(days=(day - TODAY).days, hour=10)


# --- Before a session -------------------------------------------------------------------------------------------------


def test_nothing_is_due_between_sessions(cast: Cast) -> None:
    assert due() == {}


def test_three_days_before_a_session_every_plan_is_asked_about_that_day(cast: Cast) -> None:
    friday = date(2026, 5, 15)
    book(cast, friday)
    assert due(date(2026, 5, 11)) == {}
    for hour in (0, 9, 23):
        expected = ("before_session", friday)
        assert due(TODAY, hour) == {cast.own_plan.pk: expected, cast.bens_plan.pk: expected}


def test_a_session_booked_for_tomorrow_is_due_at_once_and_only_once(cast: Cast) -> None:
    book(cast, TODAY + timedelta(days=1))
    assert set(due()) == {cast.own_plan.pk, cast.bens_plan.pk}
    with on(TODAY):
        asked(cast.own_plan)
    assert set(due()) == {cast.bens_plan.pk}
    assert set(due(TODAY + timedelta(days=1))) == {cast.bens_plan.pk}


def test_one_question_serves_two_sessions(cast: Cast) -> None:
    book(cast, TODAY + timedelta(days=2))
    book(cast, TODAY + timedelta(days=3))
    assert due()[cast.own_plan.pk] == ("before_session", TODAY + timedelta(days=2))
    with on(TODAY):
        asked(cast.own_plan)
    assert cast.own_plan.pk not in due()


def test_the_days_before_a_session_can_be_chosen(cast: Cast, settings: Settings) -> None:
    settings.CHECK_DAYS_BEFORE_SESSION = [1, 7]
    session = TODAY + timedelta(days=7)
    book(cast, session)
    assert cast.own_plan.pk in due()
    with on(TODAY):
        asked(cast.own_plan)
    assert [cast.own_plan.pk in due(TODAY + timedelta(days=days)) for days in range(1, 8)] == [
        False, False, False, False, False, True, True,
    ]  # fmt: skip
    settings.CHECK_DAYS_BEFORE_SESSION = []
    assert cast.own_plan.pk not in due(TODAY + timedelta(days=6))


def test_a_plan_that_is_over_by_then_is_not_asked_about(cast: Cast) -> None:
    book(cast, TODAY + timedelta(days=2))
    Coverage.objects.filter(pk=cast.own_plan.pk).update(ends_on=TODAY + timedelta(days=1))
    Coverage.objects.filter(pk=cast.bens_plan.pk).update(begins_on=TODAY + timedelta(days=1))
    assert set(due()) == {cast.bens_plan.pk}


def test_a_cancelled_session_needs_no_question(cast: Cast) -> None:
    session = book(cast, TODAY + timedelta(days=2))
    Session.objects.filter(pk=session.pk).update(status="cancelled")
    assert due() == {}


# --- Every month ------------------------------------------------------------------------------------------------------


def test_a_plan_in_use_is_asked_about_every_month(cast: Cast, settings: Settings) -> None:
    assert due(TODAY + timedelta(days=9)) == {}
    later = TODAY + timedelta(days=10)
    assert due(later) == {plan.pk: ("scheduled", later) for plan in (cast.own_plan, cast.bens_plan)}
    settings.CHECK_EVERY_DAYS = 14
    assert set(due()) == {cast.own_plan.pk, cast.bens_plan.pk}
    settings.CHECK_EVERY_DAYS = 0
    assert due(later) == {}


def test_a_plan_that_was_never_asked_about_is_due(cast: Cast, settings: Settings) -> None:
    EligibilityCheck.objects.filter(coverage=cast.own_plan).delete()
    assert due() == {cast.own_plan.pk: ("scheduled", TODAY)}
    settings.CHECK_EVERY_DAYS = 0
    assert due() == {}


def test_a_client_who_comes_no_more_is_left_alone(cast: Cast) -> None:
    last = TODAY - timedelta(days=7)
    assert len(due(last + timedelta(days=60))) == 2
    assert due(last + timedelta(days=61)) == {}


def test_a_question_that_went_wrong_counts_as_asked(cast: Cast) -> None:
    with on(TODAY):
        asked(cast.own_plan, state="failed")
    assert cast.own_plan.pk not in due(TODAY + timedelta(days=29))
    assert cast.own_plan.pk in due(TODAY + timedelta(days=30))


# --- A new plan year --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "end", "turns"),
    [
        (date(2025, 6, 1), date(2026, 5, 31), date(2026, 6, 1)),
        (date(2024, 6, 1), None, date(2026, 6, 1)),
        (None, date(2026, 5, 31), date(2026, 6, 1)),
        (None, None, date(2027, 1, 1)),
        (date(2024, 2, 29), None, date(2027, 2, 28)),
    ],
)
def test_with_a_new_plan_year_a_plan_is_asked_about_on_its_first_day(
    cast: Cast, settings: Settings, begin: date | None, end: date | None, turns: date
) -> None:
    settings.CHECK_EVERY_DAYS, settings.CHECK_DAYS_BEFORE_SESSION = 0, []
    eve = turns - timedelta(days=1)
    with on(eve):
        told(cast.own_plan, begin, end)
        asked(cast.own_plan)
        Session.objects.update(starts_at=clock.now(), date=clock.today())
    assert cast.own_plan.pk not in due(eve, 23)
    assert due(turns, 0)[cast.own_plan.pk] == ("plan_year", turns)
    with on(turns, 1):
        asked(cast.own_plan)
    assert cast.own_plan.pk not in due(turns + timedelta(days=1)), "one question is enough, even if it is behind"


def test_a_plan_that_is_not_active_has_no_new_year(cast: Cast, settings: Settings) -> None:
    settings.CHECK_EVERY_DAYS = 0
    with on(TODAY):
        asked(cast.own_plan)
        told(cast.own_plan, date(2025, 6, 1), date(2026, 5, 31), active=False)
    assert cast.own_plan.pk not in due(date(2026, 6, 1))


def test_a_new_year_and_a_session_are_one_question(cast: Cast) -> None:
    with on(TODAY, 10):
        told(cast.own_plan, date(2025, 5, 12), date(2026, 5, 11))
    book(cast, TODAY + timedelta(days=1))
    assert due()[cast.own_plan.pk] == ("plan_year", TODAY + timedelta(days=1))
    with on(TODAY):
        assert len(planned_checks.request_due()) == 2
        EligibilityCheck.objects.filter(state="waiting").update(state="answered", answered_at=clock.now())
    assert due() == {}


# --- Who is left alone ------------------------------------------------------------------------------------------------


def test_a_paused_client_is_not_asked_about(cast: Cast) -> None:
    """An answer that says nothing of other insurance would end a pause that nothing has settled."""
    book(cast, TODAY + timedelta(days=1))
    AccountPause.objects.create(client=cast.ana, coverage=cast.own_plan, evidence="835")
    Client.objects.filter(pk=cast.ana.pk).update(paused_since=clock.now())
    assert due() == {}


def test_a_plan_off_the_account_is_not_asked_about(cast: Cast) -> None:
    book(cast, TODAY + timedelta(days=1))
    coverages.remove_coverage(cast.own_plan)
    assert set(due()) == {cast.bens_plan.pk}


def test_a_question_under_way_is_enough(cast: Cast) -> None:
    book(cast, TODAY + timedelta(days=1))
    with on(TODAY - timedelta(days=9)):
        asked(cast.own_plan, state="waiting")
    assert set(due()) == {cast.bens_plan.pk}


@pytest.mark.parametrize(("follow_up", "again"), [("N", False), ("S", False), ("Y", False), ("C", True), ("", True)])
def test_an_insurer_that_wants_no_further_question_gets_none(cast: Cast, follow_up: str, again: bool) -> None:
    book(cast, TODAY + timedelta(days=1))
    with on(TODAY - timedelta(days=10)):
        asked(cast.own_plan, state="rejected", rejections=[{"code": "75", "follow_up": follow_up}])
    assert (cast.own_plan.pk in due()) is again


# --- Putting them in the queue ----------------------------------------------------------------------------------------


def test_a_sweep_twice_asks_once(cast: Cast) -> None:
    book(cast, TODAY + timedelta(days=1))
    with on(TODAY):
        first = planned_checks.request_due()
        assert {(check.coverage_id, check.reason, check.state) for check in first} == {
            (cast.own_plan.pk, "before_session", "waiting"),
            (cast.bens_plan.pk, "before_session", "waiting"),
        }
        assert [check.asked_by for check in first] == [None, None]
        assert planned_checks.request_due() == []


def test_what_was_answered_a_moment_ago_is_not_asked_again(cast: Cast) -> None:
    book(cast, TODAY + timedelta(days=1))
    with on(TODAY):
        found = planned_checks.due()
        asked(cast.own_plan)  # by another sweep that found it too, and has its answer already
        assert [planned_checks._request(each) is None for each in found if each.coverage_id == cast.own_plan.pk] == [
            True
        ]


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_ask_once() -> None:
    cast = assemble()
    cast.book(days=1)
    barrier = threading.Barrier(4)
    made: list[int] = []

    def sweep() -> None:
        try:
            found = planned_checks.due()
            barrier.wait(timeout=30)
            made.extend(check.pk for each in found if (check := planned_checks._request(each)) is not None)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    assert EligibilityCheck.objects.count() == 2
    assert len(made) == 2


def test_finding_what_is_due_takes_one_query_however_many_there_are(cast: Cast) -> None:
    for number in range(30):
        somebody = client(f"N{number}", "Lee")
        Coverage.objects.create(client=somebody, payer=cast.evergreen, member_id=f"M{number}", stated_rank=1)
        with on(TODAY):
            cast.book(days=1, client=somebody)
    with on(TODAY), CaptureQueriesContext(connection) as queries:
        assert len(planned_checks.due()) == 30
        assert len(planned_checks.due(limit=10)) == 10
    assert len(queries) == 2
