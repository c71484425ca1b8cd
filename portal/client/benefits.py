"""What the benefits page adds to a plan: figures put right, the last answer, and what the client's sessions add."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing.domain.pricing import Remaining
from billing.services.forecast import Counted, Outlook
from common.money import ZERO, dollars
from insurance.models import BenefitSnapshot, EligibilityCheck
from portal.client.reading import Meter, PlanView
from portal.templatetags.headway_ui import percent

SHOWN = 5
"""So many corrections are told; older ones are history that no price rests on."""


# --- Corrections ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Put:
    """One figure that was put right. ``said`` and ``now`` are clauses: what the insurer had told, what is true."""

    name: str
    said: str
    now: str


@dataclass(frozen=True, slots=True)
class Correction:
    """Figures put right on one day, and why."""

    when: datetime
    source: str
    note: str
    figures: tuple[Put, ...]


def corrections_of(plans: Sequence[PlanView]) -> dict[int, tuple[Correction, ...]]:
    """The corrections that hold or held in the plans' years, newest first: coverage id → corrections. One query.

    A correction that the next snapshots carry on is told once, on the day it was first made.
    """
    found: dict[int, list[Correction]] = {}
    begun = {plan.coverage.pk: plan.snapshot.plan_begin for plan in plans if plan.snapshot is not None}
    rows = (
        BenefitSnapshot.objects.filter(coverage__in=begun)
        .exclude(corrects={})
        .order_by("observed_at", "pk")
        .values_list("coverage", "observed_at", "source", "note", "corrects", "plan_begin")
    )
    known: dict[int, dict[str, Any]] = {}
    for coverage, when, source, note, corrects, plan_begin in rows:
        if plan_begin != begun[coverage]:
            continue
        before = known.get(coverage, {})
        new = {
            figure: change
            for figure, change in corrects.items()
            if figure not in before or before[figure]["is"] != change["is"]
        }
        known[coverage] = corrects
        if new:
            figures = tuple(
                Put(figure_name(figure), _said(figure, change.get("said")), _now(figure, change["is"]))
                for figure, change in new.items()
            )
            found.setdefault(coverage, []).append(Correction(when, source, note, figures))
    return {coverage: tuple(reversed(each[-SHOWN:])) for coverage, each in found.items()}


def figure_name(figure: str) -> str:
    """A figure of a snapshot in words: ``in_network.visits.limit`` is "Visits in all"."""
    path = figure.split(".")
    video = "telehealth" in path
    names = {
        "active": _("Whether the plan is active"),
        "copay": _("Copay for a video visit") if video else _("Copay for a visit"),
        "coinsurance": _("Coinsurance for a video visit") if video else _("Coinsurance"),
        "copay_rule": _("Whether the deductible comes before the copay"),
        "covered": _("Whether therapy is covered"),
        "authorization_required": _("Whether the insurer wants to approve sessions first"),
        "deductible_applies": _("Whether the deductible applies to therapy"),
    }
    if path[-1] in names:
        return names[path[-1]]
    if "visits" in path:
        return _("Visits left") if path[-1] == "remaining" else _("Visits in all")
    family = "family" in path
    if "deductible" in path:
        name = _("Family deductible") if family else _("Deductible")
    elif "out_of_pocket" in path:
        name = _("Family out-of-pocket maximum") if family else _("Out-of-pocket maximum")
    else:
        return _("Another figure of the plan")
    return _("%(name)s, what is left") % {"name": name} if path[-1] == "remaining" else name


def _said(figure: str, value: object) -> str:
    if value is None:
        return _("the insurer had said nothing")
    return _("the insurer had said %(value)s") % {"value": figure_value(figure, value)}


def _now(figure: str, value: object) -> str:
    if value is not None:
        return _("it is %(value)s") % {"value": figure_value(figure, value)}
    if figure.rpartition(".")[2] in ("copay", "coinsurance"):
        return _("this plan has none")
    return _("it is not known")


def figure_value(figure: str, value: object) -> str:
    """A figure's plain JSON value in words."""
    kind = figure.rpartition(".")[2]
    rules = {
        "waives_deductible": _("the copay alone, without the deductible"),
        "before_deductible": _("first the copay, then the deductible"),
        "after_deductible": _("first the deductible, then the copay"),
    }
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if kind == "copay_rule":
        return rules.get(str(value), str(value))
    if kind == "coinsurance":
        return percent(Decimal(str(value)))
    if ".visits." in figure:
        return str(value)
    return dollars(Decimal(str(value)))


# --- The plan with all of it ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BenefitView:
    """One plan as the benefits page tells it. ``answered``: the newest question that the insurer answered."""

    plan: PlanView
    answered: EligibilityCheck | None
    corrections: tuple[Correction, ...]
    counted: Counted | None

    @property
    def figures_day(self) -> datetime | None:
        """The day of the figures."""
        return self.plan.snapshot.observed_at if self.plan.snapshot else None

    @property
    def by_support(self) -> bool:
        return self.plan.snapshot is not None and self.plan.snapshot.source == BenefitSnapshot.Source.SUPPORT

    @property
    def by_evidence(self) -> bool:
        return self.plan.snapshot is not None and self.plan.snapshot.source == BenefitSnapshot.Source.REMITTANCE

    @property
    def meters(self) -> dict[str, Meter]:
        """The plan's meters, with what the client's own sessions add where that is known."""
        found = self.plan.meters
        if self.counted is None or not self.counted.sessions:
            return found
        left = _by_name(self.counted.left)
        return {name: _with_sessions(meter, left[name]) for name, meter in found.items()}

    @property
    def adds_nothing(self) -> bool:
        """Sessions are counted, but they have used nothing of any figure that is known."""
        return all(not meter.since for meter in self.meters.values())


def _by_name(left: Remaining) -> dict[str, Decimal | None]:
    return {
        "deductible": left.deductible,
        "family_deductible": left.family_deductible,
        "out_of_pocket": left.out_of_pocket,
        "family_out_of_pocket": left.family_out_of_pocket,
    }


def _with_sessions(meter: Meter, left: Decimal | None) -> Meter:
    if left is None or meter.left is None:
        return meter
    return replace(meter, since=max(ZERO, meter.left - left))


def benefit_views(plans: Sequence[PlanView], outlook: Outlook) -> list[BenefitView]:
    """The plans with all the page tells of them; two queries for any number of plans."""
    answered = {
        check.coverage_id: check
        for check in EligibilityCheck.objects.filter(
            coverage__in=[plan.coverage for plan in plans], state=EligibilityCheck.State.ANSWERED
        )
        .order_by("coverage_id", "-pk")
        .distinct("coverage_id")
    }
    corrections = corrections_of(plans)
    first = outlook.coverage.pk if outlook.coverage else None
    return [
        BenefitView(
            plan=plan,
            answered=answered.get(plan.coverage.pk),
            corrections=corrections.get(plan.coverage.pk, ()),
            counted=outlook.counted if plan.coverage.pk == first else None,
        )
        for plan in plans
    ]
