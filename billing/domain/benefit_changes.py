"""Which figures of a plan an insurer's later answer contradicts, and how each is said. Pure.

Care only ever uses up what is left of a deductible, a maximum or a number of visits. A figure that differs in any other
way was wrong before or is wrong now. A figure that merely becomes known, or is told no more, contradicts nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.domain.price_words import percent
from billing.domain.pricing import PlanTerms
from common.money import ZERO, dollars
from insurance.domain.benefits import CopayRule


class Part(StrEnum):
    """What a corrected figure bears on."""

    NETWORK = "network"
    VISITS = "visits"
    SHARE = "share"
    DEDUCTIBLE = "deductible"
    MAXIMUM = "maximum"


class Limits(NamedTuple):
    """A plan year's limits in dollars; ``None`` when not known or when the plan has no such limit."""

    deductible: Decimal | None = None
    family_deductible: Decimal | None = None
    maximum: Decimal | None = None
    family_maximum: Decimal | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Correction:
    """One figure put right. ``figure`` names its sentence, ``before`` and ``after`` are its values in words.

    ``pushes``: whether it can only raise (1) or only lower (-1) a price; 0 for either.
    """

    part: Part
    figure: str
    pushes: int = 0
    before: str = ""
    after: str = ""

    @property
    def risen(self) -> bool:
        """Something is left again that was used up."""
        return self.figure.endswith("_left")

    def said(self, name: str | None = None) -> str:
        """A clause that follows "… tells us that": to the client, or about the client ``name``."""
        to_client, about_client = _clauses()[self.figure]
        template = to_client if name is None else about_client
        return template % {"was": self.before, "now": self.after, "name": name}


def _clauses() -> dict[str, tuple[str, str]]:
    network_in = _("these sessions count as in network, not as out of network")
    network_out = _("these sessions count as out of network, not as in network")
    visits = _("it covers %(now)s, not %(was)s")
    visits_limited = _("it limits how many sessions it covers, to %(now)s")
    visits_all = _("it does not limit how many sessions it covers")
    covered = _("it covers these sessions")
    not_covered = _("it does not cover these sessions")
    return {
        "in": (network_in, network_in),
        "out": (network_out, network_out),
        "visits": (visits, visits),
        "visits_limited": (visits_limited, visits_limited),
        "visits_all": (visits_all, visits_all),
        "covered": (covered, covered),
        "not_covered": (not_covered, not_covered),
        "copay": (_("your copay is %(now)s, not %(was)s"), _("%(name)s's copay is %(now)s, not %(was)s")),
        "coinsurance": (_("your share is %(now)s, not %(was)s"), _("%(name)s's share is %(now)s, not %(was)s")),
        "share": (_("you pay %(now)s, not %(was)s"), _("%(name)s pays %(now)s, not %(was)s")),
        CopayRule.WAIVES_DEDUCTIBLE: (
            _("your deductible does not count for these sessions"),
            _("%(name)s's deductible does not count for these sessions"),
        ),
        "deductible_counts": (
            _("your deductible counts for these sessions too"),
            _("%(name)s's deductible counts for these sessions too"),
        ),
        CopayRule.BEFORE_DEDUCTIBLE: (
            _("your copay comes before your deductible"),
            _("%(name)s's copay comes before the deductible"),
        ),
        CopayRule.AFTER_DEDUCTIBLE: (
            _("your copay comes after your deductible"),
            _("%(name)s's copay comes after the deductible"),
        ),
        "deductible": (
            _("your deductible is %(now)s, not %(was)s"),
            _("%(name)s's deductible is %(now)s, not %(was)s"),
        ),
        "family_deductible": (
            _("your family's deductible is %(now)s, not %(was)s"),
            _("the deductible of %(name)s's family is %(now)s, not %(was)s"),
        ),
        "maximum": (
            _("your out-of-pocket maximum is %(now)s, not %(was)s"),
            _("%(name)s's out-of-pocket maximum is %(now)s, not %(was)s"),
        ),
        "family_maximum": (
            _("your family's out-of-pocket maximum is %(now)s, not %(was)s"),
            _("the out-of-pocket maximum of %(name)s's family is %(now)s, not %(was)s"),
        ),
        "deductible_left": (
            _("%(now)s of your deductible is left, not %(was)s"),
            _("%(now)s of %(name)s's deductible is left, not %(was)s"),
        ),
        "family_deductible_left": (
            _("%(now)s of your family's deductible is left, not %(was)s"),
            _("%(now)s of the deductible of %(name)s's family is left, not %(was)s"),
        ),
        "maximum_left": (
            _("%(now)s is left to your out-of-pocket maximum, not %(was)s"),
            _("%(now)s is left to %(name)s's out-of-pocket maximum, not %(was)s"),
        ),
        "family_maximum_left": (
            _("%(now)s is left to your family's out-of-pocket maximum, not %(was)s"),
            _("%(now)s is left to the out-of-pocket maximum of %(name)s's family, not %(was)s"),
        ),
    }


def corrections(
    before: PlanTerms, now: PlanTerms, limits_before: Limits = NO_LIMITS, limits_now: Limits = NO_LIMITS
) -> tuple[Correction, ...]:
    """What ``now`` contradicts of ``before``, the most telling first.

    Both are of one plan year and one kind of place; their remaining figures are as of the day of each answer.
    """
    deductible, family_deductible, maximum, family_maximum = zip(limits_before, limits_now, strict=True)
    return (
        *_network(before, now),
        *_visits(before, now),
        *_share(before, now),
        *_rule(before, now),
        *_left(Part.DEDUCTIBLE, deductibles(before), deductibles(now)),
        *_limit(Part.DEDUCTIBLE, "deductible", *deductible),
        *_limit(Part.DEDUCTIBLE, "family_deductible", *family_deductible),
        *_left(Part.MAXIMUM, maximums(before), maximums(now)),
        *_limit(Part.MAXIMUM, "maximum", *maximum),
        *_limit(Part.MAXIMUM, "family_maximum", *family_maximum),
    )


def in_words(found: Sequence[Correction], name: str | None = None) -> str:
    """Up to two corrections as clauses after "… tells us that", and that there are others."""
    said = [each.said(name) for each in found[:2]]
    if len(said) < 2:
        return "".join(said)
    words = {"first": said[0], "second": said[1]}
    if len(found) == 2:
        return _("%(first)s, and that %(second)s") % words
    return _("%(first)s, that %(second)s, and that other details changed") % words


def lesser(figures: tuple[Decimal | None, ...]) -> Decimal | None:
    """The figure that binds, of the member's own and the family's; ``None`` when none is known."""
    return min((figure for figure in figures if figure is not None), default=None)


def visit_share(terms: PlanTerms) -> tuple[Decimal, Decimal] | None:
    """Copay in dollars and coinsurance (0 to 1) past the deductible; ``None`` when they are not known.

    One that is missing beside one that is known is no such amount, the same as zero; where a copay stands alone, a
    percentage says nothing (``docs/pricing.md``).
    """
    if not terms.share_known:
        return None
    alone = _rule_of(terms) == CopayRule.WAIVES_DEDUCTIBLE
    return terms.copay or ZERO, ZERO if alone else terms.coinsurance or ZERO


def _share_in_words(share: tuple[Decimal, Decimal]) -> str:
    """What a visit costs, after "pay"."""
    copay, coinsurance = share
    words = {"copay": dollars(copay), "share": percent(coinsurance)}
    if copay and coinsurance:
        return _("a copay of %(copay)s and %(share)s of the rest") % words
    if copay:
        return _("a copay of %(copay)s") % words
    return _("%(share)s of the price") % words if coinsurance else _("nothing")


def _network(before: PlanTerms, now: PlanTerms) -> Iterator[Correction]:
    if before.network and now.network and before.network != now.network:
        yield Correction(Part.NETWORK, now.network)


def _visits(before: PlanTerms, now: PlanTerms) -> Iterator[Correction]:
    was, left = before.visits_remaining, now.visits_remaining
    if before.covered != now.covered:
        yield Correction(Part.VISITS, "covered" if now.covered else "not_covered", -1 if now.covered else 1)
        return
    if was == left or (was is not None and left is not None and left < was):
        return
    if left is None:
        yield Correction(Part.VISITS, "visits_all", -1)
    elif was is not None:
        yield Correction(Part.VISITS, "visits", -1, before=str(was or _("none")), after=_more_sessions(left))
    else:
        yield Correction(Part.VISITS, "visits_limited", 1, after=_more_sessions(left))


def _more_sessions(count: int) -> str:
    if count == 0:
        return _("no more sessions")
    return ngettext("%(count)s more session", "%(count)s more sessions", count) % {"count": count}


def _share(before: PlanTerms, now: PlanTerms) -> Iterator[Correction]:
    was, is_now = visit_share(before), visit_share(now)
    if was is None or is_now is None or was == is_now:
        return
    if was[0] and is_now[0] and was[1] == is_now[1]:
        yield Correction(Part.SHARE, "copay", before=dollars(was[0]), after=dollars(is_now[0]))
    elif was[1] and is_now[1] and was[0] == is_now[0]:
        yield Correction(Part.SHARE, "coinsurance", before=percent(was[1]), after=percent(is_now[1]))
    else:
        yield Correction(Part.SHARE, "share", before=_share_in_words(was), after=_share_in_words(is_now))


def _rule(before: PlanTerms, now: PlanTerms) -> Iterator[Correction]:
    rules = (_rule_of(before), _rule_of(now))
    if rules[0] == rules[1] or None in rules or not (before.share_known and now.share_known):
        return
    if rules[1] == CopayRule.WAIVES_DEDUCTIBLE:
        yield Correction(Part.SHARE, CopayRule.WAIVES_DEDUCTIBLE)
    elif rules[0] == CopayRule.WAIVES_DEDUCTIBLE:
        yield Correction(Part.SHARE, "deductible_counts")
    elif rules[1] is not None and before.copay and now.copay:  # without a copay there is nothing to put in order
        yield Correction(Part.SHARE, rules[1])


def _rule_of(terms: PlanTerms) -> CopayRule | None:
    """The rule in force; ``None`` when it is not known. Without a copay the deductible comes first."""
    return CopayRule.AFTER_DEDUCTIBLE if terms.copay is None else terms.copay_rule


def deductibles(terms: PlanTerms) -> tuple[Decimal | None, Decimal | None]:
    """What is left of the member's own and of the family's deductible."""
    return terms.deductible_remaining, terms.family_deductible_remaining


def maximums(terms: PlanTerms) -> tuple[Decimal | None, Decimal | None]:
    """What is left to the member's own and to the family's out-of-pocket maximum."""
    return terms.out_of_pocket_remaining, terms.family_out_of_pocket_remaining


def _limit(part: Part, figure: str, was: Decimal | None, now: Decimal | None) -> Iterator[Correction]:
    if was is not None and now is not None and was != now:
        yield Correction(part, figure, 1 if now > was else -1, before=dollars(was), after=dollars(now))


def _left(
    part: Part, before: tuple[Decimal | None, Decimal | None], now: tuple[Decimal | None, Decimal | None]
) -> Iterator[Correction]:
    """What is left of the member's own figure and of the family's: only a rise is no progress."""
    risen = False
    for figure, was, left in zip((f"{part}_left", f"family_{part}_left"), before, now, strict=True):
        if was is not None and left is not None and left > was:
            risen = True
            yield Correction(part, figure, 1, before=dollars(was), after=dollars(left))
    was, left = lesser(before), lesser(now)
    if not risen and was is not None and left is not None and left > was:
        # The figure that was the lesser one is told no more.
        yield Correction(part, f"{part}_left", 1, before=dollars(was), after=dollars(left))
