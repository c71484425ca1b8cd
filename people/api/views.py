"""The account, and requests to support."""

from datetime import timedelta
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import Api, Pages, Strict, body
from people.api.base import ClientApi, idempotent, signed_in
from people.models import Role, SupportRequest
from people.services.support_requests import ask_support


class ClientFacts(serializers.Serializer[Any]):
    """A client as they know themselves."""

    id = serializers.IntegerField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    called = serializers.CharField(help_text="The name to greet by.")
    birth_date = serializers.DateField()
    email = serializers.EmailField()
    phone = serializers.CharField()
    paused_since = serializers.DateTimeField(
        allow_null=True, help_text="Null: the account is not paused. Else see `client/pauses`."
    )


class ProviderFacts(serializers.Serializer[Any]):
    """A provider as they know themselves."""

    id = serializers.IntegerField()
    name = serializers.CharField(source="__str__")
    full_name = serializers.CharField()
    npi = serializers.CharField()
    licence = serializers.CharField()
    state = serializers.CharField()


class Account(serializers.Serializer[Any]):
    """Who is signed in. `client` or `provider` is the person behind the account, by role."""

    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Role.choices)
    client = ClientFacts(allow_null=True)
    provider = ProviderFacts(allow_null=True)


class Me(Api):
    """The account that is signed in."""

    @extend_schema(
        operation_id="me",
        tags=["Everyone"],
        summary="Who am I?",
        responses=Account,
        examples=[
            OpenApiExample(
                "Ana",
                value={
                    "email": "ana@example.com",
                    "role": "client",
                    "client": {
                        "id": 7,
                        "first_name": "Ana",
                        "last_name": "Rivera",
                        "called": "Ana",
                        "birth_date": "1988-04-12",
                        "email": "ana@example.com",
                        "phone": "212-555-0100",
                        "paused_since": None,
                    },
                    "provider": None,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        user = signed_in(request)
        who = {
            "email": user.email,
            "role": user.role,
            "client": getattr(user, "client", None) if user.role == Role.CLIENT else None,
            "provider": getattr(user, "provider", None) if user.role == Role.PROVIDER else None,
        }
        return Response(Account(who).data)


class Question(Strict):
    """A question to support."""

    category = serializers.ChoiceField(choices=SupportRequest.Category.choices)
    body = serializers.CharField(
        max_length=4000, help_text="Leave out what sessions are about: it is not needed to help."
    )
    reference = serializers.CharField(
        max_length=40, required=False, default="", allow_blank=True, help_text="What it is about: `refund 12`."
    )


class AskedQuestion(serializers.Serializer[Any]):
    """A question to support and how it stands."""

    id = serializers.IntegerField()
    category = serializers.ChoiceField(choices=SupportRequest.Category.choices)
    reference = serializers.CharField()
    body = serializers.CharField()
    state = serializers.ChoiceField(choices=SupportRequest.State.choices)
    answer = serializers.CharField(help_text="Empty: not answered yet.")
    created_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


SAME_WITHIN = timedelta(minutes=10)
"""The same words sent again so soon are one question."""


class ClientSupportRequests(ClientApi):
    """What the client asked of support."""

    pagination_class = Pages
    example: ClassVar = {"category": "refund", "body": "Where is my refund of 9 May?", "reference": "refund 12"}

    @extend_schema(
        operation_id="client_support_requests",
        tags=["Client"],
        summary="My questions to support, the newest first",
        responses=AskedQuestion(many=True),
    )
    def get(self, request: Request) -> Response:
        asked = SupportRequest.objects.filter(author=signed_in(request)).order_by("-pk")
        rows, pages = self.page(asked)
        return pages.get_paginated_response(AskedQuestion(rows, many=True).data)

    @extend_schema(
        operation_id="client_ask_support",
        tags=["Client"],
        summary="Ask support",
        request=Question,
        responses={201: AskedQuestion},
        examples=[OpenApiExample("A refund", value=example, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given, user = body(Question, request), signed_in(request)
        lately = SupportRequest.objects.filter(author=user, created_at__gte=clock.now() - SAME_WITHIN, **given)
        row = lately.first() or ask_support(author=user, client=self.client, **given)
        return Response(AskedQuestion(row).data, 201)
