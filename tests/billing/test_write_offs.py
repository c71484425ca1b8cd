"""Support may stop asking for a balance, and take that back; the final cost stays what it is."""

from decimal import Decimal

import pytest

from billing.flows import confirm_session, void_session
from billing.gateways.results import ChargeResult, ChargeState
from billing.ledger.posting import Book, balance
from billing.models import Payment, Refund, WriteOff
from billing.services import books, payments, refunds, write_offs
from billing.services.balances import booked_cost, session_balance
from billing.services.write_offs import NothingToTakeBack
from care.models import Session
from common.errors import BadInput
from insurance.x12 import x835
from notifications.models import Email
from tests.billing.answers import claim, cost, evergreen, harbor, told
from tests.cast import Cast, card
from tests.remittance_files import adjustments

D = Decimal


@pytest.fixture
def session(cast: Cast) -> Session:
    """Confirmed with nobody's card on file: 72.00 are due."""
    session = cast.book()
    confirm_session.confirm(session)
    return session


def write(session: Session, amount: str, cast: Cast, note: str = "She called.") -> WriteOff:
    return write_offs.write_off(session, D(amount), reason="hardship", note=note, by=cast.fay)


def paid(session: Session, cast: Cast, amount: str) -> None:
    attempt = payments.begin_pay_now(client=cast.ana, card=card(cast.ana))
    assert attempt.amount == D(amount)
    Payment.objects.filter(pk=attempt.pk).update(state="submitted")
    said = ChargeResult(state=ChargeState.SUCCEEDED, payment_intent="pi_1", amount=attempt.amount)
    payments.record_outcome(payment=attempt, result=said)


def said_nothing(session: Session) -> x835.RemittedClaim:
    return harbor(session, "0.00", adjustments(("OA", "23", "190.00"), ("PR", "1", "30.00")))


def healthy() -> bool:
    return [(each.check.name, each.examples) for each in books.run() if each.violations] == []


def test_a_part_is_not_asked_for_and_the_cost_stays(session: Session, cast: Cast) -> None:
    row = write(session, "50.00", cast)
    assert (row.reason, row.note, row.by) == ("hardship", "She called.", cast.fay)
    assert session_balance(session).due == D("22.00")
    assert balance(Book.CLIENT_WRITE_OFF, session=session) == D("50.00")
    assert booked_cost(session) == D("72.00")
    assert write_offs.in_force(session) == D("50.00")
    assert healthy()


@pytest.mark.parametrize(
    ("amount", "reason", "note", "where"),
    [
        ("72.01", "small", "Too much.", "amount"),
        ("0.00", "small", "Nothing.", "amount"),
        ("-5.00", "small", "Less.", "amount"),
        ("0.005", "small", "Half a cent.", "amount"),
        ("5.00", "small", "  ", "note"),
        ("5.00", "", "Why?", "reason"),
        ("5.00", "taken_back", "Not by this door.", "reason"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(
    session: Session, cast: Cast, amount: str, reason: str, note: str, where: str
) -> None:
    with pytest.raises(BadInput) as refused:
        write_offs.write_off(session, D(amount), reason=reason, note=note, by=cast.fay)
    assert refused.value.where == where
    assert session_balance(session).due == D("72.00")


def test_never_more_than_is_due_in_all(session: Session, cast: Cast) -> None:
    write(session, "70.00", cast)
    with pytest.raises(BadInput, match=r"\$2\.00"):
        write(session, "2.01", cast)


def test_what_is_being_paid_is_not_written_off(cast: Cast) -> None:
    card(cast.ana)
    session = cast.book()
    confirm_session.confirm(session)
    with pytest.raises(BadInput, match=r"\$0\.00"):
        write(session, "1.00", cast)


def test_it_is_taken_back_once_and_asked_for_again(session: Session, cast: Cast) -> None:
    row = write(session, "50.00", cast)
    taken = write_offs.take_back(row, note="The wrong client.", by=cast.fay)
    assert (taken.amount, taken.reason, taken.takes_back) == (D("-50.00"), "taken_back", row)
    assert session_balance(session).due == D("72.00")
    mail = Email.objects.get(key=f"pay_now:write_off:{taken.pk}")
    assert "$72.00" in mail.text
    with pytest.raises(NothingToTakeBack):
        write_offs.take_back(row, note="Again.", by=cast.fay)
    with pytest.raises(NothingToTakeBack):
        write_offs.take_back(taken, note="The taking back.", by=cast.fay)
    assert balance(Book.CLIENT_WRITE_OFF) == D("0.00")
    assert healthy()


def test_when_the_session_costs_less_the_write_off_shrinks_before_money_goes_back(session: Session, cast: Cast) -> None:
    """72.00 due, 50.00 paid, 22.00 written off. It costs 30.00: 20.00 go back, and nothing is written off."""
    row = write(session, "22.00", cast)
    paid(session, cast, "50.00")
    told(claim(session, 1), evergreen(session, "130.00", adjustments(("CO", "45", "60.00"), ("PR", "2", "30.00"))))
    told(claim(session, 2), said_nothing(session))
    assert cost(session) == (D("30.00"), "final")
    assert write_offs.left_of(row) == D("0.00")
    assert Refund.objects.get().amount == D("20.00")
    assert healthy()


def test_what_was_never_paid_is_never_given_back(session: Session, cast: Cast) -> None:
    row = write(session, "72.00", cast)
    told(claim(session, 1), evergreen(session, "130.00", adjustments(("CO", "45", "60.00"), ("PR", "2", "30.00"))))
    told(claim(session, 2), said_nothing(session))
    assert cost(session) == (D("30.00"), "final")
    assert write_offs.left_of(row) == D("30.00")
    assert not Refund.objects.exists()
    now = session_balance(session)
    assert (now.due, now.to_refund) == (D("0.00"), D("0.00"))
    assert refunds.promise(session) == []
    assert WriteOff.objects.count() == 2, "what shrank once shrinks no more"
    assert healthy()


@pytest.mark.parametrize("is_paid", [True, False])
def test_of_a_voided_session_nothing_stays_written_off_and_all_that_was_paid_comes_back(
    session: Session, cast: Cast, is_paid: bool
) -> None:
    row = write(session, "20.00", cast)
    if is_paid:
        paid(session, cast, "52.00")
    void_session.void(session, reason="It did not take place.", by=cast.fay)
    back = [D("52.00")] if is_paid else []
    assert [refund.amount for refund in Refund.objects.all()] == back
    assert balance(Book.CLIENT_RECEIVABLE, session=session) == -sum(back, D("0.00"))
    assert balance(Book.CLIENT_WRITE_OFF, session=session) == write_offs.in_force(session) == D("0.00")
    with pytest.raises(NothingToTakeBack):
        write_offs.take_back(row, note="After all.", by=cast.fay)
    assert healthy()
