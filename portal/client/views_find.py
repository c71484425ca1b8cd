"""Find a provider who can bill the client's plans."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from care.access import visible_sessions
from common.errors import BadInput
from people.models import Client
from portal.client import find
from portal.client.doors import client_page
from portal.client.pauses import open_pauses

LARGEST_ID = 2**63 - 1


@require_safe
@client_page
def providers(request: HttpRequest, client: Client) -> HttpResponse:
    """The form, and whom it finds. A plain GET address: it can be kept, sent and gone back to."""
    form = find.FindForm(client, request.GET)
    found = None
    asked = "state" in request.GET
    if form.is_valid():
        yours = set(visible_sessions(request.user).order_by().values_list("provider_id", flat=True).distinct())
        try:
            found = find.results(form, show=request.GET.get("show", ""), after=_after(request), yours=yours)
        except BadInput as error:
            find.refuse(form, error)
    return render(
        request,
        "portal/client/find.html",
        {
            "form": form,
            "found": found,
            "asked": asked,
            "has_plans": bool(form.own_plans),
            "pauses": open_pauses(request.user),
        },
        status=422 if asked and form.errors else 200,
    )


def _after(request: HttpRequest) -> int:
    """Where the page begins; what is no number begins at the front."""
    text = request.GET.get("after", "")
    return min(int(text), LARGEST_ID) if text.isascii() and text.isdigit() and len(text) < 20 else 0
