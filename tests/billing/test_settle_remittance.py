"""From the insurers' remittances to the final cost: refund, balance due, pause, and news that comes twice or wrong."""

from dataclasses import replace
from decimal import Decimal

import pytest

from billing.flows import confirm_session
from billing.flows.exchange_claims import read
from billing.flows.settle_remittance import settle_what_is_left
from billing.gateways.results import ChargeResult, ChargeState
from billing.ledger.models import Entry
from billing.ledger.posting import Book, balance
from billing.models import Payment, Refund, SessionCost
from billing.services import costs, payments
from billing.services.balances import session_balance
from care.models import Session
from insurance.models import AccountPause, Adjudication, Claim, EdiFile, Remittance
from insurance.services import exchange, remittances
from insurance.services.claim_content import content_of
from insurance.x12 import x837p
from notifications.models import Email
from tests.cast import Cast, card
from tests.remittance_files import adjustments, payment, received, result

D = Decimal

EVERGREEN_SAYS = adjustments(("CO", "45", "60.00"), ("PR", "1", "50.00"), ("PR", "2", "22.00"))
HARBOR_SAYS = adjustments(("OA", "23", "148.00"), ("CO", "45", "10.00"), ("PR", "1", "32.00"))


@pytest.fixture
def session(cast: Cast) -> Session:
    """Confirmed, charged $72.00 with success, and claimed to Evergreen."""
    card(cast.ana)
    session = cast.book()
    confirm_session.confirm(session)
    charge = Payment.objects.get()
    Payment.objects.filter(pk=charge.pk).update(state="submitted")
    payments.record_outcome(
        payment=charge, result=ChargeResult(state=ChargeState.SUCCEEDED, payment_intent="pi_1", amount=D("72.00"))
    )
    exchange.build_batches()
    return session


def claim(session: Session, rank: int) -> Claim:
    return session.claims.select_related("coverage__payer").exclude(submission="replaced").get(rank=rank)


def cost(session: Session) -> SessionCost:
    found = costs.current_cost(session)
    assert found is not None
    return found


def primary_answers(session: Session) -> None:
    first = claim(session, 1)
    read(received(payment(first, result(first, paid="88.00", why=EVERGREEN_SAYS)), number=11))


def secondary_answers(session: Session) -> None:
    second = claim(session, 2)
    read(received(payment(second, result(second, paid="30.00", why=HARBOR_SAYS)), number=12))


def test_after_the_primary_nothing_moves_but_the_next_claim(session: Session) -> None:
    primary_answers(session)
    now = cost(session)
    assert (now.amount, now.basis, now.reason) == (D("72.00"), "after_primary", "primary_processed")
    assert claim(session, 1).decision == "paid"
    assert claim(session, 2).submission == "ready"
    assert balance(Book.BANK) == D("88.00")
    assert not Refund.objects.exists()
    assert not Email.objects.filter(kind__in=["pay_now", "refund_promised"]).exists()


def test_the_secondary_claim_carries_the_primary_s_word(session: Session) -> None:
    primary_answers(session)
    second = claim(session, 2)
    content = content_of(second)
    (other,) = content.other_payers
    assert (content.rank, content.payer.identifier, other.rank, other.payer.identifier) == ("S", "HARB1", "P", "EVGR1")
    assert other.paid == D("88.00")
    assert x837p.client_responsibility(content, other) == D("72.00")
    assert {(a.group, a.code, a.amount) for a in content.lines[0].prior[0].adjustments} == {
        ("CO", "45", D("60.00")),
        ("PR", "1", D("50.00")),
        ("PR", "2", D("22.00")),
    }
    (file,) = exchange.build_batches()
    assert file.payer == second.coverage.payer


def test_after_both_the_difference_is_promised_back(session: Session) -> None:
    primary_answers(session)
    exchange.build_batches()
    secondary_answers(session)
    now = cost(session)
    assert (now.amount, now.basis, now.reason) == (D("32.00"), "final", "secondary_processed")
    assert now.breakdown["sentence"] == "Harbor Mutual has processed this session. Your final cost is $32.00."
    (refund,) = Refund.objects.all()
    assert (refund.amount, refund.payment.amount) == (D("40.00"), D("72.00"))
    assert Email.objects.filter(kind="refund_promised").count() == 1
    assert session_balance(session).to_refund == D("0.00")
    assert balance(Book.INSURER_RECEIVABLE, session=session) == D("0.00")
    assert balance(Book.INSURER_VARIANCE, session=session) == D("10.00")


def test_a_dearer_final_cost_becomes_a_balance_with_one_mail(session: Session, cast: Cast) -> None:
    first = claim(session, 1)
    says = adjustments(("CO", "45", "60.00"), ("PR", "1", "150.00"))
    read(received(payment(first, result(first, paid="10.00", why=says)), number=11))
    exchange.build_batches()
    second = claim(session, 2)
    says = adjustments(("OA", "23", "70.00"), ("CO", "45", "10.00"), ("PR", "1", "140.00"))
    read(received(payment(second, result(second, paid="0.00", why=says)), number=12))
    assert cost(session).amount == D("140.00")
    assert session_balance(session).due == D("68.00")
    mail = Email.objects.get(kind="pay_now")
    assert mail.to == cast.ana.email
    assert "$68.00" in mail.text
    assert "/appointments/past/" in mail.text


def test_nothing_left_after_the_primary_ends_the_sequence(session: Session) -> None:
    first = claim(session, 1)
    says = adjustments(("CO", "45", "60.00"))
    read(received(payment(first, result(first, paid="160.00", why=says)), number=11))
    assert claim(session, 2).submission == "not_needed"
    assert claim(session, 2).reason == "Nothing was left to pay after Evergreen Health."
    assert (cost(session).basis, cost(session).amount) == ("final", D("0.00"))
    assert Refund.objects.get().amount == D("72.00")


def test_a_claim_the_insurer_sent_on_itself_is_not_sent_again(session: Session) -> None:
    first = claim(session, 1)
    read(received(payment(first, result(first, paid="88.00", why=EVERGREEN_SAYS, status="19")), number=11))
    assert claim(session, 2).submission == "accepted"
    assert exchange.build_batches() == []


def test_the_same_file_and_the_same_payment_are_posted_once(session: Session) -> None:
    first = claim(session, 1)
    said = payment(first, result(first, paid="88.00", why=EVERGREEN_SAYS))
    read(received(said, number=11))
    entries = Entry.objects.count()
    read(received(said, number=99))  # other bytes, the same payment
    assert Remittance.objects.count() == 1
    assert Entry.objects.count() == entries
    assert "was recorded before" in EdiFile.objects.order_by("pk").last().findings[-1]["message"]  # type: ignore[union-attr]


def test_a_payment_off_by_a_cent_is_set_aside_whole(session: Session) -> None:
    first = claim(session, 1)
    file = received(payment(first, result(first, paid="88.00", why=EVERGREEN_SAYS), off_by="0.01"), number=11)
    read(file)
    file.refresh_from_db()
    assert file.state == "quarantined"
    assert "0.01" in file.findings[0]["message"]
    assert not Remittance.objects.exists()
    assert claim(session, 1).decision == "none"


def test_money_for_a_claim_that_is_not_ours_waits_in_suspense(session: Session) -> None:
    first = claim(session, 1)
    stranger = replace(result(first, paid="88.00", why=EVERGREEN_SAYS), control_number="SOMEBODYELSE")
    read(received(payment(first, stranger), number=11))
    assert Adjudication.objects.get().claim is None
    assert balance(Book.INSURER_SUSPENSE) == D("-88.00")
    assert cost(session).basis == "estimate"


def test_a_worker_that_died_before_posting_is_made_good(session: Session) -> None:
    first = claim(session, 1)
    remittances.record(received(payment(first, result(first, paid="88.00", why=EVERGREEN_SAYS)), number=11))
    assert cost(session).basis == "estimate"
    settle_what_is_left()
    settle_what_is_left()
    assert cost(session).basis == "after_primary"
    assert balance(Book.BANK) == D("88.00")


COB = adjustments(("CO", "22", "220.00"))


def test_carc_22_with_n197_pauses_the_account_once(session: Session, cast: Cast) -> None:
    first = claim(session, 1)
    refused = result(first, paid="0.00", why=COB, status="1", remarks=("N197",))
    read(received(payment(first, refused, trace="A"), number=11))
    read(received(payment(first, refused, trace="B"), number=12))
    cast.ana.refresh_from_db()
    pause = AccountPause.objects.get()
    assert (pause.coverage, pause.evidence_codes) == (cast.own_plan, "CO-22 N197")
    assert cast.ana.paused_since == pause.opened_at
    assert claim(session, 1).decision == "cob"
    assert claim(session, 2).submission == "held"
    assert cost(session).basis == "estimate"
    mail = Email.objects.get(kind="account_paused")
    assert "800-555-0111" in mail.text
    assert not Email.objects.filter(kind="pay_now").exists()


def test_a_plain_denial_waits_for_a_person_and_asks_nothing_of_the_client(session: Session) -> None:
    first = claim(session, 1)
    denied = result(first, paid="0.00", why=adjustments(("CO", "197", "220.00")), status="4")
    read(received(payment(first, denied), number=11))
    assert claim(session, 1).decision == "denied"
    assert claim(session, 2).submission == "waiting"
    assert not AccountPause.objects.exists()
    assert not Email.objects.filter(kind__in=["pay_now", "account_paused"]).exists()
