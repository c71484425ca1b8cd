"""The same request sent twice has one effect."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from common import clock
from insurance.models import Coverage
from people.models import IdempotentRequest, SupportRequest
from people.services import idempotency
from tests.api.conftest import Browser
from tests.cast import Cast

PATH = "/api/v1/client/support-requests/"
QUESTION = {"category": "other", "body": "Hello?"}


def ask(browser: Browser, key: str, **other: str) -> tuple[int, dict[str, object], str | None]:
    answer = browser.post(PATH, {**QUESTION, **other}, headers={"Idempotency-Key": key})
    return answer.status_code, answer.json(), answer.headers.get("Idempotency-Replayed")


def test_the_first_answer_is_given_again(cast: Cast, ana: Browser) -> None:
    status, first, replayed = ask(ana, "a-1")
    assert (status, replayed) == (201, None)
    SupportRequest.objects.update(created_at=clock.now() - timedelta(hours=1), state="answered")
    assert ask(ana, "a-1") == (201, first, "true")
    assert SupportRequest.objects.count() == 1
    # Without the key, or with another one, it is another question.
    assert ask(ana, "a-2")[0] == 201
    assert SupportRequest.objects.count() == 2


def test_a_key_names_one_request_only(cast: Cast, ana: Browser) -> None:
    ask(ana, "a-1")
    status, problem, _ = ask(ana, "a-1", body="Something else")
    assert (status, problem["type"]) == (422, "urn:headway:problem:key-reused")
    other_path = ana.post("/api/v1/client/plans/", QUESTION, headers={"Idempotency-Key": "a-1"})
    assert other_path.status_code == 422
    assert other_path.json()["type"] == "urn:headway:problem:key-reused"
    assert SupportRequest.objects.count() == 1


def test_the_spacing_and_order_of_a_body_do_not_matter(cast: Cast, ana: Browser) -> None:
    ask(ana, "a-1")
    body = '{ "body": "Hello?",\n "category": "other" }'
    answer = ana.post(PATH, body, content_type="application/json", headers={"Idempotency-Key": "a-1"})
    assert answer.headers["Idempotency-Replayed"] == "true"


def test_each_persons_keys_are_their_own(cast: Cast, ana: Browser, eve: Browser) -> None:
    first, second = ask(ana, "same"), ask(eve, "same")
    assert (first[0], second[0]) == (201, 201)
    assert first[1]["id"] != second[1]["id"]


def test_a_refused_request_leaves_its_key_free(cast: Cast, ana: Browser) -> None:
    plan = {"payer": cast.evergreen.pk, "member_id": "EV100"}
    path, headers = "/api/v1/client/plans/", {"Idempotency-Key": "p-1"}
    assert ana.post(path, plan, headers=headers).status_code == 422
    Coverage.objects.filter(pk=cast.own_plan.pk).update(removed_at=clock.now())
    assert ana.post(path, plan, headers=headers).status_code == 201
    assert ana.post(path, plan, headers=headers).headers["Idempotency-Replayed"] == "true"
    assert Coverage.objects.filter(client=cast.ana).count() == 3


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9"])
def test_a_malformed_key_is_refused_and_nothing_happens(cast: Cast, ana: Browser, key: str) -> None:
    status, problem, _ = ask(ana, key)
    assert status == 422
    assert problem["errors"][0]["where"] == "Idempotency-Key"  # type: ignore[index]
    assert not SupportRequest.objects.exists() and not IdempotentRequest.objects.exists()


def test_a_request_that_is_still_worked_on_is_not_begun_again(cast: Cast, ana: Browser) -> None:
    assert cast.ana.user is not None
    mark = idempotency.fingerprint("POST", PATH, QUESTION)
    row = IdempotentRequest.objects.create(user=cast.ana.user, key="a-1", fingerprint=mark)
    status, problem, _ = ask(ana, "a-1")
    assert (status, problem["type"]) == (409, "urn:headway:problem:still-working")
    assert not SupportRequest.objects.exists()
    # The process that had it died.
    IdempotentRequest.objects.filter(pk=row.pk).update(claimed_at=clock.now() - timedelta(minutes=6))
    assert ask(ana, "a-1")[0] == 201


def test_answers_are_kept_encrypted_and_for_a_day(cast: Cast, ana: Browser) -> None:
    ask(ana, "a-1", body="private words")
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM people_idempotentrequest")
        (raw,) = cursor.fetchone()
    assert "private words" not in raw and len(raw) > 40
    IdempotentRequest.objects.update(claimed_at=clock.now() - timedelta(hours=25))
    ask(ana, "a-2")
    assert [row.key for row in IdempotentRequest.objects.all()] == ["a-2"]
    IdempotentRequest.objects.update(claimed_at=clock.now() - timedelta(hours=25))
    idempotency.forget_old()
    assert not IdempotentRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_have_one_effect(cast: Cast) -> None:
    assert cast.ana.user is not None
    barrier = threading.Barrier(2)
    won: list[bool] = []

    def claim() -> None:
        barrier.wait()
        try:
            assert cast.ana.user is not None
            idempotency.claim(user=cast.ana.user, key="race", fingerprint="f")
            won.append(True)
        except idempotency.StillWorking:
            won.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, True]
