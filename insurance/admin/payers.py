"""Insurers, our contracts with them, their rates, and who is credentialed."""

from django.contrib import admin

from common.desk import Reference
from insurance.models import Credential, FeeSchedule, NetworkContract, Payer


@admin.register(Payer)
class PayerDesk(Reference):
    list_display = ("name", "payer_id", "member_services_phone", "secondary_method", "timely_filing_days")
    list_filter = ("secondary_method", "claim_filing_code")
    search_fields = ("name", "payer_id")


@admin.register(NetworkContract)
class NetworkContractDesk(Reference):
    list_display = ("payer", "begins_on", "ends_on")
    list_filter = ("payer",)
    list_select_related = ("payer",)


@admin.register(Credential)
class CredentialDesk(Reference):
    list_display = ("provider", "payer", "state", "begins_on", "ends_on")
    list_filter = ("payer", "state")
    search_fields = ("provider__last_name", "provider__npi")
    list_select_related = ("provider", "payer")
    autocomplete_fields = ("provider", "payer")


@admin.register(FeeSchedule)
class FeeScheduleDesk(Reference):
    list_display = ("payer", "network", "procedure", "licence", "provider", "rate", "begins_on", "ends_on")
    list_filter = ("network", "payer", "cpt", "licence", ("provider", admin.EmptyFieldListFilter))
    search_fields = ("payer__name", "cpt", "provider__last_name", "provider__npi")
    list_select_related = ("payer", "provider")
    autocomplete_fields = ("payer", "provider")
    fields = (
        ("payer", "network"),
        ("cpt", "modifier"),
        ("licence", "provider"),
        "rate",
        ("begins_on", "ends_on"),
    )
