"""The outbox: an e-mail is written down in the same transaction as the news it tells, and sent after.

The row is the queue. The worker's message only hurries it; the sweep finds by query whatever a lost message left.

Sent at least once, almost always exactly once: an attempt is recorded, with a lease, before the mail server is
spoken to. Whoever dies in between leaves a row that is tried again when the lease ends, under the same Message-ID,
by which mail programs know a second copy. No lock or transaction is held while the mail server is spoken to.
"""

import smtplib
from datetime import timedelta
from email.utils import parseaddr

import structlog
from anymail.exceptions import AnymailRecipientsRefused
from celery import current_app
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from common import clock
from common.errors import DomainError
from common.hurry import is_unhurried
from notifications.messages import Message
from notifications.models import Email

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=10)
"""How long an attempt is alone with its e-mail: longer than a task may run (CELERY_TASK_TIME_LIMIT)."""

BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720))
"""How long to wait after the first, second, … failed attempt. One attempt more than this, and we give up."""

MAX_ATTEMPTS = len(BACKOFF) + 1

KEY_LENGTH = 110
"""Room is left in the column for the suffix of copies that support sends again."""

_COPY = ":again"


class EmailOnItsWay(DomainError):
    """The e-mail is being sent at this moment; sending it again now could deliver it twice."""


def enqueue(message: Message, *, to: str, key: str, recipient: AbstractBaseUser | None = None) -> Email:
    """Write ``message`` to ``to`` into the outbox, once ever per ``key``; it is sent when the transaction commits.

    ``key`` names the event and the person, as in ``"refund_processed:42:client"`` (at most 110 characters). When it
    was used before, the first e-mail is returned as it was and nothing is sent, also when two do this at once.
    ``recipient`` is the account the address belongs to, if any. Raises ``ValueError`` for an empty or too long key.
    """
    if not 0 < len(key) <= KEY_LENGTH:
        raise ValueError(f"an e-mail's key has 1 to {KEY_LENGTH} characters, not {len(key)}: {key!r}")
    first = Email.objects.filter(key=key).first()
    if first is not None:
        return first
    # Not in the language of whoever happens to be signed in: the reader's.
    with translation.override(settings.LANGUAGE_CODE):
        context = message.context()
        text = render_to_string(f"{message.template}.txt", context)
        html = render_to_string(f"{message.template}.html", context)
    email, created = Email.objects.get_or_create(
        key=key,
        defaults={
            "kind": message.kind,
            "to": to,
            "recipient_id": None if recipient is None else recipient.pk,
            "subject": context["subject"],
            "text": text,
            "html": html,
        },
    )
    if created:
        _send_after_commit(email.pk)
    return email


def deliver(email_id: int) -> None:
    """Send this e-mail if it is due and nobody else is sending it; never raises for what the mail server says.

    A refused address gives up at once, any other failure is tried again after a growing wait, at most
    ``MAX_ATTEMPTS`` times in all. An e-mail we gave up on stays, with the error, until support sends it again.
    """
    attempt = _claim(email_id)
    if attempt is None:
        return
    email = Email.objects.get(pk=email_id)
    try:
        message_id = _send(email)
    except Exception as error:  # whatever it was, it belongs in the outbox, where support sees it
        _failed(email, attempt, error)
    else:
        _sent(email, attempt, message_id)


def due(limit: int = 200) -> list[int]:
    """Ids of e-mails that should be tried now, the longest waiting first."""
    waiting = Email.objects.filter(state=Email.State.QUEUED, next_attempt_at__lte=clock.now())
    return list(waiting.order_by("next_attempt_at", "id").values_list("id", flat=True)[:limit])


def resend(email: Email) -> Email:
    """Send ``email`` again, for support. Returns the e-mail that will be sent.

    One we gave up on is queued anew, a waiting one is tried now, and of a sent one a copy is queued (unless a copy
    is waiting already). Raises :class:`EmailOnItsWay` when an attempt is under way.
    """
    with transaction.atomic():
        root = email.key.partition(_COPY)[0]
        Email.objects.select_for_update(no_key=True).get(key=root)
        email = Email.objects.select_for_update(no_key=True).get(pk=email.pk)
        if email.state == Email.State.SENT:
            return _copy(email, root)
        if email.state == Email.State.QUEUED and email.attempts and not email.error:
            raise EmailOnItsWay(_("This e-mail is being sent right now. Look again in ten minutes."))
        email.state = Email.State.QUEUED
        email.attempts = 0
        email.next_attempt_at = clock.now()
        email.save(update_fields=["state", "attempts", "next_attempt_at"])
        _send_after_commit(email.pk)
    return email


def _copy(email: Email, root: str) -> Email:
    copies = Email.objects.filter(key__startswith=root + _COPY)
    waiting = copies.filter(state=Email.State.QUEUED).first()
    if waiting is not None:
        return waiting
    copy = Email.objects.create(
        key=f"{root}{_COPY}{copies.count() + 1}",
        kind=email.kind,
        to=email.to,
        recipient_id=email.recipient_id,
        subject=email.subject,
        text=email.text,
        html=email.html,
    )
    _send_after_commit(copy.pk)
    return copy


def _send_after_commit(email_id: int) -> None:
    """Hurry the worker. A broker that is down is logged and no error: the sweep finds the row."""
    if is_unhurried():
        return
    transaction.on_commit(
        lambda: current_app.send_task("notifications.tasks.send_email", args=[email_id], ignore_result=True),
        robust=True,
    )


def _claim(email_id: int) -> int | None:
    """Begin the next attempt and return its number, or None when this e-mail is not due or somebody else's.

    Of two workers the second waits for the first one's UPDATE, then finds the lease taken.
    """
    now = clock.now()
    with transaction.atomic(durable=True):  # the lease is committed before anything is sent
        mine = Email.objects.filter(pk=email_id, state=Email.State.QUEUED, next_attempt_at__lte=now)
        if mine.filter(attempts__gte=MAX_ATTEMPTS).update(
            state=Email.State.FAILED, error=_("The last attempt never said how it ended.")
        ):
            log.error("email_given_up", email=email_id, error="lease ended")
            return None
        if not mine.update(attempts=F("attempts") + 1, next_attempt_at=now + LEASE, error=""):
            return None
        return Email.objects.values_list("attempts", flat=True).get(pk=email_id)


def _send(email: Email) -> str:
    """Hand ``email`` to the mail server; the Message-ID it goes by. Raises whatever the mail server does."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    message_id = f"<email-{email.pk}.{int(email.created_at.timestamp())}@{domain}>"
    mail = EmailMultiAlternatives(
        email.subject,
        email.text,
        to=[email.to],
        reply_to=[settings.SUPPORT_EMAIL],
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    mail.attach_alternative(email.html, "text/html")
    if mail.send() != 1:
        raise smtplib.SMTPException("the mail server did not take it")
    # A mail service that names messages itself (anymail) will use its own name in what it tells us later.
    status = getattr(mail, "anymail_status", None)
    return str(getattr(status, "message_id", None) or message_id)


def _sent(email: Email, attempt: int, message_id: str) -> None:
    Email.objects.filter(pk=email.pk, state=Email.State.QUEUED).update(
        state=Email.State.SENT, sent_at=clock.now(), message_id=message_id[:200], error=""
    )
    log.info("email_sent", email=email.pk, kind=email.kind, attempt=attempt)


def _failed(email: Email, attempt: int, error: Exception) -> None:
    """Record the failure of ``attempt``, unless a later attempt has taken over."""
    what = f"{type(error).__name__}: {error}"[:300]
    mine = Email.objects.filter(pk=email.pk, state=Email.State.QUEUED, attempts=attempt)
    if attempt >= MAX_ATTEMPTS or _refused_for_good(error):
        mine.update(state=Email.State.FAILED, error=what)
        log.error("email_given_up", email=email.pk, kind=email.kind, attempt=attempt, error=type(error).__name__)
    else:
        mine.update(next_attempt_at=clock.now() + BACKOFF[attempt - 1], error=what)
        log.warning("email_delayed", email=email.pk, kind=email.kind, attempt=attempt, error=type(error).__name__)


def _refused_for_good(error: Exception) -> bool:
    """Whether trying again cannot help: the mail server refuses the address itself (SMTP 5xx, RFC 5321 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _reason in error.recipients.values())
    return isinstance(error, AnymailRecipientsRefused)
