"""What a lost dispute means for sessions. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.money import ZERO


@dataclass(frozen=True, slots=True)
class PaidFor:
    """How much of a disputed payment is for a session, in dollars, and how much of that was given back before."""

    session: int
    paid: Decimal
    given_back: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        return max(ZERO, self.paid - self.given_back)


def unpaid_again(amount: Decimal, parts: Sequence[PaidFor]) -> dict[int, Decimal]:
    """The dollars that sessions are unpaid by again, by session id, when a bank keeps ``amount`` of their payment.

    Each session in turn, up to what is left of its part. A bank that takes more than is left (a refund crossed the
    dispute) takes the rest from the first session: the client then has been given back twice, and owes it there. The
    figures add up to ``amount``. Raises ``ValueError`` without a part, or for a negative amount.
    """
    if amount < ZERO or not parts:
        raise ValueError(f"cannot spread {amount} over {len(parts)} sessions")
    rest = amount
    found: dict[int, Decimal] = {}
    for part in parts:
        take = min(rest, part.left)
        if take > ZERO:
            found[part.session] = take
            rest -= take
    if rest > ZERO:
        found[parts[0].session] = found.get(parts[0].session, ZERO) + rest
    return found
