"""What sessions cost, worked out another way: cent by cent on a strip, in whole cents, with no notion of "unknown".

A session is a strip of as many cents as the plan allows. Each rule lays its letters on the strip in its order, as long
as there is strip: ``k`` copay, ``d`` deductible, ``c`` coinsurance. What has no letter is the plan's. An out-of-pocket
maximum tears off all letters beyond what is left of it. Plans with unknown facts are asked by listing every plan that
they may be (:func:`readings`), so only for very small amounts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

NO_LIMIT = 10**9
RULES = ("waives_deductible", "before_deductible", "after_deductible")


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan in cents and whole percents; ``None`` as in the product's own terms."""

    deductible: int | None = None
    family_deductible: int | None = None
    maximum: int | None = None
    family_maximum: int | None = None
    copay: int | None = None
    rule: str | None = None
    percent: int | None = None
    visits: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """One session in cents."""

    allowed: int
    deductible: int = 0
    copay: int = 0
    coinsurance: int = 0
    not_covered: int = 0

    @property
    def client(self) -> int:
        return self.deductible + self.copay + self.coinsurance + self.not_covered

    @property
    def plan(self) -> int:
        return self.allowed - self.client


def year(plan: Plan, sessions: Sequence[int], shares: Sequence[tuple[int, int]] | None = None) -> list[Cost]:
    """Sessions (allowed cents, in date order) of a plan without unknown facts.

    ``shares`` names copay and percent of each session anew, where a plan tells neither.
    """
    deductibles = [figure for figure in (plan.deductible, plan.family_deductible) if figure is not None]
    maximums = [figure for figure in (plan.maximum, plan.family_maximum) if figure is not None]
    open_deductible = min(deductibles)
    room = min(maximums, default=NO_LIMIT)
    visits = NO_LIMIT if plan.visits is None else plan.visits
    costs = []
    for place, allowed in enumerate(sessions):
        if visits == 0:
            costs.append(Cost(allowed, not_covered=allowed))
            continue
        visits -= 1
        copay, percent = shares[place] if shares else (plan.copay or 0, plan.percent or 0)
        # A rule without a copay says nothing.
        rule = plan.rule if plan.rule is not None and (plan.copay is not None or shares) else "after_deductible"
        strip = _strip(rule, allowed, open_deductible, copay, percent)[:room]
        costs.append(Cost(allowed, strip.count("d"), strip.count("k"), strip.count("c")))
        open_deductible -= strip.count("d")
        room -= len(strip)
    return costs


def _strip(rule: str, allowed: int, deductible: int, copay: int, percent: int) -> str:
    if rule == "waives_deductible":
        return ("k" * copay)[:allowed]
    laid = "k" * copay + "d" * min(deductible, allowed)
    if rule == "after_deductible":
        laid = "d" * min(deductible, allowed) + "k" * copay
    laid = laid[:allowed]
    return laid + "c" * _percent_of(allowed - len(laid), percent)


def _percent_of(cents: int, percent: int) -> int:
    """Half up: every full hundredth counts, and from fifty of a hundred on the one begun."""
    whole, begun = divmod(cents * percent, 100)
    return whole + (begun >= 50)


def readings(plan: Plan, sessions: Sequence[int]) -> Iterator[list[Cost]]:
    """The costs under every plan that this one may be: each deductible to the cent, each rule, each share anew."""
    unknown_deductible = plan.deductible is None and plan.family_deductible is None
    deductibles = list(range(sum(sessions) + 2)) if unknown_deductible else [plan.deductible]
    for deductible, (rule, shares) in product(deductibles, _rules_and_shares(plan, sessions)):
        yield year(replace(plan, deductible=deductible, rule=rule), sessions, shares)


def _rules_and_shares(plan: Plan, sessions: Sequence[int]) -> Iterator[tuple[str, Sequence[tuple[int, int]] | None]]:
    if plan.copay is not None:
        for rule in RULES if plan.rule is None else (plan.rule,):
            yield rule, None
    elif plan.percent is not None:
        yield "after_deductible", None
    else:
        # Past the deductible a copay or a coinsurance is asked, perhaps another one each time; but if the rule is that
        # a copay stands alone, then there is a copay.
        rule = "waives_deductible" if plan.rule == "waives_deductible" else "after_deductible"
        percents = [] if rule == "waives_deductible" else [(0, 50), (0, 100)]
        each = [[*((copay, 0) for copay in range(allowed + 1)), *percents] for allowed in sessions]
        for shares in product(*each):
            yield rule, shares
