"""What the product asks of a clearinghouse, whichever wire it speaks. No models here: bytes in, bytes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.utils.translation import gettext as _

from common.errors import DomainError


class PayloadType:
    """CORE envelope names of what we send and ask for (CORE Connectivity C2.2.0 and the claim and payment rules)."""

    ELIGIBILITY_INQUIRY = "X12_270_Request_005010X279A1"
    ELIGIBILITY_RESPONSE = "X12_271_Response_005010X279A1"
    PROFESSIONAL_CLAIM = "X12_837_Request_005010X222A1"
    RETRIEVE_999 = "X12_999_RetrievalRequest_005010X231A1"
    RETRIEVE_277CA = "X12_277CA_Request_005010X214"
    RETRIEVE_835 = "X12_835_Request_005010X221A1"
    RECEIPT = "X12_BatchReceiptConfirmation"


class InsurerUnreachable(DomainError):
    """Nothing was delivered: the same request may be sent again later."""

    status = 503

    def __init__(self, detail: str = "") -> None:
        super().__init__(_("The insurer's computer cannot be reached right now. We will try again."))
        self.detail = detail


class OutcomeUnknown(DomainError):
    """The request left, no answer came: it may or may not have been taken. Ask before sending anew.

    An inquiry changes nothing and may be repeated. A batch is settled by sending it once more *with the same
    payload id*, which the receiver knows again, or by the 999 that names its control number.
    """

    status = 504

    def __init__(self, detail: str = "") -> None:
        super().__init__(_("The insurer's computer did not answer in time. We will ask what became of the request."))
        self.detail = detail


class ClearinghouseRefused(DomainError):
    """The envelope was refused. ``error_code`` is CORE's (``UnAuthorized``, ``CheckSumMismatched``, …).

    Sending the same again will be refused again: a person has to look.
    """

    status = 502

    def __init__(self, error_code: str, error_message: str = "") -> None:
        super().__init__(
            _("The clearinghouse refused the request (%(code)s): %(message)s")
            % {"code": error_code, "message": error_message or _("it gave no reason.")}
        )
        self.error_code = error_code
        self.error_message = error_message


@dataclass(frozen=True, slots=True)
class BatchReceipt:
    """Proof that a batch was taken, not that it was understood: that is the 999's and the 277CA's to say."""

    payload_id: str
    received_at: datetime | None
    """The receiver's own time stamp; ``None`` when it gave none that can be read."""


@dataclass(frozen=True, slots=True)
class InboundFile:
    """A file that waits for us, given again and again until its ``payload_id`` is acknowledged."""

    payload_id: str
    payload_type: str
    payload: bytes


class Clearinghouse(Protocol):
    """One interface to all insurers. Every method may raise the three errors of this module.

    No method may be called while a database lock is held.
    """

    def real_time(self, payload: bytes, *, payload_type: str, payload_id: str) -> bytes:
        """Ask and wait (seconds): the answer's X12. An insurer may answer a 270 with a 999 or TA1 instead of a 271."""
        ...

    def submit_batch(self, payload: bytes, *, payload_type: str, payload_id: str) -> BatchReceipt:
        """Hand in a batch. The same ``payload_id`` with the same payload is one batch, however often it is sent."""
        ...

    def retrieve(self, *, payload_type: str) -> Sequence[InboundFile]:
        """What waits for us of this kind (one of the ``RETRIEVE_`` types), oldest first; empty when nothing does."""
        ...

    def acknowledge(self, payload_id: str) -> None:
        """Say that the file is safely stored, so that it is not given again. Repeating it does no harm."""
        ...
