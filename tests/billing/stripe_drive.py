"""Our own stand-in for Stripe in a test, whose account is all this test's, and what is done with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_django.fixtures import Settings

from billing.flows import collect_payment, give_refund, stripe_news
from billing.gateways.stripe_gateway import gateway
from billing.ledger.posting import Book, Posting, post
from billing.models import Payment, PaymentCard, Refund
from billing.services import payments
from care.models import Session
from common import clock
from tests.stand_ins import STRIPE_SECRET, WEBHOOK_SECRET, StripeStandIn, stripe_stand_in

D = Decimal


@contextmanager
def own_stripe(folder: Path, settings: Settings) -> Iterator[StripeStandIn]:
    """A fresh stand-in, our gateway pointed at it."""
    with stripe_stand_in(folder) as running:
        settings.STRIPE_API_BASE = running.base
        settings.STRIPE_SECRET_KEY = STRIPE_SECRET
        settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
        gateway.cache_clear()
        yield running
        gateway.cache_clear()


def costs(session: Session, amount: str, *, why: str = "test") -> None:
    """Put a cost on a session, or with a negative sum take some of it away."""
    post(
        key=f"cost:{why}:{session.pk}",
        memo=why,
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, D(amount), client=session.client_id, session=session.pk),
            Posting(Book.SESSION_REVENUE, -D(amount)),
        ],
    )


def charged(session: Session, card: PaymentCard, amount: str) -> Payment:
    """The session's cost, charged at Stripe."""
    costs(session, amount)
    payment = payments.create_confirmation_charge(session=session, amount=D(amount), card=card)
    collect_payment.charge(payment.pk)
    payment.refresh_from_db()
    assert payment.state == "succeeded", payment.message
    return payment


def refunded(payment: Payment, amount: str) -> Refund:
    """So much given back at Stripe, as a lower final cost would have it."""
    session = payment.parts.get().session
    costs(session, f"-{amount}", why=f"less {payment.refunds.count()}")
    refund = Refund.objects.create(payment=payment, session=session, amount=D(amount))
    give_refund.give(refund.pk)
    refund.refresh_from_db()
    return refund


def hear(server: StripeStandIn, kind: str, about: str = "", count: int = 1) -> None:
    """Wait for an event, and work through it as the webhook and the worker do."""
    server.hooks.wait_for(kind, about, count)
    found = [
        (body, header)
        for (body, header), event in zip(list(server.hooks.got), server.hooks.events(), strict=False)
        if event["type"] == kind and about in event["data"]["object"]["id"]
    ]
    row, _is_new = stripe_news.store(gateway().parse_webhook(*found[count - 1]))
    stripe_news.process(row.pk)


def opened(server: StripeStandIn, payment: Payment, **more: Any) -> str:
    """A dispute of a payment, heard of; its id."""
    answer = server.order("POST", "disputes", {"payment_intent": payment.payment_intent_id, **more})
    dispute = str(answer.json()["id"])
    hear(server, "charge.dispute.created", dispute)
    return dispute


def decided(server: StripeStandIn, dispute: str, outcome: str, *, count: int = 1) -> None:
    """The bank's decision, heard of."""
    server.order("PUT", "disputes", {"dispute": dispute, "outcome": outcome}).raise_for_status()
    hear(server, "charge.dispute.closed", dispute, count)
