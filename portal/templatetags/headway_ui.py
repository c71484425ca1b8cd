"""How figures, days and components are written on pages. ``docs/design-system.md`` shows each in use."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, Form
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from common import clock, money
from portal import navigation

register = template.Library()

TONES = ("neutral", "brand", "accent", "info", "success", "attention", "danger", "paused")
THEMES = ("auto", "light", "dark")
_TONE_ICONS = {"success": "done", "attention": "attention", "danger": "danger", "paused": "paused", "neutral": "clock"}
_MESSAGE_TONES = {"error": "danger", "warning": "attention", "success": "success"}


# --- Figures ----------------------------------------------------------------------------------------------------------


@register.filter
def dollars(amount: Decimal | None) -> str:
    """``Decimal("1000")`` → ``"$1,000.00"``; ``None`` → ``"not known yet"``, which is never zero."""
    return gettext("not known yet") if amount is None else money.dollars(amount)


@register.filter
def signed_dollars(amount: Decimal | None) -> str:
    """Like :func:`dollars` with the sign always written: ``"+$20.00"``, ``"−$5.00"``, ``"$0.00"``."""
    if amount is None or amount == 0:
        return dollars(amount)
    return f"{'+' if amount > 0 else '−'}{money.dollars(abs(amount))}"


@register.filter
def percent(share: Decimal | None) -> str:
    """``Decimal("0.2")`` → ``"20%"``; ``None`` → ``"not known yet"``."""
    if share is None:
        return gettext("not known yet")
    return f"{formats.number_format((share * 100).normalize() + 0)}%"


# --- Days -------------------------------------------------------------------------------------------------------------


def _local(moment: date | datetime) -> date | datetime:
    if isinstance(moment, datetime) and timezone.is_aware(moment):
        return timezone.localtime(moment, clock.BUSINESS_ZONE)
    return moment


def _day(moment: date | datetime) -> date:
    local = _local(moment)
    return local.date() if isinstance(local, datetime) else local


@register.filter
def sentence(text: object) -> str:
    """The text with one full stop at its end, whether it came with one or not."""
    return str(text).rstrip(".") + "."


@register.filter
def longdate(moment: date | datetime | None) -> str:
    """``"Tue 24 Nov 2026"``: the month is a word, so that no one reads it the other way round."""
    return "" if moment is None else formats.date_format(_day(moment), "D j M Y")


@register.filter
def shortdate(moment: date | datetime | None) -> str:
    """``"24 Nov"`` this year, ``"24 Nov 2025"`` otherwise."""
    if moment is None:
        return ""
    day = _day(moment)
    return formats.date_format(day, "j M" if day.year == clock.today().year else "j M Y")


@register.filter
def longtime(moment: datetime | None) -> str:
    """``"Tue 24 Nov 2026, 3:30 p.m. ET"``: business time, named."""
    if moment is None:
        return ""
    return gettext("%(day)s, %(time)s ET") % {"day": longdate(moment), "time": clocktime(moment)}


@register.filter
def clocktime(moment: datetime | None) -> str:
    """``"3:30 p.m."`` in business time."""
    return "" if moment is None else formats.date_format(_local(moment), "g:i a")


@register.filter
def daterel(moment: date | datetime | None) -> str:
    """``"today"``, ``"tomorrow"``, ``"in 5 days"``, ``"3 days ago"``; beyond 30 days the date itself."""
    if moment is None:
        return ""
    days = (_day(moment) - clock.today()).days
    near = {-1: gettext("yesterday"), 0: gettext("today"), 1: gettext("tomorrow")}
    if days in near:
        return near[days]
    if abs(days) > 30:
        return longdate(moment)
    if days > 0:
        return ngettext("in %(days)s day", "in %(days)s days", days) % {"days": days}
    return ngettext("%(days)s day ago", "%(days)s days ago", -days) % {"days": -days}


@register.filter
def isodate(moment: date | datetime | None) -> str:
    """For ``<time datetime>`` and date inputs: ``"2026-11-24"``."""
    return "" if moment is None else _day(moment).isoformat()


# --- Small pieces -----------------------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """A drawing of ``static/img/icons.svg``; it is decoration, the words beside it carry the meaning."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        classes,
        static("img/icons.svg"),
        name,
    )


def _tone(tone: str) -> str:
    if tone not in TONES:
        raise template.TemplateSyntaxError(f"unknown tone {tone!r}; one of {', '.join(TONES)}")
    return tone


@register.inclusion_tag("components/badge.html")
def badge(label: str, tone: str = "neutral", icon: str = "") -> dict[str, str]:
    """A status in a word, with an icon, so that colour never stands alone."""
    return {"label": label, "tone": _tone(tone), "icon": icon or _TONE_ICONS.get(tone, "info")}


@register.filter
def message_tone(level_tag: str) -> str:
    """The tone of a Django message: ``"error"`` → ``"danger"``."""
    return _MESSAGE_TONES.get(level_tag, "info")


@register.filter
def tone_icon(tone: str) -> str:
    """The icon that goes with a tone."""
    return _TONE_ICONS.get(tone, "info")


@register.inclusion_tag("components/money.html")
def money_figure(amount: Decimal | None, classes: str = "") -> dict[str, Any]:
    """An amount with its machine-readable value; unknown is said in words."""
    return {"amount": amount, "classes": classes}


# --- Blocks: {% card %} … {% endcard %} -------------------------------------------------------------------------------


@register.simple_block_tag
def card(
    content: str, *, title: str = "", kicker: str = "", tone: str = "", level: int = 2, classes: str = ""
) -> SafeString:
    """A titled surface. ``level`` is that of its heading, ``tone`` tints it, ``classes`` may add ``card--flush``."""
    given = {"content": content, "title": title, "kicker": kicker, "level": level, "classes": classes}
    return render_to_string("components/card.html", given | {"tone": _tone(tone) if tone else ""})


@register.simple_block_tag
def callout(
    content: str, tone: str = "info", *, title: str = "", icon: str = "", level: int = 2, id: str = ""
) -> SafeString:
    """Something to notice: info, success, attention, danger or paused, with what can be done about it."""
    given = {"content": content, "tone": _tone(tone), "title": title, "level": level, "id": id}
    return render_to_string("components/callout.html", given | {"icon": icon or _TONE_ICONS.get(tone, "info")})


@register.simple_block_tag
def dialog(content: str, *, id: str, title: str) -> SafeString:
    """A native ``<dialog>``; open it with ``<button type="button" command="show-modal" commandfor="{id}">``."""
    return render_to_string("components/dialog.html", {"content": content, "id": id, "title": title})


# --- Figures drawn ----------------------------------------------------------------------------------------------------


@register.inclusion_tag("components/meter.html")
def meter(
    label: str,
    used: Decimal | None,
    total: Decimal | None,
    *,
    id: str,
    met: str = "",
    note: str = "",
    left: Decimal | None = None,
    since: Decimal | None = None,
    told_by: str = "",
    since_by: str = "",
) -> dict[str, Any]:
    """How much of a deductible or out-of-pocket maximum is used, in words and as a bar.

    ``used`` or ``total`` may be ``None`` (not known): the words say so and nothing is drawn. ``met`` is the sentence
    for a full meter. ``id`` must be unique on the page. With ``since`` dollars on top of what the insurer told (of
    which ``left`` was left), the two are told apart; ``told_by`` and ``since_by`` say whose count each is.
    """
    known = used is not None and total is not None and total > 0
    used_now, total_now = used or money.ZERO, total or money.ZERO
    left_now = None if left is None or since is None else max(left - since, money.ZERO)
    return {
        "id": id,
        "label": label,
        "known": known,
        "none": total is not None and total == 0,
        "full": known and used_now >= total_now,
        "used": used,
        "total": total,
        "left": max(total_now - used_now, money.ZERO) if left is None else left,
        "value": money.plain(min(used_now, total_now)),
        "maximum": money.plain(total_now),
        "met": met,
        "note": note,
        "since": since,
        "told_by": told_by,
        "since_by": since_by,
        "left_now": left_now,
        "met_now": left_now == money.ZERO,
        "bar": _pieces([("meter__told", used_now), ("meter__since", since or money.ZERO)], total_now) if known else [],
    }


def _pieces(parts: Iterable[tuple[str, Decimal]], whole: Decimal) -> list[dict[str, str]]:
    """Parts of a bar as percentages of its width, one after the other, with a hair between them."""
    found, start = [], Decimal(0)
    for kind, amount in parts:
        wide = amount * 100 / whole
        if wide:
            gap = min(Decimal("0.6"), wide / 2)
            found.append({"kind": kind, "x": f"{start:.2f}", "width": f"{wide - gap:.2f}"})
        start += wide
    return found


@register.inclusion_tag("components/breakdown.html")
def breakdown(
    parts: Iterable[Any], total: Decimal | None, total_label: str, whole: Decimal | None = None, whole_label: str = ""
) -> dict[str, Any]:
    """How a price is made up: a bar and a row for each part.

    ``parts``: objects or mappings with ``kind`` (plan, secondary, deductible, copay, coinsurance, not_covered, other),
    ``label``, ``amount`` (``None``: not known) and optionally ``note``. ``total`` is what the client pays, ``whole``
    the price all parts come from. The bar is drawn only when every amount is known.
    """
    rows = [_part(part) for part in parts]
    amounts = [row["amount"] for row in rows]
    bar = []
    if amounts and all(amount is not None and amount >= 0 for amount in amounts) and sum(amounts) > 0:
        bar = _pieces([(row["kind"], row["amount"]) for row in rows], sum(amounts))
    return {
        "rows": rows,
        "bar": bar,
        "total": total,
        "total_label": total_label,
        "whole": whole,
        "whole_label": whole_label,
    }


def _part(part: Any) -> dict[str, Any]:
    if isinstance(part, Mapping):
        return {"note": "", **part}
    return {key: getattr(part, key, "") for key in ("kind", "label", "note")} | {"amount": part.amount}


# --- Forms ------------------------------------------------------------------------------------------------------------


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, optional: bool = True, label: str = "") -> dict[str, Any]:
    """A form field with its label, hint and errors tied together for screen readers.

    What was typed stays. A field that need not be filled says so unless ``optional`` is false.
    """
    bound.field.widget.attrs.pop("placeholder", None)  # a hint that vanishes helps no one
    return {
        "field": bound,
        "label": label or bound.label,
        "check": isinstance(bound.field.widget, CheckboxInput),
        "show_optional": optional and not bound.field.required and not isinstance(bound.field.widget, CheckboxInput),
    }


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: Form, title: str = "") -> dict[str, Any]:
    """The error summary at the head of a form: every error, each leading to its field. Nothing when there is none."""
    return {"form": form, "title": title}


@register.inclusion_tag("components/form_fields.html")
def form_fields(form: Form) -> dict[str, Any]:
    """Error summary, hidden fields, then every visible field by :func:`field`."""
    return {"form": form}


# --- Getting about ----------------------------------------------------------------------------------------------------


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: Context, page: "Page[Any]") -> dict[str, Any]:
    """Earlier and later pages of a list; filters in the address are kept."""
    return {"page": page, "request": context.get("request")}


@register.inclusion_tag("components/navigation.html", takes_context=True)
def main_navigation(context: Context) -> dict[str, Any]:
    """The navigation of the signed-in person's role; nothing for a visitor."""
    request = context.get("request")
    role = getattr(getattr(request, "user", None), "role", "")
    return {"places": list(navigation.places(role, request.path)) if request else []}


@register.simple_tag(takes_context=True)
def has_navigation(context: Context) -> bool:
    """Whether :func:`main_navigation` will show anything: the page leaves room for it on a phone."""
    request = context.get("request")
    role = getattr(getattr(request, "user", None), "role", "")
    return bool(role in navigation.ENTRIES)


@register.simple_tag
def address(name: str) -> str:
    """The path of a URL that may not exist in this deployment, or an empty string."""
    return navigation.address(name) or ""


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """The theme the reader has chosen: ``auto``, ``light`` or ``dark``."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme", "auto") if request else "auto"
    return chosen if chosen in THEMES else "auto"
