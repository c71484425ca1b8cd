"""Whether two names are one insurer, as insurers write each other's names. Pure.

Names come in capitals, cut off, with or without "Inc." and "Insurance Company". Ids, where both sides give one, decide
before names do (:mod:`insurance.services.discovery`).
"""

import re
from difflib import SequenceMatcher

_NOISE = frozenset({"INC", "LLC", "CORP", "CORPORATION", "CO", "COMPANY", "THE", "OF", "INS", "INSURANCE", "PLAN",
                    "PLANS", "GROUP", "LTD", "NA"})  # fmt: skip
"""Words that do not tell insurers apart."""

ALIKE = 0.9
"""From this likeness on (difflib's ratio) two names are taken for one, misspelt or cut off by a letter or two."""

_OTHER_CARE = re.compile(
    r"\bDENTAL\b|\bDENTIST|\bVISION\b|\bOPTICAL\b|\bEYEMED\b|\bVSP\b|\bPHARMAC|\bRX\b|\w+RX\b|\bSCRIPTS\b|\bCAREMARK\b"
    r"|\bPRESCRIPTION"
)


def key(name: str) -> str:
    """The words of a name that tell insurers apart: ``"Harbor Mutual Insurance Co."`` → ``"HARBOR MUTUAL"``."""
    words = re.sub(r"[^A-Z0-9 ]", " ", name.upper().replace("&", " AND ").replace("'", "")).split()
    return " ".join(word for word in words if word not in _NOISE) or " ".join(words)


def same(one: str, other: str) -> bool:
    """Whether two names are one insurer; an empty name is nobody's.

    A name that only begins like another one is another insurer's: *Aetna* and *Aetna Better Health* are two.
    """
    first, second = key(one), key(other)
    if not first or not second:
        return False
    if first == second:
        return True
    if [word for word in first.split() if word.isdigit()] != [word for word in second.split() if word.isdigit()]:
        return False
    return SequenceMatcher(None, first, second).ratio() >= ALIKE


def named_in(text: str, name: str) -> bool:
    """Whether a sentence names the insurer: all of its telling words stand in it, one after the other."""
    wanted = key(name)
    return bool(wanted) and f" {wanted} " in f" {key(text)} "


def covers_other_care(name: str) -> bool:
    """Whether the name is that of a dental, vision or pharmacy plan, which has no part in a therapy session."""
    return bool(_OTHER_CARE.search(name.upper()))
