"""Ana and Ben are both clients, on one family plan of Evergreen's. What one uses of the family's figures, the other has
no longer."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.flows import refresh_benefits
from billing.models import Repricing
from billing.services import costs, repricing
from care.models import Session
from common import clock
from insurance.domain.benefits import Accumulator, Accumulators, Benefits
from insurance.models import Coverage
from insurance.services import plan_order
from insurance.services.coverages import of_the_family
from people.models import Client
from tests import cast as people
from tests.billing.answers import claim, reversal, told
from tests.billing.test_correct_benefits import confirmed, decides
from tests.cast import Cast, benefits, observe
from tests.remittance_files import adjustments, result

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture(autouse=True)
def in_june() -> Iterator[None]:
    with clock.as_of(datetime(2026, 6, 15, 15, tzinfo=UTC)):
        yield


def family(own: str = "500.00", whole: str = "200.00") -> Benefits:
    """20% after a deductible of which this much is left."""
    told = benefits(coinsurance="0.20")
    both = Accumulators(individual=Accumulator(D("1000.00"), D(own)), family=Accumulator(D("2000.00"), D(whole)))
    return replace(told, in_network=replace(told.in_network, deductible=both))


@pytest.fixture
def cast() -> Cast:
    cast = people.assemble()
    refresh_benefits.remove_plan(cast.bens_plan)
    observe(cast.own_plan, family())
    return cast


@pytest.fixture
def ben(cast: Cast) -> Client:
    ben = people.client("Ben", "Rivera")
    bens = Coverage.objects.create(
        client=ben, payer=cast.evergreen, member_id="EV100", stated_rank=1, holder="spouse", holder_first_name="Ana",
        holder_last_name="Rivera", holder_born=date(1986, 2, 1), holder_status="active",
    )  # fmt: skip
    observe(bens, family())
    plan_order.decide(ben)
    return ben


def next_session(cast: Cast, of: Client) -> Session:
    session = cast.book(days=7, client=of)
    costs.reprice(of)
    return session


def amount(session: Session) -> Decimal:
    cost = costs.current_cost(session)
    assert cost is not None
    return D(cost.amount)


def test_a_decision_for_ana_takes_of_the_family_s_deductible_and_ben_is_priced_again(cast: Cast, ben: Client) -> None:
    bens = next_session(cast, ben)
    assert amount(bens) == D("160.00")
    Repricing.objects.filter(client=ben).update(stale_since=None)

    session = confirmed(cast, 0)
    decides(session, "10.00", ("PR", "1", "150.00"))

    row = Repricing.objects.get(client=ben)
    assert (row.stale_since is not None, row.cause) == (
        True, "The family's figures moved by a decision for another member."
    )  # fmt: skip
    repricing.reprice_client(ben.pk, if_stale=True)
    assert amount(bens) == D("72.00"), "50.00 of the family's deductible are left, and 20% of 110.00"
    assert Repricing.objects.get(client=ben).stale_since is None


def test_what_is_taken_back_is_left_again(cast: Cast, ben: Client) -> None:
    bens, session = next_session(cast, ben), confirmed(cast, 0)
    decides(session, "10.00", ("PR", "1", "150.00"))
    repricing.reprice_client(ben.pk, if_stale=True)
    why = adjustments(("CO", "45", "60.00"), ("PR", "1", "150.00"))
    told(claim(session, 1), reversal(result(claim(session, 1), paid="10.00", why=why)))

    repricing.reprice_client(ben.pk, if_stale=True)

    assert amount(bens) == D("160.00")


def test_what_ben_s_newer_answer_has_already_is_not_counted_twice(cast: Cast, ben: Client) -> None:
    bens, session = next_session(cast, ben), confirmed(cast, 0)
    decides(session, "10.00", ("PR", "1", "150.00"))
    with clock.as_of(datetime(2026, 6, 18, 15, tzinfo=UTC)):
        refresh_benefits.settle(observe(ben.coverages.get(), family(whole="50.00")))
        assert amount(bens) == D("72.00")


@pytest.mark.parametrize(
    "other", [{"member_id": "EX100"}, {"removed_at": datetime(2026, 6, 1, tzinfo=UTC)}, {"payer": "harbor"}]
)
def test_who_is_not_on_the_plan_is_left_alone(cast: Cast, ben: Client, other: dict[str, object]) -> None:
    bens = ben.coverages.get()
    if other.get("payer"):
        other = {"payer": cast.harbor}
    for name, value in other.items():
        setattr(bens, name, value)
    bens.save()
    assert of_the_family(cast.own_plan) == []
    Repricing.objects.filter(client=ben).update(stale_since=None)
    decides(confirmed(cast, 0), "10.00", ("PR", "1", "150.00"))
    assert not Repricing.objects.filter(client=ben, stale_since__isnull=False).exists()


def test_what_is_decided_without_a_share_of_the_client_s_moves_nothing(cast: Cast, ben: Client) -> None:
    Repricing.objects.filter(client=ben).update(stale_since=None)
    decides(confirmed(cast, 0), "160.00")
    assert not Repricing.objects.filter(client=ben, stale_since__isnull=False).exists()
