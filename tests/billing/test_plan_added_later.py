"""A plan comes on the account when claims are out already: it is asked too, as the last one, where it still can be.

Evergreen (Ana's own) pays first, then Harbor (Ben's). Third Health, newer and Ben's too, comes last by the rules.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.flows import close_claim, refresh_benefits
from billing.models import Refund
from billing.services import books
from care.models import Session
from common import clock
from insurance.models import Coverage, Credential, NetworkContract, Payer
from insurance.services import claims, exchange, rework
from insurance.services.claim_content import content_of
from tests.billing.answers import claim, confirmed, cost, evergreen, harbor, told
from tests.cast import LONG_AGO, Cast, benefits, card, observe, payer
from tests.remittance_files import adjustments, result

D = Decimal


@pytest.fixture(autouse=True)
def _books_hold(cast: Cast) -> Iterator[None]:
    yield
    assert [(outcome.check.name, outcome.examples) for outcome in books.run() if outcome.violations] == []


@pytest.fixture
def insurer(cast: Cast) -> Payer:
    card(cast.ana)
    row = payer("THRD1", "Third Health", "140.00")
    Credential.objects.create(provider=cast.cole, payer=row, state="NY", begins_on=LONG_AGO)
    Coverage.objects.filter(pk=cast.bens_plan.pk).update(since=date(2010, 1, 1))
    return row


def add_third(cast: Cast, insurer: Payer, **facts: Any) -> Coverage:
    """Ana enters it, and its insurer answers."""
    columns: dict[str, Any] = {
        "holder": "spouse", "holder_first_name": "Ben", "holder_last_name": "Rivera", "holder_born": date(1986, 2, 1),
        "holder_status": "active", "since": date(2020, 1, 1),
    }  # fmt: skip
    plan = refresh_benefits.add_plan(client=cast.ana, payer=insurer, member_id="TH1", **{**columns, **facts})
    refresh_benefits.settle(observe(plan, benefits(deductible="0.00", coinsurance="0.50")))
    return plan


def states(session: Session) -> list[tuple[str, str]]:
    return [(each.coverage.payer.name, each.submission) for each in claims.sequence(session)]


def test_it_is_asked_after_the_others_and_sets_the_final_cost(cast: Cast, insurer: Payer) -> None:
    session = confirmed(cast)
    plan = add_third(cast, insurer)
    assert states(session) == [
        ("Evergreen Health", "submitted"), ("Harbor Mutual", "waiting"), ("Third Health", "waiting")
    ]  # fmt: skip
    last = claim(session, 3)
    assert (last.coverage, last.events.get(kind="planned").text) == (plan, "Planned for Third Health.")

    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    told(claim(session, 2), harbor(session))
    assert cost(session) == (D("32.00"), "after_primary")
    assert content_of(claim(session, 3)).rank == "T"
    exchange.build_batches()
    why = adjustments(("OA", "23", "188.00"), ("PR", "2", "16.00"))
    told(claim(session, 3), result(claim(session, 3), paid="16.00", why=why))
    assert cost(session) == (D("16.00"), "final")
    assert Refund.objects.get().amount == D("56.00")


def test_settling_again_adds_it_once(cast: Cast, insurer: Payer) -> None:
    session = confirmed(cast)
    plan = add_third(cast, insurer)
    refresh_benefits.settle(observe(plan, benefits(deductible="0.00", coinsurance="0.50")))
    history = [cast.own_plan, cast.bens_plan, plan]
    assert not rework.add_last(session, history)
    assert len(states(session)) == 3


def test_while_the_second_plan_is_still_to_decide_it_is_added_too(cast: Cast, insurer: Payer) -> None:
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    add_third(cast, insurer)
    assert states(session)[1:] == [("Harbor Mutual", "submitted"), ("Third Health", "waiting")]


def test_a_session_that_all_plans_have_decided_stays_as_it_is(cast: Cast, insurer: Payer) -> None:
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    told(claim(session, 2), harbor(session))
    add_third(cast, insurer)
    assert len(states(session)) == 2
    assert cost(session) == (D("32.00"), "final")


def test_a_plan_that_was_not_in_force_on_the_day_is_not_asked(cast: Cast, insurer: Payer) -> None:
    session = confirmed(cast)
    add_third(cast, insurer, begins_on=clock.today() + timedelta(days=1))
    assert len(states(session)) == 2


def test_a_plan_that_should_have_come_earlier_is_not_put_last(cast: Cast, insurer: Payer) -> None:
    """Ana's own plan, newer than Evergreen's: it would come before Ben's. The order on a past day does not know it."""
    Coverage.objects.filter(pk=cast.own_plan.pk).update(since=date(2010, 1, 1))
    session = confirmed(cast, days=-7)
    add_third(cast, insurer, holder="self", holder_first_name="", holder_last_name="", holder_born=None)
    assert [name for name, _state in states(session)] == ["Evergreen Health", "Harbor Mutual"]


def test_one_that_cannot_be_billed_is_there_with_the_reason(cast: Cast, insurer: Payer) -> None:
    NetworkContract.objects.filter(payer=insurer).delete()
    session = confirmed(cast)
    add_third(cast, insurer)
    last = claim(session, 3)
    assert (last.submission, last.reason) == (
        "not_needed", "We are not in network with Third Health, so we cannot send claims to it."
    )  # fmt: skip


def test_when_its_time_for_filing_is_over_the_reason_says_so_until_a_new_answer_starts_the_clock_again(
    cast: Cast, insurer: Payer
) -> None:
    """Harbor refused for want of an authorization, and nobody has looked at it for 91 days."""
    Payer.objects.filter(pk=insurer.pk).update(secondary_filing_days=90)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    refused = adjustments(("OA", "23", "148.00"), ("CO", "197", "72.00"))
    told(claim(session, 2), harbor(session, "0.00", refused))
    now = clock.now()

    with clock.as_of(now + timedelta(days=91)):
        add_third(cast, insurer)
        last = claim(session, 3)
        assert last.submission == "not_needed"
        assert last.reason.startswith("Third Health took claims for this session until ")
        told(claim(session, 2), harbor(session))
        last.refresh_from_db()
        assert (last.submission, last.file_by) == ("ready", clock.today() + timedelta(days=90))


def test_within_the_time_it_waits_for_what_a_person_decides(cast: Cast, insurer: Payer) -> None:
    Payer.objects.filter(pk=insurer.pk).update(secondary_filing_days=90)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    told(claim(session, 2), harbor(session, "0.00", adjustments(("OA", "23", "148.00"), ("CO", "197", "72.00"))))
    with clock.as_of(clock.now() + timedelta(days=90)):
        add_third(cast, insurer)
        assert claim(session, 3).submission == "waiting"
        close_claim.close(claim(session, 2), reason="No appeal is left.", actor=cast.fay)
        assert claim(session, 3).submission == "ready"


def test_medicare_counts_from_the_session(cast: Cast, insurer: Payer) -> None:
    Payer.objects.filter(pk=insurer.pk).update(timely_filing_days=365)
    insurer.refresh_from_db()
    session = confirmed(cast)
    plan = Coverage(payer=insurer, plan_type="medicare", client=cast.ana)
    planned = claims.sequence(session)
    with clock.as_of(clock.now() + timedelta(days=365)):
        assert rework._too_late(session, plan, planned) == ""
    with clock.as_of(clock.now() + timedelta(days=366)):
        assert rework._too_late(session, plan, planned)
