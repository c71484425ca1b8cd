"""What we do not ask of a client: the form on a session's page, and taking it back."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import care.admin  # noqa: F401 - sessions are on the desk before a page is added to them
from billing.models import WriteOff
from billing.services import write_offs
from care.models import Session
from common.desk import Desk, Page, Repair, extend, render
from common.errors import BadInput
from common.money import ZERO, dollars
from people.models import User


class WriteOffForm(forms.Form):
    """How much, and why."""

    amount = forms.DecimalField(
        label=gettext_lazy("Amount in dollars"), min_value=Decimal("0.01"), max_digits=9, decimal_places=2
    )
    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=[("", gettext_lazy("Please choose"))])
    note = forms.CharField(
        label=gettext_lazy("Why?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Please write why. It is kept with the change.")},
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["reason"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Please choose")), *write_offs.REASONS]


def page(request: HttpRequest, row: Session, context: dict[str, Any]) -> HttpResponseBase:
    """What is due for the session, what is written off already, and the form."""
    due = write_offs.may_be_written_off(row)
    form = WriteOffForm(request.POST if request.method == "POST" else None, initial={"amount": due})
    if request.method == "POST" and form.is_valid():
        assert isinstance(request.user, User)
        said = form.cleaned_data
        try:
            written = write_offs.write_off(
                row, said["amount"], reason=said["reason"], note=said["note"], by=request.user
            )
        except BadInput as error:
            form.add_error(error.where if error.where in form.fields else None, str(error))
        else:
            desk = admin.site.get_model_admin(Session)
            assert isinstance(desk, Desk)
            desk.log_change(request, row, f"{_('Written off')} {written.amount}: {said['note']}"[:2000])
            told = _("We do not ask for %(amount)s any more. The client's page says so.")
            messages.success(request, told % {"amount": dollars(written.amount)})
            return redirect(context["row_url"])
    more = {
        "title": _("Write off"),
        "form": form,
        "due": due,
        "earlier": [
            (each, reverse("admin:billing_writeoff_change", args=[each.pk]))
            for each in row.write_offs.select_related("by")
        ],
    }
    return render(request, "admin/money/write_off.html", context | more, status=422 if form.errors else 200)


def _take_back(request: HttpRequest, row: WriteOff, text: str) -> str:
    assert isinstance(request.user, User)
    taken = write_offs.take_back(row, note=text, by=request.user)
    return _("%(amount)s is asked for again, and the client is told by e-mail.") % {"amount": dollars(-taken.amount)}


@admin.register(WriteOff)
class WriteOffDesk(Desk):
    list_display = ("pk", "session", "amount", "reason", "note", "by", "takes_back", "created_at")
    list_filter = ("reason",)
    search_fields = ("session__client__last_name", "session__client__first_name", "=session__id", "note")
    list_select_related = ("session__client", "by", "takes_back")
    date_hierarchy = "created_at"
    client_path = "session__client"


extend(Session, pages=[Page("write_off", gettext_lazy("Write off"), page, repairs=True)])
extend(
    WriteOff,
    repairs=[
        Repair(
            "take_back",
            gettext_lazy("Take back"),
            gettext_lazy("What of it still holds is asked of the client again, and the client is told by e-mail."),
            _take_back,
            lambda row: row.takes_back_id is None and write_offs.left_of(row) > ZERO,
        )
    ],
)
