"""How the API writes and reads plain values: money, ids, pages of rows. No model, no view of its own."""

import json
import re
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as RefusedValue
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle
from rest_framework.views import APIView

from common.errors import BadInput
from common.money import parse_money, plain

PROBLEM_JSON = "application/problem+json"
"""RFC 9457."""

LARGEST_ID = 2**63 - 1


@extend_schema_field(
    {
        "type": "string",
        "pattern": r"^(0|[1-9][0-9]{0,11})\.[0-9]{2}$",
        "description": "Dollars. Null: not known, which is not zero.",
        "examples": ["42.10"],
    }
)
class Money(serializers.Field[Decimal, Any, str, Any]):
    """Dollars as a decimal string, ``"42.10"``; ``null`` is an amount that is not known."""

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            return parse_money(data)
        except BadInput as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: Decimal | str) -> str:
        """An amount; a string is one that was written as JSON before and stays as it is."""
        return value if isinstance(value, str) else plain(value) or ""


@extend_schema_field(
    {
        "type": "string",
        "pattern": r"^-?(0|[1-9][0-9]{0,11})\.[0-9]{2}$",
        "description": "Dollars; below zero where money goes back. Null: not known, which is not zero.",
        "examples": ["-42.10"],
    }
)
class SignedMoney(Money):
    """Dollars that may be below zero: an insurer's reversal. Read only."""


class Json(JSONParser):
    """JSON whose strings are text and whose depth can be read; anything else is the sender's fault, not ours."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            found = super().parse(stream, media_type, parser_context)
            json.dumps(found, ensure_ascii=False).encode()
        except (RecursionError, UnicodeEncodeError) as error:
            # Half of a surrogate pair is a JSON escape but no character: it can be neither stored nor told back.
            raise ParseError(_("This is no JSON that can be read.")) from error
        return found


class Id(serializers.IntegerField):
    """The id of a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


class Strict(serializers.Serializer[Any]):
    """What a request may hold: a field nobody knows is refused by name, not passed over."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(map(str, data)) - set(self.fields))):
            raise serializers.ValidationError({name: [_("There is no such field.")] for name in unknown})
        return super().to_internal_value(data)


class ProblemError(serializers.Serializer[Any]):
    """One thing that is wrong with a request."""

    where = serializers.CharField(help_text="The field, as a path such as `procedures.0.cpt`; empty: the whole.")
    message = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """Why a request was refused (RFC 9457). Nothing has been written, unless the text says otherwise."""

    type = serializers.CharField(help_text="A stable name of the kind of problem.")
    title = serializers.CharField(help_text="The kind of problem in words.")
    status = serializers.IntegerField(help_text="The HTTP status again.")
    detail = serializers.CharField(help_text="A sentence for the person in front of the screen.")
    errors = ProblemError(  # type: ignore[assignment]  # a field, whose name the serializer's own property has too
        many=True, help_text="What is wrong where, for a request that could not be read."
    )


def problem(kind: str, title: str, status: int, detail: str, errors: list[dict[str, str]] | None = None) -> Any:
    """The body of a refusal. ``kind`` is kebab-case: ``client-paused``."""
    return {
        "type": f"urn:headway:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "errors": errors or [],
    }


def kebab(name: str) -> str:
    """``"ClientPaused"`` → ``"client-paused"``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


class Pages(CursorPagination):
    """Pages of a list, each naming the next by an opaque cursor, so that new rows never shift a page."""

    page_size = 25
    max_page_size = 100
    ordering = ("-pk",)

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        """The list's own order; its last column tells equal rows apart."""
        ordering: tuple[str, ...] = queryset.query.order_by or self.ordering
        return ordering

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get("limit")
        if asked is None:
            return self.page_size
        if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked[:9]) <= self.max_page_size:
            message = _("A page has 1 to %(most)s rows.") % {"most": self.max_page_size}
            raise serializers.ValidationError({"limit": [message]})
        return int(asked)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where a page begins: from `next` or `previous` of another page.",
                "schema": {"type": "string"},
            },
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": "Rows of a page.",
                "schema": limit,
            },
        ]

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (RefusedValue, ValueError, OverflowError) as error:
            # A cursor that was not ours: it decodes, but its position is no value of the column.
            raise NotFound(_("There is no such page.")) from error


class WriteThrottle(UserRateThrottle):
    """Fewer writes than reads: most of them make us ask Stripe or an insurer."""

    scope = "write"

    def allow_request(self, request: Request, view: APIView) -> bool:
        return request.method in SAFE_METHODS or super().allow_request(request, view)


class Api(APIView):
    """One address. What it answers is health data, so no cache keeps it."""

    pagination_class: type[Pages] | None = None
    parser_classes = (Json,)
    throttle_classes = (AnonRateThrottle, UserRateThrottle, WriteThrottle)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def page(self, rows: "QuerySet[Any]") -> tuple[list[Any], Pages]:
        """The page that the request asks for. ``rows`` is ordered, by columns that end in a unique one."""
        pages = (self.pagination_class or Pages)()
        return list(pages.paginate_queryset(rows, self.request, self) or []), pages


def query(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The address's own parameters as ``shape`` reads them; parameters it does not know are passed over."""
    given = shape(data={name: request.query_params[name] for name in request.query_params})
    given.is_valid(raise_exception=True)
    found: dict[str, Any] = given.validated_data
    return found


def body(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The request's content as ``shape`` reads it. Raises what is answered as a problem that names each fault."""
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    found: dict[str, Any] = given.validated_data
    return found
