"""The worker's app. Tasks are found in each app's `tasks` room; `celery -A headway worker` runs them."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

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


app = Worker("headway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_django_logging(**_: Any) -> None:
    """Celery sets up no logging of its own: Django's settings did."""
