"""The real servers start together, take a task, and leave nothing behind."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests

from headway.processes import Group, Kept, Program, ProgramFailed, check_ports, free_ports
from headway.stack import Stack

SLEEP = "import time; time.sleep(60)"
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', '{SLEEP}']); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def lines(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "lines.log")


@pytest.fixture
def group(lines: Kept) -> Group:
    return Group(environment={}, say=lines)


def program(name: str, code: str, **more: object) -> Program:
    return Program(name=name, command=[sys.executable, "-c", code], **more)  # type: ignore[arg-type]


@pytest.mark.stack
@pytest.mark.django_db(transaction=True)
def test_the_web_server_answers_from_the_test_database(stack: Stack) -> None:
    answer = requests.get(f"{stack.web_url}/healthz", timeout=5)
    assert (answer.status_code, answer.text) == (200, "ok")


def test_stopping_a_program_ends_its_children_too(group: Group) -> None:
    group.start([program("parent", PARENT)])
    parent = psutil.Process(group.running[0].process.pid)
    until = time.monotonic() + 5
    while not (children := parent.children()) and time.monotonic() < until:
        time.sleep(0.02)
    assert len(children) == 1
    group.stop()
    assert not parent.is_running()
    _gone, alive = psutil.wait_procs(children, timeout=3)
    assert alive == []


def test_a_program_that_will_not_stop_is_ended(group: Group, lines: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.processes.STOP_SECONDS", 0.2)
    group.start([program("stubborn", STUBBORN, ready=lines.file.exists)])
    group.wait_until_ready(5)
    process = group.running[0].process
    group.stop()
    assert process.returncode == -9
    assert lines.file.read_text() == "stubborn: up\n"


def test_a_program_that_ends_by_itself_fails_the_group_by_name(group: Group) -> None:
    group.start([program("worker", "import sys; sys.exit(3)", ready=lambda: False)])
    with pytest.raises(ProgramFailed, match=r"^worker ended with code 3$"):
        group.wait_until_ready(5)
    group.stop()


def test_a_program_that_never_answers_is_named(group: Group) -> None:
    group.start([program("web", SLEEP, ready=lambda: False)])
    with pytest.raises(ProgramFailed, match=r"^web did not answer within 0 seconds$"):
        group.wait_until_ready(0.1)
    group.stop()


def test_a_taken_port_is_named_with_its_setting() -> None:
    [port] = free_ports(1)
    listener = subprocess.Popen([sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"])
    try:
        taken = program("web", "", ports={"HEADWAY_WEB_PORT": port})
        until = time.monotonic() + 5
        while time.monotonic() < until:
            try:
                check_ports([taken])
            except ProgramFailed as error:
                assert f"Port {port} for the web is taken" in str(error)
                assert f"HEADWAY_WEB_PORT={port + 100}" in str(error)
                break
            time.sleep(0.05)
        else:
            pytest.fail("the taken port was not noticed")
    finally:
        listener.terminate()
        listener.wait()
