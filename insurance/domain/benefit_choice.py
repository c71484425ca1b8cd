"""Choosing, from all an insurer says, the benefits of an outpatient therapy session.

The rules, with worked figures: ``docs/reading-benefits.md``. In short: the most specific service type wins; figures
without a network are never taken as in network; figures for one place of service never mix with the general ones; where
two lines contradict each other no figure is taken and the conflict is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from common.money import dollars
from insurance.domain import benefit_figures as figures
from insurance.domain.benefit_coordination import carve_out, coordinate
from insurance.domain.benefit_dates import begins_later, days, in_force, out_of_date, year_of
from insurance.domain.benefit_lines import (
    ORDER,
    WHOLE_PLAN,
    BenefitLine,
    LineKind,
    Network,
    service_words,
)
from insurance.domain.benefit_plans import Pick, pick_plan
from insurance.domain.benefits import Benefits, NetworkBenefits

_STATUS = (LineKind.ACTIVE, LineKind.INACTIVE)


@dataclass(slots=True)
class _Status:
    active: bool | None = None
    line: BenefitLine | None = None
    plan: str = ""
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
    current = tuple(line for line in every if line.kind is LineKind.OTHER_PAYER or in_force(line, on))
    if not any(line.kind in _STATUS for line in current):
        # "Not active" with an end in the past is no line of another time: it says since when.
        current += tuple(line for line in every if line.kind is LineKind.INACTIVE and not begins_later(line, on))
    kept = {id(line) for line in current}
    passed_over = [line for line in every if id(line) not in kept]
    pick = pick_plan(every, current)
    plans = [_status(lines) for lines in pick.lines]
    status = plans[0]
    notes, conflicts = [*status.notes, *pick.notes], status.conflicts
    notes.extend(out_of_date(line, on) for line in passed_over)
    source: dict[str, str] = {}
    if status.line is not None:
        source["active"] = status.line.where
        same = {(plan.line.begins, plan.line.ends) for plan in plans if plan.line}
        if plan_begin is None and plan_end is None and len(same) == 1:
            plan_begin, plan_end = status.line.begins, status.line.ends
            plan_source = status.line.where
    for key, day in (("plan_begin", plan_begin), ("plan_end", plan_end)):
        if day is not None and plan_source:
            source[key] = plan_source
    active = status.active
    if active is None and any(line.kind in _STATUS for line in passed_over):
        notes.append(
            _("Coverage is only told for other dates: whether it is active on the day asked about is not known.")
        )
    if active and on and ((plan_end and plan_end < on) or (plan_begin and plan_begin > on)):
        conflicts.append(
            _(
                "The coverage is called active, but the plan's dates (%(dates)s) leave out %(day)s: "
                "whether it is active is not known."
            )
            % {"dates": days(plan_begin, plan_end), "day": on.isoformat()}
        )
        active = None
    managed = carve_out(current, payer_name)
    chosen = _networks(pick, carved_out=managed is not None)
    notes.extend(chosen.notes)
    conflicts.extend(chosen.conflicts)
    unclear = chosen.networks[Network.NOT_STATED]
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
            % {"name": managed.name or _("another company, not named here"), "place": managed.where}
        )
    notes.extend(_remarks(current))
    year_begin, year_end = year_of(pick.lines[0], on, plan_begin, plan_end)
    return Benefits(
        active=active,
        plan_name=(status.plan if len(plans) == 1 else "") or None,
        plan_begin=plan_begin,
        plan_end=plan_end,
        year_begin=year_begin,
        year_end=year_end,
        in_network=chosen.networks[Network.IN],
        out_of_network=chosen.networks[Network.OUT],
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


@dataclass(slots=True)
class _Networks:
    """The figures of each network, with what was concluded and what contradicts itself."""

    networks: dict[Network, NetworkBenefits] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def _networks(pick: Pick, *, carved_out: bool) -> _Networks:
    """The figures of the plan that was picked. Of several, those of any where they are all the same, else none."""
    results = []
    for lines in pick.lines:
        result = _Networks()
        for network, words in (
            (Network.IN, _("in network")),
            (Network.OUT, _("out of network")),
            (Network.NOT_STATED, _("network not stated")),
        ):
            told = figures.choose_network(lines, network, words, carved_out=carved_out)
            result.networks[network] = told.benefits
            result.notes.extend(told.notes)
            result.conflicts.extend(told.conflicts)
        results.append(result)
    first = results[0]
    if len(results) == 1:
        return first
    subject = {"plans": ", ".join(sorted(pick.names))}
    if all(_facts(each) == _facts(first) for each in results):
        first.notes.append(_("The answer tells of several plans with the same figures: %(plans)s.") % subject)
        return first
    conflict = _(
        "The answer tells of several plans (%(plans)s) and not which of them pays for therapy: no figure is taken."
    )
    return _Networks(dict.fromkeys(first.networks, NetworkBenefits()), conflicts=[conflict % subject])


def _facts(result: _Networks) -> list[NetworkBenefits]:
    """The figures without where they came from."""

    def bare(network: NetworkBenefits) -> NetworkBenefits:
        telehealth = bare(network.telehealth) if network.telehealth else None
        return replace(network, telehealth=telehealth, copay_rule_why="", source={}, basis={}, disputed={})

    return [bare(network) for network in result.networks.values()]


def _remarks(lines: Iterable[BenefitLine]) -> list[str]:
    """What changes a price or a claim without being one of its figures."""
    notes = []
    for line in lines:
        if line.services and set(ORDER).isdisjoint(line.services):
            continue
        party = next((f"{each.name or each.id} {each.telephone}".strip() for each in line.parties), "")
        subject = {"place": line.where, "name": party, "amount": dollars(line.amount) if line.amount else ""}
        if line.kind is LineKind.SPEND_DOWN and line.amount:
            notes.append(
                _("Spend-down: the plan pays nothing before the member has spent %(amount)s (%(place)s).") % subject
            )
        elif line.kind is LineKind.SPEND_DOWN and line.amount is None:
            notes.append(_("Spend-down: the member must spend first, an amount is not told (%(place)s).") % subject)
        elif line.kind is LineKind.RESTRICTED and party:
            notes.append(_("The member may go to %(name)s only (%(place)s).") % subject)
        elif line.kind is LineKind.CARD_LOST:
            notes.append(_("The insurer has this card as lost or stolen (%(place)s).") % subject)
        elif line.kind is LineKind.MANAGED_BY and party and not line.about_therapy:
            notes.append(
                _("Care under this plan is managed by %(name)s (%(place)s): ask whether claims go there.") % subject
            )
    return notes


def _percent(share: Decimal | None) -> str:
    return "" if share is None else f"{(share * 100).normalize():f}%"


def _status(lines: tuple[BenefitLine, ...]) -> _Status:
    """Whether the coverage is active: the word on the whole plan, else on therapy, else on anything."""
    told = [line for line in lines if line.kind in _STATUS]
    status = _Status()
    tiers = (
        [line for line in told if line.about(WHOLE_PLAN)],
        [line for line in told if line.about_therapy],
        told,
    )
    chosen = next((tier for tier in tiers if tier), [])
    if not chosen:
        return status
    # Whatever the order of the lines: the one that says most, of several the one with the latest dates.
    chosen = sorted(chosen, key=lambda line: (line.begins or date.min, line.ends or date.min, line.plan), reverse=True)
    yes = [line for line in chosen if line.kind is LineKind.ACTIVE]
    no = [line for line in chosen if line.kind is LineKind.INACTIVE]
    if yes and no:
        status.conflicts.append(
            _("The coverage is called both active (%(yes)s) and not active (%(no)s): not known.")
            % {"yes": _places(yes), "no": _places(no)}
        )
        status.line, status.plan = yes[0], _plan(yes)
        return status
    status.active, status.line, status.plan = bool(yes), chosen[0], _plan(chosen)
    if chosen and not tiers[0] and not tiers[1]:
        services = {service for line in chosen for service in line.services}
        status.notes.append(
            _("Coverage is only told for %(services)s (%(place)s): nothing is said about therapy.")
            % {"services": service_words(services), "place": _places(chosen)}
        )
    return status


def _plan(lines: list[BenefitLine]) -> str:
    return next((line.plan for line in lines if line.plan), "")


def _places(lines: list[BenefitLine]) -> str:
    return ", ".join(line.where for line in lines[:4])
