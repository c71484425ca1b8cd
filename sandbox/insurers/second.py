"""What an insurer pays after another has paid: each by the method its contract names."""

from dataclasses import dataclass
from decimal import Decimal

from insurance.x12.adjustments import Adjustment, total
from insurance.x12.x837p_model import Claim, OtherPayer
from sandbox.insurers.records import ZERO


@dataclass(frozen=True, slots=True)
class Before:
    """What the payers before this one did with the claim, as the claim tells it."""

    paid: Decimal
    left_to_member: Decimal

    @property
    def allowed(self) -> Decimal:
        return self.paid + self.left_to_member


def adjudicated_payers(claim: Claim) -> list[OtherPayer]:
    """Other payers that have adjudicated, in their order of payment."""
    order = "PSTABCDEFGH"
    done = [other for other in claim.other_payers if other.paid is not None]
    return sorted(done, key=lambda other: order.find(other.rank))


def before(claim: Claim) -> list[Before] | None:
    """Per line: payments of all earlier payers and what the last of them left to the member; ``None``: none is told.

    What was told for the claim as a whole only is laid on the lines from the first on, none above its charge.
    """
    payers = adjudicated_payers(claim)
    if not payers:
        return None
    last = payers[-1].payer.identifier
    paid = [sum((prior.paid for prior in line.prior), ZERO) for line in claim.lines]
    left = [
        total([each for prior in line.prior if prior.payer_id == last for each in prior.adjustments], "PR")
        for line in claim.lines
    ]
    rooms = [line.charge - paid[index] - left[index] for index, line in enumerate(claim.lines)]
    whole = sum((other.paid or ZERO for other in payers), ZERO) - sum(paid, ZERO)
    spread(whole, rooms, paid)
    spread(total(payers[-1].adjustments, "PR"), rooms, left)
    return [Before(paid[index], left[index]) for index in range(len(claim.lines))]


def spread(amount: Decimal, rooms: list[Decimal], onto: list[Decimal]) -> None:
    """Add ``amount`` to ``onto`` from the first place on, as far as ``rooms`` (which shrink) reach."""
    for index, space in enumerate(rooms):
        part = max(ZERO, min(amount, space))
        onto[index] += part
        rooms[index] -= part
        amount -= part


def out_of_balance(claim: Claim) -> str | None:
    """Why the earlier payers' figures do not add up, or ``None``. Rules: 837P balancing, line and claim level."""
    for other in adjudicated_payers(claim):
        everything: list[Adjustment] = list(other.adjustments)
        paid_on_lines = ZERO
        lines_told = False
        for line in claim.lines:
            for prior in line.prior:
                if prior.payer_id != other.payer.identifier:
                    continue
                lines_told = True
                paid_on_lines += prior.paid
                everything += prior.adjustments
                if line.charge != prior.paid + total(prior.adjustments):
                    return f"line {line.control_number}: paid and adjustments of {other.payer.name} miss the charge"
        paid = other.paid or ZERO
        if lines_told and paid != paid_on_lines - total(other.adjustments):
            return f"AMT*D of {other.payer.name} is not what its lines say"
        if claim.charge != paid + total(everything):
            return f"paid and adjustments of {other.payer.name} miss the claim's charge"
    return None


def second_payment(
    method: str, *, charge: Decimal, first: Before, allowed: Decimal, alone: Decimal, on_rest: Decimal
) -> Decimal:
    """What this insurer pays, at least 0.

    ``allowed`` and ``alone`` are its own allowed amount and what it would pay were it the only plan; ``on_rest`` its
    benefit applied to what its allowed amount exceeds the first payment by.
    """
    left = first.left_to_member
    match method:
        case "standard":
            paid = min(alone, left)
        case "lower_allowed":
            paid = min(alone, allowed - first.paid)
        case "non_duplication":
            paid = alone - first.paid
        case "maintenance_of_benefits":
            paid = on_rest
        case "medicare":
            paid = min(charge - first.paid, alone, max(first.allowed, allowed) - first.paid)
        case "tricare":
            paid = min(charge - first.paid, alone, left)
        case "medicaid_lesser_of":
            paid = min(left, allowed - first.paid)
        case "medicaid_full":
            paid = left
        case _:
            raise ValueError(f"no such method: {method}")
    return max(ZERO, paid)
