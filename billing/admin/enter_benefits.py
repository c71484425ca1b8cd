"""Benefits of a plan entered by hand: what support has from the insurer's own mouth, field by field."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import insurance.admin  # noqa: F401 - plans are on the desk before a page is added to them
from billing.admin import benefit_figures
from billing.admin.benefit_figures import Figure, Group, Kind
from billing.admin.typed_fields import MoneyText, PercentText
from billing.flows import correct_benefits
from billing.services import costs
from common import clock
from common.desk import Desk, Page, extend, render
from common.errors import BadInput, DomainError
from common.money import plain
from insurance.domain.benefits import share_text
from insurance.models import Coverage
from people.models import User

_MOST_VISITS = 999


def _field(figure: Figure) -> forms.Field:
    common: dict[str, Any] = {"required": False, "label": figure.label}
    match figure.kind:
        case Kind.MONEY:
            return MoneyText(**common)
        case Kind.SHARE:
            return PercentText(**common)
        case Kind.VISITS:
            return forms.IntegerField(min_value=0, max_value=_MOST_VISITS, **common)
        case Kind.RULE:
            choices = [("", _("not known")), *benefit_figures.RULES.items()]
            return forms.ChoiceField(choices=choices, **common)
        case Kind.FLAG:
            return forms.ChoiceField(choices=[("", _("not known")), ("yes", _("yes")), ("no", _("no"))], **common)


def _typed(figure: Figure, value: Any) -> Any:
    """A figure of a snapshot as it stands in its field."""
    if value is None:
        return ""
    match figure.kind:
        case Kind.SHARE:
            return benefit_figures.percent_text(value)
        case Kind.FLAG:
            return "yes" if value else "no"
        case _:
            return value


def _kept(figure: Figure, value: Any) -> Any:
    """What was typed as it stands in a snapshot; ``None`` is "not known"."""
    if value in (None, ""):
        return None
    match figure.kind:
        case Kind.MONEY:
            return plain(value)
        case Kind.SHARE:
            return share_text(value)
        case Kind.FLAG:
            return value == "yes"
        case _:
            return value


class BenefitsForm(forms.Form):
    """Every figure of one snapshot, filled in with what we have. An empty field means that it is not known."""

    def __init__(self, document: Mapping[str, Any], data: Any = None, *, told_on: date) -> None:
        self.document = document
        self.before = {figure.place: _value(document, figure.place) for figure in benefit_figures.figures()}
        initial = {figure.place: _typed(figure, self.before[figure.place]) for figure in benefit_figures.figures()}
        super().__init__(data, initial=initial)
        for figure in benefit_figures.figures():
            self.fields[figure.place] = _field(figure)
        self.fields["as_of"] = forms.DateField(
            label=_("On which day were the amounts that are left so?"),
            help_text=_("What the insurer decides after this day comes off them. Our newest answer is of %(day)s.")
            % {"day": date_format(told_on, "DATE_FORMAT")},
            initial=told_on,
            required=False,
            widget=forms.DateInput(attrs={"type": "date"}),
        )
        self.fields["note"] = forms.CharField(
            label=_("Where do you have this from?"),
            max_length=300,
            widget=forms.Textarea(attrs={"rows": 3}),
            error_messages={"required": _("Please say where you have it from. It is kept with the figures.")},
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for figure in benefit_figures.figures():
            if not figure.place.endswith(".remaining"):
                continue
            limit, left = cleaned.get(figure.place.replace(".remaining", ".limit")), cleaned.get(figure.place)
            if limit is not None and left is not None and left > limit:
                self.add_error(figure.place, _("No more can be left than the year's figure."))
        return cleaned

    def changed(self) -> dict[str, Any]:
        """Figures that differ from what we have: place → plain JSON value."""
        is_now = {figure.place: _kept(figure, self.cleaned_data[figure.place]) for figure in benefit_figures.figures()}
        return {place: value for place, value in is_now.items() if value != self.before[place]}

    def groups(self, groups: tuple[Group, ...]) -> list[tuple[Any, list[forms.BoundField]]]:
        """Bound fields under their headings."""
        return [(group.label, [self[figure.place] for figure in group.figures]) for group in groups]


def _value(document: Mapping[str, Any], place: str) -> Any:
    node: Any = document
    for key in place.split("."):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def enter(request: HttpRequest, row: Coverage, context: dict[str, Any]) -> HttpResponseBase:
    """The form; what it changes is kept as a new snapshot, and prices follow."""
    assert isinstance(request.user, User)
    snapshot = costs.newest_snapshot(row, clock.today())
    if snapshot is None:
        return render(request, "admin/prices/enter_benefits.html", context | {"form": None})
    told_on = clock.business_date(snapshot.observed_at)
    form = BenefitsForm(snapshot.benefits, request.POST if request.method == "POST" else None, told_on=told_on)
    if request.method == "POST" and form.is_valid():
        try:
            said = form.cleaned_data
            as_of = said["as_of"] if said["as_of"] != told_on else None
            written = correct_benefits.enter(row, form.changed(), by=request.user, note=said["note"], as_of=as_of)
        except BadInput as error:
            form.add_error(error.where if error.where in form.fields else None, str(error))
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            desk = admin.site.get_model_admin(Coverage)
            assert isinstance(desk, Desk)
            desk.log_change(request, row, f"{_('Benefits entered by hand')}: {form.cleaned_data['note']}")
            messages.success(request, _("The benefits are kept, and the client's prices follow."))
            return redirect(reverse("admin:insurance_benefitsnapshot_change", args=[written.pk]))
    more = {
        "form": form,
        "snapshot": snapshot,
        "snapshot_url": reverse("admin:insurance_benefitsnapshot_change", args=[snapshot.pk]),
        "groups": form.groups((benefit_figures.PLAN, *benefit_figures.IN_NETWORK)),
        "outside": form.groups(benefit_figures.OUT_OF_NETWORK),
        "outside_open": any(name.startswith("out_of_network.") for name in form.errors),
        "title": _("Enter benefits by hand"),
    }
    return render(request, "admin/prices/enter_benefits.html", context | more, status=422 if form.errors else 200)


extend(Coverage, pages=[Page("enter", gettext_lazy("Enter benefits by hand"), enter, repairs=True)])
