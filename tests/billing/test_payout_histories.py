"""Random histories of earning, changing, paying, holding back and returning: after each step the books owe exactly what
no payout holds, and in the end everything earned has been paid once."""

import os
from datetime import date, timedelta
from decimal import Decimal

import hypothesis.strategies as st
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings

from billing.ledger.posting import Book, balance
from billing.models import EarningAdjustment, PayoutLine, PayoutRun, ProviderEarning, ProviderPayout
from billing.services import bank_accounts, earnings, payouts
from common.hurry import unhurried
from tests.billing.paying import account, broken, earn, on, run_on
from tests.billing.test_adversity_crashes import Died, DiesAt
from tests.cast import Cast

D = Decimal
HISTORIES = int(os.environ.get("HISTORIES", "10"))
"""How many are tried; a long look is `HISTORIES=500 pytest tests/billing/test_payout_histories.py`."""


class History:
    """Dr. Cole's and Dr. Diaz' pay, day by day from September on."""

    def __init__(self, cast: Cast, data: st.DataObject) -> None:
        self.cast, self.data = cast, data
        self.day = date(2026, 9, 1)
        self.numbers = iter(range(10_000, 100_000))

    def _provider(self) -> object:
        return self.data.draw(st.sampled_from([self.cast.cole, self.cast.diaz]))

    def pass_days(self) -> None:
        self.day += timedelta(days=self.data.draw(st.integers(1, 12)))

    def earn(self) -> None:
        earn(self.cast, self.data.draw(st.sampled_from(["160.00", "128.00", "0.01"])), provider=self._provider())  # type: ignore[arg-type]

    def change(self) -> None:
        row = ProviderEarning.objects.order_by("pk").last()
        if row is not None and (left := earnings.earned(row.session)):
            amount = self.data.draw(st.sampled_from([-left, D("12.50"), D("-0.01")]))
            earnings.adjust(row.session, amount, reason="rate", note="changed")

    def tell_account(self) -> None:
        account(self._provider(), str(next(self.numbers)))  # type: ignore[arg-type]

    def remove_account(self) -> None:
        found = bank_accounts.current(self.cast.cole)
        if found is not None:
            bank_accounts.remove(found)

    def sweep(self) -> None:
        run_on(self.day)

    def die_in_the_sweep(self) -> None:
        try:
            with transaction.atomic(), connection.execute_wrapper(DiesAt(self.data.draw(st.integers(0, 60)))):
                run_on(self.day)
        except Died:
            pass

    def send(self) -> None:
        for run in PayoutRun.objects.filter(state="sealed"):
            payouts.write_anew(run)
            if payouts.can_be_sent(PayoutRun.objects.get(pk=run.pk)):
                payouts.send(run, trace="1", by=self.cast.fay)

    def hold_back(self) -> None:
        row = ProviderPayout.objects.filter(state="created", run__state="sealed").order_by("pk").last()
        if row is not None:
            payouts.hold_back(row, reason="under review", by=self.cast.fay)

    def come_back(self) -> None:
        row = ProviderPayout.objects.filter(state="sent").order_by("pk").last()
        if row is not None:
            payouts.mark_returned(row, reason="R03", by=self.cast.fay)

    STEPS = (
        pass_days, pass_days, earn, earn, earn, change, tell_account, remove_account, sweep, sweep, die_in_the_sweep,
        send, hold_back, come_back,
    )  # fmt: skip

    def step(self) -> None:
        what = self.data.draw(st.sampled_from(self.STEPS), label=f"on {self.day}")
        with on(self.day):
            what(self)
        assert broken() == [], what.__name__

    def end(self) -> None:
        """Both have accounts for long, and runs go on until nothing is left that can be paid."""
        with on(self.day):
            for provider in (self.cast.cole, self.cast.diaz):
                account(provider, str(next(self.numbers)))
        for _ in range(3):
            self.day = payouts.period_end(self.day + timedelta(days=3)) + timedelta(days=1)
            run_on(self.day)
            with on(self.day):
                self.send()
        for provider in (self.cast.cole, self.cast.diaz):
            earned = sum(ProviderEarning.objects.filter(provider=provider).values_list("amount", flat=True), D("0.00"))
            changed = EarningAdjustment.objects.filter(provider=provider).exclude(reason="returned")
            total = earned + sum(changed.values_list("amount", flat=True), D("0.00"))
            sent = ProviderPayout.objects.filter(provider=provider, state="sent").values_list("amount", flat=True)
            carried = -balance(Book.PROVIDER_PAYABLE, provider=provider)
            assert sum(sent, D("0.00")) + carried == total
            assert carried <= D("0.00"), "what can be paid was paid"
        assert PayoutLine.objects.filter(earning__isnull=False).count() <= ProviderEarning.objects.count()
        assert broken() == []


class _Undone(Exception):
    """Rolls one history back."""


@pytest.mark.django_db
@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_everything_earned_is_paid_once(cast: Cast, data: st.DataObject) -> None:
    try:
        with transaction.atomic(), unhurried():
            history = History(cast, data)
            for _ in range(data.draw(st.integers(5, 25), label="steps")):
                history.step()
            history.end()
            raise _Undone
    except _Undone:
        pass
