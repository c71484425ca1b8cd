"""A price in words: the sentences that tell a client where the figure comes from, or what is missing for one."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.domain.shares import Shares
from common.agreement import agreed
from common.money import dollars
from insurance.domain.benefits import CopayRule


def explain(
    possible: Sequence[Shares],
    *,
    allowed: Decimal,
    copay: Decimal | None,
    coinsurance: Decimal | None,
    rules: Collection[CopayRule],
    deductible_known: bool,
    deductible_left: Decimal | None,
    covered: bool,
    out_of_network: bool,
    charge: Decimal | None,
) -> tuple[str, ...]:
    """Sentences for one session.

    ``possible`` are the shares in every way the unknown facts may be, ``rules`` the copay rules that may hold, and
    ``deductible_left`` what is left of the deductible after this session. ``charge`` is the provider's full price where
    the client owes what it has above the allowed amount.
    """
    if not possible[0].applied:
        why = [_not_covered(allowed, covered=covered)]
    elif all(_parts(shares) == _parts(possible[0]) for shares in possible):
        why = _parts_in_words(possible[0], copay, coinsurance, deductible_left, out_of_network=out_of_network)
    else:
        client = agreed(shares.client for shares in possible)
        missing = _missing(copay, coinsurance, rules, deductible_known)
        why = [*missing, _verdict(client, possible)]
    if charge is not None and charge > allowed:
        why.append(
            _("The charge is %(charge)s, and your plan allows %(allowed)s of it: the %(above)s above that is yours to "
              "pay, and counts towards no limit of your plan")
            % {"charge": dollars(charge), "allowed": dollars(allowed), "above": dollars(charge - allowed)}
        )  # fmt: skip
    elif charge is None and out_of_network:
        why.append(
            _("Out of network: a charge above %(allowed)s is not part of this price") % {"allowed": dollars(allowed)}
        )
    return tuple(why)


def _not_covered(allowed: Decimal, *, covered: bool) -> str:
    amount = {"allowed": dollars(allowed)}
    if not covered:
        return _("Your plan does not cover this session: it pays nothing, and you pay all of %(allowed)s") % amount
    return _("No covered visits are left: your plan pays nothing for this session, and you pay all of %(allowed)s") % (
        amount
    )


def percent(share: Decimal) -> str:
    """``Decimal("0.20")`` → ``"20%"``."""
    return f"{(share * 100).normalize():f}%"


def _parts(shares: Shares) -> tuple[Decimal, Decimal, Decimal]:
    return shares.deductible, shares.copay, shares.coinsurance


def _parts_in_words(
    shares: Shares,
    copay: Decimal | None,
    coinsurance: Decimal | None,
    deductible_left: Decimal | None,
    *,
    out_of_network: bool,
) -> list[str]:
    words: dict[str, str] = {}
    if shares.deductible:
        amount = {"amount": dollars(shares.deductible), "left": dollars(deductible_left or Decimal(0))}
        if deductible_left is None:
            words["deductible"] = _("%(amount)s goes to your deductible") % amount
        elif deductible_left == 0:
            words["deductible"] = _("%(amount)s goes to your deductible, which is then met") % amount
        else:
            words["deductible"] = _("%(amount)s goes to your deductible; %(left)s of it is left to pay") % amount
    if shares.copay or (copay == 0 and not shares.cut):
        words["copay"] = _copay_in_words(shares)
    if shares.coinsurance:
        sentence = _("Coinsurance %(amount)s: %(share)s of the remaining %(rest)s")
        if not (shares.deductible or shares.copay):
            sentence = _("Coinsurance %(amount)s: %(share)s of %(rest)s")
        if shares.cut:
            sentence = _("Coinsurance %(amount)s")
        words["coinsurance"] = sentence % {
            "amount": dollars(shares.coinsurance),
            "share": percent(coinsurance or Decimal(0)),
            "rest": dollars(shares.shared_rest),
        }
    why = [words[part] for part in shares.applied if part in words]
    if shares.cut or not shares.client:
        why.append(_who_pays_the_rest(shares, out_of_network=out_of_network))
    return why


def _who_pays_the_rest(shares: Shares, *, out_of_network: bool) -> str:
    """Out of network the plan never pays all of a session, only all that it allows."""
    if shares.cut and shares.client:
        if out_of_network:
            return _("This session brings you to your out-of-pocket maximum: your plan pays the rest of what it allows")
        return _("This session brings you to your out-of-pocket maximum: your plan pays the rest")
    if shares.cut:
        if out_of_network:
            return _("You have reached your out-of-pocket maximum: your plan pays all that it allows")
        return _("You have reached your out-of-pocket maximum: your plan pays all of this session")
    return _("Your plan pays all that it allows") if out_of_network else _("Your plan pays all of this session")


def _copay_in_words(shares: Shares) -> str:
    amount = {"amount": dollars(shares.copay)}
    if shares.applied == ("copay",):
        return _("Copay %(amount)s; the deductible does not apply to this visit") % amount
    if shares.applied[0] == "copay" and shares.deductible:
        return _("Copay %(amount)s, taken before the deductible") % amount
    if shares.deductible:
        return _("Copay %(amount)s, taken after the deductible") % amount
    return _("Copay %(amount)s") % amount


def _missing(
    copay: Decimal | None, coinsurance: Decimal | None, rules: Collection[CopayRule], deductible_known: bool
) -> list[str]:
    missing = []
    if not deductible_known and set(rules) != {CopayRule.WAIVES_DEDUCTIBLE}:
        missing.append(_("Not known: how much of your deductible is left"))
    if copay is None and coinsurance is None:
        missing.append(_("Not known: your copay or coinsurance"))
    if len(set(rules)) > 1:
        missing.append(
            _("Not known: whether the copay of %(copay)s comes before the deductible, after it, or instead of it")
            % {"copay": dollars(copay or Decimal(0))}
        )
    return missing


def _verdict(client: Decimal | None, possible: Sequence[Shares]) -> str:
    if client is not None:
        return _("You pay %(client)s either way") % {"client": dollars(client)}
    shares = [one.client for one in possible]
    return _("Until we know, your share is between %(least)s and %(most)s") % {
        "least": dollars(min(shares)),
        "most": dollars(max(shares)),
    }
