"""Every X12 file that came or went, byte for byte."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.states import axis


class EdiFile(models.Model):
    """An X12 file. Its bytes never change; only its state moves.

    Outgoing: ``built`` → ``sent`` (the clearinghouse has it) or ``unknown`` (sent, no answer: the same payload id is
    offered again, which the clearinghouse takes once). Incoming: ``received`` → ``processed``, or ``quarantined``
    whole.
    """

    class Direction(models.TextChoices):
        OUT = "out", _("Sent by us")
        IN = "in", _("Received")

    class Kind(models.TextChoices):
        INQUIRY = "270", _("270 eligibility inquiry")
        RESPONSE = "271", _("271 eligibility response")
        CLAIM = "837P", _("837P claims")
        ACKNOWLEDGEMENT = "999", _("999 acknowledgement")
        CLAIM_ACKNOWLEDGEMENT = "277CA", _("277CA claim acknowledgement")
        REMITTANCE = "835", _("835 remittance")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        BUILT = "built", _("Built")
        UNKNOWN = "unknown", _("Sent, outcome not known")
        SENT = "sent", _("Sent")
        RECEIVED = "received", _("Received")
        PROCESSED = "processed", _("Processed")
        QUARANTINED = "quarantined", _("Quarantined")

    STATES = axis(
        "state",
        {
            "built": {"sent", "unknown"},
            "unknown": {"sent"},
            "sent": set(),
            "received": {"processed", "quarantined"},
            "quarantined": {"received"},
            "processed": set(),
        },
    )

    direction = models.CharField(max_length=3, choices=Direction.choices)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    state = models.CharField(max_length=11, choices=State.choices, db_index=True)
    raw = models.BinaryField()
    sha256 = models.CharField(max_length=64, editable=False)
    payload_id = models.UUIDField(unique=True, help_text=_("The envelope's id: the same file is never taken twice."))
    control_number = models.PositiveIntegerField(
        null=True, blank=True, unique=True, help_text=_("ISA13 of a file of ours; never used again.")
    )
    payer = models.ForeignKey("insurance.Payer", on_delete=models.PROTECT, null=True, blank=True, related_name="files")
    findings = models.JSONField(default=list, blank=True, help_text=_("What was wrong with it."))
    created_at = models.DateTimeField(default=clock.now, editable=False, db_index=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("EDI file")
        indexes = [
            # Counted before each question: how many this insurer got in the last minute.
            models.Index(fields=["payer", "-created_at"], condition=Q(kind="270"), name="questions_by_payer")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["sha256"], condition=Q(direction="in") & ~Q(kind="271"), name="incoming_file_once"
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="bytes_never_change", fields=["raw", "sha256", "direction", "payload_id"]),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.kind} file {self.pk}"
