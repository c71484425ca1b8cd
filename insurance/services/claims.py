"""The claims of a session: planned in order at confirmation, released one after the other."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from care.models import Session
from common import clock
from common.errors import DomainError
from common.states import move
from insurance.models import Claim, ClaimEvent, Coverage, EdiFile
from insurance.services.files import next_claim_number
from insurance.services.network import standing
from people.models import User


class ClaimRefused(DomainError):
    """The claim cannot be made, sent again or closed as asked."""


def note(claim: Claim, kind: str, text: str, *, file: EdiFile | None = None, actor: User | None = None) -> ClaimEvent:
    """Write one event of a claim's history."""
    return ClaimEvent.objects.create(claim=claim, kind=kind, text=text[:500], file=file, actor=actor)


@transaction.atomic
def plan_claims(*, session: Session, coverages: Sequence[Coverage]) -> list[Claim]:
    """Plan one claim per plan, in order of payment. Planning twice gives back the claims that are there.

    The primary's is ready at once. A later plan's waits for the one before it; when its insurer cannot be billed by
    this provider on this date, the claim is closed with the reason in words.
    """
    existing = list(session.claims.exclude(submission=Claim.Submission.REPLACED).order_by("rank"))
    if existing:
        return existing
    claims = []
    for rank, coverage in enumerate(coverages, start=1):
        billable = standing(provider=session.provider, payer=coverage.payer, on=session.date)
        if not billable.can_bill:
            submission, reason = Claim.Submission.NOT_NEEDED, billable.why_not
        elif rank == 1:
            submission, reason = Claim.Submission.READY, ""
        else:
            submission, reason = Claim.Submission.WAITING, ""
        claim = Claim.objects.create(
            session=session,
            coverage=coverage,
            rank=rank,
            control_number=next_claim_number(),
            charge=session.charge,
            submission=submission,
            reason=reason,
            file_by=session.date + timedelta(days=coverage.payer.timely_filing_days) if rank == 1 else None,
        )
        note(claim, "planned", reason or _("Planned for %(payer)s.") % {"payer": coverage.payer})
        claims.append(claim)
    return claims


def next_claim(claim: Claim) -> Claim | None:
    """The claim that comes after ``claim`` in the session's sequence and is still to be sent, if any."""
    return (
        claim.session.claims.filter(
            rank__gt=claim.rank, submission__in=[Claim.Submission.WAITING, Claim.Submission.HELD]
        )
        .order_by("rank")
        .first()
    )


def release_next(claim: Claim) -> Claim | None:
    """After ``claim`` was adjudicated, make the next plan's claim ready; ``None`` when there is no next one.

    Its filing clock starts now: the next insurer counts from the remittance of the one before.
    """
    following = next_claim(claim)
    if following is None or following.submission != Claim.Submission.WAITING:
        return following
    days = following.coverage.payer.secondary_filing_days
    released = move(
        following,
        Claim.SUBMISSIONS,
        Claim.Submission.READY,
        file_by=clock.today() + timedelta(days=days),
    )
    if released:
        note(
            following, "released", _("%(payer)s has answered: this claim can go out.") % {"payer": claim.coverage.payer}
        )
    return following


def close(claim: Claim, *, reason: str, actor: User | None = None) -> None:
    """Nothing is to be asked of this plan; ``reason`` says why in words."""
    if move(claim, Claim.SUBMISSIONS, Claim.Submission.NOT_NEEDED, reason=reason[:300]):
        note(claim, "not_needed", reason, actor=actor)


def hold_all(client_id: int) -> None:
    """The account is paused: what has not been sent is held."""
    for claim in Claim.objects.filter(
        session__client_id=client_id, submission__in=[Claim.Submission.READY, Claim.Submission.WAITING]
    ):
        if move(claim, Claim.SUBMISSIONS, Claim.Submission.HELD):
            note(claim, "held", _("Held while the account is paused."))


def release_all(client_id: int) -> None:
    """The account resumed: what was held goes on where it was."""
    held = Claim.objects.filter(session__client_id=client_id, submission=Claim.Submission.HELD).order_by("rank")
    for claim in held:
        before = (
            claim.session.claims.filter(rank__lt=claim.rank)
            .exclude(submission__in=[Claim.Submission.NOT_NEEDED, Claim.Submission.REPLACED])
            .order_by("-rank")
            .first()
        )
        go = before is None or before.decision in (Claim.Decision.PAID, Claim.Decision.DENIED)
        target = Claim.Submission.READY if go else Claim.Submission.WAITING
        if move(claim, Claim.SUBMISSIONS, target):
            note(claim, "resumed", _("The account resumed: the claim goes on."))


@transaction.atomic
def resubmit(claim: Claim, *, reason: str, actor: User | None = None) -> Claim:
    """Replace a decided or rejected claim by a new one to the same plan, ready to be sent.

    A claim the insurer has numbered is replaced by frequency 7 naming that number; one it never took in is sent as an
    original. Raises :class:`ClaimRefused` when the claim is still under way.
    """
    claim = Claim.objects.select_for_update(no_key=True).get(pk=claim.pk)
    decided = claim.decision in (Claim.Decision.COB, Claim.Decision.DENIED)
    if not decided and claim.submission != Claim.Submission.REJECTED:
        raise ClaimRefused(_("Only a claim that was denied or rejected can be sent again."))
    move(claim, Claim.SUBMISSIONS, Claim.Submission.REPLACED)
    numbered = bool(claim.payer_control_number) and decided
    again = Claim.objects.create(
        session=claim.session,
        coverage=claim.coverage,
        rank=claim.rank,
        control_number=next_claim_number(),
        payer_control_number=claim.payer_control_number if numbered else "",
        frequency="7" if numbered else "1",
        replaces=claim,
        charge=claim.charge,
        submission=Claim.Submission.READY,
        file_by=claim.file_by,
    )
    note(claim, "replaced", reason, actor=actor)
    note(again, "planned", reason, actor=actor)
    return again
