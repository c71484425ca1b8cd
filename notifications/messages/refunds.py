"""Giving money back: the promise, the confirmation that it was done, and what happens when a card does not take it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.utils.translation import gettext as _

from common.money import dollars
from notifications.messages.base import ToClient
from notifications.messages.parts import Button, Fact, Facts, Part, Support, Text, long_date


@dataclass(frozen=True, slots=True)
class RefundPromised(ToClient):
    """The final cost is lower than what was paid; a refund is on its way. ``amount`` in dollars."""

    kind: ClassVar[str] = "refund_promised"
    session_date: date
    amount: Decimal
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", date(2026, 11, 3), Decimal("18.00"), f"{settings.PUBLIC_URL}/payments/")

    def subject(self) -> str:
        return _("Good news: you are getting a refund")

    def preview(self) -> str:
        return _("Your final cost is lower than what you paid.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(
                _(
                    "Your cost for a past session is now final, and it is lower than what you paid. "
                    "We are giving you back the difference."
                )
            ),
            Facts(
                [
                    Fact(_("Session date"), long_date(self.session_date)),
                    Fact(_("Your refund"), dollars(self.amount), strong=True),
                ]
            ),
            Text(
                _(
                    "There is nothing you need to do. The money goes back to the card you paid with. "
                    "We will send you another e-mail as soon as the refund is processed."
                )
            ),
            Button(_("Follow your refund"), self.url),
            Support(_("Do you have a question about it? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class RefundProcessed(ToClient):
    """The refund was processed. ``statement_by`` is the fifth business day after: the last day it should show."""

    kind: ClassVar[str] = "refund_processed"
    session_date: date
    amount: Decimal
    card: str
    statement_by: date
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls(
            "Ana",
            date(2026, 11, 3),
            Decimal("18.00"),
            "Visa ending in 4242",
            date(2026, 11, 24),
            f"{settings.PUBLIC_URL}/payments/",
        )

    def subject(self) -> str:
        return _("Your refund is processed")

    def preview(self) -> str:
        return _("See when it will be on your card statement.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("We have sent your refund to your card.")),
            Facts(
                [
                    Fact(_("Session date"), long_date(self.session_date)),
                    Fact(_("Refund"), dollars(self.amount), strong=True),
                    Fact(_("Refunded to"), self.card),
                    Fact(_("On your statement by"), long_date(self.statement_by)),
                ]
            ),
            Text(
                _("It will be on your card statement within 3–5 business days, by %(day)s.")
                % {"day": long_date(self.statement_by)}
            ),
            Button(_("See your refund"), self.url),
            Support(_("Is it not there after that day? Contact us and we will find out where it is:")),
        ]


@dataclass(frozen=True, slots=True)
class RefundReturned(ToClient):
    """The card did not take a refund; we send the money another way. ``amount`` in dollars."""

    kind: ClassVar[str] = "refund_returned"
    session_date: date
    amount: Decimal
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", date(2026, 11, 3), Decimal("18.00"), f"{settings.PUBLIC_URL}/payments/")

    def subject(self) -> str:
        return _("Your refund comes another way")

    def preview(self) -> str:
        return _("Your card did not take it. The money is still yours.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(
                _(
                    "Your card did not take your refund. This happens when a card was closed or replaced. "
                    "The money is still yours: we will send it another way."
                )
            ),
            Facts(
                [
                    Fact(_("Session date"), long_date(self.session_date)),
                    Fact(_("Your refund"), dollars(self.amount), strong=True),
                ]
            ),
            Text(
                _(
                    "There is nothing you need to do. We send it to another card you paid with, or by check to the "
                    "address we have for you, and write to you when it is on its way."
                )
            ),
            Button(_("Follow your refund"), self.url),
            Support(_("Have you moved, or would a bank transfer be easier for you? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class RefundSentAnotherWay(ToClient):
    """A refund that a card did not take went out as a check or transfer. ``reference`` is its number."""

    kind: ClassVar[str] = "refund_external"
    session_date: date
    amount: Decimal
    reference: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", date(2026, 11, 3), Decimal("18.00"), "Check 10482", f"{settings.PUBLIC_URL}/payments/")

    def subject(self) -> str:
        return _("Your refund is on its way")

    def preview(self) -> str:
        return _("We sent it another way, because your card did not take it.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("Your card did not take your refund, so we have sent it to you another way.")),
            Facts(
                [
                    Fact(_("Session date"), long_date(self.session_date)),
                    Fact(_("Refund"), dollars(self.amount), strong=True),
                    Fact(_("Sent as"), self.reference),
                ]
            ),
            Text(_("A check can take up to ten days in the mail. A transfer takes one to three business days.")),
            Button(_("See your refund"), self.url),
            Support(_("Did it not arrive? Tell us, with the number above:")),
        ]
