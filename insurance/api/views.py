"""Addresses of plans, benefits, pauses, claims and files. Where plans change, prices follow: those are billing's."""

from datetime import date

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import Api, Pages, query
from insurance.access import get_claim, get_pause, visible_claims, visible_files, visible_pauses
from insurance.api import serializers as out
from insurance.models import (
    AccountPause,
    Adjudication,
    BenefitSnapshot,
    Claim,
    ClaimEvent,
    Coverage,
    EligibilityCheck,
    Payer,
)
from insurance.services.plan_order import plans_in_order
from people.access import record_access_to
from people.api.base import ClientApi, SupportApi
from people.models import Client


def ranked_plans(client: Client, *, with_benefits: bool = False) -> list[Coverage]:
    """The client's plans of today in the order in force, each with ``rank`` and ``check``, the newest question.

    ``with_benefits`` sets ``snapshot`` too: the newest whose plan year holds today, or ``None``. Four queries in all.
    """
    today = clock.today()
    plans = plans_in_order(client, on=today)
    newest = EligibilityCheck.objects.filter(coverage__in=plans).order_by("coverage_id", "-pk").distinct("coverage_id")
    checks = {check.coverage_id: check for check in newest.select_related("coverage__payer")}
    snapshots = _snapshots(plans, today) if with_benefits else {}
    for rank, plan in enumerate(plans, start=1):
        facts = {"rank": rank, "check": checks.get(plan.pk), "snapshot": snapshots.get(plan.pk)}
        plan.__dict__.update(facts)
    return plans


def _snapshots(plans: list[Coverage], day: date) -> dict[int, BenefitSnapshot]:
    rows = BenefitSnapshot.objects.filter(coverage__in=plans).order_by("coverage_id", "-observed_at", "-pk")
    return {row.coverage_id: row for row in _holding(rows, day).distinct("coverage_id")}


def _holding(rows: QuerySet[BenefitSnapshot], day: date) -> QuerySet[BenefitSnapshot]:
    """Those whose plan year holds ``day``; one without plan dates holds any day."""
    return rows.exclude(plan_begin__gt=day).exclude(plan_end__lt=day)


class Payers(Api):
    """The insurers we know, to name one when adding a plan."""

    pagination_class = Pages

    @extend_schema(
        operation_id="payers", tags=["Everyone"], summary="Insurers, by name", responses=out.PayerOut(many=True)
    )
    def get(self, request: Request) -> Response:
        rows, pages = self.page(Payer.objects.order_by("name", "pk"))
        return pages.get_paginated_response(out.PayerOut(rows, many=True).data)


class ClientBenefits(ClientApi):
    """What the client's insurers say they cover."""

    @extend_schema(
        operation_id="client_benefits",
        tags=["Client"],
        summary="My benefits, plan by plan in the order in which they pay",
        description="Figures as each insurer gave them for mental health. `null` is what an insurer did not say.",
        responses=out.PlanBenefits(many=True),
    )
    def get(self, request: Request) -> Response:
        return Response(out.PlanBenefits(ranked_plans(self.client, with_benefits=True), many=True).data)


class ClientPauses(ClientApi):
    """When and why the account is, or was, paused."""

    pagination_class = Pages

    @extend_schema(
        operation_id="client_pauses",
        tags=["Client"],
        summary="Pauses of my account, open and over, the newest first",
        description="While one is open, call its insurer, ask which of your plans is primary, and give the reference "
        "number you get. Only you can make this call.",
        responses=out.ClientPause(many=True),
    )
    def get(self, request: Request) -> Response:
        rows, pages = self.page(visible_pauses(request.user).order_by("-pk"))
        return pages.get_paginated_response(out.ClientPause(rows, many=True).data)


class ClientPauseStory(ClientApi):
    """One pause."""

    @extend_schema(
        operation_id="client_pause",
        tags=["Client"],
        summary="One pause of my account: whom to call, what to say, how it stands",
        responses=out.ClientPause,
    )
    def get(self, request: Request, pause_id: int) -> Response:
        return Response(out.ClientPause(get_pause(request.user, pause_id, purpose="api: pause")).data)


class SupportClaims(SupportApi):
    """All claims."""

    pagination_class = Pages

    @extend_schema(
        operation_id="support_claims",
        tags=["Support"],
        summary="Claims, the newest first",
        parameters=[out.ClaimSearch],
        responses=out.SupportClaim(many=True),
    )
    def get(self, request: Request) -> Response:
        asked = {name: value for name, value in query(out.ClaimSearch, request).items() if value != ""}
        if "client" in asked:
            asked["session__client"] = asked.pop("client")
        rows, pages = self.page(visible_claims(request.user).filter(**asked).order_by("-pk"))
        record_access_to(request.user, {claim.session.client_id for claim in rows}, "api: claims")
        return pages.get_paginated_response(out.SupportClaim(rows, many=True).data)


class SupportClaimStory(SupportApi):
    """One claim."""

    @extend_schema(
        operation_id="support_claim",
        tags=["Support"],
        summary="One claim with its history and the insurer's results",
        responses=out.SupportClaimStory,
    )
    def get(self, request: Request, claim_id: int) -> Response:
        found = get_claim(request.user, claim_id, purpose="api: claim")
        results = Adjudication.objects.select_related("remittance").prefetch_related("adjustments")
        story = Claim.objects.select_related("session__client", "session__provider", "coverage__payer")
        story = story.prefetch_related(
            Prefetch("events", ClaimEvent.objects.order_by("pk")), Prefetch("adjudications", results.order_by("pk"))
        )
        return Response(out.SupportClaimStory(get_object_or_404(story, pk=found.pk)).data)


class SupportFiles(SupportApi):
    """All X12 files."""

    pagination_class = Pages

    @extend_schema(
        operation_id="support_files",
        tags=["Support"],
        summary="X12 files without their content, the newest first",
        parameters=[out.FileSearch],
        responses=out.FileOut(many=True),
    )
    def get(self, request: Request) -> Response:
        rows, pages = self.page(visible_files(request.user).filter(**query(out.FileSearch, request)))
        return pages.get_paginated_response(out.FileOut(rows, many=True).data)


class SupportPauses(SupportApi):
    """All account pauses."""

    pagination_class = Pages

    @extend_schema(
        operation_id="support_pauses",
        tags=["Support"],
        summary="Account pauses, the newest first",
        parameters=[out.PauseSearch],
        responses=out.SupportPause(many=True),
    )
    def get(self, request: Request) -> Response:
        asked = query(out.PauseSearch, request)["open"]
        pauses = visible_pauses(request.user).order_by("-pk")
        if asked is not None:
            pauses = pauses.filter(cleared_at__isnull=asked)
        rows: list[AccountPause]
        rows, pages = self.page(pauses)
        record_access_to(request.user, {pause.client_id for pause in rows}, "api: pauses")
        return pages.get_paginated_response(out.SupportPause(rows, many=True).data)
