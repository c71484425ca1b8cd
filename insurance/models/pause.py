"""An account on hold because an insurer says coordination of benefits is unresolved."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock


class AccountPause(models.Model):
    """One cause of a pause, from its evidence to its end. While any is open the client is paused."""

    class Evidence(models.TextChoices):
        REMITTANCE = "835", _("Remittance")
        RESPONSE = "271", _("Eligibility answer")
        CLAIM_ACKNOWLEDGEMENT = "277CA", _("Claim acknowledgement")
        SUPPORT = "support", _("Support")

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="pauses")
    coverage = models.ForeignKey("insurance.Coverage", on_delete=models.PROTECT, related_name="pauses")
    evidence = models.CharField(max_length=8, choices=Evidence.choices)
    evidence_file = models.ForeignKey(
        "insurance.EdiFile", on_delete=models.PROTECT, null=True, blank=True, related_name="pauses"
    )
    evidence_codes = models.CharField(max_length=60, blank=True, help_text=_("E.g. CO-22 with N197."))
    reason = models.CharField(max_length=300, blank=True, help_text=_("The insurer's words, or support's."))
    opened_at = models.DateTimeField(default=clock.now)
    reference_number = models.CharField(max_length=40, blank=True, help_text=_("What the insurer gave the client."))
    reference_given_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True, help_text=_("The last reminder to call."))
    reminders = models.PositiveSmallIntegerField(default=0)
    cleared_at = models.DateTimeField(null=True, blank=True)
    cleared_by = models.ForeignKey(
        "insurance.EligibilityCheck", on_delete=models.PROTECT, null=True, blank=True, related_name="cleared_pauses"
    )
    cleared_reason = models.CharField(
        max_length=300, blank=True, help_text=_("Why support ended it without the insurer's answer.")
    )

    class Meta:
        ordering = ["-opened_at"]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]
        constraints = [
            models.UniqueConstraint(
                fields=["coverage"], condition=Q(cleared_at=None), name="one_open_pause_per_coverage"
            ),
            models.CheckConstraint(
                condition=Q(cleared_at=None) | Q(cleared_at__gte=models.F("opened_at")), name="cleared_after_opened"
            ),
        ]

    def __str__(self) -> str:
        return f"Pause {self.pk} of {self.client}"
