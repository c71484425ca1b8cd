"""The doors to clients and sessions: everyone else's rows look as if they did not exist."""

from django.db.models import Q, QuerySet
from django.http import Http404

from care.models import CareRelationship, Session
from common import clock
from people.access import Visitor, is_support, record_access
from people.models import Client, Role


def visible_clients(user: Visitor) -> QuerySet[Client]:
    """The clients whose record ``user`` may see: their own, those on their caseload, or all for support."""
    clients = Client.objects.all()
    if is_support(user):
        return clients
    match getattr(user, "role", None):
        case Role.CLIENT:
            return clients.filter(user=user.pk)
        case Role.PROVIDER:
            today = clock.today()
            caseload = CareRelationship.objects.filter(
                Q(ended_on=None) | Q(ended_on__gte=today), provider__user=user.pk, began_on__lte=today
            )
            return clients.filter(pk__in=caseload.values("client"))
        case _:
            return clients.none()


def get_client(user: Visitor, client_id: int, *, purpose: str) -> Client:
    """One client, with the look recorded; ``Http404`` to strangers."""
    client = visible_clients(user).filter(pk=client_id).first()
    if client is None:
        raise Http404
    record_access(user, client, purpose)
    return client


def visible_sessions(user: Visitor) -> QuerySet[Session]:
    """The sessions ``user`` may see. A provider sees only their own with the client, not a colleague's."""
    sessions = Session.objects.filter(client__in=visible_clients(user))
    if getattr(user, "role", None) == Role.PROVIDER:
        sessions = sessions.filter(provider__user=user.pk)
    return sessions.select_related("client", "provider")


def get_session(user: Visitor, session_id: int, *, purpose: str) -> Session:
    """One session, with the look recorded; ``Http404`` to strangers."""
    session = visible_sessions(user).filter(pk=session_id).first()
    if session is None:
        raise Http404
    record_access(user, session.client, purpose)
    return session
