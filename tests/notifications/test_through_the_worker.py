"""An e-mail's way through the real servers: outbox, broker, worker, SMTP, the sink's page."""

import time
from datetime import timedelta
from typing import Any

import pytest
import requests
from pytest_django import Settings

from common import clock
from headway.stack import Stack
from notifications import outbox
from notifications.messages import RefundProcessed
from notifications.models import Email

pytestmark = [pytest.mark.stack, pytest.mark.django_db(transaction=True)]


def arrived(settings: Settings, to: str) -> dict[str, Any]:
    """The one message to ``to``, once it is in the sink."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        found = requests.get(f"{settings.MAILBOX_URL}/api/messages", params={"to": to}, timeout=5).json()
        if found:
            (mail,) = found
            return dict(mail)
        time.sleep(0.1)
    raise AssertionError(f"no e-mail to {to} after 15 s")


def settled(email: Email) -> Email:
    """``email`` once the worker has written down how it went."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        email.refresh_from_db()
        if email.state != Email.State.QUEUED:
            break
        time.sleep(0.05)
    return email


def test_it_arrives_soon_after_the_commit(stack: Stack, settings: Settings, refund_news: RefundProcessed) -> None:
    email = outbox.enqueue(refund_news, to="ana.soon@example.com", key="refund:soon")
    mail = arrived(settings, "ana.soon@example.com")
    assert mail["subject"] == "Your refund is processed"
    assert "$1,018.50" in mail["text"]
    assert "$1,018.50" in mail["html"]
    assert settled(email).state == "sent"
    assert email.attempts == 1


def test_the_sweep_sends_what_a_lost_message_left(stack: Stack, settings: Settings) -> None:
    email = Email.objects.create(
        key="refund:lost",
        kind="refund_processed",
        to="ana.lost@example.com",
        subject="Your refund is processed",
        text="text",
        html="<p>html</p>",
        next_attempt_at=clock.now() - timedelta(hours=1),
    )
    assert arrived(settings, "ana.lost@example.com")["subject"] == "Your refund is processed"
    assert settled(email).state == "sent"
