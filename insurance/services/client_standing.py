"""How a client stands with their insurers, as one word: what a provider and support see in lists."""

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, TextChoices, Value, When
from django.utils.translation import gettext_lazy as _

from common import clock
from insurance.models import BenefitSnapshot, Coverage, EligibilityCheck
from insurance.services.eligibility import BY_PEOPLE
from people.models import Client


class Standing(TextChoices):
    """The most pressing first."""

    PAUSED = "paused", _("Paused")
    ATTENTION = "attention", _("Needs attention")
    CHECKING = "checking", _("Benefits being checked")
    ACTIVE = "active", _("Active")


def with_standing(clients: QuerySet[Client]) -> QuerySet[Client]:
    """``clients`` with ``standing``, a value of :class:`Standing`.

    A client needs attention without a plan in force today, or when the insurer could not answer the newest question.
    A question that we asked by ourselves about a plan that is known changes nothing while it is under way, nor when the
    insurer was not there: what it said before still holds.
    """
    on_account = Coverage.objects.on(clock.today()).filter(client=OuterRef("pk"))
    checks = EligibilityCheck.objects.filter(coverage__client=OuterRef("pk"), coverage__removed_at=None)
    newer = EligibilityCheck.objects.filter(coverage=OuterRef("coverage"), pk__gt=OuterRef("pk"))
    unknown = ~Exists(BenefitSnapshot.objects.filter(coverage=OuterRef("coverage")))
    state = EligibilityCheck.State
    refused = checks.filter(~Exists(newer)).filter(Q(state=state.REJECTED) | Q(unknown, state=state.FAILED))
    under_way = checks.filter(state__in=EligibilityCheck.OPEN).filter(Q(reason__in=BY_PEOPLE) | unknown)
    return clients.annotate(
        standing=Case(
            When(paused_since__isnull=False, then=Value(Standing.PAUSED.value)),
            When(Q(~Exists(on_account)) | Exists(refused), then=Value(Standing.ATTENTION.value)),
            When(Exists(under_way), then=Value(Standing.CHECKING.value)),
            default=Value(Standing.ACTIVE.value),
            output_field=CharField(),
        )
    )
