"""What lists of sessions and clients show, read in a fixed number of queries whatever their length."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet, Sum, Window, prefetch_related_objects
from django.db.models.functions import Lag

from billing.models import Payment, PaymentPart, ProviderEarning, Refund, SessionCost
from billing.services.balances import Balance
from billing.services.costs import current_costs
from care.access import visible_clients, visible_sessions
from care.models import Session
from common import clock
from common.money import ZERO
from insurance.models import Claim
from insurance.services.client_standing import with_standing
from people.access import Visitor
from people.models import Client


def _with_claims(sessions: Sequence[Session]) -> None:
    """Load procedures, and ``open_claims``: those in force, in order of payment. Two queries."""
    claims = Claim.objects.exclude(Claim.OUTSIDE).select_related("coverage__payer")
    prefetch_related_objects(
        list(sessions), "lines", Prefetch("claims", claims.order_by("rank", "pk"), to_attr="open_claims")
    )


def _sums(rows: "QuerySet[Any]") -> dict[int, Decimal]:
    return dict(rows.order_by().values_list("session").annotate(total=Sum("amount")))


def for_client(sessions: Sequence[Session], balances: dict[int, Balance]) -> Sequence[Session]:
    """Sessions with ``cost``, ``balance``, ``paid``, ``given_back`` and ``open_claims``: five queries."""
    _with_claims(sessions)
    costs = current_costs(list(sessions))
    paid = _sums(PaymentPart.objects.filter(session__in=sessions, payment__state=Payment.State.SUCCEEDED))
    back = _sums(Refund.objects.filter(session__in=sessions, state=Refund.State.SUCCEEDED))
    for session in sessions:
        session.__dict__.update(
            cost=costs.get(session.pk),
            balance=balances.get(session.pk, Balance(ZERO)),
            paid=paid.get(session.pk, ZERO),
            given_back=back.get(session.pk, ZERO),
        )
    return sessions


def for_provider(sessions: Sequence[Session]) -> Sequence[Session]:
    """Sessions with ``cost``, ``earned`` and ``open_claims``: four queries."""
    _with_claims(sessions)
    costs = current_costs(list(sessions))
    earned = dict(ProviderEarning.objects.filter(session__in=sessions).values_list("session_id", "amount"))
    for session in sessions:
        session.__dict__.update(cost=costs.get(session.pk), earned=earned.get(session.pk))
    return sessions


def search_clients(user: Visitor, *, q: str = "", standing: str = "") -> QuerySet[Client]:
    """The clients ``user`` may see, by name (each word must fit any part) and standing, with ``standing``."""
    # The door joins the caseload and says DISTINCT; the annotation goes on plain rows.
    clients = with_standing(Client.objects.filter(pk__in=visible_clients(user).values("pk")))
    for word in q.split()[:5]:
        clients = clients.filter(
            Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(preferred_name__icontains=word)
        )
    if standing:
        clients = clients.filter(standing=standing)  # type: ignore[misc]  # annotated by with_standing
    return clients.order_by("last_name", "first_name", "pk")


def changes(sessions: "QuerySet[Session]") -> QuerySet[SessionCost]:
    """Costs that differ from the one before, newest first, each with ``before`` in dollars. A first price is none."""
    return (
        SessionCost.objects.filter(session__in=sessions.order_by())
        .annotate(before=Window(Lag("amount"), partition_by=[F("session")], order_by=F("pk").asc()))
        .filter(~Q(before=F("amount")), before__isnull=False)
        .select_related("session")
        .order_by("-pk")
    )


def as_change(cost: SessionCost) -> dict[str, Any]:
    """A row of :func:`changes` for ``ChangeOut``."""
    return {
        "session": cost.session_id,
        "date": cost.session.date,
        "before": cost.before,  # type: ignore[attr-defined]  # annotated by changes
        "after": cost.amount,
        "reason": cost.reason,
        "at": cost.created_at,
    }


def waiting(sessions: "QuerySet[Session]") -> "QuerySet[Session]":
    """Sessions that took place and wait for their provider; those of paused clients cannot be confirmed yet."""
    return sessions.filter(
        status=Session.Status.SCHEDULED, starts_at__lte=clock.now(), client__paused_since=None
    ).order_by("starts_at", "pk")


def caseload(user: Visitor, clients: Sequence[Client]) -> Sequence[Client]:
    """Clients with ``next_session``, ``to_confirm``, ``cost`` and ``change``: five queries."""
    mine = visible_sessions(user).filter(client__in=clients)
    coming = mine.filter(status=Session.Status.SCHEDULED, starts_at__gt=clock.now())
    ahead = {each.client_id: each for each in coming.order_by("client_id", "starts_at").distinct("client_id")}
    held = mine.exclude(status=Session.Status.CANCELLED).filter(starts_at__lte=clock.now())
    last = {each.client_id: each for each in held.order_by("client_id", "-starts_at").distinct("client_id")}
    open_ones: dict[int, int] = {}
    for client_id in waiting(mine).values_list("client_id", flat=True):
        open_ones[client_id] = open_ones.get(client_id, 0) + 1
    costs = current_costs([*ahead.values(), *last.values()])
    newest: dict[int, dict[str, Any]] = {}
    for cost in changes(mine):
        newest.setdefault(cost.session.client_id, as_change(cost))
    for client in clients:
        subject = ahead.get(client.pk) or last.get(client.pk)
        client.__dict__.update(
            next_session=ahead[client.pk].starts_at if client.pk in ahead else None,
            to_confirm=open_ones.get(client.pk, 0),
            cost=costs.get(subject.pk) if subject else None,
            change=newest.get(client.pk),
        )
    return clients
