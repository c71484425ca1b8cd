"""What Fay of support reads, and that nobody else does."""

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.flows.confirm_session import confirm
from insurance.models import AccountPause, Claim, EdiFile
from insurance.services.claims import note
from insurance.services.files import store_incoming
from people.models import AccessEvent
from tests.api.conftest import Browser
from tests.cast import Cast


def test_fay_finds_a_client_and_her_look_is_on_record(cast: Cast, fay: Browser) -> None:
    (ana,) = fay.get("/api/v1/support/clients/?q=rivera").json()["results"]
    assert (ana["first_name"], ana["standing"]) == ("Ana", "active")
    told = fay.get(f"/api/v1/support/clients/{cast.ana.pk}/").json()
    assert [plan["payer"]["name"] for plan in told["plans"]] == ["Evergreen Health", "Harbor Mutual"]
    assert (told["balance"], told["due"], told["pauses"]) == ("0.00", "0.00", [])
    looks = AccessEvent.objects.filter(client=cast.ana, user=cast.fay).values_list("purpose", flat=True)
    assert set(looks) == {"api: clients", "api: client"}


def test_a_claim_is_told_with_its_history(cast: Cast, fay: Browser) -> None:
    held = cast.book()
    confirm(held)
    rows = fay.get("/api/v1/support/claims/?submission=ready").json()["results"]
    assert [(row["rank"], row["payer"], row["charge"]) for row in rows] == [(1, "Evergreen Health", "220.00")]
    claim = Claim.objects.get(rank=1)
    note(claim, "sent", "Sent in a batch.")
    told = fay.get(f"/api/v1/support/claims/{claim.pk}/").json()
    assert [event["kind"] for event in told["events"]] == ["planned", "sent"]
    assert told["adjudications"] == []
    assert fay.get(f"/api/v1/support/claims/?client={cast.eve.pk}").json()["results"] == []
    found = fay.get(f"/api/v1/support/claims/?control_number={claim.control_number}").json()["results"]
    assert [row["id"] for row in found] == [claim.pk]
    assert len(fay.get("/api/v1/support/claims/?control_number=").json()["results"]) == 2
    assert AccessEvent.objects.filter(client=cast.ana, user=cast.fay, purpose="api: claim").exists()


def test_files_are_listed_without_their_content(cast: Cast, fay: Browser) -> None:
    file, _new = store_incoming(kind=EdiFile.Kind.REMITTANCE, raw=b"ISA*EV100*SECRET~")
    answer = fay.get("/api/v1/support/files/?kind=835&direction=in")
    (told,) = answer.json()["results"]
    assert (told["id"], told["state"], told["sha256"]) == (file.pk, "received", file.sha256)
    assert b"SECRET" not in answer.content
    assert fay.get("/api/v1/support/files/?kind=270").json()["results"] == []


def test_pauses_are_told_with_their_evidence(cast: Cast, fay: Browser) -> None:
    AccountPause.objects.create(client=cast.ana, coverage=cast.own_plan, evidence="835", evidence_codes="CO-22 N197")
    (told,) = fay.get("/api/v1/support/pauses/?open=true").json()["results"]
    assert (told["client"]["first_name"], told["evidence_codes"]) == ("Ana", "CO-22 N197")
    assert fay.get("/api/v1/support/pauses/?open=false").json()["results"] == []


@pytest.mark.parametrize("many", [1, 8])
def test_a_list_of_claims_costs_the_same_queries_whatever_its_length(
    cast: Cast, fay: Browser, many: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(many):
        confirm(cast.book(days=-1 - number))
    with django_assert_max_num_queries(6):
        assert len(fay.get("/api/v1/support/claims/").json()["results"]) == 2 * many
    with django_assert_max_num_queries(7):
        fay.get("/api/v1/support/clients/")
