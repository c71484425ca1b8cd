"""Who owes us for how long: insurers by claim since it was sent, clients by session since they were asked.

Each report is a few queries over the books however many claims there are; the detail comes in pages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from billing.models import Payment
from common import clock
from common.money import ZERO

BUCKETS = ("0-30", "31-60", "61-90", "90+")
UNSENT = "unsent"
"""Of insurers only: expected, and the claim has not left yet."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Claims or sessions of one age, and what is expected of them in dollars.

    ``besides``: what earlier plans left of the claims of later plans. The client has been asked for it; what the later
    plan pays of it goes back.
    """

    count: int = 0
    amount: Decimal = ZERO
    besides: Decimal = ZERO

    def __add__(self, other: "Cell") -> "Cell":
        return Cell(self.count + other.count, self.amount + other.amount, self.besides + other.besides)


@dataclass(frozen=True, slots=True)
class Row:
    """One insurer or client: cells by bucket."""

    pk: int | None
    name: str
    cells: dict[str, Cell]

    @property
    def total(self) -> Cell:
        return sum(self.cells.values(), Cell())


@dataclass(frozen=True, slots=True)
class Aging:
    """Rows by what they owe, the most first, and the totals by bucket."""

    rows: list[Row]
    totals: dict[str, Cell]

    @property
    def total(self) -> Cell:
        return sum(self.totals.values(), Cell())


@dataclass(frozen=True, slots=True)
class Item:
    """One claim or session of the detail. ``pk`` is the claim's for insurers, the session's for clients."""

    pk: int
    name: str
    number: str
    session: int
    client: int
    client_name: str
    held_on: date
    since: date | None
    days: int | None
    amount: Decimal
    besides: Decimal
    state: str


_AGE = """
    CASE WHEN since IS NULL THEN 'unsent' WHEN %(today)s - since <= 30 THEN '0-30'
         WHEN %(today)s - since <= 60 THEN '31-60' WHEN %(today)s - since <= 90 THEN '61-90' ELSE '90+' END
"""

_CLAIMS = f"""
WITH open_claims AS (
    SELECT c.id, c.session_id, c.rank, c.control_number, v.payer_id, c.decision, c.submission,
           (c.submitted_at AT TIME ZONE %(zone)s)::date AS since,
           row_number() OVER (PARTITION BY c.session_id, v.payer_id ORDER BY c.rank) AS place
    FROM insurance_claim c JOIN insurance_coverage v ON v.id = c.coverage_id
    WHERE c.submission NOT IN ('not_needed', 'replaced') AND c.frequency <> '8'
      AND c.decision IN ('none', 'cob', 'reversed') AND (c.submitted_at IS NOT NULL OR c.rank = 1)
), rests AS (
    SELECT session_id, payer_id, sum(amount) AS amount FROM ledger_line
    WHERE account_id = 'insurer_receivable' GROUP BY session_id, payer_id HAVING sum(amount) <> 0
), decided AS (
    -- Still expected of a plan that has refused: a person looks, or the plan after it has not been asked yet.
    SELECT DISTINCT ON (r.session_id, r.payer_id) c.id, c.session_id, c.rank, c.control_number, r.payer_id,
           c.decision, c.submission, (c.submitted_at AT TIME ZONE %(zone)s)::date AS since, 1 AS place
    FROM rests r JOIN insurance_claim c ON c.session_id = r.session_id AND c.submission <> 'replaced'
                                       AND c.frequency <> '8'
    JOIN insurance_coverage v ON v.id = c.coverage_id AND v.payer_id = r.payer_id
    WHERE NOT EXISTS (SELECT 1 FROM open_claims o WHERE o.session_id = r.session_id AND o.payer_id = r.payer_id)
    ORDER BY r.session_id, r.payer_id, c.rank
), aged AS (
    SELECT o.*, coalesce(r.amount, 0) AS amount,
           CASE WHEN o.rank > 1 THEN coalesce(k.amount, 0) ELSE 0 END AS besides
    FROM open_claims o
    LEFT JOIN rests r ON r.session_id = o.session_id AND r.payer_id = o.payer_id AND o.place = 1
    LEFT JOIN LATERAL (
        SELECT CASE WHEN basis = 'after_primary' THEN amount ELSE 0 END AS amount FROM billing_sessioncost
        WHERE session_id = o.session_id AND o.rank > 1 ORDER BY id DESC LIMIT 1) k ON true
    UNION ALL
    SELECT d.*, r.amount, 0 FROM decided d
    JOIN rests r ON r.session_id = d.session_id AND r.payer_id = d.payer_id
), bucketed AS (SELECT aged.*, {_AGE} AS bucket FROM aged)
"""  # noqa: S608 - put together from the texts above alone

_OWED = f"""
WITH booked AS (
    SELECT session_id, client_id, sum(amount) AS amount FROM ledger_line
    WHERE account_id = 'client_receivable' GROUP BY session_id, client_id HAVING sum(amount) > 0
), moving AS (
    SELECT t.session_id, sum(t.amount) AS amount FROM billing_paymentpart t
    JOIN billing_payment p ON p.id = t.payment_id WHERE p.state = ANY(%(in_motion)s) GROUP BY t.session_id
), aged AS (
    SELECT b.session_id AS id, b.client_id, b.amount - coalesce(m.amount, 0) AS amount, 0 AS besides,
           (SELECT (max(l.created_at) AT TIME ZONE %(zone)s)::date FROM ledger_line l
            JOIN ledger_entry e ON e.id = l.entry_id
            WHERE l.account_id = 'client_receivable' AND l.session_id = b.session_id AND e.key LIKE 'cost:%%') AS since
    FROM booked b LEFT JOIN moving m ON m.session_id = b.session_id
    WHERE b.amount > coalesce(m.amount, 0)
), bucketed AS (SELECT aged.*, {_AGE} AS bucket FROM aged)
"""  # noqa: S608 - put together from the texts above alone


_OWN_NAMES = {
    "insurers": ("payer_id", "LEFT JOIN insurance_payer n ON n.id = b.payer_id", "coalesce(n.name, '')"),
    "clients": ("client_id", "JOIN people_client n ON n.id = b.client_id", "n.last_name || ', ' || n.first_name"),
}
_FROM = {"insurers": _CLAIMS, "clients": _OWED}
_ORDER = (UNSENT, *BUCKETS)

_ITEMS = {
    "insurers": """
        SELECT b.id, coalesce(n.name, ''), b.control_number, b.session_id, s.client_id,
               c.last_name || ', ' || c.first_name, s.date, b.since, %(today)s - b.since, b.amount, b.besides,
               b.submission || ' ' || b.decision
        FROM bucketed b JOIN care_session s ON s.id = b.session_id JOIN people_client c ON c.id = s.client_id
        LEFT JOIN insurance_payer n ON n.id = b.payer_id
        WHERE (%(who)s::bigint IS NULL OR b.payer_id = %(who)s) AND (%(bucket)s::text IS NULL OR bucket = %(bucket)s)
    """,
    "clients": """
        SELECT b.id, n.last_name || ', ' || n.first_name, b.id::text, b.id, b.client_id,
               n.last_name || ', ' || n.first_name, s.date, b.since, %(today)s - b.since, b.amount, b.besides, s.status
        FROM bucketed b JOIN care_session s ON s.id = b.id JOIN people_client n ON n.id = b.client_id
        WHERE (%(who)s::bigint IS NULL OR b.client_id = %(who)s) AND (%(bucket)s::text IS NULL OR bucket = %(bucket)s)
    """,
}


def report(whose: str, *, offset: int = 0, limit: int = 50) -> Aging:
    """What ``whose`` ("insurers" or "clients") owe by age; one query for the rows from ``offset`` on and the totals."""
    key, join, name = _OWN_NAMES[whose]
    sums = ", ".join(
        f"count(*) FILTER (WHERE bucket = '{each}'), coalesce(sum(amount) FILTER (WHERE bucket = '{each}'), 0),"
        f" coalesce(sum(besides) FILTER (WHERE bucket = '{each}'), 0)"
        for each in _ORDER
    )
    query = f"""{_FROM[whose]}
        SELECT grouping({key}), {key}, max(name), {sums}
        FROM (SELECT b.*, {name} AS name FROM bucketed b {join}) AS named
        GROUP BY GROUPING SETS (({key}), ())
        ORDER BY grouping({key}) DESC, sum(amount) DESC, max(name), {key}
        OFFSET %(offset)s LIMIT %(limit)s
    """  # noqa: S608 - put together from the texts above alone
    rows, totals = [], {each: Cell() for each in _ORDER}
    # The totals come first; with an offset they are fetched by a query of their own.
    for start, size in [(0, 1), (offset + 1, limit)] if offset else [(0, limit + 1)]:
        with connection.cursor() as cursor:
            cursor.execute(query, _parameters(offset=start, limit=size))
            for whole, pk, named, *values in cursor.fetchall():
                cells = {each: Cell(*values[3 * place : 3 * place + 3]) for place, each in enumerate(_ORDER)}
                if whole:
                    totals = cells
                else:
                    rows.append(Row(pk, named, cells))
    return Aging(rows, totals)


def items(
    whose: str, *, who: int | None = None, bucket: str | None = None, offset: int = 0, limit: int | None = None
) -> Iterator[Item]:
    """The claims or sessions behind :func:`report`, the oldest first; of one insurer or client, of one bucket."""
    query = f"""{_FROM[whose]} {_ITEMS[whose]}
        ORDER BY b.since NULLS LAST, b.id OFFSET %(offset)s LIMIT %(limit)s
    """
    with connection.cursor() as cursor:
        cursor.execute(query, _parameters(who=who, bucket=bucket, offset=offset, limit=limit))
        while found := cursor.fetchmany(2000):
            for values in found:
                yield Item(*values)


def _parameters(**more: Any) -> dict[str, Any]:
    return {
        "today": clock.today(),
        "zone": str(clock.BUSINESS_ZONE),
        "in_motion": list(Payment.IN_MOTION),
        **more,
    }
