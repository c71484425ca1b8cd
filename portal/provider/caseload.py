"""A provider's caseload: how each client stands, what comes next, what it costs, what changed.

Every list is put together for one page of clients at a time, in a fixed number of queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import (
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    prefetch_related_objects,
)
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import SessionCost
from billing.services.costs import current_costs
from care.access import visible_clients, visible_sessions
from care.models import Session
from common import clock
from insurance.models import Coverage
from insurance.services.client_standing import Standing, with_standing
from people.models import Client, User
from portal.provider.progress import Progress, open_claims, progress_of
from portal.provider.words import why_changed

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


TONES = {
    Standing.PAUSED: "paused",
    Standing.ATTENTION: "attention",
    Standing.CHECKING: "info",
    Standing.ACTIVE: "success",
}


def search(user: "User | AnonymousUser", *, words: str = "", standing: str = "") -> QuerySet[Client]:
    """The caseload, narrowed by a name (any part, each word must fit) and a standing."""
    # The door joins the caseload and says DISTINCT; the annotations go on plain rows.
    on_account = Coverage.objects.on(clock.today()).filter(client=OuterRef("pk"))
    everyone = Client.objects.filter(pk__in=visible_clients(user).values("pk"))
    clients = with_standing(everyone).annotate(has_plan=Exists(on_account))
    # PostgreSQL has no text with a NUL in it, so nobody is called that.
    for word in words.replace("\0", " ").split()[:5]:
        clients = clients.filter(
            Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(preferred_name__icontains=word)
        )
    if standing in Standing.values:
        clients = clients.filter(standing=standing)  # type: ignore[misc]  # annotated by with_standing
    return clients.order_by("last_name", "first_name", "pk")


def tally(user: "User | AnonymousUser") -> dict[str, int]:
    """How many clients stand how: standing → count. One query."""
    standings = search(user).order_by().values_list("standing")  # type: ignore[misc]  # annotated by with_standing
    counted = standings.annotate(count=Count("pk"))
    return dict.fromkeys(Standing.values, 0) | dict(counted)


@dataclass(frozen=True, slots=True)
class Change:
    """A cost that changed: from what (``None``: it was the first) to what, in dollars, when and why in words."""

    cost: SessionCost
    before: Decimal | None
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """One client of the caseload."""

    client: Client
    standing: Standing
    next_session: Session | None
    cost: SessionCost | None
    change: Change | None
    progress: Progress | None
    waiting: list[Session] = field(default_factory=list)

    @property
    def tone(self) -> str:
        return TONES[self.standing]

    @property
    def note(self) -> str:
        """What the standing means for the provider."""
        return meaning(self.client, self.standing)

    @property
    def to_do(self) -> str:
        """What the provider has to do; empty when there is nothing."""
        if self.standing is Standing.PAUSED or not self.waiting:
            return ""
        count = len(self.waiting)
        return ngettext("Confirm %(count)s session.", "Confirm %(count)s sessions.", count) % {"count": count}


def meaning(client: Client, standing: Standing) -> str:
    """A standing in a sentence for the provider; ``client.has_plan`` is set by :func:`search`."""
    match standing:
        case Standing.PAUSED:
            return _("Coordination of benefits. Only your client can resolve it; there is nothing for you to do.")
        case Standing.ATTENTION if not client.has_plan:  # type: ignore[attr-defined]
            return _("There is no insurance plan on the account. Your client can add one on their Plans page.")
        case Standing.ATTENTION:
            return _("The insurer could not confirm the plan. Your client can correct it on their Plans page.")
        case Standing.CHECKING:
            return _("We are asking the insurer. The price follows by itself.")
    return _("Nothing for you to do.")


def changes(sessions: QuerySet[Session]) -> QuerySet[SessionCost]:
    """Changes of the cost of ``sessions``, newest first, each with ``before`` in dollars."""
    earlier = SessionCost.objects.filter(session=OuterRef("session"), pk__lt=OuterRef("pk")).order_by("-pk")
    return (
        SessionCost.objects.filter(session__in=sessions)
        .exclude(reason=SessionCost.Reason.FIRST)
        .annotate(before=Subquery(earlier.values("amount")[:1]))
        .select_related("session", "coverage__payer")
        .order_by("-pk")
    )


def as_change(cost: SessionCost) -> Change:
    """A row of :func:`changes` as a value."""
    return Change(cost, cost.before, why_changed(cost))  # type: ignore[attr-defined]  # annotated there


def rows(user: "User | AnonymousUser", clients: Sequence[Client]) -> list[Row]:
    """The rows of these clients (from :func:`search`), in their order. Seven queries however many they are."""
    now = clock.now()
    mine = visible_sessions(user).filter(client__in=clients)
    scheduled = mine.filter(status=Session.Status.SCHEDULED)
    upcoming = {
        session.client_id: session
        for session in scheduled.filter(starts_at__gt=now).order_by("client_id", "starts_at").distinct("client_id")
    }
    waiting: dict[int, list[Session]] = {}
    for session in scheduled.filter(starts_at__lte=now).order_by("starts_at"):
        waiting.setdefault(session.client_id, []).append(session)
    last = {
        session.client_id: session
        for session in mine.filter(status=Session.Status.CONFIRMED)
        .order_by("client_id", "-starts_at")
        .distinct("client_id")
        .prefetch_related(open_claims())
    }
    unconfirmed = [sessions[-1] for sessions in waiting.values()]
    priced = current_costs([*upcoming.values(), *unconfirmed, *last.values()])
    changed = {
        cost.session.client_id: as_change(cost)
        for cost in changes(mine).order_by("session__client_id", "-pk").distinct("session__client_id")
    }
    found = []
    for client in clients:
        ahead, behind = upcoming.get(client.pk), last.get(client.pk)
        subject = ahead or (waiting[client.pk][-1] if client.pk in waiting else behind)
        found.append(
            Row(
                client=client,
                standing=Standing(client.standing),  # type: ignore[attr-defined]  # annotated by with_standing
                next_session=ahead,
                cost=priced.get(subject.pk) if subject else None,
                change=changed.get(client.pk),
                progress=progress_of(list(behind.claims.all()), priced.get(behind.pk)) if behind else None,
                waiting=waiting.get(client.pk, []),
            )
        )
    return found


def waiting_for_confirmation(user: "User | AnonymousUser") -> QuerySet[Session]:
    """Sessions that have taken place and are not confirmed yet, those of paused clients left out, oldest first."""
    return (
        visible_sessions(user)
        .filter(status=Session.Status.SCHEDULED, starts_at__lte=clock.now(), client__paused_since=None)
        .order_by("starts_at", "pk")
    )


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session in a list, with the cost in force and how its claims stand (``None`` before it is confirmed)."""

    session: Session
    cost: SessionCost | None
    progress: Progress | None = None

    @property
    def can_confirm(self) -> bool:
        """It has taken place and waits for the provider."""
        return self.session.status == Session.Status.SCHEDULED and self.session.starts_at <= clock.now()


def session_rows(sessions: list[Session]) -> list[SessionRow]:
    """Rows of these sessions, with their costs and claims in three queries."""
    prefetch_related_objects(sessions, open_claims())
    priced = current_costs(sessions)
    return [
        SessionRow(
            session,
            priced.get(session.pk),
            progress_of(list(session.claims.all()), priced.get(session.pk))
            if session.status == Session.Status.CONFIRMED
            else None,
        )
        for session in sessions
    ]
