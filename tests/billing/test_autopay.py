"""Autopay: told three days before, never above the limit or what was told, stopped with one click."""

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal

import pytest

from billing import tasks
from billing.flows.collect_payment import start_pay_now
from billing.models import Autopay, AutopayNotice, Dispute, FraudWarning, Payment, PaymentCard
from billing.services import autopay, cards
from billing.services.autopay import NoAutopay
from billing.services.balances import session_balance
from billing.services.cards import CardInUse
from care.models import Session
from common import clock
from common.errors import BadInput
from headway.demo.cast import save_card
from notifications.models import Email
from tests.billing.test_pay_now import at_stripe, owes, together
from tests.billing.test_payment_plans import decline
from tests.billing.test_retries import adjust
from tests.cast import Cast, assemble
from tests.stand_ins import StripeStandIn

D = Decimal

pytestmark = pytest.mark.usefixtures("stripe_server")


def at(day: int, hour: int = 10) -> datetime:
    return datetime.combine(date(2026, 12, day), time(hour), tzinfo=clock.BUSINESS_ZONE)


@pytest.fixture
def monday() -> Iterator[None]:
    """The seventh of December; four days later is a Friday."""
    with clock.as_of(at(7)):
        yield


@pytest.fixture
def card(cast: Cast, stripe_server: StripeStandIn) -> PaymentCard:
    save_card(cast.ana)
    return cast.ana.cards.get()


def settled(cast: Cast, amount: str, *, days: int = -30) -> Session:
    """A session whose final cost leaves ``amount`` to pay, just told to the client."""
    session = cast.book(days=days)
    owes(session, amount)
    autopay.ask(session, session_balance(session).due, cause=f"cost {session.pk}")
    return session


def sweep(*moments: datetime) -> None:
    for moment in moments:
        with clock.as_of(moment):
            tasks.sweep()
            tasks.sweep()


@pytest.mark.usefixtures("monday")
def test_announced_then_charged_on_the_day(cast: Cast, card: PaymentCard, stripe_server: StripeStandIn) -> None:
    autopay.start(cast.ana, limit=D("50.00"))
    session = settled(cast, "22.50")
    mail = Email.objects.get(kind="autopay_coming")
    for word in ("$22.50", "Friday, December 11, 2026", "Visa ending in 4242", "/payments/autopay/", "/messages/"):
        assert word in mail.text, word
    assert not Email.objects.filter(kind="pay_now").exists()
    sweep(at(10, 17), at(11, 8))
    assert not Payment.objects.exists()
    sweep(at(11), at(11, 12), at(12))
    payment = Payment.objects.get()
    assert (payment.purpose, payment.state, payment.amount) == ("autopay", "succeeded", D("22.50"))
    assert session_balance(session).booked == D("0.00")
    assert [each["amount"] for each in at_stripe(stripe_server, card)] == [2250]
    assert Email.objects.filter(kind="payment_receipt").count() == 1


@pytest.mark.usefixtures("monday")
def test_more_than_the_limit_is_asked_for_and_the_letter_says_so(cast: Cast, card: PaymentCard) -> None:
    autopay.start(cast.ana, limit=D("50.00"))
    settled(cast, "50.01")
    mail = Email.objects.get(kind="pay_now")
    assert "more than the $50.00 that autopay may take" in mail.text
    assert not AutopayNotice.objects.exists()
    settled(cast, "50.00", days=-20)
    assert AutopayNotice.objects.get().amount == D("50.00"), "the limit itself is allowed"


@pytest.mark.usefixtures("monday")
def test_without_consent_or_card_it_is_asked_for_as_always(cast: Cast) -> None:
    settled(cast, "22.50")
    with pytest.raises(NoAutopay, match="card on file"):
        autopay.start(cast.ana, limit=D("50.00"))
    assert "autopay" not in Email.objects.get(kind="pay_now").text


@pytest.mark.usefixtures("monday")
@pytest.mark.parametrize("how", ["dispute", "fraud warning"])
def test_what_the_client_s_bank_took_back_is_asked_for_and_never_charged_by_itself(
    cast: Cast, card: PaymentCard, how: str
) -> None:
    autopay.start(cast.ana, limit=D("100.00"))
    session = cast.book(days=-30)
    owes(session, "68.00")
    paid = start_pay_now(client=cast.ana, card=card).payment
    if how == "dispute":
        Dispute.objects.create(
            payment=paid, dispute_id="dp_1", amount=D("68.00"), reason="fraudulent", state=Dispute.State.LOST
        )
    else:
        FraudWarning.objects.create(payment=paid, warning_id="issfr_1", kind="made_with_stolen_card", actionable=True)
    autopay.ask(session, D("68.00"), cause="lost")
    assert not AutopayNotice.objects.exists()
    assert Email.objects.filter(key="pay_now:lost").exists()


@pytest.mark.usefixtures("monday")
@pytest.mark.parametrize(("change", "charged"), [("-10.00", "12.50"), ("+10.00", "22.50")])
def test_on_the_day_what_is_due_is_charged_and_never_more_than_told(
    cast: Cast, card: PaymentCard, change: str, charged: str
) -> None:
    autopay.start(cast.ana, limit=D("50.00"))
    session = settled(cast, "22.50")
    adjust(session, change)
    sweep(at(11))
    assert Payment.objects.get().amount == D(charged)


@pytest.mark.usefixtures("monday")
def test_another_final_cost_is_announced_anew(cast: Cast, card: PaymentCard) -> None:
    autopay.start(cast.ana, limit=D("50.00"))
    session = settled(cast, "22.50")
    adjust(session, "+10.00")
    with clock.as_of(at(9)):
        autopay.ask(session, session_balance(session).due, cause="another cost")
        autopay.ask(session, session_balance(session).due, cause="the same again")
    old, new = AutopayNotice.objects.order_by("pk")
    assert (old.cancelled_at is None, new.amount, new.charge_on) == (False, D("32.50"), date(2026, 12, 14))
    assert Email.objects.filter(kind="autopay_coming").count() == 2
    sweep(at(11), at(14))
    assert [payment.amount for payment in Payment.objects.all()] == [D("32.50")]


@pytest.mark.usefixtures("monday")
@pytest.mark.parametrize("how", ["this one", "all", "paid before"])
def test_stopped_or_paid_before_nothing_is_charged(cast: Cast, card: PaymentCard, how: str) -> None:
    autopay.start(cast.ana, limit=D("50.00"))
    session = settled(cast, "22.50")
    notice = AutopayNotice.objects.get()
    match how:
        case "this one":
            assert autopay.cancel(notice, reason="Stopped by you.")
            assert not autopay.cancel(notice, reason="Again."), "twice is once"
        case "all":
            assert autopay.stop(cast.ana) == [notice]
            assert autopay.stop(cast.ana) == []
        case _:
            start_pay_now(client=cast.ana, card=card, shown=D("22.50"))
    sweep(at(11), at(14))
    assert not Payment.objects.filter(purpose="autopay").exists()
    notice.refresh_from_db()
    assert notice.cancelled_at is not None
    assert session_balance(session).due == (D("0.00") if how == "paid before" else D("22.50"))
    assert autopay.in_force(cast.ana) is None if how == "all" else autopay.in_force(cast.ana) is not None


@pytest.mark.usefixtures("monday")
def test_a_client_who_is_just_paying_is_not_overtaken(cast: Cast, card: PaymentCard) -> None:
    autopay.start(cast.ana, limit=D("50.00"))
    settled(cast, "22.50")
    with clock.as_of(at(11)):
        begun = start_pay_now(client=cast.ana)
        assert begun.payment.state == "requires_action"
        tasks.sweep()
    assert not Payment.objects.filter(purpose="autopay").exists()
    sweep(at(14), at(14, 12))  # closed as abandoned, then charged
    assert Payment.objects.get(purpose="autopay").state == "succeeded"


@pytest.mark.usefixtures("monday")
def test_a_lower_limit_calls_off_what_is_above_it(cast: Cast, card: PaymentCard) -> None:
    first = autopay.start(cast.ana, limit=D("50.00"))
    settled(cast, "22.50")
    settled(cast, "12.50", days=-20)
    second = autopay.start(cast.ana, limit=D("20.00"))
    assert second != first and autopay.start(cast.ana, limit=D("20.00")) == second
    sweep(at(11))
    assert [payment.amount for payment in Payment.objects.all()] == [D("12.50")]
    assert [row.text_version for row in Autopay.objects.all()] == [autopay.TEXT_VERSION] * 2
    assert "up to $20.00 at once" in second.text
    copy = Email.objects.filter(kind="autopay_on").order_by("-pk")[0].text
    assert "\n".join(f"> {line}" for line in second.text.splitlines()) in copy


@pytest.mark.usefixtures("monday")
@pytest.mark.parametrize("limit", ["4.99", "500.01", "0.00"])
def test_limits_that_make_no_sense(cast: Cast, card: PaymentCard, limit: str) -> None:
    with pytest.raises(BadInput, match=r"between \$5\.00 and \$500\.00"):
        autopay.start(cast.ana, limit=D(limit))


@pytest.mark.usefixtures("monday")
def test_the_last_card_stays_while_autopay_needs_it(cast: Cast, card: PaymentCard) -> None:
    autopay.start(cast.ana, limit=D("50.00"))
    with pytest.raises(CardInUse, match="Autopay is charged to this card"):
        cards.remove_card(card)
    autopay.stop(cast.ana)
    cards.remove_card(card)


@pytest.mark.usefixtures("monday")
def test_a_card_that_ran_out_meanwhile_means_asking(cast: Cast, card: PaymentCard) -> None:
    autopay.start(cast.ana, limit=D("50.00"))
    settled(cast, "22.50")
    PaymentCard.objects.filter(pk=card.pk).update(exp_month=11, exp_year=2026)
    sweep(at(11), at(14))
    assert not Payment.objects.exists()
    assert Email.objects.filter(kind="pay_now").count() == 1


@pytest.mark.usefixtures("monday")
def test_a_decline_is_tried_again_until_autopay_is_off(cast: Cast, card: PaymentCard) -> None:
    autopay.start(cast.ana, limit=D("50.00"))
    settled(cast, "22.50")
    with clock.as_of(at(11)):
        (pk,) = autopay.to_charge()
        autopay.charge(pk)
        decline(Payment.objects.get(), "insufficient_funds")
    assert Payment.objects.get().retry_on == date(2026, 12, 14)
    assert "once more on" in Email.objects.get(kind="payment_needs_you").text
    autopay.stop(cast.ana)
    sweep(at(14), at(15))
    assert Payment.objects.count() == 1


@pytest.mark.usefixtures("monday")
def test_a_decline_above_a_lower_limit_is_not_tried_again(cast: Cast, card: PaymentCard) -> None:
    autopay.start(cast.ana, limit=D("50.00"))
    session = settled(cast, "22.50")
    with clock.as_of(at(11)):
        (pk,) = autopay.to_charge()
        autopay.charge(pk)
        decline(Payment.objects.get(), "insufficient_funds")
        autopay.start(cast.ana, limit=D("20.00"))
    sweep(at(14), at(15))
    assert Payment.objects.get().retry_on is None
    assert session_balance(session).due == D("22.50")


@pytest.mark.django_db(transaction=True)
def test_two_workers_write_one_charge(stripe_server: StripeStandIn) -> None:
    with clock.as_of(at(7)):
        cast = assemble()
        save_card(cast.ana)
        autopay.start(cast.ana, limit=D("50.00"))
        settled(cast, "22.50")
    notice = AutopayNotice.objects.get()

    class Nothing:
        payment = None

    def once() -> Nothing:
        with clock.as_of(at(11)):
            autopay.charge(notice.pk)
        return Nothing()

    together(8, once)  # type: ignore[arg-type]
    assert Payment.objects.count() == 1


@pytest.mark.usefixtures("monday")
def test_a_card_that_ends_soon_is_told_once(cast: Cast, card: PaymentCard) -> None:
    PaymentCard.objects.filter(pk=card.pk).update(exp_month=1, exp_year=2027)
    sweep(at(31, 9))
    assert not Email.objects.filter(kind="card_expiring").exists(), "31 days before"
    with clock.as_of(datetime.combine(date(2027, 1, 1), time(9), tzinfo=clock.BUSINESS_ZONE)):
        tasks.sweep()
        tasks.sweep()
        mail = Email.objects.get(kind="card_expiring")
        assert "Sunday, January 31, 2027" in mail.text and "Visa ending in 4242" in mail.text
        assert cards.to_remind() == []
