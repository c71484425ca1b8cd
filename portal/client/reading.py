"""What the client's pages show, read in a bounded number of queries whatever the length of the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet, Sum, Window
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lag

from billing.models import Payment, PaymentPart, Refund, SessionCost, WriteOff
from billing.services.balances import Balance, client_balances
from billing.services.costs import current_costs, newest_snapshot
from care.models import Session
from common import clock
from common.money import ZERO
from insurance.domain.benefits import Accumulator, Benefits, NetworkBenefits
from insurance.models import Adjudication, BenefitSnapshot, Claim, Coverage, EligibilityCheck
from insurance.services.eligibility import asked_lately
from insurance.services.next_step import next_step
from insurance.services.plan_order import plans_in_order
from insurance.x12.x835_model import REVERSAL
from people.models import Client
from portal.client import words

# --- Sessions ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session with its money. ``paid`` and ``given_back`` are what went through, in dollars."""

    session: Session
    cost: SessionCost | None
    estimated: SessionCost | None
    balance: Balance
    progress: words.Progress | None
    insurers: tuple[words.Paid, ...]
    paid: Decimal
    given_back: Decimal
    written_off: Decimal = ZERO
    """What we do not ask for."""

    @property
    def past(self) -> bool:
        return self.session.status != Session.Status.SCHEDULED

    @property
    def basis(self) -> str:
        return words.cost_basis(self.cost, past=self.past) if self.cost else ""

    @property
    def tone(self) -> str:
        return words.cost_tone(self.cost) if self.cost else "neutral"

    @property
    def price(self) -> words.Price | None:
        return words.price(self.cost, self.insurers) if self.cost else None

    @property
    def estimate(self) -> Decimal | None:
        """What was expected before any plan answered."""
        return self.estimated.amount if self.estimated else None

    @property
    def why_it_moved(self) -> tuple[str, ...]:
        """Why the cost is not the estimate, as sentences."""
        return words.why_it_moved(self.estimated, self.cost) if self.cost else ()

    @property
    def first_why(self) -> str:
        """The main reason for the price, as one line."""
        return words.in_short(self.cost) if self.cost else ""

    @property
    def support_reference(self) -> str:
        return f"session {self.session.pk}"


def views_of(sessions: Sequence[Session], balances: dict[int, Balance]) -> list[SessionView]:
    """The sessions with cost, claims, payments, refunds and write-offs; seven queries for any number of them."""
    sessions = list(sessions)
    if not sessions:
        return []
    costs = current_costs(sessions)
    estimates = {
        cost.session_id: cost
        for cost in SessionCost.objects.filter(session__in=sessions, basis=SessionCost.Basis.ESTIMATE)
        .order_by("session_id", "-pk")
        .distinct("session_id")
    }
    claims: dict[int, list[Claim]] = {}
    insurers: dict[int, list[words.Paid]] = {}
    rows = (
        Claim.objects.filter(session__in=sessions)
        .exclude(Claim.OUTSIDE)
        .select_related("coverage__payer")
        .order_by("session_id", "rank")
    )
    decided = _decided(list(rows))
    for claim in rows:
        claims.setdefault(claim.session_id, []).append(claim)
        if claim.pk in decided:
            insurers.setdefault(claim.session_id, []).append(
                words.Paid(claim.coverage.payer.name, claim.rank, decided[claim.pk])
            )
    paid = _sums(PaymentPart.objects.filter(session__in=sessions, payment__state=Payment.State.SUCCEEDED))
    given_back = _sums(Refund.objects.filter(session__in=sessions, state=Refund.State.SUCCEEDED))
    written_off = _sums(WriteOff.objects.filter(session__in=sessions))
    return [
        SessionView(
            session=session,
            cost=costs.get(session.pk),
            estimated=estimates.get(session.pk),
            balance=balances.get(session.pk, Balance(ZERO)),
            progress=(
                words.progress(session.date, costs.get(session.pk), claims.get(session.pk, []))
                if session.status == Session.Status.CONFIRMED
                else None
            ),
            insurers=tuple(insurers.get(session.pk, ())),
            paid=paid.get(session.pk, ZERO),
            given_back=given_back.get(session.pk, ZERO),
            written_off=written_off.get(session.pk, ZERO),
        )
        for session in sessions
    ]


def _decided(claims: Sequence[Claim]) -> dict[int, Decimal]:
    """What each decided claim's plan paid: its newest result that is no reversal. Claim id → dollars."""
    open_decisions = (Claim.Decision.NONE, Claim.Decision.REVERSED, Claim.Decision.COB, Claim.Decision.ROUTED)
    ids = [claim.pk for claim in claims if claim.decision not in open_decisions]
    rows = (
        Adjudication.objects.filter(claim__in=ids)
        .exclude(status_code=REVERSAL)
        .order_by("claim_id", "-pk")
        .distinct("claim_id")
        .values_list("claim_id", "paid")
    )
    return {claim: paid for claim, paid in rows if claim is not None}


def _sums(rows: "QuerySet[Any]") -> dict[int, Decimal]:
    return dict(rows.order_by().values_list("session_id").annotate(total=Sum("amount")))


def upcoming(sessions: "QuerySet[Session]") -> "QuerySet[Session]":
    """Sessions that are booked and have not been held, the next one first."""
    return sessions.filter(status=Session.Status.SCHEDULED, date__gte=clock.today()).order_by("starts_at", "pk")


def past(sessions: "QuerySet[Session]") -> "QuerySet[Session]":
    """All others, the latest first: held, cancelled, missed, or still to be confirmed by the provider."""
    return sessions.exclude(status=Session.Status.SCHEDULED, date__gte=clock.today()).order_by("-starts_at", "-pk")


def due_sessions(
    client: Client, sessions: "QuerySet[Session]", *, early: bool = False
) -> tuple[dict[int, Balance], list[Session]]:
    """The client's balances, and the sessions with something to pay, the oldest first.

    ``early``: with those of which a payment plan takes all later.
    """
    balances = client_balances(client)
    due = [pk for pk, each in balances.items() if (each.owed if early else each.due) > ZERO]
    return balances, list(sessions.filter(pk__in=due).order_by("starts_at", "pk")) if due else []


# --- Changes of cost --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Change:
    """One change of what sessions cost; sessions that changed alike on one day are told together."""

    day: date
    reason: str
    before: Decimal
    after: Decimal
    sentence: str
    first: date
    last: date
    count: int
    session: int

    @property
    def title(self) -> str:
        return str(SessionCost.Reason(self.reason).label)


def cost_changes(client: Client, *, session: Session | None = None, limit: int = 1000) -> list[Change]:
    """Every change of a session's cost, the newest first, read in one query. A first price is no change."""
    rows = (
        SessionCost.objects.filter(session__client=client)
        .annotate(
            before=Window(Lag("amount"), partition_by=[F("session")], order_by=F("pk").asc()),
            sentence=KeyTextTransform("sentence", "breakdown"),
        )
        .filter(~Q(before=F("amount")), before__isnull=False)
        .order_by("-pk")
    )
    if session is not None:
        rows = rows.filter(session=session)
    changes: list[Change] = []
    wanted = ("created_at", "reason", "before", "amount", "sentence", "session_id", "session__date")
    for row in rows.values(*wanted)[:limit]:
        day = clock.business_date(row["created_at"])
        held = row["session__date"]
        same = changes[-1] if changes else None
        if same and (same.day, same.reason, same.before, same.after, same.sentence) == (
            day,
            row["reason"],
            row["before"],
            row["amount"],
            row["sentence"] or "",
        ):
            same.first, same.last, same.count = min(same.first, held), max(same.last, held), same.count + 1
            continue
        changes.append(
            Change(
                day=day,
                reason=row["reason"],
                before=row["before"],
                after=row["amount"],
                sentence=row["sentence"] or "",
                first=held,
                last=held,
                count=1,
                session=row["session_id"],
            )
        )
    return changes


# --- Plans ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Meter:
    """One deductible or out-of-pocket maximum as the insurer told it; ``used`` is known only when both figures are.

    ``since``: what the client's own sessions have used on top, by our count; ``None`` when that is not counted.
    """

    id: str
    used: Decimal | None
    limit: Decimal | None
    left: Decimal | None
    since: Decimal | None = None

    @property
    def left_now(self) -> Decimal | None:
        """What is left with those sessions."""
        return None if self.left is None else self.left - (self.since or ZERO)

    @property
    def only_left(self) -> bool:
        return self.limit is None and self.left is not None

    @property
    def said(self) -> bool:
        return self.limit is not None or self.left is not None


def _meter(id: str, one: Accumulator) -> Meter:
    if one.limit is None or one.remaining is None:
        return Meter(id, None, one.limit, one.remaining)
    return Meter(id, max(ZERO, one.limit - one.remaining), one.limit, one.remaining)


@dataclass(frozen=True, slots=True)
class PlanView:
    """One plan as the benefits and plans pages show it."""

    coverage: Coverage
    rank: int
    snapshot: BenefitSnapshot | None
    benefits: Benefits | None
    check: EligibilityCheck | None
    """The newest question to the insurer."""

    @property
    def in_network(self) -> NetworkBenefits | None:
        return self.benefits.in_network if self.benefits else None

    @property
    def telehealth(self) -> NetworkBenefits | None:
        """What differs for a video session; ``None`` when nothing does."""
        office = self.in_network
        if office is None or office.telehealth is None:
            return None
        video = office.for_telehealth()
        same = (video.copay, video.coinsurance, video.covered) == (office.copay, office.coinsurance, office.covered)
        return None if same else video

    @property
    def meters(self) -> dict[str, Meter]:
        figures = self.in_network or NetworkBenefits()
        found = {
            "deductible": figures.deductible.individual,
            "family_deductible": figures.deductible.family,
            "out_of_pocket": figures.out_of_pocket.individual,
            "family_out_of_pocket": figures.out_of_pocket.family,
        }
        return {name: _meter(f"{name}-{self.coverage.pk}", one) for name, one in found.items()}

    @property
    def asking(self) -> bool:
        """A question to the insurer is under way."""
        return self.check is not None and self.check.state in ("waiting", "asked")

    @property
    def refused(self) -> bool:
        """The insurer could not answer the newest question, or never did."""
        return self.check is not None and self.check.state in ("rejected", "failed")

    @property
    def refusals(self) -> list[str]:
        return [str(each.get("text", "")) for each in self.check.rejections if each.get("text")] if self.check else []

    @property
    def next_step(self) -> str:
        """What to do about a question that the insurer could not answer, and who does it."""
        step = next_step(self.check) if self.check else None
        return step.text if step else ""

    @property
    def may_ask(self) -> bool:
        return not self.asking and (self.check is None or not asked_lately(self.check))


def plan_views(client: Client) -> list[PlanView]:
    """The client's plans in the order that is in force, each with its newest answer and question."""
    today = clock.today()
    plans = plans_in_order(client, on=today)
    checks = {
        check.coverage_id: check
        for check in EligibilityCheck.objects.filter(coverage__in=plans)
        .select_related("coverage__payer")
        .order_by("coverage_id", "-pk")
        .distinct("coverage_id")
    }
    views = []
    for rank, coverage in enumerate(plans, start=1):
        snapshot = newest_snapshot(coverage, today)
        views.append(PlanView(coverage, rank, snapshot, snapshot.read() if snapshot else None, checks.get(coverage.pk)))
    return views


def day_of(moment: date | datetime) -> date:
    """The business day of a date or a moment."""
    return clock.business_date(moment) if isinstance(moment, datetime) else moment
