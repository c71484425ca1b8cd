"""Which denials let the next plan be asked, and whose name is whose."""

import pytest

from insurance.domain import insurer_names
from insurance.domain.denials import GOES_ON, STOPS, read_denial
from tests.domain.test_decisions import reasons


@pytest.mark.parametrize(
    ("why", "remarks", "goes_on", "written_off"),
    [
        ("PR-204 220", "", True, False),
        ("PR-96 220", "", True, False),
        ("CO-96 220", "", True, True),
        ("CO-119 220", "", True, True),
        ("CO-45 60 PR-204 160", "", True, False),
        ("PR-27 220", "N30", True, False),
        ("PR-96 220", "N4", False, False),
        ("PR-96 220", "MA130", False, False),
        ("CO-16 220", "", False, True),
        ("CO-252 220", "N706", False, True),
        ("CO-197 220", "", False, True),
        ("CO-29 220", "", False, True),
        ("CO-22 220", "", False, True),
        ("CO-109 220", "", False, True),
        ("PR-204 100 CO-197 120", "", False, False),
        ("PR-B99 220", "", False, False),
        ("CO-45 220", "", False, False),
    ],
)
def test_a_denial_goes_on_only_when_every_reason_is_a_last_word(
    why: str, remarks: str, goes_on: bool, written_off: bool
) -> None:
    found = read_denial(reasons(why), remarks.split())
    assert (found.goes_on, found.written_off) == (goes_on, written_off)


def test_no_code_both_goes_on_and_stops() -> None:
    assert not GOES_ON.keys() & STOPS.keys()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("HARBOR MUTUAL", "Harbor Mutual", True),
        ("HARBOR MUTUAL INSURANCE COMPANY, INC.", "Harbor Mutual", True),
        ("HARBOUR MUTUAL", "Harbor Mutual", True),
        ("EVERGREEN HEALTH PLAN", "Evergreen Health", True),
        ("EVERGREEN HEALTHCARE OF OHIO", "Evergreen Health", False),
        ("AETNA BETTER HEALTH", "Aetna", False),
        ("LOCAL 32 HEALTH FUND", "Local 34 Health Fund", False),
        ("", "Harbor Mutual", False),
    ],
)
def test_insurers_are_known_by_the_words_that_tell_them_apart(one: str, other: str, same: bool) -> None:
    assert insurer_names.same(one, other) is same
    assert insurer_names.same(other, one) is same


@pytest.mark.parametrize("name", ["DELTA DENTAL", "VSP", "EYEMED VISION CARE", "EXPRESS SCRIPTS", "OPTUMRX"])
def test_plans_for_teeth_eyes_and_medicines_have_no_part_in_a_session(name: str) -> None:
    assert insurer_names.covers_other_care(name)
    assert not insurer_names.covers_other_care("Harbor Mutual")
