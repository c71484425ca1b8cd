"""What a session comes to when its first plan cannot be billed with this provider: an estimate, never a charge.

Such a session cannot be confirmed (``prices.price`` says why). The client would pay the full charge and ask the insurer
to pay its part back; how much that is, ``billing/domain/out_of_network.py`` works out. Writes nothing.
"""

from dataclasses import dataclass, replace
from datetime import date

from billing.domain.out_of_network import OutOfNetworkPrice, Visit, price_out_of_network
from billing.domain.plan_year import terms_of
from billing.domain.pricing import PlanTerms
from billing.services.costs import newest_snapshot
from care.models import Session
from common import clock
from insurance.domain.benefits import Benefits
from insurance.models import BenefitSnapshot, Coverage, FeeSchedule
from insurance.services.network import rates, standings
from insurance.services.plan_order import plan_histories


@dataclass(frozen=True, slots=True)
class OutOfNetwork:
    """One session out of network. Amounts are dollars, ``None`` where they are not known."""

    coverage: Coverage
    why_not: str
    """Why the plan cannot be billed, as a sentence."""
    price: OutOfNetworkPrice
    told_on: date | None
    """The day on which the insurer told the benefits used here; ``None`` when it has told none."""


def estimate(session: Session) -> OutOfNetwork | None:
    """The estimate for a booked session whose first plan cannot be billed with this provider; else ``None``.

    ``None`` too without a plan on that day. The client's other such sessions before it draw on the plan first, from the
    day on which the insurer told its figures. A bounded number of queries however many there are.
    """
    if session.status != Session.Status.SCHEDULED:
        return None
    history = plan_histories([session.client])[session.client_id]
    plans = history.on(session.date)
    if not plans:
        return None
    coverage = plans[0]
    why_not = standings(payer=coverage.payer, sessions=[session])[session.pk].why_not
    if not why_not:
        return None
    snapshot = newest_snapshot(coverage, session.date)
    sessions = [each for each in _up_to(session, snapshot) if history.on(each.date)[:1] == [coverage]]
    standing = standings(payer=coverage.payer, sessions=sessions)
    visits = [each for each in sessions if not standing[each.pk].can_bill]
    known = rates(payer=coverage.payer, sessions=visits, network=FeeSchedule.Network.OUT)
    benefits = snapshot.read() if snapshot else Benefits()
    office, telehealth = _terms(benefits, telehealth=False), _terms(benefits, telehealth=True)
    prices = price_out_of_network(
        office,
        [
            Visit(each.date, each.charge, known[each.pk], terms=telehealth if each.is_telehealth else office)
            for each in visits
        ],
    )
    return OutOfNetwork(
        coverage=coverage,
        why_not=why_not,
        price=next(price for each, price in zip(visits, prices, strict=True) if each.pk == session.pk),
        told_on=clock.business_date(snapshot.observed_at) if snapshot else None,
    )


def _up_to(session: Session, snapshot: BenefitSnapshot | None) -> list[Session]:
    """The client's booked sessions that may draw on the same figures before this one, and this one last of its day."""
    before = Session.objects.filter(client=session.client_id, status=Session.Status.SCHEDULED, date__lte=session.date)
    if snapshot is None:
        before = before.none()
    else:
        begins = clock.business_date(snapshot.observed_at)
        if snapshot.plan_begin is not None:
            begins = max(begins, snapshot.plan_begin)
        before = before.filter(date__gte=begins)
    others = before.exclude(pk=session.pk).exclude(date=session.date, starts_at__gt=session.starts_at)
    ordered = others.select_related("provider").prefetch_related("lines").order_by("date", "starts_at", "pk")
    return [*ordered, session]


def _terms(benefits: Benefits, *, telehealth: bool) -> PlanTerms:
    """What the plan asks out of network. A plan that is not active, or covers no therapy there, pays nothing."""
    figures = benefits.out_of_network.for_telehealth() if telehealth else benefits.out_of_network
    terms = terms_of(benefits, telehealth=telehealth, network="out")
    if benefits.active is False or figures.covered is False:
        return replace(terms, covered=False, visits_remaining=None)
    return terms
