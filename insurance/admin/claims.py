"""Claims and what happened to them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from common.desk import Desk, Rows, Tool
from insurance.admin import deadlines
from insurance.models import Adjudication, Claim, ClaimEvent


class ClaimEventRows(Rows):
    model = ClaimEvent
    fields = ("created_at", "kind", "text", "file", "actor")
    readonly_fields = fields
    ordering = ("id",)


class AdjudicationRows(Rows):
    model = Adjudication
    fields = ("remittance", "status_code", "charge", "paid", "client_responsibility", "explanation", "posted_at")
    readonly_fields = fields


@admin.register(Claim)
class ClaimDesk(Desk):
    list_display = ("control_number", "session", "coverage", "rank", "submission", "decision", "charge", "file_by")
    list_filter = ("submission", "decision", "rank", "coverage__payer", "frequency")
    search_fields = (
        "control_number",
        "payer_control_number",
        "session__client__last_name",
        "session__client__first_name",
        "=session__id",
    )
    list_select_related = ("session__client", "coverage__payer", "coverage__client")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    client_path = "session__client"
    filters_from = ("events__kind",)
    inlines = (ClaimEventRows, AdjudicationRows)
    tools = (Tool("deadlines", _("Deadlines"), deadlines.page),)


@admin.register(ClaimEvent)
class ClaimEventDesk(Desk):
    list_display = ("created_at", "claim", "kind", "text", "actor")
    list_filter = ("kind",)
    search_fields = ("claim__control_number", "text")
    list_select_related = ("claim", "actor")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    client_path = "claim__session__client"
