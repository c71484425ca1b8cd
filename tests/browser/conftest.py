"""A real browser against the running stack."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.fixtures import Settings

from headway.demo import PASSWORD
from headway.stack import Stack
from tests.stand_ins import chromium

# Playwright's own event loop runs in this thread; the database is used between its steps, never inside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PHONE = {"width": 360, "height": 780}
DESKTOP = {"width": 1440, "height": 900}

SignIn = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


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
