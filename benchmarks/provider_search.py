"""``python -m benchmarks.provider_search``: finding a provider among 100,000 with 300,000 credentials, with its plan.

The rows are made in a schema of their own inside a transaction that is never committed: nothing is left behind, and no
row of the product is touched.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "headway.settings")

import django

django.setup()

from django.db import connection, transaction

from common import clock
from insurance.models import Credential, NetworkContract, Payer
from insurance.services import provider_search
from insurance.services.provider_search import Bills, Place, Wanted, candidates, in_network
from people.models import Provider

PROVIDERS = 100_000
ROUNDS = 15
TARGET_MS = 100
TABLES = (Provider, Payer, NetworkContract, Credential)

# A few states hold most people: the share of the first of 50 is about one in seven.
ROWS = """
INSERT INTO insurance_payer (id, name, payer_id, member_services_phone, secondary_method, timely_filing_days,
    secondary_filing_days, claim_filing_code, recertifies, cob_contact, requests_per_minute)
SELECT n, 'Insurer ' || n, 'P' || n, '800-555-0100', 'standard', 180, 180, 'CI', false, '', 60
FROM generate_series(1, 12) n;
INSERT INTO insurance_networkcontract (id, payer_id, begins_on, ends_on)
SELECT n, n, '2020-01-01', CASE WHEN n = 12 THEN '2025-12-31'::date END FROM generate_series(1, 12) n;
INSERT INTO people_provider (id, first_name, last_name, email, npi, licence, taxonomy, state, specialties, telehealth,
    office, city, accepting, created_at)
SELECT n, 'First' || n, 'Last' || n, n || '@example.com', (1000000000 + n)::text,
    (ARRAY['MD', 'PHD', 'MASTERS', 'NP'])[1 + n %% 4], '103T00000X', states[1 + floor(50 * random() ^ 2)::int],
    ARRAY[wishes[1 + floor(9 * random())::int], wishes[10]]::varchar[], random() < 0.8, random() < 0.6, 'Town',
    random() < 0.7, now()
FROM generate_series(1, %(providers)s) n,
    (SELECT string_to_array(%(states)s, ' ') AS states) s,
    (SELECT ARRAY['anxiety', 'depression', 'trauma', 'couples', 'children', 'adhd', 'grief', 'eating', 'addiction',
        ''] AS wishes) w;
UPDATE people_provider SET specialties = ARRAY['medication']::varchar[] WHERE id %% 5000 = 0;
INSERT INTO insurance_credential (id, provider_id, payer_id, state, begins_on, ends_on)
SELECT row_number() OVER (), p.id, 1 + (first + step * (1 + first %% 5)) %% 12, p.state, '2020-01-01',
    CASE WHEN random() < 0.1 THEN current_date + floor(400 * random())::int END
FROM (SELECT *, floor(12 * random() ^ 1.5)::int AS first FROM people_provider) p, generate_series(0, 2) step;
"""


def fill(cursor: "object") -> None:
    """The scratch schema with its rows, seen by every query of this transaction before the product's own tables."""
    run: Callable[..., object] = cursor.execute  # type: ignore[attr-defined]
    run("SET LOCAL statement_timeout = 0")
    run("CREATE SCHEMA scratch_search")
    run("SET LOCAL search_path = scratch_search")
    with connection.schema_editor() as editor:
        for model in TABLES:
            editor.create_model(model)
        # Users, to whom providers refer, are not needed here.
        editor.deferred_sql = [each for each in editor.deferred_sql if "FOREIGN KEY" not in str(each)]
    for model in TABLES:
        run(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER USER")  # no history of rows that are never kept
    states = "CA TX FL NY PA IL OH GA NC MI NJ VA WA AZ TN MA IN MO MD WI CO MN SC AL LA KY OR OK CT UT IA NV AR MS KS"
    states += " NM NE ID WV HI NH ME MT RI DE SD ND AK VT WY"
    run("SELECT setseed(0.5)")
    run(ROWS, {"providers": PROVIDERS, "states": states})
    for model in TABLES:
        run(f"ANALYZE {model._meta.db_table}")


def milliseconds(run: Callable[[], object]) -> tuple[float, float]:
    """Median and slowest of some rounds."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), max(took)


def main() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        began = time.perf_counter()
        fill(cursor)
        credentials = next(iter(_counted(cursor)))
        print(f"{PROVIDERS:,} providers, {credentials:,} credentials ({time.perf_counter() - began:.0f} s to make)\n")
        slowest = measure()
        transaction.set_rollback(True)
    print(f"\nslowest median {slowest:.1f} ms, target {TARGET_MS} ms")
    return 0 if slowest < TARGET_MS else 1


def _counted(cursor: "object") -> tuple[int]:
    cursor.execute("SELECT count(*) FROM insurance_credential")  # type: ignore[attr-defined]
    found: tuple[int] = cursor.fetchone()  # type: ignore[attr-defined]
    return found


def measure() -> float:
    payers = {each.pk: each for each in Payer.objects.all()}
    soon = clock.today() + timedelta(days=7)
    two = Wanted((payers[1], payers[3]), "CA", soon)
    last = provider_search.search(replace(two, accepting=False), limit=300).after or 0
    subjects: list[tuple[str, Wanted, Bills, int]] = [
        ("two plans, largest state", two, Bills.ALL, 0),
        ("the same, a later page", two, Bills.ALL, last),
        ("two plans, smallest state", replace(two, state="WY"), Bills.ALL, 0),
        ("one plan", replace(two, payers=two.payers[:1]), Bills.ALL, 0),
        ("three plans", replace(two, payers=(payers[1], payers[2], payers[3])), Bills.ALL, 0),
        ("two plans, rare specialty", replace(two, specialty="medication"), Bills.ALL, 0),
        ("two plans, office, specialty", replace(two, place=Place.OFFICE, specialty="trauma"), Bills.ALL, 0),
        ("bills only the first", two, Bills.FIRST_ONLY, 0),
        ("first only, rare specialty", replace(two, specialty="medication"), Bills.FIRST_ONLY, 0),
        ("an insurer whose contract ended", replace(two, payers=(payers[1], payers[12])), Bills.ALL, 0),
    ]
    print(f"{'':34}{'found':>7}{'median ms':>11}{'slowest ms':>12}")
    worst = 0.0
    for name, wanted, bills, after in subjects:
        found = provider_search.search(wanted, bills=bills, after=after)
        middle, most = milliseconds(lambda w=wanted, b=bills, a=after: provider_search.search(w, bills=b, after=a))  # type: ignore[misc]
        print(f"{name:34}{len(found.matches):>7}{middle:>11.1f}{most:>12.1f}")
        worst = max(worst, middle)
    nobody = replace(two, payers=(payers[1], payers[2], payers[3]), specialty="medication", place=Place.OFFICE)
    middle, most = milliseconds(lambda: provider_search.relaxed(nobody))
    print(f"{'what to let go, with counts':34}{len(provider_search.relaxed(nobody)):>7}{middle:>11.1f}{most:>12.1f}")
    for name, wanted, bills, after in (subjects[0], subjects[5], subjects[7]):
        rows = candidates(wanted, contracted=in_network(wanted.payers, wanted.on), bills=bills)
        assert rows is not None
        page = rows.filter(provider__gt=after).order_by("provider_id").select_related("provider")
        print(f"\n{name}\n{page[: provider_search.PAGE + 1].explain(analyze=True, buffers=True, costs=False)}")
    return max(worst, middle)


if __name__ == "__main__":
    sys.exit(main())
