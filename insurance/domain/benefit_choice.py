"""Choosing, from all an insurer says, the benefits of an outpatient therapy session.

The rules, with worked figures: ``docs/reading-benefits.md``. In short: the most specific service type wins; figures
without a network are never taken as in network; figures for one place of service never mix with the general ones; where
two lines contradict each other no figure is taken and the conflict is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from common.money import dollars
from insurance.domain import benefit_figures as figures
from insurance.domain.benefit_coordination import carve_out, coordinate
from insurance.domain.benefit_lines import (
    THERAPY,
    WHOLE_PLAN,
    BenefitLine,
    LineKind,
    Network,
)
from insurance.domain.benefits import Benefits, NetworkBenefits

_STATUS = (LineKind.ACTIVE, LineKind.INACTIVE)


@dataclass(slots=True)
class _Status:
    active: bool | None = None
    line: BenefitLine | None = None
    notes: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def choose(
    lines: Iterable[BenefitLine],
    *,
    payer_name: str = "",
    payer_id: str = "",
    on: date | None = None,
    plan_begin: date | None = None,
    plan_end: date | None = None,
    plan_source: str = "",
) -> Benefits:
    """The benefits of one member as one insurer's answer tells them.

    ``payer_name`` and ``payer_id``: the insurer that was asked. ``on``: the day of the session (or of the answer);
    lines whose own dates leave it out are passed over with a note; ``None`` takes every line. ``plan_begin`` and
    ``plan_end``: the plan's dates where the answer gives them apart from its lines, ``plan_source`` naming the place.
    """
    every = tuple(lines)
    current = tuple(line for line in every if line.kind is LineKind.OTHER_PAYER or _in_force(line, on))
    if not any(line.kind in _STATUS for line in current):
        # "Not active" with an end in the past is no line of another time: it says since when.
        current += tuple(line for line in every if line.kind is LineKind.INACTIVE and not _begins_later(line, on))
    status = _status(current, on)
    notes, conflicts = status.notes, status.conflicts
    for line in every:
        if line not in current:
            notes.append(_out_of_date(line, on))
    source: dict[str, str] = {}
    if status.line is not None:
        source["active"] = status.line.where
        if plan_begin is None and plan_end is None:
            plan_begin, plan_end = status.line.begins, status.line.ends
            plan_source = status.line.where
    for key, day in (("plan_begin", plan_begin), ("plan_end", plan_end)):
        if day is not None and plan_source:
            source[key] = plan_source
    active = status.active
    if active is None and any(line not in current and line.kind in _STATUS for line in every):
        notes.append(
            _("Coverage is only told for other dates: whether it is active on the day asked about is not known.")
        )
    if active and on and ((plan_end and plan_end < on) or (plan_begin and plan_begin > on)):
        conflicts.append(
            _(
                "The coverage is called active, but the plan's dates (%(dates)s) leave out %(day)s: "
                "whether it is active is not known."
            )
            % {"dates": _days(plan_begin, plan_end), "day": on.isoformat()}
        )
        active = None
    networks: dict[Network, NetworkBenefits] = {}
    managed = carve_out(current)
    for network, words in (
        (Network.IN, _("in network")),
        (Network.OUT, _("out of network")),
        (Network.NOT_STATED, _("network not stated")),
    ):
        result = figures.choose_network(current, network, words, carved_out=managed is not None)
        networks[network] = result.benefits
        notes.extend(result.notes)
        conflicts.extend(result.conflicts)
    unclear = networks[Network.NOT_STATED]
    if unclear.says_anything:
        known = [
            f"{name} {text}"
            for name, text in (
                ("copay", dollars(unclear.copay) if unclear.copay is not None else ""),
                ("coinsurance", _percent(unclear.coinsurance)),
            )
            if text
        ]
        notes.append(
            _(
                "Some figures%(figures)s do not say for which network they are: they are kept apart "
                "and not taken as in network."
            )
            % {"figures": " (" + ", ".join(known) + ")" if known else ""}
        )
    coordination = coordinate(current, payer_name=payer_name, payer_id=payer_id, on=on)
    if managed is not None:
        notes.append(
            _("Behavioral health is handled by %(name)s (%(place)s): its benefits must be asked there.")
            % {"name": managed.name, "place": managed.where}
        )
    return Benefits(
        active=active,
        plan_name=(status.line.plan if status.line else "") or None,
        plan_begin=plan_begin,
        plan_end=plan_end,
        in_network=networks[Network.IN],
        out_of_network=networks[Network.OUT],
        network_not_stated=unclear,
        other_payers=coordination.payers,
        cob_signal=coordination.signal,
        cob_reasons=coordination.reasons,
        carve_out=managed,
        notes=tuple(dict.fromkeys((*notes, *coordination.notes))),
        conflicts=tuple(dict.fromkeys(conflicts)),
        messages=tuple(dict.fromkeys(message for line in current for message in line.messages)),
        source=source,
    )


def _begins_later(line: BenefitLine, on: date | None) -> bool:
    return bool(on and line.begins and line.begins > on)


def _in_force(line: BenefitLine, on: date | None) -> bool:
    return not (on and line.ends and line.ends < on) and not _begins_later(line, on)


def _out_of_date(line: BenefitLine, on: date | None) -> str:
    day = on.isoformat() if on else ""
    return _("A line is for %(dates)s, not for %(day)s: passed over (%(place)s).") % {
        "dates": _days(line.begins, line.ends),
        "day": day,
        "place": line.where,
    }


def _days(begins: date | None, ends: date | None) -> str:
    return f"{begins.isoformat() if begins else '…'} to {ends.isoformat() if ends else '…'}"


def _percent(share: Decimal | None) -> str:
    return "" if share is None else f"{(share * 100).normalize():f}%"


def _status(lines: tuple[BenefitLine, ...], on: date | None) -> _Status:
    """Whether the coverage is active: the word on the whole plan, else on therapy, else on anything."""
    told = [line for line in lines if line.kind in _STATUS]
    status = _Status()
    tiers = (
        [line for line in told if line.about(WHOLE_PLAN)],
        [line for line in told if set(line.services) & set(THERAPY)],
        told,
    )
    chosen = next((tier for tier in tiers if tier), [])
    if not chosen:
        return status
    yes = [line for line in chosen if line.kind is LineKind.ACTIVE]
    no = [line for line in chosen if line.kind is LineKind.INACTIVE]
    if yes and no:
        status.conflicts.append(
            _("The coverage is called both active (%(yes)s) and not active (%(no)s): not known.")
            % {"yes": _places(yes), "no": _places(no)}
        )
        status.line = yes[0]
        return status
    status.active, status.line = bool(yes), chosen[0]
    if chosen is tiers[2] and not tiers[0] and not tiers[1]:
        services = sorted({service for line in chosen for service in line.services})
        status.notes.append(
            _("Coverage is only told for service types %(services)s (%(place)s): nothing is said about therapy.")
            % {"services": ", ".join(services), "place": _places(chosen)}
        )
    return status


def _places(lines: list[BenefitLine]) -> str:
    return ", ".join(line.where for line in lines[:4])
