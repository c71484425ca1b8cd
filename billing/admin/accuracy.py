"""How near our estimates come to what insurers decide: a chart by month, a table by plan, and the figures as a file."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin import comparisons  # noqa: F401 - comparisons are on the desk before a tool is added to them
from billing.models import Comparison
from billing.services.accuracy import Accuracy, Measure, Report, report
from common import clock
from common.desk import Tool, extend, render
from common.spreadsheet import harmless
from insurance.models import Payer


class MonthField(forms.DateField):
    """A month: ``"2026-11"``. Cleans to its first day."""

    widget = forms.TextInput(attrs={"type": "month", "placeholder": "2026-11"})

    def __init__(self, **options: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m"],
            required=False,
            error_messages={"invalid": gettext_lazy("Please write a month such as 2026-11.")},
            **options,
        )


class FilterForm(forms.Form):
    """Which answers to look at."""

    payer = forms.ModelChoiceField(
        Payer.objects.all(), label=gettext_lazy("Insurer"), required=False, empty_label=gettext_lazy("All insurers")
    )
    since = MonthField(label=gettext_lazy("From"))
    until = MonthField(label=gettext_lazy("To"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("This month is before the first one."))
        return cleaned


def _last_day(month: date) -> date:
    following = month.replace(day=28).toordinal() + 4
    return date.fromordinal(following - date.fromordinal(following).day)


def month_name(month: date) -> str:
    """``"Mar 2026"``."""
    return formats.date_format(month, "M Y")


# --- The chart --------------------------------------------------------------------------------------------------------

LEFT, TOP, WIDTH, HEIGHT = 44, 16, 640, 200
"""Where the chart's field lies and how large it is, in the picture's own units."""

FEWEST_PIXELS = 52
"""Between two names of months, so that they do not run into each other."""


@dataclass(frozen=True, slots=True)
class Point:
    """One month of one line; ``words`` tell it to people who point at it or do not see it."""

    x: int
    y: int
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Share of sessions within a dollar, by month: what was estimated first, and what was in force at the answer."""

    first: list[Point]
    last: list[Point]
    levels: list[tuple[int, str]]
    """Height and name of each level line."""
    months: list[tuple[int, str]]
    summary: str
    width: int = LEFT + WIDTH + 40
    height: int = TOP + HEIGHT + 36
    left: int = LEFT
    right: int = LEFT + WIDTH
    bottom: int = TOP + HEIGHT

    @property
    def first_line(self) -> str:
        """The points as SVG takes them."""
        return " ".join(f"{point.x},{point.y}" for point in self.first)

    @property
    def last_line(self) -> str:
        return " ".join(f"{point.x},{point.y}" for point in self.last)


def chart(months: Sequence[Accuracy]) -> Chart:
    """The months as a picture, each at its place in time; months without sessions are gaps in the row of names."""
    numbers = [each.month.year * 12 + each.month.month - 1 for each in months if each.month]
    begin, span = min(numbers), max(max(numbers) - min(numbers), 1)
    alone = len(numbers) == 1

    def x(number: int) -> int:
        return LEFT + (WIDTH // 2 if alone else round(WIDTH * (number - begin) / span))

    def y(share: Decimal) -> int:
        return TOP + round(HEIGHT * (1 - share))

    def line(which: str, words: str) -> list[Point]:
        found = []
        for number, each in zip(numbers, months, strict=True):
            measure: Measure = getattr(each, which)
            told = _("%(month)s, %(which)s: %(share)s of %(sessions)s sessions") % {
                "month": month_name(each.month) if each.month else "",
                "which": words,
                "share": share_text(measure.share_near),
                "sessions": each.sessions,
            }
            found.append(Point(x(number), y(measure.share_near), told))
        return found

    step = max(1, -(-FEWEST_PIXELS * (span + 1) // WIDTH))
    names = [
        (x(number), month_name(date(number // 12, number % 12 + 1, 1)))
        for number in (numbers if alone else range(begin, begin + span + 1, step))
    ]
    return Chart(
        first=line("first", _("first estimate")),
        last=line("last", _("estimate in force")),
        levels=[(y(Decimal(level) / 100), f"{level}%") for level in (0, 25, 50, 75, 100)],
        months=names,
        summary=_("Share of sessions within $1 by month, from %(begin)s to %(end)s. The table below has the figures.")
        % {
            "begin": names[0][1],
            "end": month_name(date(numbers[-1] // 12, numbers[-1] % 12 + 1, 1)),
        },
    )


def share_text(share: Decimal) -> str:
    """``Decimal("0.8333")`` → ``"83%"``; never rounded up to all, nor down to none."""
    whole = round(share * 100)
    if share > 0 and whole == 0:
        return _("under 1%")
    return f"{99 if share < 1 and whole == 100 else whole}%"


# --- The page ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table on the page."""

    name: str
    group: Accuracy
    first_share: str
    last_share: str


def _lines(groups: Sequence[Accuracy], *, by_month: bool) -> list[Line]:
    return [
        Line(
            month_name(each.month) if by_month and each.month else f"{each.payer}: {each.plan or _('plan not named')}",
            each,
            share_text(each.first.share_near),
            share_text(each.last.share_near),
        )
        for each in groups
    ]


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """The page, or with ``as=csv`` the figures by insurer, plan and month."""
    form = FilterForm(request.GET)
    found = Report()
    if form.is_valid():
        payer, until = form.cleaned_data["payer"], form.cleaned_data["until"]
        found = report(
            payer_id=payer.pk if payer else None,
            since=form.cleaned_data["since"],
            until=_last_day(until) if until else None,
        )
        if request.GET.get("as") == "csv":
            return _as_csv(found.lines)
    query = request.GET.copy()
    query["as"] = "csv"
    more: dict[str, Any] = {
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "csv_query": query.urlencode(),
        "waiting_url": f"{reverse('admin:billing_comparison_changelist')}?state__exact=waiting",
    }
    if found.whole is not None:
        more |= {
            "whole": found.whole,
            "first_share": share_text(found.whole.first.share_near),
            "last_share": share_text(found.whole.last.share_near),
            "chart": chart(found.months),
            "months": _lines(found.months, by_month=True),
            "plans": _lines(found.plans, by_month=False),
        }
    return render(request, "admin/prices/accuracy.html", context | more, status=422 if form.errors else 200)


_MEASURES = ("sessions within $1", "share within $1", "median error $", "worst tenth $", "too low", "too high")


def _as_csv(lines: Sequence[Accuracy]) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="accuracy-{clock.today()}.csv"'
    answer["Cache-Control"] = "no-store"
    out = csv.writer(answer)
    out.writerow(
        [
            *("insurer", "plan", "month", "sessions"),
            *(f"first estimate: {name}" for name in _MEASURES),
            *(f"estimate in force: {name}" for name in _MEASURES),
        ]
    )
    for each in lines:
        month = f"{each.month:%Y-%m}" if each.month else ""
        measures = [
            value
            for one in (each.first, each.last)
            for value in (one.near, one.share_near, one.median_error, one.worst_tenth, one.too_low, one.too_high)
        ]
        out.writerow([harmless(each.payer), harmless(each.plan), month, each.sessions, *measures])
    return answer


extend(Comparison, tools=[Tool("accuracy", gettext_lazy("How accurate our estimates are"), page)])
