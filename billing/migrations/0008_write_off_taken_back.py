import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0007_refund_bank_reference'),
    ]

    operations = [
        migrations.AddField(
            model_name='writeoff',
            name='takes_back',
            field=models.ForeignKey(blank=True, help_text='Which one.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='taken_back', to='billing.writeoff'),
        ),
        migrations.AddConstraint(
            model_name='writeoff',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('takes_back', None)), models.Q(('amount__lt', 0), ('takes_back__isnull', False)), _connector='OR'), name='write_off_below_zero_takes_one_back'),
        ),
    ]
