"""What sessions cost the client under one plan. Pure: the same figures in always give the same prices out.

The rules are those of ``docs/pricing.md``. Money is dollars as ``Decimal`` with two places; ``None`` means "not known".

How unknown facts are handled: a plan with an unknown fact stands for several possible plans. Each session is priced
under every one of them, and a figure is known only when all of them agree. ``docs/pricing.md`` says why the few
possibilities followed here are enough.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from billing.domain.price_words import explain
from billing.domain.shares import Part, Shares
from common.agreement import agreed
from common.money import ZERO, round_cents
from insurance.domain.benefits import CopayRule

__all__ = [
    "CopayRule",
    "PlanState",
    "PlanTerms",
    "PlannedSession",
    "PricedSession",
    "Pricing",
    "Remaining",
    "price_session",
    "price_sessions",
]


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """What a plan asks of the client for a session, and what is left of its yearly figures.

    ``None`` in both deductible figures: the deductible is not known (a plan without one says 0.00). ``None`` in one of
    copay and coinsurance, a family figure, a maximum or the visits: the plan has no such rule. ``None`` in both copay
    and coinsurance: what the client pays past the deductible is not known.
    """

    network: Literal["in", "out"] | None = None
    deductible_remaining: Decimal | None = None
    family_deductible_remaining: Decimal | None = None
    out_of_pocket_remaining: Decimal | None = None
    family_out_of_pocket_remaining: Decimal | None = None
    copay: Decimal | None = None
    copay_rule: CopayRule | None = None
    coinsurance: Decimal | None = None
    """The client's share, 0 to 1."""
    visits_remaining: int | None = None
    covered: bool = True
    """``False``: the plan pays nothing for these sessions, and they use nothing of it."""

    def __post_init__(self) -> None:
        amounts = (
            self.deductible_remaining,
            self.family_deductible_remaining,
            self.out_of_pocket_remaining,
            self.family_out_of_pocket_remaining,
            self.copay,
            self.visits_remaining,
        )
        if any(amount is not None and amount < 0 for amount in amounts):
            raise ValueError("a plan has no negative figures")
        if self.coinsurance is not None and not 0 <= self.coinsurance <= 1:
            raise ValueError("coinsurance is between 0 and 1")

    @property
    def deductible_known(self) -> bool:
        """At least one of the two deductible figures is known; the other then is no rule of this plan."""
        return self.deductible_remaining is not None or self.family_deductible_remaining is not None

    @property
    def share_known(self) -> bool:
        """Copay or coinsurance is known, so that the price past the deductible is."""
        return self.copay is not None or self.coinsurance is not None


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """A session to be priced: its date and the amount the plan allows for it."""

    date: date
    allowed: Decimal


@dataclass(frozen=True, slots=True)
class PricedSession:
    """One price. Known parts add up to ``client``, and ``client + plan`` is the allowed amount."""

    client: Decimal | None
    plan: Decimal | None
    deductible: Decimal | None
    copay: Decimal | None
    coinsurance: Decimal | None
    not_covered: Decimal | None
    why: tuple[str, ...]
    """Sentences for the client."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of the plan's figures; ``None`` when not known or when the plan has no such figure."""

    deductible: Decimal | None
    family_deductible: Decimal | None
    out_of_pocket: Decimal | None
    family_out_of_pocket: Decimal | None
    visits: int | None


@dataclass(frozen=True, slots=True)
class Pricing:
    """The prices, in the order the sessions were given, and what is left after the last one by date."""

    sessions: tuple[PricedSession, ...]
    remaining: Remaining

    @property
    def total_client(self) -> Decimal | None:
        """The client's shares added up; ``None`` when one of them is not known."""
        total = ZERO
        for session in self.sessions:
            if session.client is None:
                return None
            total += session.client
        return total


@dataclass(frozen=True, slots=True)
class _World:
    """One way in which the unknown facts may be, and what the client has paid in it since the terms were read."""

    rules: tuple[tuple[Decimal, CopayRule], ...] = ()
    """For each copay whose rule is not told, the one that holds here: office and telehealth may have one each."""
    deductible_over: bool = False
    """Only where the deductible is unknown: whether it is met here. Until then it takes all that it can."""
    to_deductible: Decimal = ZERO
    to_maximum: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class PlanState:
    """Where a plan stands between two sessions: its terms, and what the sessions so far have used of them.

    Where the plan asks something else of a visit elsewhere (telehealth), put those terms in place of these with
    ``dataclasses.replace``: what was used so far holds for both.
    """

    terms: PlanTerms
    visits_used: int
    worlds: tuple[_World, ...]

    @classmethod
    def start(cls, terms: PlanTerms) -> "PlanState":
        """The state at the moment the terms describe."""
        return cls(terms, 0, (_World(),))

    @property
    def visits(self) -> int | None:
        """Visits left; ``None`` when the plan does not count them."""
        limit = self.terms.visits_remaining
        return None if limit is None else max(0, limit - self.visits_used)

    def remaining(self) -> Remaining:
        """What is left of each figure; known only if it is the same in every possible world."""
        terms = self.terms

        def left(figure: Decimal | None, used: Iterable[Decimal]) -> Decimal | None:
            return None if figure is None else agreed(max(ZERO, figure - amount) for amount in used)

        to_deductible = [world.to_deductible for world in self.worlds]
        to_maximum = [world.to_maximum for world in self.worlds]
        return Remaining(
            deductible=left(terms.deductible_remaining, to_deductible),
            family_deductible=left(terms.family_deductible_remaining, to_deductible),
            out_of_pocket=left(terms.out_of_pocket_remaining, to_maximum),
            family_out_of_pocket=left(terms.family_out_of_pocket_remaining, to_maximum),
            visits=self.visits,
        )

    def after_adjudicated(self, *, client: Decimal, deductible: Decimal, covered: bool = True) -> "PlanState":
        """The state after a session that the insurer itself has priced, so that it is taken as it was decided.

        ``client`` is what counts to the out-of-pocket maximum, ``deductible`` the part of it that went to the
        deductible; what a reversal gives back is negative. A session that was not ``covered`` uses no visit.
        """
        worlds = tuple(
            replace(world, to_deductible=world.to_deductible + deductible, to_maximum=world.to_maximum + client)
            for world in self.worlds
        )
        return replace(self, visits_used=self.visits_used + covered, worlds=worlds)


def price_sessions(terms: PlanTerms, sessions: Sequence[PlannedSession]) -> Pricing:
    """Price sessions in date order (the same day: in the order given), each using up what is left of the plan.

    The answer is in the order given. Rules: ``docs/pricing.md``.
    """
    state = PlanState.start(terms)
    prices: dict[int, PricedSession] = {}
    for place in sorted(range(len(sessions)), key=lambda place: sessions[place].date):
        prices[place], state = price_session(state, sessions[place].allowed)
    return Pricing(tuple(prices[place] for place in range(len(sessions))), state.remaining())


def price_session(
    state: PlanState, allowed: Decimal, *, charge: Decimal | None = None, in_words: bool = True
) -> tuple[PricedSession, PlanState]:
    """Price one session and say where the plan stands after it.

    ``allowed`` is the plan's amount for the whole visit, all its procedure lines together, not negative. ``charge`` is
    the provider's full price where no contract caps it: then the reasons tell what is above the allowed amount, which
    is no part of the price (``billing/domain/out_of_network.py`` adds it). Without ``in_words`` no reasons are given.
    """
    if allowed < 0:
        raise ValueError("the allowed amount is never negative")
    if state.visits == 0 or not state.terms.covered:
        worlds = list(state.worlds)
        shares = [Shares(not_covered=allowed)]
        after = state
    else:
        worlds = [each for world in state.worlds for each in _with_rule(state.terms, world)]
        branches = [branch for world in worlds for branch in _branches(state.terms, world, allowed)]
        shares = [share for share, _ in branches]
        after = replace(
            state, visits_used=state.visits_used + 1, worlds=_outermost(next_world for _, next_world in branches)
        )
    client = agreed(share.client for share in shares)
    price = PricedSession(
        client=client,
        plan=None if client is None else allowed - client,
        deductible=agreed(share.deductible for share in shares),
        copay=agreed(share.copay for share in shares),
        coinsurance=agreed(share.coinsurance for share in shares),
        not_covered=agreed(share.not_covered for share in shares),
        why=(),
    )
    if not in_words:
        return price, after
    left = after.remaining()
    deductibles = [amount for amount in (left.deductible, left.family_deductible) if amount is not None]
    why = explain(
        shares,
        allowed=allowed,
        copay=state.terms.copay,
        coinsurance=state.terms.coinsurance,
        rules=[_rule(state.terms, world) for world in worlds],
        deductible_known=state.terms.deductible_known,
        deductible_left=min(deductibles, default=None),
        covered=state.terms.covered,
        out_of_network=state.terms.network == "out",
        charge=charge,
    )
    return replace(price, why=why), after


def _with_rule(terms: PlanTerms, world: _World) -> Iterator[_World]:
    """The worlds that this one may be by the copay's rule; it stays one where the rule is told or plays no part."""
    if terms.copay is None or terms.copay_rule is not None or terms.copay in dict(world.rules):
        yield world
        return
    for rule in CopayRule:
        yield replace(world, rules=(*world.rules, (terms.copay, rule)))


def _rule(terms: PlanTerms, world: _World) -> CopayRule:
    """The copay rule that holds. Without a copay the rule says nothing, and the deductible comes first.

    One exception: when neither copay nor coinsurance is known and the rule is that a copay stands alone, then there is
    a copay, only its amount is not known, and the deductible must not be charged.
    """
    if terms.copay is None:
        alone = terms.coinsurance is None and terms.copay_rule == CopayRule.WAIVES_DEDUCTIBLE
        return CopayRule.WAIVES_DEDUCTIBLE if alone else CopayRule.AFTER_DEDUCTIBLE
    return terms.copay_rule or dict(world.rules).get(terms.copay, CopayRule.AFTER_DEDUCTIBLE)


def _branches(terms: PlanTerms, world: _World, allowed: Decimal) -> Iterator[tuple[Shares, _World]]:
    """The session priced in one world; where an unknown fact bears on it, once for each end of what it may be."""
    for copay, coinsurance in _possible_shares(terms, allowed):
        for deductible, over in _possible_deductibles(terms, world):
            shares = _uncapped(_rule(terms, world), allowed, deductible, copay, coinsurance).cut_to(_room(terms, world))
            yield (
                shares,
                replace(
                    world,
                    deductible_over=over,
                    # What an unknown deductible has taken tells nothing about what is left of it.
                    to_deductible=world.to_deductible + (shares.deductible if terms.deductible_known else ZERO),
                    to_maximum=world.to_maximum + shares.client,
                ),
            )


def _possible_shares(terms: PlanTerms, allowed: Decimal) -> tuple[tuple[Decimal, Decimal], ...]:
    """Copay and coinsurance. Neither known: past the deductible the client pays nothing, or all, as either of them."""
    if terms.share_known:
        return ((terms.copay or ZERO, terms.coinsurance or ZERO),)
    return ((ZERO, ZERO), (allowed, ZERO), (ZERO, Decimal(1)))


def _possible_deductibles(terms: PlanTerms, world: _World) -> tuple[tuple[Decimal | None, bool], ...]:
    """What is left of the deductible (``None``: no end of it) and whether an unknown one is over from here on."""
    figures = [
        figure for figure in (terms.deductible_remaining, terms.family_deductible_remaining) if figure is not None
    ]
    if figures:
        return ((max(ZERO, min(figures) - world.to_deductible), False),)
    if world.deductible_over:
        return ((ZERO, True),)
    return ((ZERO, True), (None, False))


def _room(terms: PlanTerms, world: _World) -> Decimal | None:
    """What the client can still be asked this year: the lesser of the maximums; ``None`` without one."""
    figures = [
        figure for figure in (terms.out_of_pocket_remaining, terms.family_out_of_pocket_remaining) if figure is not None
    ]
    return max(ZERO, min(figures) - world.to_maximum) if figures else None


def _uncapped(
    rule: CopayRule, allowed: Decimal, deductible: Decimal | None, copay: Decimal, coinsurance: Decimal
) -> Shares:
    """The parts of the client's share in the order in which they are applied, before any maximum."""

    def to_deductible(amount: Decimal) -> Decimal:
        return amount if deductible is None else min(deductible, amount)

    if rule == CopayRule.WAIVES_DEDUCTIBLE:
        return Shares(copay=min(copay, allowed), applied=("copay",))
    if rule == CopayRule.BEFORE_DEDUCTIBLE:
        copay_part = min(copay, allowed)
        deductible_part = to_deductible(allowed - copay_part)
        applied: tuple[Part, ...] = ("copay", "deductible", "coinsurance")
    else:
        deductible_part = to_deductible(allowed)
        copay_part = min(copay, allowed - deductible_part)
        applied = ("deductible", "copay", "coinsurance")
    rest = allowed - deductible_part - copay_part
    return Shares(
        deductible=deductible_part,
        copay=copay_part,
        coinsurance=round_cents(rest * coinsurance),
        shared_rest=rest,
        applied=applied,
    )


def _outermost(worlds: Iterable[_World]) -> tuple[_World, ...]:
    """Of worlds that differ only in what was paid to the maximum, those where it was least and most.

    Every figure rises or falls steadily with that payment, so if these two agree on one, all between agree.
    """
    alike: dict[tuple[object, bool, Decimal], list[_World]] = {}
    for world in worlds:
        alike.setdefault((world.rules, world.deductible_over, world.to_deductible), []).append(world)
    kept: list[_World] = []
    for group in alike.values():
        least, most = min(group, key=lambda w: w.to_maximum), max(group, key=lambda w: w.to_maximum)
        kept += [least] if least == most else [least, most]
    return tuple(kept)
