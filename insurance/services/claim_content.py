"""From our rows to what an 837P says: who bills whom for what, and what the plans before decided."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from care.models import Session
from common.errors import DomainError
from insurance.domain.decisions import REVERSAL, Meaning, Result, in_force
from insurance.models import Adjudication, Claim, Coverage
from insurance.services.network import billed_modifiers
from insurance.x12 import x837p
from insurance.x12.adjustments import Adjustment
from insurance.x12.names import Address
from insurance.x12.next_payer import bill_next
from insurance.x12.segments import clean
from insurance.x12.x835_model import RemittedClaim, RemittedLine
from people.models import Client

SELF, SPOUSE, CHILD, OTHER = "18", "01", "19", "G8"
_RELATIONSHIPS = {
    Coverage.Holder.SELF: SELF,
    Coverage.Holder.SPOUSE: SPOUSE,
    Coverage.Holder.MOTHER: CHILD,
    Coverage.Holder.FATHER: CHILD,
    Coverage.Holder.STEPMOTHER: CHILD,
    Coverage.Holder.STEPFATHER: CHILD,
    Coverage.Holder.OTHER: OTHER,
}
_RANKS = "PSTABCDEFGH"
"""SBR01 by place in the order of payment; see :func:`_letters`."""


class NotDecidedYet(DomainError):
    """A claim of a later plan cannot be written before every plan ahead of it has decided."""


def relationship(coverage: Coverage) -> str:
    """The client's relationship to the plan's holder (SBR02 and PAT01)."""
    return _RELATIONSHIPS[Coverage.Holder(coverage.holder)]


def _address(client: Client) -> Address:
    return Address(clean(client.address_line), clean(client.city), client.state, client.zip_code.replace("-", ""))


def _patient(client: Client) -> x837p.Person:
    return x837p.Person(
        last=clean(client.last_name),
        first=clean(client.first_name),
        born=client.birth_date,
        sex=client.sex,
        address=_address(client),
    )


def _holder(coverage: Coverage) -> x837p.Person:
    if coverage.client_is_subscriber:
        return _patient(coverage.client)
    return x837p.Person(
        last=clean(coverage.holder_last_name or coverage.client.last_name),
        first=clean(coverage.holder_first_name),
        born=coverage.holder_born,
        sex="U",
        address=_address(coverage.client),
    )


def _payer(coverage: Coverage) -> x837p.Payer:
    return x837p.Payer(name=clean(coverage.payer.name), identifier=coverage.payer.payer_id)


def _billing_provider() -> x837p.BillingProvider:
    return x837p.BillingProvider(
        name=clean(settings.ORG_NAME),
        npi=settings.ORG_NPI,
        tax_id=settings.ORG_TAX_ID.replace("-", ""),
        address=Address(
            clean(settings.ORG_ADDRESS_LINE),
            clean(settings.ORG_CITY),
            settings.ORG_STATE,
            settings.ORG_ZIP.replace("-", ""),
        ),
        taxonomy=settings.ORG_TAXONOMY,
    )


def _lines(session: Session) -> tuple[x837p.ServiceLine, ...]:
    return tuple(
        x837p.ServiceLine(
            procedure=line.cpt,
            modifiers=billed_modifiers(line, session),
            charge=line.charge,
            units=Decimal(line.units),
            service_date=session.date,
            control_number=f"L{line.pk}",
            pointers=tuple(range(1, min(len(session.diagnoses), 4) + 1)),
        )
        for line in session.lines.all()
    )


def _letters(asked: Sequence[Claim]) -> dict[int, str]:
    """Claim id → SBR01: a plan's place among those that are asked at all.

    A plan in the middle that we cannot bill is left out and those behind it move up: it decides nothing that could be
    told, a tertiary without its secondary is no claim an insurer can read, and benefits that a plan does not pay for a
    provider out of its network are not coordinated with (NAIC MDL-120, appendix, closed panels). Only the first place
    is nobody else's: without its plan the others stay behind it.
    """
    missing = int(bool(asked) and asked[0].rank > 1)
    return {each.pk: _RANKS[place] for place, each in enumerate(asked, start=missing)}


def _other_payer(claim: Claim, rank: str) -> x837p.OtherPayer:
    """A plan of the same client that has not decided anything yet."""
    coverage = claim.coverage
    return x837p.OtherPayer(
        rank=rank,
        payer=_payer(coverage),
        member_id=coverage.member_id,
        subscriber=_holder(coverage),
        relationship=relationship(coverage),
        filing_indicator=coverage.payer.claim_filing_code,
        group_number=coverage.group_number,
    )


def _number_to_replace(claim: Claim) -> str:
    """The insurer's number of the claim that this one replaces or voids; an original names none."""
    return claim.payer_control_number if claim.frequency != "1" else ""


def _first_claim(claim: Claim, others: Sequence[Claim], letters: Mapping[int, str]) -> x837p.Claim:
    """The claim as the primary plan gets it, naming the plans that come after."""
    session, coverage = claim.session, claim.coverage
    provider = session.provider
    return x837p.Claim(
        control_number=claim.control_number,
        charge=claim.charge,
        place_of_service=session.place,
        billing=_billing_provider(),
        rendering=x837p.RenderingProvider(
            last=clean(provider.last_name),
            first=clean(provider.first_name),
            npi=provider.npi,
            taxonomy=provider.taxonomy,
        ),
        payer=_payer(coverage),
        member_id=coverage.member_id,
        subscriber=_holder(coverage),
        patient=None if coverage.client_is_subscriber else _patient(coverage.client),
        relationship=relationship(coverage),
        rank=letters[claim.pk],
        filing_indicator=coverage.payer.claim_filing_code,
        group_number=coverage.group_number,
        frequency=claim.frequency,
        payer_control_number=_number_to_replace(claim),
        diagnoses=tuple(code.replace(".", "") for code in session.diagnoses),
        lines=_lines(session),
        other_payers=tuple(_other_payer(other, letters[other.pk]) for other in others),
    )


def answer_in_force(claim: Claim) -> Adjudication | None:
    """What the plan's posted answers come to, those to claims that this one replaced included; ``None`` when nothing
    was said or all of it was taken back."""
    answers = list(
        Adjudication.objects.filter(
            claim__session=claim.session_id, claim__coverage=claim.coverage_id, posted_at__isnull=False
        )
        .prefetch_related("adjustments")
        .order_by("pk")
    )
    place = in_force(
        [
            Result(
                charge=each.charge,
                paid=each.paid,
                reversal=each.status_code == REVERSAL,
                duplicate=each.decision.meaning is Meaning.DUPLICATE,
            )
            for each in answers
        ]
    )
    return None if place is None else answers[place]


def decision_of(claim: Claim) -> Adjudication | None:
    """The adjudication that decided a claim; ``None`` while nothing is decided, was taken back or waits for the member
    to settle coordination of benefits."""
    if claim.decision not in (Claim.Decision.PAID, Claim.Decision.DENIED):
        return None
    return answer_in_force(claim)


def remitted(adjudication: Adjudication) -> RemittedClaim:
    """An adjudication of ours as the 835 said it, for the next plan's claim."""
    adjustments = list(adjudication.adjustments.all())

    def of(line_id: int | None) -> tuple[Adjustment, ...]:
        return tuple(
            Adjustment(each.group, each.code, each.amount, each.quantity)
            for each in adjustments
            if each.line_id == line_id
        )

    return RemittedClaim(
        control_number=adjudication.control_number,
        status=adjudication.status_code,
        charge=adjudication.charge,
        paid=adjudication.paid,
        stated_responsibility=adjudication.client_responsibility,
        payer_control_number=adjudication.payer_control_number,
        adjustments=of(None),
        claim_remarks=tuple(adjudication.remarks),
        lines=tuple(
            RemittedLine(
                procedure=line.procedure,
                modifiers=tuple(line.modifiers),
                charge=line.charge,
                paid=line.paid,
                units=line.units,
                service_date=line.date,
                control_number=line.line_control_number,
                adjustments=of(line.pk),
            )
            for line in adjudication.lines.all()
        ),
    )


def as_sent(claim: Claim) -> x837p.Claim:
    """A claim as its file has it, for one that went out in a file of ours."""
    assert claim.file is not None, "it was sent"
    parts = x837p.read(bytes(claim.file.raw))
    return next(each for part in parts for each in part.claims if each.control_number == claim.control_number)


def _void(claim: Claim) -> x837p.Claim:
    """The claim that is taken back, word for word as it was sent, under a number of its own (CLM05-3 = 8)."""
    taken_back = claim.replaces
    while taken_back is not None and taken_back.frequency == Claim.VOID:
        taken_back = taken_back.replaces
    assert taken_back is not None, "a void takes something back"
    said = as_sent(taken_back)
    return replace(
        said,
        control_number=claim.control_number,
        frequency=Claim.VOID,
        payer_control_number=claim.payer_control_number,
    )


def content_of(claim: Claim) -> x837p.Claim:
    """What the 837P of ``claim`` says. Raises :class:`NotDecidedYet` while a plan ahead of it has not decided."""
    if claim.frequency == Claim.VOID:
        return _void(claim)
    sequence = list(
        claim.session.claims.exclude(Claim.OUTSIDE)
        # A denial that a person closed is a plan's answer all the same.
        .exclude(~Q(decision=Claim.Decision.DENIED), submission=Claim.Submission.NOT_NEEDED)
        .select_related("coverage__payer", "coverage__client", "session__provider")
        .order_by("rank")
    )
    letters = _letters(sequence if claim in sequence else [*sequence, claim])
    ahead = [each for each in sequence if each.rank < claim.rank]
    if not ahead:
        return _first_claim(claim, [each for each in sequence if each.rank > claim.rank], letters)
    content = _first_claim(ahead[0], sequence[1:], letters)
    for before, after in pairwise(sequence):
        decided = decision_of(before)
        if decided is None:
            raise NotDecidedYet(
                _("%(payer)s has not decided this session yet, so the next plan's claim cannot be written.")
                % {"payer": before.coverage.payer}
            )
        # By rank and not by insurer: both plans may be with the same one.
        to = next(each for each in content.other_payers if each.rank == letters[after.pk])
        content = bill_next(
            content,
            remitted(decided),
            adjudicated_on=decided.remittance.day,
            to=to,
            control_number=after.control_number,
        )
        if after == claim:
            break
    return replace(content, frequency=claim.frequency, payer_control_number=_number_to_replace(claim))
