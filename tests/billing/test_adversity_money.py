"""Cards, refunds and final costs in each other's way: nothing is charged or given back twice, nothing hangs."""

import threading
import time
from decimal import Decimal

import pytest
from django.db import connections, transaction

from billing import tasks
from billing.flows import collect_payment, exchange_claims, give_refund
from billing.flows.collect_payment import StripeUnavailable, start_pay_now
from billing.gateways.results import (
    ChargeResult,
    ChargeState,
    GatewayRefused,
    OutcomeUnknown,
    RefundResult,
    RefundState,
)
from billing.ledger.posting import Book, Posting, balance, post
from billing.models import Payment, PaymentCard, PaymentPart, Refund
from billing.services import books, payments, refunds
from billing.services.balances import client_balances, session_balance, total_due
from care.models import Session
from common import clock
from headway.demo.cast import save_card
from notifications.models import Email
from people.models import Client
from tests import cast as people
from tests.cast import Cast, assemble
from tests.stand_ins import StripeStandIn

D = Decimal


def owes(session: Session, amount: str, *, why: str = "test") -> None:
    """Put a balance on a session, as a final cost would."""
    post(
        key=f"cost:{why}:{session.pk}",
        memo=why,
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, D(amount), client=session.client_id, session=session.pk),
            Posting(Book.SESSION_REVENUE, -D(amount)),
        ],
    )


def attempt(session: Session, card: PaymentCard, amount: str, state: str = "submitted") -> Payment:
    payment = payments.create_confirmation_charge(session=session, amount=D(amount), card=card)
    Payment.objects.filter(pk=payment.pk).update(state=state)
    payment.refresh_from_db()
    return payment


def says(payment: Payment, state: ChargeState) -> ChargeResult:
    return ChargeResult(state=state, payment_intent=f"pi_{payment.pk}", amount=payment.amount)


def returned(refund: Refund, state: RefundState) -> RefundResult:
    return RefundResult(state=state, refund=f"re_{refund.pk}", amount=refund.amount, payment_intent=None)


def long_ago() -> None:
    Payment.objects.update(created_at=clock.now() - payments.UNKNOWN_AFTER * 2)


@pytest.fixture
def card(cast: Cast) -> PaymentCard:
    return people.card(cast.ana)


# What is asked of the client


def test_a_charge_that_fails_after_the_final_cost_asks_for_what_is_due_now(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    owes(session, "72.00")
    payment = attempt(session, card, "72.00")
    owes(session, "-40.00", why="final")
    payments.record_outcome(payment=payment, result=says(payment, ChargeState.DECLINED))
    mail = Email.objects.get(kind="payment_needs_you")
    assert "$32.00" in mail.text
    assert "$72.00" not in mail.text


def test_a_charge_that_fails_when_nothing_is_due_any_more_asks_nothing(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    owes(session, "72.00")
    payment = attempt(session, card, "72.00")
    owes(session, "-72.00", why="final")
    payments.record_outcome(payment=payment, result=says(payment, ChargeState.DECLINED))
    assert not Email.objects.exists()


def test_a_charge_that_succeeds_after_a_lower_final_cost_is_given_back(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    owes(session, "72.00")
    payment = attempt(session, card, "72.00")
    owes(session, "-40.00", why="final")
    assert refunds.promise(session) == [], "money on its way cannot be given back"
    payments.record_outcome(payment=payment, result=says(payment, ChargeState.SUCCEEDED))
    assert [s.pk for s in refunds.sessions_to_refund()] == [session.pk]
    assert [refund.amount for refund in refunds.promise(session)] == [D("40.00")]
    assert refunds.promise(session) == []


def test_a_refused_charge_tells_the_client(cast: Cast, card: PaymentCard, monkeypatch: pytest.MonkeyPatch) -> None:
    session = cast.book()
    owes(session, "72.00")
    payment = attempt(session, card, "72.00", state="created")

    class Refusing:
        def charge_off_session(self, **_: object) -> None:
            raise GatewayRefused("No such payment method")

    monkeypatch.setattr(collect_payment, "gateway", Refusing)
    collect_payment.charge(payment.pk)
    payment.refresh_from_db()
    assert (payment.state, payment.message) == ("failed", "No such payment method")
    assert Email.objects.get().kind == "payment_needs_you"


# Refunds


def paid(session: Session, card: PaymentCard, amount: str) -> Payment:
    payment = attempt(session, card, amount)
    payments.record_outcome(payment=payment, result=says(payment, ChargeState.SUCCEEDED))
    return payment


def sent(refund: Refund) -> Refund:
    Refund.objects.filter(pk=refund.pk).update(state="submitted")
    refund.refresh_from_db()
    return refund


def test_a_refund_the_bank_sends_back_is_not_tried_again_for_ever(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    owes(session, "32.00")
    paid(session, card, "72.00")
    (refund,) = refunds.promise(session)
    refunds.record_outcome(refund=sent(refund), result=returned(refund, RefundState.SUCCEEDED))
    refunds.record_outcome(refund=refund, result=returned(refund, RefundState.FAILED))
    assert session_balance(session).booked == D("-40.00"), "the client's money is with us again"
    assert refunds.promise(session) == []
    assert Refund.objects.count() == 1


def test_another_payment_of_the_session_takes_over_a_failed_refund(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    owes(session, "32.00")
    older, newer = paid(session, card, "50.00"), paid(session, card, "50.00")
    first = refunds.promise(session)
    assert [(r.payment, r.amount) for r in first] == [(newer, D("50.00")), (older, D("18.00"))]
    refunds.record_outcome(refund=sent(first[0]), result=returned(first[0], RefundState.FAILED))
    assert [(r.payment, r.amount) for r in refunds.promise(session)] == [(older, D("32.00"))]


def test_a_refusal_read_late_does_not_undo_a_refund_that_was_given(
    cast: Cast, card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = cast.book()
    owes(session, "32.00")
    paid(session, card, "72.00")
    (refund,) = refunds.promise(session)

    class Late:
        """Another worker records the success while this one waits for an answer that turns out to be a refusal."""

        def refund(self, **_: object) -> None:
            refunds.record_outcome(refund=refund, result=returned(refund, RefundState.SUCCEEDED))
            raise GatewayRefused("already refunded", "charge_already_refunded")

    monkeypatch.setattr(give_refund, "gateway", Late)
    give_refund.give(refund.pk)
    refund.refresh_from_db()
    assert refund.state == "succeeded"
    assert session_balance(session).booked == D("0.00")


def test_an_answer_lost_after_another_worker_learnt_it_changes_nothing(
    cast: Cast, card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = cast.book()
    owes(session, "72.00")
    payment = attempt(session, card, "72.00", state="created")

    class Late:
        def charge_off_session(self, **_: object) -> None:
            payments.record_outcome(payment=payment, result=says(payment, ChargeState.SUCCEEDED))
            raise OutcomeUnknown("no answer")

    monkeypatch.setattr(collect_payment, "gateway", Late)
    collect_payment.charge(payment.pk)
    payment.refresh_from_db()
    assert payment.state == "succeeded"


# Nothing hangs for ever


def test_a_pay_now_that_died_before_stripe_was_asked_gives_the_balance_back(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    owes(session, "68.00")
    for chosen in (None, card):
        payment = payments.begin_pay_now(client=cast.ana, card=chosen)
        collect_payment.charge(payment.pk)
        payment.refresh_from_db()
        assert payment.state == "created", "its request may be just about to be sent"
        long_ago()
        collect_payment.charge(payment.pk)
        payment.refresh_from_db()
        assert payment.state == "failed"
        assert total_due(client_balances(cast.ana)) == D("68.00")


@pytest.mark.parametrize("where", ["POST /v1/payment_intents", "POST /v1/customers"])
def test_a_pay_now_while_stripe_is_busy_is_over_when_the_client_is_told_so(
    cast: Cast, stripe_server: StripeStandIn, where: str
) -> None:
    owes(cast.book(), "68.00")
    stripe_server.fault(where, "429")
    with pytest.raises(StripeUnavailable, match="Nothing was charged"):
        start_pay_now(client=cast.ana)
    assert Payment.objects.get().state == "failed"
    assert total_due(client_balances(cast.ana)) == D("68.00")
    assert start_pay_now(client=cast.ana).client_secret


def test_a_payment_made_in_the_browser_whose_news_was_lost_is_found_by_the_sweep(
    cast: Cast, stripe_server: StripeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_claims, "send_ready_claims", int)
    monkeypatch.setattr(exchange_claims, "take_in", int)
    session = cast.book()
    owes(session, "68.00")
    paid_unnoticed = start_pay_now(client=cast.ana).payment
    stripe_server.call(
        "POST", f"payment_intents/{paid_unnoticed.payment_intent_id}/confirm", payment_method="pm_card_visa"
    ).raise_for_status()
    Payment.objects.update(created_at=clock.now() - payments.ABANDONED_AFTER * 2)
    tasks.sweep()
    paid_unnoticed.refresh_from_db()
    assert paid_unnoticed.state == "succeeded"
    assert session_balance(session).due == D("0.00")


def test_a_payment_nobody_finishes_is_closed(
    cast: Cast, stripe_server: StripeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_claims, "send_ready_claims", int)
    monkeypatch.setattr(exchange_claims, "take_in", int)
    owes(cast.book(), "68.00")
    left = start_pay_now(client=cast.ana).payment
    Payment.objects.update(created_at=clock.now() - payments.ABANDONED_AFTER * 2)
    tasks.sweep()
    left.refresh_from_db()
    assert left.state == "failed"
    assert total_due(client_balances(cast.ana)) == D("68.00")


def test_a_declined_saved_card_leaves_no_second_way_to_pay(cast: Cast, stripe_server: StripeStandIn) -> None:
    owes(cast.book(), "68.00")
    save_card(cast.ana, "pm_card_chargeCustomerFail")
    begun = start_pay_now(client=cast.ana, card=cast.ana.cards.get())
    assert (begun.payment.state, begun.client_secret) == ("failed", None)


# Two workers


@pytest.mark.django_db(transaction=True)
def test_what_is_due_is_never_worked_out_between_a_success_and_its_entry() -> None:
    """A payment's outcome waits for whoever is settling the client, as everything that moves their money does."""
    cast = assemble()
    session = cast.book()
    owes(session, "72.00")
    payment = attempt(session, people.card(cast.ana), "72.00")

    def record() -> None:
        try:
            payments.record_outcome(payment=payment, result=says(payment, ChargeState.SUCCEEDED))
        finally:
            connections.close_all()

    worker = threading.Thread(target=record)
    with transaction.atomic():
        Client.objects.select_for_update(no_key=True).get(pk=cast.ana.pk)
        worker.start()
        time.sleep(0.3)
        assert Payment.objects.get(pk=payment.pk).state == "submitted"
        assert session_balance(session).due == D("0.00")
    worker.join()
    assert session_balance(session).booked == D("0.00")
    assert balance(Book.STRIPE) == D("72.00")
    assert PaymentPart.objects.count() == 1
    assert {o.check.name for o in books.run() if o.violations} <= {"confirmed_sessions_are_complete"}
