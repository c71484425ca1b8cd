"""``make bench``: what the heart of the product costs, each figure beside its floor or a rival, measured in one run."""

import io
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "headway.settings")

import django

django.setup()

from billing.domain.pricing import PlannedSession, PlanState, PlanTerms, price_session, price_sessions
from insurance.domain.plan_order import (
    ClientFacts,
    FamilyFacts,
    Holder,
    HolderStatus,
    PlanFacts,
    PlanType,
    order_plans,
)
from insurance.x12 import x835
from insurance.x12.segments import Party, segments_of
from tests.domain import price_oracle

ROUNDS = 5
D = Decimal


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to be timed: ``units`` are what its rate is told in."""

    group: str
    name: str
    units: int
    unit: str
    run: Callable[[], object]


def remittance_file(claims: int) -> bytes:
    """An 835 of one payment with so many one-line claims, each paid $88.00 of $220.00."""
    why = (
        x835.Adjustment("CO", "45", D("60.00")),
        x835.Adjustment("PR", "1", D("50.00")),
        x835.Adjustment("PR", "2", D("22.00")),
    )
    results = tuple(
        x835.RemittedClaim(
            control_number=f"HW{number:010d}",
            status="1",
            charge=D("220.00"),
            paid=D("88.00"),
            stated_responsibility=D("72.00"),
            payer_control_number=f"ICN{number}",
            filing_indicator="CI",
            lines=(
                x835.RemittedLine(
                    procedure="90837",
                    charge=D("220.00"),
                    paid=D("88.00"),
                    adjustments=why,
                    units=D(1),
                    service_date=date(2026, 3, 2),
                    control_number=f"L{number}",
                ),
            ),
        )
        for number in range(claims)
    )
    payment = x835.Remittance(
        amount=D("88.00") * claims,
        method="ACH",
        payer=x835.Organisation("EVERGREEN HEALTH", "XV", "EVGR1"),
        payee=x835.Organisation("HEADWAY", "XX", "1497758544"),
        trace="EFT1",
        claims=results,
        paid_on=date(2026, 3, 9),
        originator="1512345678",
    )
    at = datetime(2026, 3, 9, 12, tzinfo=UTC)
    return x835.build([payment], sender=Party("PAYER"), receiver=Party("HEADWAY"), control_number=1, at=at)


def _pyx12(raw: bytes) -> int:
    import pyx12.x12file

    return sum(1 for _ in pyx12.x12file.X12Reader(io.StringIO(raw.decode())))


def _prices(first: date) -> Iterator[Subject]:
    """A year of weekly sessions that crosses deductible and maximum; the rival counts its cents and says no words."""
    year = [PlannedSession(first + timedelta(days=7 * week), D("160.00")) for week in range(52)]
    known = PlanTerms(deductible_remaining=D("1000.00"), out_of_pocket_remaining=D("1500.00"), coinsurance=D("0.20"))
    unknown = PlanTerms(copay=D("20.00"), coinsurance=D("0.20"), out_of_pocket_remaining=D("1500.00"))
    in_cents = price_oracle.Plan(deductible=100_000, maximum=150_000, percent=20)
    times = 40

    def ours(terms: PlanTerms) -> None:
        for _ in range(times):
            price_sessions(terms, year)

    def counted() -> None:
        for _ in range(times):
            price_oracle.year(in_cents, [16_000] * 52)

    def one_by_one() -> None:
        start = PlanState.start(known)
        for _ in range(times * 52):
            price_session(start, D("160.00"))

    group = f"pricing 52 weekly sessions, {times} years"
    sessions = times * 52
    yield Subject(group, "counting cents, no words (oracle)", sessions, "sessions", counted)
    yield Subject(group, "price_session by itself", sessions, "sessions", one_by_one)
    yield Subject(group, "every fact known", sessions, "sessions", lambda: ours(known))
    yield Subject(group, "copay rule and deductible unknown", sessions, "sessions", lambda: ours(unknown))


def subjects() -> Iterator[Subject]:
    raw = remittance_file(4000)
    segments = raw.count(b"~")
    group = f"835 of {len(raw) / 1e6:.1f} MB"
    yield Subject(group, "splitting the bytes (floor)", segments, "segments", lambda: len(raw.split(b"~")))
    yield Subject(group, "our segments", segments, "segments", lambda: sum(1 for _ in segments_of(raw)))
    yield Subject(
        group, "our remittances, balanced", segments, "segments", lambda: [each.balanced for each in x835.read(raw)]
    )
    yield Subject(group, "pyx12's segments only (rival)", segments, "segments", lambda: _pyx12(raw))

    first = date(2026, 1, 1)
    yield from _prices(first)

    own = PlanFacts("a", PlanType.GROUP, Holder.SELF, holder_status=HolderStatus.ACTIVE, employer_size=50)
    spouses = PlanFacts("b", PlanType.GROUP, Holder.SPOUSE, holder_status=HolderStatus.ACTIVE, employer_size=200)
    bare = [PlanFacts("a", PlanType.GROUP), PlanFacts("b", PlanType.MEDICARE)]
    client = ClientFacts(born=date(1988, 4, 12))

    def order(plans: list[PlanFacts]) -> None:
        for _ in range(50):
            order_plans(client, FamilyFacts(), plans, on=first)

    yield Subject("ordering two plans 50 times", "every fact known", 50, "answers", lambda: order([own, spouses]))
    yield Subject("ordering two plans 50 times", "most facts missing", 50, "answers", lambda: order(bare))


def main() -> None:
    """Time every subject in turn, round by round, so that what else the machine does falls on all alike."""
    chosen = list(subjects())
    times: dict[Subject, list[float]] = {subject: [] for subject in chosen}
    for number in range(ROUNDS):
        for subject in chosen:
            print(f"\rround {number + 1} of {ROUNDS}: {subject.name:<40}", end="", flush=True)
            began = time.perf_counter()
            subject.run()
            times[subject].append(time.perf_counter() - began)
    print("\r" + " " * 70)
    group, base = "", 0.0
    for subject in chosen:
        median = statistics.median(times[subject])
        if subject.group != group:
            group, base = subject.group, median
            print(f"\n{group}")
        rate = f"{subject.units / median:,.0f} {subject.unit}/s"
        spread = f"{min(times[subject]) * 1000:.0f}–{max(times[subject]) * 1000:.0f} ms"
        print(f"  {subject.name:<36} {median * 1000:>8.1f} ms  ×{median / base:<7.1f} {rate:>24}  {spread:>16}")


if __name__ == "__main__":
    main()
