"""Home: what do I owe, what is next, is anything wrong."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from billing.access import visible_payments, visible_refunds
from billing.models import Payment, Refund
from billing.services.balances import total_due, total_planned
from billing.services.cards import default_card
from care.access import visible_sessions
from common import clock
from common.money import ZERO, dollars
from insurance.models import PlanOrder
from insurance.services.plan_order import current_decision, questions
from people.models import Client
from portal.client import reading
from portal.client.confirmations import open_confirmations
from portal.client.doors import client_page
from portal.client.pauses import open_pauses
from portal.templatetags.headway_ui import longdate

LATEST = 5
NEWS_FOR = timedelta(days=30)
"""How long the home page tells that plans were put in the right order; the plans page always does."""


@require_safe
@client_page
def home(request: HttpRequest, client: Client) -> HttpResponse:
    """One glance. What is wrong comes first, then money, then the next session, then what changed lately."""
    sessions = visible_sessions(request.user)
    balances, due = reading.due_sessions(client, sessions)
    coming = reading.upcoming(sessions).first()
    plans = reading.plan_views(client)
    decision = current_decision(client)
    confirmations = open_confirmations(request.user)
    refunding = sum((each.refunding for each in balances.values()), ZERO)
    return render(
        request,
        "portal/client/home.html",
        {
            "client": client,
            "pauses": open_pauses(request.user),
            "confirmations": confirmations,
            "to_confirm": any(not view.reported for view in confirmations),
            "plans": plans,
            "unread_plans": [plan for plan in plans if plan.refused],
            "reordered": decision if decision and len(plans) > 1 and _is_news(client, decision) else None,
            "due": total_due(balances),
            "due_count": len(due),
            "planned": total_planned(balances),
            "paying": sum((each.paying for each in balances.values()), ZERO),
            "refunding": refunding,
            "next": reading.views_of([coming], balances)[0] if coming else None,
            "needs_card": bool(coming) and default_card(client) is None,
            "latest": _latest(request, client),
        },
    )


def _is_news(client: Client, decision: PlanOrder) -> bool:
    if decision.changed:
        return decision.created_at >= clock.now() - NEWS_FOR
    return not decision.certain and bool(questions(client))


def _latest(request: HttpRequest, client: Client) -> list[dict[str, Any]]:
    """The newest changes of cost, refunds and payments as one timeline."""
    events: list[dict[str, Any]] = [
        {
            "when": change.day,
            "title": f"{change.title}: {dollars(change.before)} → {dollars(change.after)}",
            "text": _told(change),
            "tone": "success" if change.after < change.before else "attention",
            "icon": "change",
            "url": reverse("portal:client:session", args=[change.session])
            if change.count == 1
            else reverse("portal:client:benefits") + "#changes",
        }
        for change in reading.cost_changes(client, limit=60)[:LATEST]
    ]
    refunds = visible_refunds(request.user).filter(state=Refund.State.SUCCEEDED, processed_at__isnull=False)
    events += [
        {
            "when": refund.processed_at,
            "title": _("Refund to your card"),
            "text": _("For your session of %(day)s with %(provider)s.")
            % {"day": longdate(refund.session.date), "provider": refund.session.provider},
            "tone": "success",
            "icon": "refund",
            "amount": refund.amount,
            "url": reverse("portal:client:payments") + "#refunds",
        }
        for refund in refunds.order_by("-processed_at")[:LATEST]
    ]
    paid = visible_payments(request.user).filter(state=Payment.State.SUCCEEDED, settled_at__isnull=False)
    events += [
        {
            "when": payment.settled_at,
            "title": _("You paid"),
            "text": str(payment.card) if payment.card else "",
            "tone": "brand",
            "icon": "payments",
            "amount": payment.amount,
            "url": reverse("portal:client:payment", args=[payment.pk]),
        }
        for payment in paid.order_by("-settled_at")[:LATEST]
    ]
    events.sort(key=lambda event: reading.day_of(event["when"]), reverse=True)
    return events[:LATEST]


def _told(change: reading.Change) -> str:
    if change.count == 1:
        return _("%(sentence)s Session of %(day)s.") % {"sentence": change.sentence, "day": longdate(change.first)}
    many = ngettext("%(count)s session changed.", "%(count)s sessions changed.", change.count)
    return f"{change.sentence} {many % {'count': change.count}}"
