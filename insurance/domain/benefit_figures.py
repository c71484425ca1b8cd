"""The figures of one network: what a therapy session costs there by the insurer's own lines.

Lines limited to telehealth are looked at apart from the others. Every figure keeps the segments it came from;
``docs/reading-benefits.md`` says why each rule is as it is.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _

from common.money import dollars, round_cents
from insurance.domain.benefit_accumulators import accumulator, visits
from insurance.domain.benefit_lines import (
    BASE_SPANS,
    OFFICE_PLACE,
    ORDER,
    TELEHEALTH_PLACES,
    THERAPY,
    WHOLE_PLAN,
    BenefitLine,
    Level,
    LineKind,
    Network,
    Span,
    service_name,
)
from insurance.domain.benefit_record import Record, where
from insurance.domain.benefits import Accumulators, CopayRule, NetworkBenefits
from insurance.domain.copay_rules import Verdict, read_sentences

_PLACEHOLDER = Decimal("999999")
"""Amounts of nines are written by some insurers for "no limit": they are not figures (X12 RFI 2795)."""
_SMALLER_PLACEHOLDERS = (Decimal(99999), Decimal("99999.99"))

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


def choose_network(lines: Iterable[BenefitLine], network: Network, words: str, *, carved_out: bool = False) -> Chosen:
    """The figures of ``network`` (``words`` names it in notes); lines for both networks count for each.

    ``carved_out``: another company handles behavioral health, so only what names therapy can be its copay.
    """
    wanted = {network, Network.BOTH} if network is not Network.NOT_STATED else {network}
    every = tuple(lines)
    record = Record(words)
    pool = tuple(line for line in every if line.network in wanted and _usable(line, record))
    general = tuple(line for line in pool if not _telehealth_only(line))
    order = THERAPY if carved_out else ORDER
    shares = _shares(general, general, record, order)
    covered = None
    if network is not Network.NOT_STATED:
        status = [line for line in every if line.network in (*wanted, Network.NOT_STATED)]
        covered = _covered(status, record, priced=shares.service in THERAPY)
    special = Record(_("%(network)s, telehealth") % {"network": words}, telehealth=True)
    remote = tuple(line for line in pool if _about_telehealth(line))
    at_most = ORDER.index(shares.service) + 1 if shares.service else len(ORDER)
    remote_shares = _shares(remote, general, special, [service for service in order if service in ORDER[:at_most]])
    telehealth = _network(remote, remote_shares, special, order)
    return Chosen(
        _network(
            general, shares, record, order, covered=covered, telehealth=telehealth if telehealth.says_anything else None
        ),
        record.notes + special.notes,
        record.conflicts + special.conflicts,
    )


def _usable(line: BenefitLine, record: Record) -> bool:
    """Lines about a single procedure, or with a figure that is none, are told and left out."""
    if not set(ORDER) & set(line.services or (WHOLE_PLAN,)):
        return False
    reason = ""
    if line.amount is not None and line.amount < 0:
        reason = _("%(amount)s is negative") % {"amount": dollars(line.amount)}
    elif line.amount is not None and (line.amount >= _PLACEHOLDER or line.amount in _SMALLER_PLACEHOLDERS):
        reason = _("%(amount)s stands for “no figure”") % {"amount": dollars(line.amount)}
    elif line.share is not None and not 0 <= line.share <= 1:
        reason = _("a share of %(share)s is not between 0 and 1") % {"share": f"{line.share:f}"}
    elif line.procedure:
        reason = _("it is for procedure %(procedure)s alone") % {"procedure": line.procedure}
    elif line.diagnosis:
        reason = _("it is for diagnosis %(diagnosis)s alone") % {"diagnosis": line.diagnosis}
    if reason:
        record.notes.append(_("A line is not used: %(reason)s (%(place)s).") % {"reason": reason, "place": line.where})
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


def _covered(lines: list[BenefitLine], record: Record, *, priced: bool) -> bool | None:
    """Whether therapy is covered in this network: the most specific service type with a status decides.

    A line for this network goes before one that names none; one that names none can deny cover, not promise it here.
    ``priced``: the insurer gives a copay or coinsurance for therapy here, which promises it.
    """
    status = (LineKind.ACTIVE, LineKind.INACTIVE, LineKind.NOT_COVERED)
    about = [line for line in lines if line.kind in status and not line.procedure and not line.places]
    for service in THERAPY if priced else (*THERAPY, WHOLE_PLAN):
        record.service = service
        # That the whole plan is not active is said by `active`, not here.
        silent = LineKind.INACTIVE if service == WHOLE_PLAN else None
        told = [line for line in about if line.about(service) and line.kind is not silent]
        told = [line for line in told if line.network is not Network.NOT_STATED] or told
        no = [line for line in told if line.kind is not LineKind.ACTIVE]
        named = any(line.network is not Network.NOT_STATED for line in told)
        subject = f"{service_name(service).capitalize()} ({record.words})"
        if not told:
            continue
        if len(no) == len(told):
            record.found("covered", no)
            record.notes.append(_("%(subject)s: not covered (%(place)s).") % {"subject": subject, "place": where(no)})
            return False
        if no and not all(line.messages for line in no):
            record.dispute(
                "covered",
                _("%(subject)s: called both covered and not covered (%(place)s).")
                % {"subject": subject, "place": where(told)},
            )
            return None
        if no:
            record.notes.append(
                _("%(subject)s: covered, but not everything (%(place)s): %(message)s.")
                % {"subject": subject, "place": where(no), "message": "; ".join(no[0].messages)}
            )
        if named:
            record.found("covered", told)
            return True
        break
    if not priced:
        return None
    share = "copay" if "copay" in record.source else "coinsurance"
    for told_by in (record.source, record.basis):
        if share in told_by:
            told_by["covered"] = told_by[share]
    return True


# Copay, coinsurance and how they go with the deductible


@dataclass(frozen=True, slots=True)
class _Shares:
    service: str | None = None
    copay: Decimal | None = None
    coinsurance: Decimal | None = None
    verdict: Verdict = field(default_factory=Verdict)


def _shares(
    lines: tuple[BenefitLine, ...], general: tuple[BenefitLine, ...], record: Record, order: Sequence[str]
) -> _Shares:
    """Copay and coinsurance come from one service type, the most specific that has either: a plan that has a copay for
    therapy does not add its general coinsurance to it.

    ``general``: the network's lines that are not limited to telehealth. ``order``: the service types looked at.
    """
    priced = [line for line in lines if line.amount is not None or line.share is not None]
    priced = [line for line in priced if _is_share(line) and _for_one_visit(line, record)]
    for service in order:
        told = [line for line in priced if line.about(service)]
        about = record.at_place(told)
        if not about:
            continue
        record.service = service
        copays = [line for line in about if line.kind is LineKind.COPAY]
        coinsurances = [line for line in about if line.kind is LineKind.COINSURANCE]
        copay = record.agree_on_dollars(copays, "copay", _("copay"))
        coinsurance = record.agree_on_share(coinsurances, "coinsurance", _("coinsurance"))
        if copay is not None and all(line.span in (Span.YEAR, Span.CALENDAR_YEAR) for line in copays):
            record.notes.append(
                _("The copay (%(network)s) is written as for a year: it is taken as for each visit (%(place)s).")
                % {"network": record.words, "place": where(copays)}
            )
        if service not in THERAPY:
            record.notes.append(
                _(
                    "No copay or coinsurance is stated for mental health (%(network)s): the one for "
                    "%(service)s is taken (%(place)s)."
                )
                % {"network": record.words, "service": service_name(service), "place": where(about)}
            )
        if not record.telehealth:
            office = [line for line in told if OFFICE_PLACE in line.places]
            if about == office:
                record.notes.append(
                    _("The figures (%(network)s) are for an office alone (%(place)s).")
                    % {"network": record.words, "place": where(about)}
                )
            elif office:
                record.notes.append(
                    _("There are other figures for an office alone, not used (%(place)s).") % {"place": where(office)}
                )
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
        record.notes.append(
            _("A %(kind)s for a number of visits only is not used (%(place)s).")
            % {"kind": _(line.kind.value), "place": line.where}
        )
        return False
    if line.span in (Span.REMAINING, Span.TO_DATE, Span.OTHER):
        record.notes.append(
            _("A %(kind)s that is not for a visit is not used (%(place)s).")
            % {"kind": _(line.kind.value), "place": line.where}
        )
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
    limits = [line for line in nearby if line.span in BASE_SPANS]
    status = (LineKind.ACTIVE, LineKind.LIMIT, LineKind.OTHER)
    beside = nearby + [line for line in pools[0] if line.kind in status and line.about(service) and not line.places]
    verdict = read_sentences((m, line.where) for line in copays or coinsurances for m in line.messages)
    verdict = verdict or read_sentences((m, line.where) for line in beside for m in line.messages)
    if verdict is None and service != WHOLE_PLAN and limits and not any(line.amount for line in limits):
        why = _("The deductible for %(service)s is $0.00 (%(place)s).") % {
            "service": service_name(service),
            "place": where(limits),
        }
        verdict = Verdict(CopayRule.WAIVES_DEDUCTIBLE, applies=False, why=why)
    if verdict is None and copay is not None:
        if service != WHOLE_PLAN and not nearby and not coinsurance:
            why = _(
                "Concluded: there is a copay for %(service)s (%(place)s) and neither a deductible "
                "nor a coinsurance for it; such a copay usually waives the deductible."
            ) % {"service": service_name(service), "place": where(copays)}
            verdict = Verdict(CopayRule.WAIVES_DEDUCTIBLE, inferred=True, why=why)
        else:
            why = _("The insurer does not say whether the copay is due instead of, before or after the deductible.")
            verdict = Verdict(why=why)
    if verdict is None:
        return Verdict()
    if verdict.conflict:
        record.conflicts.append(verdict.conflict)
    elif copay is not None and (verdict.inferred or verdict.rule is None):
        record.notes.append(
            _("Copay and deductible (%(network)s): %(why)s") % {"network": record.words, "why": verdict.why}
        )
    elif copay is None and verdict.applies is False:
        record.notes.append(
            _("The deductible does not apply to therapy (%(network)s). %(why)s")
            % {"network": record.words, "why": verdict.why}
        )
    return verdict


# Together


def _network(
    lines: tuple[BenefitLine, ...],
    shares: _Shares,
    record: Record,
    order: Sequence[str],
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
    authorization = _authorization(lines, record, order)
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
        basis=dict(record.basis),
        disputed=dict(record.disputed),
    )


def _authorization(lines: tuple[BenefitLine, ...], record: Record, order: Sequence[str]) -> bool | None:
    skip = (LineKind.DEDUCTIBLE, LineKind.OUT_OF_POCKET, LineKind.OTHER_PAYER)
    told = [line for line in lines if line.authorization is not None and line.kind not in skip]
    for service in order:
        about = record.at_place(line for line in told if line.about(service))
        if not about:
            continue
        record.service = service
        if len({line.authorization for line in about}) > 1:
            record.dispute(
                "authorization_required",
                _(
                    "Authorization for %(service)s (%(network)s) is called both required and not "
                    "required (%(place)s). Neither is taken."
                )
                % {"service": service_name(service), "network": record.words, "place": where(about)},
            )
            return None
        record.found("authorization_required", about)
        return about[0].authorization
    return None
