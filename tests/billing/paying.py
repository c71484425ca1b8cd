"""Providers with earnings and bank accounts, and the days on which payouts happen."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from billing.ledger.posting import Book, Posting, post
from billing.models import PayoutRun, ProviderBankAccount, ProviderEarning, ProviderPayout
from billing.services import bank_accounts, books, payouts
from care.models import Session
from common import clock
from people.models import Provider
from tests.cast import Cast

D = Decimal
ROUTING = "123456780"


@contextmanager
def on(day: date, hour: int = 12) -> Iterator[None]:
    """Live at noon in New York on ``day``."""
    with clock.as_of(datetime.combine(day, time(hour), tzinfo=clock.BUSINESS_ZONE)):
        yield


_minutes = iter(range(1_000_000))


def earn(cast: Cast, amount: str | Decimal, *, provider: Provider | None = None) -> ProviderEarning:
    """One session confirmed now, as far as its provider's pay is concerned."""
    provider = provider or cast.cole
    session = Session.objects.create(
        client=cast.ana,
        provider=provider,
        starts_at=clock.now() - timedelta(hours=2, minutes=next(_minutes)),
        diagnoses=["F41.1"],
        status=Session.Status.CONFIRMED,
        confirmed_at=clock.now(),
    )
    earning = ProviderEarning.objects.create(
        session=session, provider=provider, coverage=cast.own_plan, amount=D(amount)
    )
    post(
        key=f"earning:{session.pk}",
        memo="earning",
        occurred_on=session.date,
        lines=[
            Posting(Book.PROVIDER_COST, D(amount), session=session.pk, provider=provider.pk),
            Posting(Book.PROVIDER_PAYABLE, -D(amount), session=session.pk, provider=provider.pk),
        ],
    )
    return earning


def account(provider: Provider, number: str = "000123456789", kind: str = "checking") -> ProviderBankAccount:
    return bank_accounts.enter(
        provider=provider, holder="Maya Cole", kind=kind, routing_number=ROUTING, account_number=number
    )


def run_on(day: date) -> PayoutRun | None:
    """What the sweep of that day does about payouts; the run it put together."""
    with on(day):
        run = payouts.open_due()
        for each in PayoutRun.objects.filter(state=PayoutRun.State.OPEN):
            payouts.put_together(each.pk)
    if run is not None:
        run.refresh_from_db()
    return run


def paid(provider: Provider) -> list[tuple[str, Decimal]]:
    """State and amount of each payout, oldest first."""
    return list(ProviderPayout.objects.filter(provider=provider).order_by("pk").values_list("state", "amount"))


PAYOUT_CHECKS = [
    each
    for each in books.CHECKS
    if each.name
    in (
        "entries_balance",
        "payouts_are_their_lines",
        "payouts_are_booked",
        "nothing_earned_is_paid_twice",
        "providers_are_owed_what_is_unpaid",
    )
]


def broken() -> list[str]:
    """What of the payouts' invariants does not hold."""
    return [f"{each.check.name}: {each.examples}" for each in books.run(PAYOUT_CHECKS) if each.violations]
