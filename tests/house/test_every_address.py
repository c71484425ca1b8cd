"""Every address of the project by who asks: what is open, what is shut, and that a shut door changes nothing.

A new address fails here until it has a row. Columns: a visitor, Ana (whose rows they are), Eve (another client),
Dr. Cole (Ana's provider), Dr. Diaz (another one), Fay (support), Gus (auditor).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client as Browser
from django.test.client import MULTIPART_CONTENT
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from billing.flows.confirm_session import confirm
from billing.gateways.results import ChargeResult, ChargeState
from billing.models import (
    Autopay,
    AutopayNotice,
    ClientStatement,
    GoodFaithEstimate,
    Payment,
    PaymentCard,
    PaymentPlan,
    PayoutLine,
    PayoutRun,
    ProviderBankAccount,
    ProviderPayout,
)
from billing.services import payments
from care.models import Session
from common import clock
from insurance.models import AccountPause, Claim, Recertification, SuggestedCoverage
from people.models import Role, User
from tests.cast import Cast, assemble, card, money, user
from tests.cast import payer as cast_payer

WHO = ("visitor", "ana", "eve", "cole", "diaz", "fay", "gus")
LOGIN = 302
"""Pages send a visitor to sign in."""


@dataclass(frozen=True)
class Row:
    """One request and its status for each of WHO. ``body`` is what makes it succeed for whoever may."""

    method: str
    address: str
    statuses: tuple[int, ...]
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.method} /{self.address}"


def row(method: str, address: str, statuses: str, **body: Any) -> Row:
    codes = tuple(int(code) for code in statuses.split())
    assert len(codes) == len(WHO), address
    return Row(method, address, codes, body)


#           visitor ana eve cole diaz fay gus
EVERYONE = "200 200 200 200 200 200 200"
SIGNED_IN = "302 200 200 200 200 200 200"
AWAY = "302 302 302 302 302 302 302"
"""Sent elsewhere: to sign in, or to say the password again first."""
NONE_YET = "302 404 404 404 404 404 404"
"""Of a second factor that nobody here has set up."""

PEOPLE = [
    row("GET", "", "200 302 302 302 302 302 302"),
    row("POST", "theme/", "302 302 302 302 302 302 302", theme="dark"),
    row("GET", "healthz", EVERYONE),
    row("GET", "styleguide/", EVERYONE),
    row("GET", "previews/emails/", EVERYONE),
    row("GET", "previews/emails/<slug:kind>/", EVERYONE),
    row("POST", "webhooks/stripe/", "400 400 400 400 400 400 400"),
]

ACCOUNTS = [
    row("GET", "accounts/login/", "200 302 302 302 302 302 302"),
    row("GET", "accounts/signup/", "200 302 302 302 302 302 302"),
    row("GET", "accounts/logout/", "302 200 200 200 200 200 200"),
    row("GET", "accounts/inactive/", EVERYONE),
    row("GET", "accounts/reauthenticate/", SIGNED_IN),
    row("GET", "accounts/email/", SIGNED_IN),
    row("GET", "accounts/confirm-email/", EVERYONE),
    row("GET", "accounts/^confirm-email/(?P<key>[-:\\w]+)/$", EVERYONE),
    row("GET", "accounts/password/change/", SIGNED_IN),
    row("GET", "accounts/password/set/", AWAY),
    row("GET", "accounts/password/reset/", EVERYONE),
    row("GET", "accounts/password/reset/done/", EVERYONE),
    row("GET", "accounts/password/reset/key/done/", EVERYONE),
    row("GET", "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$", EVERYONE),
    row("GET", "accounts/login/code/confirm/", AWAY),
    row("GET", "accounts/2fa/", SIGNED_IN),
    row("GET", "accounts/2fa/authenticate/", AWAY),
    row("GET", "accounts/2fa/reauthenticate/", AWAY),
    row("GET", "accounts/2fa/totp/activate/", AWAY),
    row("GET", "accounts/2fa/totp/deactivate/", NONE_YET),
    row("GET", "accounts/2fa/recovery-codes/", NONE_YET),
    row("GET", "accounts/2fa/recovery-codes/generate/", AWAY),
    row("GET", "accounts/2fa/recovery-codes/download/", NONE_YET),
    row("GET", "accounts/2fa/webauthn/", SIGNED_IN),
    row("GET", "accounts/2fa/webauthn/add/", AWAY),
    row("GET", "accounts/2fa/webauthn/reauthenticate/", AWAY),
    row("GET", "accounts/2fa/webauthn/keys/<int:pk>/remove/", AWAY),
    row("GET", "accounts/2fa/webauthn/keys/<int:pk>/edit/", AWAY),
]

OWN = "302 200 200 404 404 404 404"
"""A client's page, which every client has of their own."""
ONLY_ANA = "302 200 404 404 404 404 404"
ANA_DOES = "302 302 404 404 404 404 404"
ESTIMATE = {"provider": "{provider_id}", "frequency": "weekly", "first_on": "{today}", "months": "3"}
CLIENT_PAGES = [
    row("GET", "home/", OWN),
    row("GET", "benefits/", OWN),
    row("GET", "benefits/what-if/", OWN),
    row("POST", "benefits/<int:coverage_id>/check/", ANA_DOES),
    row("GET", "benefits/<int:coverage_id>/report/", ONLY_ANA),
    row("POST", "benefits/<int:coverage_id>/report/", ANA_DOES, what="copay", text="My card says $20."),
    row("GET", "appointments/", OWN),
    row("GET", "appointments/past/", OWN),
    row("GET", "appointments/pay/", OWN),
    row("POST", "appointments/pay/intent/", "302 409 409 404 404 404 404", shown="1.00"),
    row("GET", "appointments/<int:session_id>/", ONLY_ANA),
    row("GET", "payments/", OWN),
    row("GET", "payments/return/", "302 404 404 404 404 404 404"),
    row("GET", "payments/<int:payment_id>/", ONLY_ANA),
    row("POST", "payments/<int:payment_id>/refresh/", ANA_DOES),
    row("GET", "payments/<int:payment_id>/receipt/", ONLY_ANA),
    row("GET", "payments/statements/", OWN),
    row("GET", "payments/statements/<int:statement_id>/", ONLY_ANA),
    row("GET", "payments/statements/<int:statement_id>/pdf/", ONLY_ANA),
    row("GET", "payments/superbill/", OWN),
    row("GET", "payments/superbill/pdf/", "302 302 302 404 404 404 404"),
    row("GET", "payments/plan/", OWN),
    row("POST", "payments/plan/", "302 409 409 404 404 404 404", agree="on", shown="70.00"),
    row("POST", "payments/plan/<int:plan_id>/end/", ANA_DOES),
    row("GET", "payments/autopay/", OWN),
    row("POST", "payments/autopay/", "302 302 409 404 404 404 404", agree="on", limit="40.00"),
    row("POST", "payments/autopay/stop/", "302 302 302 404 404 404 404"),
    row("POST", "payments/autopay/charges/<int:notice_id>/stop/", ANA_DOES),
    row("GET", "payments/cards/add/", OWN),
    row("POST", "payments/cards/intent/", "302 503 503 404 404 404 404", agree="on"),
    row("POST", "payments/cards/<int:card_id>/default/", ANA_DOES),
    row("POST", "payments/cards/<int:card_id>/remove/", ANA_DOES),
    row("GET", "plans/", OWN),
    row("GET", "plans/add/", OWN),
    row("GET", "plans/order/", "302 302 302 404 404 404 404"),
    row("POST", "plans/order/", "302 302 302 404 404 404 404"),
    row("GET", "plans/<int:coverage_id>/remove/", ONLY_ANA),
    row("POST", "plans/<int:coverage_id>/remove/", ANA_DOES),
    row("GET", "plans/suggested/<int:suggestion_id>/", ONLY_ANA),
    row("POST", "plans/suggested/<int:suggestion_id>/", ANA_DOES, holder="self", plan_type="group"),
    row("POST", "plans/suggested/<int:suggestion_id>/dismiss/", ANA_DOES),
    row("POST", "plans/pauses/<int:pause_id>/reference/", ANA_DOES, reference_number="COB-1"),
    row("GET", "plans/confirm/<int:recertification_id>/", ONLY_ANA),
    row(
        "POST",
        "plans/confirm/<int:recertification_id>/",
        ANA_DOES,
        reference_number="COB-2",
        called_on="{today}",
    ),
    row("GET", "good-faith-estimates/", OWN),
    row("POST", "good-faith-estimates/", "302 422 422 404 404 404 404", **ESTIMATE),
    row("GET", "good-faith-estimates/<int:estimate_id>/", ONLY_ANA),
    row("GET", "good-faith-estimates/<int:estimate_id>/pdf/", ONLY_ANA),
    row("GET", "find/", OWN),
    row("GET", "messages/", OWN),
    row("POST", "messages/", "302 302 302 404 404 404 404", category="other", body="Hello?"),
]

PROVIDERS = "302 404 404 200 200 404 404"
ONLY_COLE = "302 404 404 200 404 404 404"
COLE_DOES = "302 404 404 302 404 404 404"
PROVIDER_PAGES = [
    row("GET", "provider/", PROVIDERS),
    row("GET", "provider/clients/<int:client_id>/", ONLY_COLE),
    row("POST", "provider/plans/<int:coverage_id>/check/", COLE_DOES),
    row("GET", "provider/plans/<int:coverage_id>/report/", ONLY_COLE),
    row("POST", "provider/plans/<int:coverage_id>/report/", COLE_DOES, what="copay", text="The card says $20."),
    row("GET", "provider/sessions/", PROVIDERS),
    row("GET", "provider/sessions/new/", PROVIDERS),
    row("GET", "provider/sessions/<int:session_id>/", ONLY_COLE),
    row("POST", "provider/sessions/<int:session_id>/confirm/", COLE_DOES, charge="32.00", earning="160.00"),
    row("POST", "provider/sessions/<int:session_id>/cancel/", COLE_DOES),
    row("GET", "provider/claims/", PROVIDERS),
    row("GET", "provider/earnings/", PROVIDERS),
    row("GET", "provider/earnings/payouts/<int:payout_id>/", ONLY_COLE),
    row("GET", "provider/earnings/payouts/<int:payout_id>/pdf/", ONLY_COLE),
    row("GET", "provider/earnings/payouts/<int:payout_id>/csv/", ONLY_COLE),
    row("GET", "provider/earnings/bank-account/", PROVIDERS),
    # Sent to show the password once more first.
    row("GET", "provider/earnings/bank-account/change/", "302 404 404 302 302 404 404"),
    row("POST", "provider/earnings/bank-account/change/", "302 404 404 302 302 404 404"),
]

API_OWN = "401 200 200 404 404 404 404"
API_ANA = "401 200 404 404 404 404 404"
API_PROVIDERS = "401 404 404 200 200 404 404"
API_COLE = "401 404 404 200 404 404 404"
API_FAY = "401 404 404 404 404 200 404"
BOOKING = {
    "client": "{client_id}",
    "starts_at": "{soon}",
    "procedures": [{"cpt": "90837"}],
    "diagnoses": ["F41.1"],
}
API = [
    row("GET", "api/v1/schema/", EVERYONE),
    row("GET", "api/v1/docs/", EVERYONE),
    row("GET", "api/v1/me/", "401 200 200 200 200 200 200"),
    row("GET", "api/v1/payers/", "401 200 200 200 200 200 200"),
    row("GET", "api/v1/client/plans/", API_OWN),
    row("POST", "api/v1/client/plans/", "401 201 201 404 404 404 404", payer="{payer}", member_id="NEW1"),
    row("DELETE", "api/v1/client/plans/<int:coverage_id>/", "401 204 404 404 404 404 404"),
    row("POST", "api/v1/client/plans/<int:coverage_id>/refresh/", "401 202 404 404 404 404 404"),
    row(
        "POST",
        "api/v1/client/plans/<int:coverage_id>/report/",
        "401 201 404 404 404 404 404",
        what="copay",
        text="My card says $20.",
    ),
    row("GET", "api/v1/client/plans/order/", API_OWN),
    row("POST", "api/v1/client/plans/order/", "401 409 409 404 404 404 404", answers={"x": None}),
    row("GET", "api/v1/client/suggested-plans/", API_OWN),
    row(
        "POST",
        "api/v1/client/suggested-plans/<int:suggestion_id>/confirmation/",
        "401 201 404 404 404 404 404",
        holder="self",
        plan_type="group",
    ),
    row("POST", "api/v1/client/suggested-plans/<int:suggestion_id>/dismissal/", API_ANA),
    row("GET", "api/v1/client/recertifications/", API_OWN),
    row(
        "POST",
        "api/v1/client/recertifications/<int:recertification_id>/reference/",
        "401 202 404 404 404 404 404",
        reference_number="COB-2",
        called_on="{today}",
    ),
    row("GET", "api/v1/client/benefits/", API_OWN),
    row("GET", "api/v1/client/providers/", "401 200 422 404 404 404 404"),
    row("GET", "api/v1/client/pauses/", API_OWN),
    row("GET", "api/v1/client/pauses/<int:pause_id>/", API_ANA),
    row(
        "POST", "api/v1/client/pauses/<int:pause_id>/reference/", "401 202 404 404 404 404 404", reference_number="C-1"
    ),
    row("GET", "api/v1/client/good-faith-estimates/", API_OWN),
    row("POST", "api/v1/client/good-faith-estimates/", "401 409 422 404 404 404 404", **ESTIMATE),
    row("GET", "api/v1/client/good-faith-estimates/<int:estimate_id>/", API_ANA),
    row("GET", "api/v1/client/good-faith-estimates/<int:estimate_id>/pdf/", API_ANA),
    row("GET", "api/v1/client/sessions/", API_OWN),
    row("GET", "api/v1/client/sessions/<int:session_id>/", API_ANA),
    row("GET", "api/v1/client/balance/", API_OWN),
    row("GET", "api/v1/client/cards/", API_OWN),
    row("GET", "api/v1/client/payments/", API_OWN),
    row("POST", "api/v1/client/payments/", "401 409 409 404 404 404 404", shown="1.00"),
    row("GET", "api/v1/client/payments/<int:payment_id>/", API_ANA),
    row("POST", "api/v1/client/payments/<int:payment_id>/refresh/", "401 503 404 404 404 404 404"),
    row("GET", "api/v1/client/payments/<int:payment_id>/receipt/", API_ANA),
    row("GET", "api/v1/client/payments/<int:payment_id>/receipt/pdf/", API_ANA),
    row("GET", "api/v1/client/statements/", API_OWN),
    row("GET", "api/v1/client/statements/<int:statement_id>/", API_ANA),
    row("GET", "api/v1/client/statements/<int:statement_id>/pdf/", API_ANA),
    row("GET", "api/v1/client/superbill/", "401 422 422 404 404 404 404"),
    row("GET", "api/v1/client/superbill/pdf/", "401 422 422 404 404 404 404"),
    row("GET", "api/v1/client/payment-plans/", API_OWN),
    row(
        "POST",
        "api/v1/client/payment-plans/",
        "401 409 409 404 404 404 404",
        shown="70.00",
        first_on="{today}",
        agree=True,
    ),
    row("GET", "api/v1/client/payment-plans/offer/", API_OWN),
    row("POST", "api/v1/client/payment-plans/<int:plan_id>/end/", "401 200 404 404 404 404 404"),
    row("GET", "api/v1/client/autopay/", API_OWN),
    row("POST", "api/v1/client/autopay/", "401 200 409 404 404 404 404", limit="40.00", agree=True),
    row("DELETE", "api/v1/client/autopay/", "401 204 204 404 404 404 404"),
    row("DELETE", "api/v1/client/autopay/charges/<int:notice_id>/", "401 204 404 404 404 404 404"),
    row("GET", "api/v1/client/refunds/", API_OWN),
    row("GET", "api/v1/client/support-requests/", API_OWN),
    row("POST", "api/v1/client/support-requests/", "401 201 201 404 404 404 404", category="other", body="Hello?"),
    row("GET", "api/v1/provider/clients/", API_PROVIDERS),
    row("GET", "api/v1/provider/clients/<int:client_id>/", API_COLE),
    row("POST", "api/v1/provider/plans/<int:coverage_id>/refresh/", "401 404 404 202 404 404 404"),
    row(
        "POST",
        "api/v1/provider/plans/<int:coverage_id>/report/",
        "401 404 404 201 404 404 404",
        what="copay",
        text="The card says $20.",
    ),
    row("GET", "api/v1/provider/sessions/", API_PROVIDERS),
    row("POST", "api/v1/provider/sessions/", "401 404 404 201 422 404 404", **BOOKING),
    row("GET", "api/v1/provider/sessions/<int:session_id>/", API_COLE),
    row("GET", "api/v1/provider/sessions/<int:session_id>/confirmation/", API_COLE),
    row(
        "POST",
        "api/v1/provider/sessions/<int:session_id>/confirmation/",
        API_COLE,
        charge="32.00",
        earning="160.00",
    ),
    row("POST", "api/v1/provider/sessions/<int:session_id>/cancellation/", API_COLE),
    row("GET", "api/v1/provider/earnings/", API_PROVIDERS),
    row("GET", "api/v1/provider/payouts/", API_PROVIDERS),
    row("GET", "api/v1/provider/payouts/<int:payout_id>/", API_COLE),
    row("GET", "api/v1/support/clients/", API_FAY),
    row("GET", "api/v1/support/clients/<int:client_id>/", API_FAY),
    row("GET", "api/v1/support/claims/", API_FAY),
    row("GET", "api/v1/support/claims/<int:claim_id>/", API_FAY),
    row("GET", "api/v1/support/files/", API_FAY),
    row("GET", "api/v1/support/pauses/", API_FAY),
]

ROWS = [*PEOPLE, *ACCOUNTS, *CLIENT_PAGES, *PROVIDER_PAGES, *API]
READS = [each for each in ROWS if each.method == "GET"]
WRITES = [each for each in ROWS if each.method != "GET"]
DENIED = {400, 401, 403, 404, 422}


# --- The world --------------------------------------------------------------------------------------------------------


@dataclass
class World:
    """The cast with rows of Ana's behind every address."""

    cast: Cast
    gus: User
    ids: dict[str, Any]

    browsers: dict[str, Browser] = field(default_factory=dict)

    def sign_in(self) -> None:
        """Everyone has a browser open from now on."""
        accounts: dict[str, User | None] = {
            "visitor": None,
            "ana": self.cast.ana.user,
            "eve": self.cast.eve.user,
            "cole": self.cast.cole.user,
            "diaz": self.cast.diaz.user,
            "fay": self.cast.fay,
            "gus": self.gus,
        }
        for who, account in accounts.items():
            self.browsers[who] = Browser(raise_request_exception=False)
            if account is not None:
                self.browsers[who].force_login(account)

    def path(self, address: str) -> str:
        """The address with Ana's rows filled in."""
        if "(?P" in address:
            return "/accounts/confirm-email/x/" if "confirm" in address else "/accounts/password/reset/key/1-x/"
        return "/" + re.sub(r"<\w+:(\w+)>", lambda found: str(self.ids[found[1]]), address)

    def body(self, asked: Row) -> dict[str, Any]:
        return {
            name: self.ids[value[1:-1]] if isinstance(value, str) and value.startswith("{") else value
            for name, value in asked.body.items()
        }

    def ask(self, who: str, asked: Row) -> int:
        browser = self.browsers[who]
        match asked.method:
            case "GET":
                return browser.get(self.path(asked.address)).status_code
            case "DELETE":
                return browser.delete(self.path(asked.address)).status_code
            case _:
                kind = "application/json" if asked.address.startswith("api/") else MULTIPART_CONTENT
                return browser.post(self.path(asked.address), self.body(asked), content_type=kind).status_code


def an_estimate(cast: Cast) -> GoodFaithEstimate:
    today = clock.today()
    return GoodFaithEstimate.objects.create(
        client=cast.ana, provider=cast.cole, requested_on=today, due_on=today, issued_on=today, first_on=today,
        last_on=today, frequency="once", sessions=1, total=money("220.00"), content=estimate_content(), pdf=b"%PDF",
        sha256="0" * 64,
    )  # fmt: skip


def a_paid_payment(cast: Cast) -> Payment:
    """The charge of a session that took place yesterday, which went through."""
    confirm(cast.book(days=-1))
    payment = Payment.objects.get()
    Payment.objects.filter(pk=payment.pk).update(state="submitted")
    payments.record_outcome(
        payment=payment,
        result=ChargeResult(state=ChargeState.SUCCEEDED, payment_intent="pi_1", amount=payment.amount),
    )
    return payment


def a_payment_plan(cast: Cast, on: PaymentCard) -> PaymentPlan:
    return PaymentPlan.objects.create(client=cast.ana, card=on, total=money("60.00"), text_version="1", text="I pay.")


def an_announced_charge(cast: Cast, session: Session) -> AutopayNotice:
    consent = Autopay.objects.create(client=cast.ana, limit=money("50.00"), text_version="1", text="You may.")
    return AutopayNotice.objects.create(
        autopay=consent, session=session, amount=money("10.00"), charge_on=clock.today()
    )


def a_statement(cast: Cast) -> ClientStatement:
    nothing = dict.fromkeys(("opening", "charged", "paid", "refunded", "closing"), money("0.00"))
    content = {
        "number": "S-1", "issued_on": "2026-11-01", "last_day": "2026-10-31", "rows": [],
        "client": {"name": "Ana Rivera", "address": "1 Main Street"},
        "organisation": {"name": "Us", "address": "2 Main Street", "email": "us@example.com", "phone": "555"},
        **dict.fromkeys(nothing, "0.00"),
    }  # fmt: skip
    return ClientStatement.objects.create(client=cast.ana, month=date(2026, 10, 1), content=content, **nothing)


def a_payout(cast: Cast) -> ProviderPayout:
    """Of Dr. Cole's, for Ana's session."""
    account = ProviderBankAccount.objects.create(
        provider=cast.cole, holder="Maya Cole", routing_number="123456780", account_number="12345678", last4="5678"
    )
    through = clock.today()
    run = PayoutRun.objects.create(through=through, pay_on=through + timedelta(days=5))
    earning = cast.cole.earnings.get()
    payout = ProviderPayout.objects.create(run=run, provider=cast.cole, bank_account=account, amount=earning.amount)
    PayoutLine.objects.create(payout=payout, earning=earning, amount=earning.amount)
    return payout


def estimate_content() -> dict[str, Any]:
    return {
        "items": [],
        "statements": [],
        "booked": [],
        "provider": {},
        "organisation": {},
        "client": {"born": "1988-04-12"},
    }


@pytest.fixture
def world(db: None) -> World:
    cast = assemble()
    mine = card(cast.ana)
    payment = a_paid_payment(cast)
    today: Session = cast.book()
    summit = cast_payer("SMMT1", "Summit Care", "140.00")
    suggestion = SuggestedCoverage.objects.create(
        client=cast.ana, named_by=cast.own_plan, payer=summit, payer_name=summit.name, member_id="SM1", source="271"
    )
    pause = AccountPause.objects.create(client=cast.ana, coverage=cast.own_plan, evidence="835")
    due = Recertification.objects.create(coverage=cast.bens_plan, due_on=clock.today())
    ids = {
        "recertification_id": due.pk,
        "estimate_id": an_estimate(cast).pk,
        "provider_id": cast.cole.pk,
        "today": clock.today().isoformat(),
        "client_id": cast.ana.pk,
        "session_id": today.pk,
        "coverage_id": cast.bens_plan.pk,
        "pause_id": pause.pk,
        "suggestion_id": suggestion.pk,
        "payment_id": payment.pk,
        "statement_id": a_statement(cast).pk,
        "plan_id": a_payment_plan(cast, mine).pk,
        "notice_id": an_announced_charge(cast, today).pk,
        "card_id": mine.pk,
        "payout_id": a_payout(cast).pk,
        "claim_id": Claim.objects.order_by("pk")[0].pk,
        "kind": "refund_processed",
        "pk": 1,
        "payer": cast.evergreen.pk,
        "soon": cast.book(days=9).starts_at.replace(hour=20).isoformat(),
    }
    world = World(cast, user("gus@example.com", Role.AUDITOR, staff=True), ids)
    world.sign_in()
    return world


def state() -> list[tuple[Any, ...]]:
    """Every row of ours, summed up: what a denied request must leave as it was."""
    tables = sorted(
        model._meta.db_table
        for model in apps.get_models()
        if model.__module__.split(".")[0] in ("people", "care", "insurance", "billing", "notifications")
    )
    each = (
        f"SELECT '{table}', count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t" for table in tables
    )
    with connection.cursor() as cursor:
        # A union promises no order of its parts: with parallel workers the tables come as they are done.
        cursor.execute(" UNION ALL ".join(each))
        return sorted(cursor.fetchall())


# --- The tests --------------------------------------------------------------------------------------------------------


def walk(patterns: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for each in patterns:
        address = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from walk(each.url_patterns, address)
        elif isinstance(each, URLPattern):
            yield address, each.callback


def ours() -> list[tuple[str, Any]]:
    return [(address, view) for address, view in walk(get_resolver().url_patterns) if not address.startswith("admin/")]


def test_every_address_has_its_row() -> None:
    listed = {each.address for each in ROWS}
    existing = {address for address, _view in ours()}
    assert existing - listed == set(), "addresses nobody has said who may open"
    assert listed - existing == set(), "rows of addresses that are gone"


def test_every_method_of_the_api_has_its_row() -> None:
    listed = {(each.method, each.address) for each in API}
    for address, view in ours():
        kind = getattr(view, "cls", None) or getattr(view, "view_class", None)
        if kind is None or not issubclass(kind, APIView):
            continue
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(kind, method):
                assert (method.upper(), address) in listed, f"{method} {address}"


@pytest.mark.parametrize("who", WHO)
def test_what_each_may_read(world: World, who: str) -> None:
    column = WHO.index(who)
    found = {asked.id: world.ask(who, asked) for asked in READS}
    expected = {asked.id: asked.statuses[column] for asked in READS}
    assert {name: (found[name], expected[name]) for name in found if found[name] != expected[name]} == {}


@pytest.mark.parametrize("asked", WRITES, ids=lambda asked: asked.id)
def test_what_each_may_do_and_that_a_shut_door_changes_nothing(world: World, asked: Row) -> None:
    before = state()
    for who, expected in sorted(zip(WHO, asked.statuses, strict=True), key=lambda pair: pair[1] not in DENIED):
        denied = expected in DENIED or (who == "visitor" and asked.address != "theme/")
        if denied:
            assert (who, world.ask(who, asked)) == (who, expected)
            assert state() == before, f"{who} was turned away and yet something changed"
    for who, expected in zip(WHO, asked.statuses, strict=True):
        if expected not in DENIED and who != "visitor":
            assert (who, world.ask(who, asked)) == (who, expected)


def admin_addresses() -> list[str]:
    return [address for address, _view in walk(get_resolver().url_patterns) if address.startswith("admin/")]


def plain(address: str) -> str:
    """An admin address with some row filled in."""
    return "/" + re.sub(r"\(\?P<\w+>[^)]*\)|<\w+:\w+>", "1", address).replace("^", "").replace("$", "")


@pytest.mark.parametrize("who", ["visitor", "ana", "cole"])
def test_the_admin_opens_to_staff_only(world: World, who: str) -> None:
    browser = world.browsers[who]
    before = state()
    opened = {}
    for path in map(plain, admin_addresses()):
        for answer in (browser.get(path), browser.post(path, {"_save": "1"})):
            if answer.status_code not in (302, 403, 404):
                opened[path] = answer.status_code
    assert opened == {}
    assert state() == before


@pytest.mark.parametrize("who", ["fay", "gus"])
def test_staff_lists_open_or_refuse_and_never_fail(world: World, who: str) -> None:
    browser = world.browsers[who]
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert browser.get(path).status_code in (200, 403), path


def test_an_auditor_changes_nothing_in_the_admin(world: World) -> None:
    browser = world.browsers["gus"]
    before = state()
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for end in ("add/", "1/delete/", "1/change/"):
            assert browser.post(path + end, {"_save": "1"}).status_code in (302, 403, 404), path + end
    assert state() == before
