"""What every message is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

from django.conf import settings
from django.utils.translation import get_language, get_language_bidi

from notifications.messages.parts import Button, Part, phone_link


@dataclass(frozen=True, slots=True)
class Message(ABC):
    """An e-mail before it is rendered. Fields are plain values, fixed when it is made.

    ``template`` names a pair of templates, ``<template>.html`` and ``<template>.txt``, that show ``context()``.
    """

    kind: ClassVar[str]
    template: ClassVar[str] = "email/messages/letter"

    @classmethod
    @abstractmethod
    def sample(cls) -> Self:
        """A believable one, for previews and tests."""

    @classmethod
    def samples(cls) -> Mapping[str, Self]:
        """One for each way in which it reads, by name; "" is the usual one."""
        return {"": cls.sample()}

    @abstractmethod
    def subject(self) -> str:
        """One short line without any amount, date, name or health information."""

    @abstractmethod
    def preview(self) -> str:
        """The line an inbox shows after the subject; as discreet as the subject."""

    @abstractmethod
    def greeted(self) -> str:
        """The name to greet; "" greets nobody by name."""

    @abstractmethod
    def parts(self) -> Sequence[Part]:
        """The body, after the greeting, with exactly one button."""

    def context(self) -> dict[str, Any]:
        """What the templates are given: ``before`` and ``after`` are the parts around the one button."""
        parts = self.parts()
        (at,) = (index for index, part in enumerate(parts) if isinstance(part, Button))
        button = cast(Button, parts[at])
        return {
            "subject": self.subject(),
            "preview": self.preview(),
            "greeted": self.greeted(),
            "before": parts[:at],
            "button_label": button.label,
            "button_url": button.url,
            "after": parts[at + 1 :],
            "language": get_language() or settings.LANGUAGE_CODE,
            "direction": "rtl" if get_language_bidi() else "ltr",
            "product_name": settings.PRODUCT_NAME,
            "support_email": settings.SUPPORT_EMAIL,
            "support_phone": settings.SUPPORT_PHONE,
            "support_phone_link": phone_link(settings.SUPPORT_PHONE),
        }


@dataclass(frozen=True, slots=True)
class ToClient(Message):
    """A message that greets a client."""

    client_name: str

    def greeted(self) -> str:
        return self.client_name
