"""Everything that goes wrong is told as a problem that a program and a person can read."""

from typing import Any

import pytest
from django.test import Client as PlainBrowser
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient
from rest_framework.throttling import UserRateThrottle

from people.models import SupportRequest
from tests.api.conftest import Browser
from tests.cast import Cast


def problem(answer: Any) -> tuple[int, str]:
    """Status and kind of a refusal, having checked its form."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail", "errors"}
    assert told["status"] == answer.status_code
    assert told["title"] and told["detail"]
    return answer.status_code, told["type"].removeprefix("urn:headway:problem:")


@pytest.mark.django_db
def test_without_a_login_nothing_is_told() -> None:
    answer = APIClient().get("/api/v1/client/sessions/")
    assert problem(answer) == (401, "not-authenticated")
    assert answer.headers["WWW-Authenticate"] == "Session"


def test_an_address_that_does_not_exist(cast: Cast, ana: Browser) -> None:
    assert problem(ana.get("/api/v1/client/secrets/")) == (404, "not-found")
    assert problem(ana.get("/api/v2/")) == (404, "not-found")


def test_a_strangers_row_looks_like_one_that_does_not_exist(cast: Cast, eve: Browser) -> None:
    booked = cast.book(days=3)
    hers, none = (eve.get(f"/api/v1/client/sessions/{pk}/") for pk in (booked.pk, 10**12))
    assert hers.json() == none.json()
    assert problem(hers) == (404, "not-found")


def test_the_wrong_method_and_the_wrong_content(cast: Cast, ana: Browser) -> None:
    assert problem(ana.put("/api/v1/client/plans/", {})) == (405, "method-not-allowed")
    form = ana.post("/api/v1/client/support-requests/", "body=x", content_type="application/x-www-form-urlencoded")
    assert problem(form) == (415, "unsupported-media-type")
    broken = ana.post("/api/v1/client/support-requests/", "{", content_type="application/json")
    assert problem(broken) == (400, "parse-error")
    assert problem(ana.post("/api/v1/client/support-requests/", [1])) == (422, "bad-input")
    assert not SupportRequest.objects.exists()


def test_a_write_from_another_site_is_refused(cast: Cast) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    assert cast.ana.user is not None
    browser.force_login(cast.ana.user)
    answer = browser.post("/api/v1/client/support-requests/", {"category": "other", "body": "x"})
    assert problem(answer) == (403, "permission-denied")
    assert not SupportRequest.objects.exists()


def test_too_many_requests_are_told_when_to_come_back(
    cast: Cast, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "2/min", "write": "1/min", "anon": "9/min"})
    assert [ana.get("/api/v1/me/").status_code for _ in range(2)] == [200, 200]
    answer = ana.get("/api/v1/me/")
    assert problem(answer) == (429, "throttled")
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_writes_are_counted_apart(cast: Cast, ana: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "99/min", "write": "1/min", "anon": "9/min"})
    answers = [
        ana.post("/api/v1/client/support-requests/", {"category": "other", "body": str(number)}) for number in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 429]
    assert SupportRequest.objects.count() == 1
    assert ana.get("/api/v1/me/").status_code == 200


def test_a_fault_of_ours_is_a_problem_without_its_inside(
    cast: Cast, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr("billing.api.payments.client_balances", broken)
    ana.raise_request_exception = False
    answer = ana.get("/api/v1/client/balance/")
    assert problem(answer) == (500, "internal-server-error")
    assert b"inside" not in answer.content


@pytest.mark.django_db
def test_pages_keep_their_own_404(client: PlainBrowser, settings: Settings) -> None:
    assert client.get("/no-such-page/").headers["Content-Type"].startswith("text/html")
