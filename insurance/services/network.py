"""Rates and networks: what a session is worth under a contract, and who may bill whom on a day."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from django.db.models import Q, prefetch_related_objects
from django.utils.translation import gettext as _

from care.models import ProcedureLine, Session
from common.money import ZERO
from common.us_states import name_of
from insurance.models import Credential, FeeSchedule, NetworkContract, Payer
from insurance.models.network import DatedRow, in_force
from people.models import Provider


class Obstacle(StrEnum):
    """What keeps a provider from billing an insurer."""

    NO_CONTRACT = "no_contract"
    NOT_CREDENTIALED = "not_credentialed"
    OTHER_STATE = "other_state"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a provider can bill an insurer on a day.

    ``why_not`` is a sentence for the client and for claims; ``for_provider`` speaks to the provider, ``for_support``
    says what is missing and where it would be entered. All are empty when the insurer can be billed.
    """

    can_bill: bool
    why_not: str = ""
    obstacle: Obstacle | None = None
    for_provider: str = ""
    for_support: str = ""


def state_of(session: Session) -> str:
    """The state in which a session takes place, as a code: by video the client's, else that of the provider's office.

    Care by video counts as given where the client is, so licence and credential must be those of that state (HHS,
    telehealth.hhs.gov/licensure; Center for Connected Health Policy, cross-state licensing). The client's address
    stands for where the client is.
    """
    return session.client.state if session.is_telehealth else session.provider.state


def standing(*, provider: Provider, payer: Payer, on: date, state: str = "") -> Standing:
    """Network of the organisation first, then this provider's own credential, both on the date of service.

    A credential is for one state and counts only there, whatever kind of plan it is; ``state`` is where the session
    takes place (:func:`state_of`). Where that is not known, ``""``, a credential for any state will do.
    """
    credentials = Credential.objects.filter(in_force(on), provider=provider, payer=payer)
    return _standing(
        provider,
        payer,
        state,
        in_network=NetworkContract.objects.filter(in_force(on), payer=payer).exists(),
        credentialed_in=set(credentials.values_list("state", flat=True)),
    )


def session_standing(*, session: Session, payer: Payer) -> Standing:
    """:func:`standing` of a session's provider, on its day, where it takes place."""
    return standing(provider=session.provider, payer=payer, on=session.date, state=state_of(session))


def standings(*, payer: Payer, sessions: Iterable[Session]) -> dict[int, Standing]:
    """:func:`session_standing` of many sessions: session id → standing.

    Two queries beside what the sessions lack of their clients and providers.
    """
    sessions = list(sessions)
    prefetch_related_objects(sessions, "provider")
    prefetch_related_objects([each for each in sessions if each.is_telehealth], "client")
    contracts = list(NetworkContract.objects.filter(payer=payer))
    credentials = Credential.objects.filter(payer=payer, provider__in={each.provider_id for each in sessions})
    by_provider: dict[int, list[Credential]] = {}
    for credential in credentials:
        by_provider.setdefault(credential.provider_id, []).append(credential)
    return {
        each.pk: _standing(
            each.provider,
            payer,
            state_of(each),
            in_network=any(_holds(row, each.date) for row in contracts),
            credentialed_in={row.state for row in by_provider.get(each.provider_id, []) if _holds(row, each.date)},
        )
        for each in sessions
    }


def _holds(row: DatedRow, day: date) -> bool:
    return row.begins_on <= day and (row.ends_on is None or day <= row.ends_on)


def _standing(
    provider: Provider, payer: Payer, state: str, *, in_network: bool, credentialed_in: Collection[str]
) -> Standing:
    named = {"payer": payer, "provider": provider, "npi": provider.npi, "state": name_of(state)}
    if not in_network:
        return Standing(
            False,
            _("We are not in network with %(payer)s, so we cannot send claims to it.") % named,
            Obstacle.NO_CONTRACT,
            _("We are not in network with %(payer)s on this day. Nothing is asked of you.") % named,
            _("No contract with %(payer)s is in force on this day (Insurers, Contracts).") % named,
        )
    if not credentialed_in:
        return Standing(
            False,
            _("%(provider)s is not credentialed with %(payer)s, so we cannot send claims to it for these sessions.")
            % named,
            Obstacle.NOT_CREDENTIALED,
            _("You are not credentialed with %(payer)s on this day, so we send it no claims for you.") % named,
            _("%(provider)s (NPI %(npi)s) has no credential with %(payer)s on this day (Insurers, Credentials).")
            % named,
        )
    if state and state not in credentialed_in:
        named["states"] = ", ".join(name_of(each) for each in sorted(credentialed_in))
        return Standing(
            False,
            _(
                "%(provider)s is credentialed with %(payer)s in %(states)s but not in %(state)s, so we cannot send "
                "claims to it for these sessions."
            )
            % named,
            Obstacle.OTHER_STATE,
            _(
                "You are credentialed with %(payer)s in %(states)s. This session takes place in %(state)s, so we send "
                "%(payer)s no claim for it. A video session takes place where the client is."
            )
            % named,
            _(
                "%(provider)s (NPI %(npi)s) is credentialed with %(payer)s in %(states)s on this day, not in "
                "%(state)s, where the session takes place."
            )
            % named,
        )
    return Standing(True)


# --- Rates ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RatedLine:
    """One procedure line and what the insurer allows for it in dollars, all units; ``None``: no rate is known."""

    line: ProcedureLine
    allowed: Decimal | None


def billed_modifiers(line: ProcedureLine, session: Session) -> tuple[str, ...]:
    """The modifiers under which a line is billed: its own; a telehealth session's line without any carries 95."""
    return tuple(line.modifiers) or (("95",) if session.is_telehealth else ())


def rates(*, payer: Payer, sessions: Iterable[Session], network: str = "in") -> dict[int, Decimal | None]:
    """What an insurer allows for each of many sessions: session id → dollars, ``None`` where a line has no rate.

    All lines of a session are one visit, so their amounts are added up. One query beside what the sessions lack of
    their lines and providers. Rules: ``docs/pricing.md``.
    """
    return {pk: _sum(lines) for pk, lines in rated_lines(payer=payer, sessions=sessions, network=network).items()}


def rated_lines(*, payer: Payer, sessions: Iterable[Session], network: str = "in") -> dict[int, tuple[RatedLine, ...]]:
    """:func:`rates` line by line, in claim order: session id → lines."""
    sessions = list(sessions)
    prefetch_related_objects(sessions, "lines", "provider")
    fees = _fees(payer, sessions, network)
    return {
        session.pk: tuple(RatedLine(line, _allowed(fees, session, line)) for line in session.lines.all())
        for session in sessions
    }


def unrated_lines(*, payer: Payer, session: Session, network: str = "in") -> tuple[ProcedureLine, ...]:
    """The lines of a session that no rate is known for; they are why :func:`rates` has ``None`` for it."""
    lines = rated_lines(payer=payer, sessions=[session], network=network)[session.pk]
    return tuple(each.line for each in lines if each.allowed is None)


def why_no_rate(*, payer: Payer, session: Session) -> str:
    """A sentence that names the procedures without a contracted rate; empty when every line has one."""
    missing = unrated_lines(payer=payer, session=session)
    if not missing:
        return ""
    return _("We have no contracted rate with %(payer)s for %(procedures)s with %(provider)s on this day.") % {
        "payer": payer,
        "procedures": ", ".join(dict.fromkeys(line.cpt for line in missing)),
        "provider": session.provider,
    }


def _sum(lines: Sequence[RatedLine]) -> Decimal | None:
    """``None`` as soon as one line is not known, and for a session without lines: nothing is known of its worth."""
    if not lines:
        return None
    total = ZERO
    for each in lines:
        if each.allowed is None:
            return None
        total += each.allowed
    return total


def _fees(payer: Payer, sessions: Sequence[Session], network: str) -> dict[str, list[FeeSchedule]]:
    """The rates that may bear on these sessions, by procedure, those that go first in front."""
    if not sessions:
        return {}
    first, last = min(each.date for each in sessions), max(each.date for each in sessions)
    rows = FeeSchedule.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=first),
        Q(provider=None) | Q(provider__in={each.provider_id for each in sessions}),
        payer=payer,
        network=network,
        cpt__in={line.cpt for each in sessions for line in each.lines.all()},
        begins_on__lte=last,
    )
    found: dict[str, list[FeeSchedule]] = {}
    for fee in sorted(rows, key=_closeness, reverse=True):
        found.setdefault(fee.cpt, []).append(fee)
    return found


def _closeness(fee: FeeSchedule) -> tuple[bool, bool, date, int]:
    """The closer a rate is agreed to the case, the more: for the provider, for the modifier, lately."""
    return fee.provider_id is not None, fee.modifier != "", fee.begins_on, fee.pk


def _allowed(fees: dict[str, list[FeeSchedule]], session: Session, line: ProcedureLine) -> Decimal | None:
    """The first rate that fits, for all units, and never more than was charged (the contracts' "lesser of" clause)."""
    modifiers = billed_modifiers(line, session)
    fee = next((fee for fee in fees.get(line.cpt, ()) if _fits(fee, session, modifiers)), None)
    return None if fee is None else min(fee.rate * line.units, line.charge)


def _fits(fee: FeeSchedule, session: Session, modifiers: Collection[str]) -> bool:
    return (
        fee.licence == session.provider.licence
        and fee.provider_id in (None, session.provider_id)
        and (not fee.modifier or fee.modifier in modifiers)
        and fee.begins_on <= session.date
        and (fee.ends_on is None or session.date <= fee.ends_on)
    )
