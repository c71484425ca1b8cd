"""A client or provider says that what we show of a plan is wrong: one case for support, one question to the insurer."""

import threading

import pytest
from django.db import connections
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from billing.flows import refresh_benefits
from common import clock
from common.errors import BadInput
from insurance.models import EligibilityCheck
from people.models import AccessEvent, SupportRequest, User
from people.services import support_requests
from tests.cast import Cast, assemble

pytestmark = pytest.mark.django_db

SAID = {"what": "copay", "text": "My card says $20.00, you show $25.00."}


@pytest.fixture
def cast(db: None) -> Cast:
    found = assemble()
    found.book(days=1)
    return found


def browser(user: User | None) -> Browser:
    found = Browser()
    assert user is not None
    found.force_login(user)
    return found


def author(cast: Cast) -> User:
    assert cast.ana.user is not None
    return cast.ana.user


def reported(cast: Cast) -> SupportRequest:
    """Ana says so."""
    return refresh_benefits.report_incorrect(
        author=author(cast), coverage=cast.own_plan, what="copay", text="It is $20."
    )


def client_form(cast: Cast) -> str:
    return reverse("portal:client:report_benefits", args=[cast.own_plan.pk])


def provider_form(cast: Cast) -> str:
    return reverse("portal:provider:report_benefits", args=[cast.own_plan.pk])


# --- The client -------------------------------------------------------------------------------------------------------


def test_a_report_opens_a_case_and_asks_the_insurer(cast: Cast) -> None:
    ana = browser(cast.ana.user)
    answer = ana.post(client_form(cast), SAID, follow=True)
    assert answer.redirect_chain == [(reverse("portal:client:benefits"), 302)]
    assert "We are asking Evergreen Health again, and support looks at it." in answer.content.decode()
    case = SupportRequest.objects.get()
    assert (case.author, case.client, case.category) == (cast.ana.user, cast.ana, "benefits")
    assert case.reference == f"plan {cast.own_plan.pk}"
    assert case.body == "The copay or share for a session: My card says $20.00, you show $25.00."
    check = EligibilityCheck.objects.get()
    assert (check.coverage, check.reason, check.state) == (cast.own_plan, "report", "waiting")
    assert check.asked_by == cast.ana.user


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"what": "copay", "text": "  "}, "Please write what looks wrong."),
        ({"what": "", "text": "It is wrong"}, "Please choose what looks wrong."),
        ({"what": "the weather", "text": "It is wrong"}, "Select a valid choice"),
        ({"what": "copay", "text": "x" * 2001}, "at most 2000 characters"),
    ],
)
def test_what_cannot_be_sent_is_kept_beside_the_complaint(cast: Cast, given: dict[str, str], complaint: str) -> None:
    page = browser(cast.ana.user).post(client_form(cast), given)
    assert page.status_code == 422
    assert complaint in page.content.decode()
    assert given["text"].strip() in page.content.decode()
    assert not SupportRequest.objects.exists()
    assert not EligibilityCheck.objects.exists()


def test_more_about_the_same_plan_goes_to_the_open_case(cast: Cast) -> None:
    ana = browser(cast.ana.user)
    ana.post(client_form(cast), SAID)
    ana.post(client_form(cast), SAID)  # a double click
    case = SupportRequest.objects.get()
    assert case.body.count("My card says") == 1
    assert "You told us about this plan on" in ana.get(client_form(cast)).content.decode()
    ana.post(client_form(cast), {"what": "visits", "text": "It is 30 visits."})
    case = SupportRequest.objects.get()
    assert case.body.splitlines()[-1] == "How many sessions the plan covers: It is 30 visits."
    assert EligibilityCheck.objects.count() == 1


def test_nobody_can_flood_support_or_an_insurer(cast: Cast) -> None:
    """One case, of bounded length, and no second question within minutes, however often somebody sends."""
    ana = browser(cast.ana.user)
    codes = []
    for number in range(6):
        codes.append(ana.post(client_form(cast), {"what": "other", "text": f"{number}" * 900}).status_code)
        EligibilityCheck.objects.filter(state="waiting").update(state="answered", answered_at=clock.now())
    assert codes == [302, 302, 302, 302, 422, 422]
    assert len(SupportRequest.objects.get().body) <= 4000
    assert EligibilityCheck.objects.count() == 1


def test_a_case_that_was_answered_is_followed_by_a_new_one(cast: Cast) -> None:
    first = reported(cast)
    support_requests.answer(first, text="It was wrong, and is put right.", by=cast.fay)
    second = reported(cast)
    assert second != first
    assert SupportRequest.objects.count() == 2


def test_a_question_under_way_answers_the_report_too(cast: Cast) -> None:
    check = refresh_benefits.ask_again(cast.own_plan)
    browser(cast.ana.user).post(client_form(cast), SAID)
    assert EligibilityCheck.objects.get() == check


def test_each_plan_and_each_person_has_a_case_of_their_own(cast: Cast) -> None:
    browser(cast.ana.user).post(client_form(cast), SAID)
    browser(cast.ana.user).post(reverse("portal:client:report_benefits", args=[cast.bens_plan.pk]), SAID)
    browser(cast.cole.user).post(provider_form(cast), SAID)
    assert SupportRequest.objects.count() == 3


def test_an_unknown_kind_of_mistake_is_refused(cast: Cast) -> None:
    with pytest.raises(BadInput, match="choose what looks wrong"):
        refresh_benefits.report_incorrect(author=author(cast), coverage=cast.own_plan, what="x", text="y")


@pytest.mark.django_db(transaction=True)
def test_two_reports_at_the_same_time_are_one_case() -> None:
    cast = assemble()
    barrier = threading.Barrier(4)

    def report() -> None:
        try:
            barrier.wait(timeout=30)
            refresh_benefits.report_incorrect(
                author=author(cast), coverage=cast.own_plan, what="copay", text="It is $20."
            )
        finally:
            connections.close_all()

    threads = [threading.Thread(target=report) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    assert SupportRequest.objects.count() == 1
    assert EligibilityCheck.objects.count() == 1


def test_the_form_takes_few_queries(cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    ana = browser(cast.ana.user)
    with django_assert_max_num_queries(8):
        assert ana.get(client_form(cast)).status_code == 200


def test_a_dependent_who_was_not_found_reads_what_to_do(cast: Cast) -> None:
    EligibilityCheck.objects.create(
        coverage=cast.bens_plan, reason="refresh", service_date=clock.today(), trace="T1", state="rejected",
        rejections=[{"loop": "2100D", "code": "67", "text": "The insurer did not find this dependent"}],
    )  # fmt: skip
    for page in ("benefits", "plans"):
        shown = browser(cast.ana.user).get(reverse(f"portal:client:{page}")).content.decode()
        assert "Please ask Ben to check with Harbor Mutual that you are listed" in shown, page


# --- The provider -----------------------------------------------------------------------------------------------------


def test_a_provider_asks_again_and_sees_that_it_is_being_asked(cast: Cast) -> None:
    cole = browser(cast.cole.user)
    page = reverse("portal:provider:client", args=[cast.ana.pk])
    again = reverse("portal:provider:check_again", args=[cast.own_plan.pk])
    assert again in cole.get(page).content.decode()
    answer = cole.post(again, follow=True)
    assert answer.redirect_chain == [(page, 302)]
    shown = answer.content.decode()
    assert "We are asking Evergreen Health now." in " ".join(shown.split())
    assert again not in shown
    check = EligibilityCheck.objects.get()
    assert (check.reason, check.asked_by) == ("refresh", cast.cole.user)
    EligibilityCheck.objects.update(state="answered", answered_at=clock.now())
    refused = cole.post(again, follow=True).content.decode()
    assert "We asked Evergreen Health a few minutes ago." in refused
    assert EligibilityCheck.objects.count() == 1


def test_a_provider_reports_for_the_client(cast: Cast) -> None:
    cole = browser(cast.cole.user)
    assert "About the plan of Ana Rivera with Evergreen Health." in cole.get(provider_form(cast)).content.decode()
    answer = cole.post(provider_form(cast), SAID)
    assert answer.headers["Location"] == reverse("portal:provider:client", args=[cast.ana.pk])
    case = SupportRequest.objects.get()
    assert (case.author, case.client) == (cast.cole.user, cast.ana)
    assert AccessEvent.objects.filter(user=cast.cole.user, purpose="report benefits").exists()
    own = browser(cast.ana.user).get(reverse("portal:client:messages")).content.decode()
    assert "My card says" not in own, "what the provider wrote is not among the client's own questions"


def test_a_refusal_is_told_to_the_provider(cast: Cast) -> None:
    EligibilityCheck.objects.create(
        coverage=cast.own_plan, reason="refresh", service_date=clock.today(), trace="T1", state="rejected",
        rejections=[{"loop": "2100C", "code": "75", "text": "Not found"}],
    )  # fmt: skip
    shown = browser(cast.cole.user).get(reverse("portal:provider:client", args=[cast.ana.pk])).content.decode()
    assert "Evergreen Health could not answer our last question. Your client sees" in " ".join(shown.split())


# --- The API ----------------------------------------------------------------------------------------------------------


def test_the_api_takes_reports_of_both(cast: Cast) -> None:
    for who, user in (("client", cast.ana.user), ("provider", cast.cole.user)):
        path = f"/api/v1/{who}/plans/{cast.own_plan.pk}/report/"
        first = browser(user).post(path, SAID, content_type="application/json")
        again = browser(user).post(path, SAID, content_type="application/json")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["id"] == again.json()["id"]
        assert first.json()["reference"] == f"plan {cast.own_plan.pk}"
        wrong = browser(user).post(path, {"what": "weather", "colour": 1}, content_type="application/json")
        assert wrong.status_code == 422
    assert SupportRequest.objects.count() == 2
    assert EligibilityCheck.objects.count() == 1


def test_the_api_says_what_to_do_next(cast: Cast) -> None:
    EligibilityCheck.objects.create(
        coverage=cast.bens_plan, reason="refresh", service_date=clock.today(), trace="T1", state="rejected",
        rejections=[{"loop": "2100D", "code": "77", "text": "The insurer found the subscriber but not the patient"}],
    )  # fmt: skip
    plans = browser(cast.ana.user).get("/api/v1/client/plans/").json()["plans"]
    (check,) = [plan["check"] for plan in plans if plan["id"] == cast.bens_plan.pk]
    assert check["next_step"].startswith("Harbor Mutual knows the plan, but did not find you on it. Please ask Ben")
