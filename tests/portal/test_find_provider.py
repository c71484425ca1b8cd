"""The page "find a provider": who can bill both of Ana's plans next week, who only the first, and what to let go."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client as Browser
from playwright.sync_api import Browser as Chromium
from pytest_django import DjangoAssertNumQueries
from pytest_django.live_server_helper import LiveServer

from common import clock
from insurance.models import NetworkContract
from people.models import Provider
from portal.templatetags.headway_ui import longdate
from tests.cast import Cast, assemble
from tests.insurance.test_provider_search import newcomer
from tests.portal.test_client_pages import words
from tests.portal.test_out_of_network_browser import open_page

BOTH = "Can bill Evergreen Health and Harbor Mutual"


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def ana(cast: Cast) -> Browser:
    browser = Browser()
    assert cast.ana.user is not None
    browser.force_login(cast.ana.user)
    return browser


def asked(cast: Cast, **more: str) -> str:
    """The address for Ana's plans in New York next week, with ``more``."""
    day = (clock.today() + timedelta(days=7)).isoformat()
    given = {
        "insurer1": str(cast.evergreen.pk), "insurer2": str(cast.harbor.pk), "state": "NY", "place": "any", "on": day,
        "accepting": "on", **more,
    }  # fmt: skip
    return "/find/?" + "&".join(f"{name}={value}" for name, value in given.items())


def test_it_starts_with_the_own_plans_in_order_the_own_state_and_next_week(ana: Browser, cast: Cast) -> None:
    page = ana.get("/find/").content.decode()
    form = page.split('<form class="form" method="get"', 1)[1].split("</form>")[0]
    chosen = [line for line in form.split("<option") if " selected" in line]
    assert [each.split(">", 1)[1].split("<")[0] for each in chosen[:2]] == ["Evergreen Health", "Harbor Mutual"]
    assert '<option value="NY" selected>New York</option>' in form
    assert f'value="{(clock.today() + timedelta(days=7)).isoformat()}"' in form


def test_who_can_bill_both_is_on_top_and_who_bills_one_is_clearly_apart(ana: Browser, cast: Cast) -> None:
    Provider.objects.filter(pk=cast.cole.pk).update(specialties=["grief", "trauma"], city="Albany")
    page = words(ana, "/find/")
    day = longdate(clock.today() + timedelta(days=7))
    top, apart = page.split("Bill only Evergreen Health Harbor Mutual would not be billed")
    assert f"{BOTH} On {day}, for a client in New York." in top
    assert "Maya Cole, Psychologist Trauma" not in top
    assert (
        "Maya Cole, Psychologist Grief, Trauma By video Office in Albany Bills Evergreen Health and Harbor Mutual."
        in top
    )
    assert "Diaz" not in top
    assert "Maya Diaz" in apart
    assert "Bills only Evergreen Health; Harbor Mutual would not be billed." in apart
    assert "A plan that is not billed pays nothing, so nothing comes back from it." in apart
    assert f"?category=other&amp;reference=provider%20{cast.cole.pk}#ask" in ana.get("/find/").content.decode()


def test_one_insurer_alone_can_be_asked_for(ana: Browser, cast: Cast) -> None:
    page = words(ana, asked(cast, insurer2=""))
    assert "Can bill Evergreen Health" in page
    assert "Maya Cole" in page and "Maya Diaz" in page
    assert "Bill only" not in page


def test_nobody_fits_and_what_would_help_is_told_with_counts(ana: Browser, cast: Cast) -> None:
    newcomer("Park", 1, cast.evergreen, cast.harbor, specialties=["grief"], accepting=False)
    page = words(ana, asked(cast, specialty="grief"))
    assert "Nobody fits all of this" in page
    assert "Help with anything, not only “Grief” 1 found" in page
    assert "Also those who take no new clients at the moment 1 found" in page
    assert "Without Harbor Mutual, which would then not be billed" not in page
    html = ana.get(asked(cast, specialty="grief")).content.decode()
    links = [each.split("#", 1)[0].replace("&amp;", "&") for each in html.split('class="list__title"><a href="')[1:]]
    assert len(links) == 2
    for link in links:
        assert "Nobody fits" not in words(ana, f"/find/{link}")


def test_an_insurer_we_have_no_contract_with_is_named(ana: Browser, cast: Cast) -> None:
    NetworkContract.objects.filter(payer=cast.harbor).update(ends_on=clock.today())
    page = words(ana, "/find/")
    assert "We cannot bill Harbor Mutual on" in page
    assert "You can still be seen with your first plan." in page


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"insurer1": "", "insurer2": ""}, "Please choose at least one insurer."),
        ({"on": "2020-01-01"}, "Please choose a day that is not past."),
        ({"on": "2999-01-01"}, "Please choose a day within a year"),
        ({"on": "soon"}, "Enter a valid date."),
        ({"state": "ZZ"}, "Select a valid choice."),
        ({"insurer1": "999999"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_searched_is_said_beside_its_field(
    ana: Browser, cast: Cast, wrong: dict[str, str], told: str
) -> None:
    assert told in words(ana, asked(cast, **wrong), 422)


@pytest.mark.parametrize("after", ["-1", "x", "9" * 30, "%00", "²"])
def test_a_page_that_is_none_begins_at_the_front(ana: Browser, cast: Cast, after: str) -> None:
    assert "Maya Cole" in words(ana, asked(cast, after=after))


def test_the_rest_has_pages_and_the_first_plans_list_its_own(ana: Browser, cast: Cast) -> None:
    for number in range(1, 26):
        newcomer(f"P{number}", number, cast.evergreen)
    page = ana.get(asked(cast)).content.decode()
    link = page.split('href="')
    [more] = {
        each.split("#")[0].replace("&amp;", "&") for each in link if each.startswith("?") and "show=first" in each
    }
    first = words(ana, f"/find/{more}")
    assert "Bill only Evergreen Health" in first
    assert (first.count("Noa P"), "Maya Cole" in first) == (19 * 2, False)  # each has its name twice; Diaz comes first
    html = ana.get(f"/find/{more}").content.decode()
    following = html.split('<nav class="pagination"')[1].split('href="')[1].split("#")[0].replace("&amp;", "&")
    assert words(ana, f"/find/{following}").count("Noa P") == 6 * 2


def test_a_new_client_chooses_insurers(cast: Cast) -> None:
    eve = Browser()
    assert cast.eve.user is not None
    eve.force_login(cast.eve.user)
    assert "Choose your insurer in the form, or add your plan" in words(eve, "/find/")
    assert "Maya Diaz" in words(eve, asked(cast, insurer2=""))


def test_the_page_asks_the_database_a_bounded_number_of_times(
    ana: Browser, cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, 40):
        newcomer(f"P{number}", number, cast.evergreen, *([cast.harbor] if number % 2 else []))
    ana.get("/find/")
    with django_assert_max_num_queries(16):
        ana.get("/find/")


def test_it_is_found_from_the_plans_and_the_menu(ana: Browser, cast: Cast) -> None:
    assert ana.get("/plans/").content.decode().count('href="/find/"') == 2


def test_programs_find_the_same(ana: Browser, cast: Cast) -> None:
    found = ana.get("/api/v1/client/providers/").json()
    assert [(each["name"], each["at_office"]) for each in found["results"]] == [("Maya Cole", True)]
    assert found["after"] is None
    [diaz] = ana.get("/api/v1/client/providers/?bills=first").json()["results"]
    assert [each["name"] for each in diaz["bills"]] == ["Evergreen Health"]
    assert [each["name"] for each in diaz["not_billed"]] == ["Harbor Mutual"]
    one = ana.get(f"/api/v1/client/providers/?insurers={cast.evergreen.pk}").json()["results"]
    assert [each["name"] for each in one] == ["Maya Cole", "Maya Diaz"]
    for wrong in ("insurers=999999", "insurers=x", "state=ZZ", "on=2020-01-01", "after=-1", "place=moon"):
        assert ana.get(f"/api/v1/client/providers/?{wrong}").status_code in (400, 422), wrong


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    browser: Chromium, live_server: LiveServer, transactional_db: None, width: int
) -> None:
    cast = assemble()
    Provider.objects.filter(pk=cast.cole.pk).update(specialties=["grief", "trauma"], city="Albany")
    for number, last in enumerate(("Park", "Okonkwo-Featherstonehaugh", "Roy"), 1):
        newcomer(last, number, cast.evergreen, cast.harbor, specialties=["anxiety", "children"], city="Rochester")
    page = open_page(browser, live_server, cast.ana.user, width)
    for _name, address in (
        ("found", "/find/"),
        ("none", asked(cast, specialty="eating")),
        ("wrong", asked(cast, on="x")),
    ):
        page.goto(address)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    page.context.close()
