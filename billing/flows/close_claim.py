"""A person closes a claim: what its session waited for may be settled now."""

from django.db import transaction

from billing.flows.settle_remittance import follow
from insurance.models import Claim
from insurance.services import claims
from people.models import Client, User


@transaction.atomic
def close(claim: Claim, *, reason: str, actor: User) -> None:
    """Ask nothing more of this plan for this session; the cost follows, and the client's settlement if it is final.

    Raises ``ClaimRefused`` for a claim that is under way or was paid.
    """
    Client.objects.select_for_update(no_key=True).get(sessions__claims=claim.pk)
    claim.refresh_from_db()
    claims.close(claim, reason=reason, actor=actor)
    follow(claim.session)
