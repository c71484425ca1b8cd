"""The worker's entry points. Each takes ids, may run twice, at once, or die halfway; the sweep finds what was left."""

from collections.abc import Callable
from functools import partial
from time import monotonic

import structlog
from celery import shared_task

from billing.flows import (
    collect_payment,
    correct_benefits,
    exchange_claims,
    give_refund,
    refresh_benefits,
    stripe_account,
    stripe_news,
)
from billing.models import Payment, PayoutRun, Refund, StripeEvent
from billing.services import (
    autopay,
    cards,
    payment_plans,
    payments,
    payouts,
    recalculation,
    reconciliation,
    refunds,
    repricing,
    retrying,
    statements,
)
from common import clock
from common.hurry import hurry
from insurance.models import EligibilityCheck
from insurance.services import deadlines, eligibility, pauses, planned_checks, recertification
from people.services import idempotency

log = structlog.get_logger(__name__)

ASK_SECONDS = 45
"""How long one round of questions to insurers begins new ones."""

REPRICE_SECONDS = 20
"""How long one sweep prices stale clients."""

RECALCULATE_SECONDS = 10
"""How long one turn at a whole insurer lasts."""


@shared_task
def check_benefits(check_id: int) -> None:
    """Ask an insurer and settle its answer."""
    refresh_benefits.refresh(check_id)


@shared_task
def plan_checks() -> None:
    """Put the questions in the queue that are due by themselves: before sessions, with a plan year, every month."""
    planned_checks.request_due()


@shared_task
def ask_insurers() -> None:
    """The sweep of benefits, apart from the other one: an insurer that takes its time holds up no money.

    Settles answers that a worker left half done, asks again where a client has called, then asks what is due, one
    insurer after the other in turn. One that does not answer, or takes no more questions now, is left alone for the
    rest of the round.
    """
    for pk in EligibilityCheck.objects.filter(snapshot__isnull=False, settled_at=None).values_list("pk", flat=True):
        _try(refresh_benefits.settle_check, pk)
    ask_after_calls()
    until = monotonic() + ASK_SECONDS
    resting: set[int] = set()
    for check_id, payer_id in eligibility.due_checks():
        if payer_id in resting:
            continue
        _try(refresh_benefits.refresh, check_id)
        if eligibility.is_open(check_id):
            resting.add(payer_id)
        if monotonic() >= until:
            break


def ask_after_calls() -> None:
    """Put the questions in the queue that are due because a client has called an insurer."""
    called = [pause.coverage for pause in pauses.to_ask_again()]
    called += [row.coverage for row in recertification.to_ask_again()]
    for coverage in called:
        _try(partial(refresh_benefits.ask_again, reason=EligibilityCheck.Reason.COB_REFERENCE), coverage)


@shared_task
def charge(payment_id: int) -> None:
    """Send one waiting charge to Stripe."""
    collect_payment.charge(payment_id)


@shared_task
def give(refund_id: int) -> None:
    """Send one promised refund to Stripe."""
    give_refund.give(refund_id)


@shared_task
def process_stripe_event(event_id: int) -> None:
    """Ask Stripe about the object a webhook named, and record the answer."""
    stripe_news.process(event_id)


@shared_task
def reconcile_stripe() -> None:
    """Once a night: hold Stripe's account against the books. Running twice at once changes nothing."""
    if reconciliation.is_due():
        stripe_account.reconcile()


@shared_task
def exchange_with_insurers() -> None:
    """Take in acknowledgements and remittances, then send the claims that are ready, those just released among them."""
    exchange_claims.take_in()
    exchange_claims.send_ready_claims()


@shared_task
def reprice(client_id: int) -> None:
    """Price a client whose prices are stale."""
    repricing.reprice_client(client_id, if_stale=True, pricing=correct_benefits.reprice)


@shared_task
def recalculate(recalculation_id: int) -> None:
    """Go on with a whole insurer for a while, then let others have the worker before the next turn."""
    if recalculation.work(recalculation_id, RECALCULATE_SECONDS, pricing=correct_benefits.reprice):
        hurry("billing.tasks.recalculate", recalculation_id)


@shared_task
def sweep() -> None:
    """Find by query what lost messages and dead workers left, and hurry it again. One failure stops nothing else."""
    long_ago = clock.now() - payments.UNKNOWN_AFTER
    for pk in _ids(Payment, Payment.State.CREATED):
        _try(collect_payment.charge, pk)
    for payment in Payment.objects.filter(
        state__in=[Payment.State.SUBMITTED, Payment.State.UNKNOWN, Payment.State.PROCESSING], created_at__lt=long_ago
    ):
        _try(collect_payment.refresh, payment)
    for payment in payments.abandoned():
        _try(collect_payment.cancel, payment)
    _charge_by_plan()
    for session in refunds.sessions_to_refund():
        _try(refunds.promise, session)
    for pk in _ids(Refund, Refund.State.CREATED):
        _try(give_refund.give, pk)
    for refund in Refund.objects.filter(
        state__in=[Refund.State.SUBMITTED, Refund.State.UNKNOWN, Refund.State.IN_TRANSIT], created_at__lt=long_ago
    ):
        _try(give_refund.refresh, refund)
    for pk in StripeEvent.objects.filter(processed_at=None).values_list("pk", flat=True):
        _try(stripe_news.process, pk)
    _try(exchange_claims.take_in)
    _try(exchange_claims.send_ready_claims)
    _try(deadlines.follow_up)
    _try(statements.issue_due)
    _try(idempotency.forget_old)
    _pay_providers()
    _remind()
    _price_what_is_stale()


def _charge_by_plan() -> None:
    """Announce and write the charges whose day has come; each is sent by its own message, or by the next sweep."""
    for pk in payment_plans.to_announce():
        _try(payment_plans.announce, pk)
    for pk in payment_plans.to_charge():
        _try(payment_plans.charge, pk)
    for pk in autopay.to_charge():
        _try(autopay.charge, pk)
    for pk in retrying.due():
        _try(retrying.retry, pk)


def _pay_providers() -> None:
    """Put the payout run together that is due. It waits for a person then: only support sends it."""
    _try(payouts.open_due)
    for pk in PayoutRun.objects.filter(state=PayoutRun.State.OPEN).order_by("through").values_list("pk", flat=True):
        _try(payouts.put_together, pk)


def _remind() -> None:
    """Ask clients for the calls that only they can make, and for the card that takes an old one's place."""
    for pk in cards.to_remind():
        _try(cards.remind, pk)
    _try(recertification.open_due)
    for pk in recertification.to_remind():
        _try(recertification.remind, pk)
    for pk in pauses.to_remind():
        _try(pauses.remind, pk)


def _price_what_is_stale() -> None:
    """Last in the sweep and only for a while: money that waits for a price can wait for the next sweep."""
    _try(repricing.find_stale)
    until = monotonic() + REPRICE_SECONDS
    for pk in repricing.due():
        _try(partial(repricing.reprice_client, if_stale=True, pricing=correct_benefits.reprice), pk)
        if monotonic() >= until:
            break
    for pk in recalculation.left_alone():
        # Without a message of its own: one that was only slow still comes, and two would take turns for ever.
        _try(partial(recalculation.work, pricing=correct_benefits.reprice), pk, RECALCULATE_SECONDS)


def _ids(model: type[Payment] | type[Refund], state: str) -> list[int]:
    return list(model._default_manager.filter(state=state).order_by("pk").values_list("pk", flat=True))


def _try(step: Callable[..., object], *args: object) -> None:
    try:
        step(*args)
    except Exception:
        # Anything may be wrong with one row; the others must not wait for it. It is tried again at the next sweep.
        named = step.func if isinstance(step, partial) else step
        # A row is logged by its id: in words some of them name their client.
        shown = [str(getattr(each, "pk", each)) for each in args]
        log.exception("sweep_step_failed", step=getattr(named, "__qualname__", str(named)), args=shown)
