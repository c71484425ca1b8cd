"""When an insurer may be asked: its hours by the clock on its wall, and waits that grow and differ."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.clock import BUSINESS_ZONE
from insurance.domain.asking import BACKOFF, date_is_too_far, next_open, wait_after

CLOSED_AT_NIGHT = (time(8), time(20))
OPEN_AT_NIGHT = (time(20), time(6))


def new_york(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=BUSINESS_ZONE)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("moment", "hours", "opens"),
    [
        (new_york(2026, 5, 4, 8), CLOSED_AT_NIGHT, new_york(2026, 5, 4, 8)),
        (new_york(2026, 5, 4, 19, 59), CLOSED_AT_NIGHT, new_york(2026, 5, 4, 19, 59)),
        (new_york(2026, 5, 4, 20), CLOSED_AT_NIGHT, new_york(2026, 5, 5, 8)),
        (new_york(2026, 5, 4, 7, 59), CLOSED_AT_NIGHT, new_york(2026, 5, 4, 8)),
        (new_york(2026, 5, 4, 23), OPEN_AT_NIGHT, new_york(2026, 5, 4, 23)),
        (new_york(2026, 5, 4, 5, 59), OPEN_AT_NIGHT, new_york(2026, 5, 4, 5, 59)),
        (new_york(2026, 5, 4, 6), OPEN_AT_NIGHT, new_york(2026, 5, 4, 20)),
        (new_york(2026, 5, 4, 3), (None, None), new_york(2026, 5, 4, 3)),
        (new_york(2026, 5, 4, 3), (time(9), time(9)), new_york(2026, 5, 4, 3)),
    ],
)
def test_an_insurer_answers_within_its_hours(
    moment: datetime, hours: tuple[time | None, time | None], opens: datetime
) -> None:
    assert next_open(moment, *hours) == opens


def test_an_hour_that_the_spring_leaves_out_is_no_hour_to_wait_for() -> None:
    """On 8 March 2026 the clocks go from 2:00 to 3:00; an insurer that opens at 2:30 is open at 3:30."""
    opens = next_open(new_york(2026, 3, 8, 1, 59), time(2, 30), time(23))
    assert opens.astimezone(UTC) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


YEAR = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 365 * 24 * 60).map(lambda minutes: YEAR + timedelta(minutes=minutes))
times = st.integers(0, 24 * 60 - 1).map(lambda minutes: time(minutes // 60, minutes % 60))


@settings(max_examples=1000)
@given(moments, times, times)
@example(datetime(2026, 11, 1, 6, 10, tzinfo=UTC), time(1, 30), time(1, 20))  # 1:10, for the second time that night
@example(datetime(2026, 11, 1, 5, 10, tzinfo=UTC), time(1, 30), time(1, 5))  # for the first time
@example(datetime(2026, 3, 8, 6, 59, tzinfo=UTC), time(2, 30), time(2, 0))  # 1:59, a minute before it is 3:00
def test_waiting_for_an_insurer_ends_within_a_day_and_it_is_open_then(
    moment: datetime, opens: time, closes: time
) -> None:
    found = next_open(moment.astimezone(BUSINESS_ZONE), opens, closes)
    assert timedelta(0) <= found.astimezone(UTC) - moment <= timedelta(hours=25)
    settled = found.astimezone(UTC).astimezone(BUSINESS_ZONE)
    if settled.time() == found.time():  # else it is an hour that the spring leaves out
        assert next_open(settled, opens, closes) == settled


@given(moments)
def test_an_insurer_without_hours_always_answers(moment: datetime) -> None:
    assert next_open(moment, None, None) == moment


@given(st.integers(1, len(BACKOFF)), st.floats(0, 1))
def test_waits_differ_by_a_fifth_at_most(attempts: int, draw: float) -> None:
    wait = wait_after(attempts, draw)
    assert wait is not None
    assert BACKOFF[attempts - 1] * 0.8 <= wait <= BACKOFF[attempts - 1] * 1.2 + timedelta(microseconds=1)


def test_after_the_last_wait_we_give_up() -> None:
    assert [wait_after(attempts, 0.5) for attempts in (1, 6, 7)] == [timedelta(minutes=1), timedelta(hours=12), None]


def test_only_a_date_that_lies_too_far_ahead_is_asked_about_otherwise() -> None:
    assert date_is_too_far([{"code": "62"}])
    assert date_is_too_far([{"code": "63"}, {"code": "62"}])
    assert not date_is_too_far([{"code": "62"}, {"code": "75"}])
    assert not date_is_too_far([])
