"""A session (appointment): who sees whom, when, for what."""

from datetime import date
from decimal import Decimal

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.money import ZERO, money_field
from common.states import axis


class Session(models.Model):
    """One appointment. Its date of service is the business date on which it starts."""

    class Place(models.TextChoices):
        """CMS place-of-service codes that outpatient therapy uses."""

        OFFICE = "11", _("Office")
        TELEHEALTH_HOME = "10", _("Telehealth, client at home")
        TELEHEALTH = "02", _("Telehealth, client elsewhere")

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("Scheduled")
        CONFIRMED = "confirmed", _("Confirmed")
        CANCELLED = "cancelled", _("Cancelled")
        NO_SHOW = "no_show", _("Client did not come")

    STATUSES = axis(
        "status",
        {
            "scheduled": {"confirmed", "cancelled", "no_show"},
            "confirmed": set(),
            "cancelled": set(),
            "no_show": set(),
        },
    )

    VOIDING = axis("status", {"confirmed": {"cancelled"}, "cancelled": set()})
    """Only for what was confirmed by mistake, with its money and claims: ``billing.flows.void_session``."""

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="sessions")
    provider = models.ForeignKey("people.Provider", on_delete=models.PROTECT, related_name="sessions")
    starts_at = models.DateTimeField()
    date = models.DateField(editable=False, help_text=_("Date of service."))
    minutes = models.PositiveSmallIntegerField(default=53)
    place = models.CharField(max_length=2, choices=Place.choices, default=Place.OFFICE)
    diagnoses = ArrayField(
        models.CharField(max_length=8, validators=[RegexValidator(r"^[A-Z]\d[0-9A-Z](\.?[0-9A-Z]{1,4})?$")]),
        size=12,
        help_text=_("ICD-10-CM codes, the main one first."),
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SCHEDULED, db_index=True)
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-starts_at", "-id"]
        indexes = [
            models.Index(fields=["client", "date"]),
            models.Index(fields=["provider", "-starts_at"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="confirmed", confirmed_at__isnull=False)
                | (~Q(status="confirmed") & Q(confirmed_at__isnull=True)),
                name="confirmed_has_its_time",
            ),
            models.UniqueConstraint(
                fields=["client", "provider", "starts_at"],
                condition=~Q(status="cancelled"),
                name="one_session_at_a_time",
            ),
        ]
        triggers = [
            # A paused client can be neither booked nor confirmed, whoever asks and by whatever path.
            pgtrigger.Trigger(
                name="paused_client_waits",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("status"),  # type: ignore[no-untyped-call]
                when=pgtrigger.Before,
                func="""
                    IF NEW.status IN ('scheduled', 'confirmed')
                       AND (TG_OP = 'INSERT' OR NEW.status IS DISTINCT FROM OLD.status)
                       AND EXISTS (SELECT 1 FROM people_client
                                   WHERE id = NEW.client_id AND paused_since IS NOT NULL) THEN
                        RAISE EXCEPTION 'client % is paused: sessions can be neither booked nor confirmed',
                            NEW.client_id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Session {self.pk}: {self.client} on {self.date}"

    def save(self, *args: object, **kwargs: object) -> None:
        self.date = clock.business_date(self.starts_at)
        super().save(*args, **kwargs)  # type: ignore[arg-type]  # Django's own signature, passed through

    @property
    def is_telehealth(self) -> bool:
        return self.place in (self.Place.TELEHEALTH, self.Place.TELEHEALTH_HOME)

    @property
    def charge(self) -> Decimal:
        """The organisation's full charge for all lines, before any contract."""
        return sum((line.charge for line in self.lines.all()), ZERO)


pghistory.track()(Session)


class ProcedureLine(models.Model):
    """One procedure of a session, in claim order."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="lines")
    number = models.PositiveSmallIntegerField(default=1)
    cpt = models.CharField(_("CPT"), max_length=5, validators=[RegexValidator(r"^[0-9A-Z]\d{3}[0-9A-Z]$")])
    modifiers = ArrayField(models.CharField(max_length=2), size=4, default=list, blank=True)
    units = models.PositiveSmallIntegerField(default=1)
    charge = money_field()

    class Meta:
        ordering = ["session", "number"]
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="one_line_per_number"),
            models.CheckConstraint(condition=Q(charge__gt=0), name="line_charge_positive"),
            models.CheckConstraint(condition=Q(units__gt=0), name="line_units_positive"),
        ]

    def __str__(self) -> str:
        return " ".join([self.cpt, *self.modifiers])


class StandardCharge(models.Model):
    """The organisation's full charge for a procedure from a date on, whoever pays."""

    cpt = models.CharField(_("CPT"), max_length=5)
    effective_from = models.DateField()
    amount = money_field()

    class Meta:
        ordering = ["cpt", "-effective_from"]
        constraints = [
            models.UniqueConstraint(fields=["cpt", "effective_from"], name="one_standard_charge_per_day"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="standard_charge_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.cpt} from {self.effective_from}: {self.amount}"

    @classmethod
    def on(cls, cpt: str, day: date) -> "StandardCharge | None":
        """The charge in force on ``day``, or ``None`` when the procedure is not offered."""
        return cls.objects.filter(cpt=cpt, effective_from__lte=day).order_by("-effective_from").first()
