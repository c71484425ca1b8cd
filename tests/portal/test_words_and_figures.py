"""Money and days are written so that nobody can read them wrongly."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.template import Context, Template, TemplateSyntaxError

from common import clock
from portal.templatetags import headway_ui as ui


@pytest.fixture(autouse=True)
def _a_tuesday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: date(2026, 11, 24))


def render(source: str, **context: object) -> str:
    return Template("{% load headway_ui %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Decimal("1000"), "$1,000.00"),
        (Decimal("0.00"), "$0.00"),
        (Decimal("-35.5"), "-$35.50"),
        (None, "not known yet"),
    ],
)
def test_an_unknown_amount_is_never_written_as_zero(amount: Decimal | None, written: str) -> None:
    assert ui.dollars(amount) == written


def test_a_change_of_price_always_carries_its_sign() -> None:
    assert ui.signed_dollars(Decimal("20")) == "+$20.00"
    assert ui.signed_dollars(Decimal("-5")) == "−$5.00"
    assert ui.signed_dollars(Decimal("0")) == "$0.00"


@pytest.mark.parametrize(("share", "written"), [("0.2", "20%"), ("0.125", "12.5%"), ("1", "100%"), ("0", "0%")])
def test_a_share_is_written_as_percent(share: str, written: str) -> None:
    assert ui.percent(Decimal(share)) == written


def test_a_date_names_its_month() -> None:
    assert ui.longdate(date(2026, 11, 24)) == "Tue 24 Nov 2026"
    assert ui.shortdate(date(2026, 3, 4)) == "4 Mar"
    assert ui.shortdate(date(2025, 3, 4)) == "4 Mar 2025"


def test_a_late_evening_belongs_to_the_business_day() -> None:
    evening = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)  # half past eight in New York, the day before
    assert ui.longtime(evening) == "Tue 24 Nov 2026, 8:30 p.m. ET"
    assert ui.isodate(evening) == "2026-11-24"


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 24), "today"),
        (date(2026, 11, 25), "tomorrow"),
        (date(2026, 11, 23), "yesterday"),
        (date(2026, 11, 29), "in 5 days"),
        (date(2026, 11, 12), "12 days ago"),
        (date(2026, 8, 24), "Mon 24 Aug 2026"),
    ],
)
def test_near_days_are_said_as_people_say_them(day: date, words: str) -> None:
    assert ui.daterel(day) == words


def test_a_meter_says_in_words_what_it_draws() -> None:
    page = render('{% meter "Deductible" used total id="m" %}', used=Decimal("640"), total=Decimal("1000"))
    assert "$360.00 to go" in page
    assert "$640.00 of $1,000.00 so far." in page
    assert 'max="1000.00" value="640.00"' in page


def test_a_meter_draws_nothing_when_the_insurer_has_not_answered() -> None:
    page = render('{% meter "Deductible" used total id="m" %}', used=None, total=Decimal("1000"))
    assert "<meter " not in page
    assert "not known yet" in page
    assert "$0.00" not in page


def test_a_breakdown_shows_every_part_and_the_sum() -> None:
    parts = [
        {"kind": "plan", "label": "Your plan pays", "amount": Decimal("75.00")},
        {"kind": "copay", "label": "Your copay", "amount": Decimal("25.00")},
    ]
    page = render('{% breakdown parts total "You pay" %}', parts=parts, total=Decimal("25.00"))
    assert [word in page for word in ("$75.00", "$25.00", "You pay")] == [True, True, True]
    assert 'class="part-copay" x="75.00" y="0" width="24.40"' in page


def test_a_breakdown_with_an_unknown_part_has_no_bar() -> None:
    parts = [{"kind": "plan", "label": "Your plan pays", "amount": None}]
    page = render('{% breakdown parts total "You pay" %}', parts=parts, total=None)
    assert "<svg" not in page
    assert page.count("not known yet") == 2


def test_a_badge_has_an_icon_and_a_word_beside_its_colour() -> None:
    page = render('{% badge "Paused" "paused" %}')
    assert "#paused" in page
    assert "Paused</span>" in page


def test_a_tone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="unknown tone 'pink'"):
        render('{% badge "x" "pink" %}')


def test_words_given_to_a_callout_are_escaped() -> None:
    page = render("{% callout title=name %}<p>{{ name }}</p>{% endcallout %}", name="<b>Ana</b>")
    assert page.count("&lt;b&gt;Ana&lt;/b&gt;") == 2
    assert "<p>" in page
