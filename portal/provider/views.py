"""The provider's caseload and each client's page."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.models import SessionCost
from billing.services import forecast
from billing.services.expected import expected
from care.access import get_client, visible_sessions
from care.models import Session
from insurance.models import AccountPause
from insurance.services.client_standing import Standing
from insurance.services.plan_order import current_decision
from people.access import own_provider, record_access_to
from portal.outlook import told
from portal.provider import caseload, words
from portal.provider.paging import page_of

CLIENTS = 25
WAITING = 8
"""How many sessions to confirm the dashboard itself shows; the rest is one link away."""

SESSIONS = 15


@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Every client on the caseload, and the sessions that wait for a confirmation."""
    provider = own_provider(request.user)
    asked = {"words": request.GET.get("q", "").strip()[:80], "standing": request.GET.get("status", "")}
    page = page_of(request, caseload.search(request.user, **asked), CLIENTS)
    rows = caseload.rows(request.user, list(page.object_list))
    waiting = caseload.waiting_for_confirmation(request.user)
    first = caseload.session_rows(list(waiting[:WAITING]))
    record_access_to(
        request.user,
        {*(row.client.pk for row in rows), *(row.session.client_id for row in first)},
        "caseload",
    )
    tally = caseload.tally(request.user)
    context = {
        "provider": provider,
        "page": page,
        "rows": rows,
        "asked": asked,
        "narrowed": bool(asked["words"]) or asked["standing"] in Standing.values,
        "standings": [(each.value, each.label, tally[each]) for each in Standing],
        "tally": tally,
        "total": sum(tally.values()),
        "waiting": first,
        "waiting_count": waiting.count(),
    }
    template = "portal/provider/parts/clients.html" if _swaps(request) else "portal/provider/dashboard.html"
    return render(request, template, context)


def _swaps(request: HttpRequest) -> bool:
    """Whether only the list is asked for, by htmx."""
    return request.headers.get("HX-Target") == "clients" and "HX-History-Restore-Request" not in request.headers


@login_required
@require_safe
def client(request: HttpRequest, client_id: int) -> HttpResponse:
    """One client: standing, plans in order, price and why, changes, sessions, answers to share."""
    provider = own_provider(request.user)
    found = get_client(request.user, client_id, purpose="client page")
    found = caseload.search(request.user).get(pk=found.pk)
    (row,) = caseload.rows(request.user, [found])
    pause = (
        AccountPause.objects.filter(client=found, cleared_at=None)
        .select_related("coverage__payer")
        .order_by("opened_at")
        .first()
    )
    sessions = visible_sessions(request.user).filter(client=found)
    page = page_of(request, sessions.order_by("-starts_at", "-pk").prefetch_related("lines"), SESSIONS)
    outlook = forecast.outlook(found, told_to=provider)
    decision = current_decision(found)
    context = {
        "client": found,
        "row": row,
        "pause": pause,
        "on_hold": sessions.filter(status=Session.Status.SCHEDULED).count() if found.paused_since else 0,
        "plans": caseload.plan_rows(found, outlook),
        "outlook": outlook,
        "next": told(outlook, id="ahead"),
        "decision": decision,
        "price": _price(row.cost) if row.cost else None,
        "expected": expected(row.cost.session) if row.cost else None,
        "changes": [caseload.as_change(each) for each in caseload.changes(sessions)[:12]],
        "page": page,
        "rows": caseload.session_rows(list(page.object_list)),
        "answers": words.answers(found, row.change.cost if row.change else None, pause),
        "sessions_confirmed": sessions.filter(status=Session.Status.CONFIRMED).count(),
    }
    return render(request, "portal/provider/client.html", context)


def _price(cost: SessionCost) -> dict[str, Any]:
    """A cost as the page shows it: its parts in dollars (``None``: not known) and the sentences behind it."""
    parts = [
        {"kind": key, "label": words.part_label(key), "amount": _dollars(cost.breakdown.get(key))}
        for key in words.PARTS
        if cost.breakdown.get(key) not in (None, "0.00")
    ]
    return {
        "cost": cost,
        "parts": parts,
        "why": cost.breakdown.get("why", []),
        "verified": cost.breakdown.get("verified", False),
        "payer": cost.breakdown.get("payer", ""),
    }


def _dollars(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
