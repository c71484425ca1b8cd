"""Everything that runs beside the database: the stand-ins for the world, the web server, the worker and beat.

`make run` starts it for the demo; end-to-end tests start it on free ports against their own database, so that both
exercise the same processes over the same wires.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

from headway.processes import Group, Program, answers_http, answers_tcp, check_ports, free_ports

STRIPE_WEBHOOK_PATH = "/webhooks/stripe/"


@dataclass(frozen=True)
class Ports:
    """One port for each thing that listens; the names are those of the settings without their prefix."""

    web: int
    clearinghouse: int
    stripe: int
    smtp: int
    mailbox: int

    @classmethod
    def free(cls) -> Self:
        return cls(*free_ports(5))

    def environment(self) -> dict[str, str]:
        return {
            "HEADWAY_WEB_PORT": str(self.web),
            "HEADWAY_CLEARINGHOUSE_PORT": str(self.clearinghouse),
            "HEADWAY_STRIPE_PORT": str(self.stripe),
            "HEADWAY_SMTP_PORT": str(self.smtp),
            "HEADWAY_MAILBOX_PORT": str(self.mailbox),
        }


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What the stand-ins must know to believe us, and we them."""

    clearinghouse_user: str
    clearinghouse_password: str
    stripe_webhook_secret: str


class Stack:
    """The processes of one running Headway. A context manager: leaving it stops them all.

    `environment` is added to every process's own (tests: DATABASE_URL and REDIS_URL of theirs). The world is the
    stand-ins; the house is the web server, the worker and beat.
    """

    def __init__(
        self,
        *,
        data: Path,
        ports: Ports,
        credentials: Credentials,
        say: Callable[[str, str], None],
        environment: Mapping[str, str] | None = None,
        stripe_stand_in: bool = True,
        mailbox: bool = True,
    ) -> None:
        self.data = data
        self.ports = ports
        self.credentials = credentials
        self.stripe_stand_in = stripe_stand_in
        self.mailbox = mailbox
        self._ready_file = data / "worker.ready"
        self._group = Group(
            environment={
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                **({"HEADWAY_COLOURS": "1"} if sys.stdout.isatty() and "NO_COLOR" not in os.environ else {}),
                "DJANGO_SETTINGS_MODULE": "headway.settings",
                **ports.environment(),
                **(environment or {}),
            },
            say=say,
        )

    @property
    def web_url(self) -> str:
        return f"http://localhost:{self.ports.web}"

    def settings(self) -> dict[str, object]:
        """Django settings that point a process outside the stack (a test) to the stack's own addresses."""
        return {
            "PUBLIC_URL": self.web_url,
            "CLEARINGHOUSE_URL": f"http://127.0.0.1:{self.ports.clearinghouse}",
            "SANDBOX_URL": f"http://127.0.0.1:{self.ports.clearinghouse}",
            "MAILBOX_URL": f"http://127.0.0.1:{self.ports.mailbox}",
            "STRIPE_API_BASE": f"http://127.0.0.1:{self.ports.stripe}",
            "STRIPE_JS_URL": f"http://127.0.0.1:{self.ports.stripe}/js.stripe.com/v3/",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": self.ports.smtp,
        }

    def world(self) -> list[Program]:
        """The stand-ins for what is outside."""
        ports, folder = self.ports, self.data / "world"
        folder.mkdir(mode=0o700, exist_ok=True)

        def stand_in(module: str, *arguments: str) -> list[str]:
            return [sys.executable, "-m", f"sandbox.{module}", f"--data={folder / module}", *arguments]

        programs = [
            Program(
                name="clearinghouse",
                command=stand_in("clearinghouse", f"--port={ports.clearinghouse}"),
                environment={
                    "CLEARINGHOUSE_USER": self.credentials.clearinghouse_user,
                    "CLEARINGHOUSE_PASSWORD": self.credentials.clearinghouse_password,
                },
                ports={"HEADWAY_CLEARINGHOUSE_PORT": ports.clearinghouse},
                ready=answers_http(ports.clearinghouse),
            )
        ]
        if self.stripe_stand_in:
            webhook = f"http://127.0.0.1:{ports.web}{STRIPE_WEBHOOK_PATH}"
            secret = f"--webhook-secret={self.credentials.stripe_webhook_secret}"
            programs.append(
                Program(
                    name="stripe",
                    command=stand_in(
                        "stripe",
                        f"--port={ports.stripe}",
                        f"--webhook={webhook}",
                        secret,
                    ),
                    ports={"HEADWAY_STRIPE_PORT": ports.stripe},
                    ready=answers_http(ports.stripe),
                )
            )
        if self.mailbox:
            smtp, page = f"--smtp-port={ports.smtp}", f"--http-port={ports.mailbox}"
            programs.append(
                Program(
                    name="mailbox",
                    command=stand_in("mailbox", smtp, page),
                    ports={"HEADWAY_SMTP_PORT": ports.smtp, "HEADWAY_MAILBOX_PORT": ports.mailbox},
                    ready=_both(answers_tcp(ports.smtp), answers_http(ports.mailbox)),
                )
            )
        return programs

    def house(self) -> list[Program]:
        """Our own processes. One web process with threads is plenty here and starts fastest."""
        self._ready_file.unlink(missing_ok=True)
        web = ["gunicorn", "headway.wsgi", f"--bind=127.0.0.1:{self.ports.web}", "--workers=1", "--threads=8"]
        web += ["--log-level=warning", "--no-control-socket", "--graceful-timeout=5"]
        celery = ["celery", "--app=headway", "--quiet"]
        worker = [*celery, "worker", "--concurrency=2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        beat = [*celery, "beat", f"--schedule={self.data / 'beat'}", "--pidfile="]
        return [
            Program(
                name="web",
                command=[sys.executable, "-m", *web],
                ports={"HEADWAY_WEB_PORT": self.ports.web},
                ready=answers_http(self.ports.web, "/healthz", status=200),
            ),
            Program(
                name="worker",
                command=[sys.executable, "-m", *worker],
                environment={"HEADWAY_READY_FILE": str(self._ready_file)},
                ready=self._ready_file.exists,
            ),
            Program(name="beat", command=[sys.executable, "-m", *beat]),
        ]

    def check_ports(self) -> None:
        """Raises ProgramFailed naming every port that is taken, before anything is started."""
        check_ports([*self.world(), *self.house()])

    def start_world(self) -> None:
        """Start the stand-ins without waiting for them."""
        self._group.start(self.world())

    def start_house(self) -> None:
        """Start our own processes without waiting for them."""
        self._group.start(self.house())

    def wait(self, seconds: float = 60) -> None:
        """Return when everything started so far answers; raises ProgramFailed when something does not."""
        self._group.wait_until_ready(seconds)

    def start(self) -> Self:
        """Start everything and wait for it; nothing is left running when it fails."""
        try:
            self.check_ports()
            self.start_world()
            self.start_house()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def check(self) -> None:
        """Raises ProgramFailed when one of the processes ended."""
        self._group.check()

    def stop(self) -> None:
        self._group.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def database_url(connection: Mapping[str, object]) -> str:
    """The DATABASE_URL of a Django connection's `settings_dict`, for processes that must use the same database."""
    user, password = quote(str(connection["USER"])), quote(str(connection.get("PASSWORD") or ""), safe="")
    host, port = str(connection.get("HOST") or ""), str(connection.get("PORT") or "")
    where = f"{user}:{password}@" if password else f"{user}@"
    if host.startswith("/"):
        return f"postgresql://{where}/{connection['NAME']}?{urlencode({'host': host})}"
    return f"postgresql://{where}{host}{f':{port}' if port else ''}/{connection['NAME']}"


def _both(first: Callable[[], bool], second: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: first() and second()
