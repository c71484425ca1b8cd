"""What a provider reads: why a cost changed, and answers ready to share with a client. Sentences only."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from billing.models import SessionCost
from insurance.models import AccountPause
from people.models import Client


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that clients ask, and words the provider may pass on. ``id`` is unique on the page."""

    id: str
    question: str
    answer: str


def why_changed(cost: SessionCost) -> str:
    """Why a cost is what it is, told about the client. ``cost.coverage`` must be loaded with its payer."""
    payer = {"payer": cost.coverage.payer.name if cost.coverage else _("the plan")}
    reason = SessionCost.Reason
    words = {
        reason.FIRST: _("First price, worked out from the benefits with %(payer)s."),
        reason.NEW_PLAN: _("Another plan pays first now: %(payer)s."),
        reason.DEDUCTIBLE_MET: _("The client has met the deductible for the year."),
        reason.OUT_OF_POCKET_MET: _("The client has reached the out-of-pocket maximum for the year."),
        reason.PLAN_YEAR_RESET: _("A new plan year began, so the deductible starts again."),
        reason.BENEFITS_CORRECTED: _("%(payer)s gave us newer or corrected benefit information."),
        reason.PRIMARY_PROCESSED: _("The first plan has processed the session."),
        reason.SECONDARY_PROCESSED: _("The next plan has processed the session too."),
        reason.RATE_CHANGED: _("The rate agreed with %(payer)s changed."),
        reason.SESSION_CHANGED: _("The session itself changed."),
    }
    return words[reason(cost.reason)] % payer


PARTS = ("plan", "deductible", "copay", "coinsurance", "not_covered")
"""Keys of a cost's breakdown, in the order in which they are shown."""


def part_label(key: str) -> str:
    """A part of a price, told about the client."""
    return {
        "plan": _("The plan pays"),
        "deductible": _("Towards the deductible"),
        "copay": _("Copay"),
        "coinsurance": _("Coinsurance, a share of the rest"),
        "not_covered": _("Not covered by the plan"),
    }[key]


def answers(client: Client, change: SessionCost | None, pause: AccountPause | None) -> list[Answer]:
    """What this client is likely to ask now, with answers in words for the client."""
    product = settings.PRODUCT_NAME
    why = _(
        "A session's cost comes from your plan's mental-health benefits. It can change when you meet your deductible "
        "or out-of-pocket maximum, when a new plan or plan year begins, or when your insurer corrects what it told us. "
        "Your benefits page shows each change with its reason."
    )
    if change is not None and (sentence := change.breakdown.get("sentence")):
        why = f"{sentence} {why}"
    found = [
        Answer("answer-cost", _("Why did my cost change?"), why),
        Answer(
            "answer-pay",
            _("I was asked to pay a balance. How?"),
            _(
                "Press “Pay now” in the e-mail. It opens your past appointments, where a “Pay now” button stands "
                "beside each session with a balance. If you see no button there, write to %(email)s."
            )
            % {"email": settings.SUPPORT_EMAIL},
        ),
        Answer(
            "answer-refund",
            _("When does my refund arrive?"),
            _(
                "You get an e-mail as soon as a refund is processed, with the session and the amount. It shows on your "
                "statement 3 to 5 business days after that. If it has not come by then, write to %(email)s."
            )
            % {"email": settings.SUPPORT_EMAIL},
        ),
    ]
    if pause is not None:
        payer = pause.coverage.payer
        found.insert(
            0,
            Answer(
                "answer-cob",
                _("How do I get my account going again?"),
                _(
                    "Call %(payer)s at %(phone)s (the number is on the back of your card too) and say: “My provider "
                    "let me know there is an issue with my coordination of benefits. Could you tell me which of my "
                    "plans is primary?” Ask for a reference number and enter it on your Plans page at %(product)s. "
                    "Only you can make this call: neither I nor %(product)s can do it for you."
                )
                % {"payer": payer.name, "phone": payer.member_services_phone, "product": product},
            ),
        )
    return found
