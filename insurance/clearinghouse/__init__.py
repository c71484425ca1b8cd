"""The clearinghouse: one port to every insurer, and the adapters that speak its wires."""

from django.conf import settings

from insurance.clearinghouse.caqh_core import CaqhCoreClearinghouse
from insurance.clearinghouse.port import (
    BatchReceipt,
    Clearinghouse,
    ClearinghouseRefused,
    InboundFile,
    InsurerUnreachable,
    OutcomeUnknown,
    PayloadType,
)

__all__ = [
    "BatchReceipt",
    "Clearinghouse",
    "ClearinghouseRefused",
    "InboundFile",
    "InsurerUnreachable",
    "OutcomeUnknown",
    "PayloadType",
    "clearinghouse",
]


def clearinghouse() -> Clearinghouse:
    """The clearinghouse that the settings name: ``CLEARINGHOUSE_URL``, ``_USER``, ``_PASSWORD``, ``_SENDER_ID``,
    ``_RECEIVER_ID``.
    """
    return CaqhCoreClearinghouse(
        url=settings.CLEARINGHOUSE_URL,
        user=settings.CLEARINGHOUSE_USER,
        password=settings.CLEARINGHOUSE_PASSWORD,
        sender_id=settings.CLEARINGHOUSE_SENDER_ID,
        receiver_id=settings.CLEARINGHOUSE_RECEIVER_ID,
    )
