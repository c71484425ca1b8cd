"""What holds for every page: contrast, weight, no inline code, no missing drawing."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from portal import styleguide

ROOT = Path(settings.BASE_DIR)
STATIC = ROOT / "static"
PAGES = [
    page
    for page in sorted((ROOT / "templates").rglob("*.html"))
    if "email" not in page.relative_to(ROOT / "templates").parts[:1]
]
TOKENS = dict(
    re.findall(r"--([\w-]+): (light-dark\(#\w+, #\w+\))", (STATIC / "css/tokens.css").read_text()),
)
GROUNDS = ("paper", "surface", "surface-raised", "sunk")
TEXT_PAIRS = [
    *[(ink, ground) for ink in ("ink", "ink-soft", "brand", "danger") for ground in GROUNDS],
    *[(tone, f"{tone}-soft") for tone in ("brand", "accent", "info", "success", "attention", "danger", "paused")],
    *[("ink", f"{tone}-soft") for tone in ("brand", "accent", "info", "success", "attention", "danger", "paused")],
    ("on-brand", "brand"),
    ("on-brand", "brand-hover"),
    ("paper", "ink"),
]
EDGE_PAIRS = [(edge, ground) for edge in ("line-strong", "focus") for ground in GROUNDS]


def shade(token: str, theme: int) -> str:
    return str(re.findall(r"#\w+", TOKENS[token])[theme])


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_in_both_themes(theme: int) -> None:
    weak = {
        pair: round(ratio, 2)
        for pair in TEXT_PAIRS
        if (ratio := contrast(shade(pair[0], theme), shade(pair[1], theme))) < 4.5
    }
    assert weak == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_edges_of_inputs_and_focus_can_be_seen_in_both_themes(theme: int) -> None:
    weak = {
        pair: round(ratio, 2)
        for pair in EDGE_PAIRS
        if (ratio := contrast(shade(pair[0], theme), shade(pair[1], theme))) < 3
    }
    assert weak == {}


def test_styles_and_scripts_stay_under_60_kb() -> None:
    files = [*STATIC.glob("css/*.css"), *STATIC.glob("js/*.js")]
    assert sum(file.stat().st_size for file in files) < 60_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_carries_no_inline_style_or_script(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"""\s(?:style|on[a-z]+)=["']""", text) == []
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))[^>]*>", text) == []
    assert "<style" not in text


def test_every_icon_named_in_a_page_is_drawn() -> None:
    named = {icon for page in PAGES for icon in re.findall(r'{% icon "([a-z]+)"', page.read_text())}
    assert named
    assert named - set(styleguide.icons()) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_compiles(page: Path) -> None:
    get_template(str(page.relative_to(ROOT / "templates")))


def test_the_page_of_a_broken_server_needs_nothing() -> None:
    page = get_template("500.html").render()
    assert "Something broke on our side" in page
    assert "<h1>" in page


@pytest.mark.parametrize("kind", ["html", "txt"])
def test_an_e_mail_shows_its_button_only_when_there_is_something_to_do(kind: str) -> None:
    layout = get_template(f"email/base.{kind}")
    known = {"product_name": "Headway", "button_label": "Pay now", "button_url": "https://headway.example/past/"}
    assert "Pay now" in layout.render(known)
    assert "https://headway.example/past/" in layout.render(known)
    assert "Pay now" not in layout.render({**known, "button_url": ""})
