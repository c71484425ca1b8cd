"""Deductibles, out-of-pocket maximums and visit limits: a limit, and what is left of it.

A limit and what is left are two lines of an answer (time period "year" or none, and "remaining"). Neither is computed
from nothing: what is left is known when the insurer says it, when the limit is zero, or when it says what was used.
"""

from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext as _

from common.money import dollars, round_cents
from insurance.domain.benefit_lines import (
    OFFICE_VISIT,
    ORDER,
    THERAPY,
    BenefitLine,
    Level,
    LineKind,
    Span,
)
from insurance.domain.benefit_record import Record, where
from insurance.domain.benefits import Accumulator, Visits

_BASE = (Span.NOT_STATED, Span.YEAR)
_NAMES = {
    (LineKind.DEDUCTIBLE, Level.INDIVIDUAL): gettext_noop("individual deductible"),
    (LineKind.DEDUCTIBLE, Level.FAMILY): gettext_noop("family deductible"),
    (LineKind.OUT_OF_POCKET, Level.INDIVIDUAL): gettext_noop("individual out-of-pocket maximum"),
    (LineKind.OUT_OF_POCKET, Level.FAMILY): gettext_noop("family out-of-pocket maximum"),
}


def accumulator(
    lines: Iterable[BenefitLine], kind: LineKind, level: Level, record: Record, share_service: str | None
) -> Accumulator:
    """Limit and remaining of one level, from the most specific service type that gives either.

    A missing half comes from a less specific service type only where the other half is equal, which shows that it is
    the same accumulator. An accumulator of office visits counts only when the copay came from office visits
    (``share_service``). A limit of zero ends the search: for this service there is no deductible.
    """
    field_name = "deductible" if kind is LineKind.DEDUCTIBLE else "out_of_pocket"
    key = f"{field_name}.{level.value}"
    name = gettext(_NAMES[kind, level])
    of_kind = [line for line in lines if line.kind is kind and line.amount is not None and _is_level(line, level)]
    chosen = Accumulator()
    for service in ORDER:
        if service == OFFICE_VISIT and share_service != OFFICE_VISIT:
            continue
        about = record.at_place(line for line in of_kind if line.about(service))
        about = [line for line in about if line.level is level] or about
        if not about:
            continue
        first = chosen == Accumulator()
        mine = record if first else Record(record.words, record.telehealth)
        conflicts = len(mine.conflicts)
        pair = _pair(about, key, name, mine)
        if first:
            chosen = pair
        elif _same(chosen, pair):
            chosen = Accumulator(
                pair.limit if chosen.limit is None else chosen.limit,
                pair.remaining if chosen.remaining is None else chosen.remaining,
            )
            record.source = {**mine.source, **record.source}
        complete = chosen.limit is not None and chosen.remaining is not None
        if complete or (first and len(mine.conflicts) > conflicts):
            break
    if chosen.limit is not None and chosen.remaining is not None and chosen.remaining > chosen.limit:
        record.conflicts.append(
            _("The %(name)s (%(network)s) has %(left)s left of %(limit)s: what is left is not taken.")
            % {"name": name, "network": record.words, "left": dollars(chosen.remaining), "limit": dollars(chosen.limit)}
        )
        record.source.pop(f"{key}.remaining", None)
        return Accumulator(chosen.limit)
    return chosen


def _is_level(line: BenefitLine, level: Level) -> bool:
    """A line that does not say whose figure it is counts as the member's own."""
    return line.level is level or (level is Level.INDIVIDUAL and line.level is Level.NOT_STATED)


def _same(one: Accumulator, other: Accumulator) -> bool:
    halves = ((one.limit, other.limit), (one.remaining, other.remaining))
    return any(mine is not None and mine == theirs for mine, theirs in halves)


def _pair(lines: list[BenefitLine], key: str, name: str, record: Record) -> Accumulator:
    def of(spans: tuple[Span, ...], half: str) -> Decimal | None:
        value = record.agree_on_dollars([line for line in lines if line.span in spans], f"{key}.{half}", name)
        return None if value is None else round_cents(value)

    limit = of(_BASE, "limit")
    remaining = of((Span.REMAINING,), "remaining")
    if remaining is None and limit == 0:
        remaining = limit
        record.source[f"{key}.remaining"] = record.source[f"{key}.limit"]
    elif remaining is None and limit is not None:
        used = of((Span.TO_DATE,), "remaining")
        if used is not None and used <= limit:
            remaining = limit - used
            record.source[f"{key}.remaining"] += f", {record.source[f'{key}.limit']}"
            record.notes.append(
                _("What is left of the %(name)s (%(network)s) is %(limit)s less %(used)s used so far.")
                % {"name": name, "network": record.words, "limit": dollars(limit), "used": dollars(used)}
            )
        else:
            record.source.pop(f"{key}.remaining", None)
    if (limit is not None or remaining is not None) and any(line.level is Level.NOT_STATED for line in lines):
        record.notes.append(
            _("The %(name)s (%(network)s) is not called the member's own or the family's (%(place)s).")
            % {"name": name, "network": record.words, "place": where(lines)}
        )
    return Accumulator(limit, remaining)


def visits(lines: Iterable[BenefitLine], record: Record) -> Visits:
    """The limit of therapy visits. It must name a therapy service type: a limit of the whole plan or of office visits
    is told and not used. Any limit is flagged: parity law makes it unusual (45 CFR 146.136)."""
    counting = [line for line in lines if line.visits and line.kind not in (LineKind.COPAY, LineKind.COINSURANCE)]
    for service in THERAPY:
        about = record.at_place(line for line in counting if line.about(service))
        if not about:
            continue
        limit = _count(about, _BASE, "visits.limit", _("visit limit"), record)
        left = _count(about, (Span.REMAINING,), "visits.remaining", _("number of visits left"), record)
        if left is None and limit is not None:
            used = _count(about, (Span.TO_DATE,), "visits.remaining", _("number of visits used"), record)
            if used is not None and used <= limit:
                left = limit - used
            else:
                record.source.pop("visits.remaining", None)
        if limit is not None or left is not None:
            record.notes.append(
                _("A limit of therapy visits is unusual and should be reviewed (%(place)s).") % {"place": where(about)}
            )
        return Visits(limit, left)
    record.notes.extend(
        _("A visit limit that does not name mental health is not used (%(place)s).") % {"place": line.where}
        for line in counting
    )
    return Visits()


def _count(lines: list[BenefitLine], spans: tuple[Span, ...], key: str, name: str, record: Record) -> int | None:
    counts = {
        count: line
        for line in lines
        for span, count in line.visits
        if span in spans and count >= 0 and count == count.to_integral_value()
    }
    if len(counts) == 1:
        ((count, line),) = counts.items()
        record.source[key] = line.where
        return int(count)
    if counts:
        said = "; ".join(f"{int(count)} ({line.where})" for count, line in counts.items())
        record.conflicts.append(
            _("The insurer gives more than one %(name)s (%(network)s): %(figures)s. None is taken.")
            % {"name": name, "network": record.words, "figures": said}
        )
    return None
