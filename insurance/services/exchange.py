"""What goes over the wire, both ways: batches of claims out; acknowledgements and remittances in.

Every step is durable and may be repeated: a file is stored before it is sent, sent under an envelope id the
clearinghouse takes once, and stored before it is acknowledged.
"""

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from common import clock
from common.errors import DomainError
from common.states import move
from insurance.clearinghouse import ClearinghouseRefused, OutcomeUnknown, PayloadType, clearinghouse
from insurance.models import Claim, EdiFile, Payer
from insurance.services import claims as claim_services
from insurance.services import files, rework
from insurance.services.claim_content import NotDecidedYet, content_of
from insurance.x12 import balance_837p, scrub, validate, x837p

BATCH_SIZE = 200
"""Claims in one file: small enough to validate in a minute and to resend."""

_INBOUND = {
    EdiFile.Kind.ACKNOWLEDGEMENT: PayloadType.RETRIEVE_999,
    EdiFile.Kind.CLAIM_ACKNOWLEDGEMENT: PayloadType.RETRIEVE_277CA,
    EdiFile.Kind.REMITTANCE: PayloadType.RETRIEVE_835,
}


def build_batches() -> list[EdiFile]:
    """Put every claim that is ready into one file per insurer. A claim that would be rejected does not leave: it is
    rejected here, with the reason in words.
    """
    rework.go_on_with_voids()
    built = []
    ready = Claim.objects.filter(submission=Claim.Submission.READY)
    for payer in Payer.objects.filter(coverages__claims__in=ready).distinct():
        file = _build_batch(payer)
        if file is not None:
            built.append(file)
    return built


@transaction.atomic
def _build_batch(payer: Payer) -> EdiFile | None:
    candidates = list(
        Claim.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        .filter(submission=Claim.Submission.READY, coverage__payer=payer)
        .exclude(rework.waits_for_a_void())
        .select_related("coverage__payer", "coverage__client", "session__provider", "session__client")
        .order_by("pk")[:BATCH_SIZE]
    )
    good: list[tuple[Claim, x837p.Claim]] = []
    for claim in candidates:
        try:
            content = content_of(claim)
        except NotDecidedYet:
            # The plan ahead took its answer back; its next one releases this claim again.
            move(claim, Claim.SUBMISSIONS, Claim.Submission.WAITING)
            continue
        except DomainError as error:
            _reject(claim, [str(error)])
            continue
        wrong = [each.sentence for each in scrub.problems(content, on=clock.today())]
        wrong += [finding.message for finding in balance_837p.findings(content)]
        if wrong:
            _reject(claim, wrong)
        else:
            good.append((claim, content))
    number = files.next_interchange_number()
    raw = _write(payer, [content for _claim, content in good], number)
    if good and validate.findings(raw):
        good = [pair for pair in good if not _refused_alone(payer, *pair)]
        raw = _write(payer, [content for _claim, content in good], number)
    if not good:
        return None
    file = files.store_outgoing(kind=EdiFile.Kind.CLAIM, raw=raw, control_number=number, payer=payer)
    for claim, _content in good:
        move(claim, Claim.SUBMISSIONS, Claim.Submission.SUBMITTED, file=file, submitted_at=clock.now())
        claim_services.note(claim, "submitted", _("Sent to %(payer)s.") % {"payer": payer}, file=file)
    return file


def _refused_alone(payer: Payer, claim: Claim, content: x837p.Claim) -> bool:
    """Validate one claim by itself; reject it with the findings when it fails."""
    findings = validate.findings(_write(payer, [content], 1))
    if findings:
        _reject(claim, [finding.message for finding in findings])
    return bool(findings)


def _reject(claim: Claim, messages: Iterable[str]) -> None:
    reason = _("Not sent: %(why)s") % {"why": "; ".join(messages)}
    # The claim never left; it goes to the same work queue as one the insurer turned away.
    move(claim, Claim.SUBMISSIONS, Claim.Submission.REJECTED, reason=reason[:300])
    claim_services.note(claim, "rejected", reason)


def _write(payer: Payer, contents: list[x837p.Claim], number: int) -> bytes:
    return x837p.build(
        contents,
        submitter=x837p.Submitter(
            name=settings.ORG_NAME.upper(),
            identifier=settings.CLEARINGHOUSE_SENDER_ID,
            contact="BILLING",
            phone="".join(ch for ch in settings.ORG_PHONE if ch.isdigit())[-10:],
        ),
        receiver=x837p.Receiver(name=payer.name.upper(), identifier=settings.CLEARINGHOUSE_RECEIVER_ID),
        sender=files.party(settings.CLEARINGHOUSE_SENDER_ID),
        recipient=files.party(settings.CLEARINGHOUSE_RECEIVER_ID),
        control_number=number,
        at=clock.now().astimezone(clock.BUSINESS_ZONE),
        production=not settings.DEMO,
    )


def send_file(file: EdiFile) -> None:
    """Hand a built file to the clearinghouse, or offer it again when the outcome was not known.

    Raises ``InsurerUnreachable`` (it will be tried again) and ``ClearinghouseRefused`` (a person has to look: the
    refusal is noted on the file).
    """
    try:
        clearinghouse().submit_batch(
            bytes(file.raw), payload_type=PayloadType.PROFESSIONAL_CLAIM, payload_id=str(file.payload_id)
        )
    except OutcomeUnknown:
        # Another worker may have learnt more meanwhile.
        EdiFile.objects.filter(pk=file.pk, state=EdiFile.State.BUILT).update(state=EdiFile.State.UNKNOWN)
        return
    except ClearinghouseRefused as error:
        EdiFile.objects.filter(pk=file.pk).update(findings=[{"where": "envelope", "message": str(error)}])
        raise
    move(file, EdiFile.STATES, EdiFile.State.SENT, settled_at=clock.now())


def unsent_files() -> list[EdiFile]:
    """Files that are built but not known to have arrived."""
    return list(
        EdiFile.objects.filter(
            kind=EdiFile.Kind.CLAIM, state__in=[EdiFile.State.BUILT, EdiFile.State.UNKNOWN], findings=[]
        ).order_by("pk")
    )


def fetch() -> list[EdiFile]:
    """Take in what the clearinghouse holds for us; each file is stored before it is acknowledged. Returns new files."""
    house = clearinghouse()
    fetched = []
    for kind, payload_type in _INBOUND.items():
        for inbound in house.retrieve(payload_type=payload_type):
            file, is_new = files.store_incoming(kind=kind, raw=inbound.payload, payload_id=_uuid(inbound.payload_id))
            house.acknowledge(inbound.payload_id)
            if is_new:
                fetched.append(file)
    return fetched


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
