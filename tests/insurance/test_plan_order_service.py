"""The order of plans in force: an insurer's word, then a certain computation, then the client's statement."""

from datetime import timedelta

from common import clock
from insurance.domain.benefits import CobSignal, OtherPayer
from insurance.models import Coverage, PlanOrder
from insurance.services.plan_order import current_decision, decide, plans_in_order
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
