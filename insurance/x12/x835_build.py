"""Remittances to 835 bytes (005010X221A1). The stand-in insurers write their payments with it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from insurance.x12.adjustments import write_adjustments
from insurance.x12.names import write_address, write_name
from insurance.x12.segments import Party, Row, composite, write_interchange
from insurance.x12.values import write_amount, write_day
from insurance.x12.x835_model import (
    VERSION,
    Organisation,
    ProviderAdjustment,
    Remittance,
    RemittedClaim,
    RemittedLine,
)


def build(
    remittances: Iterable[Remittance],
    *,
    sender: Party,
    receiver: Party,
    control_number: int,
    at: datetime,
    production: bool = False,
) -> bytes:
    """One interchange, one ST…SE per remittance. Nothing is computed: amounts are written as they are, so that a payer
    that does not add up can be written too. Raises ``ValueError`` for a text with a separator or a provider
    adjustment without an amount.
    """
    return write_interchange(
        functional_id="HP",
        version=VERSION,
        transactions=(("835", _transaction(remittance, at)) for remittance in remittances),
        sender=sender,
        receiver=receiver,
        control_number=control_number,
        at=at,
        production=production,
        version_in_st=False,
    )


def _transaction(remittance: Remittance, at: datetime) -> Iterator[Row]:
    paid_on = write_day(remittance.paid_on) if remittance.paid_on else ""
    yield (
        "BPR", remittance.handling, write_amount(remittance.amount), remittance.credit_debit, remittance.method,
        *[""] * 11, paid_on,
    )  # fmt: skip
    yield ("TRN", "1", remittance.trace, remittance.originator)
    if remittance.receiver_id:
        yield ("REF", "EV", remittance.receiver_id)
    yield ("DTM", "405", write_day(remittance.produced_on or at.date()))
    yield from _organisation("PR", remittance.payer)
    yield from _organisation("PE", remittance.payee)
    if remittance.claims:
        yield ("LX", "1")
    for claim in remittance.claims:
        yield from _claim(claim)
    year_end = f"{(remittance.paid_on or at).year}1231"
    yield from _provider_adjustments(remittance.provider_adjustments, remittance.payee.identifier, year_end)


def _organisation(entity: str, party: Organisation) -> Iterator[Row]:
    yield ("N1", entity, party.name, party.qualifier, party.identifier)
    yield from write_address(party.address)
    for reference in party.references:
        yield ("REF", reference.qualifier, reference.value)
    if entity == "PR" and (party.contact or party.phone):
        yield ("PER", "BL", party.contact, *(("TE", party.phone) if party.phone else ()))


def _claim(claim: RemittedClaim) -> Iterator[Row]:
    share = claim.stated_responsibility
    yield (
        "CLP", claim.control_number, claim.status, write_amount(claim.charge), write_amount(claim.paid),
        "" if share is None else write_amount(share), claim.filing_indicator, claim.payer_control_number,
        claim.place_of_service, claim.frequency,
    )  # fmt: skip
    yield from write_adjustments(claim.adjustments)
    for entity, name in (
        ("QC", claim.patient),
        ("IL", claim.insured),
        ("74", claim.corrected),
        ("82", claim.rendering),
        ("TT", claim.crossover),
        ("PR", claim.corrected_payer),
        ("GB", claim.other_subscriber),
    ):
        if name is not None:
            yield write_name(entity, name)
    if claim.claim_remarks:
        first, *rest = claim.claim_remarks
        if claim.inpatient:
            yield ("MIA", "0", "", "", "", first, *[""] * 14, *rest[:4])
        else:
            yield ("MOA", "", "", first, *rest[:4])
    for reference in claim.references:
        yield ("REF", reference.qualifier, reference.value)
    for qualifier, on in claim.dates:
        yield ("DTM", qualifier, write_day(on))
    for qualifier, value in claim.amounts:
        yield ("AMT", qualifier, write_amount(value))
    for line in claim.lines:
        yield from _line(line)


def _line(line: RemittedLine) -> Iterator[Row]:
    original = ""
    if line.original_procedure:
        original = composite(line.procedure_qualifier, line.original_procedure, *line.original_modifiers)
    yield (
        "SVC", composite(line.procedure_qualifier, line.procedure, *line.modifiers), write_amount(line.charge),
        "" if line.paid is None else write_amount(line.paid), line.revenue_code,
        "" if line.units is None else write_amount(line.units), original,
        "" if line.original_units is None else write_amount(line.original_units),
    )  # fmt: skip
    if line.service_date is not None and line.through is not None:
        yield ("DTM", "150", write_day(line.service_date))
        yield ("DTM", "151", write_day(line.through))
    elif line.service_date is not None:
        yield ("DTM", "472", write_day(line.service_date))
    yield from write_adjustments(line.adjustments)
    if line.control_number and all(each.qualifier != "6R" for each in line.references):
        yield ("REF", "6R", line.control_number)
    for reference in line.references:
        yield ("REF", reference.qualifier, reference.value)
    for qualifier, value in line.amounts:
        yield ("AMT", qualifier, write_amount(value))
    for code in line.remarks:
        yield ("LQ", "HE", code)


def _provider_adjustments(adjustments: Sequence[ProviderAdjustment], payee: str, year_end: str) -> Iterator[Row]:
    """PLB rows: up to six pairs each, a new row when the provider or fiscal date changes. One that names neither is the
    payee's, for the year of the payment."""
    rows: list[list[str]] = []
    for each in adjustments:
        if each.amount is None:
            raise ValueError(f"provider adjustment {each.code} has no amount")
        fiscal = write_day(each.fiscal_date) if each.fiscal_date else year_end
        head = ["PLB", each.provider or payee, fiscal]
        if not rows or rows[-1][:3] != head or len(rows[-1]) >= 15:
            rows.append(head)
        rows[-1] += [composite(each.code, each.reference), write_amount(each.amount)]
    yield from rows
