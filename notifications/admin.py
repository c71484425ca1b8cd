"""Support's view of the outbox."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.desk import Desk, Repair
from notifications import outbox
from notifications.models import Email


def _again(request: HttpRequest, row: Email, text: str) -> str:
    sent = outbox.resend(row)
    return _("E-mail %(number)s is on its way.") % {"number": sent.pk}


@admin.register(Email)
class EmailDesk(Desk):
    list_display = ("subject", "to", "kind", "state", "attempts", "created_at", "sent_at")
    list_filter = ("state", "kind")
    search_fields = ("to", "subject", "key", "message_id")
    date_hierarchy = "created_at"
    exclude = ("html", "text")
    readonly_fields = ("as_text",)
    client_path = "recipient__client"
    repairs = [
        Repair(
            "again",
            gettext_lazy("Send again"),
            gettext_lazy("One that failed is tried anew; of one that was sent, a copy goes to the same address."),
            _again,
        )
    ]

    @admin.display(description=gettext_lazy("text"))
    def as_text(self, row: Email) -> SafeString:
        return format_html('<pre class="desk-text">{}</pre>', row.text)
