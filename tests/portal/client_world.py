"""Ana's account with a past: a session refunded, one with a balance, one waiting for the second plan, one just sent."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from billing.flows import confirm_session
from billing.flows.exchange_claims import read
from billing.gateways.results import ChargeResult, ChargeState, RefundResult, RefundState
from billing.models import Payment, PaymentCard, Refund
from billing.services import costs, payments, refunds
from care.models import Session
from insurance.models import Claim
from insurance.services import exchange
from tests.cast import Cast, card
from tests.remittance_files import adjustments, payment, received, result

D = Decimal
_numbers = count(5000)


@dataclass
class Past:
    """Ana's sessions by how they stand."""

    card: PaymentCard
    refunded: Session
    owing: Session
    waiting: Session
    sent: Session
    upcoming: Session


def held(cast: Cast, *, days: int) -> Session:
    """A session that was confirmed, charged with success and claimed to the first plan."""
    session = cast.book(days=days)
    confirm_session.confirm(session)
    charge = Payment.objects.filter(parts__session=session).get()
    Payment.objects.filter(pk=charge.pk).update(state="submitted")
    payments.record_outcome(
        payment=charge,
        result=ChargeResult(state=ChargeState.SUCCEEDED, payment_intent=f"pi_{charge.pk}", amount=charge.amount),
    )
    exchange.build_batches()
    return session


def claim(session: Session, rank: int) -> Claim:
    return session.claims.select_related("coverage__payer").exclude(submission="replaced").get(rank=rank)


def first_plan_answers(session: Session, *, deductible: str, coinsurance: str, paid: str) -> None:
    """Evergreen pays; what it leaves is the client's deductible and coinsurance."""
    asked = claim(session, 1)
    why = adjustments(
        ("CO", "45", "60.00"), *[t for t in (("PR", "1", deductible), ("PR", "2", coinsurance)) if D(t[2])]
    )
    read(received(payment(asked, result(asked, paid=paid, why=why)), number=next(_numbers)))


def second_plan_answers(session: Session, *, paid: str, left: str, before: str) -> None:
    """Harbor pays after Evergreen's ``before`` and leaves ``left`` to the client."""
    exchange.build_batches()
    asked = claim(session, 2)
    contract = D("220.00") - D(paid) - D(left) - D(before)
    why = [("OA", "23", before), ("CO", "45", str(contract))]
    if D(left):
        why.append(("PR", "1", left))
    read(received(payment(asked, result(asked, paid=paid, why=adjustments(*why))), number=next(_numbers)))


def processed(refund: Refund) -> None:
    """Stripe has given the money back."""
    Refund.objects.filter(pk=refund.pk).update(state="submitted")
    refunds.record_outcome(
        refund=refund,
        result=RefundResult(
            state=RefundState.SUCCEEDED, refund=f"re_{refund.pk}", amount=refund.amount, payment_intent="pi"
        ),
    )


def live(cast: Cast) -> Past:
    """All of it. Evergreen's deductible of $50.00 is used up by the first session."""
    saved = card(cast.ana)
    costs.reprice(cast.ana)
    refunded = held(cast, days=-40)
    first_plan_answers(refunded, deductible="50.00", coinsurance="22.00", paid="88.00")
    second_plan_answers(refunded, paid="40.00", left="32.00", before="88.00")
    processed(Refund.objects.get(session=refunded))
    owing = held(cast, days=-30)
    first_plan_answers(owing, deductible="0.00", coinsurance="100.00", paid="60.00")
    second_plan_answers(owing, paid="10.00", left="90.00", before="60.00")
    waiting = held(cast, days=-12)
    first_plan_answers(waiting, deductible="0.00", coinsurance="32.00", paid="128.00")
    sent = held(cast, days=-2)
    upcoming = cast.book(days=5)
    costs.reprice(cast.ana)
    return Past(saved, refunded, owing, waiting, sent, upcoming)
