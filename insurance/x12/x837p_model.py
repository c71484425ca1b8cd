"""What a professional claim (837P, 005010X222A1) says: enough for outpatient behavioural health, with other payers.

Amounts are dollars. Diagnoses are ICD-10-CM without the point (``F411``). ``""`` is an element that is not sent;
``None`` an amount or date that is not known.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from insurance.x12.adjustments import ZERO, Adjustment, total
from insurance.x12.names import Address, Name

VERSION = "005010X222A1"

RANKS = {
    "P": "primary", "S": "secondary", "T": "tertiary", "A": "fourth", "B": "fifth", "C": "sixth", "D": "seventh",
    "E": "eighth", "F": "ninth", "G": "tenth", "H": "eleventh", "U": "unknown",
}  # fmt: skip
"""SBR01: the place of a payer in the order of payment, in words."""


@dataclass(frozen=True, slots=True)
class Submitter:
    """Loop 1000A: who sends, and whom to call about the file."""

    name: str
    identifier: str
    contact: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Loop 1000B: who is to receive."""

    name: str
    identifier: str


@dataclass(frozen=True, slots=True)
class Payer:
    """NM1*PR. ``qualifier`` PI (payer id) or XV (health plan id)."""

    name: str
    identifier: str
    qualifier: str = "PI"
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class BillingProvider:
    """Loop 2010AA: the practice that bills. ``first`` only when a person bills under their own name."""

    name: str
    npi: str
    tax_id: str
    address: Address
    taxonomy: str = ""
    tax_qualifier: str = "EI"
    first: str = ""
    middle: str = ""
    person: bool = False
    phone: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class RenderingProvider:
    """A clinician. Loop 2310B: who saw the client, sent only when not the billing provider; loop 2310D: who supervised
    them, without a taxonomy."""

    last: str
    first: str
    npi: str
    taxonomy: str = ""
    middle: str = ""
    person: bool = True


@dataclass(frozen=True, slots=True)
class ServiceLocation:
    """Loop 2310C: where the service was given, when not at the billing provider's address."""

    name: str
    npi: str
    address: Address


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber or patient. ``sex`` F, M or U."""

    last: str
    first: str
    middle: str = ""
    suffix: str = ""
    born: date | None = None
    sex: str = ""
    address: Address | None = None
    person: bool = True

    @property
    def name(self) -> Name:
        return Name(self.last, self.first, self.middle, self.suffix, person=self.person)


@dataclass(frozen=True, slots=True)
class PriorAdjudication:
    """Loop 2430: what another payer did with this line, copied from its 835.

    ``payer_id`` is the id of the payer in 2330B; ``remaining`` is AMT*EAF; ``bundled_line`` SVD06, the line this one
    was paid under.
    """

    payer_id: str
    paid: Decimal
    procedure: str
    adjudicated_on: date | None
    adjustments: tuple[Adjustment, ...] = ()
    modifiers: tuple[str, ...] = ()
    units: Decimal | None = Decimal(1)
    remaining: Decimal | None = None
    bundled_line: str = ""
    procedure_qualifier: str = "HC"


@dataclass(frozen=True, slots=True)
class OtherPayer:
    """Loop 2320 with 2330A and 2330B: another payer of the same patient.

    Not adjudicated yet (a primary claim that names a later payer): ``paid`` is ``None`` and there are no adjustments.
    ``adjustments`` are the claim-level CAS only, verbatim; ``adjudicated_on`` is the claim-level date, sent only when
    no line carries one. ``relationship`` is the patient's to that plan's holder (18 self, 01 spouse, 19 child).
    """

    rank: str
    payer: Payer
    member_id: str
    subscriber: Person
    relationship: str = "18"
    filing_indicator: str = "CI"
    group_number: str = ""
    group_name: str = ""
    insurance_type: str = ""
    paid: Decimal | None = None
    remaining: Decimal | None = None
    non_covered: Decimal | None = None
    adjustments: tuple[Adjustment, ...] = ()
    remarks: tuple[str, ...] = ()
    adjudicated_on: date | None = None
    payer_control_number: str = ""
    benefits_assigned: str = "Y"
    signature_source: str = "P"
    release: str = "Y"


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """Loop 2400. ``pointers`` are 1-based places in the claim's diagnoses; ``control_number`` is REF*6R, which the
    835 gives back."""

    procedure: str
    charge: Decimal
    service_date: date | None
    control_number: str
    modifiers: tuple[str, ...] = ()
    units: Decimal | None = Decimal(1)
    unit: str = "UN"
    pointers: tuple[int, ...] = (1,)
    place_of_service: str = ""
    through: date | None = None
    prior: tuple[PriorAdjudication, ...] = ()
    procedure_qualifier: str = "HC"
    rendering: RenderingProvider | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One CLM with everything above it in the hierarchy.

    ``rank`` is SBR01 of the payer the claim goes to. ``patient`` is ``None`` when the subscriber is the patient
    (``relationship`` 18). ``frequency`` 1 original, 7 replacement, 8 void; 7 and 8 need ``payer_control_number``
    (REF*F8, the payer's own number of the claim that is replaced).
    """

    control_number: str
    charge: Decimal
    place_of_service: str
    billing: BillingProvider
    payer: Payer
    member_id: str
    subscriber: Person
    lines: tuple[ServiceLine, ...]
    diagnoses: tuple[str, ...]
    rendering: RenderingProvider | None = None
    supervising: RenderingProvider | None = None
    patient: Person | None = None
    relationship: str = "18"
    rank: str = "P"
    filing_indicator: str = "CI"
    group_number: str = ""
    group_name: str = ""
    insurance_type: str = ""
    frequency: str = "1"
    payer_control_number: str = ""
    prior_authorization: str = ""
    clearinghouse_number: str = ""
    location: ServiceLocation | None = None
    other_payers: tuple[OtherPayer, ...] = ()
    provider_signature: str = "Y"
    assignment: str = "A"
    benefits_assigned: str = "Y"
    release: str = "Y"
    signature_source: str = ""
    delay_reason: str = ""

    @property
    def treated(self) -> Person:
        """The person who was treated: the patient, or the subscriber when they are one."""
        return self.patient or self.subscriber

    def prior_of(self, payer: Payer) -> list[PriorAdjudication]:
        """What ``payer`` did with the lines, in line order."""
        return [each for line in self.lines for each in line.prior if each.payer_id == payer.identifier]


@dataclass(frozen=True, slots=True)
class Submission:
    """One ST…SE as read."""

    submitter: Submitter
    receiver: Receiver
    claims: tuple[Claim, ...]
    reference: str = ""
    written_at: datetime | None = None
    control_number: str = ""
    sender: str = ""
    recipient: str = ""
    interchange_control_number: str = ""


def client_responsibility(claim: Claim, other: OtherPayer) -> Decimal | None:
    """What ``other`` left to the patient: AMT*EAF when sent, else its PR adjustments; ``None`` when it has not
    adjudicated or says neither."""
    if other.remaining is not None:
        return other.remaining
    lines = claim.prior_of(other.payer)
    stated = [*other.adjustments, *(each for line in lines for each in line.adjustments)]
    if stated:
        return total(stated, "PR")
    per_line = [line.remaining for line in lines]
    known = [each for each in per_line if each is not None]
    return sum(known, ZERO) if known and len(known) == len(per_line) else None
