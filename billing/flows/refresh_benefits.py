"""An insurer is asked, and everything that follows from its answer: order of plans, pauses, prices."""

from datetime import date
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.flows import correct_benefits, order_plans
from billing.flows.settle_remittance import follow
from billing.services import costs, plan_years
from common import clock
from common.errors import BadInput, DomainError
from common.hurry import hurry
from insurance.domain.benefits import Benefits, CobSignal
from insurance.models import (
    AccountPause,
    BenefitSnapshot,
    Claim,
    Coverage,
    EligibilityCheck,
    Payer,
    Recertification,
)
from insurance.services import claims, discovery, eligibility, pauses, plan_order, recertification, rework
from insurance.services.coverages import add_coverage, remove_coverage
from people.models import Client, SupportRequest, User
from people.services import support_requests


class PlanNeeded(DomainError):
    """The plan cannot be taken off the account yet."""


class AskedLately(DomainError):
    """The insurer was asked about this plan a moment ago."""

    status = 429


class Wrong(models.TextChoices):
    """What somebody takes for wrong in what we show of a plan."""

    ACTIVE = "active", gettext_lazy("Whether the plan is active, or its dates")
    COPAY = "copay", gettext_lazy("The copay or share for a session")
    DEDUCTIBLE = "deductible", gettext_lazy("The deductible, or how much of it is left")
    OUT_OF_POCKET = "out_of_pocket", gettext_lazy("The out-of-pocket maximum, or how much of it is left")
    VISITS = "visits", gettext_lazy("How many sessions the plan covers")
    ORDER = "order", gettext_lazy("Which plan pays first")
    OTHER = "other", gettext_lazy("Something else, or I am not sure")


def add_plan(*, client: Client, payer: Payer, member_id: str, by: User | None = None, **facts: Any) -> Coverage:
    """Put a plan on the account and ask its insurer at once; whoever named it before has its answer.

    ``by``: who answers such a question. Raises ``BadInput``, as ``add_coverage`` does.
    """
    coverage = add_coverage(client=client, payer=payer, member_id=member_id, **facts)
    discovery.answered_by(coverage, by=by)
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
        order_plans.put_in_order(client)
        unsent = coverage.claims.filter(submission__in=Claim.UNSENT).exclude(Claim.OUTSIDE)
        for claim in unsent.select_related("session__client").order_by("pk"):
            claims.close(claim, reason=_("The plan was taken off the account."))
            rework.rework(claim.session, plan_order.plans_in_order(client, on=claim.session.date))
            follow(claim.session)
        costs.reprice(client)


def ask_again(
    coverage: Coverage, *, reason: str = EligibilityCheck.Reason.REFRESH, asked_by: User | None = None
) -> EligibilityCheck:
    """Put a new question about a plan to its insurer at once; while one is under way, that one is given back."""
    check = eligibility.request_check(coverage=coverage, reason=reason, asked_by=asked_by)
    hurry("billing.tasks.check_benefits", check.pk)
    return check


def ask_for(*, actor: User, coverage: Coverage) -> EligibilityCheck:
    """Ask because a client or provider wants it ("refresh benefits"); a question under way is given back.

    Raises :class:`AskedLately` when the insurer was asked minutes ago: its answer would not be another.
    """
    latest = coverage.checks.order_by("-pk").first()
    if latest is not None and latest.state in EligibilityCheck.OPEN:
        return latest
    if latest is not None and eligibility.asked_lately(latest):
        raise AskedLately(
            _("We asked %(payer)s a few minutes ago. Please try again later.") % {"payer": coverage.payer}
        )
    return ask_again(coverage, asked_by=actor)


def ask_failed_again(payer: Payer, *, by: User) -> int:
    """A new question about every plan of an insurer whose newest one was given up. Returns how many."""
    given_up = eligibility.newest_of_their_plans().filter(coverage__payer=payer, state=EligibilityCheck.State.FAILED)
    again = [
        eligibility.request_check(coverage=each.coverage, reason=each.reason, asked_by=by)
        for each in given_up.select_related("coverage").order_by("pk")
    ]
    if again:
        hurry("billing.tasks.ask_insurers")
    return len(again)


def report_incorrect(*, author: User, coverage: Coverage, what: str, text: str) -> SupportRequest:
    """Somebody says that what we show of a plan is wrong: ask its insurer again, and let support look.

    ``what`` is one of :class:`Wrong`. A person has one open case for a plan: more of it is added to that case, the same
    words again change nothing. Raises ``BadInput`` for an empty or overlong text.
    """
    if what not in Wrong.values:
        raise BadInput(_("Please choose what looks wrong."), "what")
    if not text.strip():
        raise BadInput(_("Please write what looks wrong."), "text")
    said = f"{Wrong(what).label}: {text.strip()}"
    with transaction.atomic():
        # Two reports at once, by a double click or on two pages, are one case.
        client = Client.objects.select_for_update(no_key=True).get(pk=coverage.client_id)
        case = open_case(author=author, coverage=coverage)
        is_new = case is None
        if case is None:
            case = support_requests.ask_support(author=author, client=client, body=said, **_about(coverage))
        else:
            support_requests.add(case, text=said)
        latest = coverage.checks.order_by("-pk").first()
        if is_new or latest is None or not eligibility.asked_lately(latest):
            ask_again(coverage, reason=EligibilityCheck.Reason.REPORT, asked_by=author)
    return case


def open_case(*, author: User, coverage: Coverage) -> SupportRequest | None:
    """What this person has asked support about this plan's benefits, while it is open."""
    cases = SupportRequest.objects.filter(author=author, state=SupportRequest.State.OPEN, **_about(coverage))
    return cases.order_by("pk").first()


def _about(coverage: Coverage) -> dict[str, Any]:
    return {"category": SupportRequest.Category.BENEFITS, "reference": f"plan {coverage.pk}"}


def give_reference(pause: AccountPause, reference_number: str) -> EligibilityCheck:
    """The client has the insurer's reference number: keep it and check again at once. Raises ``BadInput``."""
    check = pauses.give_reference(pause=pause, reference_number=reference_number)
    hurry("billing.tasks.check_benefits", check.pk)
    return check


def report_call(row: Recertification, *, reference_number: str, called_on: date) -> EligibilityCheck:
    """The client has confirmed the plans by phone: keep number and day, and check at once. Raises ``BadInput``."""
    check = recertification.report(row, reference_number=reference_number, called_on=called_on)
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
    order_plans.put_in_order(client)
    discovery.from_response(snapshot)
    check = snapshot.eligibility_check
    if check is not None:
        benefits = snapshot.read()
        if records_are_right(benefits, check):
            pauses.clear_pauses(check=check)
            recertification.verify_by(check)
        else:
            pauses.open_on_answer(snapshot)
    day = snapshot.plan_begin or snapshot.effective_on
    truth = plan_years.truth_of(client, coverage, day)
    correct_benefits.hold(client, coverage, day, truth=truth)
    correct_benefits.reprice(client, known=truth)
    if check is not None:
        EligibilityCheck.objects.filter(pk=check.pk).update(settled_at=clock.now())


def settle_check(check_id: int) -> None:
    """Settle an answer that was kept but not worked through before the worker died."""
    settle(BenefitSnapshot.objects.select_related("coverage").get(eligibility_check_id=check_id))


def records_are_right(benefits: Benefits, check: EligibilityCheck) -> bool:
    """The insurer covers the member and its records leave no question of who pays first.

    The evidence that opened a pause is older than this answer: a check asked before does not end it. The plans are in
    their new order by now.
    """
    pause = AccountPause.objects.filter(coverage=check.coverage, cleared_at=None).first()
    if pause is not None and check.asked_at < pause.opened_at:
        return False
    if benefits.active is not True or benefits.cob_signal is CobSignal.UNDETERMINED:
        return False
    if benefits.cob_signal is CobSignal.ANOTHER_IS_PRIMARY:
        # Right only if we know that other plan too: else the next claim would be refused for the same reason.
        first = plan_order.plans_in_order(check.coverage.client, on=clock.today())[:1]
        return first != [check.coverage]
    return True
