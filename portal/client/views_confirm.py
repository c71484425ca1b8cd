"""The page for the yearly call to an insurer: whom to call, what to say, and where its number goes."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.flows import refresh_benefits
from common.errors import BadInput
from insurance.access import get_recertification
from insurance.services.recertification import NothingToConfirm, next_due
from people.models import Client
from portal.client.confirmations import view_of
from portal.client.doors import client_page
from portal.client.forms import CallForm, take


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def confirm(request: HttpRequest, client: Client, recertification_id: int) -> HttpResponse:
    """What to do, and the form; a confirmation that is done says when the next one is due."""
    row = get_recertification(request.user, recertification_id, purpose="confirm plans")
    form = CallForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            refresh_benefits.report_call(row, reference_number=given["reference_number"], called_on=given["called_on"])
        except BadInput as error:
            take(form, error)
        except NothingToConfirm as error:
            messages.success(request, str(error))
            return redirect("portal:client:confirm_plans", row.pk)
        else:
            messages.success(request, _("Thank you. We are checking with %(payer)s.") % {"payer": row.coverage.payer})
            return redirect("portal:client:confirm_plans", row.pk)
    view = view_of(row)
    return render(
        request,
        "portal/client/confirm_plans.html",
        {"view": view, "form": form, "next_due": next_due(row.coverage) if view.verified else None},
        status=422 if form.errors else 200,
    )
