"""What a provider earns and is paid, and how the claims behind it stand."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.access import visible_payouts
from billing.ledger.posting import Book, balance
from billing.models import ProviderEarning, ProviderPayout
from billing.services import bank_accounts, payout_statements
from care.access import visible_sessions
from care.models import Session
from common import clock
from common.money import ZERO
from insurance.models import Claim
from people.access import own_provider, record_access_to
from portal.provider import caseload
from portal.provider.paging import page_of

PAGE = 30
PAYOUTS = 24
"""Payouts listed: a year of them."""


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


@login_required
@require_safe
def earnings(request: HttpRequest) -> HttpResponse:
    """Each confirmed session with what it earned under which plan's rate; totals by month; what is owed now."""
    provider = own_provider(request.user)
    mine = ProviderEarning.objects.filter(provider=provider)
    months = [
        {"first": row["month"], "count": row["count"], "total": row["total"]}
        for row in mine.annotate(month=TruncMonth("session__date"))
        .order_by("-month")
        .values("month")
        .annotate(count=Count("pk"), total=Sum("amount"))
    ]
    month = _month(request.GET.get("month", ""))
    listed = mine if month is None else mine.filter(session__date__year=month.year, session__date__month=month.month)
    page = page_of(
        request,
        listed.select_related("session__client", "coverage__payer").order_by("-session__date", "-pk"),
        PAGE,
    )
    paid_out = list(visible_payouts(request.user)[:PAYOUTS])
    outlook = payout_statements.outlook(provider)
    record_access_to(
        request.user,
        {each.session.client_id for each in page.object_list} | payout_statements.clients_of(outlook.changes),
        "earnings",
    )
    this_month = clock.today().replace(day=1)
    context = {
        "page": page,
        "months": months,
        "month": month,
        "listed_total": next((each["total"] for each in months if each["first"] == month), ZERO),
        "this_month": next((each["total"] for each in months if each["first"] == this_month), ZERO),
        "owed": -balance(Book.PROVIDER_PAYABLE, provider=provider),
        "outlook": outlook,
        "payouts": paid_out,
        "preparing": next((each for each in paid_out if each.state == ProviderPayout.State.CREATED), None),
        "account": bank_accounts.current(provider),
        "all_time": sum((each["total"] for each in months), Decimal(ZERO)),
    }
    return render(request, "portal/provider/earnings.html", context)


def _confirmed(request: HttpRequest, shown: str) -> "QuerySet[Session]":
    sessions = visible_sessions(request.user).filter(status=Session.Status.CONFIRMED).order_by("-starts_at", "-pk")
    undecided = Q(
        pk__in=Claim.objects.exclude(Claim.OUTSIDE)
        .exclude(submission=Claim.Submission.NOT_NEEDED)
        .exclude(decision=Claim.Decision.PAID)
        .values("session")
    )
    open_ones = Claim.objects.filter(session__in=sessions)
    match shown:
        case "open":
            return sessions.filter(pk__in=_sessions_with(sessions, undecided))
        case "done":
            return sessions.filter(pk__in=open_ones.values("session")).exclude(
                pk__in=_sessions_with(sessions, undecided)
            )
    return sessions


def _sessions_with(sessions: "QuerySet[Session]", condition: Q) -> "QuerySet[Session, Any]":
    return sessions.order_by().filter(condition).values("pk")


@login_required
@require_safe
def claims(request: HttpRequest) -> HttpResponse:
    """How the claims of confirmed sessions stand: under way, or decided by all plans."""
    own_provider(request.user)
    shown = request.GET.get("show", "open")
    shown = shown if shown in ("open", "done", "all") else "open"
    page = page_of(request, _confirmed(request, shown), PAGE)
    rows = caseload.session_rows(list(page.object_list))
    record_access_to(request.user, {row.session.client_id for row in rows}, "claims")
    pills = [("open", _("Under way")), ("done", _("Decided")), ("all", _("All"))]
    context = {"page": page, "rows": rows, "shown": shown, "pills": pills}
    return render(request, "portal/provider/claims.html", context)
