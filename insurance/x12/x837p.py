"""Professional claims (837P): the door to the dataclasses, :func:`build`, :func:`read` and :func:`describe`."""

from insurance.x12.adjustments import Adjustment, as_json
from insurance.x12.names import Address, Name
from insurance.x12.segments import Finding
from insurance.x12.x837p_build import batch_reference, build
from insurance.x12.x837p_model import (
    RANKS,
    VERSION,
    BillingProvider,
    Claim,
    OtherPayer,
    Payer,
    Person,
    PriorAdjudication,
    Receiver,
    RenderingProvider,
    ServiceLine,
    ServiceLocation,
    Submission,
    Submitter,
    client_responsibility,
)
from insurance.x12.x837p_read import read

__all__ = [
    "RANKS", "VERSION", "Address", "Adjustment", "BillingProvider", "Claim", "Name", "OtherPayer", "Payer", "Person",
    "PriorAdjudication", "Receiver", "RenderingProvider", "ServiceLine", "ServiceLocation", "Submission", "Submitter",
    "batch_reference", "build", "client_responsibility", "describe", "read",
]  # fmt: skip


def describe(raw: bytes) -> dict[str, object]:
    """The 837P part of the ``read_edi`` contract. Raises :class:`X12Error` for what cannot be read."""
    findings: list[Finding] = []
    claims = [_claim(claim) for submission in read(raw, findings) for claim in submission.claims]
    errors = [{"where": each.where, "message": each.message} for each in findings]
    return {"type": "837P", "errors": errors, "claims": claims}


def _money(value: object) -> str | None:
    return None if value is None else f"{value:.2f}"


def _claim(claim: Claim) -> dict[str, object]:
    names = {other.payer.identifier: other.payer.name for other in claim.other_payers if other.payer.identifier}
    return {
        "control_number": claim.control_number,
        "charge": _money(claim.charge),
        "payer": claim.payer.name or None,
        "rank": RANKS.get(claim.rank),
        "frequency": claim.frequency or None,
        "patient": claim.treated.name.full or None,
        "member_id": claim.member_id or None,
        "diagnoses": list(claim.diagnoses),
        "other_payers": [
            {
                "name": other.payer.name or None,
                "rank": RANKS.get(other.rank),
                "paid": _money(other.paid),
                "client_responsibility": _money(client_responsibility(claim, other)),
            }
            for other in claim.other_payers
        ],
        "lines": [
            {
                "procedure": line.procedure or None,
                "modifiers": list(line.modifiers),
                "charge": _money(line.charge),
                "date": line.service_date.isoformat() if line.service_date else None,
                "prior": [
                    {
                        "payer": names.get(prior.payer_id) or prior.payer_id,
                        "paid": _money(prior.paid),
                        "adjustments": as_json(prior.adjustments),
                    }
                    for prior in line.prior
                ],
            }
            for line in claim.lines
        ],
    }
