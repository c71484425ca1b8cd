"""Disputes and early fraud warnings on the desk: the evidence to look at and to send, what to do about a warning."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.flows import stripe_account
from billing.flows.collect_payment import StripeUnavailable
from billing.gateways.results import GatewayError
from billing.models import Dispute, FraudWarning
from billing.services import dispute_evidence, disputes
from common import clock
from common.desk import Desk, Page, Repair, render
from common.money import ZERO, dollars

_NAMES = {
    "customer_email_address": gettext_lazy("Client's e-mail"),
    "product_description": gettext_lazy("What was bought"),
    "service_date": gettext_lazy("Dates of the appointments"),
    "refund_policy_disclosure": gettext_lazy("Refunds and cancelling"),
    "access_activity_log": gettext_lazy("What happened, in order"),
    "uncategorized_text": gettext_lazy("What the client agreed to, and what took place"),
    "uncategorized_file": gettext_lazy("The document, at Stripe"),
}
"""Stripe's names of evidence, in words."""


def _send(request: HttpRequest, row: Dispute, text: str) -> str:
    stripe_account.send_evidence(row)
    return _("The answer is with the bank, which takes weeks to decide. Nothing can be added to it.")


def _ask(request: HttpRequest, row: Dispute, text: str) -> str:
    try:
        stripe_account.refresh_dispute(row)
    except GatewayError as error:
        raise StripeUnavailable(_("Stripe did not answer: %(why)s Nothing changed.") % {"why": error}) from error
    row.refresh_from_db()
    return _("Asked. It is now: %(state)s.") % {"state": row.get_state_display()}


def evidence(request: HttpRequest, row: Dispute, context: dict[str, Any]) -> HttpResponseBase:
    """What would be sent now, or what was sent."""
    sent = row.evidence_sent_at is not None
    fields = row.evidence if sent else dispute_evidence.gather(row).fields
    shown = [(_NAMES.get(name, name.replace("_", " ")), text) for name, text in fields.items()]
    return render(
        request,
        "admin/stripe/evidence.html",
        {
            **context,
            "dispute": row,
            "fields": shown,
            "to_answer": row.state in disputes.TO_ANSWER,
            "title": _("Answer to the dispute of %(amount)s") % {"amount": dollars(row.amount)},
        },
    )


def document(request: HttpRequest, row: Dispute, context: dict[str, Any]) -> HttpResponseBase:
    """The answer as the bank gets it."""
    content = dispute_evidence.write(row, dispute_evidence.gather(row))
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="dispute-{row.pk}.pdf"', "Cache-Control": "no-store"},
    )


@admin.register(Dispute)
class DisputeDesk(Desk):
    list_display = ("pk", "payment", "amount", "reason", "state", "answer_by", "evidence_sent_at", "opened_at")
    list_filter = ("state", "reason", ("evidence_sent_at", admin.EmptyFieldListFilter))
    search_fields = ("=dispute_id", "=payment__payment_intent_id", "payment__client__last_name")
    list_select_related = ("payment__client",)
    date_hierarchy = "opened_at"
    ordering = ("evidence_due", "-pk")
    exclude = ("evidence",)
    client_path = "payment__client"
    pages = (
        Page("evidence", gettext_lazy("Our answer"), evidence),
        Page("document", gettext_lazy("Our answer as a PDF"), document),
    )
    repairs = (
        Repair(
            "send",
            gettext_lazy("Send our answer to the bank"),
            gettext_lazy("Everything under “Our answer” is sent with its PDF, once: nothing can be added later."),
            _send,
            lambda row: row.state in disputes.TO_ANSWER,
        ),
        Repair(
            "ask",
            gettext_lazy("Ask Stripe again"),
            gettext_lazy("Stripe is asked how the dispute stands. Each movement of money is booked once."),
            _ask,
        ),
    )

    @admin.display(description=gettext_lazy("answer by"), ordering="evidence_due")
    def answer_by(self, row: Dispute) -> str:
        if row.state not in disputes.TO_ANSWER or row.evidence_due is None:
            return "–"
        left = (row.evidence_due - clock.now()).days
        day = f"{row.evidence_due.astimezone(clock.BUSINESS_ZONE):%Y-%m-%d}"
        if left < 0:
            return _("%(day)s, too late") % {"day": day}
        words = ngettext("%(day)s, %(count)s day left", "%(day)s, %(count)s days left", left)
        return words % {"day": day, "count": left}


def _refund(request: HttpRequest, row: FraudWarning, text: str) -> str:
    promised = disputes.refund_warned(row, note=text)
    total = sum((refund.amount for refund in promised), ZERO)
    return _("%(amount)s goes back to the card. The sessions are unpaid again.") % {"amount": dollars(total)}


def _leave(request: HttpRequest, row: FraudWarning, text: str) -> str:
    disputes.leave_warned(row, note=text)
    return _("The payment stays. If its bank takes it back, a dispute comes.")


@admin.register(FraudWarning)
class FraudWarningDesk(Desk):
    list_display = ("pk", "payment", "kind", "actionable", "seen_at", "handled_at", "note")
    list_filter = ("actionable", ("handled_at", admin.EmptyFieldListFilter), "kind")
    search_fields = ("=warning_id", "=payment__payment_intent_id", "payment__client__last_name")
    list_select_related = ("payment__client",)
    date_hierarchy = "seen_at"
    client_path = "payment__client"
    repairs = (
        Repair(
            "refund",
            gettext_lazy("Refund the payment"),
            gettext_lazy("All that is left of it goes back now, before a dispute with its fee. The session is unpaid."),
            _refund,
            lambda row: row.handled_at is None and row.actionable,
        ),
        Repair(
            "leave",
            gettext_lazy("Leave the payment"),
            gettext_lazy("Nothing goes back: the client knows the payment, or it is disputed already."),
            _leave,
            lambda row: row.handled_at is None,
        ),
    )
