"""What insurers decided and paid: the 835 as rows that never change."""

from datetime import date
from decimal import Decimal

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from common import clock
from common.facts import Fact
from common.money import ZERO, money_field
from insurance.domain.decisions import Decision, Reason, read_decision


class Remittance(Fact):
    """One payment (one ST…SE of an 835), balanced to the cent or not recorded at all."""

    file = models.ForeignKey("insurance.EdiFile", on_delete=models.PROTECT, related_name="remittances")
    payer = models.ForeignKey(
        "insurance.Payer", on_delete=models.PROTECT, null=True, blank=True, related_name="remittances"
    )
    payer_name = models.CharField(max_length=60)
    trace = models.CharField(max_length=50, help_text=_("TRN02: check or transfer number."))
    originator = models.CharField(max_length=30, blank=True, help_text=_("TRN03: who issued the trace number."))
    method = models.CharField(max_length=3, blank=True, help_text=_("BPR04"))
    amount = money_field(signed=True)
    paid_on = models.DateField(null=True)

    class Meta(Fact.Meta):
        ordering = ["-id"]
        constraints = [
            # The same payment told twice is one payment, even in a file with other bytes. With its day: insurers use
            # trace numbers such as "0" again and again for answers that pay nothing.
            models.UniqueConstraint(
                fields=["originator", "trace", "amount", "paid_on"], nulls_distinct=False, name="remittance_once"
            )
        ]

    def __str__(self) -> str:
        return f"Remittance {self.trace} of {self.payer_name}"

    @property
    def day(self) -> date:
        """The business date of the payment; when the insurer gives none, the one on which we recorded it."""
        return self.paid_on or clock.business_date(self.created_at)


class Adjudication(models.Model):
    """One claim's result in a remittance. ``claim`` is null while we do not know which claim it is (suspense)."""

    remittance = models.ForeignKey(Remittance, on_delete=models.PROTECT, related_name="adjudications")
    number = models.PositiveIntegerField(help_text=_("Place in the remittance, from 1."))
    claim = models.ForeignKey(
        "insurance.Claim", on_delete=models.PROTECT, null=True, blank=True, related_name="adjudications"
    )
    control_number = models.CharField(max_length=50, help_text=_("CLP01 as the insurer wrote it."))
    status_code = models.CharField(max_length=2, help_text=_("CLP02"))
    charge = money_field(signed=True)
    paid = money_field(signed=True)
    client_responsibility = money_field(signed=True, null=True)
    payer_control_number = models.CharField(max_length=50, blank=True)
    remarks = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    forwarded_to = models.CharField(max_length=60, blank=True, help_text=_("Crossover: who got the claim next."))
    explanation = models.TextField(help_text=_("What the insurer said, in plain words."))
    posted_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        ordering = ["remittance", "number"]
        constraints = [models.UniqueConstraint(fields=["remittance", "number"], name="one_adjudication_per_place")]
        triggers = [
            # Only its match to a claim and its posting may be added later.
            pgtrigger.ReadOnly(name="result_never_changes", exclude=["claim", "posted_at"]),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Result {self.number} of {self.remittance}"

    @property
    def adjustments_in_all(self) -> list["Adjustment"]:
        """Claim-level and line-level adjustments together."""
        return list(self.adjustments.all())

    def total(self, group: str) -> Decimal:
        """Sum of the adjustments of one group code (``PR``, ``CO`` …), claim and lines together, in dollars."""
        return sum((a.amount for a in self.adjustments_in_all if a.group == group), ZERO)

    @property
    def decision(self) -> Decision:
        """What this result means by itself (``insurance.domain.decisions``)."""
        return read_decision(
            status=self.status_code,
            paid=self.paid,
            reasons=[Reason(each.group, each.code, each.amount) for each in self.adjustments_in_all],
            remarks=self.remarks,
        )

    @property
    def left_to_client(self) -> Decimal:
        """What the insurer leaves to the patient, in dollars, never below zero: group PR; CLP05 when no CAS says PR."""
        said = any(each.group == "PR" for each in self.adjustments_in_all)
        amount = self.total("PR") if said else self.client_responsibility
        return max(ZERO, amount if amount is not None else ZERO)

    @property
    def allowed(self) -> Decimal:
        """What the insurer allowed: its payment and what it leaves to the patient."""
        allowed: Decimal = self.paid + self.total("PR")
        return allowed


class LineAdjudication(Fact):
    """One service line's result."""

    adjudication = models.ForeignKey(Adjudication, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveSmallIntegerField()
    line_control_number = models.CharField(max_length=50, blank=True, help_text=_("REF*6R: our own line."))
    procedure = models.CharField(max_length=48)
    modifiers = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    date = models.DateField(null=True)
    charge = money_field(signed=True)
    paid = money_field(signed=True)
    units = models.DecimalField(max_digits=9, decimal_places=3, default=Decimal(1))
    remarks = ArrayField(models.CharField(max_length=10), default=list, blank=True)

    class Meta(Fact.Meta):
        ordering = ["adjudication", "number"]
        constraints = [models.UniqueConstraint(fields=["adjudication", "number"], name="one_line_result_per_place")]

    def __str__(self) -> str:
        return f"{self.procedure}: {self.paid} of {self.charge}"


class Adjustment(Fact):
    """One CAS triplet: why an amount was not paid. ``line`` is null at claim level."""

    adjudication = models.ForeignKey(Adjudication, on_delete=models.PROTECT, related_name="adjustments")
    line = models.ForeignKey(
        LineAdjudication, on_delete=models.PROTECT, null=True, blank=True, related_name="adjustments"
    )
    group = models.CharField(max_length=2)
    code = models.CharField(max_length=5)
    amount = money_field(signed=True)
    quantity = models.DecimalField(max_digits=9, decimal_places=3, null=True, blank=True)

    class Meta(Fact.Meta):
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.group}-{self.code} {self.amount}"


class ProviderAdjustment(Fact):
    """One PLB pair: money between insurer and organisation that belongs to no claim. Positive reduces the payment."""

    remittance = models.ForeignKey(Remittance, on_delete=models.PROTECT, related_name="provider_adjustments")
    code = models.CharField(max_length=2)
    reference = models.CharField(max_length=50, blank=True)
    amount = money_field(signed=True)

    def __str__(self) -> str:
        return f"{self.code} {self.amount}"
