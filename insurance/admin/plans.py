"""Plans on accounts, the order they pay in, and pauses."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from common.desk import Desk, Rows
from insurance.models import AccountPause, CobFacts, Coverage, PlanOrder, PlanRank
from insurance.services import pauses


@admin.register(Coverage)
class CoverageDesk(Desk):
    list_display = (
        "client",
        "payer",
        "member_id_last4",
        "stated_rank",
        "plan_type",
        "begins_on",
        "ends_on",
        "removed_at",
    )
    list_filter = ("payer", "plan_type", "holder", ("removed_at", admin.EmptyFieldListFilter))
    search_fields = ("client__first_name", "client__last_name", "=member_id_last4", "payer__name")
    list_select_related = ("client", "payer")
    date_hierarchy = "created_at"
    exclude = ("member_id",)  # the last four characters tell plans apart; the rest is nobody's to read here
    readonly_fields = ("member_id_last4",)
    client_path = "client"


@admin.register(CobFacts)
class CobFactsDesk(Desk):
    list_display = ("client", "parents", "decree", "custodial_parent", "medicare_because", "esrd_since", "updated_at")
    list_filter = ("parents", "decree", "medicare_because")
    search_fields = ("client__first_name", "client__last_name")
    list_select_related = ("client",)
    client_path = "client"


class PlanRankRows(Rows):
    model = PlanRank


@admin.register(PlanOrder)
class PlanOrderDesk(Desk):
    list_display = ("__str__", "created_at", "source", "rule", "certain", "changed")
    list_filter = ("source", "rule", "certain", "changed")
    search_fields = ("client__first_name", "client__last_name")
    list_select_related = ("client",)
    date_hierarchy = "created_at"
    exclude = ("why",)
    readonly_fields = ("reasons",)
    client_path = "client"
    inlines = (PlanRankRows,)

    @admin.display(description=_("why"))
    def reasons(self, row: PlanOrder) -> SafeString:
        return format_html_join("", "<p>{}</p>", ((sentence,) for sentence in row.why))


@admin.register(PlanRank)
class PlanRankDesk(Desk):
    list_display = ("plan_order", "rank", "coverage")
    list_filter = ("rank",)
    search_fields = ("plan_order__client__last_name",)
    list_select_related = ("plan_order__client", "coverage__payer")
    client_path = "plan_order__client"


class CallFilter(admin.SimpleListFilter):
    """Pauses whose client support should call, reminders having done nothing."""

    title = _("needs")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("call", str(_("A call to the client")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccountPause]) -> QuerySet[AccountPause]:
        return queryset.filter(pk__in=pauses.for_support().values("pk")) if self.value() == "call" else queryset


@admin.register(AccountPause)
class AccountPauseDesk(Desk):
    list_display = ("client", "coverage", "evidence", "evidence_codes", "opened_at", "reference_given_at", "cleared_at")
    list_filter = (CallFilter, ("cleared_at", admin.EmptyFieldListFilter), "evidence", "coverage__payer")
    search_fields = ("client__first_name", "client__last_name", "reference_number", "evidence_codes")
    list_select_related = ("client", "coverage__payer")
    date_hierarchy = "opened_at"
    client_path = "client"
