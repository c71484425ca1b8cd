"""Stripe's account and our books: fees and payouts posted from its movements, each night every movement matched."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from billing import tasks
from billing.flows import stripe_account as flow
from billing.gateways.results import Movement, PayoutResult, PayoutState
from billing.ledger.posting import Book, Posting, balance, find, post
from billing.models import (
    BalanceTransaction,
    Payment,
    PaymentCard,
    Reconciliation,
    ReconciliationCase,
    Refund,
    StripePayout,
)
from billing.services import books, reconciliation, stripe_account
from billing.services.reconciliation import AlreadyClosed
from common import clock
from headway.demo.cast import save_card
from tests.billing.stripe_drive import charged, decided, hear, opened, own_stripe, refunded
from tests.cast import Cast
from tests.stand_ins import StripeStandIn

D = Decimal


@pytest.fixture
def stripe(tmp_path: Path, settings: Settings) -> Iterator[StripeStandIn]:
    with own_stripe(tmp_path, settings) as running:
        yield running


@pytest.fixture
def card(cast: Cast, stripe: StripeStandIn) -> PaymentCard:
    save_card(cast.ana)
    return cast.ana.cards.get()


def sums(*names: Book) -> list[Decimal]:
    return [balance(name) for name in names]


def broken() -> set[str]:
    return {each.check.name for each in books.run() if each.violations} - {"confirmed_sessions_are_complete"}


def later(days: float = 0, hours: float = 2) -> AbstractContextManager[None]:
    """Live so much later: what may still have been on its way has come, or never will."""
    return clock.as_of(clock.now() + timedelta(days=days, hours=hours))


def movement(kind: str, amount: str, *, source: str | None = None, fee: str = "0.00", ident: str = "1") -> Movement:
    return Movement(
        id=f"txn_{ident}", kind=kind, amount=D(amount), fee=D(fee), net=D(amount) - D(fee), created=clock.now(),
        available_on=clock.today(), source=source,
    )  # fmt: skip


def payout(state: PayoutState, amount: str = "69.61") -> PayoutResult:
    return PayoutResult(state, "po_1", D(amount), clock.today(), clock.now())


# --- The whole story --------------------------------------------------------------------------------------------------


def test_a_month_at_stripe_is_in_the_books_to_the_cent(cast: Cast, card: PaymentCard, stripe: StripeStandIn) -> None:
    """Charge 72.00, refund 40.00, a dispute lost and one won, a payout, a payout that failed: all matched."""
    payment = charged(cast.book(), card, "72.00")
    refunded(payment, "40.00")
    decided(stripe, opened(stripe, charged(cast.book(days=-1), card, "68.00")), "lost")
    decided(stripe, opened(stripe, charged(cast.book(days=-2), card, "50.00")), "won")
    first = flow.reconcile()
    assert (first.transactions, first.matched) == (7, 7)
    # 72 − 40 + (68 − 68) + (50 − 50 + 50) = 82.00, less 2.39 + 2.27 + 1.75 for the cards and twice 15.00.
    assert first.stripe_balance == first.books_balance == D("45.59")
    assert sums(Book.STRIPE_FEES, Book.DISPUTED) == [D("36.41"), D("0.00")]

    sent = stripe.order("POST", "payouts", {"everything": True}).json()["id"]
    hear(stripe, "payout.created", sent)
    assert sums(Book.STRIPE, Book.STRIPE_IN_TRANSIT, Book.BANK) == [D("0.00"), D("45.59"), D("0.00")]
    hear(stripe, "payout.paid", sent)
    assert sums(Book.STRIPE, Book.STRIPE_IN_TRANSIT, Book.BANK) == [D("0.00"), D("0.00"), D("45.59")]
    second = flow.reconcile()
    assert (second.stripe_balance, second.books_balance) == (D("0.00"), D("0.00"))
    row = StripePayout.objects.get()
    assert row.transactions.count() == 8, "seven movements and the payout's own"

    stripe.order("PUT", "payouts", {"payout": sent, "fails": True}).raise_for_status()
    hear(stripe, "payout.failed", sent)
    assert sums(Book.STRIPE, Book.STRIPE_IN_TRANSIT, Book.BANK) == [D("45.59"), D("0.00"), D("0.00")]
    with later():
        flow.reconcile()
    assert not ReconciliationCase.objects.exists()
    assert BalanceTransaction.objects.filter(entry=None).count() == 0
    assert broken() == set()
    taken_in = BalanceTransaction.objects.count()
    flow.reconcile()
    assert BalanceTransaction.objects.count() == taken_in, "listed again, kept once"


def test_what_no_webhook_told_of_is_booked_by_night(cast: Cast, card: PaymentCard, stripe: StripeStandIn) -> None:
    payment = charged(cast.book(), card, "72.00")
    stripe.fault("*", "drop_webhook", 50)
    stripe.order("POST", "disputes", {"payment_intent": payment.payment_intent_id}).raise_for_status()
    stripe.order("POST", "payouts", {"everything": True}).raise_for_status()
    made = flow.reconcile()
    # 72.00 − 2.39 − 72.00 − 15.00 = −17.39 is taken from the bank.
    assert StripePayout.objects.get().amount == D("-17.39")
    assert (made.stripe_balance, made.books_balance) == (D("0.00"), D("0.00"))
    assert not ReconciliationCase.objects.exists()


def test_a_refund_that_bounced_is_in_the_books_both_ways(cast: Cast, stripe: StripeStandIn) -> None:
    save_card(cast.ana, "pm_card_refundFail")
    refund = refunded(charged(cast.book(), cast.ana.cards.get(), "72.00"), "40.00")
    hear(stripe, "charge.refund.updated", refund.refund_id or "")
    refund.refresh_from_db()
    assert refund.state == "failed"
    made = flow.reconcile()
    assert (made.transactions, made.matched) == (3, 3)
    assert balance(Book.STRIPE) == D("69.61")


# --- Differences ------------------------------------------------------------------------------------------------------


def test_money_at_stripe_that_the_books_do_not_have_is_a_case(stripe: StripeStandIn, db: None) -> None:
    stripe.call("POST", "payment_intents", amount="900", currency="usd", payment_method="pm_card_visa",
                confirm="true").raise_for_status()  # fmt: skip
    flow.reconcile()
    assert not ReconciliationCase.objects.exists(), "the answer may still be on its way"
    with later():
        made = flow.reconcile()
    (case,) = ReconciliationCase.objects.all()
    assert (case.kind, case.theirs, case.ours, case.state) == ("not_in_books", D("9.00"), None, "open")
    assert (made.transactions, made.matched) == (0, 0), "counted when it was taken in"
    with later(days=1):
        flow.reconcile()
    assert ReconciliationCase.objects.count() == 1, "one case for a difference, and no second one for the balance"
    assert balance(Book.STRIPE) == D("-0.56"), "the fee is booked; the rest is for a person"


def test_a_payment_the_books_invented_is_a_case_after_three_days(
    cast: Cast, card: PaymentCard, stripe: StripeStandIn
) -> None:
    charged(cast.book(), card, "72.00")
    post(
        key="payment:999", memo="Card payment 999", occurred_on=clock.today(),
        lines=[Posting(Book.STRIPE, D("5.00")), Posting(Book.SESSION_REVENUE, D("-5.00"))],
    )  # fmt: skip
    with later(days=2):
        flow.reconcile()
    assert not ReconciliationCase.objects.exists()
    with later(days=3):
        flow.reconcile()
    (case,) = ReconciliationCase.objects.all()
    assert (case.key, case.ours, case.entry) == ("not_at_stripe:payment:999", D("5.00"), find("payment:999"))


def test_different_amounts_are_a_case_and_stay_unmatched(cast: Cast, card: PaymentCard, stripe: StripeStandIn) -> None:
    payment = charged(cast.book(), card, "72.00")
    assert payment.payment_intent_id is not None
    wrong = movement("charge", "70.00", source=payment.payment_intent_id)
    assert stripe_account.take_in(wrong).entry is None
    flow.reconcile()
    case = ReconciliationCase.objects.get(kind="amount")
    assert (case.ours, case.theirs) == (D("72.00"), D("70.00"))
    assert case.transaction == BalanceTransaction.objects.get(transaction_id="txn_1")
    assert BalanceTransaction.objects.get(kind="charge", amount="72.00").entry == find(f"payment:{payment.pk}")


def test_a_movement_of_a_kind_nobody_knows_is_a_case(stripe: StripeStandIn, db: None) -> None:
    stripe_account.take_in(movement("climate_order_purchase", "-3.00"))
    flow.reconcile()
    assert set(ReconciliationCase.objects.values_list("kind", flat=True)) == {"unknown_kind", "balance"}


def test_a_balance_that_nothing_explains_is_one_case_however_many_nights(
    cast: Cast, card: PaymentCard, stripe: StripeStandIn
) -> None:
    charged(cast.book(), card, "72.00")
    flow.reconcile()
    BalanceTransaction.objects.update(entry=None)
    post(
        key="payout_by_hand", memo="By hand", occurred_on=clock.today(),
        lines=[Posting(Book.STRIPE, D("-10.00")), Posting(Book.STRIPE_FEES, D("10.00"))],
    )  # fmt: skip
    flow.reconcile()
    assert not ReconciliationCase.objects.exists(), "unmatched yet, and the balances explain each other"
    stripe_account.take_in(movement("stripe_fee", "-4.00", ident="ghost"))
    for _night in range(2):
        flow.reconcile()
    (case,) = ReconciliationCase.objects.filter(kind="balance")
    assert (case.ours, case.theirs) == (D("65.61"), D("69.61"))


def test_a_refund_on_its_way_is_no_difference(cast: Cast, stripe: StripeStandIn) -> None:
    save_card(cast.ana, "pm_card_pendingRefund")
    refund = refunded(charged(cast.book(), cast.ana.cards.get(), "72.00"), "40.00")
    assert refund.state == "in_transit"
    with later():
        flow.reconcile()
    assert not ReconciliationCase.objects.exists()
    hear(stripe, "charge.refund.updated", refund.refund_id or "")
    assert Refund.objects.get().state == "succeeded"
    flow.reconcile()
    assert not BalanceTransaction.objects.filter(entry=None).exists()


def test_a_case_is_closed_once_with_what_was_found_out(cast: Cast) -> None:
    case = ReconciliationCase.objects.create(key="amount:txn_1", kind="amount", explanation="They differ")
    reconciliation.close_case(case, note="Stripe support says it is theirs", by=cast.fay)
    assert (case.state, case.closed_by, case.note) == ("closed", cast.fay, "Stripe support says it is theirs")
    with pytest.raises(AlreadyClosed):
        reconciliation.close_case(case, note="again", by=cast.fay)


def test_the_check_of_the_books_finds_each_damage(cast: Cast, card: PaymentCard, stripe: StripeStandIn) -> None:
    opened(stripe, charged(cast.book(), card, "72.00"))
    stripe.order("POST", "payouts", {"everything": True}).raise_for_status()
    flow.reconcile()
    assert broken() == set()
    for damage, found in (
        ("UPDATE billing_balancetransaction SET amount = amount + 1, net = net + 1", "movements_are_their_entries"),
        ("UPDATE billing_balancetransaction SET fee = fee + 1, net = net - 1", "fees_are_booked"),
        ("UPDATE billing_dispute SET state = 'lost'", "disputes_hold_what_is_open"),
        ("UPDATE billing_stripepayout SET state = 'failed'", "payouts_arrive_or_return"),
        (
            "INSERT INTO billing_reconciliationcase (key, kind, state, explanation, opened_at, note)"
            " VALUES ('amount:1', 'amount', 'open', '', now(), '')",
            "stripe_s_list_is_ours",
        ),
    ):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(damage)
            assert broken() == {found}
            transaction.set_rollback(True)


# --- Fees and payouts -------------------------------------------------------------------------------------------------


def test_a_fee_by_itself_is_an_entry_and_its_movement_s(db: None) -> None:
    row = stripe_account.take_in(movement("stripe_fee", "-4.00"))
    assert row.entry == find("stripe_fee:txn_1")
    assert sums(Book.STRIPE, Book.STRIPE_FEES) == [D("-4.00"), D("4.00")]
    stripe_account.take_in(movement("stripe_fee", "-4.00"))
    assert balance(Book.STRIPE_FEES) == D("4.00")


def test_late_news_of_a_payout_changes_nothing(db: None) -> None:
    for state in (PayoutState.IN_TRANSIT, PayoutState.PAID, PayoutState.IN_TRANSIT, PayoutState.PAID):
        stripe_account.record_payout(payout(state))
    assert StripePayout.objects.get().state == "paid"
    assert sums(Book.STRIPE, Book.STRIPE_IN_TRANSIT, Book.BANK) == [D("-69.61"), D("0.00"), D("69.61")]
    for state in (PayoutState.FAILED, PayoutState.PAID):
        stripe_account.record_payout(payout(state))
    assert StripePayout.objects.get().state == "failed"
    assert sums(Book.STRIPE, Book.STRIPE_IN_TRANSIT, Book.BANK) == [D("0.00"), D("0.00"), D("0.00")]
    assert broken() == set()
    with pytest.raises(ValueError, match=r"Stripe says 1\.00"):
        stripe_account.record_payout(payout(PayoutState.PAID, "1.00"))


# --- When, and by whom ------------------------------------------------------------------------------------------------


def test_it_is_made_once_a_night(stripe: StripeStandIn, db: None) -> None:
    assert reconciliation.is_due()
    tasks.reconcile_stripe()
    tasks.reconcile_stripe()
    assert Reconciliation.objects.count() == 1
    with later(days=1):
        assert reconciliation.is_due()


def test_the_command_lists_the_differences(stripe: StripeStandIn, db: None) -> None:
    out = StringIO()
    call_command("reconcile", "--json", stdout=out)
    assert json.loads(out.getvalue())["ok"] is True
    ReconciliationCase.objects.create(key="amount:txn_1", kind="amount", explanation="They differ", ours=D("1.00"))
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("reconcile", "--json", stdout=out)
    assert json.loads(out.getvalue())["open_cases"] == [
        {"key": "amount:txn_1", "kind": "amount", "ours": "1.00", "theirs": None, "explanation": "They differ"}
    ]


def test_the_command_says_when_stripe_does_not_answer(db: None) -> None:
    with pytest.raises(CommandError, match="cannot be read: no answer"):
        call_command("reconcile")
    assert not Payment.objects.exists()
