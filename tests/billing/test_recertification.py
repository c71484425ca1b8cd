"""The yearly confirmation of plans: when it is due, what the client is written, and what makes it verified."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from billing import tasks
from billing.flows import refresh_benefits
from common import clock
from common.errors import BadInput
from insurance.domain.benefits import CobSignal
from insurance.models import AccountPause, Coverage, EligibilityCheck, Payer, Recertification
from insurance.services import pauses, recertification
from insurance.services.eligibility import request_check
from notifications.models import Email
from tests.billing.test_adversity_pauses import answered, asked
from tests.cast import Cast, assemble, benefits


@pytest.fixture
def cast(db: None) -> Cast:
    """Evergreen wants it every year; Ana's plan with it was entered on 10 March 2025, Harbor wants nothing."""
    cast = assemble()
    Payer.objects.filter(pk=cast.evergreen.pk).update(recertifies=True, cob_contact="Coordination of benefits desk")
    entered = datetime(2025, 3, 10, 12, tzinfo=clock.BUSINESS_ZONE)
    Coverage.objects.filter(pk__in=[cast.own_plan.pk, cast.bens_plan.pk]).update(created_at=entered)
    return cast


@contextmanager
def on(day: date) -> Iterator[None]:
    with clock.as_of(datetime.combine(day, time(12), tzinfo=clock.BUSINESS_ZONE)):
        yield


def due(day: date) -> list[date]:
    with on(day):
        recertification.open_due()
    return [row.due_on for row in Recertification.objects.order_by("due_on")]


def sweep(day: date) -> list[str]:
    """The keys of the e-mails written so far, after the sweep of a day."""
    with on(day):
        tasks._remind()
    return list(Email.objects.filter(kind="confirm_plans").order_by("pk").values_list("key", flat=True))


def report(row: Recertification, **given: Any) -> EligibilityCheck:
    return refresh_benefits.report_call(row, **{"reference_number": "R-1", "called_on": clock.today(), **given})


DUE = date(2026, 3, 10)


@pytest.fixture
def row(cast: Cast) -> Recertification:
    due(DUE - timedelta(days=30))
    return Recertification.objects.get()


# When it is due


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2026, 2, 7), []), (date(2026, 2, 8), [DUE]), (date(2026, 3, 10), [DUE]), (date(2026, 4, 1), [DUE])],
)
def test_a_year_after_the_plan_was_entered_asked_for_thirty_days_before(
    cast: Cast, day: date, expected: list[date]
) -> None:
    assert due(day) == expected


def test_an_insurer_that_begins_to_want_it_asks_at_the_next_anniversary(cast: Cast) -> None:
    assert due(date(2027, 1, 5)) == []
    assert due(date(2027, 2, 10)) == [date(2027, 3, 10)]


def test_only_plans_on_the_account_that_have_not_ended_of_insurers_that_want_it(cast: Cast) -> None:
    Coverage.objects.filter(pk=cast.own_plan.pk).update(ends_on=date(2026, 1, 1))
    assert due(DUE) == []


def test_opening_twice_writes_one_row(cast: Cast) -> None:
    assert due(DUE) == due(DUE) == [DUE]


def test_a_leap_day_is_followed_by_the_first_of_march() -> None:
    assert recertification.anniversary(date(2024, 2, 29)) == date(2025, 3, 1)


def test_the_year_begins_again_with_the_confirmation(cast: Cast, row: Recertification) -> None:
    with on(date(2026, 2, 20)):
        recertification.verify_by_hand(row, by=cast.fay)
        assert recertification.next_due(cast.own_plan) == date(2027, 2, 20)
    assert due(date(2027, 1, 20)) == [DUE]
    assert due(date(2027, 1, 21)) == [DUE, date(2027, 2, 20)]


def test_a_call_that_ended_a_pause_begins_the_year_too(cast: Cast) -> None:
    with on(date(2025, 9, 1)):
        pauses.open_pause(coverage=cast.own_plan, evidence="835")
        pauses.give_reference(pause=AccountPause.objects.get(), reference_number="P-1")
        pauses.clear_by_hand(pause=AccountPause.objects.get(), reason="they said so")
    assert due(date(2026, 3, 10)) == []
    assert due(date(2026, 8, 2)) == [date(2026, 9, 1)]


# Reminders


def test_thirty_and_seven_days_before_and_on_the_day_and_never_again(cast: Cast) -> None:
    first = sweep(DUE - timedelta(days=30))
    pk = Recertification.objects.get().pk
    assert first == [f"recertification:{pk}:30"]
    assert sweep(DUE - timedelta(days=8)) == first
    assert sweep(DUE - timedelta(days=7)) == [*first, f"recertification:{pk}:7"]
    assert sweep(DUE - timedelta(days=1)) == [*first, f"recertification:{pk}:7"]
    everything = [*first, f"recertification:{pk}:7", f"recertification:{pk}:0"]
    assert sweep(DUE) == everything
    assert sweep(DUE + timedelta(days=40)) == everything


def test_a_sweep_that_comes_late_writes_one_e_mail_not_three(cast: Cast) -> None:
    due(DUE - timedelta(days=30))
    assert [key.rsplit(":", 1)[1] for key in sweep(DUE + timedelta(days=2))] == ["0"]


def test_who_has_called_is_not_reminded(cast: Cast, row: Recertification) -> None:
    with on(date(2026, 2, 20)):
        report(row)
    assert sweep(DUE) == []


def test_the_e_mail_says_whom_by_when_and_what_to_say(cast: Cast) -> None:
    sweep(DUE - timedelta(days=30))
    email = Email.objects.get(kind="confirm_plans")
    for words in ("800-555-0111", "Coordination of benefits desk", "March 10, 2026", "confirm my coordination of"):
        assert words in email.text
    assert "EV100" not in email.text


def test_a_lapse_pauses_nobody(cast: Cast, row: Recertification) -> None:
    sweep(DUE + timedelta(days=90))
    with on(DUE + timedelta(days=90)):
        assert Recertification.objects.filter(recertification.lapsed()).count() == 1
    assert not AccountPause.objects.exists()


# The report and its check


def settle(check: EligibilityCheck, **says: Any) -> None:
    answered(asked(check, clock.now()), benefits(**says))


def test_an_answer_without_an_open_question_verifies(cast: Cast, row: Recertification) -> None:
    with on(date(2026, 2, 20)):
        check = report(row, called_on=date(2026, 2, 19))
        row.refresh_from_db()
        assert (row.state, row.reference_number, row.called_on) == ("reported", "R-1", date(2026, 2, 19))
        settle(check)
    row.refresh_from_db()
    assert (row.state, row.check_after, row.verified_by) == ("verified", check, None)


def test_an_open_question_leaves_it_to_support(cast: Cast, row: Recertification) -> None:
    with on(date(2026, 2, 20)):
        check = report(row)
        assert not recertification.for_support().exists()
        settle(check, cob_signal=CobSignal.UNDETERMINED)
        assert recertification.for_support().get() == row
        recertification.verify_by_hand(row, by=cast.fay)
        assert not recertification.for_support().exists()


def test_an_answer_to_a_question_from_before_the_call_verifies_nothing_and_another_is_asked(
    cast: Cast, row: Recertification
) -> None:
    with on(date(2026, 2, 20)):
        before = request_check(coverage=cast.own_plan, reason=EligibilityCheck.Reason.SCHEDULED)
        before = asked(before, clock.now() - timedelta(minutes=5))
        assert report(row) == before
        assert recertification.to_ask_again() == []
        answered(before, benefits())
        row.refresh_from_db()
        assert row.state == "reported"
        assert recertification.to_ask_again() == [row]


def test_an_insurer_that_is_behind_is_asked_again_daily_for_a_week(cast: Cast, row: Recertification) -> None:
    with on(date(2026, 2, 20)):
        settle(report(row), cob_signal=CobSignal.UNDETERMINED)
        assert recertification.to_ask_again() == []
    with on(date(2026, 2, 22)):
        assert recertification.to_ask_again() == [row]
    with on(date(2026, 3, 5)):
        assert recertification.to_ask_again() == []


def test_support_asks_for_another_call(cast: Cast, row: Recertification) -> None:
    with on(date(2026, 2, 20)):
        report(row)
        recertification.give_back(row)
        with pytest.raises(recertification.NothingToConfirm):
            recertification.give_back(row)
        row.refresh_from_db()
    assert (row.state, row.reference_number, row.called_on) == ("due", "", None)
    assert "Please call once more" in Email.objects.get(kind="confirm_plans").text


@pytest.mark.parametrize(
    "given",
    [{"reference_number": "  "}, {"called_on": date(2026, 2, 21)}, {"called_on": date(2025, 12, 1)}],
)
def test_a_report_that_cannot_be_is_refused(cast: Cast, row: Recertification, given: dict[str, Any]) -> None:
    with on(date(2026, 2, 20)), pytest.raises(BadInput):
        report(row, **given)
    row.refresh_from_db()
    assert row.state == "due"
    assert not EligibilityCheck.objects.exists()


def test_a_report_may_be_corrected_until_it_is_verified(cast: Cast, row: Recertification) -> None:
    with on(date(2026, 2, 20)):
        report(row)
        settle(report(row, reference_number="R-2"))
        row.refresh_from_db()
        assert (row.state, row.reference_number) == ("verified", "R-2")
        with pytest.raises(recertification.NothingToConfirm):
            report(row)


def test_the_call_that_ends_a_pause_confirms_the_year_as_well(cast: Cast, row: Recertification) -> None:
    with on(date(2026, 2, 20)):
        pauses.open_pause(coverage=cast.own_plan, evidence="835")
    with on(date(2026, 2, 21)):
        settle(refresh_benefits.give_reference(AccountPause.objects.get(), "P-9"))
    row.refresh_from_db()
    assert (row.state, row.reference_number, row.called_on) == ("verified", "P-9", date(2026, 2, 21))


def test_an_ordinary_check_confirms_nothing(cast: Cast, row: Recertification) -> None:
    with on(date(2026, 2, 20)):
        settle(request_check(coverage=cast.own_plan, reason=EligibilityCheck.Reason.REFRESH))
    row.refresh_from_db()
    assert row.state == "due"
