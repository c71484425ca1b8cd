"""The same request sent twice has one effect: its key is claimed first, its answer kept for a day."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from common import clock
from common.errors import BadInput, DomainError
from people.models import IdempotentRequest, User

KEPT = timedelta(hours=24)
"""How long a key names its request; afterwards it may be used for another."""

LEASE = timedelta(minutes=5)
"""No request is worked on longer. A process that died with a key is taken over after this: services may be repeated."""

MAX_KEY = 255


class StillWorking(DomainError):
    """The first request with this key has not been answered yet."""


class KeyReused(DomainError):
    """The key was used for another request."""

    status = 422


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request was answered: HTTP status and JSON body."""

    status: int
    body: Any


def fingerprint(method: str, path: str, body: Any) -> str:
    """What makes two requests the same: method, address and content, whatever its spacing and order of keys."""
    return hashlib.sha256(json.dumps([method, path, body], sort_keys=True).encode()).hexdigest()


def claim(*, user: User, key: str, fingerprint: str) -> IdempotentRequest | Answer:
    """Take ``key`` for this request, or get the answer of the one that had it.

    Commits at once, so call it outside a transaction. Raises ``BadInput`` for a malformed key, :class:`KeyReused` and
    :class:`StillWorking`.
    """
    if not key or len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        raise BadInput(_("An idempotency key has 1 to 255 printable ASCII characters."), "Idempotency-Key")
    now = clock.now()
    IdempotentRequest.objects.filter(user=user, claimed_at__lt=now - KEPT).delete()
    row, is_new = IdempotentRequest.objects.get_or_create(
        user=user, key=key, defaults={"fingerprint": fingerprint, "claimed_at": now}
    )
    if is_new:
        return row
    if row.fingerprint != fingerprint:
        raise KeyReused(_("This idempotency key was used for another request. Please use a new one."))
    if row.status is not None and row.answer is not None:
        return Answer(row.status, json.loads(row.answer))
    abandoned = IdempotentRequest.objects.filter(
        pk=row.pk, status=None, claimed_at=row.claimed_at, claimed_at__lt=now - LEASE
    )
    if not abandoned.update(claimed_at=now):
        raise StillWorking(_("The first request with this idempotency key is still being worked on."))
    row.claimed_at = now
    return row


def keep(row: IdempotentRequest, *, status: int, body: str) -> None:
    """Remember the answer (JSON text); not when another process has taken the key over meanwhile."""
    IdempotentRequest.objects.filter(pk=row.pk, status=None, claimed_at=row.claimed_at).update(
        status=status, answer=body
    )


def release(row: IdempotentRequest) -> None:
    """The request was refused and had no effect: its key may be used again."""
    IdempotentRequest.objects.filter(pk=row.pk, status=None, claimed_at=row.claimed_at).delete()


def forget_old() -> None:
    """Delete the keys of more than a day ago."""
    IdempotentRequest.objects.filter(claimed_at__lt=clock.now() - KEPT).delete()
