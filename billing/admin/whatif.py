"""What sessions would cost under a plan: the question typed in, answered by the same rules that price sessions."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, cast
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import insurance.admin  # noqa: F401 - benefits are on the desk before a page is added to them
from billing.admin import money  # noqa: F401 - likewise costs
from billing.admin.benefit_figures import RULES, percent_text
from billing.admin.typed_fields import MoneyText, PercentText
from billing.domain import whatif
from billing.domain.plan_year import terms_of
from billing.domain.pricing import CopayRule, PlannedSession, PlanTerms
from billing.domain.scenarios import PriceScenario
from billing.models import SessionCost
from common import clock
from common.desk import Page, Tool, extend, render
from common.errors import BadInput
from common.money import parse_money, plain
from insurance.models import BenefitSnapshot

MOST_WEEKS = 104
MOST_SESSIONS = 200

FIGURES = (
    "deductible_remaining",
    "family_deductible_remaining",
    "out_of_pocket_remaining",
    "family_out_of_pocket_remaining",
    "visits_remaining",
)
SHARE = ("copay", "copay_rule", "coinsurance", "network")
WEEKLY = ("first", "times", "allowed")


class WhatIfForm(forms.Form):
    """A plan's terms and sessions. An empty figure is one that is not known, or that the plan does not have."""

    deductible_remaining = MoneyText(
        label=gettext_lazy("Own deductible left"),
        required=False,
        help_text=gettext_lazy("0 if there is none; empty if not known."),
    )
    family_deductible_remaining = MoneyText(label=gettext_lazy("Family deductible left"), required=False)
    out_of_pocket_remaining = MoneyText(label=gettext_lazy("Own out-of-pocket left"), required=False)
    family_out_of_pocket_remaining = MoneyText(label=gettext_lazy("Family out-of-pocket left"), required=False)
    visits_remaining = forms.IntegerField(
        label=gettext_lazy("Visits left"),
        required=False,
        min_value=0,
        max_value=999,
        help_text=gettext_lazy("Empty if they are not counted."),
    )
    copay = MoneyText(label=gettext_lazy("Copay"), required=False)
    copay_rule = forms.ChoiceField(
        label=gettext_lazy("Copay and deductible"),
        required=False,
        choices=[("", gettext_lazy("not known")), *RULES.items()],
    )
    coinsurance = PercentText(label=gettext_lazy("Coinsurance, percent"), required=False)
    network = forms.ChoiceField(
        label=gettext_lazy("Network"),
        required=False,
        choices=[("in", gettext_lazy("In network")), ("out", gettext_lazy("Out of network"))],
    )
    first = forms.DateField(
        label=gettext_lazy("Weekly from"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    times = forms.IntegerField(label=gettext_lazy("How many times"), required=False, min_value=1, max_value=MOST_WEEKS)
    allowed = MoneyText(label=gettext_lazy("Allowed amount of each"), required=False)
    sessions = forms.CharField(
        label=gettext_lazy("Sessions one by one"),
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "2026-12-01 160.00", "spellcheck": "false"}),
        help_text=gettext_lazy("One on a line: date and allowed amount, such as 2026-12-01 160.00."),
    )

    def clean_sessions(self) -> list[PlannedSession]:
        found: list[PlannedSession] = []
        faults: list[str] = []
        for number, line in enumerate(self.cleaned_data["sessions"].splitlines(), start=1):
            if not line.strip():
                continue
            try:
                found.append(_session(line))
            except ValueError:
                faults.append(_("Line %(number)s: please write a date and an amount.") % {"number": number})
        if len(found) > MOST_SESSIONS:
            faults.append(_("That is too much at once: at most %(most)s sessions.") % {"most": MOST_SESSIONS})
        if faults:
            raise forms.ValidationError(faults[:10])
        return found

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        given = [name for name in WEEKLY if cleaned.get(name) is not None]
        for name in WEEKLY:
            if given and name not in given and name not in self.errors:
                self.add_error(name, _("This is needed for weekly sessions."))
        if not given and not cleaned.get("sessions") and not any(name in self.errors for name in (*WEEKLY, "sessions")):
            self.add_error("first", _("Please give at least one session: weekly from a day, or one by one."))
        return cleaned

    def terms(self) -> PlanTerms:
        """The plan, as the pricing rules take it."""
        values = self.cleaned_data
        return PlanTerms(
            network=cast("Literal['in', 'out']", values["network"] or "in"),
            copay=values["copay"],
            copay_rule=CopayRule(values["copay_rule"]) if values["copay_rule"] else None,
            coinsurance=values["coinsurance"],
            **{name: values[name] for name in FIGURES},
        )

    def planned(self) -> tuple[PlannedSession, ...]:
        """The weekly sessions and those given one by one, by date."""
        values = self.cleaned_data
        weekly = [
            PlannedSession(values["first"] + timedelta(weeks=week), values["allowed"])
            for week in range(values["times"] or 0)
        ]
        return tuple(sorted([*weekly, *values["sessions"]], key=lambda session: session.date))


def _session(line: str) -> PlannedSession:
    """``"2026-12-01 160.00"``. Raises ``ValueError`` for anything else."""
    day, _gap, amount = line.replace(",", " ").replace(";", " ").strip().partition(" ")
    try:
        return PlannedSession(date.fromisoformat(day), parse_money(amount.strip().removeprefix("$")))
    except BadInput as error:
        raise ValueError(str(error)) from error


def ask(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """The form, and the answer when it was sent. What was typed stays, and stands in the address."""
    asked = "ask" in request.GET
    initial = {name: request.GET[name] for name in WhatIfForm.base_fields if name in request.GET}
    form = WhatIfForm(request.GET) if asked else WhatIfForm(initial=initial)
    answer: dict[str, Any] | None = None
    if asked and form.is_valid():
        scenario = PriceScenario("", form.terms(), form.planned())
        answer = _readable(whatif.answer(scenario))
    more = {
        "form": form,
        "answer": answer,
        "figures": [form[name] for name in FIGURES],
        "share": [form[name] for name in SHARE],
        "weekly": [form[name] for name in WEEKLY],
    }
    return render(request, "admin/prices/whatif.html", context | more, status=422 if form.errors else 200)


def _readable(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with amounts and days as values again, so that the page writes them as everywhere."""
    amounts = ("client", "plan", "deductible", "copay", "coinsurance", "not_covered")
    left = answer["remaining"]
    names: Sequence[tuple[str, str]] = (
        ("deductible", _("Own deductible")),
        ("family_deductible", _("Family deductible")),
        ("out_of_pocket", _("Own out-of-pocket maximum")),
        ("family_out_of_pocket", _("Family out-of-pocket maximum")),
    )
    return {
        "sessions": [
            {
                "date": date.fromisoformat(each["date"]),
                "why": each["why"],
                **{name: _amount(each[name]) for name in amounts},
            }
            for each in answer["sessions"]
        ],
        "total": _amount(answer["total_client"]),
        "left": [(label, _amount(left[name])) for name, label in names if left[name] is not None],
        "visits": left["visits"],
    }


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def from_benefits(request: HttpRequest, row: BenefitSnapshot, context: dict[str, Any]) -> HttpResponseBase:
    """To the form, filled in with these benefits."""
    terms = terms_of(row.read(), telehealth="telehealth" in request.GET)
    values: dict[str, Any] = {name: getattr(terms, name) for name in FIGURES}
    values |= {
        "copay": terms.copay,
        "copay_rule": terms.copay_rule,
        "coinsurance": None if terms.coinsurance is None else percent_text(str(terms.coinsurance)),
        "first": clock.today() + timedelta(weeks=1),
        "times": 10,
    }
    typed = {
        name: plain(value) if isinstance(value, Decimal) else str(value)
        for name, value in values.items()
        if value is not None
    }
    return redirect(f"{reverse('admin:billing_sessioncost_tool', args=['whatif'])}?{urlencode(typed)}")


extend(SessionCost, tools=[Tool("whatif", gettext_lazy("What would sessions cost?"), ask)])
extend(BenefitSnapshot, pages=[Page("whatif", gettext_lazy("What would sessions cost?"), from_benefits)])
