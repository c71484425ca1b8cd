"""The stand-in clearinghouse taken to another day, figures as old as they are told, files laid in a box as they are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from insurance.clearinghouse import PayloadType
from tests.sandbox.clearinghouse_world import World, clearinghouse
from tests.sandbox.test_clearinghouse import inquiry, primary_claim


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with clearinghouse(tmp_path_factory.mktemp("clearinghouse")) as world:
        yield world


def test_the_insurers_live_at_the_day_they_are_told(world: World) -> None:
    world.insure_ana()
    world.control("PATCH", "payers/ALPH1", {"delays": {"remit_days": 30}})
    assert world.control("PUT", "clock", {"now": "2026-03-03T18:00:00-05:00"})["today"] == "2026-03-03"
    world.submit(primary_claim())
    world.statuses()
    world.control("PUT", "clock", {"now": "2026-04-01T18:00:00-04:00"})
    assert world.core.retrieve(payload_type=PayloadType.RETRIEVE_835) == []
    world.control("PUT", "clock", {"now": "2026-04-03T18:00:00-04:00"})
    remittance = world.remittance()
    assert remittance.paid_on is not None
    assert remittance.paid_on.isoformat() == "2026-04-03"


def test_without_a_day_it_is_now_again(world: World) -> None:
    world.control("PUT", "clock", {"now": "2026-03-03T18:00:00-05:00"})
    now = datetime.fromisoformat(world.control("PUT", "clock", {"now": None})["now"])
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(("said", "message"), [
    ("tomorrow", "'tomorrow' is not a date and time (ISO 8601)"),
    ("2026-03-03T18:00:00", "a time zone is needed"),
    (5, "text is needed here"),
])  # fmt: skip
def test_a_time_that_is_none_is_refused(world: World, said: object, message: str) -> None:
    answer = requests.put(f"{world.base}/control/clock", json={"now": said}, timeout=10)
    assert (answer.status_code, answer.json()) == (422, {"errors": [{"where": "now", "message": message}]})


def test_a_file_is_given_as_it_was_laid_down(world: World) -> None:
    laid = world.control(
        "POST", "files", {"recipient": world.core.sender_id, "kind": "835", "payload": "ISA*no remittance~"}
    )
    (file,) = world.fetch(PayloadType.RETRIEVE_835)
    assert (file.payload_id, file.payload) == (laid["payload_id"], b"ISA*no remittance~")


FAMILY_PLAN = {
    "begins": "2026-01-01", "deductible": "500.00", "family_deductible": "1000.00", "coinsurance": "0.20",
}  # fmt: skip


def left_of_deductibles(world: World) -> tuple[str, ...]:
    """What the 271 says is left of the member's own deductible and of the family's."""
    told = [each for each in world.ask(inquiry()).benefits if (each.code, each.period) == ("C", "29")]
    return tuple(f"{next(each.amount for each in told if each.level == level):.2f}" for level in ("IND", "FAM"))


@pytest.mark.parametrize(("stale", "told"), [
    (None, ("50.00", "550.00")),
    ({"days": 30}, ("450.00", "950.00")),
    ({"days": 30, "whose": "own"}, ("450.00", "550.00")),
    ({"days": 30, "whose": "family"}, ("50.00", "950.00")),
    ({"days": 0}, ("50.00", "550.00")),
])  # fmt: skip
def test_figures_are_told_as_they_stood_days_ago(
    world: World, stale: dict[str, Any] | None, told: tuple[str, str]
) -> None:
    """$50.00 were used before. $150.00 of deductible go to a session decided on 5 March, and $250.00 to care elsewhere
    on 8 March; what an answer of 1 April says as of 30 days before knows of neither."""
    world.control("POST", "reset")
    world.control("PUT", "clock", {"now": "2026-03-05T09:00:00-05:00"})
    used = {"deductible": "50.00"}
    world.insure_ana(alpha={"plan": FAMILY_PLAN, "used": used, "reported": {"stale": stale} if stale else {}})
    world.submit(primary_claim())
    assert world.remittance().claims[0].client_responsibility == 150
    world.control("POST", "members/ALPH1/ANA001/used", {"on": "2026-03-08", "deductible": "250.00"})
    world.control("PUT", "clock", {"now": "2026-04-01T09:00:00-04:00"})
    assert left_of_deductibles(world) == told
    assert world.control("GET", "members/ALPH1/ANA001")["remaining"]["deductible"] == "50.00"


def test_care_elsewhere_counts_in_the_year_of_its_day(world: World) -> None:
    """Also for the family: what Ben uses is taken from it, not from Ana's own."""
    world.control("PUT", "clock", {"now": "2027-02-01T09:00:00-05:00"})
    world.insure_ana(alpha={"plan": FAMILY_PLAN, "used": {"deductible": "500.00"}, "family": "LOPEZ"})
    ben = {"first_name": "Ben", "last_name": "Lopez", "birth_date": "1986-02-09", "plan": FAMILY_PLAN}
    world.control("PUT", "members/ALPH1/BEN001", {**ben, "family": "LOPEZ"})
    world.control("POST", "members/ALPH1/ANA001/used", {"on": "2027-01-15", "deductible": "120.00"})
    world.control("POST", "members/ALPH1/BEN001/used", {"on": "2027-01-20", "deductible": "80.00"})
    last_year = {"on": "2026-12-31", "deductible": "300.00", "family_deductible": "300.00"}
    world.control("POST", "members/ALPH1/BEN001/used", last_year)
    found = world.control("GET", "members/ALPH1/ANA001")
    assert (found["plan_year"], found["used"]["deductible"], found["used"]["family_deductible"]) == (
        "2027-01-01", "120.00", "200.00",
    )  # fmt: skip


@pytest.mark.parametrize(("reported", "where"), [
    ({"stale": {"days": -1}}, "reported.stale.days"),
    ({"stale": {"days": 3, "whose": "neighbour"}}, "reported.stale.whose"),
    ({"stale": {"weeks": 3}}, "reported.stale.weeks"),
])  # fmt: skip
def test_staleness_that_is_none_is_refused(world: World, reported: dict[str, Any], where: str) -> None:
    world.insure_ana()
    answer = requests.patch(f"{world.base}/control/members/ALPH1/ANA001", json={"reported": reported}, timeout=10)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)
