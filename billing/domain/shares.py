"""The parts of a client's share of one session, and how an out-of-pocket maximum cuts them."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from common.money import ZERO

Part = Literal["deductible", "copay", "coinsurance"]


@dataclass(frozen=True, slots=True)
class Shares:
    """The parts in dollars. ``applied`` is the order in which the plan applies them."""

    deductible: Decimal = ZERO
    copay: Decimal = ZERO
    coinsurance: Decimal = ZERO
    not_covered: Decimal = ZERO
    shared_rest: Decimal = ZERO
    """The amount of which the coinsurance is a share."""
    applied: tuple[Part, ...] = ()
    cut: bool = False
    """Whether an out-of-pocket maximum made the parts smaller."""

    @property
    def client(self) -> Decimal:
        """All that the client pays."""
        return self.deductible + self.copay + self.coinsurance + self.not_covered

    def cut_to(self, room: Decimal | None) -> "Shares":
        """These parts with no more than ``room`` left to the maximum (``None``: no maximum).

        The part applied last is cut first. What is not covered is outside any maximum.
        """
        if room is None or self.client - self.not_covered <= room:
            return self
        kept: dict[str, Decimal] = {}
        for part in self.applied:
            amount: Decimal = getattr(self, part)
            kept[part] = min(amount, room)
            room -= kept[part]
        return replace(
            self,
            deductible=kept.get("deductible", ZERO),
            copay=kept.get("copay", ZERO),
            coinsurance=kept.get("coinsurance", ZERO),
            cut=True,
        )
