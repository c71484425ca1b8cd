"""Requests that carry an idempotency key, and what was answered."""

from django.conf import settings
from django.db import models
from encrypted_fields.fields import EncryptedTextField

from common import clock


class IdempotentRequest(models.Model):
    """One write by one person under one key. ``status`` is null while it is being worked on.

    Not a fact but a memory of a day: a repeated request gets the answer of the first instead of a second effect. The
    answer may hold health data, so it is kept encrypted.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    claimed_at = models.DateTimeField(default=clock.now)
    status = models.PositiveSmallIntegerField(null=True)
    answer = EncryptedTextField(null=True, help_text="JSON; null while ``status`` is.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_request_per_key")]
        indexes = [models.Index(fields=["claimed_at"])]

    def __str__(self) -> str:
        return f"Request {self.pk}"
