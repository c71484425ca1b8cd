"""Coordination of benefits: facts that decide the order of plans, plans we hear of, and yearly confirmations."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from encrypted_fields.fields import EncryptedCharField

from common import clock
from common.states import axis


class CobFacts(models.Model):
    """What the order of a client's plans may depend on besides the plans themselves. Empty: not known.

    Sources: NAIC Model 120 section 6 (children), 42 CFR 411 (Medicare). One row per client.
    """

    class Parents(models.TextChoices):
        TOGETHER = "together", _("Together")
        APART = "apart", _("Apart")

    class Decree(models.TextChoices):
        MOTHER = "mother", _("My mother")
        FATHER = "father", _("My father")
        BOTH = "both", _("Both")
        NONE = "none", _("There is none")

    class Custody(models.TextChoices):
        MOTHER = "mother", _("My mother")
        FATHER = "father", _("My father")
        JOINT = "joint", _("Both share it")

    class MedicareReason(models.TextChoices):
        AGE = "age", _("Age")
        DISABILITY = "disability", _("Disability")
        ESRD = "esrd", _("Kidney failure")

    client = models.OneToOneField("people.Client", on_delete=models.PROTECT, related_name="cob_facts", primary_key=True)
    parents = models.CharField(max_length=8, choices=Parents.choices, blank=True)
    decree = models.CharField(
        max_length=6, choices=Decree.choices, blank=True, help_text=_("Who a court says provides health insurance.")
    )
    custodial_parent = models.CharField(max_length=6, choices=Custody.choices, blank=True)
    medicare_because = models.CharField(max_length=10, choices=MedicareReason.choices, blank=True)
    esrd_since = models.DateField(
        null=True, blank=True, help_text=_("First month of Medicare by kidney failure: 30 months begin.")
    )
    updated_at = models.DateTimeField(default=clock.now)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name_plural = _("facts for coordination of benefits")

    def __str__(self) -> str:
        return f"Facts of client {self.client_id}"


class SuggestedCoverage(models.Model):
    """Another insurer that an insurer named for a client, until client or support say what it is."""

    class Source(models.TextChoices):
        RESPONSE = "271", _("Eligibility answer")
        REMITTANCE = "835", _("Remittance")
        CLAIM_ACKNOWLEDGEMENT = "277CA", _("Claim acknowledgement")

    class State(models.TextChoices):
        OPEN = "open", _("Waits for an answer")
        ACCEPTED = "accepted", _("It is a plan of the client")
        DISMISSED = "dismissed", _("It is none")

    STATES = axis("state", {"open": {"accepted", "dismissed"}, "accepted": set(), "dismissed": set()})

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="suggested_coverages")
    named_by = models.ForeignKey(
        "insurance.Coverage", on_delete=models.PROTECT, related_name="+", help_text=_("Whose insurer named it.")
    )
    payer = models.ForeignKey(
        "insurance.Payer", on_delete=models.PROTECT, null=True, blank=True, help_text=_("If we know the insurer.")
    )
    payer_name = models.CharField(max_length=60)
    payer_code = models.CharField(max_length=80, blank=True, help_text=_("The id the insurer gave for it."))
    member_id = EncryptedCharField(max_length=255, null=True, blank=True)
    rank = models.CharField(max_length=10, blank=True, help_text=_("primary, secondary, tertiary; empty: not said."))
    source = models.CharField(max_length=5, choices=Source.choices)
    file = models.ForeignKey("insurance.EdiFile", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN, db_index=True)
    coverage = models.ForeignKey(
        "insurance.Coverage", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            # A name that was dismissed is not asked about again.
            models.UniqueConstraint("client", Lower("payer_name"), name="one_suggestion_per_client_and_insurer"),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(coverage__isnull=False), name="accepted_suggestion_is_a_coverage"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payer_name} for {self.client}"


class Recertification(models.Model):
    """One year's confirmation of coordination of benefits with one insurer; only the client can give it, by phone."""

    class State(models.TextChoices):
        DUE = "due", _("To be confirmed")
        REPORTED = "reported", _("The client has called")
        VERIFIED = "verified", _("Confirmed")

    STATES = axis("state", {"due": {"reported", "verified"}, "reported": {"due", "verified"}, "verified": set()})

    coverage = models.ForeignKey("insurance.Coverage", on_delete=models.PROTECT, related_name="recertifications")
    due_on = models.DateField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.DUE, db_index=True)
    reference_number = models.CharField(max_length=40, blank=True)
    called_on = models.DateField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)
    check_after = models.ForeignKey(
        "insurance.EligibilityCheck", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["due_on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["coverage", "due_on"], name="one_recertification_per_year"),
            models.UniqueConstraint(
                fields=["coverage"], condition=~Q(state="verified"), name="one_open_recertification_per_coverage"
            ),
            models.CheckConstraint(
                condition=~Q(state="verified") | Q(verified_at__isnull=False), name="verified_says_when"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.coverage}: due {self.due_on}"


for tracked in (CobFacts, SuggestedCoverage, Recertification):
    pghistory.track()(tracked)
