"""The root of the access doors: who is asking, and the record of who saw whose data."""

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from common import clock
from people.models import AccessEvent, Client, Provider, Role, User

Visitor = User | AnonymousUser
"""Whoever stands at a door; a stranger gets a 404, never a hint."""


def own_client(user: Visitor) -> Client:
    """The client behind the account; ``Http404`` for anyone else."""
    client = Client.objects.filter(user_id=user.pk).first() if user.pk else None
    if client is None or getattr(user, "role", None) != Role.CLIENT:
        raise Http404
    return client


def own_provider(user: Visitor) -> Provider:
    """The provider behind the account; ``Http404`` for anyone else."""
    provider = Provider.objects.filter(user_id=user.pk).first() if user.pk else None
    if provider is None or getattr(user, "role", None) != Role.PROVIDER:
        raise Http404
    return provider


def is_support(user: Visitor) -> bool:
    """Whether the account belongs to our own staff who may look after any client."""
    return bool(user.is_active and user.is_staff and getattr(user, "role", None) == Role.SUPPORT)


def record_access(user: Visitor, client: Client, purpose: str) -> None:
    """Note that ``user`` saw ``client``'s data (45 CFR 164.312(b)); a client's look at their own is not noted.

    The same look within a minute is noted once.
    """
    if not isinstance(user, User) or client.user_id == user.pk:
        return
    recently = clock.now() - timedelta(minutes=1)
    if not AccessEvent.objects.filter(user=user, client=client, purpose=purpose, created_at__gte=recently).exists():
        AccessEvent.objects.create(user=user, client=client, purpose=purpose)


def record_access_to(user: Visitor, clients: Iterable[int], purpose: str) -> None:
    """:func:`record_access` for a list that shows several clients' data, by id: two queries however many they are."""
    if not isinstance(user, User):
        return
    recently = clock.now() - timedelta(minutes=1)
    seen = set(
        AccessEvent.objects.filter(user=user, purpose=purpose, created_at__gte=recently).values_list(
            "client_id", flat=True
        )
    )
    own = getattr(user, "client", None) if user.role == Role.CLIENT else None
    AccessEvent.objects.bulk_create(
        AccessEvent(user=user, client_id=client, purpose=purpose)
        for client in sorted(set(clients) - seen)
        if own is None or client != own.pk
    )
