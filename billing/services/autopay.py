"""Autopay: small balances are charged without being asked each time, each announced three days before.

The client turns it on, sets the most that may be charged at once, and can stop one charge or all of them. What is more
than the limit is asked for as always. Worked figures: ``docs/payment-plans.md``.
"""

from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.gateways.results import SMALLEST_CHARGE
from billing.models import Autopay, AutopayNotice, Dispute, FraudWarning, Payment, PaymentPart
from billing.services import payments
from billing.services.balances import session_balance
from billing.services.cards import default_card
from care.models import Session
from common import clock
from common.errors import BadInput, DomainError
from common.hurry import hurry
from common.money import dollars
from notifications import messages, outbox
from people.models import Client

TEXT_VERSION = "2026-11"
LEAST, MOST = Decimal("5.00"), Decimal("500.00")
"""Limits that make sense, in dollars."""

NOTICE_DAYS = 3


class NoAutopay(DomainError):
    """Autopay cannot be turned on."""


def consent_text(limit: Decimal | None = None) -> str:
    """The words of the consent; without a limit, as they stand on the page before one is typed."""
    most = dollars(limit) if limit is not None else _("the limit I set here")
    return _(
        "I allow %(product)s to charge the card I use for sessions by itself when, after my insurers have answered, "
        "something is left to pay for a session, up to %(most)s at once.\n\nI am told the amount and the day by e-mail "
        "at least 3 days before, and can stop that charge. A charge that is declined may be tried up to two more "
        "times. I can turn this off at any time."
    ) % {"product": settings.PRODUCT_NAME, "most": most}


def in_force(client: Client) -> Autopay | None:
    """The client's autopay, if it is on."""
    return Autopay.objects.filter(client=client, ended_at=None).first()


@transaction.atomic
def start(client: Client, *, limit: Decimal) -> Autopay:
    """Turn autopay on, or set another limit: a new consent then takes the old one's place. Again changes nothing.

    Raises ``BadInput`` for a limit out of bounds and :class:`NoAutopay` without a card.
    """
    if not LEAST <= limit <= MOST:
        words = _("Please choose a limit between %(least)s and %(most)s.")
        raise BadInput(words % {"least": dollars(LEAST), "most": dollars(MOST)}, "limit")
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    now = in_force(client)
    if now is not None and now.limit == limit:
        return now
    card = default_card(client)
    if card is None:
        raise NoAutopay(_("Autopay needs a card on file. Please add one first."))
    if now is not None:
        Autopay.objects.filter(pk=now.pk).update(ended_at=clock.now())
    begun = Autopay.objects.create(client=client, limit=limit, text_version=TEXT_VERSION, text=consent_text(limit))
    for notice in open_notices(client).filter(amount__gt=limit):
        cancel(notice, reason=_("It is more than the new limit."))
    outbox.enqueue(
        messages.AutopayOn(
            client_name=client.called, limit=limit, card=str(card), consent_text=begun.text, url=_page()
        ),
        to=client.email,
        recipient=client.user,
        key=f"autopay_on:{begun.pk}",
    )
    return begun


@transaction.atomic
def stop(client: Client) -> list[AutopayNotice]:
    """Turn autopay off; returns the announced charges that are called off by it. Again changes nothing."""
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    Autopay.objects.filter(client=client, ended_at=None).update(ended_at=clock.now())
    stopped = list(open_notices(client))
    for notice in stopped:
        cancel(notice, reason=_("Autopay was turned off."))
    return stopped


@transaction.atomic
def cancel(notice: AutopayNotice, *, reason: str) -> bool:
    """Call an announced charge off; its balance stays due. ``False`` when it is called off or charged already."""
    Client.objects.select_for_update(no_key=True).get(pk=notice.autopay.client_id)
    return bool(
        AutopayNotice.objects.filter(pk=notice.pk, payment=None, cancelled_at=None).update(
            cancelled_at=clock.now(), cancel_reason=reason[:200]
        )
    )


def open_notices(client: Client) -> QuerySet[AutopayNotice]:
    """The charges announced to the client and not made yet, the next one first."""
    return (
        AutopayNotice.objects.filter(autopay__client=client, payment=None, cancelled_at=None)
        .select_related("autopay", "session__provider", "session__client")
        .order_by("charge_on", "pk")
    )


def ask(session: Session, due: Decimal, *, cause: str) -> None:
    """Tell the client of a balance of ``due`` dollars: by autopay's announcement, or by asking for it.

    Once per ``cause`` (``"41"``: the cost that led here). The caller holds the client's lock.
    """
    client = session.client
    consent = in_force(client)
    for earlier in open_notices(client).filter(session=session):
        if earlier.amount == due and consent is not None:
            return
        cancel(earlier, reason=_("The amount has changed."))
    wanted = consent is not None and SMALLEST_CHARGE <= due <= consent.limit and default_card(client) is not None
    if consent is not None and wanted and not _was_doubted(session):
        _announce(consent, session, due)
        return
    above = consent.limit if consent is not None and due > consent.limit else None
    outbox.enqueue(
        messages.PayNow(
            client_name=client.called,
            session_date=session.date,
            amount=due,
            url=f"{settings.PUBLIC_URL}/appointments/past/?session={session.pk}",
            above_limit=above,
        ),
        to=client.email,
        recipient=client.user,
        key=f"pay_now:{cause}",
    )


def _was_doubted(session: Session) -> bool:
    """Whoever had a payment for the session taken back by their bank, or told it of fraud, is asked, and never charged
    unasked again."""
    payments_of = {"payment__parts__session": session}
    disputed = Dispute.objects.filter(**payments_of).exclude(state=Dispute.State.WARNING_CLOSED)
    return disputed.exists() or FraudWarning.objects.filter(**payments_of).exists()


def charge_day(today: date) -> date:
    """The business day on which a charge announced today is made: three whole days lie between."""
    day = today + timedelta(days=NOTICE_DAYS + 1)
    while not clock.is_business_day(day):
        day += timedelta(days=1)
    return day


def _announce(consent: Autopay, session: Session, due: Decimal) -> None:
    client = session.client
    notice = AutopayNotice.objects.create(
        autopay=consent, session=session, amount=due, charge_on=charge_day(clock.today())
    )
    outbox.enqueue(
        messages.AutopayComing(
            client_name=client.called,
            session_date=session.date,
            amount=due,
            charge_on=notice.charge_on,
            card=str(default_card(client)),
            reference=f"session {session.pk}",
            url=_page(),
        ),
        to=client.email,
        recipient=client.user,
        key=f"autopay_coming:{notice.pk}",
    )


def _page() -> str:
    return f"{settings.PUBLIC_URL}/payments/autopay/"


# --- The sweep --------------------------------------------------------------------------------------------------------


def to_charge() -> list[int]:
    """Announced charges whose day has come; none outside of charging hours."""
    if not payments.is_charging_hour():
        return []
    waiting = AutopayNotice.objects.filter(payment=None, cancelled_at=None, charge_on__lte=clock.today())
    return list(waiting.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def charge(notice_id: int) -> None:
    """Write the payment of an announced charge: what is due, at most what was announced. Two workers write one.

    Nothing due any more: it is called off. No card any more: the client is asked instead. While the client is in the
    middle of paying for the session, it waits.
    """
    client = Client.objects.get(autopays__notices=notice_id)
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    notice = open_notices(client).filter(pk=notice_id).first()
    if notice is None or payments.waiting_attempts(client, [notice.session_id]):
        return
    due = session_balance(notice.session).due
    amount = min(due, notice.amount)
    if amount < SMALLEST_CHARGE:
        cancel(notice, reason=_("Nothing was left to pay."))
        return
    card = default_card(client)
    if in_force(client) is None or card is None:
        cancel(notice, reason=_("No card was on file."))
        ask(notice.session, due, cause=f"notice:{notice.pk}")
        return
    payment = Payment.objects.create(client=client, card=card, purpose=Payment.Purpose.AUTOPAY, amount=amount)
    PaymentPart.objects.create(payment=payment, session=notice.session, amount=amount)
    AutopayNotice.objects.filter(pk=notice.pk).update(payment=payment)
    hurry("billing.tasks.charge", payment.pk)
