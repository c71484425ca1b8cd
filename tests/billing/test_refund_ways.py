"""Refunds to the end: several sessions on one payment, disputes, dead cards, checks and transfers, what is late."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from billing import tasks
from billing.gateways.results import ChargeResult, ChargeState, RefundResult, RefundState
from billing.ledger.posting import Book, Posting, balance, post
from billing.models import Dispute, Payment, PaymentCard, PaymentPart, Refund
from billing.services import books, payments, refunds
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from common.errors import BadInput
from notifications.models import Email
from tests import cast as people
from tests.cast import Cast

D = Decimal


def owes(session: Session, amount: str, *, why: str) -> None:
    post(
        key=f"cost:{why}:{session.pk}",
        memo=why,
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, D(amount), client=session.client_id, session=session.pk),
            Posting(Book.SESSION_REVENUE, -D(amount)),
        ],
    )


def paid(card: PaymentCard, **parts: tuple[Session, str]) -> Payment:
    """One payment for several sessions that went through."""
    total = sum((D(amount) for _session, amount in parts.values()), D(0))
    payment = Payment.objects.create(client=card.client, card=card, purpose="pay_now", amount=total, state="submitted")
    for session, amount in parts.values():
        PaymentPart.objects.create(payment=payment, session=session, amount=D(amount))
    payments.record_outcome(
        payment=payment,
        result=ChargeResult(state=ChargeState.SUCCEEDED, payment_intent=f"pi_{payment.pk}", amount=total),
    )
    return payment


def says(refund: Refund, state: RefundState, **more: str) -> None:
    Refund.objects.filter(pk=refund.pk, state="created").update(state="submitted")
    result = RefundResult(state=state, refund=f"re_{refund.pk}", amount=refund.amount, payment_intent=None, **more)
    refunds.record_outcome(refund=refund, result=result)
    refund.refresh_from_db()


def amounts(found: list[Refund]) -> list[tuple[int, Decimal]]:
    return [(refund.payment_id, refund.amount) for refund in found]


@pytest.fixture
def card(cast: Cast) -> PaymentCard:
    return people.card(cast.ana)


@pytest.fixture
def failed(cast: Cast, card: PaymentCard) -> Refund:
    """Paid 72.00, costs 32.00; the refund of 40.00 was sent back by the bank."""
    session = cast.book()
    owes(session, "32.00", why="final")
    paid(card, a=(session, "72.00"))
    (refund,) = refunds.promise(session)
    says(refund, RefundState.FAILED)
    return refund


def broken() -> dict[str, tuple[str, ...]]:
    return {each.check.name: each.examples for each in books.run() if each.violations and "refund" in each.check.name}


# --- The decision -----------------------------------------------------------------------------------------------------


def test_a_payment_for_two_sessions_gives_back_to_each_only_its_part(cast: Cast, card: PaymentCard) -> None:
    first, second = cast.book(), cast.book(days=1)
    owes(first, "72.00", why="estimate")
    owes(second, "50.00", why="estimate")
    payment = paid(card, a=(first, "72.00"), b=(second, "50.00"))
    owes(first, "-72.00", why="final")
    assert amounts(refunds.promise(first)) == [(payment.pk, D("72.00"))]
    assert refunds.promise(second) == [], "the second session still costs what was paid"
    owes(second, "-20.00", why="final")
    assert amounts(refunds.promise(second)) == [(payment.pk, D("20.00"))]
    owes(second, "-5.00", why="corrected")
    assert amounts(refunds.promise(second)) == [(payment.pk, D("5.00"))], "what is left of its part: 25.00"
    assert broken() == {}


def test_the_newest_payment_gives_first_and_what_it_gave_before_is_gone(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    owes(session, "100.00", why="estimate")
    older, newer = paid(card, a=(session, "70.00")), paid(card, a=(session, "30.00"))
    owes(session, "-10.00", why="first")
    says(refunds.promise(session)[0], RefundState.SUCCEEDED)
    owes(session, "-45.00", why="second")
    assert amounts(refunds.promise(session)) == [(newer.pk, D("20.00")), (older.pk, D("25.00"))]


@pytest.mark.parametrize(
    ("state", "held"),
    [("needs_response", True), ("under_review", True), ("lost", True), ("won", False), ("warning", False)],
)
def test_a_disputed_payment_gives_nothing_back(cast: Cast, card: PaymentCard, state: str, held: bool) -> None:
    session = cast.book()
    owes(session, "100.00", why="estimate")
    older, newer = paid(card, a=(session, "70.00")), paid(card, a=(session, "30.00"))
    Dispute.objects.create(payment=newer, dispute_id="dp_1", amount=D("30.00"), reason="fraudulent", state=state)
    owes(session, "-40.00", why="final")
    expected = [(older.pk, D("40.00"))] if held else [(newer.pk, D("30.00")), (older.pk, D("10.00"))]
    assert amounts(refunds.promise(session)) == expected


def test_a_card_that_took_no_refund_is_not_tried_again_after_a_check_went_out(failed: Refund) -> None:
    refunds.give_another_way(failed, reference="Check 1")
    owes(failed.session, "-10.00", why="again")
    assert refunds.promise(failed.session) == []


def test_it_takes_a_bounded_number_of_queries(
    cast: Cast, card: PaymentCard, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    session = cast.book()
    owes(session, "1.00", why="x")
    for _ in range(4):
        paid(card, a=(session, "5.00"))
    with django_assert_num_queries(4):
        assert sum((each.left for each in refunds.refundable(session)), D(0)) == D("20.00")


@pytest.mark.parametrize("seed", range(12))
def test_over_random_histories_no_part_is_overdrawn_and_the_books_agree(
    cast: Cast, card: PaymentCard, seed: int
) -> None:
    chance = random.Random(seed)
    sessions = [cast.book(days=day) for day in range(3)]
    for step in range(25):
        session = chance.choice(sessions)
        match chance.choice(["cost", "pay", "promise", "answer", "dispute", "check"]):
            case "cost":
                owes(session, str(chance.randrange(-4000, 6000) / D(100)), why=f"{seed}:{step}")
            case "pay":
                some = chance.sample(sessions, chance.randint(1, 3))
                paid(card, **{str(each.pk): (each, str(chance.randrange(100, 9000) / D(100))) for each in some})
            case "promise":
                refunds.promise(session)
            case "answer":
                for refund in Refund.objects.filter(state__in=["created", "submitted", "succeeded"])[:1]:
                    says(refund, chance.choice([RefundState.SUCCEEDED, RefundState.FAILED]))
            case "dispute" if Payment.objects.exists():
                payment = chance.choice(list(Payment.objects.all()))
                Dispute.objects.create(
                    payment=payment, dispute_id=f"dp_{step}", amount=payment.amount, reason="general",
                    state=chance.choice(["needs_response", "won", "warning"]),
                )  # fmt: skip
            case "check":
                for refund in refunds.to_send_another_way()[:1]:
                    try:
                        refunds.give_another_way(refund, reference=f"Check {step}")
                    except refunds.NotOwed:
                        assert refund.payment.disputes.filter(state__in=refunds.HOLDS).exists()
        assert broken() == {}, (seed, step)
        for each in sessions:
            held = session_balance(each)
            assert held.to_refund == D(0) or held.due == D(0)
    held_back = {row.payment_id for row in Dispute.objects.filter(state__in=refunds.HOLDS)}
    for refund in Refund.objects.filter(state="created"):
        assert refund.payment_id not in held_back or refund.payment.disputes.filter(
            opened_at__gte=refund.created_at, state__in=refunds.HOLDS
        ), "promised only before the dispute was opened"


# --- E-mails ----------------------------------------------------------------------------------------------------------


def test_every_promise_and_every_processing_is_told_once_with_session_and_amount(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    owes(session, "32.00", why="final")
    paid(card, a=(session, "72.00"))
    (refund,) = refunds.promise(session)
    refunds.promise(session)
    for _ in range(3):
        says(refund, RefundState.SUCCEEDED)
    promised, processed = (Email.objects.get(kind=f"refund_{kind}") for kind in ("promised", "processed"))
    for mail in (promised, processed):
        assert "$40.00" in mail.text
        assert f"{session.date:%A, %B} {session.date.day}, {session.date.year}" in mail.text
        assert mail.to == cast.ana.email


def test_one_receipt_for_one_payment_however_many_sessions(cast: Cast, card: PaymentCard) -> None:
    first, second = cast.book(), cast.book(days=1)
    payment = paid(card, a=(first, "30.00"), b=(second, "22.50"))
    mail = Email.objects.get(kind="payment_receipt")
    assert mail.key == f"receipt:{payment.pk}"
    assert "$52.50" in mail.text
    assert "$30.00" in mail.text
    assert "$22.50" in mail.text
    assert f"R-{payment.pk:06d}" in mail.text


# --- Another way ------------------------------------------------------------------------------------------------------


def test_a_check_is_booked_against_the_bank_and_told(failed: Refund) -> None:
    assert list(refunds.to_send_another_way()) == [failed]
    given = refunds.give_another_way(failed, reference="  Check 10482 ")
    assert (given.pk, given.state, given.external_reference) == (failed.pk, "external", "Check 10482")
    assert given.processed_at is not None
    assert session_balance(failed.session).booked == D("0.00")
    assert balance(Book.BANK) == D("-40.00")
    assert balance(Book.STRIPE) == D("72.00")
    assert list(refunds.to_send_another_way()) == []
    mail = Email.objects.get(kind="refund_external")
    assert "Check 10482" in mail.text
    assert "$40.00" in mail.text
    assert Email.objects.filter(kind="refund_returned").count() == 1
    assert broken() == {}


def test_a_refund_that_was_processed_first_keeps_both_e_mails(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    owes(session, "32.00", why="final")
    paid(card, a=(session, "72.00"))
    (refund,) = refunds.promise(session)
    says(refund, RefundState.SUCCEEDED)
    says(refund, RefundState.FAILED)
    refunds.give_another_way(refund, reference="Transfer 7")
    assert balance(Book.STRIPE) == D("72.00"), "what the bank sent back is at Stripe again"
    assert broken() == {}


def test_only_what_is_still_owed_is_given_and_then_it_is_a_refund_of_its_own(failed: Refund) -> None:
    owes(failed.session, "25.00", why="dearer")
    given = refunds.give_another_way(failed, reference="Check 2")
    assert (given.pk != failed.pk, given.amount, given.state) == (True, D("15.00"), "external")
    assert Refund.objects.get(pk=failed.pk).state == "failed"
    assert session_balance(failed.session).booked == D("0.00")
    assert list(refunds.to_send_another_way()) == []
    assert broken() == {}


def test_nothing_is_sent_twice(failed: Refund) -> None:
    refunds.give_another_way(failed, reference="Check 1")
    with pytest.raises(refunds.NotOwed, match="Only a refund that failed"):
        refunds.give_another_way(failed, reference="Check 1")


def test_what_another_card_took_over_is_not_sent_too(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    owes(session, "32.00", why="final")
    older = paid(card, a=(session, "50.00"))
    paid(card, a=(session, "22.00"))
    first = refunds.promise(session)
    says(first[0], RefundState.FAILED)
    assert amounts(refunds.promise(session)) == [(older.pk, D("22.00"))]
    assert list(refunds.to_send_another_way()) == []
    with pytest.raises(refunds.NotOwed, match="another refund took care of it"):
        refunds.give_another_way(first[0], reference="Check 3")


def test_a_disputed_payment_is_not_paid_back_by_check_either(failed: Refund) -> None:
    Dispute.objects.create(
        payment=failed.payment, dispute_id="dp_1", amount=D("72.00"), reason="general", state="under_review"
    )
    with pytest.raises(refunds.NotOwed, match="the bank decides"):
        refunds.give_another_way(failed, reference="Check 3")


@pytest.mark.parametrize("reference", ["", "   ", "x" * 101])
def test_a_check_has_a_number(failed: Refund, reference: str) -> None:
    with pytest.raises(BadInput, match="number of the check or transfer"):
        refunds.give_another_way(failed, reference=reference)
    failed.refresh_from_db()
    assert failed.state == "failed"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE billing_refund SET state = 'succeeded'",
        "UPDATE billing_refund SET external_reference = ''",
        "UPDATE billing_refund SET amount = amount + 1",
        "UPDATE notifications_email SET key = 'x' WHERE kind = 'refund_external'",
    ],
)
def test_the_check_of_the_books_finds_what_is_wrong_with_it(failed: Refund, damage: str) -> None:
    refunds.give_another_way(failed, reference="Check 1")
    assert broken() == {}
    with connection.cursor() as cursor:
        cursor.execute(damage)
    assert broken() != {}


# --- What is late -----------------------------------------------------------------------------------------------------


def test_after_twenty_days_an_undelivered_refund_is_supports(cast: Cast, card: PaymentCard, failed: Refund) -> None:
    session = cast.book(days=1)
    paid(card, a=(session, "5.00"))
    (moving,) = refunds.promise(session)
    assert list(refunds.late()) == []
    almost = clock.now() - timedelta(days=19, hours=23)
    Refund.objects.update(created_at=almost)
    assert list(refunds.late()) == []
    Refund.objects.update(created_at=clock.now() - timedelta(days=20))
    assert set(refunds.late()) == {failed, moving}
    refunds.give_another_way(failed, reference="Check 1")
    says(moving, RefundState.SUCCEEDED)
    assert list(refunds.late()) == []


def test_the_banks_number_is_kept_when_it_comes_later(cast: Cast, card: PaymentCard) -> None:
    session = cast.book()
    paid(card, a=(session, "5.00"))
    (refund,) = refunds.promise(session)
    says(refund, RefundState.SUCCEEDED)
    assert refunds.reference_of(refund) == f"refund {refund.pk}"
    says(refund, RefundState.SUCCEEDED, bank_reference="74000000000000001234567")
    assert refund.bank_reference == "74000000000000001234567"
    assert refunds.reference_of(refund) == f"refund {refund.pk} 74000000000000001234567"
    assert Email.objects.filter(kind="refund_processed").count() == 1


def test_a_refund_that_cannot_be_promised_is_logged_without_a_name(
    cast: Cast, card: PaymentCard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session = cast.book()

    def fails(session: Session) -> None:
        raise ValueError("it does not add up")

    monkeypatch.setattr(refunds, "sessions_to_refund", lambda: [session])
    monkeypatch.setattr(refunds, "promise", fails)
    tasks.sweep()
    (line,) = [each.getMessage() for each in caplog.records if "sweep_step_failed" in each.getMessage()]
    assert str([str(session.pk)]) in line
    assert cast.ana.last_name not in line
