"""What pauses an account and what does not, never twice for one cause, reminders; nothing gets past a pause."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.test import Client as Browser
from django.urls import reverse

from billing import tasks
from billing.admin.story import story
from billing.flows import refresh_benefits
from care.models import Session
from care.services.sessions import ClientPaused
from common import clock
from insurance.domain.benefits import CobSignal, OtherPayer
from insurance.models import AccountPause, Claim, Coverage, EligibilityCheck
from insurance.services import claims, exchange, pauses
from insurance.services.eligibility import request_check
from insurance.x12 import validate
from notifications.models import Email
from tests import cast as people
from tests.billing.answers import claim, confirmed, told
from tests.billing.test_adversity_pauses import COB, HARBOR_FIRST, answered, asked, check_now
from tests.cast import Cast, assemble, benefits
from tests.insurance.test_acknowledgements import take_277ca
from tests.remittance_files import result

MUST_CALL = ("COORDINATION OF BENEFITS IS NOT UP TO DATE. MEMBER MUST CALL MEMBER SERVICES",)
EVERGREEN_FIRST: dict[str, Any] = {
    "cob_signal": CobSignal.ANOTHER_IS_PRIMARY,
    "other_payers": (OtherPayer("Evergreen Health", rank="primary", payer_id="EVGR1"),),
}


@pytest.fixture
def cast(db: None, monkeypatch: pytest.MonkeyPatch) -> Cast:
    monkeypatch.setattr(validate, "findings", lambda raw: [])
    return assemble()


@pytest.fixture
def session(cast: Cast) -> Session:
    people.card(cast.ana)
    return confirmed(cast)


def answer(coverage: Coverage, **says: Any) -> None:
    answered(check_now(coverage), benefits(**says))


def refused(session: Session) -> None:
    """Evergreen refuses the newest claim: its member must act."""
    told(claim(session, 1), result(claim(session, 1), paid="0.00", why=COB, remarks=("N197",)))


def is_paused(cast: Cast) -> bool:
    cast.ana.refresh_from_db()
    assert (cast.ana.paused_since is not None) == AccountPause.objects.filter(cleared_at=None).exists()
    return cast.ana.paused_since is not None


# 271


def test_an_answer_that_sends_its_member_to_the_phone_pauses_with_its_words(cast: Cast) -> None:
    answer(cast.own_plan, cob_signal=CobSignal.UNDETERMINED, messages=MUST_CALL)
    pause = AccountPause.objects.get()
    assert is_paused(cast)
    assert (pause.evidence, pause.evidence_codes, pause.reason) == ("271", "MSG", MUST_CALL[0])


@pytest.mark.parametrize(
    "says",
    [
        {"cob_signal": CobSignal.UNDETERMINED},
        {"cob_signal": CobSignal.UNDETERMINED, "other_payers": (OtherPayer("Unheard Of"),)},
        {"cob_signal": CobSignal.ANOTHER_IS_PRIMARY, "other_payers": (OtherPayer("Unheard Of", rank="primary"),)},
        HARBOR_FIRST,
        {"cob_signal": CobSignal.NO_OVERLAP, "messages": MUST_CALL},
    ],
    ids=["open order", "another without rank", "another we do not know", "another we know", "other services only"],
)
def test_an_answer_that_asks_nothing_of_its_member_pauses_nobody(cast: Cast, says: dict[str, Any]) -> None:
    answer(cast.own_plan, **says)
    assert not is_paused(cast)


def test_two_insurers_that_each_name_the_other_pause_the_account_once(cast: Cast) -> None:
    answer(cast.own_plan, **HARBOR_FIRST)
    assert not is_paused(cast)
    answer(cast.bens_plan, **EVERGREEN_FIRST)
    answer(cast.own_plan, **HARBOR_FIRST)
    assert is_paused(cast)
    pause = AccountPause.objects.get()
    assert pause.evidence_codes == "PRP/PRP"
    assert "each say that the other one pays first" in pause.reason


def test_the_same_answer_settled_again_after_the_pause_is_over_pauses_nobody(cast: Cast) -> None:
    check = check_now(cast.own_plan)
    answered(check, benefits(cob_signal=CobSignal.UNDETERMINED, messages=MUST_CALL))
    answer(cast.own_plan)
    assert not is_paused(cast)
    refresh_benefits.settle_check(check.pk)
    assert not is_paused(cast)
    assert AccountPause.objects.count() == 1


def test_an_answer_to_a_question_from_before_the_end_of_the_pause_pauses_nobody(cast: Cast) -> None:
    pauses.open_pause(coverage=cast.own_plan, evidence="835")
    late = asked(request_check(coverage=cast.own_plan, reason="refresh"), clock.now())
    pauses.clear_by_hand(pause=AccountPause.objects.get(), reason="they said so")
    answered(late, benefits(cob_signal=CobSignal.UNDETERMINED, messages=MUST_CALL))
    assert not is_paused(cast)


def test_new_evidence_after_the_end_pauses_again(cast: Cast) -> None:
    for _ in range(2):
        answer(cast.own_plan, cob_signal=CobSignal.UNDETERMINED, messages=MUST_CALL)
        assert is_paused(cast)
        answer(cast.own_plan)
        assert not is_paused(cast)
    assert AccountPause.objects.count() == 2


# 835: the same cause


def test_a_refusal_of_another_claim_from_before_the_end_is_sent_again_without_a_second_pause(
    session: Session, cast: Cast
) -> None:
    other = confirmed(cast, days=-1)
    refused(session)
    answer(cast.own_plan)
    assert not is_paused(cast)
    refused(other)
    assert not is_paused(cast)
    assert AccountPause.objects.count() == 1
    first = claims.sequence(other)[0]
    assert (first.submission, first.decision) == ("ready", "none")
    exchange.build_batches()
    refused(other)
    assert is_paused(cast), "sent after the records were said to be right, and refused again"


# 277CA


def rejected(session: Session, status: str) -> None:
    category, code = status.split(":")
    take_277ca(claim(session, 1), category, code=code)


@pytest.mark.parametrize(("status", "pauses_it"), [("A3:52", True), ("A6:171", False), ("A3:116", False)])
def test_a_claim_that_is_not_taken_in(session: Session, cast: Cast, status: str, pauses_it: bool) -> None:
    rejected(session, status)
    assert is_paused(cast) is pauses_it
    assert claim(session, 1).submission == "rejected"


def test_without_another_plan_only_the_member_can_tell_of_the_other_insurance(cast: Cast) -> None:
    refresh_benefits.remove_plan(cast.bens_plan)
    people.card(cast.ana)
    rejected(confirmed(cast), "A6:171")
    assert AccountPause.objects.get().evidence == "277CA"


def test_the_claim_that_was_not_taken_in_goes_out_again_when_the_account_resumes(session: Session, cast: Cast) -> None:
    rejected(session, "A3:52")
    refresh_benefits.give_reference(AccountPause.objects.get(), "R-1")
    answered(asked(cast.own_plan.checks.get(), clock.now()), benefits())
    assert not is_paused(cast)
    again = claim(session, 1)
    assert (again.submission, again.frequency, again.replaces is not None) == ("ready", "1", True)


# Support


def test_support_pauses_with_a_reason_and_ends_what_it_began(cast: Cast) -> None:
    fay = Browser()
    fay.force_login(cast.fay)
    address = reverse("admin:insurance_coverage_repair", args=[cast.own_plan.pk, "pause"])
    assert fay.post(address, {"text": ""}).status_code == 422
    assert not is_paused(cast)
    assert fay.post(address, {"text": "Evergreen told me on the phone"}).status_code == 302
    pause = AccountPause.objects.get()
    assert is_paused(cast)
    assert (pause.evidence, pause.reason) == ("support", "Evergreen told me on the phone")
    over = reverse("admin:insurance_accountpause_repair", args=[pause.pk, "resume"])
    fay.post(over, {"text": "It was another member"})
    assert not is_paused(cast)


def test_support_cannot_wave_through_what_an_insurer_began(session: Session, cast: Cast) -> None:
    refused(session)
    fay = Browser()
    fay.force_login(cast.fay)
    over = reverse("admin:insurance_accountpause_repair", args=[AccountPause.objects.get().pk, "resume"])
    assert fay.post(over, {"text": "please"}).status_code == 422
    assert is_paused(cast)


# Nothing gets past a pause


@pytest.fixture
def on_hold(cast: Cast) -> Iterator[Session]:
    """A session of today that was booked before the pause."""
    people.card(cast.ana)
    session = cast.book()
    pauses.open_pause(coverage=cast.own_plan, evidence="835")
    yield session
    session.refresh_from_db()
    assert session.status == "scheduled", "kept, and not confirmed"
    assert Session.objects.count() == 1


def test_pages_api_admin_and_database_all_refuse(cast: Cast, on_hold: Session) -> None:
    cole, fay = Browser(), Browser()
    assert cast.cole.user is not None
    cole.force_login(cast.cole.user)
    fay.force_login(cast.fay)
    page = f"/provider/sessions/{on_hold.pk}"
    cole.post(f"{page}/confirm/", {"charge": "32.00", "earning": "160.00"})
    api = f"/api/v1/provider/sessions/{on_hold.pk}/confirmation/"
    said = cole.post(api, {"charge": "32.00", "earning": "160.00"}, content_type="application/json")
    assert said.status_code in (409, 422)
    booking = {
        "client": cast.ana.pk, "starts_at": (clock.now() + timedelta(days=2)).isoformat(),
        "procedures": [{"cpt": "90837"}], "diagnoses": ["F41.1"],
    }  # fmt: skip
    assert cole.post("/api/v1/provider/sessions/", booking, content_type="application/json").status_code in (409, 422)
    form = {
        "client": cast.ana.pk, "date": clock.today() + timedelta(days=2), "time": "10:00", "place": "11",
        "cpt": "90837", "diagnosis": "F41.1",
    }  # fmt: skip
    assert cole.post("/provider/sessions/new/", form).status_code in (200, 422)
    admin = reverse("admin:care_session_change", args=[on_hold.pk])
    assert fay.post(admin, {"status": "confirmed"}).status_code == 403
    with pytest.raises(ClientPaused):
        cast.book(days=3)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        Session.objects.filter(pk=on_hold.pk).update(status="confirmed", confirmed_at=clock.now())


def test_the_provider_reads_since_when_that_nothing_is_asked_and_what_becomes_of_sessions(
    cast: Cast, on_hold: Session
) -> None:
    cole = Browser()
    assert cast.cole.user is not None
    cole.force_login(cast.cole.user)
    page = cole.get(f"/provider/clients/{cast.ana.pk}/").content.decode()
    for words in ("Paused since", "nothing is asked of you", "One booked session is kept"):
        assert words in page


# Reminders


def reminders(cast: Cast, days: float) -> list[str]:
    """The subjects of the reminders so far, after a sweep so many days after the pause."""
    with clock.as_of(AccountPause.objects.get().opened_at + timedelta(days=days, minutes=1)):
        tasks._remind()
    return list(Email.objects.filter(kind="account_still_paused").values_list("subject", flat=True))


@pytest.fixture
def pause(cast: Cast) -> AccountPause:
    return pauses.open_pause(coverage=cast.own_plan, evidence="835")[0]


def test_after_3_10_and_20_days_then_support_s_turn_every_week(cast: Cast, pause: AccountPause) -> None:
    counts = [len(reminders(cast, days)) for days in (1, 2.9, 3, 4, 9, 10, 19, 20, 30)]
    assert counts == [0, 0, 1, 1, 1, 2, 2, 3, 3]
    with clock.as_of(pause.opened_at + timedelta(days=26)):
        assert not pauses.for_support().exists()
    with clock.as_of(pause.opened_at + timedelta(days=28)):
        assert pauses.for_support().get() == pause
        pauses.contacted(pause)
        assert not pauses.for_support().exists()
    with clock.as_of(pause.opened_at + timedelta(days=36)):
        assert pauses.for_support().get() == pause


def test_a_sweep_that_comes_late_reminds_once(cast: Cast, pause: AccountPause) -> None:
    assert len(reminders(cast, 12)) == 1
    assert len(reminders(cast, 12)) == 1


def test_nobody_is_reminded_of_what_is_over(cast: Cast, pause: AccountPause) -> None:
    pauses.clear_by_hand(pause=pause, reason="x")
    with clock.as_of(pause.opened_at + timedelta(days=12)):
        assert pauses.to_remind() == []
        assert not pauses.remind(pause.pk)


def test_who_has_called_is_reminded_only_when_the_insurer_does_not_show_it(cast: Cast, pause: AccountPause) -> None:
    check = refresh_benefits.give_reference(pause, "R-1")
    assert reminders(cast, 4) == [], "the insurer has still to answer"
    asked(check, clock.now())
    EligibilityCheck.objects.filter(pk=check.pk).update(state="answered", answered_at=clock.now())
    assert len(reminders(cast, 4)) == 1
    assert "Thank you for your call" in Email.objects.get(kind="account_still_paused").text


# The timeline


def test_the_timeline_tells_all_of_it(session: Session, cast: Cast) -> None:
    refused(session)
    pause = AccountPause.objects.get()
    reminders(cast, 3)
    refresh_benefits.give_reference(pause, "R-77")
    fay = Browser()
    fay.force_login(cast.fay)
    fay.post(reverse("admin:insurance_accountpause_repair", args=[pause.pk, "check"]), {"text": "She has called"})
    answered(asked(cast.own_plan.checks.get(), clock.now()), benefits())
    assert not is_paused(cast)
    told_there = "\n".join(f"{event.title} {event.text}" for event in story(cast.ana, "pauses"))
    for words in (
        "Paused: Evergreen Health Remittance CO-22 N197", "one phone call is needed", "waits for a phone call",
        "Reference number given: R-77", "She has called", "showed that its records are right", "active again",
    ):  # fmt: skip
        assert words in told_there, words
    assert Claim.objects.filter(session=session, submission="held").count() == 0
