"""Support voids a confirmed session: what it earned, cost and claimed is taken back, wherever it stands."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.domain import statements as rules
from billing.flows import confirm_session, void_session
from billing.flows.void_session import NotConfirmed
from billing.ledger.posting import Book, balance, balances_by_payer
from billing.models import EarningAdjustment, Payment, ProviderEarning, Refund
from billing.services import books, earnings, payment_plans, statements
from billing.services.earnings import NothingToAdjust
from care.models import ProcedureLine, Session, StandardCharge
from common import clock
from common.errors import BadInput
from insurance.models import Claim, FeeSchedule
from insurance.services import exchange, rework
from insurance.x12 import validate
from notifications.models import Email
from people.models import Licence
from tests import cast as people
from tests.billing.answers import HARBOR_SAYS, claim, confirmed, cost, evergreen, harbor, reversal, told
from tests.cast import LONG_AGO, Cast, money
from tests.remittance_files import result

D = Decimal


@pytest.fixture(autouse=True)
def _no_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "findings", lambda raw: [])  # slow, and tested where claims are written


def booked(session: Session) -> dict[str, Decimal]:
    """What the books hold of a session, accounts at zero left out."""
    accounts = [Book.CLIENT_RECEIVABLE, Book.INSURER_RECEIVABLE, Book.SESSION_REVENUE, Book.INSURER_VARIANCE,
                Book.PROVIDER_COST, Book.PROVIDER_PAYABLE]  # fmt: skip
    return {book.value: total for book in accounts if (total := balance(book, session=session))}


def broken() -> list[str]:
    return [f"{each.check.name}: {each.examples}" for each in books.run() if each.violations]


def claims(session: Session) -> list[tuple[int, str, str, str]]:
    return list(session.claims.order_by("pk").values_list("rank", "frequency", "submission", "decision"))


# --- Earnings ---------------------------------------------------------------------------------------------------------


def test_the_first_plans_rate_for_licence_procedure_and_day(cast: Cast) -> None:
    people.card(cast.ana)
    today = clock.today()
    FeeSchedule.objects.filter(payer=cast.evergreen, licence=Licence.DOCTORAL).update(ends_on=today)
    FeeSchedule.objects.filter(payer=cast.evergreen, licence=Licence.MASTERS).update(rate=money("120.00"))
    FeeSchedule.objects.create(
        payer=cast.evergreen, licence=Licence.DOCTORAL, cpt="90834", rate=money("111.00"), begins_on=LONG_AGO
    )
    StandardCharge.objects.create(cpt="90834", effective_from=LONG_AGO, amount=money("180.00"))
    long, short = cast.book(days=-1), cast.book(days=-2, cpt="90834")
    for session in (long, short):
        confirm_session.confirm(session)
    assert dict(ProviderEarning.objects.values_list("session", "amount")) == {
        long.pk: D("160.00"),
        short.pk: D("111.00"),
    }
    assert set(ProviderEarning.objects.values_list("coverage", flat=True)) == {cast.own_plan.pk}


def test_the_second_plan_never_touches_it(cast: Cast) -> None:
    people.card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    told(claim(session, 2), harbor(session))
    assert cost(session) == (D("32.00"), "final")
    assert earnings.earned(session) == D("160.00")
    assert balance(Book.PROVIDER_PAYABLE, session=session) == D("-160.00")
    assert not EarningAdjustment.objects.exists()


def test_a_corrected_contract_is_followed_by_a_line_of_its_own(cast: Cast) -> None:
    session = cast.book(days=-1)
    confirm_session.confirm(session)
    earning = ProviderEarning.objects.get()
    with pytest.raises(NothingToAdjust, match=r"\$160\.00"):
        earnings.follow_the_rate(earning, by=cast.fay, note="Contract amended")
    FeeSchedule.objects.filter(payer=cast.harbor).update(rate=money("10.00"))  # not the plan it was confirmed under
    FeeSchedule.objects.filter(payer=cast.evergreen).update(rate=money("172.50"))
    line = earnings.follow_the_rate(earning, by=cast.fay, note="Contract amended")
    assert (line.amount, line.reason, line.note, line.by) == (D("12.50"), "rate", "Contract amended", cast.fay)
    assert ProviderEarning.objects.get().amount == D("160.00")
    assert earnings.earned(session) == D("172.50")
    assert balance(Book.PROVIDER_PAYABLE, session=session) == D("-172.50")
    with pytest.raises(NothingToAdjust):
        earnings.follow_the_rate(earning, by=cast.fay, note="Again")
    assert broken() == []


def test_a_session_whose_procedure_was_corrected(cast: Cast) -> None:
    session = cast.book(days=-1)
    confirm_session.confirm(session)
    FeeSchedule.objects.create(
        payer=cast.evergreen, licence=Licence.DOCTORAL, cpt="90834", rate=money("111.00"), begins_on=LONG_AGO
    )
    ProcedureLine.objects.filter(session=session).update(cpt="90834")
    line = earnings.follow_the_rate(ProviderEarning.objects.get(), by=cast.fay, note="It was 45 minutes")
    assert (line.amount, earnings.earned(session)) == (D("-49.00"), D("111.00"))


def test_never_more_is_taken_back_than_was_earned(cast: Cast) -> None:
    session = cast.book(days=-1)
    with pytest.raises(NothingToAdjust):
        earnings.adjust(session, D("-1.00"), reason="other")
    confirm_session.confirm(session)
    with pytest.raises(BadInput):
        earnings.adjust(session, D("-160.01"), reason="other")
    assert earnings.earned(session) == D("160.00")


# --- Voided -----------------------------------------------------------------------------------------------------------


def test_voided_before_anybody_answered(cast: Cast) -> None:
    """Confirmed, charged 72.00, its claim in a batch: the claim is taken back as soon as it has a number."""
    people.card(cast.ana)
    session = confirmed(cast)
    voided = void_session.void(session, reason="  Entered for the wrong\nclient ", by=cast.fay)
    assert (voided.status, voided.confirmed_at) == ("cancelled", None)
    assert cost(session) == (D("0.00"), "final")
    assert [(each.amount, each.state) for each in Refund.objects.all()] == [(D("72.00"), "created")]
    assert booked(session) == {"client_receivable": D("-72.00")}  # until Stripe has processed the refund
    line = EarningAdjustment.objects.get()
    assert (line.amount, line.reason, line.note) == (D("-160.00"), "voided", "Entered for the wrong client")
    assert earnings.earned(session) == D("0.00")
    assert claims(session) == [
        (1, "1", "replaced", "none"),
        (2, "1", "not_needed", "none"),
        (1, "8", "waiting", "none"),
    ]
    assert broken() == []


def test_the_client_and_the_provider_are_told_the_least(cast: Cast) -> None:
    people.card(cast.ana)
    session = confirmed(cast)
    void_session.void(session, reason="Diagnosed with something else", by=cast.fay)
    to_ana = Email.objects.get(key=f"session_voided:{session.pk}:client")
    to_cole = Email.objects.get(key=f"session_voided:{session.pk}:provider")
    assert "$72.00" in to_ana.text and "Diagnosed" not in to_ana.text + to_ana.html
    assert "$160.00" in to_cole.text and "A. R." in to_cole.text
    assert "Diagnosed" not in to_cole.text + to_cole.html and "Rivera" not in to_cole.text


def test_voided_after_both_plans_paid(cast: Cast) -> None:
    """Final 32.00 of 72.00, 40.00 promised back; then the other 32.00 go back too, and 118.00 are owed to insurers."""
    people.card(cast.ana)
    session = confirmed(cast)
    first_answer = evergreen(session)
    told(claim(session, 1), first_answer)
    exchange.build_batches()
    second_answer = harbor(session)
    told(claim(session, 2), second_answer)
    first, second = claim(session, 1), claim(session, 2)
    void_session.void(session, reason="It did not take place", by=cast.fay)
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [D("32.00"), D("40.00")]
    assert booked(session) == {"client_receivable": D("-72.00"), "insurer_receivable": D("-118.00")}
    owed_back = balances_by_payer(Book.INSURER_RECEIVABLE, session=session)
    assert owed_back == {cast.evergreen.pk: D("-88.00"), cast.harbor.pk: D("-30.00")}
    assert claims(session) == [
        (1, "1", "replaced", "paid"),
        (2, "1", "replaced", "paid"),
        (1, "8", "ready", "none"),
        (2, "8", "ready", "none"),
    ]
    assert list(
        session.claims.filter(frequency="8").order_by("rank").values_list("payer_control_number", flat=True)
    ) == [
        f"ICN{first.pk}",
        f"ICN{second.pk}",
    ]
    assert broken() == []

    # The insurers' reversals bring the books to nothing, and change nothing else.
    told(first, reversal(first_answer))
    told(second, reversal(second_answer))
    assert booked(session) == {"client_receivable": D("-72.00")}
    assert (cost(session), earnings.earned(session)) == ((D("0.00"), "final"), D("0.00"))
    assert Refund.objects.count() == 2
    assert broken() == []


def test_a_late_answer_is_booked_and_nothing_follows_from_it(cast: Cast) -> None:
    people.card(cast.ana)
    session = confirmed(cast)
    first = claim(session, 1)
    answer = evergreen(session)
    void_session.void(session, reason="It did not take place", by=cast.fay)
    told(first, answer)
    assert booked(session)["insurer_receivable"] == D("-88.00")  # owed back to Evergreen
    assert cost(session) == (D("0.00"), "final")
    rework.go_on_with_voids()
    assert session.claims.get(frequency="8").submission == "ready"  # its number is known now
    told(first, reversal(answer))
    assert booked(session) == {"client_receivable": D("-72.00")}
    assert broken() == []


def test_a_charge_that_was_not_sent_is_not_made(cast: Cast) -> None:
    people.card(cast.ana)
    session = cast.book()
    confirm_session.confirm(session)
    void_session.void(session, reason="It did not take place", by=cast.fay)
    assert [(each.state, each.message) for each in Payment.objects.all()] == [("failed", "The session was voided.")]
    assert not Refund.objects.exists()
    assert claims(session)[0][2:] == ("not_needed", "none")
    assert booked(session) == {}
    assert "You were not charged for it" in Email.objects.get(kind="session_voided").text
    assert exchange.build_batches() == []


def test_a_denied_claim_is_closed_and_one_from_another_insurer_is_for_a_person(cast: Cast) -> None:
    people.card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    # Harbor got the claim from Evergreen itself and has paid it.
    crossed = claim(session, 2)
    told(crossed, result(crossed, paid="30.00", why=HARBOR_SAYS))
    assert claim(session, 2).file_id is None
    void_session.void(session, reason="It did not take place", by=cast.fay)
    assert claims(session)[1][2] == "not_needed"
    assert "Please ask Harbor Mutual" in crossed.events.get(kind=rework.FOR_A_PERSON).text
    assert Claim.objects.filter(session=session, frequency="8").count() == 1
    assert broken() == []


def test_voiding_is_refused_where_there_is_nothing_to_void(cast: Cast) -> None:
    people.card(cast.ana)
    session = cast.book()
    with pytest.raises(NotConfirmed):
        void_session.void(session, reason="No", by=cast.fay)
    confirm_session.confirm(session)
    with pytest.raises(BadInput):
        void_session.void(session, reason="   ", by=cast.fay)
    void_session.void(session, reason="It did not take place", by=cast.fay)
    with pytest.raises(NotConfirmed):
        void_session.void(session, reason="Again", by=cast.fay)
    assert EarningAdjustment.objects.count() == 1


def test_the_session_as_it_should_have_been_is_booked_and_confirmed_anew(cast: Cast) -> None:
    people.card(cast.ana)
    session = cast.book()
    confirm_session.confirm(session)
    void_session.void(session, reason="Wrong details", by=cast.fay)
    again = cast.book()  # the same moment is free again
    confirm_session.confirm(again)
    assert (earnings.earned(session), earnings.earned(again)) == (D("0.00"), D("160.00"))
    assert cost(again) == (D("72.00"), "estimate")
    assert broken() == []


# --- What the client has beside it ------------------------------------------------------------------------------------


def test_a_payment_plan_for_it_alone_is_over(cast: Cast) -> None:
    session = cast.book(days=-1)
    confirm_session.confirm(session)
    people.card(cast.ana)
    plan = payment_plans.agree(cast.ana, shown=D("72.00"))
    void_session.void(session, reason="It did not take place.", by=cast.fay)
    plan.refresh_from_db()
    assert plan.state == "done"
    assert Payment.objects.get().state == "failed"


def test_the_statement_says_that_it_was_taken_back(cast: Cast) -> None:
    session = cast.book(days=-1)
    confirm_session.confirm(session)
    void_session.void(session, reason="It did not take place.", by=cast.fay)
    month = rules.month_of(clock.today())
    with clock.as_of(clock.now() + timedelta(days=40)):
        rows = statements.issue(cast.ana.pk, month).content["rows"]
    assert [(row["what"], row["note"], row["amount"]) for row in rows] == [
        ("Your share of a session", "An estimate: your plans had not answered yet.", "72.00"),
        ("A session was taken back", "It was confirmed by mistake and costs you nothing.", "-72.00"),
    ]
