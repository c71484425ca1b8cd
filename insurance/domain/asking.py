"""When an insurer may be asked, and what helps when it could not answer. Pure: moments and draws come from outside."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from django.utils.translation import gettext as _

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


class Who(StrEnum):
    """Who does the next step."""

    CLIENT = "client"
    SUPPORT = "support"
    NOBODY = "nobody"
    """It is asked again by itself."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do about a question that an insurer could not answer, in a sentence or two for the client."""

    who: Who
    text: str


_ON_THE_PLAN = frozenset({"64", "65", "66", "67", "68", "77"})
"""AAA03: the plan was found, the dependent on it was not."""

_LATER = frozenset({"62", "63"})
"""AAA03: the insurer answers only for days nearer than the one that was asked about."""

DO_NOT_ASK = frozenset({"N", "S", "Y"})
"""AAA04: the insurer wants no further inquiry of the same content."""


def date_is_too_far(rejections: Iterable[Mapping[str, str]]) -> bool:
    """Whether nothing stands in the way but that the day asked about lies too far ahead for this insurer."""
    codes = [each.get("code") for each in rejections]
    return bool(codes) and all(code in _LATER for code in codes)


def next_step(rejections: Iterable[Mapping[str, str]], *, payer: str, holder: str = "") -> NextStep:
    """What helps after ``rejections`` (``code`` AAA03 and ``cause`` as ``x12.rejections.Cause``; none: never reached).

    ``holder`` is the first name of whose plan it is, empty when it is the client's own.
    """
    given = list(rejections)
    causes = {each.get("cause", "") for each in given}
    codes = {each.get("code", "") for each in given}
    if not given or causes <= {"try_again"}:
        return NextStep(
            Who.NOBODY, _("%(payer)s did not answer. We ask again before your next session.") % {"payer": payer}
        )
    if "member" not in causes:
        return NextStep(
            Who.SUPPORT, _("There is nothing for you to do: our support team looks into it.") % {"payer": payer}
        )
    if holder and (codes & _ON_THE_PLAN):
        words = _(
            "%(payer)s knows the plan, but did not find you on it. Please ask %(holder)s to check with %(payer)s that "
            "you are listed, with your name and birthday as you gave them to us. If your own card shows another member "
            "ID, remove the plan and add it again with that ID."
        )
        return NextStep(Who.CLIENT, words % {"payer": payer, "holder": holder})
    if holder:
        words = _(
            "Please compare the member ID, and the name and birthday of %(holder)s, with the card. If something is "
            "wrong, remove the plan and add it again."
        )
        return NextStep(Who.CLIENT, words % {"holder": holder})
    words = _(
        "Please compare the member ID, your name and your birthday with your card. If something is wrong, remove the "
        "plan and add it again."
    )
    return NextStep(Who.CLIENT, words)
