"""Sequences for numbers that must never repeat, not even after a crash or a rollback."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("insurance", "0002_initial")]

    operations = [
        migrations.RunSQL(
            f"CREATE SEQUENCE {name} AS bigint START 1 MAXVALUE {highest} NO CYCLE",
            f"DROP SEQUENCE {name}",
        )
        for name, highest in (
            ("insurance_interchange_number", 999_999_999),
            ("insurance_claim_number", 9_999_999_999),
            ("insurance_trace_number", 9_999_999_999),
        )
    ]
