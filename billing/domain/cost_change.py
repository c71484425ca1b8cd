"""Why an estimate changed, and the sentence that tells the client. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from common.money import ZERO, dollars


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


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimate and what it came from. Amounts in dollars; ``deductible`` ``None``: not known.

    ``plan`` and ``snapshot`` are ids; ``maximum_reached``: the snapshot itself leaves nothing of the maximum.
    """

    amount: Decimal
    allowed: Decimal
    payer: str
    plan: int | None
    snapshot: int | None = None
    plan_begin: date | None = None
    deductible: Decimal | None = None
    verified: bool = True
    maximum_reached: bool = False


def reason(before: Estimate | None, now: Estimate) -> Change:
    """The first fact that explains the change."""
    if before is None:
        return Change.FIRST
    if before.plan != now.plan:
        return Change.NEW_PLAN
    if before.allowed != now.allowed:
        return Change.RATE_CHANGED
    if before.plan_begin and now.plan_begin and now.plan_begin > before.plan_begin:
        return Change.PLAN_YEAR_RESET
    if now.amount < before.amount and now.verified and before.verified:
        if now.amount == ZERO or now.maximum_reached:
            return Change.OUT_OF_POCKET_MET
        if before.deductible and now.deductible == ZERO:
            return Change.DEDUCTIBLE_MET
    if before.snapshot == now.snapshot:
        # The insurer said nothing new: the sessions before this one use more or less of the plan than they did.
        return Change.SESSION_CHANGED
    return Change.BENEFITS_CORRECTED


def sentence(change: Change, now: Estimate, *, on: date) -> str:
    """The reason in plain words and figures; ``on`` is the day it is told."""
    words = {
        Change.FIRST: _("We worked out this price from your benefits with %(payer)s: %(amount)s."),
        Change.NEW_PLAN: _("%(payer)s now pays first, so this session costs %(amount)s."),
        Change.RATE_CHANGED: _("The rate agreed with %(payer)s changed, so this session costs %(amount)s."),
        Change.PLAN_YEAR_RESET: _("Your plan year started again, so this session costs %(amount)s."),
        Change.DEDUCTIBLE_MET: _("You have met your deductible, so this session costs %(amount)s."),
        Change.OUT_OF_POCKET_MET: _("You have reached your out-of-pocket maximum, so this session costs %(amount)s."),
        Change.SESSION_CHANGED: _(
            "Your other sessions now use a different part of your benefits, so this session costs %(amount)s."
        ),
        Change.BENEFITS_CORRECTED: _(
            "%(payer)s gave us newer information on %(day)s, so this session costs %(amount)s."
        ),
    }[change]
    return words % {"payer": now.payer, "amount": dollars(now.amount), "day": date_format(on, "j F Y")}
