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
class Primary:
    """The plan that pays first: what it allows and pays, and what the provider is obligated to accept."""

    allowed: Decimal
    paid: Decimal | None
    charge_limit: Decimal | None = NOT_BOUND
    """Only ``medicare`` uses it."""


@dataclass(frozen=True, slots=True)
class Secondary:
    """The plan that pays second."""

    allowed: Decimal
    method: Method
    pays_alone: Decimal | None = None
    """What it would pay if it were the only plan, after its own deductible; Medicaid's formulas do not use it."""
    pays_on_rest: Decimal | None = None
    """What it would pay on its allowed amount less the primary's payment, for ``maintenance_of_benefits``."""
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


def coordinate(primary: Primary, secondary: Secondary, *, charge: Decimal | None = None) -> Coordination:
    """Price one session that two plans share; the provider is taken to be in network with the primary.

    ``charge`` is what the provider bills; only ``medicare`` and ``tricare`` use it.
    """
    payments = [
        (figures, _secondary_pays(primary, secondary, figures)) for figures in _possible(primary, secondary, charge)
    ]
    secondary_pays = agreed(payment for _figures, payment in payments)
    client = ZERO if secondary.method.is_medicaid else agreed(_client_shares(primary, secondary, payments))
    return Coordination(
        primary_pays=primary.paid,
        secondary_pays=secondary_pays,
        client=client,
        why=(
            _primary_in_words(primary),
            *_secondary_in_words(primary, secondary, charge, secondary_pays),
            *_client_in_words(primary, secondary, client),
        ),
    )


def _possible(primary: Primary, secondary: Secondary, charge: Decimal | None) -> Iterator[_Figures]:
    """The figures, each missing one at both ends of what it may be.

    Both the second plan's payment and the client's share only rise or only fall with each of them, so the ends are
    enough to tell whether a result depends on it.
    """
    for one_charge in (ZERO, NOT_BOUND) if charge is None else (charge,):
        for paid in (ZERO, primary.allowed) if primary.paid is None else (primary.paid,):
            for alone in (ZERO, secondary.allowed) if secondary.pays_alone is None else (secondary.pays_alone,):
                yield _Figures(one_charge, paid, alone)


def _secondary_pays(primary: Primary, secondary: Secondary, figures: _Figures) -> Decimal | None:
    """The formula of the second plan's method, never below zero."""
    paid, alone = figures.paid, figures.alone
    fee = secondary.allowed if secondary.fee_schedule is None else secondary.fee_schedule
    match secondary.method:
        case Method.STANDARD:
            amount = min(alone, primary.allowed - paid)
        case Method.LOWER_ALLOWED:
            amount = min(alone, secondary.allowed - paid)
        case Method.NON_DUPLICATION:
            amount = alone - paid
        case Method.MAINTENANCE_OF_BENEFITS:
            if secondary.pays_on_rest is None:
                return None
            amount = secondary.pays_on_rest
        case Method.MEDICARE:
            if primary.charge_limit is None:
                return None
            amount = min(
                min(figures.charge, primary.charge_limit) - paid,
                alone,
                max(primary.allowed, fee) - paid,
            )
        case Method.TRICARE:
            amount = min(figures.charge - paid, alone, primary.allowed - paid)
        case Method.MEDICAID_LESSER_OF:
            amount = min(primary.allowed - paid, fee - paid)
        case Method.MEDICAID_FULL:
            amount = primary.allowed - paid
    return max(ZERO, amount)


def _client_shares(
    primary: Primary, secondary: Secondary, payments: list[tuple[_Figures, Decimal | None]]
) -> Iterator[Decimal]:
    """The client's share in every way the missing figures may be: what the contract allows less both payments."""
    for bound in client_bounds(primary, secondary):
        for figures, secondary_pays in payments:
            # A payment that no formula gives may be anything from nothing to all that is open.
            for payment in (ZERO, bound) if secondary_pays is None else (secondary_pays,):
                yield max(ZERO, bound - figures.paid - payment)


def client_bounds(primary: Primary, secondary: Secondary) -> tuple[Decimal, ...]:
    """The most that both plans and the client together may be asked for; two when the network is not known."""
    lower = min(primary.allowed, secondary.allowed)
    if secondary.in_network is None:
        return (lower, primary.allowed)
    return (lower,) if secondary.in_network else (primary.allowed,)


def _primary_in_words(primary: Primary) -> str:
    if primary.paid is None:
        return _("Not known: what your first plan pays of the %(allowed)s it allows") % {
            "allowed": dollars(primary.allowed)
        }
    return _("Your first plan pays %(paid)s of the %(allowed)s it allows") % {
        "paid": dollars(primary.paid),
        "allowed": dollars(primary.allowed),
    }


def _secondary_in_words(
    primary: Primary, secondary: Secondary, charge: Decimal | None, secondary_pays: Decimal | None
) -> Iterator[str]:
    if secondary_pays is None:
        yield from _missing(primary, secondary, charge)
        return
    amounts = {
        "pays": dollars(secondary_pays),
        "first_allowed": dollars(primary.allowed),
        "allowed": dollars(secondary.allowed),
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
            "Your second plan pays %(pays)s: its benefits on what the first plan leaves open of the %(allowed)s it "
            "allows"
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
    yield sentences[secondary.method] % amounts


def _missing(primary: Primary, secondary: Secondary, charge: Decimal | None) -> Iterator[str]:
    if secondary.method == Method.MAINTENANCE_OF_BENEFITS:
        yield _("Not known: the second plan's terms, so what it pays on the rest cannot be worked out")
    elif secondary.pays_alone is None and not secondary.method.is_medicaid:
        yield _("Not known: what your second plan would pay on its own")
    if secondary.method == Method.MEDICARE and primary.charge_limit is None:
        yield _("Not known: the amount that the provider must accept as full payment")
    if secondary.method in (Method.MEDICARE, Method.TRICARE) and charge is None:
        yield _("Not known: what the provider charges")


def _client_in_words(primary: Primary, secondary: Secondary, client: Decimal | None) -> Iterator[str]:
    bounds = client_bounds(primary, secondary)
    if secondary.method.is_medicaid:
        yield _("With Medicaid you owe nothing for a covered session")
    elif client is not None:
        yield _("The provider may collect at most %(bound)s in all; less both payments, you pay %(client)s") % {
            "bound": dollars(max(bounds)),
            "client": dollars(client),
        }
    elif len(set(bounds)) > 1:
        yield _("Not known: whether the provider is in your second plan's network, which changes what you can be asked")
    else:
        yield _("What you pay is known once both payments are")
