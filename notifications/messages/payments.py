"""Paying: a balance to pay, a payment made, a payment that needs the client, a card kept for later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.utils.translation import gettext as _

from common.money import dollars
from notifications.messages.base import ToClient
from notifications.messages.parts import Button, Fact, Facts, Part, Quote, Support, Text, long_date


@dataclass(frozen=True, slots=True)
class PayNow(ToClient):
    """A balance is due. ``amount`` in dollars; ``url`` is the past appointments page."""

    kind: ClassVar[str] = "pay_now"
    session_date: date
    amount: Decimal
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", date(2026, 11, 3), Decimal("22.50"), f"{settings.PUBLIC_URL}/appointments/past/")

    def subject(self) -> str:
        return _("You have a balance to pay")

    def preview(self) -> str:
        return _("See what it is for, and pay it online.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("You have a balance with us from a past session.")),
            Facts(
                [
                    Fact(_("Session date"), long_date(self.session_date)),
                    Fact(_("Left to pay"), dollars(self.amount), strong=True),
                ]
            ),
            Button(_("Pay now"), self.url),
            Text(
                _(
                    "Why? What you paid before was an estimate. Every insurer we sent a claim to has now answered, "
                    "so your cost for this session is final. This is the part of it that is still open."
                )
            ),
            Text(_("The button opens your past appointments. Choose “Pay now” next to the session.")),
            Support(_("Does this look wrong, or is it hard to pay right now? Talk to us before you pay:")),
        ]


@dataclass(frozen=True, slots=True)
class PaymentReceipt(ToClient):
    """A payment went through. ``amount`` in dollars; ``card`` as in "Visa ending in 4242"."""

    kind: ClassVar[str] = "payment_receipt"
    session_date: date
    amount: Decimal
    card: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls(
            "Ana", date(2026, 11, 3), Decimal("30.00"), "Visa ending in 4242", f"{settings.PUBLIC_URL}/payments/"
        )

    def subject(self) -> str:
        return _("Your payment receipt")

    def preview(self) -> str:
        return _("Your payment went through. There is nothing you need to do.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("Thank you. Your payment went through.")),
            Facts(
                [
                    Fact(_("Session date"), long_date(self.session_date)),
                    Fact(_("You paid"), dollars(self.amount), strong=True),
                    Fact(_("Card"), self.card),
                ]
            ),
            Button(_("See your payments"), self.url),
            Support(_("Is something not right? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class PaymentNeedsYou(ToClient):
    """A charge was declined or the bank wants to check who is paying. ``url`` is where the client finishes it."""

    kind: ClassVar[str] = "payment_needs_you"
    session_date: date
    amount: Decimal
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", date(2026, 11, 3), Decimal("30.00"), f"{settings.PUBLIC_URL}/appointments/past/")

    def subject(self) -> str:
        return _("Please finish your payment")

    def preview(self) -> str:
        return _("Your card was not charged. It takes a minute to finish.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(
                _(
                    "We could not finish a payment with your card. This happens: a bank may want to check that it is "
                    "you, or a card may have changed. Your card has not been charged."
                )
            ),
            Facts(
                [
                    Fact(_("Session date"), long_date(self.session_date)),
                    Fact(_("To pay"), dollars(self.amount), strong=True),
                ]
            ),
            Button(_("Finish your payment"), self.url),
            Text(_("You can use the same card, or choose another one.")),
            Support(_("Stuck, or not sure about this amount? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class CardSaved(ToClient):
    """The client's copy of the consent to keep a card on file (12 CFR 1005.10). ``consent_text`` word for word."""

    kind: ClassVar[str] = "card_saved"
    card: str
    consent_text: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls(
            "Ana",
            "Visa ending in 4242",
            _(
                "I allow %(product)s to keep this card and to charge it for my share of each session after the "
                "session is confirmed. I can take this back at any time for sessions to come."
            )
            % {"product": settings.PRODUCT_NAME},
            f"{settings.PUBLIC_URL}/payments/card/",
        )

    def subject(self) -> str:
        return _("Your card is saved")

    def preview(self) -> str:
        return _("Please keep this e-mail for your records.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("Your card is saved. Please keep this e-mail: it is your copy of what you agreed to.")),
            Facts([Fact(_("Card"), self.card)]),
            Quote(self.consent_text),
            Button(_("See or change your card"), self.url),
            Support(_("Was this not you? Contact us right away:")),
        ]
