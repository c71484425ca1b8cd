"""How a copay and the deductible go together, as far as an insurer's answer lets one know.

A 271 has no element for it. Four things tell, in this order: a sentence of the insurer's; a deductible of zero for the
same service; (as a conclusion, marked so) a copay for a service that has neither a deductible nor a coinsurance of its
own; else it is not known, and pricing says what that means.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from insurance.domain.benefits import CopayRule

_DEDUCTIBLE = r"(DEDUCTIBLE|DEDUCT|DED)\b"
_WAIVED = re.compile(
    rf"\b{_DEDUCTIBLE}[ :,-]*(IS |HAS BEEN |WILL BE )?"
    r"(WAIVED|DOES NOT APPLY|DOESN'?T APPLY|DOES NOT HAVE TO BE MET|NOT APPLICABLE|NOT REQUIRED|EXEMPT|N/A)"
    rf"|\bNO (PLAN |ANNUAL )?{_DEDUCTIBLE}|\bWITHOUT (A |THE )?{_DEDUCTIBLE}|\bWAIVES? (THE )?{_DEDUCTIBLE}"
    rf"|\bNOT SUBJECT TO (THE |A |ANY |PLAN )?{_DEDUCTIBLE}"
)
_AFTER = re.compile(
    rf"\bAFTER (THE |PLAN |ANNUAL |CALENDAR YEAR |YOUR |IN-NETWORK )*{_DEDUCTIBLE}"
    rf"|\b{_DEDUCTIBLE},? (AND )?THEN (A |\$?[0-9.]+ )?CO-?PAY"
    rf"|\bONCE (THE |YOUR )?{_DEDUCTIBLE} (IS|HAS BEEN) (MET|SATISFIED)"
)
_BEFORE = re.compile(rf"\bCO-?PAY(MENT)?,? (AND )?(THEN|FOLLOWED BY) (THE )?{_DEDUCTIBLE}")
_APPLIES = re.compile(rf"\b(?<!NOT )SUBJECT TO (THE |A |PLAN )?{_DEDUCTIBLE}|\b{_DEDUCTIBLE} (ALSO )?APPLIES")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rule, whether it was concluded rather than read, whether the deductible applies, and why."""

    rule: CopayRule | None = None
    inferred: bool = False
    applies: bool | None = None
    why: str = ""
    conflict: str = ""


def read_sentences(sentences: Iterable[tuple[str, str]]) -> Verdict | None:
    """What the insurer's sentences, as (text, place), say of the deductible; ``None`` when nothing."""
    found: dict[CopayRule | None, tuple[str, str]] = {}
    for text, where in sentences:
        upper = " ".join(text.upper().split())
        for rule, pattern in (
            (CopayRule.WAIVES_DEDUCTIBLE, _WAIVED),
            (CopayRule.AFTER_DEDUCTIBLE, _AFTER),
            (CopayRule.BEFORE_DEDUCTIBLE, _BEFORE),
            (None, _APPLIES),
        ):
            if pattern.search(upper):
                found.setdefault(rule, (text, where))
    rules = [rule for rule in found if rule is not None]
    if len(rules) > 1 or (None in found and CopayRule.WAIVES_DEDUCTIBLE in rules):
        said = "; ".join(f"“{text}” ({where})" for text, where in found.values())
        conflict = _("The insurer's sentences about the deductible do not go together: %(said)s.") % {"said": said}
        return Verdict(why=conflict, conflict=conflict)
    if rules:
        text, where = found[rules[0]]
        waived = rules[0] is CopayRule.WAIVES_DEDUCTIBLE
        return Verdict(
            rules[0],
            applies=not waived,
            why=_("The insurer writes “%(text)s” (%(place)s).") % {"text": text, "place": where},
        )
    if None in found:
        text, where = found[None]
        return Verdict(
            applies=True,
            why=_("The insurer writes “%(text)s” (%(place)s), but not whether the copay is due before or after it.")
            % {"text": text, "place": where},
        )
    return None
