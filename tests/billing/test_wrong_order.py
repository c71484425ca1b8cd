"""The wrong plan was asked first: what went out is taken back, and the right plan asked, at no cost to anybody."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from billing.flows import confirm_session, order_plans, refresh_benefits
from billing.flows.exchange_claims import read
from billing.models import Comparison, Payment, ProviderEarning, Refund
from billing.services import books
from care.models import Session
from common import clock
from insurance.domain.benefits import CobSignal, OtherPayer
from insurance.models import AccountPause, Claim, ClaimEvent, Coverage, EdiFile
from insurance.services import claims, exchange, files, pauses, plan_order, rework
from insurance.services.claim_content import content_of
from insurance.x12 import validate, x277ca, x835
from insurance.x12.names import Name
from insurance.x12.segments import Party
from tests.billing.answers import claim, confirmed, cost, evergreen, told
from tests.cast import Cast, benefits, card, observe, payer
from tests.remittance_files import adjustments, result

D = Decimal
OTHER_FIRST = adjustments(("CO", "22", "220.00"))


@pytest.fixture
def session(cast: Cast) -> Session:
    """Confirmed while Evergreen is taken for the plan that pays first."""
    card(cast.ana)
    return confirmed(cast)


@pytest.fixture(autouse=True)
def _books_hold(cast: Cast) -> Iterator[None]:
    yield
    assert [(outcome.check.name, outcome.examples) for outcome in books.run() if outcome.violations] == []


def sent(session: Session, *, number: str = "") -> Claim:
    """The first claim is with its insurer, which has given it a number."""
    first = claim(session, 1)
    assert first.submission == "submitted"
    if number:
        Claim.objects.filter(pk=first.pk).update(submission="accepted", payer_control_number=number)
        first.refresh_from_db()
    return first


def harbor_is_first(cast: Cast) -> None:
    """Evergreen's records say so, and an insurer's word is in force."""
    snapshot = observe(cast.own_plan, benefits(
        cob_signal=CobSignal.ANOTHER_IS_PRIMARY, other_payers=(OtherPayer("HARBOR MUTUAL", "primary"),)
    ))  # fmt: skip
    refresh_benefits.settle(snapshot)


def sequence(session: Session) -> list[tuple[str, str]]:
    return [(each.coverage.payer.name, each.submission) for each in claims.sequence(session)]


def voids(session: Session) -> list[Claim]:
    return list(session.claims.filter(frequency="8").order_by("pk"))


# --- Before a decision ------------------------------------------------------------------------------------------------


def test_nothing_was_sent_the_claims_change_places(cast: Cast) -> None:
    session = confirm_session.confirm(cast.book())
    harbor_is_first(cast)
    assert sequence(session) == [("Harbor Mutual", "ready"), ("Evergreen Health", "waiting")]
    assert not voids(session)


def test_an_accepted_claim_is_voided_and_both_plans_are_asked_in_their_turn(session: Session, cast: Cast) -> None:
    wrong = sent(session, number="EV77")
    harbor_is_first(cast)
    assert sequence(session) == [("Harbor Mutual", "ready"), ("Evergreen Health", "waiting")]
    (void,) = voids(session)
    wrong.refresh_from_db()
    assert (void.submission, void.payer_control_number, void.replaces) == ("ready", "EV77", wrong)
    assert wrong.submission == "replaced"


def test_the_void_says_again_what_was_sent_with_the_insurer_s_number(session: Session, cast: Cast) -> None:
    wrong = sent(session, number="EV77")
    before = content_of(wrong)
    harbor_is_first(cast)
    (void,) = voids(session)
    said = content_of(void)
    assert (said.frequency, said.payer_control_number, said.control_number) == ("8", "EV77", void.control_number)
    assert (said.payer, said.rank, said.lines) == (before.payer, before.rank, before.lines)
    files_built = exchange.build_batches()
    assert len(files_built) == 2, "one to Evergreen with the void, one to Harbor with its claim"
    assert all(validate.findings(bytes(each.raw)) == [] for each in files_built)


def test_a_claim_without_a_number_is_voided_as_soon_as_it_has_one(session: Session, cast: Cast) -> None:
    wrong = sent(session)
    harbor_is_first(cast)
    (void,) = voids(session)
    assert void.submission == "waiting"
    exchange.build_batches()
    void.refresh_from_db()
    assert void.submission == "waiting"
    read(acknowledgement(wrong, accepted=True))
    exchange.build_batches()
    void.refresh_from_db()
    assert (void.submission, void.payer_control_number) == ("submitted", "EV88")


def test_a_claim_that_was_turned_away_needs_no_void(session: Session, cast: Cast) -> None:
    wrong = sent(session)
    harbor_is_first(cast)
    read(acknowledgement(wrong, accepted=False))
    exchange.build_batches()
    (void,) = voids(session)
    assert (void.submission, void.reason) == (
        "not_needed", "The insurer never took the claim in: there is nothing to take back."
    )  # fmt: skip


def test_the_wrong_plan_is_not_asked_again_before_it_has_the_void(session: Session, cast: Cast) -> None:
    sent(session)
    harbor_is_first(cast)
    told(claim(session, 1), harbor_first(session))
    assert sequence(session)[1] == ("Evergreen Health", "ready")
    exchange.build_batches()
    assert sequence(session)[1] == ("Evergreen Health", "ready"), "its void has not gone out yet"
    Claim.objects.filter(frequency="8").update(submission="accepted")
    exchange.build_batches()
    assert sequence(session)[1] == ("Evergreen Health", "submitted")


def test_settling_again_takes_nothing_back_twice(session: Session, cast: Cast) -> None:
    sent(session, number="EV77")
    harbor_is_first(cast)
    before = list(session.claims.order_by("pk").values_list("pk", "submission", "rank"))
    harbor_is_first(cast)
    rework.rework(session, plan_order.plans_in_order(cast.ana, on=session.date))
    assert list(session.claims.order_by("pk").values_list("pk", "submission", "rank")) == before


def test_a_worker_that_dies_halfway_leaves_nothing_half_done(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(session, number="EV77")
    before = list(session.claims.order_by("pk").values_list("pk", "submission", "rank"))
    with monkeypatch.context() as patched:
        patched.setattr(rework, "_put", lambda *_: (_ for _ in ()).throw(RuntimeError("died")))
        with pytest.raises(RuntimeError):
            harbor_is_first(cast)
    assert list(session.claims.order_by("pk").values_list("pk", "submission", "rank")) == before
    assert plan_order.plans_in_order(cast.ana, on=clock.today())[0] == cast.own_plan
    refresh_benefits.settle(cast.own_plan.snapshots.order_by("-pk")[0])
    assert sequence(session) == [("Harbor Mutual", "ready"), ("Evergreen Health", "waiting")]


def test_the_order_back_again_is_followed_back_again(session: Session, cast: Cast) -> None:
    sent(session, number="EV77")
    harbor_is_first(cast)
    exchange.build_batches()
    Claim.objects.filter(submission="submitted").update(submission="accepted", payer_control_number="HB1")
    refresh_benefits.settle(observe(cast.own_plan, benefits(cob_signal=CobSignal.THIS_IS_PRIMARY)))
    assert sequence(session) == [("Evergreen Health", "ready"), ("Harbor Mutual", "waiting")]
    assert [each.coverage.payer.name for each in voids(session)] == ["Evergreen Health", "Harbor Mutual"]


# --- Money ------------------------------------------------------------------------------------------------------------


def harbor_first(session: Session) -> x835.RemittedClaim:
    """Harbor as the first plan: allows 150.00, pays 120.00, leaves 30.00."""
    return result(
        claim(session, 1), paid="120.00", why=adjustments(("CO", "45", "70.00"), ("PR", "2", "30.00")), status="1"
    )


def test_the_client_and_the_provider_are_settled_as_if_it_had_gone_right(session: Session, cast: Cast) -> None:
    charged = Payment.objects.get().amount
    earned = ProviderEarning.objects.get().amount
    assert (charged, earned) == (D("72.00"), D("160.00"))
    sent(session, number="EV77")
    harbor_is_first(cast)
    assert cost(session) == (D("72.00"), "estimate"), "what was charged stays until the plans have answered"
    Claim.objects.filter(frequency="8").update(submission="accepted")
    told(claim(session, 1), harbor_first(session))
    assert cost(session) == (D("30.00"), "after_primary")
    assert not Refund.objects.exists()
    exchange.build_batches()
    second = adjustments(("OA", "23", "120.00"), ("CO", "45", "70.00"), ("PR", "2", "5.00"))
    told(claim(session, 2), result(claim(session, 2), paid="25.00", why=second, status="2"))
    assert cost(session) == (D("5.00"), "final")
    assert [earning.amount for earning in ProviderEarning.objects.all()] == [D("160.00")]


def test_an_answer_is_not_held_against_an_estimate_by_another_plan(session: Session, cast: Cast) -> None:
    """Evergreen's rate of 160.00 was charged; that Harbor allows 150.00 is no difference of Harbor's contract."""
    sent(session, number="EV77")
    harbor_is_first(cast)
    Claim.objects.filter(frequency="8").update(submission="accepted")
    told(claim(session, 1), harbor_first(session))
    assert not Comparison.objects.exists()


def test_an_insurer_that_paid_in_the_wrong_order_is_for_support_to_decide(session: Session, cast: Cast) -> None:
    told(claim(session, 1), evergreen(session))
    before = sequence(session)
    harbor_is_first(cast)
    assert sequence(session) == before
    (item,) = rework.for_a_person()
    assert item == claim(session, 1)
    event = ClaimEvent.objects.get(kind="order_wrong")
    assert event.text == (
        "Evergreen Health has paid $88.00 for this session in the wrong order: Harbor Mutual should have been asked "
        "first. Taking the claim back makes Evergreen Health take its payment back."
    )
    harbor_is_first(cast)
    assert ClaimEvent.objects.filter(kind="order_wrong").count() == 1


def test_support_puts_it_right_all_the_same(session: Session, cast: Cast) -> None:
    told(claim(session, 1), evergreen(session))
    harbor_is_first(cast)
    (item,) = rework.for_a_person()
    assert order_plans.put_right(item, reason="Harbor confirmed by phone", by=cast.fay)
    assert sequence(session) == [("Harbor Mutual", "ready"), ("Evergreen Health", "waiting")]
    assert [each.payer_control_number for each in voids(session)] == [f"ICN{item.pk}"]
    assert not rework.for_a_person().exists()


def test_support_leaves_it_as_it_was_sent(session: Session, cast: Cast) -> None:
    told(claim(session, 1), evergreen(session))
    harbor_is_first(cast)
    (item,) = rework.for_a_person()
    order_plans.leave_as_sent(item, reason="Both agree to leave it", by=cast.fay)
    assert not rework.for_a_person().exists()
    harbor_is_first(cast)
    assert not rework.for_a_person().exists()


def test_a_first_plan_we_cannot_bill_waits_for_a_person(session: Session, cast: Cast) -> None:
    sent(session, number="EV77")
    cast.harbor.contracts.all().delete()
    harbor_is_first(cast)
    assert not voids(session)
    assert "Harbor Mutual should pay first for this session" in ClaimEvent.objects.get(kind="order_wrong").text


# --- Refused because of the order -------------------------------------------------------------------------------------


def test_a_plan_heard_of_by_a_refusal_is_asked_first_once_the_account_goes_on(cast: Cast) -> None:
    Coverage.objects.filter(pk=cast.bens_plan.pk).update(removed_at=clock.now())
    plan_order.decide(cast.ana)
    card(cast.ana)
    session = confirmed(cast)
    sent(session)
    told(claim(session, 1), evergreen(session, "0.00", OTHER_FIRST))
    assert claim(session, 1).decision == "cob"
    Coverage.objects.filter(pk=cast.bens_plan.pk).update(removed_at=None)
    harbor_is_first(cast)
    assert sequence(session) == [("Harbor Mutual", "held"), ("Evergreen Health", "held")]
    again = claim(session, 2)
    assert (again.frequency, again.payer_control_number[:3]) == ("7", "ICN")
    pauses.clear_by_hand(pause=AccountPause.objects.get(), reason="settled by phone")
    assert sequence(session) == [("Harbor Mutual", "ready"), ("Evergreen Health", "waiting")]


def test_three_plans_only_what_moved_is_asked_again(cast: Cast) -> None:
    third = payer("THRD1", "Third Health", "140.00")
    cast.cole.credentials.create(payer=third, state="NY", begins_on=cast.ana.birth_date)
    plan = Coverage.objects.create(client=cast.ana, payer=third, member_id="TH1", stated_rank=3, holder_status="cobra")
    plan_order.decide(cast.ana)
    card(cast.ana)
    session = confirmed(cast)
    assert [name for name, _state in sequence(session)] == ["Evergreen Health", "Third Health", "Harbor Mutual"]
    first = sent(session, number="EV77")
    rework.rework(session, [cast.own_plan, cast.bens_plan, plan])
    assert sequence(session) == [
        ("Evergreen Health", "accepted"), ("Harbor Mutual", "waiting"), ("Third Health", "waiting"),
    ]  # fmt: skip
    assert claim(session, 1) == first
    assert not voids(session)


# --- Files ------------------------------------------------------------------------------------------------------------


def acknowledgement(of: Claim, *, accepted: bool) -> EdiFile:
    """The insurer's 277CA for one claim; one that it takes in gets a number."""
    said = x277ca.AcknowledgedClaim(
        control_number=of.control_number,
        statuses=(x277ca.Status("A2", "20") if accepted else x277ca.Status("A7", "562"),),
        payer_control_number="EV88" if accepted else "",
    )
    answer = x277ca.Acknowledgement(
        source=Name("EVERGREEN HEALTH", qualifier="PI", identifier="EVGR1"),
        source_kind="PR",
        receiver=Name("HEADWAY", qualifier="46", identifier="HEADWAY"),
        batch_reference="B1",
        claims=(said,),
    )
    raw = x277ca.build(
        [answer], sender=Party("HARBORSIDE"), receiver=Party("HEADWAY"), control_number=7, at=clock.now()
    )
    return files.store_incoming(kind=EdiFile.Kind.CLAIM_ACKNOWLEDGEMENT, raw=raw)[0]
