"""Pauses, plans that change places, come or go while claims are planned: nobody stays paused for want of a question."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from billing.flows import close_claim, confirm_session, refresh_benefits
from billing.services import books
from care.models import Session
from common import clock
from insurance.domain.benefits import Benefits, CobSignal, OtherPayer
from insurance.models import AccountPause, BenefitSnapshot, Claim, Coverage, EdiFile, EligibilityCheck
from insurance.services import claims, exchange, files, pauses
from insurance.services.eligibility import request_check
from insurance.x12 import validate
from tests import cast as people
from tests.billing.answers import D, claim, confirmed, cost, evergreen, harbor, told
from tests.cast import Cast, benefits
from tests.remittance_files import adjustments, result


@pytest.fixture(autouse=True)
def _books_hold(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(validate, "findings", lambda raw: [])
    yield
    assert [(outcome.check.name, outcome.examples) for outcome in books.run() if outcome.violations] == []


@pytest.fixture
def session(cast: Cast) -> Session:
    people.card(cast.ana)
    return confirmed(cast)


@pytest.fixture
def pause(session: Session) -> AccountPause:
    """Evergreen wants its member to settle who pays first."""
    told(claim(session, 1), result(claim(session, 1), paid="0.00", why=COB, remarks=("N197",)))
    return AccountPause.objects.get()


def asked(check: EligibilityCheck, at: datetime) -> EligibilityCheck:
    """The check's 270 went out at ``at``."""
    number = files.next_interchange_number()
    file = files.store_outgoing(kind=EdiFile.Kind.INQUIRY, raw=str(number).encode(), control_number=number, payer=None)
    EdiFile.objects.filter(pk=file.pk).update(created_at=at)
    EligibilityCheck.objects.filter(pk=check.pk).update(state="asked", request=file)
    return EligibilityCheck.objects.get(pk=check.pk)


def answered(check: EligibilityCheck, says: Benefits) -> None:
    """The insurer answers, and everything follows."""
    EligibilityCheck.objects.filter(pk=check.pk).update(state="answered")
    refresh_benefits.settle(
        BenefitSnapshot.objects.create(
            coverage=check.coverage,
            eligibility_check=check,
            source=BenefitSnapshot.Source.RESPONSE,
            effective_on=clock.today(),
            active=says.active,
            plan_begin=says.plan_begin,
            plan_end=says.plan_end,
            benefits=says.to_json(),
        )
    )


def check_now(coverage: Coverage) -> EligibilityCheck:
    return asked(request_check(coverage=coverage, reason=EligibilityCheck.Reason.REFRESH), clock.now())


def paused(cast: Cast) -> bool:
    cast.ana.refresh_from_db()
    return cast.ana.paused_since is not None


def order(session: Session) -> list[tuple[int, str, str]]:
    return [(each.rank, each.coverage.payer.name, each.submission) for each in claims.sequence(session)]


COB = adjustments(("CO", "22", "220.00"))
HARBOR_FIRST: dict[str, Any] = {
    "cob_signal": CobSignal.ANOTHER_IS_PRIMARY,
    "other_payers": (OtherPayer("Harbor Mutual", rank="primary", payer_id="HARB1"),),
}


# Asking


def test_a_question_that_waited_since_before_the_pause_ends_it_when_asked_after(session: Session, cast: Cast) -> None:
    waiting = request_check(coverage=cast.own_plan, reason=EligibilityCheck.Reason.SCHEDULED)
    told(claim(session, 1), result(claim(session, 1), paid="0.00", why=COB, remarks=("N197",)))
    assert refresh_benefits.give_reference(AccountPause.objects.get(), "REF-1") == waiting
    answered(asked(waiting, clock.now()), benefits())
    assert not paused(cast)


def test_a_question_asked_before_the_pause_does_not_end_it_and_another_follows(session: Session, cast: Cast) -> None:
    before = check_now(cast.own_plan)
    told(claim(session, 1), result(claim(session, 1), paid="0.00", why=COB, remarks=("N197",)))
    pause = AccountPause.objects.get()
    assert refresh_benefits.give_reference(pause, "REF-1") == before
    assert pauses.to_ask_again() == [], "one is under way"
    answered(before, benefits())
    assert paused(cast)
    assert pauses.to_ask_again() == [pause]
    refresh_benefits.ask_again(pause.coverage)
    assert pauses.to_ask_again() == []


def test_an_insurer_that_could_not_answer_is_asked_again_the_next_day(pause: AccountPause, cast: Cast) -> None:
    check = refresh_benefits.give_reference(pause, "REF-1")
    asked(check, clock.now())
    EligibilityCheck.objects.filter(pk=check.pk).update(state="rejected")
    assert pauses.to_ask_again() == []
    with clock.as_of(clock.now() + timedelta(hours=25)):
        assert pauses.to_ask_again() == [pause]


def test_a_pause_whose_client_has_not_called_is_left_alone(pause: AccountPause) -> None:
    assert pauses.to_ask_again() == []


# Resuming


def test_two_pauses_end_only_together_and_each_refused_claim_goes_out_once(
    session: Session, cast: Cast, pause: AccountPause
) -> None:
    pauses.open_pause(coverage=cast.bens_plan, evidence=AccountPause.Evidence.SUPPORT)
    answered(check_now(cast.own_plan), benefits())
    assert paused(cast)
    assert order(session) == [(1, "Evergreen Health", "accepted"), (2, "Harbor Mutual", "held")]
    answered(check_now(cast.bens_plan), benefits())
    assert not paused(cast)
    assert order(session) == [(1, "Evergreen Health", "ready"), (2, "Harbor Mutual", "waiting")]
    assert Claim.objects.filter(session=session).count() == 3


def test_an_insurer_that_names_a_plan_we_do_not_know_does_not_end_the_pause(cast: Cast, pause: AccountPause) -> None:
    stranger = (OtherPayer("Unheard Of", rank="primary"),)
    answered(check_now(cast.own_plan), benefits(cob_signal=CobSignal.ANOTHER_IS_PRIMARY, other_payers=stranger))
    assert paused(cast)


def test_claims_follow_an_order_that_was_the_other_way_round(session: Session, cast: Cast, pause: AccountPause) -> None:
    answered(check_now(cast.own_plan), benefits(**HARBOR_FIRST))
    assert not paused(cast)
    assert order(session) == [(1, "Harbor Mutual", "ready"), (2, "Evergreen Health", "waiting")]
    assert claim(session, 1).file_by == session.date + timedelta(days=180)
    assert [file.payer for file in exchange.build_batches()] == [cast.harbor]
    why = adjustments(("CO", "45", "70.00"), ("PR", "1", "120.00"))
    told(claim(session, 1), result(claim(session, 1), paid="30.00", why=why))
    assert cost(session) == (D("120.00"), "after_primary")
    assert claim(session, 2).submission == "ready"
    exchange.build_batches()
    why = adjustments(("OA", "23", "100.00"), ("PR", "1", "20.00"))
    told(claim(session, 2), result(claim(session, 2), paid="100.00", why=why))
    assert cost(session) == (D("20.00"), "final")


def test_a_plan_added_in_the_pause_that_pays_first_is_asked_first(cast: Cast) -> None:
    refresh_benefits.remove_plan(cast.bens_plan)
    people.card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), result(claim(session, 1), paid="0.00", why=COB, status="1"))
    added = refresh_benefits.add_plan(
        client=cast.ana, payer=cast.harbor, member_id="HB200", holder="spouse", holder_first_name="Ben",
        holder_last_name="Rivera", holder_status="active",
    )  # fmt: skip
    answered(asked(added.checks.get(), clock.now()), benefits(cob_signal=CobSignal.THIS_IS_PRIMARY))
    answered(check_now(cast.own_plan), benefits(**HARBOR_FIRST))
    assert not paused(cast)
    assert order(session) == [(1, "Harbor Mutual", "ready"), (2, "Evergreen Health", "waiting")]


# Plans taken off, claims closed


def test_a_plan_taken_off_after_the_primary_paid_ends_the_wait(session: Session, cast: Cast) -> None:
    told(claim(session, 1), evergreen(session))
    refresh_benefits.remove_plan(cast.bens_plan)
    assert claim(session, 2).submission == "not_needed"
    assert cost(session) == (D("72.00"), "final")


def test_a_plan_taken_off_before_the_primary_paid_is_not_asked(session: Session, cast: Cast) -> None:
    refresh_benefits.remove_plan(cast.bens_plan)
    told(claim(session, 1), evergreen(session))
    assert claim(session, 2).submission == "not_needed"
    assert cost(session) == (D("72.00"), "final")


def test_a_primary_taken_off_before_it_was_asked_makes_room_for_the_next(cast: Cast) -> None:
    people.card(cast.ana)
    session = cast.book()
    confirm_session.confirm(session)
    refresh_benefits.remove_plan(cast.own_plan)
    assert order(session) == [(1, "Harbor Mutual", "ready"), (2, "Evergreen Health", "not_needed")]


def test_a_secondary_that_stays_denied_is_closed_by_support_and_the_client_settled(
    session: Session, cast: Cast
) -> None:
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    told(claim(session, 2), harbor(session, "0.00", adjustments(("CO", "197", "220.00"))))
    assert cost(session) == (D("72.00"), "after_primary")
    close_claim.close(claim(session, 2), reason="Appeal lost", actor=cast.fay)
    assert cost(session) == (D("72.00"), "final")


def test_a_claim_under_way_is_not_closed(session: Session, cast: Cast) -> None:
    told(claim(session, 1), evergreen(session))
    with pytest.raises(claims.ClaimRefused):
        close_claim.close(claim(session, 1), reason="mistake", actor=cast.fay)
