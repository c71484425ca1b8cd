"""Remittances as insurers send them, written for a claim of ours."""

from decimal import Decimal

from common import clock
from insurance.models import Claim, EdiFile
from insurance.services import files
from insurance.x12 import x835
from insurance.x12.segments import Party

D = Decimal


def adjustments(*triples: tuple[str, str, str]) -> tuple[x835.Adjustment, ...]:
    """``("PR", "1", "50.00")`` …"""
    return tuple(x835.Adjustment(group, code, D(amount)) for group, code, amount in triples)


def result(
    claim: Claim, *, paid: str, why: tuple[x835.Adjustment, ...], status: str = "", remarks: tuple[str, ...] = ()
) -> x835.RemittedClaim:
    """One claim's result with everything on its one line, as professional claims have it."""
    share = sum((each.amount for each in why if each.group == "PR"), D("0.00"))
    line = claim.session.lines.get()
    return x835.RemittedClaim(
        control_number=claim.control_number,
        status=status or str(claim.rank),
        charge=claim.charge,
        paid=D(paid),
        stated_responsibility=share or None,
        payer_control_number=f"ICN{claim.pk}",
        filing_indicator="CI",
        patient=x835.Name("RIVERA", "ANA", qualifier="MI", identifier=claim.coverage.member_id, person=True),
        claim_remarks=remarks,
        lines=(
            x835.RemittedLine(
                procedure=line.cpt,
                charge=line.charge,
                paid=D(paid),
                adjustments=why,
                units=D(1),
                service_date=claim.session.date,
                control_number=f"L{line.pk}",
            ),
        ),
    )


def payment(claim: Claim, *results: x835.RemittedClaim, trace: str = "", off_by: str = "0.00") -> x835.Remittance:
    """One payment of the claim's insurer; ``off_by`` makes it wrong by so much."""
    payer = claim.coverage.payer
    return x835.Remittance(
        amount=sum((each.paid for each in results), D("0.00")) + D(off_by),
        method="ACH",
        payer=x835.Organisation(payer.name.upper(), "XV", payer.payer_id),
        payee=x835.Organisation("HEADWAY", "XX", "1497758544"),
        trace=trace or f"EFT{claim.pk}",
        claims=results,
        paid_on=clock.today(),
        produced_on=clock.today(),
        originator="1512345678",
    )


def received(*payments: x835.Remittance, number: int = 1) -> EdiFile:
    """The file as it lies in our inbox, not read yet."""
    raw = x835.build(
        payments, sender=Party("HARBORSIDE"), receiver=Party("HEADWAY"), control_number=number, at=clock.now()
    )
    file, _new = files.store_incoming(kind=EdiFile.Kind.REMITTANCE, raw=raw)
    return file
