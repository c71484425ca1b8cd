"""Stale prices are found, priced once and never forgotten; a whole insurer is priced again, nobody counted twice."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.db import connections, transaction

from billing import tasks
from billing.models import Recalculation, Repricing, SessionCost
from billing.services import costs, recalculation, repricing
from common import clock
from common.errors import BadInput
from common.states import IllegalTransition
from insurance.models import BenefitSnapshot, Coverage, Credential, FeeSchedule, NetworkContract
from insurance.services import plan_order
from people.models import Client
from tests.cast import Cast, assemble, benefits, client, observe

D = Decimal
real = pytest.mark.django_db(transaction=True)
reprice_for_real = costs.reprice_all


def cost(of: Client) -> Decimal:
    newest = SessionCost.objects.filter(session__client=of).order_by("-pk").first()
    assert newest is not None
    amount: Decimal = newest.amount
    return amount


def priced(of: Client) -> None:
    repricing.reprice_client(of.pk)


def new_rate(cast: Cast, rate: str = "180.00") -> None:
    """Evergreen allows another amount; of Ana's $180.00 she pays the deductible's $50.00 and 20% of $130.00."""
    FeeSchedule.objects.filter(payer=cast.evergreen).update(rate=D(rate))


def member(cast: Cast, first: str) -> Client:
    """Another client with a plan of Evergreen, $50.00 of deductible left, and a session tomorrow."""
    found = client(first, "Stone")
    plan = Coverage.objects.create(
        client=found, payer=cast.evergreen, member_id=f"EV{first}", stated_rank=1, holder_status="active"
    )
    observe(plan, benefits(deductible="50.00"))
    plan_order.decide(found)
    cast.book(client=found, days=1)
    return found


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=clock.BUSINESS_ZONE)


def found_stale() -> set[int]:
    repricing.find_stale()
    return set(repricing.due())


class Counting:
    """Stands in for the pricing itself: counts, and does what it is told before or after the real thing."""

    def __init__(
        self, *, before: Callable[[Client], None] | None = None, after: Callable[[Client], None] | None = None
    ) -> None:
        self.seen: list[int] = []
        self._before, self._after = before, after

    def __call__(self, of: Client, **how: Any) -> list[costs.Written]:
        self.seen.append(of.pk)
        if self._before:
            self._before(of)
        written = reprice_for_real(of, **how)
        if self._after:
            self._after(of)
        return written


@pytest.fixture
def counting() -> Iterator[Callable[..., Counting]]:
    patches = []

    def begin(**more: Any) -> Counting:
        standing_in = Counting(**more)
        patch = mock.patch("billing.services.costs.reprice_all", standing_in)
        patch.start()
        patches.append(patch)
        return standing_in

    yield begin
    for patch in reversed(patches):
        patch.stop()


# --- News marks, a worker prices --------------------------------------------------------------------------------------


def test_news_is_priced_once_and_repeating_it_writes_nothing(cast: Cast) -> None:
    cast.book(days=1)
    priced(cast.ana)
    assert cost(cast.ana) == D("72.00")
    new_rate(cast)
    repricing.mark_stale([cast.ana.pk], "Evergreen agreed to new rates.")
    assert repricing.due() == [cast.ana.pk]
    assert repricing.reprice_client(cast.ana.pk, if_stale=True) == 1
    assert cost(cast.ana) == D("76.00")
    assert repricing.due() == []
    assert repricing.reprice_client(cast.ana.pk, if_stale=True) == 0
    assert repricing.reprice_client(cast.ana.pk) == 0
    assert SessionCost.objects.count() == 2
    row = Repricing.objects.get()
    assert (row.stale_since, row.attempts, row.error, row.cause) == (None, 0, "", "Evergreen agreed to new rates.")


def test_whoever_waits_longest_is_first_and_further_news_costs_no_place(cast: Cast) -> None:
    repricing.mark_stale([cast.ana.pk], "first")
    repricing.mark_stale([cast.eve.pk], "second")
    repricing.mark_stale([cast.ana.pk], "third")
    assert repricing.due() == [cast.ana.pk, cast.eve.pk]
    assert repricing.due(limit=1) == [cast.ana.pk]


def test_few_marked_are_hurried_many_are_left_to_the_sweep(
    cast: Cast, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repricing, "MOST_HURRIED", 1)
    with mock.patch("common.hurry.current_app.send_task") as sent:
        with django_capture_on_commit_callbacks(execute=True):
            repricing.mark_stale([cast.ana.pk], "news")
        sent.assert_called_once_with("billing.tasks.reprice", args=[cast.ana.pk], retry=False)
        with django_capture_on_commit_callbacks(execute=True):
            repricing.mark_stale([cast.ana.pk, cast.eve.pk], "news of many")
        assert sent.call_count == 1


@real
def test_two_workers_at_once_do_the_work_once(counting: Callable[..., Counting]) -> None:
    cast = assemble()
    cast.book(days=1)
    repricing.mark_stale([cast.ana.pk], "news")
    together = threading.Barrier(4)

    def work(_: int) -> int:
        try:
            together.wait(timeout=10)
            return repricing.reprice_client(cast.ana.pk, if_stale=True)
        finally:
            connections.close_all()

    seen = counting()
    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(work, range(4)))
    assert sorted(written) == [0, 0, 0, 1]
    assert seen.seen == [cast.ana.pk]
    assert SessionCost.objects.count() == 1
    assert Repricing.objects.get().stale_since is None


@real
def test_a_worker_leaves_a_client_whom_somebody_holds(counting: Callable[..., Counting]) -> None:
    cast = assemble()
    cast.book(days=1)
    repricing.mark_stale([cast.ana.pk], "news")
    seen = counting()

    def work() -> int:
        try:
            return repricing.reprice_client(cast.ana.pk, if_stale=True)
        finally:
            connections.close_all()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        Client.objects.select_for_update(no_key=True).get(pk=cast.ana.pk)
        assert pool.submit(work).result(timeout=10) == 0
    assert seen.seen == []
    assert repricing.due() == [cast.ana.pk]


@real
def test_news_that_comes_while_a_pricing_works_is_not_lost(counting: Callable[..., Counting]) -> None:
    cast = assemble()
    cast.book(days=1)
    repricing.mark_stale([cast.ana.pk], "early news")

    told: list[int] = []

    def late_news(of: Client) -> None:
        if told:
            return
        told.append(of.pk)

        def tell() -> None:
            try:
                with transaction.atomic():
                    new_rate(cast)
                    repricing.mark_stale([of.pk], "late news")
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(tell).result(timeout=10)

    counting(after=late_news)
    repricing.reprice_client(cast.ana.pk, if_stale=True)
    assert cost(cast.ana) == D("72.00")
    assert repricing.due() == [cast.ana.pk]
    repricing.reprice_client(cast.ana.pk, if_stale=True)
    assert cost(cast.ana) == D("76.00")
    assert repricing.due() == []


# --- Failures ---------------------------------------------------------------------------------------------------------


def test_a_failure_is_kept_and_tried_later_and_later(cast: Cast, counting: Callable[..., Counting]) -> None:
    cast.book(days=1)

    def refuse(_of: Client) -> None:
        raise ValueError("a snapshot of schema 2 is not known")

    counting(before=refuse)
    repricing.mark_stale([cast.ana.pk], "news")
    moment = at(clock.today() + timedelta(days=1))
    for attempt, minutes in enumerate([1, 5, 15, 60, 240, 720, 720], start=1):
        with clock.as_of(moment):
            assert repricing.due() == [cast.ana.pk]
            with pytest.raises(ValueError, match="schema 2"):
                repricing.reprice_client(cast.ana.pk, if_stale=True)
            assert repricing.due() == []
        row = Repricing.objects.get()
        assert (row.attempts, row.error) == (attempt, "ValueError: a snapshot of schema 2 is not known")
        wait = timedelta(minutes=minutes)
        assert timedelta(0) <= row.next_attempt_at - (moment + wait) < timedelta(seconds=30)
        moment += wait + timedelta(seconds=30)
    assert SessionCost.objects.count() == 0


def test_one_failure_stops_no_one_else_and_news_brings_the_next_try(
    cast: Cast, counting: Callable[..., Counting]
) -> None:
    cast.book(days=1)
    ben = member(cast, "Ben")
    broken = [cast.ana.pk]

    def refuse(of: Client) -> None:
        if of.pk in broken:
            raise ValueError("broken")

    counting(before=refuse)
    repricing.mark_stale([cast.ana.pk, ben.pk], "news")
    tasks.sweep()
    assert not SessionCost.objects.filter(session__client=cast.ana).exists()
    assert cost(ben) == D("72.00")
    assert [row.pk for row in Repricing.objects.filter(repricing.failing())] == [cast.ana.pk]
    assert repricing.due() == []
    broken.clear()
    repricing.mark_stale([cast.ana.pk], "the snapshot was put right")
    tasks.sweep()
    assert cost(cast.ana) == D("72.00")
    row = Repricing.objects.get(pk=cast.ana.pk)
    assert (row.stale_since, row.attempts, row.error) == (None, 0, "")


# --- What nobody marked -----------------------------------------------------------------------------------------------


def test_a_session_that_was_never_priced_is_found(cast: Cast) -> None:
    assert found_stale() == set()
    cast.book(days=1)
    cast.book(client=cast.eve, days=1)  # without a plan: there is no price, and it is not looked for again
    tasks.sweep()
    assert cost(cast.ana) == D("72.00")
    assert SessionCost.objects.count() == 1
    assert found_stale() == set()


def test_the_sweep_marks_so_many_and_no_more_and_goes_on_with_the_rest(cast: Cast) -> None:
    cast.book(days=1)
    everybody = {cast.ana.pk, member(cast, "Ben").pk, member(cast, "Gil").pk}
    assert repricing.find_stale(limit=2) == 2
    assert repricing.find_stale(limit=2) == 1
    assert set(repricing.due()) == everybody


@real
@pytest.mark.parametrize("what", ["rate", "contract", "credential", "own rate"])
def test_changed_terms_reach_the_clients_they_bear_on(what: str) -> None:
    cast = assemble()
    cast.book(days=1)
    ben = member(cast, "Ben")
    for each in (cast.ana, ben):
        priced(each)
    assert found_stale() == set()
    match what:
        case "rate":
            new_rate(cast)
        case "contract":
            NetworkContract.objects.filter(payer=cast.evergreen).update(ends_on=clock.today() + timedelta(days=60))
        case "credential":
            Credential.objects.filter(provider=cast.cole, payer=cast.evergreen).update(state="NJ")
        case "own rate":
            FeeSchedule.objects.create(
                payer=cast.evergreen, provider=cast.cole, licence="PHD", cpt="90837", rate=D("170.00"),
                begins_on=date(2021, 1, 1),
            )  # fmt: skip
    assert found_stale() == {cast.ana.pk, ben.pk}
    assert {row.cause for row in Repricing.objects.all()} == {"A contract, a rate or a credential changed."}
    for each in (cast.ana, ben):
        repricing.reprice_client(each.pk, if_stale=True)
    assert found_stale() == set()


@real
def test_changed_terms_of_others_reach_nobody() -> None:
    cast = assemble()
    cast.book(days=1)
    priced(cast.ana)
    Coverage.objects.filter(pk=cast.bens_plan.pk).update(removed_at=clock.now())
    Credential.objects.filter(provider=cast.diaz).update(state="NJ")  # her sessions are Dr. Cole's
    FeeSchedule.objects.filter(payer=cast.harbor).update(rate=D("151.00"))  # that plan was taken off
    assert found_stale() == set()


@real
def test_a_rate_moved_to_another_insurer_reaches_the_clients_of_both() -> None:
    cast = assemble()
    cast.book(days=1)
    Coverage.objects.filter(pk=cast.bens_plan.pk).update(removed_at=clock.now())
    priced(cast.ana)
    fee = FeeSchedule.objects.get(payer=cast.evergreen, licence="NP")
    fee.payer, fee.begins_on = cast.harbor, date(2021, 1, 1)
    fee.save()
    assert found_stale() == {cast.ana.pk}


def test_a_change_still_under_way_while_we_priced_is_followed_once_more(cast: Cast) -> None:
    # The test's own transaction is such a one: its events carry its beginning, before everything priced in it.
    cast.book(days=1)
    priced(cast.ana)
    new_rate(cast)
    assert found_stale() == set()
    later = clock.now() + timedelta(minutes=6)
    with clock.as_of(later):
        assert found_stale() == {cast.ana.pk}
        assert repricing.reprice_client(cast.ana.pk, if_stale=True) == 1
        assert found_stale() == set()
    with clock.as_of(later + timedelta(minutes=20)):
        assert found_stale() == set()
    assert cost(cast.ana) == D("76.00")


@pytest.mark.parametrize(
    ("begin", "end", "priced_on", "turns_on"),
    [
        (date(2027, 1, 1), date(2027, 12, 31), date(2027, 12, 30), date(2028, 1, 1)),
        (date(2027, 9, 1), date(2028, 8, 31), date(2028, 8, 1), date(2028, 9, 1)),
        (date(2027, 9, 1), None, date(2028, 8, 31), date(2028, 9, 1)),
        (date(2028, 2, 29), None, date(2029, 2, 27), date(2029, 2, 28)),
        (None, None, date(2027, 12, 30), date(2028, 1, 1)),
        (None, date(2028, 3, 31), date(2028, 3, 30), date(2028, 4, 1)),
    ],
)
def test_a_plan_year_that_turned_is_found_on_its_day_and_once(
    db: None, begin: date | None, end: date | None, priced_on: date, turns_on: date
) -> None:
    with clock.as_of(at(priced_on)):
        cast = assemble()
        Coverage.objects.filter(pk=cast.bens_plan.pk).update(removed_at=clock.now())
        BenefitSnapshot.objects.create(
            coverage=cast.own_plan,
            source="271",
            effective_on=priced_on,
            active=True,
            plan_begin=begin,
            plan_end=end,
            benefits=benefits(deductible="50.00").to_json() | {"plan_begin": None, "plan_end": None},
        )
        cast.book(days=200)
        priced(cast.ana)
        assert found_stale() == set()
    day = priced_on + timedelta(days=1)
    while day < turns_on:
        with clock.as_of(at(day)):
            assert found_stale() == set(), day
        day += timedelta(days=1)
    with clock.as_of(at(turns_on, hour=0)):
        assert found_stale() == {cast.ana.pk}
        assert Repricing.objects.get().cause == "A plan year ended or began."
        priced(cast.ana)
        assert found_stale() == set()
    with clock.as_of(at(turns_on + timedelta(days=1))):
        assert found_stale() == set()


def test_a_client_without_a_coming_session_waits_for_no_year(db: None) -> None:
    with clock.as_of(at(date(2027, 12, 30))):
        cast = assemble()
        priced(cast.ana)
    with clock.as_of(at(date(2028, 1, 2))):
        assert found_stale() == set()


# --- A whole insurer --------------------------------------------------------------------------------------------------


def everybody(cast: Cast) -> list[Client]:
    """Five clients with Evergreen, each with a session at $72.00."""
    cast.book(days=1)
    found = [cast.ana, *(member(cast, first) for first in ("Ben", "Gil", "Hana", "Ivy"))]
    for each in found:
        priced(each)
    return found


def begin(cast: Cast) -> Recalculation:
    return recalculation.start(cast.evergreen, by=cast.fay, reason="  Evergreen's new contract ")


def progress(run: Recalculation) -> tuple[str, int, int, int, int]:
    run.refresh_from_db()
    return run.state, run.done, run.total, run.changed, run.failed


def test_a_whole_insurer_is_priced_again(cast: Cast) -> None:
    clients = everybody(cast)
    new_rate(cast)
    other = client("Joe", "Stone")
    Coverage.objects.create(client=other, payer=cast.harbor, member_id="HB9", stated_rank=1)
    run = begin(cast)
    assert (run.reason, run.requested_by, run.state) == ("Evergreen's new contract", cast.fay, "waiting")
    assert recalculation.work(run.pk, 60) is False
    assert progress(run) == ("done", 5, 5, 5, 0)
    assert run.finished_at is not None
    assert [cost(each) for each in clients] == [D("76.00")] * 5
    assert not Repricing.objects.filter(client=other).exists()
    assert recalculation.work(run.pk, 60) is False
    assert progress(run) == ("done", 5, 5, 5, 0)


def test_nothing_changed_is_told_as_nothing_changed(cast: Cast) -> None:
    everybody(cast)
    run = begin(cast)
    recalculation.work(run.pk, 60)
    assert progress(run) == ("done", 5, 5, 0, 0)


def test_an_insurer_that_nobody_has_is_done_at_once(cast: Cast) -> None:
    Coverage.objects.filter(payer=cast.harbor).update(removed_at=clock.now())
    run = recalculation.start(cast.harbor, by=cast.fay, reason="to be sure")
    assert recalculation.work(run.pk, 60) is False
    assert progress(run) == ("done", 0, 0, 0, 0)


def test_when_the_time_is_up_it_goes_on_from_there(cast: Cast) -> None:
    everybody(cast)
    new_rate(cast)
    run = begin(cast)
    for done in range(1, 6):
        assert recalculation.work(run.pk, 0) is True
        assert progress(run) == ("running", done, 5, done, 0)
    assert recalculation.work(run.pk, 0) is False
    assert progress(run) == ("done", 5, 5, 5, 0)


class Killed(BaseException):
    """The machine is switched off: nothing catches it."""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_anywhere_it_goes_on_and_counts_nobody_twice(
    cast: Cast, counting: Callable[..., Counting], moment: str
) -> None:
    clients = everybody(cast)
    new_rate(cast)
    run = begin(cast)
    deaths = []

    def die(of: Client) -> None:
        if of.pk not in deaths:
            deaths.append(of.pk)
            raise Killed

    counting(**{moment: die})
    for done in range(5):
        with pytest.raises(Killed):
            recalculation.work(run.pk, 60)
        assert progress(run)[1:4] == (done, 5, done)
    assert recalculation.work(run.pk, 60) is False
    assert deaths == [each.pk for each in clients]
    assert progress(run) == ("done", 5, 5, 5, 0)
    assert SessionCost.objects.filter(amount=D("76.00")).count() == 5


def test_the_sweep_takes_up_a_run_that_was_left(cast: Cast) -> None:
    everybody(cast)
    new_rate(cast)
    run = begin(cast)
    assert recalculation.left_alone() == []
    with clock.as_of(clock.now() + timedelta(minutes=1)):
        assert recalculation.left_alone() == [run.pk]
        tasks.sweep()
        assert recalculation.left_alone() == []
    assert progress(run)[0] == "done"


@real
def test_two_workers_at_once_count_everybody_once(counting: Callable[..., Counting]) -> None:
    cast = assemble()
    everybody(cast)
    new_rate(cast)
    run = begin(cast)
    together = threading.Barrier(3)
    seen = counting()

    def work(_: int) -> None:
        try:
            together.wait(timeout=10)
            while recalculation.work(run.pk, 0):
                pass
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    while recalculation.work(run.pk, 60):  # those who met each other may all have left; the sweep is the net
        pass
    assert progress(run) == ("done", 5, 5, 5, 0)
    assert len(seen.seen) == 5
    assert SessionCost.objects.filter(amount=D("76.00")).count() == 5


def test_a_client_who_fails_is_counted_kept_and_tried_by_the_sweep(
    cast: Cast, counting: Callable[..., Counting]
) -> None:
    clients = everybody(cast)
    new_rate(cast)
    run = begin(cast)

    def refuse(of: Client) -> None:
        if of == clients[2]:
            raise ValueError("broken")

    counting(before=refuse)
    recalculation.work(run.pk, 60)
    assert progress(run) == ("done", 5, 5, 4, 1)
    (kept,) = Repricing.objects.filter(repricing.failing())
    assert (kept.client_id, kept.error) == (clients[2].pk, "ValueError: broken")
    with clock.as_of(clock.now() + timedelta(minutes=2)):
        assert repricing.due() == [clients[2].pk]


def test_a_stopped_run_prices_nobody_until_it_goes_on(cast: Cast) -> None:
    everybody(cast)
    new_rate(cast)
    run = begin(cast)
    recalculation.work(run.pk, 0)
    recalculation.stop(run)
    assert recalculation.work(run.pk, 60) is False
    assert progress(run) == ("stopped", 1, 5, 1, 0)
    recalculation.go_on(run)
    recalculation.work(run.pk, 60)
    assert progress(run) == ("done", 5, 5, 5, 0)
    with pytest.raises(IllegalTransition):
        recalculation.stop(run)


def test_who_comes_or_goes_meanwhile_does_not_disturb_the_count(cast: Cast) -> None:
    clients = everybody(cast)
    run = begin(cast)
    recalculation.work(run.pk, 0)
    member(cast, "Joe")
    Coverage.objects.filter(client=clients[3]).update(removed_at=clock.now())
    recalculation.work(run.pk, 60)
    assert progress(run)[:3] == ("done", 5, 5)


def test_one_run_of_an_insurer_at_a_time_and_always_with_a_reason(cast: Cast) -> None:
    run = begin(cast)
    with pytest.raises(recalculation.AlreadyRunning, match="Evergreen Health"):
        begin(cast)
    recalculation.start(cast.harbor, by=cast.fay, reason="another insurer")
    recalculation.stop(run)
    begin(cast)
    with pytest.raises(recalculation.AlreadyRunning):
        recalculation.go_on(run)
    for reason in ("  ", "x" * 301):
        with pytest.raises(BadInput) as refused:
            recalculation.start(cast.evergreen, by=cast.fay, reason=reason)
        assert refused.value.where == "reason"
    assert Recalculation.objects.count() == 3


def test_a_turn_that_left_some_asks_for_the_next_and_the_last_does_not(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    cast.book(days=1)
    member(cast, "Ben")
    run = begin(cast)
    monkeypatch.setattr(tasks, "RECALCULATE_SECONDS", 0)
    asked = []
    for _turn in range(3):
        with (
            mock.patch("common.hurry.current_app.send_task") as sent,
            django_capture_on_commit_callbacks(execute=True),
        ):
            tasks.recalculate(run.pk)
        asked.append([call.args[0] for call in sent.call_args_list])
    assert asked == [["billing.tasks.recalculate"], ["billing.tasks.recalculate"], []]
    assert progress(run)[:3] == ("done", 2, 2)
