"""An insurer's front door: is the claim one it can take up? What it says is the 277CA's status."""

from dataclasses import dataclass
from datetime import date

from insurance.x12.adjustments import ZERO
from insurance.x12.names import Name
from insurance.x12.x277ca import ACCEPT, REJECT, AcknowledgedClaim, Status
from insurance.x12.x837p_model import Claim
from sandbox.insurers.adjudicate import served_on
from sandbox.insurers.books import Books
from sandbox.insurers.records import Insurer, Member
from sandbox.insurers.second import out_of_balance


@dataclass(frozen=True, slots=True)
class Verdict:
    """Taken up for ``member`` (then with the day served and the claim it replaces), or refused (``None``)."""

    status: Status
    member: Member | None = None
    served: date | None = None
    replaces: int | None = None


def take(books: Books, insurer: Insurer, claim: Claim) -> Verdict:
    """Whether the claim goes into adjudication. Status codes of the 277CA (507, 508 code lists)."""
    served = served_on(claim)
    if served is None:
        return _refused("A6", "187", "", "DATE OF SERVICE IS MISSING")
    if not npi_is_sound(claim.billing.npi):
        return _refused("A7", "562", "85", "BILLING PROVIDER NPI IS NOT VALID")
    member = _member(books, insurer, claim)
    if member is None:
        return _refused("A3", "33", "IL", "SUBSCRIBER AND SUBSCRIBER ID NOT FOUND")
    if insurer.cob_at_intake and member.cob.rank == "unresolved" and claim.frequency != "8":
        return _refused("A3", "52", "", "MEMBER MUST CALL TO UPDATE COORDINATION OF BENEFITS")
    if sum((line.charge for line in claim.lines), ZERO) != claim.charge:
        return _refused("A7", "178", "", "LINE CHARGES DO NOT ADD UP TO THE CLAIM")
    fault = out_of_balance(claim)
    if fault:
        return _refused("A7", "400", "", fault.upper())
    replaces = None
    if claim.frequency in ("7", "8"):
        former = books.claim_by_payer_number(insurer.payer_id, claim.payer_control_number)
        if former is None or former.member_key != member.key or former.state in ("reversed", "withdrawn", "void"):
            return _refused("A7", "464", "", "THE CLAIM TO BE REPLACED IS NOT ON FILE")
        replaces = former.number
    return Verdict(Status("A2", "20", "PR", ACCEPT), member, served, replaces)


def acknowledged(
    claim: Claim, status: Status, *, payer_control_number: str = "", clearinghouse_number: str = ""
) -> AcknowledgedClaim:
    """The claim as a 277CA names it."""
    patient = claim.treated
    return AcknowledgedClaim(
        control_number=claim.control_number,
        statuses=(status,),
        patient=Name(patient.last, patient.first, qualifier="MI", identifier=claim.member_id, person=True),
        payer_control_number=payer_control_number,
        clearinghouse_number=clearinghouse_number,
        service_from=served_on(claim),
    )


def fingerprint(claim: Claim) -> str:
    """What makes two claims the same services: who, by whom, when, what, for how much."""
    provider = claim.rendering.npi if claim.rendering else claim.billing.npi
    lines = sorted(
        f"{line.service_date}:{line.procedure}:{'-'.join(line.modifiers)}:{line.units}:{line.charge}"
        for line in claim.lines
    )
    return "|".join((claim.treated.first.upper(), str(claim.treated.born), provider, *lines))


def npi_is_sound(npi: str) -> bool:
    """Ten digits whose check digit is Luhn's over 80840 and the NPI (CMS)."""
    if len(npi) != 10 or not (npi.isascii() and npi.isdigit()):
        return False
    total = 0
    for place, digit in enumerate(int(each) for each in reversed("80840" + npi)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _member(books: Books, insurer: Insurer, claim: Claim) -> Member | None:
    """The patient among those on the card: by date of birth, by first name where two were born on one day."""
    treated = claim.treated
    on_card = books.on_card(insurer.payer_id, claim.member_id)
    born = [member for member in on_card if treated.born is None or member.person.born == treated.born]
    named = [member for member in born if member.person.first_name.upper() == treated.first.upper()]
    return next(iter(named or born), None)


def _refused(category: str, code: str, entity: str, message: str) -> Verdict:
    return Verdict(Status(category, code, entity, REJECT, message=message.replace("*", " ").replace("~", " ")))
