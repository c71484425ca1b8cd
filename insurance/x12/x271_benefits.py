"""From a 271's EB lines to the benefits of a therapy session: codes are translated here, the choice is the domain's.

Code meanings follow 005010X279A1 (EB01, EB02, EB06, EB12, NM101).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from insurance.domain.benefit_choice import choose
from insurance.domain.benefit_lines import BenefitLine, Level, LineKind, LineParty, Network, Role, Span
from insurance.domain.benefits import Benefits, network_to_json
from insurance.x12.eligibility import Name, Period

if TYPE_CHECKING:
    from decimal import Decimal

    from insurance.x12.x271 import Benefit, Response

_KINDS = {
    **dict.fromkeys("12345", LineKind.ACTIVE),
    **dict.fromkeys("678", LineKind.INACTIVE),
    "A": LineKind.COINSURANCE,
    "B": LineKind.COPAY,
    "C": LineKind.DEDUCTIBLE,
    "E": LineKind.NOT_COVERED,
    "F": LineKind.LIMIT,
    "G": LineKind.OUT_OF_POCKET,
    "I": LineKind.NOT_COVERED,
    "MC": LineKind.MANAGED_BY,
    "N": LineKind.RESTRICTED,
    "R": LineKind.OTHER_PAYER,
    "T": LineKind.CARD_LOST,
    "U": LineKind.CONTACT,
    "V": LineKind.UNAVAILABLE,
    "W": LineKind.CONTACT,
    "Y": LineKind.SPEND_DOWN,
}
_PENDING = frozenset("578")
_SPANS = {
    "": Span.NOT_STATED,
    "7": Span.DAY,
    "13": Span.DAY,
    "22": Span.YEAR,
    "23": Span.CALENDAR_YEAR,
    "24": Span.TO_DATE,
    "25": Span.YEAR,
    "27": Span.VISIT,
    "29": Span.REMAINING,
}
_NETWORKS = {"Y": Network.IN, "N": Network.OUT, "W": Network.BOTH}
_ROLES = {
    "PRP": Role.PRIMARY,
    "SEP": Role.SECONDARY,
    "TTP": Role.TERTIARY,
    "PR": Role.PAYER,
    "P4": Role.PAYER,
    "IL": Role.MEMBER,
    **dict.fromkeys(("1P", "P3", "FA", "73", "1I", "3D", "OC", "LR", "36", "03", "QC"), Role.PROVIDER),
}
_MEDICARE_SECONDARY = frozenset({"12", "13", "14", "15", "16", "41", "42", "43", "47"})
"""EB04: why Medicare pays second (working aged, ESRD, disability and so on)."""
_PERSON_OF_DEPENDENT = frozenset({"CHD", "DEP", "SPO"})
_FAMILIES = frozenset({"FAM", "ESP", "ECH", "SPC"})

_PLAN_SPANS = ("291", "307")
_PLAN_BEGINS = ("346", "356")
_PLAN_ENDS = ("347", "357")
_LINE_SPANS = ("291", "292", "307", "435", "193")
_LINE_BEGINS = ("346", "348", "356", "193")
_LINE_ENDS = ("347", "349", "357", "194")
_OPEN_END = 2099
"""An end in this year or later is an insurer's way to write "open"."""


def benefits_of(response: Response, *, on: date | None = None) -> Benefits:
    """The benefits of a therapy session on day ``on``; by default on the day the answer is about."""
    begin, end = _dates(response.dates, _PLAN_SPANS, _PLAN_BEGINS, _PLAN_ENDS)
    return choose(
        lines_of(response),
        payer_name=response.payer.full,
        payer_id=response.payer.id,
        on=on or response.service_date,
        plan_begin=begin,
        plan_end=end,
        plan_source=", ".join(
            period.where
            for period in response.dates
            if period.where and period.qualifier in (*_PLAN_SPANS, *_PLAN_BEGINS, *_PLAN_ENDS)
        ),
    )


def lines_of(response: Response) -> tuple[BenefitLine, ...]:
    """The answer's EBs, free of X12 codes but for service types, places and procedures."""
    return tuple(_line(benefit, dependent=response.dependent is not None) for benefit in response.benefits)


def _line(benefit: Benefit, *, dependent: bool) -> BenefitLine:
    own = ("290",) if benefit.code == "R" else ()
    begins, ends = _dates(benefit.dates, (*own, *_LINE_SPANS), (*own, *_LINE_BEGINS), _LINE_ENDS, line_first=bool(own))
    member = {reference.qualifier: reference.value for reference in reversed(benefit.references)}
    return BenefitLine(
        kind=_KINDS.get(benefit.code, LineKind.OTHER),
        where=benefit.where,
        services=benefit.services,
        level=_level(benefit.level, dependent=dependent),
        network=_NETWORKS.get(benefit.network, Network.NOT_STATED),
        span=_SPANS.get(benefit.period, Span.OTHER),
        amount=benefit.amount,
        share=benefit.share,
        visits=tuple(_visits(benefit)),
        authorization={"Y": True, "N": False}.get(benefit.authorization),
        places=benefit.places,
        procedure=" ".join(benefit.procedure),
        diagnosis=" ".join(benefit.diagnoses),
        plan=benefit.plan,
        insurance="" if benefit.insurance_type in _MEDICARE_SECONDARY else benefit.insurance_type,
        messages=benefit.messages,
        begins=begins,
        ends=ends,
        pending=benefit.code in _PENDING,
        medicare_secondary=benefit.insurance_type in _MEDICARE_SECONDARY,
        member_id=member.get("1W") or member.get("IG") or "",
        parties=tuple(_party(name) for name in benefit.names),
    )


def _level(code: str, *, dependent: bool) -> Level:
    """EB02. A figure for a child or spouse is the patient's own when the patient is a dependent, and so on."""
    if code == "IND" or (dependent and code in _PERSON_OF_DEPENDENT) or (not dependent and code == "EMP"):
        return Level.INDIVIDUAL
    if code in _FAMILIES:
        return Level.FAMILY
    return Level.OTHER if code else Level.NOT_STATED


def _visits(benefit: Benefit) -> Iterable[tuple[Span, Decimal]]:
    """Visit counts of EB09/EB10 and of the HSDs, each with its time period."""
    span = _SPANS.get(benefit.period, Span.OTHER)
    if benefit.unit == "VS" and benefit.quantity is not None:
        yield span, benefit.quantity
    for delivery in benefit.deliveries:
        if delivery.unit == "VS" and delivery.quantity is not None:
            yield (_SPANS.get(delivery.period, Span.OTHER) if delivery.period else span), delivery.quantity


def _party(name: Name) -> LineParty:
    member = name.qualifier == "MI" or name.entity == "IL"
    return LineParty(
        role=_ROLES.get(name.entity, Role.ORGANIZATION),
        name=name.full,
        id="" if member else name.id,
        member_id=name.id if member else "",
        telephone=next((contact.telephone for contact in name.contacts if contact.telephone), ""),
    )


def _dates(
    periods: Iterable[Period],
    spans: tuple[str, ...],
    begins: tuple[str, ...],
    ends: tuple[str, ...],
    *,
    line_first: bool = False,
) -> tuple[date | None, date | None]:
    """First and last day. A range speaks for both; a single day counts only where its code says begin or end: a single
    291 is the day asked about, not the plan's first day. ``line_first``: a range wins over single days (DTP*290)."""
    periods = tuple(periods)
    begin = next((p.first for code in begins for p in periods if p.qualifier == code and p.single), None)
    end = next((p.first for code in ends for p in periods if p.qualifier == code and p.single), None)
    ranges = [p for code in spans for p in periods if p.qualifier == code and not p.single]
    if ranges and (line_first or begin is None):
        begin = ranges[0].first
    if ranges and (line_first or end is None):
        end = ranges[0].last
    return begin, None if end is not None and end.year >= _OPEN_END else end


def describe_response(response: Response) -> dict[str, object]:
    """One answer as the contract of ``read_edi`` has it, with the conclusions beside it."""
    benefits = benefits_of(response)
    patient = response.patient
    behavioral: dict[str, object] = {
        "in_network": network_to_json(benefits.in_network),
        "out_of_network": network_to_json(benefits.out_of_network),
    }
    if benefits.network_not_stated.says_anything:
        behavioral["network_not_stated"] = network_to_json(benefits.network_not_stated)
    return {
        "trace": response.trace or None,
        "payer": response.payer.full or response.payer.id or None,
        "member_id": response.member_id or None,
        "patient": (patient.full if patient else "") or None,
        "active": benefits.active,
        "plan": benefits.plan_name,
        "plan_begin": benefits.plan_begin.isoformat() if benefits.plan_begin else None,
        "plan_end": benefits.plan_end.isoformat() if benefits.plan_end else None,
        "year_begin": benefits.year_begin.isoformat() if benefits.year_begin else None,
        "year_end": benefits.year_end.isoformat() if benefits.year_end else None,
        "rejections": [
            {
                "code": rejection.code,
                "text": rejection.text,
                "follow_up": rejection.follow_up or None,
                "loop": rejection.loop,
                "helper": rejection.advice.helper.value,
                "next": rejection.advice.sentence,
            }
            for rejection in response.all_rejections
        ],
        "other_payers": [
            {"name": payer.name, "rank": payer.rank, "member_id": payer.member_id}
            for payer in benefits.other_payers
            if not (payer.ended and response.service_date and payer.ended < response.service_date)
        ],
        "cob_signal": benefits.cob_signal.value,
        "cob_reasons": list(benefits.cob_reasons),
        "carve_out": (
            f"{benefits.carve_out.name or 'not named'} {benefits.carve_out.telephone or ''}".strip()
            if benefits.carve_out
            else None
        ),
        "behavioral_health": behavioral,
        "conflicts": list(benefits.conflicts),
        "notes": list(benefits.notes),
        "messages": list(benefits.messages),
    }
