"""What every e-mail says, and what none may say."""

import dataclasses
import re
from datetime import date
from decimal import Decimal
from html import unescape

import pytest
from django.template.loader import render_to_string
from pytest_django import Settings

from notifications.messages import CATALOGUE, AccountPaused, CardSaved, Message, PayNow, RefundProcessed
from notifications.messages.base import ToClient
from notifications.messages.costs import LISTED
from notifications.messages.parts import phone_link

FORBIDDEN = re.compile(
    r"therap|counsel|diagnos|mental|behavio|psych|depress|anxi|treatment|patient|procedure|\bcpt\b|\bicd\b"
    r"|member (id|number)|\bhealth\b|medical|condition",
    re.IGNORECASE,
)
EVERY = pytest.mark.parametrize(
    ("kind", "name"),
    [pytest.param(kind, name, id=f"{kind.kind} {name}".strip()) for kind in CATALOGUE for name in kind.samples()],
)
"""Every kind, in every way in which it reads."""


def text_of(message: Message) -> str:
    return render_to_string(f"{message.template}.txt", message.context())


def html_of(message: Message) -> str:
    return render_to_string(f"{message.template}.html", message.context())


def words_of(html: str) -> str:
    """What a reader of the HTML sees."""
    body = re.sub(r"<(style|title)>.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def shown(value: object) -> list[str]:
    """A field's value as it must be written; an amount of nothing need not be."""
    if isinstance(value, bool):
        return []  # which way it reads
    if isinstance(value, tuple):
        return [
            each
            for row in value[:LISTED]
            for column in dataclasses.fields(row)
            for each in shown(getattr(row, column.name))
        ]
    if isinstance(value, Decimal):
        return [f"${value:,.2f}"] if value else []
    if isinstance(value, date):
        return [f"{value:%A, %B} {value.day}, {value.year}"]
    return [str(value)] if value else []


def test_the_catalogue_holds_every_kind_once() -> None:
    def kinds_below(kind: type[Message]) -> set[type[Message]]:
        below = kind.__subclasses__()
        return {each for each in below if "kind" in vars(each)}.union(*(kinds_below(each) for each in below))

    written = kinds_below(Message)  # type: ignore[type-abstract]
    assert {kind.__name__ for kind in written} == {kind.__name__ for kind in CATALOGUE}
    assert len({kind.kind for kind in CATALOGUE}) == len(CATALOGUE)
    assert all(len(kind.kind) <= 40 for kind in CATALOGUE)


@EVERY
def test_text_and_html_both_hold_every_value(kind: type[Message], name: str) -> None:
    sample = kind.samples()[name]
    text, html = text_of(sample), html_of(sample)
    seen = words_of(html)
    for field in dataclasses.fields(sample):
        for value in shown(getattr(sample, field.name)):
            assert value in text, field.name
            assert value in seen, field.name
    assert f'href="{sample.context()["button_url"]}"' in html


@EVERY
def test_text_and_html_say_the_same(kind: type[Message], name: str) -> None:
    sample = kind.samples()[name]
    context = sample.context()
    text, seen = text_of(sample), words_of(html_of(sample))
    for part in (*context["before"], *context["after"]):
        for said in (getattr(part, "text", ""), *(step.text for step in getattr(part, "steps", ()))):
            assert said in seen
            assert said in text or said.upper() in text
    for said in (context["subject"], context["button_label"], context["support_email"], context["support_phone"]):
        assert said in text
        assert said in seen


@EVERY
def test_no_health_information(kind: type[Message], name: str) -> None:
    sample = kind.samples()[name]
    assert not FORBIDDEN.search(text_of(sample))
    assert not FORBIDDEN.search(words_of(html_of(sample)))


@EVERY
def test_what_shows_on_a_locked_phone_is_short_and_discreet(kind: type[Message], name: str) -> None:
    sample = kind.samples()[name]
    for line in (sample.subject(), sample.preview()):
        assert not re.search(r"[$\d\n]|session|Ana|Harbor|Cole", line)
        assert not FORBIDDEN.search(line)
    assert len(sample.subject()) <= 50
    assert len(sample.preview()) <= 90
    assert sample.preview() in html_of(sample)


@EVERY
def test_it_comes_from_the_product_and_points_to_one_thing_to_do(
    kind: type[Message], name: str, settings: Settings
) -> None:
    settings.PRODUCT_NAME = "Brightwater"
    html = html_of(kind.samples()[name])
    assert "Brightwater" in words_of(html)
    assert html.count('class="btn"') == 1
    assert '<html lang="en-us" dir="ltr">' in html
    assert "<img" not in html  # nothing is fetched that would tell when it was read


def test_a_balance_says_pay_now_on_the_button_and_in_the_text() -> None:
    sample = PayNow.sample()
    assert re.search(rf'<a class="btn" href="{re.escape(sample.url)}"[^>]*>Pay now</a>', html_of(sample))
    assert f"Pay now:\n{sample.url}" in text_of(sample)


def test_a_processed_refund_says_by_which_day_it_is_on_the_statement(refund_news: RefundProcessed) -> None:
    text = text_of(refund_news)
    assert "Refund: $1,018.50" in text
    assert "Session date: Tuesday, November 3, 2026" in text
    assert "within 3–5 business days, by Tuesday, November 24, 2026." in text
    assert "Is it not there after that day? Contact us" in text


def test_a_pause_says_whom_to_call_and_the_exact_words() -> None:
    text, html = text_of(AccountPaused.sample()), html_of(AccountPaused.sample())
    assert "Insurer: Harbor Mutual\n  Call: 1-800-555-0142" in text
    assert 'href="tel:+18005550142"' in html
    words = (
        "“My provider let me know there is an issue with my coordination of benefits. "
        "Could you tell me which of my plans is primary?”"
    )
    assert words in text
    assert words in words_of(html)
    assert "We cannot call for you" in text
    assert "Your upcoming sessions are kept for you, but they are on hold too." in text


def test_a_pause_without_a_known_number_sends_the_client_to_the_card() -> None:
    message = dataclasses.replace(AccountPaused.sample(), insurer_phone="")
    assert "Call: The number on the back of your insurance card" in text_of(message)
    assert "number above" not in text_of(message)
    assert "tel:+1800" not in html_of(message)


def test_nobody_is_greeted_by_an_empty_name() -> None:
    message = dataclasses.replace(PayNow.sample(), client_name="")
    assert "\nHello,\n" in text_of(message)


@pytest.mark.parametrize("kind", [kind for kind in CATALOGUE if issubclass(kind, ToClient)], ids=lambda kind: kind.kind)
def test_a_name_is_escaped_in_html_and_plain_in_text(kind: type[ToClient]) -> None:
    message = dataclasses.replace(kind.sample(), client_name="O'Neil <b>& co</b>")
    assert "Hello O'Neil <b>& co</b>," in text_of(message)
    assert "O&#x27;Neil &lt;b&gt;&amp; co&lt;/b&gt;" in html_of(message)
    assert "<b>" not in html_of(message)


def test_the_words_agreed_to_keep_their_lines() -> None:
    message = dataclasses.replace(CardSaved.sample(), consent_text="First line.\nSecond & last.")
    assert "> First line.\n> Second & last." in text_of(message)
    assert "First line.<br>Second &amp; last." in html_of(message)


@pytest.mark.parametrize(
    ("number", "link"),
    [
        ("1-800-555-0142", "tel:+18005550142"),
        ("(800) 555-0142", "tel:+18005550142"),
        ("555-0142", ""),
        ("", ""),
    ],
)
def test_phone_links(number: str, link: str) -> None:
    assert phone_link(number) == link
