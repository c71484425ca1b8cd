"""Everything that goes wrong in the API, told as ``application/problem+json`` (RFC 9457)."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from billing.gateways.results import GatewayError
from common.api import PROBLEM_JSON, kebab, problem
from common.errors import BadInput, DomainError

API = "/api/"


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """A refusal as a problem; ``None`` for a fault of ours, which becomes a 500 and is logged."""
    told = _told(error)
    if told is None:
        return None
    set_rollback()
    headers = {}
    if isinstance(error, exceptions.APIException):
        if (scheme := getattr(error, "auth_header", None)) is not None:
            headers["WWW-Authenticate"] = scheme
        if (wait := getattr(error, "wait", None)) is not None:
            headers["Retry-After"] = str(int(wait))
    return Response(told, told["status"], headers=headers, content_type=PROBLEM_JSON)


def _told(error: Exception) -> Any:
    match error:
        case BadInput():
            return _problem("bad-input", error.status, str(error), [{"where": error.where, "message": str(error)}])
        case DomainError():
            return _problem(kebab(error.code), error.status, str(error))
        case GatewayError():
            words = _("We cannot reach the card service right now. You will not be charged twice. Please try again.")
            return _problem("card-service-unavailable", 503, words)
        case Http404() | exceptions.NotFound():
            return _problem("not-found", 404, _("There is nothing here, or it is not yours to see."))
        case PermissionDenied():
            return _problem("permission-denied", 403, str(error) or _("You may not do this."))
        case exceptions.ValidationError():
            faults = [{"where": where, "message": message} for where, message in _faults(error.detail)]
            return _problem("bad-input", 422, _("Something in the request is not right."), faults)
        case exceptions.APIException():
            return _problem(kebab(type(error).__name__), error.status_code, str(error.detail))
    return None


def _faults(detail: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Each message with the path of its field: ``("procedures.0.cpt", "This field is required.")``."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _faults(inner, ".".join(part for part in (where, own) if part))
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _faults(inner, ".".join(filter(None, (where, str(number)))) if nested else where)
    else:
        yield where, str(detail)


def _problem(kind: str, code: int, detail: str, errors: list[dict[str, str]] | None = None) -> Any:
    title = kind.replace("-", " ").capitalize()
    return problem(kind, title, code, detail, errors)


def _plain(code: int, detail: str) -> HttpResponse:
    kind = HTTPStatus(code).phrase.lower().replace(" ", "-")
    return HttpResponse(json.dumps(_problem(kind, code, detail)), status=code, content_type=PROBLEM_JSON)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """An address that does not exist."""
    if request.path.startswith(API):
        return _plain(status.HTTP_404_NOT_FOUND, _("There is nothing here, or it is not yours to see."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """A fault of ours; it has been logged."""
    if request.path.startswith(API):
        return _plain(status.HTTP_500_INTERNAL_SERVER_ERROR, _("Something went wrong on our side. We have been told."))
    return defaults.server_error(request)


def second_factor_needed() -> HttpResponse:
    """An account that must set up a second factor before anything else."""
    return _plain(status.HTTP_403_FORBIDDEN, _("Please set up a second way to prove who you are, then try again."))


def too_large(words: str) -> HttpResponse:
    """A request that is larger than any we take."""
    return _plain(status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, words)
