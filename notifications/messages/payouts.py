"""What providers are told about their pay: sent, sent back, no account to pay to, another account on file.

Amounts in dollars. Bank accounts go by their last four digits; clients are not named, or by initials only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.utils.translation import gettext as _

from common.money import ZERO, dollars
from notifications.messages.base import Message, ToClient
from notifications.messages.parts import Button, Fact, Facts, Heading, Part, Support, Text, long_date


@dataclass(frozen=True, slots=True)
class ToProvider(Message):
    """A message that greets a provider."""

    provider_name: str

    def greeted(self) -> str:
        return self.provider_name


@dataclass(frozen=True, slots=True)
class PayoutSent(ToProvider):
    """The bank has the order to pay. ``pay_on``: the banking day on which the money arrives."""

    kind: ClassVar[str] = "payout_sent"
    amount: Decimal
    pay_on: date
    last4: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls(
            "Dr. Cole",
            Decimal("1120.00"),
            date(2026, 11, 20),
            "6789",
            f"{settings.PUBLIC_URL}/provider/earnings/payouts/7/",
        )

    def subject(self) -> str:
        return _("Your payout is on its way")

    def preview(self) -> str:
        return _("See when it arrives and what it is made of.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("We have sent your pay to your bank.")),
            Facts(
                [
                    Fact(_("Amount"), dollars(self.amount), strong=True),
                    Fact(_("In your account by"), long_date(self.pay_on)),
                    Fact(_("Account ending in"), self.last4),
                ]
            ),
            Text(_("Your statement lists every session it pays for. You can read it, or keep it as a file.")),
            Button(_("See your statement"), self.url),
            Support(_("Is something missing? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class PayoutReturned(ToProvider):
    """The bank sent a payout back."""

    kind: ClassVar[str] = "payout_returned"
    amount: Decimal
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Dr. Cole", Decimal("1120.00"), f"{settings.PUBLIC_URL}/provider/earnings/bank-account/")

    def subject(self) -> str:
        return _("Your payout came back to us")

    def preview(self) -> str:
        return _("Please check your bank account with us.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(
                _(
                    "Your bank sent a payout back to us. This mostly means that a digit of the account is wrong, or "
                    "that the account is closed. Your money is safe: we still owe it to you."
                )
            ),
            Facts([Fact(_("Amount"), dollars(self.amount), strong=True)]),
            Heading(_("What to do now")),
            Text(
                _(
                    "Please enter your bank account again, even if it has not changed. The amount is then paid with "
                    "your next payout."
                )
            ),
            Button(_("Check your bank account"), self.url),
            Support(_("Do you need it sooner? Talk to us:")),
        ]


@dataclass(frozen=True, slots=True)
class PayoutNeedsAccount(ToProvider):
    """There is pay, and no bank account that it can go to."""

    kind: ClassVar[str] = "payout_needs_account"
    amount: Decimal
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Dr. Cole", Decimal("1120.00"), f"{settings.PUBLIC_URL}/provider/earnings/bank-account/")

    def subject(self) -> str:
        return _("We need your bank account to pay you")

    def preview(self) -> str:
        return _("It takes about two minutes.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(
                _(
                    "We wanted to pay you what you earned, and there is no bank account we can use. Either there is "
                    "none on file, or it was entered less than two days ago, or the bank sent the last payout back."
                )
            ),
            Facts([Fact(_("Waiting for you"), dollars(self.amount), strong=True)]),
            Text(_("Nothing is lost. It is paid with the first payout after your account is two days on file.")),
            Button(_("Check your bank account"), self.url),
            Support(_("Do you need help with it? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class BankAccountChanged(ToProvider):
    """Another account is on file. ``used_from``: the day from which payouts go there; ``first``: there was none."""

    kind: ClassVar[str] = "bank_account_changed"
    last4: str
    first: bool
    used_from: date
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls(
            "Dr. Cole", "6789", False, date(2026, 11, 19), f"{settings.PUBLIC_URL}/provider/earnings/bank-account/"
        )

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        return {"": cls.sample(), "first": replace(cls.sample(), first=True)}

    def subject(self) -> str:
        return _("Your bank account with us was changed")

    def preview(self) -> str:
        return _("If this was not you, tell us right away.")

    def parts(self) -> Sequence[Part]:
        opening = (
            _("A bank account for your payouts was added.")
            if self.first
            else _("The bank account for your payouts was replaced by another one.")
        )
        return [
            Text(opening),
            Facts(
                [
                    Fact(_("Account ending in"), self.last4, strong=True),
                    Fact(_("Used from"), long_date(self.used_from)),
                ]
            ),
            Text(
                _("Was this you? Then there is nothing to do.")
                if self.first
                else _(
                    "Was this you? Then there is nothing to do. Until that day, payouts go to the account before it."
                )
            ),
            Heading(_("If this was not you")),
            Text(_("Contact us today and change your password. We stop payouts to this account at once.")),
            Button(_("See your bank account"), self.url),
            Support(_("Here is how to reach us:")),
        ]


@dataclass(frozen=True, slots=True)
class SessionVoided(ToClient):
    """A session that was confirmed by mistake is taken back. ``refund`` is given back now; ``moving``: a payment for it
    is on its way, and comes back after it has arrived."""

    kind: ClassVar[str] = "session_voided"
    session_date: date
    refund: Decimal
    moving: bool
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", date(2026, 11, 3), Decimal("32.00"), False, f"{settings.PUBLIC_URL}/payments/")

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        nothing = replace(cls.sample(), refund=ZERO)
        return {"": cls.sample(), "nothing-paid": nothing, "on-its-way": replace(nothing, moving=True)}

    def subject(self) -> str:
        return _("We took back a charge that was a mistake")

    def preview(self) -> str:
        return _("There is nothing you need to do.")

    def parts(self) -> Sequence[Part]:
        facts = [Fact(_("Session date"), long_date(self.session_date)), Fact(_("Your cost now"), dollars(ZERO))]
        if self.refund:
            facts.append(Fact(_("Your refund"), dollars(self.refund), strong=True))
            money = _(
                "The money goes back to the card you paid with. We will send you another e-mail as soon as the refund "
                "is processed."
            )
        elif self.moving:
            money = _(
                "A payment for it is on its way. As soon as it has arrived, we give it back to your card and write to "
                "you."
            )
        else:
            money = _("You were not charged for it, and will not be.")
        return [
            Text(
                _(
                    "A past session on your account was recorded by mistake. We have taken it back, and it costs you "
                    "nothing. We are sorry for the trouble."
                )
            ),
            Facts(facts),
            Text(money),
            Text(_("Your insurance plans are told as well. You may get a letter from them about it.")),
            Button(_("See your payments"), self.url),
            Support(_("Does this look wrong to you? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class SessionVoidedProvider(ToProvider):
    """A session that the provider confirmed is taken back, and with it the ``earning``."""

    kind: ClassVar[str] = "session_voided_provider"
    client_initials: str
    session_date: date
    earning: Decimal
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls(
            "Dr. Cole", "A. R.", date(2026, 11, 3), Decimal("160.00"), f"{settings.PUBLIC_URL}/provider/earnings/"
        )

    def subject(self) -> str:
        return _("Something on your earnings page has changed")

    def preview(self) -> str:
        return _("See what it means for your next payout.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("Support has taken back a session that you had confirmed. The reason is on your earnings page.")),
            Facts(
                [
                    Fact(_("Client"), self.client_initials),
                    Fact(_("Session date"), long_date(self.session_date)),
                    Fact(_("Taken off your earnings"), dollars(self.earning), strong=True),
                ]
            ),
            Text(
                _(
                    "It is a line of its own on your next statement. If the session took place after all, or on "
                    "another day, please book it again and confirm it: then it is paid as usual."
                )
            ),
            Button(_("See your earnings"), self.url),
            Support(_("Does this look wrong to you? Contact us:")),
        ]
