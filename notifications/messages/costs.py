"""A cost that changed because we put benefit information right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.utils.translation import gettext as _

from common.money import dollars
from notifications.messages.base import Message, ToClient
from notifications.messages.parts import Button, Fact, Facts, Part, Support, Text, long_date


@dataclass(frozen=True, slots=True)
class CostCorrected(ToClient):
    """The client's cost was put right. Amounts in dollars; ``session_date`` is None when it is about every session.

    ``reason`` and ``money_note`` are sentences: why it changed, and what happens to the difference ("" for nothing).
    """

    kind: ClassVar[str] = "cost_corrected"
    session_date: date | None
    before: Decimal
    after: Decimal
    reason: str
    money_note: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls(
            "Ana",
            date(2026, 11, 3),
            Decimal("40.00"),
            Decimal("25.00"),
            _("Your insurer gave us new details about your plan, and we corrected ours."),
            _("We are refunding the difference of %(amount)s.") % {"amount": dollars(Decimal("15.00"))},
            f"{settings.PUBLIC_URL}/benefits/",
        )

    def subject(self) -> str:
        return _("We corrected your cost")

    def preview(self) -> str:
        return _("See what changed and why.")

    def parts(self) -> Sequence[Part]:
        if self.session_date is None:
            opening = _("We corrected what a session costs you.")
            facts = [Fact(_("Cost of a session before"), dollars(self.before))]
            facts.append(Fact(_("Cost of a session now"), dollars(self.after), strong=True))
        else:
            opening = _("We corrected what a session costs you. This is about one session:")
            facts = [
                Fact(_("Session date"), long_date(self.session_date)),
                Fact(_("Your cost before"), dollars(self.before)),
                Fact(_("Your cost now"), dollars(self.after), strong=True),
            ]
        return [
            Text(opening),
            Facts(facts),
            Text(_("Why? %(reason)s") % {"reason": self.reason}),
            *([Text(self.money_note)] if self.money_note else []),
            Button(_("See your cost"), self.url),
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
