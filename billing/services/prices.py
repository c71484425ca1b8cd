"""What sessions cost as of now: which plan pays, what is left of it, and what to say when that is not known.

The walk itself is pure (``billing.domain.plan_year``); ``billing.services.plan_years`` finds what goes into it. Nothing
here is written down: that is ``billing.services.costs``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.domain.plan_year import Placed
from billing.domain.pricing import PricedSession, Remaining
from billing.models import SessionCost
from billing.services import plan_years
from billing.services.plan_years import PlanYear
from care.models import Session
from common.errors import DomainError
from common.money import dollars, plain
from insurance.models import BenefitSnapshot, Coverage, Payer
from insurance.services.network import rates, session_standing, standings, why_no_rate
from insurance.services.plan_order import plan_histories, plans_in_order
from people.models import Client


class NoPrice(DomainError):
    """The session cannot be priced: no plan, no contract or no rate. The sentence says which."""


@dataclass(frozen=True, slots=True)
class Priced:
    """One session's price with what it was computed from. ``before``: what was left of the plan before it."""

    session: Session
    coverage: Coverage
    snapshot: BenefitSnapshot | None
    allowed: Decimal
    amount: Decimal
    breakdown: dict[str, Any]
    before: Remaining | None = None

    @property
    def verified(self) -> bool:
        return bool(self.breakdown["verified"])


def price_upcoming(client: Client) -> list[Priced]:
    """Price every session that is scheduled and not yet confirmed, each in its own plan year. Writes nothing.

    Sessions that cannot be priced (no plan, no contract, no rate) are left out; :func:`price` says why for one.
    """
    return price_all(client, charged=False)


def price(session: Session) -> Priced:
    """One scheduled session's price now. Raises :class:`NoPrice` with the reason in words."""
    return of(session, price_upcoming(session.client))


def of(session: Session, priced: Iterable[Priced]) -> Priced:
    """One session's price among those of its client. Raises :class:`NoPrice` when there is none, with the reason."""
    found = next((each for each in priced if each.session.pk == session.pk), None)
    if found is None:
        plans = plans_in_order(session.client, on=session.date)
        if not plans:
            raise NoPrice(_("There is no insurance plan on the account for the day of this session."))
        billable = session_standing(session=session, payer=plans[0].payer)
        raise NoPrice(billable.why_not or why_no_rate(payer=plans[0].payer, session=session))
    return found


def price_all(client: Client, *, charged: bool, known: PlanYear | None = None) -> list[Priced]:
    """The prices as of now of the scheduled sessions; with ``charged`` also of the confirmed ones whose first plan has
    not decided. ``known``: a plan year that was loaded before in this transaction."""
    scheduled = list(
        Session.objects.filter(client=client, status=Session.Status.SCHEDULED)
        .select_related("provider")
        .prefetch_related("lines")
        .order_by("date", "starts_at", "pk")
    )
    history = plan_histories([client])[client.pk]
    newest: dict[Coverage, list[BenefitSnapshot]] = {}
    years: dict[tuple[Coverage, BenefitSnapshot | None], list[Session]] = {}

    def year_of(coverage: Coverage, on: date) -> list[Session]:
        if coverage not in newest:
            newest[coverage] = list(coverage.snapshots.order_by("-observed_at", "-pk"))
        return years.setdefault((coverage, covering(newest[coverage], on)), [])

    first_plans = {each.pk: plans[0] for each in scheduled if (plans := history.on(each.date))}
    for session in _that_can_be_billed(scheduled, first_plans):
        year_of(first_plans[session.pk], session.date).append(session)
    for coverage, on in _under_way(client) if charged else ():
        year_of(coverage, on)
    found: list[Priced] = []
    for (coverage, snapshot), sessions in years.items():
        if snapshot is None:
            found += _without_answer(client, coverage, newest[coverage], sessions)
        else:
            benefits = snapshot.read()
            ids = [session.pk for session in sessions]
            found += _in_year(plan_years.load(client, coverage, snapshot, ids, benefits=benefits, known=known))
    if not charged:
        found = [each for each in found if each.session.status == Session.Status.SCHEDULED]
    return sorted(found, key=lambda each: (each.session.date, each.session.starts_at, each.session.pk))


def _that_can_be_billed(sessions: list[Session], first_plans: Mapping[int, Coverage]) -> list[Session]:
    """Those whose provider may bill their first plan on their day."""
    by_payer: dict[Payer, list[Session]] = {}
    for session in sessions:
        if session.pk in first_plans:
            by_payer.setdefault(first_plans[session.pk].payer, []).append(session)
    billable: set[int] = set()
    for payer, theirs in by_payer.items():
        billable |= {pk for pk, each in standings(payer=payer, sessions=theirs).items() if each.can_bill}
    return [session for session in sessions if session.pk in billable]


def _under_way(client: Client) -> list[tuple[Coverage, date]]:
    """Where confirmed sessions still cost what we estimated: their first plan and day."""
    estimated = (
        SessionCost.objects.filter(session__client=client, session__status=Session.Status.CONFIRMED)
        .order_by("session_id", "-pk")
        .distinct("session_id")
    )
    rows = SessionCost.objects.filter(pk__in=estimated.values("pk"), basis=SessionCost.Basis.ESTIMATE)
    return [
        (row.coverage, row.session.date)
        for row in rows.select_related("coverage__payer", "session").order_by("session__date", "pk")
        if row.coverage is not None
    ]


def _in_year(year: PlanYear) -> list[Priced]:
    """What the sessions of a plan year cost that its insurer has not decided."""
    prices = year.walk().prices
    found = []
    for session in year.sessions:
        allowed, placed = year.allowed[session.pk], prices.get(session.pk)
        if placed is not None and allowed is not None:
            found.append(_priced(year, session, placed, allowed))
    return found


def _priced(year: PlanYear, session: Session, placed: Placed, allowed: Decimal) -> Priced:
    price = placed.price
    if price.client is None or year.benefits.active is False:
        why = [_("%(payer)s says that this plan is not active.") % {"payer": year.coverage.payer}]
        reasons = why if year.benefits.active is False else list(price.why)
        amount, breakdown = _unverified(session, year.coverage, allowed, reasons)
    else:
        amount, breakdown = price.client, _breakdown(price, allowed, year.coverage)
    breakdown |= {
        "deductible_left": plain(_least(placed.before.deductible, placed.before.family_deductible)),
        "maximum_left": plain(_least(placed.before.out_of_pocket, placed.before.family_out_of_pocket)),
        "visits_left": placed.before.visits,
        "visit": _visit(session),
    }
    return Priced(session, year.coverage, year.snapshot, allowed, amount, breakdown, placed.before)


def _least(*figures: Decimal | None) -> Decimal | None:
    return min((figure for figure in figures if figure is not None), default=None)


def _visit(session: Session) -> list[Any]:
    """What is done where: what must differ for the session itself to have changed."""
    return [session.date.isoformat(), session.is_telehealth, [str(line) for line in session.lines.all()]]


def _breakdown(price: PricedSession, allowed: Decimal, coverage: Coverage) -> dict[str, Any]:
    return {
        "allowed": plain(allowed),
        "plan": plain(price.plan),
        "deductible": plain(price.deductible),
        "copay": plain(price.copay),
        "coinsurance": plain(price.coinsurance),
        "not_covered": plain(price.not_covered),
        "why": list(price.why),
        "verified": True,
        "payer": coverage.payer.name,
    }


def _without_answer(
    client: Client, coverage: Coverage, newest_first: list[BenefitSnapshot], sessions: list[Session]
) -> list[Priced]:
    """The insurer has told nothing yet of the plan year: what it will be if the plan goes on as it is now."""
    last = next((each for each in newest_first if each.plan_end is not None), None)
    if last is None or last.read().active is False:
        return _without_benefits(coverage, sessions)
    years = plan_years.next_year(client, coverage, last, [each.pk for each in sessions])
    expected = [{each.session.pk: each for each in _in_year(year)} for year in years]
    found: list[Priced] = []
    unknown: list[Session] = []
    for session in sessions:
        prices = [each[session.pk] for each in expected if session.pk in each]
        if prices and all(each.verified and each.amount == prices[0].amount for each in prices):
            found.append(_expected(prices[0], last))
        else:
            unknown.append(session)
    return found + _without_benefits(coverage, unknown)


def _expected(priced: Priced, last: BenefitSnapshot) -> Priced:
    """A price of the year to come, marked as not verified; it was worked out from ``last``."""
    assert last.plan_end is not None, "a year without an end has no next one"
    words = {
        "payer": priced.coverage.payer,
        "day": date_format(last.plan_end + timedelta(days=1), "j F Y"),
        "amount": dollars(priced.amount),
    }
    why = _("Your plan year starts again on %(day)s. If the plan stays as it is, this session costs %(amount)s; we ask "
            "%(payer)s then.") % words  # fmt: skip
    breakdown = priced.breakdown | {"verified": False, "why": [why, *priced.breakdown["why"]]}
    return replace(priced, snapshot=last, breakdown=breakdown)


def _without_benefits(coverage: Coverage, sessions: list[Session]) -> list[Priced]:
    """The insurer has told nothing that helps."""
    allowed_by_session = rates(payer=coverage.payer, sessions=sessions)
    found = []
    for session in sessions:
        allowed = allowed_by_session[session.pk]
        if allowed is not None:
            amount, breakdown = _unverified(session, coverage, allowed, [])
            found.append(Priced(session, coverage, None, allowed, amount, breakdown | {"visit": _visit(session)}))
    return found


def _unverified(
    session: Session, coverage: Coverage, allowed: Decimal, why: list[str]
) -> tuple[Decimal, dict[str, Any]]:
    """Benefits that do not decide the price: by setting the full contracted rate or the last known price; said so."""
    last = _last_known(session, coverage, allowed) if settings.UNVERIFIED_PRICE == "last_known" else None
    if last is None:
        amount = allowed
        sentence = _(
            "%(payer)s has not told us enough to work out your share, so this is the full price of %(allowed)s. It "
            "goes down when we know more."
        )
    else:
        amount = last.amount
        sentence = _(
            "%(payer)s has not told us enough to work out your share, so this is what your last session like it cost: "
            "%(amount)s. It changes when we know more."
        )
    return amount, {
        "allowed": plain(allowed),
        "plan": None,
        "deductible": None,
        "copay": None,
        "coinsurance": None,
        "not_covered": None,
        "why": [
            sentence % {"payer": coverage.payer, "allowed": dollars(allowed), "amount": dollars(amount)},
            *why,
        ],
        "verified": False,
        "payer": coverage.payer.name,
    }


def _last_known(session: Session, coverage: Coverage, allowed: Decimal) -> SessionCost | None:
    """The newest cost under this plan of another session at the same rate that its benefits decided."""
    return (
        SessionCost.objects.filter(
            session__client=session.client_id, coverage=coverage, allowed=allowed, breakdown__verified=True
        )
        .exclude(session=session)
        .order_by("-session__date", "-pk")
        .first()
    )


def covering(newest_first: Iterable[BenefitSnapshot], on: date) -> BenefitSnapshot | None:
    """The first of the snapshots whose plan year holds ``on``."""
    return next((each for each in newest_first if plan_years.holds(each, on)), None)
