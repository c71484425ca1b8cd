"""What every message is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from django.conf import settings

from notifications.messages.parts import Part, phone_link


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
        """The body, between the greeting and the signature."""

    def context(self) -> dict[str, Any]:
        """What the templates are given."""
        return {
            "kind": self.kind,
            "subject": self.subject(),
            "preview": self.preview(),
            "greeted": self.greeted(),
            "parts": self.parts(),
            "PRODUCT_NAME": settings.PRODUCT_NAME,
            "PUBLIC_URL": settings.PUBLIC_URL,
            "SUPPORT_EMAIL": settings.SUPPORT_EMAIL,
            "SUPPORT_PHONE": settings.SUPPORT_PHONE,
            "support_phone_link": phone_link(settings.SUPPORT_PHONE),
        }


@dataclass(frozen=True, slots=True)
class ToClient(Message):
    """A message that greets a client."""

    client_name: str

    def greeted(self) -> str:
        return self.client_name
