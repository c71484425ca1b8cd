"""The order of plans is not certain: Ana is asked the one thing that settles it, and nothing else."""

import pytest
from django.test import Client as Browser

from common import clock
from insurance.models import CobFacts, Coverage, PlanOrder
from insurance.services import plan_order
from people.models import SupportRequest
from tests.cast import Cast, assemble
from tests.portal.test_client_pages import words


@pytest.fixture
def cast(db: None) -> Cast:
    """Both plans are Ana's own and from jobs she has: the one that has covered her longer pays first."""
    cast = assemble()
    Coverage.objects.filter(client=cast.ana).update(
        holder="self", holder_status="active", since=None, holder_first_name="", holder_last_name=""
    )
    Coverage.objects.filter(pk=cast.own_plan.pk).update(since="2019-05-01")
    plan_order.decide(cast.ana)
    return cast


@pytest.fixture
def ana(cast: Cast) -> Browser:
    browser = Browser()
    assert cast.ana.user is not None
    browser.force_login(cast.ana.user)
    return browser


def name(cast: Cast) -> str:
    return f"order-plan-{cast.bens_plan.pk}-since"


def first(cast: Cast) -> str:
    return plan_order.plans_in_order(cast.ana, on=clock.today())[0].payer.name


def test_the_plans_page_asks_exactly_what_is_missing(ana: Browser, cast: Cast) -> None:
    page = ana.get("/plans/")
    assert page.content.decode().count('type="date"') == 1
    text = words(ana, "/plans/")
    assert "Since when have you been covered by “Harbor Mutual”?" in text
    assert "Until then we keep the order you gave us" in text
    assert "One question about your plans" in words(ana, "/home/")


def test_the_answer_puts_the_plans_in_order_and_says_so(ana: Browser, cast: Cast) -> None:
    assert first(cast) == "Harbor Mutual", "as she had entered them"
    answer = ana.post("/plans/order/", {name(cast): "2022-01-01"}, follow=True)
    assert "Evergreen Health pays first: we put your plans in this order." in answer.content.decode()
    assert first(cast) == "Evergreen Health"
    decision = plan_order.current_decision(cast.ana)
    assert decision is not None
    assert (decision.source, decision.rule, decision.certain) == ("computed", "longer_coverage", True)
    assert 'type="date"' not in ana.get("/plans/").content.decode()


def test_an_answer_that_leaves_the_order_says_that_it_is_right(ana: Browser, cast: Cast) -> None:
    answer = ana.post("/plans/order/", {name(cast): "2012-01-01"}, follow=True)
    assert "Your plans are in the right order: Harbor Mutual pays first." in answer.content.decode()


def test_a_day_to_come_is_said_beside_the_field_and_kept(ana: Browser, cast: Cast) -> None:
    answer = ana.post("/plans/order/", {name(cast): "2999-01-01"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert 'value="2999-01-01"' in text
    assert "by “Harbor Mutual”? This day is in the future." in text
    assert Coverage.objects.get(pk=cast.bens_plan.pk).since is None


def test_an_empty_answer_is_asked_for_again(ana: Browser, cast: Cast) -> None:
    answer = ana.post("/plans/order/", {})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "<li>Please answer at least one question, or say that you do not know.</li>" in page


def test_not_knowing_becomes_one_case_for_support(ana: Browser, cast: Cast) -> None:
    for _time in (1, 2):
        ana.post("/plans/order/", {f"{name(cast)}-unknown": "on"})
    case = SupportRequest.objects.get()
    assert (case.category, case.reference) == ("coordination", "order of plans")
    assert case.body == "I do not know:\nSince when have you been covered by “Harbor Mutual”?"
    assert "you told us that you do not know" in words(ana, "/plans/")
    assert PlanOrder.objects.filter(client=cast.ana).count() == 2, "an unknown answer decides nothing"
    ana.post("/plans/order/", {name(cast): "2022-01-01"})
    assert first(cast) == "Evergreen Health"


def test_a_child_is_asked_about_the_parents_first_and_then_about_the_court(ana: Browser, cast: Cast) -> None:
    Coverage.objects.filter(pk=cast.own_plan.pk).update(holder="mother", holder_born="1980-05-15", since=None)
    Coverage.objects.filter(pk=cast.bens_plan.pk).update(holder="father", holder_born="1979-10-03", since=None)
    plan_order.decide(cast.ana)
    text = words(ana, "/plans/")
    assert "Do your parents live together?" in text
    assert "court" not in text
    answer = ana.post("/plans/order/", {"order-family-parents": "apart"}, follow=True)
    assert "One more answer would settle it." in answer.content.decode()
    text = words(ana, "/plans/")
    assert "Which parent has custody of you?" in text
    assert "Did a court decide which parent pays for your health care?" in text
    ana.post("/plans/order/", {"order-family-custodial_parent": "mother", "order-family-decree": "none"})
    facts = CobFacts.objects.get(client=cast.ana)
    assert (facts.parents, facts.decree, facts.custodial_parent, facts.updated_by) == (
        "apart", "none", "mother", cast.ana.user
    )  # fmt: skip
    assert first(cast) == "Evergreen Health"


def test_a_settled_order_asks_nothing(ana: Browser, cast: Cast) -> None:
    ana.post("/plans/order/", {name(cast): "2022-01-01"})
    assert ana.get("/plans/order/").status_code == 302
    again = ana.post("/plans/order/", {name(cast): "2010-01-01"}, follow=True)
    assert "We know by now which of your plans pays first." in again.content.decode()
    assert str(Coverage.objects.get(pk=cast.bens_plan.pk).since) == "2022-01-01"
