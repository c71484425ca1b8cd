"""Booking, confirming and cancelling sessions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from care.models import CareRelationship, ProcedureLine, Session, StandardCharge
from common import clock
from common.errors import DomainError
from common.states import move
from people.models import Client, Provider

EARLIEST, LATEST = timedelta(days=90), timedelta(days=366)
"""How far back and ahead of today a provider may book."""


class ClientPaused(DomainError):
    """The client's account is paused: nothing can be booked or confirmed until it resumes."""


class SessionRefused(DomainError):
    """The session cannot be booked or confirmed as asked."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure to be booked: CPT code, modifiers, units."""

    cpt: str
    modifiers: tuple[str, ...] = field(default=())
    units: int = 1


def _refuse_paused(client: Client) -> None:
    if client.paused_since is not None:
        raise ClientPaused(
            _("%(name)s's account is paused. Sessions can be booked and confirmed again when it resumes.")
            % {"name": client.first_name}
        )


@transaction.atomic
def schedule_session(
    *,
    client: Client,
    provider: Provider,
    starts_at: datetime,
    procedures: Sequence[Procedure],
    diagnoses: Sequence[str],
    place: str = Session.Place.OFFICE,
    minutes: int = 53,
) -> Session:
    """Book one appointment and put the client on the provider's caseload.

    Raises :class:`ClientPaused`, or :class:`SessionRefused` for a procedure without a charge, no diagnosis, or a second
    session at the same moment.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    _refuse_paused(client)
    if not procedures or not diagnoses:
        raise SessionRefused(_("A session needs at least one procedure and one diagnosis."))
    session = Session(
        client=client, provider=provider, starts_at=starts_at, place=place, minutes=minutes, diagnoses=list(diagnoses)
    )
    try:
        with transaction.atomic():
            session.save()
    except IntegrityError as error:
        raise SessionRefused(_("There is already a session with this client at that time.")) from error
    for number, procedure in enumerate(procedures, start=1):
        charge = StandardCharge.on(procedure.cpt, session.date)
        if charge is None:
            raise SessionRefused(
                _("Procedure %(cpt)s has no charge on %(date)s.") % {"cpt": procedure.cpt, "date": session.date}
            )
        ProcedureLine.objects.create(
            session=session,
            number=number,
            cpt=procedure.cpt,
            modifiers=list(procedure.modifiers),
            units=procedure.units,
            charge=charge.amount * procedure.units,
        )
    CareRelationship.objects.get_or_create(
        client=client, provider=provider, ended_on=None, defaults={"began_on": min(clock.today(), session.date)}
    )
    return session


@transaction.atomic
def confirm_session(*, session: Session) -> Session:
    """Mark that the session took place. Confirming twice changes nothing.

    Raises :class:`ClientPaused`; :class:`SessionRefused` when it lies in the future or was cancelled.
    Locks the client before the session: a pause and a confirmation cannot pass each other.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=session.client_id)
    session = Session.objects.select_for_update(no_key=True).get(pk=session.pk)
    if session.status == Session.Status.CONFIRMED:
        return session
    _refuse_paused(client)
    if session.status != Session.Status.SCHEDULED:
        raise SessionRefused(_("This session was cancelled, so it cannot be confirmed."))
    if session.date > clock.today():
        raise SessionRefused(_("This session has not taken place yet. Confirm it on the day or after."))
    move(session, Session.STATUSES, Session.Status.CONFIRMED, confirmed_at=clock.now())
    return session


def cancel_session(*, session: Session) -> Session:
    """Cancel a booked session. Raises ``IllegalTransition`` once it is confirmed."""
    move(session, Session.STATUSES, Session.Status.CANCELLED)
    return session


def void_session(*, session: Session) -> Session:
    """Take a confirmation back: the session did not take place as it was confirmed. Voiding twice changes nothing.

    Its money and claims are the caller's. Raises ``IllegalTransition`` for a session that was never confirmed.
    """
    move(session, Session.VOIDING, Session.Status.CANCELLED, confirmed_at=None)
    return session
