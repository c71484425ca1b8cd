"""A database and stand-ins of the simulation's own: nothing of the demo is touched, and nothing is left behind."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import requests
from django.conf import settings
from django.core.management import call_command
from django.db import Error, connection, connections

from billing.gateways.stripe_gateway import gateway
from common.errors import DomainError
from headway.processes import Kept, ProgramFailed
from headway.stack import Credentials, Ports, Stack

PREFIX = "headway_simulated_year"


class NoHouse(DomainError):
    """The simulation has no place to run in."""


@contextlib.contextmanager
def own_database(name: str, *, keep: bool = False) -> Iterator[str]:
    """A new, empty database with all tables on the same server; dropped at the end unless it is to be kept or something
    failed.

    What runs that were killed have left is dropped too. Raises :class:`NoHouse`.
    """
    shared = str(connection.settings_dict["NAME"])
    options = connection.settings_dict["OPTIONS"]
    before = options.get("options", "")
    try:
        _drop_left_behind()
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
    except Error as error:
        raise NoHouse(f"A database for the simulation cannot be made beside “{shared}”: {error}".strip()) from error
    try:
        # A crash may cost the last moments: such a year is played again anyhow.
        options["options"] = f"{before} -c synchronous_commit=off -c idle_in_transaction_session_timeout=0"
        _use(name)
        call_command("migrate", interactive=False, verbosity=0)
        yield name
    except Exception:
        keep = True  # for a look at what went wrong; the next run drops it
        raise
    finally:
        options["options"] = before
        _use(shared)
        if not keep:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _use(name: str) -> None:
    connections.close_all()
    connection.settings_dict["NAME"] = name


def _drop_left_behind() -> None:
    """Databases of runs whose process is gone (the name ends with its number) and that nobody is connected to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database d WHERE datname LIKE %s"
            " AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datname = d.datname)",
            [f"{PREFIX}_run_%"],
        )
        for (name,) in cursor.fetchall():
            number = name.rsplit("_", 1)[-1]
            if number.isdigit() and not psutil.pid_exists(int(number)):
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')


@contextlib.contextmanager
def own_world() -> Iterator[None]:
    """The stand-ins on free ports with a folder of their own, and the settings pointed at them."""
    with tempfile.TemporaryDirectory(prefix="headway-year-") as folder:
        lines = Kept(Path(folder) / "lines.log")
        stack = Stack(
            data=Path(folder),
            ports=Ports.free(),
            credentials=Credentials(
                clearinghouse_user=settings.CLEARINGHOUSE_USER,
                clearinghouse_password=settings.CLEARINGHOUSE_PASSWORD,
                stripe_webhook_secret=settings.STRIPE_WEBHOOK_SECRET,
            ),
            say=lines,
            mailbox=False,
        )
        ours = {**stack.settings(), "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
        before = {name: getattr(settings, name) for name in ours}
        try:
            stack.start_world()
            stack.wait()
            _point_to(ours)
            # Nobody is there to take webhooks: the year asks Stripe itself.
            order = {"match": "*", "kind": "drop_webhook", "count": 1_000_000}
            requests.post(f"{settings.STRIPE_API_BASE}/_sandbox/faults", json=order, timeout=10).raise_for_status()
            yield
        except ProgramFailed as error:
            raise NoHouse(f"The stand-ins did not start: {error}") from error
        finally:
            _point_to(before)
            stack.stop()


def _point_to(values: dict[str, object]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    gateway.cache_clear()  # it keeps the address it was made with


def database_name(*, kept: bool, seed: int) -> str:
    """What this run's database is called: by the process, or, when it is to be kept, by the seed too."""
    return f"{PREFIX}_kept_{seed}_{os.getpid()}" if kept else f"{PREFIX}_run_{os.getpid()}"
