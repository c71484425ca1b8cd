"""Insurers' money in suspense: what waits, which claim it may belong to, and the forms by which a person places it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import insurance.admin  # noqa: F401 - its rows are on the desk before pages are added to them
from billing.flows import place_money
from billing.flows.place_money import Kind
from billing.models import SuspenseMove
from care.models import Session
from common.desk import Desk, Page, Tool, extend, may_repair, render
from common.errors import BadInput, DomainError
from common.money import ZERO
from insurance.domain import lookback
from insurance.models import Adjudication, Claim, ProviderAdjustment
from insurance.services import claim_suggestions
from insurance.services.remittances import as_said
from insurance.x12.codes import PROVIDER_ADJUSTMENT
from insurance.x12.x835_model import REVERSAL
from people.models import User

SHOWN = 100
"""Of each kind on the page of what waits; the oldest first."""

SUGGESTED = {"L6": Kind.INTEREST, "51": Kind.INTEREST, "WO": Kind.RECOUPMENT, "72": Kind.RETURNED}
"""What a PLB code most likely is; any other is for the person to say."""


def code_in_words(code: str) -> str:
    """``"WO"`` → ``"overpayment taken back"``; a code that we have no words for says so."""
    return str(PROVIDER_ADJUSTMENT.get(code, _("a code that we have no words for")))


class MatchForm(forms.Form):
    """Which claim a result answers."""

    number = forms.CharField(
        label=gettext_lazy("Our claim number"),
        max_length=20,
        help_text=gettext_lazy("Choose one above, or type another, such as HW0000000042."),
        error_messages={"required": gettext_lazy("Please say which claim it is.")},
    )
    note = forms.CharField(
        label=gettext_lazy("How do you know?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Please write why. It is kept with the change.")},
    )

    def clean_number(self) -> Claim:
        number = self.cleaned_data["number"].strip().upper()
        claim = Claim.objects.filter(control_number=number).select_related("session__client").first()
        if claim is None:
            raise forms.ValidationError(_("We have no claim %(number)s.") % {"number": number})
        return claim


class PlaceForm(forms.Form):
    """What an amount in suspense is, and how much of it."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What is it?"),
        error_messages={"required": gettext_lazy("Please choose what this money is.")},
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount in dollars"), min_value=Decimal("0.01"), max_digits=9, decimal_places=2
    )
    session = forms.ModelChoiceField(
        Session.objects.all(),
        label=gettext_lazy("Session"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text=gettext_lazy("Its number; only for money taken back for a session's claim."),
        error_messages={"invalid_choice": gettext_lazy("There is no such session.")},
    )
    note = forms.CharField(
        label=gettext_lazy("Why?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Please write why. It is kept with the change.")},
    )

    def __init__(self, kinds: tuple[Kind, ...], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Please choose")), *((kind.value, kind.label) for kind in kinds)]
        if Kind.RECOUPMENT not in kinds:
            del self.fields["session"]


def _log(request: HttpRequest, row: Any, text: str) -> None:
    desk = admin.site.get_model_admin(type(row))
    assert isinstance(desk, Desk)
    desk.log_change(request, row, text[:2000])


def _actor(request: HttpRequest) -> User:
    if not may_repair(request):
        raise Http404
    assert isinstance(request.user, User)
    return request.user


def _refuse(form: forms.Form, error: DomainError) -> None:
    where = error.where if isinstance(error, BadInput) and error.where in form.fields else None
    form.add_error(where, str(error))


def _window(claim: Claim, taken_on: Any, *, before: int | None = None) -> lookback.Window | None:
    """How what was paid for a claim stands to its state's limit; ``None`` when nothing was paid."""
    paid = claim.adjudications.filter(paid__gt=ZERO).select_related("remittance").order_by("-pk")
    first = (paid.filter(pk__lt=before) if before else paid).first()
    if first is None:
        return None
    return lookback.window(state=claim.session.provider.state, paid_on=first.remittance.day, taken_on=taken_on)


def match(request: HttpRequest, row: Adjudication, context: dict[str, Any]) -> HttpResponseBase:
    """The result, the claims that it may answer, and the form that says which."""
    form = MatchForm(
        request.POST if request.method == "POST" else None, initial={"number": request.GET.get("number", "")[:20]}
    )
    if request.method == "POST":
        actor = _actor(request)
        if form.is_valid():
            try:
                place_money.match(row, form.cleaned_data["number"], note=form.cleaned_data["note"], by=actor)
            except DomainError as error:
                _refuse(form, error)
            else:
                _log(request, row, f"{_('Matched to a claim')}: {form.cleaned_data['note']}")
                messages.success(request, _("It is settled like any answer: money, claim, cost and client follow."))
                return redirect(context["row_url"])
    said = as_said(row) if row.claim_id is None else None
    found = claim_suggestions.candidates(row) if row.claim_id is None else []
    if Desk.note_looks is not None and found:
        Desk.note_looks(request, {each.claim.session.client_id for each in found}, "support: match")
    claim = row.claim
    more = {
        "title": _("Which claim is this?"),
        "form": form,
        "said": said,
        "left": place_money.left_of(row),
        "moves": list(row.suspense_moves.all()),
        "candidates": [(each, reverse("admin:insurance_claim_change", args=[each.claim.pk])) for each in found],
        "claim": claim,
        "claim_url": reverse("admin:insurance_claim_change", args=[claim.pk]) if claim else "",
        "taken_back": row.status_code == REVERSAL,
        "window": _window(claim, row.remittance.day, before=row.pk) if claim and row.status_code == REVERSAL else None,
        "place_url": reverse("admin:insurance_adjudication_page", args=[row.pk, "place"]),
        "may_repair": may_repair(request),
    }
    return render(request, "admin/money/match.html", context | more, status=422 if form.errors else 200)


def place(request: HttpRequest, row: Adjudication | ProviderAdjustment, context: dict[str, Any]) -> HttpResponseBase:
    """What an amount in suspense says of itself, and the form that takes it out."""
    pair = row if isinstance(row, ProviderAdjustment) else None
    left = place_money.left_of(row)
    named = list(claim_suggestions.claims_named(pair)[:20]) if pair else []
    kinds = place_money.KINDS if pair else (Kind.RETURNED, Kind.OTHER)
    suggested = SUGGESTED.get(pair.code) if pair else None
    initial = {
        "kind": suggested,
        "amount": abs(left),
        "session": named[0].session_id if named and suggested == Kind.RECOUPMENT else None,
    }
    form = PlaceForm(kinds, request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST":
        actor = _actor(request)
        if form.is_valid():
            said = form.cleaned_data
            try:
                place_money.move(
                    row, said["kind"], said["amount"], session=said.get("session"), note=said["note"], by=actor
                )
            except DomainError as error:
                _refuse(form, error)
            else:
                _log(request, row, f"{_('Taken out of suspense')}: {said['note']}")
                messages.success(request, _("It is booked."))
                return redirect(context["row_url"])
    if Desk.note_looks is not None and named:
        Desk.note_looks(request, {claim.session.client_id for claim in named}, "support: place")
    more = {
        "title": _("Where this money belongs"),
        "form": form,
        "pair": pair,
        "code_words": code_in_words(pair.code) if pair else "",
        "left": left,
        "size": abs(left),
        "moves": list(row.suspense_moves.select_related("session")),
        "named": [
            (claim, _window(claim, row.remittance.day), reverse("admin:insurance_claim_change", args=[claim.pk]))
            for claim in named
        ],
        "opposite": _opposite(pair, left) if pair else [],
        "may_repair": may_repair(request),
    }
    return render(request, "admin/money/place.html", context | more, status=422 if form.errors else 200)


def _opposite(pair: ProviderAdjustment, left: Decimal) -> list[tuple[ProviderAdjustment, str]]:
    """The same insurer's amounts that cancel this one out: a balance carried forward and what it came to."""
    rows = place_money.waiting_amounts().filter(remittance__payer=pair.remittance.payer_id, left=-left)
    return [(row, _place_url(row)) for row in rows.exclude(pk=pair.pk)[:5]] if left else []


def _place_url(row: ProviderAdjustment) -> str:
    return reverse("admin:insurance_provideradjustment_page", args=[row.pk, "place"])


def waiting(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """Everything in suspense: results without a claim, and provider-level amounts. Four queries."""
    results, amounts = place_money.waiting_results(), place_money.waiting_amounts()
    results_count, amounts_count = results.count(), amounts.count()
    more = {
        "over": results_count + amounts_count,
        "results": [
            (each, reverse("admin:insurance_adjudication_page", args=[each.pk, "match"])) for each in results[:SHOWN]
        ],
        "results_count": results_count,
        "amounts": [(each, code_in_words(each.code), abs(each.left), _place_url(each)) for each in amounts[:SHOWN]],
        "amounts_count": amounts_count,
        "shown": SHOWN,
    }
    return render(request, "admin/money/suspense.html", context | more)


@admin.register(SuspenseMove)
class SuspenseMoveDesk(Desk):
    list_display = ("pk", "kind", "amount", "session", "note", "by", "created_at")
    list_filter = ("kind",)
    search_fields = ("note", "=session__id")
    list_select_related = ("session__client", "by")
    date_hierarchy = "created_at"
    client_path = "session__client"


_PLACE = Page("place", gettext_lazy("Where this money belongs"), place)
extend(Adjudication, pages=[Page("match", gettext_lazy("Which claim is this?"), match), _PLACE])
extend(
    ProviderAdjustment, pages=[_PLACE], tools=[Tool("suspense", gettext_lazy("Insurers' money to be placed"), waiting)]
)
