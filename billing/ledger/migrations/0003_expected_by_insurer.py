"""What earlier versions left open between insurers of one session is closed: expected of one, paid by the other."""

from django.db import migrations

OPEN = """
    CREATE TEMPORARY TABLE open_rests ON COMMIT DROP AS
    SELECT session_id, client_id, payer_id, sum(amount) AS amount,
           sum(sum(amount)) OVER (PARTITION BY session_id, client_id) AS in_all
    FROM ledger_line WHERE account_id = 'insurer_receivable' AND session_id IS NOT NULL
    GROUP BY session_id, client_id, payer_id
"""
ENTRIES = """
    INSERT INTO ledger_entry (created_at, key, memo, occurred_on, fingerprint)
    SELECT now(), 'expected:' || r.session_id || ':' || max(l.entry_id),
           'Session ' || r.session_id || ': what was left open between insurers', max(e.occurred_on),
           encode(sha256(('expected:' || r.session_id || ':' || max(l.entry_id))::bytea), 'hex')
    FROM (SELECT DISTINCT session_id FROM open_rests WHERE in_all = 0 AND amount <> 0) r
    JOIN ledger_line l ON l.session_id = r.session_id AND l.account_id = 'insurer_receivable'
    JOIN ledger_entry e ON e.id = l.entry_id
    GROUP BY r.session_id
"""
LINES = """
    INSERT INTO ledger_line (created_at, entry_id, account_id, amount, client_id, session_id, payer_id)
    SELECT now(), e.id, 'insurer_receivable', -r.amount, r.client_id, r.session_id, r.payer_id
    FROM open_rests r
    JOIN ledger_entry e ON e.transaction_id = txid_current() AND e.key LIKE 'expected:' || r.session_id || ':%%'
    WHERE r.in_all = 0 AND r.amount <> 0
"""


def close(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(OPEN)
        cursor.execute(ENTRIES)
        cursor.execute(LINES.replace("%%", "%"))
        cursor.execute("DROP TABLE open_rests")


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0002_initial'),
    ]

    operations = [
        migrations.RunPython(close, migrations.RunPython.noop),
    ]
