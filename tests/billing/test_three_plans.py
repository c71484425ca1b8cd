"""Three plans of which the middle one cannot be billed: what the claims around it say, and what the session costs.

Evergreen (Ana's own) allows 160.00, Third Health (her own too) 140.00, Harbor (Ben's) 150.00, of a charge of 220.00.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from billing.flows import close_claim
from billing.models import Refund
from billing.services import books
from billing.services.expected import expected
from common import clock
from insurance.models import Claim, Coverage, Credential, EdiFile, NetworkContract
from insurance.services import exchange, plan_order
from insurance.services.claim_content import content_of
from insurance.x12 import balance_837p, scrub, validate, x837p
from tests.billing.answers import claim, confirmed, cost, evergreen, told
from tests.cast import LONG_AGO, Cast, benefits, card, observe, payer
from tests.remittance_files import adjustments, result

D = Decimal


@pytest.fixture(autouse=True)
def _books_hold(cast: Cast) -> Iterator[None]:
    yield
    assert [(outcome.check.name, outcome.examples) for outcome in books.run() if outcome.violations] == []


@pytest.fixture
def third(cast: Cast) -> Coverage:
    """A plan of Ana's own, newer than Evergreen's; Ben's comes after it."""
    card(cast.ana)
    insurer = payer("THRD1", "Third Health", "140.00")
    Credential.objects.create(provider=cast.cole, payer=insurer, state="NY", begins_on=LONG_AGO)
    plan = Coverage.objects.create(client=cast.ana, payer=insurer, member_id="TH1", stated_rank=3)
    observe(plan, benefits(deductible="0.00", coinsurance="0.50"))
    Coverage.objects.filter(pk=cast.own_plan.pk).update(since=date(2010, 1, 1))
    Coverage.objects.filter(pk=plan.pk).update(since=date(2020, 1, 1), holder_status="active")
    plan_order.decide(cast.ana)
    return plan


def newest_file() -> EdiFile:
    return EdiFile.objects.filter(kind=EdiFile.Kind.CLAIM, direction="out").latest("pk")


def sent_claim(number: str) -> x837p.Claim:
    """The claim as the newest file to an insurer has it, which keeps every rule that files are held against."""
    raw = bytes(newest_file().raw)
    assert validate.findings(raw) == []
    (said,) = [each for part in x837p.read(raw) for each in part.claims if each.control_number == number]
    assert balance_837p.findings(said) == []
    assert scrub.problems(said, on=clock.today()) == []
    return said


def out_of_network(third: Coverage, cast: Cast) -> str:
    NetworkContract.objects.filter(payer=third.payer).delete()
    return "We are not in network with Third Health, so we cannot send claims to it."


def not_credentialed(third: Coverage, cast: Cast) -> str:
    Credential.objects.filter(payer=third.payer).delete()
    return "Dr. Cole is not credentialed with Third Health, so we cannot send claims to it for these sessions."


@pytest.mark.parametrize("because", [out_of_network, not_credentialed])
def test_the_plan_behind_it_is_asked_as_the_second_and_the_one_in_the_middle_is_not_named(
    cast: Cast, third: Coverage, because: object
) -> None:
    why = because(third, cast)  # type: ignore[operator]  # one of the two above
    session = confirmed(cast)
    first = sent_claim(claim(session, 1).control_number)
    assert (first.rank, [(each.rank, each.payer.name) for each in first.other_payers]) == (
        "P", [("S", "HARBOR MUTUAL")]
    )  # fmt: skip

    told(claim(session, 1), evergreen(session))
    middle = claim(session, 2)
    assert (middle.submission, middle.reason) == ("not_needed", why)
    exchange.build_batches()
    last = claim(session, 3)
    said = sent_claim(last.control_number)

    assert (said.rank, said.payer.name) == ("S", "HARBOR MUTUAL")
    assert [(each.rank, each.payer.name, each.paid) for each in said.other_payers] == [
        ("P", "EVERGREEN HEALTH", D("88"))
    ]
    assert [prior.payer_id for line in said.lines for prior in line.prior] == [cast.own_plan.payer.payer_id]
    assert b"THRD1" not in bytes(newest_file().raw)

    harbor_says = adjustments(("OA", "23", "148.00"), ("CO", "45", "10.00"), ("PR", "1", "32.00"))
    told(last, result(last, paid="30.00", why=harbor_says, status="2"))
    assert cost(session) == (D("32.00"), "final")
    assert Refund.objects.get().amount == D("40.00")


def test_what_is_expected_passes_it_over(cast: Cast, third: Coverage) -> None:
    because = out_of_network(third, cast)
    session = confirmed(cast)
    found = expected(session)
    assert found is not None
    assert because in found.why
    assert found.likely == D("32.00"), "Evergreen leaves 72.00, Harbor allows 150.00 and pays 30.00"


def test_a_plan_in_the_middle_that_has_denied_is_named_with_its_denial(cast: Cast, third: Coverage) -> None:
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    denied = adjustments(("OA", "23", "148.00"), ("CO", "197", "72.00"))
    told(claim(session, 2), result(claim(session, 2), paid="0.00", why=denied))
    close_claim.close(claim(session, 2), reason="No appeal is left.", actor=cast.fay)
    exchange.build_batches()

    said = sent_claim(claim(session, 3).control_number)

    assert said.rank == "T"
    assert [(each.rank, each.payer.name, each.paid) for each in said.other_payers] == [
        ("P", "EVERGREEN HEALTH", D("88")),
        ("S", "THIRD HEALTH", D("0")),
    ]


def test_a_plan_whose_first_plan_was_given_up_does_not_say_that_it_is_first(cast: Cast, third: Coverage) -> None:
    session = confirmed(cast)
    Claim.objects.filter(pk=claim(session, 1).pk).update(submission="not_needed")
    assert content_of(claim(session, 2)).rank == "S"
    assert [each.rank for each in content_of(claim(session, 2)).other_payers] == ["T"]
