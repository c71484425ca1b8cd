"""Reading 835s: each payment recorded whole when it balances to the cent, or the whole file set aside."""

from django.db import transaction
from django.utils.translation import gettext as _

from insurance.models import (
    Adjudication,
    Adjustment,
    Claim,
    EdiFile,
    LineAdjudication,
    Payer,
    ProviderAdjustment,
    Remittance,
)
from insurance.services import discovery, files
from insurance.x12 import x835
from insurance.x12.segments import Finding, X12Error


def record(file: EdiFile) -> list[Remittance]:
    """Record every payment of a received 835, in one transaction, or quarantine the file whole.

    A file that cannot be read, or holds a payment that is off by a cent, is quarantined with the place and the
    difference; nothing of it is recorded. A payment that another file told already is left out as a finding.
    """
    findings: list[Finding] = []
    try:
        payments = list(x835.read(bytes(file.raw), findings))
    except X12Error as error:
        files.quarantine(file, [{"where": error.where, "message": str(error)}])
        return []
    off = [imbalance for payment in payments for imbalance in x835.imbalances(payment)]
    if off:
        files.quarantine(file, [{"where": each.where, "message": each.message} for each in off])
        return []
    notes = [{"where": each.where, "message": each.message} for each in findings]
    recorded = []
    with transaction.atomic():
        if not files.take(file):
            return []
        for payment in payments:
            known = Remittance.objects.filter(
                originator=payment.originator[:30],
                trace=payment.trace[:50],
                amount=payment.amount,
                paid_on=payment.paid_on,
            ).first()
            if known is not None:
                notes.append(
                    {"where": payment.where, "message": _("payment %(trace)s was recorded before, from file %(file)s")
                     % {"trace": payment.trace, "file": known.file_id}}
                )  # fmt: skip
            else:
                recorded.append(_record(file, payment))
        EdiFile.objects.filter(pk=file.pk).update(findings=notes)
        files.mark_processed(file)
    return recorded


def _record(file: EdiFile, payment: x835.Remittance) -> Remittance:
    payer = Payer.objects.filter(payer_id=payment.payer.identifier).first() if payment.payer.identifier else None
    if payer is None:
        payer = Payer.objects.filter(name__iexact=payment.payer.name).first()
    remittance = Remittance.objects.create(
        file=file,
        payer=payer,
        payer_name=payment.payer.name[:60],
        trace=payment.trace[:50],
        originator=payment.originator[:30],
        method=payment.method[:3],
        amount=payment.amount,
        paid_on=payment.paid_on,
    )
    for number, claim in enumerate(payment.claims, start=1):
        _record_claim(remittance, number, claim)
    ProviderAdjustment.objects.bulk_create(
        ProviderAdjustment(remittance=remittance, code=each.code[:2], reference=each.reference[:50], amount=each.amount)
        for each in payment.provider_adjustments
        if each.amount
    )
    return remittance


def _record_claim(remittance: Remittance, number: int, said: x835.RemittedClaim) -> None:
    claim = match_claim(said.control_number, remittance.payer)
    adjudication = Adjudication.objects.create(
        remittance=remittance,
        number=number,
        claim=claim,
        control_number=said.control_number[:50],
        status_code=said.status[:2],
        charge=said.charge,
        paid=said.paid,
        client_responsibility=said.client_responsibility,
        payer_control_number=said.payer_control_number[:50],
        remarks=[code[:10] for code in said.remarks],
        forwarded_to=said.crossover.full[:60] if said.crossover else "",
        explanation=x835.explain(said),
    )
    adjustments = [_adjustment(adjudication, None, each) for each in said.adjustments]
    for place, line in enumerate(said.lines, start=1):
        row = LineAdjudication.objects.create(
            adjudication=adjudication,
            number=place,
            line_control_number=line.control_number[:50],
            procedure=line.procedure[:48],
            modifiers=list(line.modifiers)[:4],
            date=line.service_date or said.date_of("232"),
            charge=line.charge,
            paid=line.paid if line.paid is not None else 0,
            units=line.units if line.units is not None else 1,
            remarks=[code[:10] for code in line.remarks],
        )
        adjustments += [_adjustment(adjudication, row, each) for each in line.adjustments]
    Adjustment.objects.bulk_create(adjustments)
    if claim is not None:
        discovery.from_remittance(claim, said, remittance.file)


def _adjustment(adjudication: Adjudication, line: LineAdjudication | None, said: x835.Adjustment) -> Adjustment:
    return Adjustment(
        adjudication=adjudication,
        line=line,
        group=said.group[:2],
        code=said.code[:5],
        amount=said.amount,
        quantity=said.quantity,
    )


def as_said(adjudication: Adjudication) -> x835.RemittedClaim | None:
    """A result as its file has it, with the names and ids that rows do not keep; ``None`` when it cannot be read."""
    remittance = adjudication.remittance
    try:
        payments = list(x835.read(bytes(remittance.file.raw), []))
    except X12Error:
        return None
    for payment in payments:
        same = (payment.trace[:50], payment.amount, payment.paid_on)
        if same == (remittance.trace, remittance.amount, remittance.paid_on):
            return payment.claims[adjudication.number - 1] if adjudication.number <= len(payment.claims) else None
    return None


def match_claim(control_number: str, payer: Payer | None) -> Claim | None:
    """Our claim by CLM01, to the insurer that answers.

    A claim that one insurer sent on to the next is answered by that one under the number of the first; then it is the
    session's claim to that next insurer. ``None`` when this insurer was never asked about the session.
    """
    claim = Claim.objects.select_related("coverage").filter(control_number=control_number.strip()).first()
    if claim is None or payer is None or claim.coverage.payer_id == payer.pk:
        return claim
    same_session = Claim.objects.filter(session=claim.session_id, coverage__payer=payer)
    return same_session.exclude(Claim.OUTSIDE).order_by("rank").first()
