"""How asking insurers goes: for each, what waits, what came back, whether it answers, and when it is tried again."""

from datetime import datetime

from django.contrib import admin
from django.db.models import Count, Exists, IntegerField, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import clock
from common.desk import Desk
from insurance.domain.asking import next_open
from insurance.models import EligibilityCheck, PayerLine
from insurance.services.eligibility import newest_of_their_plans

STATE = EligibilityCheck.State


def _count(checks: "QuerySet[EligibilityCheck]") -> Coalesce:
    mine = checks.filter(coverage__payer=OuterRef("payer")).order_by()
    counted = mine.values("coverage__payer").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _shown(row: PayerLine, number: int, query: str) -> SafeString:
    address = reverse("admin:insurance_eligibilitycheck_changelist")
    return format_html('<a href="{}?coverage__payer__id__exact={}&{}">{}</a>', address, row.payer_id, query, number)


@admin.register(PayerLine)
class PayerLineDesk(Desk):
    list_display = (
        "payer",
        "answers",
        "waiting",
        "asked",
        "answered_today",
        "rejected",
        "failed",
        "oldest_waiting",
        "next_probe_at",
        "last_answer_at",
    )
    list_filter = (("down_since", admin.EmptyFieldListFilter),)
    search_fields = ("payer__name", "payer__payer_id")
    list_select_related = ("payer",)
    readonly_fields = (
        "answers",
        "waiting",
        "asked",
        "answered_today",
        "rejected",
        "failed",
        "oldest_waiting",
        "limits",
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[PayerLine]":
        checks = EligibilityCheck.objects.all()
        midnight = datetime.combine(clock.today(), datetime.min.time(), tzinfo=clock.BUSINESS_ZONE)
        oldest = (
            checks.filter(coverage__payer=OuterRef("payer"), state=STATE.WAITING)
            .order_by()
            .values("coverage__payer")
            .annotate(oldest=Min("created_at"))
        )
        lines: QuerySet[PayerLine] = super().get_queryset(request)
        return lines.annotate(
            n_waiting=_count(checks.filter(state=STATE.WAITING)),
            n_asked=_count(checks.filter(state=STATE.ASKED)),
            n_answered=_count(checks.filter(state=STATE.ANSWERED, answered_at__gte=midnight)),
            n_rejected=_count(newest_of_their_plans().filter(state=STATE.REJECTED)),
            n_failed=_count(newest_of_their_plans().filter(state=STATE.FAILED)),
            oldest=Subquery(oldest.values("oldest")),
        )

    @admin.display(description=gettext_lazy("answers"), ordering="down_since")
    def answers(self, row: PayerLine) -> str:
        """Whether it can be reached, in words."""
        if row.down_since is not None:
            since = clock.now() - row.down_since
            hours, minutes = divmod(int(since.total_seconds()) // 60, 60)
            return _("No, for %(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
        now = clock.now().astimezone(clock.BUSINESS_ZONE)
        opens = next_open(now, row.payer.answers_from, row.payer.answers_until)
        if opens > now:
            return _("Closed until %(time)s") % {"time": f"{opens:%H:%M}"}
        if row.failures:
            return _("Not the last %(count)s times") % {"count": row.failures}
        return _("Yes") if row.last_answer_at else _("Not asked yet")

    @admin.display(description=gettext_lazy("waiting"), ordering="n_waiting")
    def waiting(self, row: PayerLine) -> SafeString:
        return _shown(row, row.n_waiting, "state__exact=waiting")  # type: ignore[attr-defined]  # annotated above

    @admin.display(description=gettext_lazy("being asked"), ordering="n_asked")
    def asked(self, row: PayerLine) -> SafeString:
        return _shown(row, row.n_asked, "state__exact=asked")  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("answered today"), ordering="n_answered")
    def answered_today(self, row: PayerLine) -> int:
        return int(row.n_answered)  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("could not answer"), ordering="n_rejected")
    def rejected(self, row: PayerLine) -> SafeString:
        """Plans whose newest question the insurer could not answer."""
        return _shown(row, row.n_rejected, "state__exact=rejected&newest=1")  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("given up"), ordering="n_failed")
    def failed(self, row: PayerLine) -> SafeString:
        """Plans whose newest question we gave up."""
        return _shown(row, row.n_failed, "state__exact=failed&newest=1")  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("oldest waiting since"), ordering="oldest")
    def oldest_waiting(self, row: PayerLine) -> str:
        oldest: datetime | None = row.oldest  # type: ignore[attr-defined]
        return "-" if oldest is None else formats.date_format(localtime(oldest), "DATETIME_FORMAT")

    @admin.display(description=gettext_lazy("what it takes"))
    def limits(self, row: PayerLine) -> str:
        limit = _("%(count)s questions a minute") % {"count": row.payer.requests_per_minute}
        if row.payer.answers_from is None or row.payer.answers_until is None:
            return limit
        hours = {"from": f"{row.payer.answers_from:%H:%M}", "until": f"{row.payer.answers_until:%H:%M}"}
        return f"{limit}, {_('from %(from)s until %(until)s in New York') % hours}"


class NewestFilter(admin.SimpleListFilter):
    """Only the newest question of each plan that is on an account: what still matters."""

    title = gettext_lazy("newest of its plan")
    parameter_name = "newest"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("1", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[EligibilityCheck]") -> "QuerySet[EligibilityCheck]":
        if self.value() != "1":
            return queryset
        return queryset.filter(Exists(newest_of_their_plans().filter(pk=OuterRef("pk"))))
