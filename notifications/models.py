"""The outbox: every e-mail we promised to send, and what became of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.states import axis


class Email(models.Model):
    """One e-mail. ``key`` names the event it tells of: one e-mail per event and person, ever.

    Subject and bodies are fixed when it is queued, so that what was sent can always be shown.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Gave up")

    STATES = axis("state", {"queued": {"sent", "failed"}, "failed": {"queued"}, "sent": set()})

    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=40, db_index=True)
    to = models.EmailField()
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="emails"
    )
    subject = models.CharField(max_length=150)
    text = models.TextField()
    html = models.TextField()
    state = models.CharField(max_length=6, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=clock.now)
    error = models.CharField(max_length=300, blank=True)
    message_id = models.CharField(max_length=200, blank=True, db_index=True)
    created_at = models.DateTimeField(default=clock.now, editable=False, db_index=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("e-mail")
        indexes = [models.Index(fields=["next_attempt_at"], condition=Q(state="queued"), name="outbox_queue")]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to}"
