"""Any client, for support: found by name, and told with plans, pauses and balance."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import reading
from billing.api import serializers as out
from billing.services.balances import client_balances, total_due
from care.access import get_client
from common import clock
from common.api import Pages, query
from common.money import ZERO
from insurance.access import visible_pauses
from insurance.services.plan_order import current_decision, plans_in_order
from people.access import record_access_to
from people.api.base import SupportApi


class SupportClients(SupportApi):
    """All clients."""

    pagination_class = Pages

    @extend_schema(
        operation_id="support_clients",
        tags=["Support"],
        summary="Clients, by name",
        parameters=[out.ClientSearch],
        responses=out.SupportClient(many=True),
    )
    def get(self, request: Request) -> Response:
        clients, pages = self.page(reading.search_clients(request.user, **query(out.ClientSearch, request)))
        record_access_to(request.user, {client.pk for client in clients}, "api: clients")
        return pages.get_paginated_response(out.SupportClient(clients, many=True).data)


class SupportClient(SupportApi):
    """One client."""

    @extend_schema(
        operation_id="support_client",
        tags=["Support"],
        summary="One client with plans, pauses and balance",
        responses=out.SupportClientStory,
    )
    def get(self, request: Request, client_id: int) -> Response:
        client = get_client(request.user, client_id, purpose="api: client")
        found = reading.search_clients(request.user).get(pk=client.pk)
        balances = client_balances(found)
        found.__dict__.update(
            plans=plans_in_order(found, on=clock.today()),
            decision=current_decision(found),
            all_pauses=visible_pauses(request.user).filter(client=found).order_by("-pk"),
            balance=sum((each.booked for each in balances.values()), ZERO),
            due=total_due(balances),
        )
        return Response(out.SupportClientStory(found).data)
