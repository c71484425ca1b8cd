"""Pay now: one amount, agreed to on the page, paid once whatever is clicked, in however many tabs."""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.access import get_payment, visible_cards, visible_payments
from billing.flows import collect_payment
from billing.gateways.results import GatewayError
from billing.models import Payment, PaymentCard
from billing.services.balances import Balance, total_due, total_planned
from care.access import visible_sessions
from care.models import Session
from common import clock
from common.errors import BadInput, DomainError
from common.money import ZERO, dollars, parse_money
from people.models import Client
from portal.client import reading
from portal.client.doors import client_page, say_cards_unavailable

NEW_CARD = ""
"""The value of "another card" in the choice of cards: see ``static/js/payments.js``."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One session on the pay page and what is due for it, in dollars."""

    session: Session
    due: Decimal


def _asked_for(data: QueryDict) -> list[int] | None:
    """The ids of the sessions to pay, or ``None`` for all. Anything that is no number names nothing.

    ``choose`` marks a form of checkboxes: there, none ticked is none chosen, not all.
    """
    named = data.getlist("session")
    if not named and "choose" not in data:
        return None
    return [int(each) for each in named if each.isascii() and each.isdigit() and len(each) < 19]


def _is_early(data: QueryDict) -> bool:
    """Whether what a payment plan takes later is to be paid too."""
    return data.get("early") == "1"


def _owed(
    request: HttpRequest, client: Client, ids: list[int] | None, *, early: bool
) -> tuple[list[Owed], dict[int, Balance]]:
    balances, due = reading.due_sessions(client, visible_sessions(request.user), early=early)
    amounts = {pk: each.owed if early else each.due for pk, each in balances.items()}
    return [Owed(each, amounts[each.pk]) for each in due if ids is None or each.pk in ids], balances


def usable_cards(request: HttpRequest) -> list[PaymentCard]:
    """The cards on file that have not expired, the default first."""
    today = clock.today()
    return [
        card for card in visible_cards(request.user) if (card.exp_year, card.exp_month) >= (today.year, today.month)
    ]


def _page(
    request: HttpRequest, client: Client, ids: list[int] | None, *, error: str = "", chosen: str = "", status: int = 200
) -> HttpResponse:
    early = _is_early(request.POST or request.GET)
    owed, balances = _owed(request, client, ids, early=early)
    under_way = visible_payments(request.user).filter(state__in=Payment.IN_MOTION)
    if ids is not None:
        under_way = under_way.filter(parts__session__in=ids)
    cards = usable_cards(request)
    return render(
        request,
        "portal/client/pay.html",
        {
            "owed": owed,
            "total": sum((each.due for each in owed), ZERO),
            "others": 0 if early else sum(each.due > ZERO for each in balances.values()) - len(owed),
            "early": early,
            "planned": total_planned(balances),
            "plan_offered": not early
            and not total_planned(balances)
            and total_due(balances) >= settings.PAYMENT_PLAN_MINIMUM,
            "about": f"session+{ids[0]}" if ids and len(ids) == 1 else "balance",
            "under_way": None if owed else under_way.first(),
            "cards": cards,
            "chosen": chosen or (cards[0].payment_method_id if cards else NEW_CARD),
            "error": error,
            "publishable_key": settings.STRIPE_PUBLISHABLE_KEY,
        },
        status=status,
    )


def _start(request: HttpRequest, client: Client) -> collect_payment.PayNow:
    """Begin the payment that the form asks for. Raises ``DomainError`` or ``GatewayError``."""
    method = request.POST.get("payment_method", NEW_CARD)
    card = next((each for each in usable_cards(request) if each.payment_method_id == method), None)
    if method != NEW_CARD and card is None:
        raise BadInput(_("This card cannot be used any more. Please choose another one."), "payment_method")
    return collect_payment.start_pay_now(
        client=client,
        session_ids=_asked_for(request.POST),
        card=card,
        shown=parse_money(request.POST.get("shown"), "shown"),
        early=_is_early(request.POST),
    )


def _declined(payment: Payment) -> str:
    """Why the card was refused, and that nothing was taken."""
    return _("%(reason)s Nothing was taken. Please use another card, or ask your bank.") % {
        "reason": payment.message or _("Your card was declined.")
    }


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def pay(request: HttpRequest, client: Client) -> HttpResponse:
    """The page, and what its form sends: ``intent`` when the browser has confirmed, else a saved card to charge."""
    if request.method != "POST":
        ids = _asked_for(request.GET)
        if ids == []:
            messages.info(request, _("Please choose at least one session to pay."))
            return redirect("portal:client:past")
        return _page(request, client, ids)
    if request.POST.get("intent"):
        return _settle(request, request.POST["intent"])
    ids = _asked_for(request.POST)
    chosen = request.POST.get("payment_method", NEW_CARD)
    if chosen == NEW_CARD:
        words = _("To type in a card, your browser has to run JavaScript. You can also call us to pay: %(phone)s.")
        return _page(request, client, ids, error=words % {"phone": settings.SUPPORT_PHONE}, status=422)
    try:
        begun = _start(request, client)
    except DomainError as error:
        return _page(request, client, ids, error=str(error), chosen=chosen, status=error.status)
    except GatewayError:
        say_cards_unavailable(request)
        return _page(request, client, ids, chosen=chosen, status=503)
    if begun.payment.state == Payment.State.FAILED:
        return _page(request, client, ids, error=_declined(begun.payment), chosen=chosen, status=402)
    return redirect("portal:client:payment", begun.payment.pk)


@require_POST
@client_page
def intent(request: HttpRequest, client: Client) -> HttpResponse:
    """What ``payments.js`` asks at the click: a secret to confirm in the browser, a place to go, or what is wrong."""
    try:
        begun = _start(request, client)
    except DomainError as error:
        return JsonResponse({"error": str(error)}, status=error.status)
    except GatewayError:
        return JsonResponse(
            {"error": _("We cannot reach the card service right now. You will not be charged twice.")}, status=503
        )
    payment = begun.payment
    if payment.state == Payment.State.FAILED:
        return JsonResponse({"error": _declined(payment)}, status=402)
    if payment.state == Payment.State.REQUIRES_ACTION and begun.client_secret:
        return JsonResponse({"client_secret": begun.client_secret})
    return JsonResponse({"redirect": reverse("portal:client:payment", args=[payment.pk])})


def _settle(request: HttpRequest, intent_id: str) -> HttpResponse:
    """The browser says that a payment is done: Stripe is asked, the browser is not believed."""
    known = intent_id.isprintable()  # PostgreSQL refuses to look for a NUL
    payment = visible_payments(request.user).filter(payment_intent_id=intent_id).first() if known else None
    if payment is None:
        raise Http404
    _ask(request, payment)
    return redirect("portal:client:payment", payment.pk)


def _ask(request: HttpRequest, payment: Payment) -> None:
    try:
        collect_payment.refresh(payment)
    except (DomainError, GatewayError):
        say_cards_unavailable(request)


@require_safe
@client_page
def come_back(request: HttpRequest, client: Client) -> HttpResponse:
    """Where a bank's own page sends the client back to, with the payment's name in the address."""
    return _settle(request, request.GET.get("payment_intent", ""))


@require_POST
@client_page
def refresh(request: HttpRequest, client: Client, payment_id: int) -> HttpResponse:
    """ "Check now" on a payment whose outcome is not known yet."""
    payment = get_payment(request.user, payment_id, purpose="check a payment")
    _ask(request, payment)
    payment.refresh_from_db()
    if payment.state in Payment.IN_MOTION:
        messages.info(
            request,
            _("Still no answer for your payment of %(amount)s. We keep checking; you need not wait here.")
            % {"amount": dollars(payment.amount)},
        )
    return redirect("portal:client:payment", payment.pk)
