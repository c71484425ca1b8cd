"""Plans that insurers named for clients."""

from django.contrib import admin

from common.desk import Desk
from insurance.models import SuggestedCoverage


@admin.register(SuggestedCoverage)
class SuggestedCoverageDesk(Desk):
    list_display = ("client", "payer_name", "payer", "rank", "named_by", "source", "state", "created_at")
    list_filter = ("state", "source", "payer", "named_by__payer")
    search_fields = ("client__first_name", "client__last_name", "payer_name")
    list_select_related = ("client", "payer", "named_by__payer")
    date_hierarchy = "created_at"
    exclude = ("member_id",)  # told to the client only by its last characters, and to nobody else
    client_path = "client"
