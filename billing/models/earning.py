"""What a provider earns."""

from django.db import models
from django.db.models import Q

from common.facts import Fact
from common.money import money_field


class ProviderEarning(Fact):
    """What one confirmed session earns its provider: the primary plan's contracted rate, owed at confirmation."""

    session = models.OneToOneField("care.Session", on_delete=models.PROTECT, related_name="earning")
    provider = models.ForeignKey("people.Provider", on_delete=models.PROTECT, related_name="earnings")
    coverage = models.ForeignKey("insurance.Coverage", on_delete=models.PROTECT, related_name="+")
    amount = money_field()

    class Meta(Fact.Meta):
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="earning_positive")]

    def __str__(self) -> str:
        return f"{self.amount} for session {self.session_id}"
