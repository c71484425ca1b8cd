"""Insurers' answers in any order, twice, late, taken back or wrong: no claim goes out twice, no money is lost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from billing.flows import confirm_session, exchange_claims, settle_remittance
from billing.flows.exchange_claims import read
from billing.flows.settle_remittance import settle_what_is_left
from billing.ledger.posting import Book, balance
from billing.models import Refund, SessionCost
from billing.services import books, costs
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from insurance.models import AccountPause, Adjudication, Claim, Coverage, Credential, EdiFile, ProviderAdjustment
from insurance.services import claims, exchange, pauses, plan_order, remittances
from insurance.services.claim_content import content_of
from insurance.x12 import validate, x835
from notifications.models import Email
from tests.billing.answers import EVERGREEN_SAYS, claim, confirmed, cost, evergreen, harbor, reversal, told
from tests.cast import Cast, card, payer, provider
from tests.remittance_files import adjustments, payment, received, result

D = Decimal

COB = adjustments(("CO", "22", "220.00"))


@pytest.fixture
def session(cast: Cast) -> Session:
    card(cast.ana)
    return confirmed(cast)


@pytest.fixture(autouse=True)
def _books_hold(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After every test of this page all invariants of the books hold, and nothing recorded is left unposted."""
    monkeypatch.setattr(validate, "findings", lambda raw: [])  # slow, and tested where claims are written
    yield
    assert [(outcome.check.name, outcome.examples) for outcome in books.run() if outcome.violations] == []
    assert not Adjudication.objects.filter(posted_at=None).exists()


# Order


def test_the_secondary_s_answer_before_the_primary_s_waits_for_it_and_is_never_asked_for_again(
    session: Session,
) -> None:
    told(claim(session, 2), harbor(session))
    assert cost(session) == (D("72.00"), "estimate")
    assert claim(session, 2).submission == "accepted"
    told(claim(session, 1), evergreen(session))
    assert cost(session) == (D("32.00"), "final")
    assert exchange.build_batches() == []
    assert Refund.objects.get().amount == D("40.00")


def test_a_second_payment_of_the_primary_s_claim_does_not_end_the_wait_for_the_secondary(session: Session) -> None:
    said = evergreen(session)
    told(claim(session, 1), said)
    exchange.build_batches()
    told(claim(session, 1), said)
    assert cost(session) == (D("72.00"), "after_primary")
    assert not Refund.objects.exists()
    told(claim(session, 2), harbor(session))
    assert cost(session) == (D("32.00"), "final")


def test_a_payment_twice_after_the_final_cost_is_our_variance_not_the_client_s_money(session: Session) -> None:
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    said = harbor(session)
    told(claim(session, 2), said)
    told(claim(session, 2), said)
    assert cost(session) == (D("32.00"), "final")
    assert Refund.objects.get().amount == D("40.00")
    assert balance(Book.INSURER_RECEIVABLE, session=session) == D("0.00")
    assert balance(Book.INSURER_VARIANCE, session=session) == D("-20.00")
    assert SessionCost.objects.filter(session=session, basis="final").count() == 1


def test_a_refusal_as_duplicate_leaves_the_decision_that_was_there(session: Session) -> None:
    told(claim(session, 1), evergreen(session))
    told(claim(session, 1), evergreen(session, "0.00", adjustments(("OA", "18", "220.00"))))
    assert claim(session, 1).decision == "paid"
    assert claim(session, 2).submission == "ready"
    assert cost(session) == (D("72.00"), "after_primary")


# Reversal and correction


def test_a_reversal_and_its_correction_settle_the_difference(session: Session) -> None:
    first = evergreen(session)
    told(claim(session, 1), first)
    exchange.build_batches()
    told(claim(session, 2), harbor(session))
    corrected = evergreen(session, "140.00", adjustments(("CO", "45", "60.00"), ("PR", "2", "20.00")))
    told(claim(session, 1), reversal(first))
    assert claim(session, 1).decision == "reversed"
    assert cost(session) == (D("32.00"), "final"), "it stays until the corrected answer comes"
    before = claim(session, 2)
    told(claim(session, 1), corrected)
    assert cost(session) == (D("20.00"), "after_primary"), "Harbor decided by what was taken back: it is asked again"
    exchange.build_batches()
    taken_back = replace(reversal(harbor(session)), control_number=before.control_number)
    rest = harbor(session, "0.00", adjustments(("OA", "23", "200.00"), ("PR", "1", "20.00")))
    told(claim(session, 2), taken_back, rest)
    assert cost(session) == (D("20.00"), "final")
    assert sorted(refund.amount for refund in Refund.objects.all()) == [D("12.00"), D("40.00")]


@pytest.mark.parametrize("order", ["correction first", "one file"])
def test_a_correction_may_overtake_its_reversal(session: Session, order: str) -> None:
    first = evergreen(session)
    told(claim(session, 1), first)
    corrected = evergreen(session, "140.00", adjustments(("CO", "45", "60.00"), ("PR", "2", "20.00")))
    if order == "one file":
        told(claim(session, 1), reversal(first), corrected)
    else:
        told(claim(session, 1), corrected)
        told(claim(session, 1), reversal(first))
    assert claim(session, 1).decision == "paid"
    assert cost(session) == (D("20.00"), "after_primary")
    assert claim(session, 2).submission == "ready"


def test_a_reversal_that_comes_before_anything_else_takes_back_what_it_fits(session: Session) -> None:
    first = evergreen(session)
    told(claim(session, 1), reversal(first))
    assert claim(session, 1).decision == "reversed"
    told(claim(session, 1), first)
    assert claim(session, 1).decision == "reversed"
    assert cost(session) == (D("72.00"), "estimate")
    assert balance(Book.BANK) == D("0.00")
    told(claim(session, 1), evergreen(session))
    assert cost(session) == (D("72.00"), "after_primary")


def test_a_secondary_claim_not_sent_yet_waits_again_when_the_primary_takes_its_answer_back(session: Session) -> None:
    first = evergreen(session)
    told(claim(session, 1), first)
    assert claim(session, 2).submission == "ready"
    told(claim(session, 1), reversal(first))
    assert claim(session, 2).submission == "waiting"
    assert exchange.build_batches() == []
    told(claim(session, 1), evergreen(session))
    assert claim(session, 2).submission == "ready"


def test_a_claim_closed_because_nothing_was_left_is_asked_after_all_when_something_is(session: Session) -> None:
    nothing_left = evergreen(session, "160.00", adjustments(("CO", "45", "60.00")))
    told(claim(session, 1), nothing_left)
    assert claim(session, 2).submission == "not_needed"
    assert cost(session) == (D("0.00"), "final")
    told(claim(session, 1), reversal(nothing_left), evergreen(session))
    assert claim(session, 2).submission == "ready"
    assert cost(session) == (D("72.00"), "after_primary")


def test_a_claim_that_support_closed_stays_closed(session: Session, cast: Cast) -> None:
    claims.close(claim(session, 2), reason="The client asked for it.", actor=cast.fay)
    told(claim(session, 1), evergreen(session))
    assert claim(session, 2).submission == "not_needed"
    assert cost(session) == (D("72.00"), "final")


def test_a_final_cost_that_rises_again_after_a_refund_becomes_a_balance(session: Session) -> None:
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    first = harbor(session)
    told(claim(session, 2), first)
    refund = Refund.objects.get()
    dearer = harbor(session, "0.00", adjustments(("OA", "23", "148.00"), ("CO", "45", "10.00"), ("PR", "1", "62.00")))
    told(claim(session, 2), reversal(first), dearer)
    assert cost(session) == (D("62.00"), "final")
    # The refund is promised and not processed yet: what it gives back is asked for again.
    assert session_balance(session).refunding == refund.amount == D("40.00")
    assert session_balance(session).due == D("30.00")
    assert Email.objects.filter(kind="pay_now").count() == 1


# Crossover, closing, replacing


def test_the_next_insurer_may_answer_under_the_number_of_the_first_one_s_claim(session: Session) -> None:
    told(claim(session, 1), evergreen(session, status="19"))
    forwarded = replace(harbor(session), control_number=claim(session, 1).control_number)
    told(claim(session, 2), forwarded)
    assert balance(Book.INSURER_SUSPENSE) == D("0.00")
    assert cost(session) == (D("32.00"), "final")


def test_a_crossover_told_while_the_account_is_paused(session: Session, cast: Cast) -> None:
    pauses.open_pause(coverage=cast.bens_plan, evidence=AccountPause.Evidence.SUPPORT)
    assert claim(session, 2).submission == "held"
    told(claim(session, 1), evergreen(session, status="19"))
    assert claim(session, 2).submission == "accepted"


def test_all_later_plans_are_closed_when_nothing_is_left(cast: Cast) -> None:
    third = payer("THRD1", "Third Health", "140.00")
    provider("Third", "1999999984", third)
    Credential.objects.create(provider=cast.cole, payer=third, state="NY", begins_on=cast.ana.birth_date)
    Coverage.objects.create(client=cast.ana, payer=third, member_id="TH1", stated_rank=3, holder_status="active")
    plan_order.decide(cast.ana)
    card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), result(claim(session, 1), paid="160.00", why=adjustments(("CO", "45", "60.00"))))
    assert [each.submission for each in claims.sequence(session)] == ["accepted", "not_needed", "not_needed"]
    assert cost(session) == (D("0.00"), "final")


def test_a_late_word_on_a_replaced_claim_decides_nothing_but_its_money_counts(session: Session, cast: Cast) -> None:
    old = claim(session, 1)
    refused = result(old, paid="0.00", why=COB, remarks=("N197",))
    told(old, refused)
    pause = AccountPause.objects.get()
    AccountPause.objects.filter(pk=pause.pk).update(cleared_at=clock.now())
    cast.ana.paused_since = None
    cast.ana.save()
    again = claims.resubmit(claim(session, 1), reason="settled")
    told(old, refused)
    assert AccountPause.objects.count() == 1, "the same refusal told again is no new evidence"
    again.refresh_from_db()
    assert (again.submission, again.decision) == ("ready", "none")


def test_a_secondary_claim_sent_again_names_the_one_it_replaces(session: Session) -> None:
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    told(claim(session, 2), harbor(session, "0.00", adjustments(("CO", "197", "220.00"))))
    again = claims.resubmit(claim(session, 2), reason="authorised now")
    content = content_of(again)
    assert (content.frequency, content.payer_control_number) == ("7", again.payer_control_number)
    assert again.payer_control_number.startswith("ICN")


def test_a_paid_claim_is_not_sent_again(session: Session) -> None:
    told(claim(session, 1), evergreen(session))
    with pytest.raises(claims.ClaimRefused):
        claims.resubmit(claim(session, 1), reason="again")


def test_a_claim_sent_again_in_a_pause_is_held(session: Session, cast: Cast) -> None:
    told(claim(session, 1), evergreen(session, "0.00", adjustments(("CO", "197", "220.00"))))
    pauses.open_pause(coverage=cast.bens_plan, evidence=AccountPause.Evidence.SUPPORT)
    assert claims.resubmit(claim(session, 1), reason="mended").submission == "held"


def test_two_plans_with_one_insurer_are_told_apart(cast: Cast) -> None:
    Coverage.objects.filter(pk=cast.bens_plan.pk).update(payer=cast.evergreen)
    card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    content = content_of(claim(session, 2))
    assert (content.rank, content.member_id) == ("S", "HB100")


# Queues


def test_a_claim_that_cannot_be_written_keeps_no_other_one_back(session: Session, cast: Cast) -> None:
    said = evergreen(session)
    elsewhere = replace(said.lines[0], procedure="99999", control_number="")
    told(claim(session, 1), replace(said, lines=(elsewhere,)))
    other = cast.book(days=-1)
    confirm_session.confirm(other)
    exchange.build_batches()
    assert claim(other, 1).submission == "submitted"
    assert claim(session, 2).submission == "rejected"
    assert "99999" in claim(session, 2).reason


def test_one_result_that_cannot_be_posted_keeps_no_other_one_back(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = confirmed(cast, days=-1)
    said, fine = evergreen(session), result(claim(other, 1), paid="88.00", why=EVERGREEN_SAYS)
    broken = claim(session, 1).pk
    decide = settle_remittance._decide

    def fail(which: Claim, adjudication: Adjudication) -> None:
        if which.pk == broken:
            raise RuntimeError("broken")
        decide(which, adjudication)

    with monkeypatch.context() as patched:
        patched.setattr(settle_remittance, "_decide", fail)
        told(claim(session, 1), said, fine)
        told(claim(session, 1), reversal(said))
        settle_what_is_left()
    assert cost(other)[1] == "after_primary"
    assert cost(session)[1] == "estimate"
    assert Adjudication.objects.filter(posted_at=None).count() == 2, "a later word waits for the earlier one"
    settle_what_is_left()
    assert claim(session, 1).decision == "reversed"


def test_what_an_insurer_keeps_back_is_booked_even_if_the_worker_dies_before(session: Session) -> None:
    said = payment(claim(session, 1), evergreen(session))
    kept = x835.ProviderAdjustment(code="WO", reference="OLD", amount=D("10.00"))
    file = received(replace(said, amount=said.amount - D("10.00"), provider_adjustments=(kept,)), number=77)
    remittances.record(file)
    assert ProviderAdjustment.objects.count() == 1
    settle_what_is_left()
    settle_what_is_left()
    assert balance(Book.INSURER_SUSPENSE) == D("10.00")
    assert balance(Book.BANK) == D("78.00")


def test_one_file_that_breaks_its_reader_keeps_no_other_one_back(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = received(payment(claim(session, 1), evergreen(session), trace="A"), number=501)
    second = received(payment(claim(session, 1), evergreen(session), trace="B"), number=502)
    reader = remittances.record

    def record(file: EdiFile) -> object:
        if file.pk == first.pk:
            raise RuntimeError("broken")
        return reader(file)

    with monkeypatch.context() as patched:
        patched.setattr(remittances, "record", record)
        patched.setattr(exchange, "fetch", list)
        exchange_claims.take_in()
        second.refresh_from_db()
        assert second.state == "processed"
    monkeypatch.setattr(exchange, "fetch", list)
    exchange_claims.take_in()
    first.refresh_from_db()
    assert first.state == "processed"


# Clocks


def test_the_second_plan_s_filing_clock_starts_with_the_first_one_s_payment(session: Session) -> None:
    paid_on = clock.today() - timedelta(days=20)
    said = replace(payment(claim(session, 1), evergreen(session)), paid_on=paid_on)
    read(received(said, number=700))
    assert claim(session, 2).file_by == paid_on + timedelta(days=180)


def test_a_pause_does_not_lose_the_filing_clock(session: Session, cast: Cast) -> None:
    pauses.open_pause(coverage=cast.bens_plan, evidence=AccountPause.Evidence.SUPPORT)
    told(claim(session, 1), evergreen(session))
    second = claim(session, 2)
    assert (second.submission, second.file_by) == ("held", clock.today() + timedelta(days=180))


def test_a_payment_without_a_date_counts_on_new_york_s_day(session: Session) -> None:
    late = timezone.now().replace(month=3, day=2, hour=3)  # 2 March at 03:00 UTC is still 1 March in New York
    with clock.as_of(late):
        said = replace(payment(claim(session, 1), evergreen(session)), paid_on=None)
        remittances.record(received(said, number=701))
    adjudication = Adjudication.objects.get()
    assert (adjudication.remittance.day.month, adjudication.remittance.day.day) == (3, 1)
    settle_what_is_left()


# What the client owes


def test_a_secondary_that_says_the_client_s_part_without_pr_is_believed(session: Session) -> None:
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    said = harbor(session, "30.00", adjustments(("OA", "23", "148.00"), ("CO", "45", "42.00")))
    told(claim(session, 2), replace(said, stated_responsibility=D("25.00")))
    assert cost(session) == (D("25.00"), "final")


def test_upcoming_prices_follow_a_remittance(session: Session, cast: Cast) -> None:
    coming = cast.book(days=7)
    costs.reprice(cast.ana)
    assert cost(coming)[0] == D("32.00"), "this session's estimate uses up the deductible"
    no_deductible = adjustments(("CO", "45", "60.00"), ("PR", "2", "32.00"))
    told(claim(session, 1), evergreen(session, "128.00", no_deductible))
    assert cost(coming)[0] == D("32.00"), "and by the insurer's books nothing of it was left at all"


# Pauses


def test_a_denied_primary_still_waits_for_a_person_after_a_pause(session: Session, cast: Cast) -> None:
    told(claim(session, 1), evergreen(session, "0.00", adjustments(("CO", "197", "220.00"))))
    pauses.open_pause(coverage=cast.bens_plan, evidence=AccountPause.Evidence.SUPPORT)
    claims.release_all(cast.ana.pk)
    assert claim(session, 2).submission == "waiting"
