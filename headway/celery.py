"""The worker's app. Tasks are found in each app's `tasks` room; `celery -A headway worker` runs them."""

import os
import warnings
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_ready
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "headway.settings")


class Worker(Celery):
    """Celery, with the embedded Valkey up before the first message."""

    def connection_for_write(self, *args: Any, **kwargs: Any) -> Any:
        _broker()
        return super().connection_for_write(*args, **kwargs)

    def connection_for_read(self, *args: Any, **kwargs: Any) -> Any:
        _broker()
        return super().connection_for_read(*args, **kwargs)


def _broker() -> None:
    if settings.EMBEDDED_VALKEY is not None:
        settings.EMBEDDED_VALKEY.ensure()


if os.environ.get("HEADWAY_MODE", "demo") == "demo":
    # On one's own machine as root is fine: messages are JSON only, never pickles.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")

app = Worker("headway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@setup_logging.connect
def _keep_django_logging(**_: Any) -> None:
    """Celery sets up no logging of its own: Django's settings did."""


@worker_ready.connect
def _tell_ready(**_: Any) -> None:
    """Let who started this worker know that it takes tasks now."""
    if file := os.environ.get("HEADWAY_READY_FILE"):
        Path(file).touch()
