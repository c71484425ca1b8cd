"""The loops of an 837P while they are being read: each gathers its segments, then becomes its dataclass."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from insurance.x12.adjustments import Adjustment, money
from insurance.x12.names import Address, Name
from insurance.x12.segments import Segment
from insurance.x12.values import amount, day
from insurance.x12.x837p_model import (
    BillingProvider,
    OtherPayer,
    Payer,
    Person,
    PriorAdjudication,
    RenderingProvider,
    ServiceLine,
)


@dataclass
class PartyLoop:
    """What the segments after an NM1 add to it."""

    name: Name = field(default_factory=Name)
    address: Address | None = None
    taxonomy: str = ""
    tax: tuple[str, str] = ("EI", "")
    phone: str = ""
    contact: str = ""
    email: str = ""
    born: date | None = None
    sex: str = ""

    def person(self) -> Person:
        name = self.name
        return Person(
            name.last, name.first, name.middle, name.suffix, self.born, self.sex, self.address, person=name.person
        )

    def payer(self) -> Payer:
        return Payer(self.name.last, self.name.identifier, self.name.qualifier or "PI", self.address)

    def rendering(self) -> RenderingProvider:
        name = self.name
        return RenderingProvider(name.last, name.first, name.identifier, self.taxonomy, name.middle, name.person)

    def billing(self) -> BillingProvider:
        name = self.name
        return BillingProvider(
            name.last, name.identifier, self.tax[1], self.address or Address(), self.taxonomy, self.tax[0],
            name.first, name.middle, name.person, self.phone, self.contact,
        )  # fmt: skip


@dataclass
class PriorLoop:
    segment: Segment
    adjustments: list[Adjustment] = field(default_factory=list)
    adjudicated_on: date | None = None
    remaining: Decimal | None = None

    def done(self) -> PriorAdjudication:
        procedure = procedure_of(self.segment, 3)
        return PriorAdjudication(
            payer_id=self.segment.get(1),
            paid=money(self.segment, 2),
            procedure=procedure[1],
            adjudicated_on=self.adjudicated_on,
            adjustments=tuple(self.adjustments),
            modifiers=procedure[2],
            units=amount(self.segment, 5),
            remaining=self.remaining,
            bundled_line=self.segment.get(6),
            procedure_qualifier=procedure[0],
        )


@dataclass
class LineLoop:
    segment: Segment
    dates: tuple[date | None, date | None] = (None, None)
    control_number: str = ""
    rendering: PartyLoop | None = None
    prior: list[PriorLoop] = field(default_factory=list)

    def done(self) -> ServiceLine:
        qualifier, code, modifiers = procedure_of(self.segment, 1)
        first, last = self.dates
        return ServiceLine(
            procedure=code,
            charge=money(self.segment, 2),
            service_date=first,
            control_number=self.control_number,
            modifiers=modifiers,
            units=amount(self.segment, 4),
            unit=self.segment.get(3),
            pointers=tuple(int(each) for each in self.segment.components(7) if each.isascii() and each.isdigit()),
            place_of_service=self.segment.get(5),
            through=None if last == first else last,
            prior=tuple(each.done() for each in self.prior),
            procedure_qualifier=qualifier,
            rendering=self.rendering.rendering() if self.rendering else None,
        )


@dataclass
class OtherPayerLoop:
    segment: Segment
    adjustments: list[Adjustment] = field(default_factory=list)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    oi: Segment | None = None
    remarks: tuple[str, ...] = ()
    subscriber: PartyLoop = field(default_factory=PartyLoop)
    payer: PartyLoop = field(default_factory=PartyLoop)
    adjudicated_on: date | None = None
    payer_control_number: str = ""

    def done(self) -> OtherPayer:
        get = self.segment.get
        return OtherPayer(
            rank=get(1),
            payer=self.payer.payer(),
            member_id=self.subscriber.name.identifier,
            subscriber=self.subscriber.person(),
            relationship=get(2),
            filing_indicator=get(9),
            group_number=get(3),
            group_name=get(4),
            insurance_type=get(5),
            paid=self.amounts.get("D"),
            remaining=self.amounts.get("EAF"),
            non_covered=self.amounts.get("A8"),
            adjustments=tuple(self.adjustments),
            remarks=self.remarks,
            adjudicated_on=self.adjudicated_on,
            payer_control_number=self.payer_control_number,
            benefits_assigned=self.oi.get(3) if self.oi else "",
            signature_source=self.oi.get(4) if self.oi else "",
            release=self.oi.get(6) if self.oi else "",
        )


def procedure_of(segment: Segment, index: int) -> tuple[str, str, tuple[str, ...]]:
    """A procedure composite as (qualifier, code, modifiers)."""
    parts = [*segment.components(index), "", ""]
    return parts[0], parts[1], tuple(part for part in parts[2:6] if part)


def add_detail(party: PartyLoop, segment: Segment) -> None:
    """Add one segment of an NM1 loop to its party."""
    get = segment.get
    match segment.id:
        case "N3":
            party.address = replace(party.address or Address(), line1=get(1), line2=get(2))
        case "N4":
            party.address = replace(party.address or Address(), city=get(1), state=get(2), zip=get(3))
        case "DMG":
            party.born, party.sex = day(get(2)), get(3)
        case "PRV":
            party.taxonomy = get(3)
        case "REF" if get(1) in ("EI", "SY"):
            party.tax = (get(1), get(2))
        case "PER":
            party.contact = party.contact or get(2)
            for index in (3, 5, 7):
                if get(index) == "TE":
                    party.phone = party.phone or get(index + 1)
                elif get(index) == "EM":
                    party.email = party.email or get(index + 1)


def moment(on: str, at: str) -> datetime | None:
    found = day(on)
    if found is None or len(at) < 4 or not (at.isascii() and at.isdigit()):
        return None
    hour, minute = int(at[:2]), int(at[2:4])
    if hour > 23 or minute > 59:
        return None
    return datetime(found.year, found.month, found.day, hour, minute)  # noqa: DTZ001 - the file says no zone
