"""Payout runs: twice a month everything owed to providers is put together, looked at by support, and paid.

What is owed is a query: earnings and adjustments that no payout holds. A run takes those posted up to and with its last
day, provider by provider, so that whoever dies half-way leaves a run that the next sweep finishes.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import structlog
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from encrypted_fields.fields import EncryptedTextField

from billing.domain import nacha
from billing.ledger.posting import Book, Posting, find, post, reverse
from billing.models import (
    EarningAdjustment,
    PayoutLine,
    PayoutRun,
    ProviderBankAccount,
    ProviderEarning,
    ProviderPayout,
)
from billing.services import bank_accounts
from common import clock
from common.errors import DomainError
from common.money import ZERO
from common.states import move
from notifications import messages, outbox
from people.models import Provider, User

log = structlog.get_logger(__name__)

PAID_AFTER = 5
"""Banking days from the last day of a period to the day on which providers have the money."""

BANK_NEEDS = 2
"""Banking days that the bank needs at least between our file and the money's arrival."""


class RunNotReady(DomainError):
    """The run cannot be sent, written anew or changed as it stands."""


# --- Days -------------------------------------------------------------------------------------------------------------


def period_end(day: date) -> date:
    """The last day of the half month that ``day`` lies in: the 15th, or the month's last day."""
    if day.day <= 15:
        return day.replace(day=15)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def last_period_end(day: date) -> date:
    """The last day of the newest half month that is over on ``day``."""
    if day.day > 15:
        return day.replace(day=15)
    return day.replace(day=1) - timedelta(days=1)


def pay_day(through: date, today: date) -> date:
    """When a run's money arrives: five banking days after the period, and never sooner than the bank can do it."""
    return max(clock.add_business_days(through, PAID_AFTER), clock.add_business_days(today, BANK_NEEDS))


def next_pay_day(today: date) -> date:
    """When what is earned today is paid, if nothing holds it up."""
    return clock.add_business_days(period_end(today), PAID_AFTER)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=clock.BUSINESS_ZONE)


# --- What is owed -----------------------------------------------------------------------------------------------------


class Unpaid(NamedTuple):
    """What no payout holds yet, oldest first."""

    earnings: "QuerySet[ProviderEarning]"
    adjustments: "QuerySet[EarningAdjustment]"

    def of(self, provider: Provider) -> "Unpaid":
        return Unpaid(self.earnings.filter(provider=provider), self.adjustments.filter(provider=provider))

    def total(self) -> Decimal:
        """In dollars; below zero when more was taken back than earned."""
        sums = [rows.aggregate(total=Sum("amount"))["total"] for rows in self]
        return sum((each for each in sums if each is not None), ZERO)

    def __bool__(self) -> bool:
        return any(rows.exists() for rows in self)


def unpaid(through: date | None = None) -> Unpaid:
    """Everything that no payout holds; with ``through`` only what was posted up to and with that day."""
    earnings = ProviderEarning.objects.filter(payout_line=None).order_by("pk")
    adjustments = EarningAdjustment.objects.filter(payout_line=None).order_by("pk")
    if through is not None:
        earnings = earnings.filter(created_at__lt=_end_of(through))
        adjustments = adjustments.filter(created_at__lt=_end_of(through))
    return Unpaid(earnings, adjustments)


# --- Put together by the sweep ----------------------------------------------------------------------------------------


def open_due() -> PayoutRun | None:
    """Begin the run of the half month that ended last, once; ``None`` when it is there, or nobody is owed anything."""
    through = last_period_end(clock.today())
    if PayoutRun.objects.filter(through=through).exists() or not unpaid(through):
        return None
    run, _created = PayoutRun.objects.get_or_create(
        through=through, defaults={"pay_on": pay_day(through, clock.today())}
    )
    return run


def put_together(run_id: int) -> None:
    """Take into a run what each provider is owed, then write the bank's file and seal it.

    Each provider is one transaction: a worker that dies leaves the run open, and whoever comes next goes on. Two
    workers, or two runs, take turns at a provider, and the second one finds nothing left.
    """
    run = PayoutRun.objects.get(pk=run_id)
    if run.state != PayoutRun.State.OPEN:
        return
    owed = unpaid(run.through)
    ids = {pk for rows in owed for pk in rows.order_by().values_list("provider", flat=True).distinct()}
    for provider_id in sorted(ids):
        _take_in(run_id, provider_id)
    _seal(run_id)


@transaction.atomic
def _take_in(run_id: int, provider_id: int) -> ProviderPayout | None:
    """What one provider gets in a run; nothing when less than nothing is owed, or there is no account to pay to."""
    run = PayoutRun.objects.select_for_update(no_key=True).get(pk=run_id)
    provider = Provider.objects.select_for_update(no_key=True).get(pk=provider_id)
    if run.state != PayoutRun.State.OPEN or run.payouts.filter(provider=provider).exists():
        return None
    owed = unpaid(run.through).of(provider)
    earnings, adjustments = list(owed.earnings), list(owed.adjustments)
    total = sum([each.amount for each in earnings] + [each.amount for each in adjustments], ZERO)
    if total <= ZERO:
        return None
    account = bank_accounts.usable(provider, clock.now())
    if account is None:
        _ask_for_account(run, provider, total)
        return None
    payout = ProviderPayout.objects.create(run=run, provider=provider, bank_account=account, amount=total)
    PayoutLine.objects.bulk_create(
        [PayoutLine(payout=payout, earning=each, amount=each.amount) for each in earnings]
        + [PayoutLine(payout=payout, adjustment=each, amount=each.amount) for each in adjustments]
    )
    return payout


def _ask_for_account(run: PayoutRun, provider: Provider, amount: Decimal) -> None:
    outbox.enqueue(
        messages.PayoutNeedsAccount(
            provider_name=str(provider), amount=amount, url=f"{settings.PUBLIC_URL}/provider/earnings/bank-account/"
        ),
        to=provider.email,
        recipient=provider.user,
        key=f"payout_needs_account:{run.pk}:{provider.pk}",
    )


@transaction.atomic
def _seal(run_id: int) -> None:
    run = PayoutRun.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.state == PayoutRun.State.OPEN:
        _write(run)
        move(run, PayoutRun.STATES, PayoutRun.State.SEALED)
        log.info("payout_run_sealed", run=run.pk, payouts=run.payouts.count())


# --- The bank's file --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _cipher() -> Fernet | MultiFernet:
    """The file holds every account number, so it is kept as they are: encrypted, under the same keys."""
    cipher: Fernet | MultiFernet = EncryptedTextField().f
    return cipher


def company() -> nacha.Company:
    """Who pays, as the bank knows us."""
    return nacha.Company(
        name=settings.ORG_NAME,
        company_id=settings.ACH_COMPANY_ID,
        bank_name=settings.ACH_BANK_NAME,
        routing_number=settings.ACH_ROUTING_NUMBER,
    )


def _write(run: PayoutRun) -> None:
    """Write the bank's file of what the run pays, read it back, and keep it. The caller holds the run's lock."""
    rows = list(run.payouts.filter(state=ProviderPayout.State.CREATED).select_related("bank_account").order_by("pk"))
    pay_on = pay_day(run.through, clock.today())
    raw: bytes | None = None
    if rows:
        now = clock.now().astimezone(clock.BUSINESS_ZONE)
        raw = nacha.build(
            [_credit(each) for each in rows],
            company=company(),
            created=now.replace(tzinfo=None, second=0, microsecond=0),
            pay_on=pay_on,
            modifier=_modifier(run, now.date()),
        )
        # What the bank would refuse, or misread, is found here and not there.
        if nacha.read(raw).total != sum((each.amount for each in rows), ZERO):
            raise ValueError(f"payout run {run.pk}: the file does not add up to the payouts")
    PayoutRun.objects.filter(pk=run.pk).update(pay_on=pay_on, nacha=_cipher().encrypt(raw) if raw else None)
    run.refresh_from_db()


def _credit(payout: ProviderPayout) -> nacha.Credit:
    account = payout.bank_account
    return nacha.Credit(
        routing_number=account.routing_number,
        account_number=account.account_number,
        savings=account.kind == ProviderBankAccount.Kind.SAVINGS,
        amount=payout.amount,
        reference=f"PAYOUT {payout.pk}",
        name=account.holder,
    )


def _modifier(run: PayoutRun, day: date) -> str:
    """The letter that tells a day's files apart: the next one after those written today."""
    written = [read_file(each) for each in PayoutRun.objects.filter(nacha__isnull=False).order_by("-pk")[:4]]
    today = [each.modifier for each in written if each is not None and each.created.date() == day]
    return chr(ord(max(today)) + 1) if today and max(today) < "Z" else "A"


def file_of(run: PayoutRun) -> bytes | None:
    """The bank's file as it was written; ``None`` while there is none, or when the run pays nobody."""
    return _cipher().decrypt(bytes(run.nacha)) if run.nacha is not None else None


def read_file(run: PayoutRun) -> nacha.AchFile | None:
    """:func:`file_of`, read back and checked."""
    raw = file_of(run)
    return nacha.read(raw) if raw is not None else None


@transaction.atomic
def write_anew(run: PayoutRun) -> None:
    """Write the file of a run that was not sent yet with the day as of now and the accounts that may be used as of now.

    Raises :class:`RunNotReady`.
    """
    run = _ready(run)
    for payout in run.payouts.filter(state=ProviderPayout.State.CREATED).select_related("provider", "bank_account"):
        account = bank_accounts.usable(payout.provider, clock.now())
        if account is None:
            _hold_back(payout, _("There is no bank account to pay to any more."), by=None)
        elif account.pk != payout.bank_account_id:
            ProviderPayout.objects.filter(pk=payout.pk).update(bank_account=account)
    _write(run)


def can_be_sent(run: PayoutRun) -> bool:
    """Whether a run waits for the bank to take its file."""
    return run.state == PayoutRun.State.SEALED and run.nacha is not None


def _ready(run: PayoutRun) -> PayoutRun:
    locked = PayoutRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if locked.state != PayoutRun.State.SEALED:
        raise RunNotReady(_("This run is not waiting to be sent."))
    return locked


# --- Sent, held back, returned ----------------------------------------------------------------------------------------


@transaction.atomic
def send(run: PayoutRun, *, trace: str, by: User) -> None:
    """The bank has taken the file, under the reference ``trace``: every payout is booked, and its provider told.

    Raises :class:`RunNotReady`.
    """
    run = _ready(run)
    rows = list(
        run.payouts.filter(state=ProviderPayout.State.CREATED)
        .select_related("provider__user", "bank_account")
        .order_by("pk")
    )
    if not rows:
        raise RunNotReady(_("This run pays nobody, so there is nothing to send."))
    if run.pay_on <= clock.today():
        raise RunNotReady(_("The day in the file is over. Write the file anew, and give the bank the new one."))
    for payout in rows:
        move(payout, ProviderPayout.STATES, ProviderPayout.State.SENT)
        _book(payout)
        _tell_sent(payout, run)
    move(run, PayoutRun.STATES, PayoutRun.State.SENT, trace=trace.strip()[:40], sent_at=clock.now(), sent_by=by)
    log.info("payout_run_sent", run=run.pk, payouts=len(rows), by=by.pk)


def _book(payout: ProviderPayout) -> None:
    post(
        key=f"payout:{payout.pk}",
        memo=f"Payout {payout.pk} to provider {payout.provider_id}",
        occurred_on=clock.today(),
        lines=[
            Posting(Book.PROVIDER_PAYABLE, payout.amount, provider=payout.provider_id),
            Posting(Book.BANK, -payout.amount, provider=payout.provider_id),
        ],
    )


def _tell_sent(payout: ProviderPayout, run: PayoutRun) -> None:
    outbox.enqueue(
        messages.PayoutSent(
            provider_name=str(payout.provider),
            amount=payout.amount,
            pay_on=run.pay_on,
            last4=payout.bank_account.last4,
            url=f"{settings.PUBLIC_URL}/provider/earnings/payouts/{payout.pk}/",
        ),
        to=payout.provider.email,
        recipient=payout.provider.user,
        key=f"payout_sent:{payout.pk}",
    )


@transaction.atomic
def hold_back(payout: ProviderPayout, *, reason: str, by: User) -> None:
    """Leave a payout out of a run that was not sent yet; what it held is owed again. Raises :class:`RunNotReady`."""
    run = _ready(payout.run)
    payout.refresh_from_db()
    if payout.state != ProviderPayout.State.CREATED:
        raise RunNotReady(_("This payout is held back already."))
    _hold_back(payout, reason, by=by)
    _write(run)


def _hold_back(payout: ProviderPayout, reason: str, *, by: User | None) -> None:
    _give_up(payout, reason, _("Held back: %(reason)s") % {"reason": reason}, by)


@transaction.atomic
def mark_returned(payout: ProviderPayout, *, reason: str, by: User) -> None:
    """The bank has sent a payout back: the books have the money again, and it is owed to the provider again.

    Marking it twice is harmless. Raises :class:`RunNotReady` for one that was never sent.
    """
    payout = ProviderPayout.objects.select_for_update(no_key=True, of=("self",)).get(pk=payout.pk)
    if payout.state == ProviderPayout.State.RETURNED:
        return
    if payout.state != ProviderPayout.State.SENT:
        raise RunNotReady(_("This payout was not sent yet. It can be held back instead."))
    reverse(find(f"payout:{payout.pk}"), memo=f"Payout {payout.pk} was sent back", occurred_on=clock.today())
    _give_up(payout, reason, _("The bank sent it back: %(reason)s") % {"reason": reason}, by)
    outbox.enqueue(
        messages.PayoutReturned(
            provider_name=str(payout.provider),
            amount=payout.amount,
            url=f"{settings.PUBLIC_URL}/provider/earnings/bank-account/",
        ),
        to=payout.provider.email,
        recipient=payout.provider.user,
        key=f"payout_returned:{payout.pk}",
    )


def _give_up(payout: ProviderPayout, reason: str, note: str, by: User | None) -> None:
    """What a payout held is owed again, as one line of the next one: its own lines stay as they are.

    Nothing is posted for that line: the books owe it since the payout's entry was reversed, or never stopped owing it.
    """
    move(
        payout,
        ProviderPayout.STATES,
        ProviderPayout.State.RETURNED,
        return_reason=reason[:100],
        returned_at=clock.now(),
    )
    EarningAdjustment.objects.create(
        provider_id=payout.provider_id,
        amount=payout.amount,
        reason=EarningAdjustment.Reason.RETURNED,
        note=note[:300],
        by=by,
    )


# --- Read -------------------------------------------------------------------------------------------------------------


def with_totals(runs: "QuerySet[PayoutRun]") -> "QuerySet[PayoutRun]":
    """Runs with ``count`` and ``total`` of what they pay, or paid, to providers; without the bank's files.

    What was held back before a run was sent is in neither, as it is not in the file.
    """
    paid = Q(payouts__returned_at=None) | Q(payouts__returned_at__gte=F("sent_at"))
    count, total = Count("payouts", filter=paid), Sum("payouts__amount", filter=paid)
    return runs.defer("nacha").annotate(count=count, total=total)


def waiting(run: PayoutRun) -> list[tuple[Provider, Decimal, str]]:
    """Providers whom a run does not pay though it looked at something of theirs: what is open, and why, in words."""
    owed = unpaid(run.through)
    sums: dict[int, Decimal] = {}
    for rows in owed:
        for provider, total in rows.order_by().values_list("provider").annotate(total=Sum("amount")):
            sums[provider] = sums.get(provider, ZERO) + total
    found = Provider.objects.in_bulk(list(sums))
    return [
        (
            found[pk],
            total,
            _("No bank account that can be used yet.") if total > ZERO else _("More was taken back than earned."),
        )
        for pk, total in sorted(sums.items(), key=lambda each: str(found[each[0]]))
    ]


def lines(payout: ProviderPayout) -> list[PayoutLine]:
    """What a payout is made of, with the sessions behind it, in the order of their days; changes without one last."""
    rows = payout.lines.select_related(
        "earning__session__client", "earning__coverage__payer", "adjustment__session__client"
    )
    return in_order(rows)


def in_order(rows: Iterable[PayoutLine]) -> list[PayoutLine]:
    """By the session's day; what has no session comes last."""
    return sorted(rows, key=lambda each: (each.session.date if each.session else date.max, each.pk))
