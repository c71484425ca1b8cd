"""Why a figure of a plan is what it is, in one sentence for people: where it was read, or why it is not known."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from insurance.domain.benefit_lines import OFFICE_PLACE, TELEHEALTH_PLACE, THERAPY, WHOLE_PLAN, service_name
from insurance.domain.benefits import Accumulators, NetworkBenefits

FIGURES = (
    "covered",
    "copay",
    "copay_rule",
    "coinsurance",
    *(
        f"{name}.{level}.{half}"
        for name in ("deductible", "out_of_pocket")
        for level in ("individual", "family")
        for half in ("limit", "remaining")
    ),
    "visits.limit",
    "visits.remaining",
    "authorization_required",
)
"""The figures that :func:`why` explains."""


def why(figure: str, network: NetworkBenefits, *, corrected: Collection[str] = ()) -> str:
    """A sentence on ``figure`` of ``network``, such as ``"From what the insurer says about psychotherapy (A6)."``

    For a telehealth session give the network's ``for_telehealth()``. ``corrected`` names the figures of this network
    that were put right against the insurer's answer (``BenefitSnapshot.corrects`` without its first part). Raises
    ``KeyError`` for a name that is not one of :data:`FIGURES`.
    """
    if figure not in FIGURES:
        raise KeyError(figure)
    if figure in corrected:
        return _("Put right: the insurer's own answer says something else.")
    if figure == "copay_rule":
        return _copay_rule(network)
    if _value(figure, network) is None:
        return network.disputed.get(figure) or _missing(figure, network)
    basis = network.basis.get(figure)
    if not basis:
        place = network.source.get(figure)
        if place:
            return _("From the insurer's answer (%(place)s).") % {"place": place}
        return _("It was not read from the insurer's answer.")
    return _worked_out(figure, network) or _from(figure, basis)


def _value(figure: str, network: NetworkBenefits) -> Decimal | int | bool | date | None:
    name, _dot, rest = figure.partition(".")
    value = getattr(network, name)
    if isinstance(value, Accumulators):
        level, _dot, half = rest.partition(".")
        value = getattr(getattr(value, level), half)
    elif rest:
        value = getattr(value, rest)
    found: Decimal | int | bool | None = value
    return found


def _from(figure: str, basis: str) -> str:
    """The service type, and the place of service where the lines were limited to one."""
    service, _slash, place = basis.partition("/")
    subject = {"service": service_name(service), "code": service}
    if service in THERAPY:
        sentence = {
            TELEHEALTH_PLACE: _("From what the insurer says about %(service)s (%(code)s) by telehealth."),
            OFFICE_PLACE: _("From what the insurer says about %(service)s (%(code)s) in an office."),
        }.get(place, _("From what the insurer says about %(service)s (%(code)s)."))
    elif figure.startswith(("deductible", "out_of_pocket")) and service == WHOLE_PLAN:
        sentence = _("From the plan in general (%(code)s): the insurer gives none for therapy alone.")
    elif service == WHOLE_PLAN:
        sentence = _("From the plan in general (%(code)s), because the insurer does not say this of therapy.")
    else:
        sentence = _("From %(service)s (%(code)s), because the insurer does not say this of therapy.")
    return sentence % subject


def _worked_out(figure: str, network: NetworkBenefits) -> str:
    """What is left where no line said it: nothing of a limit of zero, or the limit less what was used."""
    whole, _dot, half = figure.rpartition(".")
    source, limit = network.source.get(figure, ""), network.source.get(f"{whole}.limit")
    if half != "remaining" or limit is None:
        return ""
    if source == limit and not _value(figure, network):
        return _("Nothing is left to pay, because the limit is zero.")
    if source.endswith(f", {limit}"):
        return _("The limit less what the insurer says is used.")
    return ""


def _copay_rule(network: NetworkBenefits) -> str:
    if network.copay is None:
        return _("There is no copay, so there is no rule for it.")
    return network.copay_rule_why or _("The insurer does not say how copay and deductible go together.")


def _missing(figure: str, network: NetworkBenefits) -> str:
    """Why there is no figure. A share that is not said of the service that has the other one is none, not unknown."""
    other = {"copay": "coinsurance", "coinsurance": "copay"}.get(figure)
    if other is not None and _value(other, network) is not None:
        service = network.basis.get(other, "").partition("/")[0]
        subject = {"service": service_name(service) if service else _("therapy")}
        if figure == "copay":
            return _("For %(service)s the insurer gives a coinsurance and no copay.") % subject
        return _("For %(service)s the insurer gives a copay and no coinsurance.") % subject
    whole, _dot, half = figure.rpartition(".")
    if half == "remaining" and _value(f"{whole}.limit", network) is not None:
        return _("The insurer gives the limit and does not say what is left of it.")
    if half == "limit" and _value(f"{whole}.remaining", network) is not None:
        return _("The insurer says what is left and does not give the limit.")
    return _("The insurer does not say.")
