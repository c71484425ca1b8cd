"""Disputes and early fraud warnings: the client's net payment stays the final cost less what is open."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from pytest_django.fixtures import Settings

from billing import tasks
from billing.domain.disputes import PaidFor, unpaid_again
from billing.flows import give_refund, stripe_account
from billing.flows.collect_payment import StripeUnavailable
from billing.flows.stripe_account import NotAnswered
from billing.gateways.results import OutcomeUnknown
from billing.gateways.stripe_account import account
from billing.ledger.posting import Book, balance
from billing.models import Dispute, FraudWarning, PaymentCard, Refund
from billing.services import books, dispute_evidence, disputes, payments, refunds
from billing.services.balances import session_balance
from billing.services.disputes import NothingToDecide
from headway.demo.cast import save_card
from notifications.models import Email
from tests.billing.stripe_drive import charged, costs, decided, hear, opened, own_stripe, refunded
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


def in_books() -> dict[str, Decimal]:
    found = {book.value: balance(book) for book in (Book.STRIPE, Book.DISPUTED, Book.CLIENT_RECEIVABLE)}
    broken = {each.check.name for each in books.run() if each.violations} - {"confirmed_sessions_are_complete"}
    assert broken == set()
    return found


# --- The rule ---------------------------------------------------------------------------------------------------------


def test_a_lost_payment_is_missing_from_its_sessions_up_to_what_was_left_of_each() -> None:
    parts = [PaidFor(1, D("72.00"), D("40.00")), PaidFor(2, D("68.00"))]
    assert unpaid_again(D("100.00"), parts) == {1: D("32.00"), 2: D("68.00")}
    assert unpaid_again(D("50.00"), parts) == {1: D("32.00"), 2: D("18.00")}


def test_what_a_bank_takes_beyond_what_is_left_is_owed_for_the_first_session() -> None:
    parts = [PaidFor(1, D("72.00"), D("40.00")), PaidFor(2, D("68.00"))]
    assert unpaid_again(D("140.00"), parts) == {1: D("72.00"), 2: D("68.00")}
    with pytest.raises(ValueError, match="over 0 sessions"):
        unpaid_again(D("1.00"), [])


# --- What happens with the money --------------------------------------------------------------------------------------


def test_a_disputed_payment_is_won(cast: Cast, card: PaymentCard, stripe: StripeStandIn) -> None:
    session = cast.book()
    payment = charged(session, card, "72.00")
    dispute = opened(stripe, payment, reason="unrecognized")
    row = Dispute.objects.get()
    assert (row.payment, row.state, row.amount, row.reason) == (payment, "needs_response", D("72.00"), "unrecognized")
    assert row.evidence_due is not None
    assert in_books() == {"stripe": D("0.00"), "disputed": D("72.00"), "client_receivable": D("0.00")}
    assert session_balance(session).due == D("0.00"), "while the bank decides, the session counts as paid"

    decided(stripe, dispute, "won")
    row.refresh_from_db()
    assert row.state == "won" and row.closed_at is not None
    assert in_books() == {"stripe": D("72.00"), "disputed": D("0.00"), "client_receivable": D("0.00")}
    assert not Email.objects.filter(kind__contains="disput").exists(), "nobody is told of a dispute they began"


def test_a_deadline_that_the_bank_puts_off_is_the_one_shown(
    cast: Cast, card: PaymentCard, stripe: StripeStandIn
) -> None:
    payment = charged(cast.book(), card, "72.00")
    told = account().dispute(opened(stripe, payment))
    assert told.evidence_due is not None
    later = told.evidence_due + timedelta(days=5)
    disputes.record(payment=payment, result=replace(told, evidence_due=later))
    row = Dispute.objects.get()
    assert (row.state, row.evidence_due) == ("needs_response", later)


def test_a_lost_payment_is_owed_again_and_a_bank_may_change_its_mind(
    cast: Cast, card: PaymentCard, stripe: StripeStandIn
) -> None:
    session = cast.book()
    dispute = opened(stripe, charged(session, card, "72.00"))
    lost = {"stripe": D("0.00"), "disputed": D("0.00"), "client_receivable": D("72.00")}
    won = {"stripe": D("72.00"), "disputed": D("0.00"), "client_receivable": D("0.00")}
    for count, (outcome, expected) in enumerate([("lost", lost), ("won", won), ("lost", lost), ("won", won)], 1):
        decided(stripe, dispute, outcome, count=count)
        hear(stripe, "charge.dispute.created", dispute)  # repeated, and late
        assert in_books() == expected, (count, outcome)
        assert session_balance(session).due == expected["client_receivable"]


def test_a_lost_dispute_of_a_payment_partly_given_back_asks_for_the_rest_only(
    cast: Cast, card: PaymentCard, stripe: StripeStandIn
) -> None:
    session = cast.book()
    payment = charged(session, card, "72.00")
    refunded(payment, "40.00")
    dispute = opened(stripe, payment)
    assert Dispute.objects.get().amount == D("32.00")
    decided(stripe, dispute, "lost")
    assert session_balance(session).due == D("32.00"), "the final cost, of which nothing is paid any more"


def test_a_refund_waits_while_the_bank_holds_the_payment(cast: Cast, card: PaymentCard, stripe: StripeStandIn) -> None:
    session = cast.book()
    payment = charged(session, card, "72.00")
    promised = Refund.objects.create(payment=payment, session=session, amount=D("40.00"))
    costs(session, "-40.00", why="final")
    dispute = opened(stripe, payment)
    give_refund.give(promised.pk)
    promised.refresh_from_db()
    assert promised.state == "created", "Stripe would refuse it"
    assert refunds.promise(session) == []

    decided(stripe, dispute, "won")
    give_refund.give(promised.pk)
    promised.refresh_from_db()
    assert promised.state == "succeeded"
    assert session_balance(session).booked == D("0.00")


def test_a_refund_that_waited_is_over_when_the_dispute_is_lost(
    cast: Cast, card: PaymentCard, stripe: StripeStandIn
) -> None:
    session = cast.book()
    payment = charged(session, card, "72.00")
    promised = Refund.objects.create(payment=payment, session=session, amount=D("40.00"))
    costs(session, "-40.00", why="final")
    decided(stripe, opened(stripe, payment), "lost")
    promised.refresh_from_db()
    assert promised.state == "failed"
    assert session_balance(session).due == D("32.00"), "the bank gave 72.00 back, and the session costs 32.00"


def test_an_inquiry_moves_no_money(cast: Cast, card: PaymentCard, stripe: StripeStandIn) -> None:
    payment = charged(cast.book(), card, "72.00")
    dispute = opened(stripe, payment, inquiry=True)
    assert Dispute.objects.get().state == "warning"
    decided(stripe, dispute, "warning_closed")
    assert Dispute.objects.get().state == "warning_closed"
    assert in_books()["stripe"] == D("72.00")


def test_news_of_a_dispute_may_overtake_the_payment_s_own_answer(
    cast: Cast, card: PaymentCard, stripe: StripeStandIn
) -> None:
    session = cast.book()
    costs(session, "72.00")
    payment = payments.create_confirmation_charge(session=session, amount=D("72.00"), card=card)
    stripe.fault("POST /v1/payment_intents", "timeout_after")
    tasks.charge(payment.pk)
    payment.refresh_from_db()
    assert (payment.state, payment.payment_intent_id) == ("unknown", None)
    (intent,) = stripe.call("GET", "payment_intents").json()["data"]
    stripe.order("POST", "disputes", {"payment_intent": intent["id"]}).raise_for_status()
    hear(stripe, "charge.dispute.created")
    payment.refresh_from_db()
    assert payment.state == "succeeded"
    assert in_books() == {"stripe": D("0.00"), "disputed": D("72.00"), "client_receivable": D("0.00")}


def test_a_dispute_of_a_payment_that_is_not_ours_is_left_alone(stripe: StripeStandIn, db: None) -> None:
    paid = stripe.call("POST", "payment_intents", amount="900", currency="usd", payment_method="pm_card_visa",
                       confirm="true").json()  # fmt: skip
    stripe.order("POST", "disputes", {"payment_intent": paid["id"]}).raise_for_status()
    hear(stripe, "charge.dispute.created")
    assert not Dispute.objects.exists()


# --- The answer -------------------------------------------------------------------------------------------------------


def test_the_evidence_is_what_our_records_have_and_little_about_health(
    cast: Cast, card: PaymentCard, stripe: StripeStandIn
) -> None:
    session = cast.book()
    earlier = charged(cast.book(days=-7), card, "20.00")
    payment = charged(session, card, "72.00")
    Email.objects.filter(kind="payment_receipt").update(state="sent", sent_at=payment.settled_at)
    opened(stripe, payment)
    row = Dispute.objects.get()
    evidence = dispute_evidence.gather(row)
    everything = " ".join(evidence.fields.values())
    consent = card.consents.get()
    for shown in (cast.ana.email, consent.text, consent.text_version, "Receipt e-mailed to ana@example.com", "$72.00",
                  "An earlier payment with the same card, not disputed: $20.00"):  # fmt: skip
        assert shown in everything, shown
    assert evidence.fields["service_date"] == f"{session.date:%B} {session.date.day}, {session.date.year}"
    for hidden in ("F41", "90837", "therap", "psych", "Cole", "Evergreen", "EV100"):
        assert hidden.lower() not in everything.lower(), hidden
    document = dispute_evidence.write(row, evidence)
    assert dispute_evidence.write(row, evidence) == document
    text = " ".join(page.extract_text() for page in PdfReader(BytesIO(document)).pages)
    assert row.dispute_id in text and "$72.00" in text
    assert earlier.pk != payment.pk


def test_the_answer_is_sent_once_with_its_document(cast: Cast, card: PaymentCard, stripe: StripeStandIn) -> None:
    dispute = opened(stripe, charged(cast.book(), card, "72.00"))
    row = stripe_account.send_evidence(Dispute.objects.get())
    assert (row.state, row.evidence_sent_at is not None) == ("under_review", True)
    at_bank = stripe.call("GET", f"disputes/{dispute}").json()
    assert at_bank["evidence_details"]["submission_count"] == 1
    given = {name: text for name, text in at_bank["evidence"].items() if text}
    assert given == row.evidence
    assert given["uncategorized_file"].startswith("file_")
    with pytest.raises(NotAnswered, match="does not wait"):
        stripe_account.send_evidence(row)


def test_an_answer_without_an_answer_is_repeated_and_sent_once(
    cast: Cast, card: PaymentCard, stripe: StripeStandIn
) -> None:
    dispute = opened(stripe, charged(cast.book(), card, "72.00"))
    stripe.fault("POST /v1/disputes/*", "timeout_after")
    with pytest.raises(StripeUnavailable, match="nothing is sent twice"):
        stripe_account.send_evidence(Dispute.objects.get())
    row = Dispute.objects.get()
    assert (row.state, row.evidence_sent_at) == ("needs_response", None)
    assert stripe_account.send_evidence(row).state == "under_review"
    assert stripe.call("GET", f"disputes/{dispute}").json()["evidence_details"]["submission_count"] == 1


# --- Early fraud warnings ---------------------------------------------------------------------------------------------


def warned(cast: Cast, stripe: StripeStandIn) -> FraudWarning:
    save_card(cast.ana, "pm_card_createIssuerFraudRecord")
    charged(cast.book(), cast.ana.cards.get(), "72.00")
    hear(stripe, "radar.early_fraud_warning.created")
    return FraudWarning.objects.get()


def test_a_warned_payment_is_given_back_and_its_session_owed(cast: Cast, stripe: StripeStandIn) -> None:
    warning = warned(cast, stripe)
    assert (warning.kind, warning.actionable) == ("made_with_stolen_card", True)
    (refund,) = disputes.refund_warned(warning, note="She does not know the card")
    tasks.give(refund.pk)
    refund.refresh_from_db()
    assert (refund.state, refund.amount) == ("succeeded", D("72.00"))
    assert session_balance(refund.session).due == D("72.00")
    with pytest.raises(NothingToDecide):
        disputes.refund_warned(warning, note="again")
    assert Refund.objects.count() == 1


def test_a_warning_may_be_left_and_one_come_too_late_is_not_refunded(cast: Cast, stripe: StripeStandIn) -> None:
    warning = warned(cast, stripe)
    opened(stripe, warning.payment)
    with pytest.raises(NothingToDecide, match="Answer the dispute"):
        disputes.refund_warned(warning, note="too late")
    disputes.leave_warned(warning, note="The client wrote that it is hers")
    warning.refresh_from_db()
    assert warning.handled_at is not None
    assert not Refund.objects.exists()


def test_what_no_webhook_told_of_is_found_by_looking(cast: Cast, card: PaymentCard, stripe: StripeStandIn) -> None:
    payment = charged(cast.book(), card, "72.00")
    stripe.fault("charge.dispute.*", "drop_webhook", 5)
    stripe.order("POST", "disputes", {"payment_intent": payment.payment_intent_id}).raise_for_status()
    stripe.order("POST", "warnings", {"payment_intent": payment.payment_intent_id}).raise_for_status()
    stripe_account.look_for_news(payment.created_at - timedelta(hours=1))
    row = Dispute.objects.get()
    assert row.state == "needs_response"
    assert FraudWarning.objects.get().actionable is False, "it is disputed already"
    stripe.order("PUT", "disputes", {"dispute": row.dispute_id, "outcome": "lost"}).raise_for_status()
    stripe_account.look_for_news(payment.created_at + timedelta(hours=1))
    row.refresh_from_db()
    assert row.state == "lost", "one that is open is asked about whatever its age"


def test_the_outcome_of_sending_nowhere_is_unknown(db: None) -> None:
    with pytest.raises(OutcomeUnknown):
        account().dispute("dp_none")
