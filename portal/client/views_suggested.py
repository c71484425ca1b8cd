"""A plan that an insurer named: the client says with two taps that it is theirs, or with one that it is not."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.flows import confirm_coverage
from common.errors import BadInput, DomainError
from insurance.access import get_suggestion
from insurance.models import SuggestedCoverage
from insurance.services import discovery
from people.models import Client, User
from portal.client.doors import client_page
from portal.client.forms import PlanForm, take


class SuggestedPlanForm(PlanForm):
    """What the insurer that named the plan has not told: the number on the card, and whose plan it is."""

    def __init__(self, suggestion: SuggestedCoverage, data: object = None) -> None:
        super().__init__(data)
        known = {"payer": suggestion.payer, "member_id": suggestion.member_id}
        for name in (*(each for each, value in known.items() if value), "group_number", "employer_size", "since"):
            del self.fields[name]


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def confirm(request: HttpRequest, client: Client, suggestion_id: int) -> HttpResponse:
    """What is left to ask, then the plan is on the account. What was typed stays when something is wrong."""
    suggestion = get_suggestion(request.user, suggestion_id, purpose="suggested plan")
    if suggestion.state != SuggestedCoverage.State.OPEN:
        messages.info(request, _("You have answered this already."))
        return redirect("portal:client:plans")
    form = SuggestedPlanForm(suggestion, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            assert isinstance(request.user, User)
            try:
                coverage = confirm_coverage.accept(
                    suggestion,
                    by=request.user,
                    payer=given.get("payer"),
                    member_id=given.get("member_id", ""),
                    **form.facts(),
                )
            except BadInput as error:
                take(form, error)
            except DomainError as error:
                messages.error(request, str(error))
                return redirect("portal:client:plans")
            else:
                messages.success(
                    request,
                    _("Your plan is added. We are asking %(payer)s what it covers.") % {"payer": coverage.payer},
                )
                return redirect("portal:client:plans")
    context = {"form": form, "suggestion": suggestion, "member_id_end": (suggestion.member_id or "")[-4:]}
    return render(request, "portal/client/suggested.html", context, status=status)


@require_POST
@client_page
def dismiss(request: HttpRequest, client: Client, suggestion_id: int) -> HttpResponse:
    """It is none of the client's plans: nobody asks again."""
    suggestion = get_suggestion(request.user, suggestion_id, purpose="suggested plan")
    assert isinstance(request.user, User)
    try:
        discovery.dismiss(suggestion, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        words = {"name": suggestion.payer_name, "payer": suggestion.named_by.payer}
        messages.success(
            request,
            _("Thank you. We will not ask about %(name)s again. If %(payer)s asks you about it, tell them the same.")
            % words,
        )
    return redirect("portal:client:plans")
