"""The sessions ahead of one client, booked and to be expected, and what they will cost. Reads only.

What is booked is priced as :mod:`billing.services.costs` prices it; the rest goes on in the rhythm of the client's
sessions, or in the one that is asked about. ``docs/forecast.md`` tells how, with figures.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from billing.domain.forecast import Ahead, Design, Forecast, OtherCare, PlanYear, forecast, fresh, next_year, year_on
from billing.domain.plan_year import terms_of
from billing.domain.pricing import PlanTerms, Remaining
from billing.services.costs import newest_snapshot
from billing.services.plan_years import PlanYear as LoadedYear
from billing.services.plan_years import answers_of, decided_at, load
from care.models import Session
from common import clock
from insurance.domain.benefits import Benefits, NetworkBenefits
from insurance.models import BenefitSnapshot, Coverage
from insurance.services.network import rates, standing, state_of, why_no_rate
from insurance.services.plan_order import PlanHistory, plan_histories
from people.models import Client, Provider

INTO_NEXT_YEAR = timedelta(days=56)
"""How far past the end of the plan year a first look goes, so that the new start is seen."""

LOOKED_AT = timedelta(days=400)
"""Older sessions say nothing of the rhythm or the kind of those to come."""

RECENT = 8
"""From so many of the newest sessions their rhythm is read."""


class Rhythm(TextChoices):
    """How often sessions are; each keeps its weekday."""

    WEEKLY = "weekly", _("Every week")
    TWO_WEEKS = "two_weeks", _("Every two weeks")
    FOUR_WEEKS = "four_weeks", _("Every four weeks")

    @property
    def days(self) -> int:
        """Days from one session to the next."""
        return {"weekly": 7, "two_weeks": 14, "four_weeks": 28}[self.value]


class Obstacle(StrEnum):
    """Why there is nothing to forecast."""

    PAUSED = "paused"
    NO_PLAN = "no_plan"
    NO_BENEFITS = "no_benefits"
    NOT_ACTIVE = "not_active"
    NO_SESSION = "no_session"
    NO_RATE = "no_rate"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of session that the client has or had: with whom, for which procedures. ``example`` is the newest."""

    key: str
    example: Session


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about; ``None`` and an empty text: as it is now."""

    rhythm: Rhythm | None = None
    kind: str = ""
    telehealth: bool | None = None
    other: OtherCare | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What is left of the plan when the client's own sessions are counted on top of what the insurer told.

    ``sessions`` is how many those are. A figure of ``left`` is ``None`` when not known or when there is no such rule.
    """

    left: Remaining
    sessions: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """The sessions ahead of a client, under the plan that pays first today.

    ``forecast`` is there unless an ``obstacle`` is. ``year_end_known``: else it ends where a year would at the latest.
    ``assumed``: of the next plan year the insurer has told nothing, so that the same plan is taken to go on.
    ``ends_before``: from that day on another plan pays first, or none, and the forecast ends.
    """

    obstacle: Obstacle | None = None
    why_not: str = ""
    coverage: Coverage | None = None
    snapshot: BenefitSnapshot | None = None
    benefits: Benefits | None = None
    counted: Counted | None = None
    kinds: tuple[Kind, ...] = ()
    kind: Kind | None = None
    rhythm: Rhythm = Rhythm.WEEKLY
    rhythm_now: Rhythm | None = None
    """The rhythm of the sessions so far; ``None`` when they are too few to tell."""
    telehealth: bool = False
    other: OtherCare | None = None
    forecast: Forecast | None = None
    year_end_known: bool = True
    assumed: bool = False
    ends_before: date | None = None

    @property
    def known(self) -> bool:
        """Whether every price ahead is known."""
        return self.forecast is not None and all(point.client is not None for point in self.forecast.points)


def outlook(
    client: Client, asked: Asked | None = None, *, two_years: bool = False, told_to: Provider | None = None
) -> Outlook:
    """What the client's sessions will cost from today on. Writes nothing.

    It goes eight weeks past the end of the plan year, or with ``two_years`` to the end of the next one. ``told_to``: a
    provider, who is told of their own sessions; those of colleagues use up their part of the plan and are not shown.
    """
    asked = asked or Asked()
    today = clock.today()
    history = plan_histories([client])[client.pk]
    sessions = _sessions(client)
    own = [each for each in sessions if told_to is None or each.provider_id == told_to.pk]
    kinds = _kinds(own)
    kind = next((each for each in kinds if each.key == asked.kind), kinds[0] if kinds else None)
    now = rhythm_of([each.date for each in own if kind and each.provider_id == kind.example.provider_id])
    found = Outlook(
        kinds=kinds,
        kind=kind,
        rhythm=asked.rhythm or now or Rhythm.WEEKLY,
        rhythm_now=now,
        telehealth=asked.telehealth if asked.telehealth is not None else bool(kind and kind.example.is_telehealth),
        other=asked.other,
    )
    plans = history.on(today)
    if not plans:
        return replace(found, obstacle=Obstacle.NO_PLAN)
    snapshot = newest_snapshot(plans[0], today)
    if snapshot is None:
        return replace(
            found, coverage=plans[0], obstacle=Obstacle.PAUSED if client.paused_since else Obstacle.NO_BENEFITS
        )
    waiting = [
        each for each in sessions if each.status == Session.Status.SCHEDULED and history.on(each.date)[:1] == [plans[0]]
    ]
    unconfirmed = [each.pk for each in waiting if each.date < today]
    year = load(client, plans[0], snapshot, unconfirmed, benefits=snapshot.read())
    found = replace(
        found, coverage=plans[0], snapshot=snapshot, benefits=year.benefits, counted=_counted(year, unconfirmed)
    )
    if client.paused_since is not None:
        return replace(found, obstacle=Obstacle.PAUSED)
    if year.benefits.active is False:
        return replace(found, obstacle=Obstacle.NOT_ACTIVE)
    if kind is None:
        return replace(found, obstacle=Obstacle.NO_SESSION)
    example = kind.example
    billable = standing(provider=example.provider, payer=plans[0].payer, on=today, state=state_of(example))
    if not billable.can_bill:
        return replace(found, obstacle=Obstacle.NO_RATE, why_not=billable.why_not)
    booked = [each for each in waiting if each.date >= today]
    return _look_ahead(found, year, booked, history, told_to, two_years=two_years)


def _counted(year: LoadedYear, unconfirmed: Sequence[int]) -> Counted:
    """What the confirmed sessions of the year have used that the snapshot does not know of."""
    held = replace(year, sessions=[each for each in year.sessions if each.pk not in unconfirmed])
    news = [
        each
        for each in held.sessions
        if not (answers := answers_of(each))
        or any(decided_at(answer) > year.snapshot.observed_at for answer in answers)
    ]
    return Counted(held.walk().after.remaining(), len(news))


# --- The sessions so far ----------------------------------------------------------------------------------------------


def _sessions(client: Client) -> list[Session]:
    """Sessions held or booked, oldest first."""
    return list(
        Session.objects.filter(
            client=client,
            status__in=(Session.Status.SCHEDULED, Session.Status.CONFIRMED),
            date__gte=clock.today() - LOOKED_AT,
        )
        .select_related("provider")
        .prefetch_related("lines")
        .order_by("date", "starts_at", "pk")
    )


def _kinds(sessions: Sequence[Session]) -> tuple[Kind, ...]:
    """The kinds of session there are, that of the newest session first; one booked counts as newer than one held."""
    newest = {
        "-".join([str(session.provider_id), *(f"{line.cpt}x{line.units}" for line in session.lines.all())]): session
        for session in sessions
    }
    by_day = sorted(newest.items(), key=lambda item: (item[1].starts_at, item[1].pk), reverse=True)
    return tuple(Kind(key, session) for key, session in by_day)


def rhythm_of(days: Sequence[date]) -> Rhythm | None:
    """The rhythm nearest to the usual gap between the newest of these days; ``None`` for fewer than two."""
    newest = sorted(set(days))[-RECENT:]
    gaps = [(later - earlier).days for earlier, later in pairwise(newest)]
    if not gaps:
        return None
    usual = median(gaps)
    return min(Rhythm, key=lambda rhythm: (abs(rhythm.days - usual), rhythm.days))


# --- The sessions ahead -----------------------------------------------------------------------------------------------


def _look_ahead(
    found: Outlook,
    loaded: LoadedYear,
    booked: Sequence[Session],
    history: PlanHistory,
    told_to: Provider | None,
    *,
    two_years: bool,
) -> Outlook:
    coverage = loaded.coverage
    years, assumed = _years(loaded)
    this_year = years[0]
    until = years[-1].last if two_years else min(this_year.last + INTO_NEXT_YEAR, years[-1].last)
    booked = [each for each in booked if each.date <= until]
    expected = _expected(found, booked, until)
    under_plan = [each for each in expected if history.on(each.date)[:1] == [coverage]]
    elsewhere = {each.date for each in expected} - {each.date for each in under_plan}
    sessions = sorted([*booked, *under_plan], key=lambda each: (each.date, each.starts_at))
    allowed = rates(payer=coverage.payer, sessions=sessions)
    ahead = [
        Ahead(
            day=each.date,
            allowed=worth,
            telehealth=each.is_telehealth,
            booked=each.pk > 0,
            shown=told_to is None or each.provider_id == told_to.pk,
        )
        for each in sessions
        if (worth := allowed[each.pk]) is not None
    ]
    if not any(each.shown for each in ahead):
        why_not = why_no_rate(payer=coverage.payer, session=sessions[0]) if sessions else ""
        return replace(found, obstacle=Obstacle.NO_RATE if sessions else Obstacle.NO_SESSION, why_not=why_not)
    return replace(
        found,
        forecast=forecast(years, ahead, found.other),
        year_end_known=loaded.snapshot.plan_end is not None,
        assumed=assumed,
        ends_before=min(elsewhere, default=None),
    )


def _years(loaded: LoadedYear) -> tuple[list[PlanYear], bool]:
    """This plan year from where it stands, and the next one; whether that is only assumed to be like this one.

    Of a year whose end the insurer has not told, only as much is taken as there is at least.
    """
    today, snapshot = clock.today(), loaded.snapshot
    last = snapshot.plan_end or _surely_until(today, snapshot.plan_begin)
    this_year = PlanYear(today, last, (Design(loaded.walk().after, *_terms(loaded.benefits)),))
    if snapshot.plan_end is None:
        return [this_year], False
    told = newest_snapshot(loaded.coverage, last + timedelta(days=1))
    if told is not None and told.plan_begin is not None:
        following = next_year(this_year, (Design.start(*_terms(told.read())),))
        return [this_year, replace(following, last=told.plan_end or following.last)], False
    figures = loaded.benefits.in_network
    possible = zip(fresh(figures), fresh(figures.for_telehealth()), strict=True)
    terms = dict.fromkeys((_terms_of(office), _terms_of(video)) for office, video in possible)
    return [this_year, next_year(this_year, tuple(Design.start(*both) for both in terms))], True


def _terms(benefits: Benefits) -> tuple[PlanTerms, PlanTerms]:
    return terms_of(benefits, telehealth=False), terms_of(benefits, telehealth=True)


def _terms_of(figures: NetworkBenefits) -> PlanTerms:
    return terms_of(Benefits(in_network=figures), telehealth=False)


def _surely_until(today: date, begun: date | None) -> date:
    """The last day that is surely in the plan year: years start again on their own day, or on 1 January."""
    last = date(today.year, 12, 31)
    if begun is None:
        return last
    again = begun
    while again <= today:
        again = year_on(again)
    return min(last, again - timedelta(days=1))


def _expected(found: Outlook, booked: Sequence[Session], until: date) -> list[Session]:
    """Sessions that are not booked, as if they were: the kind asked about, in its rhythm, around what is booked."""
    assert found.kind is not None
    example = found.kind.example
    same = sorted({each.date for each in booked if each.provider_id == example.provider_id})
    place = example.place
    if found.telehealth != example.is_telehealth:
        place = Session.Place.TELEHEALTH_HOME if found.telehealth else Session.Place.OFFICE
    days = go_on(
        same, from_day=min(same, default=example.date), step=found.rhythm.days, after=clock.today(), until=until
    )
    return [_as_if_on(example, day, place, -number) for number, day in enumerate(days, start=1)]


def go_on(booked: Sequence[date], *, from_day: date, step: int, after: date, until: date) -> list[date]:
    """Days ``step`` days apart from ``from_day`` on, those later than ``after`` up to ``until``.

    A booked day (given in order) that comes before the next day is due, or less than half a step after it, stands for
    it, and the count goes on from there.
    """
    found: list[date] = []
    day = from_day
    while True:
        following = day + timedelta(days=step)
        near = next((each for each in booked if day < each and 2 * (each - following).days < step), None)
        day = near or following
        if day > until:
            return found
        if near is None and day > after:
            found.append(day)


def _as_if_on(example: Session, day: date, place: str, id: int) -> Session:
    """The example on another day. It is never saved; a negative id tells it from what is booked."""
    session = copy(example)
    session.pk, session.place, session.date = id, place, day
    session.starts_at = example.starts_at + (day - example.date)
    return session
