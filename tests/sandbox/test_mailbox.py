"""The mail sink: what the product sends can be read, and nothing in it can harm its reader."""

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests

from tests.stand_ins import free_port, running


@dataclass
class Sink:
    smtp_port: int
    base: str

    def send(self, message: EmailMessage, *to: str) -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as smtp:
            smtp.send_message(message, to_addrs=list(to) or None)

    def get(self, path: str, **query: str) -> requests.Response:
        return requests.get(f"{self.base}{path}", params=query, timeout=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mailbox")


@pytest.fixture(scope="module")
def _started(folder: Path) -> Iterator[Sink]:
    with _running(folder) as sink:
        yield sink


@pytest.fixture
def sink(_started: Sink) -> Sink:
    requests.delete(f"{_started.base}/api/messages", timeout=5).raise_for_status()
    return _started


class _running:  # noqa: N801 - reads as a verb where it is used
    def __init__(self, folder: Path) -> None:
        smtp, http = free_port(), free_port()
        self._sink = Sink(smtp, f"http://127.0.0.1:{http}")
        ports = ["--smtp-port", str(smtp), "--http-port", str(http), "--data", str(folder)]
        self._process = running("sandbox.mailbox", *ports, health=f"{self._sink.base}/healthz")

    def __enter__(self) -> Sink:
        self._process.__enter__()
        return self._sink

    def __exit__(self, *error: object) -> None:
        self._process.__exit__(None, None, None)


def refund_mail(to: str = "Ana Example <ana@example.org>") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Your refund of $12.05 — session of March 3"
    message["From"] = "Headway <hello@headway.example>"
    message["To"] = to
    message.set_content("Your refund is on its way.\n\nSee https://headway.example/payments/?a=1&b=2.\n")
    message.add_alternative(
        '<html><head><title>R</title></head><body><a href="https://headway.example/payments/">See it</a>'
        "<script>alert(1)</script></body></html>",
        subtype="html",
    )
    return message


def test_a_message_is_kept_with_all_its_parts(sink: Sink) -> None:
    sink.send(refund_mail())
    (kept,) = sink.get("/api/messages").json()

    assert kept["to"] == ["ana@example.org"]
    assert kept["from"] == "hello@headway.example"
    assert kept["subject"] == "Your refund of $12.05 — session of March 3"
    assert kept["text"].startswith("Your refund is on its way.")
    assert "See it" in kept["html"]
    assert kept["headers"]["To"] == "Ana Example <ana@example.org>"
    assert sink.get(f"/api/messages/{kept['id']}").json() == kept


def test_the_list_is_by_recipient_newest_first(sink: Sink) -> None:
    for number, address in enumerate(["ana@example.org", "ben@example.org", "ana@example.org"]):
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = f"Number {number}", "hello@headway.example", address
        mail.set_content("Hello")
        sink.send(mail)

    assert [mail["subject"] for mail in sink.get("/api/messages", to="ANA@example.org").json()] == [
        "Number 2",
        "Number 0",
    ]
    page = sink.get("/").text
    assert page.index("Number 2") < page.index("Number 1") < page.index("Number 0")
    assert "Number 1" not in sink.get("/", to="ana@").text
    assert "No message to" in sink.get("/", to="eve@").text


def test_a_blind_copy_counts_as_received(sink: Sink) -> None:
    sink.send(refund_mail(), "ana@example.org", "fay@example.org")
    assert len(sink.get("/api/messages", to="fay@example.org").json()) == 1


def test_the_page_shows_text_with_links_and_the_html_in_a_frame(sink: Sink) -> None:
    sink.send(refund_mail())
    ident = sink.get("/api/messages").json()[0]["id"]
    page = sink.get(f"/messages/{ident}").text

    assert '<a href="https://headway.example/payments/?a=1&amp;b=2">' in page
    assert f'src="/messages/{ident}/html"' in page
    assert "allow-scripts" not in page
    shown = sink.get(f"/messages/{ident}/html")
    assert '<head><base target="_top">' in shown.text
    assert "script-src" not in shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert b"Subject:" in sink.get(f"/messages/{ident}/raw").content


def test_a_hostile_subject_is_only_text(sink: Sink) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "<script>x</script>", "eve@example.org", "ana@example.org"
    mail.set_content("<img src=x onerror=alert(1)>")
    sink.send(mail)
    ident = sink.get("/api/messages").json()[0]["id"]
    for page in (sink.get("/").text, sink.get(f"/messages/{ident}").text):
        assert "<script>x" not in page
        assert "<img" not in page


def test_removing_empties_the_box_and_a_missing_message_says_so(sink: Sink) -> None:
    sink.send(refund_mail())
    assert requests.delete(f"{sink.base}/api/messages", timeout=5).json() == {"removed": 1}
    assert "No messages yet" in sink.get("/").text
    gone = sink.get("/messages/999999")
    assert (gone.status_code, "No such message" in gone.text) == (404, True)


def test_messages_are_kept_between_runs(tmp_path: Path) -> None:
    with _running(tmp_path) as sink:
        sink.send(refund_mail())
    with _running(tmp_path) as sink:
        assert [mail["subject"] for mail in sink.get("/api/messages").json()] == [refund_mail()["Subject"]]
