"""The description of the API is complete, and its page opens under the strict policy for everything but styles."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


@pytest.fixture(scope="module")
def schema() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


def operations(schema: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_it_is_openapi_3_1_and_valid(schema: Any) -> None:
    assert schema["openapi"].startswith("3.1")
    validate_schema(schema)  # type: ignore[no-untyped-call]


def test_every_operation_has_a_summary_a_tag_and_its_problems(schema: Any) -> None:
    for path, method, operation in operations(schema):
        where = f"{method} {path}"
        assert operation.get("summary"), where
        assert operation["tags"] in (["Everyone"], ["Client"], ["Provider"], ["Support"]), where
        for status in ("401", "404", "429"):
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"], where


def test_every_write_takes_an_idempotency_key(schema: Any) -> None:
    writes = 0
    for path, method, operation in operations(schema):
        if method != "get":
            writes += 1
            assert "Idempotency-Key" in [each["name"] for each in operation["parameters"]], f"{method} {path}"
    assert writes == 23


def test_no_answer_holds_a_float(schema: Any) -> None:
    def types(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            kind = node.get("type")
            yield from [kind] if isinstance(kind, str) else kind if isinstance(kind, list) else []
            for inner in node.values():
                yield from types(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from types(inner)

    assert "number" not in set(types(schema))


@pytest.mark.django_db
def test_the_page_and_the_description_are_there_for_anyone(client: Client) -> None:
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    styles = next(part for part in policy.split(";") if part.strip().startswith("style-src"))
    assert "'unsafe-inline'" in styles
    scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert "unsafe" not in scripts
    assert b"<script>" not in page.content
    assert client.get("/api/v1/schema/").status_code == 200
    elsewhere = client.get("/api/v1/schema/").headers["Content-Security-Policy"]
    assert "unsafe-inline" not in elsewhere
