"""What sessions earn their provider: the first plan's contracted rate at confirmation, and every later change of it.

An earning stays as it was posted. What changes it is a line of its own, with a reason the provider reads.
"""

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from billing.ledger.posting import Book, Posting, post
from billing.models import EarningAdjustment, ProviderEarning
from care.models import Session
from common import clock
from common.errors import BadInput, DomainError
from common.money import ZERO, dollars
from insurance.services.network import rates, why_no_rate
from people.models import Client, User


class NothingToAdjust(DomainError):
    """The session has earned nothing, or what it earned is right."""


def earned(session: Session) -> Decimal:
    """What a session has earned its provider so far, with every change, in dollars."""
    return earned_of([session.pk]).get(session.pk, ZERO)


def earned_of(sessions: Iterable[int]) -> dict[int, Decimal]:
    """:func:`earned` of many sessions by id, in two queries; those never confirmed are left out."""
    ids = list(sessions)
    found = dict(ProviderEarning.objects.filter(session__in=ids).order_by().values_list("session", "amount"))
    changes = (
        EarningAdjustment.objects.filter(session__in=ids)
        .order_by()
        .values_list("session")
        .annotate(total=Sum("amount"))
    )
    for session, change in changes:
        found[session] = found.get(session, ZERO) + change
    return found


@transaction.atomic
def adjust(
    session: Session, amount: Decimal, *, reason: str, note: str = "", by: User | None = None
) -> EarningAdjustment:
    """Add ``amount`` (signed dollars) to what a confirmed session earned, and book it.

    ``reason`` is one of :class:`EarningAdjustment.Reason`; ``note`` is read by the provider. The next payout run takes
    it in, or carries it over while it outweighs what the provider is owed. Raises :class:`NothingToAdjust`, and
    ``BadInput`` when less than nothing would be left.
    """
    # Two changes at once would each be worked out from what the other has not changed yet.
    Client.objects.select_for_update(no_key=True).get(pk=session.client_id)
    earning = ProviderEarning.objects.filter(session=session).first()
    if earning is None or amount == ZERO:
        raise NothingToAdjust(_("There is no earning of this session to change."))
    if earned(session) + amount < ZERO:
        raise BadInput(_("More would be taken back than the session has earned."), "amount")
    row = EarningAdjustment.objects.create(
        provider_id=earning.provider_id, session=session, amount=amount, reason=reason, note=note[:300], by=by
    )
    post(
        key=f"earning_adjustment:{row.pk}",
        memo=f"Session {session.pk}: earning changed ({row.reason})",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.PROVIDER_COST, amount, session=session.pk, provider=earning.provider_id),
            Posting(Book.PROVIDER_PAYABLE, -amount, session=session.pk, provider=earning.provider_id),
        ],
    )
    return row


@transaction.atomic
def follow_the_rate(earning: ProviderEarning, *, by: User, note: str) -> EarningAdjustment:
    """Bring what a session earned to what the first plan's contract says of it today, after either was corrected.

    The contract is that of the plan the session was confirmed under, for the provider's licence, the procedures and
    the date of service. Raises :class:`NothingToAdjust` when there is no rate, or the earning agrees with it, or the
    session was voided.
    """
    session = earning.session
    Client.objects.select_for_update(no_key=True).get(pk=session.client_id)
    session = Session.objects.select_related("provider").get(pk=session.pk)
    if session.status != Session.Status.CONFIRMED:
        raise NothingToAdjust(_("The session was voided: it earns nothing."))
    payer = earning.coverage.payer
    rate = rates(payer=payer, sessions=[session])[session.pk]
    if rate is None:
        raise NothingToAdjust(why_no_rate(payer=payer, session=session))
    difference = rate - earned(session)
    if difference == ZERO:
        raise NothingToAdjust(_("The session has earned %(amount)s, as the contract says.") % {"amount": dollars(rate)})
    return adjust(session, difference, reason=EarningAdjustment.Reason.RATE, note=note, by=by)


def take_back(session: Session, *, reason: str, note: str, by: User) -> EarningAdjustment | None:
    """The session earns nothing: what it earned so far, taken back. ``None`` when that is nothing already.

    The caller holds the client's lock.
    """
    total = earned(session)
    return adjust(session, -total, reason=reason, note=note, by=by) if total else None
