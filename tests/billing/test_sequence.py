"""One session, two or three plans: who is asked when, what stops the sequence, and which clocks run."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from billing.flows import close_claim, confirm_coverage, confirm_session
from billing.models import Payment, Refund, SessionCost
from billing.services import books, costs
from billing.services.expected import expected
from care.models import Session
from common import clock
from insurance.domain.benefits import OtherPayer
from insurance.models import (
    AccountPause,
    Adjudication,
    BenefitSnapshot,
    Claim,
    ClaimEvent,
    Coverage,
    Credential,
    EligibilityCheck,
    NetworkContract,
    SuggestedCoverage,
)
from insurance.services import claims, deadlines, discovery, exchange, plan_order
from insurance.services.claim_content import content_of
from insurance.services.files import next_trace_number
from insurance.x12 import validate, x835
from insurance.x12.names import Name
from notifications.models import Email
from tests.billing.answers import claim, confirmed, cost, evergreen, harbor, reversal, told
from tests.cast import LONG_AGO, Cast, benefits, card, observe, payer
from tests.remittance_files import adjustments, result

D = Decimal


@pytest.fixture(autouse=True)
def _books_hold(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(validate, "findings", lambda raw: [])  # slow, and tested where claims are written
    yield
    assert [(outcome.check.name, outcome.examples) for outcome in books.run() if outcome.violations] == []
    assert not Adjudication.objects.filter(posted_at=None).exists()


@pytest.fixture
def session(cast: Cast) -> Session:
    card(cast.ana)
    held = confirmed(cast)
    held.refresh_from_db()
    return held


@pytest.fixture
def third(cast: Cast) -> Coverage:
    """A third plan of Ana's, her own too and newer than Evergreen's, so that Ben's comes last."""
    insurer = payer("THRD1", "Third Health", "140.00")
    Credential.objects.create(provider=cast.cole, payer=insurer, state="NY", begins_on=LONG_AGO)
    plan = Coverage.objects.create(client=cast.ana, payer=insurer, member_id="TH1", stated_rank=3)
    observe(plan, benefits(deductible="0.00", coinsurance="0.50"))
    Coverage.objects.filter(pk=cast.own_plan.pk).update(since=date(2010, 1, 1))
    Coverage.objects.filter(pk=plan.pk).update(since=date(2020, 1, 1), holder_status="active")
    plan_order.decide(cast.ana)
    return plan


def states(session: Session) -> list[tuple[str, str, str]]:
    return [(each.coverage.payer.name, each.submission, each.decision) for each in claims.sequence(session)]


def answer(session: Session, rank: int, paid: str, *why: tuple[str, str, str], **more: object) -> x835.RemittedClaim:
    return replace(result(claim(session, rank), paid=paid, why=adjustments(*why)), **more)  # type: ignore[arg-type]


# --- Denials ----------------------------------------------------------------------------------------------------------


def test_a_primary_that_does_not_cover_it_lets_the_next_plan_be_asked(session: Session) -> None:
    told(claim(session, 1), evergreen(session, "0.00", adjustments(("PR", "204", "220.00"))))
    assert states(session) == [("Evergreen Health", "accepted", "denied"), ("Harbor Mutual", "ready", "none")]
    assert cost(session) == (D("72.00"), "estimate"), "no plan has paid: nothing is asked of the client"
    (event,) = claim(session, 1).events.filter(kind="goes_on")
    assert event.text == (
        "Evergreen Health does not pay (PR-204: the plan does not cover this service). Harbor Mutual is asked next."
    )
    content = content_of(claim(session, 2))
    assert (content.other_payers[0].paid, content.lines[0].prior[0].paid) == (D("0"), D("0"))
    exchange.build_batches()
    told(claim(session, 2), harbor(session, "118.00", adjustments(("CO", "45", "70.00"), ("PR", "1", "32.00"))))
    assert cost(session) == (D("32.00"), "final")
    assert Refund.objects.get().amount == D("40.00")


def test_what_the_first_contract_writes_off_is_not_asked_of_the_client(session: Session) -> None:
    told(claim(session, 1), evergreen(session, "0.00", adjustments(("CO", "96", "220.00"))))
    exchange.build_batches()
    told(claim(session, 2), harbor(session, "118.00", adjustments(("CO", "45", "70.00"), ("PR", "1", "32.00"))))
    assert cost(session) == (D("0.00"), "final")


@pytest.mark.parametrize("code", ["16", "197", "252", "29"])
def test_a_primary_that_something_is_missing_for_waits_for_a_person(session: Session, cast: Cast, code: str) -> None:
    told(claim(session, 1), evergreen(session, "0.00", adjustments(("CO", code, "220.00"))))
    assert states(session)[1] == ("Harbor Mutual", "waiting", "none")
    assert cost(session) == (D("72.00"), "estimate")
    close_claim.close(claim(session, 1), reason="No appeal left", actor=cast.fay)
    assert states(session)[1] == ("Harbor Mutual", "ready", "none")
    assert content_of(claim(session, 2)).other_payers[0].paid == D("0")


def test_a_secondary_that_does_not_cover_it_makes_the_first_plans_answer_final(session: Session) -> None:
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    told(claim(session, 2), harbor(session, "0.00", adjustments(("PR", "204", "220.00"))))
    assert cost(session) == (D("72.00"), "final")
    sentence = SessionCost.objects.latest("pk").breakdown["sentence"]
    assert sentence == "Harbor Mutual does not pay for this session. Your final cost is $72.00."
    assert not Refund.objects.exists()


def test_a_claim_filed_too_late_is_never_billed_to_the_client(session: Session, cast: Cast) -> None:
    dearer = adjustments(("CO", "45", "60.00"), ("PR", "1", "90.00"))
    told(claim(session, 1), evergreen(session, "70.00", dearer))
    exchange.build_batches()
    told(claim(session, 2), harbor(session, "0.00", adjustments(("CO", "29", "220.00"))))
    close_claim.close(claim(session, 2), reason="Filed too late by us", actor=cast.fay)
    assert cost(session) == (D("72.00"), "final"), "the estimate that was charged, not the 90.00 that are left"
    assert not Email.objects.filter(kind="pay_now").exists()


# --- The wrong insurer ------------------------------------------------------------------------------------------------


def test_a_claim_for_another_insurer_is_no_denial_and_pauses_nobody(session: Session) -> None:
    wrong = replace(
        evergreen(session, "0.00", adjustments(("CO", "109", "220.00"))),
        corrected_payer=Name("SUMMIT CARE INC", qualifier="PI", identifier="SMMT9"),
        other_subscriber=Name("RIVERA", "ANA", qualifier="MI", identifier="SM77", person=True),
    )
    told(claim(session, 1), wrong)
    assert states(session) == [("Evergreen Health", "accepted", "routed"), ("Harbor Mutual", "waiting", "none")]
    assert not AccountPause.objects.exists()
    assert cost(session) == (D("72.00"), "estimate")
    found = SuggestedCoverage.objects.get()
    assert (found.payer_name, found.member_id, found.rank, found.source) == (
        "SUMMIT CARE INC",
        "SM77",
        "primary",
        "835",
    )


def test_a_claim_transferred_to_a_plan_on_the_account_is_not_sent_there_again(session: Session) -> None:
    moved = replace(
        evergreen(session, "0.00", adjustments(("OA", "B11", "220.00")), status="23"), crossover=Name("HARBOR MUTUAL")
    )
    told(claim(session, 1), moved)
    assert states(session) == [("Evergreen Health", "accepted", "routed"), ("Harbor Mutual", "accepted", "none")]
    assert exchange.build_batches() == []
    assert not SuggestedCoverage.objects.exists()
    told(claim(session, 2), harbor(session, "118.00", adjustments(("CO", "45", "70.00"), ("PR", "1", "32.00"))))
    assert cost(session) == (D("32.00"), "final")


# --- Crossover --------------------------------------------------------------------------------------------------------


def test_a_crossover_goes_to_the_plan_it_names(cast: Cast, third: Coverage) -> None:
    card(cast.ana)
    session = confirmed(cast)
    assert [name for name, _s, _d in states(session)] == ["Evergreen Health", "Third Health", "Harbor Mutual"]
    told(claim(session, 1), replace(evergreen(session, status="19"), crossover=Name("HARBOR MUTUAL INS CO")))
    assert [state for _n, state, _d in states(session)] == ["accepted", "ready", "accepted"]


def test_a_crossover_to_an_insurer_we_do_not_know_is_a_question_and_our_claim_goes_out(session: Session) -> None:
    told(claim(session, 1), replace(evergreen(session, status="19"), crossover=Name("Summit Care")))
    assert states(session)[1] == ("Harbor Mutual", "ready", "none")
    assert SuggestedCoverage.objects.get().payer_name == "Summit Care"


def test_a_duplicate_after_a_crossover_does_not_undo_its_result(session: Session) -> None:
    """Ours was out already when the primary told that it had sent the claim on itself."""
    first = evergreen(session)
    told(claim(session, 1), first)
    exchange.build_batches()
    told(claim(session, 1), reversal(first), evergreen(session, status="19"))
    duplicate = harbor(session, "0.00", adjustments(("OA", "18", "220.00")))
    told(claim(session, 2), duplicate)
    assert states(session)[1] == ("Harbor Mutual", "accepted", "none"), "it has the claim, and has not decided on it"
    told(claim(session, 2), replace(harbor(session), control_number=claim(session, 1).control_number))
    assert cost(session) == (D("32.00"), "final")
    told(claim(session, 2), duplicate)
    assert claim(session, 2).decision == "paid"
    assert cost(session) == (D("32.00"), "final")
    assert Refund.objects.get().amount == D("40.00")


def test_the_crossover_s_result_before_the_primary_s_own(session: Session) -> None:
    told(claim(session, 2), replace(harbor(session), control_number=claim(session, 1).control_number))
    assert cost(session) == (D("72.00"), "estimate")
    told(claim(session, 1), evergreen(session, status="19"))
    assert cost(session) == (D("32.00"), "final")
    assert exchange.build_batches() == []


# --- Three plans ------------------------------------------------------------------------------------------------------


def test_three_plans_are_asked_one_after_the_other(cast: Cast, third: Coverage) -> None:
    card(cast.ana)
    session = confirmed(cast)
    assert [state for _n, state, _d in states(session)] == ["submitted", "waiting", "waiting"]
    told(claim(session, 1), evergreen(session))
    assert [state for _n, state, _d in states(session)] == ["accepted", "ready", "waiting"]
    exchange.build_batches()
    assert exchange.build_batches() == []
    told(claim(session, 2), answer(session, 2, "20.00", ("OA", "23", "148.00"), ("PR", "2", "52.00")))
    assert cost(session) == (D("52.00"), "after_primary")
    assert [state for _n, state, _d in states(session)] == ["accepted", "accepted", "ready"]
    assert len(content_of(claim(session, 3)).other_payers) == 2
    exchange.build_batches()
    told(claim(session, 3), answer(session, 3, "42.00", ("OA", "23", "168.00"), ("PR", "3", "10.00")))
    assert cost(session) == (D("10.00"), "final")
    assert Refund.objects.get().amount == D("62.00")


def test_three_plans_with_the_middle_one_out_of_network(cast: Cast, third: Coverage) -> None:
    NetworkContract.objects.filter(payer=third.payer).delete()
    card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    assert [state for _n, state, _d in states(session)] == ["accepted", "not_needed", "ready"]
    assert claim(session, 2).reason == "We are not in network with Third Health, so we cannot send claims to it."
    exchange.build_batches()
    told(claim(session, 3), answer(session, 3, "40.00", ("OA", "23", "148.00"), ("PR", "1", "32.00")))
    assert cost(session) == (D("32.00"), "final")


def test_the_primary_taken_back_after_the_secondary_paid(session: Session) -> None:
    first = evergreen(session)
    told(claim(session, 1), first)
    exchange.build_batches()
    told(claim(session, 2), harbor(session))
    told(claim(session, 1), reversal(first))
    assert (cost(session), claim(session, 1).decision) == ((D("32.00"), "final"), "reversed")
    told(claim(session, 1), evergreen(session))
    assert cost(session) == (D("32.00"), "final")
    assert [refund.amount for refund in Refund.objects.all()] == [D("40.00")]


# --- Discovery --------------------------------------------------------------------------------------------------------


def named(cast: Cast, *others: OtherPayer) -> list[SuggestedCoverage]:
    snapshot = observe(cast.own_plan, benefits(other_payers=others))
    check = EligibilityCheck.objects.create(
        coverage=cast.own_plan, state="answered", reason="refresh", service_date=clock.today(),
        trace=next_trace_number(), answered_at=clock.now(),
    )  # fmt: skip
    fresh = BenefitSnapshot.objects.create(
        coverage=cast.own_plan, source="271", eligibility_check=check, effective_on=clock.today(),
        benefits=snapshot.benefits,
    )  # fmt: skip
    return discovery.from_response(fresh)


def test_an_insurer_named_in_an_answer_is_asked_about_once(cast: Cast) -> None:
    summit = payer("SMMT1", "Summit Care", "140.00")
    (found,) = named(cast, OtherPayer("SUMMIT CARE INSURANCE CO", rank="secondary"))
    assert (found.payer, found.payer_name, found.rank, found.member_id) == (summit, "Summit Care", "secondary", "")
    assert named(cast, OtherPayer("Summit Care", member_id="SM77", payer_id="SMMT1")) == []
    found.refresh_from_db()
    assert found.member_id == "SM77", "later news completes an open question"


@pytest.mark.parametrize(
    "other",
    [
        OtherPayer("HARBOR MUTUAL"),
        OtherPayer("Some other words", payer_id="HARB1"),
        OtherPayer("Evergreen Health Plan"),
        OtherPayer("Summit Care", ended=date(2020, 1, 1)),
        OtherPayer("Summit Care", overlaps=False),
        OtherPayer("DELTA DENTAL OF OHIO"),
        OtherPayer("EXPRESS SCRIPTS"),
        OtherPayer(None),
    ],
)
def test_what_is_on_the_account_has_ended_or_covers_other_care_is_no_question(cast: Cast, other: OtherPayer) -> None:
    assert named(cast, other) == []
    assert not SuggestedCoverage.objects.exists()


def test_a_plan_that_is_accepted_is_on_the_account_and_asked_about(cast: Cast) -> None:
    payer("SMMT1", "Summit Care", "140.00")
    (found,) = named(cast, OtherPayer("Summit Care", member_id="SM77"))
    user = cast.ana.user
    assert user is not None
    coverage = confirm_coverage.accept(found, by=user, holder="self")
    assert (coverage.payer.name, coverage.member_id) == ("Summit Care", "SM77")
    assert coverage.checks.get().state == "waiting"
    assert confirm_coverage.accept(found, by=user) == coverage
    assert Coverage.objects.filter(client=cast.ana).count() == 3
    with pytest.raises(discovery.Decided):
        discovery.dismiss(found, by=user)


def test_a_plan_that_was_dismissed_is_not_asked_about_again(cast: Cast) -> None:
    (found,) = named(cast, OtherPayer("Summit Care"))
    discovery.dismiss(found, by=cast.fay)
    assert named(cast, OtherPayer("SUMMIT CARE")) == []
    assert discovery.open_suggestions(cast.ana) == []
    with pytest.raises(discovery.Decided):
        confirm_coverage.accept(found, by=cast.fay, member_id="X1")


# --- Clocks -----------------------------------------------------------------------------------------------------------


def kinds(session: Session) -> list[str]:
    steps = ClaimEvent.objects.filter(claim__session=session).exclude(kind__in=["planned", "submitted", "released"])
    return list(steps.order_by("pk").values_list("kind", flat=True))


def test_results_are_followed_up_before_and_on_the_ninetieth_day_once(session: Session) -> None:
    Claim.objects.filter(session=session, rank=1).update(submission="accepted")
    start = clock.now()
    seen = []
    for day in (59, 60, 60, 83, 89, 90, 91, 200):
        with clock.as_of(start + timedelta(days=day)):
            deadlines.follow_up()
            deadlines.follow_up()
            seen.append([kind for kind in kinds(session) if kind.startswith("result")])
    full = ["result_30", "result_7", "result_0"]
    assert seen == [[], full[:1], full[:1], full[:2], full[:2], full, full, full]


def test_who_was_late_writes_only_the_last_step(session: Session) -> None:
    Claim.objects.filter(session=session, rank=1).update(submission="accepted")
    with clock.as_of(clock.now() + timedelta(days=95)):
        deadlines.follow_up()
        (due,) = [each for each in deadlines.queue() if each.clock == "result"]
    assert [kind for kind in kinds(session) if kind.startswith("result")] == ["result_0"]
    assert due.by == session.date + timedelta(days=90)


def test_a_claim_that_cannot_go_out_is_followed_up_until_filing_ends(cast: Cast) -> None:
    session = cast.book()
    confirm_session.confirm(session)
    first = claim(session, 1)
    Claim.objects.filter(pk=first.pk).update(submission="held")
    assert first.file_by is not None
    start = clock.now()
    for left in (31, 30, 6, 0, -3):
        with clock.as_of(start + (first.file_by - clock.today()) - timedelta(days=left)):
            deadlines.follow_up()
    assert [kind for kind in kinds(session) if kind.startswith("filing")] == ["filing_30", "filing_7", "filing_ended"]


def test_a_claim_nobody_acknowledges_comes_up_after_five_business_days(session: Session) -> None:
    assert deadlines.queue(within=0) == []
    after = clock.add_business_days(clock.today(), 5)
    with clock.as_of(clock.now() + (after - timedelta(days=1) - clock.today())):
        assert deadlines.follow_up() == 0
    with clock.as_of(clock.now() + (after - clock.today())):
        assert deadlines.follow_up() == 1
        assert deadlines.follow_up() == 0
        (due,) = deadlines.queue(within=0)
        assert (due.claim, due.clock, due.by, deadlines.count_over()) == (
            claim(session, 1),
            "acknowledgement",
            after,
            1,
        )


def test_a_session_that_is_done_has_no_clock(session: Session) -> None:
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    told(claim(session, 2), harbor(session, "0.00", adjustments(("PR", "204", "220.00"))))
    with clock.as_of(clock.now() + timedelta(days=95)):
        assert deadlines.queue() == []
        assert deadlines.follow_up() == 0


# --- The expected result ----------------------------------------------------------------------------------------------


def test_three_figures_before_any_plan_has_answered(session: Session) -> None:
    """Harbor alone: 120.00 of deductible is left of 150.00, so it would pay 30.00; of the 72.00 open, 42.00 stays."""
    found = expected(session)
    assert found is not None
    # In network with both, the lower allowed amount bounds the client: 150.00 − 88.00 − 30.00.
    assert (found.now, found.likely, found.most, found.refund) == (D("72.00"), D("32.00"), D("72.00"), D("40.00"))
    assert found.payers == ("Harbor Mutual",)


def test_the_first_plans_decision_takes_the_place_of_its_estimate(session: Session) -> None:
    told(claim(session, 1), evergreen(session, "60.00", adjustments(("CO", "45", "60.00"), ("PR", "1", "100.00"))))
    found = expected(session)
    assert found is not None
    assert (found.now, found.likely, found.most) == (D("72.00"), D("60.00"), D("100.00"))


def test_there_is_nothing_to_expect_of_one_plan_of_none_to_bill_or_of_a_final_cost(
    session: Session, cast: Cast
) -> None:
    NetworkContract.objects.filter(payer=cast.harbor).delete()
    assert expected(cast.book(days=3)) is None
    Coverage.objects.filter(pk=cast.bens_plan.pk).update(removed_at=clock.now())
    assert expected(cast.book(days=4)) is None
    told(claim(session, 1), evergreen(session, "160.00", adjustments(("CO", "45", "60.00"))))
    assert expected(session) is None


def test_earlier_sessions_use_up_the_second_plans_deductible_first(session: Session, cast: Cast) -> None:
    later = cast.book(days=7)
    costs.reprice(cast.ana)
    found = expected(later)
    assert found is not None
    # Evergreen leaves 32.00 of the next session; Harbor's 120.00 are met by the one before, so it pays all of it.
    assert (found.now, found.likely, found.refund) == (D("32.00"), D("0.00"), D("32.00"))


def test_nobody_is_ever_charged_by_it(cast: Cast) -> None:
    card(cast.ana)
    session = cast.book()
    costs.reprice(cast.ana)
    before = list(SessionCost.objects.values())
    assert expected(session) is not None
    assert list(SessionCost.objects.values()) == before
    confirm_session.confirm(session)
    assert Payment.objects.get().amount == D("72.00")
    assert expected(session) is not None
    assert SessionCost.objects.filter(session=session).count() == len(before)


def test_its_queries_do_not_grow_with_the_sessions(session: Session, cast: Cast, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    for days in range(-6, 0):
        confirm_session.confirm(cast.book(days=days))
    with django_assert_max_num_queries(30):
        assert expected(session) is not None
