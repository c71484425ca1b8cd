"""Paying by itself: a balance in monthly parts, and small balances without being asked each time."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.facts import Fact
from common.money import money_field
from common.states import axis


class PaymentPlan(models.Model):
    """What a client owes for some sessions, to be paid in monthly parts with a saved card, without interest."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Under way")
        DONE = "done", _("Paid")
        ENDED = "ended", _("Ended early")

    STATES = axis("state", {"active": {"done", "ended"}, "done": set(), "ended": set()})

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="payment_plans")
    card = models.ForeignKey("billing.PaymentCard", on_delete=models.PROTECT, related_name="+")
    total = money_field()
    state = models.CharField(max_length=6, choices=State.choices, default=State.ACTIVE)
    text_version = models.CharField(max_length=20)
    text = models.TextField(help_text=_("The words the client agreed to."))
    created_at = models.DateTimeField(default=clock.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["client"], condition=Q(state="active"), name="one_active_payment_plan"),
            models.CheckConstraint(condition=Q(total__gt=0), name="payment_plan_positive"),
        ]

    def __str__(self) -> str:
        return f"Payment plan {self.pk} of {self.total}"


class PaymentPlanPart(Fact):
    """How much of the plan is for which session when it was agreed. The parts add up to the plan."""

    plan = models.ForeignKey(PaymentPlan, on_delete=models.PROTECT, related_name="parts")
    session = models.ForeignKey("care.Session", on_delete=models.PROTECT, related_name="+")
    amount = money_field()

    class Meta(Fact.Meta):
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "session"], name="one_plan_part_per_session"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="plan_part_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of plan {self.plan_id}"


class Instalment(models.Model):
    """One part of a payment plan; its payments are attempts, the newest one counts."""

    plan = models.ForeignKey(PaymentPlan, on_delete=models.PROTECT, related_name="instalments")
    number = models.PositiveSmallIntegerField()
    due_on = models.DateField(db_index=True)
    amount = money_field()
    payment = models.ForeignKey(
        "billing.Payment", on_delete=models.PROTECT, null=True, blank=True, related_name="instalments"
    )
    noticed_at = models.DateTimeField(null=True, blank=True, help_text=_("When the client was told that it comes."))

    class Meta:
        ordering = ["plan", "number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="one_instalment_per_number"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="instalment_positive"),
        ]

    def __str__(self) -> str:
        return f"Part {self.number} of plan {self.plan_id}"


class Autopay(models.Model):
    """A client's standing consent to charge balances up to a limit, each announced in time. One in force at a time."""

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="autopays")
    limit = money_field(help_text=_("The most that is charged at once."))
    text_version = models.CharField(max_length=20)
    text = models.TextField(help_text=_("The words the client agreed to."))
    created_at = models.DateTimeField(default=clock.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["client"], condition=Q(ended_at=None), name="one_autopay_at_a_time"),
            models.CheckConstraint(condition=Q(limit__gt=0), name="autopay_limit_positive"),
        ]

    def __str__(self) -> str:
        return f"Autopay up to {self.limit}"


class AutopayNotice(models.Model):
    """One announced charge: what, when; and what became of it."""

    autopay = models.ForeignKey(Autopay, on_delete=models.PROTECT, related_name="notices")
    session = models.ForeignKey("care.Session", on_delete=models.PROTECT, related_name="+")
    amount = money_field()
    charge_on = models.DateField(db_index=True)
    announced_at = models.DateTimeField(default=clock.now, editable=False)
    payment = models.ForeignKey(
        "billing.Payment", on_delete=models.PROTECT, null=True, blank=True, related_name="autopay_notices"
    )
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session"], condition=Q(payment=None, cancelled_at=None), name="one_open_notice_per_session"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="autopay_notice_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} on {self.charge_on}"
