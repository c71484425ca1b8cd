"""Whose prices are stale, and pricing them again: the row is the queue, the client's lock is the guard.

``docs/adr/stale-prices.md`` says why the guard is the client and not the plan year, and how news that comes while a
pricing works is not lost.
"""

from collections.abc import Callable, Iterable, Sized
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Least

from billing.models import Repricing
from billing.services import costs
from common import clock
from common.hurry import hurry
from insurance.services.planned_checks import YEAR_TURNS
from people.models import Client

Pricing = Callable[[Client], Sized]
"""Prices a client whose lock is held; as long as there are costs that changed."""

BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720))
"""How long to wait after each failure; after the last one it is tried at this pace until it succeeds."""

MOST_HURRIED = 50
"""More clients than this at once are left to the sweep: messages would crowd out everybody else's."""

LONGEST_TRANSACTION = timedelta(minutes=5)
"""Longer than any transaction lives: what one of them wrote is seen by all after this (task limit in settings)."""

_MOST_ATTEMPTS_TOLD = 32_000


# --- Marking ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def mark_stale(client_ids: Iterable[int], cause: str) -> None:
    """These clients' prices rest on something that has changed; ``cause`` says what, in words (at most 200 characters).

    Call it in the transaction of the news. A client who waits already keeps the place in the queue; one who waits
    because pricing failed is tried at once, as the news may be the cure.
    """
    ids = sorted(set(client_ids))
    now = clock.now()
    Repricing.objects.bulk_create([Repricing(client_id=pk) for pk in ids], ignore_conflicts=True)
    # Locked in one order, so that two marks of many clients cannot wait for each other.
    locked = list(Repricing.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    Repricing.objects.filter(pk__in=[pk for (pk,) in locked]).update(
        stale_since=now,
        cause=cause[:200],
        next_attempt_at=Case(
            When(stale_since__isnull=False, then=Least("next_attempt_at", Value(now))), default=Value(now)
        ),
    )
    if len(ids) <= MOST_HURRIED:
        for pk in ids:
            hurry("billing.tasks.reprice", pk)


# --- Pricing ----------------------------------------------------------------------------------------------------------


def reprice_client(client_id: int, *, if_stale: bool = False, pricing: Pricing | None = None) -> int:
    """Price a client's sessions again, in one transaction. Returns how many costs changed; repeating it changes none.

    ``pricing`` does it under the client's lock: ``costs.reprice`` unless a flow gives its own, where money follows.
    With ``if_stale`` it does nothing for a client whom nobody waits for any more, or whom somebody else holds at this
    moment: that is how two workers do the work once. A failure is kept in the client's row, to be tried again later,
    and raised.
    """
    try:
        with transaction.atomic():
            return _price(client_id, if_stale=if_stale, pricing=pricing or costs.reprice)
    except Client.DoesNotExist:
        raise
    except Exception as error:
        _keep_failure(client_id, error)
        raise


def _price(client_id: int, *, if_stale: bool, pricing: Pricing) -> int:
    clients = Client.objects.filter(pk=client_id)
    if if_stale:
        client = clients.select_for_update(no_key=True, skip_locked=True).first()
        if client is None:
            return 0
    else:
        client = clients.select_for_update(no_key=True).get()
    row, _is_new = Repricing.objects.get_or_create(client=client)
    if if_stale and row.stale_since is None:
        return 0
    began = clock.now()
    written = pricing(client)
    Repricing.objects.filter(pk=client_id).update(
        # Only the news that was seen is settled: a mark made meanwhile is another moment, and stays.
        stale_since=Case(When(stale_since=row.stale_since, then=None), default=F("stale_since")),
        next_attempt_at=clock.now(),
        priced_at=began,
        attempts=0,
        error="",
    )
    return len(written)


@transaction.atomic
def _keep_failure(client_id: int, error: Exception) -> None:
    Repricing.objects.bulk_create([Repricing(client_id=client_id)], ignore_conflicts=True)
    row = Repricing.objects.select_for_update(no_key=True).get(pk=client_id)
    now = clock.now()
    Repricing.objects.filter(pk=client_id).update(
        stale_since=Coalesce("stale_since", Value(now)),
        attempts=min(row.attempts + 1, _MOST_ATTEMPTS_TOLD),
        next_attempt_at=now + BACKOFF[min(row.attempts, len(BACKOFF) - 1)],
        error=f"{type(error).__name__}: {error}"[:300],
    )


# --- What the sweep asks ----------------------------------------------------------------------------------------------


def due(limit: int = 500) -> list[int]:
    """Clients to price now, the longest waiting first; those that failed wait their turn."""
    waiting = Repricing.objects.filter(stale_since__isnull=False, next_attempt_at__lte=clock.now())
    return list(waiting.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:limit])


def failing() -> Q:
    """The condition on rows whose last pricing failed."""
    return Q(stale_since__isnull=False) & ~Q(error="")


def find_stale(limit: int = 500) -> int:
    """Mark by query the clients whom no one marked; at most ``limit`` for each cause, the longest ago priced first.

    Returns how many were marked. Only clients with a scheduled session are looked for: nobody else's price can change
    without news of their own. A client marked once is not found again until priced.
    """
    values: dict[str, Any] = {
        "now": clock.now(),
        "today": clock.today(),
        "zone": clock.BUSINESS_ZONE.key,
        "margin": LONGEST_TRANSACTION,
        "limit": limit,
    }
    found = 0
    with connection.cursor() as cursor:
        for cause, query in (
            ("Never priced before.", _NEVER_PRICED),
            ("A contract, a rate or a credential changed.", _TERMS_CHANGED),
            ("A plan year ended or began.", _YEAR_TURNED),
        ):
            cursor.execute(_MARK.format(query=query), {**values, "cause": cause})
            found += cursor.rowcount
    return found


_MARK = """
    INSERT INTO billing_repricing (client_id, stale_since, cause, attempts, next_attempt_at, error)
    SELECT client_id, %(now)s, %(cause)s, 0, %(now)s, '' FROM ({query}) AS found ORDER BY client_id
    ON CONFLICT (client_id) DO UPDATE
        SET stale_since = EXCLUDED.stale_since, cause = EXCLUDED.cause, next_attempt_at = EXCLUDED.next_attempt_at
        WHERE billing_repricing.stale_since IS NULL
"""

_NEVER_PRICED = """
    SELECT DISTINCT session.client_id
    FROM care_session AS session
    LEFT JOIN billing_repricing AS priced ON priced.client_id = session.client_id
    WHERE session.status = 'scheduled' AND priced.priced_at IS NULL AND priced.stale_since IS NULL
    LIMIT %(limit)s
"""

# What the row said before counts too: a rate moved to another insurer changes the prices of both.
_CHANGES = """
    SELECT said.payer_id, {provider} AS provider_id, max(changed.pgh_created_at) AS at
    FROM insurance_{kind}event AS changed
    JOIN insurance_{kind}event AS said ON said.pgh_obj_id = changed.pgh_obj_id
    GROUP BY 1, 2
"""

# An event carries the moment its transaction began. One that was still open while we priced looks older than the
# pricing and was not seen by it: so each change is followed at once, and once more when no such transaction can live.
_TERMS_CHANGED = f"""
    WITH change AS (
        {_CHANGES.format(kind="networkcontract", provider="NULL::bigint")}
        UNION ALL {_CHANGES.format(kind="feeschedule", provider="said.provider_id")}
        UNION ALL {_CHANGES.format(kind="credential", provider="said.provider_id")}
    )
    SELECT session.client_id
    FROM care_session AS session
    JOIN billing_repricing AS priced ON priced.client_id = session.client_id
    JOIN insurance_coverage AS coverage ON coverage.client_id = session.client_id AND coverage.removed_at IS NULL
    JOIN change ON change.payer_id = coverage.payer_id
        AND (change.provider_id IS NULL OR change.provider_id = session.provider_id)
    WHERE session.status = 'scheduled' AND priced.stale_since IS NULL
        AND (
            change.at > priced.priced_at
            OR (change.at > priced.priced_at - %(margin)s AND change.at < %(now)s - %(margin)s)
        )
    GROUP BY session.client_id, priced.priced_at
    ORDER BY priced.priced_at
    LIMIT %(limit)s
"""  # noqa: S608 - put together from the texts above alone

_YEAR_TURNED = f"""
    SELECT priced.client_id
    FROM billing_repricing AS priced
    CROSS JOIN LATERAL (SELECT (priced.priced_at AT TIME ZONE %(zone)s)::date AS day) AS priced_on
    WHERE priced.stale_since IS NULL AND priced_on.day < %(today)s
        AND EXISTS (
            SELECT FROM care_session AS session
            WHERE session.client_id = priced.client_id AND session.status = 'scheduled'
        )
        AND EXISTS (
            SELECT
            FROM insurance_coverage AS coverage
            CROSS JOIN LATERAL (
                SELECT snapshot.plan_begin, snapshot.plan_end
                FROM insurance_benefitsnapshot AS snapshot
                WHERE snapshot.coverage_id = coverage.id
                ORDER BY snapshot.observed_at DESC, snapshot.id DESC
                LIMIT 1
            ) AS newest
            CROSS JOIN LATERAL (
                {YEAR_TURNS}
            ) AS turn (day)
            WHERE coverage.client_id = priced.client_id AND coverage.removed_at IS NULL
                AND turn.day > priced_on.day AND turn.day <= %(today)s
        )
    ORDER BY priced.priced_at
    LIMIT %(limit)s
"""  # noqa: S608 - put together from the texts above alone
