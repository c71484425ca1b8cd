"""The reading door into the books, for whoever holds something else against them."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from billing.ledger.models import Entry
from billing.ledger.posting import Book
from common.money import ZERO

__all__ = ["Entry", "entry", "moved", "standing", "without"]


def entry(key: str) -> Entry | None:
    """The entry of an event, when it is in the books."""
    return Entry.objects.filter(key=key).first()


def moved(found: Entry, book: Book) -> Decimal:
    """What an entry moves on an account, in signed dollars."""
    total = found.lines.filter(account=book.value).aggregate(total=Sum("amount"))["total"]
    return total if total is not None else ZERO


def standing(event: str) -> tuple[Entry | None, int]:
    """For an event that may be posted, reversed and posted again under ``event:1``, ``event:2``…: the entry that is
    not reversed, if any, and how often it was posted."""
    posted = list(Entry.objects.filter(key__startswith=f"{event}:").select_related("reversed_by").order_by("pk"))
    newest = posted[-1] if posted and not hasattr(posted[-1], "reversed_by") else None
    return newest, len(posted)


def without(links: Collection[str], book: Book, *, before: datetime | None = None) -> list[tuple[Entry, Decimal]]:
    """Entries that move money on an account and have none of the one-to-one ``links``, the oldest first, with what they
    move in signed dollars; written ``before`` a moment."""
    rows = Entry.objects.filter(lines__account=book.value, **dict.fromkeys(links))
    if before is not None:
        rows = rows.filter(created_at__lt=before)
    summed = rows.annotate(moved=Sum("lines__amount")).exclude(moved=ZERO).order_by("pk")
    return [(each, each.moved) for each in summed]
