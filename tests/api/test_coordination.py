"""What settles which plan pays first, over the API: questions, plans that insurers named, yearly calls, pauses."""

from datetime import timedelta
from typing import Any

import pytest

from common import clock
from insurance.models import Coverage, Recertification, SuggestedCoverage
from insurance.services import pauses, plan_order
from people.models import SupportRequest
from tests.api.conftest import Browser
from tests.cast import Cast, payer

ORDER = "/api/v1/client/plans/order/"
SUGGESTED = "/api/v1/client/suggested-plans/"
YEARLY = "/api/v1/client/recertifications/"


# --- The order of plans -----------------------------------------------------------------------------------------------


@pytest.fixture
def undecided(cast: Cast) -> Cast:
    """Both plans are Ana's own, from jobs she has; since when she has had Harbor's is not known."""
    Coverage.objects.filter(client=cast.ana).update(
        holder="self", holder_status="active", since=None, holder_first_name="", holder_last_name=""
    )
    Coverage.objects.filter(pk=cast.own_plan.pk).update(since="2019-05-01")
    plan_order.decide(cast.ana)
    return cast


def since(cast: Cast) -> str:
    return f"plan-{cast.bens_plan.pk}-since"


def test_the_open_question_is_told_and_answered(undecided: Cast, ana: Browser) -> None:
    told = ana.get(ORDER).json()
    assert told["decision"]["certain"] is False
    [question] = told["questions"]
    assert (question["name"], question["asks_for_a_day"], question["answers"]) == (since(undecided), True, [])
    assert question["text"] == "Since when have you been covered by “Harbor Mutual”?"
    answer = ana.post(ORDER, {"answers": {since(undecided): "2022-01-01"}})
    assert answer.status_code == 200
    said = answer.json()
    assert (said["settled"], said["changed"], said["questions"], said["case"]) == (True, True, [], None)
    assert (said["decision"]["rule"], said["decision"]["source"]) == ("longer_coverage", "computed")
    plans = ana.get("/api/v1/client/plans/").json()["plans"]
    assert [plan["payer"]["name"] for plan in plans] == ["Evergreen Health", "Harbor Mutual"]


def test_not_knowing_becomes_a_case_and_the_question_stays(undecided: Cast, ana: Browser) -> None:
    said = ana.post(ORDER, {"answers": {since(undecided): None}}).json()
    assert (said["settled"], said["changed"]) == (False, False)
    assert said["case"]["id"] == SupportRequest.objects.get().pk == ana.get(ORDER).json()["case"]["id"]
    assert [each["name"] for each in said["questions"]] == [since(undecided)]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("since", "01/02/2022", "Please give a day as YYYY-MM-DD."),
        ("since", "2999-01-01", "This day is in the future."),
        ("other", "2022-01-01", "This is not asked."),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused_by_its_name(
    undecided: Cast, ana: Browser, name: str, value: str, message: str
) -> None:
    name = since(undecided) if name == "since" else name
    answer = ana.post(ORDER, {"answers": {name: value}})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"] == [{"where": f"answers.{name}", "message": message}]
    assert Coverage.objects.get(pk=undecided.bens_plan.pk).since is None


def test_an_answer_that_is_none_of_the_answers_is_refused(undecided: Cast, ana: Browser) -> None:
    Coverage.objects.filter(pk=undecided.own_plan.pk).update(holder="mother", holder_born="1980-05-15", since=None)
    Coverage.objects.filter(pk=undecided.bens_plan.pk).update(holder="father", holder_born="1979-10-03", since=None)
    plan_order.decide(undecided.ana)
    [question] = ana.get(ORDER).json()["questions"]
    assert question["name"] == "family-parents"
    assert [each["value"] for each in question["answers"]] == ["together", "apart"]
    answer = ana.post(ORDER, {"answers": {"family-parents": "sometimes"}})
    assert answer.json()["errors"] == [
        {"where": "answers.family-parents", "message": "Please choose one of the answers."}
    ]


def test_a_settled_order_has_nothing_to_answer(cast: Cast, ana: Browser) -> None:
    assert ana.get(ORDER).json()["questions"] == []
    answer = ana.post(ORDER, {"answers": {"plan-1-since": "2022-01-01"}})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:headway:problem:nothing-to-ask")


# --- Plans that insurers named ----------------------------------------------------------------------------------------


def suggested(cast: Cast, **told: Any) -> SuggestedCoverage:
    named = {"payer": payer("SMMT1", "Summit Care", "140.00"), "payer_name": "Summit Care", **told}
    return SuggestedCoverage.objects.create(client=cast.ana, named_by=cast.own_plan, source="271", **named)


def test_a_named_plan_is_told_without_its_number_and_confirmed_once(cast: Cast, ana: Browser) -> None:
    found = suggested(cast, member_id="SM44310")
    [told] = ana.get(SUGGESTED).json()["results"]
    assert (told["name"], told["named_by"], told["member_id_last4"], told["state"]) == (
        "Summit Care", "Evergreen Health", "4310", "open",
    )  # fmt: skip
    assert "SM44310" not in str(told)
    address = f"{SUGGESTED}{found.pk}/confirmation/"
    first = ana.post(address, {"holder": "self"}, headers={"Idempotency-Key": "c-1"})
    assert (first.status_code, first.json()["payer"]["name"]) == (201, "Summit Care")
    again = ana.post(address, {"holder": "self"}, headers={"Idempotency-Key": "c-1"})
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert ana.post(address, {}).json()["id"] == first.json()["id"]
    assert Coverage.objects.get(payer=found.payer).member_id == "SM44310"
    [told] = ana.get(SUGGESTED).json()["results"]
    assert (told["state"], told["coverage"]) == ("accepted", first.json()["id"])
    refused = ana.post(f"{SUGGESTED}{found.pk}/dismissal/")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:headway:problem:decided")


def test_what_was_not_told_has_to_be_given(cast: Cast, ana: Browser) -> None:
    found = suggested(cast, payer=None, payer_name="SUMMIT CR")
    summit = payer("SMMT2", "Summit Health Care", "140.00")
    address = f"{SUGGESTED}{found.pk}/confirmation/"
    assert ana.get(SUGGESTED).json()["results"][0]["payer"] is None
    for given, where in (({}, "payer"), ({"payer": 10**9}, "payer"), ({"payer": summit.pk}, "member_id")):
        answer = ana.post(address, given)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where), given
    assert ana.post(address, {"payer": summit.pk, "member_id": "S1002"}).status_code == 201
    assert Coverage.objects.get(payer=summit).member_id == "S1002"


def test_a_plan_that_is_not_the_client_s_is_dismissed_for_good(cast: Cast, ana: Browser) -> None:
    found = suggested(cast)
    for _time in (1, 2):
        answer = ana.post(f"{SUGGESTED}{found.pk}/dismissal/")
        assert (answer.status_code, answer.json()["state"]) == (200, "dismissed")
    refused = ana.post(f"{SUGGESTED}{found.pk}/confirmation/", {"member_id": "S1002"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:headway:problem:decided")


# --- Yearly calls -----------------------------------------------------------------------------------------------------


def test_the_yearly_call_is_told_with_its_words_and_reported(cast: Cast, ana: Browser) -> None:
    due = Recertification.objects.create(coverage=cast.own_plan, due_on=clock.today() - timedelta(days=3))
    [told] = ana.get(YEARLY).json()["results"]
    assert (told["overdue"], told["state"], told["plan"]["payer"]["member_services_phone"]) == (
        True, "due", "800-555-0111",
    )  # fmt: skip
    assert told["say"].startswith("“I am calling to confirm my coordination of benefits for this year.")
    address = f"{YEARLY}{due.pk}/reference/"
    given = {"reference_number": "COB-7", "called_on": clock.today().isoformat()}
    answer = ana.post(address, given, headers={"Idempotency-Key": "y-1"})
    assert (answer.status_code, answer.json()["reason"]) == (202, "cob_reference")
    assert ana.post(address, given, headers={"Idempotency-Key": "y-1"}).json() == answer.json()
    [told] = ana.get(YEARLY).json()["results"]
    assert (told["state"], told["overdue"], told["reference_number"]) == ("reported", False, "COB-7")


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"called_on": "2020-01-01", "reference_number": "A"}, "called_on"),
        ({"called_on": "2999-01-01", "reference_number": "A"}, "called_on"),
        ({"called_on": "yesterday", "reference_number": "A"}, "called_on"),
        ({"reference_number": "A"}, "called_on"),
        ({"called_on": "2026-01-01"}, "reference_number"),
        ({"called_on": "2026-01-01", "reference_number": "A", "who": "me"}, "who"),
    ],
)
def test_a_call_that_cannot_be_is_refused(cast: Cast, ana: Browser, given: dict[str, str], where: str) -> None:
    due = Recertification.objects.create(coverage=cast.own_plan, due_on=clock.today())
    answer = ana.post(f"{YEARLY}{due.pk}/reference/", given)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)
    due.refresh_from_db()
    assert due.state == "due"


def test_a_year_that_is_confirmed_takes_no_other_call(cast: Cast, ana: Browser) -> None:
    done = Recertification.objects.create(
        coverage=cast.own_plan, due_on=clock.today(), state="verified", verified_at=clock.now()
    )
    given = {"reference_number": "COB-7", "called_on": clock.today().isoformat()}
    answer = ana.post(f"{YEARLY}{done.pk}/reference/", given)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:headway:problem:nothing-to-confirm")


# --- A pause ----------------------------------------------------------------------------------------------------------


def test_a_pause_says_whom_to_call_and_what_to_say(cast: Cast, ana: Browser, eve: Browser) -> None:
    pause, _new = pauses.open_pause(coverage=cast.own_plan, evidence="835")
    told = ana.get(f"/api/v1/client/pauses/{pause.pk}/").json()
    assert told == ana.get("/api/v1/client/pauses/").json()["results"][0]
    assert told["plan"]["payer"]["member_services_phone"] == "800-555-0111"
    assert "Could you tell me which of my plans is primary?" in told["say"]
    assert (told["cleared_at"], told["reference_number"]) == (None, "")
    assert eve.get(f"/api/v1/client/pauses/{pause.pk}/").status_code == 404
