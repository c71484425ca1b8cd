"""The yearly confirmation of coordination of benefits: when it is due, reminders, the client's report, its check.

Only the client can give it, by phone to the insurer. Code and client's words: ``docs/pauses.md``.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.fields import CharField
from django.db.models.functions import Cast, Coalesce, Concat, Greatest
from django.utils.translation import gettext as _

from common import clock
from common.errors import BadInput, DomainError
from common.states import move
from insurance.models import AccountPause, Coverage, EligibilityCheck, Recertification
from insurance.services.eligibility import request_check
from notifications import messages, outbox
from notifications.models import Email
from people.models import Client, User

REMIND_BEFORE = (30, 7, 0)
"""Days before the due date on which the client is written to (RULES.md section 4)."""

ASK_FROM = timedelta(days=max(REMIND_BEFORE))
"""How long before its due date a confirmation is asked for; a call before that is not the year's."""

ASK_AGAIN_AFTER = timedelta(days=1)
"""How often an insurer is asked after a call that its records do not show."""

ASKED_FOR = timedelta(days=7)
"""How long the insurer is asked again by ourselves; then support looks at it."""


class NothingToConfirm(DomainError):
    """This year's confirmation is done, or was never asked for."""


# When it is due


def anniversary(day: date, *, years: int = 1) -> date:
    """The same day some years later; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _plans() -> QuerySet[Any]:
    """Plans on accounts, in force, of insurers that want it; ``settled`` is when the client last settled it."""
    today = clock.today()
    verified = Recertification.objects.filter(coverage=OuterRef("pk"), state=Recertification.State.VERIFIED)
    # A pause that ended by the client's call was such a confirmation too.
    called = AccountPause.objects.filter(
        coverage=OuterRef("pk"), cleared_at__isnull=False, reference_given_at__isnull=False
    )
    return (
        Coverage.objects.on(today)
        .filter(payer__recertifies=True)
        .annotate(
            verified=Subquery(verified.order_by("-verified_at").values("verified_at")[:1]),
            resumed=Subquery(called.order_by("-cleared_at").values("cleared_at")[:1]),
            settled=Greatest("verified", "resumed"),
        )
    )


def _next_due(created: datetime, settled: datetime | None) -> date:
    """One year after the last confirmation; the first time, an anniversary of the plan's entry.

    An insurer that begins to want it asks at the next anniversary, not for years gone by.
    """
    if settled is not None:
        return anniversary(clock.business_date(settled))
    entered, today = clock.business_date(created), clock.today()
    first = anniversary(entered)
    if first >= today - ASK_FROM:
        return first
    this_year = anniversary(entered, years=today.year - entered.year)
    return this_year if this_year >= today else anniversary(entered, years=today.year - entered.year + 1)


def next_due(coverage: Coverage) -> date | None:
    """When the client will next be asked, or is asked; ``None`` for an insurer that does not want it."""
    open_row = coverage.recertifications.exclude(state=Recertification.State.VERIFIED).first()
    if open_row is not None:
        return open_row.due_on
    plan = _plans().filter(pk=coverage.pk).values_list("created_at", "settled").first()
    return None if plan is None else _next_due(*plan)


def open_due(limit: int = 500) -> int:
    """Write a row for each plan whose confirmation is due within thirty days. Returns how many are new."""
    soon = clock.today() + ASK_FROM
    still_open = Recertification.objects.filter(coverage=OuterRef("pk")).exclude(state=Recertification.State.VERIFIED)
    a_year_ago = clock.now() - timedelta(days=365) + ASK_FROM + timedelta(days=2)
    plans = (
        _plans()
        .filter(~Exists(still_open))
        .filter(Q(settled=None, created_at__lte=a_year_ago) | Q(settled__lte=a_year_ago))
    )
    new = 0
    facts = plans.order_by("pk").values_list("pk", "created_at", "settled")
    for pk, created, settled in facts.iterator(chunk_size=500):
        due_on = _next_due(created, settled)
        if due_on > soon:
            continue
        # Two sweeps at once: the constraints let one of them write it.
        made = Recertification.objects.bulk_create(
            [Recertification(coverage_id=pk, due_on=due_on)], ignore_conflicts=True
        )
        new += len(made)
        if new >= limit:
            break
    return new


def lapsed() -> Q:
    """Confirmations whose day has passed without a call."""
    return Q(state=Recertification.State.DUE, due_on__lt=clock.today())


# Reminders


def to_remind() -> list[int]:
    """Ids of confirmations whose e-mail for the newest mark passed (30 days, 7 days, the day) is not written yet."""
    today = clock.today()
    found: list[int] = []
    later: date | None = None
    for before in sorted(REMIND_BEFORE):
        rows = Recertification.objects.filter(
            state=Recertification.State.DUE, due_on__lte=today + timedelta(days=before), coverage__removed_at=None
        )
        if later is not None:
            rows = rows.filter(due_on__gt=later)
        later = today + timedelta(days=before)
        key = Concat(Value("recertification:"), Cast("pk", CharField()), Value(f":{before}"))
        written = Email.objects.filter(key=OuterRef("mail_key"))
        found += rows.annotate(mail_key=key).filter(~Exists(written)).order_by("pk").values_list("pk", flat=True)
    return found


@transaction.atomic
def remind(recertification_id: int) -> bool:
    """Ask the client for the call: whom, by when, what to say. One e-mail ever for each mark; False when not needed."""
    row = Recertification.objects.select_for_update(no_key=True, of=("self",)).get(pk=recertification_id)
    days = (row.due_on - clock.today()).days
    marks = [before for before in REMIND_BEFORE if days <= before]
    if row.state != Recertification.State.DUE or not marks or row.coverage.removed_at is not None:
        return False
    _write(row, f"recertification:{row.pk}:{min(marks)}")
    return True


def _write(row: Recertification, key: str, *, again: bool = False) -> None:
    client, payer = row.coverage.client, row.coverage.payer
    outbox.enqueue(
        messages.ConfirmPlans(
            client_name=client.called,
            insurer=payer.name,
            insurer_phone=payer.member_services_phone,
            due_on=row.due_on,
            url=f"{settings.PUBLIC_URL}/plans/confirm/{row.pk}/",
            contact=payer.cob_contact,
            again=again,
        ),
        to=client.email,
        recipient=client.user,
        key=key,
    )


# The client's report, and its check


@transaction.atomic
def report(row: Recertification, *, reference_number: str, called_on: date) -> EligibilityCheck:
    """The client has called: keep the number and the day, and put a new question to the insurer.

    A report can be corrected until it is verified. Raises ``BadInput`` for an empty number or a day that cannot be,
    :class:`NothingToConfirm` when it is verified already.
    """
    number = reference_number.strip()
    if not number:
        raise BadInput(_("Please enter the reference number that your insurer gave you."), "reference_number")
    if called_on > clock.today():
        raise BadInput(_("This day is in the future."), "called_on")
    Client.objects.select_for_update(no_key=True).get(pk=row.coverage.client_id)
    row = Recertification.objects.select_for_update(no_key=True, of=("self",)).get(pk=row.pk)
    if row.state == Recertification.State.VERIFIED:
        raise NothingToConfirm(_("This is confirmed already: there is nothing left to do."))
    if called_on < row.due_on - 2 * ASK_FROM:
        raise BadInput(_("This call is too long ago for this year. Please call again."), "called_on")
    check = request_check(coverage=row.coverage, reason=EligibilityCheck.Reason.COB_REFERENCE)
    given: dict[str, object] = {
        "reference_number": number[:40],
        "called_on": called_on,
        "reported_at": clock.now(),
        "check_after": check,
    }
    if not move(row, Recertification.STATES, Recertification.State.REPORTED, **given):
        for name, value in given.items():
            setattr(row, name, value)
        row.save(update_fields=list(given))
    return check


def verify_by(check: EligibilityCheck) -> bool:
    """An answer without any open question, to a check asked after the client's call, verifies it: the year begins anew.

    The call that ended a pause counts too. The caller has found that the insurer's records are right and holds the
    client's lock.
    """
    row = check.coverage.recertifications.exclude(state=Recertification.State.VERIFIED).first()
    if row is None:
        return False
    given: dict[str, object] = {"verified_at": clock.now(), "check_after": check}
    if row.state == Recertification.State.DUE:
        pause = check.coverage.pauses.filter(cleared_by=check, reference_given_at__isnull=False).first()
        if pause is None or pause.reference_given_at is None:
            return False
        given |= {
            "reference_number": pause.reference_number,
            "called_on": clock.business_date(pause.reference_given_at),
        }
    elif row.reported_at is None or check.asked_at < row.reported_at:
        return False
    return move(row, Recertification.STATES, Recertification.State.VERIFIED, **given)


def verify_by_hand(row: Recertification, *, by: User) -> None:
    """Support has made sure that the insurer has it. Raises ``IllegalTransition`` when it is verified already."""
    move(row, Recertification.STATES, Recertification.State.VERIFIED, verified_at=clock.now(), verified_by=by)


@transaction.atomic
def give_back(row: Recertification) -> None:
    """The insurer's records do not show the call: ask the client to call once more, and say why by e-mail."""
    row = Recertification.objects.select_for_update(no_key=True, of=("self",)).get(pk=row.pk)
    if not move(row, Recertification.STATES, Recertification.State.DUE, reference_number="", called_on=None):
        raise NothingToConfirm(_("The client has not called since, or it is confirmed already."))
    assert row.reported_at is not None, "it was reported"
    _write(row, f"recertification:{row.pk}:again:{row.reported_at:%Y%m%d%H%M%S}", again=True)


def to_ask_again() -> list[Recertification]:
    """Reported confirmations whose insurer was not asked since, or yesterday without a good answer; for a week."""
    now = clock.now()
    newest = EligibilityCheck.objects.filter(coverage=OuterRef("coverage")).order_by("-pk")
    reported = Recertification.objects.filter(
        state=Recertification.State.REPORTED, reported_at__gte=now - ASKED_FOR, coverage__removed_at=None
    ).annotate(
        asked=Subquery(newest.annotate(at=Coalesce("request__created_at", "created_at")).values("at")[:1]),
        check_state=Subquery(newest.values("state")[:1]),
    )
    due = reported.exclude(check_state__in=EligibilityCheck.OPEN).filter(
        Q(asked=None) | Q(asked__lt=F("reported_at")) | Q(asked__lt=now - ASK_AGAIN_AFTER)
    )
    return list(due.select_related("coverage").order_by("pk"))


def for_support() -> QuerySet[Recertification]:
    """Reported, and the insurer has answered since without verifying it, or could not be asked for a week."""
    answered = EligibilityCheck.objects.filter(
        coverage=OuterRef("coverage"), request__created_at__gte=OuterRef("reported_at")
    ).exclude(state__in=EligibilityCheck.OPEN)
    return Recertification.objects.filter(
        Exists(answered) | Q(reported_at__lt=clock.now() - ASKED_FOR), state=Recertification.State.REPORTED
    )
