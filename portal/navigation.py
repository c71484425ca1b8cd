"""Main navigation of each role, as data.

A page joins by being named here; an entry whose address does not exist (yet, or in this deployment) is left out.
At most five entries per role: they must fit along the bottom edge of a phone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Entry:
    """One place to go: ``name`` is a URL name that needs no arguments, ``icon`` a symbol of ``icons.svg``."""

    label: "str | Promise"
    name: str
    icon: str


@dataclass(frozen=True, slots=True)
class Place:
    """An entry on a page: where it leads, and whether the reader is there now."""

    label: "str | Promise"
    url: str
    icon: str
    current: bool


CLIENT = (
    Entry(_("Home"), "portal:client:home", "home"),
    Entry(_("Benefits"), "portal:client:benefits", "benefits"),
    Entry(_("Appointments"), "portal:client:appointments", "calendar"),
    Entry(_("Payments"), "portal:client:payments", "payments"),
    Entry(_("Plans"), "portal:client:plans", "plans"),
)
PROVIDER = (
    Entry(_("Clients"), "portal:provider:dashboard", "people"),
    Entry(_("Sessions"), "portal:provider:sessions", "calendar"),
    Entry(_("Claims"), "portal:provider:claims", "document"),
    Entry(_("Earnings"), "portal:provider:earnings", "dollar"),
)
SUPPORT = (Entry(_("Support desk"), "admin:index", "help"),)

ENTRIES: dict[str, tuple[Entry, ...]] = {
    "client": CLIENT,
    "provider": PROVIDER,
    "support": SUPPORT,
    "auditor": SUPPORT,
}


def address(name: str) -> str | None:
    """The path of the URL called ``name``, or ``None`` where there is none."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def places(role: str, path: str) -> Iterator[Place]:
    """The navigation of ``role`` as seen from ``path``; the deepest entry that contains ``path`` is the current one."""
    known = [(entry, url) for entry in ENTRIES.get(role, ()) if (url := address(entry.name)) is not None]
    here = max((url for _entry, url in known if path.startswith(url)), key=len, default=None)
    for entry, url in known:
        yield Place(entry.label, url, entry.icon, current=url == here)
