"""How a client stands, in one word: what our own routine questions change in it, and what not."""

import pytest

from common import clock
from insurance.models import BenefitSnapshot, EligibilityCheck
from insurance.services.client_standing import with_standing
from people.models import Client
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def standing(cast: Cast) -> str:
    return str(with_standing(Client.objects.filter(pk=cast.ana.pk)).get().standing)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("reason", "state", "known", "expected"),
    [
        ("refresh", "waiting", True, "checking"),
        ("report", "asked", True, "checking"),
        ("scheduled", "waiting", True, "active"),
        ("before_session", "asked", True, "active"),
        ("before_session", "asked", False, "checking"),
        ("scheduled", "rejected", True, "attention"),
        ("scheduled", "failed", True, "active"),
        ("plan_added", "failed", False, "attention"),
    ],
)
def test_a_question_says_how_a_client_stands(cast: Cast, reason: str, state: str, known: bool, expected: str) -> None:
    if not known:
        cast.own_plan.pk, cast.own_plan.member_id, cast.own_plan._state.adding = None, "NEW1", True
        cast.own_plan.save()
        assert not BenefitSnapshot.objects.filter(coverage=cast.own_plan).exists()
    EligibilityCheck.objects.create(
        coverage=cast.own_plan, reason=reason, state=state, service_date=clock.today(), trace="T1"
    )
    assert standing(cast) == expected
