"""Where providers are paid: entered by themselves, used after a while, and told to them by e-mail when it changes."""

import re
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from billing.domain.nacha import routing_number_is_valid
from billing.models import ProviderBankAccount, ProviderPayout
from common import clock
from common.errors import BadInput, DomainError
from notifications import messages, outbox
from people.models import Provider

log = structlog.get_logger(__name__)

WAIT = timedelta(days=2)
"""How long an account is on file before a payout goes there: time for its owner to read the e-mail and object."""

_HOLDER = re.compile(r"[A-Za-z0-9 .,'&/-]{2,22}")
_NUMBER = re.compile(r"\d{4,17}")


class NoBankAccount(DomainError):
    """There is no bank account to remove."""


def current(provider: Provider) -> ProviderBankAccount | None:
    """The account on file, whether it is used already or not."""
    return ProviderBankAccount.objects.filter(provider=provider, removed_at=None).first()


def usable(provider: Provider, at: datetime) -> ProviderBankAccount | None:
    """The account that a payout of ``at`` goes to: the newest one that was on file for two days.

    One that another took the place of sooner, because its owner objected, is never paid to; nor is one that support
    removed, or one before it. ``None`` while there is none, and when the bank has sent a payout back from it: that
    account has to be entered anew.
    """
    account = current(provider)
    until = at
    while account is not None and used_from(account) > until:
        until = account.created_at
        account = ProviderBankAccount.objects.filter(provider=provider, removed_at=until).first()
    if account is None or bank_refused(account):
        return None
    return account


def bank_refused(account: ProviderBankAccount) -> bool:
    """Whether the bank has sent back what was paid to this account."""
    returned = ProviderPayout.objects.filter(bank_account=account, state=ProviderPayout.State.RETURNED)
    return any(not payout.was_held_back for payout in returned.select_related("run"))


def used_from(account: ProviderBankAccount) -> datetime:
    """From when on payouts go to an account."""
    moment: datetime = account.created_at + WAIT
    return moment


@transaction.atomic
def enter(
    *, provider: Provider, holder: str, kind: str, routing_number: str, account_number: str
) -> ProviderBankAccount:
    """Put an account on file in the place of the one before, and tell the provider by e-mail.

    The same account again changes nothing, except after the bank refused it. Raises ``BadInput`` naming the field.
    """
    provider = Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    holder = " ".join(holder.split())
    if not _HOLDER.fullmatch(holder):
        raise BadInput(
            _("Please write the name as the bank knows it: 2 to 22 letters, digits and simple signs, without accents."),
            "holder",
        )
    if kind not in ProviderBankAccount.Kind.values:
        raise BadInput(_("Please choose checking or savings."), "kind")
    if not routing_number_is_valid(routing_number):
        raise BadInput(
            _("This is not a routing number. It has nine digits, and one of them seems to be mistyped."),
            "routing_number",
        )
    if not _NUMBER.fullmatch(account_number):
        raise BadInput(_("An account number has 4 to 17 digits."), "account_number")
    before, now = current(provider), clock.now()
    if before is not None:
        same = (before.holder, before.kind, before.routing_number, before.account_number) == (
            holder, kind, routing_number, account_number,
        )  # fmt: skip
        if same and not bank_refused(before):
            return before
        ProviderBankAccount.objects.filter(pk=before.pk).update(removed_at=now)
    account = ProviderBankAccount.objects.create(
        provider=provider,
        holder=holder,
        kind=kind,
        routing_number=routing_number,
        account_number=account_number,
        last4=account_number[-4:],
        # One moment for both: by it an account that was replaced is told from one that support removed.
        created_at=now,
    )
    log.info("bank_account_entered", provider=provider.pk, account=account.pk, before=before.pk if before else None)
    outbox.enqueue(
        messages.BankAccountChanged(
            provider_name=str(provider),
            last4=account.last4,
            first=before is None,
            used_from=clock.business_date(used_from(account)),
            url=f"{settings.PUBLIC_URL}/provider/earnings/bank-account/",
        ),
        to=provider.email,
        recipient=provider.user,
        key=f"bank_account:{account.pk}",
    )
    return account


@transaction.atomic
def remove(account: ProviderBankAccount) -> None:
    """Take an account off file: nothing more is paid to it, nor to the one before it. Removing it twice is harmless.

    Raises :class:`NoBankAccount` for one that another has taken the place of.
    """
    Provider.objects.select_for_update(no_key=True).get(pk=account.provider_id)
    if not ProviderBankAccount.objects.filter(pk=account.pk, removed_at=None).update(removed_at=clock.now()):
        raise NoBankAccount(_("This account is not on file any more."))
    log.info("bank_account_removed", provider=account.provider_id, account=account.pk)
