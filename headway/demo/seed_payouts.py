"""How the demo's providers were paid: bank accounts, and the runs of every half month that is over."""

from datetime import date, datetime, timedelta

from django.conf import settings

from billing.models import PayoutRun
from billing.services import bank_accounts, payouts
from common import clock
from headway.demo.seed_people import THERAPISTS
from headway.demo.seed_year import GIVEN_OUT, local
from notifications import outbox
from notifications.models import Email
from people.models import Provider, User

ROUTING_NUMBER = "123456780"
"""Of a bank that does not exist, with a check digit that holds."""

KINDS = ("bank_account_changed", "payout_sent", "payout_needs_account")
"""E-mails that are sent here."""

WITHOUT_ACCOUNT = THERAPISTS[-1]
"""Has not told us a bank account: the pay is kept."""


def pay(*, first_day: date, by: User) -> None:
    """Play the payouts of the demo's time, after everything else of it has happened.

    Every run was sent by ``by`` on the banking day after it was put together; one so new that this is still to come
    waits on the desk.
    """
    now = clock.now()
    with clock.as_of(local(first_day, 8)):
        for place, each in enumerate(THERAPISTS):
            if each != WITHOUT_ACCOUNT:
                _open_account(each.npi, place)
        _deliver(now)
    through = payouts.period_end(first_day)
    while (morning := local(through + timedelta(days=1), 7)) < now:
        with clock.as_of(morning):
            run = payouts.open_due()
            if run is not None:
                payouts.put_together(run.pk)
        if run is not None:
            _send(run, by, now)
        through = payouts.period_end(through + timedelta(days=1))


def _open_account(npi: str, place: int) -> None:
    provider = Provider.objects.get(npi=npi)
    bank_accounts.enter(
        provider=provider,
        holder=provider.full_name[:22],
        kind="checking",
        routing_number=ROUTING_NUMBER,
        account_number=f"{4000123400 + 17 * place}",
    )


def _send(run: PayoutRun, by: User, now: datetime) -> None:
    moment = local(clock.add_business_days(run.through + timedelta(days=1), 1), 10)
    run.refresh_from_db()
    if moment < now and payouts.can_be_sent(run):
        with clock.as_of(moment):
            payouts.send(run, trace=f"HVB{run.through:%y%m%d}", by=by)
            _deliver(now)


def _deliver(now: datetime) -> None:
    """Mail of long ago was delivered then, to no one; that of the last days lies in the mailbox."""
    waiting = Email.objects.filter(state=Email.State.QUEUED, next_attempt_at__lte=clock.now(), kind__in=KINDS)
    before = settings.EMAIL_BACKEND
    if clock.now() < now - GIVEN_OUT:
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    try:
        for pk in list(waiting.order_by("pk").values_list("pk", flat=True)):
            outbox.deliver(pk)
    finally:
        settings.EMAIL_BACKEND = before
