"""Claim acknowledgements (277CA, 005010X214): whether a claim was taken in, before any decision about money.

Two may come for one claim: the clearinghouse's (source NM1*AY) and then the payer's (NM1*PR); the payer's is the proof
of receipt. A claim is found by TRN02 = CLM01.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from insurance.x12 import codes
from insurance.x12.names import Name, read_name, write_name
from insurance.x12.segments import (
    Finding,
    Party,
    Row,
    Segment,
    TransactionSet,
    X12Error,
    composite,
    transactions_of,
    write_interchange,
)
from insurance.x12.values import amount, day, period, write_amount, write_day

VERSION = "005010X214"
ACCEPT, REJECT = "WQ", "U"
"""STC03: the action taken. There is no third state."""

_REJECTING = frozenset({"A3", "A4", "A6", "A7", "A8"})


@dataclass(frozen=True, slots=True)
class Status:
    """One STC composite: category, status code and the entity it speaks of, with the STC's action, date and charge.

    ``line`` is the procedure it speaks of, empty for the whole claim.
    """

    category: str
    code: str = ""
    entity: str = ""
    action: str = ""
    on: date | None = None
    charge: Decimal | None = None
    message: str = ""
    line: str = ""

    @property
    def text(self) -> str:
        """In our words, for people; codes we have no words for stay codes."""
        category = codes.ACKNOWLEDGEMENT_CATEGORY.get(self.category)
        detail = codes.ACKNOWLEDGEMENT_STATUS.get(self.code)
        first = _(category) if category else _("Category %(code)s") % {"code": self.category or "?"}
        if not self.code:
            return first
        second = _(detail) if detail else _("status code %(code)s") % {"code": self.code}
        return f"{first} ({second})"


@dataclass(frozen=True, slots=True)
class AcknowledgedClaim:
    """One claim: ``control_number`` is our CLM01, ``payer_control_number`` REF*1K, ``clearinghouse_number`` REF*D9."""

    control_number: str
    statuses: tuple[Status, ...]
    patient: Name | None = None
    payer_control_number: str = ""
    clearinghouse_number: str = ""
    service_from: date | None = None
    service_through: date | None = None
    where: str = ""

    @property
    def accepted(self) -> bool | None:
        return accepted(self.statuses)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One ST…SE. ``source_kind`` is AY (clearinghouse) or PR (payer); ``batch_reference`` the BHT03 of the 837P it
    answers, with what was said about that whole batch in ``batch_statuses``."""

    source: Name
    source_kind: str
    receiver: Name
    batch_reference: str
    claims: tuple[AcknowledgedClaim, ...]
    batch_statuses: tuple[Status, ...] = ()
    reference: str = ""
    provider: Name | None = None
    control_number: str = ""


def accepted(statuses: Iterable[Status]) -> bool | None:
    """Whether these say the claim was accepted: ``False`` when any rejects it, ``True`` when it was taken up for a
    decision (A2) or its action is to accept (STC03 WQ), ``None`` when they do not tell: a bare A1 is a receipt."""
    known = list(statuses)
    if any(each.action == REJECT or each.category in _REJECTING for each in known):
        return False
    return True if any(each.action == ACCEPT or each.category == "A2" for each in known) else None


# -- reading


def read(raw: bytes, findings: list[Finding] | None = None) -> Iterator[Acknowledgement]:
    """Every 277CA of the file in order; tolerated faults are appended to ``findings``.

    Raises :class:`X12Error` for a claim status response (X212), which is another transaction with other codes, for a
    status without a category, and for an amount that is no number.
    """
    notes = findings if findings is not None else []
    for transaction in transactions_of(raw, notes):
        where = transaction.first.where
        if transaction.code != "277":
            message = f"a transaction {transaction.code} is not a claim acknowledgement: left out"
            notes.append(Finding(where, message))
            continue
        if transaction.version.startswith(("005010X212", "005010X213")):
            raise X12Error(f"this 277 ({transaction.version}) is not a claim acknowledgement (X214)", where)
        yield _Reader(transaction, notes).read()


@dataclass(slots=True)
class _Claim:
    where: str
    patient: Name | None
    control_number: str = ""
    statuses: list[Status] = field(default_factory=list)
    references: dict[str, str] = field(default_factory=dict)
    dates: tuple[date | None, date | None] = (None, None)
    line: str = ""

    def done(self) -> AcknowledgedClaim:
        return AcknowledgedClaim(
            control_number=self.control_number,
            statuses=tuple(self.statuses),
            patient=self.patient,
            payer_control_number=self.references.get("1K", ""),
            clearinghouse_number=self.references.get("D9", ""),
            service_from=self.dates[0],
            service_through=self.dates[1],
            where=self.where,
        )


class _Reader:
    """Walks one transaction by its levels: 20 source, 21 receiver, 19 provider, anything deeper the patient."""

    def __init__(self, transaction: TransactionSet, notes: list[Finding]) -> None:
        self.transaction = transaction
        self.notes = notes
        self.level = ""
        self.names: dict[str, tuple[str, Name]] = {}
        self.batch_reference = ""
        self.batch_statuses: list[Status] = []
        self.reference = ""
        self.claims: list[_Claim] = []
        self.claim: _Claim | None = None
        self.patient: Name | None = None

    def read(self) -> Acknowledgement:
        for segment in self.transaction.segments:
            self._segment(segment)
        kind, source = self.names.get("20", ("", Name()))
        for claim in self.claims:
            if not claim.statuses:
                self.notes.append(Finding(claim.where, f"nothing is said about claim {claim.control_number!r}"))
        if not self.claims and accepted(self.batch_statuses) is False:
            texts = "; ".join(status.text for status in self.batch_statuses)
            self.notes.append(Finding(self.transaction.first.where, f"the whole batch is rejected: {texts}"))
        return Acknowledgement(
            source=source,
            source_kind=kind,
            receiver=self.names.get("21", ("", Name()))[1],
            batch_reference=self.batch_reference,
            claims=tuple(claim.done() for claim in self.claims),
            batch_statuses=tuple(self.batch_statuses),
            reference=self.reference,
            provider=self.names["19"][1] if "19" in self.names else None,
            control_number=self.transaction.control_number,
        )

    def _segment(self, segment: Segment) -> None:
        get = segment.get
        patient_level = self.level not in ("", "20", "21", "19")
        match segment.id:
            case "BHT":
                self.reference = get(3)
            case "HL":
                self.level, self.claim, self.patient = get(3), None, None
            case "NM1" if patient_level:
                self.patient = self.patient or read_name(segment)
            case "NM1":
                self.names.setdefault(self.level, (get(1), read_name(segment)))
            case "TRN" if patient_level:
                self.claim = _Claim(segment.where, self.patient, get(2))
                self.claims.append(self.claim)
            case "TRN" if self.level == "21":
                self.batch_reference = self.batch_reference or get(2)
            case "STC":
                self._status(segment)
            case "REF" if self.claim is not None and not self.claim.line:
                self.claim.references.setdefault(get(1), get(2))
            case "DTP" if self.claim is not None and get(1) == "472" and not self.claim.line:
                self.claim.dates = period(get(2), get(3))
            case "SVC" if self.claim is not None:
                parts = segment.components(1)
                self.claim.line = parts[1] if len(parts) > 1 else get(1) or "?"
            case _:
                return

    def _status(self, segment: Segment) -> None:
        line = self.claim.line if self.claim else ""
        on, charge = day(segment.get(2)), amount(segment, 4)
        if not segment.get(1):
            raise X12Error("STC01 is missing: a status without a category", segment.where)
        found = []
        for index in (1, 10, 11):
            parts = [*segment.components(index), "", "", ""]
            if parts[0]:
                message = segment.get(12)
                found.append(Status(parts[0], parts[1], parts[2], segment.get(3), on, charge, message, line))
        if segment.get(3) == ACCEPT and any(each.category in _REJECTING for each in found):
            self.notes.append(Finding(segment.where, "STC03 accepts what STC01 rejects: taken as rejected"))
        if self.claim is not None:
            self.claim.statuses += found
        elif self.level == "21":
            self.batch_statuses += found
        elif self.level not in ("19", "20"):
            self.notes.append(Finding(segment.where, "a status that belongs to no claim (TRN)"))


# -- writing


def build(
    acknowledgements: Iterable[Acknowledgement],
    *,
    sender: Party,
    receiver: Party,
    control_number: int,
    at: datetime,
    production: bool = False,
) -> bytes:
    """One interchange, one ST…SE per acknowledgement, claims under their provider.

    Claim totals accepted and rejected (QTY, AMT) are counted from the claims. Raises ``ValueError`` for a text with a
    separator.
    """
    return write_interchange(
        functional_id="HN",
        version=VERSION,
        transactions=(("277", _transaction(each, at)) for each in acknowledgements),
        sender=sender,
        receiver=receiver,
        control_number=control_number,
        at=at,
        production=production,
    )


def _transaction(acknowledgement: Acknowledgement, at: datetime) -> Iterator[Row]:
    today = write_day(at.date())
    reference = acknowledgement.reference or f"{at:%Y%m%d%H%M%S}"
    yield ("BHT", "0085", "08", reference, today, at.strftime("%H%M"), "TH")
    yield ("HL", "1", "", "20", "1")
    yield write_name(acknowledgement.source_kind, acknowledgement.source)
    yield ("TRN", "1", reference)
    yield ("DTP", "050", "D8", today)
    yield ("DTP", "009", "D8", today)
    yield ("HL", "2", "1", "21", "1" if acknowledgement.claims else "0")
    yield write_name("41", acknowledgement.receiver)
    yield ("TRN", "2", acknowledgement.batch_reference)
    yield from _statuses(acknowledgement.batch_statuses)
    taken = [each for each in acknowledgement.claims if each.accepted]
    refused = [each for each in acknowledgement.claims if each.accepted is False]
    for quantity, group in (("90", taken), ("AA", refused)):
        if group:
            yield ("QTY", quantity, str(len(group)))
    for qualifier, group in (("YU", taken), ("YY", refused)):
        if group:
            charges = [next((status.charge for status in each.statuses if status.charge), Decimal(0)) for each in group]
            yield ("AMT", qualifier, write_amount(sum(charges, Decimal(0))))
    if not acknowledgement.claims:
        return
    yield ("HL", "3", "2", "19", "1")
    yield write_name("85", acknowledgement.provider or Name("UNKNOWN"))
    for place, claim in enumerate(acknowledgement.claims, 4):
        yield ("HL", str(place), "3", "PT")
        yield write_name("QC", claim.patient or Name("UNKNOWN", person=True))
        yield ("TRN", "2", claim.control_number)
        yield from _statuses([each for each in claim.statuses if not each.line])
        for qualifier, value in (("1K", claim.payer_control_number), ("D9", claim.clearinghouse_number)):
            if value:
                yield ("REF", qualifier, value)
        if claim.service_from is not None and claim.service_through not in (None, claim.service_from):
            assert claim.service_through is not None
            dates = f"{write_day(claim.service_from)}-{write_day(claim.service_through)}"
            yield ("DTP", "472", "RD8", dates)
        elif claim.service_from is not None:
            yield ("DTP", "472", "D8", write_day(claim.service_from))
        for status in claim.statuses:
            if status.line:
                yield ("SVC", composite("HC", status.line), write_amount(status.charge or Decimal(0)))
                yield ("STC", _code(status), "", status.action)


def _code(status: Status) -> str:
    return composite(status.category, status.code, status.entity)


def _statuses(statuses: Iterable[Status]) -> Iterator[Row]:
    for status in statuses:
        yield (
            "STC", _code(status), write_day(status.on) if status.on else "", status.action,
            "" if status.charge is None else write_amount(status.charge), *[""] * 7, status.message,
        )  # fmt: skip


# -- describing


def describe(raw: bytes) -> dict[str, object]:
    """The 277CA part of the ``read_edi`` contract. Raises :class:`X12Error` for what cannot be read."""
    findings: list[Finding] = []
    claims = [
        {
            "control_number": claim.control_number,
            "accepted": claim.accepted,
            "statuses": [
                {
                    "category": status.category,
                    "code": status.code or None,
                    "entity": status.entity or None,
                    "text": status.text,
                }
                for status in claim.statuses
            ],
            "payer_control_number": claim.payer_control_number or None,
        }
        for acknowledgement in read(raw, findings)
        for claim in acknowledgement.claims
    ]
    errors = [{"where": each.where, "message": each.message} for each in findings]
    return {"type": "277CA", "errors": errors, "claims": claims}
