"""Support's view of costs, payments, refunds and earnings; the client's whole story; the desk's first page."""

from billing.admin import money, repairs, story

__all__ = ["money", "repairs", "story"]
