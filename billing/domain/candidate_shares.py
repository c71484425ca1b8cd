"""Which shares of a visit may be the true ones: as told, as named elsewhere, or as a decision suggests. Pure.

``billing.domain.evidence`` follows a year with each of them; the costs of departures are told in
``docs/corrections.md``.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from itertools import product
from typing import NamedTuple

from billing.domain.plan_year import Decided
from common.money import ZERO, round_cents
from insurance.domain.benefits import CopayRule


class Share(NamedTuple):
    """What the client pays of a visit, besides what is left of deductible and maximum."""

    copay: Decimal | None
    rule: CopayRule | None
    coinsurance: Decimal | None


@dataclass(frozen=True, slots=True)
class Other:
    """Another price the insurer itself has named: another kind of visit, or out of network."""

    share: Share
    out_of_network: bool = False


class Costs(IntEnum):
    """How unlikely a departure from what we were told is; the reading with the least in all is taken.

    What is left moves all the time: other care is processed, answers are old. That a maximum ends within a session is
    rarer than one wrong figure. A decision that fits nothing is the rarest.
    """

    AS_TOLD = 0
    NAMED_ELSEWHERE = 2
    DRIFT = 2
    ONE_FIGURE = 3
    CUT = 4
    TWO_FIGURES = 5
    NOT_EXPLAINED = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """One share that may be the true one, and how far it is from what we were told."""

    share: Share
    costs: int = Costs.AS_TOLD
    other: Other | None = None


def is_odd(decided: Decided) -> bool:
    """Amounts below zero without an answer that they take back: no benefits give them."""
    return min(decided.deductible, decided.copay, decided.coinsurance, decided.not_covered) < ZERO


def candidates(told: Share, decisions: Iterable[Decided], others: Sequence[Other]) -> list[Candidate]:
    """Every share worth a try, the likeliest first: as told, named elsewhere, one figure changed, two changed.

    ``decisions``: those that prove something; ``others``: what the insurer itself has named for other visits.
    """
    named = [Candidate(told), *(Candidate(other.share, Costs.NAMED_ELSEWHERE, other) for other in others)]
    found: list[Candidate] = []
    for decided in decisions:
        if decided.not_covered or is_odd(decided):
            continue
        copays = [decided.copay] if decided.copay else []
        shares = _shares_of(decided)
        for copay in [*copays, ZERO] if told.copay is not None and not decided.counted else copays:
            found.append(Candidate(told._replace(copay=copay), Costs.ONE_FIGURE))
            if told.copay is None:
                # A copay in the place of a share, or on top of it.
                found += [Candidate(Share(copay, rule, None), Costs.ONE_FIGURE) for rule in CopayRule]
                found.append(Candidate(Share(copay, CopayRule.AFTER_DEDUCTIBLE, told.coinsurance), Costs.ONE_FIGURE))
        for share in shares:
            found.append(Candidate(told._replace(coinsurance=share), Costs.ONE_FIGURE))
            if told.copay is not None:
                found.append(Candidate(Share(None, None, share), Costs.ONE_FIGURE))
        if told.copay is not None:
            found += [Candidate(told._replace(rule=rule), Costs.ONE_FIGURE) for rule in CopayRule]
        for copay, rule in product(copays, CopayRule):
            found.append(Candidate(told._replace(copay=copay, rule=rule), Costs.TWO_FIGURES))
        for copay, share, rule in product(copays, shares, CopayRule):
            found.append(Candidate(Share(copay, rule, share), Costs.TWO_FIGURES))
    return _without_repeats([*named, *_most_seen(found)])


_MOST_CANDIDATES = 24
"""As many as one decision or two suggest: an insurer that decides every claim otherwise has no share to be found."""


def _most_seen(found: Sequence[Candidate]) -> list[Candidate]:
    """The shares that most decisions suggest; of as many, the likelier."""
    support = Counter(found)
    ranked = sorted(support, key=lambda each: (-support[each], each.costs))
    return ranked[:_MOST_CANDIDATES]


def _without_repeats(found: Iterable[Candidate]) -> list[Candidate]:
    kept: dict[Share, Candidate] = {}
    for each in sorted(found, key=lambda each: each.costs):
        kept.setdefault(each.share, each)
    return list(kept.values())


_STEPS = (
    [Decimal(n) / 100 for n in range(5, 101, 5)],
    [Decimal(n) / 100 for n in range(1, 100)],
    [Decimal(n) / 1000 for n in range(5, 1000, 5)],
)
"""Coinsurances that plans have, the commonest first."""


def _shares_of(decided: Decided) -> list[Decimal]:
    """The roundest coinsurance that gives this decision's; none when it has none, or no plan has such a one."""
    if not decided.coinsurance:
        return []
    rest = decided.allowed - decided.deductible - decided.copay
    for steps in _STEPS:
        fitting = [share for share in steps if round_cents(rest * share) == decided.coinsurance]
        if fitting:
            return fitting[:1]
    return []
