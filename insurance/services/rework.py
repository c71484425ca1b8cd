"""Claims that went out in the wrong order of plans: taken back, and sent again in the right one.

Why, and what becomes of the money: ``docs/adr/wrong-order.md``.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from care.models import Session
from common import clock
from common.money import ZERO, dollars
from common.states import move
from insurance.models import Adjudication, Claim, Coverage
from insurance.services import claims
from insurance.services.claim_content import decision_of
from insurance.services.files import next_claim_number
from insurance.services.network import session_standing
from insurance.services.sequence import is_last_word
from people.models import User

FOR_A_PERSON, DECIDED = "order_wrong", "order_settled"
"""Events of a claim that went to the wrong plan first: support has to decide, and has decided."""

_UNDER_WAY = (Claim.Submission.SUBMITTED, Claim.Submission.RECEIVED, Claim.Submission.ACCEPTED)


@transaction.atomic
def rework(session: Session, coverages: Sequence[Coverage], *, by: User | None = None) -> bool:
    """Bring a session's claims into the order of ``coverages``; whether anything was changed.

    What was not sent changes places. What an insurer has is taken back (a void, frequency 8) and planned anew in its
    new place; what it refused is sent again in its turn. Where an insurer has paid, or the plan that should come first
    cannot be billed, support decides: the claim gets an event that says why, once. ``by``: that person has decided to
    put it right all the same. The caller holds the client's lock; repeating it changes nothing.
    """
    planned = claims.sequence(session)
    if not planned:
        return False
    known = {claim.coverage_id: claim for claim in planned}
    now = [claim.coverage_id for claim in planned]
    target = [coverage.pk for coverage in coverages]
    asked = [pk for pk in now if pk in target]
    moved = [known[pk] for place, pk in enumerate(target) if pk in asked and set(target[:place]) != _ahead(asked, pk)]
    why = _needs_a_person(session, coverages, moved, decided=by is not None) if moved else ""
    if why:
        _ask_a_person(moved, why)
    if not any(_was_sent(claim) for claim in planned):
        # The right order waits for the person; the wrong one would be sent.
        claims.replan(session, coverages)
        return [claim.coverage_id for claim in claims.sequence(session)] != now
    gone = [claim for claim in planned if claim.coverage_id not in target]
    # What went to a plan that is no longer there: nothing says in which order that was wrong.
    if why or not moved or any(_was_sent(claim) for claim in gone):
        return False
    # Out of the way first: no two open claims share a rank.
    session.claims.filter(pk__in=[each.pk for each in planned]).update(rank=F("rank") + len(planned) + len(target))
    for rank, coverage in enumerate(coverages, start=1):
        claim = known.get(coverage.pk)
        if claim is None:
            claims.plan_one(session, coverage, rank, _start(session, rank))
        elif claim not in moved:
            Claim.objects.filter(pk=claim.pk).update(rank=rank)
        elif _was_sent(claim):
            _again(claim, rank, by)
        else:
            _put(claim, rank)
    for rank, claim in enumerate(gone, start=len(target) + 1):
        Claim.objects.filter(pk=claim.pk).update(rank=rank)
    return True


def add_last(session: Session, coverages: Sequence[Coverage]) -> bool:
    """Ask plans that we heard of later too, behind all others, where a plan is still to decide; whether any was added.

    ``coverages``: the plans as ordered by today. A plan that does not come last in that order is left to
    :func:`rework`, and a session that all its plans have decided stays as it is. Where the time for filing is over, the
    claim is closed with the reason in words. The caller holds the client's lock; repeating it changes nothing.
    """
    planned = claims.sequence(session)
    known = {claim.coverage_id for claim in planned}
    places = [place for place, coverage in enumerate(coverages) if coverage.pk in known]
    new = coverages[max(places) + 1 :] if places else ()
    if not new or not any(_was_sent(claim) for claim in planned) or not any(_is_open(claim) for claim in planned):
        return False
    for rank, coverage in enumerate(new, start=max(claim.rank for claim in planned) + 1):
        claims.plan_one(session, coverage, rank, _start(session, rank), why_not=_too_late(session, coverage, planned))
    return True


def _is_open(claim: Claim) -> bool:
    """Whether the session waits for this plan: it is asked, and has not said its last word."""
    asked = claim.submission != Claim.Submission.NOT_NEEDED
    return asked and claim.decision != Claim.Decision.PAID and not is_last_word(claim)


def _too_late(session: Session, coverage: Coverage, ahead: Sequence[Claim]) -> str:
    """Why a plan behind these cannot be asked in time; empty while it can.

    The clock of a later plan begins with the answer of the one before it, Medicare's with the session (``RULES.md`` 4).
    """
    if coverage.plan_type == Coverage.PlanType.MEDICARE:
        until = claims.first_file_by(session, coverage)
    else:
        answer = next((decision_of(each) for each in reversed(ahead) if each.decision != Claim.Decision.NONE), None)
        if answer is None or ahead[-1].decision == Claim.Decision.NONE:
            return ""
        until = answer.remittance.day + timedelta(days=coverage.payer.secondary_filing_days)
    if clock.today() <= until:
        return ""
    return _(
        "%(payer)s took claims for this session until %(day)s, and we learned of the plan after that. The session "
        "costs you no more than without this plan."
    ) % {"payer": coverage.payer, "day": date_format(until, "DATE_FORMAT")}


def _ahead(order: Sequence[int], pk: int) -> set[int]:
    return set(order[: order.index(pk)])


def _was_sent(claim: Claim) -> bool:
    return claim.submission not in (*Claim.UNSENT, Claim.Submission.NOT_NEEDED)


def _paid(claim: Claim) -> Decimal:
    """What the claim's insurer has paid for the session, posted or not, dollars."""
    answers = Adjudication.objects.filter(claim__session=claim.session_id, claim__coverage=claim.coverage_id)
    return sum((each.paid for each in answers), ZERO)


def _needs_a_person(session: Session, wanted: Sequence[Coverage], moved: Sequence[Claim], *, decided: bool) -> str:
    first = wanted[0]
    billable = session_standing(session=session, payer=first.payer)
    if not billable.can_bill:
        return _("%(payer)s should pay first for this session. %(why)s") % {
            "payer": first.payer,
            "why": billable.why_not,
        }
    for claim in moved:
        payer = claim.coverage.payer
        if not decided and (paid := _paid(claim)):
            return _(
                "%(payer)s has paid %(amount)s for this session in the wrong order: %(first)s should have been asked "
                "first. Taking the claim back makes %(payer)s take its payment back."
            ) % {"payer": payer, "amount": dollars(paid), "first": first.payer}
        if claim.submission in _UNDER_WAY and claim.file_id is None:
            return _(
                "%(payer)s got this claim from another insurer and not from us, so we cannot take it back. Please ask "
                "%(payer)s: %(first)s should have been asked first."
            ) % {"payer": payer, "first": first.payer}
    return ""


def _ask_a_person(moved: Sequence[Claim], why: str) -> None:
    """Put the session on support's list, once for one reason."""
    claim = next((each for each in moved if _was_sent(each)), moved[0])
    last = claim.events.filter(kind__in=[FOR_A_PERSON, DECIDED]).order_by("-pk").first()
    if last is None or (last.kind == FOR_A_PERSON and last.text != why[:500]):
        claims.note(claim, FOR_A_PERSON, why)


def _put(claim: Claim, rank: int) -> None:
    """A claim that was not sent takes its new place; one that waits only for this is ready."""
    Claim.objects.filter(pk=claim.pk).update(rank=rank)
    claim.refresh_from_db()
    first = rank == 1
    if first:
        target = Claim.Submission.HELD if claim.session.client.paused_since else Claim.Submission.READY
        closed = claim.submission == Claim.Submission.NOT_NEEDED and not claims.may_reopen(claim)
        if claim.submission != target and not closed and Claim.SUBMISSIONS.allows(claim.submission, target):
            move(claim, Claim.SUBMISSIONS, target, reason="")
        Claim.objects.filter(pk=claim.pk).update(file_by=claims.first_file_by(claim.session, claim.coverage))
    elif claim.submission == Claim.Submission.READY:
        move(claim, Claim.SUBMISSIONS, Claim.Submission.WAITING)
    claims.note(claim, "reordered", _("Now plan number %(rank)s for this session.") % {"rank": rank})


def _again(claim: Claim, rank: int, by: User | None) -> None:
    """A claim that was sent as if its plan came elsewhere: taken back, and planned anew at its place."""
    payer = {"payer": claim.coverage.payer, "rank": rank}
    stands = claim.submission in _UNDER_WAY and claim.decision in (Claim.Decision.NONE, Claim.Decision.PAID)
    refused = claim.decision in (Claim.Decision.DENIED, Claim.Decision.COB, Claim.Decision.ROUTED)
    number = claims.number_of(claim)
    move(claim, Claim.SUBMISSIONS, Claim.Submission.REPLACED)
    if stands:
        _void(claim, _("Takes back what %(payer)s got in the wrong order.") % payer, by)
    again = Claim.objects.create(
        session=claim.session,
        coverage=claim.coverage,
        rank=rank,
        control_number=next_claim_number(),
        payer_control_number=number if refused else "",
        frequency="7" if refused and number else "1",
        replaces=None if stands else claim,
        charge=claim.charge,
        submission=_start(claim.session, rank),
        file_by=claims.first_file_by(claim.session, claim.coverage) if rank == 1 else None,
    )
    words = _("%(payer)s is plan number %(rank)s for this session: asked again in its turn.") % payer
    claims.note(claim, "replaced", words, actor=by)
    claims.note(again, "planned", words, actor=by)


def _void(claim: Claim, words: str, by: User | None) -> None:
    """Plan what takes a claim back; it goes out as soon as the insurer has numbered that claim."""
    number = claims.number_of(claim)
    void = Claim.objects.create(
        session=claim.session,
        coverage=claim.coverage,
        rank=claim.rank,
        control_number=next_claim_number(),
        payer_control_number=number,
        frequency=Claim.VOID,
        replaces=claim,
        charge=claim.charge,
        submission=Claim.Submission.READY if number else Claim.Submission.WAITING,
    )
    claims.note(void, "planned", words, actor=by)


def take_back(session: Session, *, reason: str, by: User) -> None:
    """The session did not take place as it was claimed: nothing is asked of any plan any more.

    What was not sent, or was refused, is closed. What an insurer has or has paid is taken back by a void (frequency 8);
    its money comes with the reversal that follows. What an insurer got from another one cannot be taken back by us: the
    claim gets an event that asks a person to call. The caller holds the client's lock; repeating it changes nothing.
    """
    # Locked as they are found: a claim that a batch takes at this moment is sent, and has to be taken back.
    found = session.claims.exclude(Claim.OUTSIDE).exclude(submission=Claim.Submission.NOT_NEEDED)
    for claim in found.select_for_update(no_key=True, of=("self",)).select_related("coverage__payer").order_by("rank"):
        payer = {"payer": claim.coverage.payer}
        stands = claim.submission in _UNDER_WAY and claim.decision in (Claim.Decision.NONE, Claim.Decision.PAID)
        if stands and claim.file_id is not None:
            move(claim, Claim.SUBMISSIONS, Claim.Submission.REPLACED)
            claims.note(claim, "replaced", reason, actor=by)
            _void(claim, _("Takes back what %(payer)s got: the session was voided.") % payer, by)
            continue
        if stands:
            words = _(
                "%(payer)s got this claim from another insurer and not from us, so we cannot take it back. Please ask "
                "%(payer)s to: the session was voided."
            )
            claims.note(claim, FOR_A_PERSON, words % payer)
        if Claim.SUBMISSIONS.allows(claim.submission, Claim.Submission.NOT_NEEDED):
            move(claim, Claim.SUBMISSIONS, Claim.Submission.NOT_NEEDED, reason=reason[:300])
        else:
            move(claim, Claim.SUBMISSIONS, Claim.Submission.REPLACED)
        claims.note(claim, "not_needed", reason, actor=by)


def _start(session: Session, rank: int) -> str:
    if session.client.paused_since:
        return Claim.Submission.HELD
    return Claim.Submission.READY if rank == 1 else Claim.Submission.WAITING


# --- Voids on their way -----------------------------------------------------------------------------------------------


def go_on_with_voids() -> None:
    """Let out what takes a claim back as soon as its insurer has numbered that claim; drop it if it was refused."""
    waiting = Claim.objects.filter(frequency=Claim.VOID, submission=Claim.Submission.WAITING)
    for pk in waiting.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            void = Claim.objects.select_for_update(of=("self",), no_key=True).select_related("replaces").get(pk=pk)
            if void.submission != Claim.Submission.WAITING or void.replaces is None:
                continue
            number = claims.number_of(void.replaces)
            if number:
                move(void, Claim.SUBMISSIONS, Claim.Submission.READY, payer_control_number=number)
            elif void.replaces.events.filter(kind="rejected").exists():
                words = _("The insurer never took the claim in: there is nothing to take back.")
                move(void, Claim.SUBMISSIONS, Claim.Submission.NOT_NEEDED, reason=words)


def waits_for_a_void() -> Exists:
    """The condition that a claim's insurer has not yet taken in the void of a former claim for the same session."""
    open_voids = Claim.objects.filter(
        session=OuterRef("session"), coverage=OuterRef("coverage"), frequency=Claim.VOID
    ).exclude(submission__in=[Claim.Submission.ACCEPTED, Claim.Submission.NOT_NEEDED, Claim.Submission.REPLACED])
    return Exists(open_voids.exclude(pk=OuterRef("pk")))


# --- Support ----------------------------------------------------------------------------------------------------------


def for_a_person() -> QuerySet[Claim]:
    """Claims in the wrong order that only a person can put right."""
    return (
        Claim.objects.filter(events__kind=FOR_A_PERSON)
        .exclude(events__kind=DECIDED)
        .exclude(submission=Claim.Submission.REPLACED)
        .distinct()
    )


def leave(claim: Claim, *, reason: str, by: User) -> None:
    """A person has decided that this session's claims stay as they went out."""
    claims.note(claim, DECIDED, reason, actor=by)
