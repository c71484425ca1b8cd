"""Living at another time, and keeping the worker unhurried: what the demo's year is made with."""

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest

from common import clock
from common.hurry import hurry, unhurried

MARCH = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)


def test_time_goes_on_from_the_moment_and_comes_back() -> None:
    with clock.as_of(MARCH):
        assert timedelta(0) <= clock.now() - MARCH < timedelta(seconds=5)
        assert clock.today().isoformat() == "2026-03-03"
        with clock.as_of(MARCH + timedelta(days=40)):
            assert clock.today().isoformat() == "2026-04-12"
        assert clock.today().isoformat() == "2026-03-03"
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_step_that_fails_comes_back_too() -> None:
    with pytest.raises(ZeroDivisionError), clock.as_of(MARCH):
        raise ZeroDivisionError
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.django_db(transaction=True)
def test_nobody_is_hurried_only_while_it_is_asked_for() -> None:
    with mock.patch("common.hurry.current_app.send_task") as send:
        with unhurried():
            hurry("billing.tasks.charge", 1)
        assert send.call_count == 0
        hurry("billing.tasks.charge", 2)
        assert send.call_args.kwargs["args"] == [2]
