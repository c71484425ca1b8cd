"""Asking an insurer: the answer is kept once, a failure is tried again later, a rejection says what to do."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from billing.flows import refresh_benefits
from common import clock
from headway.demo import cast as demo
from headway.demo.world import World
from insurance.domain.asking import BACKOFF
from insurance.models import BenefitSnapshot, EdiFile, EligibilityCheck, PayerLine
from insurance.services import coverages, eligibility
from insurance.services.next_step import next_step
from insurance.x12 import x270, x271
from insurance.x12.x271 import Rejection
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


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The insurer answers, but about something else."""
    real = x271.read

    def other(raw: bytes) -> Any:
        answer = real(raw)
        return dataclasses.replace(answer, responses=())

    monkeypatch.setattr(x271, "read", other)


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
    assert timedelta(seconds=45) < check.next_attempt_at - clock.now() <= timedelta(seconds=72)
    assert eligibility.due_checks() == []
    settings.CLEARINGHOUSE_URL = world.insurers
    EligibilityCheck.objects.update(next_attempt_at=clock.now())
    assert eligibility.due_checks() == [(check.pk, cast.evergreen.pk)]
    assert eligibility.ask(check.pk) is not None


def test_an_insurer_that_says_it_cannot_answer_now_counts_as_down(cast: Cast, world: World) -> None:
    world.put_payer("EVGR1", {"name": "EVERGREEN HEALTH", "fee_schedule": [], "down": True})
    check = new_check(cast)
    assert eligibility.ask(check.pk) is None
    check.refresh_from_db()
    assert (check.state, check.rejections[0]["code"]) == ("waiting", "42")
    assert PayerLine.objects.get(payer=cast.evergreen).failures == 1


def test_one_question_that_is_never_answered_is_given_up(cast: Cast, world: World, broken: None) -> None:
    """Its insurer answers others: after the last attempt support sees it."""
    check = new_check(cast)
    for attempt in range(1, len(BACKOFF) + 2):
        check.refresh_from_db()
        assert (check.state, check.attempts) == ("waiting", attempt - 1)
        EligibilityCheck.objects.update(next_attempt_at=clock.now())
        eligibility.ask(check.pk)
    check.refresh_from_db()
    assert check.state == "failed"
    assert check.error == "The insurer's answer is not about this question."
    line = PayerLine.objects.get(payer=cast.evergreen)
    assert (line.failures, line.down_since) == (0, None), "it does answer"
    step = next_step(check)
    assert step is not None
    assert step.helper == "nobody"


def test_a_question_that_cannot_be_written_does_not_stand_in_front_for_ever(
    cast: Cast, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_args: object, **_more: object) -> None:
        raise KeyError("Rivera")

    monkeypatch.setattr(x270, "build", break_down)
    check = new_check(cast)
    with pytest.raises(KeyError):
        eligibility.ask(check.pk)
    check.refresh_from_db()
    assert (check.state, check.attempts) == ("waiting", 1)
    assert check.error == "The question could not be written: KeyError", "no one's name is kept there"
    assert eligibility.due_checks() == []


def test_a_plan_that_was_taken_off_is_asked_about_no_more(cast: Cast, world: World) -> None:
    check = new_check(cast)
    coverages.remove_coverage(cast.own_plan)
    assert eligibility.ask(check.pk) is None
    check.refresh_from_db()
    assert (check.state, check.error) == ("failed", "The plan was taken off the account.")
    assert not EdiFile.objects.filter(kind="270").exists()


def test_a_dependent_who_is_not_on_the_plan_learns_what_to_do(cast: Cast, world: World) -> None:
    """Ben's card is known, Ana is not on it: AAA 67."""
    ben = {"first_name": "Ben", "last_name": "Rivera", "birth_date": "1986-02-01", "gender": "M"}
    for card_id, person in (("HB100", ben), ("HB101", {**ben, "first_name": "Max", "birth_date": "2015-05-05"})):
        document = {**person, "card_id": "HB100", "plan": {"begins": demo.plan_year(clock.today()), "copay": "25.00"}}
        world.put_member("HARB1", card_id, document)
    check = eligibility.request_check(coverage=cast.bens_plan, reason=EligibilityCheck.Reason.REFRESH)
    assert eligibility.ask(check.pk) is None
    check.refresh_from_db()
    assert (check.state, check.rejections[0]["code"]) == ("rejected", "67")
    step = next_step(check)
    assert step is not None
    assert step.helper == "client"
    assert step.text == (
        "Harbor Mutual knows the plan, but did not find you on it. Please ask Ben to check with Harbor Mutual that you "
        "are listed, with your name and birthday as you gave them to us. If your own card shows another member ID, "
        "remove the plan and add it again with that ID."
    )


def test_an_insurer_that_answers_for_no_day_so_far_ahead_is_asked_about_today(
    cast: Cast, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = x271.read

    def too_far(raw: bytes) -> Any:
        answer = real(raw)
        told = dataclasses.replace(
            answer.responses[0], benefits=(), rejections=(Rejection("2100C", "62", "C"),), subscriber=None
        )
        return dataclasses.replace(answer, responses=(told,))

    monkeypatch.setattr(x271, "read", too_far)
    ahead = clock.today() + timedelta(days=3)
    check = eligibility.request_check(coverage=cast.own_plan, reason="before_session", service_date=ahead)
    assert eligibility.ask(check.pk) is None
    check.refresh_from_db()
    assert (check.state, check.service_date) == ("waiting", clock.today())
    monkeypatch.setattr(x271, "read", real)
    snapshot = eligibility.ask(check.pk)
    assert snapshot is not None
    assert snapshot.effective_on == clock.today()


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
