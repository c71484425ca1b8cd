"""One plan year of one client: sessions that share a deductible, a maximum and a count of visits. Pure.

:func:`walk` prices what the insurer has not decided; :class:`Decided` is what it has.
How it works, with figures: ``docs/repricing.md``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from billing.domain.pricing import PlanState, PlanTerms, PricedSession, Remaining, price_session
from common.money import ZERO
from insurance.domain.benefits import Accumulator, Benefits


def terms_of(benefits: Benefits, *, telehealth: bool, network: Literal["in", "out"] = "in") -> PlanTerms:
    """A snapshot's behavioural-health figures as the pricing rules take them."""
    figures = benefits.in_network if network == "in" else benefits.out_of_network
    if telehealth:
        figures = figures.for_telehealth()
    return PlanTerms(
        network=network,
        deductible_remaining=_left(figures.deductible.individual),
        family_deductible_remaining=_left(figures.deductible.family),
        out_of_pocket_remaining=figures.out_of_pocket.individual.remaining,
        family_out_of_pocket_remaining=figures.out_of_pocket.family.remaining,
        copay=figures.copay,
        copay_rule=figures.copay_rule,
        coinsurance=figures.coinsurance,
        visits_remaining=figures.visits.remaining,
        covered=figures.covered is not False,
    )


def _left(accumulator: Accumulator) -> Decimal | None:
    """What is left; a plan whose limit is zero has no such hurdle, so nothing is left of it."""
    if accumulator.remaining is None and accumulator.limit == ZERO:
        return ZERO
    return accumulator.remaining


@dataclass(frozen=True, slots=True)
class Decided:
    """What an insurer decided of one session as the first plan, in dollars, all its answers together.

    ``not_covered`` is what it leaves to the client for other reasons than deductible, copay and coinsurance; it counts
    to no maximum.
    """

    allowed: Decimal
    deductible: Decimal = ZERO
    copay: Decimal = ZERO
    coinsurance: Decimal = ZERO
    not_covered: Decimal = ZERO

    @property
    def counted(self) -> Decimal:
        """What counts to the out-of-pocket maximum."""
        return self.deductible + self.copay + self.coinsurance

    @property
    def client(self) -> Decimal:
        """All that is left to the client."""
        return self.counted + self.not_covered

    @property
    def covered(self) -> bool:
        """Whether the plan took it as a covered visit, be it one that the deductible swallowed."""
        return self.allowed > self.not_covered


def less_family(terms: PlanTerms, relatives: Iterable[Decided]) -> PlanTerms:
    """Terms of which others on the family's plan have used up their part since they were told.

    Only the family's figures fall: a member's own are theirs alone. What a reversal gives back is negative.
    """
    relatives = list(relatives)

    def rest(left: Decimal | None, used: Decimal) -> Decimal | None:
        return None if left is None else max(ZERO, left - used)

    return replace(
        terms,
        family_deductible_remaining=rest(
            terms.family_deductible_remaining, sum((each.deductible for each in relatives), ZERO)
        ),
        family_out_of_pocket_remaining=rest(
            terms.family_out_of_pocket_remaining, sum((each.counted for each in relatives), ZERO)
        ),
    )


@dataclass(frozen=True, slots=True)
class Visit:
    """One session of the year. ``allowed``: the contract's rate in dollars. ``decided``: ``None`` while under way.

    ``known``: the figures the year starts from include it already, because the insurer had decided it by then.
    """

    id: int
    day: date
    allowed: Decimal
    telehealth: bool = False
    decided: Decided | None = None
    known: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """One price and what was left of the plan's figures before it."""

    price: PricedSession
    before: Remaining


@dataclass(frozen=True, slots=True)
class Year:
    """The prices of all sessions not decided, by their id, and where the plan stands after the last one."""

    prices: Mapping[int, Placed]
    after: PlanState


def walk(office: PlanTerms, telehealth: PlanTerms, visits: Iterable[Visit]) -> Year:
    """Price a plan year from the remaining figures of ``office`` (those of ``telehealth`` are the same).

    What the insurer has decided since then counts first, as it was decided and in whatever order it came: those
    sessions have used up their part, wherever they stand in the calendar. The others follow by day, and on one day in
    the order given; each is counted once.
    """
    visits = list(visits)
    state = PlanState.start(office)
    for visit in visits:
        if visit.decided is not None and not visit.known:
            state = state.after_adjudicated(
                client=visit.decided.counted, deductible=visit.decided.deductible, covered=visit.decided.covered
            )
    prices: dict[int, Placed] = {}
    for visit in sorted((each for each in visits if each.decided is None), key=lambda each: each.day):
        # What has been used so far holds for both places; only what the plan asks for a visit differs.
        state = replace(state, terms=telehealth if visit.telehealth else office)
        before = state.remaining()
        price, state = price_session(state, visit.allowed)
        prices[visit.id] = Placed(price, before)
    return Year(prices, state)
