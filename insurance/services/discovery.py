"""Other insurers that an insurer names for a client: each becomes one question to the client, asked once.

An answer to a benefit check (271) names them beside the benefits, a remittance (835) as the payer that goes first
(NM1*PR), with the member of that other plan (NM1*GB), or as the one that the claim was sent on to (NM1*TT), an
acknowledgement (277CA) in its message. What is on the account already, has ended, or covers only teeth, eyes or
medicines is no question.
"""

from collections.abc import Iterable

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from common import clock
from common.errors import DomainError
from common.states import move
from insurance.domain import insurer_names
from insurance.domain.benefits import OtherPayer
from insurance.models import BenefitSnapshot, Claim, Coverage, EdiFile, Payer, SuggestedCoverage
from insurance.x12.names import Name
from insurance.x12.x277ca import AcknowledgedClaim
from insurance.x12.x835_model import RemittedClaim
from people.models import Client, User

log = structlog.get_logger(__name__)

Source = SuggestedCoverage.Source
State = SuggestedCoverage.State


class Decided(DomainError):
    """The question was answered otherwise already."""


# --- Where insurers name others ---------------------------------------------------------------------------------------


def from_response(snapshot: BenefitSnapshot) -> list[SuggestedCoverage]:
    """The other insurers that an answer names, those whose coverage has ended or not touches therapy left out."""
    check = snapshot.eligibility_check
    if check is None or snapshot.source != BenefitSnapshot.Source.RESPONSE or snapshot.coverage.removed_at is not None:
        return []
    others = [each for each in snapshot.read().other_payers if each.overlaps and not _over(each)]
    return _all(
        _suggest(
            snapshot.coverage,
            name=each.name or "",
            code=each.payer_id or "",
            member_id=each.member_id or "",
            rank=each.rank or "",
            source=Source.RESPONSE,
            file=check.response,
        )
        for each in others
    )


def _over(other: OtherPayer) -> bool:
    return other.ended is not None and other.ended < clock.today()


def from_remittance(claim: Claim, said: RemittedClaim, file: EdiFile) -> list[SuggestedCoverage]:
    """The insurers that a claim's result names: the one that goes first, and the one it was sent on to.

    Nothing that goes wrong here keeps the remittance's money from being recorded.
    """
    if said.reversal:
        return []
    named: list[tuple[Name, str, str]] = []
    if said.corrected_payer is not None:
        holder = said.other_subscriber.identifier if said.other_subscriber else ""
        named.append((said.corrected_payer, holder, "primary" if claim.rank == 1 else ""))
    if said.crossover is not None:
        named.append((said.crossover, "", ""))
    try:
        with transaction.atomic():
            return _all(
                _suggest(
                    claim.coverage,
                    name=payer.full,
                    code=payer.identifier,
                    member_id=member_id,
                    rank=rank,
                    source=Source.REMITTANCE,
                    file=file,
                )
                for payer, member_id, rank in named
            )
    except Exception:
        log.exception("insurer_not_suggested", claim=claim.pk)
        return []


def from_acknowledgement(claim: Claim, said: AcknowledgedClaim, file: EdiFile) -> list[SuggestedCoverage]:
    """The insurers whose names we know that a rejection's message names. Its codes alone name nobody."""
    messages = [each.message for each in said.statuses if each.message and said.accepted is False]
    if not messages:
        return []
    named = [
        payer for payer in Payer.objects.all() if any(insurer_names.named_in(each, payer.name) for each in messages)
    ]
    return _all(
        _suggest(
            claim.coverage,
            name=payer.name,
            code=payer.payer_id,
            member_id="",
            rank="",
            source=Source.CLAIM_ACKNOWLEDGEMENT,
            file=file,
        )
        for payer in named
    )


def _all(found: Iterable[SuggestedCoverage | None]) -> list[SuggestedCoverage]:
    return [each for each in found if each is not None]


# --- The question -----------------------------------------------------------------------------------------------------


def _suggest(
    named_by: Coverage, *, name: str, code: str, member_id: str, rank: str, source: str, file: EdiFile | None
) -> SuggestedCoverage | None:
    """Keep that an insurer named another one; ``None`` when there is nothing to ask.

    One insurer is asked about once, however it is spelt and whoever names it. News about an open question completes it;
    one that was answered stays answered.
    """
    payer = known_payer(name, code)
    name = payer.name if payer else " ".join(name.split())[:60]
    if not name or insurer_names.covers_other_care(name) or _is(named_by.payer, payer, name):
        return None
    plans = Coverage.objects.filter(client=named_by.client_id, removed_at=None).select_related("payer")
    if any(_is(plan.payer, payer, name) for plan in plans):
        return None
    asked = SuggestedCoverage.objects.filter(client=named_by.client_id).select_related("payer")
    known = next((each for each in asked if _asks_about(each, payer, name)), None)
    if known is None:
        found, is_new = SuggestedCoverage.objects.get_or_create(
            client=named_by.client,
            payer_name__iexact=name,
            defaults={
                "payer_name": name,
                "named_by": named_by,
                "payer": payer,
                "payer_code": code[:80],
                "member_id": member_id,
                "rank": rank,
                "source": source,
                "file": file,
            },
        )
        if is_new:
            return found
        known = found
    if known.state == State.OPEN:
        _complete(known, payer=payer, payer_code=code[:80], member_id=member_id, rank=rank)
    return None


def _complete(known: SuggestedCoverage, **news: object) -> None:
    missing = {column: value for column, value in news.items() if value and not getattr(known, column)}
    for column, value in missing.items():
        setattr(known, column, value)
    if missing:
        known.save(update_fields=list(missing))


def known_payer(name: str, code: str = "") -> Payer | None:
    """Our row of an insurer: by the id given for it, else by its name; ``None`` when none or several fit."""
    if code and (by_id := Payer.objects.filter(payer_id__iexact=code).first()) is not None:
        return by_id
    fitting = [payer for payer in Payer.objects.all() if insurer_names.same(payer.name, name)]
    exact = [payer for payer in fitting if insurer_names.key(payer.name) == insurer_names.key(name)]
    found = exact or fitting
    return found[0] if len(found) == 1 else None


def _is(theirs: Payer, payer: Payer | None, name: str) -> bool:
    return theirs.pk == payer.pk if payer else insurer_names.same(theirs.name, name)


def _asks_about(known: SuggestedCoverage, payer: Payer | None, name: str) -> bool:
    if payer is not None and known.payer is not None:
        return known.payer.pk == payer.pk
    return insurer_names.same(known.payer_name, name)


# --- The answer -------------------------------------------------------------------------------------------------------


def open_suggestions(client: Client) -> list[SuggestedCoverage]:
    """What the client has still to say something about, the oldest first; a plan added meanwhile is no question."""
    waiting = list(
        SuggestedCoverage.objects.filter(client=client, state=State.OPEN)
        .select_related("payer", "named_by__payer")
        .order_by("pk")
    )
    if not waiting:
        return []
    plans = list(Coverage.objects.filter(client=client, removed_at=None).select_related("payer"))
    return [each for each in waiting if not any(_is(plan.payer, each.payer, each.payer_name) for plan in plans)]


def accept(suggestion: SuggestedCoverage, *, coverage: Coverage, by: User | None = None) -> None:
    """It is a plan of the client's, now on the account as ``coverage``; ``by`` nobody when it was entered unasked."""
    move(
        suggestion,
        SuggestedCoverage.STATES,
        State.ACCEPTED,
        coverage=coverage,
        decided_by=by,
        decided_at=clock.now(),
    )


def answered_by(coverage: Coverage, *, by: User | None = None) -> None:
    """A plan that is now on the account answers the open questions about its insurer."""
    for each in SuggestedCoverage.objects.filter(client=coverage.client_id, state=State.OPEN).select_related("payer"):
        if _is(coverage.payer, each.payer, each.payer_name):
            accept(each, coverage=coverage, by=by)


def dismiss(suggestion: SuggestedCoverage, *, by: User) -> None:
    """It is none of the client's plans: nobody asks again. Twice is harmless.

    Raises :class:`Decided` when it was accepted before.
    """
    suggestion.refresh_from_db()
    if suggestion.state == State.ACCEPTED:
        raise Decided(_("%(payer)s is on the account already.") % {"payer": suggestion.payer_name})
    move(suggestion, SuggestedCoverage.STATES, State.DISMISSED, decided_by=by, decided_at=clock.now())
