"""SMTP in, HTTP out, one process."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP

from sandbox.mailbox import pages
from sandbox.mailbox.store import Mail, Store

MAX_MESSAGE_BYTES = 25 * 1024 * 1024
_HERE = Path(__file__).parent
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'"
)
_MAIL_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


class _Handler:
    """aiosmtpd's hooks: every message is taken."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        ident = self._store.add(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content or b"")
        return f"250 Kept as {ident}"


class Mailbox:
    """The sink: ``app()`` is its HTTP side, which starts and ends its SMTP side."""

    def __init__(self, data: Path, *, host: str, smtp_port: int) -> None:
        self._store = Store(data)
        self._host, self._smtp_port = host, smtp_port

    def app(self) -> web.Application:
        app = web.Application()
        app.cleanup_ctx.append(self._smtp)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/", self._inbox)
        app.router.add_get("/messages/{id:\\d+}", self._one(self._message))
        app.router.add_get("/messages/{id:\\d+}/html", self._one(self._html))
        app.router.add_get("/messages/{id:\\d+}/raw", self._one(self._raw))
        app.router.add_get("/api/messages", self._list)
        app.router.add_get("/api/messages/{id:\\d+}", self._one(self._json))
        app.router.add_delete("/api/messages", self._clear)
        app.router.add_get("/style.css", self._file("style.css", "text/css"))
        app.router.add_get("/refresh.js", self._file("refresh.js", "text/javascript"))
        return app

    async def _smtp(self, _: web.Application) -> AsyncIterator[None]:
        def session() -> SMTP:
            return SMTP(_Handler(self._store), enable_SMTPUTF8=True, data_size_limit=MAX_MESSAGE_BYTES)

        server = await asyncio.get_running_loop().create_server(session, self._host, self._smtp_port)
        yield
        server.close()
        self._store.close()

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _inbox(self, request: web.Request) -> web.Response:
        to = request.query.get("to", "")
        return _html(pages.inbox(self._store.newest(to=to), to))

    def _one(self, show: Callable[[Mail], web.Response]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(request: web.Request) -> web.Response:
            mail = self._store.get(int(request.match_info["id"]))
            return show(mail) if mail else _html(pages.missing(), status=404)

        return handler

    @staticmethod
    def _message(mail: Mail) -> web.Response:
        return _html(pages.message(mail))

    @staticmethod
    def _html(mail: Mail) -> web.Response:
        # Links lead out of the frame, as they lead out of a mail program.
        text, base = mail.part("html"), '<base target="_top">'
        text = _HEAD.sub(lambda found: found[0] + base, text, count=1) if _HEAD.search(text) else base + text
        return _html(text, policy=_MAIL_POLICY)

    @staticmethod
    def _raw(mail: Mail) -> web.Response:
        name = f'attachment; filename="message-{mail.id}.eml"'
        return web.Response(body=mail.raw, content_type="message/rfc822", headers={"Content-Disposition": name})

    @staticmethod
    def _json(mail: Mail) -> web.Response:
        return web.json_response(_as_json(mail))

    async def _list(self, request: web.Request) -> web.Response:
        """``GET /api/messages?to=…``: a JSON list, the newest first."""
        return web.json_response([_as_json(mail) for mail in self._store.newest(to=request.query.get("to", ""))])

    async def _clear(self, _: web.Request) -> web.Response:
        return web.json_response({"removed": self._store.clear()})

    @staticmethod
    def _file(name: str, content_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(_: web.Request) -> web.Response:
            return web.Response(text=(_HERE / name).read_text(encoding="utf-8"), content_type=content_type)

        return handler


def _html(text: str, *, status: int = 200, policy: str = _PAGE_POLICY) -> web.Response:
    headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    return web.Response(text=text, content_type="text/html", charset="utf-8", status=status, headers=headers)


def _as_json(mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.id,
        "received": mail.received,
        "from": mail.sender,
        "to": list(mail.recipients),
        "subject": mail.subject,
        "text": mail.part("plain"),
        "html": mail.part("html"),
        "headers": {name: str(value) for name, value in mail.parsed.items()},
        "attachments": [{"name": name, "content_type": kind} for name, kind in mail.attachments],
    }
