"""A session whose first plan cannot be billed: what it would come to is told, to both sides, and nothing is charged."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from billing.flows.confirm_session import confirm
from billing.models import Payment, ProviderEarning
from billing.services.out_of_network import OutOfNetwork, estimate
from billing.services.prices import NoPrice
from care.models import Session
from common import clock
from insurance.domain.benefits import Accumulator, Accumulators, CopayRule, NetworkBenefits
from insurance.models import Claim, Coverage, Credential, FeeSchedule, NetworkContract
from portal.templatetags.headway_ui import longdate
from tests.cast import LONG_AGO, Cast, benefits, observe
from tests.portal.test_client_pages import words

D = Decimal


def outside(*, deductible: str = "0.00", coinsurance: str | None = "0.40", **more: Any) -> NetworkBenefits:
    """Benefits out of network; the deductible is what is left of $1,000.00."""
    return NetworkBenefits(
        coinsurance=None if coinsurance is None else D(coinsurance),
        deductible=Accumulators(individual=Accumulator(D("1000.00"), D(deductible))),
        **more,
    )


@pytest.fixture
def left(cast: Cast) -> Cast:
    """Evergreen, Ana's first plan, has no contract with us any more; it is known to allow $130.00 out of network."""
    NetworkContract.objects.filter(payer=cast.evergreen).update(ends_on=clock.today() - timedelta(days=1))
    FeeSchedule.objects.create(
        payer=cast.evergreen, licence=cast.cole.licence, cpt="90837", rate=D("130.00"), network="out",
        begins_on=LONG_AGO,
    )  # fmt: skip
    observe(cast.own_plan, benefits(out_of_network=outside()))
    return cast


def found(session: Session) -> OutOfNetwork:
    estimated = estimate(Session.objects.get(pk=session.pk))
    assert estimated is not None
    return estimated


# --- When there is one ------------------------------------------------------------------------------------------------


def test_a_session_that_can_be_billed_has_none(cast: Cast) -> None:
    assert estimate(cast.book()) is None


def test_a_client_without_a_plan_has_none(cast: Cast) -> None:
    assert estimate(cast.book(client=cast.eve)) is None


def test_a_session_that_is_over_has_none(left: Cast) -> None:
    session = left.book()
    Session.objects.filter(pk=session.pk).update(status="cancelled")

    assert estimate(Session.objects.get(pk=session.pk)) is None


def test_a_second_plan_out_of_network_is_no_reason(cast: Cast) -> None:
    NetworkContract.objects.filter(payer=cast.harbor).delete()

    assert estimate(cast.book()) is None


# --- What it says -----------------------------------------------------------------------------------------------------


def test_the_client_owes_the_share_of_what_is_allowed_and_all_above_it(left: Cast) -> None:
    told = found(left.book(days=1))

    assert told.coverage == left.own_plan
    assert told.why_not == "We are not in network with Evergreen Health, so we cannot send claims to it."
    assert (told.price.charge, told.price.allowed, told.price.plan) == (D("220.00"), D("130.00"), D("78.00"))
    assert told.price.client == D("142.00"), "40% of 130 = 52, and the 90 above"
    assert told.told_on == clock.today()


def test_a_provider_who_is_not_credentialed_is_out_of_network_too(left: Cast) -> None:
    NetworkContract.objects.update(ends_on=None)
    Credential.objects.filter(provider=left.cole, payer=left.evergreen).delete()

    told = found(left.book(days=1))

    assert told.why_not.startswith("Dr. Cole is not credentialed with Evergreen Health")
    assert told.price.client == D("142.00")


def test_an_allowed_amount_nobody_told_is_said_to_be_unknown_with_its_bound(left: Cast) -> None:
    FeeSchedule.objects.filter(network="out").delete()

    told = found(left.book(days=1))

    assert (told.price.allowed, told.price.plan, told.price.client) == (None, None, None)
    assert told.price.at_most == D("132.00"), "60% of the charge"


def test_a_plan_that_covers_nothing_out_of_network_leaves_the_charge(left: Cast) -> None:
    observe(left.own_plan, benefits(out_of_network=NetworkBenefits(covered=False)))

    told = found(left.book(days=1))

    assert (told.price.plan, told.price.client) == (D("0.00"), D("220.00"))
    assert told.price.why == ("Your plan does not cover this session: it pays nothing, and you pay all of $220.00",)


def test_a_plan_that_has_told_nothing_leaves_the_price_unknown(left: Cast) -> None:
    observe(left.own_plan, benefits())

    told = found(left.book(days=1))

    assert told.price.client is None
    assert "Not known: your copay or coinsurance" in told.price.why


def test_before_the_insurer_has_answered_nothing_is_known_but_the_charge(left: Cast) -> None:
    Coverage.objects.create(client=left.eve, payer=left.evergreen, member_id="EV200", stated_rank=1)
    first, second = left.book(days=1, client=left.eve), left.book(days=2, client=left.eve)

    for session in (first, second):
        told = found(session)
        assert told.told_on is None
        assert (told.price.charge, told.price.plan, told.price.client) == (D("220.00"), None, None)


def test_sessions_before_it_use_up_the_deductible_first(left: Cast) -> None:
    observe(left.own_plan, benefits(out_of_network=outside(deductible="200.00")))
    first, second, third = (left.book(days=days) for days in (1, 2, 3))

    assert [found(each).price.plan for each in (first, second, third)] == [D("0.00"), D("36.00"), D("78.00")]
    Session.objects.filter(pk=second.pk).update(status="cancelled")
    assert found(third).price.plan == D("36.00"), "60% of the 60 past the deductible"


def test_sessions_that_can_be_billed_do_not_use_what_is_out_of_network(left: Cast) -> None:
    observe(left.own_plan, benefits(out_of_network=outside(deductible="130.00")))
    NetworkContract.objects.filter(payer=left.evergreen).update(ends_on=clock.today() + timedelta(days=1))
    left.book(days=1)

    assert found(left.book(days=2)).price.plan == D("0.00")


def test_a_video_session_is_priced_by_the_terms_for_video(left: Cast) -> None:
    video = NetworkBenefits(copay=D("30.00"), copay_rule=CopayRule.WAIVES_DEDUCTIBLE)
    observe(left.own_plan, benefits(out_of_network=outside(deductible="500.00", telehealth=video)))
    session = left.book(days=1)
    Session.objects.filter(pk=session.pk).update(place=Session.Place.TELEHEALTH_HOME)

    assert found(session).price.plan == D("100.00")


def test_confirming_stays_refused_and_nothing_happens(left: Cast) -> None:
    session = left.book()

    with pytest.raises(NoPrice):
        confirm(session)

    assert estimate(session) is not None
    assert not Payment.objects.exists()
    assert not ProviderEarning.objects.exists()
    assert not Claim.objects.exists()
    session.refresh_from_db()
    assert session.status == "scheduled"


@pytest.mark.parametrize("count", [1, 9])
def test_it_takes_few_queries_however_many_sessions_come_before(
    left: Cast, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    sessions = [left.book(days=days) for days in range(1, count + 1)]
    last = Session.objects.select_related("client").get(pk=sessions[-1].pk)

    with django_assert_max_num_queries(13):
        assert estimate(last) is not None


# --- Where it is read -------------------------------------------------------------------------------------------------


def browser_of(user: Any) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def test_the_client_reads_what_comes_back_and_what_is_left(left: Cast) -> None:
    session = left.book(days=1)

    text = words(browser_of(left.ana.user), f"/appointments/{session.pk}/")

    assert "Out of network" in text
    assert "We are not in network with Evergreen Health, so we cannot send claims to it." in text
    assert "Full charge $220.00 Evergreen Health pays back $78.00 Your coinsurance" in text
    assert "Above what your plan allows The part of the charge that your plan does not look at $90.00" in text
    assert "Left to you (estimate) $142.00" in text
    assert f"This rests on what Evergreen Health told us on {longdate(clock.today())}." in text
    assert "We charge nothing for this session" in text


def test_the_client_reads_that_it_is_not_known(left: Cast) -> None:
    FeeSchedule.objects.filter(network="out").delete()
    session = left.book(days=1)

    text = words(browser_of(left.ana.user), f"/appointments/{session.pk}/")

    assert "Evergreen Health pays back not known" in text
    assert "Left to you (estimate) not known" in text
    assert "How much of it your plan allows is not known" in text
    assert "It pays back $132.00 at most, so at least $88.00 is left to you" in text
    assert "None" not in text


def test_the_provider_reads_the_same_where_confirming_is_refused(left: Cast) -> None:
    session = left.book()

    text = words(browser_of(left.cole.user), f"/provider/sessions/{session.pk}/")

    assert "This session cannot be confirmed yet" in text
    assert "Full charge $220.00 Evergreen Health allows $130.00 It pays back to the client $78.00" in text
    assert "Left to the client (estimate) $142.00" in text
    assert "Confirm the session" not in text


def test_a_session_that_can_be_billed_shows_no_such_thing(cast: Cast) -> None:
    session = cast.book(days=1)

    assert "ut of network" not in words(browser_of(cast.ana.user), f"/appointments/{session.pk}/")
    assert "ut of network" not in words(browser_of(cast.cole.user), f"/provider/sessions/{session.pk}/")
