"""When an insurer may be asked, and when again. Pure: moments and draws come from outside."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta

BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720))
"""How long to wait after each failed attempt; after the last one we give up and support sees it."""

JITTER = 0.2
"""Waits differ by up to this share either way, so that questions that failed together do not come back together."""


def wait_after(attempts: int, draw: float) -> timedelta | None:
    """How long to wait after ``attempts`` failed ones; ``None``: give up. ``draw`` from 0 to 1 spreads the waits."""
    if attempts > len(BACKOFF):
        return None
    return BACKOFF[max(0, attempts - 1)] * (1 - JITTER + 2 * JITTER * draw)


def next_open(moment: datetime, opens: time | None, closes: time | None) -> datetime:
    """``moment`` itself when the insurer answers then, else when it opens next.

    ``moment`` carries the zone in which the insurer counts its hours. It answers from ``opens`` up to, not including,
    ``closes``, which may lie after midnight. Without hours, or when both are the same, it always answers.
    """
    if opens is None or closes is None or opens == closes:
        return moment
    now = moment.time()
    is_open = opens <= now < closes if opens < closes else now >= opens or now < closes
    if is_open:
        return moment
    if now < opens:
        # In the hour that comes twice in autumn it opens in the same of the two in which we stand.
        return datetime.combine(moment.date(), opens, tzinfo=moment.tzinfo).replace(fold=moment.fold)
    return datetime.combine(moment.date() + timedelta(days=1), opens, tzinfo=moment.tzinfo)


_LATER = frozenset({"62", "63"})
"""AAA03: the insurer answers only for days nearer than the one that was asked about."""

DO_NOT_ASK = frozenset({"N", "S", "Y"})
"""AAA04: the insurer wants no further inquiry of the same content."""


def date_is_too_far(rejections: Iterable[Mapping[str, str]]) -> bool:
    """Whether nothing stands in the way but that the day asked about lies too far ahead for this insurer."""
    codes = [each.get("code") for each in rejections]
    return bool(codes) and all(code in _LATER for code in codes)
