"""What a request says, and how an answer looks: keys, parameters, files, pages of lists."""

import base64
import contextlib
import hashlib
import re
from typing import Any

from aiohttp import web

from sandbox.stripe import wire
from sandbox.stripe.engine import Json, Refusal

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Content-Type, Accept, Authorization",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Max-Age": "600",
}
MAX_PAGE = 100


def reply(status: int, body: Json) -> web.Response:
    """An answer of the API."""
    return web.json_response(body, status=status, headers=CORS)


def listing(url: str, data: list[Json], *, more: bool) -> Json:
    """A page of a list."""
    return {"object": "list", "url": url, "has_more": more, "data": data}


def limit_of(params: Json) -> int:
    """How many objects a page is to have."""
    try:
        limit = int(params.get("limit", 10))
    except (TypeError, ValueError):
        limit = 0
    if not 1 <= limit <= MAX_PAGE:
        raise Refusal(400, f"limit is between 1 and {MAX_PAGE}", param="limit")
    return limit


async def params_of(request: web.Request) -> Json:
    """The parameters as a nested dict; of a file, what there is to know of it."""
    pairs: list[tuple[str, Any]] = list(request.query.items())
    if request.method == "POST":
        pairs += [(name, _file(value)) for name, value in (await request.post()).items()]
    try:
        return wire.nested(pairs)
    except ValueError as error:
        raise Refusal(400, f"Invalid parameter name: {error}", code="parameter_unknown") from None


def _file(value: Any) -> Any:
    if not isinstance(value, web.FileField):
        return value
    content = value.file.read()
    kind = "pdf" if content.startswith(b"%PDF-") else "unknown"
    digest = hashlib.sha256(content).hexdigest()
    return {"filename": value.filename, "size": len(content), "type": kind, "sha256": digest}


def check_key(request: web.Request, params: Json, *, public: bool) -> None:
    """A secret key, or for what a browser may do a publishable key with the object's client secret."""
    key = params.pop("key", "") or ""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bearer":
        key = value
    elif scheme == "Basic":
        with contextlib.suppress(ValueError):
            key = base64.b64decode(value).decode().partition(":")[0]
    if re.fullmatch(r"[sr]k_\w+", key):
        return
    if not re.fullmatch(r"pk_\w+", key):
        raise Refusal(401, "You did not provide an API key.")
    if not public:
        raise Refusal(401, "This API call cannot be made with a publishable API key. Please use a secret API key.")
    if "intents/" in request.path and not params.get("client_secret"):
        raise Refusal(401, "This API call needs the object's client secret.", param="client_secret")
