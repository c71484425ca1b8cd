"""A client's whole story on one page: everything that happened, newest first, each with its reason and its row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db.models import Count, Max, Model, Q
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

import insurance.admin  # noqa: F401 - rows are on the desk before pages and links are added to them
import notifications.admin  # noqa: F401
import people.admin  # noqa: F401
from billing.admin import money  # noqa: F401
from billing.models import CardConsent, ClientStatement, GoodFaithEstimate, Payment, Refund, SessionCost
from billing.services.balances import client_balances, total_due
from care.models import Session
from common import clock
from common.desk import Page, extend, render
from common.money import ZERO, dollars
from insurance.models import (
    AccountPause,
    Adjudication,
    BenefitSnapshot,
    Claim,
    ClaimEvent,
    Coverage,
    EligibilityCheck,
    PlanOrder,
    Recertification,
)
from insurance.services.plan_order import plans_in_order
from notifications.models import Email
from people.models import AccessEvent, Client, SupportRequest

PAUSE_MAILS = ("account_paused", "account_still_paused", "account_resumed", "confirm_plans", "estimate_ready")
"""Kinds of e-mails that are told with the pauses and confirmations they are about."""

MOST = 400
"""Rows of each kind, the newest first; older ones are found in that kind's own list."""

PAGE = 100


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``kind`` groups it for the filter."""

    when: datetime
    kind: str
    title: str
    text: str
    url: str


def _url(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def kinds() -> list[tuple[str, str]]:
    """The groups of events, with their names."""
    return [
        ("plans", _("Plans and benefits")),
        ("pauses", _("Pauses and confirmations")),
        ("sessions", _("Sessions and costs")),
        ("claims", _("Claims")),
        ("money", _("Money")),
        ("mail", _("E-mails and requests")),
        ("access", _("Who looked")),
    ]


def _plans(client: Client) -> Iterator[Event]:
    for plan in Coverage.objects.filter(client=client).select_related("payer")[:MOST]:
        title = _("Plan added: %(plan)s, as number %(rank)s") % {"plan": plan, "rank": plan.stated_rank}
        yield Event(plan.created_at, "plans", title, plan.get_plan_type_display(), _url(plan))
        if plan.removed_at:
            yield Event(plan.removed_at, "plans", _("Plan taken off: %(plan)s") % {"plan": plan}, "", _url(plan))
    orders = PlanOrder.objects.filter(client=client).prefetch_related("ranks__coverage__payer").order_by("-pk")[:MOST]
    for order in orders:
        ranks = ", ".join(f"{each.rank}. {each.coverage.payer}" for each in order.ranks.all())
        title = _("Order of plans: %(ranks)s") % {"ranks": ranks}
        how = f"{order.get_source_display()} ({order.rule})"
        yield Event(order.created_at, "plans", title, " ".join([how, *order.why]), _url(order))
    checks = EligibilityCheck.objects.filter(coverage__client=client).select_related("coverage__payer")
    for check in checks.order_by("-pk")[:MOST]:
        title = _("%(payer)s asked about benefits: %(state)s") % {
            "payer": check.coverage.payer,
            "state": check.get_state_display(),
        }
        refused = "; ".join(str(each.get("text", "")) for each in check.rejections)
        text = " ".join(filter(None, [check.get_reason_display(), refused, check.error]))
        yield Event(check.answered_at or check.created_at, "plans", title, text, _url(check))
    for snapshot in (
        BenefitSnapshot.objects.filter(coverage__client=client)
        .select_related("coverage__payer")
        .defer("benefits")
        .order_by("-pk")[:MOST]
    ):
        title = _("Benefits known: %(payer)s") % {"payer": snapshot.coverage.payer}
        active = {True: _("active"), False: _("not active"), None: _("not said whether active")}[snapshot.active]
        yield Event(snapshot.observed_at, "plans", title, f"{snapshot.get_source_display()}: {active}", _url(snapshot))


def _coordination(client: Client) -> Iterator[Event]:
    yield from _pauses(client)
    yield from _confirmations(client)
    mails = Email.objects.filter(_to(client), kind__in=PAUSE_MAILS).defer("html", "text")
    for email in mails[:MOST]:
        title = _("E-mail “%(subject)s”: %(state)s") % {"subject": email.subject, "state": email.get_state_display()}
        yield Event(email.sent_at or email.created_at, "pauses", title, email.error, _url(email))
    for estimate in GoodFaithEstimate.objects.filter(client=client).defer("pdf", "content")[:MOST]:
        title = _("Good Faith Estimate issued: %(total)s") % {"total": dollars(estimate.total)}
        text = _("Due %(day)s.") % {"day": estimate.due_on}
        yield Event(estimate.created_at, "pauses", title, text, _url(estimate))


def _to(client: Client) -> Q:
    mine = Q(to__iexact=client.email)
    if client.user_id:
        mine |= Q(recipient=client.user_id)
    return mine


def _pauses(client: Client) -> Iterator[Event]:
    """Reminders are e-mails; what support did is in the row's log. Both are told with the pause."""
    rows = AccountPause.objects.filter(client=client).select_related("coverage__payer", "cleared_by")[:MOST]
    for pause in rows:
        payer = {"payer": pause.coverage.payer}
        text = " ".join(filter(None, [pause.get_evidence_display(), pause.evidence_codes, pause.reason]))
        yield Event(pause.opened_at, "pauses", _("Paused: %(payer)s") % payer, text, _url(pause))
        if pause.reference_given_at:
            title = _("Reference number given: %(number)s") % {"number": pause.reference_number}
            yield Event(pause.reference_given_at, "pauses", title, "", _url(pause))
        if pause.cleared_at:
            how = pause.cleared_reason
            if pause.cleared_by is not None:
                how = _("Check %(number)s showed that its records are right.") % {"number": pause.cleared_by.pk}
            yield Event(pause.cleared_at, "pauses", _("Resumed: %(payer)s") % payer, how, _url(pause))
    yield from _log(AccountPause, [pause.pk for pause in rows])


def _confirmations(client: Client) -> Iterator[Event]:
    rows = Recertification.objects.filter(coverage__client=client).select_related("coverage__payer", "verified_by")
    rows = rows.order_by("-pk")[:MOST]
    for row in rows:
        payer = {"payer": row.coverage.payer, "day": row.due_on}
        title = _("Yearly confirmation asked for: %(payer)s, due %(day)s") % payer
        yield Event(row.created_at, "pauses", title, row.get_state_display(), _url(row))
        if row.reported_at:
            title = _("Yearly confirmation: the client has called %(payer)s") % payer
            text = f"{row.reference_number} {row.called_on or ''}".strip()
            yield Event(row.reported_at, "pauses", title, text, _url(row))
        if row.verified_at:
            title = _("Yearly confirmation is in the records of %(payer)s") % payer
            yield Event(row.verified_at, "pauses", title, str(row.verified_by or ""), _url(row))
    yield from _log(Recertification, [row.pk for row in rows])


def _log(model: type[Model], ids: Sequence[int]) -> Iterator[Event]:
    """What support did to these rows on the desk, with the reason."""
    if not ids:
        return
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=[str(each) for each in ids]
    ).select_related("user")
    for entry in entries.order_by("-pk")[:MOST]:
        yield Event(
            entry.action_time,
            "pauses",
            _("Support (%(who)s): %(what)s") % {"who": entry.user, "what": entry.get_change_message()},
            "",
            reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[entry.object_id]),
        )


def _sessions(client: Client) -> Iterator[Event]:
    for session in Session.objects.filter(client=client).select_related("provider")[:MOST]:
        of = {"day": session.date, "provider": session.provider}
        title = _("Session booked for %(day)s with %(provider)s") % of
        yield Event(session.created_at, "sessions", title, session.get_status_display(), _url(session))
        if session.confirmed_at:
            title = _("Session of %(day)s confirmed by %(provider)s") % of
            yield Event(session.confirmed_at, "sessions", title, "", _url(session))
    costs = SessionCost.objects.filter(session__client=client).select_related("session").order_by("-pk")[:MOST]
    for cost in costs:
        title = _("Session of %(day)s costs %(amount)s (%(basis)s)") % {
            "day": cost.session.date,
            "amount": dollars(cost.amount),
            "basis": cost.get_basis_display(),
        }
        text = f"{cost.get_reason_display()}. {cost.breakdown.get('sentence', '')}"
        yield Event(cost.created_at, "sessions", title, text, _url(cost))


def _claims(client: Client) -> Iterator[Event]:
    events = (
        ClaimEvent.objects.filter(claim__session__client=client)
        .select_related("claim__session", "claim__coverage__payer")
        .order_by("-pk")[:MOST]
    )
    for event in events:
        claim = event.claim
        title = _("Claim %(number)s to %(payer)s, session of %(day)s: %(kind)s") % {
            "number": claim.control_number,
            "payer": claim.coverage.payer,
            "day": claim.session.date,
            "kind": event.kind.replace("_", " "),
        }
        yield Event(event.created_at, "claims", title, event.text, _url(claim))
    results = (
        Adjudication.objects.filter(claim__session__client=client).select_related("remittance").order_by("-pk")[:MOST]
    )
    for result in results:
        title = _("%(payer)s paid %(paid)s of %(charge)s for claim %(number)s") % {
            "payer": result.remittance.payer_name,
            "paid": dollars(result.paid),
            "charge": dollars(result.charge),
            "number": result.control_number,
        }
        when = result.posted_at or result.remittance.created_at
        yield Event(when, "claims", title, result.explanation, _url(result))


def _money(client: Client) -> Iterator[Event]:
    for payment in Payment.objects.filter(client=client).select_related("card")[:MOST]:
        title = _("Payment of %(amount)s: %(state)s") % {
            "amount": dollars(payment.amount),
            "state": payment.get_state_display(),
        }
        text = " ".join(
            str(each)
            for each in (payment.get_purpose_display(), payment.card or "", payment.decline_code, payment.message)
            if each
        )
        yield Event(payment.settled_at or payment.created_at, "money", title, text, _url(payment))
    for refund in Refund.objects.filter(payment__client=client).select_related("session")[:MOST]:
        amount = {"amount": dollars(refund.amount), "day": refund.session.date}
        title = _("Refund of %(amount)s promised for the session of %(day)s") % amount
        yield Event(refund.created_at, "money", title, refund.message, _url(refund))
        if refund.processed_at:
            title = _("Refund of %(amount)s processed") % amount
            if refund.state == Refund.State.EXTERNAL:
                title = _("Refund of %(amount)s given back another way") % amount
            yield Event(refund.processed_at, "money", title, refund.external_reference, _url(refund))
    for statement in ClientStatement.objects.filter(client=client).defer("content")[:MOST]:
        title = _("Statement of %(month)s: %(closing)s") % {
            "month": date_format(statement.month, "F Y"),
            "closing": dollars(statement.closing),
        }
        yield Event(statement.created_at, "money", title, "", _url(statement))
    for consent in CardConsent.objects.filter(client=client).select_related("card")[:MOST]:
        title = _("Card kept, with consent to charge it: %(card)s") % {"card": consent.card}
        yield Event(consent.created_at, "money", title, consent.text, _url(consent))


def _mail(client: Client) -> Iterator[Event]:
    for email in Email.objects.filter(_to(client)).exclude(kind__in=PAUSE_MAILS).defer("html", "text")[:MOST]:
        title = _("E-mail “%(subject)s”: %(state)s") % {"subject": email.subject, "state": email.get_state_display()}
        yield Event(email.sent_at or email.created_at, "mail", title, email.error, _url(email))
    for request in SupportRequest.objects.filter(client=client)[:MOST]:
        title = _("Asked support: %(about)s (%(state)s)") % {
            "about": request.get_category_display(),
            "state": request.get_state_display(),
        }
        yield Event(request.created_at, "mail", title, request.body[:300], _url(request))


def _looks_by_day(client: Client) -> Iterator[Event]:
    """Who looked, one line for a person and a day, so that looks do not drown what happened."""
    looks = (
        AccessEvent.objects.filter(client=client)
        .annotate(day=TruncDate("created_at", tzinfo=clock.BUSINESS_ZONE))
        .order_by("-day")
        .values("day", "user__email", "user")
        .annotate(last=Max("created_at"), count=Count("pk"))[:MOST]
    )
    there = reverse("admin:people_accessevent_changelist")
    for look in looks:
        title = ngettext("%(user)s looked once", "%(user)s looked %(count)s times", look["count"])
        given = {"user": look["user__email"], "count": look["count"]}
        url = f"{there}?client__pk__exact={client.pk}&user__pk__exact={look['user']}"
        yield Event(look["last"], "access", title % given, "", url)


def _access(client: Client) -> Iterator[Event]:
    for look in AccessEvent.objects.filter(client=client).select_related("user").order_by("-pk")[:MOST]:
        title = _("%(user)s saw: %(what)s") % {"user": look.user, "what": look.purpose}
        yield Event(look.created_at, "access", title, "", _url(look))


_READERS = {
    "plans": _plans,
    "pauses": _coordination,
    "sessions": _sessions,
    "claims": _claims,
    "money": _money,
    "mail": _mail,
    "access": _access,
}


def story(client: Client, only: str = "") -> list[Event]:
    """Everything that happened to a client, newest first; ``only`` one kind of :func:`kinds`. At most 24 queries."""
    everything = [*(read for kind, read in _READERS.items() if kind != "access"), _looks_by_day]
    readers = [_READERS[only]] if only in _READERS else everything
    return sorted((event for read in readers for event in read(client)), key=lambda event: event.when, reverse=True)


def page(request: HttpRequest, row: Client, context: dict[str, Any]) -> HttpResponseBase:
    """The story with what matters now on top."""
    only = request.GET.get("only", "")
    balances = client_balances(row)
    refunding = sum((each.refunding for each in balances.values()), Decimal(ZERO))
    more = {
        "client": row,
        "plans": plans_in_order(row, on=clock.today()),
        "due": total_due(balances),
        "refunding": refunding,
        "kinds": kinds(),
        "only": only if only in _READERS else "",
        "page": Paginator(story(row, only), PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "admin/desk/story.html", context | more)


extend(
    Client,
    pages=[Page("story", gettext_lazy("Whole story"), page)],
    further=[
        (EligibilityCheck, "coverage__client"),
        (Claim, "session__client"),
        (SessionCost, "session__client"),
        (Refund, "payment__client"),
        (Email, "recipient__client"),
    ],
)
