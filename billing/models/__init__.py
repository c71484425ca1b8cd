from billing.models.card import CardConsent, PaymentCard, StripeCustomer
from billing.models.comparison import Comparison
from billing.models.earning import ProviderEarning
from billing.models.good_faith_estimate import GoodFaithEstimate
from billing.models.payment import Payment, PaymentPart
from billing.models.refund import Refund
from billing.models.repricing import Recalculation, Repricing
from billing.models.session_cost import SessionCost
from billing.models.stripe_event import StripeEvent

__all__ = [
    "CardConsent",
    "Comparison",
    "GoodFaithEstimate",
    "Payment",
    "PaymentCard",
    "PaymentPart",
    "ProviderEarning",
    "Recalculation",
    "Refund",
    "Repricing",
    "SessionCost",
    "StripeCustomer",
    "StripeEvent",
]
