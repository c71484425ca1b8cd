"""Corrections where things go wrong, come late, come twice or are taken back.

Evergreen allows Ana's sessions 160.00 of the 220.00 charged.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from billing.flows import correct_benefits, refresh_benefits
from billing.models import Comparison, Refund, SessionCost
from billing.services import costs, plan_years
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from common.errors import BadInput
from insurance.domain.benefits import Accumulator, Accumulators, Benefits, NetworkBenefits, Visits
from insurance.models import BenefitSnapshot, Claim
from insurance.services import claims, exchange
from insurance.x12 import x835
from notifications.models import Email
from tests import cast as people
from tests.billing.answers import claim, reversal, told
from tests.billing.test_correct_benefits import amount, books_violated, confirmed, copay, decides, mails, paid_by_card
from tests.cast import Cast, benefits, observe
from tests.remittance_files import adjustments, result

pytestmark = [pytest.mark.django_db]
D = Decimal


@pytest.fixture(autouse=True)
def in_june() -> Iterator[None]:
    with clock.as_of(datetime(2026, 6, 15, 15, tzinfo=UTC)):
        yield


@pytest.fixture
def cast() -> Cast:
    """Ana with her own plan alone: a copay of 25.00 for each visit."""
    cast = people.assemble()
    refresh_benefits.remove_plan(cast.bens_plan)
    observe(cast.own_plan, copay())
    return cast


def rows() -> tuple[int, int, int, int]:
    return (
        BenefitSnapshot.objects.count(),
        SessionCost.objects.count(),
        Email.objects.count(),
        Comparison.objects.count(),
    )


def again(cast: Cast) -> None:
    """Everything is concluded once more."""
    for comparison in Comparison.objects.order_by("pk"):
        correct_benefits.learn(comparison.adjudication)
    correct_benefits.hold(cast.ana, cast.own_plan, clock.today())
    correct_benefits.reprice(cast.ana)


def in_network(told: Benefits, **figures: object) -> Benefits:
    return replace(told, in_network=replace(told.in_network, **figures))  # type: ignore[arg-type]  # any figure


def test_paid_as_out_of_network_waits_for_support_and_changes_no_price(cast: Cast) -> None:
    outside = NetworkBenefits(
        coinsurance=D("0.40"), deductible=Accumulators(individual=Accumulator(D("500.00"), D("0.00")))
    )
    observe(cast.own_plan, replace(copay(), out_of_network=outside))
    coming, session = cast.book(days=7), confirmed(cast, 0)

    comparison = decides(session, "96.00", ("PR", "2", "64.00"))

    assert (comparison.kind, comparison.state) == ("network_differs", "waiting")
    assert amount(coming) == D("25.00")
    assert not BenefitSnapshot.objects.filter(source="835").exists()
    assert not mails("cost_corrected")


def test_what_support_entered_first_outlives_a_second_entry_after_a_correction(cast: Cast) -> None:
    """Copay by phone, then a decision moves the maximum, then another figure by phone: the copay still holds."""
    coming, session = cast.book(days=7), confirmed(cast, 0)
    correct_benefits.enter(cast.own_plan, {"in_network.copay": "40.00"}, by=cast.fay, note="By phone")
    decides(session, "160.00")
    assert BenefitSnapshot.objects.filter(source="835").exists(), "the maximum was reached"
    correct_benefits.enter(
        cast.own_plan,
        {"in_network.out_of_pocket.individual.remaining": "900.00"},
        by=cast.fay,
        note="By phone",
    )
    refresh_benefits.settle(observe(cast.own_plan, copay(out_of_pocket="800.00")))

    assert amount(coming) == D("40.00"), "the insurer only repeats 25.00"


def test_what_support_entered_is_not_undone_by_an_older_decision_when_the_insurer_repeats_itself(cast: Cast) -> None:
    coming, session = cast.book(days=7), confirmed(cast, 0)
    decides(session, "120.00", ("PR", "3", "40.00"))
    correct_benefits.enter(cast.own_plan, {"in_network.copay": "30.00"}, by=cast.fay, note="By phone, ref 1")
    assert amount(coming) == D("30.00")

    refresh_benefits.settle(observe(cast.own_plan, copay()))

    assert amount(coming) == D("30.00")
    again(cast)
    assert amount(coming) == D("30.00")


def test_a_plan_that_ended_is_not_revived_by_a_claim_from_before(cast: Cast) -> None:
    """The answer says of the 15th that the plan is not active; a session of the 8th is paid later."""
    coming, session = cast.book(days=7), confirmed(cast, -7)
    observe(cast.own_plan, replace(in_network(copay(), copay=None, copay_rule=None), active=False))

    with clock.as_of(datetime(2026, 6, 17, 15, tzinfo=UTC)):
        decides(session, "135.00", ("PR", "3", "25.00"))
        newest = costs.newest_snapshot(cast.own_plan, clock.today())

    assert newest is not None and newest.active is False
    cost = costs.current_cost(coming)
    assert cost is not None and cost.breakdown["verified"] is False


def test_a_plan_said_to_be_inactive_that_pays_for_a_later_day_is_active(cast: Cast) -> None:
    observe(cast.own_plan, replace(copay(), active=False))
    coming, session = cast.book(days=7), confirmed(cast, 0)

    comparison = decides(session, "135.00", ("PR", "3", "25.00"))

    assert (comparison.kind, comparison.state) == ("wrong_status", "applied")
    assert amount(coming) == D("25.00")


def test_a_second_answer_without_a_reversal_takes_the_place_of_the_first(cast: Cast) -> None:
    coming, session = cast.book(days=7), confirmed(cast, 0)
    decides_first = decides  # the same claim is answered twice
    decides_first(session, "135.00", ("PR", "3", "25.00"))
    told(claim(session, 1), result(claim(session, 1), paid="120.00", why=_why("120.00", ("PR", "3", "40.00"))))

    truth = plan_years.truth_of(cast.ana, cast.own_plan, clock.today())
    assert truth is not None
    assert truth.seen[session.pk].decided.allowed == D("160.00")
    assert truth.seen[session.pk].decided.copay == D("40.00")
    assert amount(coming) == D("40.00")


def _why(paid: str, *left: tuple[str, str, str]):  # type: ignore[no-untyped-def]
    written_off = D("220.00") - D(paid) - sum((D(each) for _g, _c, each in left), D(0))
    return adjustments(("CO", "45", f"{written_off:.2f}"), *left)


def test_visits_that_were_known_to_be_used_up_are_a_match(cast: Cast) -> None:
    observe(cast.own_plan, in_network(copay(), visits=Visits(10, 0)))
    comparison = decides(confirmed(cast, 0), "0.00", ("PR", "119", "160.00"))

    assert (comparison.kind, comparison.state) == ("match", "closed")


def test_visits_used_up_elsewhere_are_put_right_by_themselves(cast: Cast) -> None:
    observe(cast.own_plan, in_network(copay(), visits=Visits(10, 5)))
    coming, session = cast.book(days=7), confirmed(cast, 0)

    comparison = decides(session, "0.00", ("PR", "119", "160.00"))

    assert (comparison.kind, comparison.state) == ("accumulator_drift", "applied")
    assert amount(coming) == D("160.00")


def test_a_proposal_is_taken_without_figures_the_insurer_has_told_anew(cast: Cast) -> None:
    """Proposed: copay 40.00 first, and 500.00 of the deductible open. Since then the insurer told 70.00 left."""
    observe(cast.own_plan, copay(deductible="0.00"))
    coming, first, second = cast.book(days=14), confirmed(cast, -7), confirmed(cast, 0)
    exchange.build_batches()
    decides(first, "0.00", ("PR", "3", "40.00"), ("PR", "1", "120.00"))
    comparison = decides(second, "0.00", ("PR", "3", "40.00"), ("PR", "1", "120.00"))
    assert (comparison.kind, comparison.state) == ("wrong_copay", "waiting")
    assert "in_network.deductible.individual.remaining" in comparison.figures
    with clock.as_of(datetime(2026, 6, 20, 15, tzinfo=UTC)):
        refresh_benefits.settle(observe(cast.own_plan, copay(deductible="70.00")))
        correct_benefits.apply(comparison, by=cast.fay, note="Called the insurer.")

    newest = costs.newest_snapshot(cast.own_plan, clock.today())
    assert newest is not None
    assert newest.read().in_network.deductible.individual.remaining == D("70.00")
    assert amount(coming) == D("110.00"), "40.00 copay and the last 70.00"


def test_a_deductible_on_a_plan_said_to_have_none_makes_the_price_unknown(cast: Cast) -> None:
    none = Accumulators(individual=Accumulator(D("0.00"), D("0.00")))
    observe(cast.own_plan, in_network(benefits(), deductible=none))
    coming, session = cast.book(days=7), confirmed(cast, 0)

    decides(session, "0.00", ("PR", "1", "160.00"))

    cost = costs.current_cost(coming)
    assert cost is not None
    assert (cost.amount, cost.breakdown["verified"]) == (D("160.00"), False)
    before = rows()
    again(cast)
    assert rows() == before


def test_a_dismissed_claim_that_is_decided_anew_is_evidence_again(cast: Cast) -> None:
    coming, session = cast.book(days=7), confirmed(cast, 0)
    comparison = decides(session, "98.63", ("PR", "3", "61.37"))
    Comparison.objects.filter(pk=comparison.pk).update(state="waiting", snapshot=None)
    comparison.refresh_from_db()
    correct_benefits.dismiss(comparison, by=cast.fay, note="They reprocess it.")
    assert amount(coming) == D("25.00")
    before = rows()
    again(cast)
    assert rows() == before, "what was dismissed does not come back"

    first = result(claim(session, 1), paid="98.63", why=_why("98.63", ("PR", "3", "61.37")))
    told(claim(session, 1), reversal(first))
    told(claim(session, 1), result(claim(session, 1), paid="120.00", why=_why("120.00", ("PR", "3", "40.00"))))

    assert amount(coming) == D("40.00")


def test_a_plan_said_to_cover_no_therapy_that_pays_for_it(cast: Cast) -> None:
    observe(cast.own_plan, in_network(copay(), covered=False))
    coming, session = cast.book(days=7), confirmed(cast, 0)
    assert amount(coming) == D("160.00")

    decides(session, "135.00", ("PR", "3", "25.00"))

    assert amount(coming) == D("25.00")
    before = rows()
    again(cast)
    assert rows() == before


@pytest.mark.parametrize(
    "odd",
    [
        [("PR", "3", "-25.00")],
        [("PR", "1", "-40.00"), ("PR", "3", "25.00")],
        [("PR", "2", "-5.00")],
        [("PR", "1", "500.00")],
        [("PR", "3", "25.00"), ("PR", "96", "-25.00")],
    ],
)
def test_no_answer_that_can_be_booked_keeps_an_insurer_s_next_answer_from_being_read(
    cast: Cast, odd: list[tuple[str, str, str]]
) -> None:
    coming, session = cast.book(days=7), confirmed(cast, 0)
    exchange.build_batches()
    told(claim(session, 1), result(claim(session, 1), paid="135.00", why=_why("135.00", *odd)))
    assert session.claims.get(rank=1).decision == Claim.Decision.PAID

    refresh_benefits.settle(observe(cast.own_plan, copay()))
    assert amount(coming) == D("25.00"), "the same words again"
    before = rows()
    again(cast)
    assert rows() == before

    refresh_benefits.settle(observe(cast.own_plan, copay("30.00")))
    assert amount(coming) == D("30.00")


def test_a_correction_that_is_taken_back_leaves_the_books_right(cast: Cast) -> None:
    """10.00 instead of 25.00: 15.00 promised back for the one held. The insurer reverses: 25.00 again."""
    people.card(cast.ana)
    held, session = confirmed(cast, -7), confirmed(cast, 0)
    paid_by_card(held)
    decides(session, "150.00", ("PR", "3", "10.00"))
    assert Refund.objects.get(session=held).amount == D("15.00")

    first = result(claim(session, 1), paid="150.00", why=_why("150.00", ("PR", "3", "10.00")))
    told(claim(session, 1), reversal(first))

    assert amount(held) == D("25.00")
    assert session_balance(held).due == D("15.00"), "the promise stands, so it is owed again"
    assert not books_violated()
    before = rows()
    again(cast)
    assert rows() == before


@pytest.mark.parametrize("state", ["created", "submitted", "unknown"])
def test_a_correction_while_the_charge_is_under_way(cast: Cast, state: str) -> None:
    from billing.gateways.results import ChargeResult, ChargeState
    from billing.models import Payment
    from billing.services import payments, refunds

    people.card(cast.ana)
    held, session = confirmed(cast, -7), confirmed(cast, 0)
    charge = Payment.objects.get(parts__session=held)
    Payment.objects.filter(pk=charge.pk).update(state=state)

    decides(session, "150.00", ("PR", "3", "10.00"))

    assert amount(held) == D("10.00")
    assert session_balance(held).due == D("0.00")
    assert not Refund.objects.exists(), "not there yet"
    Payment.objects.filter(pk=charge.pk).update(state="submitted")
    charge.refresh_from_db()
    payments.record_outcome(
        payment=charge,
        result=ChargeResult(state=ChargeState.SUCCEEDED, payment_intent="pi_x", amount=charge.amount),
    )
    for each in refunds.sessions_to_refund():
        refunds.promise(each)
    assert Refund.objects.get(session=held).amount == charge.amount - D("10.00")
    assert not books_violated()


def test_twice_the_same_correction_in_one_year_of_answers_tells_once(cast: Cast) -> None:
    cast.book(days=70)
    session = confirmed(cast, 0)
    decides(session, "120.00", ("PR", "3", "40.00"))
    for week in range(1, 6):
        with clock.as_of(datetime(2026, 6, 15, 15, tzinfo=UTC) + timedelta(days=7 * week)):
            refresh_benefits.settle(observe(cast.own_plan, copay()))
            decides(confirmed(cast, 0), "120.00", ("PR", "3", "40.00"))
    assert len(mails("cost_corrected")) == 1
    assert len(mails("cost_corrected_provider")) == 1
    before = rows()
    again(cast)
    assert rows() == before


# --- Taken back -------------------------------------------------------------------------------------------------------


def refuses(session: Session) -> tuple[Claim, x835.RemittedClaim]:
    """Evergreen asks for an authorization, and leaves all of it to the patient meanwhile."""
    exchange.build_batches()
    first = claim(session, 1)
    said = result(first, paid="0.00", why=adjustments(("PR", "197", "220.00")))
    told(first, said)
    return first, said


def test_a_reversal_under_the_number_of_the_claim_sent_again_is_evidence_with_what_it_takes_back(cast: Cast) -> None:
    coming, session = cast.book(days=7), confirmed(cast, 0)
    first, said = refuses(session)
    assert claim(session, 1).decision == "denied"
    again = claims.resubmit(first, reason="The number is on file now.")
    exchange.build_batches()

    told(
        again,
        replace(reversal(said), control_number=again.control_number),
        result(again, paid="120.00", why=_why("120.00", ("PR", "3", "40.00"))),
    )

    truth = plan_years.truth_of(cast.ana, cast.own_plan, clock.today())
    assert truth is not None
    seen = truth.seen[session.pk].decided
    assert (seen.allowed, seen.copay, seen.not_covered) == (D("160.00"), D("40.00"), D("0.00"))
    assert Comparison.objects.get(session=session, adjudication__claim=again).kind == "wrong_copay"
    assert amount(coming) == D("40.00")


def test_what_was_refused_before_does_not_count_beside_the_answer_to_the_claim_sent_again(cast: Cast) -> None:
    coming, session = cast.book(days=7), confirmed(cast, 0)
    first, _said = refuses(session)
    again = claims.resubmit(first, reason="The number is on file now.")
    exchange.build_batches()
    answer = result(again, paid="120.00", why=_why("120.00", ("PR", "3", "40.00")))
    told(again, answer)
    told(again, reversal(answer), result(again, paid="110.00", why=_why("110.00", ("PR", "3", "50.00"))))

    assert amount(coming) == D("50.00"), "the refusal was never taken back, and is overtaken"


def test_a_case_closes_when_its_answer_is_taken_back_and_the_next_one_takes_its_place(cast: Cast) -> None:
    first, second = confirmed(cast, -7), confirmed(cast, 0)
    odd = ("PR", "3", "61.37"), ("PR", "96", "10.00")
    exchange.build_batches()
    case = decides(first, "0.00", *odd)
    other = decides(second, "0.00", *odd)
    assert [(each.kind, each.state) for each in (case, other)] == [
        ("not_covered", "waiting"), ("not_covered", "closed")
    ]  # fmt: skip

    told(claim(first, 1), reversal(result(claim(first, 1), paid="0.00", why=_why("0.00", *odd))))

    case.refresh_from_db()
    other.refresh_from_db()
    assert (case.state, case.note) == ("closed", "The insurer took this answer back, or gave another one.")
    assert case.decided_at is not None
    assert other.state == "waiting"
    again(cast)
    case.refresh_from_db()
    assert (case.state, Comparison.objects.filter(state="waiting").count()) == ("closed", 1)
    correct_benefits.dismiss(other, by=cast.fay, note="Called: their mistake.")


def test_a_case_closes_when_another_answer_takes_its_place(cast: Cast) -> None:
    session = confirmed(cast, 0)
    case = decides(session, "0.00", ("PR", "3", "61.37"), ("PR", "96", "10.00"))
    told(claim(session, 1), result(claim(session, 1), paid="135.00", why=_why("135.00", ("PR", "3", "25.00"))))

    case.refresh_from_db()
    assert case.state == "closed"
    assert Comparison.objects.latest("pk").kind == "match"


# --- Entered as of a day ----------------------------------------------------------------------------------------------


def test_what_is_left_is_entered_as_of_a_day_and_what_was_decided_by_then_is_in_it(cast: Cast) -> None:
    """20% after the deductible. The insurer told 500.00 left on the 15th, took 160.00 on the 16th, and says by phone on
    the 18th that 100.00 are left by the end of the 17th."""
    figure = "in_network.deductible.individual.remaining"
    observe(cast.own_plan, benefits(deductible="500.00"))
    coming, session = cast.book(days=14), confirmed(cast, 0)
    with clock.as_of(datetime(2026, 6, 16, 15, tzinfo=UTC)):
        decides(session, "0.00", ("PR", "1", "160.00"))
    with clock.as_of(datetime(2026, 6, 18, 15, tzinfo=UTC)):
        for day, problem in ((date(2026, 6, 19), "future"), (date(2026, 6, 14), "newer answer")):
            with pytest.raises(BadInput, match=problem) as raised:
                correct_benefits.enter(cast.own_plan, {figure: "300.00"}, by=cast.fay, note="Phone", as_of=day)
            assert raised.value.where == "as_of"
        entered = correct_benefits.enter(
            cast.own_plan, {figure: "100.00"}, by=cast.fay, note="Phone", as_of=date(2026, 6, 17)
        )
        cost = costs.current_cost(coming)

    assert entered.observed_at.astimezone(clock.BUSINESS_ZONE).date() == date(2026, 6, 17)
    assert cost is not None
    assert cost.amount == D("112.00"), "100.00 of the deductible and 20% of 60.00: the 160.00 are in it already"


def test_without_a_day_it_counts_from_the_answer_that_is_put_right(cast: Cast) -> None:
    figure = "in_network.deductible.individual.remaining"
    observe(cast.own_plan, benefits(deductible="500.00"))
    coming, session = cast.book(days=14), confirmed(cast, 0)
    with clock.as_of(datetime(2026, 6, 16, 15, tzinfo=UTC)):
        decides(session, "0.00", ("PR", "1", "160.00"))
    with clock.as_of(datetime(2026, 6, 18, 15, tzinfo=UTC)):
        correct_benefits.enter(cast.own_plan, {figure: "260.00"}, by=cast.fay, note="Phone")
        assert amount(coming) == D("112.00"), "260.00 less 160.00, and 20% of 60.00"
