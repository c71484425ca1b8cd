"""Disputes and early fraud warnings, as Stripe tells of them: recorded, booked, decided on by a person.

The client's net payment is the final cost less what is open, whoever holds the money: while a bank decides, the money
is in ``disputed`` and the sessions count as paid; when it is lost, they are unpaid again. ``docs/stripe.md``.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.domain.disputes import PaidFor, unpaid_again
from billing.gateways.results import DisputeResult, DisputeState, Movement, WarningResult
from billing.ledger import reading
from billing.ledger.posting import Book, Posting, post, reverse
from billing.models import Dispute, FraudWarning, Payment, Refund
from billing.services import refunds
from common import clock
from common.errors import DomainError
from common.hurry import hurry
from common.money import ZERO
from people.models import Client

OPEN = (Dispute.State.WARNING, Dispute.State.NEEDS_RESPONSE, Dispute.State.UNDER_REVIEW)
"""Not decided yet."""

TO_ANSWER = (Dispute.State.WARNING, Dispute.State.NEEDS_RESPONSE)

_STATES: Mapping[DisputeState, str] = {
    DisputeState.WARNING: Dispute.State.WARNING,
    DisputeState.WARNING_CLOSED: Dispute.State.WARNING_CLOSED,
    DisputeState.NEEDS_RESPONSE: Dispute.State.NEEDS_RESPONSE,
    DisputeState.UNDER_REVIEW: Dispute.State.UNDER_REVIEW,
    DisputeState.WON: Dispute.State.WON,
    DisputeState.LOST: Dispute.State.LOST,
}
_CLOSED = (Dispute.State.WON, Dispute.State.LOST, Dispute.State.WARNING_CLOSED)


class NothingToDecide(DomainError):
    """The warning is settled, or its payment cannot be given back."""


@transaction.atomic
def record(*, payment: Payment, result: DisputeResult) -> Dispute:
    """Take in how a dispute stands, from whatever news and however often; each movement of money is booked once."""
    client = Client.objects.select_for_update(no_key=True).get(pk=payment.client_id)
    target = _STATES[result.state]
    closed = clock.now() if target in _CLOSED else None
    dispute, is_new = Dispute.objects.select_for_update(of=("self",)).get_or_create(
        dispute_id=result.dispute,
        defaults={
            "payment": payment,
            "amount": result.amount,
            "reason": result.reason,
            "state": target,
            "evidence_due": result.evidence_due,
            "opened_at": result.created,
            "closed_at": closed,
        },
    )
    if not is_new and (dispute.state == target or Dispute.STATES.allows(dispute.state, target)):
        if dispute.state != target:
            dispute.state, dispute.closed_at = target, closed
        # A bank may put its deadline off, or take less, without moving on.
        dispute.amount, dispute.evidence_due = result.amount, result.evidence_due
        dispute.save(update_fields=["state", "closed_at", "amount", "evidence_due"])
    held = _book(result.movements, client)
    _settle(dispute, held if dispute.state == Dispute.State.LOST else ZERO)
    return dispute


def _book(movements: Sequence[Movement], client: Client) -> Decimal:
    """Money that left for the bank or came back, each movement once; returns what the bank holds, in dollars."""
    for movement in movements:
        if movement.amount == ZERO:
            continue
        post(
            key=f"dispute:{movement.id}",
            memo="Taken back in a dispute" if movement.amount < ZERO else "Came back from a dispute",
            occurred_on=clock.business_date(movement.created),
            lines=[
                Posting(Book.DISPUTED, -movement.amount, client=client.pk),
                Posting(Book.STRIPE, movement.amount, client=client.pk),
            ],
        )
    return -sum((movement.amount for movement in movements), ZERO)


def _settle(dispute: Dispute, lost: Decimal) -> None:
    """Make the sessions unpaid by ``lost`` dollars because of this dispute. A bank may change its mind more than once:
    the last loss is reversed, a new one posted."""
    standing, losses = reading.standing(f"dispute_lost:{dispute.pk}")
    booked = ZERO if standing is None else -reading.moved(standing, Book.DISPUTED)
    if booked == lost:
        return
    today = clock.today()
    if standing is not None:
        reverse(standing, memo=f"The bank decided dispute {dispute.pk} anew", occurred_on=today)
    if lost <= ZERO:
        return
    # A refund that was promised and not sent cannot be sent any more: the bank has given the money back itself.
    Refund.objects.filter(payment=dispute.payment_id, state=Refund.State.CREATED).update(
        state=Refund.State.FAILED, message="The payment was lost in a dispute"
    )
    client = dispute.payment.client_id
    unpaid = unpaid_again(lost, _paid_for(dispute.payment))
    post(
        key=f"dispute_lost:{dispute.pk}:{losses + 1}",
        memo=f"Dispute {dispute.pk} of payment {dispute.payment_id} is lost",
        occurred_on=today,
        lines=[
            *(
                Posting(Book.CLIENT_RECEIVABLE, amount, client=client, session=session)
                for session, amount in unpaid.items()
            ),
            Posting(Book.DISPUTED, -lost, client=client),
        ],
    )


def _paid_for(payment: Payment) -> list[PaidFor]:
    back: dict[int, Decimal] = {}
    for session, amount in payment.refunds.filter(state__in=Refund.LIVE).values_list("session", "amount"):
        back[session] = back.get(session, ZERO) + amount
    return [
        PaidFor(part.session_id, part.amount, back.get(part.session_id, ZERO))
        for part in payment.parts.order_by("session__starts_at", "pk")
    ]


def to_answer() -> QuerySet[Dispute]:
    """Disputes and inquiries that wait for our answer, the next deadline first."""
    return Dispute.objects.filter(state__in=TO_ANSWER).order_by("evidence_due", "pk")


# --- Early fraud warnings ---------------------------------------------------------------------------------------------


@transaction.atomic
def record_warning(*, payment: Payment, result: WarningResult) -> FraudWarning:
    """Take in an early fraud warning, however often."""
    warning, is_new = FraudWarning.objects.select_for_update(of=("self",)).get_or_create(
        warning_id=result.warning,
        defaults={"payment": payment, "kind": result.kind, "actionable": result.actionable},
    )
    if not is_new and warning.actionable != result.actionable:
        FraudWarning.objects.filter(pk=warning.pk).update(actionable=result.actionable)
        warning.refresh_from_db()
    return warning


@transaction.atomic
def refund_warned(warning: FraudWarning, *, note: str) -> list[Refund]:
    """Give the whole payment back before its bank takes it, with a fee. Its sessions are unpaid again.

    Raises :class:`NothingToDecide` when somebody has decided, the payment is disputed, or nothing is left of it.
    """
    payment = _undecided(warning)
    if payment.disputes.filter(state__in=refunds.HOLDS).exists():
        raise NothingToDecide(_("The bank has taken this payment back already. Answer the dispute instead."))
    promised = [
        Refund.objects.create(payment=payment, session_id=part.session, amount=part.left)
        for part in _paid_for(payment)
        if part.left > ZERO
    ]
    if not promised:
        raise NothingToDecide(_("Nothing is left of this payment to give back."))
    _decided(warning, note)
    for refund in promised:
        hurry("billing.tasks.give", refund.pk)
    return promised


@transaction.atomic
def leave_warned(warning: FraudWarning, *, note: str) -> None:
    """Keep the payment, and take the risk of a dispute. Raises :class:`NothingToDecide` when that is decided."""
    _undecided(warning)
    _decided(warning, note)


def _undecided(warning: FraudWarning) -> Payment:
    payment = Payment.objects.get(pk=warning.payment_id)
    Client.objects.select_for_update(no_key=True).get(pk=payment.client_id)
    warning.refresh_from_db()
    if warning.handled_at is not None:
        raise NothingToDecide(_("Somebody has decided about this warning already."))
    return payment


def _decided(warning: FraudWarning, note: str) -> None:
    FraudWarning.objects.filter(pk=warning.pk).update(handled_at=clock.now(), note=note[:300])
    warning.refresh_from_db()
