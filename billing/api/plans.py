"""Plans: shown in order, added, taken off, asked about again, reported as wrong; the reference number of a pause."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.serializers import ClientPlansOut, ReportIn
from billing.flows import refresh_benefits
from common.api import body
from common.errors import BadInput
from insurance.access import get_coverage, get_pause
from insurance.api.serializers import CheckOut, PlanIn, PlanOut, ReferenceIn
from insurance.api.views import ranked_plans
from insurance.models import Payer
from insurance.services.plan_order import current_decision
from people.api.base import ClientApi, ProviderApi, idempotent, signed_in
from people.api.views import AskedQuestion


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


class AskingAgain:
    """Asking a plan's insurer again, whoever of those who may see the plan wants it."""

    @extend_schema(
        description="While a question is under way, that one is given back; at most once in 15 minutes.",
        request=None,
        responses={202: CheckOut},
    )
    @idempotent
    def post(self, request: Request, coverage_id: int) -> Response:
        plan = get_coverage(request.user, coverage_id, purpose="api: refresh benefits")
        return Response(CheckOut(refresh_benefits.ask_for(actor=signed_in(request), coverage=plan)).data, 202)


class Reporting:
    """Saying that what is shown of a plan is wrong."""

    said: ClassVar = {"what": "copay", "text": "The card says $20.00, you show $40.00."}

    @extend_schema(
        description="The insurer is asked again and support gets a case, which is given back. There is one open case "
        "of yours for a plan: more about it is added to that case.",
        request=ReportIn,
        responses={201: AskedQuestion},
        examples=[OpenApiExample("Another copay on the card", value=said, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, coverage_id: int) -> Response:
        plan = get_coverage(request.user, coverage_id, purpose="api: report benefits")
        given = body(ReportIn, request)
        case = refresh_benefits.report_incorrect(author=signed_in(request), coverage=plan, **given)
        return Response(AskedQuestion(case).data, 201)


def _told(operation: str, tag: str, summary: str) -> Any:
    return extend_schema_view(post=extend_schema(operation_id=operation, tags=[tag], summary=summary))


@_told("client_refresh_plan", "Client", "Ask the insurer about this plan again")
class RefreshPlan(AskingAgain, ClientApi):
    """A plan of the client's own."""


@_told("client_report_plan", "Client", "Report a mistake in this plan's benefits")
class ReportPlan(Reporting, ClientApi):
    """A plan of the client's own."""


@_told("provider_refresh_plan", "Provider", "Ask the insurer about a client's plan again")
class RefreshClientsPlan(AskingAgain, ProviderApi):
    """A plan of a client on the caseload."""


@_told("provider_report_plan", "Provider", "Report a mistake in the benefits of a client's plan")
class ReportClientsPlan(Reporting, ProviderApi):
    """A plan of a client on the caseload."""


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
