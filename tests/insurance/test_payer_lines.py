"""Limits, hours and insurers that are down: who is asked when, by several workers at once, whatever happens to them."""

import random
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from itertools import pairwise

import pytest
from django.db import connection, connections

from billing import tasks
from common import clock
from insurance.clearinghouse import ClearinghouseRefused
from insurance.models import Coverage, EdiFile, EligibilityCheck, Payer, PayerLine
from insurance.services import eligibility, payer_lines
from people.models import Client
from tests.cast import assemble, client
from tests.insurers import Insurers

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 5, 4, 12, tzinfo=clock.BUSINESS_ZONE)


@pytest.fixture
def insurers(monkeypatch: pytest.MonkeyPatch) -> Insurers:
    found = Insurers()
    monkeypatch.setattr(eligibility, "clearinghouse", lambda: found)
    return found


def question(payer: Payer, number: int, *, reason: str = "scheduled") -> EligibilityCheck:
    """Somebody new with a plan of this insurer, and a question about it."""
    somebody = Client.objects.filter(email=f"n{payer.pk}-{number}@example.com").first() or client(
        f"N{payer.pk}-{number}", "Lee"
    )
    coverage = Coverage.objects.create(client=somebody, payer=payer, member_id=f"M{number}", stated_rank=1)
    return eligibility.request_check(coverage=coverage, reason=reason)


def all_at_once(work: Callable[[int], object], count: int) -> None:
    """``work(0)`` … ``work(count - 1)``, each in a thread with a connection of its own."""
    barrier = threading.Barrier(count)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait(timeout=30)
            work(number)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    assert failures == []


def sent(payer: Payer) -> list[datetime]:
    return list(
        EdiFile.objects.filter(kind="270", payer=payer).order_by("created_at").values_list("created_at", flat=True)
    )


# --- Limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_workers_together_keep_to_an_insurers_limit(insurers: Insurers) -> None:
    cast = assemble()
    Payer.objects.filter(pk=cast.evergreen.pk).update(requests_per_minute=5)
    checks = [question(cast.evergreen, number) for number in range(16)]
    all_at_once(lambda number: [eligibility.ask(check.pk) for check in checks[number::8]], 8)
    assert insurers.count == {"EVGR1": 5}
    waiting = EligibilityCheck.objects.filter(state="waiting")
    assert waiting.count() == 11
    assert set(waiting.values_list("attempts", flat=True)) == {0}, "waiting for one's turn costs nothing"
    first = sent(cast.evergreen)[0]
    assert min(waiting.values_list("next_attempt_at", flat=True)) == first + MINUTE


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_one_question_ask_it_once(insurers: Insurers) -> None:
    check = question(assemble().evergreen, 1)
    all_at_once(lambda _number: eligibility.ask(check.pk), 6)
    assert insurers.count == {"EVGR1": 1}
    check.refresh_from_db()
    assert (check.state, check.attempts) == ("answered", 1)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_in_no_minute_are_there_more_questions_than_the_limit(insurers: Insurers, seed: int) -> None:
    """Questions come as they like, for ten minutes; each insurer is down now and then."""
    draw = random.Random(seed)
    cast = assemble()
    limits = {cast.evergreen: draw.randint(1, 4), cast.harbor: draw.randint(2, 9)}
    for payer, limit in limits.items():
        Payer.objects.filter(pk=payer.pk).update(requests_per_minute=limit)
    moment, number = NOON, 0
    while moment < NOON + timedelta(minutes=10):
        with clock.as_of(moment):
            for payer in limits:
                for _each in range(draw.choice((0, 0, 1, 3))):
                    number += 1
                    question(payer, number)
                if draw.random() < 0.2:
                    insurers.down ^= {payer.payer_id}
            due = eligibility.due_checks()
            draw.shuffle(due)
            for pk, _payer in due:
                eligibility.ask(pk)
        moment += timedelta(seconds=draw.choice((1, 7, 20, 45)))
    assert len(insurers.asked) > 10
    for payer, limit in limits.items():
        moments = sent(payer)
        for begins in moments:
            assert sum(begins <= each < begins + MINUTE for each in moments) <= limit


@pytest.mark.django_db
def test_what_waited_for_its_turn_is_asked_in_the_next_minute(insurers: Insurers) -> None:
    cast = assemble()
    Payer.objects.filter(pk=cast.evergreen.pk).update(requests_per_minute=2)
    with clock.as_of(NOON):
        for number in range(5):
            question(cast.evergreen, number)
    asked = []
    for minute in range(4):
        # Half a minute after the questions were put, however long that took.
        with clock.as_of(NOON + MINUTE / 2 + minute * (MINUTE + timedelta(seconds=1))):
            tasks.ask_insurers()
        asked.append(insurers.count["EVGR1"])
    assert asked == [2, 4, 5, 5]


# --- Hours ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_outside_its_hours_an_insurer_is_not_asked(insurers: Insurers) -> None:
    cast = assemble()
    Payer.objects.filter(pk=cast.evergreen.pk).update(answers_from=time(6), answers_until=time(1))
    with clock.as_of(NOON.replace(hour=2)):
        check = question(cast.evergreen, 1)
        assert eligibility.ask(check.pk) is None
    check.refresh_from_db()
    assert (check.state, check.attempts, check.next_attempt_at) == ("waiting", 0, NOON.replace(hour=6))
    assert insurers.asked == []
    with clock.as_of(NOON.replace(hour=6)):
        assert eligibility.ask(check.pk) is not None


# --- Down and back ----------------------------------------------------------------------------------------------------


def minutes_of_rounds(start: datetime, minutes: int) -> Iterator[datetime]:
    """A round of questions every half minute."""
    for half in range(minutes * 2):
        moment = start + half * timedelta(seconds=30)
        with clock.as_of(moment):
            tasks.ask_insurers()
        yield moment


@pytest.mark.django_db
def test_an_insurer_that_is_down_is_probed_by_one_question_at_a_time(insurers: Insurers) -> None:
    cast = assemble()
    insurers.down = {"EVGR1"}
    with clock.as_of(NOON):
        checks = [question(cast.evergreen, number) for number in range(12)]
    for _moment in minutes_of_rounds(NOON, 60):
        pass
    line = PayerLine.objects.get(payer=cast.evergreen)
    assert line.down_since is not None
    assert line.down_since < NOON + 3 * MINUTE
    probes = [at for _payer, at in insurers.asked if at > line.down_since]
    assert 10 <= len(probes) <= 12, "one in five minutes"
    assert all(later - earlier >= PayerLine.PROBE_EVERY for earlier, later in pairwise(probes))
    rows = EligibilityCheck.objects.filter(pk__in=[check.pk for check in checks])
    assert set(rows.values_list("state", flat=True)) == {"waiting"}, "nobody gave up"
    assert sum(rows.values_list("attempts", flat=True)) == PayerLine.FAILURES, "probes cost no attempt"

    insurers.down = set()
    back = NOON + timedelta(hours=1, minutes=1)
    for _moment in minutes_of_rounds(back, 6):
        pass
    assert set(rows.values_list("state", flat=True)) == {"answered"}
    line = PayerLine.objects.get(payer=cast.evergreen)
    assert (line.failures, line.down_since, line.next_probe_at, line.error) == (0, None, None, "")


@pytest.mark.django_db(transaction=True)
def test_many_workers_send_one_probe(insurers: Insurers) -> None:
    cast = assemble()
    insurers.down = {"EVGR1"}
    checks = [question(cast.evergreen, number) for number in range(12)]
    ago = clock.now() - timedelta(minutes=1)
    PayerLine.objects.filter(payer=cast.evergreen).update(failures=3, down_since=ago, next_probe_at=ago)
    all_at_once(lambda number: eligibility.ask(checks[number].pk), 12)
    assert insurers.count == {"EVGR1": 1}
    assert set(EligibilityCheck.objects.values_list("attempts", "state")) == {(0, "waiting")}


@pytest.mark.django_db
def test_an_insurer_that_is_down_holds_up_no_other(insurers: Insurers) -> None:
    cast = assemble()
    insurers.down = {"EVGR1"}
    with clock.as_of(NOON - MINUTE):
        for number in range(50):
            question(cast.evergreen, number)
    with clock.as_of(NOON):
        others = [question(cast.harbor, number) for number in range(3)]
        tasks.ask_insurers()
    assert insurers.count == {"EVGR1": 1, "HARB1": 3}, "one failure is enough for a round"
    for check in others:
        check.refresh_from_db()
        assert check.state == "answered"


@pytest.mark.django_db
def test_insurers_take_turns_and_people_who_wait_come_first(insurers: Insurers) -> None:
    cast = assemble()
    with clock.as_of(NOON - MINUTE):
        many = [question(cast.evergreen, number) for number in range(3)]
    with clock.as_of(NOON):
        somebody = question(cast.evergreen, 9, reason="plan_added")
        few = [question(cast.harbor, number) for number in range(2)]
        due = [pk for pk, _payer in eligibility.due_checks()]
    assert due == [few[0].pk, somebody.pk, many[0].pk, few[1].pk, many[1].pk, many[2].pk] or due == [
        somebody.pk, few[0].pk, many[0].pk, few[1].pk, many[1].pk, many[2].pk,
    ]  # fmt: skip


@pytest.mark.django_db
def test_one_question_that_nobody_can_answer_does_not_keep_the_insurer_down(insurers: Insurers) -> None:
    """The insurer chokes on one member, at night when nothing else is asked; in the morning others come."""
    cast = assemble()
    insurers.unanswerable = {"M0"}
    with clock.as_of(NOON):
        question(cast.evergreen, 0, reason="refresh")
    for _moment in minutes_of_rounds(NOON, 30):
        pass
    assert PayerLine.objects.get(payer=cast.evergreen).down_since is not None
    morning = NOON + timedelta(minutes=31)
    with clock.as_of(morning):
        rest = [question(cast.evergreen, number) for number in range(1, 5)]
    for _moment in minutes_of_rounds(morning, 11):
        pass
    for check in rest:
        check.refresh_from_db()
        assert check.state == "answered"


@pytest.mark.django_db
def test_after_three_days_without_the_insurer_support_sees_it(insurers: Insurers) -> None:
    cast = assemble()
    insurers.down = {"EVGR1"}
    with clock.as_of(NOON):
        check = question(cast.evergreen, 1)
    for hour in range(73):
        with clock.as_of(NOON + timedelta(hours=hour, minutes=hour)):
            tasks.ask_insurers()
    check.refresh_from_db()
    assert (check.state, check.error) == (
        "failed",
        "The insurer's computer cannot be reached right now. We will try again.",
    )


@pytest.mark.django_db
def test_a_clearinghouse_that_refuses_us_uses_up_no_backlog(
    insurers: Insurers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password that ran out must not give up every question there is."""
    cast = assemble()

    def refused(*_args: object, **_more: object) -> bytes:
        raise ClearinghouseRefused("UnAuthorized", "password expired")

    with clock.as_of(NOON):
        for number in range(10):
            question(cast.evergreen, number)
    with monkeypatch.context() as patch:
        patch.setattr(Insurers, "real_time", refused)
        for _moment in minutes_of_rounds(NOON, 60):
            pass
    assert set(EligibilityCheck.objects.values_list("state", flat=True)) == {"waiting"}
    assert "password expired" in PayerLine.objects.get(payer=cast.evergreen).error


# --- Workers that die -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_worker_that_dies_leaves_nothing_behind_but_a_lease(insurers: Insurers) -> None:
    cast = assemble()
    Payer.objects.filter(pk=cast.evergreen.pk).update(requests_per_minute=2)

    def die() -> None:
        raise SystemExit

    with clock.as_of(NOON):
        check, other = question(cast.evergreen, 1), question(cast.evergreen, 2)
        insurers.meanwhile = die
        with pytest.raises(SystemExit):
            eligibility.ask(check.pk)
        insurers.meanwhile = lambda: None
        assert eligibility.due_checks() == [], "the insurer is being asked, as far as we know"
        assert eligibility.ask(other.pk) is not None, "a person's question does not wait for that"
        third = question(cast.evergreen, 3)
        assert eligibility.ask(third.pk) is None, "what the dead worker sent counts to the limit"
    with clock.as_of(NOON + timedelta(minutes=2, seconds=1)):
        assert {pk for pk, _payer in eligibility.due_checks()} == {check.pk, third.pk}
        assert eligibility.ask(check.pk) is not None
    check.refresh_from_db()
    assert check.attempts == 2


@pytest.mark.django_db
def test_an_insurer_without_a_line_gets_one(insurers: Insurers) -> None:
    cast = assemble()
    PayerLine.objects.all().delete()
    assert eligibility.ask(question(cast.evergreen, 1).pk) is not None
    assert PayerLine.objects.get().last_answer_at is not None


@pytest.mark.django_db(transaction=True)
def test_no_lock_is_held_while_the_insurer_is_spoken_to(insurers: Insurers) -> None:
    cast = assemble()
    check, other = question(cast.evergreen, 1), question(cast.evergreen, 2)
    seen: list[bool] = []

    def meanwhile() -> None:
        seen.append(connection.in_atomic_block)

    insurers.meanwhile = meanwhile
    assert eligibility.ask(check.pk) is not None
    assert eligibility.ask(other.pk) is not None
    assert seen == [False, False]


@pytest.mark.django_db
def test_support_need_not_wait_for_the_next_probe(insurers: Insurers) -> None:
    cast = assemble()
    with clock.as_of(NOON):
        check = question(cast.evergreen, 1)
        later = NOON + timedelta(minutes=4)
        PayerLine.objects.filter(payer=cast.evergreen).update(failures=3, down_since=NOON, next_probe_at=later)
        assert eligibility.ask(check.pk) is None
        assert insurers.asked == []
        assert payer_lines.try_now(PayerLine.objects.get(payer=cast.evergreen)) == 1
        assert eligibility.ask(check.pk) is not None
