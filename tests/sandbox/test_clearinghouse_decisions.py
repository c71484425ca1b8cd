"""How the stand-in insurers decide: against published worked examples, and on claims made at random.

The insurers must be right on their own, or agreement with them would prove nothing.
"""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insurance.x12.adjustments import Adjustment, total
from insurance.x12.x837p import OtherPayer, PriorAdjudication
from sandbox.insurers.adjudicate import Decision, adjudicate
from sandbox.insurers.intake import npi_is_sound
from sandbox.insurers.records import COB_METHODS, COPAY_RULES, Benefit, Insurer, Member, Used, read_insurer, read_member
from sandbox.insurers.second import Before, out_of_balance, second_payment
from sandbox.insurers.shares import Room, share_of
from tests.x12 import cast

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "worked_examples.json"
ZERO = Decimal("0.00")
SERVED = cast.SEEN


def published(kind: str) -> list[dict[str, Any]]:
    if not EXAMPLES.exists():
        return []
    return [case for case in json.loads(EXAMPLES.read_text()) if case["scenario"]["kind"] == kind]


def money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the published worked examples are not beside this checkout")
@pytest.mark.parametrize("case", published("price"), ids=lambda case: case["scenario"]["id"])
def test_member_share_agrees_with_published_examples(case: dict[str, Any]) -> None:
    plan = case["scenario"]["plan"]
    if plan.get("network") == "out" or (plan.get("copay") is not None and plan.get("copay_rule") is None):
        pytest.skip("these insurers know their own copay rule and pay in network only")
    left = room_of(plan)
    sessions, expected = case["scenario"]["sessions"], case["expected"]
    for session, told in zip(sessions, expected.get("sessions") or [{}] * len(sessions), strict=True):
        share = share_of(benefit_of(plan), left, Decimal(session["allowed"]))
        assert told.get("client", f"{share.total:.2f}") == f"{share.total:.2f}"
        left = _after(left, share.used(1))
    for name, amount in (expected.get("remaining") or {}).items():
        assert getattr(left, name) == money(amount), name


def benefit_of(plan: dict[str, Any]) -> Benefit:
    rule = plan.get("copay_rule") or "waives_deductible"
    return Benefit(money(plan.get("copay")), rule, money(plan.get("coinsurance")))


def room_of(plan: dict[str, Any]) -> Room:
    return Room(
        money(plan.get("deductible_remaining")),
        money(plan.get("family_deductible_remaining")),
        money(plan.get("out_of_pocket_remaining")),
        money(plan.get("family_out_of_pocket_remaining")),
        plan.get("visits_remaining"),
    )


def _after(left: Room, used: Used) -> Room:
    def less(limit: Decimal | None, spent: Decimal) -> Decimal | None:
        return None if limit is None else limit - spent

    return Room(
        less(left.deductible, used.deductible),
        less(left.family_deductible, used.deductible),
        less(left.out_of_pocket, used.out_of_pocket),
        less(left.family_out_of_pocket, used.out_of_pocket),
        None if left.visits is None else max(0, left.visits - used.visits),
    )


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the published worked examples are not beside this checkout")
@pytest.mark.parametrize("case", published("coordinate"), ids=lambda case: case["scenario"]["id"])
def test_second_payment_agrees_with_published_examples(case: dict[str, Any]) -> None:
    primary, secondary = case["scenario"]["primary"], case["scenario"]["secondary"]
    if "charge_limit" in primary:
        pytest.skip("no claim carries what the provider is obligated to accept")
    allowed, second_allowed = Decimal(primary["allowed"]), Decimal(secondary["allowed"])
    paid = pays(primary, "paid", allowed)
    second = second_payment(
        secondary["method"],
        charge=Decimal(case["scenario"].get("charge") or primary["allowed"]),
        first=Before(paid, allowed - paid),
        allowed=Decimal(secondary.get("fee_schedule") or secondary["allowed"]),
        alone=pays(secondary, "pays_alone", second_allowed),
        on_rest=pays(secondary, "", max(ZERO, second_allowed - paid)),
    )
    assert f"{second:.2f}" == case["expected"]["secondary_pays"]


def pays(plan: dict[str, Any], stated: str, allowed: Decimal) -> Decimal:
    """What an example says a plan pays, or what its design makes of ``allowed``."""
    if stated in plan:
        return Decimal(plan[stated])
    design = plan.get("plan") or {}
    return allowed - share_of(benefit_of(design), room_of(design), allowed).total


def insurer(method: str, rates: dict[str, Decimal]) -> Insurer:
    fees = [{"cpt": cpt, "allowed": f"{rate:.2f}"} for cpt, rate in rates.items()]
    return read_insurer({"name": "Beta Mutual", "cob_method": method, "fee_schedule": fees}, "BETA1")


def member(plan: dict[str, Any]) -> Member:
    document = {
        "first_name": "Ana", "last_name": "Lopez", "birth_date": "1988-05-17", "plan": {"begins": "2026-01-01", **plan}
    }  # fmt: skip
    return read_member(document, "BETA1", "BEN777")


cents = st.integers(0, 30_000).map(lambda value: Decimal(value) / 100)


def maybe(values: st.SearchStrategy[Decimal]) -> st.SearchStrategy[str | None]:
    return st.none() | values.map(lambda value: f"{value:.2f}")


plans = st.fixed_dictionaries(
    {
        "deductible": maybe(cents),
        "family_deductible": maybe(cents),
        "out_of_pocket": maybe(cents),
        "copay": maybe(cents),
        "copay_rule": st.sampled_from(COPAY_RULES),
        "coinsurance": st.none() | st.sampled_from(["0", "0.2", "0.333", "1"]),
        "visit_limit": st.none() | st.integers(0, 2),
        "not_covered": st.just([]) | st.just(["90785"]),
    }
)


def decide(method: str, plan: dict[str, Any], charges: list[Decimal], prior: list[tuple[Decimal, Decimal]]) -> Decision:
    """A claim of one or two lines; ``prior`` gives each line's (paid, left to the member) before."""
    codes = ["90837", "90785"]
    lines = []
    for index, charge in enumerate(charges):
        line = replace(cast.line(f"{charge:.2f}", f"L{index}", codes[index]))
        if prior:
            paid, left = prior[index]
            told = (Adjustment("CO", "45", charge - paid - left), Adjustment("PR", "2", left))
            line = replace(line, prior=(PriorAdjudication("ALPH1", paid, codes[index], cast.DECIDED, told),))
        lines.append(line)
    others: tuple[OtherPayer, ...] = ()
    if prior:
        amount = sum((paid for paid, _left in prior), ZERO)
        others = (OtherPayer("P", cast.ALPHA, "ANA001", cast.ANA, paid=amount),)
    claim = replace(cast.claim(*lines, others=others), rank="S" if prior else "P")
    assert out_of_balance(claim) is None
    rates = {"90837": Decimal("120.00"), "90785": Decimal("15.50")}
    return adjudicate(
        insurer(method, rates),
        member(plan),
        claim,
        served=SERVED,
        received=date(2026, 4, 1),
        used=Used(),
        duplicate=False,
    )


@settings(max_examples=300, deadline=None)
@given(plan=plans, charges=st.lists(cents, min_size=1, max_size=2))
def test_alone_every_line_accounts_for_its_charge(plan: dict[str, Any], charges: list[Decimal]) -> None:
    decision = decide("standard", plan, charges, [])
    for charge, line in zip(charges, decision.lines, strict=True):
        assert charge == line.paid + total(line.adjustments)
        assert line.paid >= 0
        assert all(each.amount > 0 or not charge for each in line.adjustments)


@settings(max_examples=500, deadline=None)
@given(
    plan=plans,
    method=st.sampled_from(COB_METHODS),
    lines=st.lists(st.tuples(cents, st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=2),
)
def test_second_every_line_accounts_for_its_charge_and_the_member_never_owes_more_than_before(
    plan: dict[str, Any], method: str, lines: list[tuple[Decimal, float, float]]
) -> None:
    charges = [charge for charge, _paid, _left in lines]
    prior = []
    for charge, paid_part, left_part in lines:
        paid = (charge * Decimal(paid_part)).quantize(Decimal("0.01"))
        prior.append((paid, ((charge - paid) * Decimal(left_part)).quantize(Decimal("0.01"))))
    decision = decide(method, plan, charges, prior)
    for charge, line in zip(charges, decision.lines, strict=True):
        assert charge == line.paid + total(line.adjustments)
        assert line.paid >= 0
        assert all(each.amount > 0 for each in line.adjustments)
    assert decision.client <= sum((left for _paid, left in prior), ZERO)
    assert decision.status == "2"


def test_deductible_is_shared_by_two_visits_of_one_claim() -> None:
    """$50.00 left: the first visit of $120.00 uses it and 20% of $70.00; the second owes 20% of $120.00."""
    lines = (cast.line("200.00", "A"), replace(cast.line("200.00", "B"), service_date=date(2026, 3, 4)))
    claim = cast.claim(*lines, others=())
    decision = adjudicate(
        insurer("standard", {"90837": Decimal("120.00")}),
        member({"deductible": "50.00", "coinsurance": "0.20"}),
        claim,
        served=SERVED,
        received=date(2026, 4, 1),
        used=Used(),
        duplicate=False,
    )
    assert [line.paid for line in decision.lines] == [Decimal("56.00"), Decimal("96.00")]
    assert decision.adds == Used(Decimal("50.00"), Decimal("50.00"), Decimal("88.00"), Decimal("88.00"), visits=2)


@pytest.mark.parametrize(
    ("npi", "sound"), [("1234567893", True), ("1999999984", True), ("1234567890", False), ("12345", False)]
)
def test_npi_check_digit(npi: str, sound: bool) -> None:
    assert npi_is_sound(npi) is sound
