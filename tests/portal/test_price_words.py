"""A client reads why a cost is not what was estimated, and never a reason that is not the reason."""

from decimal import Decimal

import pytest

from billing.models import SessionCost
from portal.client.words import why_it_moved
from portal.templatetags.headway_ui import sentence


def cost(amount: str, basis: SessionCost.Basis, **breakdown: str | None) -> SessionCost:
    return SessionCost(amount=Decimal(amount), allowed=Decimal("128.00"), basis=basis, breakdown=breakdown)


ESTIMATE = cost(
    "25.60", SessionCost.Basis.ESTIMATE, allowed="128.00", deductible="0.00", coinsurance="25.60", copay="0.00"
)


def test_a_deductible_that_stood_open_again_is_named_with_both_amounts() -> None:
    final = cost(
        "89.60", SessionCost.Basis.FINAL, allowed="128.00", deductible="80.00", coinsurance="9.60", copay="0.00"
    )

    assert why_it_moved(ESTIMATE, final) == (
        "For your deductible our estimate had $0.00; your insurer counted $80.00.",
        "For your coinsurance our estimate had $25.60; your insurer counted $9.60.",
    )


def test_a_second_plan_that_paid_is_not_told_as_another_coinsurance() -> None:
    final = cost("0.00", SessionCost.Basis.FINAL, allowed=None, deductible="0.00", coinsurance="0.00", copay="0.00")

    assert why_it_moved(ESTIMATE, final) == ()


def test_parts_nobody_knows_give_no_reason() -> None:
    final = cost("89.60", SessionCost.Basis.FINAL, allowed="128.00", deductible=None, coinsurance=None, copay=None)

    assert why_it_moved(ESTIMATE, final) == ()
    assert why_it_moved(None, final) == ()


@pytest.mark.parametrize("said", ["Evergreen Health pays first", "Evergreen Health pays first."])
def test_a_reason_ends_with_one_full_stop(said: str) -> None:
    assert sentence(said) == "Evergreen Health pays first."
