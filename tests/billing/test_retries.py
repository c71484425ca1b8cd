"""A declined charge: tried once more where that can help, never behind the client's back, twice or too much."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.test import Client as Browser

from billing import tasks
from billing.flows import collect_payment
from billing.flows.collect_payment import start_pay_now
from billing.flows.confirm_session import confirm
from billing.gateways.results import ChargeResult, ChargeState
from billing.ledger.posting import Book, Posting, post
from billing.models import Payment, PaymentCard
from billing.services import cards, payments, retrying
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from headway.demo.cast import save_card
from notifications.models import Email
from tests.billing.test_pay_now import at_stripe, owes, together
from tests.cast import Cast, assemble
from tests.stand_ins import StripeStandIn

D = Decimal

pytestmark = pytest.mark.usefixtures("stripe_server")

MONDAY = datetime.combine(date(2026, 11, 30), time(10), tzinfo=clock.BUSINESS_ZONE)
"""A Monday at ten: three days later is a Thursday, seven more the Thursday after it."""


@pytest.fixture
def monday() -> Iterator[None]:
    with clock.as_of(MONDAY):
        yield


def at(day: int, hour: int = 10) -> datetime:
    """December ``day``, at a business hour."""
    return datetime.combine(date(2026, 12, day), time(hour), tzinfo=clock.BUSINESS_ZONE)


def declined(cast: Cast, code: str, *, amount: str = "72.00") -> Payment:
    """A charge at confirmation that the bank has refused with ``code``, on a Monday."""
    session = cast.book()
    owes(session, amount)
    card = cast.ana.cards.filter(removed_at=None).get()
    payment = payments.create_confirmation_charge(session=session, amount=D(amount), card=card)
    Payment.objects.filter(pk=payment.pk).update(state="submitted")
    refuse(payment, code)
    return payment


def refuse(payment: Payment, code: str) -> None:
    payments.record_outcome(
        payment=payment,
        result=ChargeResult(ChargeState.DECLINED, f"pi_{payment.pk}", payment.amount, decline_code=code, message="No."),
    )
    payment.refresh_from_db()


def session_of(payment: Payment) -> Session:
    return payment.parts.get().session


@pytest.fixture
def card(cast: Cast, stripe_server: StripeStandIn) -> PaymentCard:
    save_card(cast.ana)
    return cast.ana.cards.get()


@pytest.mark.usefixtures("monday")
@pytest.mark.parametrize(
    ("code", "day"),
    [
        ("insufficient_funds", date(2026, 12, 3)),
        ("processing_error", date(2026, 12, 1)),
        ("try_again_later", date(2026, 12, 1)),
        ("expired_card", None),
        ("lost_card", None),
        ("stolen_card", None),
        ("do_not_honor", None),
        ("fraudulent", None),
        ("generic_decline", None),
        ("a code that is new to us", None),
    ],
)
def test_only_what_passes_by_itself_is_tried_again(cast: Cast, card: PaymentCard, code: str, day: date | None) -> None:
    payment = declined(cast, code)
    assert payment.retry_on == day
    mail = Email.objects.get(kind="payment_needs_you")
    assert mail.to == cast.ana.email
    assert "/appointments/past/" in mail.text
    assert ("once more on" in mail.text) == (day is not None)


@pytest.mark.usefixtures("monday")
def test_it_is_paid_at_the_second_try(cast: Cast, card: PaymentCard, stripe_server: StripeStandIn) -> None:
    first = declined(cast, "insufficient_funds")
    with clock.as_of(at(2)):
        tasks.sweep()
        assert Payment.objects.count() == 1, "its day has not come"
    with clock.as_of(at(3, hour=8)):
        tasks.sweep()
        assert Payment.objects.count() == 1, "too early in the morning"
    with clock.as_of(at(3)):
        tasks.sweep()
        tasks.sweep()
    again = Payment.objects.get(retry_of=first)
    assert (again.state, again.amount, again.purpose, again.card) == ("succeeded", D("72.00"), "confirmation", card)
    assert session_balance(session_of(first)).due == D("0.00")
    assert [each["amount"] for each in at_stripe(stripe_server, card)] == [7200]


@pytest.mark.usefixtures("monday")
def test_after_two_more_refusals_the_client_is_left_to_pay(cast: Cast, card: PaymentCard) -> None:
    payment = declined(cast, "insufficient_funds")
    for day, then in ((3, date(2026, 12, 10)), (10, None)):
        with clock.as_of(at(day)):
            found = retrying.retry(payment.pk)
            assert found is not None
            Payment.objects.filter(pk=found.pk).update(state="submitted")
            refuse(found, "insufficient_funds")
            payment = found
            assert payment.retry_on == then
    with clock.as_of(at(31)):
        assert retrying.due() == []
    assert Payment.objects.count() == 3
    mails = list(Email.objects.filter(kind="payment_needs_you").order_by("pk"))
    assert ["once more on" in mail.text for mail in mails] == [True, True, False]


@pytest.mark.usefixtures("monday")
def test_late_news_of_the_same_refusal_moves_nothing(cast: Cast, card: PaymentCard) -> None:
    payment = declined(cast, "insufficient_funds")
    with clock.as_of(at(2)):
        refuse(payment, "insufficient_funds")
    assert payment.retry_on == date(2026, 12, 3)
    assert Email.objects.filter(kind="payment_needs_you").count() == 1


@pytest.mark.usefixtures("monday")
def test_a_day_without_business_waits_for_the_next(cast: Cast, card: PaymentCard) -> None:
    with clock.as_of(datetime.combine(date(2026, 12, 22), time(10), tzinfo=clock.BUSINESS_ZONE)):
        payment = declined(cast, "insufficient_funds")
    assert payment.retry_on == date(2026, 12, 28), "Christmas is a Friday, then comes a week-end"


@pytest.mark.usefixtures("monday")
def test_what_the_client_paid_meanwhile_is_not_charged(cast: Cast, card: PaymentCard) -> None:
    payment = declined(cast, "insufficient_funds")
    start_pay_now(client=cast.ana, card=card, shown=D("72.00"))
    with clock.as_of(at(3)):
        tasks.sweep()
        assert retrying.due() == []
    assert list(Payment.objects.order_by("pk").values_list("purpose", "state")) == [
        ("confirmation", "failed"),
        ("pay_now", "succeeded"),
    ]
    assert session_balance(session_of(payment)).booked == D("0.00")


@pytest.mark.usefixtures("monday")
def test_a_client_who_is_just_paying_is_not_overtaken(cast: Cast, card: PaymentCard) -> None:
    payment = declined(cast, "insufficient_funds")
    with clock.as_of(at(3)):
        begun = start_pay_now(client=cast.ana)
        assert begun.payment.state == "requires_action"
        assert retrying.retry(payment.pk) is None
        assert retrying.due() == [payment.pk], "it waits; nothing is given up"
        collect_payment.cancel(begun.payment)
        assert retrying.retry(payment.pk) is not None


@pytest.mark.usefixtures("monday")
@pytest.mark.parametrize(("change", "charged"), [("-30.00", "42.00"), ("+30.00", "72.00")])
def test_less_is_charged_when_less_is_due_and_never_more(
    cast: Cast, card: PaymentCard, change: str, charged: str
) -> None:
    payment = declined(cast, "insufficient_funds")
    session = session_of(payment)
    adjust(session, change)
    with clock.as_of(at(3)):
        tasks.sweep()
    assert Payment.objects.get(retry_of=payment).amount == D(charged)


def adjust(session: Session, change: str) -> None:
    """The session's cost moves, as a later decision of an insurer moves it."""
    post(
        key=f"cost:test:{session.pk}:{change}",
        memo="test",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, D(change), client=session.client_id, session=session.pk),
            Posting(Book.SESSION_REVENUE, -D(change)),
        ],
    )


@pytest.mark.usefixtures("monday")
def test_the_card_that_took_the_old_one_s_place_is_charged(cast: Cast, card: PaymentCard) -> None:
    payment = declined(cast, "insufficient_funds")
    save_card(cast.ana, "pm_card_mastercard")
    cards.remove_card(card)
    with clock.as_of(at(3)):
        tasks.sweep()
    assert Payment.objects.get(retry_of=payment).card == cast.ana.cards.get(brand="mastercard")


@pytest.mark.usefixtures("monday")
def test_without_a_card_the_client_is_asked(cast: Cast, card: PaymentCard) -> None:
    payment = declined(cast, "insufficient_funds")
    cards.remove_card(card)
    with clock.as_of(at(3)):
        tasks.sweep()
        assert retrying.due() == []
    assert not Payment.objects.filter(retry_of=payment).exists()
    assert Email.objects.filter(kind="payment_needs_you").count() == 2


def test_a_bank_that_wants_to_see_the_client_is_answered_through_the_link(
    cast: Cast, stripe_server: StripeStandIn
) -> None:
    save_card(cast.ana, "pm_card_authenticationRequired")
    card = cast.ana.cards.get()
    session = cast.book(days=-1)
    confirm(session)
    payment = Payment.objects.get()
    collect_payment.charge(payment.pk)
    payment.refresh_from_db()
    assert (payment.state, payment.decline_code, payment.retry_on) == (
        "requires_action",
        "authentication_required",
        None,
    )
    mail = Email.objects.get(kind="payment_needs_you")
    assert "/appointments/past/" in mail.text and "once more on" not in mail.text
    visitor = Browser()
    assert visitor.get("/appointments/past/")["Location"] == "/accounts/login/?next=/appointments/past/"
    assert cast.ana.user is not None
    visitor.force_login(cast.ana.user)
    assert f"/appointments/pay/?session={session.pk}" in visitor.get("/appointments/past/").content.decode()
    begun = start_pay_now(client=cast.ana, card=card, shown=payment.amount)
    assert begun.payment == payment and begun.client_secret, "the same attempt is finished, not a second one made"
    assert len(at_stripe(stripe_server, card)) == 1


def test_consent_to_keep_a_card_says_what_when_and_for_what(cast: Cast, card: PaymentCard) -> None:
    consent = card.consents.get()
    assert (consent.text_version, consent.text, consent.scope) == (
        cards.CONSENT_VERSION,
        cards.consent_text(),
        "session_costs",
    )
    assert abs(clock.now() - consent.created_at) < timedelta(minutes=5)
    copy = Email.objects.get(kind="card_saved")
    assert copy.to == cast.ana.email
    assert f"> {consent.text}" in copy.text


@pytest.mark.django_db(transaction=True)
def test_two_workers_write_one_retry(stripe_server: StripeStandIn) -> None:
    with clock.as_of(MONDAY):
        cast = assemble()
        save_card(cast.ana)
        payment = declined(cast, "insufficient_funds")

    def once() -> Payment | None:
        with clock.as_of(at(3)):
            return retrying.retry(payment.pk)

    class Found:
        def __init__(self, row: Payment | None) -> None:
            self.payment = row

    found = together(8, lambda: Found(once()))  # type: ignore[arg-type,return-value]
    assert sum(each is not None for each in found) == 1
    assert Payment.objects.filter(retry_of=payment).count() == 1


def test_the_provider_is_told_nothing_of_a_decline(cast: Cast, stripe_server: StripeStandIn) -> None:
    save_card(cast.ana, "pm_card_chargeCustomerFail")
    session = cast.book(days=-1)
    confirm(session)
    collect_payment.charge(Payment.objects.get().pk)
    payment = Payment.objects.get()
    assert payment.state == "failed"
    assert Email.objects.filter(kind="payment_needs_you", to=cast.ana.email).exists()
    assert not Email.objects.filter(to=cast.cole.email).exists()
    browser = Browser()
    assert cast.cole.user is not None
    browser.force_login(cast.cole.user)
    after_a_decline = [seen(browser, address.format(session=session.pk, client=cast.ana.pk)) for address in PROVIDERS]
    payments.record_outcome(
        payment=payment,
        result=ChargeResult(ChargeState.SUCCEEDED, payment.payment_intent_id or "", payment.amount),
    )
    assert Payment.objects.get().state == "succeeded"
    for address, before in zip(PROVIDERS, after_a_decline, strict=True):
        assert seen(browser, address.format(session=session.pk, client=cast.ana.pk)) == before, address
        assert "declin" not in before


PROVIDERS = (
    "/provider/",
    "/provider/sessions/",
    "/provider/sessions/?when=past",
    "/provider/sessions/{session}/",
    "/provider/clients/{client}/",
    "/provider/earnings/",
    "/provider/claims/",
    "/api/v1/provider/clients/",
    "/api/v1/provider/clients/{client}/",
    "/api/v1/provider/sessions/{session}/",
    "/api/v1/provider/sessions/?when=past",
    "/api/v1/provider/earnings/",
)


def seen(browser: Browser, address: str) -> str:
    """What the provider is shown there, without what is new in every answer."""
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return re.sub(r'(nonce|value)="[^"]{20,}"', "", answer.content.decode())
