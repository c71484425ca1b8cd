"""The preview page shows every kind, and only to those who make them."""

import pytest
from django.test import Client
from pytest_django import Settings

from notifications.messages import CATALOGUE
from people.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def live(settings: Settings) -> None:
    """Neither the demo nor development."""
    settings.DEMO = settings.DEBUG = False


def test_it_lists_every_kind_as_html_and_text(client: Client) -> None:
    page = client.get("/previews/emails/").content.decode()
    for kind in CATALOGUE:
        assert f'src="/previews/emails/{kind.kind}/"' in page
        for name in filter(None, kind.samples()):
            assert f'src="/previews/emails/{kind.kind}/?sample={name}"' in page
        assert kind.sample().subject().replace("'", "&#x27;") in page
    assert "Ask for a reference number for the call" in page


@pytest.mark.parametrize("kind", [kind.kind for kind in CATALOGUE])
def test_each_opens_alone_and_may_be_framed_by_us_only(client: Client, kind: str) -> None:
    answer = client.get(f"/previews/emails/{kind}/")
    assert answer.status_code == 200
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy


def test_an_unknown_kind_or_sample_is_not_found(client: Client) -> None:
    assert client.get("/previews/emails/nothing/").status_code == 404
    assert client.get("/previews/emails/pay_now/?sample=nothing").status_code == 404


def test_a_kind_that_reads_in_several_ways_shows_each(client: Client) -> None:
    usual = client.get("/previews/emails/cost_corrected/").content.decode()
    rise = client.get("/previews/emails/cost_corrected/?sample=rise").content.decode()
    assert "less than we had told you" in usual
    assert "more than we had told you" in rise


@pytest.mark.parametrize("path", ["/previews/emails/", "/previews/emails/pay_now/"])
def test_outside_the_demo_only_staff_see_it(client: Client, live: None, ana: User, path: str) -> None:
    assert client.get(path).status_code == 404
    client.force_login(ana)
    assert client.get(path).status_code == 404
    client.force_login(User.objects.create_user("fay@example.com", is_staff=True, role="support"))
    assert client.get(path).status_code == 200
