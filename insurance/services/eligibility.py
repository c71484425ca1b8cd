"""Asking an insurer about a client's plan (270) and keeping what it says (271)."""

import json
import random
from collections.abc import Sequence
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from common import clock
from common.errors import DomainError
from common.states import move
from insurance.clearinghouse import ClearinghouseRefused, InsurerUnreachable, OutcomeUnknown, PayloadType, clearinghouse
from insurance.domain import asking
from insurance.models import BenefitSnapshot, Coverage, EdiFile, EligibilityCheck
from insurance.services import files, payer_lines
from insurance.services.claim_content import relationship
from insurance.x12 import eligibility as x12
from insurance.x12 import rejections, x270, x271
from insurance.x12.eligibility import Member
from insurance.x12.segments import X12Error, clean
from insurance.x12.x271_benefits import benefits_of
from people.models import User

SERVICE_TYPES = ("MH",)
"""Asked for: mental health. What an insurer says of the whole plan (30) comes with it."""

LEASE = timedelta(minutes=2)
"""How long an asked check is left alone before another worker may ask again; longer than any answer takes."""

GIVE_UP_AFTER = timedelta(days=3)
"""How long a question waits for an insurer that does not answer at all; then support and the client see it."""

ASK_AGAIN_AFTER = timedelta(minutes=15)
"""A client may ask an insurer about a plan again after this long: its answer would not be another."""

BY_PEOPLE = (
    EligibilityCheck.Reason.PLAN_ADDED,
    EligibilityCheck.Reason.REFRESH,
    EligibilityCheck.Reason.COB_REFERENCE,
    EligibilityCheck.Reason.REPORT,
)
"""Somebody looks at the page and waits: these go before the questions that we ask by ourselves."""


class NotWaiting(DomainError):
    """The question has been answered or given up meanwhile."""


def asked_lately(check: EligibilityCheck) -> bool:
    """Whether this check was asked for too short a time ago for a client to ask again."""
    return clock.now() < check.created_at + ASK_AGAIN_AFTER


def request_check(
    *, coverage: Coverage, reason: str, service_date: date | None = None, asked_by: User | None = None
) -> EligibilityCheck:
    """Put a question to the insurer in the queue; while one is open for this plan, that one is given back."""
    with transaction.atomic():
        check, _is_new = EligibilityCheck.objects.get_or_create(
            coverage=coverage,
            state__in=EligibilityCheck.OPEN,
            defaults={
                "state": EligibilityCheck.State.WAITING,
                "reason": reason,
                "service_date": service_date or clock.today(),
                "trace": files.next_trace_number(),
                "asked_by": asked_by,
            },
        )
    return check


def due_checks(limit: int = 200) -> list[tuple[int, int]]:
    """Checks to be asked now, each with its insurer (ids): one of every insurer, then a second of each, and so on.

    Within an insurer those that people wait for come first, then the longest waiting; a check whose lease is over is
    asked anew. An insurer that is being asked at this moment is left out, so that one that takes its time to answer
    holds up one worker, not all of them.
    """
    now = clock.now()
    under_way = EligibilityCheck.objects.filter(
        coverage__payer=OuterRef("coverage__payer"), state=EligibilityCheck.State.ASKED, next_attempt_at__gt=now
    )
    due = EligibilityCheck.objects.filter(state__in=EligibilityCheck.OPEN, next_attempt_at__lte=now)
    # One that has failed before has no precedence any more: it may be what the insurer cannot answer.
    somebody_waits = Q(reason__in=BY_PEOPLE, error="")
    turn = Window(
        RowNumber(),
        partition_by="coverage__payer",
        order_by=[Case(When(somebody_waits, then=Value(0)), default=Value(1)), "next_attempt_at", "pk"],
    )
    in_turn = due.filter(~Exists(under_way)).annotate(turn=turn).order_by("turn", "next_attempt_at", "pk")
    return list(in_turn.values_list("pk", "coverage__payer_id")[:limit])


def newest_of_their_plans() -> QuerySet[EligibilityCheck]:
    """The newest question about each plan that is on an account."""
    newer = EligibilityCheck.objects.filter(coverage=OuterRef("coverage"), pk__gt=OuterRef("pk"))
    return EligibilityCheck.objects.filter(~Exists(newer), coverage__removed_at=None)


def is_open(check_id: int) -> bool:
    """Whether a question has still to be asked or answered."""
    return EligibilityCheck.objects.filter(pk=check_id, state__in=EligibilityCheck.OPEN).exists()


def ask(check_id: int) -> BenefitSnapshot | None:
    """Send a due check's 270 and keep the 271. Returns the snapshot, or ``None`` when there is no answer.

    One worker asks: the one that takes the lease. No lock is held while the insurer is spoken to. A second answer to
    the same check is not kept twice. A check whose insurer takes no question now waits, at no attempt's cost.
    """
    try:
        taken = _take(check_id)
    except Exception as error:
        # Whatever is wrong with one question, it must not stand in front of its insurer's others for ever.
        EligibilityCheck.objects.filter(pk=check_id).update(attempts=F("attempts") + 1)
        _try_later(check_id, _("The question could not be written: %(why)s") % {"why": type(error).__name__})
        raise
    if taken is None:
        return BenefitSnapshot.objects.filter(eligibility_check_id=check_id).first()
    check, file = taken
    payer_id = check.coverage.payer_id
    try:
        raw = clearinghouse().real_time(
            bytes(file.raw), payload_type=PayloadType.ELIGIBILITY_INQUIRY, payload_id=str(file.payload_id)
        )
    except (InsurerUnreachable, OutcomeUnknown, ClearinghouseRefused) as error:
        # Refused envelopes too: what is wrong with them is wrong with all, and must not use up a whole backlog.
        move(file, EdiFile.STATES, EdiFile.State.UNKNOWN)
        payer_lines.unanswered(payer_id, str(error))
        _try_later(check.pk, str(error))
        return None
    move(file, EdiFile.STATES, EdiFile.State.SENT, settled_at=clock.now())
    answer, _is_new = files.store_incoming(kind=EdiFile.Kind.RESPONSE, raw=raw)
    return _take_in(check, answer)


@transaction.atomic
def _take(check_id: int) -> tuple[EligibilityCheck, EdiFile] | None:
    """Take the lease of a due check and write its 270; ``None`` when it is not due, or has to wait for its insurer."""
    payer_id = EligibilityCheck.objects.filter(pk=check_id).values_list("coverage__payer_id", flat=True).get()
    line = payer_lines.lock(payer_id)
    now = clock.now()
    check = (
        EligibilityCheck.objects.select_for_update(no_key=True, of=("self",))
        .select_related("coverage__payer", "coverage__client")
        .filter(pk=check_id, state__in=EligibilityCheck.OPEN, next_attempt_at__lte=now)
        .first()
    )
    if check is None:
        return None
    row = EligibilityCheck.objects.filter(pk=check_id)
    if check.coverage.removed_at is not None:
        _give_up(check_id, _("The plan was taken off the account."))
        return None
    wait = payer_lines.wait_until(line)
    if wait is not None:
        row.update(state=EligibilityCheck.State.WAITING, next_attempt_at=wait)
        return None
    if line.down_since is None:
        row.update(state=EligibilityCheck.State.ASKED, next_attempt_at=now + LEASE, attempts=F("attempts") + 1)
    else:
        # That the insurer is down is no fault of this question: finding out costs it no attempt.
        payer_lines.begin_probe(line)
        row.update(state=EligibilityCheck.State.ASKED, next_attempt_at=now + LEASE)
    file = _write_inquiry(check)
    row.update(request=file)
    check.refresh_from_db()
    return check, file


def _write_inquiry(check: EligibilityCheck) -> EdiFile:
    coverage = check.coverage
    client = coverage.client
    patient = Member(
        last=client.last_name,
        first=client.first_name,
        member_id=coverage.member_id if coverage.client_is_subscriber else "",
        born=client.birth_date,
        gender=client.sex if client.sex != client.Sex.UNKNOWN else "",
        relationship="" if coverage.client_is_subscriber else relationship(coverage),
    )
    holder = Member(
        last=coverage.holder_last_name,
        first=coverage.holder_first_name,
        member_id=coverage.member_id,
        born=coverage.holder_born,
    )
    inquiry = x270.Inquiry(
        trace=check.trace,
        trace_origin=f"9{settings.ORG_TAX_ID.replace('-', '')}",
        payer=x12.payer(clean(coverage.payer.name), coverage.payer.payer_id),
        provider=x12.provider(clean(settings.ORG_NAME), settings.ORG_NPI),
        subscriber=patient if coverage.client_is_subscriber else holder,
        dependent=None if coverage.client_is_subscriber else patient,
        service_types=SERVICE_TYPES,
        on=check.service_date,
    )
    number = files.next_interchange_number()
    raw = x270.build(
        [inquiry],
        sender=files.party(settings.CLEARINGHOUSE_SENDER_ID),
        receiver=files.party(settings.CLEARINGHOUSE_RECEIVER_ID),
        control_number=number,
        at=clock.now().astimezone(clock.BUSINESS_ZONE),
        production=not settings.DEMO,
    )
    return files.store_outgoing(kind=EdiFile.Kind.INQUIRY, raw=raw, control_number=number, payer=coverage.payer)


def _answer_to(check: EligibilityCheck, responses: Sequence[x271.Response]) -> x271.Response | None:
    """The answer that echoes our trace number (TRN02).

    A rejection above the subscriber has no TRN to echo it in: there the transaction's own reference (BHT03) does.
    """
    for each in responses:
        if each.trace == check.trace or (not each.traces and each.reference == check.trace):
            return each
    return None


def _take_in(check: EligibilityCheck, file: EdiFile) -> BenefitSnapshot | None:
    """Keep what an answer says of this check, in one transaction; a file that cannot be read is quarantined."""
    payer_id = check.coverage.payer_id
    try:
        responses = x271.read(bytes(file.raw))
    except X12Error as error:
        files.quarantine(file, [{"where": error.where, "message": str(error)}])
        payer_lines.answered(payer_id)
        _try_later(check.pk, _("The insurer's answer could not be read: %(why)s") % {"why": error})
        return None
    response = _answer_to(check, responses.responses)
    if response is None:
        files.quarantine(file, [{"where": "TRN", "message": f"no answer in it echoes our trace number {check.trace}"}])
        payer_lines.answered(payer_id)
        _try_later(check.pk, _("The insurer's answer is not about this question."))
        return None
    rejected = [
        {
            "loop": each.loop,
            "code": each.code,
            "text": rejections.text(each.loop, each.code),
            "cause": rejections.cause(each.loop, each.code),
            "follow_up": each.follow_up,
        }
        for each in response.all_rejections
    ]
    cannot_now = (
        not response.benefits
        and bool(rejected)
        and all(each["cause"] == rejections.Cause.TRY_AGAIN for each in rejected)
    )
    if cannot_now:
        # The clearinghouse answers in its place, or its front door does: the insurer itself is down.
        payer_lines.unanswered(payer_id, "; ".join(each["text"] for each in rejected))
    else:
        payer_lines.answered(payer_id)
    with transaction.atomic():
        check = EligibilityCheck.objects.select_for_update(no_key=True).get(pk=check.pk)
        if check.state != EligibilityCheck.State.ASKED:
            files.mark_processed(file)
            return BenefitSnapshot.objects.filter(eligibility_check=check).first()
        EdiFile.objects.filter(pk=file.pk).update(
            payer=check.coverage.payer,
            findings=[{"where": each.where, "message": each.message} for each in responses.findings],
        )
        files.mark_processed(file)
        if not response.benefits and rejected:
            kept = {"response": file, "rejections": rejected}
            if cannot_now:
                EligibilityCheck.objects.filter(pk=check.pk).update(**kept)
                _try_later(check.pk, "; ".join(each["text"] for each in rejected))
            elif asking.date_is_too_far(rejected) and check.service_date > clock.today():
                # It answers for no day so far ahead: what holds today is the next best.
                now = {"service_date": clock.today(), "next_attempt_at": clock.now()}
                move(check, EligibilityCheck.STATES, EligibilityCheck.State.WAITING, **kept, **now)
            else:
                done = {"answered_at": clock.now(), "settled_at": clock.now()}
                move(check, EligibilityCheck.STATES, EligibilityCheck.State.REJECTED, **kept, **done)
            return None
        benefits = benefits_of(response)
        snapshot = BenefitSnapshot.objects.create(
            coverage=check.coverage,
            eligibility_check=check,
            source=BenefitSnapshot.Source.RESPONSE,
            effective_on=check.service_date,
            active=benefits.active,
            plan_begin=benefits.year[0],
            plan_end=benefits.year[1],
            benefits=json.loads(json.dumps(benefits.to_json())),
        )
        move(
            check,
            EligibilityCheck.STATES,
            EligibilityCheck.State.ANSWERED,
            response=file,
            rejections=rejected,
            answered_at=clock.now(),
            error="",
        )
    return snapshot


def _try_later(check_id: int, error: str) -> None:
    """Let a question wait for its next attempt, or give it up: after the last attempt, or after three days."""
    check = EligibilityCheck.objects.select_related("coverage__payer__line").get(pk=check_id)
    line = check.coverage.payer.line
    wait = asking.wait_after(check.attempts, random.random())  # noqa: S311 - spreads the load, hides nothing
    if wait is None or clock.now() >= check.created_at + GIVE_UP_AFTER:
        _give_up(check_id, error)
        return
    # While the insurer is down another one goes first: it may be just this question that gets no answer.
    again = clock.now() + wait if line.next_probe_at is None else line.next_probe_at + timedelta(seconds=1)
    EligibilityCheck.objects.filter(pk=check_id, state__in=EligibilityCheck.OPEN).update(
        state=EligibilityCheck.State.WAITING, error=error[:300], next_attempt_at=again
    )


def _give_up(check_id: int, error: str) -> bool:
    """Whether it was still open."""
    done = EligibilityCheck.objects.filter(pk=check_id, state__in=EligibilityCheck.OPEN)
    return bool(done.update(state=EligibilityCheck.State.FAILED, error=error[:300], settled_at=clock.now()))


def ask_now(check: EligibilityCheck) -> None:
    """Do not wait for the next attempt; the insurer's hours and limits hold all the same."""
    waiting = EligibilityCheck.objects.filter(pk=check.pk, state=EligibilityCheck.State.WAITING)
    if not waiting.update(next_attempt_at=clock.now()):
        raise NotWaiting(_("This question does not wait any more."))


def give_up(check: EligibilityCheck, *, reason: str) -> None:
    """Ask no more; an answer that is still under way is not read. Raises :class:`NotWaiting` when it is settled."""
    if not _give_up(check.pk, reason):
        raise NotWaiting(_("This question is settled already."))
