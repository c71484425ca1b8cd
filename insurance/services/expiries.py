"""Contracts, credentials and rates that end soon with nothing to follow them: what support renews in time."""

from datetime import timedelta
from typing import TypeVar

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from common import clock
from insurance.models import Credential, FeeSchedule, NetworkContract

WINDOWS = (7, 30, 60)
"""Days ahead that the desk's lists are cut at. A renewal takes weeks: 60 to begin it, 30 to press, 7 to warn."""

Dated = TypeVar("Dated", NetworkContract, Credential, FeeSchedule)

_SAME: dict[type, tuple[str, ...]] = {
    NetworkContract: ("payer",),
    Credential: ("provider", "payer", "state"),
    FeeSchedule: ("payer", "network", "licence", "cpt", "modifier", "provider"),
}


def ending(model: type[Dated], days: int) -> "QuerySet[Dated]":
    """Rows in force whose last day is today or at most ``days`` ahead, and that no row follows on the day after."""
    today = clock.today()
    same = Q()
    for name in _SAME[model]:
        # A rate without a provider is followed by one without a provider: two nulls are the same here.
        null = model._meta.get_field(name).null
        same &= Q(Exact(Coalesce(F(name), 0), Coalesce(OuterRef(name), 0))) if null else Q(**{name: OuterRef(name)})
    follows = Q(begins_on__gt=OuterRef("begins_on")) & Q(begins_on__lte=OuterRef("ends_on") + timedelta(days=1))
    lasts = Q(ends_on=None) | Q(ends_on__gt=OuterRef("ends_on"))
    rows = model._default_manager.filter(ends_on__gte=today, ends_on__lte=today + timedelta(days=days))
    return rows.exclude(Exists(model._default_manager.filter(same & follows & lasts)))
