"""An account paused because an insurer needs to hear from the client, and active again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from django.conf import settings
from django.utils.translation import gettext as _

from notifications.messages.base import ToClient
from notifications.messages.parts import Button, Fact, Facts, Heading, Part, Step, Steps, Support, Text, phone_link


@dataclass(frozen=True, slots=True)
class AccountPaused(ToClient):
    """The insurer does not know which plan pays first. ``url`` is where the reference number is entered.

    ``insurer_phone`` may be "" when not known: the card has it.
    """

    kind: ClassVar[str] = "account_paused"
    insurer: str
    insurer_phone: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", "Harbor Mutual", "1-800-555-0142", f"{settings.PUBLIC_URL}/plans/resolve/")

    def subject(self) -> str:
        return _("Your account is paused: one phone call is needed")

    def preview(self) -> str:
        return _("Whom to call, and what to say.")

    def parts(self) -> Sequence[Part]:
        if self.insurer_phone:
            whom = Fact(_("Call"), self.insurer_phone, phone_link(self.insurer_phone), strong=True)
            call = _("Call %(insurer)s at the number above. It is also on the back of your insurance card.") % {
                "insurer": self.insurer
            }
        else:
            whom = Fact(_("Call"), _("The number on the back of your insurance card"), strong=True)
            call = _("Call %(insurer)s. The number is on the back of your insurance card.") % {"insurer": self.insurer}
        return [
            Text(
                _(
                    "%(insurer)s told us that its records about your insurance plans need an update. It has to know "
                    "which of your plans pays first. Until that is done, your account is paused."
                )
                % {"insurer": self.insurer}
            ),
            Facts([Fact(_("Insurer"), self.insurer), whom]),
            Heading(_("What to do")),
            Steps(
                [
                    Step(call),
                    Step(
                        _("Say these words:"),
                        say=_(
                            "“My provider let me know there is an issue with my coordination of benefits. "
                            "Could you tell me which of my plans is primary?”"
                        ),
                    ),
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
