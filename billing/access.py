"""The doors to payments, refunds and cards: a client's money is for the client and support, not for providers."""

from django.db.models import QuerySet
from django.http import Http404

from billing.models import GoodFaithEstimate, Payment, PaymentCard, Refund
from care.access import visible_clients
from people.access import Visitor, is_support, record_access
from people.models import Client, Role


def _payers(user: Visitor) -> QuerySet[Client]:
    """The clients whose payments ``user`` may see."""
    if is_support(user) or getattr(user, "role", None) == Role.CLIENT:
        return visible_clients(user)
    return Client.objects.none()


def visible_payments(user: Visitor) -> QuerySet[Payment]:
    """The payments ``user`` may see, newest first."""
    return Payment.objects.filter(client__in=_payers(user)).select_related("client", "card")


def get_payment(user: Visitor, payment_id: int, *, purpose: str) -> Payment:
    """One payment, with the look recorded; ``Http404`` to strangers."""
    payment = visible_payments(user).filter(pk=payment_id).first()
    if payment is None:
        raise Http404
    record_access(user, payment.client, purpose)
    return payment


def visible_refunds(user: Visitor) -> QuerySet[Refund]:
    """The refunds ``user`` may see, newest first."""
    return Refund.objects.filter(payment__client__in=_payers(user)).select_related(
        "payment__card", "payment__client", "session__provider"
    )


def get_refund(user: Visitor, refund_id: int, *, purpose: str) -> Refund:
    """One refund, with the look recorded; ``Http404`` to strangers."""
    refund = visible_refunds(user).filter(pk=refund_id).first()
    if refund is None:
        raise Http404
    record_access(user, refund.payment.client, purpose)
    return refund


def visible_cards(user: Visitor) -> QuerySet[PaymentCard]:
    """The cards on file that ``user`` may see, the default first."""
    return PaymentCard.objects.filter(client__in=_payers(user), removed_at=None).select_related("client")


def get_card(user: Visitor, card_id: int, *, purpose: str) -> PaymentCard:
    """One card on file, with the look recorded; ``Http404`` to strangers."""
    card = visible_cards(user).filter(pk=card_id).first()
    if card is None:
        raise Http404
    record_access(user, card.client, purpose)
    return card


def visible_estimates(user: Visitor) -> QuerySet[GoodFaithEstimate]:
    """The Good Faith Estimates ``user`` may see, newest first, without their files."""
    return GoodFaithEstimate.objects.filter(client__in=_payers(user)).select_related("client", "provider").defer("pdf")


def get_estimate(user: Visitor, estimate_id: int, *, purpose: str) -> GoodFaithEstimate:
    """One Good Faith Estimate, with the look recorded; ``Http404`` to strangers."""
    estimate = visible_estimates(user).filter(pk=estimate_id).first()
    if estimate is None:
        raise Http404
    record_access(user, estimate.client, purpose)
    return estimate
