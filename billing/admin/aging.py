"""Who owes us for how long: insurers on the page of claims, clients on the page of clients. A chart, a table, the
claims or sessions behind each figure, and all of them as a file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import insurance.admin  # noqa: F401 - claims are on the desk before a tool is added to them
import people.admin  # noqa: F401 - likewise clients
from billing.services import aging
from billing.services.aging import Aging, Cell, Item
from common import clock
from common.desk import Desk, Tool, extend, render
from common.money import dollars
from common.spreadsheet import harmless
from insurance.models import Claim
from people.models import Client

PAGE = 50

LEFT, TOP, STEP, WIDTH, HEIGHT = 70, 24, 120, 64, 180
"""Where the chart's field lies, how far its bars stand apart, and their sizes, in the picture's own units."""


def bucket_name(bucket: str) -> str:
    """``"31-60"`` → ``"31 to 60 days"``."""
    names = {
        aging.UNSENT: _("Not sent yet"),
        "0-30": _("Up to 30 days"),
        "31-60": _("31 to 60 days"),
        "61-90": _("61 to 90 days"),
        "90+": _("Over 90 days"),
    }
    return names[bucket]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket; ``words`` tell it to people who point at it or do not see it."""

    x: int
    y: int
    height: int
    name: str
    amount: str
    words: str
    late: bool

    @property
    def middle(self) -> int:
        return self.x + WIDTH // 2


@dataclass(frozen=True, slots=True)
class Chart:
    """Amounts by age as bars from a common ground line."""

    bars: list[Bar]
    summary: str
    ground: int = TOP + HEIGHT
    left: int = LEFT - 20
    width: int = LEFT + 5 * STEP
    height: int = TOP + HEIGHT + 30
    bar_width: int = WIDTH


def chart(totals: dict[str, Cell], buckets: list[str]) -> Chart:
    """The totals as bars; a bucket below zero (more paid than expected) has no height, and its figure says so."""
    most = max([cell.amount for cell in totals.values()] + [Decimal(1)])
    bars = []
    for place, bucket in enumerate(buckets):
        cell = totals[bucket]
        height = max(0, round(HEIGHT * cell.amount / most))
        words = _("%(age)s: %(amount)s in %(count)s") % {
            "age": bucket_name(bucket),
            "amount": dollars(cell.amount),
            "count": cell.count,
        }
        bars.append(
            Bar(
                LEFT + place * STEP,
                TOP + HEIGHT - height,
                height,
                bucket_name(bucket),
                dollars(cell.amount),
                words,
                bucket == "90+",
            )
        )
    return Chart(bars, "; ".join(bar.words for bar in bars) + ".")


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Http404
    return int(text)


def _address(**query: Any) -> str:
    return "?" + urlencode({name: value for name, value in query.items() if value not in (None, "")})


def _page(whose: str, request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    buckets = [*((aging.UNSENT,) if whose == "insurers" else ()), *aging.BUCKETS]
    who, bucket, number = _number(request, "who"), request.GET.get("bucket") or None, _number(request, "page") or 1
    if bucket is not None and bucket not in buckets:
        raise Http404
    if request.GET.get("as") == "csv":
        return _as_csv(whose, request, who, bucket)
    more: dict[str, Any] = {
        "whose": whose,
        "buckets": [(each, bucket_name(each)) for each in buckets],
        "page": number,
        "csv_url": _address(**{"who": who, "bucket": bucket, "as": "csv"}),
    }
    if who is not None or bucket is not None:
        more |= _detail(whose, request, who, bucket, number)
    else:
        more |= _overview(whose, request, buckets, number)
    return render(request, "admin/money/aging.html", context | more)


def _overview(whose: str, request: HttpRequest, buckets: list[str], number: int) -> dict[str, Any]:
    found: Aging = aging.report(whose, offset=(number - 1) * PAGE, limit=PAGE + 1)
    rows = found.rows[:PAGE]
    if whose == "clients":
        _note(request, {row.pk for row in rows if row.pk is not None})
    return {
        "rows": [
            (
                row.name or _("Insurer not known"),
                _address(who=row.pk),
                [(row.cells[each], _address(who=row.pk, bucket=each)) for each in buckets],
                row.total,
            )
            for row in rows
        ],
        "totals": [(found.totals[each], _address(bucket=each)) for each in buckets],
        "total": found.total,
        "chart": chart(found.totals, buckets),
        "before": _address(page=number - 1) if number > 1 else "",
        "after": _address(page=number + 1) if len(found.rows) > PAGE else "",
    }


def _detail(whose: str, request: HttpRequest, who: int | None, bucket: str | None, number: int) -> dict[str, Any]:
    items = list(aging.items(whose, who=who, bucket=bucket, offset=(number - 1) * PAGE, limit=PAGE + 1))
    shown = items[:PAGE]
    _note(request, {item.client for item in shown})
    target = "admin:insurance_claim_change" if whose == "insurers" else "admin:care_session_change"
    return {
        "detail": True,
        "items": [(item, reverse(target, args=[item.pk])) for item in shown],
        "who_name": shown[0].name if who is not None and shown else "",
        "bucket_words": bucket_name(bucket) if bucket else "",
        "before": _address(who=who, bucket=bucket, page=number - 1) if number > 1 else "",
        "after": _address(who=who, bucket=bucket, page=number + 1) if len(items) > PAGE else "",
    }


def _note(request: HttpRequest, clients: set[int]) -> None:
    if Desk.note_looks is not None and clients:
        Desk.note_looks(request, clients, "support: aging")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _as_csv(whose: str, request: HttpRequest, who: int | None, bucket: str | None) -> HttpResponseBase:
    items = list(aging.items(whose, who=who, bucket=bucket))
    _note(request, {item.client for item in items})
    answer = StreamingHttpResponse(_lines(whose, items), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{whose}-{clock.today()}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def _lines(whose: str, items: list[Item]) -> Iterator[str]:
    out = csv.writer(_Echo())
    if whose == "insurers":
        yield out.writerow(
            [
                *("insurer", "claim", "session", "date of service", "sent on", "days since", "expected $"),
                *("left by earlier plans $", "state"),
            ]
        )
        for each in items:
            since = [each.since or "", "" if each.days is None else each.days]
            yield out.writerow(
                [
                    harmless(each.name),
                    each.number,
                    each.session,
                    each.held_on,
                    *since,
                    each.amount,
                    each.besides,
                    each.state,
                ]
            )
    else:
        yield out.writerow(["client", "session", "date of service", "asked on", "days since", "due $"])
        for each in items:
            since = [each.since or "", "" if each.days is None else each.days]
            yield out.writerow([harmless(each.name), each.session, each.held_on, *since, each.amount])


def insurers(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """What insurers owe, by insurer and days since the claim was sent."""
    return _page("insurers", request, context)


def clients(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """What clients owe, by client and days since they were asked."""
    return _page("clients", request, context)


extend(Claim, tools=[Tool("aging", gettext_lazy("What insurers owe, by age"), insurers)])
extend(Client, tools=[Tool("aging", gettext_lazy("What clients owe, by age"), clients)])
