"""Appointments: what is coming and what it will cost, what is past and how it was paid."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.access import visible_refunds
from billing.services import out_of_network, payment_plans, plan_ends
from billing.services.balances import client_balances, total_due, total_planned
from billing.services.expected import expected
from care.access import get_session, visible_sessions
from common.money import ZERO
from people.models import Client
from portal.client import reading, words
from portal.client.doors import client_page
from portal.client.pauses import open_pauses
from portal.client.refunds import refund_stories

PER_PAGE = 10


@require_safe
@client_page
def upcoming(request: HttpRequest, client: Client) -> HttpResponse:
    """Booked sessions, the next one first, each with its estimate."""
    page = Paginator(reading.upcoming(visible_sessions(request.user)), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/client/appointments.html",
        {
            "pauses": open_pauses(request.user),
            "page": page,
            "sessions": reading.views_of(list(page), client_balances(client)),
        },
    )


@require_safe
@client_page
def past(request: HttpRequest, client: Client) -> HttpResponse:
    """What there is to pay, with its buttons, then all past sessions. The "pay now" e-mail leads here."""
    sessions = visible_sessions(request.user)
    balances, due = reading.due_sessions(client, sessions)
    asked = request.GET.get("session", "")
    about = sessions.filter(pk=asked).first() if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    active = plan_ends.active_plan(client) if total_planned(balances) else None
    page = Paginator(reading.past(sessions), PER_PAGE).get_page(request.GET.get("page"))
    owed = {session.pk for session in due}
    shown = [*due, *(each for each in page if each.pk not in owed)]
    views = {view.session.pk: view for view in reading.views_of(shown, balances)}
    return render(
        request,
        "portal/client/past.html",
        {
            "client": client,
            "pauses": open_pauses(request.user),
            "due": [views[session.pk] for session in due],
            "total": total_due(balances),
            "about": about,
            "plan": payment_plans.standing(active) if active else None,
            "paying": sum((each.paying for each in balances.values()), ZERO),
            "page": page,
            "sessions": [views[session.pk] for session in page],
        },
    )


@require_safe
@client_page
def session(request: HttpRequest, client: Client, session_id: int) -> HttpResponse:
    """One session: its price and why, each change of it, the claims' progress, payments and refunds."""
    found = get_session(request.user, session_id, purpose="appointment")
    [view] = reading.views_of([found], client_balances(client))
    outside = out_of_network.estimate(found)
    return render(
        request,
        "portal/client/session.html",
        {
            "view": view,
            "pauses": open_pauses(request.user),
            "outside": outside,
            "expected": expected(found),
            "outside_parts": words.out_of_network(outside) if outside else (),
            "changes": reading.cost_changes(client, session=found),
            "parts": list(found.payment_parts.select_related("payment__card").order_by("-payment_id")),
            "refunds": refund_stories(visible_refunds(request.user).filter(session=found)),
        },
    )
