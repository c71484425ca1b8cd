"""`make run`: everything on this machine, under one supervisor. Ctrl-C stops it all."""

import fcntl
import os
import signal
import sys
import time
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import NoReturn

import django
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands

from headway import demo
from headway.embedded import ServerFailed
from headway.processes import Lines, ProgramFailed, adopt_orphans, reap_orphans
from headway.stack import Credentials, Ports, Stack


class Stopped(BaseException):
    """Someone asked us to stop; not an error, and nothing on the way may swallow it."""


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "headway.settings")
    os.umask(0o077)  # the data is health data
    began = time.monotonic()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _stop)
    adopt_orphans()
    say = Lines()
    stack: Stack | None = None
    try:
        django.setup()
        if not settings.DEMO:
            print("make run is for one machine: it does not run with HEADWAY_MODE=production.", file=sys.stderr)  # noqa: T201
            return 1
        _only_one(settings.DATA_DIR)
        stack = Stack(
            data=settings.DATA_DIR,
            ports=_ports(),
            credentials=Credentials(
                clearinghouse_user=settings.CLEARINGHOUSE_USER,
                clearinghouse_password=settings.CLEARINGHOUSE_PASSWORD,
                stripe_webhook_secret=settings.STRIPE_WEBHOOK_SECRET,
            ),
            say=say,
            stripe_stand_in=settings.STRIPE_STAND_IN,
        )
        _bring_up(stack, say)
        _print_welcome(stack, time.monotonic() - began)
        while True:
            time.sleep(0.5)
            stack.check()
    except Stopped:
        _quietly()
        say("run", "stopping")
        return 0
    except (ProgramFailed, ServerFailed, CommandError) as error:
        _quietly()
        for line in str(error).splitlines():
            say("run", line)
        return 1
    finally:
        _quietly()
        if stack is not None:
            stack.stop()
        for server in (settings.EMBEDDED_VALKEY, settings.EMBEDDED_POSTGRES):
            if server is not None:
                server.leave()
        reap_orphans()
        say("run", "all stopped")


def _bring_up(stack: Stack, say: Lines) -> None:
    call_command("check", stdout=StringIO())
    stack.check_ports()
    for server in (settings.EMBEDDED_POSTGRES, settings.EMBEDDED_VALKEY):
        if server is not None:
            server.ensure()
            say("run", f"{server.name} is up")
    # The stand-ins come before the seeding: the demo's members are registered with the insurers.
    stack.start_world()
    call_command("migrate", interactive=False, verbosity=0)
    say("run", "the database's tables are up to date")
    stack.wait()
    say("run", "the stand-ins for the world answer")
    if "seed_demo" in get_commands():
        # A thousand requests would bury the progress of the seeding.
        say.hidden = frozenset({"stripe", "clearinghouse"})
        call_command("seed_demo")
        say.hidden = frozenset()
    stack.start_house()
    stack.wait()


def _ports() -> Ports:
    return Ports(
        web=settings.WEB_PORT,
        clearinghouse=settings.CLEARINGHOUSE_PORT,
        stripe=settings.STRIPE_PORT,
        smtp=settings.SMTP_PORT,
        mailbox=settings.MAILBOX_PORT,
    )


def _only_one(data: Path) -> None:
    """Hold the data folder until this process ends. Raises ProgramFailed when another run has it."""
    lock = os.open(data / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode().strip()
        raise ProgramFailed(
            f"Headway already runs with the data in {data} (process {holder}): stop it first, or set HEADWAY_DATA."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())


def _print_welcome(stack: Stack, seconds: float) -> None:
    lines = ["", f"{settings.PRODUCT_NAME} is up, {seconds:.0f} seconds after it was started.", ""]
    lines += [
        f"  Pages for clients and providers   {stack.web_url}/",
        f"  Support's admin                   {stack.web_url}/admin/",
        f"  API and its documentation         {stack.web_url}/api/v1/docs/",
        f"  The mail that was sent            http://localhost:{stack.ports.mailbox}/",
        f"  Stand-in insurers                 http://localhost:{stack.ports.clearinghouse}/",
        "",
        f"  Log in with the password {demo.PASSWORD} as",
    ]
    lines += [f"    {login.email:<22} {login.who}" for login in demo.LOGINS]
    lines += [
        "",
        f"  The data is kept in {settings.DATA_DIR}. Ctrl-C stops everything; `make reset` starts afresh.",
        "",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped


def _quietly() -> None:
    """Stopping is under way: a second Ctrl-C must not cut it short and leave processes behind."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
