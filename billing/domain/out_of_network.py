"""What a session out of network leaves to the client: its share by the plan's terms, and the charge above. Pure.

Nobody's contract caps the charge there. The client pays the provider all of it; the plan pays back its part of the
amount it allows (RULES 1; the uniform glossary of 45 CFR 147.200 calls the rest balance billing). What is above the
allowed amount counts neither to the deductible nor to the out-of-pocket maximum (45 CFR 155.20, "cost sharing").
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.domain.pricing import PlanState, PlanTerms, PricedSession, price_session
from common.money import ZERO, dollars


@dataclass(frozen=True, slots=True)
class Visit:
    """A session out of network in dollars: the provider's full charge, and what the plan allows of it if known."""

    date: date
    charge: Decimal
    allowed: Decimal | None
    terms: PlanTerms | None = None
    """What the plan asks of this visit, where that is not what it asks of the others (telehealth)."""

    def __post_init__(self) -> None:
        if self.charge < 0 or (self.allowed is not None and not 0 <= self.allowed <= self.charge):
            raise ValueError("what a plan allows is between nothing and the charge")


@dataclass(frozen=True, slots=True)
class OutOfNetworkPrice:
    """One session. ``plan + client = charge``, both ``None`` while the plan's payment is not known."""

    charge: Decimal
    allowed: Decimal | None
    plan: Decimal | None
    """What the plan pays back to the client."""
    client: Decimal | None
    """What is left to the client in the end."""
    at_most: Decimal | None
    """The most the plan can pay back: ``plan`` where that is known; ``None`` when nothing can be said."""
    share: PricedSession | None
    """The client's share of the allowed amount, part by part; ``None`` when that amount, or one before, is not known.

    A session that is not covered has all of the charge in ``not_covered``.
    """
    why: tuple[str, ...]
    """Sentences for the client."""

    @property
    def above(self) -> Decimal | None:
        """The part of the charge that the plan does not look at."""
        return None if self.allowed is None else self.charge - self.allowed


def price_out_of_network(terms: PlanTerms, visits: Sequence[Visit]) -> tuple[OutOfNetworkPrice, ...]:
    """Price sessions in date order (one day: as given), each using up what is left; answered in the order given.

    An allowed amount that is not known lies between nothing and the charge. What a plan pays rises with what it allows
    and with what was used before, so the charge itself gives the most that it can pay.
    """
    most = PlanState.start(replace(terms, network="out"))
    known: PlanState | None = most
    found: dict[int, OutOfNetworkPrice] = {}
    for place in sorted(range(len(visits)), key=lambda place: visits[place].date):
        visit = visits[place]
        asks = replace(visit.terms or terms, network="out")
        most = replace(most, terms=asks)
        if most.visits == 0 or not asks.covered:
            # What the plan would allow plays no part, and nothing of it is used.
            found[place] = _known(visit, price_session(most, visit.charge, charge=visit.charge)[0])
            continue
        best, most = price_session(most, visit.charge if visit.allowed is None else visit.allowed, charge=visit.charge)
        if known is not None and visit.allowed is not None:
            share, known = price_session(replace(known, terms=asks), visit.allowed, charge=visit.charge)
            found[place] = _known(visit, share)
        else:
            found[place] = _bounded(visit, best)
            known = None  # what this session uses of the plan is not known, and so is all that comes after it
    return tuple(found[place] for place in range(len(visits)))


def _known(visit: Visit, share: PricedSession) -> OutOfNetworkPrice:
    client = None if share.plan is None else visit.charge - share.plan
    return OutOfNetworkPrice(visit.charge, visit.allowed, share.plan, client, share.plan, share, share.why)


def _bounded(visit: Visit, best: PricedSession) -> OutOfNetworkPrice:
    """The plan pays between nothing and what it would at ``best``."""
    amounts = {"charge": dollars(visit.charge), "most": dollars(best.plan or ZERO)}
    if visit.allowed is None:
        why = [_("The charge is %(charge)s. How much of it your plan allows is not known") % amounts]
    else:
        amounts["allowed"] = dollars(visit.allowed)
        why = [_("The charge is %(charge)s, and your plan allows %(allowed)s of it") % amounts]
    if best.plan is None:
        why.append(_("Not known: what your plan pays out of network"))
    elif best.plan == ZERO:
        why.append(_("All that it allows goes to your own share, so it pays nothing back"))
    else:
        amounts["least"] = dollars(visit.charge - best.plan)
        why.append(_("It pays back %(most)s at most, so at least %(least)s is left to you") % amounts)
    plan = ZERO if best.plan == ZERO else None
    client = None if plan is None else visit.charge
    return OutOfNetworkPrice(visit.charge, visit.allowed, plan, client, best.plan, None, tuple(why))
