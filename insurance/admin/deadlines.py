"""The queue of claims by deadline: filing, results expected, claims nobody acknowledged."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.desk import Desk, render
from insurance.services import deadlines

TITLES = {
    deadlines.Clock.FILING: _("Filing"),
    deadlines.Clock.RESULT: _("Result"),
    deadlines.Clock.ACKNOWLEDGEMENT: _("Acknowledgement"),
}


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """Every claim whose day is over or comes within a month, the most pressing first."""
    queue = deadlines.queue()
    if Desk.note_looks is not None and queue:
        Desk.note_looks(request, {due.claim.session.client_id for due in queue}, "support: deadlines")
    rows = [
        (due, str(TITLES[due.clock]), reverse("admin:insurance_claim_change", args=[due.claim.pk])) for due in queue
    ]
    over = sum(due.over for due in queue)
    return render(request, "admin/claims/deadlines.html", {**context, "rows": rows, "over": over})
