"""The client's sessions and what they cost."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import visible_payments, visible_refunds
from billing.api import reading
from billing.api import serializers as out
from billing.services.balances import client_balances
from care.access import get_session, visible_sessions
from care.models import Session
from common import clock
from common.api import Pages, query
from people.api.base import ClientApi

COST = {
    "amount": "40.00",
    "allowed": "160.00",
    "basis": "estimate",
    "reason": "deductible_met",
    "sentence": "You have met your deductible, so this session costs $40.00.",
    "breakdown": {
        "plan": "120.00",
        "deductible": "0.00",
        "copay": "0.00",
        "coinsurance": "40.00",
        "not_covered": "0.00",
        "payer": "Evergreen Health",
        "verified": True,
        "why": ["Coinsurance of 25% on $160.00: $40.00."],
    },
    "created_at": "2026-05-02T10:15:00-04:00",
}
SESSION = {
    "id": 31,
    "starts_at": "2026-05-09T10:00:00-04:00",
    "date": "2026-05-09",
    "minutes": 53,
    "place": "11",
    "status": "scheduled",
    "confirmed_at": None,
    "provider": {"id": 2, "name": "Dr. Cole", "full_name": "Maya Cole"},
    "procedures": [{"cpt": "90837", "modifiers": [], "units": 1}],
    "cost": COST,
    "balance": {"due": "0.00", "paying": "0.00", "planned": "0.00", "refunding": "0.00"},
    "paid": "0.00",
    "given_back": "0.00",
    "claims": [],
}


class ClientSessions(ClientApi):
    """The client's sessions."""

    pagination_class = Pages

    @extend_schema(
        operation_id="client_sessions",
        tags=["Client"],
        summary="My sessions with their cost, money and claims",
        description="`upcoming`: booked, the next one first. `past`: all others, the latest first.",
        parameters=[out.When],
        responses=out.ClientSession(many=True),
        examples=[OpenApiExample("The next session", value=SESSION, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        sessions = visible_sessions(request.user)
        booked = {"status": Session.Status.SCHEDULED, "date__gte": clock.today()}
        if query(out.When, request)["when"] == "upcoming":
            sessions = sessions.filter(**booked).order_by("starts_at", "pk")
        else:
            sessions = sessions.exclude(**booked).order_by("-starts_at", "-pk")
        rows, pages = self.page(sessions)
        shown = reading.for_client(rows, client_balances(self.client))
        return pages.get_paginated_response(out.ClientSession(shown, many=True).data)


class ClientSession(ClientApi):
    """One session."""

    @extend_schema(
        operation_id="client_session",
        tags=["Client"],
        summary="One session: every cost it had and why, its claims, payments and refunds",
        responses=out.ClientSessionStory,
    )
    def get(self, request: Request, session_id: int) -> Response:
        session = get_session(request.user, session_id, purpose="api: session")
        reading.for_client([session], client_balances(self.client))
        payments = visible_payments(request.user).filter(parts__session=session)
        session.__dict__.update(
            cost_history=session.costs.order_by("-pk"),
            payments=payments.prefetch_related("parts__session").order_by("-pk"),
            money_back=visible_refunds(request.user).filter(session=session).order_by("-pk"),
        )
        return Response(out.ClientSessionStory(session).data)
