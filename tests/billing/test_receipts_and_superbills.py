"""Itemised receipts hold what an HSA or FSA asks for; superbills hold only what nobody else is asked to pay."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.http import Http404
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries

from billing.access import superbill_sessions
from billing.domain.superbill import Billed, WhyNot, why_not
from billing.flows import close_claim, confirm_session
from billing.gateways.results import ChargeResult, ChargeState, DisputeResult, DisputeState, Movement
from billing.models import Payment, Refund
from billing.services import disputes, payments, receipts, refunds, superbills
from care.models import Session
from common import clock
from common.errors import BadInput
from insurance.models import Claim
from people.models import AccessEvent
from tests.cast import Cast, card
from tests.portal.client_world import first_plan_answers, held, processed, second_plan_answers

D = Decimal


def read(pdf: bytes) -> str:
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return " ".join(text.split())


# --- Receipts ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def refunded(cast: Cast) -> Payment:
    """Paid 72.00 at confirmation; Evergreen paid 88.00, Harbor 40.00, final 32.00; 40.00 given back."""
    card(cast.ana)
    session = held(cast, days=-30)
    first_plan_answers(session, deductible="50.00", coinsurance="22.00", paid="88.00")
    second_plan_answers(session, paid="40.00", left="32.00", before="88.00")
    processed(Refund.objects.get())
    return Payment.objects.get()


def test_it_holds_what_such_an_account_asks_for(cast: Cast, refunded: Payment) -> None:
    found = receipts.content(refunded)
    assert found["number"] == f"R-{refunded.pk:06d}"
    assert found["patient"] == {"name": "Ana Rivera", "born": "1988-04-12"}
    assert found["card"] == "Visa ending in 4242"
    assert (found["amount"], found["net"]) == ("72.00", "32.00")
    (item,) = found["items"]
    assert item["provider"] == {"name": "Maya Cole", "licence": "Psychologist", "npi": "1234567893", "state": "NY"}
    assert (item["service"], item["codes"]) == (["Therapy session, 60 minutes"], ["90837"])
    assert (item["charge"], item["insurance_paid"], item["share"], item["paid"]) == (
        "220.00", "128.00", "32.00", "72.00",
    )  # fmt: skip
    assert item["final"] is True
    (back,) = found["refunds"]
    assert (back["amount"], back["session"], back["how"]) == ("40.00", item["date"], "")
    text = read(receipts.write(found))
    for said in ("Ana Rivera", "Maya Cole", "Psychologist", "1234567893", "90837", "$220.00", "$128.00", "$32.00",
                 "$72.00", "ending in 4242", found["number"], "$40.00", "Paid in the end: $32.00"):  # fmt: skip
        assert said in text, said
    assert "F41.1" not in text, "such an account needs no diagnosis"


def test_what_is_not_final_is_marked(cast: Cast) -> None:
    card(cast.ana)
    held(cast, days=-2)
    found = receipts.content(Payment.objects.get())
    assert (found["items"][0]["final"], found["items"][0]["insurance_paid"], found["refunds"]) == (False, "0.00", [])
    text = read(receipts.write(found))
    assert "$72.00*" in text
    assert "An estimate: not every plan has answered yet." in text
    assert "Given back since" not in text


def test_a_refund_by_check_names_its_number_and_a_promise_counts_for_nothing(cast: Cast) -> None:
    card(cast.ana)
    session = held(cast, days=-30)
    first_plan_answers(session, deductible="50.00", coinsurance="22.00", paid="88.00")
    second_plan_answers(session, paid="40.00", left="32.00", before="88.00")
    payment, refund = Payment.objects.get(), Refund.objects.get()
    assert receipts.content(payment)["net"] == "72.00"
    Refund.objects.update(state="submitted")
    refunds.record_refusal(refund=refund, message="The card is closed")
    refunds.give_another_way(refund, reference="Check 10482")
    found = receipts.content(payment)
    assert found["net"] == "32.00"
    assert "Check 10482" in read(receipts.write(found))


def lost(payment: Payment, amount: str, state: DisputeState = DisputeState.LOST) -> None:
    """What Stripe says of a dispute whose money left with its opening, and came back when it was won."""
    now, dollars = clock.now(), D(amount)
    gone = Movement("txn_1", "adjustment", -dollars, D(0), -dollars, now, now.date(), "dp_1")
    back = Movement("txn_2", "adjustment", dollars, D(0), dollars, now, now.date(), "dp_1")
    moved = (gone,) if state is DisputeState.LOST else (gone, back)
    told = DisputeResult(state, "dp_1", dollars, "fraudulent", payment.payment_intent_id, None, now, moved)
    disputes.record(payment=payment, result=told)


def test_what_the_bank_gave_back_in_a_dispute_was_not_paid_in_the_end(cast: Cast, refunded: Payment) -> None:
    lost(refunded, "32.00")
    found = receipts.content(refunded)
    assert [each["amount"] for each in found["refunds"]] == ["40.00", "32.00"]
    assert (found["refunds"][1]["on"], found["net"]) == (clock.today().isoformat(), "0.00")
    assert "By the card's bank" in read(receipts.write(found))
    lost(refunded, "32.00", DisputeState.WON)
    assert receipts.content(refunded)["net"] == "32.00"


@pytest.mark.parametrize("state", ["created", "submitted", "unknown", "failed"])
def test_what_did_not_go_through_has_no_receipt(cast: Cast, state: str) -> None:
    card(cast.ana)
    confirm_session.confirm(cast.book(days=-1))
    Payment.objects.update(state=state)
    with pytest.raises(receipts.NoReceipt):
        receipts.content(Payment.objects.get())


def test_it_is_drawn_with_few_queries(cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    card(cast.ana)
    paid = payments.create_confirmation_charge(session=cast.book(), amount=D("5.00"), card=cast.ana.cards.get())
    Payment.objects.filter(pk=paid.pk).update(state="submitted")
    payments.record_outcome(
        payment=paid, result=ChargeResult(state=ChargeState.SUCCEEDED, payment_intent="pi_9", amount=D("5.00"))
    )
    paid = Payment.objects.select_related("client", "card").get()
    with django_assert_max_num_queries(8):
        receipts.content(paid)


# --- Superbills -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "past", "claims", "expected"),
    [
        ("confirmed", True, [], None),
        ("confirmed", True, [Billed(open=False, decided=False)], None),
        ("confirmed", True, [Billed(open=True, decided=False)], WhyNot.BILLED),
        ("confirmed", True, [Billed(open=False, decided=True)], WhyNot.BILLED),
        ("confirmed", True, [Billed(False, False), Billed(True, False)], WhyNot.BILLED),
        ("scheduled", True, [], WhyNot.NOT_CONFIRMED),
        ("scheduled", False, [], WhyNot.TO_COME),
        ("no_show", True, [], WhyNot.DID_NOT_TAKE_PLACE),
        ("cancelled", False, [], WhyNot.DID_NOT_TAKE_PLACE),
    ],
)
def test_why_a_session_is_not_on_it(status: str, past: bool, claims: list[Billed], expected: WhyNot | None) -> None:
    assert why_not(status=status, past=past, claims=claims) == expected


def not_billed(cast: Cast, *, days: int = -10) -> Session:
    """A confirmed and paid session whose claims were closed before any insurer was asked: the client claims it."""
    session = cast.book(days=days)
    confirm_session.confirm(session)
    paid = Payment.objects.filter(parts__session=session).get()
    Payment.objects.filter(pk=paid.pk).update(state="submitted")
    payments.record_outcome(
        payment=paid,
        result=ChargeResult(state=ChargeState.SUCCEEDED, payment_intent=f"pi_{paid.pk}", amount=paid.amount),
    )
    for claim in session.claims.order_by("-rank"):
        close_claim.close(claim, reason="The client claims it", actor=cast.fay)
    return session


def found(cast: Cast, days: int = 60) -> list[superbills.Choice]:
    assert cast.ana.user is not None
    today = clock.today()
    sessions = superbill_sessions(cast.ana.user, cast.ana, purpose="superbill")
    return superbills.choices(sessions, begin=today - timedelta(days=days), end=today + timedelta(days=days))


def test_a_superbill_of_a_session_that_we_bill_to_nobody(cast: Cast) -> None:
    card(cast.ana)
    session = not_billed(cast)
    assert set(session.claims.values_list("submission", "decision")) == {("not_needed", "none")}
    told = superbills.content(found(cast))
    (each,) = told["sessions"]
    assert (each["id"], each["place"], each["diagnoses"]) == (session.pk, "11", ["F41.1"])
    assert each["lines"] == [
        {"cpt": "90837", "modifiers": [], "service": "Therapy session, 60 minutes", "units": 1, "charge": "220.00"}
    ]
    assert each["provider"]["taxonomy"] == "103T00000X"
    paid = sum((part.amount for part in session.payment_parts.all()), D(0))
    given = sum((refund.amount for refund in session.refunds.filter(state__in=receipts.GIVEN)), D(0))
    assert (told["charges"], told["paid"]) == ("220.00", f"{paid - given:.2f}")
    text = read(superbills.write(told))
    for said in ("Ana Rivera", "1988", "Maya Cole", "1234567893", "103T00000X", "13-1234567", "205 Hudson Street",
                 "F41.1", "90837", "11", "$220.00", "No claim of ours"):  # fmt: skip
        assert said in text, said


def test_what_the_bank_gave_back_is_not_paid_on_a_superbill(cast: Cast) -> None:
    card(cast.ana)
    payment = not_billed(cast).payment_parts.get().payment
    lost(payment, str(payment.amount))
    assert superbills.content(found(cast))["paid"] == "0.00"


def test_sessions_that_we_bill_are_not_on_it_and_it_says_why(cast: Cast) -> None:
    card(cast.ana)
    billed = cast.book(days=-5)
    confirm_session.confirm(billed)
    cast.book(days=-3)
    cast.book(days=4)
    told = [(each.session.pk == billed.pk, each.why_not, each.sentence) for each in found(cast)]
    assert told == [
        (True, WhyNot.BILLED, "We bill this session to Evergreen Health, Harbor Mutual for you. "
                              "An insurer must not be asked twice."),
        (False, WhyNot.NOT_CONFIRMED, "Your provider has not confirmed yet that this session took place."),
        (False, WhyNot.TO_COME, "This session is still to come."),
    ]  # fmt: skip
    with pytest.raises(superbills.NoSuperbill, match="An insurer must not be asked twice"):
        superbills.content(found(cast))


@pytest.mark.parametrize("submission", ["waiting", "held", "ready", "submitted", "received", "accepted", "rejected"])
def test_a_claim_that_may_still_be_paid_keeps_its_session_off(cast: Cast, submission: str) -> None:
    card(cast.ana)
    session = not_billed(cast)
    Claim.objects.filter(session=session, rank=1).update(submission=submission)
    assert [each.why_not for each in found(cast)] == [WhyNot.BILLED]


def test_the_client_chooses_days_and_sessions(cast: Cast) -> None:
    card(cast.ana)
    early, late = not_billed(cast, days=-40), not_billed(cast, days=-10)
    assert [each.session.pk for each in found(cast, days=20)] == [late.pk]
    told = superbills.content(found(cast), only=[early.pk])
    assert [each["id"] for each in told["sessions"]] == [early.pk]
    with pytest.raises(superbills.NoSuperbill, match="no session"):
        superbills.content(found(cast), only=[])


def test_days_must_be_a_range_of_a_year_at_most(cast: Cast) -> None:
    today = clock.today()
    with pytest.raises(BadInput, match="before the first"):
        superbills.check_range(today, today - timedelta(days=1))
    with pytest.raises(BadInput, match="a year at most"):
        superbills.check_range(today - timedelta(days=367), today)
    superbills.check_range(today - timedelta(days=366), today)


def test_a_look_by_somebody_else_is_recorded_and_strangers_find_nothing(cast: Cast) -> None:
    superbill_sessions(cast.fay, cast.ana, purpose="superbill")
    assert AccessEvent.objects.get().purpose == "superbill"
    for stranger in (cast.eve.user, cast.cole.user, cast.diaz.user):
        assert stranger is not None
        with pytest.raises(Http404):
            superbill_sessions(stranger, cast.ana, purpose="superbill")


def test_many_sessions_take_few_queries(cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    card(cast.ana)
    for days in (-4, -8, -12):
        confirm_session.confirm(cast.book(days=days))
    with django_assert_max_num_queries(6):
        assert len(found(cast)) == 3
