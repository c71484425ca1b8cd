"""What support can say of a plan that an insurer named for a client."""

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import insurance.admin  # noqa: F401 - its rows are on the desk before repairs are added to them
from billing.flows import confirm_coverage
from common.desk import Repair, extend
from insurance.models import SuggestedCoverage
from insurance.services import discovery
from people.models import User


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _accept(request: HttpRequest, row: SuggestedCoverage, text: str) -> str:
    coverage = confirm_coverage.accept(row, by=_actor(request), member_id="" if row.member_id else text)
    return _("%(plan)s is on the account, and its insurer is being asked.") % {"plan": coverage}


def _dismiss(request: HttpRequest, row: SuggestedCoverage, text: str) -> str:
    discovery.dismiss(row, by=_actor(request))
    return _("The client is not asked about %(name)s any more.") % {"name": row.payer_name}


extend(
    SuggestedCoverage,
    repairs=[
        Repair(
            "accept",
            gettext_lazy("It is the client's own plan"),
            gettext_lazy(
                "The plan is put on the account in the client's own name and its insurer is asked. A plan of somebody "
                "else's needs their name and birthday: please let the client add it from their plans page."
            ),
            _accept,
            lambda row: row.state == "open" and row.payer_id is not None,
            gettext_lazy("Member ID, as on the card (if the insurer has told it: who confirmed the plan)"),
        ),
        Repair(
            "dismiss",
            gettext_lazy("It is none of the client's plans"),
            gettext_lazy("Nobody asks the client about this insurer again."),
            _dismiss,
            lambda row: row.state == "open",
        ),
    ],
)
