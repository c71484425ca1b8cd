"""How costs, balances, payments, refunds and earnings read."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.domain.refund_steps import Kind, ask_support, steps
from billing.flows.refresh_benefits import Wrong
from billing.models import Payment, ProviderPayout, Refund, SessionCost
from billing.services.refunds import standing
from care.api import ClientName, SessionFacts
from common import clock
from common.api import Id, Money, SignedMoney, Strict
from insurance.api.serializers import ClaimProgress, DecisionOut, PauseOut, PlanOut, RankedPlan
from insurance.services.client_standing import Standing


class BreakdownOut(serializers.Serializer[Any]):
    """The parts of a cost and the sentences that explain it."""

    plan = Money(allow_null=True, default=None, help_text="What the plan pays.")
    deductible = Money(allow_null=True, default=None)
    copay = Money(allow_null=True, default=None)
    coinsurance = Money(allow_null=True, default=None)
    not_covered = Money(allow_null=True, default=None)
    payer = serializers.CharField(default="")
    verified = serializers.BooleanField(default=False, help_text="False: the insurer has not said enough yet.")
    why = serializers.ListField(child=serializers.CharField(), default=list)


class CostOut(serializers.Serializer[Any]):
    """What a session costs the client, as known at one moment."""

    amount = Money()
    allowed = Money(help_text="The session's full price under the first plan's contract.")
    basis = serializers.ChoiceField(choices=SessionCost.Basis.choices)
    reason = serializers.ChoiceField(choices=SessionCost.Reason.choices, help_text="Why the cost is what it is now.")
    sentence = serializers.CharField(
        source="breakdown.sentence", default="", help_text="The reason in words, as the client reads it."
    )
    breakdown = BreakdownOut()
    created_at = serializers.DateTimeField()


class BalanceOut(serializers.Serializer[Any]):
    """What remains to be done about one session's money."""

    due = Money(help_text="To be paid now.")
    paying = Money(help_text="Being paid right now.")
    planned = Money(help_text="What a payment plan takes later.")
    refunding = Money(help_text="Promised back, not processed yet.")


class ClientSession(SessionFacts):
    """A session with its cost, money and claims."""

    cost = CostOut(allow_null=True, help_text="Null: not priced yet.")
    balance = BalanceOut()
    paid = Money()
    given_back = Money()
    claims = ClaimProgress(many=True, source="open_claims")


class PartOut(serializers.Serializer[Any]):
    """How much of a payment is for which session."""

    session = serializers.IntegerField(source="session_id")
    date = serializers.DateField(source="session.date")
    amount = Money()


class CardOut(serializers.Serializer[Any]):
    """A card on file."""

    id = serializers.IntegerField()
    brand = serializers.CharField()
    last4 = serializers.CharField()
    exp_month = serializers.IntegerField()
    exp_year = serializers.IntegerField()
    is_default = serializers.BooleanField()


class PaymentOut(serializers.Serializer[Any]):
    """One attempt to take money. `unknown` settles by itself: do not pay again."""

    id = serializers.IntegerField()
    amount = Money()
    purpose = serializers.ChoiceField(choices=Payment.Purpose.choices)
    state = serializers.ChoiceField(choices=Payment.State.choices)
    message = serializers.CharField(help_text="Why the card was refused.")
    card = CardOut(allow_null=True)
    parts = PartOut(many=True, source="parts.all")
    created_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)


class RefundStep(serializers.Serializer[Any]):
    """One step of a refund's way."""

    kind = serializers.ChoiceField(choices=[each.value for each in Kind])
    at = serializers.DateField(allow_null=True, help_text="Null: only the order is known.")
    done = serializers.BooleanField(help_text="False: still to come.")


def as_day(moment: datetime | date | None) -> date | None:
    """The business day of a moment or day."""
    return clock.business_date(moment) if isinstance(moment, datetime) else moment


class RefundOut(serializers.Serializer[Any]):
    """Money on its way back to the client."""

    id = serializers.IntegerField()
    amount = Money()
    state = serializers.ChoiceField(choices=Refund.State.choices)
    steps = serializers.SerializerMethodField(help_text="The way of the money, in order.")
    ask_support = serializers.SerializerMethodField(help_text="It should be on the card's statement by now.")
    reference = serializers.CharField(source="external_reference", help_text="Number of the check or transfer.")
    bank_reference = serializers.CharField(help_text="By which the card's bank finds it (ARN); empty: not known.")
    payment = serializers.IntegerField(source="payment_id")
    session = serializers.IntegerField(source="session_id")
    date = serializers.DateField(source="session.date", help_text="The session's.")
    card = CardOut(allow_null=True, source="payment.card")
    created_at = serializers.DateTimeField()
    processed_at = serializers.DateTimeField(allow_null=True)
    statement_by = serializers.SerializerMethodField(help_text="When it must be on the card's statement.")

    def get_statement_by(self, refund: Refund) -> str | None:
        by = standing(refund).statement_by
        return by.isoformat() if by else None

    @extend_schema_field(RefundStep(many=True))
    def get_steps(self, refund: Refund) -> Any:
        return RefundStep([{**asdict(step), "at": as_day(step.at)} for step in steps(standing(refund))], many=True).data

    def get_ask_support(self, refund: Refund) -> bool:
        return ask_support(standing(refund))


class ClientSessionStory(ClientSession):
    """One session with every cost it ever had, its payments and refunds."""

    cost_history = CostOut(many=True, help_text="The newest first; each with the reason it changed.")
    payments = PaymentOut(many=True)
    refunds = RefundOut(many=True, source="money_back")


class When(serializers.Serializer[Any]):
    """Which of the client's sessions."""

    when = serializers.ChoiceField(choices=["upcoming", "past"], required=False, default="upcoming")


class SessionDue(serializers.Serializer[Any]):
    """One session's money."""

    session = serializers.IntegerField()
    date = serializers.DateField()
    balance = BalanceOut()


class Owed(serializers.Serializer[Any]):
    """What the client can pay now, in all and session by session."""

    due = Money()
    sessions = SessionDue(many=True)


class PayNowIn(Strict):
    """What to pay."""

    shown = Money(help_text="The sum you were shown and agree to. When it is not what is due, nothing happens.")
    sessions = serializers.ListField(
        child=Id(),
        min_length=1,
        max_length=200,
        required=False,
        allow_null=True,
        help_text="Left out: all that is due.",
    )
    card = Id(required=False, allow_null=True, help_text="A card on file. Left out: one to be typed in the browser.")
    early = serializers.BooleanField(
        required=False, default=False, help_text="True: what a payment plan would take later is paid too."
    )


class PayNowOut(serializers.Serializer[Any]):
    """A begun payment."""

    payment = PaymentOut()
    client_secret = serializers.CharField(
        allow_null=True, help_text="For Stripe's script, when the browser must finish it; null when nothing is left."
    )


class ClientPlansOut(serializers.Serializer[Any]):
    """The client's plans in the order in which they pay, and why."""

    plans = RankedPlan(many=True)
    decision = DecisionOut(allow_null=True)


# --- Providers ----------------------------------------------------------------------------------------------------


class ClientSearch(serializers.Serializer[Any]):
    """Which clients: by any part of the name, and by standing."""

    q = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)
    standing = serializers.ChoiceField(choices=Standing.choices, required=False)


class ChangeOut(serializers.Serializer[Any]):
    """The newest change of what a client pays."""

    session = serializers.IntegerField()
    date = serializers.DateField()
    before = Money(allow_null=True)
    after = Money()
    reason = serializers.ChoiceField(choices=SessionCost.Reason.choices)
    at = serializers.DateTimeField()


class CaseloadClient(ClientName):
    """A client on a provider's caseload."""

    standing = serializers.ChoiceField(choices=Standing.choices)
    next_session = serializers.DateTimeField(allow_null=True)
    to_confirm = serializers.IntegerField(help_text="Sessions that took place and wait for you.")
    cost = CostOut(allow_null=True, help_text="Of the next session, else of the last one.")
    change = ChangeOut(allow_null=True)


class PlanPlace(serializers.Serializer[Any]):
    """A plan's place in the order in force."""

    rank = serializers.IntegerField()
    payer = serializers.CharField(source="payer.name")


class CaseloadClientStory(CaseloadClient):
    """A client with the plans in order and the changes of cost."""

    plans = PlanPlace(many=True)
    changes = ChangeOut(many=True)


class ProviderSession(SessionFacts):
    """A session as its provider sees it."""

    client = ClientName()
    diagnoses = serializers.ListField(child=serializers.CharField())
    cost = CostOut(allow_null=True)
    earning = Money(allow_null=True, source="earned", help_text="Null: not confirmed yet.")
    claims = ClaimProgress(many=True, source="open_claims")


class ProviderWhen(serializers.Serializer[Any]):
    """Which of the provider's sessions: to come, waiting to be confirmed, or past."""

    when = serializers.ChoiceField(choices=["upcoming", "waiting", "past"], required=False, default="upcoming")
    client = Id(required=False)


class PreviewOut(serializers.Serializer[Any]):
    """What confirming would do."""

    charge = Money(help_text="To the client.")
    earning = Money(help_text="Yours.")
    payer = serializers.CharField()
    why = serializers.ListField(child=serializers.CharField())


class ConfirmIn(Strict):
    """The figures of the preview you agree to. When the price has moved since, nothing happens."""

    charge = Money()
    earning = Money()


class ReportIn(Strict):
    """What is wrong in what we show of a plan."""

    what = serializers.ChoiceField(choices=Wrong.choices)
    text = serializers.CharField(max_length=2000, help_text="What it should be, and how you know.")


class EarningOut(serializers.Serializer[Any]):
    """What one confirmed session earned."""

    session = serializers.IntegerField(source="session_id")
    date = serializers.DateField(source="session.date")
    client = ClientName(source="session.client")
    payer = serializers.CharField(source="coverage.payer.name")
    amount = Money()
    created_at = serializers.DateTimeField()


class PayoutOut(serializers.Serializer[Any]):
    """One payout. The account is told by its last four digits."""

    id = serializers.IntegerField()
    through = serializers.DateField(source="run.through", help_text="Pays for what was posted up to and with this day.")
    pay_on = serializers.DateField(source="run.pay_on", help_text="The banking day on which the money arrives.")
    state = serializers.ChoiceField(choices=ProviderPayout.State.choices)
    held_back = serializers.BooleanField(source="was_held_back", help_text="Returned without having been sent.")
    amount = Money()
    account_last4 = serializers.CharField(source="bank_account.last4")


class PayoutLineOut(serializers.Serializer[Any]):
    """What one session earned, a change of it, or (without a session) a payout that came back."""

    session = serializers.IntegerField(allow_null=True)
    date = serializers.DateField(source="day", allow_null=True, help_text="Of the session.")
    client = ClientName(allow_null=True)
    what = serializers.CharField()
    note = serializers.CharField()
    amount = SignedMoney()


class PayoutStatementOut(PayoutOut):
    """A payout with its lines, which add up to it."""

    number = serializers.CharField()
    lines = PayoutLineOut(many=True)


# --- Support ------------------------------------------------------------------------------------------------------


class SupportClient(ClientName):
    """A client in support's list."""

    email = serializers.EmailField()
    birth_date = serializers.DateField()
    standing = serializers.ChoiceField(choices=Standing.choices)
    created_at = serializers.DateTimeField()


class SupportClientStory(SupportClient):
    """A client with plans, pauses and balance."""

    plans = PlanOut(many=True, help_text="Those in force today, the one that pays first in front.")
    decision = DecisionOut(allow_null=True)
    pauses = PauseOut(many=True, source="all_pauses")
    balance = SignedMoney(help_text="What the books say the client owes; below zero: we owe the client.")
    due = Money()
