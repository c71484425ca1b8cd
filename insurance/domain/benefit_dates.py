"""Dates of an answer: which lines are in force on a day, and the year that the deductible and the maximum are for."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.utils.translation import gettext as _

from insurance.domain.benefit_lines import BenefitLine, LineKind, Span

_LONGEST_YEAR = timedelta(days=366)


def in_force(line: BenefitLine, on: date | None) -> bool:
    """Whether the line's own dates hold ``on``; without a day, or without dates, they do."""
    return not (on and line.ends and line.ends < on) and not begins_later(line, on)


def begins_later(line: BenefitLine, on: date | None) -> bool:
    """Whether the line's first day is after ``on``."""
    return bool(on and line.begins and line.begins > on)


def out_of_date(line: BenefitLine, on: date | None) -> str:
    """The note on a line that is passed over for its dates."""
    return _("A line is for %(dates)s, not for %(day)s: passed over (%(place)s).") % {
        "dates": days(line.begins, line.ends),
        "day": on.isoformat() if on else "",
        "place": line.where,
    }


def days(begins: date | None, ends: date | None) -> str:
    """``2026-01-01 to 2026-12-31``; an open side is a dot."""
    return f"{begins.isoformat() if begins else '…'} to {ends.isoformat() if ends else '…'}"


def year_of(
    lines: Iterable[BenefitLine], on: date | None, plan_begin: date | None, plan_end: date | None
) -> tuple[date | None, date | None]:
    """First and last day of the year of deductible and maximum that holds ``on``; (``None``, ``None``): not known.

    In this order: the dates of those lines themselves; the plan's dates where they are about a year; calendar years
    where the lines say so; the plan's own years, counted from its first day, where they say that.
    """
    kinds = (LineKind.DEDUCTIBLE, LineKind.OUT_OF_POCKET)
    told = [line for line in lines if line.kind in kinds and line.amount is not None]
    own = {(line.begins, line.ends) for line in told if _is_year(line.begins, line.ends, on)}
    if len(own) == 1:
        return own.pop()
    if own or on is None:
        return None, None
    if _is_year(plan_begin, plan_end, on):
        return plan_begin, plan_end
    spans = {line.span for line in told} & {Span.CALENDAR_YEAR, Span.YEAR}
    if spans == {Span.CALENDAR_YEAR}:
        return date(on.year, 1, 1), date(on.year, 12, 31)
    if spans == {Span.YEAR} and plan_begin and plan_begin <= on:
        begin = _anniversary(plan_begin, on.year)
        year = on.year if begin <= on else on.year - 1
        return _anniversary(plan_begin, year), _anniversary(plan_begin, year + 1) - timedelta(days=1)
    return None, None


def _is_year(begin: date | None, end: date | None, on: date | None) -> bool:
    """A range of up to a year, and of more than half of one: shorter ones are a month or the day asked about."""
    if begin is None or end is None or not (on is None or begin <= on <= end):
        return False
    return _LONGEST_YEAR / 2 < end - begin < _LONGEST_YEAR


def _anniversary(first: date, year: int) -> date:
    """The same day of ``year``; 29 February is 1 March in other years."""
    try:
        return first.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
