"""Questions to insurers that nobody has to think of: before sessions, when a plan year begins, and every month.

Found by one query over what is on file, so that nothing hangs on a message that was lost or a day that was missed.
Which plans are asked about, when and why: ``docs/asking.md``.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from common import clock
from insurance.domain.asking import DO_NOT_ASK
from insurance.models import Coverage, EligibilityCheck
from insurance.services.eligibility import asked_lately, request_check

SEEN_WITHIN = timedelta(days=60)
"""Plans of clients whose last session is longer ago, and who have none to come, are left alone."""


@dataclass(frozen=True, slots=True)
class Due:
    """A plan to be asked about, and for which day."""

    coverage_id: int
    reason: str
    service_date: date


YEAR_TURNS = """
VALUES
    (newest.plan_end + 1),
    ((newest.plan_begin + make_interval(years => (
        extract(year FROM %(today)s::date) - extract(year FROM newest.plan_begin)
    )::int))::date),
    ((newest.plan_begin + make_interval(years => (
        extract(year FROM %(today)s::date) - 1 - extract(year FROM newest.plan_begin)
    )::int))::date),
    (CASE WHEN newest.plan_begin IS NULL THEN date_trunc('year', %(today)s::date)::date END)
"""
"""SQL: the days on which a plan's year turns. The day after the year of the snapshot ``newest``, each anniversary of
its beginning (29 February: the 28th); without plan dates, 1 January. Takes ``today``."""

# One row for each plan on an account that is not paused, of a client in treatment, with the newest question about it
# settled. `day` is the business day of the newest answer (or question), as of which everything is known.
#
# A session has come near when the newest of the configured days before it
# is there; what was asked on that day or later counts for it.
_DUE = f"""
    SELECT coverage.id, turned.day, session.date
    FROM insurance_coverage AS coverage
    JOIN people_client AS client ON client.id = coverage.client_id AND client.paused_since IS NULL
    LEFT JOIN LATERAL (
        SELECT last.state, last.rejections, coalesce(last.answered_at, last.created_at) AS at
        FROM insurance_eligibilitycheck AS last
        WHERE last.coverage_id = coverage.id
        ORDER BY last.id DESC
        LIMIT 1
    ) AS asked ON true
    CROSS JOIN LATERAL (SELECT (asked.at AT TIME ZONE %(zone)s)::date AS day) AS known
    LEFT JOIN LATERAL (
        SELECT max(turn.day) AS day
        FROM (
            SELECT said.plan_begin, said.plan_end, said.active
            FROM insurance_benefitsnapshot AS said
            WHERE said.coverage_id = coverage.id
            ORDER BY said.observed_at DESC, said.id DESC
            LIMIT 1
        ) AS newest
        CROSS JOIN LATERAL (
            {YEAR_TURNS}
        ) AS turn (day)
        WHERE newest.active IS DISTINCT FROM false AND turn.day > known.day AND turn.day <= %(today)s
    ) AS turned ON true
    LEFT JOIN LATERAL (
        SELECT min(coming.date) AS date
        FROM care_session AS coming
        CROSS JOIN LATERAL (
            SELECT min(before) AS days FROM unnest(%(days)s::int[]) AS before WHERE before >= coming.date - %(today)s
        ) AS mark
        WHERE coming.client_id = coverage.client_id AND coming.status = 'scheduled' AND coming.date >= %(today)s
            AND mark.days IS NOT NULL AND (known.day IS NULL OR known.day < coming.date - mark.days)
            AND (coverage.begins_on IS NULL OR coverage.begins_on <= coming.date)
            AND (coverage.ends_on IS NULL OR coverage.ends_on >= coming.date)
    ) AS session ON true
    WHERE coverage.removed_at IS NULL
        AND (coverage.begins_on IS NULL OR coverage.begins_on <= %(today)s OR session.date IS NOT NULL)
        AND (coverage.ends_on IS NULL OR coverage.ends_on >= %(today)s)
        AND EXISTS (
            SELECT FROM care_session AS seen
            WHERE seen.client_id = coverage.client_id AND seen.status IN ('scheduled', 'confirmed')
                AND seen.date >= %(seen)s
        )
        AND coalesce(asked.state, '') NOT IN ('waiting', 'asked')
        AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(asked.rejections) AS rejection
            WHERE asked.state = 'rejected' AND rejection ->> 'follow_up' = ANY(%(never)s)
        )
        AND (turned.day IS NOT NULL OR session.date IS NOT NULL OR coalesce(known.day, '-infinity') <= %(stale)s)
    ORDER BY session.date NULLS LAST, known.day NULLS FIRST, coverage.id
    LIMIT %(limit)s
"""  # noqa: S608 - put together from the texts above alone


def due(limit: int = 500) -> list[Due]:
    """Plans that a question is due for, those with a session soonest first; each once, whatever speaks for it."""
    today = clock.today()
    every = settings.CHECK_EVERY_DAYS
    values: dict[str, Any] = {
        "today": today,
        "zone": clock.BUSINESS_ZONE.key,
        "days": settings.CHECK_DAYS_BEFORE_SESSION,
        "stale": today - timedelta(days=every) if every else None,
        "seen": today - SEEN_WITHIN,
        "never": sorted(DO_NOT_ASK),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DUE, values)
        rows = cursor.fetchall()
    reasons = EligibilityCheck.Reason
    found = []
    for coverage_id, year_began, session_on in rows:
        if year_began is not None:
            reason = reasons.PLAN_YEAR
        elif session_on is not None:
            reason = reasons.BEFORE_SESSION
        else:
            reason = reasons.SCHEDULED
        found.append(Due(coverage_id, reason, session_on or today))
    return found


def request_due() -> list[EligibilityCheck]:
    """Put a question in the queue for each plan that one is due for; never a second within minutes of the last."""
    return [check for each in due() if (check := _request(each)) is not None]


@transaction.atomic
def _request(found: Due) -> EligibilityCheck | None:
    # Two sweeps may have found the same plan: the second one waits here, and then sees what the first one asked.
    coverage = Coverage.objects.select_for_update(no_key=True).get(pk=found.coverage_id)
    last = coverage.checks.order_by("-pk").first()
    if coverage.removed_at is not None or (last is not None and asked_lately(last)):
        return None
    return request_check(coverage=coverage, reason=found.reason, service_date=found.service_date)
