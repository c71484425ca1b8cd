"""Support's view of sessions, caseloads and the organisation's charges."""

from django.contrib import admin

from care.models import CareRelationship, ProcedureLine, Session, StandardCharge
from common.desk import Desk, Reference, Rows, register_history


class ProcedureLineRows(Rows):
    model = ProcedureLine


@admin.register(Session)
class SessionDesk(Desk):
    list_display = ("__str__", "starts_at", "provider", "status", "place", "confirmed_at")
    list_filter = ("status", "place", "provider")
    search_fields = ("client__first_name", "client__last_name", "provider__last_name", "=id")
    list_select_related = ("client", "provider")
    date_hierarchy = "date"
    client_path = "client"
    inlines = (ProcedureLineRows,)


@admin.register(ProcedureLine)
class ProcedureLineDesk(Desk):
    list_display = ("session", "number", "cpt", "units", "charge")
    list_filter = ("cpt",)
    search_fields = ("cpt", "=session__id")
    list_select_related = ("session__client",)
    client_path = "session__client"


@admin.register(CareRelationship)
class CareRelationshipDesk(Desk):
    list_display = ("provider", "client", "began_on", "ended_on")
    list_filter = ("provider", ("ended_on", admin.EmptyFieldListFilter))
    search_fields = ("provider__last_name", "client__last_name", "client__first_name")
    list_select_related = ("provider", "client")
    client_path = "client"


@admin.register(StandardCharge)
class StandardChargeDesk(Reference):
    list_display = ("cpt", "effective_from", "amount")
    list_filter = ("cpt",)


register_history("care", {"SessionEvent": "pgh_obj__client"})
