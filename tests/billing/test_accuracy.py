"""How near estimates came: shares, medians and directions, before and after corrections, by insurer, plan and month."""

from datetime import date, datetime, time
from decimal import Decimal

from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.services.accuracy import Measure, Report, report
from care.models import Session
from care.services.sessions import Procedure, schedule_session
from common import clock
from insurance.models import BenefitSnapshot, Coverage
from tests.cast import Cast
from tests.comparison_rows import compared, told

D = Decimal


def held(cast: Cast, day: date) -> Session:
    return schedule_session(
        client=cast.ana,
        provider=cast.cole,
        starts_at=datetime.combine(day, time(Session.objects.count() % 24), tzinfo=clock.BUSINESS_ZONE),
        procedures=[Procedure("90837")],
        diagnoses=["F41.1"],
    )


def answers(
    cast: Cast,
    day: date,
    pairs: list[tuple[str, str]],
    *,
    of: Coverage | None = None,
    said: BenefitSnapshot | None = None,
) -> None:
    """One answered session of that day for each pair: above the first estimate, above the last."""
    for first, last in pairs:
        compared(held(cast, day), of or cast.own_plan, first=first, last=last, snapshot=said)


def test_nothing_compared_is_told_as_nothing(db: None) -> None:
    assert report() == Report()


def test_shares_medians_and_directions_before_and_after(cast: Cast) -> None:
    answers(
        cast,
        date(2026, 3, 10),
        [("15.00", "0.00"), ("15.00", "0.00"), ("-40.00", "-40.00"), ("1.00", "1.00"), ("0.01", "-1.01")],
    )
    whole = report().whole
    assert whole is not None
    assert whole.sessions == 5
    # First estimates: errors 0.01, 1.00, 15.00, 15.00, 40.00.
    assert whole.first == Measure(
        near=2, share_near=D("0.4000"), median_error=D("15.00"), worst_tenth=D("40.00"), too_low=3, too_high=1
    )
    # Estimates in force: 0.00, 0.00, 1.00, 1.01, 40.00.
    assert whole.last == Measure(
        near=3, share_near=D("0.6000"), median_error=D("1.00"), worst_tenth=D("40.00"), too_low=1, too_high=2
    )


def test_an_even_number_has_its_median_in_the_middle(cast: Cast) -> None:
    answers(cast, date(2026, 3, 10), [("0.00", "0.00"), ("0.00", "0.00"), ("10.00", "5.00"), ("20.00", "5.01")])
    whole = report().whole
    assert whole is not None
    assert (whole.first.median_error, whole.last.median_error) == (D("5.00"), D("2.50"))


def test_every_level_counts_each_session_once_and_has_its_own_median(cast: Cast) -> None:
    ppo, hmo = told(cast.own_plan, plan_name="Choice PPO"), told(cast.own_plan, plan_name="Care HMO")
    answers(cast, date(2026, 3, 31), [("0.00", "0.00"), ("0.00", "0.00"), ("9.00", "0.00")], said=ppo)
    answers(cast, date(2026, 4, 1), [("30.00", "0.00")], said=ppo)
    answers(cast, date(2026, 4, 30), [("20.00", "20.00")], said=hmo)
    answers(cast, date(2026, 4, 2), [("-5.00", "-5.00")], of=cast.bens_plan)
    found = report()

    def short(rows: list) -> list[tuple[object, ...]]:  # type: ignore[type-arg]
        return [(row.payer, row.plan, row.month, row.sessions, row.first.median_error) for row in rows]

    march, april = date(2026, 3, 1), date(2026, 4, 1)
    assert short(found.lines) == [
        ("Evergreen Health", "Care HMO", april, 1, D("20.00")),
        ("Evergreen Health", "Choice PPO", march, 3, D("0.00")),
        ("Evergreen Health", "Choice PPO", april, 1, D("30.00")),
        ("Harbor Mutual", "", april, 1, D("5.00")),
    ]
    assert short(found.plans) == [
        ("Evergreen Health", "Care HMO", None, 1, D("20.00")),
        ("Evergreen Health", "Choice PPO", None, 4, D("4.50")),
        ("Harbor Mutual", "", None, 1, D("5.00")),
    ]
    assert short(found.payers) == [
        ("Evergreen Health", "", None, 5, D("9.00")),
        ("Harbor Mutual", "", None, 1, D("5.00")),
    ]
    assert [(row.month, row.sessions, row.first.median_error) for row in found.months] == [
        (march, 3, D("0.00")),
        (april, 3, D("20.00")),
    ]
    assert found.whole is not None
    assert (found.whole.sessions, found.whole.first.median_error) == (6, D("7.00"))
    assert found.whole.payer == ""


def test_a_session_answered_twice_counts_with_its_newest_answer(cast: Cast) -> None:
    session = held(cast, date(2026, 3, 10))
    compared(session, cast.own_plan, first="50.00", last="50.00")
    compared(session, cast.own_plan, first="2.00", last="0.00")
    whole = report().whole
    assert whole is not None
    assert (whole.sessions, whole.first.median_error, whole.last.near) == (1, D("2.00"), 1)


def test_filters_by_insurer_and_days_both_included(cast: Cast) -> None:
    for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)):
        answers(cast, day, [("0.00", "0.00")])
    answers(cast, date(2026, 3, 15), [("7.00", "7.00")], of=cast.bens_plan)
    march = report(since=date(2026, 3, 1), until=date(2026, 3, 31))
    assert march.whole is not None and march.whole.sessions == 3
    ours = report(payer_id=cast.evergreen.pk, since=date(2026, 3, 1), until=date(2026, 3, 31))
    assert ours.whole is not None and ours.whole.sessions == 2
    assert [row.payer for row in ours.payers] == ["Evergreen Health"]
    assert report(payer_id=cast.harbor.pk, until=date(2026, 3, 1)).whole is None


def test_it_is_one_query_however_much_there_is(cast: Cast) -> None:
    answers(cast, date(2026, 3, 10), [("0.00", "0.00")] * 10)
    with CaptureQueriesContext(connection) as asked:
        report()
    assert len(asked) == 1
