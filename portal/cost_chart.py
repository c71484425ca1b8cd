"""The drawing of what each session ahead costs: geometry for ``templates/components/cost_chart.html``.

One bar a session, in order of day. Across, everything is a percentage of the width and text keeps its size, so that
one drawing serves a phone and a desk; up, everything is in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils import formats
from django.utils.translation import gettext as _

from billing.domain.forecast import Forecast, Point
from common.money import ZERO, dollars

HEIGHT, TOP, BASE = 212, 52, 184
"""Pixels: the whole drawing, its highest line, and the line the bars stand on."""

FEWEST = 10
"""So few sessions get no wider bars than this many would."""

NARROW, WIDE = 230, 560
"""Pixels of width a phone and a desk have at least; decides which months have room for their names."""

PARTS = ("deductible", "copay", "coinsurance", "not_covered")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar; ``kind`` is a part of a price, ``free`` for nothing to pay, ``unknown`` for not known."""

    kind: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One session: where it stands, and its words."""

    x: str
    middle: str
    width: str
    pieces: tuple[Piece, ...]
    words: str
    booked: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line across with its amount."""

    y: str
    label: str


@dataclass(frozen=True, slots=True)
class Month:
    """The name of a month under its first session; ``wide``: there is room for it on a wide page only."""

    x: str
    label: str
    wide: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A turn of the price, between two bars; ``number`` is its place in the list beside the drawing."""

    number: int
    x: str
    y: int


@dataclass(frozen=True, slots=True)
class CostChart:
    """All there is to draw. ``kinds`` are the parts that occur, for the legend."""

    id: str
    title: str
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    months: tuple[Month, ...]
    marks: tuple[Mark, ...]
    kinds: tuple[str, ...]
    height: int = HEIGHT
    base: int = BASE


def draw(forecast: Forecast, *, id: str) -> CostChart:
    """Lay out a forecast that has at least one session. ``id`` is unique on the page."""
    points = forecast.points
    top = _round_up(max(_height_of(point) for point in points))
    slots = max(len(points), FEWEST)
    bars = tuple(_bar(point, place, slots, top) for place, point in enumerate(points))
    found = {piece.kind for bar in bars for piece in bar.pieces}
    return CostChart(
        id=id,
        title=_("What a session costs, from %(first)s to %(last)s")
        % {"first": _day(points[0].day), "last": _day(points[-1].day)},
        bars=bars,
        lines=tuple(Line(f"{_up(amount, top):.1f}", dollars(amount).removesuffix(".00")) for amount in (top, top / 2)),
        months=tuple(_months([point.day for point in points], slots)),
        marks=tuple(_marks([turn.after for turn in forecast.turns], slots)),
        kinds=tuple(kind for kind in (*PARTS, "paid", "free", "unknown") if kind in found),
    )


def _height_of(point: Point) -> Decimal:
    return point.allowed if point.client is None else point.client


def _round_up(amount: Decimal) -> Decimal:
    """The next amount that is 1, 2, 3, 4, 6 or 8 times a power of ten; a plan that asks nothing gets $20."""
    if amount <= 0:
        return Decimal(20)
    power = Decimal(10) ** amount.adjusted()
    return next(step * power for step in map(Decimal, (1, 2, 3, 4, 6, 8, 10)) if step * power >= amount)


def _up(amount: Decimal, top: Decimal) -> Decimal:
    return BASE - (BASE - TOP) * amount / top


def _bar(point: Point, place: int, slots: int, top: Decimal) -> Bar:
    slot = Decimal(100) / slots
    width = slot * Decimal("0.7")
    amount = _("not known yet") if point.client is None else dollars(point.client)
    return Bar(
        x=f"{slot * place + (slot - width) / 2:.3f}",
        middle=f"{slot * place + slot / 2:.3f}",
        width=f"{width:.3f}",
        pieces=tuple(_pieces(point, top)),
        words=_("%(day)s: %(amount)s") % {"day": _day(point.day), "amount": amount},
        booked=point.booked,
    )


def _pieces(point: Point, top: Decimal) -> list[Piece]:
    if point.client is None:
        return [_piece("unknown", ZERO, point.allowed, top)]
    if point.client == ZERO:
        return [Piece("free", str(BASE), "0")]
    parts = [(kind, amount) for kind in PARTS if (amount := getattr(point.price, kind))]
    if sum((amount for _kind, amount in parts), ZERO) != point.client:
        return [_piece("paid", ZERO, point.client, top)]
    found, below = [], ZERO
    for kind, amount in parts:
        found.append(_piece(kind, below, amount, top))
        below += amount
    return found


def _piece(kind: str, below: Decimal, amount: Decimal, top: Decimal) -> Piece:
    upper, lower = _up(below + amount, top), _up(below, top)
    return Piece(kind, f"{upper:.1f}", f"{lower - upper:.1f}")


def _months(days: Sequence[date], slots: int) -> list[Month]:
    """Each month's first session, as far as the names have room; a year is named with its first month."""
    firsts = [
        (place, day)
        for place, day in enumerate(days)
        if place == 0 or (day.year, day.month) != (days[place - 1].year, days[place - 1].month)
    ]
    found: list[Month] = []
    free_wide = free_narrow = Decimal(0)
    year = days[0].year
    for place, day in firsts:
        x = Decimal(place) / slots
        new_year = day.year != year
        label = formats.date_format(day, "M Y" if new_year else "M")
        room = 72 if new_year else 38
        if x * WIDE < free_wide or x * WIDE > WIDE - room:
            continue
        narrow = free_narrow <= x * NARROW <= NARROW - room
        found.append(Month(f"{x * 100:.3f}", label, wide=not narrow))
        free_wide = x * WIDE + room
        if narrow:
            free_narrow = x * NARROW + room
        year = day.year
    return found


def _marks(afters: Sequence[int], slots: int) -> list[Mark]:
    """The turns; one that would cover its neighbour on a phone stands in the row above."""
    found: list[Mark] = []
    last, row = Decimal(-1), 0
    for number, after in enumerate(afters, start=1):
        x = Decimal(after) / slots
        row = (row + 1) % 2 if (x - last) * NARROW < 24 else 0
        found.append(Mark(number, f"{x * 100:.3f}", 34 if row == 0 else 11))
        last = x
    return found


def _day(day: date) -> str:
    return formats.date_format(day, "D j M Y")
