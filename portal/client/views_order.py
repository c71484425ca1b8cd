"""The client answers what settles the order of plans."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.flows.order_plans import Answered, NothingToAsk, answer_question
from common import clock
from common.errors import BadInput
from insurance.services.plan_order import plans_in_order, questions
from people.models import Client, User
from portal.client.doors import client_page
from portal.client.forms import take
from portal.client.order_questions import OrderForm, asking


@require_http_methods(["GET", "HEAD", "POST"])
@client_page
def answer(request: HttpRequest, client: Client) -> HttpResponse:
    """The questions alone on a page. What was typed stays; when nothing is left to ask, on to the plans."""
    form = None
    if request.method == "POST":
        assert isinstance(request.user, User)
        form = OrderForm(questions(client), request.POST)
        if form.is_valid():
            try:
                _tell(request, client, answer_question(client, form.answers(), by=request.user))
                return redirect("portal:client:plans")
            except NothingToAsk as settled:
                messages.success(request, str(settled))
            except BadInput as error:
                take(form, error)
    page = asking(client, form)
    if page is None:
        return redirect("portal:client:plans")
    return render(request, "portal/client/plans_question.html", {"asking": page}, status=422 if form else 200)


def _tell(request: HttpRequest, client: Client, answered: Answered) -> None:
    first = next(iter(plans_in_order(client, on=clock.today())), None)
    words = {"plan": first.payer if first else ""}
    if answered.settled and answered.changed:
        told = _(
            "Thank you. %(plan)s pays first: we put your plans in this order. There is nothing else for you to do."
        )
    elif answered.settled:
        told = _("Thank you. Your plans are in the right order: %(plan)s pays first.")
    elif answered.case is not None:
        told = _(
            "Thank you. Our support team looks at it with you. Until then your plans stay in the order you gave us."
        )
    elif answered.left:
        told = _("Thank you, that is kept. One more answer would settle it.")
    else:
        told = _(
            "Thank you, that is kept. Only your insurers can tell which plan pays first; you can ask them by phone."
        )
    messages.success(request, told % words)
