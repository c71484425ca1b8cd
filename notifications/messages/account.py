"""An account paused because an insurer needs to hear from the client, and active again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Self

from django.conf import settings
from django.utils.translation import gettext as _

from notifications.messages.base import ToClient
from notifications.messages.parts import (
    Button,
    Fact,
    Facts,
    Heading,
    Part,
    Step,
    Steps,
    Support,
    Text,
    long_date,
    phone_link,
)


def words_of_a_pause() -> str:
    """What to say to an insurer that holds an account up."""
    return _(
        "“My provider let me know there is an issue with my coordination of benefits. "
        "Could you tell me which of my plans is primary?”"
    )


def words_of_a_year() -> str:
    """What to say to an insurer that wants its yearly confirmation."""
    return _(
        "“I am calling to confirm my coordination of benefits for this year. "
        "I would like to tell you about every plan that I have.”"
    )


def _call(insurer: str, phone: str, contact: str) -> tuple[Facts, str]:
    """Whom to call, in a box, and the first step in words."""
    if phone:
        whom = Fact(_("Call"), phone, phone_link(phone), strong=True)
        call = _("Call %(insurer)s at the number above. It is also on the back of your insurance card.")
    else:
        whom = Fact(_("Call"), _("The number on the back of your insurance card"), strong=True)
        call = _("Call %(insurer)s. The number is on the back of your insurance card.")
    facts = [Fact(_("Insurer"), insurer), whom, *([Fact(_("Ask for"), contact)] if contact else [])]
    return Facts(facts), call % {"insurer": insurer}


def _hand() -> Step:
    return Step(_("Have the cards of all your plans at hand, your own and those in someone else's name."))


def _say(words: str) -> Step:
    return Step(_("Say these words:"), say=words)


@dataclass(frozen=True, slots=True)
class AccountPaused(ToClient):
    """The insurer does not know which plan pays first. ``url`` is where the reference number is entered.

    ``insurer_phone`` may be "" when not known: the card has it. ``contact`` is whom to ask for there, if known.
    """

    kind: ClassVar[str] = "account_paused"
    insurer: str
    insurer_phone: str
    url: str
    contact: str = ""

    @classmethod
    def sample(cls) -> Self:
        return cls(
            "Ana", "Harbor Mutual", "1-800-555-0142", f"{settings.PUBLIC_URL}/plans/", "Coordination of benefits desk"
        )

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        return {"": cls.sample(), "no-number": cls("Ana", "Harbor Mutual", "", f"{settings.PUBLIC_URL}/plans/")}

    def subject(self) -> str:
        return _("Your account is paused: one phone call is needed")

    def preview(self) -> str:
        return _("Whom to call, and what to say.")

    def parts(self) -> Sequence[Part]:
        whom, call = _call(self.insurer, self.insurer_phone, self.contact)
        return [
            Text(
                _(
                    "%(insurer)s told us that its records about your insurance plans need an update. It has to know "
                    "which of your plans pays first. Until that is done, your account is paused."
                )
                % {"insurer": self.insurer}
            ),
            whom,
            Heading(_("What to do")),
            Steps(
                [
                    _hand(),
                    Step(call),
                    _say(words_of_a_pause()),
                    Step(_("Tell them about every plan you have, and ask them to update their records.")),
                    Step(_("Ask for a reference number for the call, and write it down.")),
                    Step(_("Enter the reference number here:")),
                ]
            ),
            Button(_("Enter reference number"), self.url),
            Heading(_("Good to know")),
            Text(
                _(
                    "Insurers take this update only from you. We cannot call for you, and your provider cannot either. "
                    "“Coordination of benefits” is their name for which plan pays first."
                )
            ),
            Text(
                _(
                    "Your upcoming sessions are kept for you, but they are on hold too. "
                    "We check with the insurer again after you enter the number, and write to you when all is well."
                )
            ),
            Support(_("Did the call not go as planned? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class AccountStillPaused(ToClient):
    """A reminder of the call. ``called``: there was one, and the insurer's records are still not right."""

    kind: ClassVar[str] = "account_still_paused"
    insurer: str
    insurer_phone: str
    url: str
    contact: str = ""
    called: bool = False

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", "Harbor Mutual", "1-800-555-0142", f"{settings.PUBLIC_URL}/plans/")

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        url = f"{settings.PUBLIC_URL}/plans/"
        return {"": cls.sample(), "called": cls("Ana", "Harbor Mutual", "", url, "Member services", called=True)}

    def subject(self) -> str:
        return _("Reminder: your account waits for a phone call")

    def preview(self) -> str:
        return _("Whom to call, and what to say.")

    def parts(self) -> Sequence[Part]:
        whom, call = _call(self.insurer, self.insurer_phone, self.contact)
        if self.called:
            how = _(
                "Thank you for your call. We have asked %(insurer)s again, and its records about your plans are still "
                "not right, so your account is still paused. Please call once more, and give them the reference "
                "number of your first call."
            )
        else:
            how = _(
                "Your account is still paused, because %(insurer)s has not heard from you which of your plans pays "
                "first. It takes one phone call, and only you can make it."
            )
        return [
            Text(how % {"insurer": self.insurer}),
            whom,
            Steps(
                [
                    _hand(),
                    Step(call),
                    _say(words_of_a_pause()),
                    Step(_("Ask for a reference number, and enter it here:")),
                ]
            ),
            Button(_("Enter reference number"), self.url),
            Text(_("Your upcoming sessions are kept for you. They can take place as soon as this is settled.")),
            Support(_("Is something in the way of this call? We are glad to help you prepare it:")),
        ]


@dataclass(frozen=True, slots=True)
class AccountResumed(ToClient):
    """The insurer's records are right again."""

    kind: ClassVar[str] = "account_resumed"
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", f"{settings.PUBLIC_URL}/")

    def subject(self) -> str:
        return _("Your account is active again")

    def preview(self) -> str:
        return _("Thank you for making the call. There is nothing more to do.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(
                _(
                    "Your insurer's records are up to date, so your account is active again. "
                    "Thank you for taking care of it."
                )
            ),
            Text(_("Your upcoming sessions are no longer on hold. There is nothing more you need to do.")),
            Button(_("Open your account"), self.url),
            Support(_("Do you have a question? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class ConfirmPlans(ToClient):
    """Once a year an insurer wants to hear from its member which plans there are. ``url`` is the page for it.

    ``again``: the client has called, but the insurer's records do not show it.
    """

    kind: ClassVar[str] = "confirm_plans"
    insurer: str
    insurer_phone: str
    due_on: date
    url: str
    contact: str = ""
    again: bool = False

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", "Harbor Mutual", "1-800-555-0142", date(2026, 11, 24), f"{settings.PUBLIC_URL}/plans/")

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        url = f"{settings.PUBLIC_URL}/plans/"
        return {
            "": cls.sample(),
            "again": cls("Ana", "Harbor Mutual", "", date(2026, 11, 24), url, "Member services", again=True),
        }

    def subject(self) -> str:
        return _("Please confirm your plans with your insurer")

    def preview(self) -> str:
        return _("Once a year, and only you can do it.")

    def parts(self) -> Sequence[Part]:
        whom, call = _call(self.insurer, self.insurer_phone, self.contact)
        if self.again:
            why = _(
                "Thank you for your call. %(insurer)s's records do not show it yet. Please call once more, so that "
                "your plans are confirmed by %(day)s or soon after."
            )
        else:
            why = _(
                "Once a year %(insurer)s wants to hear from you which insurance plans you have. Please confirm it by "
                "%(day)s. Nothing has to have changed, and your sessions go on as before."
            )
        return [
            Text(why % {"insurer": self.insurer, "day": long_date(self.due_on)}),
            whom,
            Steps(
                [
                    _hand(),
                    Step(call),
                    _say(words_of_a_year()),
                    Step(_("Ask for a reference number for the call, and enter it here with the day of the call:")),
                ]
            ),
            Button(_("I have called"), self.url),
            Text(
                _(
                    "Insurers take this only from you: neither we nor your provider can do it for you. "
                    "An insurer that has not heard from you may stop paying until it has."
                )
            ),
            Support(_("Did the call not go as planned? Contact us:")),
        ]


@dataclass(frozen=True, slots=True)
class EstimateReady(ToClient):
    """A Good Faith Estimate was made; it is read behind the login, never in an e-mail."""

    kind: ClassVar[str] = "estimate_ready"
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", f"{settings.PUBLIC_URL}/good-faith-estimates/1/")

    def subject(self) -> str:
        return _("The estimate you asked for is ready")

    def preview(self) -> str:
        return _("Sign in to read it.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("Your Good Faith Estimate is ready. Sign in to read it, or to keep it as a file.")),
            Button(_("Open the estimate"), self.url),
            Text(_("It is an estimate of what you would pay without using your insurance. It commits you to nothing.")),
            Support(_("Do you have a question? Contact us:")),
        ]
