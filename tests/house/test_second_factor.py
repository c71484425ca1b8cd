"""Staff and providers set up a second factor before anything else; clients may."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings

from headway.middleware import SecondFactor
from people.models import Role, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def required() -> object:
    with override_settings(SECOND_FACTOR_REQUIRED=True):
        yield


def browser(role: str, *, staff: bool = False) -> tuple[User, Client]:
    user = User.objects.create_user(f"{role}@example.com", "a long pass phrase", role=role, is_staff=staff)
    client = Client()
    client.force_login(user)
    return user, client


@pytest.mark.parametrize("role", [Role.PROVIDER, Role.SUPPORT, Role.AUDITOR])
def test_without_one_every_page_leads_to_setting_one_up(required: object, role: str) -> None:
    _user, client = browser(role, staff=role == Role.SUPPORT)
    for path in ("/", "/admin/", "/provider/", "/no-such-page/"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/2fa/"), path
    assert client.get("/accounts/2fa/").status_code == 200
    api = client.get("/api/v1/me/")
    assert (api.status_code, api.headers["Content-Type"]) == (403, "application/problem+json")


def test_with_one_the_way_is_free_and_recovery_codes_are_none(required: object) -> None:
    user, client = browser(Role.PROVIDER)
    Authenticator.objects.create(user=user, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert client.get("/api/v1/me/").status_code == 403
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    assert client.get("/api/v1/me/").status_code == 200


def test_clients_are_not_asked(required: object) -> None:
    _user, client = browser(Role.CLIENT)
    assert client.get("/api/v1/me/").status_code == 200


def test_it_is_left_out_where_it_is_not_required() -> None:
    def nothing(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    with override_settings(SECOND_FACTOR_REQUIRED=False), pytest.raises(MiddlewareNotUsed):
        SecondFactor(nothing)


def test_the_admin_has_no_login_of_its_own(client: Client) -> None:
    answer = client.post("/admin/login/?next=/admin/", {"username": "fay@example.com", "password": "x"})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")
