"""Addresses by role: everyone else gets the 404 of an address that does not exist."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from common.api import PROBLEM_JSON, Api
from people.access import is_support, own_client, own_provider
from people.models import Client, Provider, User
from people.services import idempotency

View = TypeVar("View", bound=Callable[..., Response])


class ClientApi(Api):
    """For the client behind the account."""

    client: Client

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.client = own_client(request.user)


class ProviderApi(Api):
    """For the provider behind the account."""

    provider: Provider

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.provider = own_provider(request.user)


class SupportApi(Api):
    """For our own support staff."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not is_support(request.user):
            raise Http404


def signed_in(request: Request) -> User:
    """The account of a request that passed authentication."""
    assert isinstance(request.user, User)
    return request.user


def idempotent(view: View) -> View:
    """Honour ``Idempotency-Key``: the same request again gets the first one's answer and has no second effect.

    An answer is kept when the view returns one, whatever its status. A refusal that is raised had no effect, so its
    key is free again.
    """

    @wraps(view)
    def once(self: Api, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(self, request, *args, **kwargs)
        claimed = idempotency.claim(
            user=signed_in(request),
            key=key,
            fingerprint=idempotency.fingerprint(request.method or "", request.get_full_path(), request.data),
        )
        if isinstance(claimed, idempotency.Answer):
            again = Response(claimed.body, claimed.status, headers={"Idempotency-Replayed": "true"})
            again.content_type = PROBLEM_JSON if claimed.status >= 400 else None
            return again
        try:
            answer = view(self, request, *args, **kwargs)
        except BaseException:
            idempotency.release(claimed)
            raise
        idempotency.keep(claimed, status=answer.status_code, body=JSONRenderer().render(answer.data).decode() or "null")
        return answer

    documented = extend_schema(
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "minLength": 1, "maxLength": idempotency.MAX_KEY, "pattern": "^[ -~]+$"},
                OpenApiParameter.HEADER,
                description="A name of your choice for this request, such as a UUID. Sent again within a day with the "
                "same content, it has no second effect and gets the first answer.",
            )
        ]
    )
    return cast(View, documented(once))
