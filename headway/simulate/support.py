"""What support does in the simulated year: it works through the comparisons that the rules leave to a person.

Where figures are proposed it takes them. Where none are, it rings the insurer's provider line: a person there reads the
plan from the books, and support enters what is not as we have it. When all is as we have it, the case is closed.
"""

from typing import Any

from billing.flows import correct_benefits
from billing.models import Comparison
from billing.services import comparisons
from headway.demo.world import World
from insurance.models import Coverage
from people.models import User

NOTE = "The insurer's provider line says so."


def work_through(world: World, by: User, keys: dict[int, str]) -> None:
    """Work through everything that waits. ``keys``: where the insurer keeps the member, by coverage."""
    waiting = Comparison.objects.filter(state=Comparison.State.WAITING).order_by("pk").values_list("pk", flat=True)
    for pk in list(waiting):
        comparison = Comparison.objects.select_related("coverage__payer", "session").get(pk=pk)
        if comparison.state == Comparison.State.WAITING:
            _decide(comparison, world, by, keys[comparison.coverage_id])


def _decide(comparison: Comparison, world: World, by: User, key: str) -> None:
    if comparison.figures:
        correct_benefits.apply(comparison, by=by, note=NOTE)
        return
    coverage = comparison.coverage
    figures = read_out(coverage, world.member(coverage.payer.payer_id, key))
    try:
        snapshot = correct_benefits.enter(coverage, figures, by=by, note=NOTE)
    except correct_benefits.NothingToCorrect:
        correct_benefits.dismiss(comparison, by=by, note="The insurer's books agree with what we have.")
        return
    comparisons.mark_applied(comparison, snapshot, by=by, note=NOTE)


def read_out(coverage: Coverage, told: dict[str, Any]) -> dict[str, Any]:
    """What a person at the insurer reads from its books, by place in our snapshot; only places that the snapshot has.

    ``told`` is the answer of the stand-in's control API about the member.
    """
    plan, left = told["document"]["plan"], told["remaining"]
    snapshot = coverage.snapshots.order_by("-observed_at", "-pk").first()
    if snapshot is None:
        return {}
    ours = snapshot.benefits["in_network"]
    figures: dict[str, Any] = {
        "active": bool(plan.get("active", True)),
        **_share("in_network", plan),
    }
    if plan.get("telehealth") and ours["telehealth"]:
        figures |= _share("in_network.telehealth", plan["telehealth"])
    for figure, name in (("deductible", "deductible"), ("out_of_pocket", "out_of_pocket")):
        for level, member in (("individual", name), ("family", f"family_{name}")):
            if ours[figure][level]["remaining"] is not None and left[member] is not None:
                figures[f"in_network.{figure}.{level}.remaining"] = left[member]
    if left["visits"] is not None:
        figures["in_network.visits.limit"] = plan["visit_limit"]
        figures["in_network.visits.remaining"] = left["visits"]
    return figures


def _share(place: str, benefit: dict[str, Any]) -> dict[str, Any]:
    copay, coinsurance = benefit.get("copay"), benefit.get("coinsurance")
    rule = benefit.get("copay_rule", "waives_deductible") if copay is not None else None
    if rule == "waives_deductible":
        coinsurance = None
    return {f"{place}.copay": copay, f"{place}.copay_rule": rule, f"{place}.coinsurance": coinsurance}
