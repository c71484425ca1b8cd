"""Who may bill whom, and at what rate, on which date."""

from datetime import date
from typing import TYPE_CHECKING

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, IntegerField, Q, Value
from django.db.models.functions import Ord, Substr
from django.utils.translation import gettext_lazy as _

from common.money import money_field
from people.models import Licence

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


def in_force(day: date) -> Q:
    """The condition that a dated row is in force on ``day``."""
    return Q(begins_on__lte=day) & (Q(ends_on=None) | Q(ends_on__gte=day))


class DatedRow(models.Model):
    """In force from one day to another, both included; no end means until further notice."""

    begins_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=models.F("begins_on")),
                name="%(app_label)s_%(class)s_ends_after_it_begins",
            )
        ]


def _only(function: str, value: "models.Expression | F") -> Func:
    """A range that holds one value: ranges have the index operators that plain numbers have only with an extension."""
    return Func(value, value, Value("[]"), function=function)


def not_at_once(name: str, *keys: Func, message: "_StrPromise") -> ExclusionConstraint:
    """No two rows of the same keys are in force on one day."""
    days = Func(F("begins_on"), F("ends_on"), Value("[]"), function="daterange")
    return ExclusionConstraint(
        name=name, expressions=[(each, "&&") for each in (*keys, days)], violation_error_message=message
    )


class NetworkContract(DatedRow):
    """The organisation is in network with an insurer."""

    payer = models.ForeignKey("insurance.Payer", on_delete=models.PROTECT, related_name="contracts")

    class Meta(DatedRow.Meta):
        constraints = [
            *DatedRow.Meta.constraints,
            not_at_once(
                "no_two_contracts_at_once",
                _only("int8range", F("payer")),
                message=_("There is a contract with this insurer in force on some of these days."),
            ),
        ]

    def __str__(self) -> str:
        return f"In network with {self.payer} from {self.begins_on}"


_LETTERS = Ord("state", output_field=IntegerField()) * 256 + Ord(Substr("state", 2), output_field=IntegerField())
"""A state's two letters as one number."""


class Credential(DatedRow):
    """A provider is credentialed with an insurer in a state."""

    provider = models.ForeignKey("people.Provider", on_delete=models.PROTECT, related_name="credentials")
    payer = models.ForeignKey("insurance.Payer", on_delete=models.PROTECT, related_name="credentials")
    state = models.CharField(max_length=2)

    class Meta(DatedRow.Meta):
        indexes = [
            models.Index(fields=["provider", "payer"]),
            models.Index(fields=["payer", "state", "provider", "begins_on", "ends_on"], name="credential_search"),
        ]
        constraints = [
            *DatedRow.Meta.constraints,
            not_at_once(
                "no_two_credentials_at_once",
                _only("int8range", F("provider")),
                _only("int8range", F("payer")),
                _only("int4range", _LETTERS),
                message=_("There is a credential with this insurer in this state in force on some of these days."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} with {self.payer} in {self.state}"


class FeeSchedule(DatedRow):
    """The rate an insurer's contract allows for one unit of a procedure, by licence.

    A rate agreed for a single provider goes before the one for the licence, a rate for a modifier before the one for
    the bare procedure, a newer one before an older. In network a rate is what the plans and the client pay together,
    and what the provider earns. A rate out of network is what the insurer is known to allow there: it binds nobody,
    and the client owes what the charge has above it. How it is chosen: ``insurance/services/network.py``.
    """

    class Network(models.TextChoices):
        IN = "in", _("In network")
        OUT = "out", _("Out of network")

    payer = models.ForeignKey("insurance.Payer", on_delete=models.PROTECT, related_name="fees")
    provider = models.ForeignKey(
        "people.Provider",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="fees",
        help_text=_("Empty: everybody with this licence."),
    )
    network = models.CharField(max_length=3, choices=Network.choices, default=Network.IN)
    licence = models.CharField(max_length=8, choices=Licence.choices)
    cpt = models.CharField("CPT", max_length=5, validators=[RegexValidator(r"^[0-9A-Z]\d{3}[0-9A-Z]$")])
    modifier = models.CharField(
        max_length=2,
        blank=True,
        validators=[RegexValidator(r"^[0-9A-Z]{2}$")],
        help_text=_(
            "Only where the contract prices the procedure otherwise with it, e.g. 95. Empty: whatever they are."
        ),
    )
    rate = money_field()

    class Meta(DatedRow.Meta):
        ordering = ["payer", "cpt", "licence", "-begins_on", "-id"]
        constraints = [
            *DatedRow.Meta.constraints,
            models.CheckConstraint(condition=Q(rate__gt=0), name="fee_rate_positive"),
            models.UniqueConstraint(
                fields=["payer", "licence", "cpt", "modifier", "begins_on", "provider", "network"],
                name="one_fee_per_day",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payer} {self.procedure} {self.licence}: {self.rate}"

    @property
    def procedure(self) -> str:
        """``90837`` or, for a rate that a modifier changes, ``90837-95``."""
        return f"{self.cpt}-{self.modifier}" if self.modifier else self.cpt

    def clean(self) -> None:
        """A provider's own rate is for the licence the provider has; with another it would never be found."""
        if self.provider is not None and self.licence and self.provider.licence != self.licence:
            raise ValidationError(
                {
                    "licence": _("%(provider)s has another licence: %(licence)s.")
                    % {"provider": self.provider, "licence": self.provider.get_licence_display()}
                }
            )


for tracked in (NetworkContract, Credential, FeeSchedule):
    pghistory.track()(tracked)
