"""The yearly confirmations of plans: what is due, overdue, or waits for a person."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from common.desk import Desk
from insurance.models import Recertification
from insurance.services import recertification


class QueueFilter(admin.SimpleListFilter):
    """What needs somebody."""

    title = _("needs")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("support", str(_("Support: the insurer does not show the call"))), ("lapsed", str(_("Overdue")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Recertification]) -> QuerySet[Recertification]:
        if self.value() == "support":
            return queryset.filter(pk__in=recertification.for_support().values("pk"))
        if self.value() == "lapsed":
            return queryset.filter(recertification.lapsed())
        return queryset


@admin.register(Recertification)
class RecertificationDesk(Desk):
    list_display = ("coverage", "due_on", "state", "reference_number", "called_on", "reported_at", "verified_at")
    list_filter = (QueueFilter, "state", "coverage__payer")
    search_fields = ("coverage__client__first_name", "coverage__client__last_name", "reference_number")
    list_select_related = ("coverage__payer", "coverage__client")
    date_hierarchy = "due_on"
    client_path = "coverage__client"
