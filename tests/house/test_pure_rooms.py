"""Rules and X12 take and return plain values: of Django they may know only how words and dates are said."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
WORDS = {"django.utils.translation", "django.utils.formats"}
PURE = [
    file for room in ("billing/domain", "insurance/domain", "insurance/x12") for file in (ROOT / room).rglob("*.py")
]


@pytest.mark.parametrize("file", PURE, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_pure_room_knows_no_orm_and_no_settings(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            assert not name.startswith("django") or name in WORDS, f"line {node.lineno}: {name}"


@pytest.mark.parametrize("file", PURE, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_pure_room_asks_no_clock(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in {"today", "now", "utcnow"}:
            pytest.fail(f"line {node.lineno}: .{node.attr}")
