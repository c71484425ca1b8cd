"""Asking an insurer: the answer is kept once, a failure is tried again later, a rejection says what to do."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from billing.flows import refresh_benefits
from common import clock
from headway.demo import cast as demo
from headway.demo.world import World
from insurance.models import BenefitSnapshot, EdiFile, EligibilityCheck
from insurance.services import eligibility
from tests.cast import Cast
from tests.stand_ins import free_port, running

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def insurers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    folder: Path = tmp_path_factory.mktemp("insurers")
    with running("sandbox.clearinghouse", f"--port={port}", f"--data={folder}", health=f"{base}/health"):
        yield base


@pytest.fixture
def world(insurers: str, settings: Settings, cast: Cast) -> World:
    settings.CLEARINGHOUSE_URL = settings.SANDBOX_URL = insurers
    world = World(mailbox="http://127.0.0.1:9")
    for insurer in (demo.EVERGREEN, demo.HARBOR):
        world.put_payer(insurer.payer_id, {"name": insurer.name.upper(), "fee_schedule": []})
    world.put_member(
        "EVGR1",
        "EV100",
        {
            **demo.person(cast.ana),
            "plan": {
                "begins": demo.plan_year(clock.today()),
                "deductible": "500.00",
                "out_of_pocket": "3000.00",
                "coinsurance": "0.20",
            },
            "used": {"deductible": "450.00", "out_of_pocket": "450.00"},
        },
    )
    return world


def new_check(cast: Cast) -> EligibilityCheck:
    return eligibility.request_check(coverage=cast.own_plan, reason=EligibilityCheck.Reason.REFRESH)


def test_an_answer_becomes_a_snapshot(cast: Cast, world: World) -> None:
    check = new_check(cast)
    snapshot = eligibility.ask(check.pk)
    check.refresh_from_db()
    assert snapshot is not None
    assert check.state == "answered"
    figures = snapshot.read().in_network
    assert (str(figures.deductible.individual.limit), str(figures.deductible.individual.remaining)) == (
        "500.00",
        "50.00",
    )
    assert str(figures.coinsurance) == "0.20"
    assert check.request is not None
    assert check.request.state == "sent"
    assert check.response is not None
    assert check.response.state == "processed"


def test_asking_twice_keeps_one_answer(cast: Cast, world: World) -> None:
    check = new_check(cast)
    first = eligibility.ask(check.pk)
    assert eligibility.ask(check.pk) == first
    assert BenefitSnapshot.objects.filter(eligibility_check=check).count() == 1


def test_one_question_at_a_time_for_a_plan(cast: Cast, world: World) -> None:
    assert new_check(cast) == new_check(cast)


def test_an_unknown_member_is_rejected_with_what_to_do(cast: Cast, world: World) -> None:
    cast.own_plan.member_id = "NOBODY"
    cast.own_plan.save()
    check = new_check(cast)
    assert eligibility.ask(check.pk) is None
    check.refresh_from_db()
    assert check.state == "rejected"
    assert check.rejections[0]["code"] in ("72", "75")
    assert check.rejections[0]["cause"] == "member"
    assert not BenefitSnapshot.objects.filter(eligibility_check=check).exists()


def test_an_insurer_that_is_down_is_asked_again_later(cast: Cast, world: World, settings: Settings) -> None:
    settings.CLEARINGHOUSE_URL = "http://127.0.0.1:9"
    check = new_check(cast)
    assert eligibility.ask(check.pk) is None
    check.refresh_from_db()
    assert check.state == "waiting"
    assert timedelta(seconds=30) < check.next_attempt_at - clock.now() <= timedelta(minutes=1)
    assert eligibility.due_checks() == []
    settings.CLEARINGHOUSE_URL = world.insurers
    EligibilityCheck.objects.update(next_attempt_at=clock.now())
    assert eligibility.due_checks() == [check.pk]
    assert eligibility.ask(check.pk) is not None


def test_after_many_failures_support_sees_it(cast: Cast, world: World, settings: Settings) -> None:
    settings.CLEARINGHOUSE_URL = "http://127.0.0.1:9"
    check = new_check(cast)
    for _ in range(len(eligibility.BACKOFF) + 1):
        EligibilityCheck.objects.update(next_attempt_at=clock.now())
        eligibility.ask(check.pk)
    check.refresh_from_db()
    assert check.state == "failed"
    assert check.error


def test_an_answer_reprices_and_says_why(cast: Cast, world: World) -> None:
    session = cast.book(days=3)
    world.patch_member("EVGR1", "EV100", {"used": {"deductible": "500.00", "out_of_pocket": "500.00"}})
    check = new_check(cast)
    refresh_benefits.refresh(check.pk)
    cost = session.costs.get()
    assert str(cost.amount) == "32.00"
    check.refresh_from_db()
    assert check.settled_at is not None


def test_every_file_is_kept_byte_for_byte(cast: Cast, world: World) -> None:
    check = new_check(cast)
    eligibility.ask(check.pk)
    out = EdiFile.objects.get(direction="out", kind="270")
    back = EdiFile.objects.get(direction="in", kind="271")
    assert bytes(out.raw).startswith(b"ISA*")
    assert check.trace.encode() in bytes(back.raw)
    assert json.dumps(BenefitSnapshot.objects.get(eligibility_check=check).benefits)
