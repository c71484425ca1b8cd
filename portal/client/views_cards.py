"""Cards on file: added with consent, one of them charged, removed when the client says so."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.access import get_card
from billing.flows.collect_payment import StripeUnavailable
from billing.gateways.results import GatewayError
from billing.services import cards
from care.access import visible_sessions
from common.errors import DomainError
from people.models import Client
from portal.client import reading
from portal.client.doors import client_page, say_cards_unavailable


def _add_page(request: HttpRequest, *, error: str = "", status: int = 200) -> HttpResponse:
    return render(
        request,
        "portal/client/card_add.html",
        {"consent": cards.consent_text(), "error": error, "publishable_key": settings.STRIPE_PUBLISHABLE_KEY},
        status=status,
    )


def _agreed(request: HttpRequest) -> bool:
    return request.POST.get("agree") == "on"


def _not_agreed() -> str:
    return _("To save a card, please tick the box that allows us to keep it.")


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def add(request: HttpRequest, client: Client) -> HttpResponse:
    """The form with the consent; posted by the browser once Stripe has the card."""
    if request.method != "POST":
        return _add_page(request)
    if not _agreed(request):
        return _add_page(request, error=_not_agreed(), status=422)
    setup = request.POST.get("intent", "")
    if not setup:
        words = _("To type in a card, your browser has to run JavaScript. You can also call us: %(phone)s.")
        return _add_page(request, error=words % {"phone": settings.SUPPORT_PHONE}, status=422)
    try:
        card = cards.finish_saving(client, setup)
    except DomainError as error:
        return _add_page(request, error=str(error), status=error.status)
    except GatewayError:
        words = _("We could not find out whether your card was saved. Please look at your cards, or try again.")
        return _add_page(request, error=words, status=503)
    messages.success(request, _("%(card)s is saved. We sent you a copy of what you agreed to.") % {"card": card})
    return redirect("portal:client:payments")


@require_POST
@client_page
def intent(request: HttpRequest, client: Client) -> HttpResponse:
    """What ``payments.js`` asks at the click: a secret with which the browser saves the card at Stripe."""
    if not _agreed(request):
        return JsonResponse({"error": _not_agreed()}, status=422)
    try:
        return JsonResponse({"client_secret": cards.start_saving(client)})
    except GatewayError:
        words = _("We cannot reach the card service right now. Nothing was saved. Please try again in a minute.")
        return JsonResponse({"error": words}, status=StripeUnavailable.status)


@require_POST
@client_page
def choose(request: HttpRequest, client: Client, card_id: int) -> HttpResponse:
    """Charge this card from now on."""
    card = get_card(request.user, card_id, purpose="choose a card")
    try:
        cards.choose_default(card)
        messages.success(request, _("We charge %(card)s from now on.") % {"card": card})
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("portal:client:payments")


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def remove(request: HttpRequest, client: Client, card_id: int) -> HttpResponse:
    """Ask once, saying what follows; then take the card off the account."""
    card = get_card(request.user, card_id, purpose="remove a card")
    if request.method != "POST":
        others = client.cards.filter(removed_at=None).exclude(pk=card.pk).order_by("-is_default", "-pk")
        return render(
            request,
            "portal/client/card_remove.html",
            {
                "card": card,
                "next_card": others.first() if card.is_default else None,
                "only_card": not others.exists(),
                "needed": cards.needed_by(card),
                "upcoming": reading.upcoming(visible_sessions(request.user)).first(),
            },
        )
    try:
        now_charged = cards.remove_card(card)
    except DomainError as error:
        messages.error(request, str(error))
    except GatewayError:
        say_cards_unavailable(request)
    else:
        words = _("%(card)s is removed.") % {"card": card}
        if now_charged is not None:
            words += " " + _("We charge %(card)s from now on.") % {"card": now_charged}
        messages.success(request, words)
    return redirect("portal:client:payments")
