"""Asks what-if scenarios as a script would: JSON in, plain values out."""

import json
from typing import Any

from billing.domain.scenarios import read_scenarios
from billing.domain.whatif import answer


def ask(scenario: dict[str, Any]) -> dict[str, Any]:
    """The answer to one scenario; a missing id is filled in."""
    data = json.dumps({"id": "x", **scenario}).encode()
    return answer(read_scenarios(data).scenarios[0])


def days(*allowed: str) -> list[dict[str, str]]:
    """Sessions on the days from 5 January, one amount each."""
    return [{"date": f"2026-01-{5 + place:02}", "allowed": amount} for place, amount in enumerate(allowed)]
