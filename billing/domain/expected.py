"""What a session will probably cost after all plans have paid: plan after plan by their methods. Pure, and an estimate.

Worked figures: ``docs/coordination.md``. Money is dollars; ``None`` is "not known".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.domain.pricing import PlanState, price_session
from common.money import ZERO, dollars
from insurance.domain.coordination import Method, Primary, Secondary, coordinate


@dataclass(frozen=True, slots=True)
class First:
    """The plan that pays first, as estimated or as decided: what it allows, pays and leaves to the client."""

    payer: str
    allowed: Decimal
    paid: Decimal | None
    client: Decimal | None


@dataclass(frozen=True, slots=True)
class Later:
    """A plan that pays after it.

    ``allowed`` is its contract's rate, ``state`` where the plan stands before this session (``None``: its insurer has
    told nothing that helps), ``why_not`` a sentence when it cannot be billed. ``paid`` and ``left`` are what it has
    decided, once it has; then nothing of it is estimated.
    """

    payer: str
    method: Method
    allowed: Decimal | None = None
    state: PlanState | None = None
    why_not: str = ""
    paid: Decimal | None = None
    left: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The client's share when all plans have paid, and sentences. ``None``: it cannot be told."""

    client: Decimal | None
    why: tuple[str, ...]


def after_all(first: First, later: Sequence[Later], *, charge: Decimal) -> Outcome:
    """Let each later plan pay its part of what is left, in order. In network, as every plan that we bill is.

    What a plan leaves never exceeds what the plan before it left, and a provider in network accepts the first plan's
    allowed amount as full payment.
    """
    paid, share = first.paid, first.client
    why: list[str] = []
    for plan in later:
        if plan.why_not:
            why.append(plan.why_not)
            continue
        if plan.paid is not None:
            paid = None if paid is None else paid + plan.paid
            share = _least(share, plan.left)
            why.append(_("%(payer)s paid %(amount)s") % {"payer": plan.payer, "amount": dollars(plan.paid)})
            continue
        if share == ZERO:
            why.append(_("Nothing is left for %(payer)s to pay") % {"payer": plan.payer})
            continue
        pays, share = _coordinated(first, paid, share, plan, charge, why)
        paid = None if paid is None or pays is None else paid + pays
    return Outcome(share, tuple(why))


def _coordinated(
    first: First, paid: Decimal | None, share: Decimal | None, plan: Later, charge: Decimal, why: list[str]
) -> tuple[Decimal | None, Decimal | None]:
    """What one plan will probably pay, and leave."""
    words = {"payer": plan.payer}
    if plan.allowed is None:
        why.append(_("Not known: what %(payer)s allows for this session") % words)
        return None, ZERO if plan.method.is_medicaid else None
    rest = None if paid is None else max(ZERO, plan.allowed - paid)
    result = coordinate(
        Primary(first.allowed, paid, charge_limit=first.allowed),
        Secondary(
            allowed=plan.allowed,
            method=plan.method,
            pays_alone=_pays(plan.state, plan.allowed),
            pays_on_rest=None if rest is None else _pays(plan.state, rest),
            in_network=True,
        ),
        charge=charge,
    )
    if result.secondary_pays is None:
        why.append(_("Not known: what %(payer)s will pay; it has not told us enough yet") % words)
    else:
        words |= {"amount": dollars(result.secondary_pays), "method": method_in_words(plan.method)}
        why.append(_("%(payer)s will probably pay %(amount)s: %(method)s") % words)
    return result.secondary_pays, _least(share, result.client) if result.client is not None else None


def _pays(state: PlanState | None, allowed: Decimal) -> Decimal | None:
    return None if state is None else price_session(state, allowed)[0].plan


def _least(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def method_in_words(method: Method) -> str:
    """How a plan counts what the plans before it paid, for the client."""
    return {
        Method.STANDARD: _("what it would pay alone, up to what is left"),
        Method.LOWER_ALLOWED: _("what it would pay alone, up to its own price less what was paid"),
        Method.NON_DUPLICATION: _("what it would pay alone, less what was paid"),
        Method.MAINTENANCE_OF_BENEFITS: _("its own benefits, on its price less what was paid"),
        Method.MEDICARE: _("the least of three amounts that Medicare works out"),
        Method.TRICARE: _("the least of three amounts that TRICARE works out"),
        Method.MEDICAID_LESSER_OF: _("what is left, but with the other payments no more than its own rate"),
        Method.MEDICAID_FULL: _("all that is left"),
    }[method]
