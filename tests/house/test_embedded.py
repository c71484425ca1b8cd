"""The embedded servers: started once for all who need them, stopped by the last, found again with their data."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import datafolder
from headway.embedded import Valkey

ROOT = Path(__file__).resolve().parent.parent.parent
USE_IT = """
import sys
from pathlib import Path
from headway.embedded import Valkey
server = Valkey(Path(sys.argv[1]))
server.ensure()
print("ready", flush=True)
sys.stdin.readline()
"""


class User:
    """Another process that uses the server until told to leave."""

    def __init__(self, data: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USE_IT, str(data)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def leave(self) -> None:
        self.process.communicate("\n", timeout=15)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    Valkey(tmp_path).stop_unused()


def test_the_last_user_stops_the_server(data: Path) -> None:
    first, second = User(data), User(data)
    first.wait_ready()
    second.wait_ready()
    here = Valkey(data)
    assert here.answers()
    first.leave()
    assert here.answers()
    second.leave()
    assert not here.answers()


def test_a_killed_users_server_is_found_and_stopped_by_the_next(data: Path) -> None:
    killed = User(data)
    killed.wait_ready()
    killed.kill()
    here = Valkey(data)
    assert here.answers()
    here.ensure()
    here.leave()
    assert not here.answers()


def test_many_at_once_start_one_server(data: Path) -> None:
    users = [User(data) for _ in range(4)]
    for user in users:
        user.wait_ready()
    starts = (data / "valkey.log").read_text().count("Memory overcommit")
    assert starts <= 1
    for user in users:
        user.leave()
    assert not Valkey(data).answers()


def test_what_was_stored_is_there_after_a_stop(data: Path) -> None:
    import redis

    server = Valkey(data)
    server.ensure()
    with redis.Redis(unix_socket_path=str(server.path)) as client:
        client.set("kept", "yes")
    server.leave()
    server.ensure()
    with redis.Redis(unix_socket_path=str(server.path)) as client:
        assert client.get("kept") == b"yes"
    server.leave()


def test_a_server_in_use_is_not_stopped_under_its_user(data: Path) -> None:
    user = User(data)
    user.wait_ready()
    assert not Valkey(data).stop_unused()
    assert Valkey(data).answers()
    user.leave()


def test_the_demos_secrets_stay_the_same_and_private(tmp_path: Path) -> None:
    first = datafolder.secret(tmp_path, "django")
    assert datafolder.secret(tmp_path, "django") == first
    assert datafolder.secret(tmp_path, "columns") != first
    assert len(first) >= 50
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_data_folder_of_someone_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_DATA", "/proc/1")
    with pytest.raises(SystemExit, match="HEADWAY_DATA: /proc/1 cannot be used"):
        datafolder.find()


def test_a_long_path_gets_short_sockets(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    sockets = datafolder.socket_folder(deep)
    assert len(os.fsencode(sockets)) < 60
    assert sockets.stat().st_uid == os.geteuid()
    sockets.rmdir()


def test_the_check_for_a_running_server_is_quick_when_none_is(tmp_path: Path) -> None:
    began = time.monotonic()
    assert not Valkey(tmp_path).answers()
    assert time.monotonic() - began < 0.5
