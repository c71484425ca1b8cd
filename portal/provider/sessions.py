"""Pages of one session: its details, confirming it, cancelling it, booking a new one."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.flows import book_session
from billing.flows.confirm_session import Preview, confirm, preview
from billing.models import ProviderEarning
from billing.services import out_of_network
from billing.services.costs import current_cost
from billing.services.expected import expected
from care.access import get_session, visible_sessions
from care.models import Session
from common import clock
from common.errors import BadInput, DomainError
from common.money import dollars, parse_money
from insurance.models import Claim
from insurance.services.deadlines import result_by
from people.access import own_provider, record_access_to
from portal.provider import caseload
from portal.provider.forms import ScheduleForm
from portal.provider.paging import page_of
from portal.provider.progress import open_claims, progress_of

PAGE = 25
UNSENT_WITH_CLOCK = (Claim.Submission.READY, Claim.Submission.HELD, Claim.Submission.REJECTED)


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All sessions of the provider: those to confirm, those to come, those that were."""
    own_provider(request.user)
    mine = visible_sessions(request.user).prefetch_related("lines")
    waiting = caseload.waiting_for_confirmation(request.user)
    now = clock.now()
    shown = request.GET.get("show", "upcoming")
    match shown:
        case "waiting":
            sessions = waiting.prefetch_related("lines")
        case "past":
            sessions = mine.filter(starts_at__lte=now).order_by("-starts_at", "-pk")
        case _:
            shown = "upcoming"
            sessions = mine.filter(status=Session.Status.SCHEDULED, starts_at__gt=now).order_by("starts_at", "pk")
    page = page_of(request, sessions, PAGE)
    rows = caseload.session_rows(list(page.object_list))
    record_access_to(request.user, {row.session.client_id for row in rows}, "sessions")
    context = {
        "page": page,
        "rows": rows,
        "shown": shown,
        "waiting_count": waiting.count(),
        "has_any": bool(rows) or mine.exists(),
    }
    return render(request, "portal/provider/sessions.html", context)


def _refusal(session: Session) -> str:
    """Why the session cannot be confirmed now, in a sentence; empty when it can."""
    if session.client.paused_since is not None:
        return _("The account is paused. You can confirm this session when it resumes.")
    if session.date > clock.today():
        return _("You can confirm this session once it has taken place.")
    return ""


def _page(request: HttpRequest, session: Session, *, error: str = "", status: int = 200) -> HttpResponse:
    offer: Preview | None = None
    refusal = ""
    if session.status == Session.Status.SCHEDULED:
        refusal = _refusal(session)
        try:
            offer = preview(session)
        except DomainError as problem:
            refusal = refusal or str(problem)
    cost = current_cost(session)
    earning = ProviderEarning.objects.filter(session=session).select_related("coverage__payer").first()
    claims = list(Session.objects.prefetch_related(open_claims()).get(pk=session.pk).claims.all())
    context = {
        "session": session,
        "client": session.client,
        "lines": list(session.lines.all()),
        "preview": offer,
        "refusal": refusal,
        "outside": out_of_network.estimate(session) if offer is None else None,
        "error": error,
        "cost": cost,
        "earning": earning,
        "progress": progress_of(claims, cost) if session.status == Session.Status.CONFIRMED else None,
        "expected": expected(session),
        "result_by": result_by(session.date),
        "late": clock.today() > result_by(session.date),
        "not_asked": [claim for claim in claims if claim.submission == Claim.Submission.NOT_NEEDED and claim.reason],
        "to_file": [claim for claim in claims if claim.submission in UNSENT_WITH_CLOCK and claim.file_by],
        "changes": [caseload.as_change(each) for each in caseload.changes(Session.objects.filter(pk=session.pk))[:20]],
        "can_cancel": session.status == Session.Status.SCHEDULED,
    }
    return render(request, "portal/provider/session.html", context, status=status)


@login_required
@require_safe
def detail(request: HttpRequest, session_id: int) -> HttpResponse:
    """One session: details, what confirming it would do, how its claims stand."""
    own_provider(request.user)
    return _page(request, get_session(request.user, session_id, purpose="session"))


def _shown(request: HttpRequest, field: str) -> Decimal | None:
    try:
        return parse_money(request.POST.get(field))
    except BadInput:
        return None


@login_required
@require_POST
def confirm_one(request: HttpRequest, session_id: int) -> HttpResponse:
    """Confirm a session for the charge and earning that were shown; a price that moved meanwhile is shown first.

    Confirming twice changes nothing. A refusal is said on the session's page, and nothing happened.
    """
    own_provider(request.user)
    session = get_session(request.user, session_id, purpose="session")
    already = session.status == Session.Status.CONFIRMED
    try:
        if session.status == Session.Status.SCHEDULED:
            now = preview(session)
            if (now.charge, now.earning) != (_shown(request, "charge"), _shown(request, "earning")):
                return _page(
                    request, session, error=_("The price has changed. Please look at it and confirm again."), status=409
                )
        session = confirm(session)
    except DomainError as refusal:
        return _page(request, session, error=str(refusal), status=refusal.status)
    if already:
        messages.info(request, _("This session was confirmed already. Nothing changed."))
    else:
        earning = ProviderEarning.objects.get(session=session)
        messages.success(
            request,
            _("Confirmed: the session with %(client)s on %(day)s. You earn %(amount)s; we take care of the claims.")
            % {"client": session.client, "day": session.date.strftime("%-d %b %Y"), "amount": dollars(earning.amount)},
        )
    remaining = caseload.waiting_for_confirmation(request.user).count()
    if request.POST.get("next") == "dashboard" and remaining:
        words = ngettext("%(count)s more session waits.", "%(count)s more sessions wait.", remaining)
        messages.info(request, words % {"count": remaining})
        return redirect("portal:provider:dashboard")
    return redirect("portal:provider:session", session.pk)


@login_required
@require_POST
def cancel_one(request: HttpRequest, session_id: int) -> HttpResponse:
    """Cancel a booked session; one that is confirmed stays, and the page says so."""
    own_provider(request.user)
    session = get_session(request.user, session_id, purpose="session")
    if session.status == Session.Status.CONFIRMED:
        return _page(request, session, error=_("A confirmed session cannot be cancelled."), status=409)
    try:
        book_session.cancel(session)
    except DomainError as refusal:
        return _page(request, session, error=str(refusal), status=refusal.status)
    messages.success(request, _("The session is cancelled. Nothing was charged."))
    return redirect("portal:provider:client", session.client_id)


def _defaults(request: HttpRequest) -> dict[str, Any]:
    """The last session with the chosen client is the best guess for the next."""
    chosen = request.GET.get("client", "")
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
        return {"place": Session.Place.OFFICE}
    last = (
        visible_sessions(request.user)
        .filter(client=int(chosen))
        .prefetch_related("lines")
        .order_by("-starts_at")
        .first()
    )
    found: dict[str, Any] = {"client": int(chosen), "place": Session.Place.OFFICE}
    if last is not None:
        line = next(iter(last.lines.all()), None)
        found |= {
            "place": last.place,
            "cpt": line.cpt if line else "90837",
            "diagnosis": last.diagnoses[0] if last.diagnoses else "",
            "time": last.starts_at.astimezone(clock.BUSINESS_ZONE).strftime("%H:%M"),
        }
    return found


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def schedule(request: HttpRequest) -> HttpResponse:
    """Book a session with a client on the caseload; what was typed stays when it is refused."""
    provider = own_provider(request.user)
    clients = caseload.search(request.user)
    if request.method != "POST":
        form = ScheduleForm(clients=clients, initial=_defaults(request))
        return render(request, "portal/provider/schedule.html", {"form": form})
    form = ScheduleForm(request.POST, clients=clients)
    if form.is_valid():
        try:
            session = book_session.book(provider=provider, **form.booking())
        except DomainError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The session is booked."))
            return redirect("portal:provider:session", session.pk)
    return render(request, "portal/provider/schedule.html", {"form": form}, status=422)
