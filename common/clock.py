"""The only place that asks what time it is, and what a business day is.

Business dates are dates in New York: insurers' days, statements and holidays are counted there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from django.utils import timezone

BUSINESS_ZONE = ZoneInfo("America/New_York")


_ahead: ContextVar[timedelta] = ContextVar("clock_ahead", default=timedelta(0))


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return timezone.now() + _ahead.get()


@contextmanager
def as_of(moment: datetime) -> Iterator[None]:
    """Live at ``moment`` (aware) and go on from there; for the demo's history only, never for the product itself.

    It holds for this thread's work. What the database or another process stamps by itself stays at the real time.
    """
    token = _ahead.set(moment - timezone.now())
    try:
        yield
    finally:
        _ahead.reset(token)


def today() -> date:
    """Today's business date."""
    return business_date(now())


def business_date(moment: datetime) -> date:
    """The business date of a moment (aware)."""
    return moment.astimezone(BUSINESS_ZONE).date()


@lru_cache(maxsize=64)
def _federal_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("US", years=year))


def is_business_day(day: date) -> bool:
    """Monday to Friday and no US federal holiday (observed days count as holidays)."""
    return day.weekday() < 5 and day not in _federal_holidays(day.year)


def add_business_days(day: date, count: int) -> date:
    """The ``count``-th business day after ``day`` (``count`` ≥ 0; 0 gives ``day`` itself)."""
    while count > 0:
        day += timedelta(days=1)
        if is_business_day(day):
            count -= 1
    return day
