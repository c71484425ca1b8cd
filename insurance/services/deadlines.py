"""The clocks of claims: until when to file, by when the result is expected, and when silence is too long.

Three clocks (``docs/coordination.md``): a claim that is not with its insurer must be there by :attr:`Claim.file_by`;
the results of all plans are expected 90 days after the session; a claim that was sent must be acknowledged within five
business days. Before the first two there are follow-ups, and on the day support takes over. Every step is found by
query and written once as a :class:`ClaimEvent`, whenever the sweep comes by.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from care.models import Session
from common import clock
from insurance.models import Claim, ClaimEvent
from insurance.services import claims
from insurance.services.sequence import FILING_ENDED, GOES_ON

RESULT_DAYS = 90
"""Results of a second plan can take up to so many days after the session (product promise; ``RULES.md`` 4)."""

ACKNOWLEDGED_WITHIN = 5
"""Business days after which an insurer has acknowledged a claim, or something is wrong."""

AHEAD = (30, 7)
"""Days before a deadline on which we follow up; on the day itself it is escalated."""

OPEN = (Claim.Decision.NONE, Claim.Decision.DENIED, Claim.Decision.COB, Claim.Decision.ROUTED, Claim.Decision.REVERSED)
"""Decisions that leave the plan's result open."""

_TO_BE_SENT = (Claim.Submission.READY, Claim.Submission.HELD, Claim.Submission.REJECTED)
"""Not with the insurer while its filing clock runs."""

_SENT = (Claim.Submission.SUBMITTED, Claim.Submission.RECEIVED)
"""Sent, and perhaps received, but not taken in for a decision."""

MOST = 500
"""As many claims of one clock as one sweep or one page takes, the most pressing first."""


class Clock(StrEnum):
    FILING = "filing"
    RESULT = "result"
    ACKNOWLEDGEMENT = "acknowledgement"


@dataclass(frozen=True, slots=True)
class Due:
    """A claim that a clock runs for. ``over``: the day has come, support takes it."""

    claim: Claim
    clock: Clock
    by: date

    @property
    def over(self) -> bool:
        return clock.today() >= self.by

    @property
    def days_left(self) -> int:
        """Below zero: so many days late."""
        return (self.by - clock.today()).days

    @property
    def what(self) -> str:
        """What is due, as a sentence for support."""
        payer = {"payer": self.claim.coverage.payer}
        match self.clock:
            case Clock.FILING:
                return _("The claim must be with %(payer)s by this day.") % payer
            case Clock.RESULT:
                return _("The result of %(payer)s is expected by this day.") % payer
            case Clock.ACKNOWLEDGEMENT:
                return _("%(payer)s should have acknowledged the claim by this day.") % payer


def result_by(day: date) -> date:
    """By when all plans' results of a session on ``day`` are expected."""
    return day + timedelta(days=RESULT_DAYS)


# --- Which claims -----------------------------------------------------------------------------------------------------


def _claims() -> QuerySet[Claim]:
    return Claim.objects.exclude(Claim.OUTSIDE).select_related("coverage__payer", "session__client")


def _to_file(until: date) -> QuerySet[Claim]:
    """Claims not with their insurer whose filing ends by ``until``."""
    return _claims().filter(submission__in=_TO_BE_SENT, decision=Claim.Decision.NONE, file_by__lte=until)


def _awaited(until: date) -> QuerySet[Claim]:
    """Claims of sessions whose results are expected by ``until``: of each session the first plan that is awaited."""
    ahead = (
        Claim.objects.exclude(Claim.OUTSIDE)
        .exclude(submission=Claim.Submission.NOT_NEEDED)
        .exclude(events__kind=GOES_ON)
        .filter(session=OuterRef("session"), decision__in=OPEN, rank__lt=OuterRef("rank"))
    )
    return (
        _claims()
        .filter(~Exists(ahead), decision__in=OPEN, session__date__lte=until - timedelta(days=RESULT_DAYS))
        .exclude(submission=Claim.Submission.NOT_NEEDED)
        .exclude(events__kind=GOES_ON)
        .exclude(session__status__in=[Session.Status.CANCELLED, Session.Status.NO_SHOW])
    )


def _silent() -> QuerySet[Claim]:
    """Claims sent so long ago that their insurer should have taken them in or turned them away."""
    day = clock.today()
    since = next(each for each in _days_back(day) if clock.add_business_days(each, ACKNOWLEDGED_WITHIN) <= day)
    until = datetime.combine(since + timedelta(days=1), time.min, tzinfo=clock.BUSINESS_ZONE)
    return _claims().filter(submission__in=_SENT, decision=Claim.Decision.NONE, submitted_at__lt=until)


def _days_back(day: date) -> Iterable[date]:
    while True:
        day -= timedelta(days=1)
        yield day


def _acknowledged_by(claim: Claim) -> date:
    assert claim.submitted_at is not None, "it was sent"
    return clock.add_business_days(clock.business_date(claim.submitted_at), ACKNOWLEDGED_WITHIN)


# --- For support ------------------------------------------------------------------------------------------------------


def queue(*, within: int = AHEAD[0]) -> list[Due]:
    """Every claim whose deadline is over or comes ``within`` days, the most pressing first; three queries."""
    until = clock.today() + timedelta(days=within)
    found = [
        Due(each, Clock.FILING, each.file_by) for each in _to_file(until).order_by("file_by")[:MOST] if each.file_by
    ]
    found += [
        Due(each, Clock.RESULT, result_by(each.session.date))
        for each in _awaited(until).order_by("session__date")[:MOST]
    ]
    found += [
        Due(each, Clock.ACKNOWLEDGEMENT, _acknowledged_by(each)) for each in _silent().order_by("submitted_at")[:MOST]
    ]
    return sorted(found, key=lambda due: (due.by, due.claim.pk))


def count_over() -> int:
    """How many claims' days have come, for the desk's first page."""
    today = clock.today()
    late = Q(pk__in=_to_file(today).values("pk")) | Q(pk__in=_awaited(today).values("pk"))
    return Claim.objects.filter(late | Q(pk__in=_silent().values("pk"))).count()


# --- Steps ------------------------------------------------------------------------------------------------------------


def follow_up() -> int:
    """Write the steps whose day has come, each once ever; returns how many. Whoever was late writes only the last."""
    today = clock.today()
    written = 0
    for claim in _without(_to_file(today + timedelta(days=AHEAD[0])), Clock.FILING).order_by("file_by")[:MOST]:
        assert claim.file_by is not None
        written += _step(claim, Clock.FILING, claim.file_by, [claim.pk])
    for claim in _without(_awaited(today + timedelta(days=AHEAD[0])), Clock.RESULT).order_by("session__date")[:MOST]:
        # The steps are the session's: the plan awaited may be another one by the next of them.
        of_session = Claim.objects.filter(session=claim.session_id).values_list("pk", flat=True)
        written += _step(claim, Clock.RESULT, result_by(claim.session.date), list(of_session))
    for claim in _without(_silent(), Clock.ACKNOWLEDGEMENT).order_by("submitted_at")[:MOST]:
        written += _step(claim, Clock.ACKNOWLEDGEMENT, _acknowledged_by(claim), [claim.pk])
    return written


def _kind(of: Clock, step: int) -> str:
    """The event's kind: ``filing_30``, ``result_7`` …; on the day ``filing_ended``, ``result_0``."""
    return FILING_ENDED if of is Clock.FILING and step == 0 else f"{of.value}_{step}"


def _steps(of: Clock) -> Sequence[int]:
    return (0,) if of is Clock.ACKNOWLEDGEMENT else (*AHEAD, 0)


def _without(rows: QuerySet[Claim], of: Clock) -> QuerySet[Claim]:
    """Those with a step still to write: the step of their day is not there, nor a later one."""
    today = clock.today()
    open_steps = Q()
    for place, step in enumerate(_steps(of)):
        kinds = [_kind(of, each) for each in _steps(of)[place:]]
        events = ClaimEvent.objects.filter(kind__in=kinds)
        if of is Clock.RESULT:
            there = Exists(events.filter(claim__session=OuterRef("session")))
            come = Q(session__date__lte=today + timedelta(days=step - RESULT_DAYS))
        else:
            there = Exists(events.filter(claim=OuterRef("pk")))
            come = Q(file_by__lte=today + timedelta(days=step)) if of is Clock.FILING else Q()
        open_steps |= come & ~Q(there)
    return rows.filter(open_steps)


@transaction.atomic
def _step(claim: Claim, of: Clock, by: date, alike: Sequence[int]) -> bool:
    """Write the newest step whose day has come, unless it or a later one is there."""
    Session.objects.select_for_update(no_key=True).get(pk=claim.session_id)
    steps = [step for step in _steps(of) if clock.today() >= by - timedelta(days=step)]
    if not steps:
        return False
    step = steps[-1]
    later = [_kind(of, each) for each in _steps(of) if each <= step]
    if ClaimEvent.objects.filter(claim__in=alike, kind__in=later).exists():
        return False
    claims.note(claim, _kind(of, step), _words(claim, of, step, by))
    return True


def _words(claim: Claim, of: Clock, step: int, by: date) -> str:
    words = {"payer": claim.coverage.payer, "day": date_format(by, "j F Y")}
    match of:
        case Clock.FILING if step:
            text = _("Not with %(payer)s yet; filing ends on %(day)s.")
        case Clock.FILING:
            text = _(
                "Not with %(payer)s on the last day for filing, %(day)s: support takes over. The client is not billed "
                "for it."
            )
        case Clock.RESULT if step:
            text = _("No result of %(payer)s yet; it is expected by %(day)s.")
        case Clock.RESULT:
            text = _("No result of %(payer)s by %(day)s: support takes over.")
        case Clock.ACKNOWLEDGEMENT:
            text = _("%(payer)s has not acknowledged the claim by %(day)s: support asks where it is.")
    return text % words
