"""The client's balance, cards, payments and refunds, and paying now."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import get_payment, visible_cards, visible_payments, visible_refunds
from billing.api import serializers as out
from billing.flows import collect_payment
from billing.models import Payment, PaymentCard
from billing.services.balances import client_balances, total_due
from care.access import visible_sessions
from common import clock
from common.api import PROBLEM_JSON, Pages, Problem, body, problem
from common.errors import BadInput
from people.api.base import ClientApi, idempotent


class ClientBalance(ClientApi):
    """What the client owes."""

    @extend_schema(
        operation_id="client_balance",
        tags=["Client"],
        summary="What I can pay now, and what is on its way",
        responses=out.Owed,
        examples=[
            OpenApiExample(
                "One session to pay",
                value={
                    "due": "18.00",
                    "sessions": [
                        {
                            "session": 31,
                            "date": "2026-05-09",
                            "balance": {"due": "18.00", "paying": "0.00", "planned": "0.00", "refunding": "0.00"},
                        }
                    ],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        balances = client_balances(self.client)
        open_ones = {pk: each for pk, each in balances.items() if each.owed or each.paying or each.refunding}
        dates = dict(visible_sessions(request.user).filter(pk__in=open_ones).values_list("pk", "date"))
        rows = [{"session": pk, "date": dates[pk], "balance": each} for pk, each in open_ones.items()]
        return Response(out.Owed({"due": total_due(balances), "sessions": rows}).data)


class ClientCards(ClientApi):
    """The client's cards."""

    @extend_schema(
        operation_id="client_cards",
        tags=["Client"],
        summary="My cards on file, the default first",
        responses=out.CardOut(many=True),
    )
    def get(self, request: Request) -> Response:
        return Response(out.CardOut(visible_cards(request.user), many=True).data)


class ClientPayments(ClientApi):
    """What was taken from the client's cards."""

    pagination_class = Pages
    all_of_it: ClassVar[dict[str, Any]] = {"shown": "18.00", "card": 5}

    @extend_schema(
        operation_id="client_payments",
        tags=["Client"],
        summary="My payments, the newest first",
        responses=out.PaymentOut(many=True),
    )
    def get(self, request: Request) -> Response:
        attempts = visible_payments(request.user).exclude(state=Payment.State.CREATED, card=None)
        rows, pages = self.page(attempts.prefetch_related("parts__session").order_by("-pk"))
        return pages.get_paginated_response(out.PaymentOut(rows, many=True).data)

    @extend_schema(
        operation_id="client_pay_now",
        tags=["Client"],
        summary="Pay what I owe",
        description="With a card on file it is charged at once; when the bank wants to see you, `client_secret` lets "
        "the browser finish it with Stripe's script. Two requests for the same sum meet the same attempt: nothing is "
        "taken twice.",
        request=out.PayNowIn,
        responses={
            201: out.PayNowOut,
            (402, PROBLEM_JSON): OpenApiResponse(Problem, "The card was refused. Nothing was taken."),
        },
        examples=[OpenApiExample("All that is due, with a card on file", value=all_of_it, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = body(out.PayNowIn, request)
        begun = collect_payment.start_pay_now(
            client=self.client,
            session_ids=given.get("sessions"),
            card=_usable_card(request, given.get("card")),
            shown=given["shown"],
            early=given["early"],
        )
        payment = visible_payments(request.user).prefetch_related("parts__session").get(pk=begun.payment.pk)
        if payment.state == Payment.State.FAILED:
            reason = payment.message or _("Your card was declined.")
            detail = _("%(reason)s Nothing was taken. Please use another card, or ask your bank.") % {"reason": reason}
            return Response(problem("card-declined", _("Card declined"), 402, detail), 402, content_type=PROBLEM_JSON)
        return Response(out.PayNowOut({"payment": payment, "client_secret": begun.client_secret}).data, 201)


def _usable_card(request: Request, card_id: int | None) -> PaymentCard | None:
    """The client's own card that has not expired. Raises ``BadInput``."""
    if card_id is None:
        return None
    today = clock.today()
    card = visible_cards(request.user).filter(pk=card_id).first()
    if card is None or (card.exp_year, card.exp_month) < (today.year, today.month):
        raise BadInput(_("This card cannot be used. Please choose another one."), "card")
    return card


class ClientPayment(ClientApi):
    """One payment."""

    @extend_schema(operation_id="client_payment", tags=["Client"], summary="One payment", responses=out.PaymentOut)
    def get(self, request: Request, payment_id: int) -> Response:
        return Response(out.PaymentOut(get_payment(request.user, payment_id, purpose="api: payment")).data)


class RefreshPayment(ClientApi):
    """Asking how a payment stands."""

    @extend_schema(
        operation_id="client_refresh_payment",
        tags=["Client"],
        summary="Ask Stripe how a payment stands",
        description="After the browser has finished one, or when its outcome is not known. Nothing is charged.",
        request=None,
        responses={200: out.PaymentOut},
    )
    @idempotent
    def post(self, request: Request, payment_id: int) -> Response:
        payment = get_payment(request.user, payment_id, purpose="api: check a payment")
        collect_payment.refresh(payment)
        payment.refresh_from_db()
        return Response(out.PaymentOut(payment).data)


class ClientRefunds(ClientApi):
    """What goes back to the client."""

    pagination_class = Pages

    @extend_schema(
        operation_id="client_refunds",
        tags=["Client"],
        summary="My refunds, the newest first",
        responses=out.RefundOut(many=True),
    )
    def get(self, request: Request) -> Response:
        rows, pages = self.page(visible_refunds(request.user).order_by("-pk"))
        return pages.get_paginated_response(out.RefundOut(rows, many=True).data)
