"""837P bytes to claims. Tolerant: what it does not know it passes over; only what hides a claim's meaning is refused.

The hierarchy (HL 20 billing provider, 22 subscriber, 23 patient) is followed by level code, so a claim finds its own
subscriber and payer however many a transaction holds.
"""

from collections.abc import Iterator
from datetime import date

from insurance.x12.adjustments import money, optional_money, read_adjustments
from insurance.x12.names import Address, read_name
from insurance.x12.segments import Finding, Segment, TransactionSet, X12Error, transactions_of
from insurance.x12.values import period
from insurance.x12.x837p_loops import LineLoop, OtherPayerLoop, PartyLoop, PriorLoop, add_detail, moment
from insurance.x12.x837p_model import (
    Claim,
    Receiver,
    ServiceLocation,
    Submission,
    Submitter,
)

NOT_PROFESSIONAL = {"005010X223": "institutional (837I)", "005010X224": "dental (837D)"}


def read(raw: bytes, findings: list[Finding] | None = None) -> Iterator[Submission]:
    """Every 837P transaction of the file in order; faults that were tolerated are appended to ``findings``.

    Raises :class:`X12Error` naming the segment for an amount that is missing or no number, a service before any
    claim, an institutional or dental claim, or text that is not X12.
    """
    notes = findings if findings is not None else []
    for transaction in transactions_of(raw, notes):
        if transaction.code != "837":
            notes.append(Finding(transaction.first.where, f"a transaction {transaction.code} is not a claim: left out"))
            continue
        kind = NOT_PROFESSIONAL.get(transaction.version[:10])
        if kind:
            raise X12Error(f"this claim is {kind}, not professional (837P)", transaction.first.where)
        yield _Reader(transaction, notes).read()


class _Reader:
    """Walks one transaction. ``party`` is the NM1 loop that N3, N4, REF, PER, PRV and DMG belong to."""

    def __init__(self, transaction: TransactionSet, notes: list[Finding]) -> None:
        self.transaction = transaction
        self.notes = notes
        self.level = ""
        self.submitter = PartyLoop()
        self.receiver = PartyLoop()
        self.billing = PartyLoop()
        self.subscriber = PartyLoop()
        self.payer = PartyLoop()
        self.patient: PartyLoop | None = None
        self.sbr: Segment | None = None
        self.relationship = ""
        self.bht: Segment | None = None
        self.party: PartyLoop | None = None
        self.taxonomy = ""
        self.claims: list[Claim] = []
        self.clm: Segment | None = None

    def read(self) -> Submission:
        for segment in self.transaction.segments:
            self._segment(segment)
        self._close_claim()
        bht = self.bht
        return Submission(
            submitter=Submitter(
                self.submitter.name.last,
                self.submitter.name.identifier,
                self.submitter.contact,
                self.submitter.phone,
                self.submitter.email,
            ),
            receiver=Receiver(self.receiver.name.last, self.receiver.name.identifier),
            claims=tuple(self.claims),
            reference=bht.get(3) if bht else "",
            written_at=moment(bht.get(4), bht.get(5)) if bht else None,
            control_number=self.transaction.control_number,
            sender=self.transaction.sender.strip(),
            recipient=self.transaction.receiver.strip(),
            interchange_control_number=self.transaction.interchange_control_number,
        )

    def _segment(self, segment: Segment) -> None:
        match segment.id:
            case "HL":
                self._level(segment)
            case "CLM":
                self._close_claim()
                self._open_claim(segment)
            case _ if self.clm is not None:
                self._in_claim(segment)
            case "LX" | "SV1" | "SVD" | "CAS":
                raise X12Error(f"{segment.id} stands before any claim (CLM)", segment.where)
            case "BHT":
                self.bht = segment
            case "SBR":
                self.sbr = segment
                if segment.get(2):
                    self.relationship = segment.get(2)
            case "PAT" if self.level == "23":
                self.relationship = segment.get(1)
            case "PRV" if segment.get(1) == "BI":
                self.billing.taxonomy = segment.get(3)
            case "NM1":
                self._header_name(segment)
            case _ if self.party is not None:
                add_detail(self.party, segment)

    def _level(self, segment: Segment) -> None:
        self._close_claim()
        self.level, self.party = segment.get(3), None
        if self.level == "20":
            self.billing = PartyLoop()
        elif self.level == "22":
            self.subscriber, self.payer, self.sbr = PartyLoop(), PartyLoop(), None
            self.patient, self.relationship = None, ""
        elif self.level == "23":
            self.patient, self.relationship = PartyLoop(), ""
        else:
            self.notes.append(Finding(segment.where, f"HL03 {self.level!r} is no level of an 837P"))

    def _header_name(self, segment: Segment) -> None:
        name = read_name(segment)
        self.party = {
            "41": self.submitter,
            "40": self.receiver,
            "85": self.billing,
            "IL": self.subscriber,
            "PR": self.payer,
            "QC": self.patient,
        }.get(segment.get(1))
        if self.party is not None:
            self.party.name = name

    # -- inside one claim

    def _open_claim(self, segment: Segment) -> None:
        money(segment, 2)
        if not segment.get(1):
            self.notes.append(Finding(segment.where, "CLM01 is missing: the claim has no control number"))
        if self.sbr is None:
            self.notes.append(Finding(segment.where, "the claim has no subscriber (SBR)"))
        if len(segment.components(5)) < 3:
            self.notes.append(Finding(segment.where, f"CLM05 {segment.get(5)!r} lacks place of service or frequency"))
        self.clm = segment
        self.references: dict[str, str] = {}
        self.diagnoses: list[str] = []
        self.rendering: PartyLoop | None = None
        self.location: PartyLoop | None = None
        self.supervising: PartyLoop | None = None
        self.others: list[OtherPayerLoop] = []
        self.lines: list[LineLoop] = []
        self.in_line = False
        self.party = None

    def _in_claim(self, segment: Segment) -> None:
        if segment.id == "LX":
            self.in_line, self.party = True, None
        elif segment.id in ("SV2", "SV3"):
            raise X12Error(f"{segment.id} belongs to an institutional or dental claim, not an 837P", segment.where)
        elif segment.id == "SV1":
            self.in_line, self.party = True, None
            self.lines.append(LineLoop(segment))
            if len(segment.components(1)) < 2:
                self.notes.append(Finding(segment.where, f"SV101 {segment.get(1)!r} does not name a procedure"))
        elif self.in_line and self.lines:
            self._in_line(self.lines[-1], segment)
        elif segment.id == "SBR":
            self.others.append(OtherPayerLoop(segment))
            self.party = None
        elif self.others:
            self._in_other(self.others[-1], segment)
        else:
            self._claim_level(segment)

    def _claim_level(self, segment: Segment) -> None:
        match segment.id:
            case "REF" if self.party is None:
                self.references.setdefault(segment.get(1), segment.get(2))
            case "HI":
                for index in range(1, len(segment.elements)):
                    parts = segment.components(index)
                    if len(parts) > 1 and parts[0] in ("ABK", "ABF", "BK", "BF"):
                        self.diagnoses.append(parts[1])
            case "NM1":
                self.party = PartyLoop(read_name(segment))
                if segment.get(1) == "82":
                    self.rendering = self.party
                elif segment.get(1) == "77":
                    self.location = self.party
                elif segment.get(1) == "DQ":
                    self.supervising = self.party
            case "CAS" | "SVD":
                raise X12Error(f"{segment.id} stands outside another payer's loop", segment.where)
            case _ if self.party is not None:
                add_detail(self.party, segment)

    def _in_other(self, other: OtherPayerLoop, segment: Segment) -> None:
        match segment.id:
            case "CAS":
                other.adjustments += read_adjustments(segment)
            case "AMT":
                value = optional_money(segment, 2)
                if value is not None:
                    other.amounts.setdefault(segment.get(1), value)
            case "OI":
                other.oi = segment
            case "MOA":
                other.remarks = tuple(each for index in range(3, 8) if (each := segment.get(index)))
            case "NM1":
                self.party = PartyLoop(read_name(segment))
                if segment.get(1) == "IL":
                    other.subscriber = self.party
                elif segment.get(1) == "PR":
                    other.payer = self.party
            case "DTP" if segment.get(1) == "573":
                other.adjudicated_on = self._day(segment)
            case "REF" if segment.get(1) == "F8" and self.party is other.payer:
                other.payer_control_number = segment.get(2)
            case _ if self.party is not None:
                add_detail(self.party, segment)

    def _in_line(self, line: LineLoop, segment: Segment) -> None:
        match segment.id:
            case "DTP" if segment.get(1) == "472":
                line.dates = period(segment.get(2), segment.get(3))
                if None in line.dates:
                    self.notes.append(Finding(segment.where, f"DTP03 {segment.get(3)!r} is no date"))
            case "REF" if segment.get(1) == "6R" and self.party is None:
                line.control_number = segment.get(2)
            case "NM1":
                self.party = PartyLoop(read_name(segment))
                if segment.get(1) == "82":
                    line.rendering = self.party
            case "SVD":
                self.party = None
                money(segment, 2)
                line.prior.append(PriorLoop(segment))
            case "CAS":
                if not line.prior:
                    raise X12Error("CAS stands before the SVD it belongs to", segment.where)
                line.prior[-1].adjustments += read_adjustments(segment)
            case "DTP" if segment.get(1) == "573" and line.prior:
                line.prior[-1].adjudicated_on = self._day(segment)
            case "AMT" if segment.get(1) == "EAF" and line.prior:
                line.prior[-1].remaining = optional_money(segment, 2)
            case _ if self.party is not None:
                add_detail(self.party, segment)

    def _day(self, segment: Segment) -> date | None:
        value = period(segment.get(2), segment.get(3))[0]
        if value is None:
            self.notes.append(Finding(segment.where, f"DTP03 {segment.get(3)!r} is no date"))
        return value

    def _close_claim(self) -> None:
        if self.clm is None:
            return
        clm, self.clm, self.party = self.clm, None, None
        sbr = self.sbr
        place = [*clm.components(5), "", "", ""]
        patient = self.patient.person() if self.patient is not None else None
        rendering = self.rendering
        location = self.location
        self.claims.append(
            Claim(
                control_number=clm.get(1),
                charge=money(clm, 2),
                place_of_service=place[0],
                billing=self.billing.billing(),
                payer=self.payer.payer(),
                member_id=self.subscriber.name.identifier,
                subscriber=self.subscriber.person(),
                lines=tuple(line.done() for line in self.lines),
                diagnoses=tuple(self.diagnoses),
                rendering=rendering.rendering() if rendering else None,
                supervising=self.supervising.rendering() if self.supervising else None,
                patient=patient,
                relationship=self.relationship,
                rank=sbr.get(1) if sbr else "",
                filing_indicator=sbr.get(9) if sbr else "",
                group_number=sbr.get(3) if sbr else "",
                group_name=sbr.get(4) if sbr else "",
                insurance_type=sbr.get(5) if sbr else "",
                frequency=place[2],
                payer_control_number=self.references.get("F8", ""),
                prior_authorization=self.references.get("G1", ""),
                clearinghouse_number=self.references.get("D9", ""),
                location=(
                    ServiceLocation(location.name.last, location.name.identifier, location.address or Address())
                    if location
                    else None
                ),
                other_payers=tuple(other.done() for other in self.others),
                provider_signature=clm.get(6),
                assignment=clm.get(7),
                benefits_assigned=clm.get(8),
                release=clm.get(9),
                signature_source=clm.get(10),
                delay_reason=clm.get(20),
            )
        )
