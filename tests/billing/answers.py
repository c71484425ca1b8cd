"""What insurers answer about Ana's session, and how it stands afterwards."""

from dataclasses import replace
from decimal import Decimal

from billing.flows import confirm_session
from billing.flows.exchange_claims import read
from billing.gateways.results import ChargeResult, ChargeState
from billing.models import Payment
from billing.services import costs, payments
from care.models import Session
from insurance.models import Claim
from insurance.services import exchange
from insurance.x12 import x835
from tests.cast import Cast
from tests.remittance_files import adjustments, payment, received, result

D = Decimal
Adjustments = tuple[x835.Adjustment, ...]

EVERGREEN_SAYS = adjustments(("CO", "45", "60.00"), ("PR", "1", "50.00"), ("PR", "2", "22.00"))
HARBOR_SAYS = adjustments(("OA", "23", "148.00"), ("CO", "45", "10.00"), ("PR", "1", "32.00"))


def confirmed(cast: Cast, *, days: int = 0) -> Session:
    """Confirmed and charged its estimate with success; its primary claim is in a batch."""
    session = cast.book(days=days)
    confirm_session.confirm(session)
    charge = Payment.objects.get(parts__session=session)
    Payment.objects.filter(pk=charge.pk).update(state="submitted")
    charged = ChargeResult(state=ChargeState.SUCCEEDED, payment_intent=f"pi_{charge.pk}", amount=charge.amount)
    payments.record_outcome(payment=charge, result=charged)
    exchange.build_batches()
    return session


def claim(session: Session, rank: int) -> Claim:
    return session.claims.select_related("coverage__payer").exclude(Claim.OUTSIDE).get(rank=rank)


def cost(session: Session) -> tuple[Decimal, str]:
    found = costs.current_cost(session)
    assert found is not None
    return found.amount, found.basis


_numbers = iter(range(100, 10_000))


def told(about: Claim, *results: x835.RemittedClaim) -> None:
    """The insurer sends this in a file of its own, and we read it."""
    number = next(_numbers)
    read(received(payment(about, *results, trace=f"T{number}"), number=number))


def evergreen(
    session: Session, paid: str = "88.00", why: Adjustments = EVERGREEN_SAYS, status: str = ""
) -> x835.RemittedClaim:
    return result(claim(session, 1), paid=paid, why=why, status=status)


def harbor(
    session: Session, paid: str = "30.00", why: Adjustments = HARBOR_SAYS, status: str = ""
) -> x835.RemittedClaim:
    return result(claim(session, 2), paid=paid, why=why, status=status)


def reversal(said: x835.RemittedClaim) -> x835.RemittedClaim:
    """The same result taken back: everything negated."""

    def negated(each: tuple[x835.Adjustment, ...]) -> tuple[x835.Adjustment, ...]:
        return tuple(replace(one, amount=-one.amount) for one in each)

    return replace(
        said,
        status="22",
        charge=-said.charge,
        paid=-said.paid,
        stated_responsibility=None,
        lines=tuple(
            replace(line, charge=-line.charge, paid=-(line.paid or D(0)), adjustments=negated(line.adjustments))
            for line in said.lines
        ),
    )
