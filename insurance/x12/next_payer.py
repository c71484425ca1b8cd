"""The claim to the next payer, carrying what the payer before it decided: 835 in, 2320/2330/2430 out. Pure.

Adjustments are copied as the 835 gave them (zero amounts left out, as the claim guide forbids them); adjudication date
and remaining patient liability stand at one level only: the line when the 835 had lines, else the claim.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from common.errors import BadInput
from insurance.x12.adjustments import ZERO, Adjustment, total
from insurance.x12.x835_model import RemittedClaim, RemittedLine
from insurance.x12.x837p_model import Claim, OtherPayer, PriorAdjudication, ServiceLine


class LineNotMatched(BadInput):
    """A remitted service is none of the claim's lines, or might be more than one."""


def bill_next(
    claim: Claim, remitted: RemittedClaim, *, adjudicated_on: date, to: OtherPayer, control_number: str
) -> Claim:
    """``claim`` as it goes to ``to`` after its own payer answered with ``remitted``.

    ``adjudicated_on`` is the remittance's payment date (BPR16), ``to`` the next payer as the claim named it among its
    other payers (its ``subscriber`` needs a birth date when ``relationship`` is 18), ``control_number`` the new claim's
    CLM01. Frequency is 1 and the payer's own numbers are not carried: it is the next payer's first claim. Raises
    :class:`LineNotMatched`, and ``BadInput`` for a reversal, which is a decision taken back and not one to carry on.
    """
    if remitted.reversal:
        raise BadInput("a reversal takes a decision back: carry on the corrected one", remitted.where)
    matched = match_lines(claim.lines, remitted.lines)
    by_line = bool(remitted.lines)
    lines = tuple(
        replace(
            line,
            prior=(
                *line.prior,
                *(_prior(each, claim, adjudicated_on) for each in matched[place]),
            ),
        )
        for place, line in enumerate(claim.lines)
    )
    decided = OtherPayer(
        rank=claim.rank,
        payer=claim.payer,
        member_id=claim.member_id,
        subscriber=claim.subscriber,
        relationship=claim.relationship if claim.patient is not None else "18",
        filing_indicator=claim.filing_indicator,
        group_number=claim.group_number,
        group_name=claim.group_name,
        insurance_type="",
        paid=remitted.paid,
        remaining=None if by_line else remitted.client_responsibility,
        adjustments=_kept(remitted.adjustments),
        remarks=() if remitted.inpatient else remitted.claim_remarks[:5],
        adjudicated_on=None if by_line else adjudicated_on,
        payer_control_number=remitted.payer_control_number,
        benefits_assigned=claim.benefits_assigned,
        release=claim.release,
        signature_source=claim.signature_source,
    )
    own = to.relationship == "18"
    others = [*(each for each in claim.other_payers if each != to), decided]
    order = "PSTABCDEFGH"
    others.sort(key=lambda each: order.find(each.rank))
    return replace(
        claim,
        control_number=control_number,
        payer=to.payer,
        member_id=to.member_id,
        subscriber=replace(claim.treated, address=to.subscriber.address or claim.treated.address)
        if own
        else to.subscriber,
        patient=None if own else claim.treated,
        relationship=to.relationship,
        rank=to.rank,
        filing_indicator=to.filing_indicator,
        group_number=to.group_number,
        group_name=to.group_name,
        insurance_type=to.insurance_type,
        frequency="1",
        payer_control_number="",
        prior_authorization="",
        clearinghouse_number="",
        other_payers=tuple(others),
        lines=lines,
    )


def match_lines(lines: Sequence[ServiceLine], remitted: Sequence[RemittedLine]) -> list[list[RemittedLine]]:
    """For each claim line, the remitted services that answer it: by our line number (REF*6R), else by procedure
    (as billed), date and charge. Raises :class:`LineNotMatched`."""
    answers: list[list[RemittedLine]] = [[] for _ in lines]
    for service in remitted:
        numbered = [
            place
            for place, line in enumerate(lines)
            if service.control_number and line.control_number == service.control_number
        ]
        alike = [
            place
            for place, line in enumerate(lines)
            if not answers[place]
            and line.procedure == (service.original_procedure or service.procedure)
            and line.charge == service.charge
            and service.service_date in (None, line.service_date)
        ]
        found = numbered or alike
        # Twins that nothing tells apart are answered in order.
        if not found:
            raise LineNotMatched(
                f"service {service.procedure} of {service.charge} is no line of the claim", service.where
            )
        answers[found[0]].append(service)
    return answers


def _kept(adjustments: Sequence[Adjustment]) -> tuple[Adjustment, ...]:
    return tuple(each for each in adjustments if each.amount)


def _prior(line: RemittedLine, claim: Claim, adjudicated_on: date) -> PriorAdjudication:
    bundled = ""
    if line.original_procedure and line.original_procedure != line.procedure:
        # Paid under another line's procedure: SVD06 names that line by its place (LX01).
        places = [place for place, each in enumerate(claim.lines, 1) if each.procedure == line.procedure]
        bundled = str(places[0]) if places else ""
    return PriorAdjudication(
        payer_id=claim.payer.identifier,
        paid=line.paid if line.paid is not None else ZERO,
        procedure=line.procedure,
        adjudicated_on=adjudicated_on,
        adjustments=_kept(line.adjustments),
        modifiers=line.modifiers,
        units=line.units,
        remaining=total(line.adjustments, "PR"),
        procedure_qualifier=line.procedure_qualifier,
        bundled_line=bundled,
    )
