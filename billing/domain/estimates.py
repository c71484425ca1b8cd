"""Two estimates of one session side by side: what differs, and what of it moved the price. Pure.

Several things may change at once. What moved the price, and which way, is found by pricing the session again with one
thing changed at a time.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from billing.domain.benefit_changes import Correction, Limits, Part, corrections, deductibles, lesser, maximums
from billing.domain.pricing import PlanState, PlanTerms, price_session
from common.money import ZERO


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimate and what it came from. Amounts in dollars; ``None``: not known, or no such figure in the plan."""

    amount: Decimal
    allowed: Decimal
    payer: str
    plan: int | None
    """The coverage's id."""
    visit: tuple[object, ...] = ()
    """What is done where: (date, telehealth, (cpt, …)). Another one: the session itself changed. (): not known."""
    snapshot: int | None = None
    plan_begin: date | None = None
    plan_end: date | None = None
    verified: bool = True
    """``False``: the benefits do not decide the price; ``amount`` is the full price or the last one known."""
    deductible: Decimal | None = None
    """This price's part that goes to the deductible."""
    deductible_left: Decimal | None = None
    """Left before this session: the lesser of the member's own and the family's."""
    maximum_left: Decimal | None = None
    """Left to the out-of-pocket maximum before this session, likewise."""
    visits_left: int | None = None
    """Covered visits left before this session."""
    terms: PlanTerms | None = None
    """What the snapshot itself says for this kind of place; its remaining figures are as of the snapshot."""
    limits: tuple[Decimal | None, ...] = ()
    """Of the snapshot: deductible, family deductible, maximum, family maximum."""
    from_evidence: bool = False
    """The snapshot is no plain answer of the insurer: evidence in a remittance, or support."""
    by_support: bool = False
    """The snapshot was entered by support."""


def visit_changed(before: Estimate, now: Estimate) -> bool:
    """Whether the session is on another day, at another kind of place or of another kind than it was."""
    return bool(before.visit and now.visit) and before.visit != now.visit


def year_began(before: Estimate, now: Estimate) -> bool:
    """Whether ``now`` is of a later plan year.

    One that overlaps the year before is an early renewal if something is left again that was used up; else the
    insurer only tells another date.
    """
    if before.plan_begin is None or now.plan_begin is None or now.plan_begin <= before.plan_begin:
        return False
    end = before.plan_end or before.plan_begin + timedelta(days=364)
    if now.plan_begin > end:
        return True
    if before.terms is None or now.terms is None:
        return False
    return any(each.risen for each in corrections(before.terms, now.terms))


def not_covered(estimate: Estimate) -> bool:
    """Whether the plan pays nothing for the session: it covers no such sessions, or no visits are left."""
    return estimate.visits_left == 0 or (estimate.terms is not None and not estimate.terms.covered)


def cut_by_maximum(estimate: Estimate) -> bool:
    """Whether the out-of-pocket maximum makes the price less than it would be."""
    left = estimate.maximum_left
    if left is None or not_covered(estimate):
        return False
    uncut = _price(estimate.terms, replace(estimate, maximum_left=None), estimate.allowed) if estimate.terms else None
    return left <= estimate.amount if uncut is None else left < uncut


def weighed(before: Estimate, now: Estimate) -> tuple[tuple[Correction, bool], ...]:
    """Every figure of the plan that was put right, and whether it bears on this price; those that do come first."""
    if before.terms is None or now.terms is None or before.snapshot == now.snapshot:
        return ()
    found = corrections(before.terms, now.terms, Limits(*before.limits), Limits(*now.limits))
    moved = _sign(now.amount - before.amount)
    parts = {each.part for each in found}
    bearing = {part for part in parts if moved and _moved_by(part, before, now) in (moved, None)}
    marked = [(each, each.part in bearing and each.pushes in (moved, 0)) for each in found]
    return tuple(sorted(marked, key=lambda each: not each[1]))


def _moved_by(part: Part, before: Estimate, now: Estimate) -> Literal[-1, 0, 1] | None:
    """Where this part of the benefits moved the price: up, nowhere or down; ``None`` when it cannot be told."""
    match part:
        case Part.NETWORK:  # its own deductible, maximum and share: nothing compares
            return None
        case Part.VISITS:
            return _sign(not_covered(now) - not_covered(before))
        case Part.SHARE:
            shift = _share_moved(before, now)
            return None if shift is None else _sign(shift)
        case Part.DEDUCTIBLE | Part.MAXIMUM if _left_moved(part, before, now) == 0:
            return 0
        case Part.DEDUCTIBLE:
            if before.deductible is None or now.deductible is None:
                return None
            return _sign(now.deductible - before.deductible)
        case Part.MAXIMUM:
            return _sign(cut_by_maximum(before) - cut_by_maximum(now)) or _cap_moved(before, now)


def _left_moved(part: Part, before: Estimate, now: Estimate) -> Literal[-1, 0, 1] | None:
    """Whether the binding figure of the two snapshots rose or fell; ``None`` when it cannot be told."""
    if before.terms is None or now.terms is None:
        return None
    pick = deductibles if part is Part.DEDUCTIBLE else maximums
    was, left = lesser(pick(before.terms)), lesser(pick(now.terms))
    return None if was is None or left is None else _sign(left - was)


def _cap_moved(before: Estimate, now: Estimate) -> Literal[-1, 0, 1]:
    """Both prices are what was left to the maximum: the more is left, the higher."""
    if not cut_by_maximum(now) or before.maximum_left is None or now.maximum_left is None:
        return 0
    return _sign(now.maximum_left - before.maximum_left)


def _share_moved(before: Estimate, now: Estimate) -> Decimal | None:
    """What copay, coinsurance and their rule, as they are now, would have changed where the plan stood before."""
    if before.terms is None or now.terms is None:
        return None
    was = _price(before.terms, before, before.allowed)
    would_be = _price(now.terms, before, before.allowed)
    return None if was is None or would_be is None else would_be - was


def rate_moved_it(before: Estimate, now: Estimate) -> bool:
    """Whether another full price explains at least as much of the change as what is left of the plan does."""
    if before.allowed == now.allowed:
        return False
    total = now.amount - before.amount
    steps = _steps(before, now)
    if steps is None or total == ZERO:
        return True
    towards, others = steps if total > ZERO else (-steps[0], -steps[1])
    return towards > ZERO and towards >= others


def _steps(before: Estimate, now: Estimate) -> tuple[Decimal, Decimal] | None:
    """How far another full price moved it, and then what is left of the plan; ``None`` when it cannot be told."""
    if now.terms is None:
        return None
    prices = (
        _price(now.terms, before, before.allowed),
        _price(now.terms, before, now.allowed),
        _price(now.terms, now, now.allowed),
    )
    if prices[0] is None or prices[1] is None or prices[2] is None:
        return None
    return prices[1] - prices[0], prices[2] - prices[1]


def _price(terms: PlanTerms, where: Estimate, allowed: Decimal) -> Decimal | None:
    """What the session would cost under ``terms`` with what was left before ``where``; ``None`` when not known."""
    placed = replace(
        terms,
        deductible_remaining=where.deductible_left,
        family_deductible_remaining=None,
        out_of_pocket_remaining=where.maximum_left,
        family_out_of_pocket_remaining=None,
        visits_remaining=where.visits_left,
    )
    return price_session(PlanState.start(placed), allowed)[0].client


def _sign(amount: Decimal | int) -> Literal[-1, 0, 1]:
    return 0 if not amount else 1 if amount > 0 else -1
