"""The therapist."""

import pghistory
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from common import clock


class Licence(models.TextChoices):
    """Licence levels that insurers pay by."""

    PHYSICIAN = "MD", _("Psychiatrist")
    DOCTORAL = "PHD", _("Psychologist")
    MASTERS = "MASTERS", _("Master's level therapist")
    NURSE = "NP", _("Psychiatric nurse practitioner")


class Provider(models.Model):
    """A provider of behavioural health care; bills under the organisation, renders under this NPI."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="provider"
    )
    first_name = models.CharField(max_length=35)
    last_name = models.CharField(max_length=60)
    email = models.EmailField()
    npi = models.CharField(_("NPI"), max_length=10, unique=True, validators=[RegexValidator(r"^[12]\d{9}$")])
    licence = models.CharField(max_length=8, choices=Licence.choices)
    taxonomy = models.CharField(max_length=10, help_text=_("Provider taxonomy code, e.g. 103T00000X."))
    state = models.CharField(max_length=2)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["last_name", "first_name", "id"]

    def __str__(self) -> str:
        return f"Dr. {self.last_name}" if self.licence in (Licence.PHYSICIAN, Licence.DOCTORAL) else self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


pghistory.track()(Provider)
