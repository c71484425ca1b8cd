"""Costs, cards, payments, refunds, earnings, and what Stripe told us."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from billing.models import (
    CardConsent,
    ClientStatement,
    Payment,
    PaymentCard,
    PaymentPart,
    ProviderEarning,
    Refund,
    SessionCost,
    StripeCustomer,
    StripeEvent,
)
from billing.services import refunds, statement_pdf
from common.desk import Desk, Page, Rows


@admin.register(SessionCost)
class SessionCostDesk(Desk):
    list_display = ("session", "amount", "allowed", "basis", "reason", "coverage", "created_at")
    list_filter = ("basis", "reason", "coverage__payer")
    search_fields = ("=session__id", "session__client__last_name", "session__client__first_name")
    list_select_related = ("session__client", "coverage__payer")
    date_hierarchy = "created_at"
    exclude = ("breakdown",)
    readonly_fields = ("made_up_of",)
    client_path = "session__client"

    @admin.display(description=_("made up of"))
    def made_up_of(self, row: SessionCost) -> SafeString:
        rows = format_html_join(
            "",
            "<tr><th scope='row'>{}</th><td>{}</td></tr>",
            (
                (key.replace("_", " "), " · ".join(map(str, value)) if isinstance(value, list) else value)
                for key, value in row.breakdown.items()
                if value not in (None, [])
            ),
        )
        return format_html('<table class="desk-table">{}</table>', rows)


class PaymentPartRows(Rows):
    model = PaymentPart


class RefundRows(Rows):
    model = Refund
    fields = ("session", "amount", "state", "created_at", "processed_at")
    readonly_fields = fields


@admin.register(Payment)
class PaymentDesk(Desk):
    list_display = ("pk", "client", "amount", "purpose", "state", "card", "decline_code", "created_at", "settled_at")
    list_filter = ("state", "purpose", "decline_code")
    search_fields = ("client__last_name", "client__first_name", "=payment_intent_id", "=key")
    list_select_related = ("client", "card")
    date_hierarchy = "created_at"
    readonly_fields = ("key",)
    client_path = "client"
    inlines = (PaymentPartRows, RefundRows)


@admin.register(PaymentPart)
class PaymentPartDesk(Desk):
    list_display = ("payment", "session", "amount", "created_at")
    search_fields = ("=payment__id", "=session__id")
    list_select_related = ("payment", "session__client")
    client_path = "payment__client"


class RefundQueue(admin.SimpleListFilter):
    """Refunds that wait for a person."""

    title = _("queue")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("another_way", _("To send another way")),
            ("late", _("Not delivered for 20 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Refund]) -> QuerySet[Refund]:
        match self.value():
            case "another_way":
                return queryset.filter(pk__in=refunds.to_send_another_way().values("pk")).order_by("created_at")
            case "late":
                return queryset.filter(pk__in=refunds.late().values("pk")).order_by("created_at")
        return queryset


@admin.register(Refund)
class RefundDesk(Desk):
    list_display = (
        "pk", "session", "amount", "state", "payment", "created_at", "processed_at", "external_reference", "message",
    )  # fmt: skip
    list_filter = (RefundQueue, "state")
    search_fields = (
        "session__client__last_name", "session__client__first_name", "=refund_id", "=key", "=bank_reference",
        "=external_reference",
    )  # fmt: skip
    list_select_related = ("session__client", "payment")
    date_hierarchy = "created_at"
    readonly_fields = ("key",)
    client_path = "payment__client"


@admin.register(PaymentCard)
class PaymentCardDesk(Desk):
    list_display = ("client", "brand", "last4", "exp_month", "exp_year", "is_default", "removed_at")
    list_filter = ("brand", "is_default", ("removed_at", admin.EmptyFieldListFilter))
    search_fields = ("client__last_name", "client__first_name", "=last4", "=payment_method_id")
    list_select_related = ("client",)
    client_path = "client"


@admin.register(CardConsent)
class CardConsentDesk(Desk):
    list_display = ("client", "card", "text_version", "scope", "created_at")
    list_filter = ("text_version", "scope")
    search_fields = ("client__last_name", "client__first_name")
    list_select_related = ("client", "card")
    date_hierarchy = "created_at"
    client_path = "client"


@admin.register(StripeCustomer)
class StripeCustomerDesk(Desk):
    list_display = ("client", "customer_id", "created_at")
    search_fields = ("client__last_name", "=customer_id")
    list_select_related = ("client",)
    client_path = "client"


@admin.register(StripeEvent)
class StripeEventDesk(Desk):
    list_display = ("event_id", "kind", "object_id", "received_at", "processed_at", "error")
    list_filter = ("kind", ("processed_at", admin.EmptyFieldListFilter))
    search_fields = ("=event_id", "=object_id", "kind")
    date_hierarchy = "received_at"


@admin.register(ProviderEarning)
class ProviderEarningDesk(Desk):
    list_display = ("session", "provider", "amount", "coverage", "created_at")
    list_filter = ("provider", "coverage__payer")
    search_fields = ("provider__last_name", "session__client__last_name", "=session__id")
    list_select_related = ("session__client", "provider", "coverage__payer")
    date_hierarchy = "created_at"
    client_path = "session__client"


def _statement_file(request: HttpRequest, row: ClientStatement, context: dict[str, Any]) -> HttpResponseBase:
    return HttpResponse(
        statement_pdf.write(row),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="statement-{row.pk}.pdf"'},
    )


@admin.register(ClientStatement)
class ClientStatementDesk(Desk):
    list_display = ("client", "month", "opening", "charged", "paid", "refunded", "closing", "created_at")
    search_fields = ("client__last_name", "client__first_name")
    list_select_related = ("client",)
    date_hierarchy = "month"
    exclude = ("content",)
    client_path = "client"
    pages = (Page("file", _("The file"), _statement_file),)
