"""The detailed benefits page: what a session costs, when that changes and why it did; and "what if"."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billing.flows import refresh_benefits
from billing.services import forecast
from billing.services.balances import client_balances
from billing.services.expected import expected
from care.access import visible_sessions
from care.models import Session
from insurance.access import get_coverage
from insurance.models import EligibilityCheck
from insurance.services.eligibility import asked_lately
from insurance.services.plan_order import current_decision
from people.models import Client
from portal.client import reading
from portal.client.benefits import benefit_views
from portal.client.doors import client_page
from portal.client.pauses import open_pauses
from portal.client.what_if import WhatIfForm
from portal.outlook import told

CHANGES_PER_PAGE = 12


@require_safe
@client_page
def benefits(request: HttpRequest, client: Client) -> HttpResponse:
    """What a session costs now and why, when that changes, and per plan all that is known and was put right."""
    sessions = visible_sessions(request.user)
    priced = reading.upcoming(sessions).first() or (
        sessions.filter(status=Session.Status.CONFIRMED, costs__isnull=False).order_by("-starts_at").first()
    )
    outlook = forecast.outlook(client)
    plans = benefit_views(reading.plan_views(client), outlook)
    decision = current_decision(client)
    changes = Paginator(reading.cost_changes(client), CHANGES_PER_PAGE)
    return render(
        request,
        "portal/client/benefits.html",
        {
            "plans": plans,
            "decision": decision if len(plans) > 1 else None,
            "priced": reading.views_of([priced], client_balances(client))[0] if priced else None,
            "expected": expected(priced) if priced and len(plans) > 1 else None,
            "outlook": outlook,
            "next": told(outlook, id="ahead"),
            "pauses": open_pauses(request.user),
            "last_held": sessions.filter(status=Session.Status.CONFIRMED).order_by("-starts_at").first(),
            "changes": changes.get_page(request.GET.get("page")),
        },
    )


@require_safe
@client_page
def what_if(request: HttpRequest, client: Client) -> HttpResponse:
    """What sessions would cost in another rhythm, of another length, elsewhere, or with other care. Keeps nothing."""
    now = forecast.outlook(client, two_years=True)
    asked = {name: value for name, value in request.GET.items() if name in WhatIfForm.base_fields}
    form = WhatIfForm(now)
    answer = now
    if asked and now.obstacle is None:
        form = WhatIfForm(now, {**form.initial, **asked})
        if form.is_valid():
            answer = forecast.outlook(client, form.asked(), two_years=True)
    return render(
        request,
        "portal/client/what_if.html",
        {
            "form": form,
            "outlook": answer,
            "next": None if form.errors else told(answer, id="ahead"),
            "now": told(now, id="now") if answer is not now else None,
            "rhythm_now": now.rhythm_now,
            "pauses": open_pauses(request.user),
        },
        status=422 if form.errors else 200,
    )


@require_POST
@client_page
def check_again(request: HttpRequest, client: Client, coverage_id: int) -> HttpResponse:
    """Ask the insurer again, unless it is being asked or was asked a moment ago."""
    coverage = get_coverage(request.user, coverage_id, purpose="check benefits again")
    latest = EligibilityCheck.objects.filter(coverage=coverage).order_by("-pk").first()
    if latest is not None and latest.state in (EligibilityCheck.State.WAITING, EligibilityCheck.State.ASKED):
        messages.info(request, _("We are asking %(payer)s already.") % {"payer": coverage.payer})
    elif latest is not None and asked_lately(latest):
        messages.info(
            request,
            _("We asked %(payer)s a few minutes ago. Please try again later.") % {"payer": coverage.payer},
        )
    else:
        refresh_benefits.ask_again(coverage)
        messages.success(
            request,
            _("We are asking %(payer)s. The answer usually comes within a minute.") % {"payer": coverage.payer},
        )
    return redirect("portal:client:benefits")
