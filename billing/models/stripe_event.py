"""What Stripe told us by webhook: a trigger to ask again, never a source of amounts."""

from django.db import models

from common import clock


class StripeEvent(models.Model):
    """One webhook event, stored once whatever the number of deliveries."""

    event_id = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=80)
    object_id = models.CharField(max_length=80, db_index=True)
    received_at = models.DateTimeField(default=clock.now, editable=False)
    processed_at = models.DateTimeField(null=True, blank=True, db_index=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"
