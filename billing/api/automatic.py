"""Payment plans and autopay, for their client."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import get_notice, get_payment_plan, visible_payment_plans
from billing.api.serializers import CardOut
from billing.flows import collect_payment
from billing.models import Payment, PaymentPlan
from billing.services import autopay, payment_plans, payments, plan_ends
from common.api import Money, Pages, Strict, body
from common.errors import BadInput
from people.api.base import ClientApi, idempotent


class PlanPartOut(serializers.Serializer[Any]):
    """One part of a payment plan."""

    number = serializers.IntegerField()
    due_on = serializers.DateField()
    agreed = Money(help_text="At most this is taken.")
    amount = Money(help_text="What was taken, or will be as things stand.")
    payment = serializers.IntegerField(source="payment.pk", allow_null=True, default=None)
    state = serializers.ChoiceField(
        choices=Payment.State.choices,
        source="payment.state",
        allow_null=True,
        default=None,
        help_text="Of the newest payment for it; null: not tried yet.",
    )


class PaymentPlanOut(serializers.Serializer[Any]):
    """A payment plan as it stands."""

    id = serializers.IntegerField(source="plan.pk")
    state = serializers.ChoiceField(choices=PaymentPlan.State.choices, source="plan.state")
    total = Money(source="plan.total")
    left = Money(help_text="In the parts to come.")
    card = CardOut(source="plan.card")
    text_version = serializers.CharField(source="plan.text_version")
    text = serializers.CharField(source="plan.text", help_text="The words that were agreed to.")
    created_at = serializers.DateTimeField(source="plan.created_at")
    ended_at = serializers.DateTimeField(source="plan.ended_at", allow_null=True)
    parts = PlanPartOut(many=True)


class PlanOfferOut(serializers.Serializer[Any]):
    """The plan that may begin today."""

    total = Money()
    parts = PlanPartOut(many=True)
    sessions = serializers.SerializerMethodField(help_text="The sessions it pays for.")
    card = CardOut(allow_null=True, help_text="Null: a card on file is needed first.")
    text = serializers.CharField(help_text="The words to agree to.")

    def get_sessions(self, offer: payment_plans.Offer) -> list[int]:
        return [session.pk for session in offer.sessions]


class MaybeOffer(serializers.Serializer[Any]):
    """An offer, if there is one."""

    offer = PlanOfferOut(allow_null=True, help_text="Null: too little is due, or a plan is under way.")


class AgreeIn(Strict):
    """The words were read, and the sum is the one that was shown."""

    shown = Money(help_text="The offer's total. When it is not what is due, nothing happens.")
    first_on = serializers.DateField(help_text="The offer's first day. When it is another by now, nothing happens.")
    agree = serializers.BooleanField(help_text="True: the client agrees to the offer's text.")


def _must_agree(given: dict[str, Any]) -> None:
    if not given["agree"]:
        raise BadInput(_("Nothing happens without the client's agreement to the text."), "agree")


class ClientPaymentPlans(ClientApi):
    """The client's payment plans."""

    pagination_class = Pages
    agreed: ClassVar[dict[str, Any]] = {"shown": "70.00", "first_on": "2026-11-22", "agree": True}

    @extend_schema(
        operation_id="client_payment_plans",
        tags=["Client"],
        summary="My payment plans, the newest first",
        responses=PaymentPlanOut(many=True),
    )
    def get(self, request: Request) -> Response:
        rows, pages = self.page(visible_payment_plans(request.user).order_by("-pk"))
        return pages.get_paginated_response(
            PaymentPlanOut([payment_plans.standing(plan) for plan in rows], many=True).data
        )

    @extend_schema(
        operation_id="client_begin_payment_plan",
        tags=["Client"],
        summary="Pay what is due in three monthly parts",
        description="The first part is charged at once; when the bank refuses it, the plan stands and the part is due.",
        request=AgreeIn,
        responses={201: PaymentPlanOut},
        examples=[OpenApiExample("Seventy dollars", value=agreed, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = body(AgreeIn, request)
        _must_agree(given)
        for waiting in payments.waiting_attempts(self.client, None):
            collect_payment.cancel(waiting)
        plan = payment_plans.agree(self.client, shown=given["shown"], first_on=given["first_on"])
        return Response(PaymentPlanOut(payment_plans.standing(plan)).data, 201)


class ClientPlanOffer(ClientApi):
    """The payment plan that may begin."""

    @extend_schema(
        operation_id="client_payment_plan_offer",
        tags=["Client"],
        summary="The payment plan I may begin today",
        responses=MaybeOffer,
    )
    def get(self, request: Request) -> Response:
        return Response(MaybeOffer({"offer": payment_plans.offer(self.client)}).data)


class EndPaymentPlan(ClientApi):
    """Ending a payment plan."""

    @extend_schema(
        operation_id="client_end_payment_plan",
        tags=["Client"],
        summary="End my payment plan; what is left is due",
        request=None,
        responses={200: PaymentPlanOut},
    )
    @idempotent
    def post(self, request: Request, plan_id: int) -> Response:
        plan = get_payment_plan(request.user, plan_id, purpose="api: end a payment plan")
        plan_ends.end(plan, reason=_("Ended by you."))
        return Response(PaymentPlanOut(payment_plans.standing(plan)).data)


class NoticeOut(serializers.Serializer[Any]):
    """A charge that autopay has announced."""

    id = serializers.IntegerField()
    session = serializers.IntegerField(source="session_id")
    date = serializers.DateField(source="session.date", help_text="The session's.")
    amount = Money(help_text="At most this is taken; less when less is due by then.")
    charge_on = serializers.DateField()
    announced_at = serializers.DateTimeField()


class AutopayOut(serializers.Serializer[Any]):
    """Autopay as it stands."""

    limit = Money(allow_null=True, help_text="The most that is charged at once. Null: autopay is off.")
    text_version = serializers.CharField(allow_null=True)
    text = serializers.CharField(help_text="The words agreed to; while it is off, those to agree to.")
    coming = NoticeOut(many=True)


class AutopayIn(Strict):
    """A limit, and agreement to the text."""

    limit = Money(help_text="The most that may be charged at once.")
    agree = serializers.BooleanField(help_text="True: the client agrees to the text.")


class ClientAutopay(ClientApi):
    """Autopay."""

    fifty: ClassVar[dict[str, Any]] = {"limit": "50.00", "agree": True}

    @extend_schema(
        operation_id="client_autopay",
        tags=["Client"],
        summary="Autopay, and what it charges next",
        responses=AutopayOut,
    )
    def get(self, request: Request) -> Response:
        return Response(self._told())

    @extend_schema(
        operation_id="client_start_autopay",
        tags=["Client"],
        summary="Turn autopay on, or set another limit",
        request=AutopayIn,
        responses={200: AutopayOut},
        examples=[OpenApiExample("Up to fifty dollars", value=fifty, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = body(AutopayIn, request)
        _must_agree(given)
        autopay.start(self.client, limit=given["limit"])
        return Response(self._told())

    @extend_schema(
        operation_id="client_stop_autopay",
        tags=["Client"],
        summary="Turn autopay off; what it announced is not charged",
        responses={204: None},
    )
    @idempotent
    def delete(self, request: Request) -> Response:
        autopay.stop(self.client)
        return Response(status=204)

    def _told(self) -> Any:
        now = autopay.in_force(self.client)
        return AutopayOut(
            {
                "limit": now.limit if now else None,
                "text_version": now.text_version if now else None,
                "text": now.text if now else autopay.consent_text(),
                "coming": list(autopay.open_notices(self.client)),
            }
        ).data


class StopCharge(ClientApi):
    """One charge of autopay."""

    @extend_schema(
        operation_id="client_stop_autopay_charge",
        tags=["Client"],
        summary="Stop one announced charge; its balance stays due",
        responses={204: None},
    )
    @idempotent
    def delete(self, request: Request, notice_id: int) -> Response:
        autopay.cancel(get_notice(request.user, notice_id, purpose="api: stop a charge"), reason=_("Stopped by you."))
        return Response(status=204)
