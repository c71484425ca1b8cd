"""What the sessions ahead will cost the client, and when that changes. Pure. Worked figures: ``docs/forecast.md``.

Every price comes from :func:`billing.domain.pricing.price_session`; this module only goes on with it past what is
booked, and notices where the price turns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import groupby, pairwise, zip_longest

from billing.domain.pricing import PlanState, PlanTerms, PricedSession, price_session
from common.agreement import agreed
from common.money import ZERO
from insurance.domain.benefits import Accumulator, Accumulators, NetworkBenefits, Visits


@dataclass(frozen=True, slots=True)
class Ahead:
    """A session that is not decided yet. ``allowed``: the full price under the contract, in dollars.

    One that is not ``shown`` uses up its part of the plan and is not told of: it took place and is under way, or it is
    not the reader's to see.
    """

    day: date
    allowed: Decimal
    telehealth: bool = False
    booked: bool = False
    shown: bool = True


@dataclass(frozen=True, slots=True)
class OtherCare:
    """Care elsewhere for which the client expects to pay ``amount`` dollars on ``day``.

    All of it counts to the maximum, and to the deductible as far as that is open; it uses no visit of therapy.
    """

    day: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Design:
    """Where a plan stands, and its terms for the two places. What is used up holds for both."""

    state: PlanState
    office: PlanTerms
    telehealth: PlanTerms

    @classmethod
    def start(cls, office: PlanTerms, telehealth: PlanTerms) -> "Design":
        """Nothing used yet beyond what the terms say."""
        return cls(PlanState.start(office), office, telehealth)


@dataclass(frozen=True, slots=True)
class PlanYear:
    """One plan year, both days included, as every way it may be: a price is known when all ``designs`` agree on it."""

    first: date
    last: date
    designs: tuple[Design, ...]


class Turn(StrEnum):
    """Why sessions cost another amount from here on."""

    DEDUCTIBLE_MET = "deductible_met"
    MAXIMUM_REACHED = "maximum_reached"
    VISITS_USED = "visits_used"
    NEW_YEAR = "new_year"


@dataclass(frozen=True, slots=True)
class Point:
    """One session ahead and its price. ``year`` counts the plan years from 0."""

    day: date
    allowed: Decimal
    telehealth: bool
    booked: bool
    year: int
    price: PricedSession

    @property
    def client(self) -> Decimal | None:
        """What the client pays, in dollars; ``None``: not known."""
        return self.price.client


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """Where the price turns. ``before`` and ``then`` are dollars a session; ``None``: not known.

    ``after`` is how many of the sessions told of are over by then; ``day`` that of the session or the other care that
    brings it about, or the first of the new year. ``elsewhere``: it is none of the sessions told of
    that brings it, but other care.
    """

    turn: Turn
    day: date
    after: int
    year: int
    before: Decimal | None
    then: Decimal | None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Sessions in a row that cost the same for the same reason."""

    points: tuple[Point, ...]

    @property
    def first(self) -> date:
        return self.points[0].day

    @property
    def last(self) -> date:
        return self.points[-1].day

    @property
    def price(self) -> PricedSession:
        return self.points[0].price

    @property
    def allowed(self) -> Decimal:
        return self.points[0].allowed

    @property
    def booked(self) -> int:
        return sum(point.booked for point in self.points)


@dataclass(frozen=True, slots=True)
class Total:
    """All sessions told of in one plan year; ``client`` is ``None`` when one of their prices is not known."""

    year: int
    first: date
    last: date
    sessions: int
    client: Decimal | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The sessions ahead by day, and where their price turns."""

    points: tuple[Point, ...]
    turns: tuple[TurningPoint, ...]
    years: tuple[tuple[date, date], ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        """The points in groups that cost the same."""

        def alike(point: Point) -> tuple[object, ...]:
            price = point.price
            parts = (price.client, price.deductible, price.copay, price.coinsurance, price.not_covered)
            return (point.year, point.allowed, *parts)

        return tuple(Run(tuple(group)) for _key, group in groupby(self.points, key=alike))

    @property
    def totals(self) -> tuple[Total, ...]:
        """What each plan year's sessions cost, for the years that have any."""
        found = []
        for year, group in groupby(self.points, key=lambda point: point.year):
            points = list(group)
            prices = [point.client for point in points]
            known = [price for price in prices if price is not None]
            total = sum(known, ZERO) if len(known) == len(prices) else None
            first, last = self.years[year]
            found.append(Total(year, first, last, len(points), total))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of a plan's figures, the lesser of member's and family's; ``None``: not known or no such rule."""

    deductible: Decimal | None
    maximum: Decimal | None
    visits: int | None

    @classmethod
    def of(cls, state: PlanState) -> "_Left":
        left = state.remaining()

        def least(own: Decimal | None, family: Decimal | None) -> Decimal | None:
            return min((amount for amount in (own, family) if amount is not None), default=None)

        return cls(
            least(left.deductible, left.family_deductible),
            least(left.out_of_pocket, left.family_out_of_pocket),
            left.visits,
        )


def forecast(years: Sequence[PlanYear], sessions: Iterable[Ahead], other: OtherCare | None = None) -> Forecast:
    """Price ``sessions`` in order of day, each in its plan year, and say where the price turns.

    ``years`` follow one another; a session after the last of them is left out. Other care comes before the sessions of
    its day.
    """
    points: list[Point] = []
    turns: list[TurningPoint] = []
    in_order = sorted(sessions, key=lambda session: session.day)
    for number, year in enumerate(years):
        mine = [session for session in in_order if year.first <= session.day <= year.last]
        begun = len(points)
        designs = list(year.designs)
        elsewhere = other if other is not None and year.first <= other.day <= year.last else None
        for session in mine:
            if elsewhere is not None and elsewhere.day <= session.day:
                was = _merged([_price(design, session)[0] for design in designs]).client
                before, designs = _left(designs), [_pay_elsewhere(design, elsewhere.amount) for design in designs]
                if turn := _turn(before, _left(designs)):
                    turns.append(TurningPoint(turn, elsewhere.day, len(points), number, was, None, elsewhere=True))
                elsewhere = None
            before = _left(designs)
            priced = [_price(design, session) for design in designs]
            designs = [design for _one, design in priced]
            turn = _turn(before, _left(designs))
            if session.shown:
                price = _merged([one for one, _design in priced])
                points.append(Point(session.day, session.allowed, session.telehealth, session.booked, number, price))
            if turn and len(points) > begun:
                # The price before it is that of an earlier session: the one that turns it may itself be split.
                was = points[begun:][-2 if session.shown else -1 :][0].client
                turns.append(
                    TurningPoint(turn, session.day, len(points), number, was, None, elsewhere=not session.shown)
                )
    told = _completed(turns, points) + _new_years(years, points)
    told.sort(key=lambda turn: (turn.year, turn.turn is not Turn.NEW_YEAR, turn.after))
    return Forecast(tuple(points), tuple(told), tuple((year.first, year.last) for year in years))


def _price(design: Design, session: Ahead) -> tuple[PricedSession, Design]:
    terms = design.telehealth if session.telehealth else design.office
    price, state = price_session(replace(design.state, terms=terms), session.allowed)
    return price, replace(design, state=state)


def _pay_elsewhere(design: Design, amount: Decimal) -> Design:
    state = design.state.after_adjudicated(client=amount, deductible=amount)
    return replace(design, state=replace(state, visits_used=design.state.visits_used))


def _merged(prices: Sequence[PricedSession]) -> PricedSession:
    """One price of several possible ones: what they agree on."""
    if len(prices) == 1:
        return prices[0]
    return PricedSession(
        client=agreed(price.client for price in prices),
        plan=agreed(price.plan for price in prices),
        deductible=agreed(price.deductible for price in prices),
        copay=agreed(price.copay for price in prices),
        coinsurance=agreed(price.coinsurance for price in prices),
        not_covered=agreed(price.not_covered for price in prices),
        why=agreed(price.why for price in prices) or (),
    )


def _left(designs: Sequence[Design]) -> _Left:
    left = [_Left.of(design.state) for design in designs]
    return _Left(
        agreed(each.deductible for each in left),
        agreed(each.maximum for each in left),
        agreed(each.visits for each in left),
    )


def _turn(before: _Left, after: _Left) -> Turn | None:
    """What came to its end; the maximum tells more than the deductible that it swallows."""
    if before.maximum and after.maximum == ZERO:
        return Turn.MAXIMUM_REACHED
    if before.visits and after.visits == 0:
        return Turn.VISITS_USED
    if before.deductible and after.deductible == ZERO:
        return Turn.DEDUCTIBLE_MET
    return None


def _completed(turns: Sequence[TurningPoint], points: Sequence[Point]) -> list[TurningPoint]:
    """The turns with the price of the next session in the same year; those that change no price are left out.

    Where other care comes between a turn and that session, the turn is told with the price without that care.
    """
    found = []
    for turn, later in zip_longest(turns, turns[1:]):
        following = points[turn.after] if turn.after < len(points) else None
        if following is None or following.year != turn.year:
            continue
        between = later is not None and later.elsewhere and (later.year, later.after) == (turn.year, turn.after)
        then = later.before if between else following.client
        if turn.before is None or turn.before != then:
            found.append(replace(turn, then=then))
    return found


def _new_years(years: Sequence[PlanYear], points: Sequence[Point]) -> list[TurningPoint]:
    """Each plan year that starts within the sessions, whether it changes the price or not."""
    found = []
    for over, (earlier, later) in enumerate(pairwise(points), start=1):
        if later.year != earlier.year:
            first = years[later.year].first
            found.append(TurningPoint(Turn.NEW_YEAR, first, over, later.year, earlier.client, later.client))
    return found


def year_on(day: date) -> date:
    """The same day a year later; from 29 February the 28th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def next_year(year: PlanYear, designs: tuple[Design, ...]) -> PlanYear:
    """The plan year after ``year``, as long as a year is."""
    return PlanYear(year.last + timedelta(days=1), year_on(year.last), designs)


def fresh(figures: NetworkBenefits) -> tuple[NetworkBenefits, ...]:
    """The same plan at the start of a plan year, with nothing used: the four ways it may be, alike where all is known.

    A limit that the insurer has told is all there again. Where it told only what is left of one, the limit is not
    known: a deductible then is unknown; a maximum or a number of visits is at least what is left, so it may be as low
    as that, or too high to matter.
    """
    deductible, known = figures.deductible, True
    for one in (deductible.individual, deductible.family):
        known = known and (one.limit is not None or one.remaining is None)
    full = Accumulators(_full(deductible.individual), _full(deductible.family)) if known else Accumulators()
    maximum = figures.out_of_pocket
    lowest = Accumulators(_full(maximum.individual), _full(maximum.family))
    highest = Accumulators(
        *(_full(one) if one.limit is not None else Accumulator() for one in (maximum.individual, maximum.family))
    )
    visits = figures.visits
    fewest = Visits(visits.limit, visits.remaining if visits.limit is None else visits.limit)
    most = Visits(visits.limit, visits.limit)
    return tuple(
        replace(figures, deductible=full, out_of_pocket=pocket, visits=count, telehealth=None)
        for pocket in (lowest, highest)
        for count in (fewest, most)
    )


def _full(one: Accumulator) -> Accumulator:
    """Nothing used of it; where only the rest is known, that rest, which is the least it can be."""
    return Accumulator(one.limit, one.remaining if one.limit is None else one.limit)
