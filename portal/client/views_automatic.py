"""Paying by itself: a balance in three monthly parts, and autopay for small ones. Each with what is agreed to."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.access import get_notice, get_payment_plan
from billing.flows import collect_payment
from billing.gateways.results import GatewayError
from billing.models import Payment
from billing.services import autopay, payment_plans, payments, plan_ends
from billing.services.cards import default_card
from common.errors import DomainError
from common.money import dollars, parse_money
from people.models import Client
from portal.client.doors import client_page, say_cards_unavailable


def summary(client: Client, due: Decimal) -> dict[str, Any]:
    """What the payments page tells of them; ``due`` is what the client is to pay now."""
    active = plan_ends.active_plan(client)
    return {
        "plan": payment_plans.standing(active) if active else None,
        "plan_offered": active is None and due >= settings.PAYMENT_PLAN_MINIMUM,
        "autopay": autopay.in_force(client),
        "coming": list(autopay.open_notices(client)),
    }


# --- Payment plans ----------------------------------------------------------------------------------------------------


def _plan_page(request: HttpRequest, client: Client, *, error: str = "", status: int = 200) -> HttpResponse:
    active = plan_ends.active_plan(client)
    return render(
        request,
        "portal/client/payment_plan.html",
        {
            "standing": payment_plans.standing(active) if active else None,
            "offer": None if active else payment_plans.offer(client),
            "minimum": Decimal(settings.PAYMENT_PLAN_MINIMUM),
            "error": error,
        },
        status=status,
    )


def _agreed(request: HttpRequest) -> bool:
    return request.POST.get("agree") == "on"


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def payment_plan(request: HttpRequest, client: Client) -> HttpResponse:
    """The plan under way, or the one that may begin; posted, it begins and its first part is charged."""
    if request.method != "POST":
        return _plan_page(request, client)
    if not _agreed(request):
        words = _("To begin the plan, please tick the box under the words you agree to.")
        return _plan_page(request, client, error=words, status=422)
    try:
        _close_attempts(client)
        plan = payment_plans.agree(
            client,
            shown=parse_money(request.POST.get("shown"), "shown"),
            first_on=_day(request.POST.get("first_on", "")),
        )
    except DomainError as error:
        return _plan_page(request, client, error=str(error), status=error.status)
    except GatewayError:
        say_cards_unavailable(request)
        return _plan_page(request, client, status=503)
    return _first_part(request, plan.instalments.get(number=1).payment)


def _day(text: str) -> date:
    """A day as the page wrote it; what is none is none that was shown."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min


def _close_attempts(client: Client) -> None:
    """A card typed in another tab and not finished would pay what the plan takes: it is closed first."""
    for waiting in payments.waiting_attempts(client, None):
        collect_payment.cancel(waiting)


def _first_part(request: HttpRequest, payment: Payment | None) -> HttpResponse:
    """The client is here: the first part is sent at once, and the page shows how it went."""
    if payment is not None:
        try:
            collect_payment.charge(payment.pk)
        except GatewayError:
            say_cards_unavailable(request)
        payment.refresh_from_db()
    if payment is not None and payment.state in (Payment.State.FAILED, Payment.State.REQUIRES_ACTION):
        return redirect("portal:client:payment", payment.pk)
    messages.success(request, _("Your payment plan has begun. We sent you a copy of what you agreed to."))
    return redirect("portal:client:payment_plan")


@require_POST
@client_page
def end_plan(request: HttpRequest, client: Client, plan_id: int) -> HttpResponse:
    """No more parts are charged; what is left is due."""
    plan_ends.end(get_payment_plan(request.user, plan_id, purpose="end a payment plan"), reason=_("Ended by you."))
    messages.success(request, _("Your payment plan has ended. Nothing more is charged by itself."))
    return redirect("portal:client:payments")


# --- Autopay ----------------------------------------------------------------------------------------------------------


def _autopay_page(
    request: HttpRequest, client: Client, *, error: str = "", limit: str = "", status: int = 200
) -> HttpResponse:
    now = autopay.in_force(client)
    return render(
        request,
        "portal/client/autopay.html",
        {
            "autopay": now,
            "coming": list(autopay.open_notices(client)),
            "card": default_card(client),
            "consent": autopay.consent_text(),
            "least": autopay.LEAST,
            "most": autopay.MOST,
            "limit": limit,
            "error": error,
        },
        status=status,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def autopay_page(request: HttpRequest, client: Client) -> HttpResponse:
    """Autopay as it stands; posted, it is on with the limit that was typed."""
    if request.method != "POST":
        return _autopay_page(request, client)
    typed = request.POST.get("limit", "")
    if not _agreed(request):
        words = _("To turn autopay on, please tick the box under the words you agree to.")
        return _autopay_page(request, client, error=words, limit=typed, status=422)
    try:
        begun = autopay.start(client, limit=_limit(typed))
    except DomainError as error:
        return _autopay_page(request, client, error=str(error), limit=typed, status=error.status)
    words = _("Autopay is on, up to %(limit)s at once. We sent you a copy of what you agreed to.")
    messages.success(request, words % {"limit": dollars(begun.limit)})
    return redirect("portal:client:autopay")


def _limit(typed: str) -> Decimal:
    """What people type as an amount: ``"50"``, ``" $50.00 "``. Raises ``BadInput``."""
    return parse_money(typed.strip().removeprefix("$").strip().replace(",", ""), "limit")


@require_POST
@client_page
def stop_autopay(request: HttpRequest, client: Client) -> HttpResponse:
    """Off, with all that was announced."""
    called_off = autopay.stop(client)
    words = _("Autopay is off.")
    if called_off:
        words += " " + _("What was to be charged is left for you to pay when you like.")
    messages.success(request, words)
    return redirect("portal:client:autopay")


@require_POST
@client_page
def stop_charge(request: HttpRequest, client: Client, notice_id: int) -> HttpResponse:
    """One announced charge is not made; its balance stays."""
    notice = get_notice(request.user, notice_id, purpose="stop an autopay charge")
    if autopay.cancel(notice, reason=_("Stopped by you.")):
        words = _("We will not charge the %(amount)s. It is left for you to pay, or to ask us about.")
        messages.success(request, words % {"amount": dollars(notice.amount)})
    else:
        messages.info(request, _("This payment has been made or stopped already."))
    return redirect("portal:client:autopay")
