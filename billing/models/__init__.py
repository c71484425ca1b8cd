from billing.models.adjustment import SuspenseMove, WriteOff
from billing.models.card import CardConsent, PaymentCard, StripeCustomer
from billing.models.comparison import Comparison
from billing.models.dispute import Dispute, FraudWarning
from billing.models.earning import ProviderEarning
from billing.models.good_faith_estimate import GoodFaithEstimate
from billing.models.payment import Payment, PaymentPart
from billing.models.payment_plan import Autopay, AutopayNotice, Instalment, PaymentPlan, PaymentPlanPart
from billing.models.payout import EarningAdjustment, PayoutLine, PayoutRun, ProviderBankAccount, ProviderPayout
from billing.models.refund import Refund
from billing.models.repricing import Recalculation, Repricing
from billing.models.session_cost import SessionCost
from billing.models.statement import ClientStatement
from billing.models.stripe_event import StripeEvent
from billing.models.stripe_money import BalanceTransaction, Reconciliation, ReconciliationCase, StripePayout

__all__ = [
    "Autopay",
    "AutopayNotice",
    "BalanceTransaction",
    "CardConsent",
    "ClientStatement",
    "Comparison",
    "Dispute",
    "EarningAdjustment",
    "FraudWarning",
    "GoodFaithEstimate",
    "Instalment",
    "Payment",
    "PaymentCard",
    "PaymentPart",
    "PaymentPlan",
    "PaymentPlanPart",
    "PayoutLine",
    "PayoutRun",
    "ProviderBankAccount",
    "ProviderEarning",
    "ProviderPayout",
    "Recalculation",
    "Reconciliation",
    "ReconciliationCase",
    "Refund",
    "Repricing",
    "SessionCost",
    "StripeCustomer",
    "StripeEvent",
    "StripePayout",
    "SuspenseMove",
    "WriteOff",
]
