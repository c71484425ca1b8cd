"""Charges to come: payment plans, autopay, and a card that expires before the next one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import ClassVar, Self
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from common.money import dollars
from notifications.messages.base import ToClient
from notifications.messages.parts import Button, Fact, Facts, Link, Part, Quote, Support, Text, long_date
from notifications.messages.payments import next_try

CARD = "Visa ending in 4242"


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One part of a payment plan: its day, and how much is taken on it, in dollars."""

    on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PaymentPlanAgreed(ToClient):
    """The client's copy of a payment plan: what is charged when, and the words agreed to."""

    kind: ClassVar[str] = "payment_plan_agreed"
    planned: tuple[PlannedPart, ...]
    card: str
    consent_text: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        days = (date(2026, 11, 23), date(2026, 12, 23), date(2027, 1, 23))
        amounts = (Decimal("23.34"), Decimal("23.33"), Decimal("23.33"))
        parts = tuple(PlannedPart(day, amount) for day, amount in zip(days, amounts, strict=True))
        text = _("I pay $70.00 in 3 monthly parts, without interest or fees. I can end this plan at any time.")
        return cls("Ana", parts, CARD, text, f"{settings.PUBLIC_URL}/payments/plan/")

    def subject(self) -> str:
        return _("Your payment plan")

    def preview(self) -> str:
        return _("Please keep this e-mail for your records.")

    def parts(self) -> Sequence[Part]:
        total = sum((part.amount for part in self.planned), Decimal("0.00"))
        return [
            Text(_("Your payment plan has begun. Please keep this e-mail: it is your copy of what you agreed to.")),
            Facts(
                [
                    *(Fact(long_date(part.on), dollars(part.amount)) for part in self.planned),
                    Fact(_("In all"), dollars(total), strong=True),
                    Fact(_("Card"), self.card),
                ],
                long_labels=True,
            ),
            Quote(self.consent_text),
            Button(_("See or end your plan"), self.url),
            Text(_("Three days before each later part we write to you again.")),
            Support(_("Was this not you, or has something changed? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class InstalmentComing(ToClient):
    """A part of a payment plan is charged in a few days. ``amount`` in dollars."""

    kind: ClassVar[str] = "instalment_coming"
    amount: Decimal
    charge_on: date
    card: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", Decimal("23.33"), date(2026, 12, 23), CARD, f"{settings.PUBLIC_URL}/payments/plan/")

    def subject(self) -> str:
        return _("The next part of your payment plan")

    def preview(self) -> str:
        return _("When your card is charged, and how to change it.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("The next part of your payment plan is charged soon. There is nothing you need to do.")),
            Facts(
                [
                    Fact(_("On"), long_date(self.charge_on)),
                    Fact(_("Amount"), dollars(self.amount), strong=True),
                    Fact(_("Card"), self.card),
                ]
            ),
            Button(_("See or end your plan"), self.url),
            Text(_("If you pay some of it before, or if your session costs less in the end, we charge less.")),
            Support(_("Is it hard to pay right now? Talk to us:")),
        ]


@dataclass(frozen=True, slots=True)
class InstalmentNotPaid(ToClient):
    """A part of a payment plan could not be charged. ``url`` is where the client pays it."""

    kind: ClassVar[str] = "instalment_not_paid"
    amount: Decimal
    retry_on: date | None
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", Decimal("23.33"), None, f"{settings.PUBLIC_URL}/appointments/past/")

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        one = cls.sample()
        return {"": one, "retry": replace(one, retry_on=date(2026, 12, 28))}

    def subject(self) -> str:
        return _("Please finish your payment")

    def preview(self) -> str:
        return _("Your card was not charged. It takes a minute to finish.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(
                _(
                    "We could not charge a part of your payment plan to your card. This happens: a bank may want to "
                    "check that it is you, or a card may have changed. Your card has not been charged."
                )
            ),
            Facts([Fact(_("This part"), dollars(self.amount), strong=True)]),
            Button(_("Finish your payment"), self.url),
            Text(next_try(self.retry_on)),
            Text(_("The other parts of your plan stay as they are.")),
            Support(_("Is it hard to pay right now? Talk to us:")),
        ]


@dataclass(frozen=True, slots=True)
class AutopayOn(ToClient):
    """The client's copy of the consent to autopay. ``limit`` in dollars."""

    kind: ClassVar[str] = "autopay_on"
    limit: Decimal
    card: str
    consent_text: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        text = _("You may charge my card by yourselves for what is left to pay of a session, up to $50.00 at once.")
        return cls("Ana", Decimal("50.00"), CARD, text, f"{settings.PUBLIC_URL}/payments/autopay/")

    def subject(self) -> str:
        return _("Autopay is on")

    def preview(self) -> str:
        return _("Please keep this e-mail for your records.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("Autopay is on. Please keep this e-mail: it is your copy of what you agreed to.")),
            Facts([Fact(_("At most at once"), dollars(self.limit), strong=True), Fact(_("Card"), self.card)]),
            Quote(self.consent_text),
            Button(_("See autopay, or turn it off"), self.url),
            Support(_("Was this not you? Contact us right away:")),
        ]


@dataclass(frozen=True, slots=True)
class AutopayComing(ToClient):
    """A balance is charged by autopay in a few days. ``amount`` in dollars; ``url`` is where it can be stopped.

    ``reference`` names it to support: "session 31".
    """

    kind: ClassVar[str] = "autopay_coming"
    session_date: date
    amount: Decimal
    charge_on: date
    card: str
    reference: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        page = f"{settings.PUBLIC_URL}/payments/autopay/"
        return cls("Ana", date(2026, 11, 3), Decimal("22.50"), date(2026, 11, 27), CARD, "session 31", page)

    def subject(self) -> str:
        return _("A payment is coming")

    def preview(self) -> str:
        return _("When your card is charged, and how to stop it.")

    def parts(self) -> Sequence[Part]:
        asked = urlencode({"category": "balance", "reference": self.reference})
        return [
            Text(
                _(
                    "Every insurer we sent a claim to has answered, so your cost for this session is final. A part of "
                    "it is still open. You turned on autopay, so we will charge it to your card."
                )
            ),
            Facts(
                [
                    Fact(_("Session date"), long_date(self.session_date)),
                    Fact(_("We will charge"), dollars(self.amount), strong=True),
                    Fact(_("On"), long_date(self.charge_on)),
                    Fact(_("Card"), self.card),
                    Fact(_("Reference"), self.reference),
                ]
            ),
            Button(_("See or stop this payment"), self.url),
            Text(_("If you pay it before, or if less is left by then, we charge less or nothing.")),
            Link(_("I do not agree with this amount"), f"{settings.PUBLIC_URL}/messages/?{asked}#ask"),
            Support(_("You can also reach us here:")),
        ]


@dataclass(frozen=True, slots=True)
class CardExpiring(ToClient):
    """The card that is charged for sessions ends soon. ``last_day`` is the last one on which it works."""

    kind: ClassVar[str] = "card_expiring"
    card: str
    last_day: date
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", CARD, date(2026, 12, 31), f"{settings.PUBLIC_URL}/payments/cards/add/")

    def subject(self) -> str:
        return _("Your card ends soon")

    def preview(self) -> str:
        return _("Add your new card, so that nothing stops.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("The card that we charge for your sessions ends soon.")),
            Facts([Fact(_("Card"), self.card), Fact(_("Works until"), long_date(self.last_day))]),
            Button(_("Add your new card"), self.url),
            Text(_("When your new card has come, add it here. It takes the old one's place from then on.")),
            Support(_("Need help with it? Contact us:")),
        ]
