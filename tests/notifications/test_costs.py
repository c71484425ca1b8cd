"""A corrected cost: one letter to the client and one to the provider, each with what it means for them."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils.html import escape

from notifications.messages import CostCorrected, CostCorrectedProvider, SessionChange
from tests.notifications.test_messages import html_of, text_of, words_of

D = Decimal
FALL, RISE = CostCorrected.samples()[""], CostCorrected.samples()["rise"]
FIRST = SessionChange(date(2026, 11, 3), D("25.00"), D("40.00"))


def weekly(count: int) -> tuple[SessionChange, ...]:
    return tuple(replace(FIRST, date=FIRST.date + timedelta(weeks=week)) for week in range(count))


def test_a_lower_cost_says_what_comes_back_and_when() -> None:
    text = text_of(FALL)
    assert "It is less than we had told you." in text
    assert "Cost of a session before: $40.00\n  Cost of a session now: $25.00\n  You get back: $30.00" in text
    assert "We are giving you back $30.00" in text
    assert "3–5 business days later it is on your statement" in text
    assert "See your benefits:\nhttp://localhost:8000/benefits/" in text
    assert "pay now" not in text.lower()
    assert "left to pay" not in text.lower()


def test_a_higher_cost_is_told_calmly_with_the_button_to_past_appointments_and_the_way_to_the_benefits() -> None:
    text, html = text_of(RISE), html_of(RISE)
    assert "It is more than we had told you, and we know that is not good news." in text
    assert "Left to pay: $120.00" in text
    assert "We do not charge your card for it: you pay when you are ready." in text
    assert "Pay now:\nhttp://localhost:8000/appointments/past/" in text
    assert "See your benefits:\nhttp://localhost:8000/benefits/" in text
    assert "is it hard to pay right now? Talk to us before you pay:" in text
    assert '<a class="link" href="http://localhost:8000/benefits/"' in html
    assert "back" not in text.lower()


def test_six_sessions_are_listed_and_the_others_counted() -> None:
    text = text_of(replace(RISE, sessions=weekly(8)))
    assert text.count("$40.00 instead of $25.00") == 6
    assert "Tuesday, November 3, 2026: $40.00 instead of $25.00" in text
    assert "Tuesday, December 8, 2026" in text
    assert "Tuesday, December 15, 2026" not in text
    assert "… and 2 more sessions." in text
    assert "… and 1 more session." in text_of(replace(RISE, sessions=weekly(7)))
    assert "more session" not in text_of(replace(RISE, sessions=weekly(6)))


@pytest.mark.parametrize("before_after", [("25.00", "40.00"), ("40.00", "25.00")])
def test_where_nothing_was_charged_it_says_so_and_lists_nothing(before_after: tuple[str, str]) -> None:
    before, after = (D(amount) for amount in before_after)
    text = text_of(replace(FALL, before=before, after=after, sessions=(), refund=D("0.00")))
    assert "No session was charged at the old cost. You pay the right one from your next session on." in text
    assert "SESSIONS THIS IS ABOUT" not in text
    assert text.count("$") == 2 + text.split("WHY IT CHANGED")[1].count("$")


def test_where_another_plan_is_still_to_answer_nothing_is_asked_for() -> None:
    text = text_of(replace(RISE, sessions=weekly(2), due=D("0.00")))
    assert "There is nothing to pay now. Once all your plans have answered, we work out the final cost" in text
    assert "Pay now" not in text
    assert text.count("$40.00 instead of $25.00") == 2


@pytest.mark.parametrize(("due", "waits"), [("30.00", False), ("15.00", True), ("55.00", False)])
def test_what_is_not_asked_for_yet_waits_for_the_other_plans(due: str, waits: bool) -> None:
    """Two sessions rise by 15.00 each. More than that may be due: a session that was never paid is in it."""
    text = text_of(replace(RISE, sessions=weekly(2), due=D(due)))
    assert ("For the rest we wait until all your plans have answered." in text) is waits


def test_some_sessions_fall_and_others_rise() -> None:
    text = text_of(replace(RISE, refund=D("15.00"), due=D("20.00")))
    assert "You get back: $15.00\n  Left to pay: $20.00" in text
    assert "We are giving you back $15.00" in text
    assert "For sessions you already had, $20.00 is left to pay." in text
    assert html_of(replace(RISE, refund=D("15.00"), due=D("20.00"))).count('class="btn"') == 1


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (FALL, "See what changed and why. You are getting a refund."),
        (RISE, "See what changed, why, and what is left to pay."),
        (replace(FALL, sessions=(), refund=D("0.00")), "See what changed and why. There is nothing you need to do."),
    ],
)
def test_the_inbox_line_tells_what_to_expect(message: CostCorrected, line: str) -> None:
    assert message.preview() == line


def test_what_is_not_known_or_nothing_is_never_written() -> None:
    for sample in (*CostCorrected.samples().values(), *CostCorrectedProvider.samples().values()):
        text = text_of(sample)
        assert "None" not in text
        assert "$0.00" not in text
        assert "%(" not in text


def test_the_provider_reads_that_their_pay_stays_and_nothing_is_to_be_done() -> None:
    message = CostCorrectedProvider.sample()
    text = text_of(message)
    assert "Client: A. R.\n  Their cost before: $40.00\n  Their cost now: $25.00" in text
    assert "What you earn for a session stays the same, and there is nothing you need to do." in text
    assert "The cost of 2 past sessions changes too." in text
    assert "settle any refund or balance with them directly" in text
    assert "The cost of 1 past session changes too." in text_of(replace(message, sessions=1))
    assert "past session" not in text_of(replace(message, sessions=0))
    assert "Ana" not in text


def test_the_reason_is_shown_as_it_was_given() -> None:
    reason = "Sol & Sons now tells us that your copay is $25.00, not $40.00."
    message = replace(FALL, reason=reason)
    assert f"WHY IT CHANGED\n\n{reason}\n" in text_of(message)
    assert escape(reason) in html_of(message)
    assert reason in words_of(html_of(message))
