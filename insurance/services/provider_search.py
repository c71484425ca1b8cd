"""Finding providers who can bill all of a client's plans on a day to come, and apart from them those who can bill only
the first.

A provider can bill an insurer when our contract with it and the provider's own credential are in force on the day, the
credential for the state in which sessions take place (``insurance/services/network.py``): by video where the client
is, at an office where that is. One who lives elsewhere is found for video only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import reduce
from operator import and_

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from common import clock
from common.errors import BadInput
from common.us_states import STATES
from insurance.models import Credential, NetworkContract, Payer
from insurance.models.network import in_force
from people.models import Provider, Specialty

PAGE = 20
"""Providers of a page."""

AT_MOST = 100
"""As far as providers are counted: "100 or more" says enough, and counting stays quick."""

MOST_PAYERS = 6


class Place(StrEnum):
    """Where sessions shall take place."""

    ANY = "any"
    VIDEO = "video"
    OFFICE = "office"


class Bills(StrEnum):
    """Which of the chosen insurers a provider must be able to bill."""

    ALL = "all"
    FIRST_ONLY = "first"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client looks for. ``payers``: the insurers, the one that pays first in front; ``state``: the client's."""

    payers: tuple[Payer, ...]
    state: str
    on: date
    place: Place = Place.ANY
    specialty: str = ""
    accepting: bool = True


@dataclass(frozen=True, slots=True)
class Match:
    """A provider, and the chosen insurers in order: those we would bill for their sessions, and those not."""

    provider: Provider
    by_video: bool
    at_office: bool
    bills: tuple[Payer, ...]
    not_billed: tuple[Payer, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of providers, in the order in which they joined; ``after`` begins the next page, ``None`` at the end."""

    matches: tuple[Match, ...]
    after: int | None


@dataclass(frozen=True, slots=True)
class Relaxed:
    """One condition let go, and how many providers that would find, counted up to :data:`AT_MOST`."""

    condition: str
    """``specialty``, ``place``, ``accepting`` or ``payer``."""
    wanted: Wanted
    count: int
    without: Payer | None = None


def check(wanted: Wanted) -> None:
    """Raises :class:`BadInput` that names the field for what cannot be searched."""
    if not wanted.payers:
        raise BadInput(_("Please choose at least one insurer."), "insurers")
    if len(wanted.payers) > MOST_PAYERS:
        raise BadInput(_("Please choose at most %(most)s insurers.") % {"most": MOST_PAYERS}, "insurers")
    if wanted.state not in STATES:
        raise BadInput(_("Please choose a state."), "state")
    if wanted.on < clock.today():
        raise BadInput(_("Please choose a day that is not past."), "on")
    if wanted.specialty and wanted.specialty not in Specialty.values:
        raise BadInput(_("Please choose what you would like help with from the list."), "specialty")


def in_network(payers: Sequence[Payer], on: date) -> set[int]:
    """Ids of the insurers among ``payers`` that we have a contract with on the day. One query."""
    contracts = NetworkContract.objects.filter(in_force(on), payer__in=payers)
    return set(contracts.values_list("payer_id", flat=True))


def search(
    wanted: Wanted,
    *,
    bills: Bills = Bills.ALL,
    after: int = 0,
    limit: int = PAGE,
    contracted: set[int] | None = None,
) -> Found:
    """A page of providers, two queries whatever their number. ``after``: as :attr:`Found.after` of the page before;
    ``contracted``: what :func:`in_network` said, if it was asked already.

    ``Bills.ALL``: all chosen insurers. ``Bills.FIRST_ONLY``: the first but not all of them; which others, each match
    says. Raises :class:`BadInput`.
    """
    check(wanted)
    if contracted is None:
        contracted = in_network(wanted.payers, wanted.on)
    rows = candidates(wanted, contracted=contracted, bills=bills)
    if rows is None:
        return Found((), None)
    page = list(rows.filter(provider__gt=after).order_by("provider_id").select_related("provider")[: limit + 1])
    matches = tuple(_match(each, wanted, bills) for each in page[:limit])
    return Found(matches, matches[-1].provider.pk if len(page) > limit else None)


def count(wanted: Wanted, *, bills: Bills = Bills.ALL) -> int:
    """How many there are, at most :data:`AT_MOST`."""
    rows = candidates(wanted, contracted=in_network(wanted.payers, wanted.on), bills=bills)
    return 0 if rows is None else rows.order_by()[:AT_MOST].count()


def relaxed(wanted: Wanted) -> list[Relaxed]:
    """Nobody was found: what there would be with one condition less. Only those that find somebody, most first."""
    tries: list[tuple[str, Wanted, Payer | None]] = []
    if wanted.specialty:
        tries.append(("specialty", replace(wanted, specialty=""), None))
    if wanted.place != Place.ANY:
        tries.append(("place", replace(wanted, place=Place.ANY), None))
    if wanted.accepting:
        tries.append(("accepting", replace(wanted, accepting=False), None))
    if len(wanted.payers) > 1:
        for payer in reversed(wanted.payers):
            others = tuple(each for each in wanted.payers if each != payer)
            tries.append(("payer", replace(wanted, payers=others), payer))
    found = [Relaxed(condition, other, count(other), without) for condition, other, without in tries]
    return sorted((each for each in found if each.count), key=lambda each: -each.count)


def candidates(wanted: Wanted, *, contracted: set[int], bills: Bills) -> "QuerySet[Credential] | None":
    """The providers, as their credentials with the first insurer, each with ``bills_<payer id>`` of those that vary.

    A provider has one credential at most with an insurer in a state on a day (``no_two_credentials_at_once``), so each
    is there once, and the index ``credential_search`` gives them in order, from any one on. ``None`` where contracts
    alone rule everybody out.
    """
    first, others = wanted.payers[0], wanted.payers[1:]
    billable = [each for each in others if each.pk in contracted]
    everybody = len(billable) == len(others)
    if first.pk not in contracted or (bills == Bills.ALL and not everybody) or (bills != Bills.ALL and not others):
        return None
    valid = Credential.objects.filter(in_force(wanted.on), state=wanted.state)
    rows = valid.filter(_place(wanted), payer=first)
    if wanted.accepting:
        rows = rows.filter(provider__accepting=True)
    if wanted.specialty:
        rows = rows.filter(provider__specialties__contains=[wanted.specialty])
    also = {each.pk: Exists(valid.filter(provider=OuterRef("provider"), payer=each)) for each in billable}
    if bills == Bills.ALL:
        return rows.filter(*also.values())
    if everybody:
        rows = rows.exclude(reduce(and_, (Q(each) for each in also.values())))
        if len(billable) == 1:
            return rows
    return rows.annotate(**{f"bills_{pk}": each for pk, each in also.items()})


def _place(wanted: Wanted) -> Q:
    video, office = Q(provider__telehealth=True), Q(provider__office=True, provider__state=wanted.state)
    return {Place.VIDEO: video, Place.OFFICE: office, Place.ANY: video | office}[wanted.place]


def _match(credential: Credential, wanted: Wanted, bills: Bills) -> Match:
    first, *others = wanted.payers
    provider = credential.provider
    billed = [each for each in others if bills == Bills.ALL or getattr(credential, f"bills_{each.pk}", False)]
    return Match(
        provider=provider,
        by_video=provider.telehealth and wanted.place != Place.OFFICE,
        at_office=provider.office and provider.state == wanted.state and wanted.place != Place.VIDEO,
        bills=(first, *billed),
        not_billed=tuple(each for each in others if each not in billed),
    )
