"""Middleware of the project as a whole."""

import re
from collections.abc import Callable
from http import HTTPStatus

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django_structlog.middlewares import RequestMiddleware

from headway import problems
from people.models import Role, User


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


class SmallRequests:
    """Refuses a request whose content is larger than anything we ask for (413), before any of it is read.

    Django bounds only the forms it holds in memory: uploads would fill the disk, JSON the memory. No page takes files.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Without a length there is no content: WSGI servers hand on none.
        length = str(request.META.get("CONTENT_LENGTH") or "0")
        if not length.isdigit() or len(length) > 18 or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            words = _("This is too much at once. Please send less.")
            if request.path.startswith(problems.API):
                return problems.too_large(words)
            return HttpResponse(words, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, content_type="text/plain")
        return self._get_response(request)


class NoStore:
    """No cache keeps an answer, the browser's own included: the next person at the computer presses Back.

    Views that say how they may be kept have said it; files are served before this.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class RequestLines(RequestMiddleware):
    """A line of the log for each request, without what was typed: searches are names, links of e-mails are keys."""

    _KEY = re.compile(r"^(/accounts/(?:confirm-email|password/reset/key)/)[^/]+")

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """``GET /provider/``: no query, and no key that opens an account."""
        path = RequestLines._KEY.sub(r"\1…", request.path)
        return f"{request.method} {path}"


class SecondFactor:
    """Sends staff and providers without a second factor to set one up before anything else.

    On with ``SECOND_FACTOR_REQUIRED``. Recovery codes alone are none. What is left open is signing in and out, the
    account's own pages, where it is set up, and files.
    """

    ROLES = (Role.PROVIDER, Role.SUPPORT, Role.AUDITOR)

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.SECOND_FACTOR_REQUIRED:
            raise MiddlewareNotUsed
        self._get_response = get_response
        self._open = ("/accounts/", "/healthz", "/theme/", settings.STATIC_URL)
        self._setup = reverse("mfa_index")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if self._missing(request):
            if request.path.startswith(problems.API):
                return problems.second_factor_needed()
            if not request.path.startswith(self._open):
                return redirect(self._setup)
        return self._get_response(request)

    def _missing(self, request: HttpRequest) -> bool:
        user = request.user
        if not isinstance(user, User) or not (user.is_staff or user.role in self.ROLES):
            return False
        return not is_mfa_enabled(user, types=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
