"""A cost that changed because we put benefit information right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.utils.translation import gettext as _

from common.money import ZERO, dollars
from notifications.messages.base import Message, ToClient
from notifications.messages.parts import Button, Fact, Facts, Part, Support, Text, long_date


@dataclass(frozen=True, slots=True)
class SessionChange:
    """One session that was charged already, in dollars."""

    date: date
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class CostCorrected(ToClient):
    """The client's cost was put right. ``before`` and ``after``: a session's cost in dollars; ``reason``: a sentence.

    ``sessions`` were charged already; ``refund`` is given back for them, ``due`` is to be paid for them, in dollars.
    """

    kind: ClassVar[str] = "cost_corrected"
    before: Decimal
    after: Decimal
    reason: str
    sessions: tuple[SessionChange, ...] = ()
    refund: Decimal = ZERO
    due: Decimal = ZERO

    @classmethod
    def sample(cls) -> Self:
        return cls(
            "Ana",
            Decimal("40.00"),
            Decimal("25.00"),
            _("Your insurer gave us new details about your plan, and we corrected ours."),
            (SessionChange(date(2026, 11, 3), Decimal("40.00"), Decimal("25.00")),),
            Decimal("15.00"),
        )

    def subject(self) -> str:
        return _("We corrected your cost")

    def preview(self) -> str:
        return _("See what changed and why.")

    def parts(self) -> Sequence[Part]:
        facts = [
            Fact(_("Cost of a session before"), dollars(self.before)),
            Fact(_("Cost of a session now"), dollars(self.after), strong=True),
        ]
        charged = [
            Fact(
                long_date(each.date),
                _("%(now)s instead of %(before)s") % {"now": dollars(each.after), "before": dollars(each.before)},
            )
            for each in self.sessions
        ]
        url = f"{settings.PUBLIC_URL}/benefits/"
        button = Button(_("See your cost"), url)
        money = []
        if self.refund:
            money.append(Text(_("We are refunding %(amount)s.") % {"amount": dollars(self.refund)}))
        if self.due:
            money.append(Text(_("There is %(amount)s to pay.") % {"amount": dollars(self.due)}))
            button = Button(_("Pay now"), f"{settings.PUBLIC_URL}/appointments/past/")
        return [
            Text(_("We corrected what a session costs you.")),
            Facts(facts),
            Text(_("Why? %(reason)s") % {"reason": self.reason}),
            *([Text(_("Sessions that were charged already:")), Facts(charged)] if charged else []),
            *money,
            button,
            Support(_("Does this look wrong to you? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class CostCorrectedProvider(Message):
    """The same news for the provider, who knows the client by initials. Amounts in dollars."""

    kind: ClassVar[str] = "cost_corrected_provider"
    provider_name: str
    client_initials: str
    before: Decimal
    after: Decimal
    reason: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls(
            "Dr. Cole",
            "A. R.",
            Decimal("40.00"),
            Decimal("25.00"),
            _("The insurer gave us new details about the plan, and we corrected ours."),
            f"{settings.PUBLIC_URL}/provider/",
        )

    def greeted(self) -> str:
        return self.provider_name

    def subject(self) -> str:
        return _("We corrected a client's cost")

    def preview(self) -> str:
        return _("There is nothing you need to do.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("We corrected what one of your clients pays for a session.")),
            Facts(
                [
                    Fact(_("Client"), self.client_initials),
                    Fact(_("Their cost before"), dollars(self.before)),
                    Fact(_("Their cost now"), dollars(self.after), strong=True),
                ]
            ),
            Text(_("Why? %(reason)s") % {"reason": self.reason}),
            Text(
                _(
                    "There is nothing you need to do. We write to your client too, and settle any refund or balance "
                    "with them directly."
                )
            ),
            Button(_("Open the client's page"), self.url),
            Support(_("Do you have a question? Contact us:")),
        ]
