"""The doors to plans, pauses and claims: they hang off a client, and open only to whoever may see that client."""

from django.db.models import QuerySet
from django.http import Http404

from care.access import visible_clients, visible_sessions
from insurance.models import AccountPause, Claim, Coverage, EdiFile, Recertification, SuggestedCoverage
from people.access import Visitor, is_support, record_access


def visible_coverages(user: Visitor) -> QuerySet[Coverage]:
    """The plans of the clients ``user`` may see, those taken off the account included."""
    return Coverage.objects.filter(client__in=visible_clients(user)).select_related("payer", "client")


def get_coverage(user: Visitor, coverage_id: int, *, purpose: str) -> Coverage:
    """One plan that is on an account, with the look recorded; ``Http404`` to strangers."""
    coverage = visible_coverages(user).filter(pk=coverage_id, removed_at=None).first()
    if coverage is None:
        raise Http404
    record_access(user, coverage.client, purpose)
    return coverage


def visible_pauses(user: Visitor) -> QuerySet[AccountPause]:
    """The pauses, open and over, of the clients ``user`` may see."""
    return AccountPause.objects.filter(client__in=visible_clients(user)).select_related("coverage__payer", "client")


def get_pause(user: Visitor, pause_id: int, *, purpose: str) -> AccountPause:
    """One pause, with the look recorded; ``Http404`` to strangers."""
    pause = visible_pauses(user).filter(pk=pause_id).first()
    if pause is None:
        raise Http404
    record_access(user, pause.client, purpose)
    return pause


def visible_recertifications(user: Visitor) -> QuerySet[Recertification]:
    """The yearly confirmations, open and done, of plans on the accounts of the clients ``user`` may see."""
    return Recertification.objects.filter(
        coverage__client__in=visible_clients(user), coverage__removed_at=None
    ).select_related("coverage__payer", "coverage__client")


def get_recertification(user: Visitor, recertification_id: int, *, purpose: str) -> Recertification:
    """One yearly confirmation, with the look recorded; ``Http404`` to strangers."""
    row = visible_recertifications(user).filter(pk=recertification_id).first()
    if row is None:
        raise Http404
    record_access(user, row.coverage.client, purpose)
    return row


def visible_suggestions(user: Visitor) -> QuerySet[SuggestedCoverage]:
    """The plans that insurers named for the clients ``user`` may see, answered ones included."""
    return SuggestedCoverage.objects.filter(client__in=visible_clients(user)).select_related(
        "payer", "named_by__payer", "client"
    )


def get_suggestion(user: Visitor, suggestion_id: int, *, purpose: str) -> SuggestedCoverage:
    """One of them, with the look recorded; ``Http404`` to strangers."""
    suggestion = visible_suggestions(user).filter(pk=suggestion_id).first()
    if suggestion is None:
        raise Http404
    record_access(user, suggestion.client, purpose)
    return suggestion


def visible_claims(user: Visitor) -> QuerySet[Claim]:
    """The claims of the sessions ``user`` may see; a provider's are those of their own sessions."""
    return Claim.objects.filter(session__in=visible_sessions(user)).select_related(
        "session__client", "session__provider", "coverage__payer"
    )


def get_claim(user: Visitor, claim_id: int, *, purpose: str) -> Claim:
    """One claim, with the look recorded; ``Http404`` to strangers."""
    claim = visible_claims(user).filter(pk=claim_id).first()
    if claim is None:
        raise Http404
    record_access(user, claim.session.client, purpose)
    return claim


def visible_files(user: Visitor) -> QuerySet[EdiFile]:
    """What is known of X12 files, newest first, without their bytes: for support only, they hold many clients' data."""
    files = EdiFile.objects.select_related("payer").defer("raw").order_by("-pk")
    return files if is_support(user) else files.none()
