"""Which plan pays first: the questions that settle it, plans that insurers named, and the yearly calls to insurers."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.flows import confirm_coverage, order_plans, refresh_benefits
from common.api import Pages, Strict, body
from common.errors import BadInput
from insurance.access import get_recertification, get_suggestion, visible_recertifications, visible_suggestions
from insurance.api.serializers import (
    CheckOut,
    DecisionOut,
    PlanOut,
    RecertificationOut,
    SuggestedPlanIn,
    SuggestedPlanOut,
    YearlyCallIn,
)
from insurance.domain.plan_questions import Question
from insurance.models import Payer
from insurance.services import discovery
from insurance.services.plan_order import current_decision, questions
from people.api.base import ClientApi, idempotent, signed_in
from people.api.views import AskedQuestion

# --- The order of plans -----------------------------------------------------------------------------------------------


class AnswerOut(serializers.Serializer[Any]):
    """One answer there is to a question."""

    value = serializers.CharField(help_text="What to send.")
    label = serializers.CharField()  # type: ignore[assignment]  # a field


class QuestionOut(serializers.Serializer[Any]):
    """One thing that would help to settle which plan pays first."""

    name = serializers.CharField(help_text="Its name among the answers.")
    text = serializers.CharField()
    hint = serializers.CharField()
    asks_for_a_day = serializers.BooleanField(help_text="The answer is a day, `2022-01-31`.")
    answers = AnswerOut(many=True, help_text="Those to choose from; empty where a day is asked for.")


class PlanOrderOut(serializers.Serializer[Any]):
    """The order of plans in force, and what is open about it."""

    decision = DecisionOut(allow_null=True, help_text="Null: there is no plan.")
    questions = QuestionOut(many=True)
    case = AskedQuestion(allow_null=True, help_text="What support was asked because you did not know.")


class PlanOrderAnswered(PlanOrderOut):
    """What answers came to."""

    changed = serializers.BooleanField(help_text="The plans are in another order now.")
    settled = serializers.BooleanField()


class PlanOrderIn(Strict):
    """Answers to the questions, by their names."""

    answers = serializers.DictField(
        child=serializers.CharField(max_length=40, allow_null=True),
        allow_empty=False,
        help_text="Name of a question → the `value` of an answer, or a day; `null`: not known.",
    )


class ClientPlanOrder(ClientApi):
    """What would settle which plan pays first."""

    said: ClassVar = {"answers": {"plan-12-since": "2022-01-01", "plan-14-since": None}}

    @extend_schema(
        operation_id="client_plan_order",
        tags=["Client"],
        summary="Which of my plans pays first, and what would settle it",
        description="While the order is not certain, `questions` are the fewest things that settle it. Until then the "
        "plans stay in the order you gave.",
        responses=PlanOrderOut,
    )
    def get(self, request: Request) -> Response:
        asked = questions(self.client)
        told = {
            "decision": current_decision(self.client),
            "questions": asked,
            "case": order_plans.open_case(self.client) if asked else None,
        }
        return Response(PlanOrderOut(told).data)

    @extend_schema(
        operation_id="client_answer_plan_order",
        tags=["Client"],
        summary="Answer what settles which plan pays first",
        description="The order, claims and prices follow at once. A question that is left out stays open; `null` is "
        '"I do not know", and support takes it up. The answer tells what is still open.',
        request=PlanOrderIn,
        responses=PlanOrderAnswered,
        examples=[OpenApiExample("One day is known, the other is not", value=said, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = body(PlanOrderIn, request)["answers"]
        asked = {question.name: question for question in questions(self.client)}
        answers = {name: _answer(asked, name, value) for name, value in given.items()} if asked else {}
        try:
            answered = order_plans.answer_question(self.client, answers, by=signed_in(request))
        except BadInput as error:
            raise BadInput(str(error), ".".join(filter(None, ("answers", error.where)))) from error
        told = {
            "decision": answered.decision,
            "questions": answered.left,
            "case": answered.case,
            "changed": answered.changed,
            "settled": answered.settled,
        }
        return Response(PlanOrderAnswered(told).data)


def _answer(asked: Mapping[str, Question], name: str, value: str | None) -> str | date | None:
    question = asked.get(name)
    if question is None:
        raise BadInput(_("This is not asked."), f"answers.{name}")
    if value is None or not question.asks_for_a_day:
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise BadInput(_("Please give a day as YYYY-MM-DD."), f"answers.{name}") from None


# --- Plans that insurers named ----------------------------------------------------------------------------------------


class SuggestedPlans(ClientApi):
    """Other plans that the client's insurers named."""

    pagination_class = Pages

    @extend_schema(
        operation_id="client_suggested_plans",
        tags=["Client"],
        summary="Plans that my insurers say I have too, the newest first",
        description="`open` ones wait for you: confirm or dismiss them. The others are kept as they were answered.",
        responses=SuggestedPlanOut(many=True),
    )
    def get(self, request: Request) -> Response:
        rows, pages = self.page(visible_suggestions(request.user).order_by("-pk"))
        return pages.get_paginated_response(SuggestedPlanOut(rows, many=True).data)


class ConfirmSuggestedPlan(ClientApi):
    """It is a plan of the client."""

    said: ClassVar = {"member_id": "SM44310", "holder": "self", "plan_type": "group"}

    @extend_schema(
        operation_id="client_confirm_suggested_plan",
        tags=["Client"],
        summary="This plan is mine: add it",
        description="Give what is not known of it yet; its insurer is asked at once. Confirming again gives back the "
        "plan that is there.",
        request=SuggestedPlanIn,
        responses={201: PlanOut},
        examples=[OpenApiExample("Her own plan; the number was not told", value=said, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, suggestion_id: int) -> Response:
        suggestion = get_suggestion(request.user, suggestion_id, purpose="api: suggested plan")
        given = body(SuggestedPlanIn, request)
        payer = None
        if "payer" in given:
            payer = Payer.objects.filter(pk=given.pop("payer")).first()
            if payer is None:
                raise BadInput(_("We do not know this insurer."), "payer")
        plan = confirm_coverage.accept(suggestion, by=signed_in(request), payer=payer, **given)
        return Response(PlanOut(plan).data, 201)


class DismissSuggestedPlan(ClientApi):
    """It is none of the client's plans."""

    @extend_schema(
        operation_id="client_dismiss_suggested_plan",
        tags=["Client"],
        summary="This plan is not mine: do not ask again",
        request=None,
        responses=SuggestedPlanOut,
    )
    @idempotent
    def post(self, request: Request, suggestion_id: int) -> Response:
        suggestion = get_suggestion(request.user, suggestion_id, purpose="api: suggested plan")
        discovery.dismiss(suggestion, by=signed_in(request))
        return Response(SuggestedPlanOut(suggestion).data)


# --- Yearly confirmations ---------------------------------------------------------------------------------------------


class ClientRecertifications(ClientApi):
    """Confirmations that insurers want once a year."""

    pagination_class = Pages

    @extend_schema(
        operation_id="client_recertifications",
        tags=["Client"],
        summary="Yearly confirmations of my plans, the newest first",
        description="An insurer that wants one may stop paying when it is overdue. Call it, say the words, and give "
        "the reference number. Only you can make this call.",
        responses=RecertificationOut(many=True),
    )
    def get(self, request: Request) -> Response:
        rows, pages = self.page(visible_recertifications(request.user).order_by("-due_on", "-pk"))
        return pages.get_paginated_response(RecertificationOut(rows, many=True).data)


class ReportYearlyCall(ClientApi):
    """The client has made the yearly call."""

    said: ClassVar = {"reference_number": "COB-88213", "called_on": "2026-03-02"}

    @extend_schema(
        operation_id="client_report_yearly_call",
        tags=["Client"],
        summary="Give number and day of my yearly call to the insurer",
        description="The insurer is asked at once; when its records show the call, the year begins anew. Until then "
        "number and day can be corrected by giving them again.",
        request=YearlyCallIn,
        responses={202: CheckOut},
        examples=[OpenApiExample("A call", value=said, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, recertification_id: int) -> Response:
        given = body(YearlyCallIn, request)
        row = get_recertification(request.user, recertification_id, purpose="api: yearly confirmation")
        return Response(CheckOut(refresh_benefits.report_call(row, **given)).data, 202)
