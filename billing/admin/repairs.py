"""What support can set right, each through the service or flow that also serves everyone else."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import insurance.admin  # noqa: F401 - its rows are on the desk before repairs are added to them
from billing.admin import money  # noqa: F401 - likewise
from billing.flows import close_claim, collect_payment, give_refund, order_plans, refresh_benefits, stripe_news
from billing.flows.collect_payment import StripeUnavailable
from billing.gateways.results import GatewayError
from billing.models import Payment, Refund, StripeEvent
from billing.services import refunds
from common.desk import Repair, Repairing, extend
from common.hurry import hurry
from common.money import dollars
from insurance.models import AccountPause, Claim, Coverage, EligibilityCheck, PayerLine
from insurance.services import claims, eligibility, payer_lines, rework
from people.models import User


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _check_plan(request: HttpRequest, row: Coverage, text: str) -> str:
    check = refresh_benefits.ask_again(row, asked_by=_actor(request))
    return _("%(payer)s is being asked (check %(number)s).") % {"payer": row.payer, "number": check.pk}


def _check_again(request: HttpRequest, row: EligibilityCheck, text: str) -> str:
    return _check_plan(request, row.coverage, text)


def _ask_now(request: HttpRequest, row: EligibilityCheck, text: str) -> str:
    eligibility.ask_now(row)
    hurry("billing.tasks.check_benefits", row.pk)
    return _("It is asked now, as far as the insurer's hours and limits allow.")


def _give_up(request: HttpRequest, row: EligibilityCheck, text: str) -> str:
    eligibility.give_up(row, reason=text)
    return _("The question is given up. The plan can be asked about again at any time.")


def _try_line(request: HttpRequest, row: PayerLine, text: str) -> str:
    waiting = payer_lines.try_now(row)
    hurry("billing.tasks.ask_insurers")
    return _("%(payer)s is tried now; %(count)s questions wait for it.") % {"payer": row.payer, "count": waiting}


def _ask_failed(request: HttpRequest, row: PayerLine, text: str) -> str:
    count = refresh_benefits.ask_failed_again(row.payer, by=_actor(request))
    return _("%(count)s plans are asked about again.") % {"count": count}


def _resume_check(request: HttpRequest, row: AccountPause, text: str) -> str:
    reason = EligibilityCheck.Reason.COB_REFERENCE
    check = refresh_benefits.ask_again(row.coverage, reason=reason, asked_by=_actor(request))
    return _("%(payer)s is being asked (check %(number)s). The account resumes by itself if its records are right.") % {
        "payer": row.coverage.payer,
        "number": check.pk,
    }


def _keep_reference(request: HttpRequest, row: AccountPause, text: str) -> str:
    check = refresh_benefits.give_reference(row, text)
    return _("The number is kept, and the insurer is being asked (check %(number)s).") % {"number": check.pk}


def _resubmit(request: HttpRequest, row: Claim, text: str) -> str:
    again = claims.resubmit(row, reason=text, actor=_actor(request))
    hurry("billing.tasks.exchange_with_insurers")
    return _("Claim %(number)s replaces it and goes out with the next batch.") % {"number": again.control_number}


def _close(request: HttpRequest, row: Claim, text: str) -> str:
    close_claim.close(row, reason=text, actor=_actor(request))
    return _("The claim is closed.")


def _put_right(request: HttpRequest, row: Claim, text: str) -> str:
    if not order_plans.put_right(row, reason=text, by=_actor(request)):
        return _("Nothing was sent again: the claims are in order, or cannot be taken back.")
    hurry("billing.tasks.exchange_with_insurers")
    return _("The claims go out again in the right order; what the insurer paid comes back with its reversal.")


def _leave_as_sent(request: HttpRequest, row: Claim, text: str) -> str:
    order_plans.leave_as_sent(row, reason=text, by=_actor(request))
    return _("The claims stay as they went out.")


def _in_wrong_order(row: Claim) -> bool:
    return rework.for_a_person().filter(pk=row.pk).exists()


def _asking_stripe(ask: Callable[[Any], None]) -> Repairing:
    def run(request: HttpRequest, row: Any, text: str) -> str:
        try:
            ask(row)
        except GatewayError as error:
            raise StripeUnavailable(_("Stripe did not answer: %(why)s Nothing changed.") % {"why": error}) from error
        except ValueError as error:
            # Stripe speaks of another amount than our row: money is never guessed.
            raise StripeUnavailable(str(error)) from error
        row.refresh_from_db()
        state = row.get_state_display() if hasattr(row, "get_state_display") else _("processed")
        return _("Asked. It is now: %(state)s.") % {"state": state}

    return run


def _may_be_resubmitted(row: Claim) -> bool:
    return row.submission != Claim.Submission.REPLACED and (
        row.decision in Claim.REFUSED or row.submission == Claim.Submission.REJECTED
    )


def _may_be_closed(row: Claim) -> bool:
    return Claim.SUBMISSIONS.allows(row.submission, Claim.Submission.NOT_NEEDED) and (
        row.submission != Claim.Submission.ACCEPTED or row.decision in Claim.REFUSED
    )


def _another_way(request: HttpRequest, row: Refund, text: str) -> str:
    given = refunds.give_another_way(row, reference=text)
    return _("%(amount)s are booked as given back by %(reference)s. The client has been told.") % {
        "amount": dollars(given.amount),
        "reference": given.external_reference,
    }


extend(
    Coverage,
    repairs=[
        Repair(
            "check",
            gettext_lazy("Check benefits again"),
            gettext_lazy("The insurer is asked now. Order of plans, pauses and prices follow from its answer."),
            _check_plan,
            lambda row: row.removed_at is None,
        )
    ],
)
extend(
    EligibilityCheck,
    repairs=[
        Repair(
            "again",
            gettext_lazy("Ask the insurer again"),
            gettext_lazy("A new question about the same plan is put to its insurer."),
            _check_again,
            lambda row: row.state in ("rejected", "failed", "answered"),
        ),
        Repair(
            "now",
            gettext_lazy("Do not wait: ask now"),
            gettext_lazy("The next attempt is made now; the insurer's hours and limits hold all the same."),
            _ask_now,
            lambda row: row.state == "waiting",
        ),
        Repair(
            "give_up",
            gettext_lazy("Give up"),
            gettext_lazy("The insurer is asked no more. Your reason is kept with the question."),
            _give_up,
            lambda row: row.state in EligibilityCheck.OPEN,
        ),
    ],
)
extend(
    PayerLine,
    repairs=[
        Repair(
            "try",
            gettext_lazy("Try now"),
            gettext_lazy("The insurer is asked at once, without waiting for the next try. Hours and limits hold."),
            _try_line,
        ),
        Repair(
            "again",
            gettext_lazy("Ask again what was given up"),
            gettext_lazy("A new question about every plan whose newest one was given up."),
            _ask_failed,
        ),
    ],
)
extend(
    AccountPause,
    repairs=[
        Repair(
            "check",
            gettext_lazy("Check whether it can resume"),
            gettext_lazy("The insurer is asked now. The account resumes only if its records are right."),
            _resume_check,
            lambda row: row.cleared_at is None,
        ),
        Repair(
            "reference",
            gettext_lazy("Keep the client's reference number"),
            gettext_lazy("The number the insurer gave the client. It is kept, and the insurer is asked at once."),
            _keep_reference,
            lambda row: row.cleared_at is None,
            gettext_lazy("Reference number"),
        ),
    ],
)
extend(
    Claim,
    repairs=[
        Repair(
            "resend",
            gettext_lazy("Correct and resend"),
            gettext_lazy("A new claim with today's facts takes its place and goes out with the next batch."),
            _resubmit,
            _may_be_resubmitted,
        ),
        Repair(
            "close",
            gettext_lazy("Close the claim"),
            gettext_lazy("Nothing will be asked of this plan for this session."),
            _close,
            _may_be_closed,
        ),
        Repair(
            "put_right",
            gettext_lazy("Send again in the right order"),
            gettext_lazy("What the wrong insurer paid is taken back by a void; the claims go out in the right order."),
            _put_right,
            _in_wrong_order,
        ),
        Repair(
            "leave_as_sent",
            gettext_lazy("Leave in this order"),
            gettext_lazy("The claims of this session stay as they went out. Your reason is kept."),
            _leave_as_sent,
            _in_wrong_order,
        ),
    ],
)
extend(
    Payment,
    repairs=[
        Repair(
            "ask",
            gettext_lazy("Ask Stripe again"),
            gettext_lazy("Stripe is asked how this payment stands. Nothing is charged twice: the attempt has one key."),
            _asking_stripe(collect_payment.refresh),
            lambda row: row.state not in ("succeeded", "created"),
        )
    ],
)
extend(
    Refund,
    repairs=[
        Repair(
            "ask",
            gettext_lazy("Ask Stripe again"),
            gettext_lazy("Stripe is asked how this refund stands. Nothing is refunded twice: the refund has one key."),
            _asking_stripe(give_refund.refresh),
            lambda row: row.state not in ("created", "external"),
        ),
        Repair(
            "another_way",
            gettext_lazy("Given back another way"),
            gettext_lazy(
                "No card took it. Send what the session is still owed by check or bank transfer first, then write its "
                "number here: the client gets an e-mail with it, and the books have it against the bank."
            ),
            _another_way,
            lambda row: row.state == "failed",
            gettext_lazy("Number of the check or transfer"),
        ),
    ],
)
extend(
    StripeEvent,
    repairs=[
        Repair(
            "process",
            gettext_lazy("Work through it now"),
            gettext_lazy("The payment or refund it names is asked for at Stripe again."),
            _asking_stripe(lambda row: stripe_news.process(row.pk)),
            lambda row: row.processed_at is None,
        )
    ],
)
