"""Insurers."""

from django.contrib import admin

from common.desk import Reference
from insurance.models import Payer


@admin.register(Payer)
class PayerDesk(Reference):
    list_display = ("name", "payer_id", "member_services_phone", "secondary_method", "timely_filing_days")
    list_filter = ("secondary_method", "claim_filing_code")
    search_fields = ("name", "payer_id")
