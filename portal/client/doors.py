"""Who may open a client's page, and what every such page does about a card processor that does not answer."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control

from people.access import own_client
from people.models import Client, Role

P = ParamSpec("P")


def client_page(
    view: Callable[Concatenate[HttpRequest, Client, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Give the view the signed-in client. Visitors sign in first; providers and support find no such page.

    What a page shows is health data, so no cache keeps it.
    """

    @login_required
    @cache_control(private=True, no_store=True)
    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            client = own_client(request.user)
        except Http404:
            if getattr(request.user, "role", None) != Role.CLIENT:
                raise
            return render(request, "portal/client/no_record.html", status=404)
        return view(request, client, *args, **kwargs)

    return page


def say_cards_unavailable(request: HttpRequest) -> None:
    """The card processor did not answer; an attempt that was begun is settled by asking, never by charging again."""
    messages.warning(
        request,
        _("We cannot reach the card service right now. You will not be charged twice. Please try again in a minute."),
    )
