"""Webhooks: believed only with their signature, kept once, worked through by asking again, in any order."""

import itertools
import json
import time
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from billing import tasks
from billing.flows import exchange_claims, give_refund, stripe_account
from billing.gateways.results import (
    DisputeResult,
    DisputeState,
    Movement,
    OutcomeUnknown,
    PayoutResult,
    PayoutState,
    WarningResult,
)
from billing.gateways.stripe_gateway import gateway
from billing.ledger.posting import Book, balance
from billing.models import Dispute, FraudWarning, Payment, Refund, StripeEvent, StripePayout
from common import clock
from sandbox.stripe.events import signature
from tests import cast as people
from tests.billing.stripe_drive import costs
from tests.cast import Cast
from tests.stand_ins import WEBHOOK_SECRET

D = Decimal


@pytest.fixture(autouse=True)
def _secret(settings: Settings) -> Any:
    settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
    gateway.cache_clear()
    yield
    gateway.cache_clear()


def told(kind: str, about: str, noun: str, *, event: str = "evt_1", **lies: Any) -> bytes:
    body = {"id": event, "object": "event", "type": kind, "created": int(time.time())}
    return json.dumps({**body, "data": {"object": {"id": about, "object": noun, **lies}}}).encode()


def deliver(body: bytes, *, secret: str = WEBHOOK_SECRET, at: int | None = None) -> int:
    header = signature(body, secret, at or int(time.time()))
    return (
        Browser()
        .post("/webhooks/stripe/", body, content_type="application/json", HTTP_STRIPE_SIGNATURE=header)
        .status_code
    )


def work_through() -> None:
    for pk in StripeEvent.objects.filter(processed_at=None).order_by("pk").values_list("pk", flat=True):
        tasks.process_stripe_event(pk)


class Account:
    """Stripe's account as it stands now, whatever the news said."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.state = DisputeState.NEEDS_RESPONSE
        self.payout_state = PayoutState.IN_TRANSIT

    def dispute(self, ident: str) -> DisputeResult:
        self.asked.append(ident)
        now = clock.now()
        moved = [("txn_1", "-72.00")] + ([("txn_2", "72.00")] if self.state is DisputeState.WON else [])
        movements = tuple(
            Movement(name, "adjustment", D(amount), D("0.00"), D(amount), BEGAN, clock.today(), ident)
            for name, amount in moved
        )
        return DisputeResult(self.state, ident, D("72.00"), "fraudulent", "pi_1", now, now, movements)

    def warning(self, ident: str) -> WarningResult:
        self.asked.append(ident)
        return WarningResult(ident, "made_with_stolen_card", True, "pi_1", "ch_1", clock.now())

    def payout(self, ident: str) -> PayoutResult:
        self.asked.append(ident)
        return PayoutResult(self.payout_state, ident, D("69.61"), BEGAN.date(), BEGAN)


BEGAN = clock.now()


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    found = Account()
    monkeypatch.setattr(stripe_account, "account", lambda: found)
    return found


@pytest.fixture
def payment(cast: Cast) -> Payment:
    session = cast.book()
    made = Payment.objects.create(
        client=cast.ana, card=people.card(cast.ana), purpose="confirmation", amount=D("72.00"), state="succeeded",
        payment_intent_id="pi_1", settled_at=clock.now(),
    )  # fmt: skip
    made.parts.create(session=session, amount=D("72.00"))
    costs(session, "72.00")
    return made


# --- At the door ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["payment_intent.succeeded", "charge.dispute.created", "payout.paid"])
def test_only_what_carries_the_signature_is_kept(db: None, kind: str) -> None:
    body = told(kind, "pi_1", "payment_intent")
    assert deliver(body, secret="whsec_other") == 400
    assert deliver(body, at=int(time.time()) - 301) == 400
    assert deliver(b"{}") == 400
    assert not StripeEvent.objects.exists()
    assert deliver(body) == 200
    assert StripeEvent.objects.get().kind == kind


def test_an_event_is_kept_once_and_before_it_is_worked_on(
    db: None, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OutcomeUnknown("Stripe is silent")

    body = told("charge.dispute.created", "dp_1", "dispute")
    assert [deliver(body) for _ in range(3)] == [200, 200, 200]
    row = StripeEvent.objects.get()
    with monkeypatch.context() as broken, pytest.raises(OutcomeUnknown):
        broken.setattr(account, "dispute", fails)
        tasks.process_stripe_event(row.pk)
    row.refresh_from_db()
    assert row.processed_at is None, "kept, and tried again by the sweep"


def test_what_could_not_be_worked_on_is_the_sweep_s(
    payment: Payment, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_claims, "send_ready_claims", int)
    monkeypatch.setattr(exchange_claims, "take_in", int)
    deliver(told("charge.dispute.created", "dp_1", "dispute"))
    tasks.sweep()
    assert Dispute.objects.get().payment == payment
    assert StripeEvent.objects.get().processed_at is not None


# --- What it says is not believed -------------------------------------------------------------------------------------


def test_the_message_is_not_believed(payment: Payment, account: Account) -> None:
    deliver(told("charge.dispute.closed", "dp_1", "dispute", status="won", amount=1, payment_intent="pi_other"))
    work_through()
    row = Dispute.objects.get()
    assert (row.state, row.amount, account.asked) == ("needs_response", D("72.00"), ["dp_1"])


@pytest.mark.parametrize(
    "order",
    list(itertools.permutations(["charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"])),
)
def test_news_of_a_dispute_in_any_order_twice_and_late_is_the_same(
    payment: Payment, account: Account, order: tuple[str, ...]
) -> None:
    account.state = DisputeState.LOST
    for number, kind in enumerate(order * 2):
        deliver(told(kind, "dp_1", "dispute", event=f"evt_{number % 4}"))
        work_through()
    assert Dispute.objects.get().state == "lost"
    assert [balance(book) for book in (Book.STRIPE, Book.DISPUTED, Book.CLIENT_RECEIVABLE)] == [
        D("-72.00"), D("0.00"), D("144.00"),
    ]  # fmt: skip


def test_a_fraud_warning_is_kept_once(payment: Payment, account: Account) -> None:
    for number, kind in enumerate(["created", "updated", "created"]):
        deliver(
            told(f"radar.early_fraud_warning.{kind}", "issfr_1", "radar.early_fraud_warning", event=f"evt_{number}")
        )
        work_through()
    assert FraudWarning.objects.get().payment == payment


def test_news_of_a_payout_in_any_order(db: None, account: Account) -> None:
    account.payout_state = PayoutState.PAID
    for number, kind in enumerate(["paid", "created", "updated", "paid"]):
        deliver(told(f"payout.{kind}", "po_1", "payout", event=f"evt_{number}"))
        work_through()
    assert StripePayout.objects.get().state == "paid"
    assert [balance(book) for book in (Book.STRIPE, Book.BANK)] == [D("-69.61"), D("69.61")]


@pytest.mark.parametrize("kind", ["refund.updated", "refund.failed", "charge.refund.updated"])
def test_news_of_a_refund_is_asked_about(payment: Payment, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    asked: list[int] = []
    monkeypatch.setattr(give_refund, "refresh", lambda refund: asked.append(refund.pk))
    refund = Refund.objects.create(
        payment=payment, session=payment.parts.get().session, amount=D("40.00"), state="in_transit", refund_id="re_1"
    )
    deliver(told(kind, "re_1", "refund"))
    work_through()
    assert asked == [refund.pk]


def test_news_of_what_is_not_ours_is_worked_through_without_a_trace(db: None, account: Account) -> None:
    for number, (kind, ident) in enumerate(
        [("customer.created", "cus_1"), ("payout.reconciliation_completed", "po_1")]
    ):
        deliver(told(kind, ident, "any", event=f"evt_{number}"))
        work_through()
    assert not StripeEvent.objects.filter(processed_at=None).exists()
    assert not Payment.objects.exists()
