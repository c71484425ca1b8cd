"""An insurer is asked, and everything that follows from its answer: order of plans, pauses, prices."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing.flows.settle_remittance import follow
from billing.services import costs
from common import clock
from common.errors import DomainError
from common.hurry import hurry
from insurance.domain.benefits import Benefits, CobSignal
from insurance.models import AccountPause, BenefitSnapshot, Claim, Coverage, EligibilityCheck, Payer
from insurance.services import claims, eligibility, pauses, plan_order
from insurance.services.coverages import add_coverage, remove_coverage
from people.models import Client


class PlanNeeded(DomainError):
    """The plan cannot be taken off the account yet."""


def add_plan(*, client: Client, payer: Payer, member_id: str, **facts: Any) -> Coverage:
    """Put a plan on the account and ask its insurer at once. Raises ``BadInput``, as ``add_coverage`` does."""
    coverage = add_coverage(client=client, payer=payer, member_id=member_id, **facts)
    for check in coverage.checks.filter(state=EligibilityCheck.State.WAITING):
        hurry("billing.tasks.check_benefits", check.pk)
    return coverage


def remove_plan(coverage: Coverage) -> None:
    """Take a plan off the account; the order of the rest and the prices of what is to come follow. Twice is harmless.

    What was not sent to it yet is not sent any more; a session that waited for nothing else gets its final cost.

    Raises :class:`PlanNeeded` while the account is paused because of it: removing it here settles nothing there.
    """
    with transaction.atomic():
        client = Client.objects.select_for_update(no_key=True).get(pk=coverage.client_id)
        if AccountPause.objects.filter(coverage=coverage, cleared_at=None).exists():
            raise PlanNeeded(
                _("%(payer)s still needs a call from you about this plan. Please do that first, or ask support.")
                % {"payer": coverage.payer}
            )
        remove_coverage(coverage)
        plan_order.decide(client)
        unsent = coverage.claims.filter(submission__in=Claim.UNSENT).select_related("session__client")
        for claim in unsent.order_by("pk"):
            claims.close(claim, reason=_("The plan was taken off the account."))
            claims.replan(claim.session, plan_order.plans_in_order(client, on=claim.session.date))
            follow(claim.session)
        costs.reprice(client)


def ask_again(coverage: Coverage, *, reason: str = EligibilityCheck.Reason.REFRESH) -> EligibilityCheck:
    """Put a new question about a plan to its insurer ("refresh benefits")."""
    check = eligibility.request_check(coverage=coverage, reason=reason)
    hurry("billing.tasks.check_benefits", check.pk)
    return check


def give_reference(pause: AccountPause, reference_number: str) -> EligibilityCheck:
    """The client has the insurer's reference number: keep it and check again at once. Raises ``BadInput``."""
    check = pauses.give_reference(pause=pause, reference_number=reference_number)
    hurry("billing.tasks.check_benefits", check.pk)
    return check


def refresh(check_id: int) -> BenefitSnapshot | None:
    """Send one waiting check and settle its answer; ``None`` when there is no answer (it is tried again, or rejected).

    Safe to call twice or at once: one worker asks, and settling the same answer again writes nothing.
    """
    snapshot = eligibility.ask(check_id)
    if snapshot is not None:
        settle(snapshot)
    return snapshot


@transaction.atomic
def settle(snapshot: BenefitSnapshot) -> None:
    """Put the plans in order, end a pause when the answer shows the records right, and reprice what is to come."""
    coverage = snapshot.coverage
    client = Client.objects.select_for_update(no_key=True).get(pk=coverage.client_id)
    plan_order.decide(client)
    check = snapshot.eligibility_check
    if check is not None and _records_are_right(snapshot.read(), check):
        pauses.clear_pauses(check=check)
    costs.reprice(client)
    if check is not None:
        EligibilityCheck.objects.filter(pk=check.pk).update(settled_at=clock.now())


def settle_check(check_id: int) -> None:
    """Settle an answer that was kept but not worked through before the worker died."""
    settle(BenefitSnapshot.objects.select_related("coverage").get(eligibility_check_id=check_id))


def _records_are_right(benefits: Benefits, check: EligibilityCheck) -> bool:
    """The insurer covers the member and its records leave no question of who pays first.

    The evidence that opened the pause is older than this answer: a check asked before does not end it. The plans are
    in their new order by now.
    """
    pause = AccountPause.objects.filter(coverage=check.coverage, cleared_at=None).first()
    if pause is None or check.asked_at < pause.opened_at:
        return False
    if benefits.active is not True or benefits.cob_signal is CobSignal.UNDETERMINED:
        return False
    if benefits.cob_signal is CobSignal.ANOTHER_IS_PRIMARY:
        # Right only if we know that other plan too: else the next claim would be refused for the same reason.
        first = plan_order.plans_in_order(check.coverage.client, on=clock.today())[:1]
        return first != [check.coverage]
    return True
