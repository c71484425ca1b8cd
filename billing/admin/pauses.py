"""What support does about pauses, yearly confirmations and Good Faith Estimates."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import insurance.admin  # noqa: F401 - its rows are on the desk before repairs are added to them
from billing.flows import refresh_benefits
from billing.models import GoodFaithEstimate
from common.desk import Desk, Page, Repair, extend
from insurance.models import AccountPause, Coverage, EligibilityCheck, Recertification
from insurance.services import pauses, recertification
from people.models import User


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _pause(request: HttpRequest, row: Coverage, text: str) -> str:
    _pause, is_new = pauses.open_pause(coverage=row, evidence=AccountPause.Evidence.SUPPORT, reason=text)
    if is_new:
        return _("The account is paused, and the client is told whom to call and what to say.")
    return _("It is paused because of this plan already: nothing changed.")


def _may_pause(row: Coverage) -> bool:
    return row.removed_at is None and not row.pauses.filter(cleared_at=None).exists()


def _contacted(request: HttpRequest, row: AccountPause, text: str) -> str:
    pauses.contacted(row)
    return _("Noted. If it is still paused in a week, it comes back to the queue.")


def _resume(request: HttpRequest, row: AccountPause, text: str) -> str:
    if pauses.clear_by_hand(pause=row, reason=text):
        return _("The account is active again, and the client is told.")
    return _("This pause is over. The account stays paused because of another plan.")


def _may_resume(row: AccountPause) -> bool:
    """Support ends what support began, and what the insurer cannot answer electronically after the client's call."""
    if row.cleared_at is not None:
        return False
    if row.evidence == AccountPause.Evidence.SUPPORT:
        return True
    if row.reference_given_at is None:
        return False
    newest = row.coverage.checks.order_by("-pk").first()
    return newest is not None and newest.state in (EligibilityCheck.State.FAILED, EligibilityCheck.State.REJECTED)


def _check_confirmation(request: HttpRequest, row: Recertification, text: str) -> str:
    reason = EligibilityCheck.Reason.COB_REFERENCE
    check = refresh_benefits.ask_again(row.coverage, reason=reason, asked_by=_actor(request))
    return _("%(payer)s is being asked (check %(number)s). It is confirmed by itself if its records are right.") % {
        "payer": row.coverage.payer,
        "number": check.pk,
    }


def _verify(request: HttpRequest, row: Recertification, text: str) -> str:
    recertification.verify_by_hand(row, by=_actor(request))
    return _("Confirmed: the next one is due in a year.")


def _give_back(request: HttpRequest, row: Recertification, text: str) -> str:
    recertification.give_back(row)
    return _("The client is asked to call once more.")


extend(
    Coverage,
    repairs=[
        Repair(
            "pause",
            gettext_lazy("Pause the account"),
            gettext_lazy(
                "Only if the insurer told you that its member has to settle which plan pays first. Nothing can be "
                "booked or confirmed until then, and the client is told whom to call."
            ),
            _pause,
            _may_pause,
        )
    ],
)
extend(
    AccountPause,
    repairs=[
        Repair(
            "contacted",
            gettext_lazy("I have spoken with the client"),
            gettext_lazy("Your words are kept. The pause comes back to the queue in a week if it is still open."),
            _contacted,
            lambda row: row.cleared_at is None and row.reminders >= len(pauses.REMIND_AFTER),
        ),
        Repair(
            "resume",
            gettext_lazy("End the pause by hand"),
            gettext_lazy(
                "Only if the insurer told you that its records are right: no check will say so. Held claims go out, "
                "sessions can be booked and confirmed again."
            ),
            _resume,
            _may_resume,
        ),
    ],
)
extend(
    Recertification,
    repairs=[
        Repair(
            "check",
            gettext_lazy("Check with the insurer again"),
            gettext_lazy("The insurer is asked now. It is confirmed by itself if its records are right."),
            _check_confirmation,
            lambda row: row.state == Recertification.State.REPORTED,
        ),
        Repair(
            "verify",
            gettext_lazy("It is confirmed"),
            gettext_lazy("Only if the insurer told you so: the client's call is in its records."),
            _verify,
            lambda row: row.state == Recertification.State.REPORTED,
        ),
        Repair(
            "again",
            gettext_lazy("Ask the client to call again"),
            gettext_lazy("The insurer does not have the client's call. An e-mail asks for another one."),
            _give_back,
            lambda row: row.state == Recertification.State.REPORTED,
        ),
    ],
)


def _file(request: HttpRequest, row: GoodFaithEstimate, context: dict[str, Any]) -> HttpResponseBase:
    return HttpResponse(
        bytes(row.pdf),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="good-faith-estimate-{row.pk}.pdf"'},
    )


@admin.register(GoodFaithEstimate)
class GoodFaithEstimateDesk(Desk):
    list_display = ("client", "provider", "issued_on", "due_on", "frequency", "sessions", "total")
    list_filter = ("frequency",)
    search_fields = ("client__first_name", "client__last_name", "provider__last_name")
    list_select_related = ("client", "provider")
    date_hierarchy = "issued_on"
    exclude = ("pdf", "content")
    client_path = "client"
    pages = (Page("file", gettext_lazy("The file"), _file),)
