"""Plans that insurers named, and the expected result, on the pages of client, provider and support."""

from datetime import timedelta

import pytest
from django.test import Client as Browser

from billing.flows import confirm_session, refresh_benefits
from billing.services import costs
from common import clock
from insurance.models import Claim, Coverage, Credential, SuggestedCoverage
from insurance.services import exchange
from portal.templatetags.headway_ui import longdate
from tests.billing.answers import claim, evergreen, told
from tests.cast import Cast, assemble, payer
from tests.remittance_files import adjustments

EXPECTED = (
    "Charged at the session: $72.00. After all plans the client will likely pay $32.00, and $72.00 at most. "
    "This is an estimate; nobody is charged by it, and what you earn stays the same."
)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def browser(user: object) -> Browser:
    found = Browser()
    found.force_login(user)  # type: ignore[arg-type]  # a user of ours
    return found


def suggested(cast: Cast, **told_by_insurer: object) -> SuggestedCoverage:
    named = {"payer_name": "Summit Care", **told_by_insurer}
    if "payer" not in named:
        named["payer"] = payer("SMMT1", "Summit Care", "140.00")
    return SuggestedCoverage.objects.create(client=cast.ana, named_by=cast.own_plan, source="271", **named)


def test_two_taps_put_a_plan_that_was_told_whole_on_the_account(cast: Cast) -> None:
    found = suggested(cast, member_id="SM77")
    ana = browser(cast.ana.user)
    assert "you may also have a plan with Summit Care" in ana.get("/plans/").content.decode()
    form = ana.get(f"/plans/suggested/{found.pk}/").content.decode()
    assert "ends in SM77" in form
    assert 'name="member_id"' not in form
    assert 'name="payer"' not in form
    ana.post(f"/plans/suggested/{found.pk}/", {"holder": "self", "plan_type": "group"})
    plan = Coverage.objects.get(client=cast.ana, payer=found.payer)
    assert (plan.member_id, plan.holder) == ("SM77", "self")
    assert "you may also have" not in ana.get("/plans/").content.decode()


def test_a_plan_entered_unasked_answers_the_question_about_it(cast: Cast) -> None:
    """The first plan's insurer names the second one before the client has come to enter it."""
    summit = payer("SMMT1", "Summit Care", "140.00")
    found = suggested(cast, payer=summit)
    other = suggested(cast, payer=None, payer_name="Northwind Health")
    plan = refresh_benefits.add_plan(client=cast.ana, payer=summit, member_id="SM78")
    found.refresh_from_db()
    other.refresh_from_db()
    assert (found.state, found.coverage, found.decided_by) == ("accepted", plan, None)
    assert other.state == "open"


def test_only_what_was_not_told_is_asked_and_what_was_typed_stays(cast: Cast) -> None:
    found = suggested(cast, payer=None)
    ana = browser(cast.ana.user)
    summit = payer("SMMT2", "Summit Health Care", "140.00")
    form = ana.get(f"/plans/suggested/{found.pk}/").content.decode()
    assert "Evergreen Health named it, but did not tell us all that is on your card." in form
    assert f'action="/plans/suggested/{found.pk}/dismiss/"' in form
    wrong = ana.post(
        f"/plans/suggested/{found.pk}/",
        {"payer": summit.pk, "member_id": "S 1", "holder": "spouse", "plan_type": "group", "holder_first_name": "Ben"},
    )
    assert wrong.status_code == 422
    assert "Please enter the last name of the person whose plan it is." in wrong.content.decode()
    assert 'value="Ben"' in wrong.content.decode()
    assert SuggestedCoverage.objects.get().state == "open"


def test_one_tap_says_that_it_is_not_the_client_s(cast: Cast) -> None:
    found = suggested(cast)
    said = browser(cast.ana.user).post(f"/plans/suggested/{found.pk}/dismiss/", follow=True).content.decode()
    assert "We will not ask about Summit Care again." in said
    found.refresh_from_db()
    assert (found.state, found.decided_by) == ("dismissed", cast.ana.user)


def test_support_says_it_for_the_client(cast: Cast) -> None:
    found = suggested(cast)
    fay = browser(cast.fay)
    address = f"/admin/insurance/suggestedcoverage/{found.pk}"
    assert fay.post(f"{address}/repair/accept/", {"text": "SM99"}).status_code == 302
    found.refresh_from_db()
    assert found.coverage is not None
    assert (found.state, found.coverage.member_id, found.decided_by) == ("accepted", "SM99", cast.fay)


def test_client_and_provider_read_the_figures_and_the_day(cast: Cast) -> None:
    session = cast.book()
    confirm_session.confirm(session)
    page = browser(cast.ana.user).get(f"/appointments/{session.pk}/").content.decode()
    assert "You will likely get $40.00 back." in page
    assert "Likely in the end" in page
    assert "$32.00" in page
    day = session.date + timedelta(days=90)
    assert f"We expect the result by {longdate(day)}." in page
    page = browser(cast.cole.user).get(f"/provider/sessions/{session.pk}/").content.decode()
    assert EXPECTED in page
    assert f"We expect the result by {longdate(day)}." in page


def test_the_figures_are_on_the_benefits_page_and_the_provider_s_pages_before_the_session_too(cast: Cast) -> None:
    session = cast.book(days=3)
    costs.reprice(cast.ana)
    page = browser(cast.ana.user).get("/benefits/").content.decode()
    assert "For your next session:" in page
    assert "You will likely get $40.00 back." in page
    cole = browser(cast.cole.user)
    assert EXPECTED in cole.get(f"/provider/clients/{cast.ana.pk}/").content.decode()
    assert EXPECTED in cole.get(f"/provider/sessions/{session.pk}/").content.decode()


@pytest.mark.parametrize("without", ["second plan", "credential with the first", "credential with the second"])
def test_there_is_nothing_to_expect_with_one_plan_that_can_be_billed(cast: Cast, without: str) -> None:
    cast.book(days=3)
    costs.reprice(cast.ana)
    match without:
        case "second plan":
            refresh_benefits.remove_plan(cast.bens_plan)
        case "credential with the first":
            Credential.objects.filter(payer=cast.evergreen).delete()
        case _:
            Credential.objects.filter(payer=cast.harbor).delete()
    assert "Likely in the end" not in browser(cast.ana.user).get("/benefits/").content.decode()
    page = browser(cast.cole.user).get(f"/provider/clients/{cast.ana.pk}/").content.decode()
    assert "the client will likely pay" not in page


def test_an_insurer_that_says_it_is_another_s_is_told_in_words(cast: Cast) -> None:
    session = cast.book()
    confirm_session.confirm(session)
    exchange.build_batches()
    told(claim(session, 1), evergreen(session, "0.00", adjustments(("CO", "109", "220.00"))))
    page = browser(cast.ana.user).get(f"/appointments/{session.pk}/").content.decode()
    assert "Evergreen Health says that another insurer pays for this session. We are finding out which." in page
    page = browser(cast.cole.user).get(f"/provider/sessions/{session.pk}/").content.decode()
    assert "Evergreen Health says that another insurer pays first. Our billing team is finding out which." in page


def test_support_sees_claims_by_deadline(cast: Cast) -> None:
    fay = browser(cast.fay)
    empty = fay.get("/admin/insurance/claim/tool/deadlines/").content.decode()
    assert "No claim has a deadline within 30 days." in empty
    session = cast.book()
    confirm_session.confirm(session)
    Claim.objects.filter(session=session, rank=1).update(submission="held", file_by=clock.today() - timedelta(days=1))
    page = fay.get("/admin/insurance/claim/tool/deadlines/").content.decode()
    assert "The claim must be with Evergreen Health by this day." in page
    assert claim(session, 1).control_number in page
    assert "Filing, results or acknowledgements whose day is over." in fay.get("/admin/").content.decode()
