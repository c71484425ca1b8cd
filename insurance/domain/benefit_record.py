"""What is written down while figures are chosen: their sources, what was concluded, and contradictions."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _

from common.money import dollars
from insurance.domain.benefit_lines import OFFICE_PLACE, TELEHEALTH_PLACE, BenefitLine, Level, Network, Span
from insurance.domain.benefits import share_text

_ELSEWHERE = re.compile(
    r"\b(PHARMACY|PRESCRIPTION|RX|DRUGS?|DENTAL|VISION|INPATIENT|EMERGENCY|URGENT CARE|HOSPITAL|RESIDENTIAL|FACILITY"
    r"|GROUP THERAPY|TESTING|ABA|APPLIED BEHAVIOR\w*)\b"
)


def _all(lines: list[BenefitLine]) -> list[BenefitLine]:
    return lines


def _own_level(lines: list[BenefitLine]) -> list[BenefitLine]:
    return [line for line in lines if line.level in (Level.INDIVIDUAL, Level.NOT_STATED)]


def _of_one_network(lines: list[BenefitLine]) -> list[BenefitLine]:
    return [line for line in lines if line.network is not Network.BOTH]


def _of_a_visit(lines: list[BenefitLine]) -> list[BenefitLine]:
    return [line for line in lines if line.span in (Span.VISIT, Span.DAY, Span.NOT_STATED)]


def _for_therapy(lines: list[BenefitLine]) -> list[BenefitLine]:
    return [line for line in lines if not any(_ELSEWHERE.search(message.upper()) for message in line.messages)]


@dataclass(slots=True)
class Record:
    """``words`` names the network (and telehealth) in sentences; ``service`` is the service type looked at now.

    ``source``, ``basis`` and ``disputed`` are those of :class:`insurance.domain.benefits.NetworkBenefits`.
    """

    words: str
    telehealth: bool = False
    service: str = ""
    source: dict[str, str] = field(default_factory=dict)
    basis: dict[str, str] = field(default_factory=dict)
    disputed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)

    def at_place(self, lines: Iterable[BenefitLine]) -> list[BenefitLine]:
        """The lines for any place of service; where there are none, those for the office. Telehealth: all of them."""
        found = list(lines)
        if self.telehealth:
            return found
        general = [line for line in found if not line.places]
        return general or [line for line in found if OFFICE_PLACE in line.places]

    def found(self, key: str, lines: Iterable[BenefitLine]) -> None:
        """A figure was read from ``lines``."""
        lines = list(lines)
        place = ""
        if self.telehealth:
            place = f"/{TELEHEALTH_PLACE}"
        elif lines and all(line.places for line in lines):
            place = f"/{OFFICE_PLACE}"
        self.source[key] = where(lines)
        self.basis[key] = f"{self.service}{place}"

    def forget(self, key: str) -> None:
        """A figure that was read is not taken after all."""
        self.source.pop(key, None)
        self.basis.pop(key, None)

    def dispute(self, key: str, conflict: str) -> None:
        """The answer contradicts itself about a figure."""
        self.conflicts.append(conflict)
        self.disputed[key] = conflict

    def agree_on_dollars(self, lines: list[BenefitLine], key: str, name: str) -> Decimal | None:
        """The one amount that the lines agree on."""
        return self._agree(lines, key, name, lambda line: line.amount, dollars)

    def agree_on_share(self, lines: list[BenefitLine], key: str, name: str) -> Decimal | None:
        """The one share that the lines agree on."""
        return self._agree(lines, key, name, lambda line: line.share, lambda share: share_text(share) or "")

    def agree_on_count(self, lines: list[BenefitLine], key: str, name: str) -> Decimal | None:
        """The one number of visits that the lines, each with one count, agree on."""
        return self._agree(lines, key, name, lambda line: line.visits[0][1], lambda count: str(int(count)))

    def _agree(
        self,
        lines: list[BenefitLine],
        key: str,
        name: str,
        value: Callable[[BenefitLine], Decimal | None],
        show: Callable[[Decimal], str],
    ) -> Decimal | None:
        """Where the lines differ: the member's own before the family's, one network's before both networks', a visit's
        before a year's, then those not written for something else; if they still differ there is a conflict, and no
        figure."""
        lines = [line for line in lines if value(line) is not None]
        for narrower in (_all, _own_level, _of_one_network, _of_a_visit, _for_therapy):
            lines = narrower(lines) or lines
            values = {found for line in lines if (found := value(line)) is not None}
            if len(values) == 1:
                self.found(key, lines)
                return values.pop()
        if lines:
            said = "; ".join(f"{show(found)} ({line.where})" for line in lines if (found := value(line)) is not None)
            self.dispute(
                key,
                _("The insurer gives more than one %(name)s (%(network)s): %(figures)s. None is taken.")
                % {"name": name, "network": self.words, "figures": said},
            )
        return None


def where(lines: Iterable[BenefitLine]) -> str:
    """The places of lines, each once: ``segment 18 (EB), segment 20 (EB)``."""
    return ", ".join(dict.fromkeys(line.where for line in lines))
