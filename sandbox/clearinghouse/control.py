"""The control API: how seeds, stories and tests set the insurers up, move time, and read the insurers' books."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from common.errors import BadInput
from sandbox.clearinghouse.faults import FAULTS
from sandbox.clearinghouse.mailbox import stamp
from sandbox.clearinghouse.office import Office
from sandbox.insurers.books import UnknownMember
from sandbox.insurers.fields import Fields
from sandbox.insurers.records import Member, Used, read_elsewhere, read_used
from sandbox.insurers.reported import reported_member
from sandbox.insurers.shares import room

OFFICE = web.AppKey("office", Office)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def mistakes_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A document that cannot be read is 422 with ``{"errors": [{"where", "message"}]}``, an unknown member 404."""
    if not request.path.startswith("/control/"):
        return await handler(request)
    try:
        return await handler(request)
    except BadInput as error:
        return web.json_response({"errors": [{"where": error.where, "message": str(error)}]}, status=422)
    except UnknownMember as error:
        message = f"no member {error.args[0]!r} in this insurer's books"
        return web.json_response({"errors": [{"where": "path", "message": message}]}, status=404)


def routes() -> list[web.RouteDef]:
    """Everything under ``/control``."""
    member = "/control/members/{payer_id}/{member_id}"
    return [
        web.get("/control/payers", list_payers),
        web.get("/control/payers/{payer_id}", get_payer),
        web.put("/control/payers/{payer_id}", put_payer),
        web.patch("/control/payers/{payer_id}", patch_payer),
        web.get(member, get_member),
        web.put(member, put_member),
        web.patch(member, patch_member),
        web.post(f"{member}/cob", post_cob),
        web.post(f"{member}/used", post_used),
        web.get("/control/books", get_books),
        web.get("/control/files", get_files),
        web.post("/control/files", post_file),
        web.get("/control/clock", get_clock),
        web.put("/control/clock", put_clock),
        web.post("/control/clock/advance", post_advance),
        web.post("/control/answer_now", post_answer_now),
        web.post("/control/faults", post_faults),
        web.delete("/control/faults", delete_faults),
        web.post("/control/reset", post_reset),
    ]


async def _document(request: web.Request) -> dict[str, Any]:
    if not request.can_read_body:
        return {}
    try:
        document = await request.json()
    except ValueError:
        raise BadInput("the body is not JSON", "body") from None
    if not isinstance(document, dict):
        raise BadInput("an object is needed here", "body")
    return document


def _payer_id(request: web.Request) -> str:
    payer_id = request.match_info["payer_id"]
    if request.app[OFFICE].books.insurer_document(payer_id) is None:
        raise BadInput(f"no payer {payer_id!r}: PUT /control/payers/{payer_id} first", "path")
    return payer_id


async def list_payers(request: web.Request) -> web.Response:
    office = request.app[OFFICE]
    found = [
        {"payer_id": insurer.payer_id, "name": insurer.name, "down": insurer.down}
        for insurer in office.books.insurers()
    ]
    return web.json_response({"payers": found})


async def get_payer(request: web.Request) -> web.Response:
    payer_id = _payer_id(request)
    return web.json_response(request.app[OFFICE].books.insurer_document(payer_id))


async def put_payer(request: web.Request) -> web.Response:
    return _put_payer(request, await _document(request))


async def patch_payer(request: web.Request) -> web.Response:
    """Replace single top-level keys."""
    document = request.app[OFFICE].books.insurer_document(_payer_id(request)) or {}
    return _put_payer(request, {**document, **await _document(request)})


def _put_payer(request: web.Request, document: dict[str, Any]) -> web.Response:
    office = request.app[OFFICE]
    with office.mailbox.transaction():
        office.books.put_insurer(request.match_info["payer_id"], document)
    office.wake()
    return web.json_response(document)


async def get_member(request: web.Request) -> web.Response:
    """The record, and what the books make of it today."""
    return _member_answer(request)


async def put_member(request: web.Request) -> web.Response:
    return _put_member(request, await _document(request))


async def patch_member(request: web.Request) -> web.Response:
    """Replace single top-level keys."""
    payer_id = _payer_id(request)
    document = request.app[OFFICE].books.member_document(payer_id, request.match_info["member_id"])
    return _put_member(request, {**document, **await _document(request)})


def _put_member(request: web.Request, document: dict[str, Any]) -> web.Response:
    office, payer_id = request.app[OFFICE], _payer_id(request)
    with office.mailbox.transaction():
        office.books.put_member(payer_id, request.match_info["member_id"], document)
    return _member_answer(request)


def _member_answer(request: web.Request) -> web.Response:
    office, payer_id = request.app[OFFICE], _payer_id(request)
    key = request.match_info["member_id"]
    document, member = office.books.member_document(payer_id, key), office.books.member(payer_id, key)
    reported = reported_member(document, payer_id, key)
    year = member.plan.year_of(office.today())
    used = office.books.used(member, year)
    told = office.books.told(member, reported, year, now=office.wall())
    return web.json_response(
        {
            "document": document,
            "plan_year": year.isoformat(),
            "used": _figures(used),
            "remaining": _remaining(member, used),
            "reported_remaining": _remaining(reported.member, told),
        }
    )


def _figures(used: Used) -> dict[str, Any]:
    return {
        "deductible": f"{used.deductible:.2f}",
        "family_deductible": f"{used.family_deductible:.2f}",
        "out_of_pocket": f"{used.out_of_pocket:.2f}",
        "family_out_of_pocket": f"{used.family_out_of_pocket:.2f}",
        "visits": used.visits,
    }


def _remaining(member: Member, used: Used) -> dict[str, Any]:
    left = room(member.plan, used)
    names = ("deductible", "family_deductible", "out_of_pocket", "family_out_of_pocket")
    amounts = {name: getattr(left, name) for name in names}
    figures: dict[str, Any] = {name: None if value is None else f"{value:.2f}" for name, value in amounts.items()}
    return {**figures, "visits": left.visits}


async def post_cob(request: web.Request) -> web.Response:
    """The member has called: the order of payers is put right, and asked for, claims refused over it run again."""
    office, payer_id = request.app[OFFICE], _payer_id(request)
    key = request.match_info["member_id"]
    body = Fields(await _document(request), "")
    reprocess = body.flag("reprocess", default=False)
    cob = {"rank": body.raw("rank", "primary"), "others": body.raw("others", [])}
    body.done()
    document = office.books.member_document(payer_id, key)
    reported = {name: value for name, value in (document.get("reported") or {}).items() if name != "cob"}
    with office.mailbox.transaction():
        office.books.put_member(payer_id, key, {**document, "cob": cob, "reported": reported})
        again = office.reprocess(payer_id, key) if reprocess else 0
    office.wake()
    return web.json_response({"cob": cob, "reprocessed": again})


async def post_used(request: web.Request) -> web.Response:
    """Care elsewhere: with ``on`` it counts in that day's plan year, else in the first plan year on record."""
    office, payer_id = request.app[OFFICE], _payer_id(request)
    key = request.match_info["member_id"]
    body = await _document(request)
    document = office.books.member_document(payer_id, key)
    if "on" in body:
        read_elsewhere(Fields(body, ""))
        document["elsewhere"] = [*document.get("elsewhere", []), body]
    else:
        added = read_used(Fields(body, ""))
        document["used"] = _figures(office.books.member(payer_id, key).used.plus(added))
    with office.mailbox.transaction():
        office.books.put_member(payer_id, key, document)
    return _member_answer(request)


async def get_books(request: web.Request) -> web.Response:
    """What the insurers themselves hold of each claim, filtered by ``payer_id``, ``member_id``, ``control_number``."""
    query = request.query
    listing = request.app[OFFICE].books.listing(
        payer_id=query.get("payer_id", ""),
        member_key=query.get("member_id", ""),
        control_number=query.get("control_number", ""),
    )
    return web.json_response({"claims": listing})


async def get_files(request: web.Request) -> web.Response:
    """Files that wait to be fetched or acknowledged."""
    rows = request.app[OFFICE].mailbox.waiting_out()
    found = [
        {
            "payload_id": row["payload_id"],
            "recipient": row["recipient"],
            "kind": row["kind"],
            "ready_at": row["ready_at"],
            "given": row["offered_at"] is not None,
        }
        for row in rows
    ]
    return web.json_response({"files": found})


async def post_file(request: web.Request) -> web.Response:
    """Lay a file in a recipient's box as it is, right or wrong: ``{"recipient", "kind", "payload"}``."""
    office = request.app[OFFICE]
    body = Fields(await _document(request), "")
    recipient, payload = body.text("recipient"), body.text("payload")
    kind = body.choice("kind", ("999", "277CA", "835"), "835")
    body.done()
    with office.mailbox.transaction():
        payload_id = office.mailbox.put(
            recipient=recipient, kind=kind, payload=payload.encode(), ready_at=office.mailbox.now()
        )
    return web.json_response({"payload_id": payload_id})


async def get_clock(request: web.Request) -> web.Response:
    office = request.app[OFFICE]
    return web.json_response({"now": office.mailbox.now().isoformat(), "today": office.today().isoformat()})


async def put_clock(request: web.Request) -> web.Response:
    """Set the stand-in's time, ``{"now": "2026-03-01T09:00:00-05:00"}``; ``null`` is the real time again."""
    office = request.app[OFFICE]
    body = Fields(await _document(request), "")
    text = body.text("now", "")
    body.done()
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(f"{text!r} is not a date and time (ISO 8601)", "now") from None
    if moment is not None and moment.tzinfo is None:
        raise BadInput("a time zone is needed", "now")
    office.mailbox.set_clock(moment)
    office.work()
    return await get_clock(request)


async def post_advance(request: web.Request) -> web.Response:
    """Move the stand-in's time on; everything that falls due on the way is done."""
    office = request.app[OFFICE]
    body = Fields(await _document(request), "")
    by = timedelta(days=body.whole("days") or 0, seconds=body.seconds("seconds", 0.0))
    body.done()
    office.mailbox.advance(by)
    office.work()
    return await get_clock(request)


async def post_answer_now(request: web.Request) -> web.Response:
    """Decide waiting claims at once, of all insurers, of one, or of one member."""
    office = request.app[OFFICE]
    body = Fields(await _document(request), "")
    payer_id, member_key = body.text("payer_id", ""), body.text("member_id", "")
    body.done()
    with office.mailbox.transaction():
        released = office.books.release(now=stamp(office.mailbox.now()), payer_id=payer_id, member_key=member_key)
    office.work()
    return web.json_response({"released": released})


async def post_faults(request: web.Request) -> web.Response:
    """Let something go wrong with the next CORE requests."""
    request.app[FAULTS].order(Fields(await _document(request), ""))
    return web.json_response({"ok": True})


async def delete_faults(request: web.Request) -> web.Response:
    """Let nothing more go wrong."""
    request.app[FAULTS].forget()
    return web.json_response({"ok": True})


async def post_reset(request: web.Request) -> web.Response:
    """Start afresh."""
    request.app[OFFICE].start_afresh()
    request.app[FAULTS].forget()
    return web.json_response({"ok": True})
