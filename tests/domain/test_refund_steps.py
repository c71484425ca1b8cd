"""A refund as steps: what is done, what comes next, when to ask."""

from datetime import UTC, date, datetime

import pytest

from billing.domain.refund_steps import Kind, Standing, ask_support, steps

PROMISED = datetime(2026, 11, 13, 15, 0, tzinfo=UTC)
PROCESSED = datetime(2026, 11, 17, 15, 0, tzinfo=UTC)
BY = date(2026, 11, 24)


def line(state: str, *, processed: datetime | None = None, by: date | None = None, on: date = BY) -> list[str]:
    told = Standing(state, PROMISED, processed, by, on)
    return [("+" if step.done else "-") + step.kind for step in steps(told)]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("created", ["+promised", "-sent", "-processed", "-on_statement"]),
        ("submitted", ["+promised", "+sent", "-processed", "-on_statement"]),
        ("unknown", ["+promised", "+sent", "-processed", "-on_statement"]),
        ("in_transit", ["+promised", "+sent", "-processed", "-on_statement"]),
        ("failed", ["+promised", "+returned", "-another_way"]),
    ],
)
def test_on_the_way(state: str, expected: list[str]) -> None:
    assert line(state) == expected


def test_processed_and_on_the_statement_by_a_day() -> None:
    assert line("succeeded", processed=PROCESSED, by=BY) == ["+promised", "+sent", "+processed", "-on_statement"]
    found = steps(Standing("succeeded", PROMISED, PROCESSED, BY, BY))
    assert [step.at for step in found] == [PROMISED, None, PROCESSED, BY]


def test_support_is_asked_only_after_that_day() -> None:
    assert not ask_support(Standing("succeeded", PROMISED, PROCESSED, BY, BY))
    assert ask_support(Standing("succeeded", PROMISED, PROCESSED, BY, date(2026, 11, 25)))
    assert line("succeeded", processed=PROCESSED, by=BY, on=date(2026, 11, 25))[-1] == "+on_statement"


def test_a_refund_that_came_back_and_went_out_another_way() -> None:
    assert line("failed", processed=PROCESSED) == ["+promised", "+processed", "+returned", "-another_way"]
    assert line("external", processed=PROCESSED) == ["+promised", "+returned", "+another_way"]
    assert steps(Standing("external", PROMISED, PROCESSED, None, BY))[-1].at == PROCESSED
    assert steps(Standing("failed", PROMISED, None, None, BY))[-1].kind is Kind.ANOTHER_WAY
