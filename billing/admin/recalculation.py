"""Stale prices, and a whole insurer priced again: begun with a reason, watched, stopped, and gone on with."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import insurance.admin  # noqa: F401 - insurers are on the desk before a repair is added to them
from billing.models import Recalculation, Repricing
from billing.services import recalculation, repricing
from common import clock
from common.desk import Desk, Page, Repair, extend, render
from insurance.models import Payer
from people.models import User

REFRESH_SECONDS = 3
"""How often the page of a run that is under way loads itself again."""

FAILED_SHOWN = 50


@admin.register(Repricing)
class RepricingDesk(Desk):
    list_display = ("client", "stale_since", "cause", "priced_at", "attempts", "next_attempt_at", "error")
    list_filter = (("stale_since", admin.EmptyFieldListFilter), ("error", admin.EmptyFieldListFilter))
    search_fields = ("client__first_name", "client__last_name", "cause", "error")
    list_select_related = ("client",)
    ordering = ("next_attempt_at",)
    filters_from = ("client__coverages__payer__id__exact",)
    client_path = "client"
    repairs = (
        Repair(
            "again",
            gettext_lazy("Price again"),
            gettext_lazy("The client's sessions are priced again with the next sweep, or sooner."),
            lambda request, row, text: _mark(row, text),
        ),
    )


def _mark(row: Repricing, text: str) -> str:
    repricing.mark_stale([row.client_id], text)
    return _("The prices are marked as stale, and a worker is asked to work them out.")


def _begin(request: HttpRequest, row: Payer, text: str) -> str:
    assert isinstance(request.user, User)
    run = recalculation.start(row, by=request.user, reason=text)
    return format_html(
        '{} <a href="{}">{}</a>',
        _("Prices of %(total)s clients with %(payer)s are being worked out again.")
        % {"total": run.total, "payer": row},
        reverse("admin:billing_recalculation_page", args=[run.pk, "progress"]),
        _("See how far it is"),
    )


def _stop(request: HttpRequest, row: Recalculation, text: str) -> str:
    recalculation.stop(row)
    return _("Stopped. What was worked out stays.")


def _go_on(request: HttpRequest, row: Recalculation, text: str) -> str:
    recalculation.go_on(row)
    return _("It goes on where it was.")


def progress(request: HttpRequest, row: Recalculation, context: dict[str, Any]) -> HttpResponseBase:
    """How far a run is; while it is under way the page loads itself again, without any script."""
    under_way = row.state in recalculation.OPEN
    failing = (
        Repricing.objects.filter(repricing.failing(), client__coverages__payer=row.payer_id)
        .select_related("client")
        .order_by("pk")
        .distinct()
    )
    seconds = (row.touched_at - row.created_at).total_seconds()
    pace = row.done / seconds if seconds > 0 and row.done else None
    more = {
        "run": row,
        "under_way": under_way,
        "refresh": REFRESH_SECONDS if under_way else None,
        "percent": 100 if row.state == Recalculation.State.DONE else 100 * row.done // max(row.total, 1),
        "minutes_left": round((row.total - row.done) / pace / 60) if pace and under_way else None,
        "silent": under_way and row.touched_at < clock.now() - 4 * recalculation.LEFT_ALONE,
        "failing": [
            (each, reverse("admin:billing_repricing_change", args=[each.pk])) for each in failing[:FAILED_SHOWN]
        ],
        "failing_url": (
            f"{reverse('admin:billing_repricing_changelist')}"
            f"?error__isempty=0&client__coverages__payer__id__exact={row.payer_id}"
        ),
        "payer_url": reverse("admin:insurance_payer_change", args=[row.payer_id]),
        "title": _("Prices with %(payer)s, worked out again") % {"payer": row.payer},
    }
    return render(request, "admin/prices/progress.html", context | more)


@admin.register(Recalculation)
class RecalculationDesk(Desk):
    list_display = ("payer", "state", "progress", "changed", "failed", "requested_by", "reason", "created_at")
    list_filter = ("state", "payer")
    search_fields = ("payer__name", "reason", "requested_by__email")
    list_select_related = ("payer", "requested_by")
    date_hierarchy = "created_at"
    pages = (Page("progress", gettext_lazy("How far it is"), progress),)
    repairs = (
        Repair(
            "stop",
            gettext_lazy("Stop"),
            gettext_lazy("No further client is priced. What was worked out stays, and it can go on later."),
            _stop,
            lambda row: row.state in recalculation.OPEN,
        ),
        Repair(
            "go-on",
            gettext_lazy("Go on"),
            gettext_lazy("It goes on behind the last client that was priced."),
            _go_on,
            lambda row: row.state == Recalculation.State.STOPPED,
        ),
    )

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, row: Recalculation) -> str:
        return _("%(done)s of %(total)s") % {"done": row.done, "total": row.total}


extend(
    Payer,
    repairs=[
        Repair(
            "recalculate",
            gettext_lazy("Work out all prices again"),
            gettext_lazy(
                "Everybody who has a plan of this insurer is priced again, one after the other. Costs change only "
                "where the facts say so, and each change has its reason."
            ),
            _begin,
        )
    ],
)
