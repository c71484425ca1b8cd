"""Test cards: which bank's answer each number stands for. Pure.

Numbers and tokens are those of Stripe's published test cards, so that a test written here also runs against Stripe's
own test mode (source: docs.stripe.com/testing).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the bank answers for one card number."""

    decline: str | None = None
    """Decline code of every charge."""
    decline_saving: bool = False
    """Saving the card is declined too."""
    authenticate: str = "never"
    """``never``, ``until_set_up`` (not again once the holder has agreed to later charges) or ``always``."""
    refunds: str = "succeeded"
    """``succeeded``, ``pending`` (succeeds a moment later) or ``fails`` (succeeds, then comes back)."""
    afterwards: str = ""
    """What follows a payment a moment later: ``dispute:REASON``, ``inquiry:REASON`` or ``warning``."""


_PLAIN = Behaviour()

BEHAVIOURS: dict[str, Behaviour] = {
    "4000000000000002": Behaviour(decline="generic_decline", decline_saving=True),
    "4000000000009995": Behaviour(decline="insufficient_funds", decline_saving=True),
    "4000000000009987": Behaviour(decline="lost_card", decline_saving=True),
    "4000000000009979": Behaviour(decline="stolen_card", decline_saving=True),
    "4000000000000069": Behaviour(decline="expired_card", decline_saving=True),
    "4000000000000127": Behaviour(decline="incorrect_cvc", decline_saving=True),
    "4000000000000119": Behaviour(decline="processing_error", decline_saving=True),
    "4000000000000341": Behaviour(decline="generic_decline"),
    "4000002500003155": Behaviour(authenticate="until_set_up"),
    "4000002760003184": Behaviour(authenticate="always"),
    "4000000000003220": Behaviour(authenticate="always"),
    "4000008260003178": Behaviour(authenticate="always", decline="insufficient_funds"),
    "4000000000007726": Behaviour(refunds="pending"),
    "4000000000005126": Behaviour(refunds="fails"),
    "4000000000000259": Behaviour(afterwards="dispute:fraudulent"),
    "4000000000002685": Behaviour(afterwards="dispute:product_not_received"),
    "4000000000001976": Behaviour(afterwards="inquiry:fraudulent"),
    "4000000000005423": Behaviour(afterwards="warning"),
}

TOKENS: dict[str, str] = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_discover": "6011111111111117",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeProductNotReceived": "4000000000002685",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "pm_card_createIssuerFraudRecord": "4000000000005423",
}

_OWN_CODES = {"expired_card", "incorrect_cvc", "processing_error", "authentication_required"}

_MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


def behaviour(number: str) -> Behaviour:
    """The behaviour of a card number; any number not in the table is paid."""
    return BEHAVIOURS.get(number, _PLAIN)


def decline_error(decline_code: str) -> dict[str, str]:
    """The ``card_error`` for a decline: ``code`` is Stripe's word, ``decline_code`` the bank's."""
    code = decline_code if decline_code in _OWN_CODES else "card_declined"
    return {
        "type": "card_error",
        "code": code,
        "decline_code": decline_code,
        "message": _MESSAGES.get(decline_code, "Your card was declined."),
    }


def brand(number: str) -> str:
    """The brand by the number's first digits, lower case as Stripe writes it."""
    if number.startswith(("34", "37")):
        return "amex"
    if number.startswith(("60", "65")):
        return "discover"
    if number[:1] in ("5", "2"):
        return "mastercard"
    return "visa" if number.startswith("4") else "unknown"


def passes_luhn(number: str) -> bool:
    """The check digit of a card number (ISO/IEC 7812-1, annex B)."""
    if not number.isdigit() or not 12 <= len(number) <= 19:
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
