"""Cards: what Stripe keeps for us, and the client's consent to charge them. No card number ever comes here."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.facts import Fact


class StripeCustomer(models.Model):
    """The client's counterpart at Stripe."""

    client = models.OneToOneField("people.Client", on_delete=models.PROTECT, related_name="stripe_customer")
    customer_id = models.CharField(max_length=60, unique=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.customer_id


class PaymentCard(models.Model):
    """A card on file, by Stripe's name for it. At most one of a client's cards is the default."""

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="cards")
    payment_method_id = models.CharField(max_length=60, unique=True)
    brand = models.CharField(max_length=20)
    last4 = models.CharField(max_length=4)
    exp_month = models.PositiveSmallIntegerField()
    exp_year = models.PositiveSmallIntegerField()
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-is_default", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["client"], condition=Q(is_default=True, removed_at=None), name="one_default_card"
            ),
            models.CheckConstraint(condition=Q(exp_month__range=(1, 12)), name="card_month"),
        ]

    def __str__(self) -> str:
        return f"{self.brand.title()} ending in {self.last4}"


class CardConsent(Fact):
    """The client's consent to keep a card and charge it (12 CFR 1005.10): the words shown, when, and for what."""

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="card_consents")
    card = models.ForeignKey(PaymentCard, on_delete=models.PROTECT, related_name="consents")
    text_version = models.CharField(max_length=20)
    text = models.TextField()
    scope = models.CharField(max_length=40, default="session_costs", help_text=_("What may be charged."))

    def __str__(self) -> str:
        return f"Consent {self.text_version} of {self.client}"
