"""Plans: in the order that is in force and why, added, removed, and what to do when an insurer needs a call."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.flows import refresh_benefits
from care.access import visible_sessions
from care.models import Session
from common import clock
from common.errors import BadInput, DomainError
from insurance.access import get_coverage, get_pause
from insurance.services.discovery import open_suggestions
from insurance.services.network import Standing, standing, state_of
from insurance.services.plan_order import current_decision
from people.models import Client, Provider
from portal.client import reading
from portal.client.confirmations import open_confirmations
from portal.client.doors import client_page
from portal.client.forms import PlanForm, ReferenceForm, take
from portal.client.order_questions import asking
from portal.client.pauses import open_pauses

PROVIDERS = 3
"""As many providers as the page speaks of: those of the next sessions."""


@dataclass(frozen=True, slots=True)
class Billable:
    """Whether one provider can bill one plan, in words when not."""

    provider: Provider
    standing: Standing


def _page(
    request: HttpRequest, client: Client, *, wrong: ReferenceForm | None = None, wrong_pause: int = 0, status: int = 200
) -> HttpResponse:
    plans = reading.plan_views(client)
    decision = current_decision(client)
    recent = visible_sessions(request.user).exclude(status=Session.Status.CANCELLED).order_by("-starts_at")[:20]
    latest: dict[int, Session] = {}
    for each in recent:
        latest.setdefault(each.provider_id, each)
    seen = list(latest.values())[:PROVIDERS]
    today = clock.today()

    def billable(plan: reading.PlanView) -> list[Billable]:
        payer = plan.coverage.payer
        return [
            Billable(each.provider, standing(provider=each.provider, payer=payer, on=today, state=state_of(each)))
            for each in seen
        ]

    return render(
        request,
        "portal/client/plans.html",
        {
            "plans": [(plan, billable(plan)) for plan in plans],
            "decision": decision if len(plans) > 1 else None,
            "asking": asking(client) if len(plans) > 1 else None,
            "suggestions": open_suggestions(client),
            "pauses": open_pauses(request.user, wrong, wrong_pause),
            "confirmations": open_confirmations(request.user),
        },
        status=status,
    )


@require_safe
@client_page
def plans(request: HttpRequest, client: Client) -> HttpResponse:
    """The plans, and first what an open pause asks of the client. The e-mail about a pause leads here."""
    return _page(request, client)


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def add(request: HttpRequest, client: Client) -> HttpResponse:
    """A form for one plan. What was typed stays; what is wrong is said beside the field."""
    form = PlanForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            given = form.cleaned_data
            try:
                coverage = refresh_benefits.add_plan(
                    client=client, payer=given["payer"], member_id=given["member_id"], **form.facts()
                )
            except BadInput as error:
                take(form, error)
            else:
                messages.success(
                    request,
                    _("Your plan is added. We are asking %(payer)s what it covers.") % {"payer": coverage.payer},
                )
                return redirect("portal:client:plans")
        status = 422
    return render(request, "portal/client/plan_add.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def remove(request: HttpRequest, client: Client, coverage_id: int) -> HttpResponse:
    """Ask once, saying what follows; then take the plan off the account."""
    coverage = get_coverage(request.user, coverage_id, purpose="remove a plan")
    if request.method != "POST":
        upcoming = reading.upcoming(visible_sessions(request.user)).exists()
        return render(request, "portal/client/plan_remove.html", {"coverage": coverage, "upcoming": upcoming})
    try:
        refresh_benefits.remove_plan(coverage)
        messages.success(request, _("%(payer)s is removed from your account.") % {"payer": coverage.payer})
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("portal:client:plans")


@require_POST
@client_page
def give_reference(request: HttpRequest, client: Client, pause_id: int) -> HttpResponse:
    """The client called the insurer: keep the reference number and ask the insurer again."""
    pause = get_pause(request.user, pause_id, purpose="reference number")
    form = ReferenceForm(request.POST, auto_id=f"id_{pause.pk}_%s")
    if form.is_valid():
        try:
            refresh_benefits.give_reference(pause, form.cleaned_data["reference_number"])
        except BadInput as error:
            if pause.cleared_at is not None:
                messages.success(request, str(error))
                return redirect("portal:client:plans")
            take(form, error)
        else:
            messages.success(
                request,
                _("Thank you. We are checking with %(payer)s again.") % {"payer": pause.coverage.payer},
            )
            return redirect("portal:client:plans")
    return _page(request, client, wrong=form, wrong_pause=pause.pk, status=422)
