"""Good Faith Estimates over the API: asked for while paused, read, and kept as a file."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from billing.models import GoodFaithEstimate
from common import clock
from insurance.services import pauses
from tests.api.conftest import Browser
from tests.cast import Cast

HERE = "/api/v1/client/good-faith-estimates/"


@pytest.fixture
def paused(cast: Cast) -> Cast:
    cast.book(days=-3)
    pauses.open_pause(coverage=cast.own_plan, evidence="835")
    return cast


def asked(cast: Cast, **other: Any) -> dict[str, Any]:
    day = clock.today().isoformat()
    return {"provider": cast.cole.pk, "frequency": "biweekly", "first_on": day, "months": 1, **other}


def test_it_is_issued_at_once_and_says_all_that_the_page_says(paused: Cast, ana: Browser) -> None:
    answer = ana.post(HERE, asked(paused), headers={"Idempotency-Key": "g-1"})
    assert answer.status_code == 201
    told = answer.json()
    issued = GoodFaithEstimate.objects.get()
    assert (told["id"], told["provider"], told["frequency"]) == (issued.pk, "Maya Cole", "biweekly")
    assert told["total"] == f"{220 * told['sessions']}.00"
    [item] = told["items"]
    assert (item["cpt"], item["charge"], item["count"], item["total"]) == (
        "90837", "220.00", told["sessions"], told["total"],
    )  # fmt: skip
    assert "your right to dispute" in " ".join(each["title"] for each in told["statements"])
    assert ana.get(f"{HERE}{issued.pk}/").json() == told
    [listed] = ana.get(HERE).json()["results"]
    assert listed == {name: told[name] for name in listed}
    assert ana.post(HERE, asked(paused), headers={"Idempotency-Key": "g-1"}).json() == told
    assert ana.post(HERE, asked(paused)).json()["id"] == issued.pk, "the same on the same day is the same"


@pytest.mark.parametrize("accept", ["application/pdf", "*/*", "application/json"])
def test_the_file_is_the_very_one_that_was_issued(paused: Cast, ana: Browser, accept: str) -> None:
    issued = ana.post(HERE, asked(paused)).json()["id"]
    answer = ana.get(f"{HERE}{issued}/pdf/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert "no-store" in answer.headers["Cache-Control"]
    assert hashlib.sha256(answer.content).hexdigest() == GoodFaithEstimate.objects.get().sha256


@pytest.mark.parametrize("accept", ["application/pdf", "application/json"])
def test_a_stranger_is_told_nothing_in_either_format(paused: Cast, ana: Browser, eve: Browser, accept: str) -> None:
    issued = ana.post(HERE, asked(paused)).json()["id"]
    answer = eve.get(f"{HERE}{issued}/pdf/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["type"] == "urn:headway:problem:not-found"
    assert eve.get(HERE).json()["results"] == []


@pytest.mark.parametrize(
    ("other", "where"),
    [
        ({"first_on": "2020-01-01"}, "first_on"),
        ({"frequency": "daily"}, "frequency"),
        ({"months": 13}, "months"),
        ({"months": 0}, "months"),
        ({"provider": 10**9}, "provider"),
        ({"price": "1.00"}, "price"),
    ],
)
def test_what_cannot_be_estimated_is_refused_by_its_name(
    paused: Cast, ana: Browser, other: dict[str, Any], where: str
) -> None:
    answer = ana.post(HERE, asked(paused, **other))
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)
    assert not GoodFaithEstimate.objects.exists()


def test_an_account_that_is_not_paused_needs_none(cast: Cast, ana: Browser) -> None:
    cast.book(days=-3)
    answer = ana.post(HERE, asked(cast, first_on=(clock.today() + timedelta(days=1)).isoformat()))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:headway:problem:no-estimate")
