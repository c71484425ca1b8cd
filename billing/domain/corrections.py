"""Benefits as an insurer told them, and as we take them for true: the step between a snapshot and its reading. Pure.

Figures are named by their place in a snapshot's JSON (``in_network.deductible.individual.remaining``); a correction is
``{figure: {"said": …, "is": …}}`` with plain JSON values, ``null`` where nothing is known.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from billing.domain.evidence import Left, Reading, Share, Told
from common.money import plain
from insurance.domain.benefits import (
    Accumulators,
    Benefits,
    NetworkBenefits,
    network_to_json,
    share_text,
)

Figures = dict[str, dict[str, Any]]

SHARE = ("copay", "copay_rule", "coinsurance")


def told_of(benefits: Benefits, at: datetime, on: date | None = None) -> Told:
    """What one snapshot says of a plan year, as evidence is read against it; ``on``: the day it was asked about."""
    figures = benefits.in_network
    visits = 0 if figures.covered is False else figures.visits.remaining
    return Told(
        at=at,
        office=share_of(figures),
        telehealth=share_of(figures.for_telehealth()),
        left=Left(_least(figures.deductible, "remaining"), _least(figures.out_of_pocket, "remaining"), visits),
        limit=Left(_least(figures.deductible, "limit"), _least(figures.out_of_pocket, "limit"), figures.visits.limit),
        active=benefits.active,
        on=on,
    )


def share_of(figures: NetworkBenefits) -> Share:
    """What a visit costs, apart from deductible and maximum."""
    return Share(figures.copay, figures.copay_rule, figures.coinsurance)


def _least(both: Accumulators, which: str) -> Decimal | None:
    """The lesser of the member's own and the family's figure, which is the one that binds."""
    known = []
    for one in (both.individual, both.family):
        amount: Decimal | None = getattr(one, which)
        if amount is None and which == "remaining" and one.limit == 0:
            amount = one.limit
        if amount is not None:
            known.append(amount)
    return min(known, default=None)


def corrections(benefits: Benefits, reading: Reading) -> Figures:
    """The figures of a snapshot that the reading takes for wrong; empty when it was right."""
    found: Figures = {}
    document = as_document(benefits)

    def put(figure: str, value: Any) -> None:
        said = value_of(document, figure)
        if said != value:
            found[figure] = {"said": said, "is": value}

    if reading.active is True and benefits.active is False:
        put("active", True)
    for name, value in zip(SHARE, _as_json(reading.office.share), strict=True):
        put(f"in_network.{name}", value)
    told = reading.told.left
    for figure, before, now in (
        ("in_network.deductible", told.deductible, reading.left.deductible),
        ("in_network.out_of_pocket", told.maximum, reading.left.maximum),
    ):
        if before != now:
            for level, value in _levels(document, figure, before, now).items():
                put(f"{figure}.{level}.remaining", value)
            if now is None:
                # A limit of nothing would say that nothing is left.
                for level in ("individual", "family"):
                    if value_of(document, f"{figure}.{level}.limit") in ("0.00", "0"):
                        put(f"{figure}.{level}.limit", None)
    if reading.left.visits != told.visits:
        if benefits.in_network.covered is False:
            put("in_network.covered", True)
        put("in_network.visits.remaining", reading.left.visits)
    video = Benefits.from_json(lay_over(document, found)).in_network.for_telehealth()
    if share_of(video) != reading.telehealth.share:
        for name, value in zip(SHARE, _as_json(reading.telehealth.share), strict=True):
            put(f"in_network.telehealth.{name}", value)
    return found


def _as_json(share: Share) -> tuple[str | None, str | None, str | None]:
    return plain(share.copay), share.rule.value if share.rule else None, share_text(share.coinsurance)


def _levels(document: Mapping[str, Any], figure: str, before: Decimal | None, now: Decimal | None) -> dict[str, Any]:
    """Which of the member's own and the family's figure must move so that ``now`` is what binds."""
    said = {level: value_of(document, f"{figure}.{level}.remaining") for level in ("individual", "family")}
    known = [level for level, value in said.items() if value is not None]
    if now is None:
        return dict.fromkeys(known)
    if before is not None and now > before:
        return {level: plain(now) for level in known if Decimal(said[level]) < now}
    return {"family" if known == ["family"] else "individual": plain(now)}


def as_document(benefits: Benefits) -> dict[str, Any]:
    """A snapshot's JSON, apart from the value it was made from."""
    document: dict[str, Any] = json.loads(json.dumps(benefits.to_json()))
    return document


def value_of(document: Mapping[str, Any], figure: str) -> Any:
    """One figure of a snapshot; what a video visit costs, where nothing is said of it, is what any visit costs."""
    place, _dot, name = figure.rpartition(".")
    if place.endswith(".telehealth") and name in SHARE:
        network = place.removesuffix(".telehealth")
        share = getattr(Benefits.from_json(document), network).for_telehealth()
        return dict(zip(SHARE, _as_json(share_of(share)), strict=True))[name]
    node: Any = document
    for key in figure.split("."):
        node = node[key]
    return node


def lay_over(document: Mapping[str, Any], figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A snapshot with figures put right. What was concluded from a figure that was wrong is not kept."""
    corrected = deepcopy(dict(document))
    for figure, change in figures.items():
        *path, name = figure.split(".")
        node: Any = corrected
        for key in path:
            if node[key] is None:
                node[key] = network_to_json(NetworkBenefits())
            node = node[key]
        node[name] = change["is"]
        if name == "copay_rule":
            node["copay_rule_inferred"], node["copay_rule_why"] = False, ""
    return corrected


def still_said(benefits: Benefits, figures: Mapping[str, Mapping[str, Any]]) -> Figures:
    """Of corrections made to an earlier answer those whose wrong figure the insurer repeats in this one."""
    document = as_document(benefits)
    return {figure: dict(change) for figure, change in figures.items() if value_of(document, figure) == change["said"]}
