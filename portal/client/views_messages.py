"""Messages and help: asking support, and what it answered."""

from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from common import clock
from common.errors import BadInput
from people.models import Client, SupportRequest, User
from people.services.support_requests import ask_support
from portal.client.doors import client_page
from portal.client.forms import SupportForm, take

PER_PAGE = 10
SAME_WITHIN = timedelta(minutes=10)
"""The same words sent again so soon are one question: a double click, or the Back button."""


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def support_requests(request: HttpRequest, client: Client) -> HttpResponse:
    """The form, filled in by the page that led here (``?category=refund&reference=refund 12``), and all requests."""
    assert isinstance(request.user, User)
    if request.method == "POST":
        form = SupportForm(request.POST)
        if form.is_valid():
            try:
                _ask(request.user, client, form)
            except BadInput as error:
                take(form, error)
            else:
                messages.success(request, _("We have your question. You find the answer here."))
                return redirect("portal:client:messages")
    else:
        form = SupportForm(
            initial={
                "category": request.GET.get("category", ""),
                "reference": request.GET.get("reference", "")[:40],
            }
        )
    own = SupportRequest.objects.filter(author=request.user)
    page = Paginator(own, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/client/messages.html",
        {"form": form, "page": page, "reference": form["reference"].value() or ""},
        status=422 if form.errors else 200,
    )


def _ask(user: User, client: Client, form: SupportForm) -> None:
    given = form.cleaned_data
    repeated = SupportRequest.objects.filter(
        author=user,
        category=given["category"],
        reference=given["reference"],
        body=given["body"].strip(),
        created_at__gte=clock.now() - SAME_WITHIN,
    )
    if not repeated.exists():
        ask_support(author=user, client=client, **given)
