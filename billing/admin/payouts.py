"""Payouts on the desk: runs with their totals and files, sent by support; what comes back; voided sessions."""

import csv
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import care.admin  # noqa: F401 - sessions are on the desk before a repair is added to them
from billing.admin import money  # noqa: F401 - likewise earnings
from billing.flows import void_session
from billing.models import (
    EarningAdjustment,
    PayoutLine,
    PayoutRun,
    ProviderBankAccount,
    ProviderEarning,
    ProviderPayout,
)
from billing.services import bank_accounts, earnings, payouts
from care.models import Session
from common.desk import Desk, Page, Repair, Rows, extend, render
from common.money import ZERO, plain
from common.spreadsheet import harmless
from people.models import Provider, User


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


# --- Runs -------------------------------------------------------------------------------------------------------------


def overview(request: HttpRequest, row: PayoutRun, context: dict[str, Any]) -> HttpResponseBase:
    """What a run pays, to whom, what it does not pay and why; the file's totals as read back from it."""
    rows = list(row.payouts.select_related("provider", "bank_account", "run").order_by("provider__last_name", "pk"))
    paying = [each for each in rows if each.state != ProviderPayout.State.RETURNED]
    file = payouts.read_file(row)
    base = context["row_url"].removesuffix("change/")
    more = {
        "run": row,
        "rows": [(each, reverse("admin:billing_providerpayout_change", args=[each.pk])) for each in rows],
        "count": len(paying),
        "total": sum((each.amount for each in paying), start=ZERO),
        "file": file,
        "waiting": payouts.waiting(row),
        "csv_url": f"{base}page/csv/",
        "nacha_url": f"{base}page/nacha/" if file is not None else "",
        "send_url": f"{base}repair/send/" if payouts.can_be_sent(row) else "",
        "title": str(row),
    }
    return render(request, "admin/payouts/run.html", context | more)


def _download(text: bytes, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(text, content_type=kind, headers=headers)


def as_csv(request: HttpRequest, row: PayoutRun, context: dict[str, Any]) -> HttpResponseBase:
    """The run's payouts for a spreadsheet; accounts by their last four digits."""
    answer = _download(b"", "text/csv; charset=utf-8", f"payouts-{row.through.isoformat()}.csv")
    out = csv.writer(answer)
    out.writerow(["payout", "provider", "npi", "account", "state", "reason", "amount"])
    for each in row.payouts.select_related("provider", "bank_account", "run").order_by("pk"):
        account = each.bank_account
        out.writerow(
            [
                each.pk,
                harmless(each.provider.full_name),
                each.provider.npi,
                f"{account.get_kind_display()} {account.last4}",
                each.status,
                harmless(each.return_reason),
                plain(each.amount),
            ]
        )
    return answer


def as_nacha(request: HttpRequest, row: PayoutRun, context: dict[str, Any]) -> HttpResponseBase:
    """The file for the bank. Downloading it is kept in the history: it holds account numbers."""
    raw = payouts.file_of(row)
    if raw is None:
        return render(request, "admin/payouts/no_file.html", context, status=404)
    admin.site.get_model_admin(PayoutRun).log_change(request, row, "The bank's file was downloaded")
    return _download(raw, "text/plain; charset=us-ascii", f"payouts-{row.through.isoformat()}.ach")


def _send(request: HttpRequest, row: PayoutRun, text: str) -> str:
    payouts.send(row, trace=text, by=_actor(request))
    return _("The payouts are booked, and their providers are told.")


def _write_anew(request: HttpRequest, row: PayoutRun, text: str) -> str:
    payouts.write_anew(row)
    return _("The file is written anew. Give the bank this one, and no earlier one.")


def _finish(request: HttpRequest, row: PayoutRun, text: str) -> str:
    payouts.put_together(row.pk)
    return _("The run is put together.")


class PayoutRows(Rows):
    model = ProviderPayout
    fields = ("provider", "amount", "state", "bank_account")
    readonly_fields = fields
    show_change_link = True


@admin.register(PayoutRun)
class PayoutRunDesk(Desk):
    list_display = ("through", "pay_on", "state", "count", "total", "trace", "sent_at", "sent_by")
    list_filter = ("state",)
    search_fields = ("trace",)
    list_select_related = ("sent_by",)
    date_hierarchy = "through"
    exclude = ("nacha",)
    inlines = (PayoutRows,)
    pages = (
        Page("overview", gettext_lazy("Review the run"), overview),
        Page("csv", gettext_lazy("Download CSV"), as_csv),
        Page("nacha", gettext_lazy("Download the bank's file (NACHA)"), as_nacha, repairs=True),
    )
    repairs = (
        Repair(
            "send",
            gettext_lazy("The bank has taken the file: mark as sent"),
            gettext_lazy("Every payout is booked as paid by the bank, and its provider gets an e-mail. No way back."),
            _send,
            payouts.can_be_sent,
            gettext_lazy("The bank's reference for the file"),
        ),
        Repair(
            "anew",
            gettext_lazy("Write the file anew"),
            gettext_lazy("With the next possible day, and the accounts that may be used by now."),
            _write_anew,
            lambda row: row.state == PayoutRun.State.SEALED,
        ),
        Repair(
            "finish",
            gettext_lazy("Put together now"),
            gettext_lazy("The sweep does this by itself; this does not wait for it."),
            _finish,
            lambda row: row.state == PayoutRun.State.OPEN,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return payouts.with_totals(super().get_queryset(request))

    @admin.display(description=gettext_lazy("payouts"))
    def count(self, row: Any) -> int:
        return int(row.count)

    @admin.display(description=gettext_lazy("total"))
    def total(self, row: Any) -> str:
        return plain(row.total) or "0.00"


# --- Payouts ----------------------------------------------------------------------------------------------------------


def _mark_returned(request: HttpRequest, row: ProviderPayout, text: str) -> str:
    payouts.mark_returned(row, reason=text, by=_actor(request))
    return _("It is owed to the provider again, and the provider is asked to enter the account anew.")


def _hold_back(request: HttpRequest, row: ProviderPayout, text: str) -> str:
    payouts.hold_back(row, reason=text, by=_actor(request))
    return _("It is left out of the run, and the file is written anew. The next run takes it in.")


class LineRows(Rows):
    model = PayoutLine
    fields = ("earning", "adjustment", "amount")
    readonly_fields = fields


@admin.register(ProviderPayout)
class ProviderPayoutDesk(Desk):
    list_display = ("pk", "provider", "run", "amount", "state", "bank_account", "return_reason", "returned_at")
    list_filter = ("state",)
    search_fields = ("provider__last_name", "provider__npi", "=id")
    list_select_related = ("provider", "run", "bank_account")
    inlines = (LineRows,)
    repairs = (
        Repair(
            "returned",
            gettext_lazy("The bank sent it back"),
            gettext_lazy("The books have the money again, and the provider gets an e-mail. The provider reads why."),
            _mark_returned,
            lambda row: row.state == ProviderPayout.State.SENT,
            gettext_lazy("The bank's reason, such as “R03 no account”"),
        ),
        Repair(
            "hold",
            gettext_lazy("Hold back"),
            gettext_lazy("Left out of this run, and a line of the provider's next payout. The provider reads why."),
            _hold_back,
            lambda row: row.state == ProviderPayout.State.CREATED and row.run.state == PayoutRun.State.SEALED,
        ),
    )


@admin.register(PayoutLine)
class PayoutLineDesk(Desk):
    list_display = ("payout", "earning", "adjustment", "amount")
    search_fields = ("=payout__id", "=earning__session__id", "=adjustment__session__id")
    list_select_related = ("payout", "earning", "adjustment")

    def clients_of(self, rows: Any) -> set[int]:
        found = PayoutLine.objects.filter(pk__in=[row.pk for row in rows])
        pairs = found.values_list("earning__session__client", "adjustment__session__client")
        return {client for pair in pairs for client in pair if client is not None}


@admin.register(EarningAdjustment)
class EarningAdjustmentDesk(Desk):
    list_display = ("provider", "session", "amount", "reason", "note", "by", "created_at")
    list_filter = ("reason",)
    search_fields = ("provider__last_name", "=session__id", "note")
    list_select_related = ("provider", "session__client", "by")
    date_hierarchy = "created_at"
    client_path = "session__client"


# --- Bank accounts ----------------------------------------------------------------------------------------------------


def _remove(request: HttpRequest, row: ProviderBankAccount, text: str) -> str:
    bank_accounts.remove(row)
    return _("Nothing more is paid to it. Write the file of an open run anew if it names it.")


@admin.register(ProviderBankAccount)
class ProviderBankAccountDesk(Desk):
    list_display = ("provider", "holder", "kind", "routing_number", "last4", "created_at", "removed_at")
    list_filter = (("removed_at", admin.EmptyFieldListFilter), "kind")
    search_fields = ("provider__last_name", "provider__npi", "=last4", "=routing_number")
    list_select_related = ("provider",)
    exclude = ("account_number",)
    repairs = (
        Repair(
            "remove",
            gettext_lazy("Remove this account"),
            gettext_lazy("Somebody else may have entered it: nothing more is paid to it. The provider enters another."),
            _remove,
            lambda row: row.removed_at is None,
        ),
    )


# --- What was earned --------------------------------------------------------------------------------------------------


def _follow_rate(request: HttpRequest, row: ProviderEarning, text: str) -> str:
    line = earnings.follow_the_rate(row, by=_actor(request), note=text)
    return _("The earning changes by %(amount)s, with the provider's next payout.") % {"amount": plain(line.amount)}


def _void(request: HttpRequest, row: Session, text: str) -> str:
    void_session.void(row, reason=text, by=_actor(request))
    return _("The session is voided: claims are taken back, the client's money goes back, both are told.")


extend(
    ProviderEarning,
    repairs=[
        Repair(
            "rate",
            gettext_lazy("Follow the contracted rate"),
            gettext_lazy(
                "After a contract or the session's procedure was corrected: the difference becomes a line of the next "
                "payout. The provider reads your reason."
            ),
            _follow_rate,
        )
    ],
)
extend(
    Session,
    repairs=[
        Repair(
            "void",
            gettext_lazy("Void the session"),
            gettext_lazy(
                "It did not take place, or not as it was confirmed: its claims, its cost and its earning are taken "
                "back, and the client is refunded. There is no way back; to correct it, it is booked anew. The "
                "provider reads your reason: no health information, please."
            ),
            _void,
            lambda row: row.status == Session.Status.CONFIRMED,
        )
    ],
)
extend(Provider, further=[(ProviderPayout, "provider"), (EarningAdjustment, "provider")])
