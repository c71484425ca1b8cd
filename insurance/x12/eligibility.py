"""What the eligibility inquiry (270) and its answer (271) share: names, members, traces, dates and the HL levels.

Element numbers are those of 005010X279A1; 004010X092A1 has the same places for everything read here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from insurance.x12 import values
from insurance.x12.segments import Finding, Row, Segment, TransactionSet, X12Error, clean

VERSION = "005010X279A1"

PAYER, PROVIDER, SUBSCRIBER, DEPENDENT = "20", "21", "22", "23"
"""HL03: the four levels of an inquiry and of its answer."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A PER: who to ask for, and (qualifier, number) pairs: ``TE`` telephone, ``EM`` e-mail, ``UR`` web page."""

    name: str = ""
    numbers: tuple[tuple[str, str], ...] = ()

    @property
    def telephone(self) -> str:
        return next((number for kind, number in self.numbers if kind == "TE"), "")


@dataclass(frozen=True, slots=True)
class Name:
    """An NM1: an organization (``last`` is its name) or a person, with an id (``qualifier`` PI, XX, MI …)."""

    entity: str
    last: str = ""
    first: str = ""
    middle: str = ""
    suffix: str = ""
    qualifier: str = ""
    id: str = ""
    person: bool = False
    contacts: tuple[Contact, ...] = ()

    @property
    def full(self) -> str:
        """First, middle, last, suffix, as written; an organization's name alone."""
        return " ".join(part for part in (self.first, self.middle, self.last, self.suffix) if part)


def payer(name: str, payer_id: str, contacts: tuple[Contact, ...] = ()) -> Name:
    """The insurer that is asked (2100A)."""
    return Name("PR", last=name, qualifier="PI", id=payer_id, contacts=contacts)


def provider(name: str, npi: str, first: str = "") -> Name:
    """The provider who asks (2100B); with a first name it is a person."""
    return Name("1P", last=name, first=first, qualifier="XX", id=npi, person=bool(first))


@dataclass(frozen=True, slots=True)
class Reference:
    """A REF: ``6P`` group number, ``18`` plan number, ``1W`` member id, ``IG`` policy number … and its value."""

    qualifier: str
    value: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """A DTP: what the dates mean (``291`` plan, ``346``/``347`` plan begin/end, ``290`` coordination …) and the days.

    ``single`` tells one day (D8) from a range (RD8); a day that could not be read is ``None``.
    """

    qualifier: str
    first: date | None
    last: date | None
    single: bool = True
    where: str = field(default="", compare=False)


def on_day(qualifier: str, day: date) -> Period:
    """One day: ``on_day("346", date(2026, 1, 1))``."""
    return Period(qualifier, day, day)


def between(qualifier: str, first: date, last: date) -> Period:
    """A range of days, both inside."""
    return Period(qualifier, first, last, single=False)


@dataclass(frozen=True, slots=True)
class Trace:
    """A TRN: kind ``1`` (the writer's own) or ``2`` (an echo of the asker's), number, and who made it."""

    kind: str
    number: str
    origin: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A subscriber or a dependent. ``relationship`` is INS02: ``18`` self, ``01`` spouse, ``19`` child."""

    last: str
    first: str = ""
    middle: str = ""
    suffix: str = ""
    member_id: str = ""
    born: date | None = None
    gender: str = ""
    relationship: str = ""
    references: tuple[Reference, ...] = ()

    @property
    def full(self) -> str:
        return " ".join(part for part in (self.first, self.middle, self.last, self.suffix) if part)


# Reading


@dataclass(slots=True)
class Level:
    """The segments of one HL. ``code`` is HL03; empty for what stands before the first HL (BHT, a stray AAA)."""

    code: str
    where: str
    segments: list[Segment] = field(default_factory=list)


_IMPLIED = {"PR": PAYER, "1P": PROVIDER, "IL": SUBSCRIBER, "03": DEPENDENT, "QC": DEPENDENT}


def levels(transaction: TransactionSet) -> Iterator[Level]:
    """Cut a transaction at its HLs. Ids and parents are not relied on: the order of levels says everything.

    A transaction without any HL is cut at the NM1s that name payer, provider, subscriber and dependent.
    """
    has_levels = any(segment.id == "HL" for segment in transaction.segments)
    if not has_levels:
        transaction.findings.append(Finding(transaction.first.where, "there is no HL: levels are taken from the names"))
    current = Level("", transaction.first.where)
    seen: set[str] = set()
    inside_loop = False
    for segment in transaction.segments:
        if segment.id == "HL":
            yield current
            number = segment.get(1)
            if not number:
                transaction.findings.append(Finding(segment.where, "the HL has no number (HL01)"))
            elif number in seen:
                transaction.findings.append(Finding(segment.where, f"HL01 {number!r} is used twice"))
            seen.add(number)
            if segment.get(3) not in (PAYER, PROVIDER, SUBSCRIBER, DEPENDENT):
                transaction.findings.append(Finding(segment.where, f"HL03 {segment.get(3)!r} is no level of this set"))
            current = Level(segment.get(3), segment.where)
            continue
        if segment.id in ("LS", "LE"):
            inside_loop = segment.id == "LS"
        implied = _IMPLIED.get(segment.get(1)) if segment.id == "NM1" and not inside_loop else None
        if not has_levels and implied:
            yield current
            current = Level(implied, segment.where)
        current.segments.append(segment)
    yield current


def read_name(segment: Segment) -> Name:
    """An NM1."""
    return Name(
        entity=segment.get(1),
        last=segment.get(3),
        first=segment.get(4),
        middle=segment.get(5),
        suffix=segment.get(7),
        qualifier=segment.get(8),
        id=segment.get(9),
        person=segment.get(2) == "1",
    )


def read_contact(segment: Segment) -> Contact:
    """A PER with up to three numbers."""
    numbers = tuple((segment.get(i), segment.get(i + 1)) for i in (3, 5, 7) if segment.get(i + 1))
    return Contact(segment.get(2), numbers)


def read_reference(segment: Segment) -> Reference:
    """A REF."""
    return Reference(segment.get(1), segment.get(2), segment.get(3))


def read_trace(segment: Segment) -> Trace:
    """A TRN."""
    return Trace(segment.get(1), segment.get(2), segment.get(3), segment.get(4))


def read_period(segment: Segment, findings: list[Finding]) -> Period:
    """A DTP; a day that is none becomes ``None`` and a finding."""
    first, last = values.period(segment.get(2), segment.get(3))
    if first is None or last is None:
        findings.append(Finding(segment.where, f"DTP03 {segment.get(3)[:40]!r} is not a date or a range of dates"))
    return Period(segment.get(1), first, last, single=segment.get(2) != "RD8", where=segment.where)


def read_born(segment: Segment, findings: list[Finding]) -> date | None:
    """DMG02, the date of birth."""
    born = values.day(segment.get(2))
    if born is None and segment.get(2):
        findings.append(Finding(segment.where, f"DMG02 {segment.get(2)[:40]!r} is not a date"))
    return born


def read_number(segment: Segment, index: int, findings: list[Finding]) -> Decimal | None:
    """A decimal element; one that is no plain number is not known, and a finding."""
    try:
        value = values.amount(segment, index)
    except X12Error as error:
        findings.append(Finding(error.where, str(error)))
        return None
    if value is not None:
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or not -6 <= exponent <= 0:
            findings.append(Finding(segment.where, f"{segment.id}{index:02d} is not a plain decimal number"))
            return None
    return value


# Writing


def name_row(name: Name) -> Row:
    """An NM1, cleaned of characters that X12 reserves; an id that has none left is not named (NM108 needs NM109)."""
    identifier = clean(name.id)
    return (
        "NM1",
        name.entity,
        "1" if name.person else "2",
        clean(name.last),
        clean(name.first),
        clean(name.middle),
        "",
        clean(name.suffix),
        name.qualifier if identifier else "",
        identifier,
    )


def contact_row(contact: Contact) -> Row:
    """A PER."""
    numbers = [clean(part) for pair in contact.numbers[:3] for part in pair]
    return ("PER", "IC", clean(contact.name), *numbers)


def reference_row(reference: Reference) -> Row:
    """A REF."""
    return ("REF", reference.qualifier, clean(reference.value), clean(reference.text))


def trace_row(trace: Trace) -> Row:
    """A TRN."""
    return ("TRN", trace.kind, clean(trace.number), clean(trace.origin), clean(trace.detail))


def period_row(period: Period) -> Row:
    """A DTP. Raises ``ValueError`` for a period without its days: there is nothing to say."""
    if period.first is None or period.last is None:
        raise ValueError(f"DTP {period.qualifier} has no date")
    first = values.write_day(period.first)
    if period.single:
        return ("DTP", period.qualifier, "D8", first)
    return ("DTP", period.qualifier, "RD8", f"{first}-{values.write_day(period.last)}")


def member_rows(member: Member, entity: str) -> list[Row]:
    """The rows that say who a member is: NM1, REFs and DMG (``entity`` IL for a subscriber, 03 for a dependent)."""
    name = Name(
        entity,
        member.last,
        member.first,
        member.middle,
        member.suffix,
        "MI" if member.member_id else "",
        member.member_id,
        person=True,
    )
    rows: list[Row] = [name_row(name)]
    rows.extend(reference_row(reference) for reference in member.references)
    if member.born is not None or member.gender:
        rows.append(
            (
                "DMG",
                "D8" if member.born else "",
                values.write_day(member.born) if member.born else "",
                clean(member.gender),
            )
        )
    return rows


def relationship_row(member: Member, *, subscriber: bool) -> list[Row]:
    """The INS, where the relationship is known."""
    return [("INS", "Y" if subscriber else "N", member.relationship)] if member.relationship else []


def repeated(codes: Sequence[str], separator: str = "^") -> str:
    """Codes of a repeating element, joined."""
    return separator.join(clean(code) for code in codes)
