"""Costs, cards, payments, refunds, earnings, and what Stripe told us."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from billing.models import (
    CardConsent,
    Payment,
    PaymentCard,
    PaymentPart,
    ProviderEarning,
    Refund,
    SessionCost,
    StripeCustomer,
    StripeEvent,
)
from common.desk import Desk, Rows


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


@admin.register(Refund)
class RefundDesk(Desk):
    list_display = ("pk", "session", "amount", "state", "payment", "created_at", "processed_at", "message")
    list_filter = ("state",)
    search_fields = ("session__client__last_name", "session__client__first_name", "=refund_id", "=key")
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
