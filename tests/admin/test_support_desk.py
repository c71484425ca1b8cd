"""The support desk: every row can be looked at, none edited; looks are noted; repairs go through services."""

import hashlib
import uuid
from datetime import datetime, time, timedelta
from unittest import mock

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from billing.gateways.results import OutcomeUnknown
from billing.models import Payment
from common import clock
from common.desk import Desk, Reference
from insurance.models import AccountPause, Claim, Coverage, EdiFile, EligibilityCheck, Payer, PayerLine
from insurance.services import claims
from notifications.models import Email
from people.models import AccessEvent, Role, SupportRequest, User
from tests.portal import provider_cast as cast
from tests.portal.provider_cast import Practice

pytestmark = pytest.mark.django_db

OURS = ("people", "care", "insurance", "billing", "ledger", "notifications")
DESKS = [(model, desk) for model, desk in admin.site._registry.items() if isinstance(desk, Desk)]


@pytest.fixture
def practice() -> Practice:
    return cast.open_practice()


@pytest.fixture
def fay(practice: Practice) -> Browser:
    found = Browser()
    found.force_login(practice.fay)
    return found


@pytest.fixture
def auditor(practice: Practice) -> Browser:
    found = Browser()
    found.force_login(cast.user("audit@example.com", Role.AUDITOR))
    return found


def listed(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def at(row: Model, kind: str = "change", *more: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{kind}", args=[row.pk, *more])


def rejected_claim(practice: Practice) -> Claim:
    claim = practice.confirmed.claims.get(rank=1)
    Claim.objects.filter(pk=claim.pk).update(submission="rejected", reason="Member not found")
    claim.refresh_from_db()
    return claim


def remittance_file() -> EdiFile:
    raw = b"ISA*00*          *00*          *ZZ*EVGR1          *ZZ*HEADWAY        *261121*1200*^*00501*000000001*0*T*:~"
    raw += b"GS*HP*EVGR1*HEADWAY*20261121*1200*1*X*005010X221A1~ST*835*0001~BPR*I*<b>x</b>*C*ACH~"
    return EdiFile.objects.create(
        direction="in",
        kind="835",
        state="quarantined",
        raw=raw,
        sha256=hashlib.sha256(raw).hexdigest(),
        payload_id=uuid.uuid4(),
        findings=[{"where": "segment 4 (BPR)", "message": "the amount is no number"}],
    )


# --- What there is ----------------------------------------------------------------------------------------------------


def test_every_row_of_ours_is_on_the_desk() -> None:
    missing = [
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in OURS and not admin.site.is_registered(model)
    ]
    assert missing in ([], ["people.IdempotentRequest"])


def test_every_list_and_its_search_open(fay: Browser) -> None:
    for model, desk in DESKS:
        assert fay.get(listed(model)).status_code == 200, model
        if desk.search_fields:
            assert fay.get(listed(model), {"q": "ana"}).status_code == 200, model


def test_every_row_opens(fay: Browser, practice: Practice) -> None:
    rejected_claim(practice)
    for model, _desk in DESKS:
        row = model._default_manager.first()
        assert row is None or fay.get(at(row)).status_code == 200, model


def test_nothing_can_be_deleted_and_facts_not_changed(fay: Browser, practice: Practice) -> None:
    for model, desk in DESKS:
        row = model._default_manager.first()
        if row is None:
            continue
        assert fay.post(at(row, "delete"), {"post": "yes"}).status_code == 403, model
        if not isinstance(desk, Reference):
            assert fay.post(at(row), {}).status_code == 403, model
            add = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
            assert fay.get(add).status_code == 403, model
        assert model._default_manager.filter(pk=row.pk).exists(), model


def test_a_list_of_many_takes_as_many_queries_as_one_of_few(
    fay: Browser, practice: Practice, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for days in range(10, 30):
        cast.book(practice.ana, practice.cole, days=days)
    with django_assert_max_num_queries(20):
        fay.get(listed(type(practice.confirmed)))
    with django_assert_max_num_queries(25):
        fay.get(reverse("admin:billing_sessioncost_changelist"))
    with django_assert_max_num_queries(41):
        fay.get(at(practice.ana, "page", "story"))
    with django_assert_max_num_queries(41):
        fay.get(reverse("admin:index"))


# --- Who may come in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ana", "eve", "cole", "diaz"])
def test_clients_and_providers_find_no_desk(practice: Practice, who: str) -> None:
    visitor = Browser()
    visitor.force_login(getattr(practice, who).user)
    claim = rejected_claim(practice)
    for address in (
        reverse("admin:index"),
        at(practice.ana),
        at(practice.ana, "page", "story"),
    ):
        assert visitor.get(address).status_code == 404
    assert visitor.post(at(claim, "repair", "resend"), {"text": "please"}).status_code == 404
    assert Claim.objects.filter(replaces=claim).count() == 0
    assert not AccessEvent.objects.filter(user=getattr(practice, who).user).exists()


def test_being_staff_is_not_enough(practice: Practice) -> None:
    diaz = practice.diaz.user
    assert diaz is not None
    User.objects.filter(pk=diaz.pk).update(is_staff=True, is_superuser=True)
    visitor = Browser()
    visitor.force_login(User.objects.get(pk=diaz.pk))
    assert visitor.get(reverse("admin:index")).status_code == 404


def test_a_visitor_signs_in_where_everyone_does(practice: Practice) -> None:
    answer = Browser().get(reverse("admin:index"), follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))


def test_an_auditor_looks_and_repairs_nothing(auditor: Browser, practice: Practice) -> None:
    claim = rejected_claim(practice)
    page = auditor.get(at(claim))
    assert page.status_code == 200 and "Correct and resend" not in page.content.decode()
    assert auditor.post(at(claim, "repair", "resend"), {"text": "why"}).status_code == 404
    assert auditor.post(at(practice.evergreen), {"name": "Changed"}).status_code == 403
    assert not Claim.objects.filter(replaces=claim).exists()


# --- Looks are noted --------------------------------------------------------------------------------------------------


def test_looking_at_a_client_is_noted(fay: Browser, practice: Practice) -> None:
    fay.get(at(practice.ana))
    fay.get(at(practice.confirmed.claims.get(rank=1)))
    fay.get(at(practice.ana, "page", "story"))
    seen = AccessEvent.objects.filter(user=practice.fay, client=practice.ana).values_list("purpose", flat=True)
    assert sorted(seen) == ["support: claim", "support: client", "support: story"]
    assert not AccessEvent.objects.filter(client=practice.eve).exists()


def test_a_list_notes_every_client_on_it(fay: Browser, practice: Practice) -> None:
    fay.get(listed(Coverage))
    seen = AccessEvent.objects.filter(user=practice.fay).values_list("client", flat=True)
    assert set(seen) == {practice.ana.pk, practice.ben.pk, practice.gil.pk, practice.ivy.pk}


def test_member_ids_and_secrets_are_not_shown(fay: Browser, practice: Practice) -> None:
    page = fay.get(at(Coverage.objects.get(client=practice.ana, stated_rank=1))).content.decode()
    assert "8842" in page and "XQZ0018842" not in page
    assert "argon2" not in fay.get(at(practice.fay)).content.decode()


# --- The story and the files ------------------------------------------------------------------------------------------


def test_the_story_tells_everything_with_reasons(fay: Browser, practice: Practice) -> None:
    page = " ".join(fay.get(at(practice.ana, "page", "story")).content.decode().split())
    for told in (
        "Plan added: Evergreen Health",
        "Order of plans: 1. Evergreen Health",
        "Benefits known: Evergreen Health",
        f"Session of {practice.confirmed.date} confirmed by Dr. Cole",
        "Deductible met.",
        "Payment of $160.00",
        "Planned for Harbor Mutual.",
    ):
        assert told in page
    only = fay.get(at(practice.ana, "page", "story"), {"only": "money"}).content.decode()
    assert "Payment of $160.00" in only and "Plan added" not in only


def test_a_client_leads_to_everything_that_is_theirs(fay: Browser, practice: Practice) -> None:
    links = {link["label"]: link for link in fay.get(at(practice.ana)).context["desk_links"]}
    assert links["Claims"]["count"] == 2
    assert fay.get(links["Claims"]["url"]).context["cl"].result_count == 2
    assert links["Sessions"]["count"] == 3


def test_a_files_segments_are_named_and_its_faults_told(fay: Browser) -> None:
    file = remittance_file()
    page = fay.get(at(file, "page", "contents")).content.decode()
    assert "The payment: amount, method, date" in page
    assert "segment 4 (BPR)" in page
    assert "<b>x</b>" not in page
    sent = fay.get(at(file, "page", "download"))
    assert sent.content == bytes(file.raw)
    assert "attachment" in sent.headers["Content-Disposition"]


def test_what_is_no_x12_is_shown_without_a_fault_of_ours(fay: Browser) -> None:
    raw = b"\x00\xffnot x12 at all"
    file = EdiFile.objects.create(
        direction="in", kind="other", state="received", raw=raw, sha256="0" * 64, payload_id=uuid.uuid4()
    )
    assert fay.get(at(file, "page", "contents")).status_code == 200


def test_the_first_page_counts_what_needs_a_person(fay: Browser, practice: Practice) -> None:
    rejected_claim(practice)
    remittance_file()
    Payment.objects.filter(client=practice.ana).update(state="unknown")
    Email.objects.create(key="x", kind="receipt", to="ana@example.com", subject="s", text="t", html="h", state="failed")
    tiles = {tile["label"]: tile for tile in fay.get(reverse("admin:index")).context["tiles"]}
    counts = {label: tile["count"] for label, tile in tiles.items() if tile["count"]}
    assert counts == {
        "Paused accounts": 1,
        "Rejected claims": 1,
        "Quarantined files": 1,
        "Checks that failed": 1,
        "Questions to insurers": 1,
        "Payments not known": 1,
        "E-mails that failed": 1,
    }
    for label, tile in tiles.items():
        answer = fay.get(tile["url"])
        assert answer.status_code == 200, label
        listed_rows = answer.context.get("cl")
        shown = listed_rows.result_count if listed_rows else answer.context["over"]
        assert shown == tile["count"], label


def test_asking_insurers_is_one_page_with_a_row_for_each(fay: Browser, practice: Practice) -> None:
    plan = Coverage.objects.get(client=practice.ana, payer=practice.evergreen)
    EligibilityCheck.objects.filter(coverage__payer=practice.evergreen).delete()
    waiting = EligibilityCheck.objects.create(coverage=plan, reason="scheduled", service_date=clock.today(), trace="T1")
    EligibilityCheck.objects.create(
        coverage=plan, reason="refresh", service_date=clock.today(), trace="T0", state="answered",
        answered_at=clock.now(),
    )  # fmt: skip
    down = clock.now() - timedelta(hours=2, minutes=5)
    PayerLine.objects.filter(payer=practice.evergreen).update(
        down_since=down, next_probe_at=clock.now() + timedelta(minutes=4), failures=3, error="HTTP 503"
    )
    page = fay.get(listed(PayerLine))
    assert page.context["cl"].result_count == Payer.objects.count()
    (row,) = [each for each in page.context["cl"].result_list if each.payer == practice.evergreen]
    assert (row.n_waiting, row.n_asked, row.n_answered, row.oldest) == (1, 0, 1, waiting.created_at)
    assert "No, for 2 h 5 min" in page.content.decode()
    assert "HTTP 503" in fay.get(at(row)).content.decode()
    PayerLine.objects.update(down_since=None, next_probe_at=None, failures=0)
    Payer.objects.filter(pk=practice.evergreen.pk).update(answers_from=time(0, 0), answers_until=time(0, 1))
    with clock.as_of(datetime(2026, 5, 4, 12, tzinfo=clock.BUSINESS_ZONE)):
        assert "Closed until 00:00" in fay.get(at(row)).content.decode()
    assert "60 questions a minute, from 00:00 until 00:01 in New York" in fay.get(at(row)).content.decode()


def test_the_page_of_insurers_takes_as_many_queries_for_many(
    fay: Browser, practice: Practice, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    fay.get(listed(PayerLine))
    with django_assert_max_num_queries(12):
        fay.get(listed(PayerLine))
    for number in range(20):
        Payer.objects.create(name=f"Insurer {number}", payer_id=f"P{number}", member_services_phone="1")
    with django_assert_max_num_queries(12):
        fay.get(listed(PayerLine))


def test_what_could_not_be_answered_says_who_does_what(fay: Browser, practice: Practice) -> None:
    plan = Coverage.objects.get(client=practice.ana, payer=practice.evergreen)
    check = EligibilityCheck.objects.create(
        coverage=plan, reason="refresh", service_date=clock.today(), trace="T1", state="rejected",
        rejections=[{"loop": "2100B", "code": "51", "text": "The insurer does not have this provider on file"}],
    )  # fmt: skip
    page = fay.get(at(check)).content.decode()
    assert "Support: There is nothing for you to do. Support checks the provider" in page


# --- Repairs ----------------------------------------------------------------------------------------------------------


def test_a_rejected_claim_is_replaced_with_the_reason_kept(fay: Browser, practice: Practice) -> None:
    claim = rejected_claim(practice)
    assert "Correct and resend" in fay.get(at(claim)).content.decode()
    answer = fay.post(at(claim, "repair", "resend"), {"text": "The member id had a typing error"})
    assert answer.headers["Location"] == at(claim)
    again = Claim.objects.get(replaces=claim)
    assert again.submission == "ready"
    event = again.events.get()
    assert (event.text, event.actor) == ("The member id had a typing error", practice.fay)


def test_a_repair_needs_a_reason(fay: Browser, practice: Practice) -> None:
    claim = rejected_claim(practice)
    answer = fay.post(at(claim, "repair", "resend"), {"text": "  "})
    assert answer.status_code == 422
    assert not Claim.objects.filter(replaces=claim).exists()


def test_a_repair_that_came_too_late_is_refused(fay: Browser, practice: Practice) -> None:
    claim = practice.confirmed.claims.get(rank=1)
    answer = fay.post(at(claim, "repair", "resend"), {"text": "again"})
    assert answer.status_code == 422
    assert "it has changed meanwhile" in answer.content.decode()
    assert not Claim.objects.filter(replaces=claim).exists()


def test_a_claim_is_closed_with_a_reason(fay: Browser, practice: Practice) -> None:
    claim = practice.confirmed.claims.get(rank=2)
    fay.post(at(claim, "repair", "close"), {"text": "The plan ended before the session"})
    claim.refresh_from_db()
    assert (claim.submission, claim.reason) == ("not_needed", "The plan ended before the session")


def test_benefits_are_asked_for_again(fay: Browser, practice: Practice) -> None:
    plan = Coverage.objects.get(client=practice.ana, stated_rank=1)
    fay.post(at(plan, "repair", "check"), {"text": "The client says it changed"})
    assert EligibilityCheck.objects.filter(coverage=plan, state="waiting", reason="refresh").count() == 1


def test_a_paused_account_is_checked_and_a_reference_kept(fay: Browser, practice: Practice) -> None:
    pause = AccountPause.objects.get(client=practice.ben)
    fay.post(at(pause, "repair", "reference"), {"text": "REF-77"})
    pause.refresh_from_db()
    assert pause.reference_number == "REF-77" and pause.cleared_at is None
    check = EligibilityCheck.objects.get(coverage=pause.coverage)
    assert check.reason == "cob_reference"
    practice.ben.refresh_from_db()
    assert practice.ben.paused_since is not None


def test_an_email_that_failed_is_queued_again(fay: Browser, practice: Practice) -> None:
    email = Email.objects.create(
        key="x", kind="receipt", to="ana@example.com", subject="s", text="t", html="h", state="failed", attempts=7
    )
    fay.post(at(email, "repair", "again"), {"text": "The address works now"})
    email.refresh_from_db()
    assert (email.state, email.attempts) == ("queued", 0)


def test_stripe_that_does_not_answer_changes_nothing(fay: Browser, practice: Practice) -> None:
    payment = Payment.objects.get(client=practice.ana)
    Payment.objects.filter(pk=payment.pk).update(state="unknown")
    with mock.patch("billing.flows.collect_payment.gateway") as gateway:
        gateway.return_value.find_payment.side_effect = OutcomeUnknown("no answer came.")
        with mock.patch("billing.flows.collect_payment.ensure_customer"):
            answer = fay.post(at(payment, "repair", "ask"), {"text": "The client asks"})
    assert answer.status_code == 422
    assert "Stripe did not answer" in answer.content.decode()
    payment.refresh_from_db()
    assert payment.state == "unknown"


def test_a_request_is_answered(fay: Browser, practice: Practice) -> None:
    assert practice.ana.user is not None
    request = SupportRequest.objects.create(
        author=practice.ana.user, client=practice.ana, category="refund", body="Where is it?"
    )
    fay.post(at(request, "repair", "answer"), {"text": "It was processed today."})
    request.refresh_from_db()
    assert (request.state, request.answer, request.owner) == ("answered", "It was processed today.", practice.fay)


def test_a_question_that_waits_is_asked_now_or_given_up(fay: Browser, practice: Practice) -> None:
    plan = Coverage.objects.get(client=practice.ana, payer=practice.evergreen)
    EligibilityCheck.objects.filter(coverage=plan).delete()
    later = clock.now() + timedelta(hours=5)
    check = EligibilityCheck.objects.create(
        coverage=plan, reason="scheduled", service_date=clock.today(), trace="T1", next_attempt_at=later
    )
    assert fay.post(at(check, "repair", "now"), {"text": "The client waits"}).status_code == 302
    check.refresh_from_db()
    assert check.next_attempt_at <= clock.now()
    assert fay.post(at(check, "repair", "give_up"), {"text": ""}).status_code == 422, "not without a reason"
    assert fay.post(at(check, "repair", "give_up"), {"text": "This insurer takes no 270"}).status_code == 302
    check.refresh_from_db()
    assert (check.state, check.error) == ("failed", "This insurer takes no 270")
    assert "not possible any more" in fay.post(at(check, "repair", "now"), {"text": "x"}).content.decode()
    line = practice.evergreen.line
    assert fay.post(at(line, "repair", "again"), {"text": "It is back"}).status_code == 302
    again = EligibilityCheck.objects.get(coverage=plan, state="waiting")
    assert (again.reason, again.asked_by) == ("scheduled", practice.fay)


def test_an_insurer_that_is_down_can_be_tried_at_once(fay: Browser, practice: Practice) -> None:
    later = clock.now() + timedelta(minutes=4)
    PayerLine.objects.filter(payer=practice.evergreen).update(down_since=clock.now(), next_probe_at=later, failures=3)
    assert fay.post(at(practice.evergreen.line, "repair", "try"), {"text": "They wrote to us"}).status_code == 302
    line = PayerLine.objects.get(payer=practice.evergreen)
    assert line.next_probe_at is not None
    assert line.next_probe_at <= clock.now()


def test_the_reference_data_can_be_kept_up_to_date(fay: Browser, practice: Practice) -> None:
    form = {
        "name": "Evergreen Health",
        "payer_id": "EVGR1",
        "member_services_phone": "800-555-0199",
        "secondary_method": "standard",
        "timely_filing_days": "180",
        "secondary_filing_days": "180",
        "claim_filing_code": "CI",
        "requests_per_minute": "60",
    }
    assert fay.post(at(practice.evergreen), form).status_code == 302
    practice.evergreen.refresh_from_db()
    assert practice.evergreen.member_services_phone == "800-555-0199"


def test_claim_events_cannot_be_forged_from_the_claims_page(fay: Browser, practice: Practice) -> None:
    claim = practice.confirmed.claims.get(rank=1)
    claims.note(claim, "note", "true")
    before = claim.events.count()
    answer = fay.post(at(claim), {"events-TOTAL_FORMS": "1", "events-INITIAL_FORMS": "0", "events-0-text": "forged"})
    assert answer.status_code == 403
    assert claim.events.count() == before
