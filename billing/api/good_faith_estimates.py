"""Good Faith Estimates for clients who would rather pay for sessions than wait for their insurer."""

import json
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import get_estimate, visible_estimates
from billing.domain.good_faith import LONGEST_MONTHS
from billing.models import GoodFaithEstimate
from billing.services import good_faith_estimate
from common.api import Id, Money, Pages, Strict, body
from common.errors import BadInput
from people.api.base import ClientApi, idempotent


class EstimateIn(Strict):
    """What sessions to estimate."""

    provider = Id(help_text="One who sees you.")
    frequency = serializers.ChoiceField(choices=GoodFaithEstimate.Frequency.choices)
    first_on = serializers.DateField(help_text="From today on, within a year.")
    months = serializers.IntegerField(min_value=1, max_value=LONGEST_MONTHS, default=LONGEST_MONTHS)


class EstimateOut(serializers.Serializer[Any]):
    """A Good Faith Estimate."""

    id = serializers.IntegerField()
    provider = serializers.CharField(source="provider.full_name")
    issued_on = serializers.DateField()
    first_on = serializers.DateField()
    last_on = serializers.DateField()
    frequency = serializers.ChoiceField(choices=GoodFaithEstimate.Frequency.choices)
    sessions = serializers.IntegerField()
    total = Money(help_text="Expected charges in all.")


class EstimateItem(serializers.Serializer[Any]):
    """One kind of service on it."""

    service = serializers.CharField()
    cpt = serializers.CharField()
    diagnoses = serializers.ListField(child=serializers.CharField())
    charge = Money(help_text="For each.")
    count = serializers.IntegerField()
    total = Money()


class EstimateStatement(serializers.Serializer[Any]):
    """What has to be said besides the figures, such as the right to dispute a bill."""

    title = serializers.CharField()
    text = serializers.CharField()


class EstimateStory(EstimateOut):
    """A Good Faith Estimate with all that it says."""

    items = EstimateItem(many=True, source="content.items")
    booked = serializers.ListField(child=serializers.DateField(), source="content.booked")
    statements = EstimateStatement(many=True, source="content.statements")


class ClientEstimates(ClientApi):
    """The client's Good Faith Estimates."""

    pagination_class = Pages
    said: ClassVar = {"provider": 7, "frequency": "weekly", "first_on": "2026-03-10", "months": 3}

    @extend_schema(
        operation_id="client_good_faith_estimates",
        tags=["Client"],
        summary="My Good Faith Estimates, the newest first",
        responses=EstimateOut(many=True),
    )
    def get(self, request: Request) -> Response:
        rows, pages = self.page(visible_estimates(request.user).order_by("-pk"))
        return pages.get_paginated_response(EstimateOut(rows, many=True).data)

    @extend_schema(
        operation_id="client_ask_good_faith_estimate",
        tags=["Client"],
        summary="Ask what sessions cost if I pay for them myself",
        description="Only while the account is paused (409 otherwise), for a provider who sees you. It is issued at "
        "once, books nothing and commits you to nothing; asked for again on the same day, it is the same one.",
        request=EstimateIn,
        responses={201: EstimateStory},
        examples=[OpenApiExample("Three months, every week", value=said, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = body(EstimateIn, request)
        wanted = given.pop("provider")
        provider = next((each for each in good_faith_estimate.own_providers(self.client) if each.pk == wanted), None)
        if provider is None:
            raise BadInput(_("You have no sessions with this provider."), "provider")
        issued = good_faith_estimate.issue(client=self.client, provider=provider, **given)
        return Response(EstimateStory(issued).data, 201)


class ClientEstimate(ClientApi):
    """One Good Faith Estimate."""

    @extend_schema(
        operation_id="client_good_faith_estimate",
        tags=["Client"],
        summary="One Good Faith Estimate, as it was issued",
        responses=EstimateStory,
    )
    def get(self, request: Request, estimate_id: int) -> Response:
        found = get_estimate(request.user, estimate_id, purpose="api: good faith estimate")
        return Response(EstimateStory(found).data)


class Pdf(BaseRenderer):
    """For whoever asks for a PDF alone; what is rendered is a refusal then, for the file itself is written as it is."""

    media_type = "application/pdf"
    format = "pdf"
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return json.dumps(data).encode()


class ClientEstimateFile(ClientApi):
    """The file of a Good Faith Estimate."""

    renderer_classes = (JSONRenderer, Pdf)

    @extend_schema(
        operation_id="client_good_faith_estimate_pdf",
        tags=["Client"],
        summary="The file of a Good Faith Estimate, as it was issued",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, estimate_id: int) -> HttpResponse:
        found = get_estimate(request.user, estimate_id, purpose="api: good faith estimate, file")
        name = f"good-faith-estimate-{found.issued_on.isoformat()}.pdf"
        return HttpResponse(
            bytes(found.pdf),
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
