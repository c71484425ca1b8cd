"""Paying: a balance to pay, a payment made, a payment that needs the client, a card kept for later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
    """A balance is due. ``amount`` in dollars; ``url`` is the past appointments page.

    ``above_limit``: the most that the client lets us charge without asking, when this is more.
    """

    kind: ClassVar[str] = "pay_now"
    session_date: date
    amount: Decimal
    url: str
    above_limit: Decimal | None = None

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", date(2026, 11, 3), Decimal("22.50"), f"{settings.PUBLIC_URL}/appointments/past/")

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        one = cls.sample()
        return {"": one, "above_limit": replace(one, amount=Decimal("72.50"), above_limit=Decimal("50.00"))}

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
            *self._not_by_itself(),
            Text(_("The button opens your past appointments. Choose “Pay now” next to the session.")),
            Support(_("Does this look wrong, or is it hard to pay right now? Talk to us before you pay:")),
        ]

    def _not_by_itself(self) -> Sequence[Part]:
        if self.above_limit is None:
            return []
        words = _("We did not charge your card: this is more than the %(limit)s that autopay may take at once.")
        return [Text(words % {"limit": dollars(self.above_limit)})]


@dataclass(frozen=True, slots=True)
class PaidSession:
    """One session that a payment was for, and how much of it, in dollars."""

    date: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PaymentReceipt(ToClient):
    """A payment went through: one e-mail however many sessions it pays. ``card`` as in "Visa ending in 4242"."""

    kind: ClassVar[str] = "payment_receipt"
    sessions: tuple[PaidSession, ...]
    amount: Decimal
    card: str
    number: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        paid = (PaidSession(date(2026, 11, 3), Decimal("30.00")),)
        url = f"{settings.PUBLIC_URL}/payments/41/"
        return cls("Ana", paid, Decimal("30.00"), "Visa ending in 4242", "R-000041", url)

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        one = cls.sample()
        paid = (*one.sessions, PaidSession(date(2026, 11, 10), Decimal("22.50")))
        return {"": one, "several": replace(one, sessions=paid, amount=Decimal("52.50"))}

    def subject(self) -> str:
        return _("Your payment receipt")

    def preview(self) -> str:
        return _("Your payment went through. There is nothing you need to do.")

    def parts(self) -> Sequence[Part]:
        how = [Fact(_("Card"), self.card), Fact(_("Receipt number"), self.number)]
        paid = Fact(_("You paid"), dollars(self.amount), strong=True)
        shown: list[Part] = [Facts([Fact(_("Session date"), long_date(self.sessions[0].date)), paid, *how])]
        if len(self.sessions) > 1:
            each = [Fact(long_date(part.date), dollars(part.amount)) for part in self.sessions]
            shown = [
                Text(_("It is for these sessions:")),
                Facts([*each, paid], long_labels=True),
                Facts(how),
            ]
        return [
            Text(_("Thank you. Your payment went through.")),
            *shown,
            Button(_("See your receipt"), self.url),
            Text(_("The itemized receipt, as a file to keep or hand in, is there too.")),
            Support(_("Is something not right? Contact us:")),
        ]


def next_try(retry_on: date | None) -> str:
    """What happens with a charge that did not go through when the client does nothing, and what they can do."""
    if retry_on is None:
        return _("You can use the same card, or choose another one.")
    return _("You can pay now, also with another card. If you do not, we try your card once more on %(day)s.") % {
        "day": long_date(retry_on)
    }


@dataclass(frozen=True, slots=True)
class PaymentNeedsYou(ToClient):
    """A charge was declined or the bank wants to check who is paying. ``url`` is where the client finishes it.

    ``retry_on``: the day on which we try the card once more by ourselves.
    """

    kind: ClassVar[str] = "payment_needs_you"
    session_date: date
    amount: Decimal
    url: str
    retry_on: date | None = None

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", date(2026, 11, 3), Decimal("30.00"), f"{settings.PUBLIC_URL}/appointments/past/")

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        one = cls.sample()
        return {"": one, "retry": replace(one, retry_on=date(2026, 11, 6))}

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
            Text(next_try(self.retry_on)),
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
