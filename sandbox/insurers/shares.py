"""What one visit costs a member under a plan, as an insurer counts it, and what is left of the year's limits."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from sandbox.insurers.records import ZERO, Benefit, Plan, Used

CENT = Decimal("0.01")
TELEHEALTH_PLACES = {"02", "10"}
TELEHEALTH_MODIFIERS = {"95", "93", "GT", "GQ"}


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of each limit; ``None`` where the plan sets none."""

    deductible: Decimal | None
    family_deductible: Decimal | None
    out_of_pocket: Decimal | None
    family_out_of_pocket: Decimal | None
    visits: int | None


@dataclass(frozen=True, slots=True)
class Share:
    """A member's share of one visit, by what it is called; their sum is what the insurer calls PR."""

    deductible: Decimal = ZERO
    copay: Decimal = ZERO
    coinsurance: Decimal = ZERO
    beyond_limit: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.deductible + self.copay + self.coinsurance + self.beyond_limit

    def used(self, visits: int) -> Used:
        """What this visit adds to the year's accumulators; a visit beyond the limit adds nothing."""
        counted = self.total - self.beyond_limit
        return Used(self.deductible, self.deductible, counted, counted, visits)


def room(plan: Plan, used: Used) -> Room:
    """Limits less what is used, never below zero."""

    def left(limit: Decimal | None, spent: Decimal) -> Decimal | None:
        return None if limit is None else max(ZERO, limit - spent)

    return Room(
        deductible=left(plan.deductible, used.deductible),
        family_deductible=left(plan.family_deductible, used.family_deductible),
        out_of_pocket=left(plan.out_of_pocket, used.out_of_pocket),
        family_out_of_pocket=left(plan.family_out_of_pocket, used.family_out_of_pocket),
        visits=None if plan.visit_limit is None else max(0, plan.visit_limit - used.visits),
    )


def benefit_for(plan: Plan, place_of_service: str, modifiers: Iterable[str]) -> Benefit:
    """The telehealth benefit where the plan has one and the visit was remote, else the office one."""
    remote = place_of_service in TELEHEALTH_PLACES or not TELEHEALTH_MODIFIERS.isdisjoint(modifiers)
    return plan.telehealth if remote and plan.telehealth is not None else plan.office


def share_of(benefit: Benefit, left: Room, allowed: Decimal) -> Share:
    """Split ``allowed`` between member and insurer.

    The parts are laid on in the order the copay rule says; the out-of-pocket maximum then takes back from the last.
    """
    if left.visits == 0:
        return Share(beyond_limit=allowed)
    parts: list[tuple[str, Decimal]] = []
    open_amount = allowed
    for part in _order(benefit):
        if part == "copay":
            amount = min(benefit.copay or ZERO, open_amount)
        elif part == "deductible":
            limits = [limit for limit in (left.deductible, left.family_deductible) if limit is not None]
            amount = min([*limits, open_amount]) if limits else ZERO
        else:
            amount = (open_amount * (benefit.coinsurance or ZERO)).quantize(CENT, ROUND_HALF_UP)
        parts.append((part, amount))
        open_amount -= amount
    caps = [cap for cap in (left.out_of_pocket, left.family_out_of_pocket) if cap is not None]
    total = allowed - open_amount
    excess = max(ZERO, total - min(caps)) if caps else ZERO
    share = Share()
    for part, amount in reversed(parts):
        cut = min(excess, amount)
        excess -= cut
        share = replace(share, **{part: amount - cut})
    return share


def _order(benefit: Benefit) -> tuple[str, ...]:
    if benefit.copay is None:
        return ("deductible", "coinsurance")
    return {
        "waives_deductible": ("copay",),
        "before_deductible": ("copay", "deductible", "coinsurance"),
        "after_deductible": ("deductible", "copay", "coinsurance"),
    }[benefit.copay_rule]
