"""A real browser against the running stack."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings

from headway.demo import PASSWORD
from headway.stack import Stack

PHONE = {"width": 360, "height": 780}
DESKTOP = {"width": 1440, "height": 900}

SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(browser: Browser, stack: Stack, settings: Settings) -> Iterator[SignIn]:
    """``sign_in("ana@example.com")`` opens a browser of its own, signed in; the first page of the role is shown."""
    # The web server checks passwords as the product does; tests elsewhere use a quicker way.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    expect.set_options(timeout=20_000)
    contexts = []

    def open_page(email: str, *, size: dict[str, int] = PHONE) -> Page:
        context = browser.new_context(viewport={"width": size["width"], "height": size["height"]})
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{stack.web_url}/accounts/login/")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).not_to_have_url(f"{stack.web_url}/accounts/login/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    expect.set_options(timeout=5_000)
