"""Support's view of costs, payments, refunds and earnings; how right prices are; the client's whole story."""

from billing.admin import (
    accuracy,
    aging,
    comparisons,
    enter_benefits,
    money,
    order_facts,
    pauses,
    recalculation,
    repairs,
    story,
    suggestions,
    suspense,
    whatif,
    write_offs,
)

__all__ = [
    "accuracy",
    "aging",
    "comparisons",
    "enter_benefits",
    "money",
    "order_facts",
    "pauses",
    "recalculation",
    "repairs",
    "story",
    "suggestions",
    "suspense",
    "whatif",
    "write_offs",
]
