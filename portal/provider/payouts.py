"""How a provider is paid: each payout's statement, and the bank account it goes to."""

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from billing.access import get_payout
from billing.models import ProviderPayout
from billing.services import bank_accounts, payout_statements
from billing.services.payout_statements import Line
from common import clock
from common.errors import BadInput
from people.access import own_provider, record_access_to
from portal.provider.forms import BankAccountForm


def _opened(request: HttpRequest, payout_id: int, purpose: str) -> tuple[ProviderPayout, list[Line]]:
    own_provider(request.user)
    payout = get_payout(request.user, payout_id)
    lines = payout_statements.lines(payout)
    record_access_to(request.user, payout_statements.clients_of(lines), purpose)
    return payout, lines


@login_required
@require_safe
def statement(request: HttpRequest, payout_id: int) -> HttpResponse:
    """What one payout is made of."""
    payout, lines = _opened(request, payout_id, "payout statement")
    context = {"payout": payout, "run": payout.run, "lines": lines, "number": payout_statements.number(payout)}
    return render(request, "portal/provider/payout.html", context)


@login_required
@require_safe
def pdf(request: HttpRequest, payout_id: int) -> HttpResponse:
    """The statement as a file to keep."""
    payout, lines = _opened(request, payout_id, "payout statement, file")
    return _file(payout_statements.as_pdf(payout, lines), "application/pdf", payout_statements.file_name(payout, "pdf"))


@login_required
@require_safe
def csv(request: HttpRequest, payout_id: int) -> HttpResponse:
    """The statement for a spreadsheet."""
    payout, lines = _opened(request, payout_id, "payout statement, file")
    text = payout_statements.as_csv(payout, lines)
    return _file(text.encode(), "text/csv; charset=utf-8", payout_statements.file_name(payout, "csv"))


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=kind, headers=headers)


# --- Bank account -----------------------------------------------------------------------------------------------------


@login_required
@require_safe
def bank_account(request: HttpRequest) -> HttpResponse:
    """Which account is on file, and from when on it is used."""
    provider = own_provider(request.user)
    account = bank_accounts.current(provider)
    before = bank_accounts.usable(provider, clock.now())
    context = {
        "account": account,
        "used_from": bank_accounts.used_from(account)
        if account and bank_accounts.used_from(account) > clock.now()
        else None,
        "until_then": before if before is not None and before != account else None,
        "refused": account is not None and bank_accounts.bank_refused(account),
    }
    return render(request, "portal/provider/bank_account.html", context)


@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change_account(request: HttpRequest) -> HttpResponse:
    """Enter another account, shortly after having shown the password or the second factor once more."""
    provider = own_provider(request.user)
    if not did_recently_reauthenticate(request):
        # Not by suspending the request, which would keep the account number in the browser session.
        if request.method == "POST":
            messages.info(request, _("That took a while. Please show once more that it is you, then enter it again."))
        back = urlencode({"next": reverse("portal:provider:change_account")})
        return redirect(f"{reverse('account_reauthenticate')}?{back}")
    form = BankAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            account = bank_accounts.enter(provider=provider, **form.account())
        except BadInput as error:
            form.add_error(error.where if error.where in form.fields else None, str(error))
        else:
            messages.success(
                request,
                _("Your account ending in %(last4)s is on file. We have sent you an e-mail about it.")
                % {"last4": account.last4},
            )
            return redirect("portal:provider:bank_account")
    context = {"form": form, "account": bank_accounts.current(provider)}
    return render(request, "portal/provider/change_account.html", context, status=422 if form.errors else 200)
