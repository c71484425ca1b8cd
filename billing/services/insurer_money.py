"""What the books expect of which insurer for a session, kept right by insurer (``docs/insurer-money.md``).

A plan that has spoken owes us nothing more: what it leaves unpaid is expected of the plan whose turn it is, and with
the final cost of none. Only what an insurer's money differs from its own answers (a claim paid twice, money kept back)
stays its own.
"""

from collections.abc import Sequence
from decimal import Decimal

from billing.ledger.posting import Book, Posting, balances_by_payer, lines_of, post
from billing.models import SessionCost
from care.models import Session
from common import clock
from common.money import ZERO
from insurance.models import Claim
from insurance.services import claims, sequence
from insurance.services.claim_content import answer_in_force

CASH = r"^(adjudication|suspense):"
"""Keys of the entries by which insurers' money comes to a session or leaves it."""


def expected(session: Session) -> dict[int | None, Decimal]:
    """What is expected in dollars, by insurer's id; insurers with nothing are left out."""
    return balances_by_payer(Book.INSURER_RECEIVABLE, session=session)


def _own(session: Session, planned: Sequence[Claim]) -> dict[int | None, Decimal]:
    """By how much each insurer's answers exceed its money, in dollars: below zero it paid more than it decided."""
    own: dict[int | None, Decimal] = balances_by_payer(Book.INSURER_RECEIVABLE, session=session, entry__key__regex=CASH)
    for claim in planned:
        answer = answer_in_force(claim)
        if answer is not None:
            payer = claim.coverage.payer_id
            own[payer] = own.get(payer, ZERO) + answer.paid
    return {payer: amount for payer, amount in own.items() if amount != ZERO}


def whose_turn(planned: Sequence[Claim]) -> Claim | None:
    """The first claim in order of payment whose plan has not spoken; ``None`` when none is to be asked any more."""
    for claim in planned:
        spoken = claim.decision in (Claim.Decision.PAID, Claim.Decision.ROUTED) or sequence.is_last_word(claim)
        if claim.submission != Claim.Submission.NOT_NEEDED and not spoken:
            return claim
    return None


def pass_on(session: Session) -> None:
    """Expect what is still expected of the plan whose turn it is. Repeating it adds nothing.

    The caller holds the client's lock.
    """
    planned = claims.sequence(session)
    turn = whose_turn(planned)
    if turn is None:
        return
    # What was closed once is no insurer's own any more; the next closing looks at all of it again.
    closed = lines_of(session=session, account=Book.INSURER_VARIANCE.value).exists()
    own = {} if closed else _own(session, planned)
    leaving = {
        payer: amount
        for payer, rest in expected(session).items()
        if payer != turn.coverage.payer_id and (amount := rest - own.get(payer, ZERO)) != ZERO
    }
    if not leaving:
        return
    newest = lines_of(session=session, account=Book.INSURER_RECEIVABLE.value).last()
    assert newest is not None, "something is expected"
    total = sum(leaving.values(), ZERO)
    post(
        # What is expected moves whenever the books have moved: the entry that it follows tells one time from another.
        key=f"expected:{session.pk}:{newest.entry_id}",
        memo=f"Session {session.pk}: now expected of {turn.coverage.payer}"[:200],
        occurred_on=clock.today(),
        lines=[
            *(_receivable(session, payer, -amount) for payer, amount in leaving.items()),
            _receivable(session, turn.coverage.payer_id, total),
        ],
    )


def answering(cost: SessionCost) -> int | None:
    """The insurer whose answer made a cost what it is; ``None`` for an estimate."""
    answer = cost.adjudication
    return answer.claim.coverage.payer_id if answer is not None and answer.claim is not None else None


def close(session: Session, *, answering: int | None, key: str) -> None:
    """Nothing more is expected of anybody: what is left is our gain or loss, told by insurer, never the client's.

    An insurer's own difference is told as its own, the rest as of the insurer ``answering``, whose answer ended it.
    """
    rests = expected(session)
    if not rests:
        return
    told = balances_by_payer(Book.INSURER_VARIANCE, session=session)
    wanted = _own(session, claims.sequence(session))
    in_all = sum(rests.values(), ZERO) + sum(told.values(), ZERO)
    wanted[answering] = in_all - sum((amount for payer, amount in wanted.items() if payer != answering), ZERO)
    variance = {payer: wanted.get(payer, ZERO) - told.get(payer, ZERO) for payer in {**told, **wanted}}
    post(
        key=key,
        memo=f"Session {session.pk}: insurers' payments against the contract",
        occurred_on=clock.today(),
        lines=[
            *(
                Posting(Book.INSURER_VARIANCE, amount, client=session.client_id, session=session.pk, payer=payer)
                for payer, amount in variance.items()
            ),
            *(_receivable(session, payer, -rest) for payer, rest in rests.items()),
        ],
    )


def _receivable(session: Session, payer: int | None, amount: Decimal) -> Posting:
    return Posting(Book.INSURER_RECEIVABLE, amount, client=session.client_id, session=session.pk, payer=payer)
