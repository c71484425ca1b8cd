"""What is in the demo's database, counted."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Q, Sum

from billing.ledger.posting import Book, balances_by_session, lines_of
from billing.models import Payment, Refund, SessionCost
from billing.services.costs import current_costs
from care.models import Session
from common import clock
from common.money import ZERO, dollars
from insurance.models import (
    AccountPause,
    Claim,
    EdiFile,
    EligibilityCheck,
    Payer,
    Recertification,
    SuggestedCoverage,
)
from insurance.services import recertification
from notifications.models import Email
from people.models import Client, Provider, SupportRequest


def _by(model: Any, column: str) -> dict[str, int]:
    rows = model._default_manager.order_by().values_list(column).annotate(n=Count("pk"))
    return {str(value): count for value, count in sorted(rows)}


def figures() -> dict[str, dict[str, int]]:
    """Counts by what they are of: sessions by status, claims by state and decision, and so on."""
    costs = current_costs(list(Session.objects.filter(status=Session.Status.CONFIRMED)))
    owed = balances_by_session(Book.CLIENT_RECEIVABLE)
    finals = [session for session, cost in costs.items() if cost.basis == SessionCost.Basis.FINAL]
    refunded = set(Refund.objects.values_list("session_id", flat=True))
    due = Q(state=Recertification.State.DUE)
    open_pauses = AccountPause.objects.filter(cleared_at=None)
    return {
        "people": {
            "clients": Client.objects.count(),
            "with two plans": Client.objects.annotate(
                plans=Count("coverages", filter=Q(coverages__removed_at=None))
            ).filter(plans__gt=1).count(),
            "providers": Provider.objects.count(),
            "insurers": Payer.objects.count(),
        },
        "sessions": _by(Session, "status"),
        "confirmed sessions": {
            "waiting on primary": sum(cost.basis == SessionCost.Basis.ESTIMATE for cost in costs.values()),
            "waiting on second plan": sum(cost.basis == SessionCost.Basis.AFTER_PRIMARY for cost in costs.values()),
            "final": len(finals),
            "final, refunded": sum(session in refunded for session in finals),
            "final, balance due": sum(owed.get(session, ZERO) > ZERO for session in finals),
        },
        "claims": _by(Claim, "submission"),
        "decisions": _by(Claim, "decision"),
        "inquiries": _by(EligibilityCheck, "state"),
        "payments": _by(Payment, "state"),
        "refunds": _by(Refund, "state"),
        "pauses": {
            "open, no reference number": open_pauses.filter(reference_number="").count(),
            "open, with reference number": open_pauses.exclude(reference_number="").count(),
            "ended": AccountPause.objects.exclude(cleared_at=None).count(),
        },
        "yearly calls": {
            "to be made": Recertification.objects.filter(due, due_on__gte=clock.today()).count(),
            "overdue": Recertification.objects.filter(recertification.lapsed()).count(),
        },
        "named plans": _by(SuggestedCoverage, "state"),
        "files": _by(EdiFile, "kind"),
        "files set aside": {"quarantined": EdiFile.objects.filter(state=EdiFile.State.QUARANTINED).count()},
        "requests to support": _by(SupportRequest, "state"),
        "e-mails": _by(Email, "state"),
    }  # fmt: skip


def summary() -> Iterator[str]:
    """The figures as lines, and whether the books balance."""
    for name, counts in figures().items():
        yield f"{name:<20} " + ", ".join(f"{count} {what}" for what, count in counts.items())
    total = lines_of().aggregate(total=Sum("amount"))["total"] or ZERO
    yield f"{'ledger':<20} {lines_of().count()} lines that add up to {dollars(total)}"
