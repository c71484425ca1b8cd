"""835 bytes to remittances, one transaction at a time.

Refused (:class:`X12Error`, naming the segment) is what would hide money: a payment without BPR, a claim without charge
or payment, an adjustment without reason, group or amount, an amount that is no number, a service or adjustment that
belongs to no claim. Everything else that is wrong is a finding, and so is every equation that does not hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from insurance.x12.adjustments import Adjustment, money, optional_money, read_adjustments
from insurance.x12.names import Address, Name, read_name
from insurance.x12.segments import Finding, Segment, TransactionSet, X12Error, transactions_of
from insurance.x12.values import amount, day
from insurance.x12.x835_model import (
    Organisation,
    ProviderAdjustment,
    Reference,
    Remittance,
    RemittedClaim,
    RemittedLine,
    imbalances,
)

STATUSES = frozenset({"1", "2", "3", "4", "19", "20", "21", "22", "23", "25"})
_INPATIENT_REMARKS = (5, 20, 21, 22, 23)
_OUTPATIENT_REMARKS = (3, 4, 5, 6, 7)


def read(raw: bytes, findings: list[Finding] | None = None) -> Iterator[Remittance]:
    """Every 835 transaction of the file in order, one held at a time.

    Faults that were tolerated are appended to ``findings`` (the whole file's) and kept on the remittance they belong
    to; among them each equation that does not hold, with its difference. Raises :class:`X12Error`.
    """
    notes = findings if findings is not None else []
    for transaction in transactions_of(raw, notes):
        if transaction.code != "835":
            notes.append(
                Finding(transaction.first.where, f"a transaction {transaction.code} is not a remittance: left out")
            )
            continue
        reader = _Reader(transaction)
        remittance = reader.read()
        own = [*reader.notes, *(Finding(each.where, each.message) for each in imbalances(remittance))]
        notes += own
        yield replace(remittance, findings=(*transaction.findings, *own))


@dataclass(slots=True)
class _Line:
    svc: Segment
    charge: Decimal
    paid: Decimal | None
    adjustments: list[Adjustment] = field(default_factory=list)
    dates: dict[str, date] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    amounts: list[tuple[str, Decimal]] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    def done(self) -> RemittedLine:
        svc, dates = self.svc, self.dates
        parts = [*svc.components(1), "", ""]
        original = [*svc.components(6), "", ""]
        first = dates.get("472") or dates.get("150")
        through = dates.get("151")
        return RemittedLine(
            procedure=parts[1],
            charge=self.charge,
            paid=self.paid,
            adjustments=tuple(self.adjustments),
            modifiers=tuple(each for each in parts[2:6] if each),
            procedure_qualifier=parts[0],
            units=amount(svc, 5),
            service_date=first,
            through=None if through == first else through,
            control_number=next((each.value for each in self.references if each.qualifier == "6R"), ""),
            remarks=tuple(self.remarks),
            original_procedure=original[1],
            original_modifiers=tuple(each for each in original[2:6] if each),
            original_units=amount(svc, 7),
            revenue_code=svc.get(4),
            amounts=tuple(self.amounts),
            references=tuple(self.references),
            where=svc.where,
        )


@dataclass(slots=True)
class _Claim:
    clp: Segment
    charge: Decimal
    paid: Decimal
    responsibility: Decimal | None
    names: dict[str, Name] = field(default_factory=dict)
    adjustments: list[Adjustment] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    inpatient: bool = False
    lines: list[RemittedLine] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    dates: list[tuple[str, date]] = field(default_factory=list)
    amounts: list[tuple[str, Decimal]] = field(default_factory=list)

    def done(self) -> RemittedClaim:
        get, names = self.clp.get, self.names
        return RemittedClaim(
            control_number=get(1),
            status=get(2),
            charge=self.charge,
            paid=self.paid,
            stated_responsibility=self.responsibility,
            payer_control_number=get(7),
            filing_indicator=get(6),
            place_of_service=get(8),
            frequency=get(9),
            patient=names.get("QC"),
            insured=names.get("IL"),
            corrected=names.get("74"),
            rendering=names.get("82"),
            crossover=names.get("TT"),
            corrected_payer=names.get("PR"),
            other_subscriber=names.get("GB"),
            adjustments=tuple(self.adjustments),
            claim_remarks=tuple(self.remarks),
            inpatient=self.inpatient,
            lines=tuple(self.lines),
            references=tuple(self.references),
            dates=tuple(self.dates),
            amounts=tuple(self.amounts),
            where=self.clp.where,
        )


class _Reader:
    """Walks one transaction: header, then claims with their lines, then provider adjustments."""

    def __init__(self, transaction: TransactionSet) -> None:
        self.transaction = transaction
        self.notes: list[Finding] = []
        self.bpr: Segment | None = None
        self.trn: Segment | None = None
        self.parties: dict[str, Organisation] = {}
        self.party = ""
        self.produced_on: date | None = None
        self.receiver_id = ""
        self.claims: list[RemittedClaim] = []
        self.provider_adjustments: list[ProviderAdjustment] = []
        self.claim: _Claim | None = None
        self.line: _Line | None = None

    def read(self) -> Remittance:
        for segment in self.transaction.segments:
            self._segment(segment)
        self._close_claim()
        bpr, trn, where = self.bpr, self.trn, self.transaction.first.where
        if bpr is None:
            raise X12Error("the remittance has no BPR: what was paid cannot be told", where)
        if trn is None:
            self._note(self.transaction.first, "the remittance has no TRN: its payment cannot be traced")
        for code, name in (("PR", "payer"), ("PE", "payee")):
            if code not in self.parties:
                self._note(self.transaction.first, f"the remittance does not name its {name} (N1*{code})")
        return Remittance(
            amount=money(bpr, 2),
            method=bpr.get(4),
            payer=self.parties.get("PR", Organisation("")),
            payee=self.parties.get("PE", Organisation("")),
            trace=trn.get(2) if trn else "",
            claims=tuple(self.claims),
            provider_adjustments=tuple(self.provider_adjustments),
            paid_on=self._day(bpr, 16),
            produced_on=self.produced_on,
            handling=bpr.get(1),
            credit_debit=bpr.get(3),
            originator=trn.get(3) if trn else "",
            receiver_id=self.receiver_id,
            control_number=self.transaction.control_number,
            interchange_control_number=self.transaction.interchange_control_number,
            where=bpr.where,
        )

    def _segment(self, segment: Segment) -> None:
        # Ordered by how often each occurs: a large remittance is mostly services.
        match segment.id:
            case "SVC":
                self._open_line(segment)
            case "CAS":
                holder = self.line or self.claim
                if holder is None:
                    raise X12Error("CAS stands before any claim (CLP)", segment.where)
                holder.adjustments += read_adjustments(segment)
            case "DTM":
                self._date(segment)
            case "REF":
                self._reference(segment)
            case "AMT":
                holder = self.line or self.claim
                value = optional_money(segment, 2)
                if holder is not None and value is not None:
                    holder.amounts.append((segment.get(1), value))
            case "CLP":
                self._open_claim(segment)
            case "NM1":
                if self.claim is not None:
                    self.claim.names.setdefault(segment.get(1), read_name(segment))
            case "LQ" if segment.get(2):
                if self.line is not None:
                    self.line.remarks.append(segment.get(2))
                elif self.claim is not None:
                    self.claim.remarks.append(segment.get(2))
            case "MOA" | "MIA":
                if self.claim is not None:
                    self.claim.inpatient = segment.id == "MIA"
                    places = _INPATIENT_REMARKS if self.claim.inpatient else _OUTPATIENT_REMARKS
                    self.claim.remarks += [code for place in places if (code := segment.get(place))]
            case "LX":
                self._close_claim()
            case "PLB":
                self._close_claim()
                self._provider_adjustments(segment)
            case "BPR":
                if self.bpr is not None:
                    raise X12Error("a second BPR in one remittance: which payment it is cannot be told", segment.where)
                self.bpr = segment
            case "TRN":
                self.trn = self.trn or segment
            case "N1":
                self._close_claim()
                self.party = segment.get(1)
                self.parties.setdefault(self.party, Organisation(segment.get(2), segment.get(3), segment.get(4)))
            case "N3" | "N4" | "PER":
                self._party_detail(segment)
            case _:
                return

    # -- header

    def _party_detail(self, segment: Segment) -> None:
        party = self.parties.get(self.party)
        if party is None or self.claim is not None:
            return
        get = segment.get
        address = party.address or Address()
        if segment.id == "N3":
            party = replace(party, address=replace(address, line1=get(1), line2=get(2)))
        elif segment.id == "N4":
            party = replace(party, address=replace(address, city=get(1), state=get(2), zip=get(3)))
        elif not party.phone:
            phone = next((get(index + 1) for index in (3, 5, 7) if get(index) == "TE"), "")
            party = replace(party, contact=get(2), phone=phone)
        self.parties[self.party] = party

    def _reference(self, segment: Segment) -> None:
        reference = Reference(segment.get(1), segment.get(2))
        holder = self.line or self.claim
        if holder is not None:
            holder.references.append(reference)
        elif self.party in self.parties:
            party = self.parties[self.party]
            self.parties[self.party] = replace(party, references=(*party.references, reference))
        elif reference.qualifier == "EV":
            self.receiver_id = reference.value

    def _date(self, segment: Segment) -> None:
        value = self._day(segment, 2)
        if value is None:
            return
        if self.line is not None:
            self.line.dates.setdefault(segment.get(1), value)
        elif self.claim is not None:
            self.claim.dates.append((segment.get(1), value))
        elif segment.get(1) == "405":
            self.produced_on = value

    # -- claims

    def _open_claim(self, segment: Segment) -> None:
        self._close_claim()
        self.claim = _Claim(segment, money(segment, 3), money(segment, 4), optional_money(segment, 5))
        if not segment.get(1):
            self._note(segment, "CLP01 is missing: which claim it is must be told from the payer's number")
        if segment.get(2) not in STATUSES:
            self._note(segment, f"CLP02 {segment.get(2)!r} is no claim status of this guide")

    def _open_line(self, segment: Segment) -> None:
        if self.claim is None:
            raise X12Error("SVC stands before any claim (CLP)", segment.where)
        self._close_line()
        self.line = _Line(segment, money(segment, 2), optional_money(segment, 3))
        if len(segment.components(1)) < 2:
            self._note(segment, f"SVC01 {segment.get(1)!r} does not name a procedure")
        if self.line.paid is None:
            self._note(segment, "SVC03 is missing: nothing paid is taken")

    def _close_line(self) -> None:
        if self.line is not None and self.claim is not None:
            self.claim.lines.append(self.line.done())
        self.line = None

    def _close_claim(self) -> None:
        self._close_line()
        if self.claim is None:
            return
        claim, self.claim = self.claim.done(), None
        self.claims.append(claim)
        share = sum((each.amount for each in claim.all_adjustments if each.group == "PR"), Decimal(0))
        if claim.stated_responsibility is not None and claim.stated_responsibility != share and not claim.reversal:
            self.notes.append(
                Finding(
                    claim.where,
                    f"CLP05 says the patient owes {claim.stated_responsibility}, the PR adjustments {share:.2f}",
                )
            )

    # -- provider adjustments

    def _provider_adjustments(self, segment: Segment) -> None:
        provider, fiscal = segment.get(1), self._day(segment, 2)
        for index in range(3, len(segment.elements), 2):
            parts = [*segment.components(index), "", ""]
            value = optional_money(segment, index + 1)
            if value is None and not parts[0]:
                continue
            if not parts[0]:
                raise X12Error(f"PLB{index:02d} is missing: an amount without its reason", segment.where)
            if value is None:
                self._note(segment, f"PLB{index + 1:02d} is missing: the amount of {parts[0]} is not known")
            self.provider_adjustments.append(ProviderAdjustment(parts[0], value, parts[1], provider, fiscal))

    def _day(self, segment: Segment, index: int) -> date | None:
        text = segment.get(index)
        value = day(text) if text else None
        if text and value is None:
            self._note(segment, f"{segment.id}{index:02d} {text!r} is no date")
        return value

    def _note(self, segment: Segment, message: str) -> None:
        self.notes.append(Finding(segment.where, message))
