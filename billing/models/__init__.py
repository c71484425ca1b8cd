from billing.models.card import CardConsent, PaymentCard, StripeCustomer
from billing.models.earning import ProviderEarning
from billing.models.payment import Payment, PaymentPart
from billing.models.refund import Refund
from billing.models.session_cost import SessionCost
from billing.models.stripe_event import StripeEvent

__all__ = [
    "CardConsent",
    "Payment",
    "PaymentCard",
    "PaymentPart",
    "ProviderEarning",
    "Refund",
    "SessionCost",
    "StripeCustomer",
    "StripeEvent",
]
