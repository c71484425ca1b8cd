"""What decides the order of a client's plans, entered by support."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import people.admin  # noqa: F401 - clients are on the desk before a page is added to them
from billing.flows import order_plans
from common import clock
from common.desk import Page, extend, render
from insurance.models import CobFacts, Coverage
from insurance.services import cob_facts, plan_order
from people.models import Client, User

_OF_CLIENT = ("medicare_because", "esrd_since", "parents", "decree", "custodial_parent")
_OF_PLAN = ("holder_born", "holder_status", "employer_size", "multi_employer", "since")
_CHOICES = {"yes": True, "no": False, "": None}


class FactsForm(forms.Form):
    """Every fact of the client and of each plan, filled in with what we have; empty: not known."""

    def __init__(self, client: Client, plans: Sequence[Coverage], data: Any = None) -> None:
        self.plans = plans
        known = cob_facts.known(client)
        initial = {fact: getattr(known, fact) for fact in _OF_CLIENT}
        initial |= {_name(plan, fact): _typed(getattr(plan, fact)) for plan in plans for fact in _OF_PLAN}
        super().__init__(data, initial=initial)
        for fact in _OF_CLIENT:
            self.fields[fact] = _field(CobFacts, fact)
        for plan in plans:
            for fact in _OF_PLAN:
                self.fields[_name(plan, fact)] = _field(Coverage, fact)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for name, value in list(given.items()):
            if isinstance(self.fields[name], forms.DateField) and value is not None and value > clock.today():
                self.add_error(name, _("This day is in the future."))
        return given

    def of_client(self) -> Mapping[str, object]:
        """Columns of ``CobFacts``."""
        return {fact: self.cleaned_data[fact] for fact in _OF_CLIENT}

    def of_plans(self) -> Mapping[int, Mapping[str, object]]:
        """Coverage id → columns of ``Coverage``."""
        return {plan.pk: {fact: self._kept(plan, fact) for fact in _OF_PLAN} for plan in self.plans}

    def _kept(self, plan: Coverage, fact: str) -> object:
        value = self.cleaned_data[_name(plan, fact)]
        if fact == "multi_employer":
            return _CHOICES[value]
        return value if value != "" else None

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Bound fields under their headings."""
        found = [(_("The client"), [self[fact] for fact in _OF_CLIENT])]
        return found + [(str(plan), [self[_name(plan, fact)] for fact in _OF_PLAN]) for plan in self.plans]


def _name(plan: Coverage, fact: str) -> str:
    return f"plan-{plan.pk}-{fact}"


def _typed(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def _field(model: type[CobFacts] | type[Coverage], fact: str) -> forms.Field:
    column: Any = model._meta.get_field(fact)
    label = {
        "medicare_because": _("Why they have Medicare"),
        "esrd_since": _("Medicare by kidney failure since"),
        "parents": _("The parents live"),
        "decree": _("A court says who provides health insurance"),
        "custodial_parent": _("Who has custody"),
        "holder_born": _("The holder's birthday (of someone else's plan)"),
        "holder_status": _("The holder's job"),
        "employer_size": _("People at the employer"),
        "multi_employer": _("Several employers share it, one of them large enough"),
        "since": _("Covered since"),
    }[fact]
    if fact == "multi_employer":
        choices = [("", _("not known")), ("yes", _("yes")), ("no", _("no"))]
        return forms.ChoiceField(choices=choices, required=False, label=label)
    if column.choices:
        return forms.ChoiceField(choices=[("", _("not known")), *column.choices], required=False, label=label)
    if fact == "employer_size":
        return forms.IntegerField(min_value=1, max_value=5_000_000, required=False, label=label)
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(required=False, label=label, widget=widget)


def page(request: HttpRequest, row: Client, context: dict[str, Any]) -> HttpResponseBase:
    """The decision in force, what is missing, and the form."""
    assert isinstance(request.user, User)
    plans = plan_order.plans_in_order(row, on=clock.today())
    form = FactsForm(row, plans, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        order_plans.state_facts(row, form.of_client(), form.of_plans(), by=request.user)
        messages.success(request, _("The facts are kept. The order of plans, claims and prices follow."))
        return redirect(request.path)
    more = {
        "form": form,
        "groups": form.groups(),
        "plans": plans,
        "decision": plan_order.current_decision(row),
        "questions": plan_order.questions(row),
        "title": _("Order of plans"),
    }
    return render(request, "admin/plans/order_facts.html", context | more, status=422 if form.errors else 200)


extend(Client, pages=[Page("order", gettext_lazy("Order of plans"), page, repairs=True)])
