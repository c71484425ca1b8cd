"""What Dr. Cole reads and does through the API, and what Dr. Diaz does not."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.models import Payment, ProviderEarning
from billing.services import costs
from care.models import Session
from common import clock
from insurance.models import AccountPause, Claim, EligibilityCheck
from insurance.services.client_standing import Standing, with_standing
from insurance.services.eligibility import request_check
from people.models import AccessEvent, Client
from tests.api.conftest import Browser
from tests.cast import Cast, benefits, card, observe


def test_the_caseload_tells_standing_cost_and_what_changed(cast: Cast, cole: Browser, diaz: Browser) -> None:
    booked = cast.book(days=7, hour=10)
    costs.reprice(cast.ana)
    observe(cast.own_plan, benefits(deductible="0.00"))
    costs.reprice(cast.ana)
    (ana,) = cole.get("/api/v1/provider/clients/").json()["results"]
    assert (ana["first_name"], ana["standing"], ana["to_confirm"]) == ("Ana", "active", 0)
    assert ana["cost"]["amount"] == "32.00"
    assert (ana["change"]["before"], ana["change"]["after"]) == ("72.00", "32.00")
    assert (ana["change"]["session"], ana["change"]["reason"]) == (booked.pk, "deductible_met")
    assert AccessEvent.objects.get().user == cast.cole.user
    assert diaz.get("/api/v1/provider/clients/").json()["results"] == []
    assert diaz.get(f"/api/v1/provider/clients/{cast.ana.pk}/").status_code == 404
    assert not AccessEvent.objects.filter(user=cast.diaz.user).exists()


def test_clients_are_found_by_name_and_standing(cast: Cast, cole: Browser) -> None:
    cast.book(days=1)
    cast.book(days=2, client=cast.eve)
    found = cole.get("/api/v1/provider/clients/?q=riv an").json()["results"]
    assert [client["first_name"] for client in found] == ["Ana"]
    found = cole.get("/api/v1/provider/clients/?standing=attention").json()["results"]
    assert [client["first_name"] for client in found] == ["Eve"]  # she has no plan
    assert cole.get("/api/v1/provider/clients/?standing=asleep").status_code == 422


def test_one_client_has_plans_in_order_and_no_member_id(cast: Cast, cole: Browser) -> None:
    cast.book(days=7)
    costs.reprice(cast.ana)
    told = cole.get(f"/api/v1/provider/clients/{cast.ana.pk}/").json()
    assert told["plans"] == [{"rank": 1, "payer": "Evergreen Health"}, {"rank": 2, "payer": "Harbor Mutual"}]
    assert told["changes"] == []  # a first price is no change


def test_standings_follow_pauses_plans_and_questions(cast: Cast) -> None:
    def standing(client: Client) -> str:
        found = with_standing(Client.objects.filter(pk=client.pk)).values_list("standing", flat=True)  # type: ignore[misc]
        return str(found.get())

    assert (standing(cast.ana), standing(cast.eve)) == (Standing.ACTIVE, Standing.ATTENTION)
    check = request_check(coverage=cast.own_plan, reason="refresh")
    assert standing(cast.ana) == Standing.CHECKING
    EligibilityCheck.objects.filter(pk=check.pk).update(state="rejected")
    assert standing(cast.ana) == Standing.ATTENTION
    Client.objects.filter(pk=cast.ana.pk).update(paused_since=clock.now())
    assert standing(cast.ana) == Standing.PAUSED


def booking(cast: Cast, **other: object) -> dict[str, object]:
    at = (clock.now() + timedelta(days=5)).replace(minute=0, second=0, microsecond=0)
    return {
        "client": cast.ana.pk,
        "starts_at": at.isoformat(),
        "procedures": [{"cpt": "90837"}],
        "diagnoses": ["F41.1"],
        **other,
    }


def test_dr_cole_books_a_session_and_it_has_a_price(cast: Cast, cole: Browser, diaz: Browser) -> None:
    cast.book(days=-30)
    costs.reprice(cast.ana)
    answer = cole.post("/api/v1/provider/sessions/", booking(cast))
    assert answer.status_code == 201, answer.json()
    told = answer.json()
    # The unconfirmed session of last month uses up the 50.00 of deductible first.
    assert (told["status"], told["cost"]["amount"], told["earning"]) == ("scheduled", "32.00", None)
    assert told["procedures"] == [{"cpt": "90837", "modifiers": [], "units": 1}]
    again = cole.post("/api/v1/provider/sessions/", booking(cast))
    assert (again.status_code, again.json()["type"]) == (409, "urn:headway:problem:session-refused")
    stranger = diaz.post("/api/v1/provider/sessions/", booking(cast))
    assert stranger.status_code == 422
    assert stranger.json()["errors"] == [{"where": "client", "message": "This client is not on your caseload."}]
    assert Session.objects.count() == 2


def test_what_is_wrong_with_a_booking_is_named_by_its_place(cast: Cast, cole: Browser) -> None:
    cast.book(days=-30)
    wrong = booking(cast, starts_at="0001-01-01T00:00:00Z", procedures=[{"cpt": "9083"}, {}], diagnoses=[])
    answer = cole.post("/api/v1/provider/sessions/", wrong)
    assert answer.status_code == 422
    assert [error["where"] for error in answer.json()["errors"]] == [
        "starts_at",
        "procedures.0.cpt",
        "procedures.1.cpt",
        "diagnoses",
    ]
    assert Session.objects.count() == 1


def test_a_paused_client_is_not_booked(cast: Cast, cole: Browser) -> None:
    cast.book(days=-30)
    AccountPause.objects.create(client=cast.ana, coverage=cast.own_plan, evidence="835")
    Client.objects.filter(pk=cast.ana.pk).update(paused_since=clock.now())
    answer = cole.post("/api/v1/provider/sessions/", booking(cast))
    assert (answer.status_code, answer.json()["title"]) == (409, "Client paused")
    assert Session.objects.count() == 1


def test_confirming_charges_what_was_previewed_and_once(cast: Cast, cole: Browser, diaz: Browser) -> None:
    card(cast.ana)
    held = cast.book()
    path = f"/api/v1/provider/sessions/{held.pk}/confirmation/"
    preview = cole.get(path).json()
    assert (preview["charge"], preview["earning"], preview["payer"]) == ("72.00", "160.00", "Evergreen Health")
    assert "card" not in preview, "how the client pays is not for the provider"
    assert diaz.get(path).status_code == 404
    assert diaz.post(path, {"charge": "72.00", "earning": "160.00"}).status_code == 404
    moved = cole.post(path, {"charge": "70.00", "earning": "160.00"})
    assert (moved.status_code, moved.json()["type"]) == (409, "urn:headway:problem:price-changed")
    assert not Payment.objects.exists() and not ProviderEarning.objects.exists() and not Claim.objects.exists()
    for _ in range(2):
        answer = cole.post(path, {"charge": "72.00", "earning": "160.00"})
        assert answer.status_code == 200, answer.json()
    assert (answer.json()["status"], answer.json()["earning"]) == ("confirmed", "160.00")
    assert [(claim["rank"], claim["submission"]) for claim in answer.json()["claims"]] == [(1, "ready"), (2, "waiting")]
    assert Payment.objects.get().amount == 72
    assert cole.get(path).status_code == 409
    (earned,) = cole.get("/api/v1/provider/earnings/").json()["results"]
    assert (earned["amount"], earned["payer"], earned["client"]["first_name"]) == ("160.00", "Evergreen Health", "Ana")
    assert diaz.get("/api/v1/provider/earnings/").json()["results"] == []


def test_a_session_to_come_is_not_confirmed(cast: Cast, cole: Browser) -> None:
    booked = cast.book(days=3)
    path = f"/api/v1/provider/sessions/{booked.pk}/confirmation/"
    preview = cole.get(path).json()
    answer = cole.post(path, {"charge": preview["charge"], "earning": preview["earning"]})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "This session has not taken place yet. Confirm it on the day or after."
    booked.refresh_from_db()
    assert booked.status == "scheduled"


def test_cancelling_frees_the_session_and_a_confirmed_one_stays(cast: Cast, cole: Browser, diaz: Browser) -> None:
    booked, held = cast.book(days=3), cast.book()
    assert diaz.post(f"/api/v1/provider/sessions/{booked.pk}/cancellation/").status_code == 404
    assert cole.post(f"/api/v1/provider/sessions/{booked.pk}/cancellation/").json()["status"] == "cancelled"
    path = f"/api/v1/provider/sessions/{held.pk}/"
    preview = cole.get(f"{path}confirmation/").json()
    cole.post(f"{path}confirmation/", {"charge": preview["charge"], "earning": preview["earning"]})
    assert cole.post(f"{path}cancellation/").status_code == 409
    held.refresh_from_db()
    assert held.status == "confirmed"


def test_sessions_to_come_waiting_and_past(cast: Cast, cole: Browser) -> None:
    coming, held, long_ago = cast.book(days=3), cast.book(days=-1), cast.book(days=-9)
    Session.objects.filter(pk=long_ago.pk).update(status="cancelled")

    def ids(query: str) -> list[int]:
        return [row["id"] for row in cole.get(f"/api/v1/provider/sessions/{query}").json()["results"]]

    assert ids("") == [coming.pk]
    assert ids("?when=waiting") == [held.pk]
    assert ids("?when=past") == [held.pk, long_ago.pk]
    assert ids(f"?when=past&client={cast.eve.pk}") == []


@pytest.mark.parametrize("many", [1, 12])
def test_a_caseload_costs_the_same_queries_whatever_its_length(
    cast: Cast, cole: Browser, many: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(many):
        client = Client.objects.create(
            first_name=f"Client {number}", last_name="Stone", birth_date=cast.eve.birth_date, email="x@example.com",
            address_line="1 Elm", city="Albany", state="NY", zip_code="12207",
        )  # fmt: skip
        cast.book(days=3, client=client)
    with django_assert_max_num_queries(12):
        assert len(cole.get("/api/v1/provider/clients/").json()["results"]) == many
    with django_assert_max_num_queries(10):
        assert len(cole.get("/api/v1/provider/sessions/").json()["results"]) == many
