"""A cost that changed because benefit information was put right: told once per correction, not per session."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.money import ZERO, dollars
from notifications.messages.base import Message, ToClient
from notifications.messages.parts import Button, Fact, Facts, Heading, Link, Part, Support, Text, long_date

LISTED = 6
"""Sessions named one by one; of more there is only the number."""


@dataclass(frozen=True, slots=True)
class SessionChange:
    """One session that was charged already, and its cost in dollars."""

    date: date
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class CostCorrected(ToClient):
    """The client's cost was put right. ``before`` and ``after``: a session's cost in dollars; ``reason``: a sentence.

    ``sessions`` were charged already, the oldest first; ``refund`` is given back for them, ``due`` is to be paid for
    them, in dollars. Both zero: what they cost is settled when all plans have answered.
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
            _("Harbor Mutual now tells us that your copay is $25.00, not $40.00."),
            (
                SessionChange(date(2026, 11, 3), Decimal("40.00"), Decimal("25.00")),
                SessionChange(date(2026, 11, 10), Decimal("40.00"), Decimal("25.00")),
            ),
            Decimal("30.00"),
        )

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        charged = [SessionChange(date(2026, 9, 29), Decimal("25.00"), Decimal("40.00"))]
        charged += [replace(charged[0], date=charged[0].date + timedelta(weeks=week)) for week in range(1, 8)]
        rise = replace(
            cls.sample(),
            before=Decimal("25.00"),
            after=Decimal("40.00"),
            reason=_("Harbor Mutual processed a session with a copay of $40.00, not the $25.00 it had told us."),
            sessions=tuple(charged),
            refund=ZERO,
            due=Decimal("120.00"),
        )
        return {
            "": cls.sample(),
            "rise": rise,
            "rise-to-be-settled": replace(rise, sessions=tuple(charged[:2]), due=ZERO),
            "rise-nothing-charged": replace(rise, sessions=(), due=ZERO),
            "fall-nothing-charged": replace(cls.sample(), sessions=(), refund=ZERO),
        }

    def subject(self) -> str:
        return _("We corrected your cost")

    def preview(self) -> str:
        if self.due:
            return _("See what changed, why, and what is left to pay.")
        if self.refund:
            return _("See what changed and why. You are getting a refund.")
        return _("See what changed and why. There is nothing you need to do.")

    def parts(self) -> Sequence[Part]:
        figures = [
            Fact(_("Cost of a session before"), dollars(self.before)),
            Fact(_("Cost of a session now"), dollars(self.after), strong=True),
        ]
        if self.refund:
            figures.append(Fact(_("You get back"), dollars(self.refund), strong=True))
        if self.due:
            figures.append(Fact(_("Left to pay"), dollars(self.due), strong=True))
        return [
            Text(self._opening()),
            Facts(figures),
            Heading(_("Why it changed")),
            Text(self.reason),
            Text(
                _(
                    "What insurers tell us is not always right. We compare it with what they really pay, and correct "
                    "your cost as soon as we know better."
                )
            ),
            Heading(_("What happens to your money")),
            *(Text(sentence) for sentence in self._money()),
            *self._buttons(),
            *self._charged(),
            Support(
                _("Does this look wrong, or is it hard to pay right now? Talk to us before you pay:")
                if self.due
                else _("Does this look wrong to you? Contact us:")
            ),
        ]

    def _opening(self) -> str:
        if self.after < self.before:
            return _("We corrected what a session costs you. It is less than we had told you.")
        return _(
            "We corrected what a session costs you. It is more than we had told you, and we know that is not good "
            "news. Here is why, and what it means for your money."
        )

    def _money(self) -> Sequence[str]:
        if not self.sessions:
            return [_("No session was charged at the old cost. You pay the right one from your next session on.")]
        said = []
        if self.refund:
            said.append(
                _(
                    "We are giving you back %(amount)s for sessions you already paid, to the card you paid with. We "
                    "write to you as soon as it is processed, and 3–5 business days later it is on your statement. "
                    "There is nothing you need to do for it."
                )
                % {"amount": dollars(self.refund)}
            )
        if self.due:
            said.append(
                _(
                    "For sessions you already had, %(amount)s is left to pay. We do not charge your card for it: you "
                    "pay when you are ready."
                )
                % {"amount": dollars(self.due)}
            )
        open_still = sum((each.after - each.before for each in self.sessions), ZERO) - (self.due - self.refund)
        if not said:
            said.append(
                _(
                    "There is nothing to pay now. Once all your plans have answered, we work out the final cost of the "
                    "sessions below and write to you."
                )
            )
        elif open_still > ZERO:
            said.append(
                _(
                    "For the rest we wait until all your plans have answered. Then we work out the final cost and "
                    "write to you."
                )
            )
        return said

    def _buttons(self) -> Sequence[Part]:
        label, url = _("See your benefits"), f"{settings.PUBLIC_URL}/benefits/"
        if not self.due:
            return [Button(label, url)]
        return [
            Button(_("Pay now"), f"{settings.PUBLIC_URL}/appointments/past/"),
            Text(_("The button opens your past appointments. Choose “Pay now” next to each session.")),
            Link(label, url),
        ]

    def _charged(self) -> Sequence[Part]:
        """The sessions charged at the old cost."""
        if not self.sessions:
            return []
        listed = [
            Fact(
                long_date(each.date),
                _("%(now)s instead of %(before)s") % {"now": dollars(each.after), "before": dollars(each.before)},
            )
            for each in self.sessions[:LISTED]
        ]
        found: list[Part] = [Heading(_("Sessions this is about")), Facts(listed, long_labels=True)]
        more = len(self.sessions) - LISTED
        if more > 0:
            words = ngettext("… and %(count)s more session.", "… and %(count)s more sessions.", more)
            found.append(Text(words % {"count": more}))
        return found


@dataclass(frozen=True, slots=True)
class CostCorrectedProvider(Message):
    """The same news for the provider, who knows the client by initials. Amounts in dollars.

    ``sessions``: how many that took place change with it.
    """

    kind: ClassVar[str] = "cost_corrected_provider"
    provider_name: str
    client_initials: str
    before: Decimal
    after: Decimal
    reason: str
    url: str
    sessions: int = 0

    @classmethod
    def sample(cls) -> Self:
        return cls(
            "Dr. Cole",
            "A. R.",
            Decimal("40.00"),
            Decimal("25.00"),
            _("Harbor Mutual now tells us that your client's copay is $25.00, not $40.00."),
            f"{settings.PUBLIC_URL}/provider/",
            2,
        )

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        rise = replace(
            cls.sample(),
            before=Decimal("25.00"),
            after=Decimal("40.00"),
            reason=_("Harbor Mutual processed a session with a copay of $40.00, not the $25.00 it had told us."),
            sessions=0,
        )
        return {"": cls.sample(), "rise": rise}

    def greeted(self) -> str:
        return self.provider_name

    def subject(self) -> str:
        return _("We corrected a client's cost")

    def preview(self) -> str:
        return _("Your pay stays the same. There is nothing you need to do.")

    def parts(self) -> Sequence[Part]:
        settled = [_("We write to your client too, and settle any refund or balance with them directly.")]
        if self.sessions:
            held = ngettext(
                "The cost of %(count)s past session changes too.",
                "The cost of %(count)s past sessions changes too.",
                self.sessions,
            )
            settled.insert(0, held % {"count": self.sessions})
        settled.append(_("If they ask you about it, their page shows the same figures and the reason."))
        return [
            Text(_("We corrected what one of your clients pays for a session.")),
            Facts(
                [
                    Fact(_("Client"), self.client_initials),
                    Fact(_("Their cost before"), dollars(self.before)),
                    Fact(_("Their cost now"), dollars(self.after), strong=True),
                ]
            ),
            Heading(_("Why it changed")),
            Text(self.reason),
            Heading(_("What it means for you")),
            Text(_("What you earn for a session stays the same, and there is nothing you need to do.")),
            Text(" ".join(settled)),
            Button(_("Open the client's page"), self.url),
            Support(_("Do you have a question? Contact us:")),
        ]
