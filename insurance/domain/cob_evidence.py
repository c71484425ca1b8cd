"""Which words of an insurer mean that its member must act before any claim is paid. Pure; table in ``docs/pauses.md``.

Only such signs pause an account. An insurer that names another one asks nothing of its member: a plan we know changes
the order, one we do not know becomes a suggestion.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from insurance.domain.benefits import Benefits, CobSignal

_ABOUT = r"(?:COB|COORDINATION OF BENEFITS|OTHER (?:HEALTH )?(?:INSURANCE|COVERAGE)|OHI)"
_WHO = r"(?:MEMBER|SUBSCRIBER|INSURED|ENROLLEE|PATIENT|POLICYHOLDER)"
_MUST = r"(?:MUST|NEEDS? TO|SHOULD|IS REQUIRED TO|HAS TO|TO)"
_ACT = r"(?:CALL|CONTACT|UPDATE|CONFIRM|VERIFY|COMPLETE|PROVIDE|RESPOND|RETURN)"
_MISSING = (
    r"(?:REQUIRED|NEEDED|REQUESTED|OVERDUE|OUTSTANDING|EXPIRED|LAPSED|NOT RECEIVED|NOT UP TO DATE|OUT OF DATE|MISSING)"
)
_ABOUT_COB = re.compile(rf"\b{_ABOUT}\b")
_MEMBER_MUST = re.compile(rf"\b{_WHO}\b.{{0,20}}\b{_MUST}\b.{{0,20}}\b{_ACT}\b")
_UPDATE_MISSING = re.compile(
    rf"\b{_ABOUT}\b.{{0,20}}\b(?:UPDATE|VERIFICATION|QUESTIONNAIRE|CONFIRMATION|RECERTIFICATION|INFORMATION)\b"
    rf".{{0,20}}\b{_MISSING}\b"
)
_DONE = re.compile(r"\bNO (?:COB|UPDATE|ACTION|FURTHER)\b|\bNOT (?:REQUIRED|NEEDED|OVERDUE|OUTSTANDING|MISSING)\b")


@dataclass(frozen=True, slots=True)
class Evidence:
    """That the member must act: ``codes`` for the record, ``reason`` the insurer's words or ours."""

    codes: str
    reason: str


def in_answer(benefits: Benefits) -> Evidence | None:
    """The 271's own sentence that its member must update coordination of benefits; ``None`` without one.

    The insurer leaves the order open (``CobSignal.UNDETERMINED``) *and* says in words that the member has to act. An
    open order alone is a question of ours, a named insurer a suggestion, a pending or missing answer nobody's fault.
    """
    if benefits.cob_signal is not CobSignal.UNDETERMINED:
        return None
    said = (*benefits.messages, *benefits.cob_reasons)
    words = next((each for each in said if _asks_the_member(each)), None)
    return None if words is None else Evidence("MSG", words)


def _asks_the_member(words: str) -> bool:
    text = " ".join(words.upper().split())
    if _DONE.search(text):
        return False
    return bool(_ABOUT_COB.search(text) and (_MEMBER_MUST.search(text) or _UPDATE_MISSING.search(text)))


def names(benefits: Benefits, *, name: str, payer_id: str) -> bool:
    """Whether the answer says that the insurer ``name`` pays before the one that was asked."""
    if benefits.cob_signal is not CobSignal.ANOTHER_IS_PRIMARY:
        return False
    return any(
        other.overlaps
        and other.rank in ("primary", None)
        and (
            (other.payer_id is not None and other.payer_id == payer_id)
            or (other.name is not None and other.name.casefold() == name.casefold())
        )
        for other in benefits.other_payers
    )


_REJECTS = frozenset({"A3", "A6", "A7", "A8"})
_INVESTIGATES = "52"
"""Investigating existence of other insurance coverage."""
_OTHER_INSURANCE = frozenset({"85", "171", "286"})
"""Entity not primary; other insurance coverage information; other payer's explanation of benefits."""


def in_acknowledgement(statuses: Iterable[tuple[str, str]], *, other_plans: bool) -> str:
    """The codes of a rejecting 277CA (``(category, status code)`` pairs) that mean that the member must act, or "".

    52 always does: the insurer itself looks for other insurance. 85, 171 and 286 ask for the plan that pays first; with
    another plan on the account that is a matter of order, for us; without one only the member can tell.
    """
    found = []
    for category, code in statuses:
        if category in _REJECTS and (code == _INVESTIGATES or (code in _OTHER_INSURANCE and not other_plans)):
            found.append(f"{category}:{code}")
    return " ".join(dict.fromkeys(found))
