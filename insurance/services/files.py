"""Keeping X12 files: numbers that never repeat, bytes stored before anything is done with them."""

import hashlib
import uuid

from django.db import IntegrityError, connection, transaction

from common import clock
from common.states import move
from insurance.models import EdiFile, Payer
from insurance.x12.segments import Party


def _next(sequence: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [sequence])
        (value,) = cursor.fetchone()
    return int(value)


def next_interchange_number() -> int:
    """ISA13 and GS06 of the next file; a number burnt by a rollback is never given again."""
    return _next("insurance_interchange_number")


def next_claim_number() -> str:
    """CLM01 of the next claim, e.g. ``HW0000000042``."""
    return f"HW{_next('insurance_claim_number'):010d}"


def next_trace_number() -> str:
    """TRN02 of the next inquiry, e.g. ``T0000000042``."""
    return f"T{_next('insurance_trace_number'):010d}"


def party(identifier: str) -> Party:
    """An interchange party by its mutually agreed id."""
    return Party(identifier)


def store_outgoing(*, kind: str, raw: bytes, control_number: int, payer: Payer | None) -> EdiFile:
    """Keep a file of ours before it is sent; its payload id makes repeated sending harmless."""
    return EdiFile.objects.create(
        direction=EdiFile.Direction.OUT,
        kind=kind,
        state=EdiFile.State.BUILT,
        raw=raw,
        sha256=hashlib.sha256(raw).hexdigest(),
        payload_id=uuid.uuid4(),
        control_number=control_number,
        payer=payer,
    )


def store_incoming(*, kind: str, raw: bytes, payload_id: uuid.UUID | None = None) -> tuple[EdiFile, bool]:
    """Keep a received file, once: the same bytes (or the same envelope id) give back the row that is there.

    Returns the row and whether it is new. Every 271 is kept: two equal answers are two facts.
    """
    digest = hashlib.sha256(raw).hexdigest()
    known = EdiFile.objects.filter(direction=EdiFile.Direction.IN, sha256=digest).exclude(kind=EdiFile.Kind.RESPONSE)
    if kind != EdiFile.Kind.RESPONSE and (file := known.first()) is not None:
        return file, False
    try:
        with transaction.atomic():
            return (
                EdiFile.objects.create(
                    direction=EdiFile.Direction.IN,
                    kind=kind,
                    state=EdiFile.State.RECEIVED,
                    raw=raw,
                    sha256=digest,
                    payload_id=payload_id or uuid.uuid4(),
                ),
                True,
            )
    except IntegrityError:
        # Another worker stored it between our look and our insert.
        file = known.first() or EdiFile.objects.get(payload_id=str(payload_id))
        return file, False


def take(file: EdiFile) -> bool:
    """Lock a received file for the rest of the transaction; false when another worker has read it meanwhile."""
    return (
        EdiFile.objects.select_for_update()
        .filter(pk=file.pk, state=EdiFile.State.RECEIVED)
        .values_list("pk", flat=True)
        .first()
        is not None
    )


def mark_processed(file: EdiFile) -> None:
    """The file has been read and all it says recorded."""
    move(file, EdiFile.STATES, EdiFile.State.PROCESSED, settled_at=clock.now())


def quarantine(file: EdiFile, findings: list[dict[str, str]]) -> None:
    """Set a file aside whole: nothing of it has been recorded. ``findings``: ``[{"where", "message"}]``."""
    move(file, EdiFile.STATES, EdiFile.State.QUARANTINED, findings=findings, settled_at=clock.now())
