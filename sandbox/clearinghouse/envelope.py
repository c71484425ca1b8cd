"""CORE's HTTP + MIME envelope, from the receiving side: read, judge, answer. Faults get the rule's error codes."""

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import BodyPartReader, web

RULE_VERSION = "2.2.0"
MAX_FIELD_BYTES = 4_096
REQUIRED = (
    "PayloadType",
    "ProcessingMode",
    "PayloadID",
    "TimeStamp",
    "UserName",
    "Password",
    "SenderID",
    "ReceiverID",
    "CORERuleVersion",
)


class EnvelopeFault(Exception):
    """The envelope is refused; ``code`` is CORE's ErrorCode."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """A request: the envelope's fields, and its payload (``None`` when it has none, as retrievals do)."""

    fields: Mapping[str, str]
    payload: bytes | None

    @property
    def payload_type(self) -> str:
        return self.fields["PayloadType"]

    @property
    def payload_id(self) -> str:
        return self.fields["PayloadID"]

    @property
    def sender(self) -> str:
        return self.fields["SenderID"]

    def whole_payload(self) -> bytes:
        """The payload, checked against length and checksum; raises :class:`EnvelopeFault`."""
        if not self.payload:
            raise EnvelopeFault("PayloadRequired", "there is no payload")
        if self.fields.get("ProcessingMode") == "Batch":
            for name in ("PayloadLength", "CheckSum"):
                if not self.fields.get(name):
                    raise EnvelopeFault(f"{name}Required", f"a batch needs its {name}")
            if self.fields["PayloadLength"] != str(len(self.payload)):
                raise EnvelopeFault(
                    "PayloadLengthIllegal",
                    f"PayloadLength says {self.fields['PayloadLength']}, {len(self.payload)} bytes came",
                )
            if self.fields["CheckSum"].lower() != sha1(self.payload):
                raise EnvelopeFault("CheckSumMismatched", "CheckSum is not the SHA-1 of the payload")
        return self.payload


def sha1(payload: bytes) -> str:
    """The checksum that the rule asks for."""
    return hashlib.sha1(payload, usedforsecurity=False).hexdigest()


async def read(request: web.Request) -> Message:
    """Take the multipart body apart. Raises ``HTTPBadRequest`` for what is no multipart/form-data."""
    if not request.content_type.startswith("multipart/form-data"):
        raise web.HTTPBadRequest(text="a CORE message is multipart/form-data")
    fields: dict[str, str] = {}
    payload: bytes | None = None
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise web.HTTPBadRequest(text="a CORE message has no multipart inside its parts")
            if part.name == "Payload":
                payload = bytes(await part.read())
            elif part.name:
                fields[part.name] = (await part.read_chunk(MAX_FIELD_BYTES)).decode("utf-8", "replace").strip()
                await part.release()
    except (ValueError, AssertionError) as error:
        raise web.HTTPBadRequest(text=f"the multipart body cannot be read: {error}") from error
    return Message(fields, payload)


def judge(message: Message, *, mode: str, user: str, password: str) -> None:
    """Check what every message must carry; raises :class:`EnvelopeFault` with the first fault found."""
    fields = message.fields
    for name in REQUIRED:
        if not fields.get(name):
            raise EnvelopeFault(f"{name}Required", f"{name} is missing")
    if fields["CORERuleVersion"] != RULE_VERSION:
        raise EnvelopeFault("VersionMismatch", f"only CORERuleVersion {RULE_VERSION} is spoken here")
    right = hmac.compare_digest(fields["UserName"].encode(), user.encode()) & hmac.compare_digest(
        fields["Password"].encode(), password.encode()
    )
    if not right:
        raise EnvelopeFault("UnAuthorized", "user name or password is wrong")
    if fields["ProcessingMode"] != mode:
        raise EnvelopeFault("ProcessingModeIllegal", f"this address takes ProcessingMode {mode}")
    try:
        uuid.UUID(fields["PayloadID"])
    except ValueError:
        raise EnvelopeFault("PayloadIDIllegal", "PayloadID is not a UUID") from None
    try:
        datetime.fromisoformat(fields["TimeStamp"])
    except ValueError:
        raise EnvelopeFault("TimeStampIllegal", "TimeStamp is not written as 2026-01-05T14:30:00Z") from None


def answer(
    *,
    payload_type: str,
    mode: str,
    receiver: str,
    payload_id: str | None = None,
    payload: bytes | None = None,
    fault: EnvelopeFault | None = None,
    status: int = 200,
    at: datetime | None = None,
) -> web.Response:
    """A CORE response; with a ``fault`` a CoreEnvelopeError. The verdict is in the body, not in the HTTP status."""
    fields = {
        "PayloadType": "CoreEnvelopeError" if fault else payload_type,
        "ProcessingMode": mode,
        "PayloadID": payload_id or str(uuid.uuid4()),
        "TimeStamp": (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "SenderID": "SANDBOX",
        "ReceiverID": receiver,
        "CORERuleVersion": RULE_VERSION,
        "ErrorCode": fault.code if fault else "Success",
        "ErrorMessage": str(fault) if fault else "None",
    }
    if payload is not None and mode == "Batch":
        fields["PayloadLength"], fields["CheckSum"] = str(len(payload)), sha1(payload)
    boundary = uuid.uuid4().hex
    body = bytearray()
    for name, value in fields.items():
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    if payload is not None:
        body += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="Payload"\r\nContent-Type: text/plain\r\n\r\n'
        ).encode()
        body += payload + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return web.Response(
        status=status, body=bytes(body), headers={"Content-Type": f"multipart/form-data; boundary={boundary}"}
    )
