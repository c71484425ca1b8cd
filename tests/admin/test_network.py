"""The desk's lists of contracts and credentials: what ends soon, and files looked at before they are taken in."""

from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse
from playwright.sync_api import Browser as Chromium
from pytest_django.live_server_helper import LiveServer

from billing.admin.dashboard import tiles
from common import clock
from insurance.admin import network_import
from insurance.models import Credential, FeeSchedule, NetworkContract
from insurance.services.expiries import ending
from people.models import Role
from tests.cast import LONG_AGO, Cast, assemble, user
from tests.portal.test_out_of_network_browser import open_page

IMPORT = "/admin/insurance/credential/tool/import/"
HEAD = "npi,payer_id,state,begins_on,ends_on\n"
GOOD = HEAD + "1234567893,EVGR1,NJ,2026-01-01,\n"


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def fay(cast: Cast) -> Browser:
    browser = Browser()
    browser.force_login(cast.fay)
    return browser


def chosen(text: str, name: str = "july.csv") -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, text.encode(), content_type="text/csv")}


def token_of(page: str) -> dict[str, str]:
    return {name: page.split(f'name="{name}" value="')[1].split('"', maxsplit=1)[0] for name in ("token", "digest")}


# --- What ends soon ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "found"), [(-1, []), (0, [7, 30, 60]), (8, [30, 60]), (31, [60]), (61, [])])
def test_what_ends_is_listed_by_how_soon(cast: Cast, days: int, found: list[int]) -> None:
    row = Credential.objects.get(provider=cast.cole, payer=cast.harbor)
    Credential.objects.filter(pk=row.pk).update(ends_on=clock.today() + timedelta(days=days))
    assert [window for window in (7, 30, 60) if row in ending(Credential, window)] == found


def test_what_is_followed_without_a_gap_is_not_listed(cast: Cast) -> None:
    ends = clock.today() + timedelta(days=5)
    row = Credential.objects.get(provider=cast.cole, payer=cast.harbor)
    Credential.objects.filter(pk=row.pk).update(ends_on=ends)
    later = Credential.objects.create(
        provider=cast.cole, payer=cast.harbor, state="NY", begins_on=ends + timedelta(days=2)
    )
    assert list(ending(Credential, 7)) == [row], "a day between them"
    Credential.objects.filter(pk=later.pk).update(begins_on=ends + timedelta(days=1))
    assert list(ending(Credential, 7)) == []
    Credential.objects.filter(pk=later.pk).update(state="NJ")
    assert list(ending(Credential, 7)) == [row], "another state's does not follow"


def test_a_rate_is_followed_only_by_one_for_the_same_people_and_procedure(cast: Cast) -> None:
    today = clock.today()
    row = FeeSchedule.objects.get(payer=cast.harbor, licence=cast.cole.licence, cpt="90837")
    FeeSchedule.objects.filter(pk=row.pk).update(ends_on=today + timedelta(days=20))
    assert list(ending(FeeSchedule, 30)) == [row]
    assert list(ending(FeeSchedule, 7)) == []
    later = FeeSchedule.objects.create(
        payer=cast.harbor, licence=cast.cole.licence, cpt="90837", rate=row.rate + 5, provider=cast.cole,
        begins_on=today + timedelta(days=21),
    )  # fmt: skip
    assert list(ending(FeeSchedule, 30)) == [row], "one provider's own rate does not follow everybody's"
    for column, other in (("provider", None), ("modifier", "95"), ("modifier", ""), ("network", "out")):
        FeeSchedule.objects.filter(pk=later.pk).update(**{column: other})
        followed = (column, other) in (("provider", None), ("modifier", ""))
        assert list(ending(FeeSchedule, 30)) == ([] if followed else [row]), (column, other)


def test_one_provider_s_own_rate_is_followed_by_another_of_theirs(cast: Cast) -> None:
    today = clock.today()
    same: dict[str, Any] = {"payer": cast.harbor, "licence": cast.cole.licence, "cpt": "90834", "provider": cast.cole}
    row = FeeSchedule.objects.create(rate="120.00", begins_on=LONG_AGO, ends_on=today + timedelta(days=3), **same)
    assert list(ending(FeeSchedule, 7)) == [row]
    FeeSchedule.objects.create(rate="126.00", begins_on=today + timedelta(days=4), **same)
    assert list(ending(FeeSchedule, 7)) == []


def test_support_is_warned_of_rates_in_network_and_led_to_them(fay: Browser, cast: Cast) -> None:
    ends = clock.today() + timedelta(days=40)
    FeeSchedule.objects.filter(payer=cast.harbor, licence=cast.cole.licence).update(ends_on=ends)
    FeeSchedule.objects.filter(payer=cast.evergreen, licence=cast.cole.licence).update(ends_on=ends, network="out")
    tile = next(tile for tile in tiles() if tile["label"] == "Rates that end")
    assert tile["count"] == 1
    listed = fay.get(tile["url"]).content.decode()
    found = FeeSchedule.objects.in_bulk(field_name="pk")
    shown = {row.payer.name for row in found.values() if f"/admin/insurance/feeschedule/{row.pk}/change/" in listed}
    assert shown == {"Harbor Mutual"}


def test_support_is_warned_on_the_first_page_and_led_to_the_list(fay: Browser, cast: Cast) -> None:
    NetworkContract.objects.filter(payer=cast.harbor).update(ends_on=clock.today() + timedelta(days=50))
    Credential.objects.filter(payer=cast.harbor).update(ends_on=clock.today() + timedelta(days=20))
    shown = {tile["label"]: tile for tile in tiles()}
    assert (shown["Contracts that end"]["count"], shown["Credentials that end soon"]["count"]) == (1, 1)
    listed = fay.get(shown["Credentials that end soon"]["url"]).content.decode()
    assert "Dr. Cole" in listed
    assert "Dr. Diaz" not in listed
    assert fay.get(reverse("admin:insurance_networkcontract_changelist") + "?ends_within=7").status_code == 200


# --- Files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_looked_at_first_and_then_taken_in_once(fay: Browser, cast: Cast) -> None:
    shown = fay.post(IMPORT, chosen(GOOD))
    page = shown.content.decode()
    assert shown.status_code == 200
    assert "Nothing is changed yet. july.csv has 1 rows." in page
    assert "Evergreen Health, NPI 1234567893, NJ" in page
    assert not Credential.objects.filter(state="NJ").exists()

    done = fay.post(IMPORT, token_of(page), follow=True)
    assert "july.csv is taken in: 1 added, 0 ended, 0 changed." in done.content.decode()
    assert Credential.objects.get(state="NJ").provider == cast.cole
    again = fay.post(IMPORT, token_of(page))
    assert again.status_code == 422
    assert "Please choose it again" in again.content.decode()
    assert "All of it is recorded already" in fay.post(IMPORT, chosen(GOOD)).content.decode()


def test_faults_are_shown_by_line_and_column_and_nothing_can_be_done(fay: Browser, cast: Cast) -> None:
    shown = fay.post(IMPORT, chosen(HEAD + "1234567893,EVGR1,<b>,2026-01-01,\n"))
    page = shown.content.decode()
    assert shown.status_code == 422
    assert "1 fault in july.csv" in page
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert "Do this" not in page


def test_what_changed_meanwhile_is_shown_anew(fay: Browser, cast: Cast) -> None:
    page = fay.post(IMPORT, chosen(HEAD + "1234567893,EVGR1,NY,2026-01-01,\n")).content.decode()
    Credential.objects.filter(provider=cast.cole, payer=cast.evergreen).update(ends_on="2025-06-30")
    refused = fay.post(IMPORT, token_of(page))
    assert "What is recorded has changed since you looked" in refused.content.decode()
    assert not Credential.objects.filter(begins_on="2026-01-01").exists()
    assert fay.post(IMPORT, token_of(refused.content.decode())).status_code == 302
    assert Credential.objects.filter(begins_on="2026-01-01").exists()


@pytest.mark.parametrize("text", ["", "what,is,this\n"])
def test_what_is_no_such_file_is_refused_beside_the_field(fay: Browser, text: str) -> None:
    assert fay.post(IMPORT, chosen(text)).status_code == 422


def test_longer_files_go_through_the_command(fay: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_import, "MOST_ROWS", 0)
    assert "taken in by the command import_network" in fay.post(IMPORT, chosen(GOOD)).content.decode()


def test_only_support_imports_and_only_its_own_file(fay: Browser, cast: Cast) -> None:
    own = token_of(fay.post(IMPORT, chosen(GOOD)).content.decode())
    auditor, other = Browser(), Browser()
    auditor.force_login(user("gus@example.com", Role.AUDITOR, staff=True))
    other.force_login(user("kim@example.com", Role.SUPPORT, staff=True))
    assert auditor.get(IMPORT).status_code == 404
    assert auditor.post(IMPORT, chosen(GOOD)).status_code == 404
    assert "tool/import" not in auditor.get("/admin/insurance/credential/").content.decode()
    assert "tool/import" in fay.get("/admin/insurance/credential/").content.decode()
    assert other.post(IMPORT, own).status_code == 422
    assert not Credential.objects.filter(state="NJ").exists()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    browser: Chromium, live_server: LiveServer, transactional_db: None, width: int
) -> None:
    cast = assemble()
    page = open_page(browser, live_server, cast.fay, width)
    for text, told in ((GOOD, "Do this"), (HEAD + "1,2,3,4,5\n", "What is wrong")):
        page.goto(IMPORT)
        page.set_input_files("input[type=file]", {"name": "july.csv", "mimeType": "text/csv", "buffer": text.encode()})
        page.get_by_role("button", name="Look what it would do").click()
        page.get_by_text(told).first.wait_for()
        found = Axe().run(page, "#content")
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()
