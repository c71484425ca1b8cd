"""The demo's people, as `seed_demo` makes them and `make run` prints them."""

from typing import NamedTuple


class Login(NamedTuple):
    who: str
    email: str


PASSWORD = "headway-demo-2026"  # noqa: S105 - printed on every start, works on localhost only

LOGINS = (
    Login("Ana, client with two plans", "ana@example.com"),
    Login("Ben, client, her spouse", "ben@example.com"),
    Login("Eve, client of another provider", "eve@example.com"),
    Login("Dr. Cole, Ana's provider", "cole@example.com"),
    Login("Dr. Diaz, a provider who does not know Ana", "diaz@example.com"),
    Login("Fay, support", "fay@example.com"),
    Login("Gus, auditor", "gus@example.com"),
)
