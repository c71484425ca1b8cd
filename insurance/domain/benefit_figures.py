"""The figures of one network: what a therapy session costs there by the insurer's own lines.

Lines limited to telehealth are looked at apart from the others. Every figure keeps the segments it came from;
``docs/reading-benefits.md`` says why each rule is as it is.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from common.money import dollars, round_cents
from insurance.domain.benefit_accumulators import accumulator, visits
from insurance.domain.benefit_lines import (
    OFFICE_PLACE,
    ORDER,
    SERVICE_NAMES,
    TELEHEALTH_PLACES,
    THERAPY,
    WHOLE_PLAN,
    BenefitLine,
    Level,
    LineKind,
    Network,
    Span,
)
from insurance.domain.benefit_record import Record, where
from insurance.domain.benefits import Accumulators, CopayRule, NetworkBenefits
from insurance.domain.copay_rules import Verdict, read_sentences

_PLACEHOLDER = Decimal("999999")
"""Amounts of nines are written by some insurers for "no limit": they are not figures (X12 RFI 2795)."""

_TELEHEALTH = re.compile(r"\bTELE-?(HEALTH|MEDICINE|MED|PSYCH\w*|VISITS?)\b|\bVIRTUAL\b|\bVIDEO VISITS?\b")
_TELEHEALTH_TOO = re.compile(
    r"\bINCLUD|\bSAME AS\b|\bAS WELL\b|\bIN[- ]PERSON\b|\bOFFICE\b|\bNOT COVERED\b|\bEXCLUD|\bALSO\b"
)


@dataclass(slots=True)
class Chosen:
    """One network's benefits with what was concluded, missing or contradictory."""

    benefits: NetworkBenefits
    notes: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def choose_network(lines: Iterable[BenefitLine], network: Network, words: str) -> Chosen:
    """The figures of ``network`` (``words`` names it in notes); lines for both networks count for each."""
    wanted = {network, Network.BOTH} if network is not Network.NOT_STATED else {network}
    every = tuple(lines)
    record = Record(words)
    pool = tuple(line for line in every if line.network in wanted and _usable(line, record))
    general = tuple(line for line in pool if not _telehealth_only(line))
    covered = None
    if network is not Network.NOT_STATED:
        covered = _covered([line for line in every if line.network in (*wanted, Network.NOT_STATED)], record)
    shares = _shares(general, general, record)
    special = Record(f"{words}, telehealth", telehealth=True)
    remote = tuple(line for line in pool if _about_telehealth(line))
    remote_shares = _shares(remote, general, special, at_least=shares.service)
    telehealth = _network(remote, remote_shares, special)
    return Chosen(
        _network(general, shares, record, covered=covered, telehealth=telehealth if special.source else None),
        record.notes + special.notes,
        record.conflicts + special.conflicts,
    )


def _usable(line: BenefitLine, record: Record) -> bool:
    """Lines about a single procedure, or with a figure that is none, are told and left out."""
    if not set(ORDER) & set(line.services or (WHOLE_PLAN,)):
        return False
    reason = ""
    if line.amount is not None and line.amount < 0:
        reason = f"{dollars(line.amount)} is negative"
    elif line.amount is not None and line.amount >= _PLACEHOLDER:
        reason = f"{dollars(line.amount)} stands for “no figure”"
    elif line.share is not None and not 0 <= line.share <= 1:
        reason = f"a share of {line.share:f} is not between 0 and 1"
    elif line.procedure:
        reason = f"it is for procedure {line.procedure} alone"
    if reason:
        record.notes.append(f"A line is not used: {reason} ({line.where}).")
    return not reason


# Telehealth


def _says_telehealth_alone(line: BenefitLine) -> bool:
    text = " ".join(line.messages).upper()
    return bool(_TELEHEALTH.search(text)) and not _TELEHEALTH_TOO.search(text)


def _telehealth_only(line: BenefitLine) -> bool:
    """By its places of service, or where it has none by its sentences."""
    return set(line.places) <= TELEHEALTH_PLACES if line.places else _says_telehealth_alone(line)


def _about_telehealth(line: BenefitLine) -> bool:
    return bool(set(line.places) & TELEHEALTH_PLACES) if line.places else _says_telehealth_alone(line)


# Covered or not


def _covered(lines: list[BenefitLine], record: Record) -> bool | None:
    """Whether therapy is covered in this network: the most specific service type with a status decides.

    A line for this network goes before one that names none; one that names none can deny cover, not promise it here.
    """
    status = (LineKind.ACTIVE, LineKind.INACTIVE, LineKind.NOT_COVERED)
    about = [line for line in lines if line.kind in status and not line.procedure and not line.places]
    for service in (*THERAPY, WHOLE_PLAN):
        told = [line for line in about if line.about(service)]
        told = [line for line in told if line.network is not Network.NOT_STATED] or told
        no = [line for line in told if line.kind is not LineKind.ACTIVE]
        named = any(line.network is not Network.NOT_STATED for line in told)
        subject = f"{SERVICE_NAMES[service].capitalize()} ({record.words})"
        if not told:
            continue
        if not no:
            return True if named else None
        record.source["covered"] = where(no)
        if len(no) == len(told):
            record.notes.append(f"{subject}: not covered ({where(no)}).")
            return False
        if all(line.messages for line in no):
            record.notes.append(f"{subject}: covered, but not everything ({where(no)}): {no[0].messages[0]}.")
            return True if named else None
        record.conflicts.append(f"{subject}: called both covered and not covered ({where(told)}).")
        return None
    return None


# Copay, coinsurance and how they go with the deductible


@dataclass(frozen=True, slots=True)
class _Shares:
    service: str | None = None
    copay: Decimal | None = None
    coinsurance: Decimal | None = None
    verdict: Verdict = field(default_factory=Verdict)


def _shares(
    lines: tuple[BenefitLine, ...], general: tuple[BenefitLine, ...], record: Record, at_least: str | None = None
) -> _Shares:
    """Copay and coinsurance come from one service type, the most specific that has either: a plan that has a copay for
    therapy does not add its general coinsurance to it.

    ``general``: the network's lines that are not limited to telehealth. ``at_least``: take nothing less specific.
    """
    priced = [line for line in lines if line.amount is not None or line.share is not None]
    priced = [line for line in priced if _is_share(line) and _for_one_visit(line, record)]
    for service in ORDER:
        told = [line for line in priced if line.about(service)]
        about = record.at_place(told)
        if not about:
            continue
        if at_least is not None and ORDER.index(service) > ORDER.index(at_least):
            record.notes.append(
                f"What is said for {SERVICE_NAMES[service]} by telehealth is not taken: "
                f"{SERVICE_NAMES[at_least]} has figures of its own ({where(about)})."
            )
            break
        copays = [line for line in about if line.kind is LineKind.COPAY]
        coinsurances = [line for line in about if line.kind is LineKind.COINSURANCE]
        copay = record.agree_on_dollars(copays, "copay", "copay")
        coinsurance = record.agree_on_share(coinsurances, "coinsurance", "coinsurance")
        if service not in THERAPY:
            record.notes.append(
                f"No copay or coinsurance is stated for mental health ({record.words}): the one for "
                f"{SERVICE_NAMES[service]} is taken ({where(about)})."
            )
        if not record.telehealth:
            office = [line for line in told if OFFICE_PLACE in line.places]
            if about == office:
                record.notes.append(f"The figures ({record.words}) are for an office alone ({where(about)}).")
            elif office:
                record.notes.append(f"There are other figures for an office alone, not used ({where(office)}).")
        verdict = _verdict(
            service,
            copays=copays,
            coinsurances=coinsurances,
            copay=copay,
            coinsurance=coinsurance,
            pools=(lines, general),
            record=record,
        )
        return _Shares(service, None if copay is None else round_cents(copay), coinsurance, verdict)
    return _Shares()


def _is_share(line: BenefitLine) -> bool:
    return (line.kind is LineKind.COPAY and line.amount is not None) or (
        line.kind is LineKind.COINSURANCE and line.share is not None
    )


def _for_one_visit(line: BenefitLine, record: Record) -> bool:
    if line.visits:
        record.notes.append(f"A {line.kind.value} for a number of visits only is not used ({line.where}).")
        return False
    if line.span in (Span.REMAINING, Span.TO_DATE, Span.OTHER):
        record.notes.append(f"A {line.kind.value} that is not for a visit is not used ({line.where}).")
        return False
    return True


def _verdict(
    service: str,
    *,
    copays: list[BenefitLine],
    coinsurances: list[BenefitLine],
    copay: Decimal | None,
    coinsurance: Decimal | None,
    pools: tuple[tuple[BenefitLine, ...], tuple[BenefitLine, ...]],
    record: Record,
) -> Verdict:
    """How copay and deductible go together (see :mod:`insurance.domain.copay_rules`)."""
    nearby: list[BenefitLine] = []
    for pool in pools:
        nearby = nearby or [line for line in pool if line.kind is LineKind.DEDUCTIBLE and line.about(service)]
    nearby = [line for line in nearby if line.amount is not None and (record.telehealth or not line.places)]
    limits = [line for line in nearby if line.span in (Span.NOT_STATED, Span.YEAR)]
    status = (LineKind.ACTIVE, LineKind.LIMIT, LineKind.OTHER)
    beside = nearby + [line for line in pools[0] if line.kind in status and line.about(service) and not line.places]
    verdict = read_sentences((m, line.where) for line in copays or coinsurances for m in line.messages)
    verdict = verdict or read_sentences((m, line.where) for line in beside for m in line.messages)
    if verdict is None and service != WHOLE_PLAN and limits and not any(line.amount for line in limits):
        why = f"The deductible for {SERVICE_NAMES[service]} is $0.00 ({where(limits)})."
        verdict = Verdict(CopayRule.WAIVES_DEDUCTIBLE, applies=False, why=why)
    if verdict is None and copay is not None:
        if service != WHOLE_PLAN and not nearby and not coinsurance:
            why = (
                f"Concluded: there is a copay for {SERVICE_NAMES[service]} ({where(copays)}) and neither a deductible "
                "nor a coinsurance for it; such a copay usually waives the deductible."
            )
            verdict = Verdict(CopayRule.WAIVES_DEDUCTIBLE, inferred=True, why=why)
        else:
            why = "The insurer does not say whether the copay is due instead of, before or after the deductible."
            verdict = Verdict(why=why)
    if verdict is None:
        return Verdict()
    if verdict.conflict:
        record.conflicts.append(verdict.conflict)
    elif copay is not None and (verdict.inferred or verdict.rule is None):
        record.notes.append(f"Copay and deductible ({record.words}): {verdict.why}")
    elif copay is None and verdict.applies is False:
        record.notes.append(f"The deductible does not apply to therapy ({record.words}). {verdict.why}")
    return verdict


# Together


def _network(
    lines: tuple[BenefitLine, ...],
    shares: _Shares,
    record: Record,
    *,
    covered: bool | None = None,
    telehealth: NetworkBenefits | None = None,
) -> NetworkBenefits:
    deductible, out_of_pocket = (
        Accumulators(
            accumulator(lines, kind, Level.INDIVIDUAL, record, shares.service),
            accumulator(lines, kind, Level.FAMILY, record, shares.service),
        )
        for kind in (LineKind.DEDUCTIBLE, LineKind.OUT_OF_POCKET)
    )
    limited = visits(lines, record)
    authorization = _authorization(lines, record)
    return NetworkBenefits(
        covered=covered,
        copay=shares.copay,
        copay_rule=shares.verdict.rule if shares.copay is not None else None,
        copay_rule_inferred=shares.verdict.inferred,
        copay_rule_why=shares.verdict.why,
        coinsurance=shares.coinsurance,
        deductible=deductible,
        deductible_applies=shares.verdict.applies,
        out_of_pocket=out_of_pocket,
        visits=limited,
        authorization_required=authorization,
        telehealth=telehealth,
        source=dict(record.source),
    )


def _authorization(lines: tuple[BenefitLine, ...], record: Record) -> bool | None:
    skip = (LineKind.DEDUCTIBLE, LineKind.OUT_OF_POCKET, LineKind.OTHER_PAYER)
    told = [line for line in lines if line.authorization is not None and line.kind not in skip]
    for service in ORDER:
        about = record.at_place(line for line in told if line.about(service))
        if not about:
            continue
        if len({line.authorization for line in about}) > 1:
            record.conflicts.append(
                f"Authorization for {SERVICE_NAMES[service]} ({record.words}) is called both required and not "
                f"required ({where(about)}). Neither is taken."
            )
            return None
        record.source["authorization_required"] = where(about)
        return about[0].authorization
    return None
