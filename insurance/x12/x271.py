"""271: an insurer's answer about a member's coverage and benefits (005010X279A1).

:func:`read` keeps what the insurer said, segment by segment; :func:`~insurance.x12.x271_benefits.benefits_of` chooses
from it what matters for a therapy session.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from insurance.x12 import eligibility as shared
from insurance.x12 import rejections, values
from insurance.x12.eligibility import Contact, Member, Name, Period, Reference, Trace
from insurance.x12.segments import (
    Finding,
    Party,
    Row,
    Segment,
    TransactionSet,
    X12Error,
    clean,
    composite,
    transactions_of,
    write_interchange,
)
from insurance.x12.x271_benefits import describe_response


@dataclass(frozen=True, slots=True)
class Rejection:
    """An AAA. ``loop`` is where it stands (``2000A`` … ``2110D``); an AAA never means inactive."""

    loop: str
    code: str
    follow_up: str = ""
    where: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        return rejections.text(self.loop, self.code)

    @property
    def cause(self) -> rejections.Cause:
        return rejections.cause(self.loop, self.code)

    @property
    def advice(self) -> rejections.Advice:
        return rejections.advice(self.loop, self.code, self.follow_up)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An HSD: a quantity (``unit`` VS visits, DY days) per ``period`` (codes as EB06: 23 a calendar year, 29 left)."""

    unit: str
    quantity: Decimal | None
    period: str = ""
    periods: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Benefit:
    """An EB with everything below it (loop 2110C or 2110D), codes as sent.

    ``code`` EB01, ``level`` EB02 (IND, FAM), ``services`` EB03, ``insurance_type`` EB04, ``plan`` EB05, ``period``
    EB06, ``amount`` EB07 dollars, ``share`` EB08 the patient's share 0 to 1, ``unit``/``quantity`` EB09/EB10,
    ``authorization`` EB11, ``network`` EB12 (Y in, N out, W both, U or empty not said), ``procedure`` EB13 components.
    ``places`` are the place-of-service codes of III*ZZ, ``diagnoses`` those of III*BF and III*BK that the EB is limited
    to; ``names`` the NM1s of loop 2120.
    """

    code: str
    level: str = ""
    services: tuple[str, ...] = ()
    insurance_type: str = ""
    plan: str = ""
    period: str = ""
    amount: Decimal | None = None
    share: Decimal | None = None
    unit: str = ""
    quantity: Decimal | None = None
    authorization: str = ""
    network: str = ""
    procedure: tuple[str, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Period, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    messages: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    names: tuple[Name, ...] = ()
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Response:
    """The answer about one patient: the dependent when there is one, else the subscriber.

    ``rejections`` are those of the loops above the benefits; ``subscriber`` is ``None`` when the insurer rejected the
    inquiry before it came to anybody. ``answered`` is BHT04, ``reference`` BHT03.
    """

    traces: tuple[Trace, ...]
    payer: Name
    provider: Name
    subscriber: Member | None = None
    dependent: Member | None = None
    dates: tuple[Period, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    benefits: tuple[Benefit, ...] = ()
    reference: str = ""
    answered: date | None = field(default=None, compare=False)
    where: str = field(default="", compare=False)

    @property
    def trace(self) -> str:
        """The asker's trace number that the answer echoes (TRN01 = 2); else the first there is."""
        echo = next((trace.number for trace in self.traces if trace.kind == "2"), "")
        return echo or next((trace.number for trace in self.traces), "")

    @property
    def patient(self) -> Member | None:
        return self.dependent or self.subscriber

    @property
    def member_id(self) -> str:
        own = self.dependent.member_id if self.dependent else ""
        return own or (self.subscriber.member_id if self.subscriber else "")

    @property
    def all_rejections(self) -> tuple[Rejection, ...]:
        """Those of every loop, in the order of the file."""
        return self.rejections + tuple(rejection for benefit in self.benefits for rejection in benefit.rejections)

    @property
    def service_date(self) -> date | None:
        """The day the answer is about: what it says (472, or a single 291 or 307), else the day of the answer."""
        for qualifier in ("472", "291", "307"):
            for period in self.dates:
                if period.qualifier == qualifier and period.single and period.first:
                    return period.first
        return self.answered


@dataclass(frozen=True, slots=True)
class Responses:
    """What one file answers, who sent it to whom (ISA06, ISA08), and the faults that were tolerated."""

    responses: tuple[Response, ...]
    findings: tuple[Finding, ...]
    sender: str
    receiver: str
    control_number: str


# Reading


def read(raw: bytes) -> Responses:
    """Every answer of the file, in order. Raises :class:`X12Error` when it cannot be read or is no 271."""
    findings: list[Finding] = []
    responses: list[Response] = []
    last: TransactionSet | None = None
    for transaction in transactions_of(raw, findings):
        if transaction.code != "271":
            raise X12Error(f"this transaction is {transaction.code!r}, not a 271", transaction.first.where)
        envelope = len(transaction.findings)
        responses.extend(_responses(transaction))
        findings.extend(transaction.findings[envelope:])
        last = transaction
    if last is None:
        raise X12Error("there is no transaction (ST) in the file", "end of file")
    return Responses(
        tuple(responses),
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
    dates: list[Period] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    benefits: list[Benefit] = field(default_factory=list)


def _responses(transaction: TransactionSet) -> Iterator[Response]:
    findings = transaction.findings
    reference, answered = "", None
    payer, provider = Name("PR"), Name("1P")
    upper: dict[str, list[Rejection]] = {"": [], shared.PAYER: [], shared.PROVIDER: []}
    subscriber: _Part | None = None
    told = answered_here = False

    def response(part: _Part | None, holder: _Part | None, *, dependent: bool) -> Response:
        """``part`` is the patient's level, ``holder`` the subscriber's (the same when they are one)."""
        own = part or _Part("")
        above = holder or _Part("")
        inherits = dependent and not above.benefits
        dates = list(own.dates)
        if dependent:
            said = {period.qualifier for period in dates}
            dates += [p for p in above.dates if p.qualifier in ("291", "346", "347", "472") and p.qualifier not in said]
        return Response(
            traces=tuple(own.traces or above.traces),
            payer=payer,
            provider=provider,
            subscriber=above.member,
            dependent=own.member or Member("") if dependent else None,
            dates=tuple(dates),
            rejections=(
                *upper[""],
                *upper[shared.PAYER],
                *upper[shared.PROVIDER],
                *(above.rejections if inherits else ()),
                *own.rejections,
            ),
            benefits=tuple(own.benefits),
            reference=reference,
            answered=answered,
            where=own.where or transaction.first.where,
        )

    for level in shared.levels(transaction):
        if subscriber is not None and not told and (level.code != shared.DEPENDENT or subscriber.benefits):
            yield response(subscriber, subscriber, dependent=False)
            told = answered_here = True
        match level.code:
            case shared.PAYER:
                if upper[shared.PAYER] and not answered_here:
                    yield response(None, None, dependent=False)
                payer, upper[shared.PAYER] = _upper(level, Name("PR"), "2100A", "2000A")
                provider, upper[shared.PROVIDER], subscriber, answered_here = Name("1P"), [], None, False
            case shared.PROVIDER:
                provider, upper[shared.PROVIDER] = _upper(level, Name("1P"), "2100B", "2100B")
                subscriber = None
            case shared.SUBSCRIBER:
                subscriber, told = _member(level, findings, "C"), False
            case shared.DEPENDENT:
                part = _member(level, findings, "D")
                if subscriber is None:
                    findings.append(Finding(level.where, "a dependent without a subscriber"))
                yield response(part, subscriber, dependent=True)
                told = answered_here = True
            case "":
                for segment in level.segments:
                    if segment.id == "BHT":
                        reference, answered = segment.get(3), values.day(segment.get(4))
                    elif segment.id == "AAA":
                        upper[""].append(_rejection(segment, "2000A"))
    if subscriber is not None and not told:
        yield response(subscriber, subscriber, dependent=False)
        answered_here = True
    if not answered_here:
        if any(upper.values()):
            yield response(None, None, dependent=False)
        else:
            findings.append(Finding(transaction.first.where, "the transaction answers about nobody"))


def _upper(level: shared.Level, default: Name, loop: str, loop_before_name: str) -> tuple[Name, list[Rejection]]:
    """The name and the rejections of a payer or provider level."""
    name: Name | None = None
    contacts: list[Contact] = []
    found: list[Rejection] = []
    for segment in level.segments:
        match segment.id:
            case "NM1" if name is None:
                name = shared.read_name(segment)
            case "PER":
                contacts.append(shared.read_contact(segment))
            case "AAA":
                found.append(_rejection(segment, loop if name else loop_before_name))
    return replace(name or default, contacts=tuple(contacts)), found


def _rejection(segment: Segment, loop: str) -> Rejection:
    return Rejection(loop, segment.get(3), segment.get(4), segment.where)


def _member(level: shared.Level, findings: list[Finding], letter: str) -> _Part:
    """A subscriber (``C``) or dependent (``D``) level: who it is, then one benefit for each EB."""
    part = _Part(level.where)
    name: Name | None = None
    born: date | None = None
    gender = relationship = ""
    references: list[Reference] = []
    below: list[Segment] = []
    eb: Segment | None = None
    for segment in level.segments:
        if segment.id == "EB":
            if eb is not None:
                part.benefits.append(_benefit(eb, below, findings, letter))
            eb, below = segment, []
            continue
        if eb is not None:
            below.append(segment)
            continue
        match segment.id:
            case "NM1" if name is None:
                name = shared.read_name(segment)
                part.where = segment.where
            case "TRN":
                part.traces.append(shared.read_trace(segment))
            case "REF":
                references.append(shared.read_reference(segment))
            case "DMG":
                born, gender = shared.read_born(segment, findings), segment.get(3)
            case "INS":
                relationship = segment.get(2)
            case "DTP":
                part.dates.append(shared.read_period(segment, findings))
            case "AAA":
                part.rejections.append(_rejection(segment, f"2100{letter}"))
    if eb is not None:
        part.benefits.append(_benefit(eb, below, findings, letter))
    if name is not None:
        part.member = Member(
            name.last, name.first, name.middle, name.suffix, name.id, born, gender, relationship, tuple(references)
        )
    else:
        findings.append(Finding(level.where, "the level names nobody (NM1)"))
    return part


def _services(eb: Segment) -> tuple[str, ...]:
    """EB03; where the ISA declares no repetition separator, the usual one is still understood."""
    codes = eb.repeats(3)
    if not eb.delimiters.repetition and eb.delimiters.component != "^":
        codes = tuple(eb.get(3).split("^"))
    return tuple(dict.fromkeys(code.strip() for code in codes if code.strip()))


def _benefit(eb: Segment, below: list[Segment], findings: list[Finding], letter: str) -> Benefit:
    deliveries: list[Delivery] = []
    references: list[Reference] = []
    dates: list[Period] = []
    found: list[Rejection] = []
    messages: list[str] = []
    places: list[str] = []
    diagnoses: list[str] = []
    names: list[Name] = []
    for segment in below:
        match segment.id:
            case "HSD":
                quantity, periods = (shared.read_number(segment, index, findings) for index in (2, 6))
                deliveries.append(Delivery(segment.get(1), quantity, segment.get(5), periods))
            case "REF":
                references.append(shared.read_reference(segment))
            case "DTP":
                dates.append(shared.read_period(segment, findings))
            case "AAA":
                found.append(_rejection(segment, f"2110{letter}"))
            case "MSG":
                messages.append(segment.get(1))
            case "III":
                if segment.get(1) == "ZZ" and segment.get(2):
                    places.append(segment.get(2))
                elif segment.get(1) in ("BF", "BK") and segment.get(2):
                    diagnoses.append(segment.get(2))
                elif segment.get(4):
                    messages.append(segment.get(4))
            case "NM1":
                names.append(shared.read_name(segment))
            case "PER" if names:
                names[-1] = replace(names[-1], contacts=(*names[-1].contacts, shared.read_contact(segment)))
    amount, share, quantity = (shared.read_number(eb, index, findings) for index in (7, 8, 10))
    return Benefit(
        code=eb.get(1),
        level=eb.get(2),
        services=_services(eb),
        insurance_type=eb.get(4),
        plan=eb.get(5),
        period=eb.get(6),
        amount=amount,
        share=share,
        unit=eb.get(9),
        quantity=quantity,
        authorization=eb.get(11),
        network=eb.get(12),
        procedure=eb.components(13),
        deliveries=tuple(deliveries),
        references=tuple(references),
        dates=tuple(dates),
        rejections=tuple(found),
        messages=tuple(message for message in messages if message),
        places=tuple(places),
        diagnoses=tuple(diagnoses),
        names=tuple(names),
        where=eb.where,
    )


# Writing


def build(
    responses: Iterable[Response],
    *,
    sender: Party,
    receiver: Party,
    control_number: int,
    at: datetime,
    production: bool = False,
) -> bytes:
    """One interchange with one ST for each response. ``at`` is the wall-clock time of answering."""
    return write_interchange(
        functional_id="HB",
        version=shared.VERSION,
        transactions=[("271", _rows(response, at)) for response in responses],
        sender=sender,
        receiver=receiver,
        control_number=control_number,
        at=at,
        production=production,
    )


def _rows(response: Response, at: datetime) -> list[Row]:
    patient_loop = "2100D" if response.dependent else "2100C"
    stamp = (at.strftime("%Y%m%d"), at.strftime("%H%M"))
    rows: list[Row] = [
        ("BHT", "0022", "11", clean(response.reference or response.trace or "NONE"), *stamp),
        ("HL", "1", "", shared.PAYER, "1" if response.subscriber else "0"),
        *_aaa(response, "2000A"),
        shared.name_row(response.payer),
        *(shared.contact_row(contact) for contact in response.payer.contacts),
        *_aaa(response, "2100A"),
    ]
    if response.subscriber is None:
        return rows
    rows += [
        ("HL", "2", "1", shared.PROVIDER, "1"),
        shared.name_row(response.provider),
        *_aaa(response, "2100B"),
        ("HL", "3", "2", shared.SUBSCRIBER, "1" if response.dependent else "0"),
    ]
    traces = [shared.trace_row(trace) for trace in response.traces]
    if response.dependent is None:
        rows += traces
    rows += shared.member_rows(response.subscriber, "IL")
    rows += _aaa(response, "2100C")
    rows += shared.relationship_row(response.subscriber, subscriber=True)
    if response.dependent is not None:
        rows += [("HL", "4", "3", shared.DEPENDENT, "0"), *traces]
        rows += shared.member_rows(response.dependent, "03")
        rows += _aaa(response, patient_loop)
        rows += shared.relationship_row(response.dependent, subscriber=False)
    rows += [shared.period_row(period) for period in response.dates]
    for benefit in response.benefits:
        rows += _benefit_rows(benefit)
    return rows


def _aaa(response: Response, loop: str) -> list[Row]:
    return [_aaa_row(rejection) for rejection in response.rejections if rejection.loop == loop]


def _aaa_row(rejection: Rejection) -> Row:
    return ("AAA", "N", "", rejection.code, rejection.follow_up)


def _number(value: Decimal | None) -> str:
    return "" if value is None else values.write_amount(value)


def _benefit_rows(benefit: Benefit) -> list[Row]:
    rows: list[Row] = [
        (
            "EB",
            benefit.code,
            benefit.level,
            shared.repeated(benefit.services),
            benefit.insurance_type,
            clean(benefit.plan),
            benefit.period,
            _number(benefit.amount),
            _number(benefit.share),
            benefit.unit,
            _number(benefit.quantity),
            benefit.authorization,
            benefit.network,
            composite(*(clean(part) for part in benefit.procedure)),
        )
    ]
    rows += [
        ("HSD", item.unit, _number(item.quantity), "", "", item.period, _number(item.periods))
        for item in benefit.deliveries
    ]
    rows += [shared.reference_row(reference) for reference in benefit.references]
    rows += [shared.period_row(period) for period in benefit.dates]
    rows += [_aaa_row(rejection) for rejection in benefit.rejections]
    rows += [("MSG", clean(message)) for message in benefit.messages]
    rows += [("III", "ZZ", place) for place in benefit.places]
    rows += [("III", "BK", diagnosis) for diagnosis in benefit.diagnoses]
    if benefit.names:
        rows.append(("LS", "2120"))
        for name in benefit.names:
            rows.append(shared.name_row(name))
            rows += [shared.contact_row(contact) for contact in name.contacts]
        rows.append(("LE", "2120"))
    return rows


def describe(raw: bytes) -> dict[str, object]:
    """What the file says, for ``manage.py read_edi``: ``{"type", "errors", "responses": [...]}`` (CONTRACTS)."""
    reading = read(raw)
    return {
        "type": "271",
        "errors": [{"where": finding.where, "message": finding.message} for finding in reading.findings],
        "responses": [describe_response(response) for response in reading.responses],
    }
