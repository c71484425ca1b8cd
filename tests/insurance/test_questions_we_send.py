"""The 270 that leaves us, whatever the insurer then does with it: right by the rules of the guide."""

import pytest
from pytest_django.fixtures import Settings

from insurance.models import Coverage, EligibilityCheck
from insurance.services import eligibility
from insurance.x12 import x270
from insurance.x12.x270_check import faults
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def sent(coverage: Coverage, settings: Settings) -> bytes:
    """The question about ``coverage`` as it was written; nobody is there to take it."""
    settings.CLEARINGHOUSE_URL = "http://127.0.0.1:9"
    check = eligibility.request_check(coverage=coverage, reason=EligibilityCheck.Reason.REFRESH)
    eligibility.ask(check.pk)
    check.refresh_from_db()
    assert check.request is not None
    return bytes(check.request.raw)


def test_about_a_clients_own_plan(cast: Cast, settings: Settings) -> None:
    raw = sent(cast.own_plan, settings)
    assert faults(raw) == ()
    (inquiry,) = x270.read(raw).inquiries
    assert (inquiry.dependent, inquiry.patient.member_id) == (None, cast.own_plan.member_id)


@pytest.mark.parametrize("holder", [holder for holder in Coverage.Holder if holder != Coverage.Holder.SELF])
def test_about_somebody_elses_plan(cast: Cast, settings: Settings, holder: Coverage.Holder) -> None:
    Coverage.objects.filter(pk=cast.bens_plan.pk).update(holder=holder)
    cast.bens_plan.refresh_from_db()
    raw = sent(cast.bens_plan, settings)
    assert faults(raw) == ()
    (inquiry,) = x270.read(raw).inquiries
    assert inquiry.dependent is not None
    assert inquiry.dependent.first == cast.ana.first_name.upper()
    assert inquiry.subscriber.member_id == cast.bens_plan.member_id
