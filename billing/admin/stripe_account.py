"""Stripe's account beside our books on the desk: movements, payouts, the nights' comparisons and their differences."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import BalanceTransaction, Reconciliation, ReconciliationCase, StripePayout
from billing.services import reconciliation, stripe_account
from common.desk import Desk, Page, Repair, Rows, render
from common.money import ZERO
from people.models import User

CASES_SHOWN = 100


class CaseRows(Rows):
    model = ReconciliationCase
    fields = ("kind", "state", "ours", "theirs", "explanation")
    readonly_fields = fields


@admin.register(BalanceTransaction)
class BalanceTransactionDesk(Desk):
    list_display = ("transaction_id", "kind", "amount", "fee", "net", "happened_at", "entry", "payout")
    list_filter = ("kind", ("entry", admin.EmptyFieldListFilter))
    search_fields = ("=transaction_id", "=source_id", "entry__key")
    list_select_related = ("entry", "payout")
    date_hierarchy = "happened_at"
    inlines = (CaseRows,)


@admin.register(StripePayout)
class StripePayoutDesk(Desk):
    list_display = ("payout_id", "amount", "state", "arrives_on", "created_at")
    list_filter = ("state",)
    search_fields = ("=payout_id",)
    date_hierarchy = "arrives_on"


def side_by_side(request: HttpRequest, row: Reconciliation, context: dict[str, Any]) -> HttpResponseBase:
    """What Stripe moved, kind by kind, and what the books say of it; then every open difference."""
    window = BalanceTransaction.objects.filter(happened_at__gte=row.since, happened_at__lte=row.until)
    kinds = (
        window.order_by("kind")
        .values("kind")
        .annotate(
            count=Count("pk"),
            moved=Sum("amount"),
            fees=Sum("fee"),
            booked=Sum("amount", filter=Q(entry__isnull=False)),
            without=Count("pk", filter=Q(entry=None)),
        )
    )
    cases = reconciliation.open_cases().select_related("transaction", "entry")
    return render(
        request,
        "admin/stripe/reconciliation.html",
        {
            **context,
            "made": row,
            "kinds": [{**kind, "booked": kind["booked"] or ZERO} for kind in kinds],
            "difference": row.stripe_balance - row.books_balance,
            "cases": [_shown(case) for case in cases[:CASES_SHOWN]],
            "count": cases.count(),
            "all_cases": f"{reverse('admin:billing_reconciliationcase_changelist')}?state__exact=open",
            "title": _("Stripe and our books"),
        },
    )


def _shown(case: ReconciliationCase) -> dict[str, Any]:
    return {"case": case, "url": reverse("admin:billing_reconciliationcase_page", args=[case.pk, "compare"])}


@admin.register(Reconciliation)
class ReconciliationDesk(Desk):
    list_display = ("until", "transactions", "matched", "stripe_balance", "books_balance", "created_at")
    date_hierarchy = "until"
    pages = (Page("compare", gettext_lazy("Side by side"), side_by_side),)


def one_difference(request: HttpRequest, row: ReconciliationCase, context: dict[str, Any]) -> HttpResponseBase:
    """The movement on one side, the entry on the other, and whether they have found each other since."""
    movement = row.transaction
    entry = row.entry or (stripe_account.existing_entry(movement) if movement else None)
    matched_since = movement is not None and movement.entry_id is not None
    if movement is None and entry is not None:
        matched_since = BalanceTransaction.objects.filter(entry=entry).exists()
    return render(
        request,
        "admin/stripe/case.html",
        {
            **context,
            "case": row,
            "movement": movement,
            "entry": entry,
            "lines": list(entry.lines.select_related("account")) if entry else [],
            "matched_since": matched_since,
            "movement_url": reverse("admin:billing_balancetransaction_change", args=[movement.pk]) if movement else "",
            "entry_url": reverse("admin:ledger_entry_change", args=[entry.pk]) if entry else "",
            "title": row.get_kind_display(),
        },
    )


def _close(request: HttpRequest, row: ReconciliationCase, text: str) -> str:
    assert isinstance(request.user, User)
    reconciliation.close_case(row, note=text, by=request.user)
    return _("The case is closed, with your note. It does not open again.")


@admin.register(ReconciliationCase)
class ReconciliationCaseDesk(Desk):
    list_display = ("key", "kind", "state", "ours", "theirs", "opened_at", "closed_at", "closed_by", "note")
    list_filter = ("state", "kind")
    search_fields = ("key", "explanation", "=transaction__transaction_id", "entry__key")
    list_select_related = ("closed_by",)
    date_hierarchy = "opened_at"
    pages = (Page("compare", gettext_lazy("Side by side"), one_difference),)
    repairs = (
        Repair(
            "close",
            gettext_lazy("Close with a note"),
            gettext_lazy("Nothing is put right by this: write what was found out, and what was done about it."),
            _close,
            lambda row: row.state == ReconciliationCase.State.OPEN,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ReconciliationCase, Any]":
        rows: QuerySet[ReconciliationCase, Any] = super().get_queryset(request)
        return rows.select_related("transaction", "entry")
