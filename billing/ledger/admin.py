"""Support's view of the books: nothing in them can be edited by anyone."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing.ledger.models import Account, Entry, Line
from common.desk import Desk, Rows
from common.money import ZERO, dollars


@admin.register(Account)
class AccountDesk(Desk):
    list_display = ("code", "name", "kind", "balance")
    list_filter = ("kind",)
    search_fields = ("code", "name")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Account, Any]":
        rows: QuerySet[Account, Any] = super().get_queryset(request)
        return rows.annotate(total=Sum("lines__amount"))

    @admin.display(description=_("balance (debit positive)"))
    def balance(self, row: Any) -> str:
        return dollars(row.total or ZERO)


class LineRows(Rows):
    model = Line
    fields = ("account", "amount", "client", "session", "provider", "payer")
    readonly_fields = fields


@admin.register(Entry)
class EntryDesk(Desk):
    list_display = ("key", "memo", "occurred_on", "created_at", "reverses")
    list_filter = (("reverses", admin.EmptyFieldListFilter),)
    search_fields = ("key", "memo")
    list_select_related = ("reverses",)
    date_hierarchy = "occurred_on"
    inlines = (LineRows,)

    def clients_of(self, rows: Any) -> set[int]:
        """The clients an entry's lines concern."""
        found = Line.objects.filter(entry__in=[row.pk for row in rows], client__isnull=False).order_by()
        return set(found.values_list("client", flat=True))


@admin.register(Line)
class LineDesk(Desk):
    list_display = ("entry", "account", "amount", "client", "session", "provider", "payer", "created_at")
    list_filter = ("account", "payer", "provider")
    search_fields = ("entry__key", "entry__memo", "client__last_name")
    list_select_related = ("entry", "account", "client", "session__client", "provider", "payer")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    client_path = "client"
