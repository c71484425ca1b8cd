"""Claims to 837P bytes (005010X222A1), one ST…SE per claim, so that a fault in one claim rejects that claim only."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from insurance.x12.adjustments import write_adjustments
from insurance.x12.names import Name, write_address, write_name
from insurance.x12.segments import Party, Row, composite, write_interchange
from insurance.x12.values import write_amount, write_day
from insurance.x12.x837p_model import (
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
    Submitter,
)


def build(
    claims: Iterable[Claim],
    *,
    submitter: Submitter,
    receiver: Receiver,
    sender: Party,
    recipient: Party,
    control_number: int,
    at: datetime,
    production: bool = False,
) -> bytes:
    """One interchange with ``claims``; ``sender`` and ``recipient`` are the ends of the ISA.

    BHT03, by which a 277CA names the batch, is :func:`batch_reference` of the control number and the claim's place.
    Raises ``ValueError`` when a text holds a separator (``segments.clean`` makes free text fit) or when
    ``control_number`` does not fit ISA13. It does not judge the claim: :func:`insurance.x12.balance_837p.findings`
    and :func:`insurance.x12.validate.findings` do.
    """
    return write_interchange(
        functional_id="HC",
        version=VERSION,
        transactions=(
            ("837", _transaction(claim, submitter, receiver, batch_reference(control_number, place), at))
            for place, claim in enumerate(claims, 1)
        ),
        sender=sender,
        receiver=recipient,
        control_number=control_number,
        at=at,
        production=production,
    )


def batch_reference(control_number: int, place: int) -> str:
    """BHT03 of the ``place``-th claim (from 1) of an interchange: ``000000017-0001``."""
    return f"{control_number:09d}-{place:04d}"


def _transaction(claim: Claim, submitter: Submitter, receiver: Receiver, reference: str, at: datetime) -> Iterator[Row]:
    yield ("BHT", "0019", "00", reference, write_day(at.date()), at.strftime("%H%M"), "CH")
    yield write_name("41", Name(submitter.name, qualifier="46", identifier=submitter.identifier))
    reach = []
    if submitter.phone:
        reach += ["TE", submitter.phone]
    if submitter.email:
        reach += ["EM", submitter.email]
    yield ("PER", "IC", submitter.contact, *reach)
    yield write_name("40", Name(receiver.name, qualifier="46", identifier=receiver.identifier))
    yield from _billing(claim.billing)
    yield from _subscriber(claim)
    if claim.patient is not None:
        yield ("HL", "3", "2", "23", "0")
        yield ("PAT", claim.relationship)
        yield from _person("QC", claim.patient, claim.patient.name)
    yield from _claim(claim)


def _billing(provider: BillingProvider) -> Iterator[Row]:
    yield ("HL", "1", "", "20", "1")
    if provider.taxonomy:
        yield ("PRV", "BI", "PXC", provider.taxonomy)
    name = Name(
        provider.name, provider.first, provider.middle, qualifier="XX", identifier=provider.npi, person=provider.person
    )
    yield write_name("85", name)
    yield from write_address(provider.address)
    yield ("REF", provider.tax_qualifier, provider.tax_id)
    if provider.phone:
        yield ("PER", "IC", provider.contact, "TE", provider.phone)


def _subscriber(claim: Claim) -> Iterator[Row]:
    yield ("HL", "2", "1", "22", "0" if claim.patient is None else "1")
    relationship = "18" if claim.patient is None else ""
    yield (
        "SBR", claim.rank, relationship, claim.group_number, claim.group_name, claim.insurance_type, "", "", "",
        claim.filing_indicator,
    )  # fmt: skip
    person = claim.subscriber
    name = Name(person.last, person.first, person.middle, person.suffix, "MI", claim.member_id, person.person)
    yield from _person("IL", person, name)
    yield from _payer(claim.payer)


def _person(entity: str, person: Person, name: Name) -> Iterator[Row]:
    yield write_name(entity, name)
    yield from write_address(person.address)
    if person.born is not None:
        yield ("DMG", "D8", write_day(person.born), person.sex)


def _payer(payer: Payer) -> Iterator[Row]:
    yield write_name("PR", Name(payer.name, qualifier=payer.qualifier, identifier=payer.identifier))
    yield from write_address(payer.address)


def _claim(claim: Claim) -> Iterator[Row]:
    yield (
        "CLM", claim.control_number, write_amount(claim.charge), "", "",
        composite(claim.place_of_service, "B", claim.frequency), claim.provider_signature, claim.assignment,
        claim.benefits_assigned, claim.release, claim.signature_source, *[""] * 9, claim.delay_reason,
    )  # fmt: skip
    for qualifier, value in (
        ("G1", claim.prior_authorization),
        ("F8", claim.payer_control_number),
        ("D9", claim.clearinghouse_number),
    ):
        if value:
            yield ("REF", qualifier, value)
    if claim.diagnoses:
        yield (
            "HI",
            *(
                composite("ABK" if place == 0 else "ABF", diagnosis.replace(".", ""))
                for place, diagnosis in enumerate(claim.diagnoses)
            ),
        )
    if claim.rendering is not None:
        yield from _clinician("82", claim.rendering)
    if claim.location is not None:
        yield write_name("77", Name(claim.location.name, qualifier="XX", identifier=claim.location.npi))
        yield from write_address(claim.location.address)
    if claim.supervising is not None:
        # Loop 2310D has no PRV.
        yield from _clinician("DQ", replace(claim.supervising, taxonomy=""))
    for other in claim.other_payers:
        yield from _other_payer(other)
    for place, line in enumerate(claim.lines, 1):
        yield ("LX", str(place))
        yield from _line(line)


def _clinician(entity: str, provider: RenderingProvider) -> Iterator[Row]:
    yield write_name(
        entity,
        Name(
            provider.last,
            provider.first,
            provider.middle,
            qualifier="XX" if provider.npi else "",
            identifier=provider.npi,
            person=provider.person,
        ),
    )
    if provider.taxonomy:
        yield ("PRV", "PE", "PXC", provider.taxonomy)


def _other_payer(other: OtherPayer) -> Iterator[Row]:
    yield (
        "SBR", other.rank, other.relationship, other.group_number, other.group_name, other.insurance_type, "", "", "",
        other.filing_indicator,
    )  # fmt: skip
    yield from write_adjustments(other.adjustments)
    for qualifier, value in (("D", other.paid), ("A8", other.non_covered), ("EAF", other.remaining)):
        if value is not None:
            yield ("AMT", qualifier, write_amount(value))
    yield ("OI", "", "", other.benefits_assigned, other.signature_source, "", other.release)
    if other.remarks:
        yield ("MOA", "", "", *other.remarks[:5])
    person = other.subscriber
    yield write_name(
        "IL", Name(person.last, person.first, person.middle, person.suffix, "MI", other.member_id, person.person)
    )
    yield from write_address(person.address)
    yield from _payer(other.payer)
    if other.adjudicated_on is not None:
        yield ("DTP", "573", "D8", write_day(other.adjudicated_on))
    if other.payer_control_number:
        yield ("REF", "F8", other.payer_control_number)


def _line(line: ServiceLine) -> Iterator[Row]:
    yield (
        "SV1", composite(line.procedure_qualifier, line.procedure, *line.modifiers), write_amount(line.charge),
        line.unit, "" if line.units is None else write_amount(line.units), line.place_of_service, "",
        composite(*(str(pointer) for pointer in line.pointers)),
    )  # fmt: skip
    if line.service_date is not None and line.through not in (None, line.service_date):
        assert line.through is not None
        yield ("DTP", "472", "RD8", f"{write_day(line.service_date)}-{write_day(line.through)}")
    elif line.service_date is not None:
        yield ("DTP", "472", "D8", write_day(line.service_date))
    if line.control_number:
        yield ("REF", "6R", line.control_number)
    if line.rendering is not None:
        yield from _clinician("82", line.rendering)
    for prior in line.prior:
        yield from _prior(prior)


def _prior(prior: PriorAdjudication) -> Iterator[Row]:
    yield (
        "SVD", prior.payer_id, write_amount(prior.paid),
        composite(prior.procedure_qualifier, prior.procedure, *prior.modifiers), "",
        "" if prior.units is None else write_amount(prior.units), prior.bundled_line,
    )  # fmt: skip
    yield from write_adjustments(prior.adjustments)
    if prior.adjudicated_on is not None:
        yield ("DTP", "573", "D8", write_day(prior.adjudicated_on))
    if prior.remaining is not None:
        yield ("AMT", "EAF", write_amount(prior.remaining))
