"""Money given back: decided by the books, executed payment by payment, followed to the end."""

from collections.abc import Mapping
from datetime import date

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from billing.domain.refunds import Refundable, allocate
from billing.gateways.results import RefundResult, RefundState
from billing.ledger.posting import Book, Posting, balances_by_session, find, post, reverse
from billing.models import Payment, PaymentPart, Refund
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from common.money import ZERO
from notifications import messages, outbox
from people.models import Client

STATEMENT_DAYS = 5
"""Business days after processing by which a refund stands on the client's statement."""


def on_statement_by(processed_on: date) -> date:
    """The day by which a refund processed on a day is on the client's statement."""
    return clock.add_business_days(processed_on, STATEMENT_DAYS)


def refundable(session: Session) -> list[Refundable]:
    """The session's succeeded payments, newest first, with what is left on each for this session.

    A payment whose refund failed (a closed account, say) is left out: it would fail again, and a person finds another
    way to give the money back.
    """
    parts = (
        PaymentPart.objects.filter(session=session, payment__state=Payment.State.SUCCEEDED)
        .annotate(
            given_back=Sum(
                "payment__refunds__amount",
                filter=Q(payment__refunds__session=session, payment__refunds__state__in=Refund.LIVE),
            )
        )
        .exclude(payment__in=Refund.objects.filter(state=Refund.State.FAILED).values("payment"))
        .order_by("-payment_id")
    )
    return [Refundable(part.payment_id, part.amount - (part.given_back or ZERO)) for part in parts]


def promise_refunds(session: Session) -> list[Refund]:
    """Write the refunds that the session's books ask for; again adds none. The caller holds the client's lock."""
    amount = session_balance(session).to_refund
    if amount == ZERO:
        return []
    allocation = allocate(amount, refundable(session))
    return [
        Refund.objects.create(payment_id=part.payment, session=session, amount=part.amount) for part in allocation.parts
    ]


_STATES: Mapping[RefundState, str] = {
    RefundState.IN_TRANSIT: Refund.State.IN_TRANSIT,
    RefundState.SUCCEEDED: Refund.State.SUCCEEDED,
    RefundState.FAILED: Refund.State.FAILED,
}


@transaction.atomic
def record_outcome(*, refund: Refund, result: RefundResult) -> None:
    """Take in what Stripe says of a refund, however often; it is booked once, and taken back if the bank returns it."""
    # The client first, as everywhere: what is due or to be given back cannot be worked out while this moves money.
    Client.objects.select_for_update(no_key=True).get(payments__refunds=refund.pk)
    refund = Refund.objects.select_for_update().get(pk=refund.pk)
    if result.amount != refund.amount:
        raise ValueError(f"refund {refund.pk} is {refund.amount}, Stripe says {result.amount}")
    target = _STATES[result.state]
    if refund.state == target or not Refund.STATES.allows(refund.state, target):
        return
    was_booked = refund.state == Refund.State.SUCCEEDED
    Refund.objects.filter(pk=refund.pk).update(
        state=target,
        refund_id=result.refund or refund.refund_id,
        message=(result.failure_reason or "")[:300],
        processed_at=clock.now() if target == Refund.State.SUCCEEDED else refund.processed_at,
    )
    refund.refresh_from_db()
    if target == Refund.State.SUCCEEDED:
        _book(refund)
        _confirm(refund)
    elif was_booked:
        reverse(
            find(f"refund:{refund.pk}"),
            memo=f"Refund {refund.pk} was sent back by the bank",
            occurred_on=clock.today(),
        )


def _book(refund: Refund) -> None:
    client = refund.payment.client_id
    post(
        key=f"refund:{refund.pk}",
        memo=f"Refund {refund.pk} of payment {refund.payment_id}",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, refund.amount, client=client, session=refund.session_id),
            Posting(Book.STRIPE, -refund.amount, client=client),
        ],
    )


def _confirm(refund: Refund) -> None:
    client = refund.payment.client
    outbox.enqueue(
        messages.RefundProcessed(
            client_name=client.called,
            session_date=refund.session.date,
            amount=refund.amount,
            card=str(refund.payment.card) if refund.payment.card else _("your card"),
            statement_by=on_statement_by(clock.today()),
            url=f"{settings.PUBLIC_URL}/payments/",
        ),
        to=client.email,
        recipient=client.user,
        key=f"refund_processed:{refund.pk}",
    )


def sessions_to_refund() -> list[Session]:
    """Sessions whose books hold more of the client's money than they cost: a payment that came late, a lost worker."""
    overpaid = [session for session, owed in balances_by_session(Book.CLIENT_RECEIVABLE).items() if owed < ZERO]
    return list(Session.objects.filter(pk__in=overpaid).select_related("client"))


@transaction.atomic
def promise(session: Session) -> list[Refund]:
    """:func:`promise_refunds` under the client's lock."""
    Client.objects.select_for_update(no_key=True).get(pk=session.client_id)
    return promise_refunds(session)
