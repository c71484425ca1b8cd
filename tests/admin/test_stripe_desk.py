"""Stripe's side of the desk: disputes answered, warnings decided, differences looked at and closed."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import Model
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from billing.flows import stripe_account
from billing.models import (
    BalanceTransaction,
    Dispute,
    FraudWarning,
    Payment,
    PaymentCard,
    Reconciliation,
    ReconciliationCase,
    Refund,
)
from common import clock
from headway.demo.cast import save_card
from people.models import AccessEvent
from tests import cast as people
from tests.billing.stripe_drive import charged, opened, own_stripe
from tests.cast import Cast, assemble
from tests.stand_ins import StripeStandIn

D = Decimal


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def fay(cast: Cast) -> Browser:
    found = Browser()
    found.force_login(cast.fay)
    return found


@pytest.fixture
def stripe(tmp_path: Path, settings: Settings) -> Iterator[StripeStandIn]:
    with own_stripe(tmp_path, settings) as running:
        yield running


def at(row: Model, kind: str, *more: str) -> str:
    return reverse(f"admin:billing_{row._meta.model_name}_{kind}", args=[row.pk, *more])


def paid(cast: Cast, card: PaymentCard | None = None) -> Payment:
    card = card or people.card(cast.ana)
    payment = Payment.objects.create(
        client=cast.ana, card=card, purpose="confirmation", amount=D("72.00"), state="succeeded",
        payment_intent_id="pi_1", settled_at=clock.now(),
    )  # fmt: skip
    payment.parts.create(session=cast.book(), amount=D("72.00"))
    return payment


def warning(cast: Cast) -> FraudWarning:
    return FraudWarning.objects.create(
        payment=paid(cast), warning_id="issfr_1", kind="made_with_stolen_card", actionable=True
    )


def test_support_reads_the_answer_and_sends_it(cast: Cast, fay: Browser, stripe: StripeStandIn) -> None:
    save_card(cast.ana)
    opened(stripe, charged(cast.book(), cast.ana.cards.get(), "72.00"))
    row = Dispute.objects.get()
    page = fay.get(at(row, "page", "evidence"))
    assert page.status_code == 200
    assert "ana@example.com" in page.content.decode() and "Send our answer" in page.content.decode()
    pdf = fay.get(at(row, "page", "document"))
    assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert AccessEvent.objects.filter(client=cast.ana).exists(), "who looked is kept"

    sent = fay.post(at(row, "repair", "send"), {"text": "All is there"}, follow=True)
    assert "The answer is with the bank" in sent.content.decode()
    row.refresh_from_db()
    assert row.state == "under_review"
    after = fay.get(at(row, "page", "evidence")).content.decode()
    assert "Send our answer" not in after and "file_" in after
    again = fay.post(at(row, "repair", "send"), {"text": "Again"})
    assert again.status_code == 422
    asked = fay.post(at(row, "repair", "ask"), {"text": "How does it stand?"}, follow=True)
    assert "The bank decides" in asked.content.decode()


@pytest.mark.parametrize(("days", "words"), [(3, "2 days left"), (-1, "too late")])
def test_the_list_shows_the_deadline(cast: Cast, fay: Browser, days: int, words: str) -> None:
    Dispute.objects.create(
        payment=paid(cast), dispute_id="dp_1", amount=D("72.00"), reason="fraudulent", state="needs_response",
        evidence_due=clock.now() + timedelta(days=days, minutes=-1),
    )  # fmt: skip
    assert words in fay.get(reverse("admin:billing_dispute_changelist")).content.decode()


def test_a_warned_payment_is_given_back_with_the_reason(cast: Cast, fay: Browser) -> None:
    row = warning(cast)
    told = fay.post(at(row, "repair", "refund"), {"text": "She does not know it"}, follow=True).content.decode()
    assert "$72.00 goes back" in told
    row.refresh_from_db()
    assert (row.note, Refund.objects.get().amount) == ("She does not know it", D("72.00"))
    assert fay.post(at(row, "repair", "refund"), {"text": "again"}).status_code == 422


def test_a_warned_payment_may_stay(cast: Cast, fay: Browser) -> None:
    row = warning(cast)
    fay.post(at(row, "repair", "leave"), {"text": "It is hers"})
    row.refresh_from_db()
    assert row.handled_at is not None
    assert not Refund.objects.exists()


def test_a_difference_is_seen_from_both_sides_and_closed(cast: Cast, fay: Browser, stripe: StripeStandIn) -> None:
    save_card(cast.ana)
    charged(cast.book(), cast.ana.cards.get(), "72.00")
    stripe.call("POST", "payment_intents", amount="900", currency="usd", payment_method="pm_card_visa",
                confirm="true").raise_for_status()  # fmt: skip
    with clock.as_of(clock.now() + timedelta(hours=2)):
        stripe_account.reconcile()
    made, case = Reconciliation.objects.get(), ReconciliationCase.objects.get()
    whole = fay.get(at(made, "page", "compare")).content.decode()
    assert "$81.00" in whole and "$72.00" in whole, "what Stripe moved, and what the books have of it"
    assert at(case, "page", "compare") in whole
    one = fay.get(at(case, "page", "compare")).content.decode()
    assert BalanceTransaction.objects.get(entry=None).transaction_id in one and "Nothing." in one
    assert fay.post(at(case, "repair", "close"), {"text": ""}).status_code == 422
    fay.post(at(case, "repair", "close"), {"text": "A test of the bank's"})
    case.refresh_from_db()
    assert (case.state, case.closed_by, case.note) == ("closed", cast.fay, "A test of the bank's")
    assert "None. Stripe" in fay.get(at(made, "page", "compare")).content.decode()


def test_the_page_takes_as_many_queries_for_many_differences(
    cast: Cast, fay: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = Reconciliation.objects.create(
        since=clock.now(), until=clock.now(), transactions=0, matched=0, stripe_balance=D("1.00"), books_balance=D("0")
    )
    for number in range(30):
        ReconciliationCase.objects.create(key=f"balance:{number}", kind="balance", explanation="They differ")
    with django_assert_max_num_queries(15):
        page = fay.get(at(made, "page", "compare")).content.decode()
    assert "$1.00 apart" in page and "30 open differences" in page
    case = ReconciliationCase.objects.first()
    assert case is not None
    assert fay.get(at(case, "page", "compare")).status_code == 200
