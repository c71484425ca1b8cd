"""A claim may belong to another insurer: neither paid nor denied."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("insurance", "0008_pause_reasons")]

    operations = [
        migrations.AlterField(
            model_name="claim",
            name="decision",
            field=models.CharField(
                choices=[
                    ("none", "Not decided yet"),
                    ("paid", "Processed"),
                    ("denied", "Denied"),
                    ("cob", "Coordination of benefits unresolved"),
                    ("routed", "Belongs to another insurer"),
                    ("reversed", "Reversed"),
                ],
                db_index=True,
                default="none",
                max_length=8,
            ),
        ),
    ]
