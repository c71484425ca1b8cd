"""A session is booked or cancelled, and the prices of the client's coming sessions follow."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from billing.services import costs
from care.models import Session
from care.services.sessions import Procedure, cancel_session, schedule_session
from people.models import Client, Provider


@transaction.atomic
def book(
    *,
    client: Client,
    provider: Provider,
    starts_at: datetime,
    procedures: Sequence[Procedure],
    diagnoses: Sequence[str],
    place: str,
    minutes: int,
) -> Session:
    """Book one appointment and price it. Raises ``ClientPaused`` and ``SessionRefused``; then nothing happened.

    A session that cannot be priced yet (no plan, no rate) is booked all the same.
    """
    session = schedule_session(
        client=client,
        provider=provider,
        starts_at=starts_at,
        procedures=procedures,
        diagnoses=diagnoses,
        place=place,
        minutes=minutes,
    )
    costs.reprice(client)
    return session


@transaction.atomic
def cancel(session: Session) -> Session:
    """Cancel a booked session; what it would have used of the deductible is free for the next ones.

    Raises ``IllegalTransition`` once it is confirmed.
    """
    Client.objects.select_for_update(no_key=True).get(pk=session.client_id)
    cancelled = cancel_session(session=session)
    costs.reprice(session.client)
    return cancelled
