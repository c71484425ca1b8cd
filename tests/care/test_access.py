"""Who may see whom; strangers meet a 404, and looks at health data are on record."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, transaction
from django.http import Http404

from care.access import get_client, get_session, visible_clients, visible_sessions
from care.models import CareRelationship
from common import clock
from people.access import is_support, own_client, own_provider
from people.models import AccessEvent, Role, User
from tests.cast import Cast, user


def account(row: object) -> User:
    found = getattr(row, "user", None)
    assert isinstance(found, User)
    return found


def test_ana_sees_herself_and_nobody_else(cast: Cast) -> None:
    assert list(visible_clients(account(cast.ana))) == [cast.ana]
    with pytest.raises(Http404):
        get_client(account(cast.ana), cast.eve.pk, purpose="test")
    assert not AccessEvent.objects.exists()


def test_dr_cole_sees_a_client_once_on_the_caseload(cast: Cast) -> None:
    with pytest.raises(Http404):
        get_client(account(cast.cole), cast.ana.pk, purpose="test")
    cast.book()
    assert get_client(account(cast.cole), cast.ana.pk, purpose="dashboard") == cast.ana
    event = AccessEvent.objects.get()
    assert (event.user, event.client, event.purpose) == (cast.cole.user, cast.ana, "dashboard")


def test_a_look_is_on_record_once_a_minute(cast: Cast) -> None:
    cast.book()
    for _ in range(3):
        get_client(account(cast.cole), cast.ana.pk, purpose="dashboard")
    get_client(account(cast.cole), cast.ana.pk, purpose="client page")
    assert AccessEvent.objects.count() == 2


def test_care_that_ended_closes_the_door(cast: Cast) -> None:
    cast.book()
    CareRelationship.objects.update(ended_on=clock.today() - timedelta(days=1))
    assert not visible_clients(account(cast.cole)).exists()
    assert not visible_sessions(account(cast.cole)).exists()


def test_care_taken_up_again_opens_it(cast: Cast) -> None:
    cast.book()
    CareRelationship.objects.update(ended_on=clock.today() - timedelta(days=1))
    CareRelationship.objects.create(client=cast.ana, provider=cast.cole)
    assert list(visible_clients(account(cast.cole))) == [cast.ana]


def test_a_provider_does_not_see_a_colleague_s_sessions(cast: Cast) -> None:
    session = cast.book()
    CareRelationship.objects.create(client=cast.ana, provider=cast.diaz)
    assert visible_clients(account(cast.diaz)).exists()
    with pytest.raises(Http404):
        get_session(account(cast.diaz), session.pk, purpose="test")


def test_support_sees_all_and_an_auditor_s_account_alone_opens_nothing(cast: Cast) -> None:
    assert visible_clients(cast.fay).count() == 2
    assert not visible_clients(user("audit@example.com", Role.AUDITOR)).exists()
    assert not visible_clients(AnonymousUser()).exists()


def test_staff_without_the_support_role_is_not_support(cast: Cast) -> None:
    assert is_support(cast.fay)
    assert not is_support(user("staff@example.com", Role.CLIENT, staff=True))
    cast.fay.is_active = False
    assert not is_support(cast.fay)


def test_own_rows_belong_to_the_role(cast: Cast) -> None:
    assert own_client(account(cast.ana)) == cast.ana
    assert own_provider(account(cast.cole)) == cast.cole
    with pytest.raises(Http404):
        own_client(account(cast.cole))
    with pytest.raises(Http404):
        own_provider(account(cast.ana))
    with pytest.raises(Http404):
        own_client(AnonymousUser())


def test_the_record_of_looks_cannot_be_changed(cast: Cast) -> None:
    cast.book()
    get_client(account(cast.cole), cast.ana.pk, purpose="dashboard")
    with pytest.raises(DatabaseError), transaction.atomic():
        AccessEvent.objects.update(purpose="other")
