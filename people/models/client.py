"""The person who receives care."""

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common import clock


class Client(models.Model):
    """A client. ``paused_since`` sums up the open account pauses in ``insurance``, so that ``care`` can refuse."""

    class Sex(models.TextChoices):
        """As insurers record it (X12 DMG03)."""

        FEMALE = "F", _("Female")
        MALE = "M", _("Male")
        UNKNOWN = "U", _("Not stated")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="client"
    )
    first_name = models.CharField(max_length=35)
    last_name = models.CharField(max_length=60)
    preferred_name = models.CharField(max_length=35, blank=True)
    birth_date = models.DateField()
    sex = models.CharField(max_length=1, choices=Sex.choices, default=Sex.UNKNOWN)
    email = models.EmailField()
    phone = models.CharField(max_length=20, blank=True)
    address_line = models.CharField(max_length=55)
    city = models.CharField(max_length=30)
    state = models.CharField(max_length=2)
    zip_code = models.CharField(max_length=10)
    paused_since = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["last_name", "first_name", "id"]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def called(self) -> str:
        """The name to greet the client by."""
        return self.preferred_name or self.first_name

    @property
    def initials(self) -> str:
        """How an e-mail to somebody else names the client."""
        return f"{self.first_name[:1]}. {self.last_name[:1]}."


pghistory.track()(Client)
