"""Good Faith Estimates: asked for while the account is paused, read and kept here, never sent by e-mail."""

from datetime import date
from decimal import Decimal

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from billing.access import get_estimate, visible_estimates
from billing.services import good_faith_estimate
from common import clock
from common.errors import BadInput
from people.models import Client
from portal.client.doors import client_page
from portal.client.forms import EstimateForm, take

SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def estimates(request: HttpRequest, client: Client) -> HttpResponse:
    """Ask for an estimate, and find those that were issued."""
    providers = good_faith_estimate.own_providers(client)
    if request.method == "POST":
        form = EstimateForm(request.POST, providers=providers)
        if form.is_valid():
            given = form.cleaned_data
            try:
                issued = good_faith_estimate.issue(client=client, **given)
            except BadInput as error:
                take(form, error)
            except good_faith_estimate.NoEstimate as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("Here is your estimate. We have sent you an e-mail that leads to it."))
                return redirect("portal:client:estimate", issued.pk)
    else:
        form = EstimateForm(
            providers=providers,
            initial={
                "provider": providers[0].pk if len(providers) == 1 else None,
                "frequency": "weekly",
                "first_on": clock.today(),
                "months": 3,
            },
        )
    return render(
        request,
        "portal/client/estimates.html",
        {
            "client": client,
            "form": form,
            "providers": providers,
            "issued": visible_estimates(request.user)[:SHOWN],
        },
        status=422 if form.errors else 200,
    )


@require_safe
@client_page
def estimate(request: HttpRequest, client: Client, estimate_id: int) -> HttpResponse:
    """An estimate as a page that every program can read aloud; the file says the same."""
    found = get_estimate(request.user, estimate_id, purpose="good faith estimate")
    content = found.content
    context = {
        "estimate": found,
        "content": content,
        "items": [
            {**item, "charge": Decimal(item["charge"]), "total": Decimal(item["total"])} for item in content["items"]
        ],
        "booked": [date.fromisoformat(day) for day in content["booked"]],
        "born": date.fromisoformat(content["client"]["born"]),
    }
    return render(request, "portal/client/estimate.html", context)


@require_safe
@client_page
def pdf(request: HttpRequest, client: Client, estimate_id: int) -> HttpResponse:
    """The file as it was issued."""
    found = get_estimate(request.user, estimate_id, purpose="good faith estimate, file")
    name = f"good-faith-estimate-{found.issued_on.isoformat()}.pdf"
    return HttpResponse(
        bytes(found.pdf),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
