"""What Ana reads and does through the API."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.flows.confirm_session import confirm
from billing.ledger.posting import Book, Posting, post
from billing.models import Payment, PaymentPart, Refund
from billing.services import costs
from common import clock
from insurance.models import AccountPause, Coverage, EligibilityCheck
from people.models import SupportRequest
from tests.api.conftest import Browser
from tests.cast import Cast, benefits, card, observe


def owe(cast: Cast, session: int, amount: str) -> None:
    """The books say that Ana owes ``amount`` for a session."""
    dollars = Decimal(amount)
    post(
        key=f"test:{session}",
        memo="a test",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_RECEIVABLE, dollars, client=cast.ana.pk, session=session),
            Posting(Book.SESSION_REVENUE, -dollars, client=cast.ana.pk, session=session),
        ],
    )


def test_ana_sees_who_she_is(cast: Cast, ana: Browser) -> None:
    answer = ana.get("/api/v1/me/")
    assert answer.status_code == 200
    assert answer.json() == {
        "email": "ana@example.com",
        "role": "client",
        "client": {
            "id": cast.ana.pk,
            "first_name": "Ana",
            "last_name": "Rivera",
            "called": "Ana",
            "birth_date": "1988-04-12",
            "email": "ana@example.com",
            "phone": "",
            "paused_since": None,
        },
        "provider": None,
    }
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_her_plans_are_in_the_order_in_which_they_pay_and_she_is_told_why(cast: Cast, ana: Browser) -> None:
    told = ana.get("/api/v1/client/plans/").json()
    assert [(plan["rank"], plan["payer"]["name"], plan["stated_rank"]) for plan in told["plans"]] == [
        (1, "Evergreen Health", 2),
        (2, "Harbor Mutual", 1),
    ]
    assert told["decision"]["changed"] is True
    assert told["decision"]["source"] == "computed"
    assert told["decision"]["why"]
    assert "EV100" not in str(told)  # of a member id only its end is told
    assert told["plans"][0]["member_id_last4"] == "V100"


def test_benefits_that_an_insurer_did_not_tell_are_null_and_not_zero(cast: Cast, ana: Browser) -> None:
    first, second = ana.get("/api/v1/client/benefits/").json()
    figures = first["benefits"]["figures"]["in_network"]
    assert figures["deductible"]["individual"] == {"limit": "500.00", "remaining": "50.00"}
    assert figures["deductible"]["family"] == {"limit": None, "remaining": None}
    assert (figures["coinsurance"], figures["copay"]) == ("0.20", None)
    assert second["plan"]["payer"]["name"] == "Harbor Mutual"


def test_a_plan_of_last_year_tells_nothing_of_this_one(cast: Cast, ana: Browser) -> None:
    year = clock.today().year
    old = benefits(deductible="77.00")
    observe(cast.own_plan, type(old)(**{**{f: getattr(old, f) for f in old.__slots__},
            "plan_begin": old.plan_begin.replace(year=year - 1), "plan_end": old.plan_end.replace(year=year - 1)}))  # type: ignore[union-attr]  # fmt: skip
    figures = ana.get("/api/v1/client/benefits/").json()[0]["benefits"]["figures"]
    assert figures["in_network"]["deductible"]["individual"]["remaining"] == "50.00"


def test_adding_a_plan_asks_its_insurer(cast: Cast, eve: Browser) -> None:
    given = {"payer": cast.harbor.pk, "member_id": "hb 777", "plan_type": "group", "holder_status": "active"}
    answer = eve.post("/api/v1/client/plans/", given)
    assert answer.status_code == 201, answer.json()
    plan = Coverage.objects.get(client=cast.eve)
    assert (plan.payer, plan.member_id, plan.holder) == (cast.harbor, "HB 777", "self")
    assert plan.checks.get().state == EligibilityCheck.State.WAITING


def test_a_plan_that_is_there_already_is_refused_beside_its_field(cast: Cast, ana: Browser) -> None:
    answer = ana.post("/api/v1/client/plans/", {"payer": cast.evergreen.pk, "member_id": "ev100"})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:headway:problem:bad-input",
        "title": "Bad input",
        "status": 422,
        "detail": "This plan is on your account already.",
        "errors": [{"where": "member_id", "message": "This plan is on your account already."}],
    }
    assert Coverage.objects.filter(client=cast.ana).count() == 2


def test_every_fault_of_a_plan_is_named_by_its_field(cast: Cast, ana: Browser) -> None:
    answer = ana.post("/api/v1/client/plans/", {"payer": "x", "holder": "aunt", "colour": "red"})
    assert answer.status_code == 422
    assert [error["where"] for error in answer.json()["errors"]] == ["colour"]
    answer = ana.post("/api/v1/client/plans/", {"payer": "x", "holder": "aunt", "since": "2999-01-01"})
    assert [error["where"] for error in answer.json()["errors"]] == ["payer", "member_id", "holder", "since"]
    given = {"payer": 10**6, "member_id": "ZZ1", "holder": "spouse", "holder_first_name": "Ben"}
    answer = ana.post("/api/v1/client/plans/", given)
    assert [error["where"] for error in answer.json()["errors"]] == ["holder_born"]
    assert Coverage.objects.filter(client=cast.ana).count() == 2


def test_an_insurer_is_asked_again_once_and_not_every_minute(cast: Cast, ana: Browser) -> None:
    path = f"/api/v1/client/plans/{cast.own_plan.pk}/refresh/"
    first, second = ana.post(path), ana.post(path)
    assert (first.status_code, first.json()["state"]) == (202, "waiting")
    assert second.json()["id"] == first.json()["id"]
    EligibilityCheck.objects.filter(pk=first.json()["id"]).update(state=EligibilityCheck.State.ANSWERED)
    third = ana.post(path)
    assert third.status_code == 429
    assert third.json()["type"] == "urn:headway:problem:asked-lately"
    EligibilityCheck.objects.update(created_at=clock.now() - timedelta(minutes=16))
    assert ana.post(path).status_code == 202
    assert EligibilityCheck.objects.count() == 2


def test_a_removed_plan_is_gone_and_the_other_one_stays(cast: Cast, ana: Browser) -> None:
    assert ana.delete(f"/api/v1/client/plans/{cast.bens_plan.pk}/").status_code == 204
    assert [plan["id"] for plan in ana.get("/api/v1/client/plans/").json()["plans"]] == [cast.own_plan.pk]
    assert ana.delete(f"/api/v1/client/plans/{cast.bens_plan.pk}/").status_code == 404


def test_ana_gives_the_reference_number_of_her_call(cast: Cast, ana: Browser, eve: Browser) -> None:
    pause = AccountPause.objects.create(client=cast.ana, coverage=cast.own_plan, evidence="835", evidence_codes="22")
    path = f"/api/v1/client/pauses/{pause.pk}/reference/"
    assert eve.post(path, {"reference_number": "COB-1"}).status_code == 404
    assert ana.post(path, {"reference_number": " "}).status_code == 422
    pause.refresh_from_db()
    assert pause.reference_number == ""
    answer = ana.post(path, {"reference_number": "COB-88213"})
    assert (answer.status_code, answer.json()["reason"]) == (202, "cob_reference")
    (told,) = ana.get("/api/v1/client/pauses/").json()["results"]
    assert told["reference_number"] == "COB-88213"
    assert told["plan"]["payer"]["member_services_phone"] == "800-555-0111"
    assert told["cleared_at"] is None


def test_a_coming_session_has_its_price_and_the_reasons(cast: Cast, ana: Browser) -> None:
    booked = cast.book(days=7, hour=10)
    costs.reprice(cast.ana)
    (told,) = ana.get("/api/v1/client/sessions/").json()["results"]
    # 160.00 allowed: 50.00 of deductible left, then 20% of 110.00.
    assert (told["id"], told["cost"]["amount"], told["cost"]["allowed"]) == (booked.pk, "72.00", "160.00")
    assert told["cost"]["breakdown"]["deductible"] == "50.00"
    assert told["cost"]["breakdown"]["coinsurance"] == "22.00"
    assert (told["cost"]["basis"], told["cost"]["reason"]) == ("estimate", "first")
    assert told["cost"]["breakdown"]["why"]
    assert told["balance"] == {"due": "0.00", "paying": "0.00", "planned": "0.00", "refunding": "0.00"}
    assert told["claims"] == []
    assert ana.get("/api/v1/client/sessions/?when=past").json()["results"] == []


def test_a_session_tells_every_cost_it_had(cast: Cast, ana: Browser) -> None:
    booked = cast.book(days=7, hour=10)
    costs.reprice(cast.ana)
    observe(cast.own_plan, benefits(deductible="0.00"))
    costs.reprice(cast.ana)
    story = ana.get(f"/api/v1/client/sessions/{booked.pk}/").json()
    assert [(cost["amount"], cost["reason"]) for cost in story["cost_history"]] == [
        ("32.00", "deductible_met"),
        ("72.00", "first"),
    ]
    assert story["cost_history"][0]["sentence"] == (
        "You have met your deductible: from now on you pay your 20%, so this session costs $32.00 instead of $72.00."
    )


def test_a_confirmed_session_tells_claims_payment_and_balance(cast: Cast, ana: Browser) -> None:
    card(cast.ana)
    held = cast.book()
    confirm(held)
    story = ana.get(f"/api/v1/client/sessions/{held.pk}/").json()
    assert [(claim["rank"], claim["payer"], claim["submission"]) for claim in story["claims"]] == [
        (1, "Evergreen Health", "ready"),
        (2, "Harbor Mutual", "waiting"),
    ]
    assert story["balance"] == {"due": "0.00", "paying": "72.00", "planned": "0.00", "refunding": "0.00"}
    (payment,) = story["payments"]
    assert (payment["amount"], payment["state"], payment["card"]["last4"]) == ("72.00", "created", "4242")
    assert "pm_" not in str(story)


def test_what_she_owes_session_by_session(cast: Cast, ana: Browser) -> None:
    held = cast.book(days=-3)
    owe(cast, held.pk, "18.00")
    assert ana.get("/api/v1/client/balance/").json() == {
        "due": "18.00",
        "sessions": [
            {
                "session": held.pk,
                "date": held.date.isoformat(),
                "balance": {"due": "18.00", "paying": "0.00", "planned": "0.00", "refunding": "0.00"},
            }
        ],
    }


def test_a_refund_says_when_it_is_on_the_statement(cast: Cast, ana: Browser, eve: Browser) -> None:
    held = cast.book(days=-3)
    payment = Payment.objects.create(
        client=cast.ana, card=card(cast.ana), purpose="confirmation", amount=Decimal("72.00"), state="succeeded",
        payment_intent_id="pi_1",
    )  # fmt: skip
    PaymentPart.objects.create(payment=payment, session=held, amount=Decimal("72.00"))
    refund = Refund.objects.create(payment=payment, session=held, amount=Decimal("40.00"))
    (told,) = ana.get("/api/v1/client/refunds/").json()["results"]
    assert (told["amount"], told["state"], told["statement_by"]) == ("40.00", "created", None)
    # The Monday before Thanksgiving: Tuesday, Wednesday, Friday, Monday, Tuesday.
    monday = clock.now().replace(year=2026, month=11, day=23, hour=15)
    Refund.objects.filter(pk=refund.pk).update(state="succeeded", processed_at=monday)
    (told,) = ana.get("/api/v1/client/refunds/").json()["results"]
    assert (told["state"], told["statement_by"]) == ("succeeded", "2026-12-01")
    assert eve.get("/api/v1/client/refunds/").json()["results"] == []
    assert eve.get(f"/api/v1/client/payments/{payment.pk}/").status_code == 404
    assert ana.get(f"/api/v1/client/payments/{payment.pk}/").json()["parts"] == [
        {"session": held.pk, "date": held.date.isoformat(), "amount": "72.00"}
    ]


def test_a_question_to_support_is_asked_once(cast: Cast, ana: Browser, eve: Browser) -> None:
    question = {"category": "refund", "body": "Where is my refund?", "reference": "refund 12"}
    first, again = (ana.post("/api/v1/client/support-requests/", question) for _ in range(2))
    assert first.status_code == 201
    assert again.json()["id"] == first.json()["id"]
    assert SupportRequest.objects.get().client == cast.ana
    assert ana.post("/api/v1/client/support-requests/", {"category": "weather", "body": " "}).status_code == 422
    assert eve.get("/api/v1/client/support-requests/").json()["results"] == []


@pytest.mark.parametrize("many", [2, 12])
def test_a_list_of_sessions_costs_the_same_queries_whatever_its_length(
    cast: Cast, ana: Browser, many: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(many):
        cast.book(days=1 + number, hour=9)
    costs.reprice(cast.ana)
    with django_assert_max_num_queries(13):
        assert len(ana.get("/api/v1/client/sessions/").json()["results"]) == many


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many", "", "9" * 30])
def test_a_page_has_one_to_a_hundred_rows(ana: Browser, limit: str) -> None:
    answer = ana.get(f"/api/v1/client/sessions/?limit={limit}")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"where": "limit", "message": "A page has 1 to 100 rows."}]


def test_pages_follow_each_other_and_a_foreign_cursor_finds_nothing(cast: Cast, ana: Browser) -> None:
    booked = [cast.book(days=1 + number, hour=9).pk for number in range(5)]
    first = ana.get("/api/v1/client/sessions/?limit=3").json()
    second = ana.get(first["next"]).json()
    assert [row["id"] for row in first["results"] + second["results"]] == booked
    assert second["next"] is None
    for cursor in ("nonsense", "cD1ub3doZXJl", "cD0lMDA="):
        assert ana.get(f"/api/v1/client/sessions/?cursor={cursor}").status_code == 404
