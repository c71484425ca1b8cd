"""Who saw whose record (45 CFR 164.312(b))."""

from django.conf import settings
from django.db import models

from common.facts import Fact


class AccessEvent(Fact):
    """One look at, or change of, one client's health or billing data by somebody.

    Written by the access doors, at most once a minute for the same person, client and purpose.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="access_events")
    purpose = models.CharField(max_length=60)

    class Meta(Fact.Meta):
        indexes = [models.Index(fields=["client", "-created_at"]), models.Index(fields=["user", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.user} · {self.purpose} · {self.client}"
