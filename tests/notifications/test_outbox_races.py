"""Two workers, two requests, a real database and a real mail server."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from unittest import mock

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core.mail import EmailMultiAlternatives
from django.db import connection, connections, transaction
from pytest_django import Settings

from notifications import outbox
from notifications.messages import RefundProcessed
from notifications.models import Email

pytestmark = pytest.mark.django_db(transaction=True)


class Helper(threading.Thread):
    """A worker of its own, with its own connection; what it raised is raised again by ``done``."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.result: object = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:
            self.error = error
        finally:
            connections.close_all()

    def done(self) -> object:
        self.join(timeout=10)
        assert not self.is_alive()
        if self.error:
            raise self.error
        return self.result


def wait_until_blocked(count: int) -> None:
    """Until ``count`` other connections wait for a lock in this database."""
    for _ in range(400):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            (blocked,) = cursor.fetchone()
        if blocked == count:
            return
        time.sleep(0.01)
    raise AssertionError(f"{count} connections should be waiting")


def test_two_workers_racing_for_one_email_send_it_once(refund_news: RefundProcessed) -> None:
    email = outbox.enqueue(refund_news, to="ana@example.com", key="refund:7")
    sent: list[str] = []

    def send(mail: EmailMultiAlternatives) -> int:
        sent.append(mail.to[0])
        return 1

    with mock.patch("notifications.outbox.EmailMultiAlternatives.send", autospec=True, side_effect=send):
        with transaction.atomic():
            # Held until both are inside their UPDATE, so that they truly meet.
            Email.objects.select_for_update().get(pk=email.pk)
            workers = [Helper(lambda: outbox.deliver(email.pk)) for _ in range(2)]
            wait_until_blocked(2)
        for worker in workers:
            worker.done()
    email.refresh_from_db()
    assert sent == ["ana@example.com"]
    assert (email.state, email.attempts) == ("sent", 1)


def test_two_requests_telling_the_same_event_write_one_email(refund_news: RefundProcessed, hurried: mock.Mock) -> None:
    def tell() -> Email:
        return outbox.enqueue(refund_news, to="ana@example.com", key="refund:7")

    with transaction.atomic():
        first = tell()
        other = Helper(tell)
        wait_until_blocked(1)
    assert other.done() == first
    assert Email.objects.count() == 1
    assert hurried.call_count == 1


def test_the_one_who_waited_tells_it_when_the_first_is_rolled_back(
    refund_news: RefundProcessed, hurried: mock.Mock
) -> None:
    def tell() -> Email:
        return outbox.enqueue(refund_news, to="ana@example.com", key="refund:7")

    with pytest.raises(RuntimeError), transaction.atomic():
        tell()
        other = Helper(tell)
        wait_until_blocked(1)
        raise RuntimeError
    assert other.done() == Email.objects.get()
    assert hurried.call_count == 1


def test_nothing_is_sent_inside_a_transaction(refund_news: RefundProcessed) -> None:
    email = outbox.enqueue(refund_news, to="ana@example.com", key="refund:7")
    with (
        mock.patch("notifications.outbox.EmailMultiAlternatives.send") as send,
        pytest.raises(RuntimeError, match="durable"),
        transaction.atomic(),
    ):
        outbox.deliver(email.pk)
    send.assert_not_called()


def test_no_transaction_is_open_while_the_mail_server_is_spoken_to(refund_news: RefundProcessed) -> None:
    email = outbox.enqueue(refund_news, to="ana@example.com", key="refund:7")

    def send(mail: EmailMultiAlternatives) -> int:
        assert not connection.in_atomic_block
        return 1

    with mock.patch("notifications.outbox.EmailMultiAlternatives.send", autospec=True, side_effect=send):
        outbox.deliver(email.pk)
    email.refresh_from_db()
    assert email.state == "sent"


def test_a_broker_that_is_down_loses_nothing(refund_news: RefundProcessed, hurried: mock.Mock) -> None:
    hurried.side_effect = ConnectionError("no broker")
    email = outbox.enqueue(refund_news, to="ana@example.com", key="refund:7")
    assert hurried.call_count == 1
    assert outbox.due() == [email.pk]


class MailServer:
    """Keeps what it is given; answers RCPT with ``answer`` when that is set."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.answer = ""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken.append(envelope)
        return "250 OK"


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    server = MailServer()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = port
    settings.EMAIL_USE_TLS = False
    yield server
    controller.stop()


def test_over_smtp(refund_news: RefundProcessed, mail_server: MailServer) -> None:
    email = outbox.enqueue(refund_news, to="ana@example.com", key="refund:7")
    outbox.deliver(email.pk)
    email.refresh_from_db()
    (envelope,) = mail_server.taken
    assert envelope.rcpt_tos == ["ana@example.com"]
    assert envelope.mail_from == "billing@headway.example"
    assert isinstance(envelope.content, bytes)
    assert f"Message-ID: {email.message_id}".encode() in envelope.content
    assert email.state == "sent"


@pytest.mark.parametrize(("answer", "state"), [("451 try later", "queued"), ("550 no such mailbox", "failed")])
def test_smtp_refusals(refund_news: RefundProcessed, mail_server: MailServer, answer: str, state: str) -> None:
    mail_server.answer = answer
    email = outbox.enqueue(refund_news, to="ana@example.com", key="refund:7")
    outbox.deliver(email.pk)
    email.refresh_from_db()
    assert email.state == state
    assert answer[:3] in email.error
    assert mail_server.taken == []
