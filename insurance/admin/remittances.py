"""What insurers decided and paid, to the last adjustment."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from common.desk import Desk, Rows
from insurance.models import Adjudication, Adjustment, LineAdjudication, ProviderAdjustment, Remittance
from insurance.x12.x835_explain import reason, remark


class AdjudicationRows(Rows):
    model = Adjudication
    fields = ("number", "claim", "control_number", "status_code", "charge", "paid", "client_responsibility")
    readonly_fields = fields


class ProviderAdjustmentRows(Rows):
    model = ProviderAdjustment


class AdjustmentRows(Rows):
    model = Adjustment
    fields = ("line", "group", "code", "meaning", "amount", "quantity")
    readonly_fields = fields

    @admin.display(description=_("meaning"))
    def meaning(self, row: Adjustment) -> str:
        return reason(row.code)


class LineAdjudicationRows(Rows):
    model = LineAdjudication


@admin.register(Remittance)
class RemittanceDesk(Desk):
    list_display = ("trace", "payer_name", "amount", "method", "paid_on", "created_at")
    list_filter = ("payer", "method")
    search_fields = ("trace", "payer_name", "originator")
    date_hierarchy = "created_at"
    inlines = (AdjudicationRows, ProviderAdjustmentRows)

    def clients_of(self, rows: "list[Remittance]") -> set[int]:  # type: ignore[override]
        """The clients whose claims a remittance decides."""
        found = Adjudication.objects.filter(remittance__in=rows, claim__isnull=False).order_by()
        return set(found.values_list("claim__session__client", flat=True))


@admin.register(Adjudication)
class AdjudicationDesk(Desk):
    list_display = ("control_number", "remittance", "claim", "status_code", "charge", "paid", "posted_at")
    list_filter = (("claim", admin.EmptyFieldListFilter), "status_code", "remittance__payer")
    search_fields = ("control_number", "payer_control_number", "claim__session__client__last_name")
    list_select_related = ("remittance", "claim")
    date_hierarchy = "posted_at"
    readonly_fields = ("remarks_in_words",)
    client_path = "claim__session__client"
    inlines = (LineAdjudicationRows, AdjustmentRows)

    @admin.display(description=_("remarks in words"))
    def remarks_in_words(self, row: Adjudication) -> str:
        return "; ".join(f"{code}: {remark(code)}" for code in row.remarks) or "-"


@admin.register(LineAdjudication)
class LineAdjudicationDesk(Desk):
    list_display = ("adjudication", "number", "procedure", "date", "charge", "paid")
    search_fields = ("line_control_number", "procedure", "adjudication__control_number")
    list_select_related = ("adjudication__remittance",)
    client_path = "adjudication__claim__session__client"


@admin.register(Adjustment)
class AdjustmentDesk(Desk):
    list_display = ("adjudication", "line", "group", "code", "meaning", "amount")
    list_filter = ("group", "code")
    search_fields = ("=code", "adjudication__control_number")
    list_select_related = ("adjudication__remittance", "line")
    client_path = "adjudication__claim__session__client"

    @admin.display(description=_("meaning"))
    def meaning(self, row: Adjustment) -> str:
        return reason(row.code)


@admin.register(ProviderAdjustment)
class ProviderAdjustmentDesk(Desk):
    list_display = ("remittance", "code", "reference", "amount")
    list_filter = ("code",)
    search_fields = ("reference", "remittance__trace")
    list_select_related = ("remittance",)
