"""The accuracy by month as a picture: an SVG document that can be read without colour and by a screen reader."""

from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 84, 96
INK, SOFT, GRID = "#1f2933", "#52606d", "#d9dee4"


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name, colour, dashes and marks, and the share (0 to 1) of each month, ``None`` where there is none.

    Lines differ by dashes and marks too, so that nothing rests on colour alone.
    """

    name: str
    colour: str
    dashes: str
    mark: str
    values: list[float | None]


def draw(data: dict[str, Any]) -> str:
    """The figure of a report (:func:`headway.simulate.report.as_data`)."""
    months = list(data["by_month"])
    series = _series(data)
    options, shares = data["options"], data["accuracy"]
    title = "Sessions priced within a dollar of the insurer's decision, by month"
    before, after = shares["told wrongly, before the first correction"], shares["told wrongly, after it"]
    about = (
        f"Clients: {options['clients']}. Weeks: {options['weeks']}. Plans told wrongly: {len(data['wrong_plans'])}.",
        f"On these, charged within a dollar before the first correction: {_percent(before)}; after: {_percent(after)}.",
    )
    described = "; ".join(
        f"{each.name}: "
        + ", ".join(f"{month} {_share(value)}" for month, value in zip(months, each.values, strict=True))
        for each in series
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title description" font-family="system-ui, sans-serif" font-size="13">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(" ".join(about))} {escape(described)}</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="28" font-size="17" font-weight="600" fill="{INK}">{escape(title)}</text>',
        *(
            f'<text x="{LEFT}" y="{48 + 17 * number}" fill="{SOFT}">{escape(line)}</text>'
            for number, line in enumerate(about)
        ),
        *_axes(months),
        *(part for each in series for part in _line(each, len(months))),
        *_legend(series),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _series(data: dict[str, Any]) -> list[Series]:
    def values(group: str, price: str) -> list[float | None]:
        return [rows[group][price]["within_a_dollar"] for rows in data["by_month"].values()]

    return [
        Series("Plans told rightly, price charged", "#0b6e4f", "", "circle", values("told rightly", "charged")),
        Series("Plans told wrongly, price charged", "#b23a48", "", "square", values("told wrongly", "charged")),
        Series("Plans told wrongly, price when the insurer answered", "#1d4e89", "6 4", "diamond",
               values("told wrongly", "held")),
    ]  # fmt: skip


def _percent(row: dict[str, Any]) -> str:
    return _share(row["charged"]["within_a_dollar"])


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.0%}"


def _x(number: int, count: int) -> float:
    room = WIDTH - LEFT - RIGHT
    return round(LEFT + (room * (number + 0.5) / max(1, count)), 1)


def _y(share: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share), 1)


def _axes(months: list[str]) -> list[str]:
    parts = []
    for tenth in range(0, 11, 2):
        y = _y(tenth / 10)
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="{GRID}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end" fill="{SOFT}">{tenth * 10} %</text>')
    for number, month in enumerate(months):
        x = _x(number, len(months))
        parts.append(f'<text x="{x}" y="{_y(0) + 20}" text-anchor="middle" fill="{SOFT}">{_name(month, number)}</text>')
    return parts


def _name(month: str, number: int) -> str:
    """``Mar``, with the year in the first month and in January."""
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    year, place = month.split("-")
    name = names[int(place) - 1]
    return f"{name} {year}" if number == 0 or place == "01" else name


def _line(series: Series, count: int) -> list[str]:
    points = [(_x(number, count), _y(value)) for number, value in enumerate(series.values) if value is not None]
    path = " ".join(f"{'M' if number == 0 else 'L'}{x} {y}" for number, (x, y) in enumerate(points))
    dashes = f' stroke-dasharray="{series.dashes}"' if series.dashes else ""
    parts = [f'<path d="{path}" fill="none" stroke="{series.colour}" stroke-width="2"{dashes}/>'] if points else []
    return parts + [_mark(series, x, y) for x, y in points]


def _mark(series: Series, x: float, y: float) -> str:
    match series.mark:
        case "circle":
            return f'<circle cx="{x}" cy="{y}" r="4" fill="{series.colour}"/>'
        case "square":
            return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{series.colour}"/>'
        case _:
            corners = f"M{x} {y - 5:.1f} L{x + 5:.1f} {y} L{x} {y + 5:.1f} L{x - 5:.1f} {y} Z"
            return f'<path d="{corners}" fill="#ffffff" stroke="{series.colour}" stroke-width="2"/>'


def _legend(series: list[Series]) -> list[str]:
    parts = []
    for number, each in enumerate(series):
        y = HEIGHT - BOTTOM + 46 + 17 * number
        dashes = f' stroke-dasharray="{each.dashes}"' if each.dashes else ""
        line = f'<line x1="{LEFT}" y1="{y - 4}" x2="{LEFT + 36}" y2="{y - 4}" stroke-width="2"{dashes}'
        parts.append(f'{line} stroke="{each.colour}"/>')
        parts.append(_mark(each, LEFT + 18, y - 4))
        parts.append(f'<text x="{LEFT + 46}" y="{y}" fill="{INK}">{escape(each.name)}</text>')
    return parts
