"""What every test shares: a clean cache, and the real servers for those that ask."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection, connections
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from headway.processes import Kept
from headway.stack import Credentials, Ports, Stack, database_url
from tests.stand_ins import chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the real servers share one test process, and so one set of servers, and run in a row."""
    items.sort(key=lambda item: item.get_closest_marker("stack") is not None)
    for item in items:
        if item.get_closest_marker("stack"):
            item.add_marker(pytest.mark.xdist_group("stack"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database, left by everybody before it is dropped: threads and browsers forget to close connections."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    connections.close_all()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser. One at a time in a process: Playwright runs an event loop in this thread while it is open."""
    path = chromium()
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # The database is used between the browser's steps, never inside one.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()
        connections.close_all()  # those opened beside the loop are its own, and nobody else would close them


@pytest.fixture(autouse=True)
def _clean_cache() -> Iterator[None]:
    """Rate limits and sessions of one test are not the next one's."""
    yield
    cache.clear()


_running: list[Stack] = []
"""The real servers while tests need them. Their worker and beat write to the test database, so nothing else may run."""


def _start(folder: Path) -> Stack:
    lines = Kept(folder / "lines.log")
    assert django_settings.EMBEDDED_VALKEY is not None  # tests/settings.py
    django_settings.EMBEDDED_VALKEY.ensure()
    stack = Stack(
        data=folder,
        ports=Ports.free(),
        credentials=Credentials(
            clearinghouse_user=django_settings.CLEARINGHOUSE_USER,
            clearinghouse_password=django_settings.CLEARINGHOUSE_PASSWORD,
            stripe_webhook_secret=django_settings.STRIPE_WEBHOOK_SECRET,
        ),
        say=lines,
        environment={
            "DATABASE_URL": database_url(connection.settings_dict),
            "REDIS_URL": django_settings.REDIS_URL,
            "SECRET_KEY": django_settings.SECRET_KEY,
            "SALT_KEY": django_settings.SALT_KEY,
            "SWEEP_SECONDS": "1",
            "CHECK_DAYS_BEFORE_SESSION": "",  # a test's plans are asked about when the test says so
            "HEADWAY_MODE": "demo",
            "HEADWAY_ENV_FILE": os.devnull,
        },
    )
    try:
        stack.start()
    except Exception as error:
        tail = lines.file.read_text()[-4000:] if lines.file.exists() else ""
        raise RuntimeError(f"The stack did not start: {error}\n{tail}") from error
    return stack


def _wait_for_quiet() -> None:
    """Until nobody else is in the middle of something: the tables are about to be emptied under the worker's feet."""
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
            )
            (busy,) = cursor.fetchone()
        if not busy:
            return
        time.sleep(0.05)


def _stop() -> None:
    while _running:
        _running.pop().stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """The servers end with the last test in a row that needs them."""
    try:
        yield
    finally:
        if nextitem is None or nextitem.get_closest_marker("stack") is None:
            _stop()


@pytest.fixture
def stack(transactional_db: None, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Stand-ins, web server, worker and beat on free ports, all on this test's database; this process points at them.

    Mark the test `stack`. Everything it writes must be committed to be seen, hence `transactional_db`.
    """
    if not _running:
        _running.append(_start(tmp_path_factory.mktemp("stack")))
    (running,) = _running
    running.check()
    for name, value in running.settings().items():
        setattr(settings, name, value)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    yield running
    _wait_for_quiet()
