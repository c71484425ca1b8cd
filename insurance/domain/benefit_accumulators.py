"""Deductibles, out-of-pocket maximums and visit limits: a limit, and what is left of it.

A limit and what is left are two lines of an answer (time period "year" or none, and "remaining"). Neither is computed
from nothing: what is left is known when the insurer says it, when the limit is zero, or when it says what was used.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext as _

from common.money import dollars, round_cents
from insurance.domain.benefit_lines import (
    BASE_SPANS,
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
    record.notes.extend(
        _("The %(name)s (%(network)s) is not for a year: not used (%(place)s).")
        % {"name": name, "network": record.words, "place": line.where}
        for line in of_kind
        if line.span not in (*BASE_SPANS, Span.REMAINING, Span.TO_DATE)
    )
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
        mine.service = service
        disputed = len(mine.disputed)
        pair = _pair(about, key, name, mine)
        if first:
            chosen = pair
        elif _same(chosen, pair):
            chosen = Accumulator(
                pair.limit if chosen.limit is None else chosen.limit,
                pair.remaining if chosen.remaining is None else chosen.remaining,
            )
            record.source = {**mine.source, **record.source}
            record.basis = {**mine.basis, **record.basis}
        complete = chosen.limit is not None and chosen.remaining is not None
        if complete or (first and len(mine.disputed) > disputed):
            break
    if chosen.limit is not None and chosen.remaining is not None and chosen.remaining > chosen.limit:
        record.dispute(
            f"{key}.remaining",
            _("The %(name)s (%(network)s) has %(left)s left of %(limit)s: what is left is not taken.")
            % {
                "name": name,
                "network": record.words,
                "left": dollars(chosen.remaining),
                "limit": dollars(chosen.limit),
            },
        )
        record.forget(f"{key}.remaining")
        return Accumulator(chosen.limit)
    return chosen


def _is_level(line: BenefitLine, level: Level) -> bool:
    """A line that does not say whose figure it is counts as the member's own."""
    return line.level is level or (level is Level.INDIVIDUAL and line.level is Level.NOT_STATED)


def _same(one: Accumulator, other: Accumulator) -> bool:
    halves = ((one.limit, other.limit), (one.remaining, other.remaining))
    return any(mine is not None and mine == theirs for mine, theirs in halves)


def _pair(lines: list[BenefitLine], key: str, name: str, record: Record) -> Accumulator:
    def of(spans: tuple[Span, ...], half: str, what: str = name) -> Decimal | None:
        value = record.agree_on_dollars([line for line in lines if line.span in spans], f"{key}.{half}", what)
        return None if value is None else round_cents(value)

    limit = of(BASE_SPANS, "limit")
    remaining = of((Span.REMAINING,), "remaining", _("amount left of the %(name)s") % {"name": name})
    if remaining is None and limit is not None:
        remaining = _worked_out(lines, limit, key, name, record)
    if (limit is not None or remaining is not None) and any(line.level is Level.NOT_STATED for line in lines):
        record.notes.append(
            _("The %(name)s (%(network)s) is not called the member's own or the family's (%(place)s).")
            % {"name": name, "network": record.words, "place": where(lines)}
        )
    return Accumulator(limit, remaining)


def _worked_out(lines: list[BenefitLine], limit: Decimal, key: str, name: str, record: Record) -> Decimal | None:
    """What is left of ``limit`` where no line, or more than one, says it: nothing of zero, or the limit less what was
    used. Of two amounts left, the one that what was used agrees with is taken."""
    half = f"{key}.remaining"
    conflict = record.disputed.get(half)
    if limit == 0 and conflict is None:
        record.source[half], record.basis[half] = record.source[f"{key}.limit"], record.basis[f"{key}.limit"]
        return limit
    aside = Record(record.words, record.telehealth, record.service)
    spent = [line for line in lines if line.span is Span.TO_DATE]
    used = aside.agree_on_dollars(spent, half, name)
    if used is None:
        record.conflicts += aside.conflicts
        record.disputed = {**aside.disputed, **record.disputed}
        return None
    left = round_cents(limit - used)
    subject = {"name": name, "network": record.words, "limit": dollars(limit), "used": dollars(used)}
    if left < 0:
        message = _("The %(name)s (%(network)s) has %(used)s used of %(limit)s: what is left is not known.")
        record.dispute(half, message % subject)
        return None
    told = [line for line in lines if line.span is Span.REMAINING and line.amount == left]
    if conflict is not None:
        if not told:
            return None
        record.conflicts.remove(conflict)
        del record.disputed[half]
        message = _(
            "Of the amounts left of the %(name)s (%(network)s), %(left)s is taken: %(used)s of %(limit)s is used."
        )
        record.notes.append(message % {**subject, "left": dollars(left)})
        record.found(half, told)
        return left
    record.source[half] = f"{where(spent)}, {record.source[f'{key}.limit']}"
    record.basis[half] = aside.basis[half]
    message = _("What is left of the %(name)s (%(network)s) is %(limit)s less %(used)s used so far.")
    record.notes.append(message % subject)
    return left


_SAYS_VISITS = re.compile(r"\b\d{1,3} (OUTPATIENT |THERAPY |OFFICE |COVERED |MENTAL HEALTH )*(VISITS?|SESSIONS?)\b")
_NO_LIMIT = Decimal(999)


def visits(lines: Iterable[BenefitLine], record: Record) -> Visits:
    """The limit of therapy visits. It must name a therapy service type: a limit of the whole plan or of office visits
    is told and not used. Any limit is flagged: parity law makes it unusual (45 CFR 146.136). A limit that is only
    written in a sentence is told, never counted."""
    lines = tuple(lines)
    for line in lines:
        written = [message for message in line.messages if _SAYS_VISITS.search(message.upper())]
        if written and not line.visits and set(line.services) & {*THERAPY, OFFICE_VISIT}:
            record.notes.append(
                _("A sentence speaks of a number of visits; it is not counted (%(place)s): “%(message)s”.")
                % {"place": line.where, "message": written[0]}
            )
    counting = [line for line in lines if line.visits and line.kind not in (LineKind.COPAY, LineKind.COINSURANCE)]
    counts = [counted for line in counting for counted in _counts(line, record)]
    for service in THERAPY:
        about = record.at_place(line for line in counts if line.about(service))
        if not about:
            continue
        record.service = service
        limit = _count(about, BASE_SPANS, "visits.limit", _("visit limit"), record)
        left = _count(about, (Span.REMAINING,), "visits.remaining", _("number of visits left"), record)
        if left is None and limit is not None and "visits.remaining" not in record.disputed:
            left = _unused(about, limit, record)
        if limit is not None and left is not None and left > limit:
            message = _("There are %(left)s visits left of %(limit)s (%(network)s): what is left is not taken.")
            subject = {"left": left, "limit": limit, "network": record.words}
            record.dispute("visits.remaining", message % subject)
            record.forget("visits.remaining")
            left = None
        if limit is not None or left is not None:
            record.notes.append(
                _("A limit of therapy visits is unusual and should be reviewed (%(place)s).") % {"place": where(about)}
            )
        return Visits(limit, left)
    record.notes.extend(
        _("A visit limit that does not name mental health is not used (%(place)s).") % {"place": line.where}
        for line in counting
        if not line.about_therapy
    )
    return Visits()


def _counts(line: BenefitLine, record: Record) -> Iterator[BenefitLine]:
    """One line for each count of ``line`` that can be a limit of a year; the others are told."""
    for span, count in line.visits:
        if count < 0 or count != count.to_integral_value() or count >= _NO_LIMIT:
            reason = _("%(count)s is no number of visits") % {"count": f"{count:f}"}
        elif span not in (*BASE_SPANS, Span.REMAINING, Span.TO_DATE):
            reason = _("it is not for a year")
        else:
            yield replace(line, visits=((span, count),))
            continue
        if line.about_therapy:
            record.notes.append(
                _("A number of visits is not used: %(reason)s (%(place)s).") % {"reason": reason, "place": line.where}
            )


def _unused(lines: list[BenefitLine], limit: int, record: Record) -> int | None:
    """The limit less the visits used, where the answer counts them."""
    key = "visits.remaining"
    used = _count(lines, (Span.TO_DATE,), key, _("number of visits used"), record)
    if used is None:
        return None
    if used > limit:
        message = _("%(used)s visits of %(limit)s are used (%(network)s): what is left is not known.")
        record.dispute(key, message % {"used": used, "limit": limit, "network": record.words})
        record.forget(key)
        return None
    record.source[key] += f", {record.source['visits.limit']}"
    return limit - used


def _count(lines: list[BenefitLine], spans: tuple[Span, ...], key: str, name: str, record: Record) -> int | None:
    count = record.agree_on_count([line for line in lines if line.visits[0][0] in spans], key, name)
    return None if count is None else int(count)
