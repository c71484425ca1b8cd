"""The stand-in insurers over the wire: benefits, two plans on one session, an unresolved order, corrections."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from insurance.clearinghouse import PayloadType
from insurance.x12 import x270, x835, x837p, x999
from insurance.x12.eligibility import Member, payer, provider
from insurance.x12.next_payer import bill_next
from tests.sandbox.clearinghouse_world import ANA_AT_ALPHA, ANA_AT_BETA, World, adjusted, clearinghouse
from tests.x12 import cast

TWO_PLANS_UNSETTLED: dict[str, Any] = {
    "cob": {"rank": "unresolved", "others": [{"payer_name": "Beta Mutual", "payer_id": "BETA1"}]}
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with clearinghouse(tmp_path_factory.mktemp("clearinghouse")) as world:
        yield world


@pytest.fixture
def world(running: World) -> World:
    running.control("POST", "reset")
    return running


def inquiry(
    payer_id: str = "ALPH1",
    *,
    member_id: str = "ANA001",
    first: str = "ANA",
    born: date = date(1988, 5, 17),
    on: date = date(2026, 3, 3),
) -> bytes:
    asked = x270.Inquiry(
        trace="T-1",
        payer=payer("INSURER", payer_id),
        provider=provider("HEADWAY PRACTICE", "1234567893"),
        subscriber=Member("LOPEZ", first, member_id=member_id, born=born),
        service_types=("MH",),
        on=on,
    )
    return x270.build([asked], sender=cast.US, receiver=cast.HOUSE, control_number=9, at=cast.NOW)


def primary_claim(number: str = "S1P", charge: str = "200.00") -> x837p.Claim:
    return replace(cast.claim(cast.line(charge, f"{number}L1")), control_number=number)


# Benefits


def test_active_member_gets_limits_what_is_left_and_the_share_of_a_visit(world: World) -> None:
    world.insure_ana()
    answer = world.ask(inquiry())
    told = {(each.code, each.level, each.period): each.amount for each in answer.benefits}
    assert answer.trace == "T-1"
    assert answer.benefits[0].code == "1"
    assert told["C", "IND", "23"] == Decimal("500")
    assert told["C", "IND", "29"] == Decimal("50")
    assert told["G", "IND", "29"] == Decimal("2550")
    assert [each.share for each in answer.benefits if each.code == "A"] == [Decimal("0.2")]
    assert answer.payer.contacts[0].telephone == "8005550101"


def test_secondary_insurer_names_the_primary_and_answers_for_the_dependent(world: World) -> None:
    world.insure_ana()
    answer = world.ask(inquiry("BETA1", member_id="BEN777"))
    other = next(each for each in answer.benefits if each.code == "R")
    assert [(name.entity, name.last, name.id) for name in other.names] == [("PRP", "ALPHA HEALTH", "ALPH1")]
    assert answer.dependent is not None
    assert answer.dependent.relationship == "01"
    assert answer.subscriber is not None
    assert answer.subscriber.first == "BEN"


@pytest.mark.parametrize(
    ("first", "born", "rejected"),
    [
        ("ANA", date(1988, 5, 17), []),
        ("ANNA", date(1988, 5, 17), [("2100D", "65")]),
        ("EVE", date(1990, 1, 1), [("2100D", "67")]),
    ],
    ids=["herself", "misspelt", "a stranger"],
)
def test_dependent_is_looked_up_on_the_holders_card(
    world: World, first: str, born: date, rejected: list[tuple[str, str]]
) -> None:
    world.insure_ana()
    asked = x270.Inquiry(
        trace="T-2",
        payer=payer("INSURER", "BETA1"),
        provider=provider("HEADWAY PRACTICE", "1234567893"),
        subscriber=Member("LOPEZ", "BEN", member_id="BEN777", born=date(1986, 2, 9)),
        dependent=Member("LOPEZ", first, born=born, relationship="01"),
        service_types=("MH",),
        on=date(2026, 3, 3),
    )
    answer = world.ask(x270.build([asked], sender=cast.US, receiver=cast.HOUSE, control_number=9, at=cast.NOW))
    assert [(each.loop, each.code) for each in answer.rejections] == rejected
    assert bool(answer.benefits) is not bool(rejected)


@pytest.mark.parametrize(
    ("asked", "loop", "code"),
    [
        (inquiry(member_id="WRONG1"), "2100C", "72"),
        (inquiry(member_id="WRONG1", born=date(1970, 1, 1)), "2100C", "75"),
        (inquiry(first="EVE"), "2100C", "73"),
        (inquiry(born=date(1988, 5, 18)), "2100C", "71"),
        (inquiry("NOBODY"), "2000A", "79"),
    ],
    ids=["wrong id", "unknown person", "wrong name", "wrong birth date", "unknown payer"],
)
def test_member_who_cannot_be_found_is_rejected_with_the_reason(
    world: World, asked: bytes, loop: str, code: str
) -> None:
    world.insure_ana()
    assert [(each.loop, each.code) for each in world.ask(asked).rejections] == [(loop, code)]


def test_insurer_that_is_down_says_try_again_and_others_still_answer(world: World) -> None:
    world.insure_ana()
    world.control("PATCH", "payers/ALPH1", {"down": True})
    assert [each.code for each in world.ask(inquiry()).rejections] == ["42"]
    assert world.ask(inquiry("BETA1", member_id="BEN777")).rejections == ()


def test_coverage_that_ended_is_inactive(world: World) -> None:
    plan = {"begins": "2025-01-01", "terminated": "2025-12-31"}
    world.insure_ana(alpha={"plan": plan, "used": {}})
    assert [each.code for each in world.ask(inquiry()).benefits] == ["6"]


def test_reported_part_makes_the_271_wrong_while_the_books_stay_right(world: World) -> None:
    world.insure_ana(alpha={"reported": {"plan": {"coinsurance": "0.10"}, "used": {"deductible": "500.00"}}})
    answer = world.ask(inquiry())
    assert [each.share for each in answer.benefits if each.code == "A"] == [Decimal("0.1")]
    assert [each.amount for each in answer.benefits if (each.code, each.period) == ("C", "29")] == [Decimal(0)]
    world.submit(primary_claim())
    assert adjusted(world.remittance().claims[0]) == [
        ("CO", "45", "50.00"), ("PR", "1", "50.00"), ("PR", "2", "20.00"),
    ]  # fmt: skip


def test_unsettled_order_is_said_with_the_other_payer_and_in_words(world: World) -> None:
    world.insure_ana(alpha=TWO_PLANS_UNSETTLED)
    other = next(each for each in world.ask(inquiry()).benefits if each.code == "R")
    assert other.names[0].entity == "PR"
    assert "COORDINATION OF BENEFITS INFORMATION IS NOT UP TO DATE" in other.messages[0]


# Claims


def test_primary_then_secondary_pay_one_session(world: World) -> None:
    """$200.00 charged. Alpha allows $150.00: $50.00 deductible, 20% of the rest is $20.00, it pays $80.00.
    Beta alone would pay $140.00 − $25.00 = $115.00, so it pays all of the $70.00 that Alpha left."""
    world.insure_ana()
    claim = primary_claim()
    world.submit(claim)
    group = next(x999.read(world.fetch(PayloadType.RETRIEVE_999)[0].payload))
    assert group.accepted
    said = world.statuses()
    assert said["S1P"] == [("AY", "A0", "16", True), ("PR", "A2", "20", True)]

    first = world.remittance()
    paid = first.claims[0]
    assert first.amount == Decimal("80.00")
    assert (paid.status, paid.paid, paid.client_responsibility) == ("1", Decimal("80.00"), Decimal("70.00"))
    assert adjusted(paid) == [("CO", "45", "50.00"), ("PR", "1", "50.00"), ("PR", "2", "20.00")]
    assert first.paid_on is not None

    later = bill_next(claim, paid, adjudicated_on=first.paid_on, to=cast.BETA_LATER, control_number="S1S")
    world.submit(later)
    second = world.remittance().claims[0]
    assert (second.status, second.paid, second.client_responsibility) == ("2", Decimal("70.00"), Decimal("0.00"))
    assert adjusted(second) == [("OA", "23", "130.00")]

    books = world.books("S1S")[0]["current"]
    assert (books["allowed"], books["paid"], books["client"]) == ("140.00", "70.00", "0.00")
    used = world.control("GET", "members/ALPH1/ANA001")["used"]
    assert (used["deductible"], used["out_of_pocket"]) == ("500.00", "520.00")


def test_secondary_that_does_not_duplicate_leaves_a_balance(world: World) -> None:
    """Beta pays $115.00 − $80.00 = $35.00; in network with both, the lower allowed amount of $140.00 leaves Ana
    $140.00 − $80.00 − $35.00 = $25.00, and Beta's contract writes the other $10.00 off."""
    world.insure_ana()
    world.control("PATCH", "payers/BETA1", {"cob_method": "non_duplication"})
    claim = primary_claim()
    world.submit(claim)
    paid = world.remittance().claims[0]
    world.submit(bill_next(claim, paid, adjudicated_on=cast.DECIDED, to=cast.BETA_LATER, control_number="S1S"))
    second = world.remittance().claims[0]
    assert (second.paid, second.client_responsibility) == (Decimal("35.00"), Decimal("25.00"))
    assert adjusted(second) == [("OA", "23", "130.00"), ("CO", "45", "10.00"), ("PR", "3", "25.00")]


ALPHA_KNOWS_BETA = {
    "cob": {
        "rank": "primary",
        "others": [{"payer_name": "Beta Mutual", "payer_id": "BETA1", "member_id": "BEN777", "rank": "secondary"}],
    }
}


def test_insurer_that_sends_claims_on_does_so_once_and_says_to_whom(world: World) -> None:
    """Crossover: the same money as when we send the second claim, under the number of the first."""
    world.insure_ana(alpha=ALPHA_KNOWS_BETA)
    world.control("PATCH", "payers/ALPH1", {"forwards_to": ["BETA1"]})
    world.submit(primary_claim())
    files = [each.payload for each in world.fetch(PayloadType.RETRIEVE_835, 2)]
    first, second = (next(x835.read(each)).claims[0] for each in files)
    assert (first.status, first.paid) == ("19", Decimal("80.00"))
    assert first.crossover is not None
    assert (first.crossover.last, first.crossover.identifier) == ("BETA MUTUAL", "BETA1")
    assert (second.control_number, second.status, second.paid) == ("S1P", "2", Decimal("70.00"))
    at_alpha, at_beta = sorted(world.books("S1P"), key=lambda each: each["payer_id"])
    assert at_beta["received_at"] >= at_alpha["current"]["decided_at"]
    assert set(world.statuses()) == {"S1P"}, "the clearinghouse's word and Alpha's"
    waiting = [each["kind"] for each in world.control("GET", "files")["files"]]
    assert waiting == ["999"], "Beta acknowledges to Alpha, not to us"


def test_what_goes_on_is_not_sent_twice(world: World) -> None:
    world.insure_ana(alpha=ALPHA_KNOWS_BETA)
    world.control("PATCH", "payers/ALPH1", {"forwards_to": ["BETA1"]})
    claim = primary_claim()
    world.submit(claim)
    files = [each.payload for each in world.fetch(PayloadType.RETRIEVE_835, 2)]
    paid = next(x835.read(files[0])).claims[0]
    world.submit(bill_next(claim, paid, adjudicated_on=cast.DECIDED, to=cast.BETA_LATER, control_number="S1S"))
    assert [each[:2] for each in adjusted(world.remittance().claims[0])] == [("OA", "18")]


@pytest.mark.parametrize("alpha", [
    {},
    {**ALPHA_KNOWS_BETA, "plan": {**ANA_AT_ALPHA["plan"], "copay": "0.00", "copay_rule": "waives_deductible"}},
    {**ALPHA_KNOWS_BETA, "plan": {**ANA_AT_ALPHA["plan"], "terminated": "2026-01-31"}},
], ids=["knows of no other plan", "leaves nothing", "does not cover it"])  # fmt: skip
def test_only_what_leaves_something_to_a_plan_on_record_goes_on(world: World, alpha: dict[str, Any]) -> None:
    world.insure_ana(alpha=alpha)
    world.control("PATCH", "payers/ALPH1", {"forwards_to": ["BETA1"]})
    world.submit(primary_claim())
    assert world.remittance().claims[0].status == "1"
    assert [each["payer_id"] for each in world.books("S1P")] == ["ALPH1"]


def test_insurer_that_looks_at_the_door_refuses_an_unsettled_order_there(world: World) -> None:
    world.insure_ana(alpha=TWO_PLANS_UNSETTLED)
    world.control("PATCH", "payers/ALPH1", {"cob_at_intake": True})
    world.submit(primary_claim())
    assert world.statuses()["S1P"][-1] == ("PR", "A3", "52", False)
    assert world.books("S1P") == []
    world.control("POST", "members/ALPH1/ANA001/cob", ALPHA_KNOWS_BETA["cob"])
    world.submit(primary_claim())
    assert world.statuses()["S1P"][-1] == ("PR", "A2", "20", True)


def test_unsettled_order_is_22_with_n197_until_the_member_has_called(world: World) -> None:
    world.insure_ana(alpha=TWO_PLANS_UNSETTLED)
    world.submit(primary_claim())
    refused = world.remittance()
    assert refused.amount == Decimal("0.00")
    assert adjusted(refused.claims[0]) == [("CO", "22", "200.00")]
    assert refused.claims[0].remarks == ("N197",)

    cob = {"rank": "primary", "others": [{"payer_name": "Beta Mutual", "payer_id": "BETA1", "rank": "secondary"}]}
    assert world.control("POST", "members/ALPH1/ANA001/cob", cob)["reprocessed"] == 0
    other = next(each for each in world.ask(inquiry()).benefits if each.code == "R")
    assert (other.names[0].entity, other.messages) == ("SEP", ())
    world.submit(primary_claim())
    paid = world.remittance()
    assert [(each.status, each.paid) for each in paid.claims] == [("1", Decimal("80.00"))]


def test_putting_the_order_right_can_reprocess_what_was_refused(world: World) -> None:
    world.insure_ana(alpha=TWO_PLANS_UNSETTLED)
    world.submit(primary_claim())
    refused = world.remittance().claims[0]
    done = world.control("POST", "members/ALPH1/ANA001/cob", {"rank": "primary", "reprocess": True})
    assert done["reprocessed"] == 1
    paid = world.remittance()
    assert [(each.status, each.charge, each.paid) for each in paid.claims] == [
        ("22", Decimal("-200.00"), Decimal("0.00")),
        ("1", Decimal("200.00"), Decimal("80.00")),
    ]
    assert paid.claims[1].reference("F8") == refused.payer_control_number


def test_secondary_asked_first_says_who_is_primary(world: World) -> None:
    world.insure_ana()
    asked_first = replace(
        primary_claim("W1P"),
        payer=cast.BETA,
        member_id="BEN777",
        subscriber=cast.BEN,
        patient=cast.ANA,
        relationship="01",
        other_payers=(),
    )
    world.submit(asked_first)
    refused = world.remittance().claims[0]
    assert adjusted(refused) == [("CO", "22", "200.00")]
    assert refused.remarks == ("N598",)
    assert refused.corrected_payer is not None
    assert (refused.corrected_payer.last, refused.corrected_payer.identifier) == ("ALPHA HEALTH", "ALPH1")


def test_prior_adjudication_that_does_not_add_up_is_rejected_by_the_payer(world: World) -> None:
    world.insure_ana()
    claim = primary_claim()
    world.submit(claim)
    paid = world.remittance().claims[0]
    world.statuses()
    later = bill_next(claim, paid, adjudicated_on=cast.DECIDED, to=cast.BETA_LATER, control_number="S1S")
    line = later.lines[0]
    wrong = replace(line, prior=(replace(line.prior[0], paid=Decimal("81.00")),))
    world.submit(replace(later, lines=(wrong,)))
    assert world.statuses()["S1S"] == [("AY", "A0", "16", True), ("PR", "A7", "400", False)]
    assert world.books("S1S") == []


def test_same_services_twice_are_a_duplicate(world: World) -> None:
    world.insure_ana()
    world.submit(primary_claim("D1P"), primary_claim("D2P"))
    both = world.remittance()
    assert both.amount == Decimal("80.00")
    assert adjusted(both.claims[1]) == [("OA", "18", "200.00")]


def test_replacement_takes_back_and_pays_anew_and_a_void_is_carried_forward(world: World) -> None:
    world.insure_ana(alpha={"used": {"deductible": "500.00"}})
    world.submit(primary_claim("R1P"))
    paid = world.remittance().claims[0]
    assert paid.paid == Decimal("120.00")

    replacement = replace(primary_claim("R1P", "180.00"), frequency="7", payer_control_number=paid.payer_control_number)
    world.submit(replacement)
    corrected = world.remittance()
    assert [(each.status, each.charge, each.paid) for each in corrected.claims] == [
        ("22", Decimal("-200.00"), Decimal("-120.00")),
        ("1", Decimal("180.00"), Decimal("120.00")),
    ]
    assert corrected.amount == Decimal("0.00")

    newest = corrected.claims[1].payer_control_number
    world.submit(replace(replacement, frequency="8", payer_control_number=newest))
    void = world.remittance()
    assert [(each.status, each.paid) for each in void.claims] == [("22", Decimal("-120.00"))]
    assert [(each.code, each.amount) for each in void.provider_adjustments] == [("FB", Decimal("-120.00"))]

    world.submit(primary_claim("R2P"))
    netted = world.remittance()
    assert netted.amount == Decimal("0.00")
    assert [(each.code, each.amount) for each in netted.provider_adjustments] == [("FB", Decimal("120.00"))]
    used = world.control("GET", "members/ALPH1/ANA001")["used"]
    assert used["out_of_pocket"] == "30.00"


def test_unknown_member_and_unknown_payer_never_reach_a_decision(world: World) -> None:
    world.insure_ana()
    stranger = replace(primary_claim("E1P"), member_id="EVE999")
    elsewhere = replace(primary_claim("E2P"), payer=cast.GAMMA)
    world.submit(stranger, elsewhere)
    said = world.statuses()
    assert said["E1P"] == [("AY", "A0", "16", True), ("PR", "A3", "33", False)]
    assert said["E2P"] == [("AY", "A7", "153", False)]


def test_form_fault_rejects_its_own_transaction_only(world: World) -> None:
    world.insure_ana()
    good, bad = primary_claim("G1P"), primary_claim("B1P")
    payload = cast.send(good, bad, control_number=77).replace(b"CLM*B1P*200*", b"CLM*B1P*2O0*")
    world.core.submit_batch(
        payload, payload_type=PayloadType.PROFESSIONAL_CLAIM, payload_id="6f1f2a52-6a1f-4f5e-9d55-0d6f1f2a5200"
    )
    group = next(x999.read(world.fetch(PayloadType.RETRIEVE_999)[0].payload))
    assert (group.verdict, group.control_number) == ("P", "77")
    assert [(each.verdict, [fault.segment for fault in each.faults]) for each in group.transactions] == [
        ("A", []),
        ("R", ["CLM"]),
    ]
    assert world.remittance().claims[0].control_number == "G1P"


def test_delayed_remittance_waits_for_the_clock_or_for_the_word(world: World) -> None:
    world.insure_ana()
    world.control("PATCH", "payers/ALPH1", {"delays": {"remit_days": 30}})
    world.submit(primary_claim("L1P"))
    world.statuses()
    assert world.core.retrieve(payload_type=PayloadType.RETRIEVE_835) == []
    world.control("POST", "clock/advance", {"days": 31})
    assert world.remittance().claims[0].control_number == "L1P"
    world.submit(primary_claim("L2P", "210.00"))
    world.statuses()
    assert world.control("POST", "answer_now", {"payer_id": "ALPH1"}) == {"released": 1}
    assert world.remittance().claims[0].control_number == "L2P"


def test_late_claim_is_written_off_by_the_contract(world: World) -> None:
    world.insure_ana()
    world.control("PATCH", "payers/ALPH1", {"filing_limit_days": 90})
    world.control("POST", "clock/advance", {"days": 400})
    world.submit(primary_claim("F1P"))
    assert adjusted(world.remittance().claims[0]) == [("CO", "29", "200.00")]


def test_care_elsewhere_uses_up_the_deductible(world: World) -> None:
    world.insure_ana()
    left = world.control("POST", "members/ALPH1/ANA001/used", {"deductible": "50.00", "out_of_pocket": "50.00"})
    assert left["remaining"]["deductible"] == "0.00"
    world.submit(primary_claim())
    assert adjusted(world.remittance().claims[0]) == [("CO", "45", "50.00"), ("PR", "2", "30.00")]


def test_claims_of_an_insurer_that_is_down_wait_for_it(world: World) -> None:
    world.insure_ana()
    world.control("PATCH", "payers/ALPH1", {"down": True})
    world.submit(primary_claim())
    assert world.statuses(1)["S1P"] == [("AY", "A0", "16", True)]
    world.control("PATCH", "payers/ALPH1", {"down": False})
    assert world.remittance().claims[0].paid == Decimal("80.00")


def test_books_and_waiting_files_survive_a_restart(tmp_path: Path) -> None:
    with clearinghouse(tmp_path) as world:
        world.insure_ana()
        world.control("PATCH", "payers/ALPH1", {"delays": {"remit_days": 10}})
        world.submit(primary_claim())
        assert len(world.statuses()["S1P"]) == 2
    with clearinghouse(tmp_path) as world:
        world.control("POST", "clock/advance", {"days": 11})
        assert world.remittance().claims[0].paid == Decimal("80.00")


def test_page_for_people_shows_insurers_members_and_decisions(world: World) -> None:
    world.insure_ana(alpha={"first_name": "<Ana>"})
    world.submit(primary_claim())
    world.remittance()
    page = requests.get(world.base, timeout=5).text
    for text in ("Alpha Health", "ANA001", "S1P", "CO-45 PR-1 PR-2", "&lt;Ana&gt; Lopez"):
        assert text in page


def test_control_document_with_a_mistake_is_refused_with_its_place(world: World) -> None:
    world.insure_ana()
    bad = {**ANA_AT_BETA, "plan": {"begins": "2026-01-01", "copay": 25}}
    answer = requests.put(f"{world.base}/control/members/BETA1/BEN777", json=bad, timeout=5)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "plan.copay"
