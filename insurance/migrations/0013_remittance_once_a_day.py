from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('insurance', '0012_suggested_without_member_id'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='remittance',
            name='remittance_once',
        ),
        migrations.AddConstraint(
            model_name='remittance',
            constraint=models.UniqueConstraint(fields=('originator', 'trace', 'amount', 'paid_on'), name='remittance_once', nulls_distinct=False),
        ),
    ]
