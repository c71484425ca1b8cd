"""Insurers' money that waits in suspense: a person says whose it is, and the books and claims follow.

Money for a claim we did not know is settled like any answer once its claim is found. A provider-level amount (a PLB
pair) is interest, a recoupment of one session's claim, sent back, or our gain or loss. Nothing leaves suspense twice.
"""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import DecimalField, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from billing.flows import settle_remittance
from billing.ledger.posting import Book, Posting, post
from billing.models import SessionCost, SuspenseMove
from billing.services import costs, insurer_money
from care.models import Session
from common import clock
from common.errors import BadInput, DomainError
from common.money import ZERO, dollars
from insurance.models import Adjudication, Claim, ProviderAdjustment
from insurance.services import claims, discovery
from insurance.services.remittances import as_said
from people.models import Client, User

Kind = SuspenseMove.Kind
Source = Adjudication | ProviderAdjustment

KINDS = (Kind.INTEREST, Kind.RECOUPMENT, Kind.RETURNED, Kind.OTHER)
"""What a person may call money that is no claim's."""


class CannotBePlaced(DomainError):
    """The money has been placed, or cannot be placed there."""


def left_of(source: Source) -> Decimal:
    """What of an unmatched result or a PLB pair is still in suspense, in signed dollars: positive was paid to us."""
    if isinstance(source, Adjudication) and (source.claim_id is not None or source.posted_at is None):
        return ZERO
    amount: Decimal = source.paid if isinstance(source, Adjudication) else -source.amount
    moved: Decimal | None = source.suspense_moves.aggregate(total=Sum("amount"))["total"]
    return amount - moved if moved is not None else amount


_MOVED = Coalesce(Sum("suspense_moves__amount"), ZERO, output_field=DecimalField())


def waiting_results() -> QuerySet[Any]:
    """Results whose claim nobody has found, the oldest first; ``.left`` is what of them is in suspense, in dollars."""
    rows = Adjudication.objects.filter(claim=None, posted_at__isnull=False).annotate(left=F("paid") - _MOVED)
    return rows.filter(Q(paid=ZERO) | ~Q(left=ZERO)).select_related("remittance").order_by("pk")


def waiting_amounts() -> QuerySet[Any]:
    """PLB pairs with something in suspense, the oldest first; ``.left`` in signed dollars, positive was paid to us."""
    rows = ProviderAdjustment.objects.annotate(left=-F("amount") - _MOVED)
    return rows.exclude(left=ZERO).select_related("remittance").order_by("pk")


@transaction.atomic
def match(adjudication: Adjudication, claim: Claim, *, note: str, by: User) -> None:
    """This result is the answer to ``claim``: its money leaves suspense, and it is settled exactly like any answer.

    Raises ``BadInput`` without a ``note``; :class:`CannotBePlaced` when it was matched or moved before, when the claim
    is another insurer's or only takes one back, or when an earlier answer about the session is not posted yet.
    """
    note = _reason(note)
    Client.objects.select_for_update(no_key=True).get(sessions__claims=claim.pk)
    claim = Claim.objects.select_related("session__client", "coverage__payer").get(pk=claim.pk)
    adjudication = (
        Adjudication.objects.select_for_update(of=("self",)).select_related("remittance__file").get(pk=adjudication.pk)
    )
    remittance = adjudication.remittance
    if adjudication.claim_id is not None:
        raise CannotBePlaced(_("This result belongs to claim %(claim)s already.") % {"claim": adjudication.claim})
    if adjudication.posted_at is None:
        raise CannotBePlaced(_("This result is being booked at the moment. Please try again in a minute."))
    if adjudication.suspense_moves.exists():
        raise CannotBePlaced(_("This money was placed before."))
    if claim.frequency == Claim.VOID:
        raise CannotBePlaced(_("That claim only takes another one back. Please choose the other one."))
    if remittance.payer_id is not None and claim.coverage.payer_id != remittance.payer_id:
        raise CannotBePlaced(
            _("%(payer)s paid this, and that claim went to %(other)s.")
            % {"payer": remittance.payer_name, "other": claim.coverage.payer}
        )
    if Adjudication.objects.filter(claim__session=claim.session_id, posted_at=None, pk__lt=adjudication.pk).exists():
        raise CannotBePlaced(_("An earlier answer about that session is not booked yet. Please try again later."))
    if adjudication.paid != ZERO:
        row = SuspenseMove.objects.create(
            adjudication=adjudication,
            kind=Kind.CLAIM,
            session=claim.session,
            amount=adjudication.paid,
            note=note,
            by=by,
        )
        _post(row, payer=remittance.payer_id, memo=f"Claim {claim.control_number} found", line=_to_claim(row, claim))
    Adjudication.objects.filter(pk=adjudication.pk).update(claim=claim)
    adjudication = Adjudication.objects.select_related("remittance__file").get(pk=adjudication.pk)
    told = _("Found by a person for %(number)s: %(note)s") % {"number": adjudication.control_number, "note": note}
    claims.note(claim, "matched", told, file=remittance.file, actor=by)
    said = as_said(adjudication)
    if said is not None:
        discovery.from_remittance(claim, said, remittance.file)
    settle_remittance.take_in(claim, adjudication)


@transaction.atomic
def move(
    source: Source, kind: str, amount: Decimal, *, session: Session | None = None, note: str, by: User
) -> SuspenseMove:
    """Take ``amount`` dollars (above zero; the source tells which way) out of suspense as one of :data:`KINDS`.

    A recoupment names the ``session`` whose claim's money was taken back; it never changes what the client pays.
    Raises ``BadInput`` naming ``kind``, ``amount``, ``session`` or ``note``.
    """
    note = _reason(note)
    if kind not in KINDS:
        raise BadInput(_("Please choose what this money is."), "kind")
    if kind == Kind.RECOUPMENT and session is None:
        raise BadInput(_("Please name the session whose claim the insurer took money back for."), "session")
    if kind == Kind.RECOUPMENT and session is not None:
        Client.objects.select_for_update(no_key=True).get(pk=session.client_id)
    # No more can be taken out than is in it, by two people at once neither.
    type(source)._default_manager.select_for_update().get(pk=source.pk)
    source.refresh_from_db()
    left = left_of(source)
    if amount <= ZERO or amount != amount.quantize(Decimal("0.01")):
        raise BadInput(_("Please give an amount above zero, in dollars and cents."), "amount")
    if amount > abs(left):
        raise BadInput(_("Only %(left)s of it is in suspense.") % {"left": dollars(abs(left))}, "amount")
    payer = source.remittance.payer_id
    claim = _claim_to(session, payer) if kind == Kind.RECOUPMENT and session is not None else None
    final = _at_rest(claim.session) if claim is not None else None
    place = {"adjudication" if isinstance(source, Adjudication) else "provider_adjustment": source}
    row = SuspenseMove.objects.create(
        kind=kind,
        session=session if kind == Kind.RECOUPMENT else None,
        amount=amount if left > ZERO else -amount,
        note=note,
        by=by,
        **place,
    )
    if claim is not None:
        line = _to_claim(row, claim)
    else:
        book = {
            Kind.INTEREST: Book.INSURER_INTEREST,
            Kind.RETURNED: Book.BANK,
            Kind.OTHER: Book.INSURER_VARIANCE,
        }[Kind(kind)]
        line = Posting(book, -row.amount, payer=payer)
    _post(row, payer=payer, memo=f"{source.remittance.payer_name}: {row.get_kind_display()}", line=line)
    if claim is not None and final is not None:
        answering = insurer_money.answering(final)
        insurer_money.close(claim.session, answering=answering, key=f"variance:suspense:{row.pk}")
    return row


def _reason(note: str) -> str:
    if not note.strip():
        raise BadInput(_("Please write why. It is kept with the change."), "note")
    return note.strip()[:300]


def _claim_to(session: Session, payer: int | None) -> Claim:
    found = [each for each in claims.sequence(session) if payer is None or each.coverage.payer_id == payer]
    if not found:
        raise BadInput(_("That session has no claim to this insurer."), "session")
    return found[0]


def _at_rest(session: Session) -> SessionCost | None:
    """The final cost of a session of which nothing is expected any more: what changes now is our gain or loss."""
    cost = costs.current_cost(session)
    at_rest = cost is not None and cost.basis == SessionCost.Basis.FINAL and not insurer_money.expected(session)
    return cost if at_rest else None


def _to_claim(row: SuspenseMove, claim: Claim) -> Posting:
    return Posting(
        Book.INSURER_RECEIVABLE,
        -row.amount,
        client=claim.session.client_id,
        session=claim.session_id,
        payer=claim.coverage.payer_id,
    )


def _post(row: SuspenseMove, *, payer: int | None, memo: str, line: Posting) -> None:
    post(
        key=f"suspense:{row.pk}",
        memo=memo[:200],
        occurred_on=clock.today(),
        lines=[Posting(Book.INSURER_SUSPENSE, row.amount, payer=payer), line],
    )
