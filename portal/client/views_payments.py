"""Payments and refunds: what was taken, what went back and when it shows, the cards on file."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from billing.access import get_payment, visible_cards, visible_payments, visible_refunds, visible_statements
from billing.models import Payment
from billing.services.balances import client_balances, total_due
from billing.services.payments import receipt_number
from care.access import visible_sessions
from care.models import Session
from common import clock
from people.models import Client
from portal.client import reading, views_automatic
from portal.client.doors import client_page
from portal.client.pauses import open_pauses
from portal.client.refunds import refund_stories

PER_PAGE = 12
REFUNDS = 20
"""Refunds told in full; older ones are found at their session."""


@require_safe
@client_page
def payments(request: HttpRequest, client: Client) -> HttpResponse:
    """Refunds with their steps, payments with their receipts, cards."""
    attempts = visible_payments(request.user).prefetch_related("parts__session__provider")
    page = Paginator(attempts.exclude(state=Payment.State.CREATED, card=None), PER_PAGE).get_page(
        request.GET.get("page")
    )
    today = clock.today()
    due = total_due(client_balances(client))
    return render(
        request,
        "portal/client/payments.html",
        {
            **views_automatic.summary(client, due),
            "pauses": open_pauses(request.user),
            "refunds": refund_stories(visible_refunds(request.user)[:REFUNDS]),
            "page": page,
            "cards": list(visible_cards(request.user)),
            "this_month": (today.year, today.month),
            "due": due,
            "newest_statement": visible_statements(request.user).first(),
            "upcoming": reading.upcoming(visible_sessions(request.user)).exists(),
        },
    )


@require_safe
@client_page
def payment(request: HttpRequest, client: Client, payment_id: int) -> HttpResponse:
    """One payment: the receipt, or what happens with an attempt that is not finished."""
    found = get_payment(request.user, payment_id, purpose="payment")
    parts = list(found.parts.select_related("session__provider"))
    return render(
        request,
        "portal/client/payment.html",
        {
            "payment": found,
            "parts": parts,
            "in_motion": found.state in Payment.IN_MOTION,
            # Sessions that were taken back ask for nothing any more.
            "to_finish": any(part.session.status != Session.Status.CANCELLED for part in parts),
            "refunds": refund_stories(visible_refunds(request.user).filter(payment=found)),
            "number": receipt_number(found),
            "finish": urlencode([("session", part.session_id) for part in parts]),
        },
    )
