"""What we do not ask of a client: decided by support, taken back by support or when the session came to cost less."""

from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from billing.ledger.posting import Book, Posting, post
from billing.models import WriteOff
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from common.errors import BadInput, DomainError
from common.money import ZERO, dollars
from notifications import messages, outbox
from people.models import Client, User

REASONS = [choice for choice in WriteOff.Reason.choices if choice[0] != WriteOff.Reason.TAKEN_BACK]


class NothingToTakeBack(DomainError):
    """The write-off is taken back already."""


def in_force(session: Session) -> Decimal:
    """What we do not ask for a session, in dollars."""
    total: Decimal | None = session.write_offs.aggregate(total=Sum("amount"))["total"]
    return total if total is not None else ZERO


def left_of(write_off: WriteOff) -> Decimal:
    """What of one write-off still holds, in dollars."""
    taken: Decimal | None = write_off.taken_back.aggregate(total=Sum("amount"))["total"]
    amount: Decimal = write_off.amount
    return amount + taken if taken is not None else amount


def may_be_written_off(session: Session) -> Decimal:
    """What is open for a session and not being paid, in dollars; also what is too little for a card."""
    now = session_balance(session)
    return now.due + now.carried


@transaction.atomic
def write_off(session: Session, amount: Decimal, *, reason: str, note: str, by: User) -> WriteOff:
    """Ask no more for ``amount`` dollars of what is due for a session.

    Raises ``BadInput`` naming ``amount`` (not above zero, part of a cent, more than is due), ``reason`` or ``note``.
    """
    if reason not in dict(REASONS):
        raise BadInput(_("Please choose why."), "reason")
    if not note.strip():
        raise BadInput(_("Please write why. It is kept with the change."), "note")
    if amount <= ZERO or amount != amount.quantize(Decimal("0.01")):
        raise BadInput(_("Please give an amount above zero, in dollars and cents."), "amount")
    Client.objects.select_for_update(no_key=True).get(pk=session.client_id)
    due = may_be_written_off(session)
    if amount > due:
        raise BadInput(
            _("That is more than the client has to pay for this session: %(due)s.") % {"due": dollars(due)}, "amount"
        )
    return _write(session, amount, reason=reason, note=note.strip(), by=by)


@transaction.atomic
def take_back(row: WriteOff, *, note: str, by: User) -> WriteOff:
    """Ask for it after all; the client is told by e-mail. Raises :class:`NothingToTakeBack` the second time."""
    client = Client.objects.select_for_update(no_key=True).get(pk=row.session.client_id)
    left = left_of(row) if row.takes_back_id is None else ZERO
    if left == ZERO:
        raise NothingToTakeBack(_("This is taken back already."))
    taken = _write(row.session, -left, reason=WriteOff.Reason.TAKEN_BACK, note=note.strip(), by=by, of=row)
    due = session_balance(row.session).due
    if due > ZERO:
        outbox.enqueue(
            messages.PayNow(
                client_name=client.called,
                session_date=row.session.date,
                amount=due,
                url=f"{settings.PUBLIC_URL}/appointments/past/",
            ),
            to=client.email,
            recipient=client.user,
            key=f"pay_now:write_off:{taken.pk}",
        )
    return taken


def trim(session: Session) -> None:
    """Of a session that costs less than is paid and written off, the write-off goes first: only money is given back.

    The newest write-off first; repeating it adds nothing. The caller holds the client's lock.
    """
    too_much = session_balance(session).to_refund
    if too_much == ZERO:
        return
    for row in session.write_offs.filter(takes_back=None).order_by("-pk"):
        part = min(too_much, left_of(row))
        if part > ZERO:
            why = _("The session came to cost less: so much need not be written off.")
            _write(session, -part, reason=WriteOff.Reason.TAKEN_BACK, note=why, by=row.by, of=row)
            too_much -= part


def _write(
    session: Session, amount: Decimal, *, reason: str, note: str, by: User, of: WriteOff | None = None
) -> WriteOff:
    row = WriteOff.objects.create(session=session, amount=amount, reason=reason, note=note[:300], by=by, takes_back=of)
    client = session.client_id
    post(
        key=f"write_off:{row.pk}",
        memo=f"Session {session.pk}: {row.get_reason_display()}",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.CLIENT_WRITE_OFF, amount, client=client, session=session.pk),
            Posting(Book.CLIENT_RECEIVABLE, -amount, client=client, session=session.pk),
        ],
    )
    return row
