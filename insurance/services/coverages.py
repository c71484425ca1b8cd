"""Plans on an account: added and taken off by the client or support."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common import clock
from common.errors import BadInput
from insurance.models import Coverage, EligibilityCheck, Payer
from insurance.services.eligibility import request_check
from people.models import Client


@transaction.atomic
def add_coverage(
    *, client: Client, payer: Payer, member_id: str, stated_rank: int | None = None, **facts: Any
) -> Coverage:
    """Put a plan on the account and ask the insurer about it.

    ``stated_rank`` is the place the client gives it (last by default); ``facts`` are the columns of ``Coverage`` from
    ``group_number`` to ``coordinates``. Raises ``BadInput`` for a plan that is on the account already, or a plan of
    another person without that person's name.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    member_id = member_id.strip().upper()
    if not member_id:
        raise BadInput(_("Please enter the member ID from the card."), "member_id")
    on_account = list(Coverage.objects.filter(client=client, removed_at=None))
    if any(each.payer_id == payer.pk and each.member_id == member_id for each in on_account):
        raise BadInput(_("This plan is on your account already."), "member_id")
    coverage = Coverage(
        client=client,
        payer=payer,
        member_id=member_id,
        stated_rank=stated_rank or max((each.stated_rank for each in on_account), default=0) + 1,
        **facts,
    )
    if not coverage.client_is_subscriber and not (coverage.holder_first_name and coverage.holder_last_name):
        raise BadInput(_("Please enter the name of the person the plan belongs to."), "holder_first_name")
    coverage.save()
    request_check(coverage=coverage, reason=EligibilityCheck.Reason.PLAN_ADDED)
    return coverage


def remove_coverage(coverage: Coverage) -> None:
    """Take a plan off the account; its history stays."""
    Coverage.objects.filter(pk=coverage.pk, removed_at=None).update(removed_at=clock.now())
    coverage.refresh_from_db()


def of_the_family(coverage: Coverage) -> list[Coverage]:
    """Other clients' coverages under the same plan: the same insurer and the subscriber's member id.

    They share the family's deductible and maximum. A relative whose insurer gave an id of their own is not found.
    """
    others = Coverage.objects.filter(
        payer=coverage.payer_id, member_id_last4=coverage.member_id_last4, removed_at=None
    ).exclude(client=coverage.client_id)
    # The id itself is encrypted: it is compared here, its last four characters found it.
    return [each for each in others.order_by("pk") if each.member_id == coverage.member_id]
