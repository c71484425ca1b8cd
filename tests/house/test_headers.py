"""What every page tells the browser about what it may load and do."""

import pytest
from django.test import Client

from people.models import User


def policy(client: Client, path: str) -> dict[str, list[str]]:
    header = client.get(path).headers["Content-Security-Policy"]
    parts = [part.split() for part in header.split(";") if part.strip()]
    return {part[0]: part[1:] for part in parts}


@pytest.mark.django_db
def test_pages_run_scripts_of_this_site_and_stripes_only(client: Client) -> None:
    said = policy(client, "/accounts/login/")
    assert said["default-src"] == ["'self'"]
    assert said["style-src"] == ["'self'"]
    assert said["object-src"] == ["'none'"]
    assert said["frame-ancestors"] == ["'none'"]
    scripts = [source for source in said["script-src"] if not source.startswith("'nonce-")]
    assert scripts == ["'self'", "http://127.0.0.1:8020"]


@pytest.mark.django_db
def test_only_the_admin_may_compile_expressions(admin_client: Client) -> None:
    said = policy(admin_client, "/admin/")
    assert "'unsafe-eval'" in said["script-src"]
    assert "'unsafe-inline'" not in said["script-src"]
    assert "'unsafe-eval'" not in policy(admin_client, "/accounts/email/")["script-src"]


@pytest.mark.django_db
def test_pages_may_not_be_framed_or_sniffed(client: Client) -> None:
    headers = client.get("/accounts/login/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_the_health_check_needs_no_login_and_tells_nothing(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert client.post("/healthz").status_code == 405
    assert User.objects.count() == 0
