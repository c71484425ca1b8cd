"""How providers are paid what they earned."""

from typing import TYPE_CHECKING

import pgtrigger
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from encrypted_fields.fields import EncryptedCharField

from common import clock
from common.facts import Fact
from common.money import money_field
from common.states import axis

if TYPE_CHECKING:
    from care.models import Session


class ProviderBankAccount(models.Model):
    """Where a provider wants to be paid. The account number is encrypted; pages show its last four digits."""

    class Kind(models.TextChoices):
        CHECKING = "checking", _("Checking")
        SAVINGS = "savings", _("Savings")

    provider = models.ForeignKey("people.Provider", on_delete=models.PROTECT, related_name="bank_accounts")
    holder = models.CharField(_("account holder"), max_length=22, help_text=_("As the bank knows it."))
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.CHECKING)
    routing_number = models.CharField(max_length=9, validators=[RegexValidator(r"^\d{9}$")])
    account_number = EncryptedCharField(max_length=200)
    last4 = models.CharField(max_length=4)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider"], condition=Q(removed_at=None), name="one_bank_account_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return _("%(kind)s account ending in %(last4)s") % {"kind": self.get_kind_display(), "last4": self.last4}


class PayoutRun(models.Model):
    """One run of payouts: everything owed to providers for what was posted through a day, paid together."""

    class State(models.TextChoices):
        OPEN = "open", _("Being put together")
        SEALED = "sealed", _("Ready for the bank")
        SENT = "sent", _("Sent to the bank")

    STATES = axis("state", {"open": {"sealed"}, "sealed": {"sent"}, "sent": set()})

    through = models.DateField(unique=True, help_text=_("Earnings and corrections posted up to and with this day."))
    pay_on = models.DateField(help_text=_("The banking day on which providers have the money."))
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    trace = models.CharField(max_length=40, blank=True, help_text=_("The bank's reference."))
    nacha = models.BinaryField(null=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        ordering = ["-through"]
        constraints = [models.CheckConstraint(condition=Q(pay_on__gt=F("through")), name="paid_after_the_period")]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"Payouts through {self.through}"


class ProviderPayout(models.Model):
    """What one provider gets in one run; its lines add up to it. Returned when the bank sends it back."""

    class State(models.TextChoices):
        CREATED = "created", _("Being prepared")
        SENT = "sent", _("On its way")
        RETURNED = "returned", _("Sent back by the bank")

    # Held back before it is sent, it is owed again just as one that the bank returns.
    STATES = axis("state", {"created": {"sent", "returned"}, "sent": {"returned"}, "returned": set()})

    run = models.ForeignKey(PayoutRun, on_delete=models.PROTECT, related_name="payouts")
    provider = models.ForeignKey("people.Provider", on_delete=models.PROTECT, related_name="payouts")
    bank_account = models.ForeignKey(ProviderBankAccount, on_delete=models.PROTECT, related_name="+")
    amount = money_field()
    state = models.CharField(max_length=8, choices=State.choices, default=State.CREATED)
    return_reason = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    returned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-run", "provider"]
        constraints = [
            models.UniqueConstraint(fields=["run", "provider"], name="one_payout_per_run_and_provider"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payout_positive"),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"Payout {self.pk} of {self.amount}"

    @property
    def was_held_back(self) -> bool:
        """Whether it was left out of its run before that was sent, rather than sent back by the bank."""
        sent_at = self.run.sent_at
        return self.returned_at is not None and (sent_at is None or self.returned_at < sent_at)

    @property
    def status(self) -> str:
        """How it stands, in words."""
        return str(_("Held back") if self.was_held_back else self.get_state_display())


class EarningAdjustment(Fact):
    """A change of what a session earned, as a line of its own: the earning itself stays as it was posted."""

    class Reason(models.TextChoices):
        VOIDED = "voided", _("The session was voided")
        RATE = "rate", _("The contracted rate was corrected")
        SESSION = "session", _("The session's details were corrected")
        RETURNED = "returned", _("A payout came back")
        OTHER = "other", _("Other")

    provider = models.ForeignKey("people.Provider", on_delete=models.PROTECT, related_name="earning_adjustments")
    session = models.ForeignKey(
        "care.Session", on_delete=models.PROTECT, null=True, blank=True, related_name="earning_adjustments"
    )
    amount = money_field(signed=True)
    reason = models.CharField(max_length=8, choices=Reason.choices)
    note = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta(Fact.Meta):
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="earning_adjustment_not_zero")]

    def __str__(self) -> str:
        return f"{self.amount} for session {self.session_id}"


class PayoutLine(Fact):
    """What a payout is made of: one earning or one correction, each paid once."""

    payout = models.ForeignKey(ProviderPayout, on_delete=models.PROTECT, related_name="lines")
    earning = models.OneToOneField(
        "billing.ProviderEarning", on_delete=models.PROTECT, null=True, blank=True, related_name="payout_line"
    )
    adjustment = models.OneToOneField(
        EarningAdjustment, on_delete=models.PROTECT, null=True, blank=True, related_name="payout_line"
    )
    amount = money_field(signed=True)

    class Meta(Fact.Meta):
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(earning__isnull=False, adjustment=None) | Q(earning=None, adjustment__isnull=False),
                name="payout_line_is_of_one_thing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount} of payout {self.payout_id}"

    @property
    def session(self) -> "Session | None":
        """The session behind it; ``None`` for a payout that came back."""
        of = self.earning or self.adjustment
        return of.session if of is not None else None
