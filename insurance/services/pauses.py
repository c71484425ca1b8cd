"""Pausing an account on a coordination-of-benefits problem, reminding the client, and resuming it."""

from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from common import clock
from common.errors import BadInput
from insurance.domain import cob_evidence
from insurance.models import AccountPause, BenefitSnapshot, Claim, ClaimEvent, Coverage, EdiFile, EligibilityCheck
from insurance.services import claims, rework
from insurance.services.eligibility import request_check
from insurance.services.plan_order import plans_after_refusal, plans_in_order
from notifications import messages, outbox
from people.models import Client

ASK_AGAIN_AFTER = timedelta(days=1)
"""How often an insurer is asked about a pause whose client has called."""

REMIND_AFTER = (timedelta(days=3), timedelta(days=10), timedelta(days=20))
"""When the client is reminded, counted from the pause, or from the call that did not help."""

SUPPORT_EVERY = timedelta(days=7)
"""How often support is to call a client whom the reminders did not move."""

COB_REJECTION = "cob"
"""The event of a claim that an insurer refused because of coordination of benefits, before or after processing it."""


def _portal_plans() -> str:
    return f"{settings.PUBLIC_URL}/plans/"


# Opening


@transaction.atomic
def open_pause(
    *, coverage: Coverage, evidence: str, codes: str = "", file: EdiFile | None = None, reason: str = ""
) -> tuple[AccountPause, bool]:
    """Pause the client because ``coverage``'s insurer says coordination of benefits is unresolved.

    Never twice for one cause: while this plan's pause is open, more evidence changes nothing. Returns the pause and
    whether it is new. The client is told by e-mail whom to call and what to say.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=coverage.client_id)
    pause, is_new = AccountPause.objects.get_or_create(
        coverage=coverage,
        cleared_at=None,
        defaults={
            "client": client,
            "evidence": evidence,
            "evidence_codes": codes[:60],
            "evidence_file": file,
            "reason": reason[:300],
        },
    )
    if not is_new:
        return pause, False
    if client.paused_since is None:
        client.paused_since = pause.opened_at
        client.save(update_fields=["paused_since"])
    claims.hold_all(client.pk)
    outbox.enqueue(
        messages.AccountPaused(
            client_name=client.called,
            insurer=coverage.payer.name,
            insurer_phone=coverage.payer.member_services_phone,
            url=_portal_plans(),
            contact=coverage.payer.cob_contact,
        ),
        to=client.email,
        recipient=client.user,
        key=f"account_paused:{pause.pk}",
    )
    return pause, True


def open_on_claim(
    *, claim: Claim, evidence: str, codes: str, file: EdiFile, decided_on: date, reason: str = ""
) -> AccountPause | None:
    """An insurer refused a claim because its member must act: pause, unless that cause is settled already.

    A refusal from before the end of the plan's last pause, of a claim sent before it, tells of the records as they
    were: the claim goes out again, and the client is not asked twice. Returns the open pause, if there is one. The
    caller holds the client's lock.
    """
    last = _last_cleared(claim.coverage)
    if last is not None and not claim.coverage.pauses.filter(cleared_at=None).exists():
        assert last.cleared_at is not None
        decided_before = decided_on <= clock.business_date(last.cleared_at)
        sent_before = claim.submitted_at is not None and claim.submitted_at < last.cleared_at
        if last.evidence_file_id == file.pk or (decided_before and sent_before):
            _send_again(claim)
            return None
    return open_pause(coverage=claim.coverage, evidence=evidence, codes=codes, file=file, reason=reason)[0]


def open_on_answer(snapshot: BenefitSnapshot) -> AccountPause | None:
    """An insurer's answer says that its member must act, or that the plan we take for the first one is not: pause.

    Not by an answer that a newer one has overtaken, nor by one to a question from before the end of the last pause. The
    plans are in their new order by now, and the caller holds the client's lock.
    """
    check, coverage = snapshot.eligibility_check, snapshot.coverage
    if check is None or coverage.removed_at is not None:
        return None
    if coverage.snapshots.filter(source=BenefitSnapshot.Source.RESPONSE, pk__gt=snapshot.pk).exists():
        return None
    last = _last_cleared(coverage)
    if last is not None and last.cleared_at is not None and check.asked_at <= last.cleared_at:
        return None
    found = cob_evidence.in_answer(snapshot.read()) or _contradiction(snapshot)
    if found is None:
        return None
    return open_pause(
        coverage=coverage,
        evidence=AccountPause.Evidence.RESPONSE,
        codes=found.codes,
        file=check.response,
        reason=found.reason,
    )[0]


def _contradiction(snapshot: BenefitSnapshot) -> cob_evidence.Evidence | None:
    """Two insurers each say that the other one pays first: neither will pay, and only their member can settle it.

    It is the plan that comes first in our order whose records have to change.
    """
    coverage = snapshot.coverage
    plans = plans_in_order(coverage.client, on=clock.today())
    if len(plans) < 2 or plans[0].pk != coverage.pk:
        return None
    said = snapshot.read()
    for other in plans[1:]:
        answer = other.snapshots.filter(source=BenefitSnapshot.Source.RESPONSE).order_by("-pk").first()
        if (
            answer is not None
            and cob_evidence.names(said, name=other.payer.name, payer_id=other.payer.payer_id)
            and cob_evidence.names(answer.read(), name=coverage.payer.name, payer_id=coverage.payer.payer_id)
        ):
            reason = _("%(payer)s and %(other)s each say that the other one pays first.")
            return cob_evidence.Evidence("PRP/PRP", reason % {"payer": coverage.payer, "other": other.payer})
    return None


def _last_cleared(coverage: Coverage) -> AccountPause | None:
    return coverage.pauses.filter(cleared_at__isnull=False).order_by("-cleared_at").first()


def _send_again(claim: Claim) -> None:
    claims.resubmit(claim, reason=_("Coordination of benefits is settled: sent again."))
    # Settled may mean: another plan pays first.
    rework.rework(claim.session, plans_after_refusal(claim.session.client, on=claim.session.date))


# The client calls


@transaction.atomic
def give_reference(*, pause: AccountPause, reference_number: str) -> EligibilityCheck:
    """The client called the insurer and got a reference number: keep it and check with the insurer again.

    Raises ``BadInput`` for an empty number or a pause that is over.
    """
    number = reference_number.strip()
    if not number:
        raise BadInput(_("Please enter the reference number that your insurer gave you."), "reference_number")
    pause = AccountPause.objects.select_for_update(no_key=True).get(pk=pause.pk)
    if pause.cleared_at is not None:
        raise BadInput(_("This is already resolved: there is nothing left to do."), "reference_number")
    pause.reference_number = number[:40]
    pause.reference_given_at = clock.now()
    # The client has done their part: reminders begin anew, if the insurer does not do its own.
    pause.reminded_at, pause.reminders = None, 0
    pause.save(update_fields=["reference_number", "reference_given_at", "reminded_at", "reminders"])
    return request_check(coverage=pause.coverage, reason=EligibilityCheck.Reason.COB_REFERENCE)


# Resuming


@transaction.atomic
def clear_pauses(*, check: EligibilityCheck) -> bool:
    """A new check shows that the insurer's records are right: end this plan's pause. True when the client resumes.

    The client stays paused while another plan's pause is open.
    """
    return _clear(check.coverage, cleared_by=check)


@transaction.atomic
def clear_by_hand(*, pause: AccountPause, reason: str) -> bool:
    """Support ends a pause that no check can end, and says why. True when the client resumes. Twice is harmless."""
    return _clear(pause.coverage, cleared_reason=reason[:300])


def _clear(coverage: Coverage, **how: object) -> bool:
    client = Client.objects.select_for_update(no_key=True).get(pk=coverage.client_id)
    pause = AccountPause.objects.filter(coverage=coverage, cleared_at=None).first()
    if pause is None:
        return False
    pause.cleared_at = clock.now()
    for name, value in how.items():
        setattr(pause, name, value)
    pause.save(update_fields=["cleared_at", *how])
    if AccountPause.objects.filter(client=client, cleared_at=None).exists():
        return False
    client.paused_since = None
    client.save(update_fields=["paused_since"])
    for claim in _refused(client):
        _send_again(claim)
    claims.release_all(client.pk)
    outbox.enqueue(
        messages.AccountResumed(client_name=client.called, url=f"{settings.PUBLIC_URL}/"),
        to=client.email,
        recipient=client.user,
        key=f"account_resumed:{pause.pk}",
    )
    return True


def _refused(client: Client) -> QuerySet[Claim]:
    """The claims that insurers refused because of coordination of benefits: processed, or not even taken in."""
    not_taken_in = Exists(ClaimEvent.objects.filter(claim=OuterRef("pk"), kind=COB_REJECTION))
    refused = Q(decision=Claim.Decision.COB, submission=Claim.Submission.ACCEPTED) | Q(
        not_taken_in, decision=Claim.Decision.NONE, submission=Claim.Submission.REJECTED
    )
    mine = Claim.objects.filter(refused, session__client=client)
    return mine.select_related("session__client", "coverage__payer").order_by("pk")


def to_ask_again() -> list[AccountPause]:
    """Open pauses whose client has given a reference number, and whose insurer was not asked since, or not today.

    Whatever went wrong with the check that the number started (it was under way already, the insurer could not answer,
    its records were not ready), the account does not stay paused for want of a question.
    """
    called = AccountPause.objects.filter(cleared_at=None, reference_given_at__isnull=False)
    return [pause for pause in called.select_related("coverage").order_by("pk") if _is_due(pause)]


def _is_due(pause: AccountPause) -> bool:
    last = pause.coverage.checks.select_related("request").order_by("-pk").first()
    if last is None:
        return True
    if last.state in (EligibilityCheck.State.WAITING, EligibilityCheck.State.ASKED):
        return False
    assert pause.reference_given_at is not None, "the query asked for it"
    return last.asked_at < max(pause.reference_given_at, clock.now() - ASK_AGAIN_AFTER)


# Reminding


def to_remind() -> list[int]:
    """Ids of open pauses whose client has to be reminded now.

    Who has called is reminded only when the insurer has answered since, and its records are still not right.
    """
    now = clock.now()
    due = Q()
    for number, after in enumerate(REMIND_AFTER):
        due |= Q(reminders=number, since__lte=now - after)
    under_way = EligibilityCheck.objects.filter(coverage=OuterRef("coverage"), state__in=EligibilityCheck.OPEN)
    answered = EligibilityCheck.objects.filter(
        coverage=OuterRef("coverage"), answered_at__gte=OuterRef("reference_given_at")
    )
    waiting = AccountPause.objects.annotate(since=Coalesce("reference_given_at", "opened_at")).filter(
        due, Q(reference_given_at=None) | (Exists(answered) & ~Exists(under_way)), cleared_at=None
    )
    return list(waiting.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def remind(pause_id: int) -> bool:
    """Write to the client once more, whom to call and what to say. Whoever was late sends one reminder, not all.

    False when there is nothing to remind of any more.
    """
    pause = AccountPause.objects.select_for_update(no_key=True).get(pk=pause_id)
    if pause.cleared_at is not None:
        return False
    since, now = pause.reference_given_at or pause.opened_at, clock.now()
    passed = sum(since + after <= now for after in REMIND_AFTER)
    if passed <= pause.reminders:
        return False
    pause.reminders, pause.reminded_at = passed, now
    pause.save(update_fields=["reminders", "reminded_at"])
    client, payer = pause.client, pause.coverage.payer
    outbox.enqueue(
        messages.AccountStillPaused(
            client_name=client.called,
            insurer=payer.name,
            insurer_phone=payer.member_services_phone,
            url=_portal_plans(),
            contact=payer.cob_contact,
            called=pause.reference_given_at is not None,
        ),
        to=client.email,
        recipient=client.user,
        key=f"account_still_paused:{pause.pk}:{since:%Y%m%d%H%M}:{passed}",
    )
    return True


def for_support() -> QuerySet[AccountPause]:
    """Open pauses that reminders did not move: support calls these clients, every week."""
    return AccountPause.objects.filter(
        cleared_at=None, reminders__gte=len(REMIND_AFTER), reminded_at__lte=clock.now() - SUPPORT_EVERY
    )


def contacted(pause: AccountPause) -> None:
    """Support has spoken with the client: the pause comes back to support's queue in a week."""
    AccountPause.objects.filter(pk=pause.pk, cleared_at=None).update(
        reminded_at=clock.now(), reminders=F("reminders") + 1
    )
