"""Support's view of costs, payments, refunds and earnings; how right prices are; the client's whole story."""

from billing.admin import (
    accuracy,
    aging,
    comparisons,
    disputes,
    enter_benefits,
    money,
    order_facts,
    pauses,
    recalculation,
    repairs,
    story,
    stripe_account,
    suggestions,
    suspense,
    whatif,
    write_offs,
)

__all__ = [
    "accuracy",
    "aging",
    "comparisons",
    "disputes",
    "enter_benefits",
    "money",
    "order_facts",
    "pauses",
    "recalculation",
    "repairs",
    "story",
    "stripe_account",
    "suggestions",
    "suspense",
    "whatif",
    "write_offs",
]
