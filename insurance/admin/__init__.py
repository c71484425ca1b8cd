"""Support's view of insurers, plans, benefits, claims, files and remittances."""

from common.desk import register_history
from insurance.admin import (
    claims,
    eligibility,
    files,
    lines,
    network,
    payers,
    plans,
    recertifications,
    remittances,
    suggestions,
)

__all__ = [
    "claims",
    "eligibility",
    "files",
    "lines",
    "network",
    "payers",
    "plans",
    "recertifications",
    "remittances",
    "suggestions",
]

register_history(
    "insurance",
    {
        "CoverageEvent": "pgh_obj__client",
        "RecertificationEvent": "pgh_obj__coverage__client",
        "SuggestedCoverageEvent": "pgh_obj__client",
    },
)
