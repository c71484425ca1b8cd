"""Several plans in one answer: which one is taken, and why. Figures of two plans are never mixed.

A plan is told apart by what its status lines (active, not active) about the whole plan call it: the plan's name, or
where there is none the kind of insurance. A line that names none of these plans may belong to any of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from insurance.domain.benefit_lines import WHOLE_PLAN, BenefitLine, LineKind, Network
from insurance.domain.benefit_record import where

_STATUS = (LineKind.ACTIVE, LineKind.INACTIVE)
_FIGURES = (
    LineKind.COPAY,
    LineKind.COINSURANCE,
    LineKind.DEDUCTIBLE,
    LineKind.OUT_OF_POCKET,
    LineKind.LIMIT,
    LineKind.NOT_COVERED,
)
_HOSPITAL_PART = "MA"
"""Medicare Part A pays for hospital stays; therapy visits are Part B's (MB)."""


@dataclass(frozen=True, slots=True)
class Pick:
    """The lines to choose from. More than one set of ``lines``: plans between which the answer gives no reason to
    choose; ``names`` tells them apart, ``places`` where each is told."""

    lines: tuple[tuple[BenefitLine, ...], ...]
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def pick_plan(every: Iterable[BenefitLine], current: Iterable[BenefitLine]) -> Pick:
    """The plan that a therapy session is priced from. ``every``: all lines; ``current``: those in force."""
    every, current = tuple(every), tuple(current)
    status = [line for line in every if line.kind in _STATUS and line.about(WHOLE_PLAN) and _label(line)]
    names = {_label(line): _shown(line) for line in reversed(status)}
    if len(names) < 2 or _one_for_each_network(status):
        return Pick((current,))
    owner = _owner(status)
    in_force = {id(line) for line in current}
    told = [line for line in status if id(line) in in_force]
    alive = {_label(line) for line in told}
    if not alive:
        return Pick((current,))
    chosen, why = _prefer(alive, told, [line for line in current if owner(line)], owner)
    apart = (*_STATUS, *_FIGURES)
    mine = [line for line in current if line.kind not in apart or owner(line) in (*chosen, "")]
    others = sorted(names[label] for label in names if label not in chosen)
    rivals = {_label(line) for line in told if line.kind is LineKind.ACTIVE} - set(chosen)
    notes = []
    if len(chosen) == 1:
        notes.append(
            _("The answer tells of several plans. %(plan)s is taken: %(why)s. Not taken: %(others)s.")
            % {"plan": names[chosen[0]], "why": why, "others": ", ".join(others)}
        )
        unnamed = [line for line in mine if line.kind in _FIGURES and not owner(line)]
        if rivals and unnamed and any(line.kind in _FIGURES and owner(line) for line in current):
            mine = [line for line in mine if line not in unnamed]
            notes.append(
                _("Figures that do not say which of the plans they are of are not used (%(place)s).")
                % {"place": where(unnamed)}
            )
    return Pick(
        tuple(tuple(line for line in mine if line.kind not in apart or owner(line) in (label, "")) for label in chosen),
        tuple(names[label] for label in chosen),
        tuple(notes),
    )


def _label(line: BenefitLine) -> str:
    return " ".join(line.plan.upper().split()) or line.insurance


def _shown(line: BenefitLine) -> str:
    return f"{line.plan or _('insurance of kind %(code)s') % {'code': line.insurance}} ({line.where})"


def _one_for_each_network(status: list[BenefitLine]) -> bool:
    """Whether the names are one plan's inside and outside of its network."""
    networks: dict[str, set[Network]] = {}
    for line in status:
        networks.setdefault(_label(line), set()).add(line.network)
    sides = list(networks.values())
    return len(sides) == 2 and sides in ([{Network.IN}, {Network.OUT}], [{Network.OUT}, {Network.IN}])


def _owner(status: list[BenefitLine]) -> Callable[[BenefitLine], str]:
    """A function that tells the plan of a line: by its plan's name, or by its kind of insurance where only one of the
    plans is of that kind. Empty: the line does not say."""
    labels = {_label(line) for line in status}
    kinds: dict[str, set[str]] = {}
    for line in status:
        kinds.setdefault(line.insurance, set()).add(_label(line))

    def owner(line: BenefitLine) -> str:
        label = _label(line)
        if label in labels:
            return label
        of_kind = kinds.get(line.insurance, set()) if line.insurance else set()
        return next(iter(of_kind)) if len(of_kind) == 1 else ""

    return owner


def _prefer(
    labels: set[str], told: list[BenefitLine], owned: list[BenefitLine], owner: Callable[[BenefitLine], str]
) -> tuple[tuple[str, ...], str]:
    """The plans left after each reason to prefer one, and the reason that left a single one."""
    active = {_label(line) for line in told if line.kind is LineKind.ACTIVE}
    visits = {_label(line) for line in told if line.insurance != _HOSPITAL_PART}
    therapy = {owner(line) for line in owned if line.about_therapy and line.kind in (*_STATUS, *_FIGURES)}
    left, why = labels, _("it is the only one for this day")
    for preferred, reason in (
        (active, _("it is the only active one")),
        (visits, _("the other is for hospital stays")),
        (therapy, _("it is the one that speaks of therapy")),
    ):
        if len(left) > 1 and left & preferred and left & preferred != left:
            left, why = left & preferred, reason
    return tuple(sorted(left)), why
