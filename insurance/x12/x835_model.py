"""What a remittance (835, 005010X221A1) says: payments, claims, lines, why amounts differ, and whether it adds up.

Amounts are dollars as the payer wrote them, signs kept: in a reversal (CLP02 22) everything is negative, so that facts
are summed and never overwritten. ``None`` is not known.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from insurance.x12.adjustments import ZERO, Adjustment, total
from insurance.x12.names import Address, Name
from insurance.x12.segments import Finding

VERSION = "005010X221A1"

REVERSAL = "22"
FORWARDED = frozenset({"19", "20", "21", "23"})
"""Statuses whose claim the payer sent on to another payer: do not bill that one also."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A REF: qualifier and value."""

    qualifier: str
    value: str


@dataclass(frozen=True, slots=True)
class Organisation:
    """An N1 loop of the header: payer (PR) or payee (PE). ``qualifier`` XX (NPI), XV, FI…"""

    name: str
    qualifier: str = ""
    identifier: str = ""
    address: Address | None = None
    references: tuple[Reference, ...] = ()
    contact: str = ""
    phone: str = ""

    @property
    def npi(self) -> str | None:
        return self.identifier if self.qualifier == "XX" and self.identifier else None

    def reference(self, qualifier: str) -> str | None:
        return next((each.value for each in self.references if each.qualifier == qualifier), None)


@dataclass(frozen=True, slots=True)
class RemittedLine:
    """Loop 2110: one service as adjudicated.

    ``procedure`` is what was paid; ``original_procedure`` (SVC06) what was billed, when they differ.
    ``control_number`` is REF*6R, our own line number; ``allowed`` is AMT*B6; ``remarks`` are LQ codes.
    """

    procedure: str
    charge: Decimal
    paid: Decimal | None
    adjustments: tuple[Adjustment, ...] = ()
    modifiers: tuple[str, ...] = ()
    procedure_qualifier: str = "HC"
    units: Decimal | None = None
    service_date: date | None = None
    through: date | None = None
    control_number: str = ""
    remarks: tuple[str, ...] = ()
    original_procedure: str = ""
    original_modifiers: tuple[str, ...] = ()
    original_units: Decimal | None = None
    revenue_code: str = ""
    amounts: tuple[tuple[str, Decimal], ...] = ()
    references: tuple[Reference, ...] = ()
    where: str = ""

    @property
    def allowed(self) -> Decimal | None:
        """AMT*B6; ``None`` when the payer does not say."""
        return next((value for qualifier, value in self.amounts if qualifier == "B6"), None)

    @property
    def difference(self) -> Decimal:
        """SVC02 − ΣCAS − SVC03: zero when the line balances. An empty SVC03 counts as nothing paid."""
        return self.charge - total(self.adjustments) - (self.paid or ZERO)


@dataclass(frozen=True, slots=True)
class RemittedClaim:
    """Loop 2100: one claim as adjudicated.

    ``adjustments`` and ``claim_remarks`` (MIA, MOA) are those of the claim level; lines have their own.
    ``corrected_payer`` is NM1*PR, the payer that this one believes pays first; ``crossover`` NM1*TT, the payer it sent
    the claim on to; ``corrected`` NM1*74, the right name or member id of the patient or insured.
    """

    control_number: str
    status: str
    charge: Decimal
    paid: Decimal
    stated_responsibility: Decimal | None = None
    payer_control_number: str = ""
    filing_indicator: str = ""
    place_of_service: str = ""
    frequency: str = ""
    patient: Name | None = None
    insured: Name | None = None
    corrected: Name | None = None
    rendering: Name | None = None
    crossover: Name | None = None
    corrected_payer: Name | None = None
    other_subscriber: Name | None = None
    adjustments: tuple[Adjustment, ...] = ()
    claim_remarks: tuple[str, ...] = ()
    inpatient: bool = False
    lines: tuple[RemittedLine, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[tuple[str, date], ...] = ()
    amounts: tuple[tuple[str, Decimal], ...] = ()
    where: str = ""

    @property
    def reversal(self) -> bool:
        return self.status == REVERSAL

    @property
    def forwarded(self) -> bool:
        return self.status in FORWARDED

    @property
    def all_adjustments(self) -> tuple[Adjustment, ...]:
        """Claim level first, then each line's."""
        return self.adjustments + tuple(each for line in self.lines for each in line.adjustments)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Every remark code, claim level first, each once."""
        return tuple(dict.fromkeys(self.claim_remarks + tuple(code for line in self.lines for code in line.remarks)))

    @property
    def member_id(self) -> str:
        """The patient's own id where sent, else the insured's."""
        return next((each.identifier for each in (self.patient, self.insured) if each and each.identifier), "")

    @property
    def difference(self) -> Decimal:
        """CLP03 − ΣCAS (claim and lines) − CLP04: zero when the claim balances."""
        return self.charge - total(self.all_adjustments) - self.paid

    @property
    def client_responsibility(self) -> Decimal | None:
        """What this payer leaves to the patient: CLP05 when sent, else the PR adjustments.

        The guide leaves CLP05 out when it is zero, so a claim that balances without any PR leaves 0.00; one that does
        not balance and has no PR leaves an amount nobody can know: ``None``.
        """
        if self.stated_responsibility is not None:
            return self.stated_responsibility
        share = [each for each in self.all_adjustments if each.group == "PR"]
        if share:
            return total(share)
        return ZERO if not self.difference else None

    def reference(self, qualifier: str) -> str | None:
        return next((each.value for each in self.references if each.qualifier == qualifier), None)

    def date_of(self, qualifier: str) -> date | None:
        """A DTM of the claim: 232/233 service from/through, 050 received, 036 coverage expired."""
        return next((value for each, value in self.dates if each == qualifier), None)

    def amount_of(self, qualifier: str) -> Decimal | None:
        """An AMT of the claim: AU covered, D discount, I interest, F5 paid by the patient, T tax."""
        return next((value for each, value in self.amounts if each == qualifier), None)


@dataclass(frozen=True, slots=True)
class ProviderAdjustment:
    """One PLB pair. A positive amount reduces the payment. ``amount`` is ``None`` when the file leaves it out."""

    code: str
    amount: Decimal | None
    reference: str = ""
    provider: str = ""
    fiscal_date: date | None = None


@dataclass(frozen=True, slots=True)
class Imbalance:
    """One equation that does not hold: ``difference`` is what is left over, in dollars."""

    where: str
    level: str
    difference: Decimal
    message: str


@dataclass(frozen=True, slots=True)
class Remittance:
    """One ST…SE: one payment and what it pays.

    ``method`` is BPR04 (ACH, CHK, NON…), ``handling`` BPR01 (I remittance with payment, H notification only),
    ``paid_on`` BPR16, ``trace`` TRN02 (the cheque or EFT number), ``originator`` TRN03, ``produced_on`` DTM*405.
    """

    amount: Decimal
    method: str
    payer: Organisation
    payee: Organisation
    trace: str
    claims: tuple[RemittedClaim, ...] = ()
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()
    paid_on: date | None = None
    produced_on: date | None = None
    handling: str = "I"
    credit_debit: str = "C"
    originator: str = ""
    receiver_id: str = ""
    control_number: str = ""
    interchange_control_number: str = ""
    findings: tuple[Finding, ...] = field(default=(), compare=False)
    where: str = ""

    @property
    def difference(self) -> Decimal:
        """ΣCLP04 − ΣPLB − BPR02: zero when the payment balances."""
        claims = sum((claim.paid for claim in self.claims), ZERO)
        taken = sum((each.amount for each in self.provider_adjustments if each.amount is not None), ZERO)
        return claims - taken - self.amount

    @property
    def balanced(self) -> bool:
        """All three equations hold on every level, and no amount they need is missing."""
        return (
            not self.difference
            and all(each.amount is not None for each in self.provider_adjustments)
            and all(not claim.difference and all(not line.difference for line in claim.lines) for claim in self.claims)
        )


def imbalances(remittance: Remittance) -> list[Imbalance]:
    """Every equation of the remittance that does not hold, from lines up to the payment."""
    found = []
    for claim in remittance.claims:
        found += [
            Imbalance(line.where, "line", line.difference,
                      f"service {line.procedure}: charge {line.charge} less adjustments {total(line.adjustments)} is"
                      f" not the payment {line.paid or ZERO}; {line.difference} is unexplained")
            for line in claim.lines if line.difference
        ]  # fmt: skip
        if claim.difference:
            found.append(
                Imbalance(claim.where, "claim", claim.difference,
                          f"claim {claim.control_number}: charge {claim.charge} less adjustments"
                          f" {total(claim.all_adjustments)} is not the payment {claim.paid};"
                          f" {claim.difference} is unexplained")
            )  # fmt: skip
    if remittance.difference:
        found.append(
            Imbalance(remittance.where, "payment", remittance.difference,
                      f"payment {remittance.trace}: the claims less provider adjustments are not the payment"
                      f" {remittance.amount}; {remittance.difference} is unexplained")
        )  # fmt: skip
    return found
