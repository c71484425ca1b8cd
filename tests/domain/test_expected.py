"""What is probably left when all plans have paid, with the figures of docs/coordination.md."""

from dataclasses import replace
from decimal import Decimal

import pytest

from billing.domain.expected import First, Later, after_all
from billing.domain.pricing import PlanState, PlanTerms
from insurance.domain.coordination import Method

D = Decimal

FIRST = First("Evergreen Health", allowed=D("160.00"), paid=D("88.00"), client=D("72.00"))
COPAY_30 = PlanState.start(PlanTerms(network="in", deductible_remaining=D("0.00"), copay=D("30.00")))
HALF = PlanState.start(PlanTerms(network="in", deductible_remaining=D("0.00"), coinsurance=D("0.50")))


def second(method: Method, **more: object) -> Later:
    plan = Later("Harbor Mutual", method, allowed=D("150.00"), state=COPAY_30)
    return replace(plan, **more)  # type: ignore[arg-type]  # columns of the plan, by name


@pytest.mark.parametrize(
    ("method", "client"),
    [
        # Alone Harbor would pay 120.00; 72.00 of the first plan's 160.00 is open, 62.00 of Harbor's own 150.00.
        (Method.STANDARD, "0.00"),
        (Method.LOWER_ALLOWED, "0.00"),
        (Method.NON_DUPLICATION, "30.00"),
        (Method.MAINTENANCE_OF_BENEFITS, "30.00"),
        (Method.MEDICARE, "0.00"),
        (Method.TRICARE, "0.00"),
        (Method.MEDICAID_LESSER_OF, "0.00"),
        (Method.MEDICAID_FULL, "0.00"),
    ],
)
def test_every_method_leaves_its_own_share(method: Method, client: str) -> None:
    assert after_all(FIRST, [second(method)], charge=D("220.00")).client == D(client)


def test_a_third_plan_pays_of_what_two_left() -> None:
    third = Later("Third Health", Method.STANDARD, allowed=D("140.00"), state=HALF)
    found = after_all(FIRST, [second(Method.NON_DUPLICATION), third], charge=D("220.00"))
    # Harbor pays 120.00 − 88.00 = 32.00. Third would pay 70.00 alone and is left 160.00 − 120.00 = 40.00 of it.
    assert found.client == D("0.00")
    assert len(found.why) == 2


def test_a_plan_that_cannot_be_billed_is_passed_over_and_said() -> None:
    closed = second(Method.STANDARD, why_not="We are not in network with Harbor Mutual.")
    third = Later("Third Health", Method.NON_DUPLICATION, allowed=D("140.00"), state=HALF)
    found = after_all(FIRST, [closed, third], charge=D("220.00"))
    # Third would pay 70.00 alone, less than the 88.00 that was paid: nothing. Its contract stops at 140.00 − 88.00.
    assert found.client == D("52.00")
    assert found.why[0] == "We are not in network with Harbor Mutual."


def test_what_a_plan_has_decided_is_not_estimated() -> None:
    decided = second(Method.STANDARD, paid=D("30.00"), left=D("32.00"))
    assert after_all(FIRST, [decided], charge=D("220.00")).client == D("32.00")


def test_what_no_insurer_has_told_is_not_guessed() -> None:
    found = after_all(FIRST, [second(Method.STANDARD, state=None)], charge=D("220.00"))
    assert found.client is None
    assert found.why == ("Not known: what Harbor Mutual will pay; it has not told us enough yet",)


def test_where_nothing_is_left_no_plan_is_needed() -> None:
    paid = First("Evergreen Health", allowed=D("160.00"), paid=D("160.00"), client=D("0.00"))
    assert after_all(paid, [second(Method.STANDARD, state=None)], charge=D("220.00")).client == D("0.00")
