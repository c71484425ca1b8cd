"""Programs run side by side: started together, their lines prefixed, waited for, stopped with all their children."""

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

STOP_SECONDS = 12.0  # how long a program may take to stop by itself
COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)


class ProgramFailed(Exception):
    """A program ended, did not answer in time, or cannot start; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program to run. `port` and `port_setting` let a taken port be named together with what changes it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)  # {"HEADWAY_WEB_PORT": 8000}
    ready: Callable[[], bool] | None = None


def check_ports(programs: Sequence[Program]) -> None:
    """Raises ProgramFailed naming every port that is taken, by whom where that can be seen, and its setting."""
    taken = [
        f"Port {port} for the {program.name} is taken{_by_whom(port)}. "
        f"Stop what uses it, or choose another: {setting}={port + 100} make run"
        for program in programs
        for setting, port in program.ports.items()
        if not _free(port)
    ]
    if taken:
        raise ProgramFailed("\n".join(taken))


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _by_whom(port: int) -> str:
    try:
        for link in psutil.net_connections("tcp"):
            if link.status == psutil.CONN_LISTEN and link.laddr and link.laddr.port == port and link.pid:
                return f" by {psutil.Process(link.pid).name()} (process {link.pid})"
    except (psutil.Error, OSError):
        pass  # other people's processes are hidden from us
    return ""


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def answers_http(port: int, path: str = "/", *, status: int | None = None) -> Callable[[], bool]:
    """A check that something on this port speaks HTTP (and answers with this status)."""

    def check() -> bool:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            link.request("GET", path, headers={"Host": "localhost", "User-Agent": "headway-supervisor"})
            answer = link.getresponse()
            answer.read()  # hanging up on a half-sent answer would look like a fault in its log
            return status is None or answer.status == status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            link.close()

    return check


def answers_tcp(port: int) -> Callable[[], bool]:
    """A check that something takes connections on this port."""

    def check() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2):
                return True
        except OSError:
            return False

    return check


class Running:
    """A started program: its process leads a session of its own, so that Ctrl-C reaches it only through us."""

    def __init__(self, program: Program, say: Callable[[str, str], None], base: Mapping[str, str]) -> None:
        self.program = program
        self.process = subprocess.Popen(  # noqa: S603
            list(program.command),
            env={**base, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - only calls into libc, loaded before
        )
        self._reader = threading.Thread(target=self._read, args=(say,), daemon=True)
        self._reader.start()

    def _read(self, say: Callable[[str, str], None]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if text := line.decode(errors="replace").rstrip():
                say(self.program.name, text)

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def how_it_ended(self) -> str:
        code = self.process.returncode
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def ask_to_stop(self) -> None:
        """Only the leader is asked: it knows what to finish and in what order to stop its children."""
        if not self.ended:
            self.process.terminate()

    def make_sure(self, until: float) -> None:
        """Wait for the leader, then end whatever is left of its process group."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, until - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(1)
        if self.process.stdout is not None and not self._reader.is_alive():
            self.process.stdout.close()


class Group:
    """Programs started together; one that ends by itself is a failure of all."""

    def __init__(self, *, environment: Mapping[str, str], say: Callable[[str, str], None]) -> None:
        self._environment = environment
        self._say = say
        self.running: list[Running] = []
        self._answered: set[str] = set()

    def start(self, programs: Sequence[Program]) -> None:
        """Start without waiting; `check_ports` first gives the clearer error."""
        for program in programs:
            self.running.append(Running(program, self._say, self._environment))

    def wait_until_ready(self, seconds: float) -> None:
        """Raises ProgramFailed when a program ends or does not answer in time."""
        until = time.monotonic() + seconds
        pause = 0.05
        while True:
            self.check()
            waiting = []
            for program in (running.program for running in self.running):
                if program.name in self._answered:
                    continue
                if program.ready is None or program.ready():
                    self._answered.add(program.name)
                else:
                    waiting.append(program.name)
            if not waiting:
                return
            if time.monotonic() > until:
                raise ProgramFailed(f"{', '.join(waiting)} did not answer within {seconds:.0f} seconds")
            time.sleep(pause)
            pause = min(1.0, pause * 1.3)

    def check(self) -> None:
        """Raises ProgramFailed naming a program that ended."""
        for running in self.running:
            if running.ended:
                raise ProgramFailed(f"{running.program.name} {running.how_it_ended()}")

    def stop(self) -> None:
        """Stop all, last started first asked; afterwards none of them nor of their children is left."""
        for running in reversed(self.running):
            running.ask_to_stop()
        until = time.monotonic() + STOP_SECONDS
        for running in reversed(self.running):
            running.make_sure(until)
        self.running.clear()
        self._answered.clear()


class Lines:
    """Lines of many programs on one terminal, each behind its program's name in its own colour."""

    def __init__(self, width: int = 13) -> None:
        self._width = width
        self._colours: dict[str, int] = {}
        self._lock = threading.Lock()
        self.hidden: frozenset[str] = frozenset()
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def __call__(self, name: str, line: str) -> None:
        if name in self.hidden:
            return
        with self._lock:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            prefix = f"{name:<{self._width}} │ "
            sys.stdout.write((f"\033[{colour}m{prefix}\033[0m" if self._coloured else prefix) + line + "\n")
            sys.stdout.flush()


class Kept:
    """Lines kept in a file, for tests to show when something goes wrong."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        with self._lock, self.file.open("a") as stream:
            stream.write(f"{name}: {line}\n")


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """On Linux, a program whose supervisor was killed outright is asked to stop by the kernel."""
    if _libc is not None:
        _libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def adopt_orphans() -> None:
    """On Linux, make this process the parent of what its descendants leave behind, so that `reap_orphans` sees it."""
    if _libc is not None:
        _libc.prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def reap_orphans() -> None:
    """Collect adopted processes that ended, for a few seconds at most, so that not even their names are left."""
    until = time.monotonic() + 3
    with suppress(ChildProcessError):
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.02)
