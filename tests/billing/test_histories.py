"""Random histories of one client: whatever happens in whatever order, the books hold, and in the end she has paid
exactly what her sessions cost.

Stripe, banks and the insurers are played by the test: what they say is recorded through the same services as their real
answers, in any order, late or repeated. Support writes off, corrects benefits, and places what insurers paid or kept
back for something else.
"""

import os
from dataclasses import replace
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from billing.flows import confirm_session, correct_benefits, place_money
from billing.flows.exchange_claims import read
from billing.gateways.results import (
    ChargeResult,
    ChargeState,
    DisputeResult,
    DisputeState,
    Movement,
    RefundResult,
    RefundState,
)
from billing.ledger.posting import Book, balance
from billing.models import Dispute, Payment, PaymentCard, Refund, WriteOff
from billing.services import books, costs, disputes, insurer_money, payments, refunds, write_offs
from billing.services.balances import booked_cost, client_balances
from care.models import Session
from common import clock
from common.hurry import unhurried
from insurance.models import Adjudication, Claim, ProviderAdjustment
from insurance.services import claims, exchange
from insurance.x12 import validate, x835
from tests import cast as people
from tests.billing.answers import claim as claim_of
from tests.billing.answers import reversal
from tests.cast import Cast
from tests.remittance_files import adjustments, payment, received, result

ZERO = Decimal("0.00")
CHARGE = Decimal("220.00")
HISTORIES = int(os.environ.get("HISTORIES", "10"))
"""How many are tried; a long look is `HISTORIES=500 pytest tests/billing/test_histories.py`."""


class History:
    """Ana's sessions, the insurers' files and what Stripe does, step by step."""

    def __init__(self, cast: Cast, data: st.DataObject) -> None:
        self.cast = cast
        self.data = data
        self.card: PaymentCard = people.card(cast.ana)
        self.sessions: list[Session] = []
        self.said: dict[int, list[x835.RemittedClaim]] = {}
        """Claim id → results that its insurer has sent and not taken back."""
        self.files = 0
        self.astray: dict[str, x835.RemittedClaim] = {}
        """Number that is not ours → the result that came under it last."""

    # What can happen

    def confirm(self) -> None:
        if len(self.sessions) < 2:
            session = self.cast.book(days=-len(self.sessions))
            confirm_session.confirm(session)
            self.sessions.append(session)

    def charged(self) -> None:
        """Stripe says something about an attempt; twice is as good as once."""
        moving = list(Payment.objects.exclude(state="succeeded").order_by("pk"))
        if not moving:
            return
        attempt = self.draw(st.sampled_from(moving))
        if attempt.state == "created":
            Payment.objects.filter(pk=attempt.pk).update(state="submitted")
        self.charge(attempt, self.draw(st.sampled_from(list(ChargeState))))

    def charge(self, attempt: Payment, state: ChargeState) -> None:
        answer = ChargeResult(state=state, payment_intent=f"pi_{attempt.pk}", amount=attempt.amount)
        for _ in range(2):
            payments.record_outcome(payment=attempt, result=answer)

    def pay_now(self) -> None:
        try:
            payments.begin_pay_now(client=self.cast.ana, card=self.card)
        except (payments.NothingToPay, payments.AmountChanged):
            return

    def primary(self) -> None:
        self.answer(1)

    def secondary(self) -> None:
        self.answer(2)

    def answer(self, rank: int) -> None:
        """An insurer processes a claim, leaving something to the patient; also before its turn, also again."""
        claim = self.a_claim(rank)
        if claim is not None:
            self.tell(claim, self.a_result(claim))

    def go_astray(self) -> None:
        """An answer comes under a number that is not ours."""
        claim = self.a_claim(self.draw(st.sampled_from([1, 2])))
        if claim is not None:
            said = self.a_result(claim)
            self.tell(claim, replace(said, control_number=f"X{claim.pk}"), keep=False)
            self.astray[f"X{claim.pk}"] = said

    def find(self) -> None:
        """Support finds the claim of such an answer, or sends the money back."""
        waiting = list(place_money.waiting_results())
        if not waiting:
            return
        chosen = self.draw(st.sampled_from(waiting))
        if chosen.paid and self.draw(st.booleans()):
            place_money.move(chosen, "returned", chosen.left, note="Not ours.", by=self.cast.fay)
            return
        claim = Claim.objects.get(pk=int(chosen.control_number[1:]))
        place_money.match(chosen, claim, note="The same day.", by=self.cast.fay)
        self.said.setdefault(claim.pk, []).append(self.astray[chosen.control_number])

    def keep_back(self) -> None:
        """The first insurer keeps money back, or adds some; support says what it is, or leaves it."""
        claim = self.a_claim(1)
        if claim is None:
            return
        self.files += 1
        amount = Decimal(self.draw(st.sampled_from([-3, 7, 40])))
        pair = x835.ProviderAdjustment(code="WO" if amount > 0 else "L6", amount=amount, reference="")
        said = replace(payment(claim, trace=f"T{self.files}"), amount=-amount, provider_adjustments=(pair,))
        read(received(said, number=self.files))
        row = ProviderAdjustment.objects.latest("pk")
        kind = self.draw(st.sampled_from(["recoupment", "interest", "returned", "other", ""]))
        if kind:
            part = Decimal(self.draw(st.integers(1, abs(int(amount)))))
            place_money.move(row, kind, part, session=claim.session, note="Their letter.", by=self.cast.fay)

    def correct(self) -> None:
        """Support learns by phone what share the plan really leaves: estimates that were charged follow."""
        share = self.draw(st.sampled_from(["0.1", "0.2", "0.3"]))
        try:
            correct_benefits.enter(
                self.cast.own_plan, {"in_network.coinsurance": share}, by=self.cast.fay, note="By phone."
            )
        except correct_benefits.NothingToCorrect:
            return

    def write_off(self) -> None:
        """Support stops asking for a part of what is due."""
        if not self.sessions:
            return
        session = self.draw(st.sampled_from(self.sessions))
        most = int(write_offs.may_be_written_off(session))
        if most:
            amount = Decimal(self.draw(st.integers(1, most)))
            write_offs.write_off(session, amount, reason="goodwill", note="She called.", by=self.cast.fay)

    def ask_after_all(self) -> None:
        rows = [row for row in WriteOff.objects.filter(takes_back=None).order_by("pk") if write_offs.left_of(row)]
        if rows:
            write_offs.take_back(self.draw(st.sampled_from(rows)), note="It was a mistake.", by=self.cast.fay)

    def dispute(self) -> None:
        """The client's bank takes a payment back, gives it to us again, or changes its mind; also told twice."""
        paid = list(Payment.objects.filter(state="succeeded").order_by("pk"))
        if paid:
            states = [DisputeState.NEEDS_RESPONSE, DisputeState.WON, DisputeState.LOST]
            self.bank_says(self.draw(st.sampled_from(paid)), self.draw(st.sampled_from(states)))

    def bank_says(self, about: Payment, state: DisputeState) -> None:
        known = Dispute.objects.filter(payment=about).first()
        if known is not None and known.state != state.value and not Dispute.STATES.allows(known.state, state.value):
            return
        taken = [self.movement(about, -1)] + ([self.movement(about, 1)] if state is DisputeState.WON else [])
        said = DisputeResult(
            state=state,
            dispute=f"dp_{about.pk}",
            amount=about.amount,
            reason="fraudulent",
            payment_intent=about.payment_intent_id,
            evidence_due=None,
            created=clock.now(),
            movements=tuple(taken),
        )
        for _ in range(2):
            disputes.record(payment=about, result=said)

    def movement(self, about: Payment, sign: int) -> Movement:
        amount = about.amount * sign
        return Movement(
            id=f"txn_{about.pk}_{sign}",
            kind="adjustment",
            amount=amount,
            fee=ZERO,
            net=amount,
            created=clock.now(),
            available_on=clock.today(),
            source=f"dp_{about.pk}",
        )

    def a_result(self, claim: Claim) -> x835.RemittedClaim:
        left = Decimal(self.draw(st.integers(0, 160)))
        paid = Decimal(self.draw(st.integers(0, 160 - int(left))))
        why = [("PR", "2", f"{left}.00")] if left else []
        if CHARGE - left - paid:
            why.append(("CO", "45", f"{CHARGE - left - paid}"))
        return result(claim, paid=f"{paid}.00", why=adjustments(*why))

    def take_back(self) -> None:
        """A reversal, alone or with its correction to come."""
        decided = sorted(pk for pk, said in self.said.items() if said)
        if decided:
            claim = Claim.objects.select_related("coverage__payer", "session").get(
                pk=self.draw(st.sampled_from(decided))
            )
            self.tell(claim, reversal(self.said[claim.pk].pop()), keep=False)

    def refund(self) -> None:
        """The sweep promises what is too much; the bank gives it, or sends it back."""
        for session in refunds.sessions_to_refund():
            refunds.promise(session)
        live = list(Refund.objects.exclude(state="failed").order_by("pk"))
        if live:
            chosen = self.draw(st.sampled_from(live))
            allowed = [RefundState.SUCCEEDED, RefundState.IN_TRANSIT, RefundState.FAILED]
            self.give(chosen, self.draw(st.sampled_from(allowed)))

    def give(self, refund: Refund, state: RefundState) -> None:
        Refund.objects.filter(pk=refund.pk, state="created").update(state="submitted")
        answer = RefundResult(state=state, refund=f"re_{refund.pk}", amount=refund.amount, payment_intent=None)
        for _ in range(2):
            refunds.record_outcome(refund=refund, result=answer)

    def batch(self) -> None:
        exchange.build_batches()

    # The tools

    def draw(self, strategy: st.SearchStrategy[Any]) -> Any:
        return self.data.draw(strategy)

    def a_claim(self, rank: int) -> Claim | None:
        if not self.sessions:
            return None
        session = self.draw(st.sampled_from(self.sessions))
        return claim_of(session, rank)

    def tell(self, claim: Claim, said: x835.RemittedClaim, *, keep: bool = True) -> None:
        self.files += 1
        read(received(payment(claim, said, trace=f"T{self.files}"), number=self.files))
        if keep:
            self.said.setdefault(claim.pk, []).append(said)

    # What holds

    def holds(self) -> None:
        assert [(o.check.name, o.examples) for o in books.run() if o.violations] == []
        assert not Adjudication.objects.filter(posted_at=None).exists()
        for payment_made in Payment.objects.filter(state="succeeded"):
            given = sum((r.amount for r in payment_made.refunds.exclude(state="failed")), ZERO)
            assert given <= payment_made.amount
        for each in client_balances(self.cast.ana).values():
            assert min(each.due, each.to_refund) == ZERO
        for session in self.sessions:
            owed = balance(Book.CLIENT_RECEIVABLE, session=session)
            assert self.net_payment(session) == booked_cost(session) - write_offs.in_force(session) - owed
            assert write_offs.in_force(session) >= ZERO

    def net_payment(self, session: Session) -> Decimal:
        """What the client has paid for a session, less what came back to her by us or by her bank, in dollars."""
        paid = sum((p.amount for p in session.payment_parts.filter(payment__state="succeeded")), ZERO)
        given = sum((r.amount for r in session.refunds.filter(state="succeeded")), ZERO)
        by_bank = balance(Book.CLIENT_RECEIVABLE, session=session, entry__key__contains="dispute_lost:")
        return paid - given - by_bank

    def comes_to_rest(self) -> None:
        """Everything open is answered: the primary, the secondary, the client's bank, the client."""
        for session in self.sessions:
            for rank in (1, 2, 1, 2):
                claim = claim_of(session, rank)
                if claim.submission == "not_needed" or claim.decision == "paid":
                    continue
                self.tell(
                    claim, result(claim, paid="100.00", why=adjustments(("CO", "45", "80.00"), ("PR", "2", "40.00")))
                )
        for open_one in Dispute.objects.filter(state="needs_response").select_related("payment"):
            self.bank_says(open_one.payment, self.draw(st.sampled_from([DisputeState.WON, DisputeState.LOST])))
        for _ in range(3):
            for attempt in Payment.objects.exclude(state__in=["succeeded", "failed"]):
                Payment.objects.filter(pk=attempt.pk, state="created").update(state="submitted")
                self.charge(attempt, ChargeState.SUCCEEDED)
            for session in refunds.sessions_to_refund():
                refunds.promise(session)
            for refund in Refund.objects.exclude(state__in=["succeeded", "failed"]):
                self.give(refund, RefundState.SUCCEEDED)
            self.pay_now()
        for session in self.sessions:
            cost = costs.current_cost(session)
            assert cost is not None
            assert cost.basis == "final", [(c.rank, c.submission, c.decision) for c in claims.sequence(session)]
            owed = balance(Book.CLIENT_RECEIVABLE, session=session)
            # Only what a bank sent back, or took in a dispute, may be left with us: it waits for a person.
            sent_back = sum((r.amount for r in Refund.objects.filter(session=session, state="failed")), ZERO)
            lost = session.payment_parts.filter(payment__disputes__state__in=refunds.HOLDS)
            sent_back += sum((part.amount for part in lost), ZERO)
            assert -sent_back <= owed <= ZERO
            assert booked_cost(session) == cost.amount
            assert self.net_payment(session) == cost.amount - write_offs.in_force(session) - owed
            assert insurer_money.expected(session) == {}


STEPS = (
    *("confirm", "charged", "pay_now", "primary", "secondary", "take_back", "refund", "batch"),
    *("go_astray", "find", "keep_back", "correct", "write_off", "ask_after_all", "dispute"),
)


@pytest.fixture
def no_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "findings", lambda raw: [])  # slow, and tested where claims are written


class _Undone(Exception):
    """Ends a history: its transaction is rolled back, so that the next one starts where it did."""


@pytest.mark.usefixtures("no_validator")
@settings(
    max_examples=HISTORIES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data(), steps=st.lists(st.sampled_from(STEPS), max_size=18))
def test_whatever_happens_the_books_hold_and_the_client_pays_what_it_costs(
    cast: Cast, data: st.DataObject, steps: list[str]
) -> None:
    with unhurried():
        try:
            with transaction.atomic():
                history = History(cast, data)
                history.confirm()
                for step in steps:
                    getattr(history, step)()
                    history.holds()
                history.comes_to_rest()
                history.holds()
                raise _Undone
        except _Undone:
            pass
