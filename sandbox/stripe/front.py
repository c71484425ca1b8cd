"""The HTTP front: keys, idempotency, faults, lists, the browser's files and the control API under ``/_sandbox``."""

import asyncio
import contextlib
import hashlib
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from sandbox.stripe.disputes import Disputes
from sandbox.stripe.engine import Engine, Json, Refusal
from sandbox.stripe.events import Events, shown
from sandbox.stripe.faults import Fault, Faults
from sandbox.stripe.http import CORS, check_key, limit_of, listing, params_of, reply
from sandbox.stripe.objects import check
from sandbox.stripe.store import Store

log = logging.getLogger("sandbox.stripe")

Handler = Callable[[Json, re.Match[str]], Awaitable[Json]]
Route = tuple[str, re.Pattern[str], Handler, bool]

_BROWSER = Path(__file__).parent / "browser"
_SEARCH = re.compile(
    r"""^\s*(?:customer\s*:\s*["'](?P<customer>[^"']+)["'])?(?:\s+AND\s+)?
    (?:metadata\[["'](?P<name>[^"']+)["']\]\s*:\s*["'](?P<value>[^"']*)["'])?\s*$""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Origin:
    """The request that a change comes from; ``emitted`` gathers the ids of the events it causes."""

    line: str = ""
    key: str | None = None
    fingerprint: str = ""
    emitted: list[str] = field(default_factory=list)


class Front:
    """One running stand-in."""

    def __init__(self, data: Path, *, webhook: str, webhook_secret: str, settle_seconds: float) -> None:
        self._store = Store(data)
        self._engine = Engine(data)
        self._faults = Faults()
        self._events = Events(self._store, self._faults, webhook, webhook_secret)
        self._objects = Disputes(self._engine, self._store, self._emit, settle_seconds)
        self._changing = asyncio.Lock()
        self._under_way: set[str] = set()
        self._origin = _Origin()
        self._routes = self._make_routes()
        o = self._objects
        self._orders: dict[tuple[str, str], Callable[[Json], Awaitable[Json]]] = {
            ("POST", "disputes"): o.open_dispute,
            ("PUT", "disputes"): o.end_dispute,
            ("POST", "warnings"): o.open_warning,
            ("POST", "payouts"): lambda b: o.pay_out(everything=bool(b.get("everything")), fails=bool(b.get("fails"))),
            ("PUT", "payouts"): lambda b: o.end_payout(str(b["payout"]), fails=bool(b.get("fails"))),
        }

    def app(self) -> web.Application:
        """The aiohttp application; it starts localstripe with itself and ends it."""
        app = web.Application()
        app.cleanup_ctx.append(self._running)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/js.stripe.com/v3/", self._file("stripe.js", "text/javascript"))
        app.router.add_get("/js.stripe.com/v3/card-frame", self._file("card-frame.html", "text/html"))
        app.router.add_get("/js.stripe.com/v3/card-frame.js", self._file("card-frame.js", "text/javascript"))
        app.router.add_get("/js.stripe.com/v3/challenge", self._file("challenge.html", "text/html"))
        app.router.add_get("/js.stripe.com/v3/challenge.js", self._file("challenge.js", "text/javascript"))
        app.router.add_get("/js.stripe.com/v3/frame.css", self._file("frame.css", "text/css"))
        app.router.add_route("*", "/_sandbox/{what}", self._control)
        app.router.add_route("*", "/v1/{path:.*}", self._api)
        return app

    async def _running(self, _: web.Application) -> AsyncIterator[None]:
        async with self._engine:
            await self._objects.adopt_movements()
            self._objects.plan_daily_payout()
            self._store.commit()
            worker = asyncio.create_task(self._events.run(self._chores))
            yield
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker
        self._store.close()

    def _emit(self, kind: str, about: Json) -> None:
        ident = self._events.add(kind, about, request=self._origin.line, key=self._origin.key)
        self._origin.emitted.append(ident)

    async def _chores(self) -> None:
        if not self._store.due_chores():
            return
        async with self._changing:
            self._origin = _Origin()
            for chore in self._store.due_chores():
                try:
                    await self._objects.chore(chore["kind"], chore["id"])
                except Refusal:
                    log.exception("%s %s", chore["kind"], chore["id"])
                self._store.end_chore(chore["number"])
            self._objects.plan_daily_payout()
            self._store.commit()

    # The API

    def _make_routes(self) -> list[Route]:
        """(method, path, handler, whether a publishable key will do)."""
        o = self._objects

        def route(method: str, path: str, handler: Handler, *, public: bool = False) -> Route:
            return method, re.compile(path.replace("{id}", r"(?P<id>\w+)") + "$"), handler, public

        def one(fetch: Callable[[str], Awaitable[Json]]) -> Handler:
            return lambda params, at: fetch(at["id"])

        def change(act: Callable[[str, Json], Awaitable[Json]]) -> Handler:
            return lambda params, at: act(at["id"], params)

        def make(act: Callable[[Json], Awaitable[Json]]) -> Handler:
            return lambda params, at: act(params)

        return [
            route("POST", "customers", make(o.create_customer)),
            route("GET", "customers/{id}", one(o.customer)),
            route("POST", "customers/{id}", change(o.update_customer)),
            route("POST", "payment_methods", make(o.create_payment_method), public=True),
            route("GET", "payment_methods", self._list_methods),
            route("GET", "customers/{id}/payment_methods", self._list_methods),
            route("GET", "payment_methods/{id}", one(o.payment_method)),
            route("POST", "payment_methods/{id}/attach", change(o.attach)),
            route("POST", "payment_methods/{id}/detach", change(o.detach)),
            route("POST", "setup_intents", make(o.create_setup_intent)),
            route("GET", "setup_intents/{id}", self._with_secret(o.setup_intent), public=True),
            route("POST", "setup_intents/{id}/confirm", change(o.confirm_setup_intent), public=True),
            route("POST", "setup_intents/{id}/_authenticate", change(o.authenticate_setup_intent), public=True),
            route("POST", "setup_intents/{id}/cancel", change(o.cancel_setup_intent)),
            route("POST", "payment_intents", make(o.create_payment_intent)),
            route("GET", "payment_intents", self._list_payments),
            route("GET", "payment_intents/search", self._search_payments),
            route("GET", "payment_intents/{id}", self._with_secret(o.payment_intent), public=True),
            route("POST", "payment_intents/{id}/confirm", change(o.confirm_payment_intent), public=True),
            route("POST", "payment_intents/{id}/_authenticate", change(o.authenticate_payment_intent), public=True),
            route("POST", "payment_intents/{id}/cancel", change(o.cancel_payment_intent)),
            route("GET", "charges/{id}", one(o.charge)),
            route("POST", "refunds", make(o.create_refund)),
            route("GET", "refunds", self._list_refunds),
            route("GET", "refunds/{id}", one(o.refund)),
            route("GET", "balance_transactions", self._list_balance),
            route("GET", "balance_transactions/{id}", one(o.balance_transaction)),
            route("GET", "balance", make(o.balance)),
            route("GET", "payouts", self._list_of("payouts", "payout", o.payout)),
            route("GET", "payouts/{id}", one(o.payout)),
            route("GET", "disputes", self._list_of("disputes", "dispute", o.dispute)),
            route("GET", "disputes/{id}", one(o.dispute)),
            route("POST", "disputes/{id}", change(o.update_dispute)),
            route("POST", "disputes/{id}/close", change(o.close_dispute)),
            route("POST", "files", make(o.create_file)),
            route(
                "GET",
                "radar/early_fraud_warnings",
                self._list_of("radar/early_fraud_warnings", "early_fraud_warning", o.warning),
            ),
            route("GET", "radar/early_fraud_warnings/{id}", one(o.warning)),
            route("GET", "events", self._list_events),
            route("GET", "events/{id}", self._one_event),
        ]

    async def _api(self, request: web.Request) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=CORS)
        line = f"{request.method} {request.path}"
        fault = self._faults.take_request(line)
        if fault and fault.kind in ("timeout_before", "500", "429"):
            return await self._fail(request, fault)
        emitted: list[str] = []
        try:
            status, body, replayed = await self._answered(request, line, emitted)
        except Refusal as refusal:
            status, body, replayed = refusal.status, json.dumps(refusal.body), False
        except Exception:
            log.exception("%s", line)
            error = Refusal(500, "The stand-in failed; its log says why.", type="api_error")
            status, body, replayed = error.status, json.dumps(error.body), False
        if fault and fault.kind == "webhook_first":
            await self._events.deliver_now(emitted)
        elif fault:
            return await self._fail(request, fault)
        headers = {**CORS, **({"Idempotent-Replayed": "true"} if replayed else {})}
        return web.Response(status=status, text=body, content_type="application/json", headers=headers)

    async def _fail(self, request: web.Request, fault: Fault) -> web.Response:
        await asyncio.sleep(fault.delay)
        if fault.kind.startswith("timeout"):
            # The caller sees its connection end without an answer.
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if fault.kind == "429":
            return reply(429, Refusal(429, "Too many requests hit the API too quickly.", code="rate_limit").body)
        error = Refusal(500, "An unexpected error occurred in our systems.", type="api_error")
        return reply(500, error.body)

    async def _answered(self, request: web.Request, line: str, emitted: list[str]) -> tuple[int, str, bool]:
        """Status, body and whether they are an earlier answer to the same key. Raises :class:`Refusal`."""
        handler, at, public = self._route(request)
        params = await params_of(request)
        check_key(request, params, public=public)
        if not request.path.startswith("/v1/balance_transactions"):
            params.pop("expand", None)  # elsewhere the parts that are asked for are shown as ids
        if request.method == "GET":
            return 200, json.dumps(await handler(params, at), indent=2), False
        key = request.headers.get("Idempotency-Key")
        fingerprint = hashlib.sha256(json.dumps([line, params], sort_keys=True).encode()).hexdigest()
        if key is None:
            return *await self._changed(lambda: handler(params, at), _Origin(line, None, "", emitted)), False
        if key in self._under_way:
            message = "There is currently another in-progress request using this Idempotent Key."
            raise Refusal(409, message, code="idempotency_key_in_use")
        earlier = self._store.answer(key)
        if earlier is not None:
            if earlier["fingerprint"] != fingerprint:
                message = "Keys for idempotent requests can only be used with the same parameters as at first."
                raise Refusal(400, message, type="idempotency_error")
            return earlier["status"], earlier["body"], True
        self._under_way.add(key)
        try:
            return *await self._changed(lambda: handler(params, at), _Origin(line, key, fingerprint, emitted)), False
        finally:
            self._under_way.discard(key)

    def _route(self, request: web.Request) -> tuple[Handler, re.Match[str], bool]:
        path = request.match_info["path"].rstrip("/")
        for method, pattern, handler, public in self._routes:
            at = pattern.match(path)
            if method == request.method and at:
                return handler, at, public
        raise Refusal(404, f"Unrecognized request URL ({request.method}: {request.path}).")

    async def _changed(self, act: Callable[[], Awaitable[Json]], origin: _Origin) -> tuple[int, str]:
        """Do one change, alone; its facts, events and answer are committed together."""
        async with self._changing:
            self._origin = origin
            try:
                status, answer = 200, await act()
            except Refusal as refusal:
                status, answer = refusal.status, refusal.body
            body = json.dumps(answer, indent=2)
            # As at Stripe, a request that failed validation has not begun: its key stays free.
            if origin.key is not None and status in (200, 402):
                self._store.add_answer(origin.key, origin.fingerprint, status, body)
            self._store.commit()
        log.info("%s %s", status, origin.line)
        return status, body

    def _with_secret(self, fetch: Callable[[str], Awaitable[Json]]) -> Handler:
        async def handler(params: Json, at: re.Match[str]) -> Json:
            found = await fetch(at["id"])
            if params.get("client_secret") not in (None, found["client_secret"]):
                raise Refusal(400, "The client_secret provided does not match.", param="client_secret")
            return found

        return handler

    # Lists

    async def _page(
        self, url: str, kind: str, parent: str | None, params: Json, fetch: Callable[[str], Awaitable[Json]]
    ) -> Json:
        limit = limit_of(params)
        created = params.get("created") or {}
        idents = self._store.listed(
            kind, customer=parent, created=created, after=params.get("starting_after"), limit=limit + 1
        )
        return listing(url, [await fetch(ident) for ident in idents[:limit]], more=len(idents) > limit)

    async def _list_payments(self, params: Json, _: re.Match[str]) -> Json:
        return await self._page(
            "/v1/payment_intents", "payment_intent", params.get("customer"), params, self._objects.payment_intent
        )

    async def _list_methods(self, params: Json, at: re.Match[str]) -> Json:
        customer = params.get("customer") or at.groupdict().get("id")
        if not customer:
            raise Refusal(400, "Missing required param: customer.", code="parameter_missing", param="customer")
        await self._objects.customer(customer)
        page = await self._page("/v1/payment_methods", "payment_method", customer, params, self._objects.payment_method)
        return {**page, "data": [method for method in page["data"] if method["customer"] == customer]}

    async def _list_refunds(self, params: Json, _: re.Match[str]) -> Json:
        return await self._page("/v1/refunds", "refund", params.get("payment_intent"), params, self._objects.refund)

    async def _search_payments(self, params: Json, _: re.Match[str]) -> Json:
        asked = _SEARCH.match(str(params.get("query", "")))
        if asked is None or not any(asked.groupdict().values()):
            raise Refusal(400, "We can only search by customer and metadata here.", param="query")
        idents = self._store.listed(
            "payment_intent", customer=asked["customer"], created={}, after=None, limit=1_000_000
        )
        found = [await self._objects.payment_intent(ident) for ident in idents]
        if asked["name"]:
            found = [one for one in found if one["metadata"].get(asked["name"]) == asked["value"]]
        limit = limit_of(params)
        page = listing("/v1/payment_intents/search", found[:limit], more=len(found) > limit)
        return {**page, "object": "search_result", "next_page": None}

    def _list_of(self, name: str, kind: str, show: Callable[[str], Awaitable[Json]]) -> Handler:
        async def handler(params: Json, _: re.Match[str]) -> Json:
            check(params, {"limit", "starting_after", "created", "payment_intent"})
            return await self._page(f"/v1/{name}", kind, params.get("payment_intent"), params, show)

        return handler

    async def _list_balance(self, params: Json, _: re.Match[str]) -> Json:
        check(params, {"limit", "starting_after", "created", "payout", "expand"})
        show = self._objects.balance_transaction
        if "data.source" in (params.get("expand") or []):
            show = self._objects.with_source
        if not params.get("payout"):
            return await self._page("/v1/balance_transactions", "balance_transaction", None, params, show)
        idents = self._objects.movements_of(params["payout"])
        if params.get("starting_after"):
            idents = idents[idents.index(params["starting_after"]) + 1 :]
        limit = limit_of(params)
        data = [await show(ident) for ident in idents[:limit]]
        return listing("/v1/balance_transactions", data, more=len(idents) > limit)

    async def _list_events(self, params: Json, _: re.Match[str]) -> Json:
        limit = limit_of(params)
        rows = self._store.events(kind=params.get("type"), after=params.get("starting_after"), limit=limit + 1)
        return listing("/v1/events", [shown(row) for row in rows[:limit]], more=len(rows) > limit)

    async def _one_event(self, _: Json, at: re.Match[str]) -> Json:
        row = self._store.event(at["id"])
        if row is None:
            raise Refusal(404, f"No such event: '{at['id']}'", code="resource_missing", param="id")
        return shown(row)

    # The rest

    async def _control(self, request: web.Request) -> web.Response:
        """What real banks and Stripe do by themselves, on order.

        ``faults`` (GET, POST, DELETE), ``webhook`` (PUT ``{"url", "secret"}``), ``disputes`` (POST opens one, PUT ends
        it), ``warnings`` (POST), ``payouts`` (POST ``{"everything", "fails"}``, PUT ``{"payout", "fails"}``).
        """
        what = (request.method, request.match_info["what"])
        try:
            body = await request.json() if request.can_read_body else {}
            if what == ("POST", "faults"):
                for order in body if isinstance(body, list) else [body]:
                    self._faults.add(order)
            elif what == ("DELETE", "faults"):
                self._faults.clear()
            elif what == ("PUT", "webhook"):
                self._events.url, self._events.secret = str(body["url"]), str(body["secret"])
                self._store.wake_events()
                self._events.wake()
            elif (act := self._orders.get(what)) is not None:
                status, text = await self._changed(lambda: act(body), _Origin())
                return reply(status, json.loads(text))
            elif what != ("GET", "faults"):
                raise Refusal(404, "Unrecognized request URL.")
        except Refusal as refusal:
            return reply(refusal.status, refusal.body)
        except (ValueError, KeyError, TypeError, AttributeError):
            return reply(400, Refusal(400, "The body cannot be read.").body)
        return reply(200, {"faults": self._faults.listed(), "webhook": self._events.url})

    async def _health(self, _: web.Request) -> web.Response:
        return reply(200, {"status": "ok"})

    @staticmethod
    def _file(name: str, content_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(_: web.Request) -> web.Response:
            text = (_BROWSER / name).read_text(encoding="utf-8")
            return web.Response(
                text=text, content_type=content_type, charset="utf-8", headers={**CORS, "Cache-Control": "no-cache"}
            )

        return handler
