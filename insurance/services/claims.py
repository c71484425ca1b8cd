"""The claims of a session: planned in order at confirmation, released one after the other."""

from collections.abc import Sequence
from datetime import date, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from care.models import Session
from common.errors import DomainError
from common.states import move
from insurance.models import Claim, ClaimEvent, Coverage, EdiFile
from insurance.services.files import next_claim_number
from insurance.services.network import session_standing
from people.models import Client, User


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
    existing = list(session.claims.exclude(Claim.OUTSIDE).order_by("rank"))
    if existing:
        return existing
    return [
        plan_one(session, coverage, rank, Claim.Submission.READY if rank == 1 else Claim.Submission.WAITING)
        for rank, coverage in enumerate(coverages, start=1)
    ]


def plan_one(session: Session, coverage: Coverage, rank: int, submission: str, *, why_not: str = "") -> Claim:
    """Plan a session's claim to one plan at its place; closed with the reason when its insurer cannot be billed, or
    for another reason ``why_not``."""
    billable = session_standing(session=session, payer=coverage.payer)
    why_not = billable.why_not or why_not
    claim = Claim.objects.create(
        session=session,
        coverage=coverage,
        rank=rank,
        control_number=next_claim_number(),
        charge=session.charge,
        submission=Claim.Submission.NOT_NEEDED if why_not else submission,
        reason=why_not[:300],
        file_by=first_file_by(session, coverage) if rank == 1 else None,
    )
    note(claim, "planned", why_not or _("Planned for %(payer)s.") % {"payer": coverage.payer})
    return claim


def first_file_by(session: Session, coverage: Coverage) -> date:
    """Until when a claim to the plan that pays first can be filed."""
    return session.date + timedelta(days=coverage.payer.timely_filing_days)


def replan(session: Session, coverages: Sequence[Coverage]) -> None:
    """The plans pay in another order than when the claims were planned, or a plan came or went: follow it.

    Only while no insurer has any of the claims: what is under way or decided is for a person to put right. The caller
    holds the client's lock.
    """
    planned = sequence(session)
    if any(claim.submission not in (*Claim.UNSENT, Claim.Submission.NOT_NEEDED) for claim in planned):
        return
    wanted = [coverage.pk for coverage in coverages]
    known = {claim.coverage_id: claim for claim in planned}
    gone = [claim for claim in planned if claim.coverage_id not in wanted]
    if [claim.coverage_id for claim in planned] == [*wanted, *(claim.coverage_id for claim in gone)]:
        return
    # Out of the way first: no two open claims share a rank.
    session.claims.filter(pk__in=[claim.pk for claim in planned]).update(rank=F("rank") + len(planned) + len(wanted))
    for rank, coverage in enumerate(coverages, start=1):
        if coverage.pk in known:
            _put(known[coverage.pk], rank)
        else:
            target = Claim.Submission.READY if rank == 1 else Claim.Submission.WAITING
            plan_one(session, coverage, rank, Claim.Submission.HELD if session.client.paused_since else target)
    for rank, claim in enumerate(gone, start=len(wanted) + 1):
        _put(claim, rank)


def _put(claim: Claim, rank: int) -> None:
    first = rank == 1
    file_by = first_file_by(claim.session, claim.coverage) if first else claim.file_by
    Claim.objects.filter(pk=claim.pk).update(rank=rank, file_by=file_by)
    claim.refresh_from_db()
    if first and claim.submission == Claim.Submission.WAITING:
        move(claim, Claim.SUBMISSIONS, Claim.Submission.READY)
    elif not first and claim.submission == Claim.Submission.READY:
        move(claim, Claim.SUBMISSIONS, Claim.Submission.WAITING)
    note(claim, "reordered", _("Now plan number %(rank)s for this session.") % {"rank": rank})


def sequence(session: Session) -> list[Claim]:
    """The session's claims in order of payment, without those that were replaced or only take one back."""
    return list(
        session.claims.exclude(Claim.OUTSIDE)
        .select_related("coverage__payer", "session__client", "session__provider")
        .order_by("rank", "pk")
    )


def release(claim: Claim, *, after: Claim, on: date) -> None:
    """``after``'s plan has answered on ``on``: let ``claim``, the next one, go out, or wait for the end of a pause.

    Its filing clock starts with that answer. A claim closed because nothing was left is opened again; one that a person
    closed, or whose insurer cannot be billed, stays closed.
    """
    file_by = on + timedelta(days=claim.coverage.payer.secondary_filing_days)
    if claim.submission == Claim.Submission.NOT_NEEDED and not may_reopen(claim):
        return
    if claim.submission not in (Claim.Submission.WAITING, Claim.Submission.HELD, Claim.Submission.NOT_NEEDED):
        return
    target = Claim.Submission.HELD if claim.session.client.paused_since else Claim.Submission.READY
    if claim.submission == target:
        Claim.objects.filter(pk=claim.pk).update(file_by=file_by)
    elif move(claim, Claim.SUBMISSIONS, target, file_by=file_by, reason=""):
        note(claim, "released", _("%(payer)s has answered: this claim can go out.") % {"payer": after.coverage.payer})


def may_reopen(claim: Claim) -> bool:
    """Whether a closed claim can be asked after all: no person closed it, and its insurer can be billed."""
    closed_by_a_person = claim.events.filter(kind="not_needed", actor__isnull=False).exists()
    billable = session_standing(session=claim.session, payer=claim.coverage.payer)
    return billable.can_bill and claim.coverage.removed_at is None and not closed_by_a_person


def close(claim: Claim, *, reason: str, actor: User | None = None) -> None:
    """Nothing is to be asked of this plan; ``reason`` says why in words.

    Raises :class:`ClaimRefused` for a claim that is under way or was paid.
    """
    decided = claim.decision in Claim.REFUSED
    if claim.submission == Claim.Submission.ACCEPTED and not decided:
        raise ClaimRefused(_("The insurer has this claim: it can be closed only after it was denied."))
    if move(claim, Claim.SUBMISSIONS, Claim.Submission.NOT_NEEDED, reason=reason[:300]):
        note(claim, "not_needed", reason, actor=actor)


def call_back(claim: Claim) -> None:
    """``claim``'s plan has not decided after all: later claims that were about to go out wait for it again."""
    ready = (
        Claim.objects.select_for_update(no_key=True)
        .filter(session=claim.session_id, rank__gt=claim.rank, submission=Claim.Submission.READY)
        .exclude(Claim.OUTSIDE)
    )
    for later in ready.order_by("rank"):
        move(later, Claim.SUBMISSIONS, Claim.Submission.WAITING)
        note(later, "waiting", _("Waits for %(payer)s's new answer.") % {"payer": claim.coverage.payer})


def hold_all(client_id: int) -> None:
    """The account is paused: what has not been sent is held. The caller holds the client's lock."""
    # Locked as they are found: a claim that a batch takes at this moment is sent, and no longer ours to hold.
    unsent = (
        Claim.objects.select_for_update(no_key=True)
        .filter(session__client_id=client_id, submission__in=[Claim.Submission.READY, Claim.Submission.WAITING])
        .exclude(Claim.OUTSIDE)  # what takes a wrong claim back is no hindrance to settling who pays first
    )
    for claim in unsent.order_by("pk"):
        if move(claim, Claim.SUBMISSIONS, Claim.Submission.HELD):
            note(claim, "held", _("Held while the account is paused."))


def release_all(client_id: int) -> None:
    """The account resumed: what was held goes on where it was. The caller holds the client's lock."""
    held = Claim.objects.filter(session__client_id=client_id, submission=Claim.Submission.HELD).order_by("rank", "pk")
    for claim in held:
        ahead = [
            each
            for each in sequence(claim.session)
            if each.rank < claim.rank and each.submission != Claim.Submission.NOT_NEEDED
        ]
        go = all(each.decision == Claim.Decision.PAID for each in ahead)
        target = Claim.Submission.READY if go else Claim.Submission.WAITING
        if move(claim, Claim.SUBMISSIONS, target):
            note(claim, "resumed", _("The account resumed: the claim goes on."))


@transaction.atomic
def resubmit(claim: Claim, *, reason: str, actor: User | None = None) -> Claim:
    """Replace a decided or rejected claim by a new one to the same plan, ready to be sent (held in a pause).

    A claim the insurer has numbered is replaced by frequency 7 naming that number; one it never took in is sent as an
    original. Raises :class:`ClaimRefused` when the claim is still under way.
    """
    client = Client.objects.select_for_update(no_key=True).get(sessions__claims=claim.pk)
    claim = Claim.objects.select_for_update(no_key=True).get(pk=claim.pk)
    decided = claim.decision in Claim.REFUSED
    if claim.submission == Claim.Submission.REPLACED or not (
        decided or (claim.submission == Claim.Submission.REJECTED and claim.decision == Claim.Decision.NONE)
    ):
        raise ClaimRefused(_("Only a claim that was denied or rejected can be sent again."))
    void = claim.frequency == Claim.VOID
    number = claim.payer_control_number if decided or void else ""
    return _replace(claim, number, reason=reason, paused=bool(client.paused_since), actor=actor)


def replace_decided(claim: Claim, *, reason: str) -> Claim:
    """Send a claim again that its insurer has decided: what it was decided by has changed since.

    It names the insurer's number where there is one (frequency 7), so that the insurer takes its former decision back.
    The caller holds the client's lock.
    """
    return _replace(claim, number_of(claim), reason=reason, paused=bool(claim.session.client.paused_since))


def _replace(claim: Claim, number: str, *, reason: str, paused: bool, actor: User | None = None) -> Claim:
    """A new claim in the place of another; ``number``: the insurer's own of the former one, when it has taken it in."""
    move(claim, Claim.SUBMISSIONS, Claim.Submission.REPLACED)
    void = claim.frequency == Claim.VOID
    again = Claim.objects.create(
        session=claim.session,
        coverage=claim.coverage,
        rank=claim.rank,
        control_number=next_claim_number(),
        payer_control_number=number,
        frequency=Claim.VOID if void else "7" if number else "1",
        replaces=claim,
        charge=claim.charge,
        submission=Claim.Submission.HELD if paused and not void else Claim.Submission.READY,
        file_by=claim.file_by,
    )
    note(claim, "replaced", reason, actor=actor)
    note(again, "planned", reason, actor=actor)
    return again


def number_of(claim: Claim) -> str:
    """The insurer's number of a claim, from its acknowledgement or its remittance; empty while we have none."""
    if claim.payer_control_number:
        return claim.payer_control_number
    told = claim.adjudications.exclude(payer_control_number="").order_by("-pk").first()
    return told.payer_control_number if told is not None else ""
