"""Support's view of costs, payments, refunds and earnings; how right prices are; the client's whole story."""

from billing.admin import (
    accuracy,
    comparisons,
    enter_benefits,
    money,
    order_facts,
    pauses,
    recalculation,
    repairs,
    story,
    suggestions,
    whatif,
)

__all__ = [
    "accuracy",
    "comparisons",
    "enter_benefits",
    "money",
    "order_facts",
    "pauses",
    "recalculation",
    "repairs",
    "story",
    "suggestions",
    "whatif",
]
