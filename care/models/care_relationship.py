"""Which provider looks after which client."""

from django.db import models
from django.db.models import Q

from common import clock


class CareRelationship(models.Model):
    """A provider has a client on their caseload: the one ground on which a provider may see a client's record."""

    provider = models.ForeignKey("people.Provider", on_delete=models.PROTECT, related_name="caseload")
    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="care_relationships")
    began_on = models.DateField(default=clock.today)
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "client"], condition=Q(ended_on=None), name="one_open_relationship"
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} – {self.client}"
