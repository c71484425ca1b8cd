"""The desk's first page: what needs a person, counted, each count leading to its list."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.flows import place_money
from billing.models import Comparison, FraudWarning, Payment, PayoutRun, Recalculation, Refund, Repricing, StripeEvent
from billing.services import disputes, recalculation, reconciliation, refunds
from common import clock
from common.desk import may_look
from insurance.models import (
    AccountPause,
    Claim,
    Credential,
    EdiFile,
    EligibilityCheck,
    FeeSchedule,
    NetworkContract,
    PayerLine,
    Recertification,
    SuggestedCoverage,
)
from insurance.services import deadlines, pauses, recertification, rework
from insurance.services.eligibility import newest_of_their_plans
from insurance.services.expiries import ending
from notifications.models import Email
from people.models import SupportRequest


def _tile(label: str, note: str, rows: "QuerySet[Any]", query: str, *, urgent: bool = True) -> dict[str, Any]:
    opts = rows.model._meta
    count = rows.count()
    return {
        "label": label,
        "note": note,
        "count": count,
        "urgent": urgent and count > 0,
        "url": f"{reverse(f'admin:{opts.app_label}_{opts.model_name}_changelist')}?{query}",
    }


_SUBMISSIONS = "submission__in"


def tiles() -> list[dict[str, Any]]:
    """One query each."""
    stale = clock.now() - timedelta(days=1)
    open_claims = Claim.objects.exclude(submission=Claim.Submission.REPLACED)
    still_open = [each for each in Claim.Submission.values if each != Claim.Submission.REPLACED]
    soon = clock.today() + timedelta(days=14)
    return [
        _tile(
            _("Paused accounts"),
            _("An insurer has to settle who pays first."),
            AccountPause.objects.filter(cleared_at=None),
            "cleared_at__isempty=1",
            urgent=False,
        ),
        _tile(
            _("Reference numbers given"),
            _("Paused, and the client has called."),
            AccountPause.objects.filter(cleared_at=None, reference_given_at__isnull=False),
            "cleared_at__isempty=1&reference_given_at__isnull=False",
        ),
        _tile(
            _("Paused for long"),
            _("Reminders did nothing: call the client."),
            pauses.for_support(),
            "queue=call",
        ),
        _tile(
            _("Confirmations to verify"),
            _("The client has called, and the insurer does not show it."),
            recertification.for_support(),
            "queue=support",
        ),
        _tile(
            _("Confirmations overdue"),
            _("The client has not called in time. Nothing is paused by it."),
            Recertification.objects.filter(recertification.lapsed()),
            "queue=lapsed",
            urgent=False,
        ),
        _tile(
            _("Rejected claims"),
            _("Refused before processing: correct and resend."),
            open_claims.filter(submission=Claim.Submission.REJECTED),
            "submission__exact=rejected",
        ),
        _tile(
            _("Denied claims"),
            _("Decided against: correct and resend, or close."),
            open_claims.filter(decision=Claim.Decision.DENIED),
            f"decision__exact=denied&{_SUBMISSIONS}={','.join(still_open)}",
        ),
        _tile(
            _("Claims in the wrong order"),
            _("An insurer paid first that should not have: decide."),
            rework.for_a_person(),
            f"events__kind={rework.FOR_A_PERSON}",
        ),
        _tile(
            _("Filing ends soon"),
            _("Not sent, with less than two weeks left."),
            open_claims.filter(
                submission__in=[Claim.Submission.READY, Claim.Submission.HELD, Claim.Submission.REJECTED],
                file_by__lte=soon,
            ),
            f"{_SUBMISSIONS}=ready,held,rejected&file_by__lte={soon}",
        ),
        {
            "label": _("Deadlines"),
            "note": _("Filing, results or acknowledgements whose day is over."),
            "count": (over := deadlines.count_over()),
            "urgent": over > 0,
            "url": reverse("admin:insurance_claim_tool", args=["deadlines"]),
        },
        _tile(
            _("Suggested plans"),
            _("Insurers named them; the client has not said whether they are theirs."),
            SuggestedCoverage.objects.filter(state=SuggestedCoverage.State.OPEN),
            "state__exact=open",
            urgent=False,
        ),
        _tile(
            _("Quarantined files"),
            _("Could not be read; nothing of them is recorded."),
            EdiFile.objects.filter(state=EdiFile.State.QUARANTINED),
            "state__exact=quarantined",
        ),
        {
            "label": _("Insurers' money to be placed"),
            "note": _("Results without a claim, and amounts that are no claim's."),
            "count": (to_place := place_money.waiting_results().count() + place_money.waiting_amounts().count()),
            "urgent": to_place > 0,
            "url": reverse("admin:insurance_provideradjustment_tool", args=["suspense"]),
        },
        _tile(
            _("Checks that failed"),
            _("The insurer could not answer, or was never reached."),
            newest_of_their_plans().filter(state__in=[EligibilityCheck.State.FAILED, EligibilityCheck.State.REJECTED]),
            "state__in=failed,rejected&newest=1",
        ),
        _tile(
            _("Insurers that do not answer"),
            _("Tried again by itself every few minutes."),
            PayerLine.objects.filter(down_since__isnull=False),
            "down_since__isempty=0",
        ),
        _tile(
            _("Questions to insurers"),
            _("Waiting to be asked, or just asked."),
            EligibilityCheck.objects.filter(state__in=EligibilityCheck.OPEN),
            "state__in=waiting,asked",
            urgent=False,
        ),
        _tile(
            _("Contracts that end"),
            _("Within 60 days, and nothing follows: we could not bill the insurer."),
            ending(NetworkContract, 60),
            "ends_within=60",
        ),
        _tile(
            _("Credentials that end soon"),
            _("Within 30 days, and nothing follows: the provider could not be billed for."),
            ending(Credential, 30),
            "ends_within=30",
        ),
        _tile(
            _("Rates that end"),
            _("Within 60 days, and nothing follows: sessions would have no price, or another."),
            ending(FeeSchedule, 60).filter(network=FeeSchedule.Network.IN),
            "ends_within=60&network__exact=in",
        ),
        _tile(
            _("Answers unlike our estimate"),
            _("An insurer decided otherwise: correct the benefits, or leave them."),
            Comparison.objects.filter(state=Comparison.State.WAITING),
            "state__exact=waiting",
        ),
        _tile(
            _("Stale prices"),
            _("Being worked out again; many, or old ones, mean that something is stuck."),
            Repricing.objects.filter(stale_since__isnull=False),
            "stale_since__isempty=0",
            urgent=False,
        ),
        _tile(
            _("Prices that failed"),
            _("Could not be worked out; tried again by itself."),
            Repricing.objects.exclude(error=""),
            "error__isempty=0",
        ),
        _tile(
            _("Whole insurers priced again"),
            _("Under way now."),
            Recalculation.objects.filter(state__in=recalculation.OPEN),
            f"state__in={','.join(recalculation.OPEN)}",
            urgent=False,
        ),
        _tile(
            _("Payments not known"),
            _("Stripe's answer is missing: ask again."),
            Payment.objects.filter(state=Payment.State.UNKNOWN),
            "state__exact=unknown",
        ),
        _tile(
            _("Refunds not processed"),
            _("Promised more than a day ago."),
            Refund.objects.filter(state__in=Refund.UNBOOKED, created_at__lt=stale),
            f"state__in={','.join(Refund.UNBOOKED)}&created_at__lt={quote(stale.isoformat())}",
        ),
        _tile(
            _("Refunds to send another way"),
            _("No card took them: send a check or a transfer."),
            refunds.to_send_another_way(),
            "queue=another_way",
        ),
        _tile(
            _("Refunds not delivered for 20 days"),
            _("In whatever way: find out where the money is."),
            refunds.late(),
            "queue=late",
        ),
        _tile(
            _("Disputes to answer"),
            _("A bank took a payment back: send our answer in time."),
            disputes.to_answer(),
            f"state__in={','.join(disputes.TO_ANSWER)}",
        ),
        _tile(
            _("Fraud warnings"),
            _("A bank was told of fraud: refund the payment, or leave it."),
            FraudWarning.objects.filter(handled_at=None),
            "handled_at__isempty=1",
        ),
        _tile(
            _("Differences with Stripe"),
            _("Stripe's account and our books do not agree: find out why."),
            reconciliation.open_cases(),
            "state__exact=open",
        ),
        _tile(
            _("Payouts for the bank"),
            _("Put together: review them, and give the bank its file."),
            PayoutRun.objects.filter(state=PayoutRun.State.SEALED, nacha__isnull=False),
            "state__exact=sealed",
        ),
        _tile(
            _("E-mails that failed"),
            _("Given up: send again."),
            Email.objects.filter(state=Email.State.FAILED),
            "state__exact=failed",
        ),
        _tile(
            _("Stripe's news not worked through"),
            _("Left for more than a moment."),
            StripeEvent.objects.filter(Q(processed_at=None)),
            "processed_at__isempty=1",
        ),
        _tile(
            _("Open requests"),
            _("People waiting for an answer."),
            SupportRequest.objects.filter(state=SupportRequest.State.OPEN),
            "state__exact=open",
        ),
    ]


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's ``DASHBOARD_CALLBACK``."""
    if may_look(request):
        context["tiles"] = tiles()
    return context
