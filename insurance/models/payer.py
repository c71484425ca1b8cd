"""An insurer, and what we must know to deal with it."""

from datetime import timedelta

import pghistory
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Payer(models.Model):
    """An insurer. Everything that differs between insurers is a column here, never an ``if``."""

    class SecondaryMethod(models.TextChoices):
        """How it works out what it pays as the second plan; names are those of ``docs/coordination.md``."""

        STANDARD = "standard", _("Standard coordination")
        LOWER_ALLOWED = "lower_allowed", _("Up to the lower allowed amount")
        NON_DUPLICATION = "non_duplication", _("Non-duplication (carve-out)")
        MAINTENANCE = "maintenance_of_benefits", _("Maintenance of benefits")
        MEDICARE = "medicare", _("Medicare secondary payer")
        TRICARE = "tricare", _("TRICARE")
        MEDICAID_LESSER = "medicaid_lesser_of", _("Medicaid, lesser of")
        MEDICAID_FULL = "medicaid_full", _("Medicaid, full")

    name = models.CharField(max_length=60, unique=True)
    payer_id = models.CharField(_("payer ID"), max_length=20, unique=True, help_text=_("As in NM109 of our claims."))
    member_services_phone = models.CharField(max_length=20, help_text=_("The number on the back of the card."))
    secondary_method = models.CharField(
        max_length=24, choices=SecondaryMethod.choices, default=SecondaryMethod.STANDARD
    )
    timely_filing_days = models.PositiveSmallIntegerField(default=180, help_text=_("From the date of service."))
    secondary_filing_days = models.PositiveSmallIntegerField(
        default=180, help_text=_("From the primary insurer's remittance.")
    )
    claim_filing_code = models.CharField(
        max_length=2,
        default="CI",
        help_text=_("SBR09: CI commercial, BL Blue Cross, MB Medicare, MC Medicaid, CH TRICARE."),
    )

    recertifies = models.BooleanField(
        default=False, help_text=_("It wants members to confirm coordination of benefits every year.")
    )
    cob_contact = models.CharField(
        max_length=120, blank=True, help_text=_("Whom to ask for when calling about coordination of benefits.")
    )
    requests_per_minute = models.PositiveSmallIntegerField(
        default=60, help_text=_("How many benefit questions this insurer takes in a minute.")
    )
    answers_from = models.TimeField(
        null=True, blank=True, help_text=_("When it begins to answer benefit questions, New York time; empty: always.")
    )
    answers_until = models.TimeField(null=True, blank=True, help_text=_("When it stops; may lie after midnight."))

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(requests_per_minute__gt=0), name="payer_takes_questions"),
            models.CheckConstraint(
                condition=Q(answers_from=None, answers_until=None)
                | Q(answers_from__isnull=False, answers_until__isnull=False),
                name="payer_hours_have_two_ends",
            ),
            models.CheckConstraint(condition=Q(timely_filing_days__gt=0), name="payer_timely_filing_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        is_new = self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)  # type: ignore[arg-type]  # Django's own signature, passed through
            if is_new:
                PayerLine.objects.create(payer=self)


pghistory.track()(Payer)


class PayerLine(models.Model):
    """How the line to an insurer stands: whether it answers benefit questions at present. One row for each insurer.

    After :attr:`FAILURES` questions without an answer, one after the other, it counts as down: until an answer comes,
    one question every :attr:`PROBE_EVERY` finds out whether it is back; all others wait.
    """

    FAILURES = 3
    PROBE_EVERY = timedelta(minutes=5)

    payer = models.OneToOneField(Payer, on_delete=models.PROTECT, related_name="line")
    failures = models.PositiveIntegerField(default=0, help_text=_("Questions without an answer, in a row."))
    down_since = models.DateTimeField(null=True, blank=True)
    next_probe_at = models.DateTimeField(null=True, blank=True, help_text=_("When one question is tried again."))
    last_answer_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True, help_text=_("Why the last question was not answered."))

    class Meta:
        ordering = ["payer__name"]
        verbose_name = _("insurer's line")
        verbose_name_plural = _("insurers' lines")
        constraints = [
            models.CheckConstraint(
                condition=Q(down_since=None, next_probe_at=None)
                | Q(down_since__isnull=False, next_probe_at__isnull=False),
                name="line_that_is_down_is_probed",
            )
        ]

    def __str__(self) -> str:
        return str(self.payer)
