"""Who calls the API: the person signed in to this site in the same browser."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class BrowserSession(SessionAuthentication):
    """The site's session cookie. Writes need the CSRF token too, in the ``X-CSRFToken`` header.

    A request without a session is answered 401, not 403: it may succeed after signing in.
    """

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class BrowserSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the documentation describes it."""

    target_class = "people.api.authentication.BrowserSession"
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The cookie of a signed-in browser. Writes send the CSRF token too, as `X-CSRFToken`.",
        }
