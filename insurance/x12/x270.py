"""270: the question to an insurer whether a member is covered, for what and at what share (005010X279A1)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from insurance.x12 import eligibility as shared
from insurance.x12 import values
from insurance.x12.eligibility import Member, Name, Period, Trace
from insurance.x12.segments import (
    Finding,
    Party,
    Row,
    TransactionSet,
    X12Error,
    clean,
    transactions_of,
    write_interchange,
)

DEPENDENTS = ("01", "19", "34")
"""INS02 of a dependent in a question: spouse, child, other adult. Any other relationship is left out."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question about one patient: the dependent when there is one, else the subscriber.

    ``trace`` comes back in the answer's TRN. ``service_types`` are X12 service type codes (``MH``, ``98``, ``30``);
    ``on`` is the day asked about (``through`` its last day when it is a range). ``reference`` is BHT03; empty, the
    trace is used. ``where`` names the segment it was read from.
    """

    trace: str
    payer: Name
    provider: Name
    subscriber: Member
    service_types: tuple[str, ...] = ("30",)
    on: date | None = None
    through: date | None = None
    dependent: Member | None = None
    trace_origin: str = ""
    reference: str = ""
    asked: date | None = field(default=None, compare=False)
    where: str = field(default="", compare=False)

    @property
    def patient(self) -> Member:
        return self.dependent or self.subscriber


@dataclass(frozen=True, slots=True)
class Inquiries:
    """What one file asks, who sent it to whom (ISA06, ISA08), and the faults that were tolerated."""

    inquiries: tuple[Inquiry, ...]
    findings: tuple[Finding, ...]
    sender: str
    receiver: str
    control_number: str


def read(raw: bytes) -> Inquiries:
    """Every inquiry of the file, in order. Raises :class:`X12Error` when it cannot be read or is no 270."""
    findings: list[Finding] = []
    inquiries: list[Inquiry] = []
    last: TransactionSet | None = None
    for transaction in transactions_of(raw, findings):
        if transaction.code != "270":
            raise X12Error(f"this transaction is {transaction.code!r}, not a 270", transaction.first.where)
        envelope = len(transaction.findings)
        inquiries.extend(_inquiries(transaction))
        findings.extend(transaction.findings[envelope:])
        last = transaction
    if last is None:
        raise X12Error("there is no transaction (ST) in the file", "end of file")
    return Inquiries(
        tuple(inquiries),
        tuple(findings),
        last.sender.strip(),
        last.receiver.strip(),
        last.interchange_control_number,
    )


@dataclass(slots=True)
class _Part:
    """What one subscriber or dependent level says."""

    where: str
    member: Member | None = None
    traces: list[Trace] = field(default_factory=list)
    periods: list[Period] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    asks: bool = False


def _inquiries(transaction: TransactionSet) -> Iterator[Inquiry]:
    findings = transaction.findings
    head = next((segment for segment in transaction.segments if segment.id == "BHT"), None)
    reference = head.get(3) if head else ""
    asked = values.day(head.get(4)) if head else None
    payer, provider = Name("PR"), Name("1P")
    subscriber: _Part | None = None
    found = False

    def inquiry(part: _Part, holder: _Part, *, dependent: bool) -> Inquiry:
        traces = part.traces or holder.traces
        trace = next((trace for trace in traces if trace.kind == "1"), traces[0] if traces else Trace("1", ""))
        days = next((p for p in (*part.periods, *holder.periods) if p.qualifier in ("291", "472", "307")), None)
        if not part.services:
            findings.append(Finding(part.where, "the inquiry names no service type (EQ)"))
        return Inquiry(
            trace=trace.number,
            payer=payer,
            provider=provider,
            subscriber=holder.member or Member(""),
            service_types=tuple(dict.fromkeys(part.services)),
            on=days.first if days else None,
            through=days.last if days and not days.single else None,
            dependent=part.member or Member("") if dependent else None,
            trace_origin=trace.origin,
            reference=reference,
            asked=asked,
            where=part.where,
        )

    open_subscriber: _Part | None = None
    for level in shared.levels(transaction):
        if open_subscriber is not None and (level.code != shared.DEPENDENT or open_subscriber.asks):
            yield inquiry(open_subscriber, open_subscriber, dependent=False)
            open_subscriber, found = None, True
        name = next((segment for segment in level.segments if segment.id == "NM1"), None)
        match level.code:
            case shared.PAYER:
                payer = shared.read_name(name) if name else Name("PR")
            case shared.PROVIDER:
                provider = shared.read_name(name) if name else Name("1P")
            case shared.SUBSCRIBER:
                subscriber = open_subscriber = _part(level, findings)
            case shared.DEPENDENT:
                part = _part(level, findings)
                if subscriber is None:
                    findings.append(Finding(level.where, "a dependent without a subscriber"))
                yield inquiry(part, subscriber or _Part(level.where), dependent=True)
                open_subscriber, found = None, True
    if open_subscriber is not None:
        yield inquiry(open_subscriber, open_subscriber, dependent=False)
        found = True
    if not found:
        findings.append(Finding(transaction.first.where, "the transaction asks about nobody"))


def _part(level: shared.Level, findings: list[Finding]) -> _Part:
    part = _Part(level.where)
    name: Name | None = None
    born: date | None = None
    gender = relationship = ""
    references: list[shared.Reference] = []
    for segment in level.segments:
        match segment.id:
            case "NM1" if name is None:
                name = shared.read_name(segment)
                part.where = segment.where
            case "TRN":
                part.traces.append(shared.read_trace(segment))
            case "DMG":
                born, gender = shared.read_born(segment, findings), segment.get(3)
            case "INS":
                relationship = segment.get(2)
            case "REF":
                references.append(shared.read_reference(segment))
            case "DTP":
                part.periods.append(shared.read_period(segment, findings))
            case "EQ":
                part.asks = True
                part.services.extend(code for code in segment.repeats(1) if code)
    if name is not None:
        part.member = Member(
            name.last, name.first, name.middle, name.suffix, name.id, born, gender, relationship, tuple(references)
        )
    else:
        findings.append(Finding(level.where, "the level names nobody (NM1)"))
    return part


def build(
    inquiries: Iterable[Inquiry],
    *,
    sender: Party,
    receiver: Party,
    control_number: int,
    at: datetime,
    production: bool = False,
) -> bytes:
    """One interchange with one ST for each inquiry (real time takes exactly one inquiry).

    ``at`` is the wall-clock time of sending. Raises ``ValueError`` for an inquiry without a trace, a service type or
    an id of its payer: no insurer would answer it.
    """
    return write_interchange(
        functional_id="HS",
        version=shared.VERSION,
        transactions=[("270", _rows(inquiry, sender, at)) for inquiry in inquiries],
        sender=sender,
        receiver=receiver,
        control_number=control_number,
        at=at,
        production=production,
    )


def _rows(inquiry: Inquiry, sender: Party, at: datetime) -> list[Row]:
    if not inquiry.trace or not inquiry.service_types or not inquiry.payer.id:
        raise ValueError("an inquiry needs a trace, a service type and the payer's id")
    origin = inquiry.trace_origin or f"9{clean(sender.identifier)}".ljust(10, "0")[:10]
    trace = shared.trace_row(Trace("1", inquiry.trace, origin))
    asked: list[Row] = []
    if inquiry.on is not None:
        through = inquiry.through or inquiry.on
        asked.append(shared.period_row(Period("291", inquiry.on, through, single=inquiry.through is None)))
    asked.append(("EQ", shared.repeated(inquiry.service_types)))
    rows: list[Row] = [
        ("BHT", "0022", "13", clean(inquiry.reference or inquiry.trace), at.strftime("%Y%m%d"), at.strftime("%H%M")),
        ("HL", "1", "", shared.PAYER, "1"),
        shared.name_row(inquiry.payer),
        ("HL", "2", "1", shared.PROVIDER, "1"),
        shared.name_row(inquiry.provider),
        ("HL", "3", "2", shared.SUBSCRIBER, "1" if inquiry.dependent else "0"),
    ]
    if inquiry.dependent is None:
        rows.append(trace)
    rows.extend(shared.member_rows(inquiry.subscriber, "IL"))
    rows.extend(shared.relationship_row(inquiry.subscriber, subscriber=True))
    if inquiry.dependent is not None:
        rows.extend((("HL", "4", "3", shared.DEPENDENT, "0"), trace))
        rows.extend(shared.member_rows(inquiry.dependent, "03"))
        if inquiry.dependent.relationship in DEPENDENTS:
            rows.extend(shared.relationship_row(inquiry.dependent, subscriber=False))
    rows.extend(asked)
    return rows


def describe(raw: bytes) -> dict[str, object]:
    """What the file asks, for ``manage.py read_edi``: ``{"type", "errors", "inquiries": [...]}``."""
    reading = read(raw)
    return {
        "type": "270",
        "errors": [{"where": finding.where, "message": finding.message} for finding in reading.findings],
        "inquiries": [
            {
                "trace": inquiry.trace or None,
                "payer": inquiry.payer.full or inquiry.payer.id or None,
                "provider": inquiry.provider.full or None,
                "npi": inquiry.provider.id if inquiry.provider.qualifier == "XX" else None,
                "member_id": inquiry.patient.member_id or inquiry.subscriber.member_id or None,
                "subscriber": inquiry.subscriber.full or None,
                "patient": inquiry.patient.full or None,
                "born": inquiry.patient.born.isoformat() if inquiry.patient.born else None,
                "service_types": list(inquiry.service_types),
                "date": inquiry.on.isoformat() if inquiry.on else None,
                "through": inquiry.through.isoformat() if inquiry.through else None,
            }
            for inquiry in reading.inquiries
        ],
    }
