"""A person's call for help."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common import clock
from common.states import axis


class SupportRequest(models.Model):
    """What somebody asked of support, and how it stands. ``reference`` names the thing it is about (``refund 12``)."""

    class Category(models.TextChoices):
        BALANCE = "balance", _("What I owe")
        REFUND = "refund", _("A refund")
        BENEFITS = "benefits", _("My benefits or price look wrong")
        COORDINATION = "coordination", _("Coordination of benefits")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")
        CLOSED = "closed", _("Closed")

    STATES = axis(
        "state",
        {
            "open": {"answered", "closed"},
            "answered": {"open", "closed"},
            "closed": {"open"},
        },
    )

    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="support_requests")
    client = models.ForeignKey(
        "people.Client", on_delete=models.PROTECT, null=True, blank=True, related_name="support_requests"
    )
    category = models.CharField(max_length=12, choices=Category.choices)
    reference = models.CharField(max_length=40, blank=True)
    body = models.TextField(max_length=4000)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN, db_index=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_requests"
    )
    answer = models.TextField(max_length=4000, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False, db_index=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Request {self.pk}: {self.get_category_display()}"
