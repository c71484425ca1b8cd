"""Settings come from the environment, typed; what is wrong is said at once in one line, and nothing starts."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from headway import environment
from headway.environment import Environment

ROOT = Path(__file__).resolve().parent.parent.parent


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HEADWAY", "DJANGO"))}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**clean, "HEADWAY_ENV_FILE": os.devnull, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr.strip()


def test_malformed_values_stop_the_start_with_one_line() -> None:
    said = one_line(manage("check", HEADWAY_WEB_PORT="many", ORG_NPI="1234567890", PUBLIC_URL="pay.example.com"))
    assert said == (
        "Nothing was started, the settings are not right: HEADWAY_WEB_PORT is not a valid integer; "
        "ORG_NPI is not an NPI: its check digit is wrong; "
        "PUBLIC_URL must be an address starting with http:// or https://."
    )


def test_a_list_of_days_is_read_in_order_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(given: str) -> list[int]:
        monkeypatch.setenv("DAYS", given)
        env = Environment(Path(os.devnull))
        found = env.wholes("DAYS", default=[3], most=60)
        env.finish()
        return found

    assert (read("7, 1,7"), read("")) == ([1, 7], [])
    monkeypatch.delenv("DAYS")
    assert Environment(Path(os.devnull)).wholes("DAYS", default=[3], most=60) == [3]
    for wrong in ("61", "-1", "soon"):
        with pytest.raises(SystemExit, match="DAYS"):
            read(wrong)


def test_a_deployment_must_name_its_secrets_and_servers() -> None:
    said = one_line(manage("check", HEADWAY_MODE="production"))
    assert "missing: " in said
    for name in ("SECRET_KEY", "SALT_KEY", "DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY", "ORG_NPI"):
        assert name in said


def test_an_unknown_mode_is_refused() -> None:
    assert "HEADWAY_MODE must be one of demo, production" in one_line(manage("check", HEADWAY_MODE="prod"))


def test_the_example_is_a_whole_deployment_without_warnings() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", HEADWAY_ENV_FILE=".env.example")
    assert done.returncode == 0, done.stderr


def test_the_example_names_every_variable_that_is_read() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "headway" / "settings.py").read_text()))
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert len(read) > 40
    assert read - named == set()


def test_a_command_without_a_database_starts_no_server(tmp_path: Path) -> None:
    done = manage("check", HEADWAY_DATA=str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["secret"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            "postgresql://ana:p%40ss@db.example.com:5433/books?sslmode=require",
            {"NAME": "books", "USER": "ana", "PASSWORD": "p@ss", "HOST": "db.example.com", "PORT": "5433"},
        ),
        (
            "postgresql://postgres@/books?host=%2Frun%2Fpg",
            {"NAME": "books", "USER": "postgres", "PASSWORD": "", "HOST": "/run/pg", "PORT": ""},
        ),
    ],
)
def test_a_database_address_is_taken_apart(address: str, expected: dict[str, str]) -> None:
    figures = environment.database(address)
    options = figures.pop("OPTIONS")
    assert figures == expected
    assert options == ({"sslmode": "require"} if "sslmode" in address else {})


def test_a_socket_address_is_written_celerys_way() -> None:
    assert environment.broker("unix:///run/valkey.sock?db=2") == "redis+socket:///run/valkey.sock?virtual_host=2"
    assert environment.broker("redis://cache:6379/0") == "redis://cache:6379/0"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("HEADWAY_TEST_ONE=from the file\nHEADWAY_TEST_TWO=from the file\n")
    monkeypatch.setenv("HEADWAY_TEST_ONE", "from the environment")
    monkeypatch.setenv("HEADWAY_TEST_TWO", "")
    monkeypatch.delenv("HEADWAY_TEST_TWO")
    env = Environment(file)
    assert env.text("HEADWAY_TEST_ONE", default="") == "from the environment"
    assert env.text("HEADWAY_TEST_TWO", default="") == "from the file"
    monkeypatch.delenv("HEADWAY_TEST_TWO", raising=False)
