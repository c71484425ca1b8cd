"""A client's plan with an insurer, and the facts that decide who pays first."""

from datetime import date

import pghistory
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from encrypted_fields.fields import EncryptedCharField

from common import clock


class CoverageQuerySet(models.QuerySet["Coverage"]):
    def on(self, day: date) -> "CoverageQuerySet":
        """Coverages that have not been taken off the account and that are in force on ``day``, as far as we know."""
        return self.filter(
            Q(begins_on=None) | Q(begins_on__lte=day), Q(ends_on=None) | Q(ends_on__gte=day), removed_at=None
        )


class Coverage(models.Model):
    """One plan of one client. The columns from ``plan_type`` to ``coordinates`` are the inputs of plan order."""

    class PlanType(models.TextChoices):
        GROUP = "group", _("Through a job")
        INDIVIDUAL = "individual", _("Bought by myself")
        STUDENT = "student", _("Through a school")
        MEDICARE = "medicare", _("Medicare")
        MEDICAID = "medicaid", _("Medicaid")
        TRICARE = "tricare", _("TRICARE")
        WORKERS_COMPENSATION = "workers_compensation", _("Workers' compensation")
        AUTO = "auto", _("Auto insurance")

    class Holder(models.TextChoices):
        SELF = "self", _("Me")
        SPOUSE = "spouse", _("My spouse or partner")
        MOTHER = "mother", _("My mother")
        FATHER = "father", _("My father")
        STEPMOTHER = "stepmother", _("My stepmother")
        STEPFATHER = "stepfather", _("My stepfather")
        OTHER = "other", _("Someone else")

    class HolderStatus(models.TextChoices):
        ACTIVE = "active", _("Working there now")
        LAID_OFF = "laid_off", _("Laid off")
        RETIRED = "retired", _("Retired")
        COBRA = "cobra", _("Keeping the plan after leaving (COBRA)")

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="coverages")
    payer = models.ForeignKey("insurance.Payer", on_delete=models.PROTECT, related_name="coverages")
    member_id = EncryptedCharField(max_length=255)
    member_id_last4 = models.CharField(max_length=4, editable=False, db_index=True)
    group_number = models.CharField(max_length=30, blank=True)
    stated_rank = models.PositiveSmallIntegerField(help_text=_("The place the client gave this plan; 1 is primary."))
    begins_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)

    plan_type = models.CharField(max_length=20, choices=PlanType.choices, default=PlanType.GROUP)
    holder = models.CharField(max_length=10, choices=Holder.choices, default=Holder.SELF)
    holder_first_name = models.CharField(max_length=35, blank=True)
    holder_last_name = models.CharField(max_length=60, blank=True)
    holder_born = models.DateField(null=True, blank=True)
    holder_status = models.CharField(max_length=8, choices=HolderStatus.choices, null=True, blank=True)
    employer_size = models.PositiveIntegerField(null=True, blank=True)
    multi_employer = models.BooleanField(null=True, blank=True)
    since = models.DateField(
        null=True, blank=True, help_text=_("How long the client has been covered by this employer's plans.")
    )
    coordinates = models.BooleanField(null=True, blank=True, default=True)

    created_at = models.DateTimeField(default=clock.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CoverageQuerySet.as_manager()

    class Meta:
        ordering = ["client", "stated_rank", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(stated_rank__gte=1), name="stated_rank_from_one"),
            models.CheckConstraint(
                condition=Q(begins_on=None) | Q(ends_on=None) | Q(ends_on__gte=models.F("begins_on")),
                name="coverage_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payer} (member ···{self.member_id_last4})"

    def save(self, *args: object, **kwargs: object) -> None:
        self.member_id = self.member_id.strip().upper()
        self.member_id_last4 = self.member_id[-4:]
        super().save(*args, **kwargs)  # type: ignore[arg-type]  # Django's own signature, passed through

    @property
    def client_is_subscriber(self) -> bool:
        return self.holder == self.Holder.SELF


pghistory.track(exclude=["member_id"])(Coverage)
