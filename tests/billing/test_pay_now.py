"""Paying a balance: whatever the client clicks, closes or repeats, and whatever Stripe does, it is paid once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connections

from billing import tasks
from billing.flows import collect_payment, give_refund
from billing.flows.collect_payment import PayNow, start_pay_now
from billing.ledger.posting import Book, Posting, balance, post
from billing.models import Payment, PaymentCard, Refund
from billing.services import payments
from billing.services.balances import client_balances, session_balance, total_due
from billing.services.payments import AmountChanged, NothingToPay
from care.models import Session
from common import clock
from common.money import ZERO
from headway.demo.cast import save_card
from tests.cast import Cast, assemble
from tests.stand_ins import StripeStandIn

D = Decimal

pytestmark = pytest.mark.usefixtures("stripe_server")


def owes(session: Session, amount: str) -> None:
    """Put a balance on a session, as a final cost would."""
    post(
        key=f"cost:test:{session.pk}",
        memo="test",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, D(amount), client=session.client_id, session=session.pk),
            Posting(Book.SESSION_REVENUE, -D(amount)),
        ],
    )


def at_stripe(server: StripeStandIn, card: PaymentCard) -> list[dict[str, object]]:
    """What Stripe itself holds of the client's payments."""
    customer = card.client.stripe_customer.customer_id
    found: list[dict[str, object]] = server.call("GET", "payment_intents", customer=customer).json()["data"]
    return found


@pytest.fixture
def card(cast: Cast, stripe_server: StripeStandIn) -> PaymentCard:
    save_card(cast.ana)
    return cast.ana.cards.get()


def test_a_saved_card_pays_at_once(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    owes(session, "68.00")
    begun = start_pay_now(client=cast.ana, card=card, shown=D("68.00"))
    assert begun.client_secret is None
    assert begun.payment.state == "succeeded"
    assert session_balance(session).due == D("0.00")
    assert balance(Book.STRIPE) == D("68.00")


def test_one_payment_covers_several_sessions(cast: Cast, card: PaymentCard) -> None:
    for days, amount in ((0, "68.00"), (-7, "32.00"), (-14, "5.00")):
        owes(cast.book(days=days), amount)
    chosen = [pk for pk, each in client_balances(cast.ana).items() if each.due > D("10.00")]
    begun = start_pay_now(client=cast.ana, session_ids=chosen, card=card, shown=D("100.00"))
    assert begun.payment.amount == D("100.00")
    assert total_due(client_balances(cast.ana)) == D("5.00")


def test_nothing_due_is_told_and_nothing_is_charged(
    cast: Cast, card: PaymentCard, stripe_server: StripeStandIn
) -> None:
    with pytest.raises(NothingToPay):
        start_pay_now(client=cast.ana, card=card)
    assert not Payment.objects.exists()
    assert at_stripe(stripe_server, card) == []


def test_a_sum_that_changed_meanwhile_is_not_taken(cast: Cast, card: PaymentCard) -> None:
    owes(cast.book(), "68.00")
    with pytest.raises(AmountChanged):
        start_pay_now(client=cast.ana, card=card, shown=D("60.00"))
    assert not Payment.objects.exists()


def test_a_stranger_s_session_is_never_paid_for(cast: Cast, card: PaymentCard) -> None:
    other = cast.book(client=cast.eve)
    owes(other, "50.00")
    with pytest.raises(NothingToPay):
        start_pay_now(client=cast.ana, session_ids=[other.pk], card=card)


def test_a_second_tab_meets_the_attempt_of_the_first(
    cast: Cast, stripe_server: StripeStandIn, card: PaymentCard
) -> None:
    owes(cast.book(), "68.00")
    first = start_pay_now(client=cast.ana)
    second = start_pay_now(client=cast.ana)
    assert first.client_secret == second.client_secret is not None
    assert len(at_stripe(stripe_server, card)) == 1
    assert total_due(client_balances(cast.ana)) == D("68.00"), "a browser closed half-way leaves the balance payable"


def test_choosing_the_saved_card_after_all_closes_the_typed_attempt(
    cast: Cast, card: PaymentCard, stripe_server: StripeStandIn
) -> None:
    owes(cast.book(), "68.00")
    typed = start_pay_now(client=cast.ana)
    begun = start_pay_now(client=cast.ana, card=card)
    assert begun.payment.state == "succeeded"
    typed.payment.refresh_from_db()
    assert typed.payment.state == "failed"
    assert sorted(str(each["status"]) for each in at_stripe(stripe_server, card)) == ["canceled", "succeeded"]


def test_a_declined_card_leaves_the_balance_and_says_why(cast: Cast, stripe_server: StripeStandIn) -> None:
    save_card(cast.ana, "pm_card_chargeCustomerFail")
    owes(cast.book(), "68.00")
    begun = start_pay_now(client=cast.ana, card=cast.ana.cards.get())
    assert begun.payment.state == "failed"
    assert begun.payment.message
    assert total_due(client_balances(cast.ana)) == D("68.00")


@pytest.mark.parametrize("fault", ["timeout_after", "500_after"])
def test_an_answer_that_never_came_is_asked_for_not_tried_again(
    cast: Cast, card: PaymentCard, stripe_server: StripeStandIn, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owes(cast.book(), "68.00")
    stripe_server.fault("POST /v1/payment_intents", fault)
    begun = start_pay_now(client=cast.ana, card=card)
    assert begun.payment.state == "unknown"
    assert total_due(client_balances(cast.ana)) == D("0.00"), "nobody may pay it twice meanwhile"
    collect_payment.refresh(begun.payment)
    begun.payment.refresh_from_db()
    assert begun.payment.state == "succeeded"
    assert len(at_stripe(stripe_server, card)) == 1


def test_a_request_that_never_arrived_is_given_up_and_payable_again(
    cast: Cast, card: PaymentCard, stripe_server: StripeStandIn
) -> None:
    owes(cast.book(), "68.00")
    stripe_server.fault("POST /v1/payment_intents", "timeout_before")
    begun = start_pay_now(client=cast.ana, card=card)
    collect_payment.refresh(begun.payment)
    begun.payment.refresh_from_db()
    assert begun.payment.state == "unknown", "too early to say: the request could still be on its way"
    Payment.objects.update(created_at=clock.now() - payments.UNKNOWN_AFTER * 2)
    begun.payment.refresh_from_db()
    collect_payment.refresh(begun.payment)
    begun.payment.refresh_from_db()
    assert begun.payment.state == "failed"
    assert total_due(client_balances(cast.ana)) == D("68.00")


@pytest.mark.parametrize("where", ["before sending", "before recording"])
def test_a_confirmation_charge_survives_a_dead_worker(
    cast: Cast, card: PaymentCard, stripe_server: StripeStandIn, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    session = cast.book()
    owes(session, "72.00")
    payment = payments.create_confirmation_charge(session=session, amount=D("72.00"), card=card)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        if where == "before sending":
            broken.setattr(collect_payment, "_send", die)
        else:
            broken.setattr(payments, "record_outcome", die)
        collect_payment.charge(payment.pk)
    Payment.objects.update(created_at=clock.now() - payments.UNKNOWN_AFTER * 2)
    for _ in range(2):
        payment.refresh_from_db()
        if payment.state != "succeeded":
            collect_payment.refresh(payment)
    payment.refresh_from_db()
    assert payment.state == "succeeded"
    assert len(at_stripe(stripe_server, card)) == 1
    assert session_balance(session).due == D("0.00")


def test_a_refund_whose_answer_is_lost_is_given_once(
    cast: Cast, card: PaymentCard, stripe_server: StripeStandIn
) -> None:
    session = cast.book()
    owes(session, "68.00")
    payment = start_pay_now(client=cast.ana, card=card).payment
    refund = Refund.objects.create(payment=payment, session=session, amount=D("28.00"))
    stripe_server.fault("POST /v1/refunds", "timeout_after")
    tasks.give(refund.pk)
    refund.refresh_from_db()
    assert refund.state == "unknown"
    give_refund.refresh(refund)
    refund.refresh_from_db()
    assert refund.state == "succeeded"
    given = stripe_server.call("GET", "refunds", payment_intent=payment.payment_intent_id).json()["data"]
    assert [each["amount"] for each in given] == [2800]


def together(count: int, step: Callable[[], PayNow]) -> list[Payment | str]:
    """What each of so many clicks at once came to: a payment, or the words of a refusal."""

    def once(_: int) -> Payment | str:
        try:
            return step().payment
        except NothingToPay as refusal:
            return str(refusal)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(once, range(count)))


@pytest.mark.django_db(transaction=True)
def test_fifty_clicks_at_once_make_one_payment(stripe_server: StripeStandIn) -> None:
    cast = assemble()
    save_card(cast.ana)
    card = cast.ana.cards.get()
    owes(cast.book(), "68.00")
    came_to = together(50, lambda: start_pay_now(client=cast.ana, card=card, shown=D("68.00")))
    # A click that comes when all is paid is told so; every other one met the same payment.
    assert len({each.pk for each in came_to if isinstance(each, Payment)}) == 1
    assert len(at_stripe(stripe_server, card)) == 1
    assert balance(Book.STRIPE) == D("68.00")
    assert Payment.objects.count() == 1


def test_less_than_half_a_dollar_is_not_asked_for_until_more_is_due(
    cast: Cast, card: PaymentCard, stripe_server: StripeStandIn
) -> None:
    """No card takes less: 29 cents wait, unasked, and go with the next payment."""
    owes(cast.book(), "0.29")
    waiting = client_balances(cast.ana)
    assert total_due(waiting) == ZERO
    assert [(each.owed, each.carried) for each in waiting.values()] == [(D("0.29"), D("0.29"))]
    with pytest.raises(NothingToPay):
        start_pay_now(client=cast.ana, card=card)
    owes(cast.book(hour=1), "68.00")
    assert total_due(client_balances(cast.ana)) == D("68.29")
    begun = start_pay_now(client=cast.ana, card=card)
    assert (begun.payment.state, begun.payment.amount) == ("succeeded", D("68.29"))
    assert client_balances(cast.ana) == {}


def test_one_session_s_29_cents_are_too_little_though_more_is_due_in_all(
    cast: Cast, card: PaymentCard, stripe_server: StripeStandIn
) -> None:
    small = cast.book()
    owes(small, "0.29")
    owes(cast.book(hour=1), "68.00")
    with pytest.raises(NothingToPay, match=r"\$0\.29 is too little for a card payment"):
        start_pay_now(client=cast.ana, session_ids=[small.pk], card=card)
    assert at_stripe(stripe_server, card) == []
