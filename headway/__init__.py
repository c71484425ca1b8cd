"""The project itself: settings, URLs, the worker, and what starts it all on one machine."""

from headway.celery import app as celery_app

__all__ = ["celery_app"]
