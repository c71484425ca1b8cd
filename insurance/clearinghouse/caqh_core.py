"""CAQH CORE Connectivity rule C2.2.0 (formerly Phase II 270), HTTP + MIME multipart/form-data, as a client.

Two addresses: ``/core/realtime`` answers in the response, ``/core/batch`` takes files and gives results back when
asked. Every message is one multipart/form-data body: the envelope's fields and, last, the payload. The rule's section
on envelope metadata names the fields; batch payloads carry their length in bytes and the SHA-1 of the payload alone.

Two things the rule leaves to trading partners, and how we do them: which of several waiting files a retrieval returns
(the oldest not given lately; we ask until none is left), and how a file that is itself an acknowledgement is confirmed
(an ``X12_BatchReceiptConfirmation`` bearing the file's PayloadID and no payload).
"""

import hashlib
import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from http import HTTPStatus

import requests
from requests_toolbelt import MultipartEncoder
from requests_toolbelt.multipart import decoder
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from common.clock import now
from common.errors import DomainError
from insurance.clearinghouse.port import (
    BatchReceipt,
    ClearinghouseRefused,
    InboundFile,
    InsurerUnreachable,
    OutcomeUnknown,
    PayloadType,
)

log = logging.getLogger(__name__)

CORE_RULE_VERSION = "2.2.0"
CONNECT_SECONDS = 5.0
REAL_TIME_SECONDS = 25.0
"""CORE's response-time rule gives an insurer 20 seconds for a real-time answer."""
BATCH_SECONDS = 60.0
MAX_REAL_TIME_BYTES = 4_000_000
MAX_BATCH_BYTES = 128_000_000
MAX_FILES_A_CALL = 200
_CHUNK = 65_536
_ENVELOPE_ERROR = "CoreEnvelopeError"
_NOTHING_WAITS = ("NoBatchResultsFile", "NoBatchAckFile")
_RETRY_LATER = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Envelope:
    """A CORE message that came in: its fields, and the payload as sent."""

    fields: Mapping[str, str]
    payload: bytes

    @property
    def payload_type(self) -> str:
        return self.fields.get("PayloadType", "")


@dataclass(frozen=True, slots=True)
class CaqhCoreClearinghouse:
    """The :class:`~insurance.clearinghouse.port.Clearinghouse` over CORE's HTTP + MIME envelope.

    ``url`` is the part before ``/core/…``. ``timeouts``: seconds to connect, for a real-time answer, for a batch one.
    """

    url: str
    user: str
    password: str = field(repr=False)
    sender_id: str
    receiver_id: str
    timeouts: tuple[float, float, float] = (CONNECT_SECONDS, REAL_TIME_SECONDS, BATCH_SECONDS)

    def real_time(self, payload: bytes, *, payload_type: str, payload_id: str) -> bytes:
        """See the port. The answer's own PayloadType is not judged here: a 999 or TA1 is an answer as well."""
        answer = self._send(
            "realtime", {"PayloadType": payload_type, "ProcessingMode": "RealTime", "PayloadID": payload_id}, payload
        )
        if not answer.payload.strip():
            raise ClearinghouseRefused("PayloadRequired", "the answer carries no payload")
        return answer.payload

    def submit_batch(self, payload: bytes, *, payload_type: str, payload_id: str) -> BatchReceipt:
        """See the port."""
        fields = {
            "PayloadType": payload_type,
            "ProcessingMode": "Batch",
            "PayloadID": payload_id,
            "PayloadLength": str(len(payload)),
            "CheckSum": checksum(payload),
        }
        answer = self._send("batch", fields, payload)
        if answer.payload_type != PayloadType.RECEIPT:
            raise ClearinghouseRefused(
                "PayloadTypeNotUnderstood", f"a batch was answered with {answer.payload_type!r} instead of a receipt"
            )
        return BatchReceipt(payload_id, _time_stamp(answer.fields.get("TimeStamp", "")))

    def retrieve(self, *, payload_type: str) -> list[InboundFile]:
        """See the port. Stops at a file it has met before: that receiver gives one until it is acknowledged.

        A fault after the first file ends the list instead of losing what came: nothing is acknowledged yet, so what
        is left out comes again, and a fault that lasts is raised by the next call.
        """
        files: dict[str, InboundFile] = {}
        while len(files) < MAX_FILES_A_CALL:
            try:
                file = self._next(payload_type)
            except DomainError:
                if not files:
                    raise
                log.warning("retrieval stopped after %s files", len(files), exc_info=True)
                break
            if file is None or file.payload_id in files:
                break
            files[file.payload_id] = file
        return list(files.values())

    def _next(self, payload_type: str) -> InboundFile | None:
        fields = {"PayloadType": payload_type, "ProcessingMode": "Batch", "PayloadID": str(uuid.uuid4())}
        answer = self._send("batch", fields)
        if answer.payload_type.endswith(_NOTHING_WAITS):
            return None
        _verify(answer)
        payload_id = answer.fields.get("PayloadID", "")
        if not payload_id:
            raise ClearinghouseRefused("PayloadIDRequired", "a file without a PayloadID cannot be acknowledged")
        return InboundFile(payload_id, answer.payload_type, answer.payload)

    def acknowledge(self, payload_id: str) -> None:
        """See the port."""
        self._send("batch", {"PayloadType": PayloadType.RECEIPT, "ProcessingMode": "Batch", "PayloadID": payload_id})

    def _send(self, mode: str, fields: dict[str, str], payload: bytes | None = None) -> Envelope:
        body: dict[str, object] = {
            **fields,
            "TimeStamp": now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "UserName": self.user,
            "Password": self.password,
            "SenderID": self.sender_id,
            "ReceiverID": self.receiver_id,
            "CORERuleVersion": CORE_RULE_VERSION,
        }
        if payload is not None:
            body["Payload"] = ("payload.x12", payload, "text/plain")
        encoder = MultipartEncoder(body)
        connect, real_time, batch = self.timeouts
        seconds, limit = (real_time, MAX_REAL_TIME_BYTES) if mode == "realtime" else (batch, MAX_BATCH_BYTES)
        ends = time.monotonic() + connect + seconds
        try:
            with requests.post(
                f"{self.url.rstrip('/')}/core/{mode}",
                data=encoder,
                headers={"Content-Type": encoder.content_type},
                timeout=(connect, seconds),
                stream=True,
                allow_redirects=False,
            ) as response:
                content = _read(response, limit=limit, ends=ends)
                return _open(response, content)
        except requests.ConnectTimeout as error:
            raise InsurerUnreachable(str(error)) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise ClearinghouseRefused("ReceiverIDIllegal", f"{self.url!r} is no address") from error
        except requests.RequestException as error:
            if _never_connected(error):
                raise InsurerUnreachable(str(error)) from error
            raise OutcomeUnknown(str(error)) from error


def checksum(payload: bytes) -> str:
    """SHA-1 of the payload in hexadecimal: what the rule asks for, against accidents, not against attackers."""
    return hashlib.sha1(payload, usedforsecurity=False).hexdigest()


def _never_connected(error: requests.RequestException) -> bool:
    if isinstance(error, requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError | ConnectTimeoutError)


def _read(response: requests.Response, *, limit: int, ends: float) -> bytes:
    """The body, bounded in size and in time (a read timeout alone never ends a drip)."""
    kept = bytearray()
    for chunk in response.iter_content(_CHUNK):
        kept += chunk
        if len(kept) > limit:
            raise ClearinghouseRefused("PayloadLengthIllegal", f"the answer is longer than {limit} bytes")
        if time.monotonic() > ends:
            raise OutcomeUnknown("the answer did not end in time")
    return bytes(kept)


def _open(response: requests.Response, content: bytes) -> Envelope:
    """Read the envelope and its verdict, which counts before the HTTP status does."""
    content_type = response.headers.get("Content-Type", "")
    if response.status_code in _RETRY_LATER:
        raise InsurerUnreachable(f"HTTP {response.status_code}")
    if not content_type.lower().startswith("multipart/"):
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise OutcomeUnknown(f"HTTP {response.status_code}")
        code = "UnAuthorized" if response.status_code in (401, 403) else "Receiver"
        raise ClearinghouseRefused(code, f"HTTP {response.status_code} without a CORE envelope")
    envelope = _parse(content, content_type)
    code = envelope.fields.get("ErrorCode", "")
    if code != "Success" or envelope.payload_type == _ENVELOPE_ERROR:
        raise ClearinghouseRefused(code or "ErrorCodeRequired", envelope.fields.get("ErrorMessage", ""))
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise OutcomeUnknown(f"HTTP {response.status_code}")
    return envelope


def _parse(content: bytes, content_type: str) -> Envelope:
    fields: dict[str, str] = {}
    payload = b""
    if "boundary=" not in content_type.lower():
        raise ClearinghouseRefused("Receiver", "the answer's multipart body does not say where its parts end")
    try:
        parts = decoder.MultipartDecoder(content, content_type).parts
    except (decoder.ImproperBodyPartContentException, decoder.NonMultipartContentTypeException, ValueError) as error:
        raise ClearinghouseRefused("Receiver", "the answer is not a readable multipart body") from error
    for part in parts:
        header = Message()
        header["Content-Disposition"] = part.headers.get(b"Content-Disposition", b"").decode("latin-1")
        name = header.get_param("name", header="Content-Disposition")
        if name == "Payload":
            payload = part.content
        elif isinstance(name, str):
            fields[name] = part.content.decode("utf-8", "replace").strip()
    return Envelope(fields, payload)


def _verify(answer: Envelope) -> None:
    """A retrieved file must be whole. A receiver that gives no CheckSum is believed by length alone."""
    length = answer.fields.get("PayloadLength", "")
    if length and length != str(len(answer.payload)):
        raise ClearinghouseRefused(
            "PayloadLengthIllegal", f"the envelope says {length} bytes, {len(answer.payload)} came"
        )
    told = answer.fields.get("CheckSum", "")
    if told and told.lower() != checksum(answer.payload):
        raise ClearinghouseRefused("CheckSumMismatched", "the file came damaged; it stays with the clearinghouse")
    if not answer.payload.strip():
        raise ClearinghouseRefused("PayloadRequired", "the file is empty")


def _time_stamp(text: str) -> datetime | None:
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
