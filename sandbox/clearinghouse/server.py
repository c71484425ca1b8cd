"""The HTTP side: CORE's two addresses and the control API over one office."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import UTC

from aiohttp import web

from sandbox.clearinghouse import control, desk, envelope
from sandbox.clearinghouse.control import OFFICE
from sandbox.clearinghouse.envelope import EnvelopeFault, Message
from sandbox.clearinghouse.faults import FAULTS, Faults, at_the_edge
from sandbox.clearinghouse.office import Office

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 128 * 1024 * 1024
RETRIEVALS = {
    "X12_999_RetrievalRequest_005010X231A1": ("999", "X12_999_Response_005010X231A1", "NoBatchAckFile"),
    "X12_277CA_Request_005010X214": ("277CA", "X12_277CA_Response_005010X214", "NoBatchResultsFile"),
    "X12_835_Request_005010X221A1": ("835", "X12_835_Response_005010X221A1", "NoBatchResultsFile"),
}
"""PayloadType asked for: the kind of file, the PayloadType it is given under, how none is said."""
INQUIRY = "X12_270_Request_005010X279A1"
CLAIMS = "X12_837_Request_005010X222A1"
RECEIPT = "X12_BatchReceiptConfirmation"
RECEIPT_CONFIRMED = "X12_Response_ConfirmReceiptReceived"
_CREDENTIALS = web.AppKey("credentials", tuple[str, str])


def create_app(office: Office, *, user: str, password: str) -> web.Application:
    """The application over ``office``; CORE messages need ``user`` and ``password``, the control API does not."""
    app = web.Application(middlewares=[control.mistakes_as_json, at_the_edge], client_max_size=MAX_BODY_BYTES)
    app[OFFICE] = office
    app[FAULTS] = Faults()
    app[_CREDENTIALS] = (user, password)
    app.add_routes([web.post("/core/realtime", real_time), web.post("/core/batch", batch), web.get("/health", health)])
    app.add_routes([web.get("/", desk.page)])
    app.add_routes(control.routes())
    app.cleanup_ctx.append(_working)
    return app


async def _working(app: web.Application) -> AsyncIterator[None]:
    """Work through the day beside the requests: as soon as something is due, never in a busy loop."""
    task = asyncio.create_task(_work(app[OFFICE]))
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _work(office: Office) -> None:
    while True:
        office.work()
        await office.rest()


async def health(request: web.Request) -> web.Response:
    return web.json_response({"ok": True, "now": request.app[OFFICE].mailbox.now().isoformat()})


async def real_time(request: web.Request) -> web.Response:
    """``/core/realtime``: a 270 is answered with a 271, one that cannot be read with a 999."""
    message = await envelope.read(request)
    office = request.app[OFFICE]
    try:
        envelope.judge(message, mode="RealTime", **_login(request))
        if message.payload_type != INQUIRY:
            raise EnvelopeFault("PayloadTypeNotUnderstood", f"{message.payload_type} is not answered in real time")
        payload = message.whole_payload()
    except EnvelopeFault as fault:
        return _refused(message, "RealTime", fault)
    answer = office.inquire(payload)
    await asyncio.sleep(answer.after_seconds)
    return envelope.answer(
        payload_type=answer.payload_type,
        mode="RealTime",
        receiver=message.sender,
        payload_id=message.payload_id,
        payload=answer.payload,
        at=office.mailbox.now().astimezone(UTC),
    )


async def batch(request: web.Request) -> web.Response:
    """``/core/batch``: claims in, acknowledgements and remittances out, receipts confirmed."""
    message = await envelope.read(request)
    try:
        envelope.judge(message, mode="Batch", **_login(request))
        if message.payload_type == CLAIMS:
            return _submitted(request.app[OFFICE], message)
        if message.payload_type == RECEIPT:
            return _confirmed(request.app[OFFICE], message)
        if message.payload_type in RETRIEVALS:
            return _retrieved(request.app[OFFICE], message)
        raise EnvelopeFault("PayloadTypeNotUnderstood", f"{message.payload_type} is not taken in batch")
    except EnvelopeFault as fault:
        return _refused(message, "Batch", fault)


def _login(request: web.Request) -> dict[str, str]:
    user, password = request.app[_CREDENTIALS]
    return {"user": user, "password": password}


def _refused(message: Message, mode: str, fault: EnvelopeFault) -> web.Response:
    log.info("refused: %s %s", fault.code, fault)
    return envelope.answer(payload_type="", mode=mode, receiver=message.fields.get("SenderID", ""), fault=fault)


def _submitted(office: Office, message: Message) -> web.Response:
    payload = message.whole_payload()
    taken = office.mailbox.receive(
        payload_id=message.payload_id,
        sender=message.sender,
        payload_type=message.payload_type,
        sha1=envelope.sha1(payload),
        payload=payload,
    )
    if not taken:
        raise EnvelopeFault("PayloadIDIllegal", "this PayloadID came before with another payload")
    office.wake()
    return envelope.answer(
        payload_type=RECEIPT,
        mode="Batch",
        receiver=message.sender,
        payload_id=message.payload_id,
        status=202,
        at=office.mailbox.now(),
    )


def _confirmed(office: Office, message: Message) -> web.Response:
    if not office.mailbox.acknowledge(message.sender, message.payload_id):
        raise EnvelopeFault("PayloadIDIllegal", "no file of yours has this PayloadID")
    return envelope.answer(
        payload_type=RECEIPT_CONFIRMED, mode="Batch", receiver=message.sender, payload_id=message.payload_id
    )


def _retrieved(office: Office, message: Message) -> web.Response:
    kind, payload_type, none = RETRIEVALS[message.payload_type]
    file = office.mailbox.next_out(message.sender, kind)
    if file is None:
        return envelope.answer(
            payload_type=f"X12_005010_Response_{none}", mode="Batch", receiver=message.sender, at=office.mailbox.now()
        )
    return envelope.answer(
        payload_type=payload_type,
        mode="Batch",
        receiver=message.sender,
        payload_id=file.payload_id,
        payload=file.payload,
        at=office.mailbox.now(),
    )
