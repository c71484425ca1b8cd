"""The same facts, learnt in any order, leave the same costs: three answers, a new 271, and two sessions to come.

Evergreen tells a copay of 25.00 and takes 40.00; in between it repeats its 25.00. Each answer was paid on a day of its
own, all before today, whenever its file reaches us.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from billing.flows import confirm_session, refresh_benefits
from billing.flows.exchange_claims import read
from billing.models import Comparison
from billing.services import books, costs
from care.models import Session
from common import clock
from insurance.models import BenefitSnapshot, Remittance
from insurance.services import exchange
from notifications.models import Email
from tests import cast as people
from tests.billing.test_correct_benefits import copay, in_june
from tests.cast import Cast
from tests.remittance_files import adjustments, payment, received, result

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_june")]
D = Decimal

__all__ = ["in_june"]


def moment(days: int) -> datetime:
    return datetime.combine(clock.today() - timedelta(days=days), time(9), tzinfo=clock.BUSINESS_ZONE)


def told(cast: Cast, days: int) -> BenefitSnapshot:
    with clock.as_of(moment(days)):
        return people.observe(cast.own_plan, copay())


@pytest.mark.parametrize("order", list(permutations(range(4)))[::3])
def test_costs_do_not_depend_on_the_order_of_news(order: tuple[int, ...]) -> None:
    with clock.as_of(moment(90)):
        cast = people.assemble()
    refresh_benefits.remove_plan(cast.bens_plan)
    told(cast, 60)
    held = []
    for days in (42, 35, 28):
        with clock.as_of(moment(days)):
            session = cast.book()
            costs.reprice(cast.ana)
            held.append(confirm_session.confirm(session))
    coming = [cast.book(days=7), cast.book(days=14)]
    costs.reprice(cast.ana)
    exchange.build_batches()

    def answered(session: Session, days: int) -> None:
        claim = session.claims.get(rank=1)
        why = adjustments(("CO", "45", "60.00"), ("PR", "3", "40.00"))
        with clock.as_of(moment(days)):
            answer = payment(claim, result(claim, paid="120.00", why=why))
        read(received(answer))

    news: list[Callable[[], object]] = [
        lambda: answered(held[0], 21),
        lambda: answered(held[1], 14),
        lambda: answered(held[2], 7),
        lambda: refresh_benefits.settle(told(cast, 10)),
    ]
    for place in order:
        news[place]()

    assert Remittance.objects.count() == 3
    assert [cost_of(session) for session in held] == [D("40.00")] * 3
    assert [cost_of(session) for session in coming] == [D("40.00")] * 2
    assert {each.kind for each in Comparison.objects.exclude(kind="match")} <= {"wrong_copay"}
    assert Email.objects.filter(kind="cost_corrected").count() == 1
    assert not [outcome.check.name for outcome in books.run() if outcome.violations]


def cost_of(session: Session) -> Decimal:
    cost = costs.current_cost(session)
    assert cost is not None
    return D(cost.amount)
