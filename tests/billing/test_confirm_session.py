"""Confirming a session: priced from the primary alone, charged, earned, claimed; or refused with nothing done."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from billing.flows import confirm_session
from billing.flows.exchange_claims import read
from billing.ledger.models import Entry
from billing.ledger.posting import Book, balance
from billing.models import Payment, SessionCost
from billing.services import costs
from billing.services.prices import NoPrice
from care.models import Session
from care.services.sessions import ClientPaused, SessionRefused
from common import clock
from insurance.models import Claim, Credential
from insurance.services import exchange
from notifications.models import Email
from tests.cast import Cast, benefits, card, observe
from tests.remittance_files import adjustments, payment, received, result

D = Decimal


def test_the_price_comes_from_the_primary_plan_alone(cast: Cast) -> None:
    preview = confirm_session.preview(cast.book())
    assert preview.payer == "Evergreen Health"
    assert (preview.charge, preview.earning) == (D("72.00"), D("160.00"))
    assert preview.why == (
        "$50.00 goes to your deductible, which is then met",
        "Coinsurance $22.00: 20% of the remaining $110.00",
    )


def test_confirming_books_charges_earns_and_claims(cast: Cast) -> None:
    card(cast.ana)
    session = cast.book()
    confirm_session.confirm(session)
    session.refresh_from_db()
    assert session.status == Session.Status.CONFIRMED
    assert session.earning.amount == D("160.00")
    assert balance(Book.CLIENT_RECEIVABLE, session=session) == D("72.00")
    assert balance(Book.INSURER_RECEIVABLE, session=session) == D("88.00")
    assert balance(Book.PROVIDER_PAYABLE, provider=cast.cole) == D("-160.00")
    payment = Payment.objects.get()
    assert (payment.amount, payment.state, payment.purpose) == (D("72.00"), "created", "confirmation")
    assert [(c.rank, c.coverage.payer.name, c.submission) for c in session.claims.all()] == [
        (1, "Evergreen Health", "ready"),
        (2, "Harbor Mutual", "waiting"),
    ]


def test_confirming_twice_changes_nothing(cast: Cast) -> None:
    card(cast.ana)
    session = cast.book()
    confirm_session.confirm(session)
    confirm_session.confirm(session)
    assert Payment.objects.count() == 1
    assert Claim.objects.count() == 2
    assert Entry.objects.count() == 2


def test_sessions_in_a_row_use_up_the_deductible_once(cast: Cast) -> None:
    first, second = cast.book(days=0), cast.book(days=7)
    costs.reprice(cast.ana)
    assert [costs.current_cost(s).amount for s in (first, second)] == [D("72.00"), D("32.00")]  # type: ignore[union-attr]
    confirm_session.confirm(first)
    costs.reprice(cast.ana)
    assert costs.current_cost(second).amount == D("32.00")  # type: ignore[union-attr]
    assert SessionCost.objects.filter(session=second).count() == 1


def test_repricing_twice_writes_nothing(cast: Cast) -> None:
    cast.book(days=1)
    assert len(costs.reprice(cast.ana)) == 1
    assert costs.reprice(cast.ana) == []


def test_a_met_deductible_is_told_as_the_reason(cast: Cast) -> None:
    session = cast.book(days=1)
    costs.reprice(cast.ana)
    observe(cast.own_plan, benefits(deductible="0.00"))
    (cost,) = costs.reprice(cast.ana)
    assert (cost.session, cost.amount, cost.reason) == (session, D("32.00"), SessionCost.Reason.DEDUCTIBLE_MET)
    assert cost.breakdown["sentence"] == (
        "You have met your deductible: from now on you pay your 20%, so this session costs $32.00 instead of $72.00."
    )


def test_benefits_that_do_not_decide_the_price_ask_for_the_full_rate_and_say_so(cast: Cast) -> None:
    cast.book(days=1)
    observe(cast.own_plan, benefits(coinsurance=None))
    (cost,) = costs.reprice(cast.ana)
    assert cost.amount == D("160.00")
    assert cost.breakdown["verified"] is False
    assert "Evergreen Health has not told us enough" in cost.breakdown["why"][0]


def test_without_a_card_the_client_is_told_how_to_pay(cast: Cast) -> None:
    confirm_session.confirm(cast.book())
    assert not Payment.objects.exists()
    assert Email.objects.get().kind == "payment_needs_you"


def test_a_cost_below_half_a_dollar_is_not_charged_to_a_card(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """No card takes it; it waits on the account, and nobody writes to the client about it."""
    card(cast.ana)
    session = cast.book()
    monkeypatch.setattr(confirm_session, "SMALLEST_CHARGE", D("72.01"))
    confirm_session.confirm(session)
    assert balance(Book.CLIENT_RECEIVABLE, session=session) == D("72.00")
    assert not Payment.objects.exists()
    assert not Email.objects.filter(key__startswith="no_card").exists()


def nothing_happened(session: Session) -> bool:
    session.refresh_from_db()
    return session.status == Session.Status.SCHEDULED and not (
        Payment.objects.exists() or Claim.objects.exists() or Entry.objects.exists() or Email.objects.exists()
    )


def test_a_paused_client_cannot_be_confirmed(cast: Cast) -> None:
    session = cast.book()
    cast.ana.paused_since = clock.now()
    cast.ana.save()
    with pytest.raises(ClientPaused, match="Ana's account is paused"):
        confirm_session.confirm(session)
    assert nothing_happened(session)


def test_a_paused_client_cannot_be_booked(cast: Cast) -> None:
    cast.ana.paused_since = clock.now()
    cast.ana.save()
    with pytest.raises(ClientPaused):
        cast.book()
    assert not Session.objects.exists()


def test_the_database_itself_refuses_a_paused_client(cast: Cast) -> None:
    session = cast.book()
    cast.ana.paused_since = clock.now()
    cast.ana.save()
    with pytest.raises(DatabaseError, match="is paused"), transaction.atomic():
        Session.objects.filter(pk=session.pk).update(status="confirmed", confirmed_at=clock.now())
    assert nothing_happened(session)


def test_a_session_to_come_cannot_be_confirmed(cast: Cast) -> None:
    session = cast.book(days=2)
    with pytest.raises(SessionRefused, match="has not taken place yet"):
        confirm_session.confirm(session)
    assert nothing_happened(session)


def test_a_provider_without_the_primary_s_credential_cannot_bill_it(cast: Cast) -> None:
    session = cast.book()
    Credential.objects.filter(provider=cast.cole, payer=cast.evergreen).delete()
    with pytest.raises(NoPrice, match=r"Dr\. Cole is not credentialed with Evergreen Health"):
        confirm_session.confirm(session)
    assert nothing_happened(session)


def test_a_second_plan_that_cannot_be_billed_is_closed_with_its_reason(cast: Cast) -> None:
    Credential.objects.filter(provider=cast.cole, payer=cast.harbor).delete()
    session = cast.book()
    confirm_session.confirm(session)
    second = session.claims.get(rank=2)
    assert second.submission == "not_needed"
    assert second.reason == (
        "Dr. Cole is not credentialed with Harbor Mutual, so we cannot send claims to it for these sessions."
    )


def test_a_session_booked_before_another_explains_its_new_price_truthfully(cast: Cast) -> None:
    later = cast.book(days=7)
    costs.reprice(cast.ana)
    cast.book(days=1)
    changed = next(cost for cost in costs.reprice(cast.ana) if cost.session_id == later.pk)
    assert (changed.amount, changed.reason) == (D("32.00"), SessionCost.Reason.DEDUCTIBLE_MET)
    observe(cast.own_plan, benefits(deductible="200.00"))
    costs.reprice(cast.ana)
    cast.book(days=3)
    changed = next(cost for cost in costs.reprice(cast.ana) if cost.session_id == later.pk)
    assert changed.reason == SessionCost.Reason.DEDUCTIBLE_MET


def test_a_cancelled_session_gives_its_deductible_back_and_says_so(cast: Cast) -> None:
    earlier, later = cast.book(days=1), cast.book(days=7)
    costs.reprice(cast.ana)
    Session.objects.filter(pk=earlier.pk).update(status="cancelled")
    (changed,) = costs.reprice(cast.ana)
    assert (changed.session_id, changed.amount, changed.reason) == (later.pk, D("72.00"), "session_changed")
    assert changed.breakdown["sentence"] == (
        "Other sessions changed: $50.00 of your deductible is left before this session, not $0.00, so this session "
        "costs $72.00 instead of $32.00."
    )


@pytest.mark.parametrize(("paid_days_ago", "next_costs"), [(3, "72.00"), (0, "32.00")])
def test_what_the_insurer_had_processed_before_its_answer_is_counted_once(
    cast: Cast, paid_days_ago: int, next_costs: str
) -> None:
    card(cast.ana)
    session = cast.book(days=-5)
    confirm_session.confirm(session)
    exchange.build_batches()
    snapshot = observe(cast.own_plan, benefits(deductible="50.00"))
    first = session.claims.get(rank=1)
    says = adjustments(("CO", "45", "60.00"), ("PR", "1", "50.00"), ("PR", "2", "22.00"))
    paid_on = clock.today() - timedelta(days=paid_days_ago)
    read(received(replace(payment(first, result(first, paid="88.00", why=says)), paid_on=paid_on)))
    later = cast.book(days=2)
    costs.reprice(cast.ana)
    cost = costs.current_cost(later)
    assert cost is not None
    assert (cost.snapshot, cost.amount) == (snapshot, D(next_costs))
