"""A provider's clients, sessions and earnings; booking, confirming and cancelling."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import get_payout, visible_payouts
from billing.api import reading
from billing.api import serializers as out
from billing.flows import book_session, confirm_session
from billing.models import ProviderEarning
from billing.services import payout_statements
from care.access import get_client, get_session, visible_clients, visible_sessions
from care.api import Booking
from care.models import Session
from common import clock
from common.api import Pages, body, query
from common.errors import BadInput, DomainError
from insurance.api.views import ranked_plans
from people.access import record_access, record_access_to
from people.api.base import ProviderApi, idempotent

CHANGES = 20
"""As many changes of cost as a client's story tells."""


class PriceChanged(DomainError):
    """The preview that was agreed to is no longer what confirming would do."""


class ProviderClients(ProviderApi):
    """The caseload."""

    pagination_class = Pages

    @extend_schema(
        operation_id="provider_clients",
        tags=["Provider"],
        summary="My clients: standing, next session, cost now, newest change",
        parameters=[out.ClientSearch],
        responses=out.CaseloadClient(many=True),
    )
    def get(self, request: Request) -> Response:
        clients, pages = self.page(reading.search_clients(request.user, **query(out.ClientSearch, request)))
        record_access_to(request.user, {client.pk for client in clients}, "api: caseload")
        shown = reading.caseload(request.user, clients)
        return pages.get_paginated_response(out.CaseloadClient(shown, many=True).data)


class ProviderClient(ProviderApi):
    """One client."""

    @extend_schema(
        operation_id="provider_client",
        tags=["Provider"],
        summary="One client with plans in order and the changes of cost",
        responses=out.CaseloadClientStory,
    )
    def get(self, request: Request, client_id: int) -> Response:
        client = get_client(request.user, client_id, purpose="api: client")
        found = reading.search_clients(request.user).get(pk=client.pk)
        reading.caseload(request.user, [found])
        changes = reading.changes(visible_sessions(request.user).filter(client=found))[:CHANGES]
        found.__dict__.update(plans=ranked_plans(found), changes=[reading.as_change(each) for each in changes])
        return Response(out.CaseloadClientStory(found).data)


class ProviderSessions(ProviderApi):
    """The provider's sessions."""

    pagination_class = Pages
    booking: ClassVar[dict[str, Any]] = {
        "client": 7,
        "starts_at": "2026-05-16T10:00:00-04:00",
        "minutes": 53,
        "place": "11",
        "procedures": [{"cpt": "90837"}],
        "diagnoses": ["F41.1"],
    }

    @extend_schema(
        operation_id="provider_sessions",
        tags=["Provider"],
        summary="My sessions: to come, waiting for me to confirm, or past",
        parameters=[out.ProviderWhen],
        responses=out.ProviderSession(many=True),
    )
    def get(self, request: Request) -> Response:
        asked = query(out.ProviderWhen, request)
        sessions = visible_sessions(request.user)
        if "client" in asked:
            sessions = sessions.filter(client=asked["client"])
        match asked["when"]:
            case "waiting":
                sessions = reading.waiting(sessions)
            case "past":
                sessions = sessions.filter(starts_at__lte=clock.now()).order_by("-starts_at", "-pk")
            case _:
                sessions = sessions.filter(status=Session.Status.SCHEDULED, starts_at__gt=clock.now())
                sessions = sessions.order_by("starts_at", "pk")
        rows, pages = self.page(sessions)
        record_access_to(request.user, {session.client_id for session in rows}, "api: sessions")
        return pages.get_paginated_response(out.ProviderSession(reading.for_provider(rows), many=True).data)

    @extend_schema(
        operation_id="provider_book_session",
        tags=["Provider"],
        summary="Book a session with a client on my caseload",
        description="It is priced at once where it can be. Refused while the account is paused.",
        request=Booking,
        responses={201: out.ProviderSession},
        examples=[OpenApiExample("A therapy session", value=booking, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = body(Booking, request)
        client = visible_clients(request.user).filter(pk=given.pop("client")).first()
        if client is None:
            raise BadInput(_("This client is not on your caseload."), "client")
        record_access(request.user, client, "api: booking")
        booked = book_session.book(client=client, provider=self.provider, **given)
        return Response(_shown(request, booked), 201)


def _shown(request: Request, session: Session) -> Any:
    found = visible_sessions(request.user).get(pk=session.pk)
    return out.ProviderSession(reading.for_provider([found])[0]).data


class ProviderSession(ProviderApi):
    """One session."""

    @extend_schema(
        operation_id="provider_session",
        tags=["Provider"],
        summary="One session with its cost and claims",
        responses=out.ProviderSession,
    )
    def get(self, request: Request, session_id: int) -> Response:
        return Response(_shown(request, get_session(request.user, session_id, purpose="api: session")))


class Confirmation(ProviderApi):
    """Confirming that a session took place."""

    agreed: ClassVar = {"charge": "40.00", "earning": "160.00"}

    @extend_schema(
        operation_id="provider_preview_confirmation",
        tags=["Provider"],
        summary="What confirming would do",
        responses=out.PreviewOut,
        examples=[
            OpenApiExample(
                "A charge of $40.00",
                value={
                    **agreed,
                    "payer": "Evergreen Health",
                    "why": ["Coinsurance of 25% on $160.00: $40.00."],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, session_id: int) -> Response:
        session = get_session(request.user, session_id, purpose="api: session")
        if session.status != Session.Status.SCHEDULED:
            raise PriceChanged(_("There is nothing to confirm: this session is confirmed or cancelled already."))
        return Response(out.PreviewOut(confirm_session.preview(session)).data)

    @extend_schema(
        operation_id="provider_confirm_session",
        tags=["Provider"],
        summary="Confirm that a session took place",
        description="Charges the client's card the estimate and books what you earn. Give the two figures of the "
        "preview: when the price has moved since, nothing happens and you are asked to look again. Confirming twice "
        "changes nothing.",
        request=out.ConfirmIn,
        responses={200: out.ProviderSession},
        examples=[OpenApiExample("As previewed", value=agreed, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, session_id: int) -> Response:
        given = body(out.ConfirmIn, request)
        session = get_session(request.user, session_id, purpose="api: session")
        if session.status == Session.Status.SCHEDULED:
            now = confirm_session.preview(session)
            if (now.charge, now.earning) != (given["charge"], given["earning"]):
                raise PriceChanged(_("The price has changed. Please look at it and confirm again."))
        return Response(_shown(request, confirm_session.confirm(session)))


class Cancellation(ProviderApi):
    """Cancelling a session."""

    @extend_schema(
        operation_id="provider_cancel_session",
        tags=["Provider"],
        summary="Cancel a booked session",
        description="Nothing is charged. A confirmed session stays.",
        request=None,
        responses={200: out.ProviderSession},
    )
    @idempotent
    def post(self, request: Request, session_id: int) -> Response:
        session = get_session(request.user, session_id, purpose="api: session")
        return Response(_shown(request, book_session.cancel(session)))


class ProviderPayouts(ProviderApi):
    """What the provider was paid."""

    pagination_class = Pages

    @extend_schema(
        operation_id="provider_payouts",
        tags=["Provider"],
        summary="My payouts, the newest first",
        responses=out.PayoutOut(many=True),
    )
    def get(self, request: Request) -> Response:
        rows, pages = self.page(visible_payouts(request.user))
        return pages.get_paginated_response(out.PayoutOut(rows, many=True).data)


class ProviderPayout(ProviderApi):
    """One payout's statement."""

    @extend_schema(
        operation_id="provider_payout",
        tags=["Provider"],
        summary="One payout with what it is made of",
        responses=out.PayoutStatementOut,
    )
    def get(self, request: Request, payout_id: int) -> Response:
        payout = get_payout(request.user, payout_id)
        lines = payout_statements.lines(payout)
        record_access_to(request.user, payout_statements.clients_of(lines), "api: payout statement")
        shown = out.PayoutOut(payout).data
        shown |= {"number": payout_statements.number(payout), "lines": out.PayoutLineOut(lines, many=True).data}
        return Response(shown)


class ProviderEarnings(ProviderApi):
    """What the provider earned."""

    pagination_class = Pages

    @extend_schema(
        operation_id="provider_earnings",
        tags=["Provider"],
        summary="My earnings, session by session, the newest first",
        responses=out.EarningOut(many=True),
    )
    def get(self, request: Request) -> Response:
        mine = ProviderEarning.objects.filter(provider=self.provider)
        rows, pages = self.page(mine.select_related("session__client", "coverage__payer").order_by("-pk"))
        record_access_to(request.user, {each.session.client_id for each in rows}, "api: earnings")
        return pages.get_paginated_response(out.EarningOut(rows, many=True).data)
