"""Misfortunes on order, at the edge: so that tests meet a lost answer as the network would make it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from aiohttp import web

from sandbox.insurers.fields import Fields

KINDS = ("unavailable", "error", "lost_answer", "slow")


@dataclass(frozen=True, slots=True)
class Fault:
    """``address`` is realtime or batch. ``unavailable`` (503) and ``error`` (500) do nothing; ``lost_answer`` does the
    work and cuts the line; ``slow`` does the work and answers ``seconds`` later. ``count``: how many requests."""

    address: str
    kind: str
    count: int
    seconds: float


class Faults:
    """What is still to go wrong, first ordered first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def order(self, source: Fields) -> None:
        """Add one; raises :class:`common.errors.BadInput`."""
        fault = Fault(
            source.choice("address", ("realtime", "batch")),
            source.choice("kind", KINDS),
            source.whole("count") or 1,
            source.seconds("seconds", 30.0),
        )
        source.done()
        self._waiting.append(fault)

    def forget(self) -> None:
        self._waiting.clear()

    def next(self, address: str) -> Fault | None:
        """The fault that this request meets, if any."""
        for place, fault in enumerate(self._waiting):
            if fault.address == address:
                if fault.count > 1:
                    self._waiting[place] = replace(fault, count=fault.count - 1)
                else:
                    del self._waiting[place]
                return fault
        return None


FAULTS = web.AppKey("faults", Faults)


@web.middleware
async def at_the_edge(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Let ordered faults happen to CORE requests."""
    start, _slash, address = request.path.rpartition("/")
    fault = request.app[FAULTS].next(address) if start == "/core" else None
    if fault is None:
        return await handler(request)
    if fault.kind == "unavailable":
        return web.Response(status=503, text="ordered")
    if fault.kind == "error":
        return web.Response(status=500, text="ordered")
    answer = await handler(request)
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    elif request.transport is not None:
        request.transport.close()
    return answer
