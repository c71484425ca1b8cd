"""What an insurer's answer to a claim means for us. Pure.

Codes: CARC (claim adjustment reason) with group, RARC (remark), CLP02 (claim status). Which combinations mean that the
member must update coordination of benefits is the table in ``docs/decisions.md``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from common.money import ZERO

REVERSAL = "22"
FORWARDED = frozenset({"19", "20", "21"})
"""CLP02: processed, and sent on to the next insurer by this one (crossover)."""
NOT_OURS = "23"
"""CLP02: not this insurer's claim at all; sent on to the right one."""

PATIENT_SHARE = frozenset({"1", "2", "3", "122"})
"""CARCs under PR that are cost sharing: deductible, coinsurance, copay, psychiatric reduction."""
_LEFT_BY_THE_PLAN = PATIENT_SHARE | {"119"}
"""Under PR, these leave an amount to the patient as the plan's benefits say; 119: the limit of visits is used up."""
_NO_DENIAL = PATIENT_SHARE | {"45", "23", "253", "94", "131", "100"}
"""CARCs that explain amounts of a claim that was paid as the contract says."""
_OTHER_PAYS_FIRST = frozenset({"22"})
_DUPLICATE = "18"
_WRONG_PAYER = frozenset({"109", "B11", "300", "301"})
_MEMBER_MUST_ACT = frozenset({"N197"})
_MEMBER_WAS_ASKED = frozenset({"N179", "N686", "N375"})
_SEND_TO_OTHER_PAYER = frozenset(
    {"N598", "MA04", "N4", "N36", "N48", "N479", "N480", "MA64", "MA83", "MA92", "N245", "N8"}
)


class Meaning(StrEnum):
    """What we do next."""

    PROCESSED = "processed"
    """Paid or left to the patient as the plan says: the next plan may be billed."""
    DENIED = "denied"
    """Not paid. ``insurance.domain.denials`` tells whether the next plan may be asked or a person has to look."""
    WRONG_PAYER = "wrong_payer"
    """Not this insurer's to decide: another one has it, or must get it. No denial, and nobody has to call."""
    MEMBER_MUST_UPDATE_COB = "member_must_update_cob"
    """The insurer waits for its member to settle who pays first: the account pauses."""
    OTHER_PAYS_FIRST = "other_pays_first"
    """The insurer believes that another plan pays before it, and asks for that plan's answer."""
    REVERSED = "reversed"
    """An earlier decision is taken back; a corrected one follows."""
    DUPLICATE = "duplicate"
    """The insurer has this claim already: says nothing about it, whatever it decided before stays."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One adjustment: group (``CO``, ``PR``, ``OA``, ``PI``), CARC and dollars."""

    group: str
    code: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Decision:
    """What it means, and the codes that say so (``CO-22 N197``), for the record."""

    meaning: Meaning
    codes: str = ""


def read_decision(*, status: str, paid: Decimal, reasons: Iterable[Reason], remarks: Iterable[str]) -> Decision:
    """What one claim's result means.

    CLP02 4 ("denied") is not trusted: many insurers use it for results that only their amounts and reasons explain.
    """
    reasons = [reason for reason in reasons if reason.amount != ZERO or reason.group == "OA"]
    remarks = list(remarks)
    if status == REVERSAL:
        return Decision(Meaning.REVERSED)
    by_code = {reason.code: f"{reason.group}-{reason.code}" for reason in reasons}

    def told(codes: Iterable[str], words: Iterable[str] = ()) -> str:
        return " ".join([*(by_code[code] for code in codes if code in by_code), *(w for w in words if w in remarks)])

    if paid == ZERO and _DUPLICATE in by_code:
        return Decision(Meaning.DUPLICATE, told([_DUPLICATE]))
    must_act = _MEMBER_MUST_ACT.intersection(remarks)
    if must_act and paid == ZERO:
        return Decision(Meaning.MEMBER_MUST_UPDATE_COB, told(["22", "16", "227", "A1"], sorted(must_act)))
    asked = _MEMBER_WAS_ASKED.intersection(remarks)
    if "227" in by_code and asked and paid == ZERO:
        return Decision(Meaning.MEMBER_MUST_UPDATE_COB, told(["227"], sorted(asked)))
    if paid == ZERO and _OTHER_PAYS_FIRST.intersection(by_code):
        return Decision(Meaning.OTHER_PAYS_FIRST, told(["22"], sorted(_SEND_TO_OTHER_PAYER.intersection(remarks))))
    if paid == ZERO and (_WRONG_PAYER.intersection(by_code) or status == NOT_OURS):
        return Decision(Meaning.WRONG_PAYER, told(sorted(_WRONG_PAYER)))
    left_to_patient = sum((reason.amount for reason in reasons if reason.group == "PR"), ZERO)
    refused = [reason.code for reason in reasons if reason.code not in _NO_DENIAL]
    if paid == ZERO and left_to_patient == ZERO and refused:
        return Decision(Meaning.DENIED, told(refused, remarks))
    if paid == ZERO and refused and not any(r.group == "PR" and r.code in _LEFT_BY_THE_PLAN for r in reasons):
        return Decision(Meaning.DENIED, told(refused, remarks))
    return Decision(Meaning.PROCESSED)


def explains_amounts(code: str) -> bool:
    """Whether a CARC only explains the amounts of a claim that went as the contract says."""
    return code in _NO_DENIAL


@dataclass(frozen=True, slots=True)
class Result:
    """One answer of a plan for a session, as far as it matters for which answer is in force; dollars."""

    charge: Decimal
    paid: Decimal
    reversal: bool = False
    duplicate: bool = False


def in_force(results: Sequence[Result]) -> int | None:
    """Which of a plan's answers, in the order they came, decides now: its place, or ``None`` when none is left.

    Of those that no reversal took back the newest decides; a refusal as duplicate only when there is nothing else.
    """
    left = standing(results)
    return max((p for p in left if not results[p].duplicate), default=left[-1] if left else None)


def standing(results: Sequence[Result]) -> list[int]:
    """The places of a plan's answers that no reversal took back, in the order they came.

    A reversal takes back the oldest answer of the same charge and payment, wherever it stands (files overtake each
    other); one that fits none takes back the newest before it.
    """
    left = [place for place, result in enumerate(results) if not result.reversal]
    unmatched = []
    for place, back in enumerate(results):
        if not back.reversal:
            continue
        twin = next((p for p in left if (results[p].charge, results[p].paid) == (-back.charge, -back.paid)), None)
        if twin is None:
            unmatched.append(place)
        else:
            left.remove(twin)
    for place in unmatched:
        before = [p for p in left if p < place and not results[p].duplicate]
        if before:
            left.remove(before[-1])
    return left
