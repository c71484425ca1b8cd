"""A month's statement can be read. The e-mail holds nothing of it: the link leads to it, behind the login."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Self

from django.conf import settings
from django.utils import formats
from django.utils.translation import gettext as _

from notifications.messages.base import ToClient
from notifications.messages.parts import Button, Part, Support, Text


@dataclass(frozen=True, slots=True)
class StatementReady(ToClient):
    """A client's statement was issued. ``month`` in words, as in "October 2026"."""

    kind: ClassVar[str] = "statement_ready"
    month: str
    url: str

    @classmethod
    def sample(cls) -> Self:
        return cls("Ana", cls.named(date(2026, 10, 1)), f"{settings.PUBLIC_URL}/payments/statements/7/")

    @staticmethod
    def named(month: date) -> str:
        return formats.date_format(month, "F Y")

    def subject(self) -> str:
        return _("Your monthly statement is ready")

    def preview(self) -> str:
        return _("Read it or keep it as a file, after you sign in.")

    def parts(self) -> Sequence[Part]:
        return [
            Text(_("Your statement for %(month)s is ready.") % {"month": self.month}),
            Text(_("It shows what was charged, what was paid, what was given back, and what is left to pay.")),
            Button(_("See your statement"), self.url),
            Text(_("This is not a bill. If there is something to pay, your payments page says so.")),
            Support(_("Is something on it not right? Contact us:")),
        ]
