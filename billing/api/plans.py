"""The client's plans: shown in order, added, taken off, asked about again; and the reference number of a pause."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.serializers import ClientPlansOut
from billing.flows import refresh_benefits
from common.api import body
from common.errors import BadInput, DomainError
from insurance.access import get_coverage, get_pause
from insurance.api.serializers import CheckOut, PlanIn, PlanOut, ReferenceIn
from insurance.api.views import ranked_plans
from insurance.models import EligibilityCheck, Payer
from insurance.services.eligibility import asked_lately
from insurance.services.plan_order import current_decision
from people.api.base import ClientApi, idempotent


class AskedLately(DomainError):
    """The insurer was asked about this plan a moment ago."""

    status = 429


class ClientPlans(ClientApi):
    """The plans on the client's account."""

    added: ClassVar[dict[str, Any]] = {
        "payer": 3,
        "member_id": "EV100200300",
        "plan_type": "group",
        "holder": "self",
        "holder_status": "active",
    }

    @extend_schema(
        operation_id="client_plans",
        tags=["Client"],
        summary="My plans in the order in which they pay, and why",
        description="The order is worked out by us and put right by itself: `decision.changed` says that it differs "
        "from the order in which the plans were entered, `decision.why` gives the reasons.",
        responses=ClientPlansOut,
    )
    def get(self, request: Request) -> Response:
        plans = ranked_plans(self.client)
        return Response(ClientPlansOut({"plans": plans, "decision": current_decision(self.client)}).data)

    @extend_schema(
        operation_id="client_add_plan",
        tags=["Client"],
        summary="Add a plan",
        description="Its insurer is asked at once; order and prices follow the answer by themselves.",
        request=PlanIn,
        responses={201: PlanOut},
        examples=[OpenApiExample("Her own plan, through her job", value=added, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = body(PlanIn, request)
        payer = Payer.objects.filter(pk=given.pop("payer")).first()
        if payer is None:
            raise BadInput(_("We do not know this insurer."), "payer")
        plan = refresh_benefits.add_plan(client=self.client, payer=payer, member_id=given.pop("member_id"), **given)
        return Response(PlanOut(plan).data, 201)


class ClientPlan(ClientApi):
    """One plan."""

    @extend_schema(
        operation_id="client_remove_plan",
        tags=["Client"],
        summary="Take a plan off my account",
        description="Its history stays; the prices of coming sessions follow. Refused while the plan's insurer still "
        "needs a call from you.",
        responses={204: None},
    )
    @idempotent
    def delete(self, request: Request, coverage_id: int) -> Response:
        refresh_benefits.remove_plan(get_coverage(request.user, coverage_id, purpose="api: remove plan"))
        return Response(status=204)


class RefreshPlan(ClientApi):
    """Asking a plan's insurer again."""

    @extend_schema(
        operation_id="client_refresh_plan",
        tags=["Client"],
        summary="Ask the insurer about this plan again",
        description="While a question is under way, that one is given back; at most once in 15 minutes.",
        request=None,
        responses={202: CheckOut},
    )
    @idempotent
    def post(self, request: Request, coverage_id: int) -> Response:
        plan = get_coverage(request.user, coverage_id, purpose="api: refresh benefits")
        latest = EligibilityCheck.objects.filter(coverage=plan).order_by("-pk").first()
        under_way = (EligibilityCheck.State.WAITING, EligibilityCheck.State.ASKED)
        if latest and latest.state not in under_way and asked_lately(latest):
            raise AskedLately(
                _("We asked %(payer)s a few minutes ago. Please try again later.") % {"payer": plan.payer}
            )
        check = latest if latest and latest.state in under_way else refresh_benefits.ask_again(plan)
        return Response(CheckOut(check).data, 202)


class GiveReference(ClientApi):
    """The client has called the insurer."""

    @extend_schema(
        operation_id="client_give_reference",
        tags=["Client"],
        summary="Give the reference number of my call to the insurer",
        description="The insurer is asked again at once; when its records are right the account resumes.",
        request=ReferenceIn,
        responses={202: CheckOut},
        examples=[OpenApiExample("A call", value={"reference_number": "COB-88213"}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, pause_id: int) -> Response:
        given = body(ReferenceIn, request)
        pause = get_pause(request.user, pause_id, purpose="api: reference number")
        check = refresh_benefits.give_reference(pause, given["reference_number"])
        return Response(CheckOut(check).data, 202)
