"""What a message is made of. Each part is shown once as HTML and once as plain text, so that both say the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from django.utils import formats


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    shape: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of what follows."""

    shape: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of figures: a label, its value, and where the value leads (``tel:…``), if anywhere."""

    label: str
    value: str
    href: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and values, in a box. ``long_labels``: the labels need as much room as the values, as dates do."""

    shape: ClassVar[str] = "facts"
    facts: Sequence[Fact]
    long_labels: bool = False


@dataclass(frozen=True, slots=True)
class Steps:
    """Numbered things to do. ``say`` of a step holds the exact words to say out loud."""

    shape: ClassVar[str] = "steps"
    steps: Sequence["Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do."""

    text: str
    say: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """Words kept as they were said or agreed to. Lines stay apart."""

    shape: ClassVar[str] = "quote"
    text: str


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing to do next."""

    shape: ClassVar[str] = "button"
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Link:
    """Another page, beside the one thing to do."""

    shape: ClassVar[str] = "link"
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Support:
    """A paragraph that ends with how to reach support."""

    shape: ClassVar[str] = "support"
    text: str


Part = Text | Heading | Facts | Steps | Quote | Button | Link | Support


def long_date(day: date) -> str:
    """A date that cannot be read two ways: "Tuesday, November 24, 2026"."""
    return formats.date_format(day, "l, F j, Y")


def phone_link(number: str) -> str:
    """The ``tel:`` address of a US phone number, or "" when it holds no such number."""
    digits = "".join(character for character in number if character.isdigit())
    if len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    return f"tel:+1{digits}" if len(digits) == 10 else ""
