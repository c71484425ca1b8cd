"""Asking an insurer about a client's plan (270) and keeping what it says (271)."""

import json
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from common import clock
from common.states import move
from insurance.clearinghouse import ClearinghouseRefused, InsurerUnreachable, OutcomeUnknown, PayloadType, clearinghouse
from insurance.models import BenefitSnapshot, Coverage, EdiFile, EligibilityCheck
from insurance.services import files
from insurance.services.claim_content import relationship
from insurance.x12 import eligibility as x12
from insurance.x12 import rejections, x270, x271
from insurance.x12.eligibility import Member
from insurance.x12.segments import X12Error, clean
from insurance.x12.x271_benefits import benefits_of

SERVICE_TYPES = ("MH",)
"""Asked for: mental health. What an insurer says of the whole plan (30) comes with it."""

LEASE = timedelta(minutes=2)
"""How long an asked check is left alone before another worker may ask again; longer than any answer takes."""

BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720))
"""How long to wait after each failed attempt; after the last one we give up and support sees it."""


ASK_AGAIN_AFTER = timedelta(minutes=15)
"""A client may ask an insurer about a plan again after this long: its answer would not be another."""


def asked_lately(check: EligibilityCheck) -> bool:
    """Whether this check was asked for too short a time ago for a client to ask again."""
    return clock.now() < check.created_at + ASK_AGAIN_AFTER


def request_check(*, coverage: Coverage, reason: str, service_date: date | None = None) -> EligibilityCheck:
    """Put a question to the insurer in the queue; while one is open for this plan, that one is given back."""
    with transaction.atomic():
        check, _is_new = EligibilityCheck.objects.get_or_create(
            coverage=coverage,
            state__in=[EligibilityCheck.State.WAITING, EligibilityCheck.State.ASKED],
            defaults={
                "state": EligibilityCheck.State.WAITING,
                "reason": reason,
                "service_date": service_date or clock.today(),
                "trace": files.next_trace_number(),
            },
        )
    return check


def due_checks(limit: int = 100) -> list[int]:
    """Ids of checks to be asked now, the longest waiting first; one whose lease is over is asked anew."""
    return list(
        EligibilityCheck.objects.filter(
            state__in=[EligibilityCheck.State.WAITING, EligibilityCheck.State.ASKED], next_attempt_at__lte=clock.now()
        )
        .order_by("next_attempt_at")
        .values_list("pk", flat=True)[:limit]
    )


def ask(check_id: int) -> BenefitSnapshot | None:
    """Send a due check's 270 and keep the 271. Returns the snapshot, or ``None`` when there is no answer.

    One worker asks: the one that takes the lease. No lock is held while the insurer is spoken to. A second answer to
    the same check is not kept twice.
    """
    check = _claim(check_id)
    if check is None:
        return BenefitSnapshot.objects.filter(eligibility_check_id=check_id).first()
    file = _write_inquiry(check)
    try:
        raw = clearinghouse().real_time(
            bytes(file.raw), payload_type=PayloadType.ELIGIBILITY_INQUIRY, payload_id=str(file.payload_id)
        )
    except (InsurerUnreachable, OutcomeUnknown) as error:
        move(file, EdiFile.STATES, EdiFile.State.UNKNOWN)
        _try_later(check, str(error))
        return None
    except ClearinghouseRefused as error:
        _give_up(check, str(error))
        return None
    move(file, EdiFile.STATES, EdiFile.State.SENT, settled_at=clock.now())
    answer, _is_new = files.store_incoming(kind=EdiFile.Kind.RESPONSE, raw=raw)
    return _take_in(check, answer)


def _claim(check_id: int) -> EligibilityCheck | None:
    now = clock.now()
    claimed = EligibilityCheck.objects.filter(
        pk=check_id,
        state__in=[EligibilityCheck.State.WAITING, EligibilityCheck.State.ASKED],
        next_attempt_at__lte=now,
    ).update(state=EligibilityCheck.State.ASKED, next_attempt_at=now + LEASE)
    if not claimed:
        return None
    return EligibilityCheck.objects.select_related("coverage__payer", "coverage__client").get(pk=check_id)


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
    with transaction.atomic():
        file = files.store_outgoing(kind=EdiFile.Kind.INQUIRY, raw=raw, control_number=number, payer=coverage.payer)
        EligibilityCheck.objects.filter(pk=check.pk).update(request=file, attempts=check.attempts + 1)
    check.refresh_from_db()
    return file


def _take_in(check: EligibilityCheck, file: EdiFile) -> BenefitSnapshot | None:
    """Keep what an answer says of this check, in one transaction; a file that cannot be read is quarantined."""
    try:
        responses = x271.read(bytes(file.raw))
    except X12Error as error:
        files.quarantine(file, [{"where": error.where, "message": str(error)}])
        _try_later(check, _("The insurer's answer could not be read: %(why)s") % {"why": error})
        return None
    response = next((each for each in responses.responses if each.trace == check.trace), None)
    if response is None:
        files.quarantine(file, [{"where": "TRN", "message": f"no answer in it echoes our trace number {check.trace}"}])
        _try_later(check, _("The insurer's answer is not about this question."))
        return None
    rejected = [
        {
            "code": each.code,
            "text": rejections.text(each.loop, each.code),
            "cause": rejections.cause(each.loop, each.code),
            "follow_up": each.follow_up,
        }
        for each in response.all_rejections
    ]
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
            if all(each["cause"] == rejections.Cause.TRY_AGAIN for each in rejected):
                EligibilityCheck.objects.filter(pk=check.pk).update(response=file, rejections=rejected)
                _try_later(check, "; ".join(str(each["text"]) for each in rejected))
                return None
            move(
                check,
                EligibilityCheck.STATES,
                EligibilityCheck.State.REJECTED,
                response=file,
                rejections=rejected,
                answered_at=clock.now(),
                settled_at=clock.now(),
            )
            return None
        benefits = benefits_of(response)
        snapshot = BenefitSnapshot.objects.create(
            coverage=check.coverage,
            eligibility_check=check,
            source=BenefitSnapshot.Source.RESPONSE,
            effective_on=check.service_date,
            active=benefits.active,
            plan_begin=benefits.plan_begin,
            plan_end=benefits.plan_end,
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


def _try_later(check: EligibilityCheck, error: str) -> None:
    check.refresh_from_db()
    if check.attempts > len(BACKOFF):
        _give_up(check, error)
        return
    wait = BACKOFF[max(0, check.attempts - 1)]
    move(
        check,
        EligibilityCheck.STATES,
        EligibilityCheck.State.WAITING,
        error=error[:300],
        next_attempt_at=clock.now() + wait,
    )


def _give_up(check: EligibilityCheck, error: str) -> None:
    move(check, EligibilityCheck.STATES, EligibilityCheck.State.FAILED, error=error[:300], settled_at=clock.now())
