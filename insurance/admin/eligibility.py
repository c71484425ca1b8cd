"""What we asked insurers, and what they answered."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from common.desk import Desk
from insurance.admin.lines import NewestFilter
from insurance.models import BenefitSnapshot, EligibilityCheck
from insurance.services.next_step import next_step


@admin.register(EligibilityCheck)
class EligibilityCheckDesk(Desk):
    list_display = ("__str__", "reason", "state", "attempts", "created_at", "answered_at", "error")
    list_filter = ("state", NewestFilter, "reason", "coverage__payer")
    search_fields = ("trace", "coverage__client__last_name", "coverage__client__first_name", "error")
    list_select_related = ("coverage__payer", "coverage__client")
    date_hierarchy = "created_at"
    exclude = ("rejections",)
    readonly_fields = ("refusals", "what_next")
    client_path = "coverage__client"

    @admin.display(description=_("why the insurer could not answer"))
    def refusals(self, row: EligibilityCheck) -> SafeString | str:
        if not row.rejections:
            return "-"
        return format_html_join(
            "",
            "<p><strong>{}</strong> {} ({})</p>",
            ((each.get("code", ""), each.get("text", ""), each.get("cause", "")) for each in row.rejections),
        )

    @admin.display(description=_("what to do next"))
    def what_next(self, row: EligibilityCheck) -> str:
        step = next_step(row)
        return "-" if step is None else f"{step.who}: {step.text}"


def _flat(prefix: str, value: object) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [
            pair
            for key, inner in value.items()
            if key not in ("source", "member_id", "schema")
            for pair in _flat(f"{prefix} › {key}" if prefix else key, inner)
        ]
    if isinstance(value, list):
        return [pair for number, inner in enumerate(value, start=1) for pair in _flat(f"{prefix} {number}", inner)]
    return [] if value in (None, "", "none") else [(prefix.replace("_", " "), value)]


@admin.register(BenefitSnapshot)
class BenefitSnapshotDesk(Desk):
    list_display = ("coverage", "source", "observed_at", "effective_on", "active", "plan_begin", "plan_end")
    list_filter = ("source", "active", "coverage__payer")
    search_fields = ("coverage__client__last_name", "coverage__client__first_name")
    list_select_related = ("coverage__payer", "coverage__client")
    date_hierarchy = "observed_at"
    exclude = ("benefits",)
    readonly_fields = ("said",)
    client_path = "coverage__client"

    @admin.display(description=_("what was said"))
    def said(self, row: BenefitSnapshot) -> SafeString:
        rows = format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td></tr>", _flat("", row.benefits))
        return format_html('<table class="desk-table">{}</table>', rows)
