"""What happens at our account at Stripe: disputes, fraud warnings and payouts followed, the night's comparison made.

News names an object; it is asked for again and recorded as it stands, with no lock held while Stripe answers.
"""

import hashlib
import json
from datetime import datetime, timedelta

import structlog
from django.utils.translation import gettext as _

from billing.flows.collect_payment import StripeUnavailable
from billing.gateways.results import DisputeResult, GatewayError, GatewayRefused, WarningResult
from billing.gateways.stripe_account import account
from billing.gateways.stripe_gateway import gateway
from billing.models import Dispute, Payment, Reconciliation, StripePayout
from billing.services import dispute_evidence, disputes, payments, reconciliation, stripe_account
from common import clock
from common.errors import DomainError

log = structlog.get_logger(__name__)

OVERLAP = timedelta(days=1)
"""How far back movements are listed again: nothing at the edge of two nights is missed."""

LISTINGS = 3
"""How often the list is read anew when the balance changed meanwhile."""


class NotAnswered(DomainError):
    """The answer to a dispute was not taken."""


def follow(kind: str, object_id: str) -> bool:
    """Record how the object of an event stands; whether it was one of ours to follow."""
    if kind.startswith("charge.dispute."):
        _record_dispute(account().dispute(object_id))
    elif kind.startswith("radar.early_fraud_warning."):
        _record_warning(account().warning(object_id))
    elif kind.startswith("payout.") and object_id.startswith("po_"):
        stripe_account.record_payout(account().payout(object_id))
    else:
        return False
    return True


def _record_dispute(result: DisputeResult) -> None:
    payment = _payment(result.payment_intent)
    if payment is None:
        log.warning("dispute_of_unknown_payment", dispute=result.dispute)
        return
    disputes.record(payment=payment, result=result)


def _record_warning(result: WarningResult) -> None:
    payment = _payment(result.payment_intent)
    if payment is None:
        log.warning("warning_about_unknown_payment", warning=result.warning)
        return
    disputes.record_warning(payment=payment, result=result)


def _payment(intent: str | None) -> Payment | None:
    """Our row of a payment that moved money: also of one whose own answer has not come, which is then recorded."""
    if intent is None:
        return None
    payment = Payment.objects.filter(payment_intent_id=intent).first()
    if payment is not None and payment.state == Payment.State.SUCCEEDED:
        return payment
    result = gateway().retrieve_payment_intent(intent)
    if payment is None:
        try:
            payment = Payment.objects.filter(key=result.reference).first() if result.reference else None
        except ValueError:  # not a reference of ours
            payment = None
    if payment is not None:
        payments.record_outcome(payment=payment, result=result)
        payment.refresh_from_db()
    return payment


def refresh_dispute(dispute: Dispute) -> None:
    """Ask Stripe how a dispute stands."""
    _record_dispute(account().dispute(dispute.dispute_id))


def send_evidence(dispute: Dispute) -> Dispute:
    """Send the answer to the bank, with everything our records have: once, and for good.

    Raises :class:`NotAnswered` when the dispute does not wait for an answer or Stripe refuses it, ``StripeUnavailable``
    when it is not known whether it arrived: repeating it is safe.
    """
    dispute.refresh_from_db()
    if dispute.state not in disputes.TO_ANSWER:
        raise NotAnswered(_("This dispute does not wait for our answer."))
    evidence = dispute_evidence.gather(dispute)
    document = dispute_evidence.write(dispute, evidence)
    digest = hashlib.sha256(document + json.dumps(evidence.fields, sort_keys=True).encode()).hexdigest()[:32]
    try:
        file = account().upload_evidence(document, name=f"{dispute.dispute_id}.pdf", key=f"file:{dispute.pk}:{digest}")
        fields = {**evidence.fields, "uncategorized_file": file}
        result = account().answer_dispute(
            dispute.dispute_id, evidence=fields, submit=True, key=f"evidence:{dispute.pk}:{digest}"
        )
    except GatewayRefused as error:
        raise NotAnswered(_("Stripe did not take the answer: %(why)s") % {"why": error}) from error
    except GatewayError as error:
        raise StripeUnavailable(_("Stripe did not answer. Please try again; nothing is sent twice.")) from error
    Dispute.objects.filter(pk=dispute.pk).update(evidence=fields, evidence_sent_at=clock.now())
    _record_dispute(result)
    dispute.refresh_from_db()
    return dispute


def look_for_news(since: datetime) -> None:
    """Disputes, warnings and payouts that no webhook told of, and how those stand that are not at their end."""
    for dispute in account().disputes(since=since):
        _record_dispute(dispute)
    for row in Dispute.objects.filter(state__in=disputes.OPEN):
        refresh_dispute(row)
    for warning in account().warnings(since=since):
        _record_warning(warning)
    for payout in account().payouts(since=since):
        stripe_account.record_payout(payout)
    for under_way in StripePayout.objects.filter(
        state__in=[StripePayout.State.PENDING, StripePayout.State.IN_TRANSIT], created_at__lt=since
    ):
        stripe_account.record_payout(account().payout(under_way.payout_id))


def reconcile() -> Reconciliation:
    """Take in every movement since the last time, and hold Stripe's account against the books."""
    until = clock.now()
    since = reconciliation.compared_until()
    look_for_news(since - OVERLAP)
    for _attempt in range(LISTINGS):
        held = account().balance()
        movements = list(account().movements(since=since - OVERLAP))
        steady = account().balance() == held
        if steady:
            break
    for movement in reversed(movements):
        stripe_account.take_in(movement)
    for payout in stripe_account.without_parts():
        stripe_account.note_parts(payout, [part.id for part in account().movements(payout=payout.payout_id)])
    return reconciliation.compare(since=since, until=until, held=held, steady=steady)
