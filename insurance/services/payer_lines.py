"""The line to each insurer: how much may be asked, when, and whether it answers. Kept in the database, for all workers.

Whoever is about to ask holds the line's row for the few milliseconds in which the question is written, never while the
insurer is spoken to. What was sent in the last minute is counted from the files themselves: no counter can go wrong
when a worker dies. Why so: ``docs/adr/asking-insurers.md``.
"""

from datetime import datetime, timedelta

from django.db import transaction

from common import clock
from insurance.domain.asking import next_open
from insurance.models import EdiFile, EligibilityCheck, Payer, PayerLine

MINUTE = timedelta(minutes=1)

SKEW = timedelta(seconds=5)
"""The clocks of two workers may differ by as much."""


def lock(payer_id: int) -> PayerLine:
    """The line of an insurer, with its insurer, locked for the rest of the transaction."""
    lines = PayerLine.objects.select_for_update(no_key=True, of=("self",)).select_related("payer")
    line = lines.filter(payer_id=payer_id).first()
    if line is None:
        PayerLine.objects.bulk_create([PayerLine(payer_id=payer_id)], ignore_conflicts=True)
        line = lines.get(payer_id=payer_id)
    return line


def wait_until(line: PayerLine) -> datetime | None:
    """Until when a question to this insurer has to wait; ``None``: it may be asked now. The line is locked."""
    now = clock.now()
    payer = line.payer
    opens = next_open(now.astimezone(clock.BUSINESS_ZONE), payer.answers_from, payer.answers_until)
    if opens > now:
        return opens
    if line.next_probe_at is not None and line.next_probe_at > now:
        return line.next_probe_at
    return _room_at(payer, now)


def _room_at(payer: Payer, now: datetime) -> datetime | None:
    """When the limit lets another question through; ``None``: now. In no minute are there more than the limit."""
    sent = EdiFile.objects.filter(payer=payer, kind="270", created_at__gt=now - MINUTE, created_at__lte=now + SKEW)
    latest = sent.order_by("-created_at").values_list("created_at", flat=True)
    last_of_the_limit = latest[payer.requests_per_minute - 1 : payer.requests_per_minute].first()
    return None if last_of_the_limit is None else last_of_the_limit + MINUTE


def begin_probe(line: PayerLine) -> None:
    """This question finds out whether the insurer is back; the others go on waiting. The line is locked."""
    line.next_probe_at = clock.now() + PayerLine.PROBE_EVERY
    line.save(update_fields=["next_probe_at"])


@transaction.atomic
def answered(payer_id: int) -> None:
    """The insurer answers. When it had been down, what waits for it may be asked at once."""
    line = lock(payer_id)
    was_down = line.down_since is not None
    line.failures, line.down_since, line.next_probe_at, line.error = 0, None, None, ""
    line.last_answer_at = clock.now()
    line.save()
    if was_down:
        _let_go(payer_id)


@transaction.atomic
def unanswered(payer_id: int, error: str) -> None:
    """A question got no answer; the last of several in a row takes the line down."""
    line = lock(payer_id)
    line.failures += 1
    line.error = error[:300]
    if line.down_since is None and line.failures >= PayerLine.FAILURES:
        line.down_since = clock.now()
        line.next_probe_at = line.down_since + PayerLine.PROBE_EVERY
    line.save()


@transaction.atomic
def try_now(line: PayerLine) -> int:
    """Support knows that the insurer is back, or wants to see: do not wait for the next try. Returns what waits."""
    line = lock(line.payer_id)
    if line.down_since is not None:
        line.next_probe_at = clock.now()
        line.save(update_fields=["next_probe_at"])
    return _let_go(line.payer_id)


def _let_go(payer_id: int) -> int:
    waiting = EligibilityCheck.objects.filter(coverage__payer=payer_id, state=EligibilityCheck.State.WAITING)
    return waiting.update(next_attempt_at=clock.now())
