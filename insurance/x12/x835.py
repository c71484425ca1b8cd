"""Remittances (835): the door to the dataclasses, :func:`build`, :func:`read`, :func:`explain` and :func:`describe`."""

from insurance.x12.adjustments import Adjustment, as_json
from insurance.x12.names import Address, Name
from insurance.x12.segments import Finding
from insurance.x12.x835_build import build
from insurance.x12.x835_explain import allowed, explain, reason, remark, status_text
from insurance.x12.x835_model import (
    FORWARDED,
    REVERSAL,
    VERSION,
    Imbalance,
    Organisation,
    ProviderAdjustment,
    Reference,
    Remittance,
    RemittedClaim,
    RemittedLine,
    imbalances,
)
from insurance.x12.x835_read import read

__all__ = [
    "FORWARDED", "REVERSAL", "VERSION", "Address", "Adjustment", "Imbalance", "Name", "Organisation",
    "ProviderAdjustment", "Reference", "Remittance", "RemittedClaim", "RemittedLine", "allowed", "build", "describe",
    "explain", "imbalances", "read", "reason", "remark", "status_text",
]  # fmt: skip


def describe(raw: bytes) -> dict[str, object]:
    """The 835 part of the ``read_edi`` contract. Raises :class:`X12Error` for what cannot be read."""
    findings: list[Finding] = []
    payments = [_payment(remittance) for remittance in read(raw, findings)]
    errors = [{"where": each.where, "message": each.message} for each in findings]
    return {"type": "835", "errors": errors, "payments": payments}


def _money(value: object) -> str | None:
    return None if value is None else f"{value:.2f}"


def _payment(remittance: Remittance) -> dict[str, object]:
    return {
        "payer": remittance.payer.name or None,
        "payee_npi": remittance.payee.npi,
        "method": remittance.method or None,
        "date": remittance.paid_on.isoformat() if remittance.paid_on else None,
        "amount": _money(remittance.amount),
        "trace": remittance.trace or None,
        "balanced": remittance.balanced,
        "claims": [_claim(claim) for claim in remittance.claims],
        "provider_adjustments": [
            {"code": each.code, "amount": _money(each.amount), "reference": each.reference or None}
            for each in remittance.provider_adjustments
        ],
    }


def _claim(claim: RemittedClaim) -> dict[str, object]:
    return {
        "control_number": claim.control_number,
        "status": claim.status,
        "status_text": status_text(claim.status),
        "charge": _money(claim.charge),
        "paid": _money(claim.paid),
        "client_responsibility": _money(claim.client_responsibility),
        "payer_control_number": claim.payer_control_number or None,
        "patient": (claim.patient.full or None) if claim.patient else None,
        "adjustments": as_json(claim.adjustments),
        "lines": [_line(claim, line) for line in claim.lines],
        "remarks": list(claim.remarks),
        "explanation": explain(claim),
    }


def _line(claim: RemittedClaim, line: RemittedLine) -> dict[str, object]:
    on = line.service_date
    if on is None and claim.date_of("233") in (None, claim.date_of("232")):
        # The guide lets a line leave its date out when the claim's statement period says it.
        on = claim.date_of("232")
    return {
        "procedure": line.procedure or None,
        "date": on.isoformat() if on else None,
        "charge": _money(line.charge),
        "paid": _money(line.paid),
        "adjustments": as_json(line.adjustments),
    }
