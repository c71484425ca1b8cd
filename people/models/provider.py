"""The therapist."""

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock


class Licence(models.TextChoices):
    """Licence levels that insurers pay by."""

    PHYSICIAN = "MD", _("Psychiatrist")
    DOCTORAL = "PHD", _("Psychologist")
    MASTERS = "MASTERS", _("Master's level therapist")
    NURSE = "NP", _("Psychiatric nurse practitioner")


class Specialty(models.TextChoices):
    """What clients look for; a provider names the ones they work with most."""

    ANXIETY = "anxiety", _("Anxiety")
    DEPRESSION = "depression", _("Low mood and depression")
    TRAUMA = "trauma", _("Trauma")
    COUPLES = "couples", _("Couples")
    CHILDREN = "children", _("Children and teenagers")
    ADHD = "adhd", _("ADHD")
    GRIEF = "grief", _("Grief")
    EATING = "eating", _("Eating disorders")
    ADDICTION = "addiction", _("Addiction")
    MEDICATION = "medication", _("Medication")


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
    specialties = ArrayField(models.CharField(max_length=20, choices=Specialty.choices), default=list, blank=True)
    telehealth = models.BooleanField(default=True, help_text=_("Sees clients by video."))
    office = models.BooleanField(default=True, help_text=_("Sees clients at an office."))
    city = models.CharField(max_length=30, blank=True)
    accepting = models.BooleanField(_("accepts new clients"), default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["last_name", "first_name", "id"]
        indexes = [
            GinIndex(fields=["specialties"], name="provider_specialties"),
            models.Index(fields=["state", "id"], condition=Q(accepting=True), name="provider_accepting"),
        ]

    def __str__(self) -> str:
        return f"Dr. {self.last_name}" if self.licence in (Licence.PHYSICIAN, Licence.DOCTORAL) else self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


pghistory.track()(Provider)
