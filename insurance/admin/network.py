"""Our contracts with insurers, their rates, and who is credentialed: by hand or from files, with what ends soon."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.desk import Reference, Tool
from insurance.admin.network_import import page
from insurance.models import Credential, FeeSchedule, NetworkContract
from insurance.services.expiries import WINDOWS, ending
from insurance.services.network_file import Subject


class EndsSoon(admin.SimpleListFilter):
    """Ends within some days, and nothing follows."""

    title = gettext_lazy("ends soon, and nothing follows")
    parameter_name = "ends_within"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(str(days), _("Within %(days)s days") % {"days": days}) for days in WINDOWS]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        if self.value() not in {str(days) for days in WINDOWS}:
            return queryset
        return queryset.filter(pk__in=ending(queryset.model, int(self.value() or 0)).values("pk"))


def _import(subject: Subject) -> tuple[Tool, ...]:
    return (Tool("import", gettext_lazy("Import from CSV"), partial(page, subject), repairs=True),)


@admin.register(NetworkContract)
class NetworkContractDesk(Reference):
    list_display = ("payer", "begins_on", "ends_on")
    list_filter = (EndsSoon, "payer")
    list_select_related = ("payer",)
    tools = _import(Subject.CONTRACTS)


@admin.register(Credential)
class CredentialDesk(Reference):
    list_display = ("provider", "payer", "state", "begins_on", "ends_on")
    list_filter = (EndsSoon, "payer", "state")
    search_fields = ("provider__last_name", "provider__npi")
    list_select_related = ("provider", "payer")
    autocomplete_fields = ("provider", "payer")
    tools = _import(Subject.CREDENTIALS)


@admin.register(FeeSchedule)
class FeeScheduleDesk(Reference):
    list_display = ("payer", "network", "procedure", "licence", "provider", "rate", "begins_on", "ends_on")
    list_filter: ClassVar = (EndsSoon, "network", "payer", "cpt", "licence", ("provider", admin.EmptyFieldListFilter))
    search_fields = ("payer__name", "cpt", "provider__last_name", "provider__npi")
    list_select_related = ("payer", "provider")
    autocomplete_fields = ("payer", "provider")
    tools = _import(Subject.FEES)
    fields = (
        ("payer", "network"),
        ("cpt", "modifier"),
        ("licence", "provider"),
        "rate",
        ("begins_on", "ends_on"),
    )
