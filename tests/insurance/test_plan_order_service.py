"""The order of plans in force: an insurer's word, then a certain computation, then the client's statement."""

from datetime import date, timedelta

from common import clock
from insurance.domain.benefits import CobSignal, OtherPayer
from insurance.models import CobFacts, Coverage, PlanOrder
from insurance.services import cob_facts
from insurance.services.plan_order import current_decision, decide, plans_in_order, questions
from tests.cast import Cast, benefits, observe


def names(cast: Cast, days: int = 0) -> list[str]:
    return [plan.payer.name for plan in plans_in_order(cast.ana, on=clock.today() + timedelta(days=days))]


def test_plans_entered_the_wrong_way_round_are_put_right(cast: Cast) -> None:
    assert names(cast) == ["Evergreen Health", "Harbor Mutual"]
    decision = current_decision(cast.ana)
    assert decision is not None
    assert (decision.source, decision.rule, decision.certain, decision.changed) == (
        "computed", "non_dependent", True, True,
    )  # fmt: skip
    assert decision.stated == [cast.bens_plan.pk, cast.own_plan.pk]
    assert "“Evergreen Health” is your own plan" in decision.why[0]


def test_deciding_again_writes_nothing(cast: Cast) -> None:
    decide(cast.ana)
    assert PlanOrder.objects.count() == 1


def test_an_insurer_s_word_wins_over_the_rules(cast: Cast) -> None:
    observe(cast.own_plan, benefits(
        cob_signal=CobSignal.ANOTHER_IS_PRIMARY, other_payers=(OtherPayer("HARBOR MUTUAL", "primary"),)
    ))  # fmt: skip
    decision = decide(cast.ana)
    assert decision is not None
    assert (decision.source, decision.confirmed) == ("confirmed", [cast.bens_plan.pk, cast.own_plan.pk])
    assert decision.confirmed_by == "Evergreen Health says that Harbor Mutual pays first."
    assert names(cast) == ["Harbor Mutual", "Evergreen Health"]


def test_insurers_that_contradict_each_other_confirm_nothing(cast: Cast) -> None:
    for plan in (cast.own_plan, cast.bens_plan):
        observe(plan, benefits(cob_signal=CobSignal.THIS_IS_PRIMARY))
    decision = decide(cast.ana)
    assert decision is not None
    assert decision.source == "computed"


def test_a_payer_the_client_does_not_have_confirms_nothing(cast: Cast) -> None:
    observe(cast.own_plan, benefits(
        cob_signal=CobSignal.ANOTHER_IS_PRIMARY, other_payers=(OtherPayer("SOMEBODY ELSE", "primary"),)
    ))  # fmt: skip
    decision = decide(cast.ana)
    assert decision is not None
    assert decision.source == "computed"


def test_an_uncertain_order_keeps_what_the_client_said(cast: Cast) -> None:
    Coverage.objects.filter(pk=cast.own_plan.pk).update(holder="spouse", holder_born=None, since=None)
    decision = decide(cast.ana)
    assert decision is not None
    assert (decision.source, decision.certain) == ("stated", False)
    assert names(cast) == ["Harbor Mutual", "Evergreen Health"]


def test_a_plan_that_ended_is_not_in_the_order_afterwards(cast: Cast) -> None:
    Coverage.objects.filter(pk=cast.own_plan.pk).update(ends_on=clock.today())
    assert names(cast) == ["Evergreen Health", "Harbor Mutual"]
    assert names(cast, days=1) == ["Harbor Mutual"]


def test_an_order_for_other_plans_does_not_reach_back(cast: Cast) -> None:
    Coverage.objects.filter(pk=cast.own_plan.pk).update(removed_at=clock.now())
    decision = decide(cast.ana)
    assert decision is not None
    assert decision.effective_from == clock.today()


# --- By the day of service ------------------------------------------------------------------------------------------


def first_on(cast: Cast, day: date) -> str:
    return plans_in_order(cast.ana, on=day)[0].payer.name


def month(count: int) -> date:
    """The first day of a month, counted from this one."""
    today = clock.today()
    months = today.year * 12 + today.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def kidney_failure(cast: Cast, since: date) -> None:
    """Harbor is Medicare, by kidney failure; Evergreen is a group plan."""
    Coverage.objects.filter(pk=cast.bens_plan.pk).update(plan_type="medicare", holder="self")
    CobFacts.objects.create(client=cast.ana, medicare_because="esrd", esrd_since=since)
    decide(cast.ana)


def test_the_group_plan_is_first_through_month_thirty_and_medicare_from_the_next(cast: Cast) -> None:
    kidney_failure(cast, month(-10))
    over = month(-10 + 30)
    assert first_on(cast, clock.today()) == "Evergreen Health"
    assert first_on(cast, over - timedelta(days=1)) == "Evergreen Health"
    assert first_on(cast, over) == "Harbor Mutual"
    assert [(row.effective_from, row.rule) for row in PlanOrder.objects.order_by("pk")][1:] == [
        (date(1900, 1, 1), "medicare_esrd"), (over, "medicare_esrd"),
    ]  # fmt: skip
    decision = current_decision(cast.ana)
    assert decision is not None
    assert decision.effective_from == date(1900, 1, 1), "what holds later is not what holds today"


def test_a_session_of_last_year_keeps_the_order_of_its_day(cast: Cast) -> None:
    kidney_failure(cast, month(-40))
    assert first_on(cast, clock.today()) == "Harbor Mutual"
    assert first_on(cast, month(-10) - timedelta(days=1)) == "Evergreen Health"
    assert first_on(cast, month(-10)) == "Harbor Mutual"


def test_deciding_again_in_another_month_writes_nothing(cast: Cast) -> None:
    kidney_failure(cast, month(-10))
    count = PlanOrder.objects.count()
    with clock.as_of(clock.now() + timedelta(days=40)):
        decide(cast.ana)
    assert PlanOrder.objects.count() == count


def test_a_plan_that_begins_next_month_is_in_the_order_from_that_day(cast: Cast) -> None:
    Coverage.objects.filter(pk=cast.own_plan.pk).update(begins_on=month(1))
    decide(cast.ana)
    assert first_on(cast, clock.today()) == "Harbor Mutual"
    assert names(cast, days=(month(1) - clock.today()).days) == ["Evergreen Health", "Harbor Mutual"]


def test_a_word_of_today_does_not_outlive_the_facts_it_was_about(cast: Cast) -> None:
    kidney_failure(cast, month(-10))
    observe(cast.own_plan, benefits(
        cob_signal=CobSignal.ANOTHER_IS_PRIMARY, other_payers=(OtherPayer("HARBOR MUTUAL", "primary"),)
    ))  # fmt: skip
    decide(cast.ana)
    assert first_on(cast, clock.today()) == "Harbor Mutual"
    rows = {row.effective_from: row.source for row in PlanOrder.objects.order_by("pk")}
    assert rows == {date(1900, 1, 1): "confirmed", month(20): "computed"}


def test_three_plans_are_ordered_together(cast: Cast) -> None:
    Coverage.objects.create(client=cast.ana, payer=cast.harbor, member_id="HB200", stated_rank=1, plan_type="medicaid")
    decide(cast.ana)
    order = plans_in_order(cast.ana, on=clock.today())
    assert [plan.member_id for plan in order] == ["EV100", "HB100", "HB200"]
    decision = current_decision(cast.ana)
    assert decision is not None
    assert decision.why[1] == (
        "“Harbor Mutual (member ···B200)” is Medicaid, which always pays last, after “Harbor Mutual (member ···B100)”"
    )


def test_a_fact_learned_reaches_back_with_the_order_it_corrects(cast: Cast) -> None:
    Coverage.objects.filter(client=cast.ana).update(holder="self", holder_status="active", since=None)
    decide(cast.ana)
    assert [question.key for question in questions(cast.ana)] == [
        (f"plan {cast.bens_plan.pk}", "since"), (f"plan {cast.own_plan.pk}", "since"),
    ]  # fmt: skip
    cob_facts.learn(
        cast.ana,
        {
            (f"plan {cast.own_plan.pk}", "since"): date(2015, 1, 1),
            (f"plan {cast.bens_plan.pk}", "since"): date(2016, 1, 1),
        },
        by=cast.fay,
    )
    decision = decide(cast.ana)
    assert decision is not None
    assert (decision.rule, decision.effective_from) == ("longer_coverage", date(1900, 1, 1))
    assert first_on(cast, date(2024, 1, 1)) == "Evergreen Health"
    assert not questions(cast.ana)
