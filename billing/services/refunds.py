"""Money given back: decided by the books, executed payment by payment, followed to the end. ``docs/refunds.md``."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from billing.domain.refund_steps import Standing
from billing.domain.refunds import Refundable, allocate, another_way, left_for
from billing.gateways.results import RefundResult, RefundState
from billing.ledger.posting import Book, Posting, balances_by_session, find, lines_of, post, reverse
from billing.models import Dispute, Payment, PaymentPart, Refund
from billing.services import write_offs
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from common.errors import BadInput, DomainError
from common.money import ZERO
from notifications import messages, outbox
from people.models import Client

STATEMENT_DAYS = 5
"""Business days after processing by which a refund stands on the client's statement."""

LATE_AFTER = timedelta(days=20)
"""A refund that has not been delivered so long after its promise is support's to look at."""

HOLDS = (Dispute.State.NEEDS_RESPONSE, Dispute.State.UNDER_REVIEW, Dispute.State.LOST)
"""Disputes that keep a payment from being given back: the bank has the money, or gave it to the client. An inquiry
moves none."""

REFERENCE_LENGTH = 100

_CARD_GONE = (Refund.State.FAILED, Refund.State.EXTERNAL)


class NotOwed(DomainError):
    """The refund need not, or must not, be sent another way."""


def on_statement_by(processed_on: date) -> date:
    """The day by which a refund processed on a day is on the client's statement."""
    return clock.add_business_days(processed_on, STATEMENT_DAYS)


def standing(refund: Refund) -> Standing:
    """How a refund stands today, for its steps (``billing.domain.refund_steps``)."""
    processed = refund.processed_at
    by = None
    if processed is not None and refund.state == Refund.State.SUCCEEDED:
        by = on_statement_by(clock.business_date(processed))
    return Standing(refund.state, refund.created_at, processed, by, clock.today())


def reference_of(refund: Refund) -> str:
    """By what name a client asks support about a refund: ours, and the bank's number where we have it."""
    return " ".join(filter(None, (f"refund {refund.pk}", refund.bank_reference)))[:40]


# --- What is given back -----------------------------------------------------------------------------------------------


def refundable(session: Session) -> list[Refundable]:
    """The session's succeeded payments, newest first, with what is left on each for this session. Four queries.

    A payment for several sessions gives back for each no more than its part for it. One that did not take a refund (a
    closed account, say) or that is disputed is marked: ``billing.domain.refunds`` passes it over.
    """
    paid = list(
        PaymentPart.objects.filter(session=session, payment__state=Payment.State.SUCCEEDED).order_by("-payment_id")
    )
    payments = [part.payment_id for part in paid]
    given: dict[int, list[Decimal]] = {}
    live = Refund.objects.filter(payment__in=payments, session=session, state__in=Refund.LIVE)
    for payment, amount in live.values_list("payment", "amount"):
        given.setdefault(payment, []).append(amount)
    gone = set(Refund.objects.filter(payment__in=payments, state__in=_CARD_GONE).values_list("payment", flat=True))
    disputed = set(Dispute.objects.filter(payment__in=payments, state__in=HOLDS).values_list("payment", flat=True))
    return [
        Refundable(
            part.payment_id,
            left_for(part.amount, given.get(part.payment_id, ())),
            card_gone=part.payment_id in gone,
            disputed=part.payment_id in disputed,
        )
        for part in paid
    ]


def promise_refunds(session: Session) -> list[Refund]:
    """Write the refunds that the session's books ask for; again adds none. The caller holds the client's lock, and
    tells the client."""
    if session_balance(session).to_refund == ZERO:
        return []
    write_offs.trim(session)
    allocation = allocate(session_balance(session).to_refund, refundable(session))
    return [
        Refund.objects.create(payment_id=part.payment, session=session, amount=part.amount) for part in allocation.parts
    ]


def sessions_to_refund() -> list[Session]:
    """Sessions whose books hold more of the client's money than they cost: a payment that came late, a lost worker."""
    overpaid = [session for session, owed in balances_by_session(Book.CLIENT_RECEIVABLE).items() if owed < ZERO]
    return list(Session.objects.filter(pk__in=overpaid).select_related("client"))


@transaction.atomic
def promise(session: Session) -> list[Refund]:
    """:func:`promise_refunds` under the client's lock, and the e-mail that tells of it."""
    client = Client.objects.select_for_update(no_key=True).get(pk=session.client_id)
    promised = promise_refunds(session)
    if promised:
        outbox.enqueue(
            messages.RefundPromised(
                client_name=client.called,
                session_date=session.date,
                amount=sum((refund.amount for refund in promised), ZERO),
                url=_payments_page(),
            ),
            to=client.email,
            recipient=client.user,
            key=f"refund_promised:refund:{promised[0].pk}",
        )
    return promised


def _payments_page() -> str:
    return f"{settings.PUBLIC_URL}/payments/"


# --- What became of it ------------------------------------------------------------------------------------------------

_STATES: Mapping[RefundState, str] = {
    RefundState.IN_TRANSIT: Refund.State.IN_TRANSIT,
    RefundState.SUCCEEDED: Refund.State.SUCCEEDED,
    RefundState.FAILED: Refund.State.FAILED,
}


@transaction.atomic
def record_outcome(*, refund: Refund, result: RefundResult) -> None:
    """Take in what Stripe says of a refund, however often; it is booked once, and taken back if the bank returns it."""
    refund = _locked(refund)
    if result.amount != refund.amount:
        raise ValueError(f"refund {refund.pk} is {refund.amount}, Stripe says {result.amount}")
    if result.bank_reference and result.bank_reference != refund.bank_reference:
        # Known only some time after the money is on its way.
        Refund.objects.filter(pk=refund.pk).update(bank_reference=result.bank_reference[:60])
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
        return
    if was_booked:
        reverse(
            find(f"refund:{refund.pk}"),
            memo=f"Refund {refund.pk} was sent back by the bank",
            occurred_on=clock.today(),
        )
    if target == Refund.State.FAILED:
        _say_returned(refund)


@transaction.atomic
def record_refusal(*, refund: Refund, message: str) -> None:
    """Stripe turned the request away: nothing went back. The next sweep tries the session's other payments."""
    refund = _locked(refund)
    if refund.state in (Refund.State.SUBMITTED, Refund.State.UNKNOWN):
        Refund.objects.filter(pk=refund.pk).update(state=Refund.State.FAILED, message=message[:300])
        _say_returned(refund)


def _locked(refund: Refund) -> Refund:
    """The row as it is now, the client locked first: what is due or to be given back cannot be worked out while this
    moves money."""
    Client.objects.select_for_update(no_key=True).get(payments__refunds=refund.pk)
    return Refund.objects.select_for_update(of=("self",)).select_related("payment__client", "session").get(pk=refund.pk)


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


def _tell(refund: Refund, message: messages.Message, key: str) -> None:
    client = refund.payment.client
    outbox.enqueue(message, to=client.email, recipient=client.user, key=f"{key}:{refund.pk}")


def _confirm(refund: Refund) -> None:
    message = messages.RefundProcessed(
        client_name=refund.payment.client.called,
        session_date=refund.session.date,
        amount=refund.amount,
        card=str(refund.payment.card) if refund.payment.card else _("your card"),
        statement_by=on_statement_by(clock.today()),
        url=_payments_page(),
    )
    _tell(refund, message, "refund_processed")


def _say_returned(refund: Refund) -> None:
    message = messages.RefundReturned(
        client_name=refund.payment.client.called,
        session_date=refund.session.date,
        amount=refund.amount,
        url=_payments_page(),
    )
    _tell(refund, message, "refund_returned")


# --- What did not arrive ----------------------------------------------------------------------------------------------


def to_send_another_way() -> QuerySet[Refund]:
    """Refunds that no card took and that the books still owe: support sends a check or a transfer. One query."""
    booked = (
        lines_of(account=Book.CLIENT_RECEIVABLE.value, session=OuterRef("session"))
        .order_by()
        .values("session")
        .annotate(total=Sum("amount"))
    )
    promised = (
        Refund.objects.filter(session=OuterRef("session"), state__in=Refund.UNBOOKED)
        .order_by()
        .values("session")
        .annotate(total=Sum("amount"))
    )
    return (
        Refund.objects.filter(state=Refund.State.FAILED)
        .annotate(
            owed=-(
                Coalesce(Subquery(booked.values("total")), ZERO) + Coalesce(Subquery(promised.values("total")), ZERO)
            )
        )
        .filter(owed__gt=ZERO)
    )


def late() -> QuerySet[Refund]:
    """Refunds promised twenty days ago or earlier that have not been delivered in any way, for support. One query."""
    return Refund.objects.filter(
        Q(state__in=Refund.UNBOOKED) | Q(pk__in=to_send_another_way().values("pk")),
        created_at__lte=clock.now() - LATE_AFTER,
    )


@transaction.atomic
def give_another_way(refund: Refund, *, reference: str) -> Refund:
    """Record that a failed refund went out as a check or transfer numbered ``reference``; booked against the bank.

    What the session's books still owe is given, which may be less than the refund was; then it is a refund of its own.
    Returns the refund that was given. Raises :class:`NotOwed` when nothing is owed any more or the payment is disputed,
    ``BadInput`` for a number that is missing or too long.
    """
    reference = reference.strip()
    if not 0 < len(reference) <= REFERENCE_LENGTH:
        raise BadInput(_("Please enter the number of the check or transfer, at most 100 characters."), "reference")
    refund = _locked(refund)
    if refund.state != Refund.State.FAILED:
        raise NotOwed(_("Only a refund that failed is sent another way."))
    if Dispute.objects.filter(payment=refund.payment_id, state__in=HOLDS).exists():
        raise NotOwed(_("This payment is disputed: the bank decides who gets the money."))
    amount = another_way(refund.amount, session_balance(refund.session).to_refund)
    if amount == ZERO:
        raise NotOwed(_("Nothing is owed back for this session any more: another refund took care of it."))
    given = {"state": Refund.State.EXTERNAL, "external_reference": reference, "processed_at": clock.now()}
    if amount == refund.amount:
        Refund.objects.filter(pk=refund.pk).update(**given)
        refund.refresh_from_db()
    else:
        refund = Refund.objects.create(payment=refund.payment, session=refund.session, amount=amount, **given)
    client = refund.payment.client_id
    post(
        key=f"refund_external:{refund.pk}",
        memo=f"Refund {refund.pk} of payment {refund.payment_id}, {reference}"[:200],
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, refund.amount, client=client, session=refund.session_id),
            Posting(Book.BANK, -refund.amount, client=client),
        ],
    )
    message = messages.RefundSentAnotherWay(
        client_name=refund.payment.client.called,
        session_date=refund.session.date,
        amount=refund.amount,
        reference=reference,
        url=_payments_page(),
    )
    _tell(refund, message, "refund_external")
    return refund
