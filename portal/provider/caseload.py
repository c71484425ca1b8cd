"""A provider's caseload: how each client stands, what comes next, what it costs, what changed.

Every list is put together for one page of clients at a time, in a fixed number of queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    prefetch_related_objects,
)
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import SessionCost
from billing.services.costs import current_costs, newest_snapshot
from billing.services.forecast import Counted, Outlook
from care.access import visible_clients, visible_sessions
from care.models import Session
from common import clock
from insurance.domain.benefits import Benefits
from insurance.models import BenefitSnapshot, Coverage, EligibilityCheck
from insurance.services.client_standing import Standing, with_standing
from insurance.services.eligibility import asked_lately
from insurance.services.next_step import next_step
from insurance.services.plan_order import plans_in_order
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
        # A price that was worked out anew and is the same is nothing new to a provider.
        .exclude(reason=SessionCost.Reason.BENEFITS_CORRECTED, before=F("amount"))
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


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One plan of a client: what its insurer told, when, and how the newest question stands.

    ``counted``: what is left with the sessions that the insurer does not know of.
    """

    coverage: Coverage
    checked: datetime | None
    asked: EligibilityCheck | None
    snapshot: BenefitSnapshot | None
    benefits: Benefits | None
    counted: Counted | None

    @property
    def asking(self) -> bool:
        """A question to the insurer is under way."""
        return self.asked is not None and self.asked.state in EligibilityCheck.OPEN

    @property
    def may_ask(self) -> bool:
        return not self.asking and (self.asked is None or not asked_lately(self.asked))

    @property
    def refused(self) -> bool:
        """The insurer could not answer the newest question: somebody has to do something."""
        return self.asked is not None and next_step(self.asked) is not None

    @property
    def corrected(self) -> bool:
        """Figures in it were put right, by evidence or by support."""
        return self.snapshot is not None and bool(self.snapshot.corrects)

    @property
    def deductible_left(self) -> Decimal | None:
        """The client's own, in dollars, with the sessions that the insurer does not know of; ``None``: not known."""
        if self.counted is not None:
            return self.counted.left.deductible
        return self.benefits.in_network.deductible.individual.remaining if self.benefits else None

    @property
    def visits_left(self) -> int | None:
        """Visits left; ``None``: not counted by the plan, or not known."""
        if self.counted is not None:
            return self.counted.left.visits
        return self.benefits.in_network.visits.remaining if self.benefits else None

    @property
    def maximum_left(self) -> Decimal | None:
        """What is left to the client's own out-of-pocket maximum; ``None``: not known, or the plan has none."""
        if self.counted is not None:
            return self.counted.left.out_of_pocket
        return self.benefits.in_network.out_of_pocket.individual.remaining if self.benefits else None


def plan_rows(client: Client, outlook: Outlook) -> list[PlanRow]:
    """The client's plans in the order they pay. ``outlook`` is that of the same client."""
    today = clock.today()
    plans = plans_in_order(client, on=today)
    checked = dict(
        EligibilityCheck.objects.filter(coverage__in=plans, state=EligibilityCheck.State.ANSWERED)
        .order_by("coverage_id", "-answered_at")
        .distinct("coverage_id")
        .values_list("coverage", "answered_at")
    )
    newest = {
        check.coverage_id: check
        for check in EligibilityCheck.objects.filter(coverage__in=plans)
        .order_by("coverage_id", "-pk")
        .distinct("coverage_id")
    }
    found = []
    for plan in plans:
        first = plan == outlook.coverage
        snapshot = outlook.snapshot if first else newest_snapshot(plan, today)
        benefits = outlook.benefits if first else (snapshot.read() if snapshot else None)
        found.append(
            PlanRow(
                coverage=plan,
                checked=checked.get(plan.pk),
                asked=newest.get(plan.pk),
                snapshot=snapshot,
                benefits=benefits,
                counted=outlook.counted if first else None,
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
