"""A provider confirms a session: it is priced, charged, earned and claimed, in one transaction.

The charge itself and the claims travel after the commit; a crash in between leaves rows the sweep picks up.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from billing.gateways.results import SMALLEST_CHARGE
from billing.ledger.posting import Book, Posting, post
from billing.models import Payment, ProviderEarning, SessionCost
from billing.services import cards, costs, payments, prices
from care.models import Session
from care.services import sessions
from common.hurry import hurry
from insurance.models import Coverage
from insurance.services.claims import plan_claims
from insurance.services.plan_order import plans_in_order
from notifications import messages, outbox
from people.models import Client


@dataclass(frozen=True, slots=True)
class Preview:
    """What confirming would do, in dollars: charge the client so much, earn the provider so much."""

    charge: Decimal
    earning: Decimal
    payer: str
    card: str | None
    why: tuple[str, ...]


def preview(session: Session) -> Preview:
    """What confirming this session would charge and earn. Raises ``NoPrice``."""
    priced = prices.price(session)
    card = cards.default_card(session.client)
    return Preview(
        charge=priced.amount,
        earning=priced.allowed,
        payer=priced.coverage.payer.name,
        card=str(card) if card else None,
        why=tuple(priced.breakdown["why"]),
    )


@transaction.atomic
def confirm(session: Session) -> Session:
    """Confirm a session. Confirming twice changes nothing.

    The client is charged the primary plan's estimate, which knows nothing of a second plan; the provider earns the
    primary plan's contracted rate. Raises ``ClientPaused``, ``SessionRefused`` or ``NoPrice``; then nothing happened.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=session.client_id)
    session = Session.objects.select_for_update(no_key=True).select_related("client", "provider").get(pk=session.pk)
    if session.status == Session.Status.CONFIRMED:
        return session
    # That it took place changes no price: it counts to its plan year as it did when it was booked.
    upcoming = prices.price_upcoming(client)
    priced = prices.of(session, upcoming)
    costs.keep(upcoming)
    cost = costs.current_cost(session)
    assert cost is not None, "it was priced a moment ago"
    session = sessions.confirm_session(session=session)
    _book(session, cost, priced.coverage)
    plan_claims(session=session, coverages=plans_in_order(client, on=session.date))
    payment = _collect(session, cost)
    if payment is not None:
        hurry("billing.tasks.charge", payment.pk)
    hurry("billing.tasks.exchange_with_insurers")
    return session


def _book(session: Session, cost: SessionCost, coverage: Coverage) -> None:
    ProviderEarning.objects.create(session=session, provider=session.provider, coverage=coverage, amount=cost.allowed)
    client, payer = session.client_id, coverage.payer_id
    post(
        key=f"cost:{cost.pk}",
        memo=f"Session {session.pk} confirmed",
        occurred_on=session.date,
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, cost.amount, client=client, session=session.pk),
            Posting(
                Book.INSURER_RECEIVABLE, cost.allowed - cost.amount, client=client, session=session.pk, payer=payer
            ),
            Posting(Book.SESSION_REVENUE, -cost.allowed, client=client, session=session.pk, payer=payer),
        ],
    )
    post(
        key=f"earning:{session.pk}",
        memo=f"Session {session.pk}: {session.provider}'s earning",
        occurred_on=session.date,
        lines=[
            Posting(Book.PROVIDER_COST, cost.allowed, session=session.pk, provider=session.provider_id),
            Posting(Book.PROVIDER_PAYABLE, -cost.allowed, session=session.pk, provider=session.provider_id),
        ],
    )


def _collect(session: Session, cost: SessionCost) -> Payment | None:
    """Charge the card on file, or tell the client how to pay when there is none. What is too little for a card waits
    until there is more to pay."""
    if cost.amount < SMALLEST_CHARGE:
        return None
    card = cards.default_card(session.client)
    if card is not None:
        return payments.create_confirmation_charge(session=session, amount=cost.amount, card=card)
    client = session.client
    outbox.enqueue(
        messages.PaymentNeedsYou(
            client_name=client.called,
            session_date=session.date,
            amount=cost.amount,
            url=f"{settings.PUBLIC_URL}/appointments/past/",
        ),
        to=client.email,
        recipient=client.user,
        key=f"no_card:{session.pk}",
    )
    return None
