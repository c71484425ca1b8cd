"""A client's plan, as far as a provider can do something about it: ask its insurer again, report a mistake."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.flows import refresh_benefits
from insurance.access import get_coverage
from people.access import own_provider
from people.models import User
from portal.reporting import ReportForm, open_report, send


@login_required
@require_POST
def check_again(request: HttpRequest, coverage_id: int) -> HttpResponse:
    """Ask the insurer again, unless it is being asked or was asked a moment ago."""
    own_provider(request.user)
    assert isinstance(request.user, User)
    coverage = get_coverage(request.user, coverage_id, purpose="check benefits again")
    try:
        refresh_benefits.ask_for(actor=request.user, coverage=coverage)
    except refresh_benefits.AskedLately as refusal:
        messages.info(request, str(refusal))
    else:
        messages.success(
            request, _("We are asking %(payer)s. Prices follow the answer by themselves.") % {"payer": coverage.payer}
        )
    return redirect("portal:provider:client", coverage.client_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report_benefits(request: HttpRequest, coverage_id: int) -> HttpResponse:
    """The insurer is asked again, and support gets a case; more about the same plan is added to that case."""
    own_provider(request.user)
    assert isinstance(request.user, User)
    coverage = get_coverage(request.user, coverage_id, purpose="report benefits")
    form = ReportForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and send(form, author=request.user, coverage=coverage):
        messages.success(
            request,
            _("Thank you. We are asking %(payer)s again, and support looks at it and puts the price right if need be.")
            % {"payer": coverage.payer},
        )
        return redirect("portal:provider:client", coverage.client_id)
    context = {
        "form": form,
        "coverage": coverage,
        "client": coverage.client,
        "open": open_report(author=request.user, coverage=coverage),
    }
    return render(request, "portal/provider/report_benefits.html", context, status=422 if form.errors else 200)
