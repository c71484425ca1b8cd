"""Twice a month everything owed to a provider is paid once: on the right day, to the right account, in the books."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, connections, transaction

from billing import tasks
from billing.ledger.posting import Book, balance
from billing.models import EarningAdjustment, PayoutLine, PayoutRun, ProviderBankAccount, ProviderPayout
from billing.services import bank_accounts, earnings, payouts
from billing.services.payouts import RunNotReady
from common import clock
from common.errors import BadInput
from notifications.models import Email
from tests.billing.paying import ROUTING, account, broken, earn, on, paid, run_on
from tests.billing.test_adversity_crashes import Died, DiesAt
from tests.cast import Cast, assemble

D = Decimal
OCTOBER, NOVEMBER = date(2026, 10, 20), date(2026, 11, 10)


def mails(kind: str) -> list[str]:
    return list(Email.objects.filter(kind=kind).order_by("pk").values_list("to", flat=True))


def payable(cast: Cast) -> Decimal:
    return -balance(Book.PROVIDER_PAYABLE, provider=cast.cole)


def listed() -> tuple[int, Decimal]:
    """What the desk's list says of the one run."""
    row = vars(payouts.with_totals(PayoutRun.objects.all()).get())
    return row["count"], row["total"]


@pytest.fixture
def ready(cast: Cast) -> Cast:
    """Dr. Cole has had a bank account for long."""
    with on(date(2026, 9, 1)):
        account(cast.cole)
    return cast


# --- Days -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "through", "pay_on"),
    [
        (date(2026, 11, 16), date(2026, 11, 15), date(2026, 11, 20)),
        (date(2026, 11, 15), date(2026, 10, 31), date(2026, 11, 17)),  # looked at late: two banking days from today
        (date(2026, 12, 1), date(2026, 11, 30), date(2026, 12, 7)),
        (date(2027, 1, 1), date(2026, 12, 31), date(2027, 1, 8)),  # New Year is no banking day
        (date(2028, 3, 1), date(2028, 2, 29), date(2028, 3, 7)),
        (date(2026, 7, 1), date(2026, 6, 30), date(2026, 7, 8)),  # Independence Day, kept on Friday the 3rd
    ],
)
def test_through_the_15th_and_the_end_of_the_month(today: date, through: date, pay_on: date) -> None:
    assert payouts.last_period_end(today) == through
    assert payouts.pay_day(through, today) == pay_on


def test_what_is_earned_today_is_paid_after_its_half_month() -> None:
    assert payouts.next_pay_day(date(2026, 11, 3)) == date(2026, 11, 20)
    assert payouts.next_pay_day(date(2026, 11, 16)) == date(2026, 12, 7)


# --- A run ------------------------------------------------------------------------------------------------------------


def test_a_run_from_the_sweep_to_the_bank(ready: Cast) -> None:
    with on(NOVEMBER):
        earn(ready, "160.00")
        earn(ready, "128.00")
    with on(date(2026, 11, 16)):
        tomorrow = earn(ready, "99.00")  # after the 15th: not in this run
        tasks.sweep()
    run = PayoutRun.objects.get()
    assert (run.through, run.pay_on, run.state) == (date(2026, 11, 15), date(2026, 11, 20), "sealed")
    assert paid(ready.cole) == [("created", D("288.00"))]
    assert not PayoutLine.objects.filter(earning=tomorrow).exists()
    assert payable(ready) == D("387.00")  # nothing has left the bank yet

    file = payouts.read_file(run)
    assert file is not None
    (credit,) = file.credits
    assert (credit.routing_number, credit.account_number, credit.amount) == (ROUTING, "000123456789", D("288.00"))
    assert (credit.reference, credit.name, file.pay_on) == (
        f"PAYOUT {ProviderPayout.objects.get().pk}", "MAYA COLE", run.pay_on,
    )  # fmt: skip

    with on(date(2026, 11, 17)):
        payouts.send(run, trace="HVB 20261117-1", by=ready.fay)
    run.refresh_from_db()
    assert (run.state, run.trace, run.sent_by) == ("sent", "HVB 20261117-1", ready.fay)
    assert paid(ready.cole) == [("sent", D("288.00"))]
    assert payable(ready) == D("99.00")
    assert balance(Book.BANK) == D("-288.00")
    assert mails("payout_sent") == ["cole@example.com"]
    assert broken() == []


def test_the_kept_file_shows_no_account_number(ready: Cast) -> None:
    with on(NOVEMBER):
        earn(ready, "160.00")
    run = run_on(date(2026, 11, 16))
    assert run is not None and run.nacha is not None
    assert b"000123456789" not in bytes(run.nacha)
    assert b"000123456789" in (payouts.file_of(run) or b"")
    with connection.cursor() as cursor:
        cursor.execute("SELECT account_number FROM billing_providerbankaccount")
        assert "123456789" not in cursor.fetchone()[0]


def test_the_sweep_repeated_adds_nothing(ready: Cast) -> None:
    with on(NOVEMBER):
        earn(ready, "160.00")
    run_on(date(2026, 11, 16))
    before = list(PayoutLine.objects.values_list("pk", flat=True))
    assert run_on(date(2026, 11, 17)) is None
    assert run_on(date(2026, 11, 30)) is None
    assert list(PayoutLine.objects.values_list("pk", flat=True)) == before
    assert PayoutRun.objects.count() == 1


def test_nobody_is_owed_anything(ready: Cast) -> None:
    assert run_on(date(2026, 11, 16)) is None
    assert not PayoutRun.objects.exists()


def test_an_adjustment_is_a_line_and_a_negative_total_is_carried_over(ready: Cast) -> None:
    with on(OCTOBER):
        old = earn(ready, "160.00")
    first = run_on(date(2026, 11, 2))
    assert first is not None
    with on(date(2026, 11, 3)):
        payouts.send(first, trace="1", by=ready.fay)
    with on(NOVEMBER):
        earnings.adjust(old.session, D("-160.00"), reason="voided", note="Entered twice", by=ready.fay)
        earn(ready, "100.00")
    second = run_on(date(2026, 11, 16))
    assert second is not None
    assert (second.state, second.payouts.count(), second.nacha) == ("sealed", 0, None)  # 100 − 160 is not paid
    assert payouts.waiting(second) == [(ready.cole, D("-60.00"), "More was taken back than earned.")]
    with on(date(2026, 11, 20)):
        with pytest.raises(RunNotReady, match="pays nobody"):
            payouts.send(second, trace="2", by=ready.fay)
        earn(ready, "128.00")
    third = run_on(date(2026, 12, 1))
    assert third is not None
    assert [(each.amount, each.adjustment_id is not None) for each in payouts.lines(third.payouts.get())] == [
        (D("-160.00"), True),
        (D("100.00"), False),
        (D("128.00"), False),
    ]
    assert third.payouts.get().amount == D("68.00")
    assert mails("payout_needs_account") == []
    assert broken() == []


def test_each_thing_is_paid_once_also_when_asked_by_hand(ready: Cast) -> None:
    with on(NOVEMBER):
        earning = earn(ready, "160.00")
    run_on(date(2026, 11, 16))
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutLine.objects.create(payout=ProviderPayout.objects.get(), earning=earning, amount=D("160.00"))


# --- Bank accounts ----------------------------------------------------------------------------------------------------


def test_without_an_account_the_pay_is_kept_and_asked_about_once(cast: Cast) -> None:
    with on(NOVEMBER):
        earn(cast, "160.00")
    for day in (16, 17):
        run_on(date(2026, 11, day))
    assert mails("payout_needs_account") == ["cole@example.com"]
    assert paid(cast.cole) == []
    with on(date(2026, 11, 18)):
        account(cast.cole)
    run_on(date(2026, 12, 1))
    assert paid(cast.cole) == [("created", D("160.00"))]


def test_a_new_account_is_used_after_two_days_and_the_old_one_until_then(ready: Cast) -> None:
    old = bank_accounts.current(ready.cole)
    with on(NOVEMBER):
        earn(ready, "160.00")
    with on(date(2026, 11, 15)):
        new = account(ready.cole, "99990000")
        assert bank_accounts.usable(ready.cole, clock.now()) == old
        assert bank_accounts.usable(ready.cole, clock.now() + timedelta(days=2)) == new
    run_on(date(2026, 11, 16))
    assert ProviderPayout.objects.get().bank_account == old
    run = PayoutRun.objects.get()
    with on(date(2026, 11, 18)):
        payouts.write_anew(run)
    run.refresh_from_db()
    assert ProviderPayout.objects.get().bank_account == new
    file = payouts.read_file(run)
    assert file is not None and [each.account_number for each in file.credits] == ["99990000"]


def test_a_removed_account_gets_nothing_more(ready: Cast) -> None:
    with on(NOVEMBER):
        earn(ready, "160.00")
    run_on(date(2026, 11, 16))
    run = PayoutRun.objects.get()
    with on(date(2026, 11, 16)):
        current = bank_accounts.current(ready.cole)
        assert current is not None
        bank_accounts.remove(current)
        payouts.write_anew(run)
    run.refresh_from_db()
    assert (run.nacha, paid(ready.cole)) == (None, [("returned", D("160.00"))])
    assert payable(ready) == D("160.00")
    assert ProviderPayout.objects.get().status == "Held back"
    assert broken() == []


@pytest.mark.parametrize("objection", ["the provider enters the right one", "support removes it, then it is entered"])
def test_an_account_that_its_owner_objected_to_in_time_is_never_paid_to(ready: Cast, objection: str) -> None:
    old = bank_accounts.current(ready.cole)
    with on(date(2026, 11, 13)):
        strange = account(ready.cole, "99990000")
    with on(date(2026, 11, 14)):
        if objection.startswith("support"):
            bank_accounts.remove(strange)
        right = account(ready.cole)
    used = [bank_accounts.usable(ready.cole, right.created_at + timedelta(hours=hours)) for hours in range(0, 60, 6)]
    until = None if objection.startswith("support") else old
    assert used == [until] * 8 + [right] * 2


def test_what_support_removed_gets_nothing_also_while_the_next_one_waits(ready: Cast) -> None:
    current = bank_accounts.current(ready.cole)
    assert current is not None
    with on(date(2026, 11, 13)):
        bank_accounts.remove(current)
    with on(date(2026, 11, 14)):
        right = account(ready.cole, "99990000")
    with on(date(2026, 11, 14)):
        assert bank_accounts.usable(ready.cole, clock.now()) is None
    assert bank_accounts.usable(ready.cole, right.created_at + timedelta(days=2)) == right


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"routing_number": "123456789"}, "routing_number"),
        ({"routing_number": "1234"}, "routing_number"),
        ({"account_number": "12-34567"}, "account_number"),
        ({"account_number": "123"}, "account_number"),
        ({"account_number": "1" * 18}, "account_number"),
        ({"holder": "Zoë Cole"}, "holder"),
        ({"holder": "A name that is much too long"}, "holder"),
        ({"kind": "bitcoin"}, "kind"),
    ],
)
def test_an_account_that_cannot_be(cast: Cast, changed: dict[str, str], where: str) -> None:
    given = {"holder": "Maya Cole", "kind": "checking", "routing_number": ROUTING, "account_number": "12345678"}
    with pytest.raises(BadInput) as refusal:
        bank_accounts.enter(provider=cast.cole, **{**given, **changed})
    assert refusal.value.where == where
    assert not ProviderBankAccount.objects.exists()


def test_the_same_account_again_is_no_change(ready: Cast) -> None:
    account(ready.cole)
    assert ProviderBankAccount.objects.count() == 1
    assert mails("bank_account_changed") == ["cole@example.com"]
    account(ready.cole, "55556666")
    assert mails("bank_account_changed") == ["cole@example.com"] * 2
    assert [each.last4 for each in ProviderBankAccount.objects.filter(removed_at=None)] == ["6666"]


# --- After the run ----------------------------------------------------------------------------------------------------


def test_a_payout_that_comes_back_is_owed_again_and_paid_to_an_account_entered_anew(ready: Cast) -> None:
    with on(NOVEMBER):
        earn(ready, "160.00")
    run = run_on(date(2026, 11, 16))
    assert run is not None
    payout = run.payouts.get()
    with on(date(2026, 11, 17)):
        payouts.send(run, trace="1", by=ready.fay)
    with on(date(2026, 11, 23)):
        payouts.mark_returned(payout, reason="R03 no account", by=ready.fay)
        payouts.mark_returned(payout, reason="R03 no account", by=ready.fay)
    assert listed() == (1, D("160.00"))
    assert (payable(ready), balance(Book.BANK)) == (D("160.00"), D("0.00"))
    assert mails("payout_returned") == ["cole@example.com"]
    again = EarningAdjustment.objects.get()
    assert (again.amount, again.reason, again.note) == (
        D("160.00"),
        "returned",
        "The bank sent it back: R03 no account",
    )
    assert balance(Book.PROVIDER_COST) == D("160.00")  # it is no cost of ours a second time
    assert broken() == []

    run_on(date(2026, 12, 1))  # the bank refused this account: not to it again
    assert paid(ready.cole) == [("returned", D("160.00"))]
    assert mails("payout_needs_account") == ["cole@example.com"]
    with on(date(2026, 12, 2)):
        account(ready.cole)  # the same figures, looked at once more
    third = run_on(date(2026, 12, 16))
    assert third is not None
    assert paid(ready.cole) == [("returned", D("160.00")), ("created", D("160.00"))]
    with on(date(2026, 12, 17)):
        payouts.send(third, trace="3", by=ready.fay)
    assert payable(ready) == D("0.00")
    assert broken() == []


def test_support_holds_one_payout_back(ready: Cast) -> None:
    with on(date(2026, 9, 1)):
        account(ready.diaz, "77778888")
    with on(NOVEMBER):
        earn(ready, "160.00")
        earn(ready, "128.00", provider=ready.diaz)
    run = run_on(date(2026, 11, 16))
    assert run is not None
    with on(date(2026, 11, 17)):
        payouts.hold_back(run.payouts.get(provider=ready.diaz), reason="Account under review", by=ready.fay)
        with pytest.raises(RunNotReady):
            payouts.hold_back(run.payouts.get(provider=ready.diaz), reason="Again", by=ready.fay)
        run.refresh_from_db()
        file = payouts.read_file(run)
        assert file is not None and file.total == D("160.00")
        assert file.modifier == "A"  # the first one was written the day before
        assert listed() == (1, D("160.00")), "the desk's list says what the file says"
        payouts.send(run, trace="1", by=ready.fay)
        assert listed() == (1, D("160.00"))
    assert (paid(ready.cole), paid(ready.diaz)) == ([("sent", D("160.00"))], [("returned", D("128.00"))])
    assert mails("payout_sent") == ["cole@example.com"]
    assert mails("payout_returned") == []
    run_on(date(2026, 12, 1))  # held back by us, the account is as good as it was
    assert paid(ready.diaz) == [("returned", D("128.00")), ("created", D("128.00"))]
    assert broken() == []


def test_a_run_looked_at_too_late_needs_a_new_file(ready: Cast) -> None:
    with on(NOVEMBER):
        earn(ready, "160.00")
    run = run_on(date(2026, 11, 16))
    assert run is not None
    with on(date(2026, 11, 20)):
        with pytest.raises(RunNotReady, match="day in the file is over"):
            payouts.send(run, trace="1", by=ready.fay)
        payouts.write_anew(run)
        run.refresh_from_db()
        assert run.pay_on == date(2026, 11, 24)
        payouts.write_anew(run)
        run.refresh_from_db()
        file = payouts.read_file(run)
        assert file is not None and (file.pay_on, file.modifier) == (date(2026, 11, 24), "B")
        payouts.send(run, trace="1", by=ready.fay)
    with pytest.raises(RunNotReady):
        payouts.send(run, trace="2", by=ready.fay)
    with pytest.raises(RunNotReady):
        payouts.write_anew(run)
    assert mails("payout_sent") == ["cole@example.com"]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("amount = amount + 1", "payouts_are_their_lines"),
        ("provider_id = (SELECT max(id) FROM people_provider)", "payouts_are_their_lines"),
        ("state = 'sent'", "payouts_are_booked"),
        ("state = 'sent'", "providers_are_owed_what_is_unpaid"),
        ("state = 'returned'", "providers_are_owed_what_is_unpaid"),
    ],
)
def test_the_check_of_the_books_finds_what_was_damaged(ready: Cast, damage: str, found: str) -> None:
    with on(NOVEMBER):
        earn(ready, "160.00")
    run_on(date(2026, 11, 16))
    assert broken() == []
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE billing_providerpayout SET {damage}")
    assert found in [each.split(":")[0] for each in broken()]


# --- Adversity --------------------------------------------------------------------------------------------------------


class _Undone(Exception):
    """Rolls one death back."""


def test_whoever_dies_half_way_is_followed_by_somebody_who_finishes(ready: Cast) -> None:
    with on(date(2026, 9, 1)):
        account(ready.diaz, "77778888")
    with on(NOVEMBER):
        earn(ready, "160.00")
        earn(ready, "100.00")
        earn(ready, "128.00", provider=ready.diaz)

    def lived(query: int) -> tuple[int, object]:
        death, found = DiesAt(query), None
        try:
            with transaction.atomic():
                try:
                    with connection.execute_wrapper(death):
                        run_on(date(2026, 11, 16))
                except Died:
                    run_on(date(2026, 11, 16))
                found = (paid(ready.cole), paid(ready.diaz), PayoutRun.objects.get().state, broken())
                raise _Undone
        except _Undone:
            return death.passed, found

    queries, undisturbed = lived(10_000)
    assert undisturbed == ([("created", D("260.00"))], [("created", D("128.00"))], "sealed", [])
    for query in range(0, queries, 3):
        assert lived(query)[1] == undisturbed, f"differs after a death at query {query} of {queries}"


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_and_two_runs_at_the_same_moment() -> None:
    cast = assemble()
    with on(date(2026, 9, 1)):
        account(cast.cole)
        account(cast.diaz, "77778888")
    with on(NOVEMBER):
        for _ in range(6):
            earn(cast, "160.00")
            earn(cast, "128.00", provider=cast.diaz)
    # Two runs are open at once, as after a long standstill, and both may take what was earned before either's end.
    with on(date(2026, 12, 1)):
        runs = [
            PayoutRun.objects.create(through=through, pay_on=date(2026, 12, 7))
            for through in (date(2026, 11, 15), date(2026, 11, 30))
        ]

    def work(run: int) -> None:
        try:
            with on(date(2026, 12, 1)):
                payouts.put_together(run)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(work, run.pk) for run in runs * 2]:
            each.result()
    assert sum(amount for _state, amount in paid(cast.cole)) == D("960.00")
    assert sum(amount for _state, amount in paid(cast.diaz)) == D("768.00")
    assert PayoutLine.objects.count() == 12
    assert set(PayoutRun.objects.values_list("state", flat=True)) == {"sealed"}
    assert broken() == []
