"""What a hostile person with a browser can try: a stranger, another client, another provider, curious staff."""

import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any
from unittest.mock import patch
from urllib.parse import quote_from_bytes

import pgtrigger
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings as django_settings
from django.contrib import admin
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, connection
from django.http import HttpResponseBase
from django.template.loader import render_to_string
from django.test import Client as Browser
from django.test import override_settings
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils.html import escape
from pytest_django.fixtures import Settings
from rest_framework.throttling import AnonRateThrottle

from billing.gateways.results import SetupResult, SetupState
from billing.models import Payment, PaymentCard, StripeEvent
from common import clock
from headway import logs
from insurance.models import (
    AccountPause,
    BenefitSnapshot,
    Claim,
    ClaimEvent,
    Coverage,
    EdiFile,
    EligibilityCheck,
    Payer,
    PlanOrder,
)
from notifications.messages import CATALOGUE
from people.api.authentication import BrowserSession
from people.models import AccessEvent, Client, Role, SupportRequest, User
from tests.cast import Cast, assemble, card, user
from tests.house.test_every_address import READS, ours
from tests.portal.client_world import Past, live

pytestmark = pytest.mark.django_db

PASSWORD = "a long pass phrase"
MARKUP = '"><img src=x onerror=alert(1)>'


@pytest.fixture
def cast(db: None) -> Cast:
    cast = assemble()
    for each in User.objects.all():
        EmailAddress.objects.create(user=each, email=each.email, verified=True, primary=True)
    return cast


@pytest.fixture
def past(cast: Cast) -> Past:
    return live(cast)


def signed_in(account: User | None, **options: Any) -> Browser:
    browser = Browser(raise_request_exception=False, **options)
    if account is not None:
        browser.force_login(account)
    return browser


def everyone(cast: Cast) -> dict[str, Browser]:
    """Everybody's browser; the roles in which a page may look different."""
    gus = user("gus@example.com", Role.AUDITOR, staff=True)
    return {
        "visitor": signed_in(None),
        "ana": signed_in(cast.ana.user),
        "cole": signed_in(cast.cole.user),
        "fay": signed_in(cast.fay),
        "gus": signed_in(gus),
    }


def paths(**ids: Any) -> list[str]:
    """Every page and address of the API that is read, with these rows in it."""
    return [
        "/" + re.sub(r"<\w+:(\w+)>", lambda match: str(ids.get(match[1], 1)), row.address)
        for row in READS
        if "(?P" not in row.address
    ]


def ids_of(cast: Cast, past: Past) -> dict[str, Any]:
    return {
        "client_id": cast.ana.pk,
        "session_id": past.owing.pk,
        "coverage_id": cast.own_plan.pk,
        "payment_id": Payment.objects.filter(client=cast.ana).order_by("pk")[0].pk,
        "card_id": past.card.pk,
        "claim_id": Claim.objects.order_by("pk")[0].pk,
        "kind": "refund_processed",
    }


def desk_paths() -> list[str]:
    """Every list of the support desk and every row's page on it."""
    found = ["/admin/"]
    for model in admin.site._registry:
        start = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        found.append(start)
        found += [f"{start}{pk}/change/" for pk in model._default_manager.values_list("pk", flat=True)[:1]]
    return found


# --- Another client's things ------------------------------------------------------------------------------------------


def test_eve_pays_with_no_card_and_for_no_session_of_anas(cast: Cast, past: Past) -> None:
    eve = signed_in(cast.eve.user)
    before = Payment.objects.count()
    for form in (
        {"session": past.owing.pk, "payment_method": past.card.payment_method_id, "shown": "90.00"},
        {"payment_method": past.card.payment_method_id, "shown": "0.00"},
        {"intent": Payment.objects.exclude(payment_intent_id=None)[0].payment_intent_id},
    ):
        assert eve.post("/appointments/pay/", form).status_code in (404, 409, 422), form
        assert eve.post("/appointments/pay/intent/", form).status_code in (404, 409, 422), form
    for sent in (
        {"shown": "90.00", "sessions": [past.owing.pk]},
        {"shown": "0.00", "sessions": [past.owing.pk]},
        {"shown": "90.00", "card": past.card.pk},
        {"shown": "90.00", "client": cast.ana.pk},
    ):
        answer = eve.post("/api/v1/client/payments/", sent, content_type="application/json")
        assert answer.status_code in (409, 422), sent
        assert b"90.00" not in answer.content
    assert Payment.objects.count() == before


def test_the_way_back_from_the_bank_opens_no_payment_of_anas(cast: Cast, past: Past) -> None:
    intent = Payment.objects.filter(client=cast.ana).exclude(payment_intent_id=None)[0].payment_intent_id
    eve = signed_in(cast.eve.user)
    assert eve.get("/payments/return/", {"payment_intent": str(intent)}).status_code == 404
    assert eve.get("/payments/return/").status_code == 404


def test_a_card_that_ana_saved_at_stripe_is_not_eves(cast: Cast, past: Past) -> None:
    card(cast.eve)

    class Stripe:
        def retrieve_setup_intent(self, setup_intent: str) -> SetupResult:
            return SetupResult(
                setup_intent=setup_intent, state=SetupState.SUCCEEDED, client_secret="",
                customer=f"cus_{cast.ana.pk}", payment_method="pm_new",
            )  # fmt: skip

    eve = signed_in(cast.eve.user)
    before = PaymentCard.objects.count()
    with patch("billing.services.cards.gateway", Stripe):
        answer = eve.post("/payments/cards/add/", {"agree": "on", "intent": "seti_of_ana"})
    assert answer.status_code == 409
    assert PaymentCard.objects.count() == before


def test_anas_rows_read_like_rows_that_do_not_exist(cast: Cast, past: Past) -> None:
    """Neither the page nor its length tells whether a number is somebody's."""
    pause = AccountPause.objects.create(client=cast.ana, coverage=cast.own_plan, evidence="835")
    eve, diaz = signed_in(cast.eve.user), signed_in(cast.diaz.user)
    hers = {**ids_of(cast, past), "pause_id": pause.pk}
    for each, name, start in (
        (eve, "session_id", "/appointments/{}/"),
        (eve, "payment_id", "/payments/{}/"),
        (eve, "card_id", "/payments/cards/{}/remove/"),
        (eve, "coverage_id", "/plans/{}/remove/"),
        (eve, "session_id", "/api/v1/client/sessions/{}/"),
        (eve, "payment_id", "/api/v1/client/payments/{}/"),
        (diaz, "client_id", "/provider/clients/{}/"),
        (diaz, "session_id", "/provider/sessions/{}/"),
        (diaz, "client_id", "/api/v1/provider/clients/{}/"),
        (diaz, "session_id", "/api/v1/provider/sessions/{}/confirmation/"),
    ):
        real, none = each.get(start.format(hers[name])), each.get(start.format(99_999_999))
        assert (real.status_code, none.status_code) == (404, 404), start
        strip = re.compile(rb'nonce-?="?[^"\s]+|csrfmiddlewaretoken" value="[^"]+|\d+|csrf[^>]*')
        assert strip.sub(b"", real.content) == strip.sub(b"", none.content), start
    assert AccessEvent.objects.filter(user__in=[cast.eve.user, cast.diaz.user]).count() == 0


# --- Columns nobody offered -------------------------------------------------------------------------------------------


def test_signing_up_makes_a_client_whatever_else_is_sent(db: None) -> None:
    form = {"email": "mallory@example.com", "password1": "violet Anchors 93", "password2": "violet Anchors 93"}
    extra = {"role": "support", "is_staff": "on", "is_superuser": "on", "is_active": "on", "client": "1"}
    Browser().post("/accounts/signup/", {**form, **extra})
    made = User.objects.get(email="mallory@example.com")
    assert (made.role, made.is_staff, made.is_superuser) == (Role.CLIENT, False, False)


def test_signing_up_with_a_known_clients_address_opens_no_record(cast: Cast) -> None:
    """An address is proven by its mailbox; a record is linked by us, never by what somebody typed."""
    Client.objects.filter(pk=cast.eve.pk).update(email="mallory@example.com", user=None)
    form = {"email": "mallory@example.com", "password1": "violet Anchors 93", "password2": "violet Anchors 93"}
    browser = Browser()
    browser.post("/accounts/signup/", form)
    assert browser.get("/home/").status_code == 302
    assert Client.objects.get(pk=cast.eve.pk).user_id is None


def test_a_plan_takes_no_column_that_is_not_asked_for(cast: Cast) -> None:
    eve = signed_in(cast.eve.user)
    extra = {"client": cast.ana.pk, "stated_rank": 1, "removed_at": "2020-01-01", "begins_on": "2001-01-01"}
    form = {"payer": cast.harbor.pk, "member_id": "EVE1", "plan_type": "group", "holder": "self"}
    told = eve.post("/api/v1/client/plans/", {**form, **extra}, content_type="application/json")
    assert told.status_code == 422
    assert {each["where"] for each in told.json()["errors"]} == set(extra)
    assert eve.post("/plans/add/", {**form, **extra, "stated_rank": 7}).status_code == 302
    made = Coverage.objects.get(client=cast.eve)
    assert (made.stated_rank, made.removed_at, made.begins_on) == (1, None, None)
    assert cast.ana.coverages.count() == 2


def test_a_booking_takes_no_other_provider_and_no_strangers_client(cast: Cast) -> None:
    cole = signed_in(cast.cole.user)
    cast.book(days=-3)
    body = {
        "client": cast.ana.pk, "starts_at": (cast.book(days=3).starts_at).replace(hour=21).isoformat(),
        "procedures": [{"cpt": "90837"}], "diagnoses": ["F41.1"],
    }  # fmt: skip
    for wrong in ({"provider": cast.diaz.pk}, {"status": "confirmed"}, {"client": cast.eve.pk}):
        answer = cole.post("/api/v1/provider/sessions/", {**body, **wrong}, content_type="application/json")
        assert answer.status_code == 422, wrong


# --- Where a link leads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "there",
    ["https://evil.example/", "//evil.example/", r"/\evil.example", "javascript:alert(1)", "https:///evil.example"],
)
def test_nobody_is_sent_to_another_site(cast: Cast, there: str) -> None:
    browser = Browser()
    browser.get("/accounts/login/", {"next": there})
    login = browser.post("/accounts/login/", {"login": "ana@example.com", "password": PASSWORD, "next": there})
    signed = signed_in(cast.ana.user)
    answers = [
        login,
        signed.get("/accounts/login/", {"next": there}),
        signed.post("/theme/", {"theme": "dark", "next": there}, headers={"referer": there}),
        signed.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": there}),
        signed.post("/accounts/logout/", {"next": there}),
    ]
    for answer in answers:
        assert not answer.headers.get("Location", "/").startswith(("http", "//", "/\\", "javascript")), answer
    page = Browser().get("/accounts/login/", {"next": there})
    assert f'href="{there}' not in page.content.decode()


def test_links_in_e_mails_do_not_follow_a_forged_host(cast: Cast) -> None:
    browser = Browser()
    refused = browser.post("/accounts/password/reset/", {"email": "ana@example.com"}, headers={"host": "evil.example"})
    assert (refused.status_code, mail.outbox) == (400, [])
    forged = {
        "x-forwarded-host": "evil.example",
        "x-forwarded-server": "evil.example",
        "forwarded": "host=evil.example",
    }
    browser.post("/accounts/password/reset/", {"email": "ana@example.com"}, headers=forged)
    assert len(mail.outbox) == 1
    assert "evil.example" not in mail.outbox[0].body
    assert "/accounts/password/reset/key/" in mail.outbox[0].body


def test_an_address_cannot_carry_headers_of_a_mail(db: None) -> None:
    for name in ("a@example.com\r\nBcc: eve@example.com", "a@example.com,eve@example.com", "a@example.com%0aBcc:x"):
        Browser().post("/accounts/password/reset/", {"email": name})
        Browser().post("/accounts/signup/", {"email": name, "password1": PASSWORD, "password2": PASSWORD})
    assert all(message.recipients()[0].count("@") == 1 and "\n" not in message.to[0] for message in mail.outbox)
    assert not User.objects.filter(email__contains="eve").exists()


# --- Requests from another site ---------------------------------------------------------------------------------------


def test_only_the_signed_webhook_does_without_a_token(db: None) -> None:
    exempt = set()
    for address, view in ours():
        if getattr(view, "csrf_exempt", False):
            kind = getattr(view, "cls", None)
            if kind is None:
                exempt.add(address)
            elif BrowserSession not in kind.authentication_classes:
                # Open to all: then it may only be read.
                assert not {"post", "put", "patch", "delete"} & set(dir(kind)), address
    assert exempt == {"webhooks/stripe/"}


def test_a_form_on_another_site_does_nothing(cast: Cast, past: Past) -> None:
    ana = signed_in(cast.ana.user, enforce_csrf_checks=True)
    for address in (
        "/appointments/pay/", "/payments/cards/intent/", f"/payments/cards/{past.card.pk}/remove/", "/plans/add/",
        f"/plans/{cast.own_plan.pk}/remove/", "/messages/", "/accounts/logout/", "/theme/", "/accounts/email/",
    ):  # fmt: skip
        assert ana.post(address, {"agree": "on"}).status_code == 403, address
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        answer = ana.post("/api/v1/client/support-requests/", '{"category":"other","body":"x"}', content_type=kind)
        assert answer.status_code in (403, 415), kind
    fay = signed_in(cast.fay, enforce_csrf_checks=True)
    assert (
        fay.post(f"/admin/billing/payment/{Payment.objects.all()[0].pk}/repair/ask/", {"text": "x"}).status_code == 403
    )


# --- Stripe's webhook -------------------------------------------------------------------------------------------------

EVENT = {"id": "evt_1", "type": "payment_intent.succeeded", "created": 1, "data": {"object": {"id": "pi_1", "object": "payment_intent"}}}  # fmt: skip  # noqa: E501


def signature(payload: bytes, *, at: int | None = None, secret: str | None = None) -> str:
    at = int(time.time()) if at is None else at
    key = (secret or django_settings.STRIPE_WEBHOOK_SECRET).encode()
    return f"t={at},v1={hmac.new(key, f'{at}.'.encode() + payload, hashlib.sha256).hexdigest()}"


def deliver(payload: bytes, header: str | None) -> int:
    sent = {} if header is None else {"stripe-signature": header}
    answer = Browser(raise_request_exception=False).post(
        "/webhooks/stripe/", payload, content_type="application/json", headers=sent
    )
    return answer.status_code


def test_a_webhook_needs_a_fresh_signature_over_these_bytes(db: None) -> None:
    body = json.dumps(EVENT).encode()
    old = int(time.time()) - 3600
    for header in (
        None, "", "t=1", "v1=abc", "t=x,v1=y", "t=\u00b2,v1=\u00e9", signature(body, at=old),
        signature(body, secret="whsec_x"),
        signature(body + b" "), signature(body).replace("v1=", "v0="),
    ):  # fmt: skip
        assert deliver(body, header) == 400, header
    for nonsense in (
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"id": 1}',
        b'{"id":"e","type":"t","data":[]}',
        b"[" * 50_000,
    ):
        assert deliver(nonsense, signature(nonsense)) == 400, nonsense[:20]
    assert StripeEvent.objects.count() == 0


def test_a_webhook_that_is_replayed_is_stored_once(db: None) -> None:
    body = json.dumps(EVENT).encode()
    header = signature(body)
    assert [deliver(body, header) for _time in range(3)] == [200, 200, 200]
    assert StripeEvent.objects.count() == 1


# --- What others wrote, shown -----------------------------------------------------------------------------------------


def poison(cast: Cast) -> None:
    """Markup in every text that clients, providers or insurers can put before somebody's eyes."""
    cut = MARKUP[:30]
    assert cast.ana.user is not None and cast.eve.user is not None
    Client.objects.update(first_name=MARKUP, last_name=MARKUP, preferred_name=MARKUP, phone=MARKUP[:20], city=cut)
    cast.cole.__class__.objects.update(first_name=MARKUP, last_name=MARKUP)
    for payer in Payer.objects.all():
        Payer.objects.filter(pk=payer.pk).update(name=f"{MARKUP} {payer.pk}", member_services_phone=MARKUP[:20])
    Coverage.objects.update(group_number=cut, holder_first_name=MARKUP, holder_last_name=MARKUP, member_id="E" + MARKUP)
    PlanOrder.objects.update(why=[MARKUP])
    Claim.objects.update(reason=MARKUP, payer_control_number=cut)
    SupportRequest.objects.create(
        author=cast.ana.user, client=cast.ana, category="other", body=MARKUP, reference=MARKUP, answer=MARKUP
    )
    EdiFile.objects.update(findings=[{"where": MARKUP, "message": MARKUP}])
    EligibilityCheck.objects.create(
        coverage=cast.own_plan,
        service_date=clock.today(),
        state="rejected",
        reason="added",
        rejections=[{"text": MARKUP, "code": MARKUP}],
    )
    for snapshot in BenefitSnapshot.objects.all():
        told = {
            **snapshot.benefits,
            "plan_name": MARKUP,
            "messages": [MARKUP],
            "notes": [MARKUP],
            "conflicts": [MARKUP],
        }
        BenefitSnapshot.objects.create(
            coverage=snapshot.coverage, source=snapshot.source, effective_on=snapshot.effective_on,
            active=snapshot.active, plan_begin=snapshot.plan_begin, plan_end=snapshot.plan_end, benefits=told,
        )  # fmt: skip
    ClaimEvent.objects.create(claim=Claim.objects.all()[0], kind="note", text=MARKUP)
    AccountPause.objects.create(
        client=cast.ana, coverage=cast.own_plan, evidence="835", evidence_codes=cut, reference_number=MARKUP
    )
    User.objects.filter(pk=cast.eve.user.pk).update(email='"\'<img>"@example.com')
    Payment.objects.filter(state="failed").update(message=MARKUP)


def test_what_people_and_insurers_wrote_is_never_markup(cast: Cast, past: Past) -> None:
    with pgtrigger.ignore():
        poison(cast)
    shown = set()
    browsers = everyone(cast)
    for who in ("ana", "cole", "fay"):
        pages = paths(**ids_of(cast, past)) + (desk_paths() if who == "fay" else [])
        if who == "fay":
            pages.append(f"/admin/people/client/{cast.ana.pk}/page/story/")
        for path in pages:
            answer = browsers[who].get(path)
            assert answer.status_code < 500, (who, path)
            if "html" in answer.headers.get("Content-Type", "") and not path.startswith("/previews/"):
                text = answer.content.decode()
                assert "<img src=x" not in text, (who, path)
                assert "<img>" not in text, (who, path)
                if escape(MARKUP) in text:
                    shown.add(path.split("/")[1])
    assert shown >= {"home", "plans", "benefits", "appointments", "messages", "provider", "admin"}


@pytest.mark.parametrize("message", CATALOGUE, ids=lambda message: message.kind)
def test_e_mails_hold_markup_as_text_and_no_subject_tells_anything(message: Any) -> None:
    sample = message.sample()
    texts = [each.name for each in fields(sample) if isinstance(getattr(sample, each.name), str)]
    forged = replace(sample, **{name: f"{MARKUP}\r\nBcc: eve@example.com" for name in texts if "url" not in name})
    assert forged.subject() == sample.subject()
    assert forged.preview() == sample.preview()
    assert "<img" not in render_to_string(f"{forged.template}.html", forged.context())


def test_a_downloaded_file_of_an_insurer_never_opens_as_a_page(cast: Cast, past: Past) -> None:
    file = EdiFile.objects.all()[0]
    answer = signed_in(cast.fay).get(f"/admin/insurance/edifile/{file.pk}/page/download/")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


# --- Signing in -------------------------------------------------------------------------------------------------------


def try_password(browser: Browser, email: str, password: str, **headers: str) -> Any:
    return browser.post("/accounts/login/", {"login": email, "password": password}, headers=headers)


def test_signing_in_begins_a_new_session_that_scripts_cannot_read(cast: Cast) -> None:
    browser = Browser()
    browser.get("/accounts/login/", {"next": "/home/"})
    browser.session["planted"] = 1
    browser.session.save()
    before = browser.session.session_key
    try_password(browser, "ana@example.com", PASSWORD)
    cookie = browser.cookies["sessionid"]
    assert cookie.value != before
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_session_that_was_signed_out_opens_nothing(cast: Cast) -> None:
    browser = signed_in(cast.ana.user)
    stolen = browser.cookies["sessionid"].value
    browser.post("/accounts/logout/")
    thief = Browser()
    thief.cookies["sessionid"] = stolen
    assert thief.get("/home/").status_code == 302
    for odd in ("x" * 5000, "\x00", "../../etc", "' OR 1=1 --"):
        thief.cookies["sessionid"] = odd
        assert thief.get("/home/").status_code == 302


def test_a_changed_password_ends_every_other_session(cast: Cast) -> None:
    thief = signed_in(cast.ana.user)
    assert thief.get("/home/").status_code == 200
    assert cast.ana.user is not None
    cast.ana.user.set_password("another long phrase")
    cast.ana.user.save()
    assert thief.get("/home/").status_code == 302


def test_an_account_that_was_shut_is_out_at_once(cast: Cast) -> None:
    browser = signed_in(cast.cole.user)
    User.objects.filter(provider=cast.cole).update(is_active=False)
    assert browser.get("/provider/").status_code == 302
    assert browser.get("/api/v1/me/").status_code == 401


def test_guessing_one_password_is_stopped_and_no_header_starts_it_again(cast: Cast) -> None:
    said = [
        try_password(Browser(), "ana@example.com", f"guess {number}", **{"x-forwarded-for": f"10.0.0.{number}"})
        for number in range(8)
    ]
    assert b"Too many" in said[-1].content
    now_right = Browser()
    try_password(now_right, "ana@example.com", PASSWORD, **{"x-forwarded-for": "10.1.1.1"})
    assert now_right.get("/home/").status_code == 302


def test_the_open_pages_of_the_api_are_limited_whatever_a_header_says(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"anon": "3/min"})
    codes = [
        Browser().get("/api/v1/docs/", headers={"x-forwarded-for": f"10.0.0.{number}"}).status_code
        for number in range(5)
    ]
    assert codes == [200, 200, 200, 429, 429]


def hashes_made(act: Callable[[], Any]) -> int:
    """How often a password is hashed: what takes the time that a stranger could measure."""
    real, made = MD5PasswordHasher.encode, []

    def count(self: Any, *given: Any, **named: Any) -> Any:
        made.append(1)
        return real(self, *given, **named)

    with patch.object(MD5PasswordHasher, "encode", count):
        act()
    return len(made)


def test_nothing_tells_whether_an_address_has_an_account(cast: Cast) -> None:
    def seen(answer: Any, email: str) -> tuple[int, str, str]:
        text = re.sub(r'value="[^"]*"|nonce="[^"]*"', "", answer.content.decode()).replace(email, "")
        return answer.status_code, answer.headers.get("Location", ""), text

    known, unknown = "ana@example.com", "zoe@example.com"
    login = [seen(try_password(Browser(), each, "wrong password"), each) for each in (known, unknown)]
    assert login[0] == login[1]
    reset = [seen(Browser().post("/accounts/password/reset/", {"email": each}), each) for each in (known, unknown)]
    assert reset[0] == reset[1]
    form = {"password1": "violet Anchors 93", "password2": "violet Anchors 93"}
    sign_up = [seen(Browser().post("/accounts/signup/", {"email": each, **form}), each) for each in (known, unknown)]
    assert sign_up[0] == sign_up[1]
    work = [
        hashes_made(lambda each=each: try_password(Browser(), each, "wrong password"))  # type: ignore[misc]
        for each in (known, "yan@example.com")
    ]
    assert work[0] == work[1] > 0


@pytest.mark.parametrize("weak", ["short", "password1234", "qwertyuiop12", "mallory@example.com", "mallory.example"])
def test_weak_passwords_are_refused(db: None, weak: str) -> None:
    form = {"email": "mallory@example.com", "password1": weak, "password2": weak}
    assert Browser().post("/accounts/signup/", form).status_code == 200
    assert not User.objects.filter(email="mallory@example.com").exists()


# --- What pages tell browsers, caches and logs ------------------------------------------------------------------------


def test_no_cache_keeps_what_a_signed_in_person_sees(cast: Cast, past: Past) -> None:
    kept = {}
    for who, browser in everyone(cast).items():
        for path in paths(**ids_of(cast, past)) + (desk_paths()[::3] if who == "fay" else []):
            said = browser.get(path).headers.get("Cache-Control", "")
            if "no-store" not in said:
                kept[(who, path)] = said
    assert kept == {}


def test_every_kind_of_answer_is_guarded(cast: Cast, past: Past) -> None:
    browsers = everyone(cast)
    strict = signed_in(cast.ana.user, enforce_csrf_checks=True)
    answers: dict[str, HttpResponseBase] = {
        "page": browsers["ana"].get("/home/"),
        "provider": browsers["cole"].get("/provider/"),
        "desk": browsers["fay"].get("/admin/"),
        "redirect": browsers["visitor"].get("/home/"),
        "not found": browsers["ana"].get("/no-such-page/"),
        "forbidden": strict.post("/messages/"),
        "wrong method": browsers["ana"].get("/theme/"),
        "wrong host": browsers["visitor"].get("/", headers={"host": "evil.example"}),
        "too large": browsers["visitor"].post("/messages/", "x" * 3_000_000, content_type="text/plain"),
        "api": browsers["ana"].get("/api/v1/me/"),
        "api not found": browsers["ana"].get("/api/v1/nothing/"),
        "api docs": browsers["visitor"].get("/api/v1/docs/"),
        "webhook": browsers["visitor"].post("/webhooks/stripe/"),
        "json": browsers["ana"].post("/payments/cards/intent/"),
    }
    for kind, answer in answers.items():
        policy = answer.headers.get("Content-Security-Policy", "")
        assert "frame-ancestors 'none'" in policy, kind
        assert "object-src 'none'" in policy, kind
        assert not re.search(r"script-src[^;]*'unsafe-inline'", policy), kind
        assert answer.headers.get("X-Frame-Options") == "DENY", kind
        assert answer.headers.get("X-Content-Type-Options") == "nosniff", kind
        assert answer.headers.get("Referrer-Policy") == "same-origin", kind
        assert answer.headers.get("Cross-Origin-Opener-Policy") == "same-origin", kind
        assert "Access-Control-Allow-Origin" not in answer.headers, kind


def lines(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(f"{record.msg!r} {record.args!r}" for record in caplog.records)


def test_no_name_secret_or_key_of_an_address_is_logged(
    cast: Cast, past: Past, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    signed_in(cast.cole.user).get("/provider/", {"q": "Rivera"})
    signed_in(cast.fay).get("/admin/people/client/", {"q": "Rivera"})
    signed_in(cast.ana.user).get("/payments/return/", {"payment_intent_client_secret": "pi_1_secret_2"})
    signed_in(cast.ana.user).post("/messages/", {"category": "other", "body": "my private words"})
    Browser().get("/accounts/password/reset/key/1-abcdef123456/")
    Browser().get("/accounts/confirm-email/abcdef123456/")
    try_password(Browser(), "ana@example.com", "a wrong secret")
    said = lines(caplog)
    assert "GET /provider/" in said
    for private in ("Rivera", "pi_1_secret_2", "private words", "abcdef123456", "wrong secret"):
        assert private not in said, private


@pytest.mark.parametrize("form", ["json", "readable"])
def test_a_row_that_the_database_refused_is_not_in_the_log(
    cast: Cast, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    formatting: dict[str, Any] = logs.handlers(form, "INFO")["formatters"]["lines"]
    formatter = formatting.pop("()")(**formatting)
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "Internal Server Error: %s", ("/x/",), None)
    names = ["Ana" + "stasia", "\n\n".join(("Stone", "Hid" + "den"))]
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO people_client (first_name, last_name) VALUES (%s, %s)", names)
    except IntegrityError as error:
        record.exc_info = (type(error), error, error.__traceback__)
        told = logging.LogRecord("celery", logging.ERROR, "", 0, f"Task raised: {error!r}", None, None)
    said = formatter.format(record) + formatter.format(told)
    assert "null value in column" in said
    assert "Anastasia" not in said
    assert "Hidden" not in said


def test_addresses_of_pages_name_no_person(cast: Cast, past: Past) -> None:
    """Links hold numbers of rows, never who or what for: they stay in histories and on others' servers."""
    browsers = everyone(cast)
    private = ("Rivera", "rivera", "EV100", "HB100", "F41", "90837", "1988-04-12", "ana@")
    for who in ("ana", "cole"):
        for path in paths(**ids_of(cast, past)):
            text = browsers[who].get(path).content.decode(errors="replace")
            for link in re.findall(r'(?:href|action|src)="([^"]+)"', text):
                assert not any(word in link for word in private), (path, link)


# --- Second factor ----------------------------------------------------------------------------------------------------


def test_a_stolen_password_alone_opens_nothing(cast: Cast) -> None:
    """Once it is set up the password is half of the way in, for pages, the API and the desk alike."""
    for account, email in ((cast.cole.user, "cole@example.com"), (cast.fay, "fay@example.com")):
        assert account is not None
        secret = generate_totp_secret()
        TOTP.activate(account, secret)
        thief = Browser()
        answer = try_password(thief, email, PASSWORD)
        assert answer.headers["Location"].startswith("/accounts/2fa/authenticate/")
        assert thief.get("/provider/").headers["Location"].startswith("/accounts/login/")
        assert thief.get("/admin/").status_code == 302
        assert thief.get("/api/v1/me/").status_code == 401
        for _try in range(12):
            told = thief.post("/accounts/2fa/authenticate/", {"code": "000000"})
        assert thief.get("/api/v1/me/").status_code == 401
        cache.clear()  # the limit is by address too, and everyone here has the same
        assert b"Too many" in told.content or told.status_code in (302, 429)


@pytest.fixture
def required() -> Iterator[None]:
    with override_settings(SECOND_FACTOR_REQUIRED=True):
        yield


def test_without_a_second_factor_staff_reach_no_data(required: None, cast: Cast, past: Past) -> None:
    for who, account in (("cole", cast.cole.user), ("fay", cast.fay)):
        browser = signed_in(account)
        for path in [*paths(**ids_of(cast, past)), "/admin", "/admin/people/client/", "//admin/"]:
            if path.startswith(("/accounts/", "/healthz")):
                continue
            answer = browser.get(path)
            assert answer.status_code in (302, 403), (who, path)
            assert b"Ana" not in answer.content, (who, path)
    assert Authenticator.objects.count() == 0


# --- Too much, too odd ------------------------------------------------------------------------------------------------

LARGE = 3_000_000


def test_a_huge_request_is_refused_unread(cast: Cast) -> None:
    ana, stranger = signed_in(cast.ana.user), signed_in(None)
    form = encode_multipart(BOUNDARY, {"login": "x"}) + b"x" * LARGE
    for browser, address, kind, body in (
        (ana, "/api/v1/client/support-requests/", "application/json", b'{"body":"' + b"x" * LARGE + b'"}'),
        (ana, "/messages/", "application/x-www-form-urlencoded", b"body=" + b"x" * LARGE),
        (stranger, "/accounts/login/", MULTIPART_CONTENT, form),
        (stranger, "/webhooks/stripe/", "application/json", b"x" * LARGE),
    ):
        answer = browser.generic("POST", address, body, content_type=kind)
        assert answer.status_code == 413, address
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert ana.post("/messages/", b"", content_type="text/plain", CONTENT_LENGTH="many").status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"category":"other","body":' + "[" * 100_000,
        r'{"category":"other","body":"\ud800"}',
        r'{"category":"\ud800","body":"x"}',
        r'{"\ud800":1}',
        '{"category":"other","body":"a\\u0000b"}',
        '{"category":' + "9" * 6000 + "}",
        '{"category":NaN}',
        "[]",
        "null",
        '"x"',
        '{"category":{"a":1},"body":["x"]}',
        "\xff",
    ],
    ids=lambda body: body[:30],
)
def test_json_that_is_no_request_is_the_senders_fault(cast: Cast, body: str) -> None:
    ana = signed_in(cast.ana.user)
    for address in ("client/support-requests/", "client/payments/", "client/plans/"):
        for headers in ({}, {"idempotency-key": "k"}):
            answer = ana.post(
                f"/api/v1/{address}", body.encode("latin-1"), content_type="application/json", headers=headers
            )
            assert answer.status_code in (400, 422), (address, headers)
    assert SupportRequest.objects.count() == 0


PARAMETERS = (
    "q", "status", "show", "page", "client", "session", "standing", "when", "cursor", "limit", "payment_intent",
    "reference", "category", "open", "month", "choose", "next", "direction", "kind", "state", "control_number",
    "submission", "decision", "p", "o", "_facets", "id__exact", "key", "format", "version",
)  # fmt: skip


@pytest.mark.parametrize("odd", ["\x00", "9" * 5000, "9" * 25, "-1", "\u00b2", "\ud83d", "0001-01"])
def test_no_odd_value_in_an_address_is_a_fault_of_ours(cast: Cast, past: Past, odd: str) -> None:
    value = odd.encode("utf-8", "surrogatepass")
    failed = []
    for who, browser in everyone(cast).items():
        desk = ["/admin/people/client/", "/admin/insurance/claim/", "/admin/billing/payment/"] if who == "fay" else []
        for path in paths(**ids_of(cast, past)) + desk:
            names = PARAMETERS if not desk or path not in desk else ("q", "p", "o", "page")
            if path.startswith(("/accounts/", "/styleguide", "/previews")) and who != "visitor":
                continue
            query = "&".join(f"{name}={quote_from_bytes(value)}" for name in names)
            code = browser.get(f"{path}?{query}").status_code
            if code >= 500:
                failed.append((who, path))
    assert failed == []


def test_numbers_too_large_for_a_row_name_none(cast: Cast) -> None:
    browsers = everyone(cast)
    for who, start in (
        ("ana", "/appointments/{}/"), ("ana", "/payments/{}/"), ("cole", "/provider/clients/{}/"),
        ("cole", "/api/v1/provider/sessions/{}/"), ("fay", "/api/v1/support/claims/{}/"),
    ):  # fmt: skip
        for number in ("9" * 19, "9" * 40, "9" * 5000):
            assert browsers[who].get(start.format(number)).status_code == 404, (who, start)


def test_a_list_is_never_given_whole(cast: Cast, past: Past) -> None:
    ana = signed_in(cast.ana.user)
    for limit in ("0", "101", "-1", "1000000", "1e3", "all"):
        assert ana.get("/api/v1/client/sessions/", {"limit": limit}).status_code == 422, limit


def test_a_search_for_a_wildcard_is_a_search_for_that_sign(cast: Cast, past: Past) -> None:
    cole, fay = signed_in(cast.cole.user), signed_in(cast.fay)
    for wildcard in ("%", "_", "%%%%%%", r"\\"):
        assert cole.get("/api/v1/provider/clients/", {"q": wildcard}).json()["results"] == []
        assert fay.get("/api/v1/support/clients/", {"q": wildcard}).json()["results"] == []
        assert b"Rivera" not in cole.get("/provider/", {"q": wildcard}, headers={"HX-Target": "clients"}).content


# --- Curious staff ----------------------------------------------------------------------------------------------------


def test_support_reads_no_secret_and_every_look_is_written_down(cast: Cast, past: Past) -> None:
    fay = signed_in(cast.fay)
    assert cast.ana.user is not None
    TOTP.activate(cast.ana.user, "JBSWY3DPEHPK3PXP")
    for path in desk_paths():
        answer = fay.get(path)
        assert answer.status_code < 500, path
        for secret in (cast.ana.user.password, "JBSWY3DPEHPK3PXP", "HB100", "EV100"):
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                assert secret not in answer.content.decode(), (path, secret)
    assert AccessEvent.objects.filter(user=cast.fay, client=cast.ana).exists()


def test_an_auditor_repairs_nothing_and_has_no_api(cast: Cast, past: Past) -> None:
    gus = everyone(cast)["gus"]
    for model, desk in admin.site._registry.items():
        for repair in getattr(desk, "repairs", ()):
            row = model._default_manager.values_list("pk", flat=True).first() or 1
            address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row}/repair/{repair.name}/"
            assert gus.get(address).status_code == 404, address
            assert gus.post(address, {"text": "because"}).status_code == 404, address
    assert gus.get("/api/v1/support/clients/").status_code == 404


@pytest.mark.parametrize("role", [Role.CLIENT, Role.PROVIDER])
def test_the_staff_flag_without_the_role_opens_neither_desk_nor_api(cast: Cast, role: str) -> None:
    browser = signed_in(user("mallory@example.com", role, staff=True))
    for path in ("/admin/", "/admin/people/client/", f"/admin/people/client/{cast.ana.pk}/change/"):
        assert browser.get(path).status_code == 404, path
    assert browser.get("/api/v1/support/clients/").status_code == 404
    former = signed_in(user("former@example.com", Role.SUPPORT))
    assert former.get("/api/v1/support/clients/").status_code == 404
    assert former.get("/admin/").status_code == 404


# --- Deployments ------------------------------------------------------------------------------------------------------


def test_previews_of_e_mails_and_the_style_guide_are_not_for_strangers(cast: Cast, settings: Settings) -> None:
    settings.DEMO = False
    for path in ("/previews/emails/", "/previews/emails/refund_processed/", "/styleguide/"):
        assert Browser().get(path).status_code == 404, path
        assert signed_in(cast.ana.user).get(path).status_code == 404, path
