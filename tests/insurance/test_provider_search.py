"""Who can bill all of a client's plans on a day to come, who only the first, and what to let go when nobody can."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from common import clock
from common.errors import BadInput
from insurance.models import Credential, NetworkContract
from insurance.services.provider_search import Bills, Place, Wanted, check, count, relaxed, search
from people.models import Licence, Provider
from tests import cast as people
from tests.cast import LONG_AGO, Cast, assemble

NEXT_WEEK = timedelta(days=7)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def both(cast: Cast, **more: Any) -> Wanted:
    """Ana's plans in order, in New York, next week."""
    return Wanted((cast.evergreen, cast.harbor), "NY", clock.today() + NEXT_WEEK, **more)


def names(wanted: Wanted, bills: Bills = Bills.ALL) -> list[str]:
    return [each.provider.last_name for each in search(wanted, bills=bills).matches]


def newcomer(last: str, number: int, *payers: Any, state: str = "NY", **columns: Any) -> Provider:
    row = Provider.objects.create(
        first_name="Noa", last_name=last, npi=f"19999000{number:02}", licence=Licence.MASTERS, taxonomy="101YM0800X",
        state=state, email=f"{last.lower()}@example.com", **columns,
    )  # fmt: skip
    for each in payers:
        Credential.objects.create(provider=row, payer=each, state=state, begins_on=LONG_AGO)
    return row


# --- Both plans, or only the first ------------------------------------------------------------------------------------


def test_only_who_can_bill_both_is_found_and_who_bills_the_first_is_told_apart(cast: Cast) -> None:
    newcomer("Park", 1, cast.evergreen)
    newcomer("Quist", 2, cast.harbor)

    assert names(both(cast)) == ["Cole"]
    _diaz, park = search(both(cast), bills=Bills.FIRST_ONLY).matches
    assert (park.provider.last_name, park.bills, park.not_billed) == ("Park", (cast.evergreen,), (cast.harbor,))
    assert names(replace(both(cast), payers=(cast.harbor,))) == ["Cole", "Quist"]


def test_the_order_of_plans_does_not_matter_for_both_but_for_the_first(cast: Cast) -> None:
    newcomer("Park", 1, cast.evergreen)
    newcomer("Quist", 2, cast.harbor)
    turned = replace(both(cast), payers=(cast.harbor, cast.evergreen))

    assert names(turned) == names(both(cast)) == ["Cole"]
    assert names(turned, Bills.FIRST_ONLY) == ["Quist"]


def test_of_three_plans_it_is_told_which_would_be_billed(cast: Cast) -> None:
    third = people.payer("GRPK1", "Granite Peak", "150.00")
    newcomer("Park", 1, cast.evergreen, third)
    newcomer("Roy", 2, cast.evergreen, cast.harbor, third)
    wanted = replace(both(cast), payers=(cast.evergreen, cast.harbor, third))

    assert names(wanted) == ["Roy"]
    found = search(wanted, bills=Bills.FIRST_ONLY).matches
    told = {each.provider.last_name: (each.bills, each.not_billed) for each in found}
    assert told == {
        "Cole": ((cast.evergreen, cast.harbor), (third,)),
        "Diaz": ((cast.evergreen,), (cast.harbor, third)),
        "Park": ((cast.evergreen, third), (cast.harbor,)),
    }


def test_one_plan_has_no_list_of_the_first_only(cast: Cast) -> None:
    newcomer("Park", 1, cast.evergreen)
    alone = replace(both(cast), payers=(cast.evergreen,))

    assert names(alone) == ["Cole", "Diaz", "Park"]
    assert names(alone, Bills.FIRST_ONLY) == []


# --- On a day to come -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "found"), [(6, ["Cole"]), (7, ["Cole", "Park"]), (20, ["Cole", "Park"]), (21, ["Cole"])]
)
def test_a_credential_counts_from_its_first_to_its_last_day(cast: Cast, days: int, found: list[str]) -> None:
    today = clock.today()
    park = newcomer("Park", 1, cast.evergreen)
    Credential.objects.create(
        provider=park, payer=cast.harbor, state="NY", begins_on=today + NEXT_WEEK, ends_on=today + timedelta(days=20)
    )

    assert names(replace(both(cast), on=today + timedelta(days=days))) == found


def test_a_contract_that_ends_before_the_day_leaves_only_the_first_plan(cast: Cast) -> None:
    NetworkContract.objects.filter(payer=cast.harbor).update(ends_on=clock.today() + timedelta(days=6))

    assert names(both(cast)) == []
    cole, diaz = search(both(cast), bills=Bills.FIRST_ONLY).matches
    assert cole.not_billed == diaz.not_billed == (cast.harbor,)
    assert names(replace(both(cast), on=clock.today() + timedelta(days=6))) == ["Cole"]


def test_without_a_contract_with_the_first_insurer_there_is_nobody_at_all(cast: Cast) -> None:
    NetworkContract.objects.filter(payer=cast.evergreen).delete()

    assert (names(both(cast)), names(both(cast), Bills.FIRST_ONLY)) == ([], [])


# --- Where ------------------------------------------------------------------------------------------------------------


def test_a_credential_for_another_state_does_not_count(cast: Cast) -> None:
    newcomer("Park", 1, cast.evergreen, cast.harbor, state="NJ")

    assert names(both(cast)) == ["Cole"]
    assert names(replace(both(cast), state="NJ")) == ["Park"]


def test_who_has_the_office_elsewhere_is_found_for_video_only(cast: Cast) -> None:
    park = newcomer("Park", 1, state="NJ", office=True, telehealth=True)
    for payer in (cast.evergreen, cast.harbor):
        Credential.objects.create(provider=park, payer=payer, state="NY", begins_on=LONG_AGO)

    assert names(both(cast, place=Place.VIDEO)) == ["Cole", "Park"]
    assert names(both(cast, place=Place.OFFICE)) == ["Cole"]
    [_cole, found] = search(both(cast)).matches
    assert (found.by_video, found.at_office) == (True, False)
    Provider.objects.filter(pk=park.pk).update(telehealth=False)
    assert names(both(cast)) == ["Cole"]


def test_specialty_and_who_accepts_new_clients(cast: Cast) -> None:
    newcomer("Park", 1, cast.evergreen, cast.harbor, specialties=["grief", "trauma"], accepting=False)

    assert names(both(cast, specialty="grief")) == []
    assert names(both(cast, specialty="grief", accepting=False)) == ["Park"]
    assert names(both(cast, accepting=False)) == ["Cole", "Park"]


# --- Pages and counts -------------------------------------------------------------------------------------------------


def test_pages_hold_everybody_once_and_take_two_queries(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, 8):
        newcomer(f"P{number}", number, cast.evergreen, cast.harbor)
    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        with django_assert_num_queries(2):
            page = search(both(cast), after=after, limit=3)
        assert len(page.matches) <= 3
        seen += [each.provider.last_name for each in page.matches]
        after = page.after

    assert seen == ["Cole", *(f"P{number}" for number in range(1, 8))]
    assert count(both(cast)) == 8


def test_what_to_let_go_is_told_with_how_many_that_would_find(cast: Cast) -> None:
    newcomer("Park", 1, cast.evergreen, specialties=["grief"])
    newcomer("Roy", 2, cast.evergreen, cast.harbor, specialties=["grief"], accepting=False)
    wanted = both(cast, specialty="grief")

    assert names(wanted) == []
    told = {(each.condition, each.without): each.count for each in relaxed(wanted)}
    assert told == {("specialty", None): 1, ("accepting", None): 1, ("payer", cast.harbor): 1}
    for each in relaxed(wanted):
        assert len(search(each.wanted).matches) == each.count


def test_what_finds_nobody_either_is_not_offered(cast: Cast) -> None:
    assert relaxed(replace(both(cast, specialty="grief", place=Place.OFFICE), state="WY")) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"payers": ()}, "insurers"),
        ({"state": "XX"}, "state"),
        ({"on": clock.today() - timedelta(days=1)}, "on"),
        ({"specialty": "astrology"}, "specialty"),
    ],
)
def test_what_cannot_be_searched_is_refused_by_its_field(cast: Cast, change: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as refused:
        check(replace(both(cast), **change))
    assert refused.value.where == where


# --- The database -----------------------------------------------------------------------------------------------------


def test_the_database_refuses_two_credentials_or_contracts_at_once(cast: Cast) -> None:
    today = clock.today()
    key: dict[str, Any] = {"provider": cast.cole, "payer": cast.evergreen}
    with pytest.raises(IntegrityError, match="no_two_credentials_at_once"), transaction.atomic():
        Credential.objects.create(**key, state="NY", begins_on=today)
    with pytest.raises(IntegrityError, match="no_two_contracts_at_once"), transaction.atomic():
        NetworkContract.objects.create(payer=cast.evergreen, begins_on=today)
    Credential.objects.create(**key, state="NJ", begins_on=today)
    Credential.objects.filter(**key, state="NY").update(ends_on=today - timedelta(days=1))
    Credential.objects.create(**key, state="NY", begins_on=today)
    assert Credential.objects.filter(**key).count() == 3
