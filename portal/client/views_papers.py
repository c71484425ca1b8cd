"""What a client keeps or hands in: itemised receipts, monthly statements, superbills. Files only behind the login."""

from datetime import date
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from billing.access import get_payment, get_statement, superbill_sessions, visible_statements
from billing.services import receipts, statement_pdf, superbills
from billing.services.superbills import Choice, NoSuperbill
from common import clock
from common.errors import BadInput
from people.models import Client
from portal.client.doors import client_page
from portal.client.forms import take

SHOWN = 24
"""Statements on one page of their list: two years."""


def _file(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}.pdf"'},
    )


@require_safe
@client_page
def receipt(request: HttpRequest, client: Client, payment_id: int) -> HttpResponse:
    """The itemised receipt of a payment that went through, as a file."""
    found = get_payment(request.user, payment_id, purpose="receipt, file")
    try:
        content = receipts.content(found)
    except receipts.NoReceipt as error:
        raise Http404 from error
    return _file(receipts.write(content), f"receipt-{content['number']}")


@require_safe
@client_page
def statements(request: HttpRequest, client: Client) -> HttpResponse:
    """All monthly statements, the newest first."""
    page = Paginator(visible_statements(request.user), SHOWN).get_page(request.GET.get("page"))
    return render(request, "portal/client/statements.html", {"page": page})


@require_safe
@client_page
def statement(request: HttpRequest, client: Client, statement_id: int) -> HttpResponse:
    """One statement as a page that every program can read aloud; the file says the same."""
    found = get_statement(request.user, statement_id, purpose="statement")
    rows = [
        {
            **row,
            "on": date.fromisoformat(row["on"]),
            "amount": Decimal(row["amount"]),
            "sessions": [{**each, "date": date.fromisoformat(each["date"])} for each in row["sessions"]],
        }
        for row in found.content["rows"]
    ]
    context = {
        "statement": found,
        "content": found.content,
        "rows": rows,
        "paid": -found.paid,
        "last_day": date.fromisoformat(found.content["last_day"]),
        "issued_on": date.fromisoformat(found.content["issued_on"]),
        "means": statement_pdf.balance_words(found.closing),
    }
    return render(request, "portal/client/statement.html", context)


@require_safe
@client_page
def statement_file(request: HttpRequest, client: Client, statement_id: int) -> HttpResponse:
    """A statement as a file."""
    found = get_statement(request.user, statement_id, purpose="statement, file")
    return _file(statement_pdf.write(found), f"statement-{found.month:%Y-%m}")


# --- Superbills -------------------------------------------------------------------------------------------------------


class RangeForm(forms.Form):
    """From which day to which; both belong to it."""

    begin = forms.DateField(
        label=gettext_lazy("From"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": gettext_lazy("Please choose the first day.")},
    )
    end = forms.DateField(
        label=gettext_lazy("To"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": gettext_lazy("Please choose the last day.")},
    )


def _asked(request: HttpRequest, client: Client) -> tuple[RangeForm, list[Choice]]:
    """The form as it was filled in (else: this year so far), and the sessions of its days."""
    today = clock.today()
    given = {name: request.GET[name] for name in ("begin", "end") if name in request.GET}
    form = RangeForm(given or {"begin": today.replace(month=1, day=1).isoformat(), "end": today.isoformat()})
    if not form.is_valid():
        return form, []
    sessions = superbill_sessions(request.user, client, purpose="superbill")
    try:
        return form, superbills.choices(sessions, **form.cleaned_data)
    except BadInput as error:
        take(form, error)
        return form, []


@require_safe
@client_page
def superbill(request: HttpRequest, client: Client) -> HttpResponse:
    """Choose days; see which sessions can be on a superbill, and of the others why not."""
    form, found = _asked(request, client)
    context = {
        "form": form,
        "possible": [each for each in found if each.possible],
        "others": [each for each in reversed(found) if not each.possible],
    }
    return render(request, "portal/client/superbill.html", context, status=422 if form.errors else 200)


@require_safe
@client_page
def superbill_file(request: HttpRequest, client: Client) -> HttpResponse:
    """The superbill of the chosen sessions; back to the page, saying why, when there is none to be made."""
    form, found = _asked(request, client)
    named = request.GET.getlist("session")
    only = [int(each) for each in named if each.isascii() and each.isdigit() and len(each) < 19]
    try:
        if form.errors:
            raise NoSuperbill(_("Please choose the days again."))
        content = superbills.content(found, only=only if "choose" in request.GET or named else None)
    except NoSuperbill as error:
        messages.error(request, str(error))
        days = {name: request.GET[name] for name in ("begin", "end") if name in request.GET}
        return redirect(f"{reverse('portal:client:superbill')}?{urlencode(days)}")
    return _file(superbills.write(content), f"superbill-{content['number']}")
