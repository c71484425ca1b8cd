"""What an insurer says it covers of a therapy session: an immutable snapshot with the place each figure came from.

Pure values. ``None`` means that the insurer did not say; it is never zero. Money is dollars; a coinsurance is the
client's share between 0 and 1. How the figures are chosen from an insurer's answer: ``docs/reading-benefits.md``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from common.money import plain


class CopayRule(StrEnum):
    """How a copay and the deductible go together (RULES: the three rules HL7 PDex names)."""

    WAIVES_DEDUCTIBLE = "waives_deductible"
    BEFORE_DEDUCTIBLE = "before_deductible"
    AFTER_DEDUCTIBLE = "after_deductible"


class CobSignal(StrEnum):
    """What an answer says about other insurance."""

    NONE = "none"
    """Nothing that touches this coverage."""
    NO_OVERLAP = "no_overlap"
    """Another insurer, but only for services such as dental, vision or pharmacy."""
    THIS_IS_PRIMARY = "this_is_primary"
    """Another insurer is named and the order is clear: this one pays first."""
    ANOTHER_IS_PRIMARY = "another_is_primary"
    """Another insurer is named and the order is clear: that one pays before this one."""
    UNDETERMINED = "undetermined"
    """There is a sign of other insurance, or of an unfinished check, and no clear order."""


@dataclass(frozen=True, slots=True)
class Accumulator:
    """One deductible or out-of-pocket maximum: the year's limit and what is left of it."""

    limit: Decimal | None = None
    remaining: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Accumulators:
    """The member's own figure and the family's."""

    individual: Accumulator = Accumulator()
    family: Accumulator = Accumulator()


@dataclass(frozen=True, slots=True)
class Visits:
    """A limit of visits and how many are left."""

    limit: int | None = None
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class NetworkBenefits:
    """Behavioral-health benefits with providers inside (or outside) the network.

    ``covered`` is ``False`` when the insurer says that therapy is not covered there. ``copay_rule`` is seldom stated:
    ``copay_rule_inferred`` tells a rule that was concluded from one that the insurer wrote, ``copay_rule_why`` how.
    ``deductible_applies`` is the insurer's own word about therapy, where it gives one. ``telehealth`` holds only what
    is said for telehealth; :meth:`for_telehealth` completes it.

    Three maps tell where a figure, such as ``"deductible.family.limit"``, comes from: ``source`` names the segments it
    was read from, ``basis`` the X12 service type they speak of (with the place of service they are limited to:
    ``"MH"``, ``"98/10"``), ``disputed`` says why a figure that the answer contradicts itself about was not taken.
    :func:`insurance.domain.benefit_why.why` makes sentences of them.
    """

    covered: bool | None = None
    copay: Decimal | None = None
    copay_rule: CopayRule | None = None
    copay_rule_inferred: bool = False
    copay_rule_why: str = ""
    coinsurance: Decimal | None = None
    deductible: Accumulators = Accumulators()
    deductible_applies: bool | None = None
    out_of_pocket: Accumulators = Accumulators()
    visits: Visits = Visits()
    authorization_required: bool | None = None
    telehealth: "NetworkBenefits | None" = None
    source: Mapping[str, str] = field(default_factory=dict)
    basis: Mapping[str, str] = field(default_factory=dict)
    disputed: Mapping[str, str] = field(default_factory=dict)

    @property
    def says_anything(self) -> bool:
        """Whether the insurer gave any figure at all, be it one it contradicts itself about."""
        return bool(self.source or self.disputed)

    def for_telehealth(self) -> "NetworkBenefits":
        """These benefits as they are for a telehealth session: the telehealth figures, else the general ones.

        Copay, coinsurance and the rule between them go together: one of them said for telehealth replaces all three,
        also where the answer contradicts itself about it.
        """
        special = self.telehealth
        if special is None:
            return self
        disputed = not {"copay", "coinsurance"}.isdisjoint(special.disputed)
        priced = disputed or special.copay is not None or special.coinsurance is not None
        share = special if priced else self
        return NetworkBenefits(
            covered=special.covered if special.covered is not None else self.covered,
            copay=share.copay,
            copay_rule=share.copay_rule,
            copay_rule_inferred=share.copay_rule_inferred,
            copay_rule_why=share.copay_rule_why,
            coinsurance=share.coinsurance,
            deductible=special.deductible if special.deductible != Accumulators() else self.deductible,
            deductible_applies=share.deductible_applies,
            out_of_pocket=special.out_of_pocket if special.out_of_pocket != Accumulators() else self.out_of_pocket,
            visits=special.visits if special.visits != Visits() else self.visits,
            authorization_required=(
                special.authorization_required
                if special.authorization_required is not None
                else self.authorization_required
            ),
            telehealth=None,
            source=_together(self.source, special.source, priced=priced),
            basis=_together(self.basis, special.basis, priced=priced),
            disputed=_together(self.disputed, special.disputed, priced=priced),
        )


def _together(general: Mapping[str, str], special: Mapping[str, str], *, priced: bool) -> dict[str, str]:
    """Where the figures of a telehealth session come from; a general share that was replaced leaves nothing behind."""
    replaced = ("copay", "coinsurance") if priced else ()
    return {**{key: value for key, value in general.items() if key not in replaced}, **special}


@dataclass(frozen=True, slots=True)
class OtherPayer:
    """Another insurer that the answer names. ``rank``: ``primary``, ``secondary``, ``tertiary`` or not said."""

    name: str | None
    rank: str | None = None
    member_id: str | None = None
    payer_id: str | None = None
    begins: date | None = None
    ended: date | None = None
    overlaps: bool = True
    """``False`` when it is named only for services such as dental, vision or pharmacy."""
    where: str = ""


@dataclass(frozen=True, slots=True)
class CarveOut:
    """The company that handles behavioral health for this insurer: whom to ask instead.

    ``name`` is empty when the insurer refers to another one without saying which.
    """

    name: str
    telephone: str | None = None
    payer_id: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Benefits:
    """One insurer's answer about one member, as far as therapy is concerned.

    ``active`` is the insurer's word on the coverage, ``None`` when it gave none (a rejection never makes it ``False``).
    ``year_begin`` and ``year_end``: the year that the deductible and the maximum are for, as far as the answer lets one
    know; ``plan_begin`` may lie years before it.
    ``network_not_stated`` holds figures that do not say for which network they are: they are never taken as in network.
    ``notes`` say what was concluded or is missing, ``conflicts`` where the answer contradicts itself (no figure is then
    taken), ``messages`` are the insurer's own sentences.
    """

    active: bool | None = None
    plan_name: str | None = None
    plan_begin: date | None = None
    plan_end: date | None = None
    year_begin: date | None = None
    year_end: date | None = None
    in_network: NetworkBenefits = NetworkBenefits()
    out_of_network: NetworkBenefits = NetworkBenefits()
    network_not_stated: NetworkBenefits = NetworkBenefits()
    other_payers: tuple[OtherPayer, ...] = ()
    cob_signal: CobSignal = CobSignal.NONE
    cob_reasons: tuple[str, ...] = ()
    carve_out: CarveOut | None = None
    notes: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    source: Mapping[str, str] = field(default_factory=dict)

    @property
    def year(self) -> tuple[date | None, date | None]:
        """First and last day for which the figures count: the deductible's year, else the plan's dates, whichever ends
        first."""
        ends = [day for day in (self.year_end, self.plan_end) if day is not None]
        return self.year_begin or self.plan_begin, min(ends, default=None)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: money and shares as strings, dates as ISO 8601. :meth:`from_json` reads it back."""
        return {
            "schema": 1,
            "active": self.active,
            "plan_name": self.plan_name,
            "plan_begin": _day(self.plan_begin),
            "plan_end": _day(self.plan_end),
            "year_begin": _day(self.year_begin),
            "year_end": _day(self.year_end),
            "in_network": network_to_json(self.in_network),
            "out_of_network": network_to_json(self.out_of_network),
            "network_not_stated": network_to_json(self.network_not_stated),
            "other_payers": [
                {
                    "name": payer.name,
                    "rank": payer.rank,
                    "member_id": payer.member_id,
                    "payer_id": payer.payer_id,
                    "begins": _day(payer.begins),
                    "ended": _day(payer.ended),
                    "overlaps": payer.overlaps,
                    "where": payer.where,
                }
                for payer in self.other_payers
            ],
            "cob_signal": self.cob_signal.value,
            "cob_reasons": list(self.cob_reasons),
            "carve_out": (
                {
                    "name": self.carve_out.name,
                    "telephone": self.carve_out.telephone,
                    "payer_id": self.carve_out.payer_id,
                    "where": self.carve_out.where,
                }
                if self.carve_out
                else None
            ),
            "notes": list(self.notes),
            "conflicts": list(self.conflicts),
            "messages": list(self.messages),
            "source": dict(self.source),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Benefits":
        """The inverse of :meth:`to_json`. Raises ``ValueError`` for a snapshot of another schema.

        Snapshots written before ``year_begin``, ``basis`` and ``disputed`` were kept do not have them.
        """
        if data.get("schema") != 1:
            raise ValueError(f"a snapshot of benefits of schema {data.get('schema')!r} is not known")
        carve_out = data["carve_out"]
        return cls(
            active=data["active"],
            plan_name=data["plan_name"],
            plan_begin=_read_day(data["plan_begin"]),
            plan_end=_read_day(data["plan_end"]),
            year_begin=_read_day(data.get("year_begin")),
            year_end=_read_day(data.get("year_end")),
            in_network=_network_from_json(data["in_network"]),
            out_of_network=_network_from_json(data["out_of_network"]),
            network_not_stated=_network_from_json(data["network_not_stated"]),
            other_payers=tuple(
                OtherPayer(**{**payer, "begins": _read_day(payer["begins"]), "ended": _read_day(payer["ended"])})
                for payer in data["other_payers"]
            ),
            cob_signal=CobSignal(data["cob_signal"]),
            cob_reasons=tuple(data["cob_reasons"]),
            carve_out=CarveOut(**carve_out) if carve_out else None,
            notes=tuple(data["notes"]),
            conflicts=tuple(data["conflicts"]),
            messages=tuple(data["messages"]),
            source=dict(data["source"]),
        )


def share_text(share: Decimal | None) -> str | None:
    """A share as a decimal string of at least two places: ``0.2`` → ``"0.20"``, ``0.125`` → ``"0.125"``."""
    if share is None:
        return None
    exact = share.normalize()
    exponent = exact.as_tuple().exponent
    places = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{exact:.{places}f}"


def network_to_json(network: NetworkBenefits) -> dict[str, Any]:
    """One network's benefits as plain JSON values."""
    return {
        "covered": network.covered,
        "copay": plain(network.copay),
        "copay_rule": network.copay_rule.value if network.copay_rule else None,
        "copay_rule_inferred": network.copay_rule_inferred,
        "copay_rule_why": network.copay_rule_why,
        "coinsurance": share_text(network.coinsurance),
        "deductible": _accumulators_to_json(network.deductible),
        "deductible_applies": network.deductible_applies,
        "out_of_pocket": _accumulators_to_json(network.out_of_pocket),
        "visits": {"limit": network.visits.limit, "remaining": network.visits.remaining},
        "authorization_required": network.authorization_required,
        "telehealth": network_to_json(network.telehealth) if network.telehealth else None,
        "source": dict(network.source),
        "basis": dict(network.basis),
        "disputed": dict(network.disputed),
    }


def _network_from_json(data: Mapping[str, Any]) -> NetworkBenefits:
    rule, telehealth = data["copay_rule"], data["telehealth"]
    return NetworkBenefits(
        covered=data["covered"],
        copay=_decimal(data["copay"]),
        copay_rule=CopayRule(rule) if rule else None,
        copay_rule_inferred=data["copay_rule_inferred"],
        copay_rule_why=data["copay_rule_why"],
        coinsurance=_decimal(data["coinsurance"]),
        deductible=_accumulators_from_json(data["deductible"]),
        deductible_applies=data["deductible_applies"],
        out_of_pocket=_accumulators_from_json(data["out_of_pocket"]),
        visits=Visits(data["visits"]["limit"], data["visits"]["remaining"]),
        authorization_required=data["authorization_required"],
        telehealth=_network_from_json(telehealth) if telehealth else None,
        source=dict(data["source"]),
        basis=dict(data.get("basis", {})),
        disputed=dict(data.get("disputed", {})),
    )


def _accumulators_to_json(both: Accumulators) -> dict[str, dict[str, str | None]]:
    return {
        level: {"limit": plain(one.limit), "remaining": plain(one.remaining)}
        for level, one in (("individual", both.individual), ("family", both.family))
    }


def _accumulators_from_json(data: Mapping[str, Any]) -> Accumulators:
    individual, family = (
        Accumulator(_decimal(data[level]["limit"]), _decimal(data[level]["remaining"]))
        for level in ("individual", "family")
    )
    return Accumulators(individual, family)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _read_day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
