"""Rates and networks: what a session is worth under a contract, and who may bill whom on a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from care.models import Session
from common.money import ZERO
from insurance.models import Credential, FeeSchedule, NetworkContract, Payer
from insurance.models.network import in_force
from people.models import Provider


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a provider can bill an insurer on a day; ``why_not`` is a sentence for client, provider and support."""

    can_bill: bool
    why_not: str = ""


def standing(*, provider: Provider, payer: Payer, on: date) -> Standing:
    """Network of the organisation first, then this provider's own credential, both on the date of service."""
    if not NetworkContract.objects.filter(in_force(on), payer=payer).exists():
        return Standing(
            False,
            _("We are not in network with %(payer)s, so we cannot send claims to it.") % {"payer": payer},
        )
    if not Credential.objects.filter(in_force(on), provider=provider, payer=payer).exists():
        return Standing(
            False,
            _("%(provider)s is not credentialed with %(payer)s, so we cannot send claims to it for these sessions.")
            % {"provider": provider, "payer": payer},
        )
    return Standing(True)


def rates(*, payer: Payer, sessions: Iterable[Session]) -> dict[int, Decimal | None]:
    """Contracted rates of many sessions in two queries: session id → dollars, ``None`` where a line has no rate."""
    sessions = list(sessions)
    fees = list(FeeSchedule.objects.filter(payer=payer).order_by("begins_on"))
    found: dict[int, Decimal | None] = {}
    for session in sessions:
        total: Decimal | None = ZERO
        for line in session.lines.all():
            valid = [
                fee.rate
                for fee in fees
                if fee.cpt == line.cpt
                and fee.licence == session.provider.licence
                and fee.begins_on <= session.date
                and (fee.ends_on is None or fee.ends_on >= session.date)
            ]
            total = None if total is None or not valid else total + valid[-1] * line.units
        found[session.pk] = total
    return found
