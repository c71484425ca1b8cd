"""The queue of estimates that an insurer's answer did not bear out: both sides, what would change, and what to do."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Case, F, Model, QuerySet, Value, When
from django.db.models.functions import Abs
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin import benefit_figures
from billing.flows import correct_benefits
from billing.models import Comparison
from common import clock
from common.desk import Desk, Repair
from common.money import ZERO, dollars
from insurance.models import BenefitSnapshot
from people.models import User

OTHERS = 12
"""Other comparisons of the same plan on the page; the rest are in the list."""

PARTS: tuple[tuple[str, Any], ...] = (
    ("allowed", gettext_lazy("Allowed amount")),
    ("deductible", gettext_lazy("Deductible")),
    ("copay", gettext_lazy("Copay")),
    ("coinsurance", gettext_lazy("Coinsurance")),
    ("not_covered", gettext_lazy("Not covered")),
    ("client", gettext_lazy("Client pays")),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a cost, as predicted and as decided, in dollars; ``None``: not known."""

    label: str
    predicted: Decimal | None
    decided: Decimal | None
    is_total: bool = False

    @property
    def difference(self) -> Decimal | None:
        """What the insurer decided above our prediction."""
        return None if self.predicted is None or self.decided is None else self.decided - self.predicted


@dataclass(frozen=True, slots=True)
class Change:
    """A figure as it stands and as it would be."""

    label: str
    said: str
    becomes: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where a thing that the page speaks of is found."""

    label: str
    url: str


def parts(row: Comparison) -> list[Part]:
    """Both sides part by part, the client's cost last."""

    def amount(side: dict[str, str | None], name: str) -> Decimal | None:
        text = side.get(name)
        return None if text is None else Decimal(text)

    return [
        Part(str(label), amount(row.predicted, name), amount(row.decided, name), is_total=name == "client")
        for name, label in PARTS
    ]


def changes(figures: dict[str, dict[str, Any]]) -> list[Change]:
    """Figures put right, or proposed to be, in words."""
    return [
        Change(
            benefit_figures.name_of(place),
            benefit_figures.written(place, figure["said"]),
            benefit_figures.written(place, figure["is"]),
        )
        for place, figure in figures.items()
    ]


def _url(row: Model, *page: str) -> str:
    kind = "page" if page else "change"
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{kind}", args=[row.pk, *page])


def evidence(row: Comparison) -> list[Link]:
    """The files and rows behind both sides: the insurer's answer about the plan (271) and about the claim (835)."""
    found = []
    snapshot = row.estimate.snapshot
    if snapshot is not None:
        found.append(Link(_("Benefits the estimate came from"), _url(snapshot)))
        told = _told(snapshot)
        if told is not None and told.response is not None:
            found.append(Link(_("The insurer's answer about the plan (271)"), _url(told.response, "contents")))
    answer = row.adjudication
    found.append(Link(_("The insurer's answer about the claim (835)"), _url(answer.remittance.file, "contents")))
    found.append(Link(_("The result in the remittance"), _url(answer)))
    if answer.claim is not None:
        found.append(Link(_("Claim %(number)s") % {"number": answer.claim.control_number}, _url(answer.claim)))
    found.append(Link(_("The estimate"), _url(row.estimate)))
    if row.snapshot is not None:
        found.append(Link(_("The corrected benefits"), _url(row.snapshot)))
    return found


def _told(snapshot: BenefitSnapshot) -> Any:
    """The check whose answer a snapshot is, or puts right."""
    if snapshot.eligibility_check is not None:
        return snapshot.eligibility_check
    answer = (
        BenefitSnapshot.objects.filter(
            coverage=snapshot.coverage_id, eligibility_check__isnull=False, observed_at__lte=snapshot.observed_at
        )
        .select_related("eligibility_check__response")
        .order_by("-observed_at", "-pk")
        .first()
    )
    return answer.eligibility_check if answer else None


def side_by_side(row: Comparison) -> dict[str, Any]:
    """Everything the page shows besides the row's own columns."""
    snapshot = row.estimate.snapshot
    same_plan = Comparison.objects.filter(coverage=row.coverage_id).exclude(pk=row.pk)
    same_way = (
        Comparison.objects.filter(coverage__payer=row.coverage.payer_id, kind=row.kind, state=Comparison.State.WAITING)
        .exclude(pk=row.pk)
        .count()
    )
    return {
        "row": row,
        "parts": parts(row),
        "why": row.estimate.breakdown.get("why", []),
        "snapshot": snapshot,
        "snapshot_url": _url(snapshot) if snapshot else "",
        "corrected_before": changes(snapshot.corrects) if snapshot else [],
        "proposed": changes(row.figures),
        "evidence": evidence(row),
        "others": [
            (other, _url(other)) for other in same_plan.select_related("session__client").order_by("-pk")[:OTHERS]
        ],
        "others_count": same_plan.count(),
        "same_way": same_way,
        "same_way_url": (
            f"{reverse('admin:billing_comparison_changelist')}?state__exact=waiting&kind__exact={row.kind}"
            f"&coverage__payer__id__exact={row.coverage.payer_id}"
        ),
        "coverage_url": _url(row.coverage),
        "enter_url": _url(row.coverage, "enter"),
        "client_url": _url(row.session.client),
        "session_url": _url(row.session),
        "first": row.first_estimate if row.first_estimate_id != row.estimate_id else None,
    }


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _apply(request: HttpRequest, row: Comparison, text: str) -> str:
    correct_benefits.apply(row, by=_actor(request), note=text)
    return _("The benefits are corrected, and the client's prices follow.")


def _dismiss(request: HttpRequest, row: Comparison, text: str) -> str:
    correct_benefits.dismiss(row, by=_actor(request), note=text)
    return _("The benefits stay as they are. This answer is no evidence against them any more.")


@admin.register(Comparison)
class ComparisonDesk(Desk):
    list_display = ("session", "payer", "kind", "off_by", "waits", "state", "proposes")
    list_filter = ("state", "kind", "coverage__payer")
    search_fields = (
        "session__client__first_name",
        "session__client__last_name",
        "=session__id",
        "=adjudication__control_number",
    )
    list_select_related = ("session__client", "coverage__payer")
    date_hierarchy = "created_at"
    client_path = "session__client"
    change_form_outer_before_template = "admin/comparisons/side_by_side.html"
    fields = (
        "kind",
        "note",
        "owner",
        "decided_at",
        "created_at",
        "adjudication",
        "estimate",
        "first_estimate",
        "snapshot",
    )
    repairs = (
        Repair(
            "apply",
            gettext_lazy("Correct the benefits"),
            gettext_lazy(
                "The proposed figures are taken for true. The client's prices follow, money already charged is "
                "settled, and client and provider are told by e-mail if a price was wrong."
            ),
            _apply,
            lambda row: bool(row.figures) and row.state in (Comparison.State.WAITING, Comparison.State.DISMISSED),
        ),
        Repair(
            "dismiss",
            gettext_lazy("Leave as it is"),
            gettext_lazy("The benefits stay as they are, and this answer no longer counts as evidence against them."),
            _dismiss,
            lambda row: row.state == Comparison.State.WAITING,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comparison]:
        found: QuerySet[Comparison] = super().get_queryset(request)
        return found.select_related(
            "session__client",
            "session__provider",
            "coverage__payer",
            "coverage__client",
            "estimate__snapshot__eligibility_check__response",
            "first_estimate",
            "adjudication__remittance__file",
            "adjudication__claim",
            "snapshot",
            "owner",
        ).defer("adjudication__remittance__file__raw", "estimate__snapshot__eligibility_check__response__raw")

    def get_ordering(self, request: HttpRequest) -> Any:
        """Those that wait first, by the money they are off, the longest waiting first among equals."""
        return [
            Case(When(state=Comparison.State.WAITING, then=Value(0)), default=Value(1)).asc(),
            Abs(F("difference")).desc(),
            "created_at",
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        side = {"side": side_by_side(row)} if row is not None and self.has_view_permission(request) else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **side})

    @admin.display(description=gettext_lazy("insurer"), ordering="coverage__payer__name")
    def payer(self, row: Comparison) -> str:
        return row.coverage.payer.name

    @admin.display(description=gettext_lazy("client pays"), ordering=Abs("difference"))
    def off_by(self, row: Comparison) -> str:
        if row.difference == ZERO:
            return _("as estimated")
        words = _("%(amount)s more") if row.difference > ZERO else _("%(amount)s less")
        return words % {"amount": dollars(abs(row.difference))}

    @admin.display(description=gettext_lazy("waits"), ordering="created_at")
    def waits(self, row: Comparison) -> str:
        if row.state != Comparison.State.WAITING:
            return "-"
        days = (clock.now() - row.created_at).days
        return _("%(days)s days") % {"days": days} if days != 1 else _("1 day")

    @admin.display(description=gettext_lazy("proposes"))
    def proposes(self, row: Comparison) -> str:
        return "; ".join(f"{each.label}: {each.said} → {each.becomes}" for each in changes(row.figures)) or "-"
