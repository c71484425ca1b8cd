"""Support enters what decides the order of a client's plans."""

import pytest
from django.test import Client as Browser
from django.urls import reverse

from common import clock
from insurance.models import CobFacts, Coverage
from insurance.services import plan_order
from people.models import Role
from tests.cast import Cast, assemble, user

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    cast = assemble()
    Coverage.objects.filter(client=cast.ana).update(holder="self", holder_status="active", since=None)
    plan_order.decide(cast.ana)
    return cast


@pytest.fixture
def fay(cast: Cast) -> Browser:
    found = Browser()
    found.force_login(cast.fay)
    return found


def page(cast: Cast) -> str:
    return reverse("admin:people_client_page", args=[cast.ana.pk, "order"])


def first(cast: Cast) -> str:
    return plan_order.plans_in_order(cast.ana, on=clock.today())[0].payer.name


def facts(cast: Cast, **more: str) -> dict[str, str]:
    kept = {f"plan-{plan.pk}-holder_status": "active" for plan in (cast.own_plan, cast.bens_plan)}
    return kept | more


def test_the_page_says_what_is_in_force_and_what_would_settle_it(fay: Browser, cast: Cast) -> None:
    said = fay.get(page(cast)).content.decode()
    assert "not certain" in said
    assert "Since when have you been covered by “Evergreen Health”?" in said


def test_facts_put_the_plans_in_order(fay: Browser, cast: Cast) -> None:
    assert first(cast) == "Harbor Mutual"
    since = {f"plan-{cast.own_plan.pk}-since": "2015-01-01", f"plan-{cast.bens_plan.pk}-since": "2016-01-01"}
    answer = fay.post(page(cast), facts(cast, parents="apart", **since))
    assert answer.status_code == 302
    assert first(cast) == "Evergreen Health"
    kept = CobFacts.objects.get(client=cast.ana)
    assert (kept.parents, kept.decree, kept.updated_by) == ("apart", "", cast.fay)


def test_a_day_to_come_is_refused_and_nothing_is_kept(fay: Browser, cast: Cast) -> None:
    answer = fay.post(page(cast), facts(cast, esrd_since="2999-01-01"))
    assert answer.status_code == 422
    assert "This day is in the future." in answer.content.decode()
    assert not CobFacts.objects.exists()


def test_an_auditor_may_not_enter_facts(cast: Cast) -> None:
    gus = Browser()
    gus.force_login(user("gus@example.com", Role.AUDITOR, staff=True))
    assert gus.post(page(cast), facts(cast, parents="apart")).status_code in (302, 403, 404)
    assert not CobFacts.objects.exists()
