"""One line of an insurer's answer, free of any file format: what :mod:`insurance.domain.benefit_choice` chooses from.

Service types, places of service and procedures keep the field's own codes; everything else is named here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _


class LineKind(StrEnum):
    """What a line says."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    COPAY = "copay"
    COINSURANCE = "coinsurance"
    DEDUCTIBLE = "deductible"
    OUT_OF_POCKET = "out_of_pocket"
    LIMIT = "limit"
    NOT_COVERED = "not_covered"
    OTHER_PAYER = "other_payer"
    CONTACT = "contact"
    """Ask the named party, or another source, instead."""
    MANAGED_BY = "managed_by"
    """The named party manages this care."""
    UNAVAILABLE = "unavailable"
    """The insurer cannot answer."""
    SPEND_DOWN = "spend_down"
    """What a member of Medicaid must spend before it pays."""
    RESTRICTED = "restricted"
    """The member may go to the named provider only."""
    CARD_LOST = "card_lost"
    """The card is reported as lost or stolen."""
    OTHER = "other"


class Level(StrEnum):
    """Whose figure it is."""

    INDIVIDUAL = "individual"
    FAMILY = "family"
    NOT_STATED = ""
    OTHER = "other"
    """A group of people that the patient is not one of."""


class Network(StrEnum):
    """The providers a line is about. That *our* provider is in the network is never said here."""

    IN = "in"
    OUT = "out"
    BOTH = "both"
    NOT_STATED = ""


class Span(StrEnum):
    """The time a figure is for."""

    NOT_STATED = ""
    CALENDAR_YEAR = "calendar_year"
    YEAR = "year"
    """A year of the plan's own (service year, contract)."""
    REMAINING = "remaining"
    TO_DATE = "to_date"
    """Used so far this year."""
    VISIT = "visit"
    DAY = "day"
    OTHER = "other"


class Role(StrEnum):
    """What a named party is to the line."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    TERTIARY = "tertiary"
    PAYER = "payer"
    """An insurer of no stated rank."""
    MEMBER = "member"
    PROVIDER = "provider"
    ORGANIZATION = "organization"
    """A vendor, manager, sponsor or other company."""


PAYING = (Role.PRIMARY, Role.SECONDARY, Role.TERTIARY, Role.PAYER)


@dataclass(frozen=True, slots=True)
class LineParty:
    """Somebody a line names."""

    role: Role
    name: str = ""
    id: str = ""
    member_id: str = ""
    telephone: str = ""


@dataclass(frozen=True, slots=True)
class BenefitLine:
    """One statement of an insurer. ``services`` empty speaks of the whole plan; ``share`` is the client's, 0 to 1.

    ``visits``: (span, count) pairs. ``places``: place-of-service codes the line is limited to. ``procedure`` and
    ``diagnosis``: the one it is limited to. ``plan`` and ``insurance`` (a code of X12's element 1336) tell several
    plans of one answer apart. ``pending``: the insurer is still looking into it. ``medicare_secondary``: the line gives
    a reason why Medicare would pay second.
    """

    kind: LineKind
    where: str = ""
    services: tuple[str, ...] = ()
    level: Level = Level.NOT_STATED
    network: Network = Network.NOT_STATED
    span: Span = Span.NOT_STATED
    amount: Decimal | None = None
    share: Decimal | None = None
    visits: tuple[tuple[Span, Decimal], ...] = ()
    authorization: bool | None = None
    places: tuple[str, ...] = ()
    procedure: str = ""
    diagnosis: str = ""
    plan: str = ""
    insurance: str = ""
    messages: tuple[str, ...] = ()
    begins: date | None = None
    ends: date | None = None
    pending: bool = False
    medicare_secondary: bool = False
    member_id: str = ""
    parties: tuple[LineParty, ...] = ()

    @property
    def about_therapy(self) -> bool:
        """Whether the line names a service type of therapy."""
        return not set(self.services).isdisjoint(THERAPY)

    def about(self, service: str) -> bool:
        """Whether the line speaks of ``service``; one without service types speaks of the whole plan (30)."""
        return service in self.services or (not self.services and service == WHOLE_PLAN)


WHOLE_PLAN = "30"
OFFICE_VISIT = "98"

THERAPY = ("CF", "A6", "A8", "MH", "A4")
"""Service types of outpatient psychotherapy, most specific first: mental-health provider outpatient, psychotherapy,
psychiatric outpatient, mental health, psychiatric. Facility, inpatient and substance-use types are not therapy."""

ORDER = (*THERAPY, OFFICE_VISIT, WHOLE_PLAN)
"""Where a figure for a therapy session is looked for."""

BASE_SPANS = (Span.NOT_STATED, Span.CALENDAR_YEAR, Span.YEAR)
"""The spans of a limit; what is left or used of it are lines of their own."""

_SERVICE_NAMES = {
    "CF": _("outpatient mental-health providers"),
    "A6": _("psychotherapy"),
    "A8": _("outpatient psychiatric care"),
    "MH": _("mental health"),
    "A4": _("psychiatric care"),
    "98": _("office visits"),
    "30": _("the whole plan"),
}

DENTAL = frozenset({"23", "24", "25", "26", "27", "28", "35", "36", "37", "38", "39", "40", "41"})
PHARMACY = frozenset({"88", "89", "90", "91", "92"})
VISION = frozenset({"AL", "AM", "AN", "AO", "CP"})
NO_OVERLAP = DENTAL | PHARMACY | VISION
"""Service types that no therapy claim ever touches."""

TELEHEALTH_PLACES = frozenset({"02", "10"})
TELEHEALTH_PLACE = "10"
"""Stands for all of them."""
OFFICE_PLACE = "11"


def service_name(service: str) -> str:
    """A service type of :data:`ORDER` in words."""
    return gettext(_SERVICE_NAMES[service])


def service_words(services: Iterable[str]) -> str:
    """Any service types in words where they have some, else by their codes: ``dental care (35), 47``."""
    groups = ((DENTAL, _("dental care")), (PHARMACY, _("medicines")), (VISION, _("eye care")))
    words = dict(_SERVICE_NAMES)
    words.update({code: name for codes, name in groups for code in codes})
    return ", ".join(f"{gettext(words[code])} ({code})" if code in words else code for code in sorted(services))
