"""What a card processor answers, in plain values: no models, no processor's own types.

Amounts are ``Decimal`` dollars; ids are the processor's own (``cus_…``, ``pm_…``, ``pi_…``, ``re_…``, ``evt_…``).
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

SMALLEST_CHARGE = Decimal("0.50")
"""Stripe takes no card payment below this (its minimum for US dollars); refunds have no minimum."""


class ChargeState(StrEnum):
    """Where one payment stands at the processor."""

    SUCCEEDED = "succeeded"
    PROCESSING = "processing"
    """Accepted, the bank has not answered: wait for the event."""
    REQUIRES_ACTION = "requires_action"
    """The bank wants the cardholder: send her a link, and finish it in the browser with ``client_secret``."""
    DECLINED = "declined"
    OPEN = "open"
    """Waiting for a card or for confirmation in the browser; no money has moved."""
    CANCELED = "canceled"


class RefundState(StrEnum):
    """Where one refund stands at the processor."""

    IN_TRANSIT = "in_transit"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class DisputeState(StrEnum):
    """Where one dispute stands at the processor."""

    WARNING = "warning"
    """The bank asks; no money has moved."""
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


class PayoutState(StrEnum):
    """Where one payout to our bank stands."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"


class SetupState(StrEnum):
    """Where the saving of a card stands."""

    OPEN = "open"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Card:
    """A saved card, as much of it as anyone may see."""

    payment_method: str
    brand: str
    """Lower case, as the processor names it: ``visa``, ``mastercard``, ``amex``…"""
    last4: str
    exp_month: int
    exp_year: int
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class SetupResult:
    """A card being saved for later; ``payment_method`` is known once the browser has confirmed."""

    setup_intent: str
    state: SetupState
    client_secret: str
    customer: str | None
    payment_method: str | None


@dataclass(frozen=True, slots=True)
class ChargeResult:
    """One payment. ``reference`` is ours, as given when it was made."""

    state: ChargeState
    payment_intent: str
    amount: Decimal
    client_secret: str | None = None
    customer: str | None = None
    payment_method: str | None = None
    charge: str | None = None
    decline_code: str | None = None
    """Set when declined or when the bank wants the cardholder: ``insufficient_funds``, ``expired_card``…"""
    message: str = ""
    """The processor's sentence about a decline, fit to be shown to the cardholder; empty when there is none."""
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class RefundResult:
    """One refund of (a part of) one payment. ``reference`` is ours, as given when it was made."""

    state: RefundState
    refund: str
    amount: Decimal
    payment_intent: str | None
    failure_reason: str | None = None
    reference: str | None = None
    bank_reference: str | None = None
    """The acquirer's number (ARN) by which the cardholder's bank finds it; known some time after processing."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of our balance at the processor. Signed dollars: positive is to our good; ``net`` is ``amount``
    less ``fee``."""

    id: str
    kind: str
    """The processor's type: ``charge``, ``refund``, ``adjustment``, ``payout``, ``stripe_fee``…"""
    amount: Decimal
    fee: Decimal
    net: Decimal
    created: datetime
    available_on: date
    source: str | None
    """The object it comes from: ``ch_…``, ``re_…``, ``dp_…``, ``po_…``; ``None`` for a fee by itself."""
    payment_intent: str | None = None
    """Of a charge, where the source was asked for too."""


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """Our balance at the processor in dollars: what may be paid out, and what is on its way there."""

    available: Decimal
    pending: Decimal

    @property
    def total(self) -> Decimal:
        return self.available + self.pending


@dataclass(frozen=True, slots=True)
class DisputeResult:
    """One dispute, with what it has moved so far, the oldest movement first."""

    state: DisputeState
    dispute: str
    amount: Decimal
    reason: str
    payment_intent: str | None
    evidence_due: datetime | None
    created: datetime
    movements: tuple[Movement, ...] = ()


@dataclass(frozen=True, slots=True)
class WarningResult:
    """One early fraud warning. ``actionable``: a refund can still avoid a dispute."""

    warning: str
    kind: str
    actionable: bool
    payment_intent: str | None
    charge: str | None
    created: datetime


@dataclass(frozen=True, slots=True)
class PayoutResult:
    """One transfer between the processor and our bank. A negative ``amount`` takes money from the bank."""

    state: PayoutState
    payout: str
    amount: Decimal
    arrives_on: date
    created: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """News from the processor: which object changed. The object is fetched again, its copy in the event is not used."""

    id: str
    type: str
    object_type: str
    """``payment_intent``, ``setup_intent``, ``refund``, ``charge``, ``payment_method``…"""
    object_id: str
    created: datetime


class GatewayError(Exception):
    """The processor did not do what was asked."""


class OutcomeUnknown(GatewayError):
    """No answer, or none that says what happened: it may have been done.

    The caller marks the attempt unknown and asks later (``find_payment``, ``find_refund``); it never tries anew under
    another key.
    """


class GatewayBusy(GatewayError):
    """The processor turned the request away before doing anything: try later with the same key."""


class GatewayRefused(GatewayError):
    """The processor says the request is wrong; nothing has happened. ``code`` is its machine name, if it gave one."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class CardRefused(GatewayError):
    """The bank refuses to have this card saved; ``str(error)`` is fit to be shown to the cardholder."""

    def __init__(self, message: str, decline_code: str | None = None) -> None:
        super().__init__(message)
        self.decline_code = decline_code


class BadSignature(GatewayError):
    """A message that claims to come from the processor does not carry its signature, is too old or cannot be read."""
