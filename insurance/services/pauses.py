"""Pausing an account on a coordination-of-benefits problem, and resuming it."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from common import clock
from common.errors import BadInput
from insurance.models import AccountPause, Claim, Coverage, EdiFile, EligibilityCheck
from insurance.services import claims
from insurance.services.eligibility import request_check
from insurance.services.plan_order import plans_in_order
from notifications import messages, outbox
from people.models import Client

ASK_AGAIN_AFTER = timedelta(days=1)
"""How often an insurer is asked about a pause whose client has called."""


def _portal_plans() -> str:
    return f"{settings.PUBLIC_URL}/plans/"


@transaction.atomic
def open_pause(
    *, coverage: Coverage, evidence: str, codes: str = "", file: EdiFile | None = None
) -> tuple[AccountPause, bool]:
    """Pause the client because ``coverage``'s insurer says coordination of benefits is unresolved.

    Never twice for one cause: while this plan's pause is open, more evidence changes nothing. Returns the pause and
    whether it is new. The client is told by e-mail whom to call and what to say.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=coverage.client_id)
    pause, is_new = AccountPause.objects.get_or_create(
        coverage=coverage,
        cleared_at=None,
        defaults={"client": client, "evidence": evidence, "evidence_codes": codes[:60], "evidence_file": file},
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
        ),
        to=client.email,
        recipient=client.user,
        key=f"account_paused:{pause.pk}",
    )
    return pause, True


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
    pause.save(update_fields=["reference_number", "reference_given_at"])
    return request_check(coverage=pause.coverage, reason=EligibilityCheck.Reason.COB_REFERENCE)


@transaction.atomic
def clear_pauses(*, check: EligibilityCheck) -> bool:
    """A new check shows that the insurer's records are right: end this plan's pause. True when the client resumes.

    The client stays paused while another plan's pause is open.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=check.coverage.client_id)
    pause = AccountPause.objects.filter(coverage=check.coverage, cleared_at=None).first()
    if pause is None:
        return False
    pause.cleared_at = clock.now()
    pause.cleared_by = check
    pause.save(update_fields=["cleared_at", "cleared_by"])
    if AccountPause.objects.filter(client=client, cleared_at=None).exists():
        return False
    client.paused_since = None
    client.save(update_fields=["paused_since"])
    refused = Claim.objects.filter(session__client=client, decision=Claim.Decision.COB, submission="accepted")
    for claim in refused.select_related("session__client").order_by("pk"):
        claims.resubmit(claim, reason=_("Coordination of benefits is settled: sent again."))
        # Settled may mean: another plan pays first.
        claims.replan(claim.session, plans_in_order(client, on=claim.session.date))
    claims.release_all(client.pk)
    outbox.enqueue(
        messages.AccountResumed(client_name=client.called, url=f"{settings.PUBLIC_URL}/"),
        to=client.email,
        recipient=client.user,
        key=f"account_resumed:{pause.pk}",
    )
    return True


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
