"""Our own rules for a 270 that we send, as the validator we use for other sets has no map of it.

What a 005010X279A1 inquiry must hold for an insurer to find the member and answer; each rule names its element. A fault
is a :class:`~insurance.x12.segments.Finding`; no fault, an empty tuple.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from insurance.x12 import eligibility as shared
from insurance.x12 import values
from insurance.x12.segments import Finding, Segment, TransactionSet, transactions_of
from insurance.x12.x270 import DEPENDENTS

_PARENTS = {shared.PROVIDER: shared.PAYER, shared.SUBSCRIBER: shared.PROVIDER, shared.DEPENDENT: shared.SUBSCRIBER}
_NAMED = {
    shared.PAYER: ("PR", "2B", "36", "GP", "P5"),
    shared.PROVIDER: ("1P", "2B", "36", "80", "FA", "GP", "P5", "PR"),
    shared.SUBSCRIBER: ("IL",),
    shared.DEPENDENT: ("03",),
}
"""HL03 and the NM101s that may stand below it."""

_LONGEST = {
    ("BHT", 3): 50, ("NM1", 3): 60, ("NM1", 4): 35, ("NM1", 5): 25, ("NM1", 7): 10, ("NM1", 9): 80, ("TRN", 2): 50,
    ("TRN", 4): 50, ("REF", 2): 50,
}  # fmt: skip
_ALLOWED = re.compile(r"[A-Z0-9a-z !\"&'()*+,\-./:;?=%@\[\]_{}\\|<>~#$^]*")
_SERVICE = re.compile(r"[0-9]{1,2}|[A-Z][A-Z0-9]")
_FURTHEST_BACK = timedelta(days=366)
"""An insurer must answer for the twelve months before the day it is asked."""


def faults(raw: bytes, *, several_services: bool = False) -> tuple[Finding, ...]:
    """What is wrong with the 270s of ``raw``; empty when nothing is.

    ``several_services``: the insurer answers more than one service type at once, which many do not. Raises
    :class:`~insurance.x12.segments.X12Error` when the file cannot be read at all.
    """
    found: list[Finding] = []
    seen: dict[str, str] = {}
    for transaction in transactions_of(raw, found):
        found += _transaction(transaction, several_services=several_services)
        for segment in transaction.segments:
            if segment.id == "TRN" and segment.get(2) in seen:
                found.append(Finding(segment.where, f"TRN02 {segment.get(2)!r} is used by {seen[segment.get(2)]} too"))
            elif segment.id == "TRN":
                seen[segment.get(2)] = segment.where
    return tuple(found)


def _transaction(transaction: TransactionSet, *, several_services: bool) -> Iterator[Finding]:
    where = transaction.first.where
    if transaction.code != "270":
        yield Finding(where, f"ST01 is {transaction.code!r}, not 270")
    if transaction.version != shared.VERSION or transaction.first.get(3) != shared.VERSION:
        yield Finding(where, f"GS08 and ST03 must both be {shared.VERSION}")
    for segment in transaction.segments:
        yield from _elements(segment)
    head = transaction.segments[0] if transaction.segments else transaction.first
    if head.id != "BHT" or head.get(1) != "0022" or head.get(2) != "13":
        yield Finding(head.where, "the transaction must begin with BHT*0022*13, a request")
    elif not head.get(3) or values.day(head.get(4)) is None:
        yield Finding(head.where, "BHT03 (reference) and BHT04 (date) are needed")
    levels = [level for level in shared.levels(transaction) if level.code]
    yield from transaction.findings
    yield from _hierarchy(transaction)
    for index, level in enumerate(levels):
        names = [segment for segment in level.segments if segment.id == "NM1"]
        if len(names) != 1 or names[0].get(1) not in _NAMED.get(level.code, ()):
            yield Finding(level.where, f"level {level.code} must name one party of its kind (NM1)")
            continue
        if level.code in (shared.SUBSCRIBER, shared.DEPENDENT):
            followed = index + 1 < len(levels) and levels[index + 1].code == shared.DEPENDENT
            asks = level.code == shared.DEPENDENT or not followed
            yield from _person(level, names[0], head, asks=asks, several_services=several_services)
        else:
            yield from _organization(level.code, names[0])
    if not any(level.code == shared.SUBSCRIBER for level in levels):
        yield Finding(where, "nobody is asked about: there is no subscriber")


def _elements(segment: Segment) -> Iterator[Finding]:
    """Lengths and characters that the guide allows."""
    for index in range(1, len(segment.elements)):
        text = segment.get(index)
        longest = _LONGEST.get((segment.id, index))
        if longest is not None and len(text) > longest:
            yield Finding(segment.where, f"{segment.id}{index:02d} is longer than {longest} characters")
        if not _ALLOWED.fullmatch(text):
            yield Finding(segment.where, f"{segment.id}{index:02d} holds a character that X12 does not have")


def _hierarchy(transaction: TransactionSet) -> Iterator[Finding]:
    """HL01 counts from 1, HL02 names the level above, HL04 says whether there is one below."""
    rows = [segment for segment in transaction.segments if segment.id == "HL"]
    newest: dict[str, str] = {}
    parents = {row.get(2) for row in rows}
    for number, row in enumerate(rows, 1):
        code = row.get(3)
        if row.get(1) != str(number):
            yield Finding(row.where, f"HL01 is {row.get(1)!r}, this is level number {number}")
        above = newest.get(_PARENTS.get(code, ""), "")
        if row.get(2) != above or (code != shared.PAYER and not above):
            yield Finding(row.where, f"HL02 is {row.get(2)!r}, the level above is {above!r}")
        if row.get(4) != ("1" if row.get(1) in parents else "0"):
            yield Finding(row.where, f"HL04 is {row.get(4)!r}, which is not whether a level follows below")
        newest[code] = row.get(1)


def _organization(code: str, name: Segment) -> Iterator[Finding]:
    who = "payer" if code == shared.PAYER else "provider"
    if not name.get(3):
        yield Finding(name.where, f"NM103: the {who} has no name")
    if not name.get(8) or not name.get(9):
        yield Finding(name.where, f"NM108 and NM109: the {who} has no id")
    elif name.get(8) == "XX" and not values.is_npi(name.get(9)):
        yield Finding(name.where, f"NM109 {name.get(9)!r} is no NPI: its check digit is wrong")


def _person(
    level: shared.Level, name: Segment, head: Segment, *, asks: bool, several_services: bool
) -> Iterator[Finding]:
    of = {key: [segment for segment in level.segments if segment.id == key] for key in ("TRN", "DMG", "DTP", "EQ")}
    born = values.day(of["DMG"][0].get(2)) if of["DMG"] else None
    dependent = level.code == shared.DEPENDENT
    if name.get(2) != "1" or not name.get(3):
        yield Finding(name.where, "NM102 and NM103: a member is a person with a last name")
    if dependent and name.get(9):
        yield Finding(name.where, "NM109: a dependent has no id; who has one is asked about as a subscriber")
    if not dependent and (name.get(8) != "MI" or not name.get(9)):
        yield Finding(name.where, "NM108 and NM109: the subscriber has no member id (MI)")
    if asks and not (name.get(4) and born):
        yield Finding(name.where, "the first name and the date of birth are needed to find the member")
    for segment in of["DMG"]:
        if segment.get(1) != "D8" or born is None:
            yield Finding(segment.where, "DMG01 and DMG02: the date of birth is not a date of the form D8")
        if segment.get(3) not in ("", "F", "M"):
            yield Finding(segment.where, f"DMG03 {segment.get(3)!r}: a question knows F and M only")
    yield from _relationship(level, dependent=dependent)
    if not asks:
        for segment in (*of["TRN"], *of["EQ"]):
            yield Finding(segment.where, f"{segment.id} belongs to the dependent who is asked about")
        return
    if not of["TRN"]:
        yield Finding(level.where, "there is no trace (TRN) by which the answer would be known")
    for segment in of["TRN"]:
        if segment.get(1) != "1" or not segment.get(2) or not re.fullmatch(r"[139][A-Za-z0-9]{9}", segment.get(3)):
            yield Finding(
                segment.where, "TRN: kind 1, a number, and ten characters that begin with 1, 3 or 9 are needed"
            )
    yield from _services(level, of["EQ"], several=several_services)
    yield from _day(of["DTP"], head, born)


def _relationship(level: shared.Level, *, dependent: bool) -> Iterator[Finding]:
    for segment in level.segments:
        if segment.id != "INS":
            continue
        expected = ("N", DEPENDENTS) if dependent else ("Y", ("18",))
        if segment.get(1) != expected[0] or segment.get(2) not in expected[1]:
            yield Finding(segment.where, f"INS: {segment.get(1)}*{segment.get(2)} is not how this person is related")


def _services(level: shared.Level, asked: list[Segment], *, several: bool) -> Iterator[Finding]:
    codes = [code for segment in asked for code in segment.repeats(1) if code]
    if not codes:
        yield Finding(level.where, "no service type is asked about (EQ)")
    for code in codes:
        if not _SERVICE.fullmatch(code):
            yield Finding(level.where, f"EQ01 {code!r} has not the form of a service type")
    if len(codes) != len(set(codes)):
        yield Finding(level.where, "EQ01: a service type is asked about twice")
    if len(codes) > 1 and not several:
        yield Finding(level.where, "EQ01: one service type in each question, unless the insurer answers several")


def _day(asked: list[Segment], head: Segment, born: date | None) -> Iterator[Finding]:
    sent = values.day(head.get(4))
    for segment in asked:
        first, last = values.period(segment.get(2), segment.get(3))
        if segment.get(1) not in ("291", "307", "472") or first is None or last is None or last < first:
            yield Finding(segment.where, "DTP: the day asked about is not a date, or a range, of kind 291")
            continue
        if born is not None and first < born:
            yield Finding(segment.where, "DTP03: the day asked about is before the date of birth")
        if sent is not None and first < sent - _FURTHEST_BACK:
            yield Finding(segment.where, "DTP03: no insurer must answer for a day more than a year ago")
