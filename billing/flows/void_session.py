"""Support voids a confirmed session: it did not take place, or not as it was confirmed.

Everything that confirming did is taken back by new facts, in one transaction: what it earned, what it cost, its claims.
The client's money goes back; insurers' money goes back with their reversals. To put details right, the session is
voided, booked anew and confirmed.
"""

from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from billing.flows import correct_benefits
from billing.ledger.posting import Book, Posting, balances_by_payer, post
from billing.models import EarningAdjustment, Payment, PaymentPart, SessionCost
from billing.services import costs, earnings, insurer_money, plan_ends, refunds, write_offs
from billing.services.balances import booked_cost
from care.models import Session
from care.services import sessions
from common import clock
from common.errors import BadInput, DomainError
from common.hurry import hurry
from common.money import ZERO, plain
from insurance.services import rework
from notifications import messages, outbox
from people.models import Client, User


class NotConfirmed(DomainError):
    """Only what was confirmed can be voided."""


@transaction.atomic
def void(session: Session, *, reason: str, by: User) -> Session:
    """Void a confirmed session. ``reason`` is kept with the claims and read by the provider.

    Raises :class:`NotConfirmed`, also the second time, and ``BadInput`` without a reason; then nothing happened.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise BadInput(_("Please say why. The provider reads it."), "reason")
    client = Client.objects.select_for_update(no_key=True).get(pk=session.client_id)
    session = (
        Session.objects.select_for_update(no_key=True, of=("self",))
        .select_related("client__user", "provider__user")
        .get(pk=session.pk)
    )
    if session.status != Session.Status.CONFIRMED:
        raise NotConfirmed(_("Only a confirmed session can be voided."))
    rework.take_back(session, reason=reason, by=by)
    session = sessions.void_session(session=session)
    lost = earnings.take_back(session, reason=EarningAdjustment.Reason.VOIDED, note=reason, by=by)
    _take_back_cost(session)
    _stop_charges(session)
    promised = refunds.promise_refunds(session)
    # A plan for this session alone has nothing more to take, and nobody waits for its next day to see that.
    plan_ends.finish_of(client)
    for refund in promised:
        hurry("billing.tasks.give", refund.pk)
    hurry("billing.tasks.exchange_with_insurers")
    _tell(session, refund=sum((each.amount for each in promised), ZERO), earning=-lost.amount if lost else ZERO)
    correct_benefits.reprice(client)
    return session


def _take_back_cost(session: Session) -> None:
    """The session costs the client nothing, and the books expect nothing of anybody for it.

    What insurers have paid stays in the books as owed back to them, until their reversals come.
    """
    before = costs.current_cost(session)
    assert before is not None, "a confirmed session was priced"
    sentence = _("This session was confirmed by mistake and taken back. It costs you nothing.")
    cost = SessionCost.objects.create(
        session=session,
        coverage=before.coverage,
        amount=ZERO,
        allowed=ZERO,
        basis=SessionCost.Basis.FINAL,
        reason=SessionCost.Reason.SESSION_CHANGED,
        breakdown={
            "allowed": plain(ZERO),
            **dict.fromkeys(("plan", "deductible", "copay", "coinsurance", "not_covered"), plain(ZERO)),
            "why": [sentence],
            "verified": True,
            "payer": before.breakdown.get("payer", ""),
            "sentence": sentence,
            "for_provider": _("This session was voided. It costs your client nothing."),
        },
    )
    client = session.client_id
    revenue = balances_by_payer(Book.SESSION_REVENUE, session=session)
    variance = balances_by_payer(Book.INSURER_VARIANCE, session=session)
    came = balances_by_payer(Book.INSURER_RECEIVABLE, session=session, entry__key__regex=insurer_money.CASH)
    rests = insurer_money.expected(session)
    post(
        key=f"cost:{cost.pk}",
        memo=f"Session {session.pk} voided",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, -booked_cost(session), client=client, session=session.pk),
            *(
                Posting(book, -amount, client=client, session=session.pk, payer=payer)
                for book, amounts in ((Book.SESSION_REVENUE, revenue), (Book.INSURER_VARIANCE, variance))
                for payer, amount in amounts.items()
            ),
            *(
                Posting(
                    Book.INSURER_RECEIVABLE,
                    came.get(payer, ZERO) - rests.get(payer, ZERO),
                    client=client,
                    session=session.pk,
                    payer=payer,
                )
                for payer in {**rests, **came}
            ),
        ],
    )
    # What the client was spared is not hers to get back.
    write_offs.trim(session)


def _stop_charges(session: Session) -> None:
    """A charge for this session alone that no worker has taken up yet is not made; what is on its way comes back."""
    others = PaymentPart.objects.exclude(session=session).values("payment")
    pks = list(Payment.objects.filter(parts__session=session).exclude(pk__in=others).values_list("pk", flat=True))
    # One UPDATE on the state decides between us and the worker that is about to send it.
    Payment.objects.filter(pk__in=pks, state=Payment.State.CREATED).update(
        state=Payment.State.FAILED, message=_("The session was voided."), settled_at=clock.now()
    )
    Payment.objects.filter(pk__in=pks, state=Payment.State.FAILED, retry_on__isnull=False).update(retry_on=None)


def _tell(session: Session, *, refund: Decimal, earning: Decimal) -> None:
    client, provider = session.client, session.provider
    moving = Payment.objects.filter(parts__session=session, state__in=Payment.IN_MOTION).exists()
    outbox.enqueue(
        messages.SessionVoided(
            client_name=client.called,
            session_date=session.date,
            refund=refund,
            moving=moving,
            url=f"{settings.PUBLIC_URL}/payments/",
        ),
        to=client.email,
        recipient=client.user,
        key=f"session_voided:{session.pk}:client",
    )
    outbox.enqueue(
        messages.SessionVoidedProvider(
            provider_name=str(provider),
            client_initials=client.initials,
            session_date=session.date,
            earning=earning,
            url=f"{settings.PUBLIC_URL}/provider/earnings/",
        ),
        to=provider.email,
        recipient=provider.user,
        key=f"session_voided:{session.pk}:provider",
    )
