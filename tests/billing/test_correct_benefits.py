"""Benefit information was wrong: what the insurers' answers prove, who is told, and where the money goes.

Evergreen allows Ana's sessions 160.00 of the 220.00 charged.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing.flows import confirm_session, correct_benefits, refresh_benefits
from billing.flows.exchange_claims import read
from billing.gateways.results import ChargeResult, ChargeState
from billing.ledger.posting import Book, balance
from billing.models import Comparison, Payment, Refund, SessionCost
from billing.services import books, costs, payments
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from common.errors import BadInput
from insurance.domain.benefits import Benefits, CopayRule
from insurance.models import BenefitSnapshot, Claim, EligibilityCheck
from insurance.services import exchange
from notifications.models import Email
from tests import cast as people
from tests.cast import Cast, benefits, observe
from tests.remittance_files import adjustments, payment, received, result

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_june")]
D = Decimal


@pytest.fixture
def in_june() -> Iterator[None]:
    """A day in the middle of the plan year, whenever the tests are run."""
    with clock.as_of(datetime(2026, 6, 15, 15, tzinfo=UTC)):
        yield


@pytest.fixture
def cast() -> Cast:
    """Ana with her own plan alone: a copay of 25.00 for each visit."""
    cast = people.assemble()
    refresh_benefits.remove_plan(cast.bens_plan)
    observe(cast.own_plan, copay())
    return cast


def copay(amount: str = "25.00", **more: Any) -> Benefits:
    """A copay for each visit to which the deductible does not apply."""
    told = benefits(coinsurance=None, copay=amount, **more)
    return replace(told, in_network=replace(told.in_network, copay_rule=CopayRule.WAIVES_DEDUCTIBLE))


def confirmed(cast: Cast, days: int) -> Session:
    session = cast.book(days=days)
    costs.reprice(cast.ana)
    confirm_session.confirm(session)
    return session


def paid_by_card(session: Session) -> None:
    """The charge of a confirmation goes through."""
    attempt = Payment.objects.get(parts__session=session, state="created")
    Payment.objects.filter(pk=attempt.pk).update(state="submitted")
    payments.record_outcome(
        payment=attempt,
        result=ChargeResult(state=ChargeState.SUCCEEDED, payment_intent=f"pi_{attempt.pk}", amount=attempt.amount),
    )


def decides(session: Session, paid: str, *left: tuple[str, str, str]) -> Comparison:
    """Evergreen processes the session's claim."""
    exchange.build_batches()
    claim = session.claims.get(rank=1)
    written_off = D("220.00") - D(paid) - sum((D(amount) for group, _code, amount in left), D(0))
    why = adjustments(("CO", "45", f"{written_off:.2f}"), *left)
    read(received(payment(claim, result(claim, paid=paid, why=why))))
    return Comparison.objects.get(session=session)


def amount(session: Session) -> Decimal:
    cost = costs.current_cost(session)
    assert cost is not None
    return D(cost.amount)


def mails(kind: str) -> list[Email]:
    return list(Email.objects.filter(kind=kind).order_by("pk"))


def test_an_answer_as_estimated_is_kept_as_a_match_and_changes_nothing(cast: Cast) -> None:
    coming, session = cast.book(days=7), confirmed(cast, 0)

    comparison = decides(session, "135.00", ("PR", "3", "25.00"))

    assert (comparison.kind, comparison.state, comparison.difference) == ("match", "closed", D("0.00"))
    assert amount(coming) == D("25.00")
    assert not BenefitSnapshot.objects.filter(source="835").exists()
    assert not mails("cost_corrected")


def test_another_copay_corrects_what_is_to_come_and_tells_client_and_provider_once(cast: Cast) -> None:
    first, second, session = cast.book(days=7), cast.book(days=14), confirmed(cast, 0)

    comparison = decides(session, "120.00", ("PR", "3", "40.00"))

    assert (comparison.kind, comparison.state, comparison.difference) == ("wrong_copay", "applied", D("15.00"))
    assert comparison.figures == {"in_network.copay": {"said": "25.00", "is": "40.00"}}
    corrected = BenefitSnapshot.objects.get(source="835")
    assert corrected.read().in_network.copay == D("40.00")
    assert [amount(first), amount(second)] == [D("40.00"), D("40.00")]
    cost = costs.current_cost(first)
    assert cost is not None and cost.reason == SessionCost.Reason.BENEFITS_CORRECTED
    assert "$40.00" in cost.breakdown["sentence"] and "$25.00" in cost.breakdown["sentence"]
    assert len(mails("cost_corrected")) == 1
    assert len(mails("cost_corrected_provider")) == 1
    assert mails("cost_corrected_provider")[0].to == cast.cole.email
    assert EligibilityCheck.objects.filter(reason="evidence", state="waiting").count() == 1


def test_a_session_charged_too_much_is_given_back_at_once(cast: Cast) -> None:
    people.card(cast.ana)
    held, session = confirmed(cast, -7), confirmed(cast, 0)
    paid_by_card(held)

    decides(session, "150.00", ("PR", "3", "10.00"))

    assert amount(held) == D("10.00")
    assert [(refund.session, refund.amount) for refund in Refund.objects.filter(session=held)] == [(held, D("15.00"))]
    letter = mails("cost_corrected")[0]
    assert "$15.00" in letter.text
    assert not books_violated()


def test_a_session_charged_too_little_is_asked_for_at_once(cast: Cast) -> None:
    people.card(cast.ana)
    held, session = confirmed(cast, -7), confirmed(cast, 0)
    paid_by_card(held)

    decides(session, "120.00", ("PR", "3", "40.00"))

    assert amount(held) == D("40.00")
    assert session_balance(held).due == D("15.00")
    assert "/appointments/past/" in mails("cost_corrected")[0].text
    assert not books_violated()


def test_while_a_second_plan_is_still_to_answer_nothing_more_is_asked_for() -> None:
    cast = people.assemble()
    observe(cast.own_plan, copay())
    people.card(cast.ana)
    held, session = confirmed(cast, -7), confirmed(cast, 0)
    paid_by_card(held)

    decides(session, "120.00", ("PR", "3", "40.00"))

    assert amount(held) == D("40.00")
    assert session_balance(held).due == D("0.00")
    assert balance(Book.CLIENT_RECEIVABLE, session=held) == D("0.00")


def test_the_same_answer_read_again_adds_nothing(cast: Cast) -> None:
    cast.book(days=7)
    session = confirmed(cast, 0)
    comparison = decides(session, "120.00", ("PR", "3", "40.00"))
    before = (BenefitSnapshot.objects.count(), SessionCost.objects.count(), Email.objects.count())

    correct_benefits.learn(comparison.adjudication)
    correct_benefits.reprice(cast.ana)

    assert (BenefitSnapshot.objects.count(), SessionCost.objects.count(), Email.objects.count()) == before


def test_an_insurer_that_repeats_its_mistake_is_corrected_again(cast: Cast) -> None:
    coming, session = cast.book(days=7), confirmed(cast, 0)
    decides(session, "120.00", ("PR", "3", "40.00"))

    refresh_benefits.settle(observe(cast.own_plan, copay()))

    assert amount(coming) == D("40.00")
    assert len(mails("cost_corrected")) == 1


def test_an_insurer_that_puts_its_record_right_is_believed(cast: Cast) -> None:
    coming, session = cast.book(days=7), confirmed(cast, 0)
    decides(session, "120.00", ("PR", "3", "40.00"))

    refresh_benefits.settle(observe(cast.own_plan, copay("35.00")))

    assert amount(coming) == D("35.00")


def test_progress_through_other_care_is_no_correction_and_sends_no_mail(cast: Cast) -> None:
    """500.00 of the deductible was left by the answer; the insurer finds it met."""
    observe(cast.own_plan, benefits(deductible="500.00"))
    coming, session = cast.book(days=7), confirmed(cast, 0)
    assert amount(coming) == D("160.00")

    comparison = decides(session, "128.00", ("PR", "2", "32.00"))

    assert (comparison.kind, comparison.state) == ("accumulator_drift", "applied")
    cost = costs.current_cost(coming)
    assert cost is not None
    assert (cost.amount, cost.reason) == (D("32.00"), SessionCost.Reason.DEDUCTIBLE_MET)
    assert not mails("cost_corrected")


def test_a_deductible_wrongly_said_to_be_met_is_a_correction(cast: Cast) -> None:
    """Limit 500.00, said to be met; the insurer takes 160.00 to it: 340.00 may be left."""
    observe(cast.own_plan, benefits(deductible="0.00"))
    coming, session = cast.book(days=7), confirmed(cast, 0)
    assert amount(coming) == D("32.00")

    decides(session, "0.00", ("PR", "1", "160.00"))

    assert amount(coming) == D("160.00")
    assert len(mails("cost_corrected")) == 1


def test_what_nothing_explains_waits_for_support(cast: Cast) -> None:
    coming = cast.book(days=14)
    first, second = confirmed(cast, -7), confirmed(cast, 0)
    decides(first, "135.00", ("PR", "3", "25.00"))

    comparison = decides(second, "98.63", ("PR", "3", "61.37"))

    assert (comparison.kind, comparison.state) == ("unknown", "waiting")
    assert amount(coming) == D("25.00")


def test_another_rate_than_the_contract_s_waits_for_support(cast: Cast) -> None:
    comparison = decides(confirmed(cast, 0), "145.00", ("PR", "3", "25.00"))

    assert (comparison.kind, comparison.state) == ("rate_differs", "waiting")


def test_support_leaves_a_benefit_as_it_is(cast: Cast) -> None:
    coming = cast.book(days=14)
    comparison = decides(confirmed(cast, 0), "120.00", ("PR", "3", "40.00"))
    Comparison.objects.filter(pk=comparison.pk).update(state="waiting", snapshot=None)
    comparison.refresh_from_db()

    with pytest.raises(BadInput):
        correct_benefits.dismiss(comparison, by=cast.fay, note=" ")
    correct_benefits.dismiss(comparison, by=cast.fay, note="The insurer reprocesses this claim.")

    assert amount(coming) == D("25.00")


def test_support_takes_what_a_comparison_proposes(cast: Cast) -> None:
    """Copay and rule both differ: proposed, and not taken without a person."""
    observe(cast.own_plan, copay(deductible="500.00"))
    coming, session = cast.book(days=14), confirmed(cast, 0)
    comparison = decides(session, "0.00", ("PR", "3", "40.00"), ("PR", "1", "120.00"))
    assert comparison.state == "waiting"
    assert amount(coming) == D("25.00")

    snapshot = correct_benefits.apply(comparison, by=cast.fay, note="Called the insurer.")

    assert (snapshot.source, snapshot.entered_by) == ("support", cast.fay)
    assert amount(coming) == D("160.00"), "40.00 copay first, the other 120.00 to the deductible"
    comparison.refresh_from_db()
    assert (comparison.state, comparison.snapshot, comparison.owner) == ("applied", snapshot, cast.fay)


def test_support_enters_a_figure_by_hand_and_it_holds_until_the_insurer_says_something_new(cast: Cast) -> None:
    coming = cast.book(days=7)
    costs.reprice(cast.ana)

    with pytest.raises(BadInput, match="no such figure"):
        correct_benefits.enter(cast.own_plan, {"in_network.kopay": "40.00"}, by=cast.fay, note="By phone")
    with pytest.raises(BadInput):
        correct_benefits.enter(cast.own_plan, {"in_network.copay": "forty"}, by=cast.fay, note="By phone")
    correct_benefits.enter(cast.own_plan, {"in_network.copay": "40.00"}, by=cast.fay, note="By phone, ref 5512")
    assert amount(coming) == D("40.00")

    refresh_benefits.settle(observe(cast.own_plan, copay()))
    assert amount(coming) == D("40.00"), "the same words again"

    refresh_benefits.settle(observe(cast.own_plan, copay("30.00")))
    assert amount(coming) == D("30.00"), "other words"


def test_a_price_nobody_could_verify_is_given_back_without_a_letter_of_correction(cast: Cast) -> None:
    observe(cast.own_plan, benefits(coinsurance=None))
    people.card(cast.ana)
    held = confirmed(cast, 0)
    paid_by_card(held)
    assert amount(held) == D("160.00")

    refresh_benefits.settle(observe(cast.own_plan, copay()))

    assert amount(held) == D("25.00")
    assert not mails("cost_corrected")
    assert len(mails("refund_promised")) == 1
    assert not books_violated()


def test_a_pause_keeps_nobody_from_correcting(cast: Cast) -> None:
    coming, session = cast.book(days=7), confirmed(cast, 0)
    exchange.build_batches()
    Claim.objects.filter(session=session).update(submission="accepted")
    type(cast.ana).objects.filter(pk=cast.ana.pk).update(paused_since=clock.now())

    decides(session, "120.00", ("PR", "3", "40.00"))

    assert amount(coming) == D("40.00")


def books_violated() -> list[str]:
    return [outcome.check.name for outcome in books.run() if outcome.violations]
