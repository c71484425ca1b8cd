"""The figures of a plan that support reads and enters: their places in a snapshot, names, and how each is written."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.money import dollars
from insurance.domain.benefits import CopayRule


class Kind(Enum):
    """What sort of value a figure has, which decides how it is typed and written."""

    MONEY = "money"
    SHARE = "share"
    """A share of 0 to 1, written and typed as a percentage."""
    RULE = "rule"
    VISITS = "visits"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. ``place``: in the JSON of ``insurance.domain.benefits.Benefits``."""

    place: str
    label: "str | Promise"
    kind: Kind


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that belong together on a page."""

    label: "str | Promise"
    figures: tuple[Figure, ...]


RULES: dict[str, "str | Promise"] = {
    CopayRule.WAIVES_DEDUCTIBLE: gettext_lazy("The copay instead of the deductible"),
    CopayRule.BEFORE_DEDUCTIBLE: gettext_lazy("The copay first, then the deductible"),
    CopayRule.AFTER_DEDUCTIBLE: gettext_lazy("The deductible first, then the copay"),
}


def _share(network: str, label: "str | Promise", inside: str = "") -> Group:
    return Group(
        label,
        (
            Figure(f"{network}.{inside}copay", gettext_lazy("Copay"), Kind.MONEY),
            Figure(f"{network}.{inside}copay_rule", gettext_lazy("Copay and deductible"), Kind.RULE),
            Figure(f"{network}.{inside}coinsurance", gettext_lazy("Coinsurance, percent"), Kind.SHARE),
        ),
    )


def _limit(network: str, name: str, label: "str | Promise") -> Group:
    return Group(
        label,
        (
            Figure(f"{network}.{name}.individual.limit", gettext_lazy("Own, of the year"), Kind.MONEY),
            Figure(f"{network}.{name}.individual.remaining", gettext_lazy("Own, left"), Kind.MONEY),
            Figure(f"{network}.{name}.family.limit", gettext_lazy("Family, of the year"), Kind.MONEY),
            Figure(f"{network}.{name}.family.remaining", gettext_lazy("Family, left"), Kind.MONEY),
        ),
    )


def _network(network: str) -> tuple[Group, ...]:
    return (
        _share(network, gettext_lazy("A visit at the office")),
        _share(network, gettext_lazy("A video visit, where it differs"), "telehealth."),
        _limit(network, "deductible", gettext_lazy("Deductible")),
        _limit(network, "out_of_pocket", gettext_lazy("Out-of-pocket maximum")),
        Group(
            gettext_lazy("Visits"),
            (
                Figure(f"{network}.visits.limit", gettext_lazy("In the year"), Kind.VISITS),
                Figure(f"{network}.visits.remaining", gettext_lazy("Left"), Kind.VISITS),
                Figure(f"{network}.covered", gettext_lazy("Therapy is covered"), Kind.FLAG),
            ),
        ),
    )


PLAN = Group(gettext_lazy("The plan"), (Figure("active", gettext_lazy("Active"), Kind.FLAG),))
IN_NETWORK = _network("in_network")
OUT_OF_NETWORK = _network("out_of_network")

_KNOWN = {figure.place: (group, figure) for group in (PLAN, *IN_NETWORK, *OUT_OF_NETWORK) for figure in group.figures}


def figures() -> list[Figure]:
    """All of them, in the order of the page."""
    return [figure for _group, figure in _KNOWN.values()]


def name_of(place: str) -> str:
    """A figure's name by itself: ``"Deductible: own, left"``; the place, where it has none."""
    if place not in _KNOWN:
        return place.replace("_", " ").replace(".", " › ")
    group, figure = _KNOWN[place]
    name = _("%(group)s: %(figure)s") % {"group": group.label, "figure": str(figure.label).lower()}
    return _("%(name)s (out of network)") % {"name": name} if place.startswith("out_of_network.") else name


def written(place: str, value: Any) -> str:
    """A plain JSON value as people write it: ``"$25.00"``, ``"20%"``, ``"not known"``."""
    if value is None:
        return _("not known")
    kind = _KNOWN[place][1].kind if place in _KNOWN else None
    try:
        if kind is Kind.MONEY:
            return dollars(Decimal(value))
        if kind is Kind.SHARE:
            return f"{percent_text(value)}%"
    except (InvalidOperation, TypeError):
        return str(value)
    if kind is Kind.RULE:
        return str(RULES.get(value, value))
    if kind is Kind.FLAG:
        return _("yes") if value else _("no")
    return str(value)


def percent_text(share: str) -> str:
    """``"0.20"`` → ``"20"``, ``"0.125"`` → ``"12.5"``."""
    return f"{(Decimal(share) * 100).normalize():f}"
