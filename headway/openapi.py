"""How each address of the API is described (OpenAPI 3.1)."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema

from common.api import PROBLEM_JSON, Problem

_ALWAYS = {
    "401": "Nobody is signed in.",
    "403": "The CSRF token is missing or wrong, or a second factor has to be set up first.",
    "404": "There is nothing here, or it is not yours to see.",
    "429": "Too many requests; `Retry-After` says when to come back.",
}
_READING = {"422": "A parameter is not right; `errors` says which and why."}
_WRITING = {
    "400": "The content is not JSON.",
    "409": "A rule of the business refuses this; `detail` is a sentence to show. Nothing was done.",
    "415": "The content must be `application/json`.",
    "422": "Something in the content is not right; `errors` says what and where. Nothing was done.",
    "503": "Stripe or an insurer cannot be reached. Nothing was charged, or it is being found out.",
}


class Described(AutoSchema):
    """Adds to each operation the problems it may answer with."""

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        more = _READING | {"409": _WRITING["409"]} if self.method == "GET" else _WRITING
        for code, words in sorted({**_ALWAYS, **more}.items()):
            if code not in bodies:
                told = self._get_response_for_code(Problem, code, [PROBLEM_JSON], direction)  # type: ignore[no-untyped-call]
                bodies[code] = told
                bodies[code]["description"] = words
        return bodies
