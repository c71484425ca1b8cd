"""Answers to what-if scenarios as text for a terminal."""

from collections.abc import Sequence
from typing import Any

from billing.domain.scenarios import OrderScenario, PriceScenario, Scenario

_NOT_KNOWN = "not known"
_COLUMNS = {
    "date": "Date",
    "client": "Client pays",
    "plan": "Plan pays",
    "deductible": "Deductible",
    "copay": "Copay",
    "coinsurance": "Coinsurance",
    "not_covered": "Not covered",
}
_REMAINING = {
    "deductible": "deductible",
    "family_deductible": "family deductible",
    "out_of_pocket": "out-of-pocket maximum",
    "family_out_of_pocket": "family out-of-pocket maximum",
    "visits": "visits",
}


def in_words(scenario: Scenario, answer: dict[str, Any]) -> str:
    """One answer, a few lines long, its reasons under it."""
    if isinstance(scenario, PriceScenario):
        lines = _prices(answer)
    elif isinstance(scenario, OrderScenario):
        lines = _order(answer)
    else:
        lines = _coordination(answer)
    return "\n".join([f"{answer['id']}", *(f"  {line}".rstrip() for line in lines)])


def _prices(answer: dict[str, Any]) -> list[str]:
    rows = [list(_COLUMNS.values())]
    rows += [[_amount(session[key]) for key in _COLUMNS] for session in answer["sessions"]]
    rows.append(["Total", _amount(answer["total_client"]), *[""] * (len(_COLUMNS) - 2)])
    table = _table(rows)
    lines = table[:1]
    for row, session in zip(table[1:-1], answer["sessions"], strict=True):
        lines += [row, *(f"    {sentence}" for sentence in session["why"])]
    lines.append(table[-1])
    left = [
        f"{name} {_amount(answer['remaining'][key])}"
        for key, name in _REMAINING.items()
        if answer["remaining"][key] is not None
    ]
    return [*lines, f"Left afterwards: {', '.join(left) or _NOT_KNOWN}"]


def _coordination(answer: dict[str, Any]) -> list[str]:
    rows = [
        ["Primary pays", _amount(answer["primary_pays"])],
        ["Secondary pays", _amount(answer["secondary_pays"])],
        ["Client pays", _amount(answer["client"])],
    ]
    return [*_table(rows), *(f"  {sentence}" for sentence in answer["why"])]


def _order(answer: dict[str, Any]) -> list[str]:
    certain = "certain" if answer["certain"] else "not certain"
    lines = [f"{place}. {plan}" for place, plan in enumerate(answer["order"], start=1)]
    lines.append(f"Rule: {answer['rule'].replace('_', ' ')} ({certain})")
    return [*lines, *(f"  {sentence}" for sentence in answer["why"])]


def _amount(value: str | int | None) -> str:
    if value is None:
        return _NOT_KNOWN
    if isinstance(value, str) and "." in value:
        whole, cents = value.split(".")
        return f"${int(whole):,}.{cents}"
    return str(value)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines; the first column to the left, amounts to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
