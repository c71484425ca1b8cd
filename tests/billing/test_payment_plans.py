"""Three monthly parts: told, charged on their day, never above what is left, ended whenever the client says so."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from billing import tasks
from billing.flows.collect_payment import start_pay_now
from billing.gateways.results import ChargeResult, ChargeState
from billing.ledger.posting import Book, Posting, post
from billing.models import Instalment, Payment, PaymentCard, PaymentPlan
from billing.services import autopay, books, cards, payment_plans, payments, plan_ends, refunds
from billing.services.balances import client_balances, session_balance, total_due, total_planned
from billing.services.cards import CardInUse
from billing.services.payment_plans import NoPlan
from billing.services.payments import NothingToPay
from care.models import Session
from common import clock
from common.money import ZERO, from_cents
from headway.demo.cast import save_card
from notifications.models import Email
from tests.billing.test_pay_now import at_stripe, owes
from tests.billing.test_retries import adjust
from tests.cast import Cast, assemble
from tests.cast import card as card_on_file
from tests.stand_ins import StripeStandIn

D = Decimal


def at(month: int, day: int, hour: int = 10) -> datetime:
    """A business hour of a day in 2026 or, for the first months, 2027."""
    return datetime.combine(date(2026 + (month < 6), month, day), time(hour), tzinfo=clock.BUSINESS_ZONE)


BEGIN = at(11, 22)


@pytest.fixture
def begun() -> Iterator[None]:
    with clock.as_of(BEGIN):
        yield


@pytest.fixture
def card(cast: Cast, stripe_server: StripeStandIn) -> PaymentCard:
    save_card(cast.ana)
    return cast.ana.cards.get()


def owing(cast: Cast, *amounts: str, days: int = -30) -> list[Session]:
    """Sessions with so much to pay, the oldest first."""
    found = []
    for place, amount in enumerate(amounts):
        session = cast.book(days=days + place)
        owes(session, amount)
        found.append(session)
    return found


def sweep(*moments: datetime) -> None:
    for moment in moments:
        with clock.as_of(moment):
            tasks.sweep()  # writes what is due
            tasks.sweep()  # sends it


def figures(plan: PaymentPlan) -> list[tuple[date, Decimal]]:
    return [(part.due_on, part.amount) for part in payment_plans.standing(plan).parts]


@pytest.mark.usefixtures("begun")
def test_seventy_dollars_in_three_parts(cast: Cast, card: PaymentCard, stripe_server: StripeStandIn) -> None:
    first, second = owing(cast, "30.00", "40.00")
    offer = payment_plans.offer(cast.ana)
    assert offer is not None and offer.total == D("70.00")
    plan = payment_plans.agree(cast.ana, shown=D("70.00"))
    assert figures(plan) == [
        (date(2026, 11, 22), D("23.34")),
        (date(2026, 12, 22), D("23.33")),
        (date(2027, 1, 22), D("23.33")),
    ]
    assert (plan.text_version, plan.text) == (payment_plans.TEXT_VERSION, offer.text)
    mail = Email.objects.get(kind="payment_plan_agreed")
    assert "without interest or fees" in mail.text and "$23.34" in mail.text
    sweep(at(11, 22, 11))
    assert [each["amount"] for each in at_stripe(stripe_server, card)] == [2334]
    balances = client_balances(cast.ana)
    assert (total_due(balances), total_planned(balances)) == (ZERO, D("46.66"))
    assert (balances[first.pk].planned, balances[second.pk].planned) == (D("6.66"), D("40.00"))

    sweep(at(12, 18), at(12, 19))
    told = Email.objects.get(kind="instalment_coming")
    assert "Tuesday, December 22, 2026" in told.text and "$23.33" in told.text, told.text
    sweep(at(12, 21), at(12, 22, hour=8))
    assert len(at_stripe(stripe_server, card)) == 1, "not before its day, nor before the morning"
    sweep(at(12, 22, 11), at(1, 19), at(1, 22, 11))
    assert [each["amount"] for each in at_stripe(stripe_server, card)] == [2333, 2333, 2334]
    plan.refresh_from_db()
    assert plan.state == "done"
    assert session_balance(first).booked == session_balance(second).booked == ZERO
    assert not [found for found in books.run() if found.violations]


@pytest.mark.usefixtures("begun")
def test_nobody_is_asked_again_for_what_is_in_a_plan(cast: Cast, card: PaymentCard) -> None:
    (session,) = owing(cast, "70.00")
    payment_plans.agree(cast.ana, shown=D("70.00"))
    sweep(at(11, 22, 11))
    with pytest.raises(NothingToPay):
        start_pay_now(client=cast.ana, card=card)
    assert session_balance(session).due == ZERO


@pytest.mark.usefixtures("begun")
def test_paying_early_shortens_the_plan_from_its_end(cast: Cast, card: PaymentCard) -> None:
    first, second = owing(cast, "20.00", "50.00")
    plan = payment_plans.agree(cast.ana, shown=D("70.00"))
    sweep(at(11, 22, 11))
    # The first part has paid the first session and $3.34 of the second.
    start_pay_now(client=cast.ana, session_ids=[second.pk], card=card, early=True, shown=D("46.66"))
    plan.refresh_from_db()
    assert plan.state == "done"
    sweep(at(12, 19), at(12, 22, 11), at(1, 19), at(1, 22, 11))
    assert sum(p.amount for p in Payment.objects.filter(state="succeeded")) == D("70.00")
    assert not Email.objects.filter(kind="instalment_coming").exists()
    assert session_balance(first).booked == session_balance(second).booked == ZERO


@pytest.mark.usefixtures("begun")
def test_a_cost_that_falls_takes_from_the_last_part(cast: Cast, card: PaymentCard) -> None:
    (session,) = owing(cast, "70.00")
    plan = payment_plans.agree(cast.ana, shown=D("70.00"))
    sweep(at(11, 22, 11))
    adjust(session, "-25.00")
    assert [amount for _day, amount in figures(plan)] == [D("23.34"), D("21.66"), D("0.00")]
    sweep(at(12, 19), at(12, 22, 11), at(1, 19), at(1, 22, 11))
    plan.refresh_from_db()
    assert plan.state == "done"
    assert sum(p.amount for p in Payment.objects.all()) == D("45.00")


@pytest.mark.usefixtures("begun")
def test_a_cost_that_falls_below_what_is_paid_comes_back(cast: Cast, card: PaymentCard) -> None:
    (session,) = owing(cast, "70.00")
    plan = payment_plans.agree(cast.ana, shown=D("70.00"))
    sweep(at(11, 22, 11))
    adjust(session, "-60.00")
    sweep(at(11, 23), at(12, 19), at(12, 22, 11), at(1, 22, 11))
    assert [refund.amount for refund in Payment.objects.get().refunds.all()] == [D("13.34")]
    plan.refresh_from_db()
    assert plan.state == "done"
    assert session_balance(session).booked == ZERO


@pytest.mark.usefixtures("begun")
def test_what_costs_more_is_due_beside_the_plan(cast: Cast, card: PaymentCard) -> None:
    (session,) = owing(cast, "70.00")
    plan = payment_plans.agree(cast.ana, shown=D("70.00"))
    sweep(at(11, 22, 11))
    adjust(session, "+15.00")
    assert session_balance(session).due == D("15.00")
    assert [amount for _day, amount in figures(plan)] == [D("23.34"), D("23.33"), D("23.33")]
    start_pay_now(client=cast.ana, card=card, shown=D("15.00"))
    sweep(at(12, 19), at(12, 22, 11), at(1, 19), at(1, 22, 11))
    assert session_balance(session).booked == ZERO


def decline(payment: Payment, code: str) -> None:
    Payment.objects.filter(pk=payment.pk).update(state="submitted")
    payments.record_outcome(
        payment=payment,
        result=ChargeResult(ChargeState.DECLINED, f"pi_{payment.pk}", payment.amount, decline_code=code),
    )


@pytest.mark.usefixtures("begun")
def test_a_declined_part_is_tried_again_then_asked_for(cast: Cast, card: PaymentCard) -> None:
    (session,) = owing(cast, "70.00")
    plan = payment_plans.agree(cast.ana, shown=D("70.00"))
    part = Instalment.objects.get(number=1)
    assert part.payment is not None
    decline(part.payment, "insufficient_funds")
    assert session_balance(session).due == D("23.34"), "to be paid at once by whoever wants to"
    assert "once more on" in Email.objects.get(kind="instalment_not_paid").text
    with clock.as_of(at(11, 25)):
        tasks.sweep()
    part.refresh_from_db()
    assert part.payment is not None and part.payment.retry_of_id is not None
    decline(part.payment, "stolen_card")
    assert session_balance(session).due == D("23.34")
    assert total_planned(client_balances(cast.ana)) == D("46.66")
    # The others go on, and what was missed may be paid by hand in between.
    sweep(at(12, 19), at(12, 22, 11))
    start_pay_now(client=cast.ana, card=card, shown=D("23.34"))
    sweep(at(1, 19), at(1, 22, 11))
    plan.refresh_from_db()
    assert (plan.state, session_balance(session).booked) == ("done", ZERO)


@pytest.mark.usefixtures("begun")
def test_a_plan_whose_last_part_fails_ends_and_the_rest_is_due(cast: Cast, card: PaymentCard) -> None:
    (session,) = owing(cast, "70.00")
    plan = payment_plans.agree(cast.ana, shown=D("70.00"))
    sweep(at(11, 22, 11), at(12, 19), at(12, 22, 11), at(1, 19))
    with clock.as_of(at(1, 22, 11)):
        tasks.sweep()
        last = Instalment.objects.select_related("payment").get(number=3).payment
        assert last is not None
        decline(last, "expired_card")
    plan.refresh_from_db()
    assert plan.state == "ended"
    assert session_balance(session).due == D("23.33")


@pytest.mark.usefixtures("begun")
def test_ended_by_the_client_the_rest_is_due_and_nothing_is_charged(cast: Cast, card: PaymentCard) -> None:
    (session,) = owing(cast, "70.00")
    plan = payment_plans.agree(cast.ana, shown=D("70.00"))
    sweep(at(11, 22, 11))
    plan_ends.end(plan, reason="Ended by the client.")
    assert session_balance(session).due == D("46.66")
    sweep(at(12, 19), at(12, 22, 11), at(1, 19), at(1, 22, 11))
    assert Payment.objects.count() == 1


@pytest.mark.usefixtures("begun")
def test_a_part_that_was_not_announced_in_time_waits_its_three_days(cast: Cast, card: PaymentCard) -> None:
    owing(cast, "70.00")
    payment_plans.agree(cast.ana, shown=D("70.00"))
    sweep(at(11, 22, 11), at(12, 22), at(12, 23), at(12, 24))
    assert Payment.objects.count() == 1
    assert "Friday, December 25, 2026" in Email.objects.get(kind="instalment_coming").text
    sweep(at(12, 25, 11))
    assert Payment.objects.count() == 2


@pytest.mark.usefixtures("begun", "stripe_server")
def test_what_stands_against_a_plan(cast: Cast) -> None:
    owing(cast, "59.99")
    assert payment_plans.offer(cast.ana) is None
    with pytest.raises(NoPlan, match="larger sum"):
        payment_plans.agree(cast.ana, shown=D("59.99"))
    owing(cast, "0.01", days=-20)
    with pytest.raises(NoPlan, match="card on file"):
        payment_plans.agree(cast.ana, shown=D("60.00"))
    save_card(cast.ana)
    with pytest.raises(NoPlan, match="has changed"):
        payment_plans.agree(cast.ana, shown=D("59.99"))
    first = payment_plans.agree(cast.ana, shown=D("60.00"))
    assert payment_plans.agree(cast.ana, shown=D("60.00")) == first, "the form sent twice"
    with pytest.raises(NoPlan, match="already"):
        payment_plans.agree(cast.ana, shown=D("20.00"))
    assert Payment.objects.count() == 1


@pytest.mark.usefixtures("begun")
def test_the_last_card_stays_while_a_plan_needs_it(cast: Cast, card: PaymentCard) -> None:
    owing(cast, "70.00")
    plan = payment_plans.agree(cast.ana, shown=D("70.00"))
    sweep(at(11, 22, 11))
    with pytest.raises(CardInUse, match="payment plan is charged to this card"):
        cards.remove_card(card)
    save_card(cast.ana, "pm_card_mastercard")
    new = cast.ana.cards.get(brand="mastercard")
    cards.remove_card(card)
    plan.refresh_from_db()
    assert plan.card == new
    sweep(at(12, 19), at(12, 22, 11))
    assert Payment.objects.get(instalments__number=2).card == new


@pytest.mark.usefixtures("begun")
def test_what_was_declined_before_is_not_tried_again_beside_the_plan(cast: Cast, card: PaymentCard) -> None:
    (session,) = owing(cast, "70.00")
    charge = payments.create_confirmation_charge(session=session, amount=D("70.00"), card=card)
    decline(charge, "insufficient_funds")
    plan = payment_plans.agree(cast.ana, shown=D("70.00"))
    first = plan.instalments.get(number=1).payment
    assert first is not None
    decline(first, "stolen_card")
    sweep(at(11, 25), at(11, 30), at(12, 4))
    assert set(Payment.objects.all()) == {charge, first}


@pytest.mark.usefixtures("begun")
def test_autopay_leaves_what_a_plan_takes(cast: Cast, card: PaymentCard) -> None:
    (session,) = owing(cast, "70.00")
    autopay.start(cast.ana, limit=D("100.00"))
    autopay.ask(session, D("70.00"), cause="1")
    payment_plans.agree(cast.ana, shown=D("70.00"))
    sweep(at(11, 22, 11), at(11, 27), at(11, 30))
    assert [payment.purpose for payment in Payment.objects.all()] == ["instalment"]


def answer(payment: Payment, outcome: str) -> None:
    """What Stripe says of a payment that waits to be sent."""
    Payment.objects.filter(pk=payment.pk).update(state="submitted")
    state = ChargeState.SUCCEEDED if outcome == "paid" else ChargeState.DECLINED
    code = "" if outcome == "paid" else outcome
    payments.record_outcome(
        payment=payment, result=ChargeResult(state, f"pi_{payment.pk}", payment.amount, decline_code=code)
    )


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 20)),
        st.tuples(st.just("answer"), st.sampled_from(["paid", "paid", "insufficient_funds", "lost_card"])),
        st.tuples(st.just("pay"), st.booleans()),
        st.tuples(st.just("cost"), st.integers(-6000, 3000)),
        st.tuples(st.just("end"), st.none()),
    ),
    max_size=14,
)


@pytest.mark.django_db(transaction=False)
@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(owed=st.lists(st.integers(2000, 9000), min_size=1, max_size=3), steps=STEPS)
def test_whatever_happens_the_client_pays_what_is_owed_and_never_more(
    owed: list[int], steps: list[tuple[str, object]]
) -> None:
    """Random histories: declines, payments beside the plan, costs that move, an early end. Then all is paid."""
    with transaction.atomic(), clock.as_of(BEGIN):
        play(owed, steps)
        transaction.set_rollback(True)


def play(owed: list[int], steps: list[tuple[str, object]]) -> None:
    cast = assemble()
    card_on_file(cast.ana)
    costs: dict[Session, Decimal] = {}
    for place, cents in enumerate(owed):
        session = cast.book(days=-30 + place)
        owes(session, str(from_cents(cents)))
        costs[session] = from_cents(cents)
    total = sum(costs.values(), ZERO)
    plan = payment_plans.agree(cast.ana, shown=total) if total >= 60 else None
    moment = BEGIN
    for number, (step, value) in enumerate(steps):
        with clock.as_of(moment):
            match step:
                case "wait":
                    moment += timedelta(days=int(str(value)))
                    with clock.as_of(moment):
                        tasks._charge_by_plan()
                case "answer":
                    for payment in Payment.objects.filter(state="created"):
                        answer(payment, str(value))
                case "pay":
                    with suppress(NothingToPay):
                        payments.begin_pay_now(client=cast.ana, card=cast.ana.cards.get(), early=bool(value))
                    for payment in Payment.objects.filter(state="created", purpose="pay_now"):
                        answer(payment, "paid")
                case "cost":
                    session = list(costs)[number % len(costs)]
                    change = max(from_cents(int(str(value))), -costs[session])
                    if change:
                        move_cost(session, change, number)
                        costs[session] += change
                case "end":
                    if plan is not None:
                        plan_ends.end(plan, reason="Ended.")
        nothing_too_much(cast, plan, costs)
    for _month in range(6):
        moment += timedelta(days=31)
        with clock.as_of(moment):
            for _ in range(2):
                tasks._charge_by_plan()
                for payment in Payment.objects.filter(state="created"):
                    answer(payment, "paid")
        with clock.as_of(moment + timedelta(days=4)):
            tasks._charge_by_plan()
            for payment in Payment.objects.filter(state="created"):
                answer(payment, "paid")
        nothing_too_much(cast, plan, costs)
    if plan is not None:
        plan.refresh_from_db()
        assert plan.state in ("done", "ended")
    # What no part took is due by hand; then everything is paid, and what was too much is promised back.
    with suppress(NothingToPay):
        answer(payments.begin_pay_now(client=cast.ana, card=cast.ana.cards.get()), "paid")
    for session, cost in costs.items():
        left = session_balance(session)
        assert left.due == ZERO
        given_back = sum((refund.amount for refund in refunds.promise(session)), ZERO)
        paid = sum(
            (part.amount for part in session.payment_parts.filter(payment__state="succeeded")),
            ZERO,
        )
        assert paid - given_back + left.carried == cost


def move_cost(session: Session, change: Decimal, number: int) -> None:
    post(
        key=f"cost:test:{session.pk}:{number}",
        memo="test",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, change, client=session.client_id, session=session.pk),
            Posting(Book.SESSION_REVENUE, -change),
        ],
    )


def nothing_too_much(cast: Cast, plan: PaymentPlan | None, costs: dict[Session, Decimal]) -> None:
    """At every moment: the plan takes at most what was agreed, no part more than its own, and no session is asked
    for more than it owes."""
    balances = client_balances(cast.ana)
    for session, each in balances.items():
        assert ZERO <= each.planned <= each.owed, session
    if plan is None:
        return
    taken = ZERO
    for part in plan.instalments.select_related("payment"):
        if part.payment is None:
            continue
        assert part.payment.amount <= part.amount
        if part.payment.state in ("succeeded", *Payment.IN_MOTION):
            taken += part.payment.amount
    assert taken + total_planned(balances) <= plan.total
