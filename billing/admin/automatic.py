"""Payment plans, autopay, and the charges they announce."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing.models import Autopay, AutopayNotice, Instalment, PaymentPlan, PaymentPlanPart
from billing.services import autopay, plan_ends
from common.desk import Desk, Repair, Rows


def _end(request: HttpRequest, row: Any, text: str) -> str:
    plan_ends.end(row, reason=text)
    return str(_("The plan has ended. What is left is due."))


def _stop(request: HttpRequest, row: Any, text: str) -> str:
    autopay.stop(row.client)
    return str(_("Autopay is off, and what was announced is not charged."))


def _cancel(request: HttpRequest, row: Any, text: str) -> str:
    if not autopay.cancel(row, reason=text):
        return str(_("It has been charged or called off meanwhile."))
    return str(_("It is not charged. The balance stays due."))


class InstalmentRows(Rows):
    model = Instalment
    fields = ("number", "due_on", "amount", "noticed_at", "payment")
    readonly_fields = fields
    ordering = ("number",)


class NoticeRows(Rows):
    model = AutopayNotice
    fields = ("session", "amount", "charge_on", "payment", "cancelled_at", "cancel_reason")
    readonly_fields = fields


@admin.register(PaymentPlan)
class PaymentPlanDesk(Desk):
    list_display = ("pk", "client", "total", "state", "card", "created_at", "ended_at", "end_reason")
    list_filter = ("state", "text_version")
    search_fields = ("client__last_name", "client__first_name")
    list_select_related = ("client", "card")
    date_hierarchy = "created_at"
    client_path = "client"
    inlines = (InstalmentRows,)
    repairs = (
        Repair(
            "end",
            _("End the plan"),
            _("No more parts are charged. What is left is due; the client pays it like any balance."),
            _end,
            possible=lambda row: row.state == PaymentPlan.State.ACTIVE,
            text_label=_("Why, in words the client may read"),
        ),
    )


@admin.register(PaymentPlanPart)
class PaymentPlanPartDesk(Desk):
    list_display = ("plan", "session", "amount", "created_at")
    search_fields = ("=plan__id", "=session__id")
    list_select_related = ("plan", "session__client")
    client_path = "plan__client"


@admin.register(Instalment)
class InstalmentDesk(Desk):
    list_display = ("plan", "number", "due_on", "amount", "noticed_at", "payment")
    list_filter = ("plan__state", "number")
    search_fields = ("=plan__id", "plan__client__last_name")
    list_select_related = ("plan__client", "payment")
    date_hierarchy = "due_on"
    client_path = "plan__client"


@admin.register(Autopay)
class AutopayDesk(Desk):
    list_display = ("client", "limit", "text_version", "created_at", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "text_version")
    search_fields = ("client__last_name", "client__first_name")
    list_select_related = ("client",)
    client_path = "client"
    inlines = (NoticeRows,)
    repairs = (
        Repair(
            "stop",
            _("Turn autopay off"),
            _("For a client who asks for it by phone: nothing more is charged by autopay, announced charges included."),
            _stop,
            possible=lambda row: row.ended_at is None,
        ),
    )


@admin.register(AutopayNotice)
class AutopayNoticeDesk(Desk):
    list_display = ("session", "amount", "charge_on", "payment", "cancelled_at", "cancel_reason")
    list_filter = (("payment", admin.EmptyFieldListFilter), ("cancelled_at", admin.EmptyFieldListFilter))
    search_fields = ("session__client__last_name", "=session__id")
    list_select_related = ("session__client", "payment")
    date_hierarchy = "charge_on"
    client_path = "session__client"
    repairs = (
        Repair(
            "cancel",
            _("Do not charge it"),
            _("The announced charge is called off. The balance stays due."),
            _cancel,
            possible=lambda row: row.payment_id is None and row.cancelled_at is None,
            text_label=_("Why, in words the client may read"),
        ),
    )
