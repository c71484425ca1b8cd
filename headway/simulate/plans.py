"""Plan designs, and the known ways in which an insurer's answers about them are wrong or stale. Drawn, never told to
the product: it sees 271s and 835s only."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

CALENDAR = date(2030, 1, 1)
OTHER_YEARS = (
    date(2029, 4, 1), date(2029, 5, 1), date(2029, 7, 1), date(2029, 9, 1), date(2029, 11, 1), date(2030, 2, 1),
)  # fmt: skip
"""First days of plan years that are not the calendar's; each starts anew on its anniversary."""


@dataclass
class Drawn:
    """One member's plan at the insurer, as control documents say it.

    ``plan`` and ``used`` are the insurer's record, ``reported`` what its 271s say instead. ``family_care`` are dollars
    of the family's deductible that the others of the family use early in the year. ``telehealth`` is the share of the
    client's sessions that are remote.
    """

    design: str
    plan: dict[str, Any]
    used: dict[str, Any] = field(default_factory=dict)
    reported: dict[str, Any] = field(default_factory=dict)
    begins: date = CALENDAR
    family_care: str = ""
    telehealth: float = 0.3

    def with_used(self, deductible: Decimal | int, more: Decimal | int = 0) -> "Drawn":
        """So much of the deductible is used, and of the maximum that and ``more``."""
        self.used = {"deductible": _money(deductible), "out_of_pocket": _money(Decimal(deductible) + more)}
        return self

    def with_deductible_met(self) -> "Drawn":
        return self.with_used(Decimal(self.plan["deductible"]))


Design = Callable[[Random], Drawn]


def _money(amount: Decimal | int) -> str:
    return f"{Decimal(amount):.2f}"


def _between(draw: Random, least: int, most: int, step: int) -> str:
    return _money(draw.randrange(least, most + 1, step))


# Designs


def _copay_waives(draw: Random) -> Drawn:
    return Drawn("copay, no deductible", {
        "copay": _between(draw, 20, 45, 5), "copay_rule": "waives_deductible",
        "deductible": _between(draw, 500, 2000, 250), "out_of_pocket": _between(draw, 3000, 6000, 500),
    })  # fmt: skip


def _copay_before(draw: Random) -> Drawn:
    return Drawn("copay before deductible", {
        "copay": _between(draw, 15, 30, 5), "copay_rule": "before_deductible", "coinsurance": "0.20",
        "deductible": _between(draw, 300, 900, 100), "out_of_pocket": _between(draw, 2500, 5000, 500),
    })  # fmt: skip


def _copay_after(draw: Random) -> Drawn:
    return Drawn("copay after deductible", {
        "copay": _between(draw, 20, 40, 5), "copay_rule": "after_deductible",
        "deductible": _between(draw, 300, 1200, 100), "out_of_pocket": _between(draw, 2500, 5000, 500),
    })  # fmt: skip


def _coinsurance(draw: Random) -> Drawn:
    return Drawn("coinsurance", {
        "coinsurance": draw.choice(("0.10", "0.20", "0.30")),
        "deductible": _between(draw, 250, 1500, 250), "out_of_pocket": _between(draw, 3000, 6000, 500),
    })  # fmt: skip


def _low_maximum(draw: Random) -> Drawn:
    return Drawn("low maximum", {
        "coinsurance": "0.30",
        "deductible": _between(draw, 250, 500, 50), "out_of_pocket": _between(draw, 900, 1500, 100),
    })  # fmt: skip


def _family(draw: Random) -> Drawn:
    own = draw.randrange(1000, 1801, 200)
    return Drawn("family, embedded", {
        "coinsurance": draw.choice(("0.10", "0.20")),
        "deductible": _money(own), "family_deductible": _money(own * 2),
        "out_of_pocket": _money(own + 2000), "family_out_of_pocket": _money(own * 2 + 4000),
    })  # fmt: skip


def _family_only(draw: Random) -> Drawn:
    return Drawn("family, aggregate", {
        "coinsurance": "0.20",
        "family_deductible": _between(draw, 1200, 2400, 200), "family_out_of_pocket": _between(draw, 5000, 8000, 1000),
    })  # fmt: skip


def _telehealth(draw: Random) -> Drawn:
    drawn = Drawn("telehealth apart", {
        "copay": _between(draw, 30, 45, 5), "copay_rule": "waives_deductible",
        "telehealth": {"copay": _between(draw, 0, 15, 5), "copay_rule": "waives_deductible"},
        "deductible": _between(draw, 0, 1000, 500), "out_of_pocket": _between(draw, 2500, 4000, 500),
    })  # fmt: skip
    drawn.telehealth = 0.6
    return drawn


def _visit_limit(draw: Random) -> Drawn:
    drawn = _copay_waives(draw)
    drawn.design = "visit limit"
    drawn.plan["visit_limit"] = draw.choice((20, 30, 40))
    return drawn


def nominal(draw: Random) -> Drawn:
    """Medicaid's: a few dollars."""
    return Drawn("nominal copay", {"copay": "3.00", "copay_rule": "waives_deductible", "deductible": "0.00"})


def medicare(draw: Random) -> Drawn:
    """Medicare Part B's: a deductible, then a fifth, without a maximum."""
    return Drawn("Medicare", {"coinsurance": "0.20", "deductible": "260.00"})


DESIGNS: tuple[tuple[Design, int], ...] = (
    (_copay_waives, 24), (_coinsurance, 18), (_copay_after, 10), (_copay_before, 8), (_family, 9), (_family_only, 5),
    (_telehealth, 9), (_low_maximum, 6), (_visit_limit, 5), (nominal, 6),
)  # fmt: skip
"""How often each is drawn, of a hundred."""


def right(draw: Random) -> Drawn:
    """A plan whose insurer answers by its books."""
    designs, weights = zip(*DESIGNS, strict=True)
    drawn: Drawn = draw.choices(designs, weights)[0](draw)
    if draw.random() < 0.4:
        drawn.begins = draw.choice(OTHER_YEARS)
    deductible = Decimal(drawn.plan.get("deductible", "0.00"))
    if deductible and draw.random() < 0.5:
        drawn.with_used(deductible * draw.choice((Decimal("0.25"), Decimal("0.5"), Decimal(1))))
    if drawn.design == "visit limit" and draw.random() < 0.5:
        drawn.used["visits"] = draw.randrange(0, 12)
    return drawn


# Wrong and stale answers. Each comes with a plan on which it shows in weekly sessions.


def _copay_low(draw: Random) -> Drawn:
    drawn = _copay_waives(draw)
    drawn.reported = {"plan": {"copay": _money(Decimal(drawn.plan["copay"]) - 15)}}
    return drawn


def _copay_high(draw: Random) -> Drawn:
    drawn = _copay_waives(draw)
    drawn.reported = {"plan": {"copay": _money(Decimal(drawn.plan["copay"]) + 15)}}
    return drawn


def _coinsurance_wrong(draw: Random) -> Drawn:
    drawn = _coinsurance(draw).with_deductible_met()
    others = [each for each in ("0.00", "0.10", "0.20", "0.30", "0.50") if each != drawn.plan["coinsurance"]]
    drawn.reported = {"plan": {"coinsurance": draw.choice(others)}}
    return drawn


def _said_waived(draw: Random) -> Drawn:
    drawn = draw.choice((_copay_after, _copay_before))(draw)
    drawn.reported = {"plan": {"copay_rule": "waives_deductible"}}
    return drawn


def _said_after(draw: Random) -> Drawn:
    drawn = _copay_waives(draw)
    drawn.reported = {"plan": {"copay_rule": "after_deductible"}}
    return drawn


def _said_met(draw: Random) -> Drawn:
    drawn = _coinsurance(draw)
    drawn.plan["deductible"] = _between(draw, 750, 1500, 250)
    met = drawn.plan["deductible"]
    drawn.reported = {"used": {"deductible": met, "out_of_pocket": met}}
    return drawn


def _said_untouched(draw: Random) -> Drawn:
    drawn = draw.choice((_coinsurance, _copay_after))(draw).with_deductible_met()
    drawn.reported = {"used": {"deductible": "0.00", "out_of_pocket": "0.00"}}
    return drawn


def _stale(draw: Random) -> Drawn:
    drawn = _coinsurance(draw)
    drawn.plan |= {"deductible": _between(draw, 500, 700, 100), "coinsurance": "0.20"}
    drawn.reported = {"stale": {"days": 60}}
    return drawn


def _family_stale(draw: Random) -> Drawn:
    drawn = _family(draw)
    drawn.family_care = drawn.plan["family_deductible"]
    drawn.reported = {"stale": {"days": 300, "whose": "family"}}
    return drawn


def _maximum_high(draw: Random) -> Drawn:
    drawn = _low_maximum(draw)
    room = draw.randrange(120, 241, 40)
    deductible = Decimal(drawn.plan["deductible"])
    drawn.with_used(deductible, Decimal(drawn.plan["out_of_pocket"]) - deductible - room)
    drawn.reported = {"plan": {"out_of_pocket": "5000.00"}}
    return drawn


def _maximum_low(draw: Random) -> Drawn:
    drawn = _coinsurance(draw).with_deductible_met()
    drawn.plan["coinsurance"] = "0.30"
    said = Decimal(drawn.plan["deductible"]) + draw.randrange(80, 201, 40)
    drawn.reported = {"plan": {"out_of_pocket": _money(said)}}
    return drawn


def _telehealth_wrong(draw: Random) -> Drawn:
    drawn = _telehealth(draw)
    drawn.reported = {"plan": {"telehealth": {"copay": drawn.plan["copay"], "copay_rule": "waives_deductible"}}}
    return drawn


def _said_inactive(draw: Random) -> Drawn:
    drawn = _copay_waives(draw)
    drawn.reported = {"plan": {"active": False}}
    return drawn


def _another_plan(draw: Random) -> Drawn:
    drawn = _copay_waives(draw)
    other = _coinsurance(draw).plan
    drawn.reported = {"plan": {"copay": None, **other}}
    return drawn


def _visits_wrong(draw: Random) -> Drawn:
    drawn = _copay_waives(draw)
    drawn.plan["visit_limit"] = 20
    drawn.used = {"visits": draw.randrange(14, 18)}
    drawn.reported = {"plan": {"visit_limit": 60}}
    return drawn


WRONG: dict[str, Design] = {
    "copay said too low": _copay_low,
    "copay said too high": _copay_high,
    "other coinsurance said": _coinsurance_wrong,
    "deductible said to be waived": _said_waived,
    "copay said to come after the deductible": _said_after,
    "deductible said to be met": _said_met,
    "deductible said to be untouched": _said_untouched,
    "all figures 60 days old": _stale,
    "family figures 300 days old": _family_stale,
    "maximum said too high": _maximum_high,
    "maximum said too low": _maximum_low,
    "telehealth said to cost as the office": _telehealth_wrong,
    "said to be inactive": _said_inactive,
    "figures of another plan": _another_plan,
    "visit limit said too high": _visits_wrong,
}
