"""The doors to payments, refunds and cards: a client's money is for the client and support, not for providers;
a provider's pay is for the provider and support."""

from django.db.models import QuerySet
from django.http import Http404

from billing.models import (
    AutopayNotice,
    ClientStatement,
    GoodFaithEstimate,
    Payment,
    PaymentCard,
    PaymentPlan,
    ProviderPayout,
    Refund,
)
from care.access import visible_clients
from care.models import Session
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


def visible_payouts(user: Visitor) -> QuerySet[ProviderPayout]:
    """The payouts ``user`` may see, the newest first: a provider's own, all for support."""
    rows = ProviderPayout.objects.select_related("run", "provider", "bank_account").defer("run__nacha")
    rows = rows.order_by("-run__through", "-pk")
    if is_support(user):
        return rows
    if user.pk and getattr(user, "role", None) == Role.PROVIDER:
        return rows.filter(provider__user=user.pk)
    return rows.none()


def get_payout(user: Visitor, payout_id: int) -> ProviderPayout:
    """One payout; ``Http404`` to strangers. Whose sessions its lines name is recorded by who shows them."""
    payout = visible_payouts(user).filter(pk=payout_id).first()
    if payout is None:
        raise Http404
    return payout


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


def visible_statements(user: Visitor) -> QuerySet[ClientStatement]:
    """The monthly statements ``user`` may see, the newest month first, without what they say."""
    return ClientStatement.objects.filter(client__in=_payers(user)).select_related("client").defer("content")


def get_statement(user: Visitor, statement_id: int, *, purpose: str) -> ClientStatement:
    """One monthly statement, with the look recorded; ``Http404`` to strangers."""
    statement = visible_statements(user).filter(pk=statement_id).defer(None).first()
    if statement is None:
        raise Http404
    record_access(user, statement.client, purpose)
    return statement


def superbill_sessions(user: Visitor, client: Client, *, purpose: str) -> QuerySet[Session]:
    """A client's sessions with what a superbill tells of them, the look recorded; ``Http404`` to strangers."""
    if not _payers(user).filter(pk=client.pk).exists():
        raise Http404
    record_access(user, client, purpose)
    return Session.objects.filter(client=client)


def visible_payment_plans(user: Visitor) -> QuerySet[PaymentPlan]:
    """The payment plans ``user`` may see, newest first."""
    return PaymentPlan.objects.filter(client__in=_payers(user)).select_related("client", "card")


def get_payment_plan(user: Visitor, plan_id: int, *, purpose: str) -> PaymentPlan:
    """One payment plan, with the look recorded; ``Http404`` to strangers."""
    plan = visible_payment_plans(user).filter(pk=plan_id).first()
    if plan is None:
        raise Http404
    record_access(user, plan.client, purpose)
    return plan


def get_notice(user: Visitor, notice_id: int, *, purpose: str) -> AutopayNotice:
    """One charge that autopay announced, with the look recorded; ``Http404`` to strangers."""
    notices = AutopayNotice.objects.filter(autopay__client__in=_payers(user)).select_related("autopay__client")
    notice = notices.filter(pk=notice_id).first()
    if notice is None:
        raise Http404
    record_access(user, notice.autopay.client, purpose)
    return notice
