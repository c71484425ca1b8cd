"""Hurrying the queue. The row is the queue; a message only makes a worker look at it sooner."""

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def hurry(task: str, *ids: int) -> None:
    """After the commit, ask a worker to run ``task`` (its dotted name) with ``ids``.

    A broker that is down loses nothing: the sweep finds the row.
    """

    def send() -> None:
        try:
            current_app.send_task(task, args=list(ids), retry=False)
        except (OperationalError, OSError) as error:
            log.warning("not_hurried", task=task, ids=ids, error=str(error))

    transaction.on_commit(send)
