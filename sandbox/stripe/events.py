"""Events: written with the change they tell of, delivered signed, again and again until the receiver says 2xx."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable

import aiohttp

from sandbox.stripe.engine import Json
from sandbox.stripe.faults import Faults
from sandbox.stripe.store import Store

log = logging.getLogger("sandbox.stripe")

API_VERSION = "2026-10-28.endive"
FIRST_DELAY_SECONDS = 0.1
RETRY_SECONDS = (1, 3, 10, 30, 60, 300, 900, 3600)
TIMEOUT_SECONDS = 10
AT_ONCE = 8


def signature(payload: bytes, secret: str, at: int) -> str:
    """The ``Stripe-Signature`` header: HMAC-SHA256 of ``{t}.{payload}`` (docs.stripe.com/webhooks/signature)."""
    digest = hmac.new(secret.encode(), b"%d." % at + payload, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class Events:
    """The event list and its deliveries to one receiver. ``url`` empty: events are kept, none is sent."""

    def __init__(self, store: Store, faults: Faults, url: str, secret: str) -> None:
        self._store = store
        self._faults = faults
        self.url = url
        self.secret = secret
        self._wake = asyncio.Event()

    def add(self, kind: str, about: Json, *, request: str, key: str | None) -> str:
        """Write an event and set it on its way; returns its id."""
        ident = f"evt_{secrets.token_hex(12)}"
        body: Json = {
            "id": ident,
            "object": "event",
            "api_version": API_VERSION,
            "created": int(time.time()),
            "data": {"object": about},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": key},
            "type": kind,
        }
        self._store.add_event(ident, kind, body, request, time.time() + FIRST_DELAY_SECONDS)
        self._wake.set()
        return ident

    def wake(self) -> None:
        self._wake.set()

    async def deliver_now(self, idents: list[str]) -> None:
        """Deliver these before anything else happens."""
        for ident in idents:
            row = self._store.event(ident)
            if row is not None and row["due"] is not None:
                await self._deliver(row)

    async def run(self, chores: Callable[[], Awaitable[None]]) -> None:
        """Deliver what is due and do the due ``chores``, for ever."""
        while True:
            self._wake.clear()
            await chores()
            due = self._store.due_events(AT_ONCE) if self.url else []
            await asyncio.gather(*(self._deliver(row) for row in due))
            if not due:
                await self._rest()

    async def _rest(self) -> None:
        next_due = self._store.next_due(deliveries=bool(self.url))
        wait = None if next_due is None else max(next_due - time.time(), 0.02)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), wait)

    async def _deliver(self, row: sqlite3.Row) -> None:
        about = json.loads(row["body"])["data"]["object"].get("customer") or ""
        fault = self._faults.take_webhook(row["request"], row["type"], str(about))
        if fault == "drop_webhook":
            self._store.note_delivery(row["id"], "dropped", None)
            return
        outcome = ""
        for _ in range(3 if fault == "triple_webhook" else 1):
            outcome = await self._send(row["body"].encode())
        if outcome.startswith("2"):
            self._store.note_delivery(row["id"], outcome, None)
            return
        tried = row["attempts"]
        due = time.time() + RETRY_SECONDS[tried] if tried < len(RETRY_SECONDS) else None
        log.warning("webhook %s %s: %s%s", row["type"], row["id"], outcome, "" if due else "; given up")
        self._store.note_delivery(row["id"], outcome, due)

    async def _send(self, payload: bytes) -> str:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(payload, self.secret, int(time.time())),
        }
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.post(self.url, data=payload, headers=headers, allow_redirects=False) as answer,
            ):
                return str(answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return type(error).__name__


def shown(row: sqlite3.Row) -> Json:
    """An event as the API shows it."""
    body: Json = json.loads(row["body"])
    return {**body, "pending_webhooks": 0 if row["due"] is None else 1}
