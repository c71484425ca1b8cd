"""The first plan takes its answer back and gives another one after the second plan has decided by the old one.

Evergreen allows 160.00 of 220.00: first it pays 88.00 and leaves 72.00, then 60.00 and leaves 100.00. Harbor allows
150.00.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from billing.flows import close_claim, settle_remittance
from billing.models import Refund
from billing.services import books
from care.models import Session
from common import clock
from insurance.models import AccountPause, Adjudication, Claim, EdiFile
from insurance.services import claims, exchange
from insurance.services.claim_content import content_of
from insurance.x12 import balance_837p, scrub, validate, x837p
from notifications.models import Email
from people.models import Client
from tests.billing.answers import claim, confirmed, cost, evergreen, harbor, reversal, told
from tests.cast import Cast, card
from tests.remittance_files import adjustments

D = Decimal
CORRECTED = adjustments(("CO", "45", "60.00"), ("PR", "1", "78.00"), ("PR", "2", "22.00"))


@pytest.fixture(autouse=True)
def _books_hold(cast: Cast) -> Iterator[None]:
    yield
    assert [(outcome.check.name, outcome.examples) for outcome in books.run() if outcome.violations] == []
    assert not Adjudication.objects.filter(posted_at=None).exists()


@pytest.fixture
def session(cast: Cast) -> Session:
    """Both plans have decided: the final cost is 32.00, and 40.00 went back."""
    card(cast.ana)
    held = confirmed(cast)
    told(claim(held, 1), evergreen(held))
    exchange.build_batches()
    told(claim(held, 2), harbor(held))
    assert cost(held) == (D("32.00"), "final")
    return held


def evergreen_corrects(session: Session, paid: str = "60.00", why: tuple[object, ...] = CORRECTED) -> None:
    """In one file, as insurers do: the reversal (22), and the answer that takes its place."""
    told(claim(session, 1), reversal(evergreen(session)), evergreen(session, paid, why))  # type: ignore[arg-type]


def harbor_corrects(session: Session, before: Claim, paid: str, *why: tuple[str, str, str]) -> None:
    """Its reversal names the claim it had, its new answer the one that took its place."""
    taken_back = replace(reversal(harbor(session)), control_number=before.control_number)
    told(claim(session, 2), taken_back, harbor(session, paid, adjustments(*why)))


def states(session: Session) -> list[tuple[str, str, str]]:
    return [(each.frequency, each.submission, each.decision) for each in claims.sequence(session)]


def test_the_second_plan_gets_a_replacement_with_the_new_amounts(session: Session) -> None:
    before = claim(session, 2)
    evergreen_corrects(session)

    before.refresh_from_db()
    again = claim(session, 2)
    assert before.submission == "replaced"
    assert (again.replaces, again.frequency, again.submission, again.payer_control_number) == (
        before, "7", "ready", f"ICN{before.pk}",
    )  # fmt: skip
    assert cost(session) == (D("100.00"), "after_primary"), "nothing is asked until Harbor has answered again"
    assert not Email.objects.filter(kind="pay_now").exists()
    assert again.events.get(kind="planned").text == (
        "Evergreen Health has corrected its answer: Harbor Mutual is asked again with the new amounts."
    )

    exchange.build_batches()
    raw = bytes(EdiFile.objects.filter(kind=EdiFile.Kind.CLAIM, direction="out").latest("pk").raw)
    assert validate.findings(raw) == []
    (said,) = [each for part in x837p.read(raw) for each in part.claims]
    assert balance_837p.findings(said) == []
    assert scrub.problems(said, on=clock.today()) == []
    assert (said.frequency, said.payer_control_number) == ("7", f"ICN{before.pk}")
    assert [(each.rank, each.paid) for each in said.other_payers] == [("P", D("60"))]
    assert [(each.group, each.code, each.amount) for each in said.lines[0].prior[0].adjustments] == [
        ("CO", "45", D("60")), ("PR", "1", D("78")), ("PR", "2", D("22")),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("paid", "left", "refunds", "asked"),
    [
        # Harbor pays the 28.00 more: nothing changes for Ana.
        ("58.00", "32.00", ["40.00"], None),
        # It pays less than its rules would, and leaves 8.00 more than was final before.
        ("50.00", "40.00", ["40.00"], "8.00"),
        # It pays more, and another 12.00 go back.
        ("70.00", "20.00", ["40.00", "12.00"], None),
    ],
)
def test_the_final_cost_follows_the_second_plans_new_answer(
    session: Session, paid: str, left: str, refunds: list[str], asked: str | None
) -> None:
    before = claim(session, 2)
    evergreen_corrects(session)
    exchange.build_batches()
    rest = D("220.00") - D(paid) - D(left) - D("10.00")
    harbor_corrects(session, before, paid, ("OA", "23", str(rest)), ("CO", "45", "10.00"), ("PR", "1", left))

    assert cost(session) == (D(left), "final")
    assert [refund.amount for refund in Refund.objects.order_by("pk")] == [D(each) for each in refunds]
    letters = Email.objects.filter(kind="pay_now")
    assert [f"${asked}" in str(letter.text) for letter in letters] == ([True] if asked else [])
    assert states(session) == [("1", "accepted", "paid"), ("7", "accepted", "paid")]


def test_the_same_amounts_once_more_ask_nobody_again(session: Session) -> None:
    evergreen_corrects(session, "88.00", adjustments(("CO", "45", "60.00"), ("PR", "1", "50.00"), ("PR", "2", "22.00")))
    assert states(session) == [("1", "accepted", "paid"), ("1", "accepted", "paid")]
    assert cost(session) == (D("32.00"), "final")


def test_the_same_share_by_other_amounts_is_told_too(session: Session) -> None:
    """72.00 are left as before, but of 150.00 allowed: Harbor's own sum depends on what was paid."""
    evergreen_corrects(session, "78.00", adjustments(("CO", "45", "70.00"), ("PR", "1", "72.00")))
    assert states(session)[1] == ("7", "ready", "none")


def test_while_nothing_is_decided_anew_nothing_is_sent(session: Session) -> None:
    told(claim(session, 1), reversal(evergreen(session)))
    assert states(session) == [("1", "accepted", "reversed"), ("1", "accepted", "paid")]
    assert cost(session) == (D("32.00"), "final")
    told(claim(session, 1), evergreen(session, "60.00", CORRECTED))
    assert states(session)[1] == ("7", "ready", "none")


def test_following_again_adds_nothing(session: Session) -> None:
    evergreen_corrects(session)
    before = (Claim.objects.count(), cost(session))
    settle_remittance.follow(session)
    settle_remittance.follow(session)
    assert (Claim.objects.count(), cost(session)) == before


def test_a_claim_under_way_is_replaced_when_its_insurer_has_decided_it(cast: Cast) -> None:
    card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    evergreen_corrects(session)
    assert states(session)[1] == ("1", "submitted", "none"), "nothing is decided that it could take back"
    told(claim(session, 2), harbor(session))
    assert states(session)[1] == ("7", "ready", "none")
    assert cost(session) == (D("100.00"), "after_primary")


def test_corrected_before_the_second_plan_was_asked_it_is_asked_once(cast: Cast) -> None:
    card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    evergreen_corrects(session)
    assert states(session)[1] == ("1", "ready", "none")
    assert content_of(claim(session, 2)).other_payers[0].paid == D("60.00")


def test_when_nothing_is_left_after_the_correction_the_second_plan_is_told_so_that_it_takes_its_payment_back(
    session: Session,
) -> None:
    before = claim(session, 2)
    evergreen_corrects(session, "160.00", adjustments(("CO", "45", "60.00")))
    assert states(session)[1] == ("7", "ready", "none")
    assert cost(session) == (D("0.00"), "after_primary")
    exchange.build_batches()
    harbor_corrects(session, before, "0.00", ("OA", "23", "220.00"))
    assert cost(session) == (D("0.00"), "final")
    assert sum(refund.amount for refund in Refund.objects.all()) == D("72.00")


def test_in_a_pause_the_replacement_is_held(session: Session, cast: Cast) -> None:
    AccountPause.objects.create(client=cast.ana, coverage=cast.own_plan, evidence="835")
    Client.objects.filter(pk=cast.ana.pk).update(paused_since=clock.now())
    evergreen_corrects(session)
    assert states(session)[1] == ("7", "held", "none")


def test_a_denial_that_a_person_closed_stays_closed(cast: Cast) -> None:
    card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    told(claim(session, 2), harbor(session, "0.00", adjustments(("OA", "23", "148.00"), ("CO", "197", "72.00"))))
    close_claim.close(claim(session, 2), reason="No appeal is left.", actor=cast.fay)
    assert cost(session) == (D("72.00"), "final")
    evergreen_corrects(session)
    assert states(session)[1] == ("1", "not_needed", "denied")
    assert cost(session) == (D("100.00"), "final")


def test_what_came_by_crossover_the_first_plan_corrects_itself(cast: Cast) -> None:
    card(cast.ana)
    session = confirmed(cast)
    first = evergreen(session, status="19")
    told(claim(session, 1), first)
    told(claim(session, 2), replace(harbor(session), control_number=claim(session, 1).control_number))
    assert cost(session) == (D("32.00"), "final")
    told(claim(session, 1), reversal(first), evergreen(session, "60.00", CORRECTED, status="19"))
    assert states(session)[1] == ("1", "accepted", "paid")
