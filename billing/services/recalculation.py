"""Everybody with a plan of one insurer is priced again, with progress: stopped anywhere, it goes on where it was.

One transaction for each client: its prices and the run's progress are kept together or not at all. Whoever holds the
run's row works on it; ``cursor`` says which client was the last, so that nobody is counted twice.
"""

from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from billing.models import Recalculation
from billing.services import repricing
from billing.services.repricing import Pricing
from common import clock
from common.errors import BadInput, DomainError
from common.hurry import hurry
from common.states import move
from insurance.models import Coverage, Payer
from people.models import User

log = structlog.get_logger(__name__)

OPEN = (Recalculation.State.WAITING, Recalculation.State.RUNNING)

LEFT_ALONE = timedelta(seconds=30)
"""A run that nobody has touched for so long has lost its worker or its message."""

_CHUNK = 100


class AlreadyRunning(DomainError):
    """One recalculation of an insurer at a time."""


def start(payer: Payer, *, by: User, reason: str) -> Recalculation:
    """Begin to price again everybody who has a plan of ``payer`` now. ``reason`` is kept and shown (1-300 characters).

    Raises ``BadInput`` for a reason that is missing or too long, :class:`AlreadyRunning` while another one is open.
    """
    reason = reason.strip()
    if not reason:
        raise BadInput(_("Please write why. It is kept with the run."), "reason")
    if len(reason) > 300:
        raise BadInput(_("Please say it in 300 characters or fewer."), "reason")
    now = clock.now()
    try:
        with transaction.atomic():
            run = Recalculation.objects.create(
                payer=payer,
                requested_by=by,
                reason=reason,
                created_at=now,
                touched_at=now,
                total=_clients(payer.pk, now).count(),
            )
    except IntegrityError:
        raise _already(payer) from None
    hurry("billing.tasks.recalculate", run.pk)
    return run


def stop(run: Recalculation) -> None:
    """No further client is priced; what was priced stays. Raises ``IllegalTransition`` once it is done."""
    move(run, Recalculation.STATES, Recalculation.State.STOPPED, touched_at=clock.now())


def go_on(run: Recalculation) -> None:
    """A stopped run goes on from there. Raises :class:`AlreadyRunning`; ``IllegalTransition`` if it is not stopped."""
    try:
        with transaction.atomic():
            move(run, Recalculation.STATES, Recalculation.State.WAITING, touched_at=clock.now())
    except IntegrityError:
        raise _already(run.payer) from None
    hurry("billing.tasks.recalculate", run.pk)


def work(recalculation_id: int, budget_seconds: float, *, pricing: Pricing | None = None) -> bool:
    """Price clients of a run, at least one, until the time is up. Returns whether there is more for this worker.

    ``pricing`` as in ``repricing.reprice_client``.

    Safe to call twice and at once: a second worker finds the run held, or its client passed, and leaves.
    """
    until = monotonic() + budget_seconds
    while clients := _next_clients(recalculation_id):
        for client_id in clients:
            if not _step(recalculation_id, client_id, pricing):
                return False
            if monotonic() >= until:
                return True
    _finish(recalculation_id)
    return False


def left_alone() -> list[int]:
    """Open runs that nobody works on, the longest left first."""
    return list(
        Recalculation.objects.filter(state__in=OPEN, touched_at__lt=clock.now() - LEFT_ALONE)
        .order_by("touched_at")
        .values_list("pk", flat=True)
    )


def _already(payer: Payer) -> AlreadyRunning:
    return AlreadyRunning(
        _("Prices with %(payer)s are being worked out again already. Please wait for that run or stop it.")
        % {"payer": payer}
    )


def _clients(payer_id: int, moment: datetime) -> "QuerySet[Coverage, int]":
    """Ids of the clients who had a plan of the insurer at that moment: the same ones whenever it is asked."""
    plans = Coverage.objects.filter(payer=payer_id, created_at__lte=moment).exclude(removed_at__lte=moment)
    return plans.order_by("client_id").values_list("client_id", flat=True).distinct()


def _next_clients(recalculation_id: int) -> list[int]:
    run = Recalculation.objects.filter(pk=recalculation_id, state__in=OPEN).first()
    if run is None:
        return []
    return list(_clients(run.payer_id, run.created_at).filter(client_id__gt=run.cursor)[:_CHUNK])


@transaction.atomic
def _step(recalculation_id: int, client_id: int, pricing: Pricing | None) -> bool:
    """Price one client and count them; ``False`` when the run was stopped, or another worker has it."""
    # The run's row is locked before the client's. Nobody else holds both, so nobody can wait the other way round.
    mine = Recalculation.objects.select_for_update(no_key=True, skip_locked=True)
    if mine.filter(pk=recalculation_id, state__in=OPEN, cursor__lt=client_id).first() is None:
        return False
    changed = failed = 0
    try:
        changed = repricing.reprice_client(client_id, pricing=pricing)
    except Exception:
        # Anything may be wrong with one client; the others must not wait. The failure is kept in the client's row,
        # from where the sweep tries again.
        log.exception("recalculation_failed_for_client", recalculation=recalculation_id, client=client_id)
        failed = 1
    Recalculation.objects.filter(pk=recalculation_id).update(
        state=Recalculation.State.RUNNING,
        cursor=client_id,
        done=F("done") + 1,
        changed=F("changed") + changed,
        failed=F("failed") + failed,
        touched_at=clock.now(),
    )
    return True


@transaction.atomic
def _finish(recalculation_id: int) -> None:
    run = (
        Recalculation.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(pk=recalculation_id, state__in=OPEN)
        .first()
    )
    if run is None or _next_clients(recalculation_id):
        return
    now = clock.now()
    move(run, Recalculation.STATES, Recalculation.State.RUNNING)
    move(run, Recalculation.STATES, Recalculation.State.DONE, finished_at=now, touched_at=now)
