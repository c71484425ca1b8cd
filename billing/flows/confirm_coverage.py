"""An insurer named another plan of a client: it is put on the account, or it is none of the client's."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing.flows import refresh_benefits
from common.errors import BadInput
from insurance.models import Coverage, Payer, SuggestedCoverage
from insurance.services import discovery
from people.models import Client, User


@transaction.atomic
def accept(
    suggestion: SuggestedCoverage, *, by: User, payer: Payer | None = None, member_id: str = "", **facts: Any
) -> Coverage:
    """Put the plan on the account as :func:`refresh_benefits.add_plan` does; its insurer is asked at once.

    ``payer`` and ``member_id`` are needed only where the insurer that named the plan did not tell them; ``facts`` are
    those of ``add_plan``. Accepting twice gives back the plan that is there. Raises ``BadInput`` as ``add_plan`` does,
    and for a missing insurer; ``Decided`` when it was dismissed.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=suggestion.client_id)
    suggestion = SuggestedCoverage.objects.select_related("payer", "coverage").get(pk=suggestion.pk)
    if suggestion.coverage is not None:
        return suggestion.coverage
    if suggestion.state != SuggestedCoverage.State.OPEN:
        raise discovery.Decided(_("You have told us that this plan is not yours. You can add it as any other plan."))
    payer = suggestion.payer or payer
    if payer is None:
        raise BadInput(_("Please choose the company that is on your card."), "payer")
    coverage = refresh_benefits.add_plan(
        client=client, payer=payer, member_id=member_id.strip() or suggestion.member_id or "", by=by, **facts
    )
    discovery.accept(suggestion, coverage=coverage, by=by)
    return coverage
