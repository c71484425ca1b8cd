"""Middleware of the project as a whole."""

from collections.abc import Callable

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse


class AdminPolicy:
    """Loosens the content security policy for support's admin, whose widgets compile expressions and set styles.

    Everything else keeps the strict policy. The admin shows what clients typed only through escaped templates, and
    still loads scripts from this site alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        self._prefix = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if request.path.startswith(self._prefix):
            # django-csp's middleware, outside this one, reads it.
            response._csp_update = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}  # type: ignore[attr-defined]
        return response
