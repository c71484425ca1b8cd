"""What the second of two plans pays for a session, and what is left for the client. Pure.

The formulas are those of ``docs/coordination.md``. They are for estimates and for spotting a payer's mistake: once both
remittances are here, the amounts in them are the truth. Money is dollars as ``Decimal``; ``None`` means "not known".
A result is known only when it is the same whatever the missing figures are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.utils.translation import gettext as _

from common.agreement import agreed
from common.money import ZERO, dollars

NOT_BOUND = Decimal("Infinity")
"""A charge limit for a provider who has agreed to none: only the charge itself bounds the payments."""


class Method(StrEnum):
    """How a second plan takes the first plan's payment into account."""

    STANDARD = "standard"
    LOWER_ALLOWED = "lower_allowed"
    NON_DUPLICATION = "non_duplication"
    MAINTENANCE_OF_BENEFITS = "maintenance_of_benefits"
    MEDICARE = "medicare"
    TRICARE = "tricare"
    MEDICAID_LESSER_OF = "medicaid_lesser_of"
    MEDICAID_FULL = "medicaid_full"

    @property
    def is_medicaid(self) -> bool:
        """Under Medicaid the client is not billed."""
        return self in (Method.MEDICAID_LESSER_OF, Method.MEDICAID_FULL)


@dataclass(frozen=True, slots=True)
class First:
    """The plan that pays first: what it allows and pays, and what the provider is obligated to accept."""

    allowed: Decimal
    paid: Decimal | None
    charge_limit: Decimal | None = NOT_BOUND
    """Only ``medicare`` uses it."""


@dataclass(frozen=True, slots=True)
class Second:
    """The plan that pays second."""

    allowed: Decimal
    method: Method
    pays_alone: Decimal | None = None
    """What it would pay if it were the only plan, after its own deductible; Medicaid's formulas do not use it."""
    pays_on_rest: Decimal | None = None
    """What it would pay on its allowed amount less the first plan's payment; only ``maintenance_of_benefits`` uses it."""
    fee_schedule: Decimal | None = None
    """``None``: the same as ``allowed``."""
    in_network: bool | None = None


@dataclass(frozen=True, slots=True)
class Coordination:
    """What each plan pays and what the client owes, with sentences for people."""

    primary_pays: Decimal | None
    secondary_pays: Decimal | None
    client: Decimal | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Figures:
    """One way in which the missing figures may be."""

    charge: Decimal
    paid: Decimal
    alone: Decimal


def coordinate(first: First, second: Second, *, charge: Decimal | None = None) -> Coordination:
    """Price one session that two plans share; the provider is taken to be in network with the first.

    ``charge`` is what the provider bills; only ``medicare`` and ``tricare`` use it.
    """
    payments = [(figures, _second_pays(first, second, figures)) for figures in _possible(first, second, charge)]
    second_pays = agreed(payment for _figures, payment in payments)
    client = ZERO if second.method.is_medicaid else agreed(_client_shares(first, second, payments))
    return Coordination(
        primary_pays=first.paid,
        secondary_pays=second_pays,
        client=client,
        why=(
            _first_in_words(first),
            *_second_in_words(first, second, charge, second_pays),
            *_client_in_words(first, second, client),
        ),
    )


def _possible(first: First, second: Second, charge: Decimal | None) -> Iterator[_Figures]:
    """The figures, each missing one at both ends of what it may be.

    Both the second plan's payment and the client's share only rise or only fall with each of them, so the ends are
    enough to tell whether a result depends on it.
    """
    for one_charge in (ZERO, NOT_BOUND) if charge is None else (charge,):
        for paid in (ZERO, first.allowed) if first.paid is None else (first.paid,):
            for alone in (ZERO, second.allowed) if second.pays_alone is None else (second.pays_alone,):
                yield _Figures(one_charge, paid, alone)


def _second_pays(first: First, second: Second, figures: _Figures) -> Decimal | None:
    """The formula of the second plan's method, never below zero."""
    paid, alone = figures.paid, figures.alone
    fee = second.allowed if second.fee_schedule is None else second.fee_schedule
    match second.method:
        case Method.STANDARD:
            amount = min(alone, first.allowed - paid)
        case Method.LOWER_ALLOWED:
            amount = min(alone, second.allowed - paid)
        case Method.NON_DUPLICATION:
            amount = alone - paid
        case Method.MAINTENANCE_OF_BENEFITS:
            if second.pays_on_rest is None:
                return None
            amount = second.pays_on_rest
        case Method.MEDICARE:
            if first.charge_limit is None:
                return None
            amount = min(
                min(figures.charge, first.charge_limit) - paid,
                alone,
                max(first.allowed, fee) - paid,
            )
        case Method.TRICARE:
            amount = min(figures.charge - paid, alone, first.allowed - paid)
        case Method.MEDICAID_LESSER_OF:
            amount = min(first.allowed - paid, fee - paid)
        case Method.MEDICAID_FULL:
            amount = first.allowed - paid
    return max(ZERO, amount)


def _client_shares(first: First, second: Second, payments: list[tuple[_Figures, Decimal | None]]) -> Iterator[Decimal]:
    """The client's share in every way the missing figures may be: what the contract allows less both payments."""
    for bound in client_bounds(first, second):
        for figures, second_pays in payments:
            # A payment that no formula gives may be anything from nothing to all that is open.
            for payment in (ZERO, bound) if second_pays is None else (second_pays,):
                yield max(ZERO, bound - figures.paid - payment)


def client_bounds(first: First, second: Second) -> tuple[Decimal, ...]:
    """The most that both plans and the client together may be asked for; two when the network is not known."""
    lower = min(first.allowed, second.allowed)
    if second.in_network is None:
        return (lower, first.allowed)
    return (lower,) if second.in_network else (first.allowed,)


def _first_in_words(first: First) -> str:
    if first.paid is None:
        return _("Not known: what your first plan pays of the %(allowed)s it allows") % {
            "allowed": dollars(first.allowed)
        }
    return _("Your first plan pays %(paid)s of the %(allowed)s it allows") % {
        "paid": dollars(first.paid),
        "allowed": dollars(first.allowed),
    }


def _second_in_words(
    first: First, second: Second, charge: Decimal | None, second_pays: Decimal | None
) -> Iterator[str]:
    if second_pays is None:
        yield from _missing(first, second, charge)
        return
    amounts = {
        "pays": dollars(second_pays),
        "alone": "?" if second.pays_alone is None else dollars(second.pays_alone),
        "first_allowed": dollars(first.allowed),
        "allowed": dollars(second.allowed),
    }
    sentences = {
        Method.STANDARD: _(
            "Your second plan pays %(pays)s: what it would pay alone, but no more than what the first plan leaves "
            "open of %(first_allowed)s"
        ),
        Method.LOWER_ALLOWED: _(
            "Your second plan pays %(pays)s: what it would pay alone, but no more than what the first plan leaves "
            "open of the %(allowed)s it allows itself"
        ),
        Method.NON_DUPLICATION: _(
            "Your second plan pays %(pays)s: what it would pay alone, less what the first plan pays"
        ),
        Method.MAINTENANCE_OF_BENEFITS: _(
            "Your second plan pays %(pays)s: its benefits on what the first plan leaves open of the %(allowed)s it allows"
        ),
        Method.MEDICARE: _(
            "Medicare pays %(pays)s: the least of what is open of the bill, what it would pay alone, and what is open "
            "of the higher allowed amount"
        ),
        Method.TRICARE: _(
            "TRICARE pays %(pays)s: the least of what is open of the bill, what it would pay alone, and what you "
            "would still owe"
        ),
        Method.MEDICAID_LESSER_OF: _(
            "Medicaid pays %(pays)s: what is open, but with the first plan's payment no more than its own rate"
        ),
        Method.MEDICAID_FULL: _("Medicaid pays %(pays)s: all that the first plan leaves open of %(first_allowed)s"),
    }
    yield sentences[second.method] % amounts


def _missing(first: First, second: Second, charge: Decimal | None) -> Iterator[str]:
    if second.method == Method.MAINTENANCE_OF_BENEFITS:
        yield _("Not known: the second plan's terms, so what it pays on the rest cannot be worked out")
    elif second.pays_alone is None and not second.method.is_medicaid:
        yield _("Not known: what your second plan would pay on its own")
    if second.method == Method.MEDICARE and first.charge_limit is None:
        yield _("Not known: the amount that the provider must accept as full payment")
    if second.method in (Method.MEDICARE, Method.TRICARE) and charge is None:
        yield _("Not known: what the provider charges")


def _client_in_words(first: First, second: Second, client: Decimal | None) -> Iterator[str]:
    bounds = client_bounds(first, second)
    if second.method.is_medicaid:
        yield _("With Medicaid you owe nothing for a covered session")
    elif client is not None:
        yield _("The plans and you together owe no more than %(bound)s, so you pay %(client)s") % {
            "bound": dollars(max(bounds)),
            "client": dollars(client),
        }
    elif len(set(bounds)) > 1:
        yield _("Not known: whether the provider is in your second plan's network, which changes what you can be asked")
    else:
        yield _("What you pay is known once both payments are")
