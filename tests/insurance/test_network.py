"""What a session is worth under a contract, and who may bill whom on a day."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from care.models import ProcedureLine, Session
from common import clock
from insurance.models import Credential, FeeSchedule, NetworkContract, Payer
from insurance.services.network import (
    Obstacle,
    billed_modifiers,
    rated_lines,
    rates,
    session_standing,
    standing,
    standings,
    state_of,
    unrated_lines,
    why_no_rate,
)
from people.models import Client, Licence, Provider
from tests import cast as people
from tests.cast import LONG_AGO, Cast

D = Decimal


def fee(cast: Cast, rate: str, **columns: Any) -> FeeSchedule:
    """A rate of Evergreen for psychologists and 90837, unless said otherwise."""
    row = {"licence": Licence.DOCTORAL, "cpt": "90837", "begins_on": LONG_AGO + timedelta(days=1), **columns}
    return FeeSchedule.objects.create(payer=cast.evergreen, rate=D(rate), **row)


def line(session: Session, cpt: str, charge: str, *, units: int = 1, modifiers: tuple[str, ...] = ()) -> ProcedureLine:
    return ProcedureLine.objects.create(
        session=session, number=session.lines.count() + 1, cpt=cpt, charge=D(charge), units=units,
        modifiers=list(modifiers),
    )  # fmt: skip


def rate(cast: Cast, session: Session, network: str = "in") -> Decimal | None:
    fresh = Session.objects.get(pk=session.pk)
    return rates(payer=cast.evergreen, sessions=[fresh], network=network)[session.pk]


# --- Which rate -------------------------------------------------------------------------------------------------------


def test_the_rate_is_the_one_of_the_licence(cast: Cast) -> None:
    FeeSchedule.objects.filter(payer=cast.evergreen, licence=Licence.MASTERS).update(rate=D("120.00"))
    session = cast.book()

    assert rate(cast, session) == D("160.00")
    Provider.objects.filter(pk=cast.cole.pk).update(licence=Licence.MASTERS)
    assert rate(cast, session) == D("120.00")


def test_a_rate_agreed_for_the_provider_goes_before_that_of_the_licence(cast: Cast) -> None:
    session = cast.book()
    fee(cast, "175.00", provider=cast.cole)
    fee(cast, "150.00", begins_on=clock.today())

    assert rate(cast, session) == D("175.00"), "even before a newer one for everybody"


def test_a_rate_of_another_provider_is_not_used(cast: Cast) -> None:
    session = cast.book()
    fee(cast, "175.00", provider=cast.diaz)

    assert rate(cast, session) == D("160.00")


def test_a_providers_rate_holds_on_its_days_and_for_its_licence_only(cast: Cast) -> None:
    today = clock.today()
    sessions = [cast.book(days=days) for days in (-2, -1, 0, 1)]
    fee(cast, "175.00", provider=cast.cole, begins_on=today - timedelta(days=1), ends_on=today)

    found = rates(payer=cast.evergreen, sessions=sessions)

    assert [found[session.pk] for session in sessions] == [D("160.00"), D("175.00"), D("175.00"), D("160.00")]
    Provider.objects.filter(pk=cast.cole.pk).update(licence=Licence.MASTERS)
    assert rate(cast, sessions[2]) == D("160.00")


def test_of_two_rates_in_force_the_newer_one_holds(cast: Cast) -> None:
    before, after = cast.book(days=-1), cast.book()
    fee(cast, "165.00", begins_on=clock.today())

    found = rates(payer=cast.evergreen, sessions=[after, before])

    assert (found[before.pk], found[after.pk]) == (D("160.00"), D("165.00"))


def test_a_rate_out_of_network_is_no_contract_and_a_contract_no_rate_out_of_network(cast: Cast) -> None:
    session = cast.book()
    fee(cast, "110.00", network=FeeSchedule.Network.OUT, begins_on=clock.today())
    fee(cast, "115.00", network=FeeSchedule.Network.OUT, provider=cast.diaz)

    assert rate(cast, session) == D("160.00")
    assert rate(cast, session, "out") == D("110.00")


def test_rates_of_another_insurer_are_not_ours(cast: Cast) -> None:
    FeeSchedule.objects.filter(payer=cast.evergreen).delete()

    assert rate(cast, cast.book()) is None


# --- Lines, units, modifiers ------------------------------------------------------------------------------------------


def test_lines_of_a_session_are_added_up_with_their_units(cast: Cast) -> None:
    session = cast.book()
    line(session, "90785", "40.00", units=1)
    line(session, "96130", "330.00", units=3)
    fee(cast, "15.00", cpt="90785")
    fee(cast, "85.50", cpt="96130")

    assert rate(cast, session) == D("431.50"), "160 + 15 + 3 x 85.50"
    [session_lines] = rated_lines(payer=cast.evergreen, sessions=[session]).values()
    assert [(each.line.cpt, each.allowed) for each in session_lines] == [
        ("90837", D("160.00")), ("90785", D("15.00")), ("96130", D("256.50")),
    ]  # fmt: skip


def test_no_more_is_allowed_than_was_charged_for_a_line(cast: Cast) -> None:
    session = cast.book()
    line(session, "90785", "10.00")
    fee(cast, "15.00", cpt="90785")

    assert rate(cast, session) == D("170.00"), "160 + the charge of 10, which is below the rate of 15"


def test_one_line_without_a_rate_makes_the_session_unknown_and_is_named(cast: Cast) -> None:
    session, other = cast.book(), cast.book(days=1)
    line(session, "90785", "40.00")
    line(session, "99354", "140.00")
    fee(cast, "15.00", cpt="90785")

    assert rates(payer=cast.evergreen, sessions=[session, other]) == {session.pk: None, other.pk: D("160.00")}
    assert [each.cpt for each in unrated_lines(payer=cast.evergreen, session=session)] == ["99354"]
    assert why_no_rate(payer=cast.evergreen, session=session) == (
        "We have no contracted rate with Evergreen Health for 99354 with Dr. Cole on this day."
    )
    assert unrated_lines(payer=cast.evergreen, session=other) == ()
    assert why_no_rate(payer=cast.evergreen, session=other) == ""


def test_a_session_without_lines_is_not_worth_nothing(cast: Cast) -> None:
    session = cast.book()
    session.lines.all().delete()

    assert rate(cast, session) is None


@pytest.mark.parametrize("modifiers", [(), ("95",), ("GT",), ("95", "HO")])
def test_a_modifier_changes_no_rate_by_itself(cast: Cast, modifiers: tuple[str, ...]) -> None:
    session = cast.book()
    session.lines.update(modifiers=list(modifiers))
    Session.objects.filter(pk=session.pk).update(place=Session.Place.TELEHEALTH_HOME)

    assert rate(cast, session) == D("160.00")


def test_a_rate_for_a_modifier_goes_before_the_one_for_the_bare_procedure(cast: Cast) -> None:
    office, video = cast.book(), cast.book(days=1)
    Session.objects.filter(pk=video.pk).update(place=Session.Place.TELEHEALTH_HOME)
    fee(cast, "140.00", modifier="95")
    fee(cast, "150.00", begins_on=clock.today() - timedelta(days=9))

    assert rate(cast, office) == D("150.00")
    assert rate(cast, video) == D("140.00"), "billed with 95, since a video session without a modifier is"
    fee(cast, "175.00", provider=cast.cole)
    assert rate(cast, video) == D("175.00"), "agreed for the provider goes first"


def test_a_video_session_is_billed_with_95_unless_its_line_has_modifiers(cast: Cast) -> None:
    session = cast.book()
    [first] = session.lines.all()

    assert billed_modifiers(first, session) == ()
    session.place = Session.Place.TELEHEALTH
    assert billed_modifiers(first, session) == ("95",)
    first.modifiers = ["GT"]
    assert billed_modifiers(first, session) == ("GT",)


# --- Bounded queries --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 12])
def test_rates_of_any_number_of_sessions_take_three_queries(
    cast: Cast, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ids = [cast.book(days=days).pk for days in range(count)]
    sessions = list(Session.objects.filter(pk__in=ids))

    with django_assert_num_queries(3):
        found = rates(payer=cast.evergreen, sessions=sessions)

    assert found == dict.fromkeys(ids, D("160.00"))
    with django_assert_num_queries(1):  # what is loaded already is not asked for again
        rates(payer=cast.evergreen, sessions=sessions)


def test_no_sessions_take_no_query(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert rates(payer=cast.evergreen, sessions=[]) == {}


# --- Standing ---------------------------------------------------------------------------------------------------------


def test_standings_of_many_sessions_say_what_each_alone_would(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    today = clock.today()
    ids = [cast.book(days=days).pk for days in range(-1, 4)]
    NetworkContract.objects.filter(payer=cast.evergreen).update(ends_on=today + timedelta(days=2))
    Credential.objects.filter(payer=cast.evergreen, provider=cast.cole).update(begins_on=today)
    sessions = list(Session.objects.filter(pk__in=ids).order_by("date"))

    with django_assert_num_queries(3):
        found = standings(payer=cast.evergreen, sessions=sessions)

    assert [found[each.pk].can_bill for each in sessions] == [False, True, True, True, False]
    assert "Dr. Cole is not credentialed" in found[sessions[0].pk].why_not
    assert "We are not in network" in found[sessions[4].pk].why_not
    assert all(found[each.pk] == session_standing(session=each, payer=cast.evergreen) for each in sessions)


def test_by_video_the_credential_must_be_of_the_clients_state_at_the_office_of_the_offices(cast: Cast) -> None:
    office, video = cast.book(), cast.book(days=1)
    Session.objects.filter(pk=video.pk).update(place=Session.Place.TELEHEALTH_HOME)
    Client.objects.filter(pk=cast.ana.pk).update(state="NJ")
    office, video = (Session.objects.get(pk=each.pk) for each in (office, video))

    assert (state_of(office), state_of(video)) == ("NY", "NJ")
    assert session_standing(session=office, payer=cast.evergreen).can_bill
    refused = session_standing(session=video, payer=cast.evergreen)
    assert (refused.can_bill, refused.obstacle) == (False, Obstacle.OTHER_STATE)
    assert refused.why_not == (
        "Dr. Cole is credentialed with Evergreen Health in New York but not in New Jersey, so we cannot send claims to "
        "it for these sessions."
    )
    assert refused.for_provider.endswith("A video session takes place where the client is.")
    assert "(NPI 1234567893)" in refused.for_support
    assert standings(payer=cast.evergreen, sessions=[office, video])[video.pk] == refused

    Credential.objects.create(provider=cast.cole, payer=cast.evergreen, state="NJ", begins_on=clock.today())
    assert not session_standing(session=office, payer=cast.harbor).why_not, "Harbor's own credential, for New York"
    assert session_standing(session=video, payer=cast.evergreen).can_bill
    assert not session_standing(session=video, payer=cast.harbor).can_bill


def test_where_the_state_is_not_known_a_credential_for_any_state_will_do(cast: Cast) -> None:
    today = clock.today()

    assert standing(provider=cast.cole, payer=cast.evergreen, on=today).can_bill
    assert not standing(provider=cast.cole, payer=cast.evergreen, on=today, state="NJ").can_bill


@pytest.mark.parametrize("code", ["MA", "MB", "MC"])
def test_medicare_and_medicaid_are_held_to_the_same_rule(cast: Cast, code: str) -> None:
    Payer.objects.filter(pk=cast.evergreen.pk).update(claim_filing_code=code)

    assert standing(provider=cast.cole, payer=cast.evergreen, on=clock.today(), state="NY").can_bill
    assert not standing(provider=cast.cole, payer=cast.evergreen, on=clock.today(), state="NJ").can_bill


# --- The desk ---------------------------------------------------------------------------------------------------------


def test_two_rates_for_the_same_thing_on_one_day_are_refused(cast: Cast) -> None:
    fee(cast, "175.00", provider=cast.cole)
    fee(cast, "175.00", provider=cast.cole, modifier="95")
    fee(cast, "175.00", provider=cast.cole, network="out")

    with pytest.raises(IntegrityError), transaction.atomic():
        fee(cast, "180.00", provider=cast.cole)
    with pytest.raises(IntegrityError), transaction.atomic():
        fee(cast, "180.00", begins_on=LONG_AGO)


def test_a_providers_rate_for_a_licence_the_provider_does_not_have_is_refused(cast: Cast) -> None:
    row = fee(cast, "175.00", provider=cast.cole, licence=Licence.NURSE)

    with pytest.raises(ValidationError, match=r"Dr\. Cole has another licence: Psychologist"):
        row.full_clean()


def test_support_adds_a_providers_rate_and_reads_it_in_the_list(cast: Cast) -> None:
    desk = Browser()
    desk.force_login(cast.fay)
    add, listed = reverse("admin:insurance_feeschedule_add"), reverse("admin:insurance_feeschedule_changelist")
    typed = {
        "payer": cast.evergreen.pk, "network": "in", "cpt": "90837", "modifier": "95", "licence": Licence.DOCTORAL,
        "provider": cast.cole.pk, "rate": "171.00", "begins_on": "2026-01-01", "ends_on": "",
    }  # fmt: skip

    wrong = desk.post(add, {**typed, "licence": Licence.NURSE})
    assert wrong.status_code == 200
    assert "has another licence: Psychologist" in wrong.content.decode()
    assert not FeeSchedule.objects.exclude(provider=None).exists()

    assert desk.post(add, typed).status_code == 302
    row = FeeSchedule.objects.get(provider=cast.cole)
    assert (row.rate, row.begins_on, row.procedure) == (D("171.00"), date(2026, 1, 1), "90837-95")
    page = desk.get(listed, {"provider__isempty": "0"}).content.decode()
    assert "90837-95" in page
    assert "Dr. Cole" in page
    assert "160.00" not in page


def test_the_list_of_rates_asks_no_more_with_more_rows(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    desk = Browser()
    desk.force_login(cast.fay)
    listed = reverse("admin:insurance_feeschedule_changelist")
    desk.get(listed)
    for number in range(30):
        fee(cast, "150.00", cpt=f"908{number:02}", provider=people.provider(f"P{number}", f"12345678{number:02}"))

    with django_assert_max_num_queries(20):
        desk.get(listed)
