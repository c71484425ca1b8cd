"""Does a claim with other payers add up? The rules a coordination-of-benefits claim must keep (docs/remittances.md).

For every payer that has already adjudicated:
    each line   SV102 = ΣSVD02 + ΣCAS(2430)
    the payer   AMT*D = ΣSVD02 − ΣCAS(2320), when it adjudicated line by line
    the claim   CLM02 = AMT*D + ΣCAS(2320) + ΣCAS(2430)
and for every claim CLM02 = ΣSV102. A payer that has not adjudicated brings no amounts.
"""

from insurance.x12.adjustments import ZERO, total
from insurance.x12.segments import Finding
from insurance.x12.x837p_model import Claim, OtherPayer


def findings(claim: Claim) -> list[Finding]:
    """What does not add up or is missing, in the order of the claim; empty when all is well. Pure."""
    found: list[Finding] = []
    here = f"claim {claim.control_number}"
    charges = sum((line.charge for line in claim.lines), ZERO)
    if charges != claim.charge:
        found.append(Finding(here, f"the lines charge {charges}, the claim {claim.charge}"))
    known = {other.payer.identifier for other in claim.other_payers}
    for place, line in enumerate(claim.lines, 1):
        at = f"{here} line {place}"
        found += [
            Finding(at, f"it points to diagnosis {pointer}, which is not there")
            for pointer in line.pointers
            if not 1 <= pointer <= len(claim.diagnoses)
        ]
        found += [
            Finding(at, f"payer {prior.payer_id!r} decided the line but is not among the other payers")
            for prior in line.prior
            if prior.payer_id not in known
        ]
    ranks = [claim.rank, *(other.rank for other in claim.other_payers)]
    if len(set(ranks)) < len(ranks):
        found.append(Finding(here, f"two payers have one rank: {' '.join(ranks)}"))
    for other in claim.other_payers:
        found += _payer(claim, other, f"{here} payer {other.payer.identifier}")
    return found


def _payer(claim: Claim, other: OtherPayer, here: str) -> list[Finding]:
    found: list[Finding] = []
    priors = claim.prior_of(other.payer)
    if other.paid is None:
        if priors or other.adjustments or other.adjudicated_on:
            found.append(Finding(here, "it has adjudicated, but what it paid (AMT*D) is missing"))
        return found
    line_dates = [prior.adjudicated_on for prior in priors]
    if other.adjudicated_on is not None and any(line_dates):
        found.append(Finding(here, "its adjudication date stands both at the claim and at a line"))
    elif other.adjudicated_on is None and not (line_dates and all(line_dates)):
        found.append(Finding(here, "its adjudication date is missing"))
    line_adjustments = ZERO
    for place, line in enumerate(claim.lines, 1):
        mine = [prior for prior in line.prior if prior.payer_id == other.payer.identifier]
        if not mine:
            if priors:
                found.append(Finding(f"{here} line {place}", "it decided other lines, but not this one"))
            continue
        paid = sum((prior.paid for prior in mine), ZERO)
        adjusted = sum((total(prior.adjustments) for prior in mine), ZERO)
        line_adjustments += adjusted
        if line.charge != paid + adjusted:
            message = f"charge {line.charge} is not paid {paid} plus adjustments {adjusted}"
            found.append(Finding(f"{here} line {place}", message))
    if priors:
        expected = sum((prior.paid for prior in priors), ZERO) - total(other.adjustments)
        if other.paid != expected:
            message = f"AMT*D says {other.paid} paid, the lines less claim adjustments say {expected}"
            found.append(Finding(here, message))
    accounted = other.paid + total(other.adjustments) + line_adjustments
    if claim.charge != accounted:
        message = f"charge {claim.charge} is not accounted for: paid and adjustments make {accounted}"
        found.append(Finding(here, message))
    return found
