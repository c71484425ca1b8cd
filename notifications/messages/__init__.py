"""The e-mails we send, one class per kind, made of plain safe values.

An e-mail carries the least: who it greets, the session's date, an amount and a link. Never a diagnosis, a procedure,
a member id; never more than the news itself in the subject, which shows on a locked phone (RULES.md section 5).
Everything else is behind the link.
"""

from notifications.messages.account import (
    AccountPaused,
    AccountResumed,
    AccountStillPaused,
    ConfirmPlans,
    EstimateReady,
)
from notifications.messages.automatic import (
    AutopayComing,
    AutopayOn,
    CardExpiring,
    InstalmentComing,
    InstalmentNotPaid,
    PaymentPlanAgreed,
    PlannedPart,
)
from notifications.messages.base import Message
from notifications.messages.costs import CostCorrected, CostCorrectedProvider, SessionChange
from notifications.messages.payments import CardSaved, PaidSession, PaymentNeedsYou, PaymentReceipt, PayNow
from notifications.messages.payouts import (
    BankAccountChanged,
    PayoutNeedsAccount,
    PayoutReturned,
    PayoutSent,
    SessionVoided,
    SessionVoidedProvider,
)
from notifications.messages.refunds import RefundProcessed, RefundPromised, RefundReturned, RefundSentAnotherWay
from notifications.messages.statements import StatementReady

CATALOGUE: tuple[type[Message], ...] = (
    PayNow,
    PaymentReceipt,
    PaymentNeedsYou,
    RefundPromised,
    RefundProcessed,
    RefundReturned,
    RefundSentAnotherWay,
    StatementReady,
    AccountPaused,
    AccountStillPaused,
    AccountResumed,
    ConfirmPlans,
    EstimateReady,
    CostCorrected,
    CostCorrectedProvider,
    CardSaved,
    SessionVoided,
    SessionVoidedProvider,
    PayoutSent,
    PayoutReturned,
    PayoutNeedsAccount,
    BankAccountChanged,
    CardExpiring,
    PaymentPlanAgreed,
    InstalmentComing,
    InstalmentNotPaid,
    AutopayOn,
    AutopayComing,
)
"""Every kind of e-mail, in the order the preview page shows them."""

__all__ = [
    "CATALOGUE",
    "AccountPaused",
    "AccountResumed",
    "AccountStillPaused",
    "AutopayComing",
    "AutopayOn",
    "BankAccountChanged",
    "CardExpiring",
    "CardSaved",
    "ConfirmPlans",
    "CostCorrected",
    "CostCorrectedProvider",
    "EstimateReady",
    "InstalmentComing",
    "InstalmentNotPaid",
    "Message",
    "PaidSession",
    "PayNow",
    "PaymentNeedsYou",
    "PaymentPlanAgreed",
    "PaymentReceipt",
    "PayoutNeedsAccount",
    "PayoutReturned",
    "PayoutSent",
    "PlannedPart",
    "RefundProcessed",
    "RefundPromised",
    "RefundReturned",
    "RefundSentAnotherWay",
    "SessionChange",
    "SessionVoided",
    "SessionVoidedProvider",
    "StatementReady",
]
