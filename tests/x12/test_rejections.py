"""Every rejection of the guide: what it means, who does what next, and the insurer's own word on it."""

import pytest

from insurance.x12.rejections import FOLLOW_UP, Advice, Cause, Helper, advice, cause, text

GUIDE = {
    "2000A": "04 41 42 79",
    "2100A": "04 41 42 79 80 T4",
    "2100B": "15 41 43 44 45 46 47 48 50 51 79 97 T4",
    "2100C": "15 35 42 43 45 47 48 49 51 52 56 57 58 60 61 62 63 71 72 73 74 75 76 78",
    "2100D": "15 35 42 43 45 47 48 49 51 52 56 57 58 60 61 62 63 64 65 66 67 68 71 77",
    "2110C": "15 33 52 53 54 55 56 57 60 61 62 63 69 70 98 AA AE AF AG AO CI E8 IA MA",
}
"""AAA03 by loop (005010X279A1); 2110D is as 2110C."""
EVERY = [(loop, code) for loop, codes in GUIDE.items() for code in codes.split()]


@pytest.mark.parametrize(("loop", "code"), EVERY)
def test_every_code_of_the_guide_says_what_it_means_and_what_to_do(loop: str, code: str) -> None:
    meaning = text(loop, code)
    assert "not in the guide" not in meaning
    assert meaning[0].isupper()
    assert not meaning.endswith(".")
    told = advice(loop, code)
    assert told.sentence.endswith(".")
    assert told.sentence != "Support asks the insurer what it means."
    assert (cause(loop, code) is Cause.TRY_AGAIN) <= (told.helper is Helper.NOBODY)


@pytest.mark.parametrize(
    ("loop", "code", "helper"),
    [
        ("2000A", "42", Helper.NOBODY),
        ("2100A", "80", Helper.NOBODY),
        ("2100C", "63", Helper.NOBODY),
        ("2000A", "79", Helper.SUPPORT),
        ("2100B", "51", Helper.SUPPORT),
        ("2100B", "15", Helper.SUPPORT),
        ("2100B", "45", Helper.PROVIDER),
        ("2100B", "97", Helper.PROVIDER),
        ("2100C", "15", Helper.CLIENT),
        ("2100C", "58", Helper.CLIENT),
        ("2100C", "61", Helper.SUPPORT),
        ("2100C", "72", Helper.CLIENT),
        ("2100C", "73", Helper.CLIENT),
        ("2100C", "75", Helper.CLIENT),
        ("2100C", "76", Helper.SUPPORT),
        ("2100D", "67", Helper.CLIENT),
        ("2100D", "77", Helper.CLIENT),
        ("2110D", "15", Helper.SUPPORT),
        ("2110C", "AE", Helper.CLIENT),
        ("2110C", "E8", Helper.SUPPORT),
    ],
)
def test_who_can_help(loop: str, code: str, helper: Helper) -> None:
    assert advice(loop, code).helper is helper


def test_the_same_code_has_another_meaning_in_another_loop() -> None:
    assert text("2100A", "79") == "This insurer cannot be reached under the id that was used"
    assert text("2100B", "79") == "The insurer does not know this provider as a participant"
    assert text("2100C", "15") == "Something the insurer needs to find the member or answer is missing"
    assert text("2110D", "15") == "Something the insurer needs to answer about this service is missing"


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("35", "The insurer calls this out of its network"),
        ("53", "A provider of this kind cannot ask about this benefit"),
        ("98", "The insurer calls this service experimental"),
        ("AO", "The insurer wants to know more about the member's condition"),
        ("E8", "The insurer reviews this service before it answers"),
    ],
)
def test_meanings_that_are_easily_mixed_up(code: str, meaning: str) -> None:
    assert text("2110C", code) == meaning


@pytest.mark.parametrize(
    ("follow_up", "again", "said"),
    [
        ("C", False, "The insurer says: Correct it and ask again."),
        ("N", False, "The insurer says: Do not ask again."),
        ("P", True, "The insurer says: Ask again with the original request."),
        ("R", True, "The insurer says: Asking again is allowed."),
        ("S", False, "The insurer says: Do not ask again: the inquiry was sent on to a third party."),
        ("W", True, "The insurer says: Ask again after 30 days."),
        ("X", True, "The insurer says: Ask again after 10 days."),
        ("Y", False, "The insurer says: Do not ask again: the insurer holds the inquiry and will answer."),
    ],
)
def test_the_insurers_own_word_is_told(follow_up: str, again: bool, said: str) -> None:
    told = advice("2100C", "72", follow_up)
    assert told.again is again
    assert told.sentence == f"Compare the member id with the card, sign by sign, and enter it again. {said}"
    assert follow_up in FOLLOW_UP


def test_an_insurer_that_is_down_has_nothing_to_correct() -> None:
    assert advice("2000A", "42", "C") == Advice(
        Helper.NOBODY, "Nothing needs to be done: we ask again by ourselves.", again=True
    )
    assert "Ask again after 10 days" in advice("2000A", "42", "X").sentence


@pytest.mark.parametrize("code", ["", "ZZ", "99"])
def test_a_code_that_nobody_knows_goes_to_support(code: str) -> None:
    assert advice("2100C", code, "?") == Advice(Helper.SUPPORT, "Support asks the insurer what it means.")
    assert cause("2100C", code) is Cause.SETUP
    assert "which is not in the guide" in text("2100C", code)
