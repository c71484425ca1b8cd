"""The stand-in clearinghouse taken to another day, and files laid in a box as they are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from insurance.clearinghouse import PayloadType
from tests.sandbox.clearinghouse_world import World, clearinghouse
from tests.sandbox.test_clearinghouse import primary_claim


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
