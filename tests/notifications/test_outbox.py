"""One e-mail per event ever, sent once, tried again calmly, never lost."""

import smtplib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email import message_from_string, policy
from unittest import mock

import pytest
from anymail.exceptions import AnymailRecipientsRefused
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import transaction
from django.utils import translation
from pytest_django import DjangoCaptureOnCommitCallbacks

from common import clock
from notifications import outbox, tasks
from notifications.messages import AccountResumed, Message, RefundProcessed
from notifications.models import Email
from people.models import User

pytestmark = pytest.mark.django_db

SEND = "notifications.outbox.EmailMultiAlternatives.send"


def tell_ana(message: Message, recipient: User | None = None) -> Email:
    return outbox.enqueue(message, to="ana@example.com", key="refund_processed:7:client", recipient=recipient)


@pytest.fixture
def waiting(refund_news: RefundProcessed) -> Email:
    return tell_ana(refund_news)


@pytest.fixture
def pass_time() -> Iterator[Callable[[timedelta], None]]:
    """Moves the clock forward."""
    moment = clock.now()

    def forward(by: timedelta) -> None:
        nonlocal moment
        moment += by

    def now() -> datetime:
        return moment

    with mock.patch.object(clock, "now", now):
        yield forward


def fail_with(error: Exception) -> "mock._patch[mock.MagicMock]":
    return mock.patch(SEND, side_effect=error)


BUSY = smtplib.SMTPRecipientsRefused({"ana@example.com": (451, b"greylisted, try later")})
NO_SUCH_BOX = smtplib.SMTPRecipientsRefused({"ana@example.com": (550, b"no such mailbox")})
DOWN = ConnectionRefusedError(111, "Connection refused")


class TestWritingDown:
    def test_subject_and_bodies_are_fixed_at_once(self, refund_news: RefundProcessed, ana: User) -> None:
        email = tell_ana(refund_news, recipient=ana)
        email.refresh_from_db()
        assert (email.kind, email.to, email.recipient) == ("refund_processed", "ana@example.com", ana)
        assert (email.state, email.attempts) == ("queued", 0)
        assert email.subject == "Your refund is processed"
        for body in (email.text, email.html):
            assert "$1,018.50" in body
            assert "https://portal.example/payments/7/" in body

    def test_a_key_is_used_once_ever(self, refund_news: RefundProcessed, hurried: mock.Mock) -> None:
        first = tell_ana(refund_news)
        again = outbox.enqueue(AccountResumed.sample(), to="someone@else.example", key=first.key)
        assert again == first
        assert (again.to, again.kind) == ("ana@example.com", "refund_processed")
        assert Email.objects.count() == 1

    def test_another_event_is_another_email(self, refund_news: RefundProcessed) -> None:
        tell_ana(refund_news)
        outbox.enqueue(refund_news, to="ana@example.com", key="refund_processed:8:client")
        assert Email.objects.count() == 2

    @pytest.mark.parametrize("key", ["", "k" * 111])
    def test_a_key_that_does_not_fit_is_refused(self, refund_news: RefundProcessed, key: str) -> None:
        with pytest.raises(ValueError, match="key has 1 to 110 characters"):
            outbox.enqueue(refund_news, to="ana@example.com", key=key)
        assert not Email.objects.exists()

    def test_it_is_not_in_the_language_of_who_caused_it(self, refund_news: RefundProcessed) -> None:
        with translation.override("ar"):
            email = tell_ana(refund_news)
        assert '<html lang="en-us" dir="ltr">' in email.html
        assert "Tuesday, November 3, 2026" in email.text

    def test_the_worker_hears_of_it_after_the_commit(
        self,
        refund_news: RefundProcessed,
        hurried: mock.Mock,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            email = tell_ana(refund_news)
            tell_ana(refund_news)
            hurried.assert_not_called()
        hurried.assert_called_once_with("notifications.tasks.send_email", args=[email.pk], ignore_result=True)

    def test_the_task_exists_under_the_name_it_is_called_by(self) -> None:
        assert tasks.send_email.name == "notifications.tasks.send_email"
        assert tasks.sweep.name == "notifications.tasks.sweep"

    def test_news_that_is_rolled_back_is_not_told(self, refund_news: RefundProcessed, hurried: mock.Mock) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            tell_ana(refund_news)
            raise RuntimeError
        assert not Email.objects.exists()
        hurried.assert_not_called()


class TestSending:
    def test_it_goes_out_as_text_and_html(self, waiting: Email, mailoutbox: list[EmailMessage]) -> None:
        outbox.deliver(waiting.pk)
        (mail,) = mailoutbox
        waiting.refresh_from_db()
        assert (waiting.state, waiting.attempts, waiting.error) == ("sent", 1, "")
        assert waiting.sent_at is not None
        assert isinstance(mail, EmailMultiAlternatives)
        wire = message_from_string(mail.message().as_string(), policy=policy.default)
        assert wire["To"] == "ana@example.com"
        assert wire["From"] == "Headway <billing@headway.example>"
        assert wire["Reply-To"] == "support@headway.example"
        assert wire["Subject"] == "Your refund is processed"
        assert wire["Auto-Submitted"] == "auto-generated"
        assert wire["Message-ID"] == waiting.message_id
        assert waiting.message_id.endswith("@headway.example>")
        assert [part.get_content_type() for part in wire.iter_parts()] == ["text/plain", "text/html"]
        assert mail.body == waiting.text
        assert mail.alternatives[0][0] == waiting.html

    def test_a_task_that_runs_twice_sends_once(self, waiting: Email, mailoutbox: list[EmailMessage]) -> None:
        tasks.send_email(waiting.pk)
        tasks.send_email(waiting.pk)
        assert len(mailoutbox) == 1

    def test_an_email_that_is_gone_is_no_error(self) -> None:
        outbox.deliver(404)

    def test_the_lease_is_taken_before_the_mail_server_is_spoken_to(self, waiting: Email) -> None:
        def look(mail: EmailMultiAlternatives) -> int:
            row = Email.objects.get(pk=waiting.pk)
            assert (row.state, row.attempts) == ("queued", 1)
            assert row.next_attempt_at > clock.now() + timedelta(minutes=9)
            outbox.deliver(waiting.pk)  # somebody else, meanwhile
            return 1

        with mock.patch(SEND, autospec=True, side_effect=look) as send:
            outbox.deliver(waiting.pk)
        assert send.call_count == 1

    def test_the_mail_services_own_name_for_it_is_kept(self, waiting: Email) -> None:
        def send(mail: EmailMultiAlternatives) -> int:
            mail.anymail_status = mock.Mock(message_id="service-77")  # type: ignore[attr-defined]
            return 1

        with mock.patch(SEND, autospec=True, side_effect=send):
            outbox.deliver(waiting.pk)
        waiting.refresh_from_db()
        assert waiting.message_id == "service-77"


class TestTrouble:
    @pytest.mark.parametrize("error", [DOWN, BUSY, TimeoutError("timed out"), smtplib.SMTPServerDisconnected("gone")])
    def test_a_failure_leaves_it_queued_for_later(self, waiting: Email, error: Exception) -> None:
        before = clock.now()
        with fail_with(error):
            outbox.deliver(waiting.pk)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.attempts, waiting.sent_at) == ("queued", 1, None)
        assert type(error).__name__ in waiting.error
        assert before + timedelta(seconds=59) < waiting.next_attempt_at < clock.now() + timedelta(seconds=61)

    def test_a_mail_server_that_takes_nothing_is_a_failure(self, waiting: Email) -> None:
        with mock.patch(SEND, return_value=0):
            outbox.deliver(waiting.pk)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.error) == ("queued", "SMTPException: the mail server did not take it")

    def test_it_waits_longer_each_time_then_gives_up_and_stays_to_be_seen(
        self, waiting: Email, pass_time: Callable[[timedelta], None], mailoutbox: list[EmailMessage]
    ) -> None:
        waits = []
        with fail_with(DOWN) as send:
            for _ in range(20):
                outbox.deliver(waiting.pk)
                waiting.refresh_from_db()
                if waiting.state != "queued":
                    break
                wait = waiting.next_attempt_at - clock.now()
                waits.append(wait // timedelta(minutes=1))
                pass_time(wait - timedelta(seconds=1))
                outbox.deliver(waiting.pk)  # too early: nothing happens
                pass_time(timedelta(seconds=1))
        assert waits == [1, 5, 15, 60, 240, 720]
        assert send.call_count == 7
        assert (waiting.state, waiting.attempts) == ("failed", 7)
        assert waiting.error == "ConnectionRefusedError: [Errno 111] Connection refused"
        assert outbox.due() == []

    def test_it_goes_out_when_the_mail_server_is_back(
        self, waiting: Email, pass_time: Callable[[timedelta], None], mailoutbox: list[EmailMessage]
    ) -> None:
        with fail_with(DOWN):
            outbox.deliver(waiting.pk)
        pass_time(timedelta(minutes=1))
        assert outbox.due() == [waiting.pk]
        outbox.deliver(waiting.pk)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.attempts, waiting.error) == ("sent", 2, "")
        assert len(mailoutbox) == 1

    @pytest.mark.parametrize("error", [NO_SUCH_BOX, AnymailRecipientsRefused("rejected")])
    def test_an_address_that_is_refused_is_not_tried_again(self, waiting: Email, error: Exception) -> None:
        with fail_with(error):
            outbox.deliver(waiting.pk)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.attempts) == ("failed", 1)
        assert type(error).__name__ in waiting.error

    def test_a_worker_that_dies_while_sending_delays_it_by_the_lease(
        self, waiting: Email, pass_time: Callable[[timedelta], None], mailoutbox: list[EmailMessage]
    ) -> None:
        with mock.patch(SEND, side_effect=SystemExit), pytest.raises(SystemExit):
            outbox.deliver(waiting.pk)
        pass_time(outbox.LEASE - timedelta(seconds=1))
        assert outbox.due() == []
        pass_time(timedelta(seconds=1))
        assert outbox.due() == [waiting.pk]
        outbox.deliver(waiting.pk)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.attempts) == ("sent", 2)
        assert len(mailoutbox) == 1

    def test_a_worker_that_dies_on_the_last_attempt_leaves_a_failed_one(
        self, waiting: Email, mailoutbox: list[EmailMessage]
    ) -> None:
        Email.objects.update(attempts=outbox.MAX_ATTEMPTS)
        outbox.deliver(waiting.pk)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.error) == ("failed", "The last attempt never said how it ended.")
        assert mailoutbox == []

    def test_late_news_of_an_old_attempt_does_not_touch_a_newer_one(
        self, waiting: Email, pass_time: Callable[[timedelta], None]
    ) -> None:
        def slow(mail: EmailMultiAlternatives) -> int:
            pass_time(outbox.LEASE)
            with mock.patch(SEND, side_effect=SystemExit), pytest.raises(SystemExit):
                outbox.deliver(waiting.pk)  # the second attempt, under way for good
            raise DOWN

        with mock.patch(SEND, autospec=True, side_effect=slow):
            outbox.deliver(waiting.pk)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.attempts, waiting.error) == ("queued", 2, "")
        assert waiting.next_attempt_at == clock.now() + outbox.LEASE

    def test_the_log_names_neither_the_address_nor_the_person(
        self, waiting: Email, caplog: pytest.LogCaptureFixture
    ) -> None:
        with fail_with(BUSY):
            outbox.deliver(waiting.pk)
        assert "email_delayed" in caplog.text
        assert "ana" not in caplog.text.lower()


class TestSweep:
    def test_it_hurries_everything_that_is_due_and_nothing_else(
        self, waiting: Email, refund_news: RefundProcessed
    ) -> None:
        later = outbox.enqueue(refund_news, to="ana@example.com", key="later")
        sent = outbox.enqueue(refund_news, to="ana@example.com", key="sent")
        given_up = outbox.enqueue(refund_news, to="ana@example.com", key="given up")
        Email.objects.filter(pk=later.pk).update(next_attempt_at=clock.now() + timedelta(seconds=30))
        Email.objects.filter(pk=sent.pk).update(state="sent")
        Email.objects.filter(pk=given_up.pk).update(state="failed")
        with mock.patch.object(tasks.send_email, "apply_async") as hurry:
            tasks.sweep()
        assert [call.args for call in hurry.call_args_list] == [((waiting.pk,),)]

    def test_the_longest_waiting_comes_first(self, refund_news: RefundProcessed) -> None:
        ids = [outbox.enqueue(refund_news, to="ana@example.com", key=f"n{n}").pk for n in range(3)]
        Email.objects.filter(pk=ids[2]).update(next_attempt_at=clock.now() - timedelta(hours=1))
        assert outbox.due() == [ids[2], ids[0], ids[1]]
        assert outbox.due(limit=1) == [ids[2]]


class TestSendingAgain:
    def test_one_we_gave_up_on_is_queued_anew(self, waiting: Email, mailoutbox: list[EmailMessage]) -> None:
        with fail_with(NO_SUCH_BOX):
            outbox.deliver(waiting.pk)
        again = outbox.resend(waiting)
        assert (again.pk, again.state, again.attempts) == (waiting.pk, "queued", 0)
        outbox.deliver(again.pk)
        again.refresh_from_db()
        assert again.state == "sent"
        assert len(mailoutbox) == 1

    def test_one_that_waits_is_tried_now(self, waiting: Email) -> None:
        with fail_with(DOWN):
            outbox.deliver(waiting.pk)
        assert outbox.due() == []
        outbox.resend(waiting)
        assert outbox.due() == [waiting.pk]

    def test_of_a_sent_one_a_copy_goes_out_and_the_first_stays_as_it_was(
        self, waiting: Email, mailoutbox: list[EmailMessage]
    ) -> None:
        outbox.deliver(waiting.pk)
        copy = outbox.resend(waiting)
        assert copy.pk != waiting.pk
        assert (copy.key, copy.state) == ("refund_processed:7:client:again1", "queued")
        assert (copy.to, copy.subject, copy.text, copy.html) == (
            waiting.to, waiting.subject, waiting.text, waiting.html,
        )  # fmt: skip
        assert outbox.resend(waiting) == copy  # pressed twice
        outbox.deliver(copy.pk)
        assert len(mailoutbox) == 2
        copy.refresh_from_db()
        assert outbox.resend(copy).key == "refund_processed:7:client:again2"

    def test_one_that_is_being_sent_is_left_alone(self, waiting: Email) -> None:
        with mock.patch(SEND, side_effect=SystemExit), pytest.raises(SystemExit):
            outbox.deliver(waiting.pk)
        with pytest.raises(outbox.EmailOnItsWay):
            outbox.resend(waiting)
        waiting.refresh_from_db()
        assert waiting.attempts == 1
