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


def differences(expected: Any, actual: Any, place: str = "") -> list[str]:
    """Where an answer is not as expected; keys that are not expected may be anything."""
    if isinstance(expected, dict):
        return [
            line for key, value in expected.items() for line in differences(value, actual.get(key), f"{place}.{key}")
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = zip(expected, actual, strict=True)
        return [line for at, pair in enumerate(pairs) for line in differences(*pair, f"{place}[{at}]")]
    return [] if expected == actual else [f"{place}: expected {expected!r}, got {actual!r}"]
