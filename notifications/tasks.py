"""What the worker does for the outbox. Both may run twice, at once, or die halfway."""

from celery import shared_task
from django.conf import settings

from notifications import outbox


@shared_task
def send_email(email_id: int) -> None:
    """Send one e-mail, if it is due."""
    outbox.deliver(email_id)


@shared_task
def sweep() -> None:
    """Queue every e-mail that is due: a lost message, a failed attempt, a worker that died."""
    for email_id in outbox.due():
        # Not piling up behind a slow mail server: the next sweep finds what expires.
        send_email.apply_async((email_id,), expires=settings.SWEEP_SECONDS * 3)
