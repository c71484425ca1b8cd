"""Faults on request: the ways in which a payment processor fails its callers.

``{"match": "POST /v1/payment_intents", "kind": "timeout_after", "count": 1}``: ``match`` is a shell pattern, held
against ``METHOD /path`` of a request, and for webhooks also against the event's type, alone or followed by a space and
the customer it is about.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.stripe.engine import Json, Refusal

REQUEST_KINDS = ("timeout_before", "timeout_after", "500", "500_after", "429", "webhook_first")
WEBHOOK_KINDS = ("drop_webhook", "triple_webhook")


@dataclass(slots=True)
class Fault:
    """One order: do ``kind`` to the next ``left`` requests (or deliveries) that ``match``, after ``delay`` seconds."""

    match: str
    kind: str
    left: int
    delay: float = 0.0


class Faults:
    """The orders not yet used up, the oldest first."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []

    def add(self, order: Json) -> None:
        """Take an order. Raises :class:`Refusal` for one that cannot be read."""
        kind, count = str(order.get("kind", "")), order.get("count", 1)
        if kind not in REQUEST_KINDS + WEBHOOK_KINDS:
            raise Refusal(400, f"kind is one of {', '.join(REQUEST_KINDS + WEBHOOK_KINDS)}, not {kind!r}", param="kind")
        if not isinstance(count, int) or count < 1:
            raise Refusal(400, f"count is a whole number above zero, not {count!r}", param="count")
        self._orders.append(Fault(str(order.get("match", "*")), kind, count, float(order.get("delay", 0))))

    def clear(self) -> None:
        self._orders.clear()

    def listed(self) -> list[Json]:
        return [{"match": one.match, "kind": one.kind, "count": one.left, "delay": one.delay} for one in self._orders]

    def take_request(self, request: str) -> Fault | None:
        return self._take(REQUEST_KINDS, request)

    def take_webhook(self, request: str, event_type: str, customer: str) -> str | None:
        found = self._take(WEBHOOK_KINDS, request, event_type, f"{event_type} {customer}")
        return found.kind if found else None

    def _take(self, kinds: tuple[str, ...], *names: str) -> Fault | None:
        for order in self._orders:
            if order.kind in kinds and any(fnmatchcase(name, order.match) for name in names):
                order.left -= 1
                if not order.left:
                    self._orders.remove(order)
                return order
        return None
