"""Hurrying the queue. The row is the queue; a message only makes a worker look at it sooner."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

_unhurried: ContextVar[bool] = ContextVar("unhurried", default=False)


@contextmanager
def unhurried() -> Iterator[None]:
    """Send no messages from here: who wrote the rows works through them, and the sweep finds what is left."""
    token = _unhurried.set(True)
    try:
        yield
    finally:
        _unhurried.reset(token)


def is_unhurried() -> bool:
    """Whether messages are kept back at the moment."""
    return _unhurried.get()


def hurry(task: str, *ids: int) -> None:
    """After the commit, ask a worker to run ``task`` (its dotted name) with ``ids``.

    A broker that is down loses nothing: the sweep finds the row.
    """

    def send() -> None:
        if is_unhurried():
            return
        try:
            current_app.send_task(task, args=list(ids), retry=False)
        except (OperationalError, OSError) as error:
            log.warning("not_hurried", task=task, ids=ids, error=str(error))

    transaction.on_commit(send)
