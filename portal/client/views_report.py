"""Reporting a mistake in the benefits we show."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from insurance.access import get_coverage
from people.models import Client, User
from portal.client.doors import client_page
from portal.reporting import ReportForm, open_report, send


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def report_benefits(request: HttpRequest, client: Client, coverage_id: int) -> HttpResponse:
    """The insurer is asked again, and support gets a case; more about the same plan is added to that case."""
    assert isinstance(request.user, User)
    coverage = get_coverage(request.user, coverage_id, purpose="report benefits")
    form = ReportForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and send(form, author=request.user, coverage=coverage):
        messages.success(
            request,
            _("Thank you. We are asking %(payer)s again, and support looks at it. You find the answer under Messages.")
            % {"payer": coverage.payer},
        )
        return redirect("portal:client:benefits")
    context = {"form": form, "coverage": coverage, "open": open_report(author=request.user, coverage=coverage)}
    return render(request, "portal/client/report_benefits.html", context, status=422 if form.errors else 200)
