"""Insurers that answer inside the test's own process: each says that the plan is active, or is down."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from common import clock
from insurance.clearinghouse import InsurerUnreachable
from insurance.x12 import x270, x271
from insurance.x12.eligibility import Trace
from insurance.x12.segments import Party
from insurance.x12.x271 import Benefit, Response


@dataclass
class Insurers:
    """``down``: ids of insurers that do not answer; ``unanswerable``: member ids that no insurer ever answers."""

    down: set[str] = field(default_factory=set)
    unanswerable: set[str] = field(default_factory=set)
    asked: list[tuple[str, datetime]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def count(self) -> Counter[str]:
        """How often each was asked."""
        return Counter(payer for payer, _at in self.asked)

    def real_time(self, payload: bytes, *, payload_type: str, payload_id: str) -> bytes:
        """As of the port."""
        (inquiry,) = x270.read(payload).inquiries
        payer = inquiry.payer.id
        with self._lock:
            self.asked.append((payer, clock.now()))
        self.meanwhile()
        if payer in self.down or inquiry.subscriber.member_id in self.unanswerable:
            raise InsurerUnreachable("HTTP 503")
        answer = Response(
            traces=(Trace("2", inquiry.trace, inquiry.trace_origin),),
            payer=inquiry.payer,
            provider=inquiry.provider,
            subscriber=inquiry.subscriber,
            dependent=inquiry.dependent,
            reference=inquiry.trace,
            benefits=(
                Benefit("1", services=("30",)),
                Benefit("B", level="IND", services=("MH",), amount=Decimal("25.00"), network="Y"),
            ),
        )
        sender, receiver = Party("SANDBOX"), Party("HEADWAY")
        return x271.build([answer], sender=sender, receiver=receiver, control_number=1, at=clock.now())
