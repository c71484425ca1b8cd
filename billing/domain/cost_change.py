"""Why an estimate changed, and the sentences that tell it. Pure. A table with figures: ``docs/cost-changes.md``."""

from datetime import date
from enum import StrEnum

from django.utils.translation import gettext as _

from billing.domain import change_words
from billing.domain.estimates import (
    Estimate,
    cut_by_maximum,
    rate_moved_it,
    visit_changed,
    weighed,
    year_began,
)
from common.money import dollars

__all__ = ["Change", "Estimate", "cause", "is_correction", "reason", "sentence"]


class Change(StrEnum):
    """The closed list of reasons for an estimate; those of a processed claim come with its remittance."""

    FIRST = "first"
    NEW_PLAN = "new_plan"
    RATE_CHANGED = "rate_changed"
    PLAN_YEAR_RESET = "plan_year_reset"
    OUT_OF_POCKET_MET = "out_of_pocket_met"
    DEDUCTIBLE_MET = "deductible_met"
    SESSION_CHANGED = "session_changed"
    BENEFITS_CORRECTED = "benefits_corrected"


def reason(before: Estimate | None, now: Estimate) -> Change:
    """The reason to give; there always is one. ``docs/cost-changes.md`` says why in this order."""
    if before is None:
        return Change.FIRST
    if before.plan != now.plan:
        return Change.NEW_PLAN
    if visit_changed(before, now):
        return Change.SESSION_CHANGED
    if year_began(before, now):
        return Change.PLAN_YEAR_RESET
    if before.verified != now.verified:
        return Change.BENEFITS_CORRECTED
    if not now.verified:
        return Change.RATE_CHANGED if before.allowed != now.allowed else Change.BENEFITS_CORRECTED
    if any(bears for _correction, bears in weighed(before, now)):
        return Change.BENEFITS_CORRECTED
    if rate_moved_it(before, now):
        return Change.RATE_CHANGED
    if now.amount < before.amount:
        if cut_by_maximum(now):
            return Change.OUT_OF_POCKET_MET
        if now.deductible is not None and before.deductible is not None and now.deductible < before.deductible:
            return Change.DEDUCTIBLE_MET
    return Change.SESSION_CHANGED


def is_correction(before: Estimate | None, now: Estimate) -> bool:
    """Whether what we told before was wrong and is right now, so that client and provider are owed a letter.

    Benefits that become known, or are known no longer, make nothing wrong that we told as known.
    """
    if before is None or not (before.verified and now.verified):
        return False
    return reason(before, now) is Change.BENEFITS_CORRECTED


def sentence(
    change: Change, before: Estimate | None, now: Estimate, *, on: date, client_name: str | None = None
) -> str:
    """The reason in plain words and figures, with what the session costs now. ``on`` is the day it is told.

    It speaks to the client, or about the client when there is a ``client_name`` ("Ana", "your client").
    """
    words = {
        "cause": _cause(change, before, now, on, client_name),
        "now": dollars(now.amount),
        "before": dollars(before.amount) if before else "",
    }
    if not now.verified and now.amount == now.allowed:
        return _("%(cause)s, so this session costs its full price of %(now)s for now.") % words
    if not now.verified:
        return _("%(cause)s, so this session costs %(now)s for now.") % words
    if before is None and change is Change.FIRST:
        return _("%(cause)s: %(now)s.") % words
    if before is None or (change is Change.PLAN_YEAR_RESET and before.amount != now.amount):
        # The price of another year is nothing to compare with.
        return _("%(cause)s, so this session costs %(now)s.") % words
    if before.amount == now.amount:
        return _("%(cause)s; this session still costs %(now)s.") % words
    if visit_changed(before, now):
        return _("%(cause)s, so it costs %(now)s instead of %(before)s.") % words
    return _("%(cause)s, so this session costs %(now)s instead of %(before)s.") % words


def cause(change: Change, before: Estimate | None, now: Estimate, *, on: date, client_name: str | None = None) -> str:
    """The reason alone, as a sentence of its own: for a letter that gives the amounts in a list."""
    return _cause(change, before, now, on, client_name).rstrip(".") + "."  # "… with Harbor Mutual Inc.."


def _cause(change: Change, before: Estimate | None, now: Estimate, on: date, name: str | None) -> str:
    words = _clause(change, before, now, on, name)
    return words[:1].upper() + words[1:]  # a name may be "your client"


def _clause(change: Change, before: Estimate | None, now: Estimate, on: date, name: str | None) -> str:
    match change:
        case Change.FIRST:
            return change_words.first(now, name)
        case Change.NEW_PLAN:
            return change_words.new_plan(before, now, name)
        case Change.RATE_CHANGED:
            return change_words.new_rate(before, now)
        case Change.PLAN_YEAR_RESET:
            return change_words.new_year(before, now, on, name)
        case Change.OUT_OF_POCKET_MET:
            return change_words.maximum_met(now, name)
        case Change.DEDUCTIBLE_MET:
            return change_words.deductible_met(now, name)
        case Change.SESSION_CHANGED:
            return change_words.session_changed(before, now, on, name)
        case Change.BENEFITS_CORRECTED:
            return change_words.benefits_corrected(before, now, on, name)
