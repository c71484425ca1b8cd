"""Other insurance that an answer names, and whether it says who pays first (X12 RFI 505, 2403; X12.md 3.1).

Strongest sign first: another insurer named as primary; another insurer without a clear order; a Medicare-secondary
reason; an unfinished check; a sentence about other insurance. An insurer whose coverage ended before the day asked
about, or that covers only dental, vision or pharmacy, is no sign.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from insurance.domain.benefit_lines import (
    NO_OVERLAP,
    ORDER,
    PAYING,
    WHOLE_PLAN,
    BenefitLine,
    LineKind,
    LineParty,
    Role,
)
from insurance.domain.benefits import CarveOut, CobSignal, OtherPayer

_SPEAKS_OF_COB = re.compile(
    r"\bCOB\b|COORDINATION OF BENEFITS|\bOTHER (HEALTH )?(INSURANCE|COVERAGE)\b|\bOHI\b|\bPRIMARY INSURANCE\b"
)
_DENIES_COB = re.compile(
    r"\bNO (KNOWN )?(OTHER|COB|OHI)\b|NOT ON FILE|NONE ON FILE"
    r"|\b(COB|COORDINATION OF BENEFITS|OHI)\b.{0,20}\b(CURRENT|VERIFIED|COMPLETE|UP TO DATE|NOT REQUIRED)\b"
)


@dataclass(frozen=True, slots=True)
class Coordination:
    """What the answer says of other insurance."""

    signal: CobSignal
    reasons: tuple[str, ...]
    payers: tuple[OtherPayer, ...]
    notes: tuple[str, ...]


def same_payer(name: str, payer_id: str, party: LineParty) -> bool:
    """Whether a named party is the insurer we asked: by id where both have one, or by name."""
    if payer_id and party.id and _key(payer_id) == _key(party.id):
        return True
    return bool(name and party.name) and _key(name) == _key(party.name)


def _key(text: str) -> str:
    return "".join(ch for ch in text.upper() if ch.isalnum())


def _is_medicare(name: str) -> bool:
    return bool(re.search(r"\bMEDICARE\b|\bCMS\b", name.upper()))


def coordinate(lines: Iterable[BenefitLine], *, payer_name: str, payer_id: str, on: date | None) -> Coordination:
    """Read the signs. ``on`` is the day of service; ``None`` takes every line as it stands."""
    lines = tuple(lines)
    reasons: list[str] = []
    notes: list[str] = []
    payers: dict[tuple[str | None, str | None, str | None, str | None, date | None], OtherPayer] = {}
    ours: set[Role] = set()
    others: set[Role] = set()
    apart = False
    for line in lines:
        if line.kind is not LineKind.OTHER_PAYER:
            continue
        overlaps = not line.services or not set(line.services) <= NO_OVERLAP
        ended = line.ends if line.ends and on and line.ends < on else None
        for party in _payers(line):
            if same_payer(payer_name, payer_id, party):
                if overlaps and not ended:
                    ours.add(party.role)
                    if party.role is not Role.PAYER:
                        reason = _("The insurer calls itself the %(rank)s insurer (%(place)s).")
                        reasons.append(reason % {"rank": party.role.value, "place": line.where})
                continue
            other = _other_payer(line, party, overlaps=overlaps)
            key = (other.name, other.rank, other.member_id, other.payer_id, other.ended)
            if key not in payers or (overlaps and not payers[key].overlaps):
                payers[key] = other
            label = f"{other.name or 'an insurer without a name'} ({line.where})"
            if ended:
                notes.append(
                    _("Other insurance with %(payer)s ended on %(day)s.") % {"payer": label, "day": ended.isoformat()}
                )
            elif not overlaps:
                apart = True
                notes.append(_("%(payer)s covers only services such as dental, vision or pharmacy.") % {"payer": label})
            else:
                others.add(_role(line, party, payer_name))
                reasons.append(
                    _("The insurer names other insurance: %(payer)s, %(rank)s.")
                    % {"payer": label, "rank": _rank_words(other.rank)}
                )
    signal = _signal(ours, others)
    weak = _weak_signs(lines)
    if signal is CobSignal.NONE:
        signal = CobSignal.UNDETERMINED if weak else CobSignal.NO_OVERLAP if apart else CobSignal.NONE
    return Coordination(signal, tuple(dict.fromkeys((*reasons, *weak))), tuple(payers.values()), tuple(notes))


def _payers(line: BenefitLine) -> list[LineParty]:
    """The insurers a line names; a line that names none still tells that there is one."""
    named = [party for party in line.parties if party.role in PAYING]
    return named or [LineParty(Role.PAYER, name=line.plan)]


def _other_payer(line: BenefitLine, party: LineParty, *, overlaps: bool) -> OtherPayer:
    insured = next((p.member_id for p in line.parties if p.role is Role.MEMBER and p.member_id), "")
    return OtherPayer(
        name=party.name or None,
        rank=party.role.value if party.role in (Role.PRIMARY, Role.SECONDARY, Role.TERTIARY) else None,
        member_id=party.member_id or insured or line.member_id or None,
        payer_id=party.id or None,
        begins=line.begins,
        ended=line.ends,
        overlaps=overlaps,
        where=line.where,
    )


def _role(line: BenefitLine, party: LineParty, payer_name: str) -> Role:
    """The party's place in the order; a Medicare-secondary reason tells it where the rank is missing."""
    if party.role is not Role.PAYER or not line.medicare_secondary:
        return party.role
    if _is_medicare(party.name):
        return Role.SECONDARY
    return Role.PRIMARY if _is_medicare(payer_name) else Role.PAYER


def _rank_words(rank: str | None) -> str:
    return _("as the %(rank)s insurer") % {"rank": rank} if rank else _("without saying in which order")


def _signal(ours: set[Role], others: set[Role]) -> CobSignal:
    if Role.PRIMARY in others:
        return CobSignal.UNDETERMINED if Role.PRIMARY in ours else CobSignal.ANOTHER_IS_PRIMARY
    if Role.PRIMARY in ours:
        return CobSignal.THIS_IS_PRIMARY
    if ours & {Role.SECONDARY, Role.TERTIARY}:
        return CobSignal.ANOTHER_IS_PRIMARY
    if others & {Role.PAYER, Role.TERTIARY} or not others:
        return CobSignal.UNDETERMINED if others else CobSignal.NONE
    return CobSignal.THIS_IS_PRIMARY


def _weak_signs(lines: tuple[BenefitLine, ...]) -> list[str]:
    signs: list[str] = []
    for line in lines:
        if line.kind is LineKind.OTHER_PAYER or (line.services and set(line.services) <= NO_OVERLAP):
            continue
        if line.medicare_secondary:
            signs.append(
                _("The insurer gives a reason why Medicare would pay second (%(place)s).") % {"place": line.where}
            )
        if line.pending:
            signs.append(_("The insurer is still checking this coverage (%(place)s).") % {"place": line.where})
        signs.extend(_elsewhere(line))
        signs.extend(
            _("The insurer writes: %(message)s (%(place)s).") % {"message": message, "place": line.where}
            for message in line.messages
            if _SPEAKS_OF_COB.search(message.upper()) and not _DENIES_COB.search(message.upper())
        )
    return list(dict.fromkeys(signs))


def _elsewhere(line: BenefitLine) -> Iterable[str]:
    """That the insurer does not answer for the plan itself; what it says so of other care is no sign."""
    if line.services and set(ORDER).isdisjoint(line.services):
        return
    if line.kind is LineKind.UNAVAILABLE:
        yield _("The insurer cannot answer this question (%(place)s).") % {"place": line.where}
    elif line.kind is LineKind.CONTACT and not line.about_therapy:
        party = _manager(line)
        name = f"{party.name or party.id} {party.telephone}".strip() if party else ""
        yield _("For this answer the insurer points to %(name)s (%(place)s).") % {
            "name": name or _("another source, without naming it"),
            "place": line.where,
        }


def _manager(line: BenefitLine) -> LineParty | None:
    wanted = (*PAYING, Role.ORGANIZATION)
    return next((party for party in line.parties if party.role in wanted and (party.name or party.id)), None)


_BEHAVIORAL = re.compile(r"\bMENTAL\b|\bBEHAVIORAL\b|\bPSYCH\w*|\bMH(/?SA|/?SUD?)?\b")
_HANDLED = re.compile(
    r"\b(?:CARVED[ -]?OUT TO|(?:ADMINISTERED|MANAGED|HANDLED) (?:BY|THROUGH))[ :]+(?P<name>[A-Z0-9&.' -]{2,60})"
)
_TELEPHONE = re.compile(r"(?:1[-. ]?)?\(?\d{3}\)?[-. ]?\d{3}[-. ]?\d{4}\b")
_NAME_ENDS = re.compile(r"[,.;:(]|\b(?:AT|CALL|CONTACT|PHONE|TEL|FOR|AND|WHO|PLEASE)\b|\d{3}")
_NOBODY = frozenset({"", "US", "THE PLAN", "PLAN", "THIS PLAN", "PAYER", "THE PAYER", "THE MEDICAL PLAN", "THE GROUP"})


def _written(line: BenefitLine) -> CarveOut | None:
    """A company that a sentence says handles mental health; many insurers name it nowhere else."""
    for message in line.messages:
        text = " ".join(message.upper().split())
        found = _HANDLED.search(text)
        if not found or not (_BEHAVIORAL.search(text) or (line.about_therapy and WHOLE_PLAN not in line.services)):
            continue
        name = _NAME_ENDS.split(found["name"], maxsplit=1)[0].strip(" -")
        if name not in _NOBODY:
            telephone = _TELEPHONE.search(text)
            return CarveOut(name, telephone[0] if telephone else None, None, line.where)
    return None


def carve_out(lines: Iterable[BenefitLine], payer_name: str = "") -> CarveOut | None:
    """The company that handles behavioral health for the insurer ``payer_name``.

    Named on a line about therapy that says to ask elsewhere; else in a sentence; else it is only known that there is
    one (an empty name).
    """
    named: list[CarveOut] = []
    written: list[CarveOut] = []
    unnamed: list[CarveOut] = []
    for line in lines:
        party = _manager(line)
        sentence = _written(line)
        if sentence is not None and _key(sentence.name) != _key(payer_name):
            written.append(sentence)
        if line.kind not in (LineKind.CONTACT, LineKind.MANAGED_BY) or not line.about_therapy:
            continue
        if party is not None:
            named.append(CarveOut(party.name or party.id, party.telephone or None, party.id or None, line.where))
        elif line.kind is LineKind.CONTACT:
            unnamed.append(CarveOut("", where=line.where))
    for found in (named, written, unnamed):
        if found:
            return min(found, key=lambda each: (each.telephone is None, each.name))
    return None
