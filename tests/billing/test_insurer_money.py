"""What insurers owe by insurer, money that waits in suspense, and what support decides about it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from billing.flows import place_money
from billing.flows.exchange_claims import read
from billing.flows.place_money import CannotBePlaced
from billing.ledger.posting import Book, balance, find
from billing.models import Refund, SuspenseMove
from billing.services import books, insurer_money
from care.models import Session
from common import clock
from common.errors import BadInput
from insurance.domain import lookback
from insurance.models import Adjudication, ClaimEvent, ProviderAdjustment, Remittance
from insurance.services import claim_suggestions, exchange
from insurance.x12 import x835
from tests.billing.answers import claim, confirmed, cost, evergreen, harbor, reversal, told
from tests.cast import Cast, card
from tests.remittance_files import adjustments, payment, received

D = Decimal


@pytest.fixture
def session(cast: Cast) -> Session:
    card(cast.ana)
    return confirmed(cast)


def by_insurer(session: Session) -> dict[str, Decimal]:
    names = {each.coverage.payer_id: each.coverage.payer.name for each in session.claims.all()}
    return {names[payer or 0]: amount for payer, amount in insurer_money.expected(session).items()}


def variance(session: Session) -> dict[str, Decimal]:
    return {
        name: amount
        for name, payer in {each.coverage.payer.name: each.coverage.payer_id for each in session.claims.all()}.items()
        if (amount := balance(Book.INSURER_VARIANCE, session=session, payer=payer))
    }


def healthy() -> bool:
    return [(each.check.name, each.examples) for each in books.run() if each.violations] == []


# By insurer


def test_a_second_plan_that_pays_a_part_leaves_nothing_expected_and_its_own_variance(session: Session) -> None:
    assert by_insurer(session) == {"Evergreen Health": D("88.00")}
    told(claim(session, 1), evergreen(session))
    assert by_insurer(session) == {}
    exchange.build_batches()
    told(claim(session, 2), harbor(session))
    assert by_insurer(session) == {}
    assert variance(session) == {"Harbor Mutual": D("10.00")}
    assert healthy()


def test_what_the_first_plan_leaves_is_expected_of_the_second(session: Session) -> None:
    says = adjustments(("CO", "45", "60.00"), ("PR", "1", "112.00"))
    told(claim(session, 1), evergreen(session, "48.00", says))
    assert by_insurer(session) == {"Harbor Mutual": D("40.00")}
    exchange.build_batches()
    told(claim(session, 2), harbor(session, "0.00", adjustments(("OA", "23", "108.00"), ("PR", "1", "112.00"))))
    assert cost(session) == (D("112.00"), "final")
    assert by_insurer(session) == {}
    assert variance(session) == {}
    assert healthy()


def test_an_answer_taken_back_is_expected_of_its_insurer_again(session: Session) -> None:
    says = adjustments(("CO", "45", "60.00"), ("PR", "1", "112.00"))
    first = evergreen(session, "48.00", says)
    told(claim(session, 1), first)
    told(claim(session, 1), reversal(first))
    assert by_insurer(session) == {"Evergreen Health": D("88.00")}
    told(claim(session, 1), first)
    assert by_insurer(session) == {"Harbor Mutual": D("40.00")}


def test_a_claim_paid_twice_is_the_first_insurer_s_gain_not_the_second_s(session: Session) -> None:
    said = evergreen(session)
    told(claim(session, 1), said)
    told(claim(session, 1), said)
    assert by_insurer(session) == {"Evergreen Health": D("-88.00")}
    exchange.build_batches()
    told(claim(session, 2), harbor(session))
    assert by_insurer(session) == {}
    assert variance(session) == {"Evergreen Health": D("-88.00"), "Harbor Mutual": D("10.00")}
    told(claim(session, 1), reversal(said))
    assert variance(session)["Harbor Mutual"] == D("10.00")
    assert variance(session).get("Evergreen Health", D(0)) == D("0.00")
    assert healthy()


# The same trace number again


def test_answers_that_pay_nothing_may_share_their_trace_number(session: Session, cast: Cast) -> None:
    other = confirmed(cast, days=-7)
    nothing = adjustments(("CO", "45", "60.00"), ("PR", "1", "160.00"))
    one = payment(claim(session, 1), evergreen(session, "0.00", nothing), trace="0")
    later = replace(
        payment(claim(other, 1), evergreen(other, "0.00", nothing), trace="0"),
        paid_on=clock.today() + timedelta(days=1),
    )
    read(received(one, number=31))
    read(received(later, number=32))
    read(received(later, number=33))  # other bytes, the same answer
    assert Remittance.objects.count() == 2
    assert cost(other) == (D("160.00"), "after_primary")


# Money for a claim we do not know


def lost(session: Session, number: str, said: x835.RemittedClaim | None = None) -> Adjudication:
    """Evergreen's answer under a number that is not ours."""
    told(claim(session, 1), replace(said or evergreen(session), control_number=number))
    return Adjudication.objects.get(claim=None)


def test_money_under_an_unknown_number_is_settled_like_any_answer_once_its_claim_is_found(
    session: Session, cast: Cast
) -> None:
    result = lost(session, "NOTOURS")
    assert place_money.left_of(result) == D("88.00")
    assert balance(Book.INSURER_SUSPENSE) == D("-88.00")
    assert claim(session, 1).decision == "none"

    place_money.match(result, claim(session, 1), note="Same day, same member.", by=cast.fay)
    assert balance(Book.INSURER_SUSPENSE) == D("0.00")
    assert by_insurer(session) == {}
    assert (claim(session, 1).decision, claim(session, 2).submission) == ("paid", "ready")
    assert cost(session) == (D("72.00"), "after_primary")
    assert place_money.left_of(Adjudication.objects.get(pk=result.pk)) == D("0.00")
    event = ClaimEvent.objects.get(kind="matched")
    assert (event.actor, event.text) == (cast.fay, "Found by a person for NOTOURS: Same day, same member.")
    exchange.build_batches()
    told(claim(session, 2), harbor(session))
    assert cost(session) == (D("32.00"), "final")
    assert Refund.objects.get().amount == D("40.00")
    assert healthy()


def test_a_denial_without_money_is_matched_as_well(session: Session, cast: Cast) -> None:
    result = lost(session, "NOTOURS", evergreen(session, "0.00", adjustments(("CO", "50", "220.00"))))
    place_money.match(result, claim(session, 1), note="Her name is on it.", by=cast.fay)
    assert claim(session, 1).decision == "denied"
    assert not SuspenseMove.objects.exists()


def test_money_is_matched_once_and_only_to_its_insurer_s_claim_with_a_reason(session: Session, cast: Cast) -> None:
    result = lost(session, "NOTOURS")
    with pytest.raises(BadInput):
        place_money.match(result, claim(session, 1), note=" ", by=cast.fay)
    with pytest.raises(CannotBePlaced, match="that claim went to Harbor Mutual"):
        place_money.match(result, claim(session, 2), note="A guess.", by=cast.fay)
    place_money.match(result, claim(session, 1), note="It is this one.", by=cast.fay)
    with pytest.raises(CannotBePlaced, match="already"):
        place_money.match(result, claim(session, 1), note="It is this one.", by=cast.fay)
    assert SuspenseMove.objects.count() == 1


def test_money_that_was_sent_back_is_matched_no_more(session: Session, cast: Cast) -> None:
    result = lost(session, "NOTOURS")
    place_money.move(result, "returned", D("88.00"), note="Another practice's patient.", by=cast.fay)
    assert balance(Book.BANK) == D("0.00")
    with pytest.raises(CannotBePlaced, match="placed before"):
        place_money.match(result, claim(session, 1), note="Or is it?", by=cast.fay)


def test_claims_are_suggested_the_likeliest_first(session: Session, cast: Cast) -> None:
    other = confirmed(cast, days=-7)
    ours = claim(session, 1).control_number
    swapped = ours[:-2] + ours[-1] + ours[-2] if ours[-1] != ours[-2] else ours[:-1] + str((int(ours[-1]) + 1) % 10)
    found = claim_suggestions.candidates(lost(session, swapped[2:].lstrip("0")))
    assert found[0].claim == claim(session, 1)
    assert found[0].why[0] == "the claim number is almost the same"
    assert "the member is the same" in found[0].why
    assert "the day is the same" in found[0].why
    assert claim(other, 1) in [each.claim for each in found]
    assert claim(session, 2) not in [each.claim for each in found]


@pytest.mark.parametrize(
    "wrong", ["HW0000000043", "HW0000000024", "42", "HW000000042", "HW00000000042", "hw0000000142", "0000000042"]
)
def test_one_slip_in_a_number_still_finds_it(wrong: str) -> None:
    assert "HW0000000042" in claim_suggestions.near(wrong)


def test_other_numbers_are_not_near() -> None:
    assert "HW0000000042" not in claim_suggestions.near("HW0000001142")
    assert claim_suggestions.near("UNKNOWN") == set()


# Provider-level amounts


def plb(session: Session, code: str, reference: str, amount: str) -> ProviderAdjustment:
    """One PLB pair of Evergreen's in a payment that holds nothing else."""
    about = claim(session, 1)
    said = replace(
        payment(about, trace=f"PLB{code}{ProviderAdjustment.objects.count()}"),
        amount=-D(amount),
        provider_adjustments=(x835.ProviderAdjustment(code=code, reference=reference, amount=D(amount)),),
    )
    read(received(said, number=500 + ProviderAdjustment.objects.count()))
    return ProviderAdjustment.objects.latest("pk")


def test_interest_is_income(session: Session, cast: Cast) -> None:
    pair = plb(session, "L6", "", "-0.50")
    assert balance(Book.INSURER_SUSPENSE) == D("-0.50")
    row = place_money.move(pair, "interest", D("0.50"), note="Paid late.", by=cast.fay)
    assert row.amount == D("0.50")
    assert balance(Book.INSURER_SUSPENSE) == D("0.00")
    assert balance(Book.INSURER_INTEREST) == D("-0.50")
    assert find(f"suspense:{row.pk}").memo == "EVERGREEN HEALTH: Interest for late payment"


def test_a_recoupment_is_our_loss_and_never_the_client_s(session: Session, cast: Cast) -> None:
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    told(claim(session, 2), harbor(session))
    pair = plb(session, "WO", claim(session, 1).payer_control_number, "10.00")
    assert [each.pk for each in claim_suggestions.claims_named(pair)] == [claim(session, 1).pk]
    place_money.move(pair, "recoupment", D("10.00"), session=session, note="They paid too much.", by=cast.fay)
    assert balance(Book.INSURER_SUSPENSE) == D("0.00")
    assert by_insurer(session) == {}
    assert variance(session) == {"Evergreen Health": D("10.00"), "Harbor Mutual": D("10.00")}
    assert cost(session) == (D("32.00"), "final")
    assert healthy()


def test_a_recoupment_before_the_second_plan_answers_stays_the_first_insurer_s(session: Session, cast: Cast) -> None:
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    pair = plb(session, "WO", "", "10.00")
    place_money.move(pair, "recoupment", D("10.00"), session=session, note="They paid too much.", by=cast.fay)
    assert by_insurer(session) == {"Evergreen Health": D("10.00")}
    told(claim(session, 2), harbor(session))
    assert by_insurer(session) == {}
    assert variance(session) == {"Evergreen Health": D("10.00"), "Harbor Mutual": D("10.00")}
    assert healthy()


def test_no_more_leaves_suspense_than_is_in_it(session: Session, cast: Cast) -> None:
    pair = plb(session, "CS", "", "10.00")
    place_money.move(pair, "other", D("6.00"), note="A part.", by=cast.fay)
    assert place_money.left_of(pair) == D("-4.00")
    with pytest.raises(BadInput, match=r"Only \$4\.00 of it is in suspense"):
        place_money.move(pair, "other", D("4.01"), note="Too much.", by=cast.fay)
    place_money.move(pair, "other", D("4.00"), note="The rest.", by=cast.fay)
    with pytest.raises(BadInput):
        place_money.move(pair, "other", D("0.01"), note="Again.", by=cast.fay)
    assert balance(Book.INSURER_VARIANCE) == D("10.00")
    assert balance(Book.INSURER_SUSPENSE) == D("0.00")


@pytest.mark.parametrize(
    ("kind", "amount", "note", "where"),
    [
        ("gift", "1.00", "Why not.", "kind"),
        ("claim", "1.00", "Not by this door.", "kind"),
        ("recoupment", "1.00", "For whom?", "session"),
        ("other", "0.00", "Nothing.", "amount"),
        ("other", "-1.00", "Less.", "amount"),
        ("other", "0.005", "Half a cent.", "amount"),
        ("other", "1.00", " ", "note"),
    ],
)
def test_a_move_says_what_is_wrong_and_where(
    session: Session, cast: Cast, kind: str, amount: str, note: str, where: str
) -> None:
    pair = plb(session, "CS", "", "10.00")
    with pytest.raises(BadInput) as refused:
        place_money.move(pair, kind, D(amount), note=note, by=cast.fay)
    assert refused.value.where == where
    assert not SuspenseMove.objects.exists()


def test_a_recoupment_needs_a_session_that_this_insurer_was_asked_about(session: Session, cast: Cast) -> None:
    pair = plb(session, "WO", "", "10.00")
    stranger = cast.book(days=3)
    with pytest.raises(BadInput, match="no claim to this insurer"):
        place_money.move(pair, "recoupment", D("10.00"), session=stranger, note="A guess.", by=cast.fay)


# How far back an insurer may look


@pytest.mark.parametrize(
    ("state", "until", "beyond"),
    [
        ("NY", date(2026, 1, 31), False),
        ("CO", date(2025, 1, 31), True),
        ("TX", date(2024, 7, 29), True),
        ("CA", date(2025, 1, 30), True),
        ("CT", date(2025, 7, 31), True),
        ("OH", None, None),
    ],
)
def test_how_far_back_an_insurer_may_look(state: str, until: date | None, beyond: bool | None) -> None:
    found = lookback.window(state=state, paid_on=date(2024, 1, 31), taken_on=date(2025, 12, 1))
    assert (found.until, found.beyond, found.days) == (until, beyond, 670)


def test_the_last_day_is_within_and_another_plan_s_duty_lasts_longer() -> None:
    def on(day: date) -> lookback.Window:
        return lookback.window(state="AL", paid_on=date(2024, 8, 31), taken_on=day)

    assert (on(date(2025, 8, 31)).beyond, on(date(2025, 8, 31)).only_for_cob) == (False, False)
    assert (on(date(2025, 9, 1)).beyond, on(date(2025, 9, 1)).only_for_cob) == (False, True)
    assert (on(date(2026, 2, 28)).beyond, on(date(2026, 3, 1)).beyond) == (False, True)
