"""Typed reading of environment variables. Everything wrong is gathered and said at once, in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from environs import Env, EnvValidationError, ValidationError

T = TypeVar("T")


class Environment:
    """Reads variables by type. `finish()` ends the program with one line naming each missing or malformed one.

    `demo` gives every variable that a deployment must set a value that works on one machine; outside the demo those
    variables are required.
    """

    def __init__(self, dotenv: Path) -> None:
        self._env = Env(eager=False)
        self._env.read_env(str(dotenv), recurse=False)
        self.mode = self.text("HEADWAY_MODE", default="demo", check=one_of("demo", "production"))
        self.demo = self.mode != "production"

    def given(self, name: str) -> bool:
        """Whether the variable is set to something."""
        return bool(self._env.str(name, default=""))

    def text(self, name: str, *, default: str, check: Callable[[str], None] | None = None) -> str:
        return str(self._env.str(name, default=default, validate=_optional(check, default)) or "")

    def needed(self, name: str, *, demo: str, check: Callable[[str], None] | None = None) -> str:
        """A text that a deployment must give; `demo` stands in for it on one machine."""
        if self.demo:
            return self.text(name, default=demo, check=check)
        return str(self._env.str(name, validate=[filled] + ([check] if check else [])) or "")

    def flag(self, name: str, *, default: bool) -> bool:
        return bool(self._env.bool(name, default=default))

    def whole(self, name: str, *, default: int, least: int = 0, most: int = 2**31) -> int:
        def within(value: int) -> None:
            if not least <= value <= most:
                raise ValidationError(f"must be from {least} to {most}")

        return self._env.int(name, default=default, validate=within) or 0

    def wholes(self, name: str, *, default: list[int], most: int) -> list[int]:
        """A comma-separated list of numbers from 0 to `most`, in order, each once; given empty, it is empty."""

        def within(values: list[int]) -> None:
            if not all(0 <= value <= most for value in values):
                raise ValidationError(f"must be numbers from 0 to {most}, separated by commas")

        given: list[int] | None = self._env.list(name, default=default, subcast=int, validate=within)
        return sorted(set(given or []))

    def port(self, name: str, *, default: int) -> int:
        return self.whole(name, default=default, least=1, most=65535)

    def names(self, name: str, *, demo: list[str]) -> list[str]:
        """A comma-separated list, required outside the demo."""
        if self.demo:
            given: list[str] | None = self._env.list(name, default=demo)
        else:
            given = self._env.list(name, validate=filled)
        return [item.strip() for item in given or []]

    def finish(self) -> None:
        """Raises SystemExit with one line when anything was missing or malformed."""
        try:
            self._env.seal()
        except EnvValidationError as error:
            wrong = {name: [str(message) for message in said] for name, said in dict(error.error_messages).items()}  # type: ignore[arg-type]
            missing = [name for name, said in wrong.items() if said == ["Environment variable not set."]]
            parts = [f"missing: {', '.join(sorted(missing))}"] if missing else []
            parts += [f"{name} {_as_clause(said)}" for name, said in sorted(wrong.items()) if name not in missing]
            raise SystemExit(f"Nothing was started, the settings are not right: {'; '.join(parts)}.") from None


def _as_clause(said: list[str]) -> str:
    """`Not a valid integer.` → `is not a valid integer`; our own messages already read on from the name."""
    text = "; ".join(said).rstrip(".")
    return f"is {text[0].lower()}{text[1:]}" if text.startswith("Not ") else text


def _optional(check: Callable[[str], None] | None, default: str) -> Callable[[str], None] | None:
    """The default needs no checking; an empty default may be given by hand too."""
    if check is None:
        return None

    def checked(value: str) -> None:
        if value != default:
            check(value)

    return checked


def filled(value: Any) -> None:
    if not value:
        raise ValidationError("must not be empty")


def one_of(*allowed: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if value not in allowed:
            raise ValidationError(f"must be one of {', '.join(allowed)}")

    return check


def long_enough(value: str) -> None:
    if len(value) < 50:
        raise ValidationError("must have at least 50 characters")


def url(*schemes: str) -> Callable[[str], None]:
    """A check that the value is an address with one of these schemes and a host (or a socket's path)."""

    def check(value: str) -> None:
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018 - reading it checks it
        except ValueError as error:
            raise ValidationError(f"is not an address ({error})") from error
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            raise ValidationError(f"must be an address starting with {' or '.join(f'{s}://' for s in schemes)}")

    return check


def npi(value: str) -> None:
    """A National Provider Identifier: ten digits whose last is the Luhn check digit over 80840 + the other nine."""
    total = 0
    if len(value) != 10 or not value.isascii() or not value.isdigit():
        raise ValidationError("must be ten digits")
    for place, digit in enumerate(reversed("80840" + value)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled // 10 + doubled % 10
    if total % 10:
        raise ValidationError("is not an NPI: its check digit is wrong")


def digits(*lengths: int) -> Callable[[str], None]:
    def check(value: str) -> None:
        if not (value.isascii() and value.isdigit() and len(value) in lengths):
            raise ValidationError(f"must be {' or '.join(map(str, lengths))} digits")

    return check


def routing_number(value: str) -> None:
    """A bank's routing number: nine digits, weighted 3, 7, 1 a multiple of ten."""
    digits(9)(value)
    if sum(weight * int(digit) for weight, digit in zip((3, 7, 1) * 3, value, strict=True)) % 10:
        raise ValidationError("is not a routing number: its check digit is wrong")


def ten_characters(value: str) -> None:
    if not (len(value) == 10 and value.isascii() and value.isprintable()):
        raise ValidationError("must have ten characters")


def state_code(value: str) -> None:
    if not (len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()):
        raise ValidationError("must be a state's two capital letters")


def database(address: str) -> dict[str, Any]:
    """Django's connection figures from `postgres://user:password@host:port/name?sslmode=require`."""
    parts = urlsplit(address)
    query = dict(item.split("=", 1) for item in parts.query.split("&") if "=" in item)
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or query.pop("host", "")),
        "PORT": str(parts.port or ""),
        "OPTIONS": {key: unquote(value) for key, value in query.items()},
    }


def broker(address: str) -> str:
    """A Redis address as Celery writes it: `unix:///run/valkey.sock?db=2` → `redis+socket:///run/valkey.sock?...`."""
    parts = urlsplit(address)
    if parts.scheme != "unix":
        return address
    number = dict(item.split("=", 1) for item in parts.query.split("&") if "=" in item).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={number}"


def origin(address: str) -> str:
    """`https://js.stripe.com/v3/` → `https://js.stripe.com`."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
