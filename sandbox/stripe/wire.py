"""Stripe's form encoding: nested names such as ``metadata[reference]`` and ``card[exp_month]``. Pure."""

import re
from collections.abc import Iterable
from typing import Any

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Form fields as a nested dict; ``a[0]`` and ``a[]`` become lists. Raises ``ValueError`` for a malformed name."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        found = _NAME.match(name)
        if found is None:
            raise ValueError(name)
        path = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
        place = tree
        for step in path[:-1]:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise ValueError(name)
        last = path[-1] or str(len(place))
        place[last] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(one) for name, one in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
