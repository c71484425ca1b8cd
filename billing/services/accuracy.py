"""How near our estimates came to what insurers decided, by insurer, plan and month of the session.

One query: shares and medians are worked out by the database at every level, as the median of medians is not a median.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import IntEnum

from django.db import connection

NEAR = Decimal("1.00")
"""An estimate within this many dollars of the answer counts as right."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How good the estimates of some sessions were; all errors in dollars."""

    near: int
    """Sessions within :data:`NEAR`."""
    share_near: Decimal
    """The same as a share of all, 0 to 1, four places."""
    median_error: Decimal
    """Half of the sessions were off by this or less, whichever way."""
    worst_tenth: Decimal
    """One in ten was off by this or more."""
    too_low: int
    """Sessions for which we had told more than a cent too little: the client owes more."""
    too_high: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One group of sessions. ``first``: what we estimated first; ``last``: what was in force when the answer came."""

    sessions: int
    first: Measure
    last: Measure
    payer_id: int | None = None
    payer: str = ""
    plan: str = ""
    """As the insurer names it; empty when it does not."""
    month: date | None = None
    """The month's first day."""


@dataclass(frozen=True, slots=True)
class Report:
    """The same sessions in groups; each session is in each list once. Months in order, insurers and plans by name."""

    whole: Accuracy | None = None
    """``None`` when nothing has been compared."""
    months: list[Accuracy] = field(default_factory=list)
    payers: list[Accuracy] = field(default_factory=list)
    plans: list[Accuracy] = field(default_factory=list)
    """By insurer and plan."""
    lines: list[Accuracy] = field(default_factory=list)
    """By insurer, plan and month."""


class _Grouping(IntEnum):
    """PostgreSQL's GROUPING(payer, plan, month): a bit for each column that a row sums over."""

    LINE = 0b000
    PLAN = 0b001
    PAYER = 0b011
    MONTH = 0b110
    WHOLE = 0b111


def report(*, payer_id: int | None = None, since: date | None = None, until: date | None = None) -> Report:
    """Accuracy of the sessions held from ``since`` to ``until`` (both included), of one insurer or all, in one query.

    A session answered more than once counts with its newest answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, {"payer": payer_id, "since": since, "until": until, "near": NEAR})
        rows = cursor.fetchall()
    found = Report()
    whole = None
    into = {
        _Grouping.LINE: found.lines,
        _Grouping.PLAN: found.plans,
        _Grouping.PAYER: found.payers,
        _Grouping.MONTH: found.months,
    }
    for grouping, payer, name, plan, month, sessions, *measures in rows:
        group = Accuracy(
            sessions=sessions,
            first=_measure(sessions, measures[:5]),
            last=_measure(sessions, measures[5:]),
            payer_id=payer,
            payer=name if payer else "",
            plan=plan or "",
            month=month,
        )
        if grouping == _Grouping.WHOLE:
            whole = group if sessions else None
        else:
            into[_Grouping(grouping)].append(group)
    return Report(whole, found.months, found.payers, found.plans, found.lines)


def _measure(sessions: int, values: list[int | Decimal | None]) -> Measure:
    near, median, worst, too_low, too_high = values
    share = Decimal(near or 0) / sessions if sessions else Decimal(0)
    return Measure(
        near=int(near or 0),
        share_near=share.quantize(Decimal("0.0001")),
        median_error=Decimal(median or 0),
        worst_tenth=Decimal(worst or 0),
        too_low=int(too_low or 0),
        too_high=int(too_high or 0),
    )


_MEASURES = """
    count(*) FILTER (WHERE abs({column}) <= %(near)s),
    (percentile_cont(0.5) WITHIN GROUP (ORDER BY abs({column})))::numeric(12, 2),
    (percentile_disc(0.9) WITHIN GROUP (ORDER BY abs({column})))::numeric(12, 2),
    count(*) FILTER (WHERE {column} > 0.01),
    count(*) FILTER (WHERE {column} < -0.01)
"""

_QUERY = f"""
    WITH compared AS (
        SELECT DISTINCT ON (comparison.session_id)
            coverage.payer_id,
            payer.name,
            coalesce(snapshot.benefits ->> 'plan_name', '') AS plan,
            date_trunc('month', session.date)::date AS month,
            comparison.difference,
            comparison.first_difference
        FROM billing_comparison AS comparison
        JOIN care_session AS session ON session.id = comparison.session_id
        JOIN insurance_coverage AS coverage ON coverage.id = comparison.coverage_id
        JOIN insurance_payer AS payer ON payer.id = coverage.payer_id
        JOIN billing_sessioncost AS estimate ON estimate.id = comparison.estimate_id
        LEFT JOIN insurance_benefitsnapshot AS snapshot ON snapshot.id = estimate.snapshot_id
        WHERE (%(payer)s::bigint IS NULL OR coverage.payer_id = %(payer)s)
            AND (%(since)s::date IS NULL OR session.date >= %(since)s)
            AND (%(until)s::date IS NULL OR session.date <= %(until)s)
        ORDER BY comparison.session_id, comparison.id DESC
    )
    SELECT
        grouping(payer_id, plan, month), payer_id, max(name), plan, month, count(*),
        {_MEASURES.format(column="first_difference")},
        {_MEASURES.format(column="difference")}
    FROM compared
    GROUP BY GROUPING SETS ((payer_id, plan, month), (payer_id, plan), (payer_id), (month), ())
    ORDER BY CASE WHEN grouping(payer_id) = 0 THEN max(name) END, payer_id, plan, month
"""  # noqa: S608 - put together from the texts above alone
